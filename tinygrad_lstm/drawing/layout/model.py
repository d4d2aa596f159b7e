"""What is laid out: what stands in a column, and columns that have a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ...pages.theme import SMALL
from .. import labels
from ..scene import Arrow, Box
from .geometry import Curve, End, Outline, Point, Rect, Template

GUTTER = 30.0
"""Points between two columns; chosen by eye."""

BREAK = 22.0
"""Points that a line leads on where a row ends, and before the next one, at least; chosen by eye."""


class Inner(NamedTuple):
    """An arrow within a column, from slot to slot."""

    tail: int
    head: int
    role: str
    label: str


@dataclass
class Content:
    """What stands in a column, before it has a place."""

    title: str
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)  # one for each of inner
    inner: list[Inner] = field(default_factory=list)
    ends: dict[End, None] = field(default_factory=dict)  # a set, in order
    levels: dict[str, dict[str, float]] = field(
        default_factory=dict
    )  # of opened cells: how high each row is, in any step
    crossing: list[Crossing] = field(default_factory=list)  # drawn with this column: the later of the two

    @property
    def drawn(self) -> list[Arrow]:
        """Return the arrows that are drawn with this column: its own, and those that cross to an earlier one."""
        return [*self.arrows, *(crossing.arrow for crossing in self.crossing)]

    def signature(self) -> tuple[object, ...]:
        """Return what decides the layout: two columns with the same signature look alike but for their words."""
        boxes = tuple(
            (box.role, tuple(t.style for t in box.texts), box.place, box.block, box.lane) for box in self.boxes
        )
        inner = tuple((arrow.tail, arrow.head, arrow.role, bool(arrow.label)) for arrow in self.inner)
        return bool(self.title), boxes, inner, tuple(self.ends)


class Crossing(NamedTuple):
    """An arrow from one column to a neighbour, with its ends in both."""

    arrow: Arrow
    tail_column: int
    tail_end: End
    head_column: int
    head_end: End
    above: int = 0  # how many labels stand where its own would, of lines to other columns


@dataclass
class PlacedColumn:
    """A column with its layout, and where its lower left corner stands, in points."""

    content: Content
    template: Template
    number: int
    kind: int  # the number of its template
    row: int = 0  # where time goes on in another line of the page
    dx: float = 0.0
    dy: float = 0.0

    @property
    def is_legend(self) -> bool:
        """Tell whether it stands under the picture and belongs to no step."""
        return self.number < 0

    def boxes(self) -> Iterator[tuple[Box, Rect]]:
        """Yield the boxes with their places in the picture."""
        for box, rect in zip(self.content.boxes, self.template.boxes, strict=True):
            yield box, rect.moved(self.dx, self.dy)

    def frames(self) -> Iterator[Outline]:
        """Yield the frames with their titles and their places in the picture."""
        for frame in self.template.frames:
            yield frame._replace(title=self.title_of(frame), rect=frame.rect.moved(self.dx, self.dy))

    def title_of(self, frame: Outline) -> str:
        """Return what stands on a frame: that of a step has the step's own title."""
        return self.content.title if frame.kind in ("step", "time") else frame.title

    def arrows(self) -> Iterator[tuple[Arrow, Curve]]:
        """Yield the arrows within the column with their lines in the picture."""
        for arrow, curve in zip(self.content.arrows, self.template.inner, strict=True):
            line = curve.moved(self.dx, self.dy)
            yield arrow, line.reversed() if arrow.against else line

    def port(self, end: End) -> float:
        """Return how high a crossing arrow meets the border of the column, from its lower left corner."""
        return self.template.ends[end].points[-1 if end.outgoing else 0].y

    def end(self, end: End) -> Curve:
        """Return the part of a crossing arrow's line that lies in this column."""
        return self.template.ends[end].moved(self.dx, self.dy)


def _over(a: Point, half: float, b: Point, other: float, line: float) -> bool:
    """Tell whether labels, so far to both sides of two points, stand on each other; a line is so high."""
    return abs(a.y - b.y) < 0.9 * line and abs(a.x - b.x) < half + other


@dataclass
class Placed:
    """Everything, with its place. ``low`` and ``high`` are the corners of the whole; lengths are in points."""

    columns: list[PlacedColumn]
    low: Point
    high: Point
    upright: bool
    small: float = SMALL  # points: no words are smaller

    @property
    def beyond(self) -> float:
        """Return how far lines lead on where a row ends, and before the next one: as far as what stands on them."""
        words = (line.arrow.label for column in self.columns for line in column.content.crossing)
        return max([BREAK, *(labels.width(label, self.small) + 8 for label in words)])

    def _beside(self, a: Point, b: Point, label: str) -> Point:
        """Return a place for a label in the gap: above a line that runs straight, else above where it starts."""
        half = labels.width(label, self.small) / 2
        if self.upright:
            middle = (a.y + b.y) / 2 if abs(a.x - b.x) < 1 else a.y - 8 if b.y < a.y else a.y + 8
            return Point(a.x + half + 6, middle)
        if abs(a.y - b.y) < 1:
            return Point((a.x + b.x) / 2, a.y + 3 + self.small / 2)
        return Point(a.x + (half + 2 if b.x > a.x else -half - 2), a.y + (7 if b.y < a.y else -7))

    def add_below(self, column: PlacedColumn) -> None:
        """Place something that belongs to no step, such as a legend, under everything else."""
        column.dx, column.dy = self.low.x, self.low.y - GUTTER / 2 - column.template.height
        self.columns.append(column)
        self.low = Point(self.low.x, column.dy)
        self.high = Point(max(self.high.x, column.dx + column.template.width), self.high.y)

    def arrows(self, column: PlacedColumn) -> Iterator[tuple[Arrow, Curve]]:
        """Yield arrows with their lines: those within a column, and those between it and the one before."""
        yield from column.arrows()
        yield from self.crossing(column)

    def crossing(self, column: PlacedColumn) -> Iterator[tuple[Arrow, Curve]]:
        """Yield the arrows between a column and one before it, with their lines from box to box."""
        written: list[tuple[Point, float]] = []
        beyond = self.beyond if len({each.row for each in self.columns}) > 1 else BREAK
        for arrow, tail_column, tail_end, head_column, head_end, above in column.content.crossing:
            end = None
            start = self.columns[tail_column].end(tail_end)
            finish = self.columns[head_column].end(head_end)
            if self.columns[tail_column].row != self.columns[head_column].row:
                way = beyond if tail_end.forward else -beyond
                curve = start.broken(finish, way)
                at = finish.points[0].moved(-way / 2, 4 + self.small / 2)
                end = start.points[-1].moved(way / 2, 4 + self.small / 2)
            else:
                curve = start.then(finish, upright=self.upright)
                at = self._beside(start.points[-1], finish.points[0], arrow.label)
            if arrow.label:
                curve = curve._replace(label=self._free(at, arrow.label, above, written))
            if arrow.label and end:
                curve = curve._replace(again=self._free(end, arrow.label, above, written))
            yield arrow, curve.reversed() if arrow.against else curve

    def _free(self, at: Point, label: str, above: int, written: list[tuple[Point, float]]) -> Point:
        """Return the place for a label, above what leads the same way and says something else, and note it there."""
        half, line = labels.width(label, self.small) / 2, 1.1 * self.small
        at = at.moved(0, above * line)
        while any(_over(at, half, p, other, line) for p, other in written):
            at = at.moved(0, line)
        written.append((at, half))
        return at
