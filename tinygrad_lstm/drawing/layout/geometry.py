"""Places and curves, in points, y upwards as Graphviz has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import dist
from typing import Any, NamedTuple


class Point(NamedTuple):
    x: float
    y: float

    def moved(self, dx: float, dy: float) -> Point:
        """Return a point so far to the right and up."""
        return Point(self.x + dx, self.y + dy)

    def turned(self, way: int) -> Point:
        """Return the point after a quarter turn about the origin: clockwise for 1, back for −1."""
        return Point(way * self.y, -way * self.x)


class Rect(NamedTuple):
    """By its centre and size."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, dx: float, dy: float) -> Rect:
        """Return the same rectangle, so far to the right and up."""
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def turned(self, way: int) -> Rect:
        """Return the rectangle after a quarter turn about the origin."""
        return Rect(*Point(self.x, self.y).turned(way), self.height, self.width)


class Curve(NamedTuple):
    """A Bézier spline of 3n + 1 points, and where the arrow's tip is, if it has one."""

    points: tuple[Point, ...]
    tip: Point | None = None
    label: Point | None = None
    gaps: tuple[Point, ...] = ()  # where another line crosses over it
    cut: int = -1  # which of its Bézier curves is left out, where it goes on in another row
    again: Point | None = None  # where the label stands once more, on the other side of such a break

    def moved(self, dx: float, dy: float) -> Curve:
        """Return the same curve, so far to the right and up."""
        if not dx and not dy:
            return self
        return self.each(lambda point: Point(point[0] + dx, point[1] + dy))

    def turned(self, way: int) -> Curve:
        """Return the curve after a quarter turn about the origin."""
        return self.each(lambda point: point.turned(way))

    def each(self, change: Callable[[Point], Point]) -> Curve:
        """Return the curve with each of its points changed."""
        tip, label, again = (each and change(each) for each in (self.tip, self.label, self.again))
        return Curve(tuple(map(change, self.points)), tip, label, tuple(map(change, self.gaps)), self.cut, again)

    def reversed(self) -> Curve:
        """Return the curve from its end to its start, with its tip there."""
        pieces = len(self.points) // 3
        if self.tip is None:
            return self._replace(points=self.points[::-1], cut=pieces - 1 - self.cut if self.cut >= 0 else -1)
        first, _, third, fourth = self.points[:4]
        room = min(ARROWHEAD, dist(first, fourth) / 2)
        part = room / (dist(first, fourth) or 1.0)
        neck = first.moved((fourth.x - first.x) * part, (fourth.y - first.y) * part)
        points = (self.tip, self.points[-1], self.points[-1], *self.points[:3:-1], fourth, third, neck, neck)
        return Curve(points, first, self.label, self.gaps, pieces - self.cut if self.cut >= 0 else -1, self.again)

    def then(self, other: Curve, *, upright: bool) -> Curve:
        """Return this curve, a smooth connection, and the other; ``upright`` if the gap is crossed vertically."""
        a, b = self.points[-1], other.points[0]
        bend = (0, (b.y - a.y) / 2) if upright else ((b.x - a.x) / 2, 0)
        between = (a.moved(*bend), b.moved(-bend[0], -bend[1]))
        gaps = self.gaps + other.gaps
        return Curve((*self.points, *between, *other.points), other.tip, other.label or self.label, gaps)

    def broken(self, other: Curve, way: float) -> Curve:
        """Return this curve a little longer, and after a break the other from a little before where it starts."""
        here, there = self.points[-1], other.points[0]
        end, start = here.moved(way, 0), there.moved(-way, 0)
        points = (*self.points, here, end, end, end, start, start, start, there, *other.points)
        return Curve(points, other.tip, None, self.gaps + other.gaps, len(self.points) // 3 + 1)

    def pieces(self) -> list[tuple[Point, ...]]:
        """Return the splines that are left between the gaps, each of 3n + 1 points."""
        found, piece = [], [self.points[0]]
        ends, firsts, seconds = self.points[::3], self.points[1::3], self.points[2::3]
        for number, (start, a, b, end) in enumerate(zip(ends, firsts, seconds, ends[1:], strict=False)):
            if number == self.cut:
                found.append(tuple(piece))
                piece = [end]
                continue
            for gap in sorted((gap for gap in self.gaps if _on(gap, start, end)), key=partial(dist, start)):
                before, after = _around(gap, start, end)
                found.append((*piece, piece[-1], before, before))
                piece, a, b = [after], after, end
            piece += [a, b, end]
        return [*found, tuple(piece)]


GAP, ARROWHEAD = 4.0, 6.0
"""Points: what a line leaves free on both sides of one that crosses over it, and how long an arrow's tip is; chosen by
eye."""


def _on(gap: Point, start: Point, end: Point) -> bool:
    """Tell whether a gap is on a piece that runs straight across or up, with enough of it on both sides."""
    between = min(start.x, end.x) <= gap.x <= max(start.x, end.x) and min(start.y, end.y) <= gap.y <= max(
        start.y, end.y
    )
    straight = start.x == end.x or start.y == end.y
    return straight and between and min(dist(gap, start), dist(gap, end)) > GAP


def _around(gap: Point, start: Point, end: Point) -> tuple[Point, Point]:
    """Return the last point before a gap and the first one after it."""
    length = dist(start, end)
    dx, dy = GAP * (end.x - start.x) / length, GAP * (end.y - start.y) / length
    return gap.moved(-dx, -dy), gap.moved(dx, dy)


class Outline(NamedTuple):
    """A group's outline; the path names it from the outside in."""

    kind: str  # "step", "time" (its caption alone), "cell" (an opened one), "name" (of a cell), "fork" or "group"
    path: tuple[str, ...]
    title: str
    rect: Rect


class End(NamedTuple):
    """The part of a crossing arrow that lies in one of its two columns."""

    forward: bool  # whether the neighbour is the next column, or the one before
    outgoing: bool
    key: str  # the tail's name without its time: ends of one tail share a port
    slot: int  # the box at this end, by its number in the column

    @property
    def port(self) -> tuple[bool, bool, str]:
        """Return what ends that meet the border at one point share."""
        return self.forward, self.outgoing, self.key


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
    ends: dict[End, Curve] = field(default_factory=dict)

    def moved(self, dx: float, dy: float) -> Template:
        """Return the same column with everything in it so far to the right and up."""
        return self._each(lambda shape: shape.moved(dx, dy), self.width, self.height)

    def turned(self, way: int) -> Template:
        """Return the column after a quarter turn: time from top to bottom for 1, back from left to right for −1."""
        move = (0, self.width) if way > 0 else (self.height, 0)
        return self._each(lambda shape: shape.turned(way).moved(*move), self.height, self.width)

    def _each(self, change: Callable[[Any], Any], width: float, height: float) -> Template:
        frames = [frame._replace(rect=change(frame.rect)) for frame in self.frames]
        ends = {end: change(curve) for end, curve in self.ends.items()}
        return Template(width, height, list(map(change, self.boxes)), frames, list(map(change, self.inner)), ends)

    def corners(self) -> tuple[Point, Point]:
        """Return the lower left and the upper right one of all that is in it, and of itself."""
        points = [Point(0, 0), Point(self.width, self.height)]
        for x, y, width, height in (*self.boxes, *(frame.rect for frame in self.frames)):
            points += Point(x - width / 2, y - height / 2), Point(x + width / 2, y + height / 2)
        for curve in (*self.inner, *self.ends.values()):
            points += curve.points
        xs, ys = zip(*points, strict=True)
        return Point(min(xs), min(ys)), Point(max(xs), max(ys))
