"""Labels of the lines within a column: each beside its line, where it stands on no box and on no other label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from math import dist

from .. import labels
from .geometry import Curve, Point, Rect, Template
from .model import Inner


def write_labels(template: Template, arrows: Sequence[Inner], small: float, *, downwards: bool) -> None:
    """Give the labels of a column places; their words run from left to right whichever way time does."""
    writer = _Writer(template, small, downwards=downwards)
    for number, (arrow, line) in enumerate(zip(arrows, template.inner, strict=True)):
        if arrow.label:
            find = writer.at_corner if arrow.tail == arrow.head else writer.beside
            template.inner[number] = line._replace(label=writer.upright(find, line, arrow.label))


class _Writer:
    """Finds places for labels, in a column as one reads it, and remembers those that are taken."""

    def __init__(self, template: Template, small: float, *, downwards: bool) -> None:
        self._template, self._small, self._downwards = template, small, downwards
        self._taken = [rect.turned(1) if downwards else rect for rect in template.boxes]

    def upright(self, find: Callable[[Curve, str], Point], line: Curve, label: str) -> Point:
        """Return the place that is found for a label, in the column as it is laid out."""
        return find(line.turned(1), label).turned(-1) if self._downwards else find(line, label)

    def beside(self, line: Curve, label: str) -> Point:
        """Return a place for a label, next to the longest straight piece of a line: right, if nothing is there."""
        half = labels.width(label, self._small) / 2
        places: list[Point] = []
        for a, b in sorted(pairwise(line.points[::3]), key=lambda piece: -dist(*piece)):
            for part in (0.5, 0.3, 0.7, 0.15, 0.85) if dist(a, b) > 24 or not places else ():
                at = Point(a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part)
                level = abs(a.x - b.x) >= 1
                places += [at.moved(0, 8)] if level else [at.moved(half + 6, 0), at.moved(-half - 6, 0)]
        return self._take(places, self._taken, half, apart=6.0, high=10.0)

    def at_corner(self, line: Curve, label: str) -> Point:
        """Return a place for the label of a loop: near its upper right corner, where it stands on no other line."""
        half, high = labels.width(label, self._small) / 2, max(self._small, 10.0)
        x, y = max(p.x for p in line.points), max(p.y for p in line.points)
        places = [Point(x + half + 6 + right, y - 2 - down) for right in range(0, 72, 6) for down in (0, 6, -6, -12)]
        return self._take(places, self._taken + self._bars, half, apart=high / 2, high=high)

    def _take(self, places: list[Point], taken: list[Rect], half: float, *, apart: float, high: float) -> Point:
        """Return the first place that is free, or the first of all, and take it."""
        place = next((at for at in places if not any(_covers(rect, at, half, apart) for rect in taken)), places[0])
        self._taken.append(Rect(place.x, place.y, 2 * half, high))
        return place

    @cached_property
    def _bars(self) -> list[Rect]:
        """What the straight pieces of all lines cover, and a little around them."""
        lines = (*self._template.inner, *self._template.ends.values())
        turned = (line.turned(1) if self._downwards else line for line in lines)
        pieces = [piece for line in turned for piece in pairwise(line.points[::3])]
        return [Rect((a.x + b.x) / 2, (a.y + b.y) / 2, abs(a.x - b.x) + 4, abs(a.y - b.y) + 4) for a, b in pieces]


def _covers(rect: Rect, at: Point, half: float, high: float) -> bool:
    """Tell whether a box, a line or a label stands where another label of some width would, half as high as that."""
    return abs(rect.x - at.x) < rect.width / 2 + half and abs(rect.y - at.y) < rect.height / 2 + high
