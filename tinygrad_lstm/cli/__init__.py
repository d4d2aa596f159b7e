"""The command line: thin. It parses, calls and prints; each command has a file of its own."""

from __future__ import annotations

import io
import os
import sys

from . import app as shared
from . import atlas, check, compare, demo, derive, draw, resume, sample, source, step, study, tour, train

COMMANDS = (tour, draw, compare, step, derive, source, check, train, sample, resume, study, demo, atlas)
"""The modules that each bring one."""


def main() -> None:
    """Run the command ``tinygrad-lstm``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ∂ shows a question mark
    try:
        shared.app()
    except OSError as error:  # standard output is closed, or full
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        shared.say(f"tinygrad-lstm: cannot print: {error.strerror}", style="red")
        sys.exit(1)
