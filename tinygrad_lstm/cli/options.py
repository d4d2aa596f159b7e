"""What the commands can be asked: the options that several of them have, and what their words mean."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from typing import Annotated, Any, Literal

import typer

from ..nn.named import names

AnyCell = StrEnum("AnyCell", [(name, name) for name in names()])  # type: ignore[misc]
"""The cells by their names; one that is added to CELLS or to the atlas is a choice here."""


def choice(of: type[StrEnum], help: str, *flags: str) -> Any:
    """Return an option that lists its choices in words, which can stand on several lines without one being broken."""
    return typer.Option(*flags, metavar="NAME", help=f"{help} One of {', '.join(of)}.")


CellOption = Annotated[AnyCell | None, choice(AnyCell, "A cell: the LSTM, if none is named.", "--cell")]
TensorArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE.py:NAME", help="A tensor, or a function that returns one, in a file of yours, which is run."
    ),
]
WindowOption = Annotated[
    str | None,
    typer.Option(help="Show the time steps from A up to, but not with, B; or all of them.", metavar="A:B|all"),
]


def window_of(window: str | None) -> tuple[int, int] | Literal["all"] | None:
    """Return A:B as time steps. Raises ValueError for anything else but "all"."""
    if window is None:
        return None
    if window == "all":
        return "all"
    found = re.fullmatch(r"(\d*):(\d*)", window)
    if not found:
        raise ValueError(f"--window takes A:B, as in 10:15, or all, not {window!r}")
    return int(found[1] or 0), int(found[2] or sys.maxsize)
