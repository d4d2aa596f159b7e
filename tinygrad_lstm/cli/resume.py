"""Examples of tinygrad-lstm resume:

tinygrad-lstm resume model.safetensors

tinygrad-lstm resume model.safetensors --steps 4000

tinygrad-lstm resume model.safetensors --text moved/book.txt
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import app, refuse, refusing, say, working
from .train import LogOption, go_on, reading

_MOVED = "; --text FILE says where the text is now"


@app.command(epilog=__doc__)
def resume(
    model: Annotated[Path, typer.Argument(metavar="MODEL.safetensors", help="What tinygrad-lstm train wrote.")],
    steps: Annotated[int | None, typer.Option(help="How many updates there shall be, with those made.")] = None,
    text: Annotated[Path | None, typer.Option(help="Where the text is, if it has moved.", metavar="TEXT.txt")] = None,
    log: LogOption = None,
) -> None:
    """Go on training where it was stopped, as if it had never been.

    Weights, optimiser, random numbers and the place in the text are in the
    file; the text itself is not, and must be the same.
    """
    from ..training.run import resume as run_of

    with refusing(ValueError, TypeError, MemoryError), reading(model, _MOVED), working("reading the text"):
        run = run_of(model, text=None if text is None else str(text), steps=steps)
    if steps is not None and steps < run.start:
        raise refuse(f"{model} has made {run.start:,} steps already; --steps must be more")
    if run.finished:
        say(f"{model} is finished after {run.start:,} steps; --steps N makes more")
        return
    go_on(run, log)
