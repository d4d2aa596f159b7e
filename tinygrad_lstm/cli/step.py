"""Examples of tinygrad-lstm step:

tinygrad-lstm step --cell gru --steps 2

tinygrad-lstm step my_model.py:loss

tinygrad-lstm step --steps 30 --html step.html

printf 'break op:tanh\\ncontinue\\nwhere\\n' | tinygrad-lstm step

Commands: step, next, return, until, continue, goto; reverse-step, reverse-next, reverse-continue; break, tbreak, watch;
print, display, where, list, up, down; help tells of each.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from .app import app, refuse, refusing, say, working, writing
from .options import CellOption, TensorArgument, WindowOption, window_of


@app.command(epilog=__doc__)
def step(
    target: TensorArgument = None,
    cell: CellOption = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=1000, help="How many time steps to unroll it; 3 if not given.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the walk as a page to step through in a browser.", metavar="FILE.html")
    ] = None,
    window: WindowOption = None,
) -> None:
    """Step through backpropagation, forwards and backwards, one contribution at a time.

    In the terminal, with panes, completion and history; from standard input, a command a line; or, with --html, as a
    page that needs nothing else.
    """
    from ..nn.samples import small_loss
    from ..stepper import step as walk_from
    from .target import load

    if target is not None and (cell or steps):
        raise refuse(f"{target} says what to step through; --cell and --steps are for our own cells")
    if window and not html:
        raise refuse("--window says what a page holds; give its name with --html")
    with refusing(ValueError):
        tensor = load(target) if target is not None else small_loss(cell or "lstm", steps or 3)
        stepper = walk_from(tensor)
        if html is None:
            stepper.terminal()
            return
        with working("writing the page"), writing(html), warnings.catch_warnings(record=True) as caught:
            stepper.page(html, steps=window_of(window))
    for each in caught:
        say(str(each.message), style="yellow")
    say(f"wrote {html}: {len(stepper)} events; open it in a browser")
