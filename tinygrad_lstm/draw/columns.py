"""Columns: lay out one time step, and repeat it.

The unrolled chain repeats itself. Columns that look alike share one layout, so the time a picture takes grows with the
number of different steps, of which there are few, and not with their number. Arrows from one column to the next meet at
ports on their borders and cross what lies between by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from . import labels
from .geometry import Curve, Frame, Point, Rect, Template
from .scene import Arrow, Box, Scene, Text

GUTTER = 44.0
"""Between two columns."""


class End(NamedTuple):
    """The part of a crossing arrow that lies in one of its two columns."""

    forward: bool  # whether the neighbour is the next column, or the one before
    outgoing: bool
    key: str  # the tail's name without its time: ends of one tail share a port
    slot: int  # the box at this end, by its number in the column

    @property
    def port(self) -> tuple[bool, bool, str]:
        return self.forward, self.outgoing, self.key


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
    ends: list[End] = field(default_factory=list)
    crossing: list[Crossing] = field(default_factory=list)  # drawn with this column: the later of the two
    _known: dict[End, int] = field(default_factory=dict)

    def end(self, end: End) -> int:
        if end not in self._known:
            self._known[end] = len(self.ends)
            self.ends.append(end)
        return self._known[end]

    def signature(self) -> tuple[object, ...]:
        """What decides the layout: two columns with the same signature look alike but for their words."""
        boxes = tuple(
            (box.role, tuple(t.style for t in box.texts), box.place, box.block, box.lane) for box in self.boxes
        )
        inner = tuple((arrow.tail, arrow.head, arrow.role, bool(arrow.label)) for arrow in self.inner)
        return bool(self.title), boxes, inner, tuple(self.ends)


class Crossing(NamedTuple):
    """An arrow from one column to a neighbour: its ends by number."""

    arrow: Arrow
    tail_column: int
    tail_end: int
    head_column: int
    head_end: int


Provider = Callable[[Content, Scene], Template]


@dataclass
class PlacedColumn:
    content: Content
    template: Template
    number: int
    kind: int  # the number of its template
    dx: float
    dy: float

    def across(self, axis: int) -> float:
        return self.dy if axis else self.dx

    def shift(self, axis: int, to: float) -> None:
        """Move it on the axis along which columns are not lined up."""
        if axis:
            self.dy = to
        else:
            self.dx = to

    def boxes(self) -> Iterator[tuple[Box, Rect]]:
        for box, rect in zip(self.content.boxes, self.template.boxes, strict=True):
            yield box, rect.moved(self.dx, self.dy)

    def frames(self) -> Iterator[Frame]:
        for frame in self.template.frames:
            title = frame.title or self.content.title
            yield Frame(frame.path, title, frame.rect.moved(self.dx, self.dy), frame.depth)

    def arrows(self) -> Iterator[tuple[Arrow, Curve]]:
        for arrow, curve in zip(self.content.arrows, self.template.inner, strict=True):
            yield arrow, curve.moved(self.dx, self.dy)

    def end(self, number: int) -> Curve:
        return self.template.ends[number].moved(self.dx, self.dy)


@dataclass
class Placed:
    """Everything, with its place. ``low`` and ``high`` are the corners of the whole."""

    columns: list[PlacedColumn]
    low: Point
    high: Point
    upright: bool

    def _beside(self, a: Point, b: Point, label: str) -> Point:
        """A place for a label in the gap: above a line that runs straight, else above where it starts."""
        half = labels.width(label, 9) / 2
        if self.upright:
            middle = (a.y + b.y) / 2 if abs(a.x - b.x) < 1 else a.y - 8 if b.y < a.y else a.y + 8
            return Point(a.x + half + 6, middle)
        if abs(a.y - b.y) < 1:
            return Point((a.x + b.x) / 2, a.y + 8)
        return Point(a.x + (half + 2 if b.x > a.x else -half - 2), a.y + (7 if b.y < a.y else -7))

    def add_below(self, column: PlacedColumn) -> None:
        """Something that belongs to no step, such as a legend, under everything else."""
        column.dx, column.dy = self.low.x, self.low.y - GUTTER / 2 - column.template.height
        self.columns.append(column)
        self.low = Point(self.low.x, column.dy)
        self.high = Point(max(self.high.x, column.dx + column.template.width), self.high.y)

    def crossing(self, column: PlacedColumn) -> Iterator[tuple[Arrow, Curve]]:
        for arrow, tail_column, tail_end, head_column, head_end in column.content.crossing:
            start = self.columns[tail_column].end(tail_end)
            finish = self.columns[head_column].end(head_end)
            curve = start.then(finish, upright=self.upright)
            if arrow.label:
                curve = curve._replace(label=self._beside(start.points[-1], finish.points[0], arrow.label))
            yield arrow, curve


def place(scene: Scene, provider: Provider) -> Placed:
    """A place for every box and a curve for every arrow."""
    contents = contents_of(scene)
    alike: dict[object, list[Content]] = {}
    for content in contents:
        alike.setdefault(content.signature(), []).append(content)
    kinds: dict[object, tuple[int, Template]] = {}
    for number, (signature, group) in enumerate(alike.items()):
        kinds[signature] = (number, provider(_widest(group), scene))
    placed: list[PlacedColumn] = []
    for content in contents:
        kind, template = kinds[content.signature()]
        placed.append(PlacedColumn(content, template, len(placed), kind, 0.0, 0.0))
    _face_neighbours(placed, scene)
    _line_up(placed, scene)
    whole = Placed(placed, Point(0, 0), Point(0, 0), scene.downwards)
    corners = list(_corners(whole))
    whole.low = Point(min(p.x for p in corners), min(p.y for p in corners))
    whole.high = Point(max(p.x for p in corners), max(p.y for p in corners))
    return whole


def _corners(placed: Placed) -> Iterator[Point]:
    """Of all that is painted: lines, labels, and boxes that face a neighbour may stand out of their column."""
    known: dict[int, tuple[Point, Point]] = {}
    for column in placed.columns:
        if column.kind not in known:
            known[column.kind] = column.template.corners()
        for corner in known[column.kind]:
            yield corner.moved(column.dx, column.dy)
        arrows = [*column.content.arrows, *(crossing.arrow for crossing in column.content.crossing)]
        if any(arrow.label for arrow in arrows):
            for arrow, curve in (*column.arrows(), *placed.crossing(column)):
                if arrow.label and curve.label:
                    half = labels.width(arrow.label, 9) / 2
                    yield curve.label.moved(-half, -6)
                    yield curve.label.moved(half, 6)


def _face_neighbours(placed: list[PlacedColumn], scene: Scene) -> None:
    """Initial states stand right where they enter the first step; a gap is as high as what flows through it."""
    for number, column in enumerate(placed):
        content = column.content
        if [box.role for box in content.boxes] == ["gap"]:
            _face_both(column, placed[max(number - 1, 0) : number + 2], scene.downwards)
            column.kind = -1 - number
            continue
        if content.title or content.inner or any(not end.outgoing for end in content.ends):
            continue
        heights: dict[int, float] = {}
        for neighbour in placed[max(number - 1, 0) : number + 2]:
            for _, i, tail_end, j, head_end in neighbour.content.crossing:
                if placed[i] is column and placed[j].template.ends:
                    port = placed[j].template.ends[head_end].points[0]
                    heights[content.ends[tail_end].slot] = port.x if scene.downwards else port.y
        if not heights or set(heights) != set(range(len(content.boxes))):
            continue
        old = column.template
        column.template = new = Template(old.width, old.height, list(old.boxes), list(old.frames), [], list(old.ends))
        free = min(heights.values()) - 1e9
        for slot in sorted(heights, key=heights.__getitem__):
            x, y, width, height = old.boxes[slot]
            size = width if scene.downwards else height
            middle = max(heights[slot], free + size / 2)
            free = middle + size / 2 + 8
            new.boxes[slot] = Rect(middle, y, width, height) if scene.downwards else Rect(x, middle, width, height)
            for k, end in enumerate(content.ends):
                if end.slot == slot:
                    new.ends[k] = _straight_out(new.boxes[slot], end.forward, old, scene.downwards)
        column.kind = -1 - number


def _face_both(gap: PlacedColumn, neighbours: list[PlacedColumn], downwards: bool) -> None:
    """Let what leads into a gap and out of it do so where the neighbours' ports are."""
    across = 0 if downwards else 1
    old, (rect,) = gap.template, gap.template.boxes
    ports: dict[int, float] = {}
    for neighbour in neighbours:
        for crossing in neighbour.content.crossing:
            for mine, theirs, column, last in (
                (crossing.tail_end, crossing.head_end, crossing.head_column, 0),
                (crossing.head_end, crossing.tail_end, crossing.tail_column, -1),
            ):
                other = next((each for each in neighbours if each.number == column and each is not gap), None)
                own = crossing.tail_column if last == 0 else crossing.head_column
                if other is not None and own == gap.number:
                    ports[mine] = other.template.ends[theirs].points[last][across]
    if len(ports) != len(gap.content.ends):
        return
    low, high = min(ports.values()), max(ports.values())
    extent = max(high - low + 24, rect.width if downwards else rect.height)
    middle = (low + high) / 2
    box = Rect(middle, rect.y, extent, rect.height) if downwards else Rect(rect.x, middle, rect.width, extent)
    gap.template = Template(old.width, old.height, [box], list(old.frames), [], list(old.ends))
    for number, end in enumerate(gap.content.ends):
        at = ports[number]
        point = Rect(at, box.y, 0, box.height) if downwards else Rect(box.x, at, box.width, 0)
        line = _straight_out(point, end.forward, old, downwards)
        gap.template.ends[number] = line if end.outgoing else Curve(line.points[::-1])


