"""Columns side by side, and what faces them: initial states, and gaps."""

from __future__ import annotations

from statistics import median

from .. import labels
from ..scene import Scene
from .geometry import Curve, Point, Rect, Template
from .model import GUTTER, Crossing, PlacedColumn


def align_columns(placed: list[PlacedColumn], scene: Scene) -> None:
    """One column beside the other: framed ones with their tops in a row, others so that what flows flows straight."""
    _face_neighbours(placed, scene)
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
    """Return how far the next column is to be moved for its ports to meet those of the column before."""
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
    """Return the numbers of a crossing's ends in the earlier and in the later of its columns."""
    forward = crossing.tail_column < crossing.head_column
    return (crossing.tail_end, crossing.head_end) if forward else (crossing.head_end, crossing.tail_end)


def _face_neighbours(placed: list[PlacedColumn], scene: Scene) -> None:
    """Place initial states right where they enter the first step; a gap is as high as what flows through it."""
    for number, column in enumerate(placed):
        content = column.content
        if [box.role for box in content.boxes] == ["gap"]:
            _face_both(column, placed[max(number - 1, 0) : number + 2], scene.downwards)
            column.kind = -1 - number
            continue
        if content.title:
            continue
        bound = {slot for arrow in content.inner for slot in (arrow.tail, arrow.head)}
        bound |= {end.slot for end in content.ends if not end.outgoing}
        heights: dict[int, float] = {}
        for neighbour in placed[max(number - 1, 0) : number + 2]:
            for _, i, tail_end, j, head_end in neighbour.content.crossing:
                if placed[i] is column and placed[j].template.ends:
                    port = placed[j].template.ends[head_end].points[0]
                    heights[content.ends[tail_end].slot] = port.x if scene.downwards else port.y
        heights = {slot: height for slot, height in heights.items() if slot not in bound}
        old = _level(column, placed, scene.downwards)
        facing = _one_after_the_other({slot: (height, old.boxes[slot]) for slot, height in heights.items()}, scene)
        if not facing or any(_overlap(rect, old.boxes[slot]) for rect in facing.values() for slot in bound):
            continue
        boxes = [facing.get(slot, rect) for slot, rect in enumerate(old.boxes)]
        ends = [
            _straight_out(facing[end.slot], end.forward, old, scene.downwards) if end.slot in facing else curve
            for end, curve in zip(content.ends, old.ends, strict=True)
        ]
        column.template = Template(old.width, old.height, boxes, [], old.inner, ends)
        column.kind = -1 - number


def _one_after_the_other(wanted: dict[int, tuple[float, Rect]], scene: Scene) -> dict[int, Rect]:
    """Move boxes as near to where they want to be as they can without standing on each other."""
    facing: dict[int, Rect] = {}
    free = float("-inf")
    for slot, (height, (x, y, width, high)) in sorted(wanted.items(), key=lambda item: item[1][0]):
        size = width if scene.downwards else high
        middle = max(height, free + size / 2)
        free = middle + size / 2 + 8
        facing[slot] = Rect(middle, y, width, high) if scene.downwards else Rect(x, middle, width, high)
    return facing


def _level(column: PlacedColumn, placed: list[PlacedColumn], downwards: bool) -> Template:
    """Return the column's layout, moved so that what comes in from the neighbours comes in straight."""
    across, old = 0 if downwards else 1, column.template
    apart = [
        placed[i].template.ends[tail_end].points[-1][across] - old.ends[head_end].points[0][across]
        for _, i, tail_end, j, head_end in column.content.crossing
        if placed[j] is column
    ]
    by = median(apart) if apart else 0.0
    dx, dy = (by, 0.0) if downwards else (0.0, by)
    moved = Template(old.width, old.height, [rect.moved(dx, dy) for rect in old.boxes])
    moved.inner = [curve.moved(dx, dy) for curve in old.inner]
    moved.ends = [curve.moved(dx, dy) for curve in old.ends]
    return moved


def _overlap(a: Rect, b: Rect) -> bool:
    """Tell whether two boxes stand on each other, or nearly so."""
    return abs(a.x - b.x) < (a.width + b.width) / 2 + 8 and abs(a.y - b.y) < (a.height + b.height) / 2 + 8


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
    """Lead from the side of a box straight to the border of its column."""
    if downwards:
        y = 0.0 if forward else template.height
        start, end = Point(rect.x, rect.y + (-1 if forward else 1) * rect.height / 2), Point(rect.x, y)
    else:
        x = template.width if forward else 0.0
        start, end = Point(rect.x + (1 if forward else -1) * rect.width / 2, rect.y), Point(x, rect.y)
    return Curve((start, start, end, end))
