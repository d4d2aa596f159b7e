"""Examples of tinygrad-lstm draw:

tinygrad-lstm draw --cell gru --view gates -o gru.svg -o gru.png

tinygrad-lstm draw --steps 3 --fit slide -o slide.png

tinygrad-lstm draw --steps 40 --view cells --color gradient -o vanishing.html

tinygrad-lstm draw --steps 1000 --view ops --window 500:503 -o - --format dot

tinygrad-lstm draw my_model.py:loss --view backward --highlight h0

tinygrad-lstm draw --cell gru --view rainbow -o rainbow.png
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..drawing.figures.registry import FIGURES
from ..drawing.fits import FITS
from ..drawing.picture import ENDINGS
from ..drawing.views.options import COLORS, DIRECTIONS
from ..drawing.views.registry import VIEWS
from .app import app, deliver, refuse, refusing, working
from .options import CellOption, TensorArgument, WindowOption, choice, window_of

MEANINGS = "\n\n".join(
    [f"{view.name}: {view.meaning}." for view in VIEWS.values()]
    + [f"{figure.name}: {figure.meaning}." for figure in FIGURES.values()]
)
FIT_MEANINGS = ", ".join(f"{name}: {fit.meaning}" for name, fit in FITS.items())
FIT_HELP = (
    f"Make it legible in a place: time in rows, steps left out, larger words. {FIT_MEANINGS}. A figure is scaled."
)
OUTPUT_HELP = (
    f"Where to write; the name ends in .{', .'.join(ENDINGS)}, which is a page that pans and zooms. May be repeated; "
    "- is standard output. If not given, a name made of what is drawn."
)

View = StrEnum("View", [(name, name) for name in (*VIEWS, *FIGURES)])  # type: ignore[misc]
Direction = StrEnum("Direction", [(name, name) for name in DIRECTIONS])  # type: ignore[misc]
Color = StrEnum("Color", [(name, name) for name in COLORS])  # type: ignore[misc]
Fitting = StrEnum("Fitting", [(name, name) for name in FITS])  # type: ignore[misc]
Format = StrEnum("Format", [(name, name) for name in ENDINGS])  # type: ignore[misc]

OPENED, FIRST_DIRECTION = View("gates"), Direction(DIRECTIONS[0])
"""What is drawn if nothing is asked for."""


@app.command(epilog=f"Views and figures:\n\n{MEANINGS}\n\n{__doc__}")
def draw(
    target: TensorArgument = None,
    view: Annotated[View, choice(View, "What to draw; each is explained below.", "--view", "-v")] = OPENED,
    story: Annotated[bool, typer.Option("--story", help="Tell one step in pictures: --view story.")] = False,
    output: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", help=OUTPUT_HELP, metavar="FILE"),
    ] = None,
    cell: CellOption = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, metavar="N", help="How many time steps to unroll it; 4 if not given, 12 for a figure."
        ),
    ] = None,
    layers: Annotated[
        int | None, typer.Option(min=1, max=20, metavar="N", help="How many layers of it; 1 if not given.")
    ] = None,
    bidirectional: Annotated[bool, typer.Option("--bidirectional", help="Read in both directions.")] = False,
    window: WindowOption = None,
    values: Annotated[bool, typer.Option("--values", help="Write the numbers into the boxes, or their norm.")] = False,
    gradients: Annotated[bool, typer.Option("--gradients", help="Write the gradients into the boxes.")] = False,
    shapes: Annotated[
        bool | None, typer.Option("--shapes/--no-shapes", help="Write the shapes into the boxes.", show_default=False)
    ] = None,
    color: Annotated[
        Color | None,
        choice(Color, "Shade boxes by the size of their gradient, to a scale; of our cells, from the last step back."),
    ] = None,
    highlight: Annotated[
        str | None,
        typer.Option(help="Show only the route by which the tensor of this name reaches the output.", metavar="NAME"),
    ] = None,
    depth: Annotated[int | None, typer.Option(metavar="N", min=0, help="How many levels of modules to open.")] = None,
    expand: Annotated[
        list[str] | None,
        typer.Option(help="Open this one: t1, t1.cell, or cell for every step. May be repeated.", metavar="NAME"),
    ] = None,
    direction: Annotated[Direction, choice(Direction, "Where time leads.")] = FIRST_DIRECTION,
    legend: Annotated[bool, typer.Option("--legend", help="Explain shapes, lines and colours.")] = False,
    loss: Annotated[bool, typer.Option("--loss", help="Show also the loss, and what leads to it.")] = False,
    fit: Annotated[Fitting | None, choice(Fitting, FIT_HELP)] = None,
    format: Annotated[
        Format | None, choice(Format, "What to write to standard output, or to a file without an ending.")
    ] = None,
) -> None:
    """Draw a recurrent network from the graph that ran: gates, unrolled chain, loop, gradients, or a figure."""
    from ..drawing.entry import draw as picture_of
    from ..drawing.paint.render import RenderError
    from ..nn.samples import small_loss
    from ..structure.path import find, path
    from .target import load

    if target is not None and (cell or steps or layers or bidirectional):
        raise refuse(f"{target} says what to draw; --cell, --steps, --layers and --bidirectional are for our own cells")
    if story and view is not OPENED:
        raise refuse(f"--story is a view of its own; leave out --view {view.value}")
    view = View("story") if story else view
    name = target.rpartition(":")[2] if target else cell or "lstm"
    outputs = output or [f"{name}-{view.value}.{format.value if format else 'svg'}"]
    with refusing(ValueError, RenderError):
        formats = [format_of(name, format) for name in outputs]
        with working("drawing"):
            if target is not None:
                tensor = load(target)
            else:
                last = color is not None  # a gradient that vanishes does so on its way back from there
                length = steps or (12 if view.value in FIGURES else 4)
                tensor = small_loss(name, length, layers=layers or 1, bidirectional=bidirectional, last_step=last)
            picture = picture_of(
                tensor,
                view.value,
                values=values,
                gradients=gradients,
                shapes=shapes,
                color=color and color.value,
                steps=window_of(window),
                highlight=None if highlight is None else path(tensor, find(tensor, highlight)),
                depth=depth,
                expand=expand or (),
                direction=direction.value,
                legend=legend,
                loss=loss,
                fit=fit and fit.value,
            )
            contents = [picture.render(each) for each in formats]  # all of them, before any is written
        for file, content in zip(outputs, contents, strict=True):
            deliver(file, content, f": {picture.title}")


def format_of(name: str, format: StrEnum | None, endings: Sequence[str] = ENDINGS) -> str:
    """Return what to write to a file, or to standard output: what its ending says, or else what was asked for."""
    ending = "" if name == "-" else Path(name).suffix.lower().lstrip(".")
    if ending not in endings and (format is None or ending) and name != "-":
        raise ValueError(f"cannot save a picture as {name!r}: the name must end in .{', .'.join(endings)}")
    if ending and format and ending != format.value:
        raise ValueError(f"{name} is not where to write {format.value}; leave out --format, or the ending")
    return ending or (format.value if format else "svg")
