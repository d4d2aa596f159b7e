"""``tinygrad-lstm tour``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .app import app, console, progress, refuse, refusing
from .options import CellOption

LARGEST = 10_000_000
"""Bytes of a text; chosen: a large book has fewer."""


@app.command(epilog="Example:  tinygrad-lstm tour --text 'the clouds are in the sky' --cell gru --out my-tour")
def tour(
    text: Annotated[
        str | None, typer.Option(help="The text to learn; 'the clouds are in the sky' if none is given.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Read the text from a file (UTF-8) instead.")] = None,
    cell: CellOption = None,
    chars: Annotated[bool, typer.Option("--chars", help="Guess the next character instead of the next word.")] = False,
    out: Annotated[Path, typer.Option(help="The directory to write to.")] = Path("tour"),
    notes: Annotated[
        Path | None,
        typer.Option(help="Write the article as Markdown too, pictures in a folder beside it.", metavar="FILE.md"),
    ] = None,
) -> None:
    """Train a small network on a sentence and write an article about it, whose figures answer; it works offline."""
    from ..structure.words import clean
    from ..testing.objective import TOLERANCE
    from ..tour import TourError, run

    started = time.monotonic()
    words = _text(text, file)
    extra = (TextColumn("{task.fields[loss]}"), TimeElapsedColumn())
    with refusing(TourError), progress(*extra, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def report(name: str, done: int, total: int, loss: float | None) -> None:
            said = "" if loss is None else f"loss {loss:.3f}"
            if name not in tasks:
                tasks[name] = bars.add_task(f"training {name}", total=total, loss=said)
            bars.update(tasks[name], completed=done, total=total, loss=said)

        found = run(words, out, cell=cell or "lstm", chars=chars, notes=notes, report=report)
    guess, probability = found.guesses[0]
    facts = Table.grid(padding=(0, 2))
    facts.add_row("learned", Text(f"{found.corpus.size}, loss {found.loss:.3f} nats"))
    prompt = clean(" ".join(found.prompt), 60)
    facts.add_row("guesses", Text(f"{prompt} → {clean(guess)} ({100 * probability:.0f} %)"))
    facts.add_row("walked", Text(f"{found.events} events of backpropagation"))
    if found.undrawn:
        facts.add_row("drawn", Text(f"NO: {found.undrawn}", style="yellow"))
    if found.proof is None:
        facts.add_row("proved", Text(f"NO: {found.failure}", style="bold red"))
    else:
        worst = f"the worst error is {found.proof.worst:.1f} of {TOLERANCE:,.0f} units allowed"
        facts.add_row("proved", Text(f"{len(found.proof.errors)} parameters; {worst}"))
    near, far = found.gaps[0], found.gaps[-1]
    scores = [f"{kind}s {100 * near.mean(kind):.0f} and {100 * far.mean(kind):.0f} %" for kind in far.scores]
    facts.add_row("recalled", Text(f"over {near.gap} and {far.gap} steps: {', '.join(scores)} right"))
    facts.add_row("took", Text(f"{time.monotonic() - started:.1f} s"))
    facts.add_row("open", Text(str((found.directory / "index.html").resolve()), style="bold"))
    if notes:
        facts.add_row("notes", Text(str(notes.resolve())))
    console.print(facts)
    if found.proof is None:
        raise typer.Exit(1)


def _text(text: str | None, file: Path | None) -> str:
    """Return the text to learn, from wherever it was given."""
    if text is not None and file is not None:
        raise refuse("give the text with --text or with --file, not both")
    if file is None:
        text = "the clouds are in the sky" if text is None else text
        if any("\ud800" <= ch <= "\udfff" for ch in text):
            raise refuse("--text is not valid Unicode; give it as UTF-8")
        return text
    try:
        with file.open("rb") as opened:  # be it a pipe; but /dev/zero would never end
            data = opened.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise refuse(f"{file} holds more than {LARGEST:,} bytes; a tour reads a sentence, or a page")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(f"{file} is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise refuse(f"cannot read {file}: {error.strerror}") from error
