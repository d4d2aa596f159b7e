"""What the commands share: the application they belong to, where they print, and how they refuse."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.text import Text

from ..nn.cells import CELLS

app = typer.Typer(
    help="See how recurrent networks learn: take the tour, draw, step through backpropagation, check the gradients.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


class AnyCell(StrEnum):
    """The cells by the names they have in CELLS; one that is added there is a choice here."""

    if TYPE_CHECKING:
        lstm = "lstm"  # the one that is taken if none is named
    else:
        vars().update((name, name) for name in CELLS)


CellOption = Annotated[
    AnyCell | None, typer.Option("--cell", help="The cell, if no target is given: the LSTM, if none is named.")
]


def refuse(message: str) -> typer.Exit:
    """Say in one line what cannot be done, and what could; to be raised."""
    say(f"tinygrad-lstm: {message}", style="red")
    return typer.Exit(2)


def say(message: str, style: str = "") -> None:
    """Print beside the output, unwrapped: names of files stay in one piece."""
    errors.print(Text(message, style=style), soft_wrap=True)


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


def window_of(window: str | None) -> tuple[int, int] | Literal["all"] | None:
    """A:B as time steps."""
    if window is None:
        return None
    if window == "all":
        return "all"
    first, colon, end = window.partition(":")
    if not colon or not all(part.isdecimal() or not part for part in (first, end)):
        raise ValueError(f"--window takes A:B, as in 10:15, or all, not {window!r}")
    return int(first or 0), int(end or sys.maxsize)
