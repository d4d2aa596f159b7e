"""``tinygrad-lstm check``."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from .app import AnyCell, app, console, errors


@app.command(epilog="Example:  tinygrad-lstm check --cell lstm --steps 20")
def check(
    cell: Annotated[
        list[AnyCell] | None, typer.Option(help="Check this cell only; may be given several times.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=1000, help="How many time steps to unroll.")] = 5,
) -> None:
    """Check the gradients of the cells, in every parameter, input and initial state, by complex step."""
    from ..testing import GradientError, check_cell

    table = Table(
        "cell", "checked", "worst, in units of rounding", "verdict", "seconds", title=f"unrolled over {steps} steps"
    )
    failures = []
    for name in cell or list(AnyCell):
        started = time.monotonic()
        try:
            report = check_cell(name.value, steps)
        except GradientError as error:
            failures.append(f"{name.value}: {error}")
            row = ("", "", Text("WRONG", style="bold red"))
        else:
            unproved = f", {len(report.unproved)} unproved" if report.unproved else ""
            row = (f"{len(report.errors)} tensors", f"{report.worst:.2f}", Text(f"PASS{unproved}", style="green"))
        table.add_row(name.value, *row, f"{time.monotonic() - started:.2f}")
    console.print(table)
    for failure in failures:
        errors.print(Text(failure, style="red"))
    if failures:
        raise typer.Exit(1)
