"""Examples of tinygrad-lstm train:

tinygrad-lstm train book.txt --out model.safetensors

tinygrad-lstm train book.txt --cell gru --hidden 256 --layers 2 --dropout 0.2

tinygrad-lstm train book.txt --words --schedule cosine --lr 0.004 --steps 5000

tinygrad-lstm train book.txt --patience 5 --log log.jsonl

Then tinygrad-lstm sample model.safetensors goes on writing, and
tinygrad-lstm resume model.safetensors goes on training where it was
stopped, by Ctrl-C or by the end of the steps, to the same bits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..nn.module import counted
from ..structure.words import clean
from .app import app, console, errors, progress, refuse, refusing, say, working
from .options import CellOption, choice

if TYPE_CHECKING:
    from ..training.run import Run

Schedule = StrEnum("Schedule", ["constant", "cosine", "step", "plateau"])
Dtype = StrEnum("Dtype", ["float32", "float64"])

OutOption = Annotated[Path, typer.Option(help="The file to write: weights, and all that is needed to go on.")]
LogOption = Annotated[
    Path | None, typer.Option(help="Write a line of JSON for each update as well.", metavar="FILE.jsonl")
]


@app.command(epilog=__doc__)
def train(
    text: Annotated[Path, typer.Argument(metavar="TEXT.txt", help="What to learn from, in UTF-8 or as its mark says.")],
    cell: CellOption = None,
    hidden: Annotated[int, typer.Option(help="The size of the state.")] = 128,
    layers: Annotated[int, typer.Option(help="How many recurrent layers.")] = 1,
    embedding: Annotated[
        int | None, typer.Option(help="The size of the vector of each symbol; 64 if not given.")
    ] = None,
    one_hot: Annotated[bool, typer.Option("--one-hot", help="A symbol is a one among zeros; no embedding.")] = False,
    words: Annotated[bool, typer.Option("--words", help="Guess the next word instead of the next character.")] = False,
    out: OutOption = Path("model.safetensors"),
    steps: Annotated[int, typer.Option(help="How many updates.")] = 2_000,
    streams: Annotated[int, typer.Option(help="How many stretches of the text are read side by side.")] = 32,
    window: Annotated[int, typer.Option(help="How many time steps gradients flow back.")] = 50,
    lr: Annotated[float, typer.Option(help="The learning rate of Adam.")] = 0.002,
    schedule: Annotated[
        Schedule,
        choice(Schedule, "How it changes: cosine falls to 0, step halves each quarter, plateau halves when stuck."),
    ] = Schedule.constant,
    warm_up: Annotated[int, typer.Option(help="Updates until the learning rate is reached.")] = 0,
    clip: Annotated[float, typer.Option(help="The largest norm of all gradients; 0 for any.")] = 1.0,
    dropout: Annotated[float, typer.Option(help="The chance to drop a number between two layers.")] = 0.0,
    validate: Annotated[
        float, typer.Option(help="The share of the text, at its end, that is for measuring only.")
    ] = 0.1,
    every: Annotated[
        int | None, typer.Option(help="Updates between measurements; a twentieth of all if not given.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop when so many measurements were no better; without it, never.")
    ] = None,
    seed: Annotated[int, typer.Option(help="All that is random follows from it.")] = 0,
    dtype: Annotated[Dtype, choice(Dtype, "float64 is slower, and learns no better.")] = Dtype.float32,
    encoding: Annotated[str | None, typer.Option(help="That of the text, as in latin-1.")] = None,
    save_every: Annotated[int, typer.Option(help="Updates between two writes of the file.")] = 100,
    log: LogOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file, if there is one.")] = False,
) -> None:
    """Train a network to guess what comes next in a text, and keep it in one file.

    Layers of a cell between an embedding and a linear head, by truncated
    backpropagation through time and Adam. Nothing is lost when it is stopped.
    """
    from ..training.run import Settings, begin

    if one_hot and embedding is not None:
        raise refuse("--one-hot means no embedding; leave out --embedding, or --one-hot")
    if every is not None and validate == 0:
        raise refuse("--every says when to measure, and --validate 0 leaves nothing to measure on; leave one out")
    with refusing(ValueError, TypeError, MemoryError), reading(text), working("reading the text"):
        settings = Settings(
            text=str(text),
            encoding=encoding,
            unit="word" if words else "character",
            cell=str(cell or "lstm"),
            hidden=hidden,
            layers=layers,
            embedding=None if one_hot else 64 if embedding is None else embedding,
            dropout=dropout,
            dtype=dtype,
            streams=streams,
            window=window,
            steps=steps,
            lr=lr,
            schedule=schedule,
            warm_up=warm_up,
            clip=None if clip == 0 else clip,
            seed=seed,
            validate=validate,
            every=max(1, steps // 20) if every is None else every,
            patience=patience,
            save_every=save_every,
        )
        run = begin(settings, out)
    if out.is_file() and not overwrite:
        raise refuse(f"{out} exists: tinygrad-lstm resume {out} goes on with it, --overwrite begins anew")
    if log is not None and log.is_file() and log.stat().st_size and not overwrite:
        raise refuse(f"{log} exists: name another log, or --overwrite to begin it anew")
    go_on(run, log)


def go_on(run: Run, log: Path | None) -> None:
    """Train a run to its end, show how far it is, and tell what has been learned; on Ctrl-C, keep it."""
    from ..training.fault import Fault
    from ..training.log import Log
    from ..training.stopping import stoppable

    path = run.checkpoint.path
    if log is not None and log.resolve() == path.resolve():
        raise refuse(f"{log} is the model itself: the log needs another file")
    try:
        with refusing(ValueError):
            book = None if log is None else Log(log, start=run.start)
        if run.checkpoint.step is None:
            run.checkpoint.write(0)  # so that a folder that cannot be written to is told now
        with stoppable() as stop, _shown(run) as show:
            losses = run.train([show, stop], log=book)
    except (OSError, MemoryError) as error:
        kept = f"; step {run.checkpoint.step:,} is kept" if run.checkpoint.step is not None else ""
        if isinstance(error, MemoryError):
            raise refuse(f"out of memory; smaller --streams, --window or --hidden take less{kept}") from error
        raise refuse(f"cannot write {error.filename or path}: {error.strerror}{kept}") from error
    except Fault as fault:
        kept = f"the weights of step {run.checkpoint.step:,} are in {path}"
        say(f"tinygrad-lstm: stopped: {clean(fault, 400)}; {kept}", style="red")
        raise typer.Exit(1) from fault
    if stop.signal:
        say(f"tinygrad-lstm: interrupted after step {run.start:,}; tinygrad-lstm resume {path} goes on")
        raise typer.Exit(128 + stop.signal)
    console.print(_learned(run, losses))


def _learned(run: Run, losses: list[float]) -> Table:
    unit, different = run.settings.unit, counted(len(run.vocabulary), f"different {run.settings.unit}")
    facts = Table.grid(padding=(0, 2))
    recent = losses[-100:]
    said = f"{run.start:,} steps, loss {sum(recent) / len(recent):#.4g} nats a {unit}" if recent else "nothing more"
    facts.add_row("learned", Text(f"{different}, {said}"))
    if run.validation is not None and run.validation.loss is not None:
        best = f"{run.validation.loss:#.4g} nats at best, after step {run.validation.step:,}, which is kept"
        facts.add_row("measured", Text(best))
    facts.add_row("wrote", Text(str(run.checkpoint.path), style="bold"))
    facts.add_row("try", Text(f"tinygrad-lstm sample {run.checkpoint.path}"))
    return facts


@contextmanager
def _shown(run: Run) -> Iterator[Any]:
    """Give a callback that shows step, loss and speed, where a person is looking."""
    columns = (
        TextColumn("loss {task.fields[loss]:.3f}"),
        TextColumn(f"{{task.fields[speed]:,.0f}} {run.settings.unit}s/s"),
        TimeRemainingColumn(),
    )
    with progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        bar = bars.add_task("training", total=run.settings.steps, completed=run.start, loss=float("nan"), speed=0.0)
        began = time.monotonic()

        def show(moment: Any) -> None:
            speed = run.tokens * (moment.step - run.start) / max(time.monotonic() - began, 1e-9)
            bars.update(bar, completed=moment.step, loss=moment.loss, speed=speed)

        yield show


@contextmanager
def reading(file: object, hint: str = "") -> Iterator[None]:
    """Refuse in one line what cannot be read; the hint is for another file than this one."""
    try:
        yield
    except OSError as error:
        name = error.filename or file
        what = f"{name}: {error.strerror}" if error.errno else str(error)
        raise refuse(f"cannot read {what}{hint if str(name) != str(file) else ''}") from error
