"""Examples of tinygrad-lstm atlas:

tinygrad-lstm atlas

tinygrad-lstm atlas --cell lstm --cell gru --cell mgu --out three.html

tinygrad-lstm atlas my_cell.py:MyCell --train --json atlas.json

A cell of yours is a class with (input_size, hidden_size, rng=...); it stands
after the others, measured and proved as they are. --train lets it learn what
they learned, which takes a few minutes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..interop.files import write_file
from ..nn.atlas import ATLAS
from .app import app, deliver, errors, progress, refuse, refusing, say, working, writing

if TYPE_CHECKING:
    from ..nn.cell import Cell
    from ..studies import Result


@app.command(epilog=__doc__)
def atlas(
    target: Annotated[
        str | None,
        typer.Argument(metavar="FILE.py:CELL", help="A class of yours to set beside them; the file is run."),
    ] = None,
    cell: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"These cells only; may be given several times: {', '.join(ATLAS)}."),
    ] = None,
    train: Annotated[bool, typer.Option("--train", help="Let your cell learn what the others have learned.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.html", help="The page; atlas.html if not given.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE.json", help="Write the contents as JSON instead, or as well.")
    ] = None,
) -> None:
    """Set twelve published cells side by side: pictures, cost, gradients, what each learns. And yours."""
    from ..studies.atlas.contents import contents, learned
    from ..studies.atlas.page import page
    from ..testing import GradientError

    if train and target is None:
        raise refuse("--train is for a cell of yours: give it as FILE.py:CELL; the others are trained already")
    if json_file is not None and out is not None and json_file.resolve() == out.resolve():
        raise refuse(f"{out} cannot be both the page and the JSON; name two files")
    own = {} if target is None else _own(target)
    if train:
        with refusing(ValueError, GradientError):
            contents([], [], own)  # what cannot be measured is told before it is trained
    results = [*learned(), *(_trained(own) if train else [])]
    with (
        refusing(ValueError, GradientError),
        progress(console=errors, transient=True, disable=not errors.is_terminal) as bars,
    ):
        names = list(dict.fromkeys(cell or ATLAS))
        bar = bars.add_task("measuring", total=len(names) + len(own))
        cells = contents(results, names, own, report=lambda name: bars.update(bar, advance=1, description=name))
    if json_file is not None:
        lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in cells)
        deliver(json_file, f"[\n{lines}\n]\n")
    if json_file is None or out is not None:
        target_file = out or Path("atlas.html")
        with working("drawing"), writing(target_file):
            write_file(target_file, page(cells, own))
        say(f"wrote {target_file}: {len(cells)} cells; open it in a browser")


def _own(target: str) -> dict[str, type[Cell[Any]]]:
    """Return a person's class by its name; refuse what is no cell, and what cannot be called as one."""
    from .target import TargetError, class_of_cell

    with refusing(TargetError):
        found = class_of_cell(target)
    name = target.rpartition(":")[2]
    if name in ATLAS:
        raise refuse(f"the atlas has a {name} already; call yours something else")
    make: Any = found
    try:
        make(2, 2, rng=0)
    except Exception as error:
        raise refuse(f"{name}(2, 2, rng=0) failed with {type(error).__name__}: {error}") from error
    return {name: found}


def _trained(own: dict[str, type[Cell[Any]]]) -> list[Result]:
    """Train a person's cell; refuse what fails on the way."""
    from ..studies.atlas.success import trained_at_all

    ((name, cell),) = own.items()
    say(f"training {name}: a few minutes")
    try:
        with working(f"training {name}"):
            return trained_at_all(name, cell)
    except Exception as error:
        raise refuse(f"{name} failed in training with {type(error).__name__}: {error}") from error