def _straight_out(rect: Rect, forward: bool, template: Template, downwards: bool) -> Curve:
    """From the side of a box straight to the border of its column."""
    if downwards:
        y = 0.0 if forward else template.height
        start, end = Point(rect.x, rect.y + (-1 if forward else 1) * rect.height / 2), Point(rect.x, y)
    else:
        x = template.width if forward else 0.0
        start, end = Point(rect.x + (1 if forward else -1) * rect.width / 2, rect.y), Point(x, rect.y)
    return Curve((start, start, end, end))


def contents_of(scene: Scene) -> list[Content]:
    """The scene, divided into its columns."""
    contents = [Content(column.title) for column in scene.columns]
    where: dict[str, tuple[int, int]] = {}
    for box in scene.boxes:
        boxes = contents[box.column].boxes
        where[box.id] = (box.column, len(boxes))
        boxes.append(box)
    shared: dict[Inner, Inner] = {}
    prefixes = [f"{column.id}." for column in scene.columns]
    for arrow in scene.arrows:
        (i, tail), (j, head) = where[arrow.tail], where[arrow.head]
        if i == j:
            contents[i].arrows.append(arrow)
            inner = Inner(tail, head, arrow.role, arrow.label)
            contents[i].inner.append(shared.setdefault(inner, inner))
            continue
        key = arrow.port or arrow.tail.removeprefix(prefixes[i])
        out = contents[i].end(End(j > i, True, key, tail))
        into = contents[j].end(End(i > j, False, key, head))
        contents[max(i, j)].crossing.append(Crossing(arrow, i, out, j, into))
    return contents


