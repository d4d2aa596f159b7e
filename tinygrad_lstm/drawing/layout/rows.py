"""Time in rows: where a page is not wide enough, the chain goes on in the next line, as a sentence does."""

from __future__ import annotations

from collections.abc import Sequence

from .columns import bounds
from .model import Placed, PlacedColumn

BETWEEN = 18.0
"""Points from row to row; chosen by eye."""


class TooWide(ValueError):
    """A single step is wider than a row may be."""


def in_rows(columns: Sequence[PlacedColumn], most: float) -> list[list[PlacedColumn]]:
    """Divide columns into rows of nearly the same width, as few as fit into a width. Raises TooWide."""
    widest = max(column.template.width for column in columns)
    if widest > most:
        raise TooWide(widest)
    ends = ((first, last) for number, last in enumerate(columns) for first in columns[: number + 1])
    limits = {most, *(width for first, last in ends if widest <= (width := _width(first, last)) <= most)}
    fewest = len(_filled(columns, most))
    return _filled(columns, min(limit for limit in limits if len(_filled(columns, limit)) == fewest))


def _filled(columns: Sequence[PlacedColumn], limit: float) -> list[list[PlacedColumn]]:
    rows: list[list[PlacedColumn]] = []
    for column in columns:
        if rows and _width(rows[-1][0], column) <= limit:
            rows[-1].append(column)
        else:
            rows.append([column])
    return rows


def _width(first: PlacedColumn, last: PlacedColumn) -> float:
    return last.dx + last.template.width - first.dx


def wrapped(placed: Placed, rows: Sequence[Sequence[PlacedColumn]]) -> None:
    """Move columns into their rows, one below the other, and note where the picture ends."""
    left, bottom = placed.low.x, placed.high.y
    for number, row in enumerate(rows):
        corners = [corner.moved(column.dx, column.dy) for column in row for corner in column.template.corners()]
        indent = placed.beyond if number else 0.0
        dx = left + indent - min(x for x, _ in corners)
        dy = bottom - (BETWEEN if number else 0.0) - max(y for _, y in corners)
        bottom = dy + min(y for _, y in corners)
        for column in row:
            column.row, column.dx, column.dy = number, column.dx + dx, column.dy + dy
    placed.low, placed.high = bounds(placed)
