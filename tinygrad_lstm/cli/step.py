"""``tinygrad-lstm step``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import AnyCell, CellOption, app, refuse, say, window_of, working, writing

EXAMPLES = """Examples:

tinygrad-lstm step --cell gru --steps 2

tinygrad-lstm step my_model.py:loss

tinygrad-lstm step --steps 30 --html step.html

printf 'break op:tanh\\ncontinue\\nwhere\\n' | tinygrad-lstm step

Commands: step, next, return, until, continue, goto; reverse-step, reverse-next, reverse-continue; break, tbreak, watch;
print, display, where, list, up, down; help tells of each."""


@app.command(epilog=EXAMPLES)
def step(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE.py:NAME", help="What to walk back from: a tensor, or a function that returns one, of yours."
        ),
    ] = None,
    cell: CellOption = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=1000, help="How many time steps to unroll it; 3 if not given.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the walk as a page to step through in a browser.", metavar="FILE.html")
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            help="What the page holds: the time steps from A up to, but not with, B; or all of them.", metavar="A:B|all"
        ),
    ] = None,
) -> None:
    """Step through backpropagation, forwards and backwards, one contribution at a time.

    In the terminal, with panes, completion and history; from standard input, a command a line; or, with --html, as a
    page that needs nothing else.
    """
    from ..nn.samples import small_loss
    from ..stepper import step as walk_from
    from .target import TargetError, load

    if target and (cell or steps):
        raise refuse(f"{target} says what to step through; --cell and --steps are for our own cells")
    if window and not html:
        raise refuse("--window says what a page holds; give its name with --html")
    try:
        tensor = load(target) if target else small_loss((cell or AnyCell.lstm).value, steps or 3)
        stepper = walk_from(tensor)
        if html is None:
            stepper.terminal()
            return
        with working("writing the page"), writing(html):
            stepper.page(html, steps=window_of(window))
    except (TargetError, ValueError) as error:
        raise refuse(str(error)) from error
    say(f"wrote {html}: {len(stepper)} events; open it in a browser")
