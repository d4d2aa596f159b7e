"""Lines of a program within a width: broken between brackets, and as much in each as there is room for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

WIDTH = 100


def fitted(line: str, comment: str = "") -> Iterator[str]:
    """Yield a line with its comment behind it or before it; in several lines if it is long."""
    room = WIDTH - 8
    if comment and max(len(line), 44) + len(comment) + 4 <= room:
        yield f"{line:<44}  # {comment}"
        return
    if comment and len(comment) <= room - 2:
        yield f"# {comment}"
    yield from broken(line, room)


def broken(line: str, room: int = WIDTH) -> list[str]:
    """Break a line that is too long, between brackets."""
    if len(line) <= room:
        return [line]
    head, sign, rest = line.partition(" += ") if " += " in line else line.partition(" = ")
    if line.startswith("return "):
        head, sign, rest = "return", " ", line[7:]
    elif not rest:
        opening, inside = line[: line.index("(") + 1], line[line.index("(") + 1 : -1]
        return [opening, *(f"    {each}" for each in textwrap.wrap(inside, room - 4, break_long_words=False)), ")"]
    wrapped = textwrap.wrap(rest, room - 4, break_long_words=False, break_on_hyphens=False)
    return [f"{head}{sign}(", *(f"    {each}" for each in wrapped), ")"]


def listed(opening: str, parts: Sequence[str], closing: str, room: int = WIDTH) -> list[str]:
    """Write a list in one line, or in as many as it needs."""
    line = f"{opening}{', '.join(parts)}{closing}"
    if len(line) <= room:
        return [line]
    inside = textwrap.wrap(
        f"{', '.join(filter(None, parts))},", room - 4, break_long_words=False, break_on_hyphens=False
    )
    return [opening, *(f"    {each}" for each in inside), closing]


def paired(pairs: Sequence[tuple[str, str]], room: int = WIDTH - 8) -> Iterator[str]:
    """Write names and what they begin with, as many in a line as there is room for."""
    row: list[tuple[str, str]] = []
    for pair in [*pairs, None]:
        names, values = (", ".join(part) for part in zip(*row, strict=True)) if row else ("", "")
        if pair is None or (row and len(names) + len(values) + sum(map(len, pair)) + 7 > room) or len(row) == 8:
            if row:
                yield f"{names} = {values}"
            row = []
        if pair is not None:
            row.append(pair)
