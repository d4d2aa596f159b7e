"""Place the boxes of an opened cell: in which column and row each stands, and how far those are apart."""

from __future__ import annotations

from typing import TypeVar

from .model import Content
from .router import PITCH

ROWS = ("bus", "layer", "lower", "upper", "belt")
"""The levels of an opened cell, from bottom to top."""

T = TypeVar("T")


def cell_layout(content: Content, slots: list[int]) -> dict[int, tuple[int, str]]:
    """A column and a row for each box of an opened cell: columns in the order of computation, as few as will do."""
    inside = set(slots)
    before: dict[int, list[int]] = {slot: [] for slot in slots}
    for arrow in content.inner:
        if arrow.tail in inside and arrow.head in inside:
            before[arrow.head].append(arrow.tail)
    places: dict[int, tuple[int, str]] = {}
    taken: set[tuple[int, str]] = set()
    last, belt_end = -1, -1
    for slot in slots:
        lane = content.boxes[slot].lane
        sources = [places[tail] for tail in before[slot]]
        rightmost = max((column for column, _ in sources), default=-1)
        wanted: list[tuple[int, str]] = []
        if lane == "belt":
            wanted = [(column, "belt") for column in (rightmost,) if column > belt_end]
        elif lane == "point":
            from_belt = [column for column, row in sources if row in ("belt", "upper")]
            if not any(row == "belt" for _, row in sources):
                height = max((ROWS.index(row) for column, row in sources if column == rightmost), default=0)
                above = [row for row in ("lower", "upper") if ROWS.index(row) > height]
                wanted = [(rightmost, row) for row in (above or ["lower"])]
                if from_belt and max(from_belt) == rightmost:
                    wanted = [(rightmost, "lower")]
        place = next((place for place in wanted if place not in taken and place[0] >= 0), None)
        if place is None:
            last += 1
            row = {"belt": "belt", "layer": "layer", "bus": "bus"}.get(lane) or (
                "upper" if any(row == "belt" for _, row in sources) else "lower"
            )
            place = (last, row)
        places[slot] = place
        taken.add(place)
        if lane == "belt":
            belt_end = place[0]
    return places


def spread(names: list[T], sizes: list[float], least: float) -> tuple[dict[T, float], float]:
    """Return places in a row, so far apart that lines pass between what stands there; and how long the row is."""
    places: dict[T, float] = {}
    at, before = even(max(least * 0.6, sizes[0] / 2 + 3 * PITCH)), 0.0
    for name, size in zip(names, sizes, strict=True):
        if places:
            at = even(at + max(least, (before + size) / 2 + 3 * PITCH) - PITCH)
        places[name], before = at, size
    return places, even(at + max(least * 0.6, before / 2 + 3 * PITCH))


def even(x: float) -> float:
    """Round up to the router's grid, so that middles lie on it too."""
    return float(-(-x // (2 * PITCH)) * 2 * PITCH)
