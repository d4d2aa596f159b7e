"""Place the boxes of an opened cell: in which column and row each stands, and how far those are apart."""

from __future__ import annotations

from collections.abc import Container
from math import ceil
from typing import TypeVar

from .model import Content
from .router import PITCH

ROWS = ("bus", "layer", "lower", "upper", "belt")
"""The levels of an opened cell, from bottom to top."""

T = TypeVar("T")


def cell_layout(content: Content, slots: list[int]) -> dict[int, tuple[int, str]]:
    """Return a column and a row for each box of an opened cell: in the order of computation, in as few as will do."""
    before: dict[int, list[int]] = {slot: [] for slot in slots}
    for arrow in content.inner:
        if arrow.tail in before and arrow.head in before:
            before[arrow.head].append(arrow.tail)
    places: dict[int, tuple[int, str]] = {}
    last, belt_end = -1, -1
    for slot in slots:
        row = content.boxes[slot].lane
        sources = [places[tail] for tail in before[slot]]
        rightmost = max((column for column, _ in sources), default=-1)
        rows = [row for column, row in sources if column == rightmost]
        wanted: list[str] = []
        if row == "belt" and rightmost > belt_end:
            wanted = ["belt"]
        elif row == "point" and any(found == "belt" for _, found in sources):
            row = "upper"
        elif row == "point":
            row = "lower"
            wanted = [each for each in ("lower", "upper") if "upper" not in rows and ROWS.index(each) > _top(rows)]
            wanted = wanted or ["lower"]
        free = [each for each in wanted if rightmost >= 0 and (rightmost, each) not in places.values()]
        if not free:
            last += 1
        places[slot] = (rightmost, free[0]) if free else (last, row)
        if row == "belt":
            belt_end = places[slot][0]
    return places


def _top(rows: list[str]) -> int:
    return max(map(ROWS.index, rows), default=0)


def lanes(content: Content, places: dict[int, tuple[int, str]]) -> set[int]:
    """Return the columns with a line beside them, right of them: from a box that has another above it, to elsewhere."""
    taken = {(column, ROWS.index(row)) for column, row in places.values()}
    found = set()
    for arrow in content.inner:
        if arrow.tail in places and arrow.head in places:
            (column, row), (to, _) = places[arrow.tail], places[arrow.head]
            covered = any(other == column and high > ROWS.index(row) for other, high in taken)
            if row == "layer" and to != column and covered:
                found.add(column)
    return found


def spread(names: list[T], sizes: list[float], least: float, lanes: Container[T] = ()) -> tuple[dict[T, float], float]:
    """Return places in a row, so far apart that lines pass between what stands there; and how long the row is."""
    places: dict[T, float] = {}
    at, before, last = 0.0, 0.0, names[0]
    for name, size in zip(names, sizes, strict=True):
        if places:
            lane = 2 * PITCH if last in lanes else 0.0
            at += max(least, _on_grid((before + size) / 2 + NEXT)) + lane
        else:
            at = _on_grid(max(least / 2, size / 2) + NEXT)
        places[name], before = at, size
        last = name
    return places, even(at + max(least / 2, before / 2) + 2 * PITCH)


NEXT = 5.0
"""Points at least between two boxes in a row; chosen by eye."""


def _on_grid(x: float) -> float:
    return float(ceil(x / PITCH) * PITCH)


def even(x: float) -> float:
    """Return a length in points, rounded up to the router's grid so that middles lie on it too."""
    return float(-(-x // (2 * PITCH)) * 2 * PITCH)