def _widest(group: list[Content]) -> Content:
    """A column to lay out for all that look alike: with the longest words that any of them has."""
    first = group[0]
    if len(group) == 1:
        return first
    boxes = []
    for slot, box in enumerate(first.boxes):
        rows = zip(*(content.boxes[slot].texts for content in group), strict=True)
        texts = tuple(Text(max((text.text for text in row), key=_width), row[0].style) for row in rows)
        boxes.append(Box(box.id, box.role, texts, box.column, box.place, box.block, box.lane))
    inner = [
        arrow._replace(label=max((content.inner[number].label for content in group), key=_width))
        for number, arrow in enumerate(first.inner)
    ]
    return Content(first.title, boxes, first.arrows, inner, first.ends)


def _width(text: str) -> float:
    return labels.width(text, 1)


def _line_up(placed: list[PlacedColumn], scene: Scene) -> None:
    """One column beside the other: framed ones with their tops in a row, others so that what flows flows straight."""
    wide = [0.0 if scene.downwards else labels.width(c.arrow.label, 9) for p in placed for c in p.content.crossing]
    gutter = max([GUTTER * (0.7 if scene.upwards else 1), *(width + 16 for width in wide)])
    across = 0 if scene.downwards else 1
    at = 0.0
    for column in placed:
        if scene.downwards:
            column.dy = at = at - column.template.height
            at -= gutter
        else:
            column.dx = at
            at += column.template.width + gutter
    framed = [] if scene.upwards else [number for number, column in enumerate(placed) if column.content.title]
    for number in framed:
        placed[number].shift(across, 0.0 if scene.downwards else -placed[number].template.height)
    first = framed[0] if framed else 0
    for number in (*range(first - 1, -1, -1), *range(first + 1, len(placed))):
        if number in framed:
            continue
        before = number > first
        column, neighbour = placed[number], placed[number - 1 if before else number + 1]
        if before:
            column.shift(across, neighbour.across(across) + _offset(neighbour, column, across))
        else:
            column.shift(across, neighbour.across(across) - _offset(column, neighbour, across))


def _offset(column: PlacedColumn, following: PlacedColumn, across: int) -> float:
    """How far the next column is to be moved for its ports to meet those of the column before."""
    if column.kind == following.kind or column.template.boxes == following.template.boxes:
        return 0.0
    apart = [
        column.template.ends[a].points[-1 if end.outgoing else 0][across]
        - following.template.ends[b].points[-1 if to.outgoing else 0][across]
        for crossing in following.content.crossing
        for a, b in [_left_and_right(crossing)]
        for end, to in [(column.content.ends[a], following.content.ends[b])]
    ]
    if apart:
        return float(median(apart))
    sizes = [each.template.height if across else each.template.width for each in (column, following)]
    return (sizes[0] - sizes[1]) / 2


def _left_and_right(crossing: Crossing) -> tuple[int, int]:
    """The numbers of a crossing's ends in the earlier and in the later of its columns."""
    forward = crossing.tail_column < crossing.head_column
    return (crossing.tail_end, crossing.head_end) if forward else (crossing.head_end, crossing.tail_end)
