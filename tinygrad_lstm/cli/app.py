"""What the commands share: the application they belong to, where they print, and how they refuse."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated, Literal

import typer
from rich.console import Console
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


class AnyCell(StrEnum):
    rnn = "rnn"
    lstm = "lstm"
    gru = "gru"
    peephole = "peephole"
    coupled = "coupled"


CellOption = Annotated[
    AnyCell | None, typer.Option("--cell", help="The cell, if no target is given: the LSTM, if none is named.")
]


def refuse(message: str) -> typer.Exit:
    """Say in one line what cannot be done, and what could; to be raised."""
    errors.print(Text(f"tinygrad-lstm: {message}", style="red"), soft_wrap=True)
    return typer.Exit(2)


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
