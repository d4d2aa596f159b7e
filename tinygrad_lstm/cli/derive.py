"""Examples of tinygrad-lstm derive:

tinygrad-lstm derive --cell lstm --wrt forget_gate.weight

tinygrad-lstm derive --cell rnn --wrt layer.weight --latex rnn.tex --html rnn.html

tinygrad-lstm derive --cell gru --layers 2 --wrt layer1.reset_gate.bias --latex - | less

tinygrad-lstm derive my_model.py:loss --wrt W
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .app import app, console, refuse, refusing, say, working, writing
from .options import CellOption, TensorArgument

if TYPE_CHECKING:
    from ..engine.tensor import Tensor

WRT_HELP = (
    "Of what the derivative is wanted: the name of a weight, or of another tensor, or the end of it from a dot on."
)
STANDARD = "-"
"""What stands for standard output."""


@app.command(epilog=__doc__)
def derive(
    target: TensorArgument = None,
    wrt: Annotated[str | None, typer.Option(help=WRT_HELP, metavar="NAME")] = None,
    cell: CellOption = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=100, help="How many time steps to unroll it; 4 if not given.")
    ] = None,
    layers: Annotated[int | None, typer.Option(min=1, max=20, help="How many layers of it; 1 if not given.")] = None,
    bidirectional: Annotated[bool, typer.Option("--bidirectional", help="Read in both directions.")] = False,
    latex: Annotated[
        str | None, typer.Option(help="Write the equations in LaTeX; - is standard output.", metavar="FILE")
    ] = None,
    html: Annotated[
        str | None, typer.Option(help="Write a page, typeset; - is standard output.", metavar="FILE")
    ] = None,
) -> None:
    """Derive a gradient on paper: equations with a t for the time step, and the reason for each."""
    from ..nn.samples import small_loss
    from ..symbolic.derivations import derive as derived
    from ..symbolic.tracer import UnknownToReader
    from .target import load

    if target is not None and (cell or steps or layers or bidirectional):
        raise refuse(
            f"{target} says what to derive; --cell, --steps, --layers and --bidirectional are for our own cells"
        )
    with refusing(ValueError, TypeError, UnknownToReader), working("deriving"):
        if target is not None:
            loss = load(target)
        else:
            loss = small_loss(cell or "lstm", steps or 4, layers=layers or 1, bidirectional=bidirectional)
        derivation = derived(loss, _tensor(loss, wrt))
    if latex is not None:
        _write(latex, derivation.latex + "\n")
    if html is not None:
        _write(html, _page(derivation.mathml, wrt or ""))
    if latex is None and html is None:
        console.print(str(derivation), markup=False, soft_wrap=True)


def _tensor(loss: Tensor, name: str | None) -> Tensor:
    """Return the tensor of a name. Raises ValueError that says which weights there are."""
    from ..engine.graph import Graph
    from ..structure.path import find
    from ..structure.words import clean

    learned = [clean(x.name) for x in Graph(loss).leaves if x.requires_grad and x.name]
    there = f"there is {', '.join(learned[:12])}{', …' if len(learned) > 12 else ''}" if learned else "there is none"
    if name is None:
        raise ValueError(f"--wrt says of which weight; {there}")
    try:
        return find(loss, name)
    except ValueError as error:
        raise ValueError(
            str(error) if "say which" in str(error) else f"no weight is called {name!r}; {there}"
        ) from None


def _page(derivation: str, wrt: str) -> str:
    from ..pages.offline import offline

    return offline("tinygrad_lstm.cli", "derive", [], {"title": f"derive {wrt}", "derivation": derivation})


def _write(file: str, content: str) -> None:
    from ..interop.files import write_file

    with writing(file):
        if file == STANDARD:
            console.print(content, markup=False, soft_wrap=True, end="")
        else:
            say(f"wrote {write_file(file, content)}")
