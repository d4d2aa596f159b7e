"""Examples of tinygrad-lstm step:

tinygrad-lstm step --cell gru --steps 2

tinygrad-lstm step my_model.py:loss

tinygrad-lstm step --steps 30 --html step.html

tinygrad-lstm step --film backward.gif

printf 'break op:tanh\\ncontinue\\nwhere\\n' | tinygrad-lstm step

Commands: step, next, return, until, continue, goto; reverse-step, reverse-next, reverse-continue; break, tbreak, watch;
print, display, where, list, up, down; help tells of each.
"""

from __future__ import annotations

import warnings
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..stepper.film.shots import EVERY
from .app import app, errors, progress, refuse, refusing, say, working, writing
from .options import CellOption, TensorArgument, WindowOption, choice, window_of

if TYPE_CHECKING:
    from ..stepper import Stepper
    from ..structure.window import Window

Every = StrEnum("Every", [(name, name) for name in EVERY])  # type: ignore[misc]


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
    film: Annotated[
        Path | None,
        typer.Option(help="Write the backward pass as an animation for slides.", metavar="FILE.gif|FOLDER"),
    ] = None,
    every: Annotated[Every | None, choice(Every, "What a frame of the film shows; a gate if not given.")] = None,
    window: WindowOption = None,
    fixed: Annotated[
        bool,
        typer.Option("--fixed", help="With --html: this number of steps alone; written at once."),
    ] = False,
) -> None:
    """Step through backpropagation, forwards and backwards, one contribution at a time.

    In the terminal, with panes, completion and history; from standard input, a command a line; with --html, as a page
    that needs nothing else; or, with --film, as a GIF or a folder of SVGs.
    """
    from ..nn.samples import small_loss
    from ..stepper import step as walk_from
    from .target import load

    if target is not None and (cell or steps):
        raise refuse(f"{target} says what to step through; --cell and --steps are for our own cells")
    if html and film:
        raise refuse("--html writes a page, --film an animation; ask for one of them at a time")
    if window and not film:
        raise refuse("--window says what a film shows; a page holds every step: --film GIF")
    if fixed and not html:
        raise refuse("--fixed is for a page; give its name with --html")
    if every and not film:
        raise refuse("--every says what a frame of a film shows; give its name with --film")
    with refusing(ValueError):
        tensor = load(target) if target is not None else small_loss(cell or "lstm", steps or 3)
        stepper = walk_from(tensor)
        if film is not None:
            _write_film(stepper, film, every, window_of(window))
            return
        if html is None:
            stepper.terminal()
            return
        with warnings.catch_warnings(record=True) as caught:
            _write_page(stepper, html, cell or "lstm" if target is None and fixed is False else None)
    for each in caught:
        say(str(each.message), style="yellow")
    say(f"wrote {html}: {len(stepper)} events; open it in a browser")


def _write_page(stepper: Stepper, html: Path, cell: str | None) -> None:
    """Write the page; of a cell of ours one that can be set to other numbers of steps, and to other cells."""
    from ..nn.samples import small_loss

    if cell is None:
        with working("writing the page"), writing(html):
            stepper.page(html)
        return
    with writing(html):
        html.resolve().parent.stat()  # before the work, not after it
    makers = {name: partial(small_loss, name) for name in dict.fromkeys((cell, "rnn", "gru", "lstm"))}
    with writing(html), progress(console=errors, transient=True, disable=not errors.is_terminal) as bars:
        task = bars.add_task("every number of steps", total=None)
        stepper.page(
            html, makers=makers, cell=cell, report=lambda done, total: bars.update(task, completed=done, total=total)
        )


def _write_film(stepper: Stepper, film: Path, every: Every | None, steps: Window) -> None:
    bars = progress(console=errors, transient=True, disable=not errors.is_terminal)
    with refusing(ModuleNotFoundError), writing(film), bars:
        task = bars.add_task("drawing frames", total=None)

        def report(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        stepper.film(film, every.value if every else EVERY[0], steps=steps, report=report)
    say(f"wrote {film}: {bars.tasks[0].completed:.0f} frames")
