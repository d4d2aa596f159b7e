"""The lines of the program: where in the source each node was made, noted as the program runs and read when asked."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from types import CodeType
from typing import NamedTuple

_PACKAGE = Path(__file__).parents[1]

SKIPPED_FILES = {str(file) for file in Path(__file__).parent.glob("*.py")}
"""Files that make nodes for whoever calls them: the line one wants to see is the caller's."""


def skip_file(file: str) -> None:
    """Add a file to those."""
    SKIPPED_FILES.add(file)


class Line(NamedTuple):
    """A line of a source file."""

    file: str
    number: int

    @property
    def text(self) -> str:
        """What stands there; nothing if the file cannot be read, as what was typed at a prompt."""
        return linecache.getline(self.file, self.number).strip()

    @property
    def ours(self) -> bool:
        """Whether it belongs to this package rather than to the program that uses it."""
        return Path(self.file).is_relative_to(_PACKAGE)

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.number}"


def place(depth: int) -> tuple[CodeType, int]:
    """Return where the program is: code and instruction, so many calls out of this one, or in whoever that acts for."""
    frame = sys._getframe(depth + 1)
    while frame.f_code.co_filename in SKIPPED_FILES and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


def line_of(code: CodeType | Line | None, instruction: int) -> Line | None:
    """Return the line that an instruction of compiled code comes from."""
    if not isinstance(code, CodeType):
        return code
    starts = (number for start, end, number in code.co_lines() if start <= instruction < end)
    return Line(code.co_filename, next(starts, None) or code.co_firstlineno)
