"""The command line: thin. It parses, calls and prints."""

from __future__ import annotations

import io
import os
import sys
import time
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

app = typer.Typer(
    help="See how recurrent networks learn: take the tour, draw, step through backpropagation, check the gradients.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


class TourCell(StrEnum):
    lstm = "lstm"
    rnn = "rnn"
    gru = "gru"


class AnyCell(StrEnum):
    rnn = "rnn"
    lstm = "lstm"
    gru = "gru"
    peephole = "peephole"
    coupled = "coupled"


@app.command(epilog="Example:  tinygrad-lstm tour --text 'the clouds are in the sky' --cell gru --out my-tour")
def tour(
    text: Annotated[
        str | None, typer.Option(help="The text to learn; 'the clouds are in the sky' if none is given.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Read the text from a file (UTF-8) instead.")] = None,
    cell: Annotated[TourCell, typer.Option(help="The recurrent cell.")] = TourCell.lstm,
    chars: Annotated[bool, typer.Option("--chars", help="Guess the next character instead of the next word.")] = False,
    out: Annotated[Path, typer.Option(help="The directory to write to.")] = Path("tour"),
) -> None:
    """Train a small network on a sentence; then see it drawn, walked through and proved, in one offline page."""
    from .draw.labels import clean
    from .testing.checks import TOLERANCE
    from .tour import TourError, run

    started = time.monotonic()
    try:
        words = _text(text, file)
        with _progress() as progress:
            tasks: dict[str, TaskID] = {}

            def report(name: str, done: int, total: int, loss: float) -> None:
                if name not in tasks:
                    tasks[name] = progress.add_task(f"training the {name}", total=total, loss=loss)
                progress.update(tasks[name], completed=done, total=total, loss=loss)

            found = run(words, out, cell=cell.value, chars=chars, report=report)
    except TourError as error:
        raise _refuse(str(error)) from error
    guess, probability = found.guesses[0]
    facts = Table.grid(padding=(0, 2))
    facts.add_row("learned", Text(f"{found.corpus.size}, loss {found.loss:.3f} nats"))
    prompt = clean(" ".join(found.prompt), 60)
    facts.add_row("guesses", Text(f"{prompt} → {clean(guess)} ({100 * probability:.0f} %)"))
    facts.add_row("walked", Text(f"{found.events} events of backpropagation"))
    if found.proof is None:
        facts.add_row("proved", Text(f"NO: {found.failure}", style="bold red"))
    else:
        worst = f"the worst error is {found.proof.worst:.1f} of {TOLERANCE:,.0f} units allowed"
        facts.add_row("proved", Text(f"{len(found.proof.errors)} parameters; {worst}"))
    facts.add_row("took", Text(f"{time.monotonic() - started:.1f} s"))
    facts.add_row("open", Text(str((found.directory / "index.html").resolve()), style="bold"))
    console.print(facts)
    if found.proof is None:
        raise typer.Exit(1)


DRAW_EXAMPLES = """Examples:

tinygrad-lstm draw --cell gru --view gates -o gru.svg -o gru.png

tinygrad-lstm draw --steps 40 --view cells --color gradient -o vanishing.html

tinygrad-lstm draw --steps 1000 --view ops --window 500:503 -o - --format dot

tinygrad-lstm draw my_model.py:loss --view backward --highlight h0"""

VIEW_HELP = (
    "ops: every operation. gates: each cell opened. cells: a box per cell and step. rolled: the loop. "
    "backward: the flow of the gradient."
)
OUTPUT_HELP = (
    "Where to write; .svg, .png, .pdf, .dot, or .html for a page that pans and zooms. May be repeated; - is standard "
    "output. If not given, a name made of what is drawn."
)


class View(StrEnum):
    ops = "ops"
    gates = "gates"
    cells = "cells"
    rolled = "rolled"
    backward = "backward"


class Direction(StrEnum):
    left_to_right = "left-to-right"
    top_to_bottom = "top-to-bottom"


class Color(StrEnum):
    gradient = "gradient"


class Format(StrEnum):
    svg = "svg"
    png = "png"
    pdf = "pdf"
    dot = "dot"
    html = "html"


@app.command(epilog=DRAW_EXAMPLES)
def draw(
    target: Annotated[
        str | None,
        typer.Argument(metavar="FILE.py:NAME", help="A tensor, or a function that returns one, in a file of yours."),
    ] = None,
    view: Annotated[View, typer.Option("--view", "-v", help=VIEW_HELP)] = View.gates,
    output: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", help=OUTPUT_HELP, metavar="FILE"),
    ] = None,
    cell: Annotated[
        AnyCell | None, typer.Option(help="The cell, if no target is given: the LSTM, if none is named.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="How many time steps to unroll it; 4 if not given.")
    ] = None,
    layers: Annotated[int | None, typer.Option(min=1, max=20, help="How many layers of it; 1 if not given.")] = None,
    bidirectional: Annotated[bool, typer.Option("--bidirectional", help="Read in both directions.")] = False,
    window: Annotated[
        str | None,
        typer.Option(help="Show the time steps from A up to, but not with, B; or all of them.", metavar="A:B|all"),
    ] = None,
    values: Annotated[bool, typer.Option("--values", help="Write the numbers into the boxes, or their norm.")] = False,
    gradients: Annotated[bool, typer.Option("--gradients", help="Write the gradients into the boxes.")] = False,
    shapes: Annotated[
        bool | None, typer.Option("--shapes/--no-shapes", help="Write the shapes into the boxes.", show_default=False)
    ] = None,
    color: Annotated[
        Color | None, typer.Option(help="Shade boxes by the magnitude of their gradient, with a scale.")
    ] = None,
    highlight: Annotated[
        str | None,
        typer.Option(help="Show only the route by which the tensor of this name reaches the output.", metavar="NAME"),
    ] = None,
    depth: Annotated[int | None, typer.Option(min=0, help="How many levels of modules to open.")] = None,
    expand: Annotated[
        list[str] | None,
        typer.Option(help="Open this one: t1, t1.cell, or cell for every step. May be repeated.", metavar="NAME"),
    ] = None,
    direction: Annotated[Direction, typer.Option(help="Where time leads.")] = Direction.left_to_right,
    legend: Annotated[bool, typer.Option("--legend", help="Explain shapes, lines and colours.")] = False,
    format: Annotated[
        Format | None, typer.Option(help="What to write to standard output, or to a file without an ending.")
    ] = None,
) -> None:
    """Draw a recurrent network from the graph that ran: its gates, its unrolled chain, its loop, or its gradients."""
    from .draw.path import find, path
    from .draw.render import RenderError
    from .draw.views import draw as picture_of
    from .studies.small import small_loss
    from .target import TargetError, load

    if target and (cell or steps or layers or bidirectional):
        raise _refuse(
            f"{target} says what to draw; --cell, --steps, --layers and --bidirectional are for our own cells"
        )
    name = target.rpartition(":")[2] if target else (cell or AnyCell.lstm).value
    outputs = output or [f"{name}-{view.value}.{format.value if format else 'svg'}"]
    try:
        formats = [_format_of(name, format) for name in outputs]
        with errors.status("drawing") if errors.is_terminal else nullcontext():
            tensor = (
                load(target)
                if target
                else small_loss(name, steps or 4, layers=layers or 1, bidirectional=bidirectional)
            )
            picture = picture_of(
                tensor,
                view.value,
                values=values,
                gradients=gradients,
                shapes=shapes,
                color=color and color.value,
                steps=_window(window),
                highlight=None if highlight is None else path(tensor, find(tensor, highlight)),
                depth=depth,
                expand=expand or (),
                direction=direction.value,
                legend=legend,
            )
            contents = [picture.render(each) for each in formats]  # all of them, before any is written
        for file, content in zip(outputs, contents, strict=True):
            _write_picture(file, content, picture.title)
    except (TargetError, RenderError, ValueError) as error:
        raise _refuse(str(error)) from error


@app.command(epilog="Example:  printf 'step\\nnext\\n' | tinygrad-lstm step --cell rnn --steps 2")
def step(
    cell: Annotated[AnyCell, typer.Option(help="The recurrent cell.")] = AnyCell.lstm,
    steps: Annotated[int, typer.Option(min=1, max=200, help="How many time steps to unroll.")] = 3,
) -> None:
    """Step through the backward pass of a small network; reads commands from standard input."""
    from .stepper import step as stepper
    from .studies.small import small_loss

    stepper(small_loss(cell.value, steps)).terminal()


@app.command(epilog="Example:  tinygrad-lstm check --cell lstm --steps 20")
def check(
    cell: Annotated[
        list[AnyCell] | None, typer.Option(help="Check this cell only; may be given several times.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=1000, help="How many time steps to unroll.")] = 5,
) -> None:
    """Check the gradients of the cells, in every parameter, input and initial state, by complex step."""
    from .studies.small import check_cell
    from .testing import GradientError

    table = Table(
        "cell", "checked", "worst, in units of rounding", "verdict", "seconds", title=f"unrolled over {steps} steps"
    )
    failures = []
    for name in cell or list(AnyCell):
        started = time.monotonic()
        try:
            report = check_cell(name.value, steps)
        except GradientError as error:
            failures.append(f"{name.value}: {error}")
            row = ("", "", Text("WRONG", style="bold red"))
        else:
            unproved = f", {len(report.unproved)} unproved" if report.unproved else ""
            row = (f"{len(report.errors)} tensors", f"{report.worst:.2f}", Text(f"PASS{unproved}", style="green"))
        table.add_row(name.value, *row, f"{time.monotonic() - started:.2f}")
    console.print(table)
    for failure in failures:
        errors.print(Text(failure, style="red"))
    if failures:
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the command ``tinygrad-lstm``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ∂ shows a question mark
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:  # standard output is closed, or full
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        errors.print(Text(f"tinygrad-lstm: cannot print: {error.strerror}", style="red"))
        sys.exit(1)


def _window(window: str | None) -> tuple[int, int] | Literal["all"] | None:
    """A:B as time steps."""
    if window is None:
        return None
    if window == "all":
        return "all"
    first, colon, end = window.partition(":")
    if not colon or not all(part.isdecimal() or not part for part in (first, end)):
        raise ValueError(f"--window takes A:B, as in 10:15, or all, not {window!r}")
    return int(first or 0), int(end or sys.maxsize)


def _format_of(name: str, format: Format | None) -> str:
    """What to write to a file, or to standard output: what its ending says, or else what was asked for."""
    from .draw.picture import ENDINGS

    ending = "" if name == "-" else Path(name).suffix.lower().lstrip(".")
    if ending not in ENDINGS and (format is None or ending) and name != "-":
        raise ValueError(f"cannot save a picture as {name!r}: the name must end in .{', .'.join(ENDINGS)}")
    if ending and format and ending != format.value:
        raise ValueError(f"{name} is not where to write {format.value}; leave out --format, or the ending")
    return ending or (format.value if format else "svg")


def _write_picture(name: str, content: str | bytes, title: str) -> None:
    """To standard output if the name is a dash, else to a file, which is replaced as a whole."""
    from .files import write_file

    try:
        if name != "-":
            errors.print(Text(f"wrote {write_file(name, content)}: {title}"), soft_wrap=True)
        elif sys.stdout is None:
            raise _refuse("standard output is closed")
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(content.encode("utf-8") if isinstance(content, str) else content)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _refuse(f"cannot write {name}: {error.strerror}") from error


def _text(text: str | None, file: Path | None) -> str:
    if text is not None and file is not None:
        raise _refuse("give the text with --text or with --file, not both")
    if file is None:
        text = "the clouds are in the sky" if text is None else text
        if any("\ud800" <= ch <= "\udfff" for ch in text):
            raise _refuse("--text is not valid Unicode; give it as UTF-8")
        return text
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refuse(f"{file} is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise _refuse(f"cannot read {file}: {error.strerror}") from error


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
    )
    return Progress(*columns, TimeElapsedColumn(), console=console)


def _refuse(message: str) -> typer.Exit:
    errors.print(Text(f"tinygrad-lstm: {message}", style="red"), soft_wrap=True)
    return typer.Exit(2)
