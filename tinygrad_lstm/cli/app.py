"""What the commands share: the application they belong to, where they print, and how they refuse."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text
from typer.core import TyperGroup

from ..interop.files import write_file
from ..structure.words import printable


@contextmanager
def _readable() -> Iterator[None]:
    """Let what was typed wrongly be repeated without what a terminal would act on; and end in a line on Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:  # or a file of the user's raised it
        say("tinygrad-lstm: interrupted")
        raise typer.Exit(130) from None
    except Exception as error:
        message = getattr(error, "format_message", str)  # of typer's errors, which have no public base
        words = message()  # none where there are no arguments at all: then the help is the answer
        if not words:
            raise
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "tinygrad-lstm"
        words = words.replace(": Value error, ", ": ")  # as newer versions of typer begin
        raise refuse(f"{words.rstrip('.')}; see {command} --help") from error


class _Commands(TyperGroup):
    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _readable():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with _readable():
            return super().invoke(ctx)


app = typer.Typer(
    cls=_Commands,
    help="See how recurrent networks learn: take the tour, draw, step through backpropagation, check the gradients.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
if os.environ.get("COLUMNS", "1").strip() == "0":
    del os.environ["COLUMNS"]  # rich would print nothing
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def refuse(message: str) -> typer.Exit:
    """Print in one line what cannot be done, and what could; return what is to be raised."""
    say(f"tinygrad-lstm: {' '.join(message.splitlines())}", style="red")
    return typer.Exit(2)


@contextmanager
def refusing(*kinds: type[Exception]) -> Iterator[None]:
    """Refuse, in one line, what raises one of these."""
    try:
        yield
    except kinds as error:
        raise refuse(str(error)) from error


def say(message: str, style: str = "") -> None:
    """Print beside the output, unwrapped: names of files stay in one piece. Whoever wrote it, it is only read."""
    errors.print(Text(printable(message), style=style), soft_wrap=True)


def progress(*columns: ProgressColumn, console: Console, **how: Any) -> Progress:
    """Return bars with what is being done, how far it is, and more columns."""
    usual = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*usual, *columns, console=console, **how)


def working(on: str) -> AbstractContextManager[Any]:
    """Show that something is being worked on, where a person is looking."""
    return errors.status(on) if errors.is_terminal else nullcontext()


@contextmanager
def writing(file: str | os.PathLike[str]) -> Iterator[None]:
    """Refuse in one line if the file cannot be written."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refuse(f"cannot write {file}: {error.strerror}") from error


def deliver(file: str | os.PathLike[str], content: str | bytes, about: str = "") -> None:
    """Write to standard output if the name is a dash, else into a file, which is replaced as a whole, and say so."""
    with writing(file):
        if os.fspath(file) != "-":
            say(f"wrote {write_file(file, content)}{about}")
        elif sys.stdout is None:
            raise refuse("standard output is closed")
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(content.encode("utf-8") if isinstance(content, str) else content)
            sys.stdout.buffer.flush()
