"""Examples of tinygrad-lstm source:

tinygrad-lstm source --cell gru

tinygrad-lstm source --cell lstm --optimize 2 --out lstm.py

tinygrad-lstm source my_model.py:loss --where

Level 0 reads like the equations; at 1 products that share an operand are
one; at 2 what does not wait for the step before is done for all steps at
once, and the gradients of weights are one product; at 3 digits are given up
for speed, and comments say where.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .app import app, console, refuse, refusing, say, working, writing
from .options import CellOption

if TYPE_CHECKING:
    from ..program import SourceCode

STEPS, BATCH, INPUTS, HIDDEN = 5, 2, 3, 4
"""Sizes that a layer of ours is recorded with, all different; its program is for any steps and batch."""


@app.command(epilog=__doc__)
def source(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE.py:NAME",
            help="A loss, a function that returns one, or a recurrent layer, in a file of yours, which is run.",
        ),
    ] = None,
    cell: CellOption = None,
    layers: Annotated[int | None, typer.Option(min=1, max=20, help="How many layers of it; 1 if not given.")] = None,
    bidirectional: Annotated[bool, typer.Option("--bidirectional", help="Read in both directions.")] = False,
    optimize: Annotated[
        int, typer.Option(min=0, max=3, help="0 reads like the equations; up to 3, each level is faster.")
    ] = 0,
    where: Annotated[
        bool, typer.Option("--where", help="Show beside each line which line of your program it comes from.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the program to a file.", metavar="FILE.py")] = None,
) -> None:
    """Print a network as a program: its forward and its backward pass in plain numpy, one loop over time for each."""
    from ..program import NotExpressible
    from .target import TargetError

    if target is not None and (cell or layers or bidirectional):
        raise refuse(f"{target} says what to print; --cell, --layers and --bidirectional are for our own cells")
    if where and out:
        raise refuse("--where is for reading, and no program; leave it out, or --out")
    with refusing(TargetError, NotExpressible, ValueError), working("recording"):
        program = _of_target(target, optimize) if target else _of_cell(cell or "lstm", layers, bidirectional, optimize)
    if out is None:
        _show(program, where)
        return
    from ..interop.files import write_file

    with writing(out):
        write_file(out, str(program))
    say(f"wrote {out}: {len(str(program).splitlines())} lines; it needs numpy alone")


def _of_cell(cell: str, layers: int | None, bidirectional: bool, optimize: int) -> SourceCode:
    from ..nn import Recurrent
    from ..nn.samples import olahs

    directions = 2 if bidirectional else 1
    sizes = [INPUTS, *[HIDDEN * directions] * ((layers or 1) - 1)]
    cells = [olahs(cell, size, HIDDEN, 0) for size in sizes for _ in range(directions)]
    layer: Recurrent = Recurrent(*cells, bidirectional=bidirectional)
    return _of_layer(layer, optimize)


def _of_layer(layer: Any, optimize: int) -> SourceCode:
    import numpy as np

    from ..program import source as program_of

    xs = np.random.default_rng(0).normal(size=(STEPS, BATCH, layer.cells[0].input_size))
    return program_of(layer, xs, optimize=optimize)


def _of_target(target: str, optimize: int) -> SourceCode:
    from ..engine.tensor import Tensor
    from ..nn import Recurrent
    from ..program import source as program_of
    from .target import call, find

    found = find(target)
    if isinstance(found, Recurrent):
        return _of_layer(found, optimize)
    if callable(found) and not isinstance(found, Tensor):
        found = call(found, target)
    if not isinstance(found, Tensor):
        file, _, name = target.rpartition(":")
        kind = type(found).__name__
        raise ValueError(f"{name} in {file} must be a loss, or a recurrent layer; its type is {kind}")
    if not found.requires_grad:
        raise ValueError(f"{target} requires no gradient: nothing it was computed from has requires_grad=True")
    return program_of(found, optimize=optimize)


def _show(program: SourceCode, where: bool) -> None:
    """Print it, in colours where a person is looking."""
    from rich.syntax import Syntax
    from rich.text import Text

    text = str(program).rstrip("\n")
    if not where:
        colored = Syntax(text, "python", theme="ansi_dark", background_color="default", word_wrap=False)
        console.print(colored if console.is_terminal else Text(text), soft_wrap=True)
        return
    places = [str(program.origin(number) or "") for number in range(1, len(text.splitlines()) + 1)]
    width = max(map(len, places))
    for place, line in zip(places, text.splitlines(), strict=True):
        row = Text(f"{place:>{width}} │ ", style="dim")
        row.append(line, style="default")
        console.print(row, soft_wrap=True)
