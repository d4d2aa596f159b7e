"""Columns side by side, and what faces them: initial states, and gaps."""

from __future__ import annotations

from statistics import median

from .. import labels
from ..scene import Scene
from .geometry import Curve, Point, Rect, Template
from .model import GUTTER, Crossing, PlacedColumn


def align_columns(placed: list[PlacedColumn], scene: Scene) -> None:
    """Place one column beside the other: framed ones in a row, others so that what flows flows straight."""
    _face_neighbours(placed)
    wide = [0.0 if scene.downwards else labels.width(c.arrow.label, 9) for p in placed for c in p.content.crossing]
    gutter = max([GUTTER * (0.7 if scene.upwards else 1), *(width + 16 for width in wide)])
    at = 0.0
    for column in placed:
        column.dx = at
        at += column.template.width + gutter
    framed = [] if scene.upwards else [number for number, column in enumerate(placed) if column.content.title]
    for number in framed:
        placed[number].dy = 0.0 if scene.downwards else -placed[number].template.height
    first = framed[0] if framed else 0
    for number in (*range(first - 1, -1, -1), *range(first + 1, len(placed))):
        if number in framed:
            continue
        column, before, after = placed[number], placed[number - 1], placed[min(number + 1, len(placed) - 1)]
        column.dy = before.dy + _offset(before, column) if number > first else after.dy - _offset(column, after)


def _offset(column: PlacedColumn, following: PlacedColumn) -> float:
    """Return how far the next column is to be moved for its ports to meet those of the column before."""
    if column.kind == following.kind or column.template.boxes == following.template.boxes:
        return 0.0
    apart = [
        column.template.ends[a].points[-1 if end.outgoing else 0].y
        - following.template.ends[b].points[-1 if to.outgoing else 0].y
        for crossing in following.content.crossing
        for a, b in [_left_and_right(crossing)]
        for end, to in [(column.content.ends[a], following.content.ends[b])]
    ]
    return float(median(apart)) if apart else (column.template.height - following.template.height) / 2


def _left_and_right(crossing: Crossing) -> tuple[int, int]:
    """Return the numbers of a crossing's ends in the earlier and in the later of its columns."""
    forward = crossing.tail_column < crossing.head_column
    return (crossing.tail_end, crossing.head_end) if forward else (crossing.head_end, crossing.tail_end)


def _face_neighbours(placed: list[PlacedColumn]) -> None:
    """Place initial states right where they enter the first step; a gap is as high as what flows through it."""
    for number, column in enumerate(placed):
        content = column.content
        neighbours = placed[max(number - 1, 0) : number + 2]
        if [box.role for box in content.boxes] == ["gap"]:
            _face_both(column, neighbours)
            column.kind = -1 - number
            continue
        if content.title:
            continue
        bound = {slot for arrow in content.inner for slot in (arrow.tail, arrow.head)}
        bound |= {end.slot for end in content.ends if not end.outgoing}
        old = _level(column, placed)
        wanted: dict[int, tuple[float, Rect]] = {}
        for neighbour in neighbours:
            for _, i, tail_end, j, head_end in neighbour.content.crossing:
                slot = content.ends[tail_end].slot if placed[i] is column else -1
                if slot >= 0 and slot not in bound and placed[j].template.ends:
                    wanted[slot] = (placed[j].template.ends[head_end].points[0].y, old.boxes[slot])
        facing = _one_after_the_other(wanted)
        if not facing or any(_overlap(rect, old.boxes[slot]) for rect in facing.values() for slot in bound):
            continue
        boxes = [facing.get(slot, rect) for slot, rect in enumerate(old.boxes)]
        ends = [
            _straight_out(facing[end.slot], end.forward, old.width) if end.slot in facing else curve
            for end, curve in zip(content.ends, old.ends, strict=True)
        ]
        column.template = Template(old.width, old.height, boxes, [], old.inner, ends)
        column.kind = -1 - number


def _one_after_the_other(wanted: dict[int, tuple[float, Rect]]) -> dict[int, Rect]:
    """Move boxes as near to the heights they want as they can get without standing on each other."""
    facing: dict[int, Rect] = {}
    free = float("-inf")
    for slot, (height, rect) in sorted(wanted.items(), key=lambda item: item[1][0]):
        middle = max(height, free + rect.height / 2)
        free = middle + rect.height / 2 + 8
        facing[slot] = rect._replace(y=middle)
    return facing


def _level(column: PlacedColumn, placed: list[PlacedColumn]) -> Template:
    """Return the column's layout, moved so that what comes in from the neighbours comes in straight."""
    old = column.template
    apart = [
        placed[i].template.ends[tail_end].points[-1].y - old.ends[head_end].points[0].y
        for _, i, tail_end, j, head_end in column.content.crossing
        if placed[j] is column
    ]
    by = median(apart) if apart else 0.0
    moved = Template(old.width, old.height, [rect.moved(0, by) for rect in old.boxes])
    moved.inner = [curve.moved(0, by) for curve in old.inner]
    moved.ends = [curve.moved(0, by) for curve in old.ends]
    return moved


def _overlap(a: Rect, b: Rect) -> bool:
    """Tell whether two boxes stand on each other, or nearly so."""
    return abs(a.x - b.x) < (a.width + b.width) / 2 + 8 and abs(a.y - b.y) < (a.height + b.height) / 2 + 8


def _face_both(gap: PlacedColumn, neighbours: list[PlacedColumn]) -> None:
    """Let what leads into a gap and out of it do so where the neighbours' ports are."""
    old, (rect,) = gap.template, gap.template.boxes
    others = {column.number: column for column in neighbours if column is not gap}
    heights: dict[int, float] = {}
    for neighbour in neighbours:
        for _, i, tail_end, j, head_end in neighbour.content.crossing:
            if i == gap.number and j in others:
                heights[tail_end] = others[j].template.ends[head_end].points[0].y
            if j == gap.number and i in others:
                heights[head_end] = others[i].template.ends[tail_end].points[-1].y
    if len(heights) != len(gap.content.ends):
        return
    low, high = min(heights.values()), max(heights.values())
    box = Rect(rect.x, (low + high) / 2, rect.width, max(high - low + 24, rect.height))
    gap.template = Template(old.width, old.height, [box], list(old.frames))
    for number, end in enumerate(gap.content.ends):
        line = _straight_out(Rect(box.x, heights[number], box.width, 0), end.forward, old.width)
        gap.template.ends.append(line if end.outgoing else Curve(line.points[::-1]))


def _straight_out(rect: Rect, forward: bool, width: float) -> Curve:
    """Lead from the side of a box straight to the border of its column."""
    start = Point(rect.x + (1 if forward else -1) * rect.width / 2, rect.y)
    end = Point(width if forward else 0.0, rect.y)
    return Curve((start, start, end, end))
