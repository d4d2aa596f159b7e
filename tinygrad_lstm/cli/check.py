"""Examples of tinygrad-lstm check:

tinygrad-lstm check

tinygrad-lstm check my_ops.py:softsign

tinygrad-lstm check my_ops.py:attention --shape 2,3 --shape 3,4 --html check.html

tinygrad-lstm check --cell lstm --steps 20 --profile nightly

tinygrad-lstm check --cell gru --compiled

An operation or a function of tensors is tried at drawn inputs, as many as
the profile says, or at random ones of the shapes you give, one --shape for
each input. A cell is unrolled; a tensor is checked in every leaf that
requires a gradient.
"""

from __future__ import annotations

import inspect
import os
import shlex
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..interop.files import write_file
from ..nn import named
from ..testing.objective import TOLERANCE
from ..testing.profiles import Profile, drawing_by
from ..testing.verdicts import Verdict
from .app import app, console, errors, progress, refusing, say, writing
from .options import AnyCell, choice

if TYPE_CHECKING:
    from ..testing.report.survey import SurveyRow, Task

STYLES = {
    Verdict.PASS: "green",
    Verdict.ROUNDOFF: "green",
    Verdict.DECLARED: "yellow",
    Verdict.UNCHECKED: "yellow",
    Verdict.WRONG: "bold red",
}


@app.command(epilog=__doc__)
def check(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE.py:NAME",
            help="What to check, in a file of yours, which is run; without it, all of our operations and cells.",
        ),
    ] = None,
    cell: Annotated[
        list[AnyCell] | None, choice(AnyCell, "Check this cell only; may be given several times.", "--cell")
    ] = None,
    op: Annotated[
        list[str] | None, typer.Option(help="Check this operation of ours only; may be given several times.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=1000, help="How many time steps to unroll a cell; without it, 5, 3 and 60.")
    ] = None,
    shape: Annotated[
        list[str] | None, typer.Option(help="The shape of an input of yours, as in 3,4; one for each.", metavar="N,M")
    ] = None,
    order: Annotated[
        int | None,
        typer.Option(min=1, max=2, help="1 for gradients alone, 2 for their derivatives too; cells 1, the rest 2."),
    ] = None,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Compare the program of each cell, compiled, with its equations too.")
    ] = False,
    profile: Annotated[
        Profile | None,
        choice(Profile, "50 inputs for each operation, others in each run; always the same; or 500."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Draw by this seed, as a failure says.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with convergence plots as well.", metavar="FILE.html")
    ] = None,
) -> None:
    """Check gradients against the complex step, and say who is to blame.

    Operations in every input, to second order, with the laws that gradients
    obey; cells in every parameter, input and initial state, whole and in chunks.
    """
    from .target import TargetError, running

    with refusing(ValueError, TypeError):
        tasks = _tasks(target, cell or [], op or [], steps, order, compiled, [_shape(text) for text in shape or []])
    file, _, name = (target or "").rpartition(":")
    theirs = running(file, name) if target is not None else nullcontext()
    how = profile or Profile.usual()
    typed = [word for before, word in pairwise(sys.argv) if "--seed" not in (before, word.partition("=")[0])]
    again = f"{shlex.join(['tinygrad-lstm', *typed, *([] if profile else ['--profile', how])])} --seed "
    with refusing(TargetError), drawing_by(how, seed, again), theirs, _no_folder():
        rows = list(_run(tasks))
    console.print(_table(rows))
    for row in rows:
        if not row.passed:
            _print(row)
        elif row.note:
            console.print(Text(f"{row.name} is {row.note}", style="dim"))
    covered = defaultdict(list)
    for row in rows:
        if row.passed and row.report.covered:
            covered[row.report.covered].append(row.name)
    for drawn, names in covered.items():
        console.print(Text(f"{', '.join(names)}: {drawn}", style="dim"))
    if html is not None:
        from ..testing.report.page import page

        with writing(html):
            write_file(html, page(rows))
        say(f"wrote {html}; open it in a browser")
    if not all(row.passed for row in rows):
        raise typer.Exit(1)


@contextmanager
def _no_folder() -> Iterator[None]:
    """Keep what hypothesis remembers out of the user's folder, unless they say where it goes."""
    variable = "HYPOTHESIS_STORAGE_DIRECTORY"
    if variable in os.environ:
        yield
        return
    with TemporaryDirectory() as folder:
        os.environ[variable] = folder
        try:
            yield
        finally:
            del os.environ[variable]


def _tasks(
    target: str | None,
    cells: Sequence[str],
    ops: Sequence[str],
    steps: int | None,
    order: int | None,
    compiled: bool,
    shapes: list[tuple[int, ...]],
) -> list[Task]:
    """Return what is to be checked. Raises ValueError or TypeError for what cannot be."""
    from ..engine.ops import BUILTIN
    from ..testing.report.survey import of_cell, of_operation, of_thing
    from .target import call, find

    if target is not None:
        if cells or ops:
            raise ValueError(f"{target} says what to check; --cell and --op are for ours")
        thing: Any = find(target)
        if inspect.isfunction(thing) and not inspect.signature(thing).parameters:
            thing = call(thing, target)
        return [of_thing(thing, target.rpartition(":")[2], shapes, steps, order, compiled)]
    if shapes:
        raise ValueError("--shape is for an operation or a function of yours; say which, as in my_ops.py:softsign")
    if compiled and ops and not cells:
        raise ValueError("--compiled is for cells, whose program is compared with their equations; name one by --cell")
    if not cells and not ops:
        cells, ops = named.names(), list(BUILTIN)
    for name in ops:
        if name not in BUILTIN:
            raise ValueError(f"there is no operation {name!r}; there are {', '.join(BUILTIN)}")
    return [
        *(of_operation(BUILTIN[name], name, order or 2) for name in ops),
        *(of_cell(cell, f"{cell} cell", steps, order or 1, compiled) for cell in cells),
    ]


def _shape(text: str) -> tuple[int, ...]:
    sides = [side.strip() for side in text.split(",") if side.strip()]
    if not all(side.isdecimal() for side in sides):
        raise ValueError(f"--shape takes numbers and commas, as in 3,4, or '' for a single number, not {text!r}")
    return tuple(map(int, sides))


def _run(tasks: list[Task]) -> Iterator[SurveyRow]:
    with progress(console=errors, transient=True, disable=not errors.is_terminal) as bars:
        bar = bars.add_task("checking", total=len(tasks))
        for task in tasks:
            bars.update(bar, description=task.name)
            yield task.run()
            bars.advance(bar)


def _table(rows: list[SurveyRow]) -> Table:
    title = f"Gradients, by complex step; {TOLERANCE:,.0f} units of rounding are allowed"
    table = Table("what", "verdict", title=title)
    for heading in ("error, units", "gradients", "cases", "checks/s"):
        table.add_column(heading, justify="right")
    for row in rows:
        numbers = (row.units, str(row.tensors), str(row.cases), row.rate) if row.cases else ()
        table.add_row(Text(row.name), Text(row.verdict, style=STYLES[row.verdict]), *numbers)
    return table


def _print(row: SurveyRow) -> None:
    from ..testing.report.text import explain

    say(f"{row.name}: {row.note}", style="red")
    if row.again:
        say(row.again)
    if row.failure:
        say(explain(row.failure, Path(f"{row.name.replace(' ', '-')}-gradient.svg")))
