"""Examples of tinygrad-lstm compare:

tinygrad-lstm compare lstm gru rnn

tinygrad-lstm compare lstm rnn --steps 40 --fit slide -o vanishing.svg -o vanishing.png

tinygrad-lstm compare lstm my_model.py:loss --window 0:20 -o - --format html
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ..drawing.shown import Shown
from ..nn.named import names
from .app import app, deliver, refuse, refusing, working
from .draw import FIT_MEANINGS, Fitting, format_of
from .options import WindowOption, choice, window_of

if TYPE_CHECKING:
    from ..engine.tensor import Tensor

Format = StrEnum("Format", [(name, name) for name in Shown.endings])  # type: ignore[misc]

FIT_HELP = f"Make it as large as it can be in a place. {FIT_MEANINGS}."

STEPS = 12
"""How many time steps are compared if nothing is said; chosen: a plain RNN has forgotten by then."""

NETWORKS_HELP = (
    f"Two or more: cells of ours ({', '.join(names())}), or FILE.py:NAME, a loss in a file of yours, which is run."
)
OUTPUT_HELP = (
    f"Where to write; the name ends in .{', .'.join(Shown.endings)}. May be repeated; - is standard output. If not "
    "given, compare.svg."
)


@app.command(epilog=__doc__)
def compare(
    networks: Annotated[list[str], typer.Argument(metavar="NETWORK...", help=NETWORKS_HELP)],
    output: Annotated[list[str] | None, typer.Option("--output", "-o", help=OUTPUT_HELP, metavar="FILE")] = None,
    steps: Annotated[
        int | None, typer.Option(min=2, max=10_000, help=f"How many time steps our cells run; {STEPS} if not given.")
    ] = None,
    layers: Annotated[int | None, typer.Option(min=1, max=20, help="How many layers of them; 1 if not given.")] = None,
    bidirectional: Annotated[bool, typer.Option("--bidirectional", help="Read in both directions.")] = False,
    window: WindowOption = None,
    fit: Annotated[Fitting | None, choice(Fitting, FIT_HELP)] = None,
    format: Annotated[
        Format | None, choice(Format, "What to write to standard output, or to a file without an ending.")
    ] = None,
) -> None:
    """Draw networks one above the other: how far back each state carries the gradient of the last step.

    All stand on one clock and on one scale: the wider and the darker, the
    more of the gradient arrives. Where it thins out, what came before
    cannot be learned.
    """
    from ..drawing import compare as figure_of
    from ..drawing.paint.render import RenderError
    from ..nn.samples import small_loss
    from .target import load

    networks = [name if _is_file(name) else name.lower() for name in networks]
    for name in networks:
        if not _is_file(name) and name not in names():
            raise refuse(f"there is no cell {name!r}; choose {', '.join(names())}, or FILE.py:NAME for a loss of yours")
        if networks.count(name) > 1:
            raise refuse(f"{name} is named {networks.count(name)} times; a network is compared with others")
    if all(map(_is_file, networks)) and (steps or layers or bidirectional):
        raise refuse("files say what to compare; --steps, --layers and --bidirectional are for our own cells")
    outputs = output or [f"compare.{format.value if format else 'svg'}"]
    with refusing(ValueError, RenderError):
        formats = [format_of(name, format, Shown.endings) for name in outputs]
        with working("drawing"):
            losses: dict[str, Tensor] = {}
            for name in networks:
                losses[name] = (
                    load(name)
                    if _is_file(name)
                    else small_loss(
                        name, steps or STEPS, layers=layers or 1, bidirectional=bidirectional, last_step=True
                    )
                )
            picture = figure_of(losses, steps=window_of(window), fit=fit and fit.value)
            contents = [picture.render(each) for each in formats]  # all of them, before any is written
        for file, content in zip(outputs, contents, strict=True):
            deliver(file, content, f": {picture.title}")


def _is_file(name: str) -> bool:
    return ":" in name or name.endswith(".py")
