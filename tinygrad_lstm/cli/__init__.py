"""The command line: thin. It parses, calls and prints; each command has a file of its own."""

from __future__ import annotations

import io
import os
import sys

from rich.text import Text

from .app import app, errors
from .check import check
from .draw import draw
from .step import step
from .tour import tour

__all__ = ["check", "draw", "main", "step", "tour"]


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
