"""Places and curves, in points, y upwards as Graphviz has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Point(NamedTuple):
    x: float
    y: float

    def moved(self, dx: float, dy: float) -> Point:
        return Point(self.x + dx, self.y + dy)


class Rect(NamedTuple):
    """By its centre and size."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, dx: float, dy: float) -> Rect:
        return Rect(self.x + dx, self.y + dy, self.width, self.height)


class Curve(NamedTuple):
    """A Bézier spline of 3n + 1 points, and where the arrow's tip is, if it has one."""

    points: tuple[Point, ...]
    tip: Point | None = None
    label: Point | None = None

    def moved(self, dx: float, dy: float) -> Curve:
        points = tuple(point.moved(dx, dy) for point in self.points)
        tip = self.tip and self.tip.moved(dx, dy)
        return Curve(points, tip, self.label and self.label.moved(dx, dy))

    def then(self, other: Curve, *, upright: bool) -> Curve:
        """This curve, a smooth connection, and the other; ``upright`` if the gap between them is crossed vertically."""
        a, b = self.points[-1], other.points[0]
        if upright:
            bend = (b.y - a.y) / 2
            between = (a.moved(0, bend), b.moved(0, -bend))
        else:
            bend = (b.x - a.x) / 2
            between = (a.moved(bend, 0), b.moved(-bend, 0))
        return Curve((*self.points, *between, *other.points), other.tip, other.label or self.label)


class Outline(NamedTuple):
    """A group's outline; the path names it from the outside in."""

    path: tuple[str, ...]
    title: str
    rect: Rect
    depth: int


@dataclass
class Template:
    """Where everything in a column is, with the origin at its lower left.

    ``inner`` has a curve for each arrow within the column; ``ends`` one for each part of an arrow that crosses to a
    neighbour, from the tail to the border or from the border to the head.
    """

    width: float
    height: float
    boxes: list[Rect] = field(default_factory=list)
    frames: list[Outline] = field(default_factory=list)
    inner: list[Curve] = field(default_factory=list)
    ends: list[Curve] = field(default_factory=list)

    def corners(self) -> tuple[Point, Point]:
        """Return the lower left and the upper right one of all that is in it, and of itself."""
        points = [Point(0, 0), Point(self.width, self.height)]
        for x, y, width, height in self.boxes:
            points += Point(x - width / 2, y - height / 2), Point(x + width / 2, y + height / 2)
        for curve in (*self.inner, *self.ends):
            points += curve.points
        xs, ys = [p.x for p in points], [p.y for p in points]
        return Point(min(xs), min(ys)), Point(max(xs), max(ys))
