"""Columns side by side, and what faces them: initial states, and gaps."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from .. import labels
from ..scene import Scene
from .geometry import ARROWHEAD, Curve, End, Point, Rect
from .model import GUTTER, PlacedColumn

CLEAR = 12.0
"""Points between a line and what it passes by; chosen by eye."""

APART = 8.0
"""Points at least from one to the next of what faces a line; chosen by eye."""


def align_columns(placed: list[PlacedColumn], scene: Scene) -> None:
    """Place one column beside the other: steps in a row, others so that what flows flows straight."""
    steps = [column for column in placed if column.content.title]
    for column in steps:
        height = _first_cell(column) if scene.upwards else 0.0 if scene.downwards else column.template.height
        column.dy = -(height or 0.0)
    level = {column.number for column in steps if not scene.upwards or _first_cell(column) is not None}
    for column in placed:
        if [box.role for box in column.content.boxes] == ["gap"]:
            _face_both(column, placed)
        elif not column.content.title:
            _face_neighbours(column, placed)
    words = [] if scene.downwards else [c.arrow.label for column in placed for c in column.content.crossing]
    gutter = max([GUTTER * (0.7 if scene.upwards else 1), *(labels.width(label, scene.small) + 12 for label in words)])
    at = 0.0
    for column in placed:
        column.dx = at
        at += column.template.width + gutter
    first = min(level, default=0)
    for number in range(first - 1, -1, -1):
        placed[number].dy = placed[number + 1].dy - _offset(number, placed)
    for number in range(first + 1, len(placed)):
        if number not in level:
            bound = {other for _, other, _ in _opposite(placed[number], placed)}
            if bound == {number + 1} and number + 1 in level:
                placed[number].dy = placed[number + 1].dy - _offset(number, placed)
            else:
                placed[number].dy = placed[number - 1].dy + _offset(number - 1, placed)
    _let_pass(placed)
    if scene.upwards:
        _caption_in_one_row(steps)
        for column in reversed(placed):
            column.dy -= placed[0].dy


def _let_pass(placed: list[PlacedColumn]) -> None:
    """Lower what stands between two steps below the lines that pass it by."""
    for column in placed:
        for arrow in column.content.crossing:
            first, last = sorted((arrow.tail_column, arrow.head_column))
            low = placed[arrow.tail_column].dy + placed[arrow.tail_column].port(arrow.tail_end)
            low = min(low, placed[arrow.head_column].dy + placed[arrow.head_column].port(arrow.head_end))
            for passed in placed[first + 1 : last]:
                top = max((rect.y + rect.height / 2 for rect in passed.template.boxes), default=0.0)
                if not passed.content.title and top + passed.dy > low - CLEAR:
                    passed.dy = low - CLEAR - top


def _caption_in_one_row(steps: list[PlacedColumn]) -> None:
    """Lower the captions of steps that do not reach as far down as others."""
    lowest = min((column.dy for column in steps), default=0.0)
    lowered: dict[tuple[int, float], PlacedColumn] = {}
    for column in steps:
        like = lowered.setdefault((column.kind, lowest - column.dy), column)
        if like is column and lowest < column.dy:
            captions = [
                frame._replace(rect=frame.rect.moved(0, lowest - column.dy)) if frame.kind == "time" else frame
                for frame in column.template.frames
            ]
            column.template, column.kind = replace(column.template, frames=captions), -1 - column.number
        elif like is not column:
            column.template, column.kind = like.template, like.kind


def _first_cell(column: PlacedColumn) -> float | None:
    """Return how high in its column the first cell stands, or without cells the first module."""
    for roles in (("cell",), ("module",)):
        for box, rect in zip(column.content.boxes, column.template.boxes, strict=True):
            if box.block or box.role in roles:
                return rect.y
    return None


def _offset(number: int, placed: list[PlacedColumn]) -> float:
    """Return how far the next column is to be moved for its ports to meet those of the column of that number."""
    column, following = placed[number], placed[number + 1]
    if column.kind == following.kind or column.template.boxes == following.template.boxes:
        return 0.0
    apart = [height - following.port(end) for end, other, height in _opposite(following, placed) if other == number]
    return float(median(apart)) if apart else (column.template.height - following.template.height) / 2


def _opposite(column: PlacedColumn, placed: list[PlacedColumn]) -> list[tuple[End, int, float]]:
    """Return the ends of arrows to neighbours, in which columns the other ends are, and how high the ports there."""
    around = placed[max(column.number - 1, 0) : column.number + 2]
    columns = {each.number: each for each in around}
    found = []
    for neighbour in around:
        for _, i, tail_end, j, head_end, _ in neighbour.content.crossing:
            if i == column.number and j in columns:
                found.append((tail_end, j, columns[j].port(head_end)))
            if j == column.number and i in columns:
                found.append((head_end, i, columns[i].port(tail_end)))
    return found


def _faced(column: PlacedColumn, placed: list[PlacedColumn]) -> list[tuple[End, int, float]]:
    """Return the same with the neighbours where they stand beside each other, from the bottom of the lower one."""
    opposite = _opposite(column, placed)
    low = min((placed[number].dy for _, number, _ in opposite), default=0.0)
    return [(end, number, height + placed[number].dy - low) for end, number, height in opposite]


def _face_neighbours(column: PlacedColumn, placed: list[PlacedColumn]) -> None:
    """Place initial states right where they enter the first step, and what the last one leaves right where it does."""
    content = column.content
    bound = {slot for arrow in content.inner for slot in (arrow.tail, arrow.head)}
    bound |= {end.slot for end in content.ends if not end.outgoing and content.boxes[end.slot].role != "stub"}
    opposite = _faced(column, placed)
    coming = [end for end in content.ends if not end.outgoing]
    coming = [end for end in coming if end.slot in bound] or coming  # what only ends here follows its line
    entering = [height - column.port(end) for end, _, height in opposite if end in coming]
    level = column.template.moved(0, median(entering) if entering else 0.0)  # what comes in comes in straight
    wanted = {end.slot: height for end, _, height in opposite if end.slot not in bound}
    ceiling = float("inf")
    fixed = sorted((level.boxes[each] for each in bound), key=lambda rect: -rect.y)
    order = sorted(wanted, key=wanted.__getitem__, reverse=True)
    for number, slot in enumerate(order):
        rect = level.boxes[slot]
        rect = rect._replace(y=min(wanted[slot], ceiling - rect.height / 2))
        for other in fixed:
            if _overlap(rect, other):  # as near as can be without standing on each other
                way = 1 if wanted[slot] > other.y else -1
                rect = rect._replace(y=other.y + way * ((other.height + rect.height) / 2 + APART))
                if way > 0:
                    _raise(level.boxes, order[:number], rect.y + rect.height / 2 + APART)
        ceiling = rect.y - rect.height / 2 - APART
        level.boxes[slot] = rect
    if not wanted or any(_overlap(level.boxes[slot], level.boxes[other]) for slot in wanted for other in bound):
        return
    for end in content.ends:
        if end.slot in wanted:
            level.ends[end] = _straight(level.boxes[end.slot], end, level.width)
    level.frames.clear()
    column.template, column.kind = level, -1 - column.number


def _raise(boxes: list[Rect], slots: list[int], floor: float) -> None:
    """Raise boxes, of which the last is the lowest, off something that reaches so high, and off each other."""
    for slot in reversed(slots):
        rect = boxes[slot]
        boxes[slot] = rect._replace(y=max(rect.y, floor + rect.height / 2))
        floor = boxes[slot].y + rect.height / 2 + APART


def _overlap(a: Rect, b: Rect) -> bool:
    """Tell whether two boxes stand on each other, or nearly so."""
    return abs(a.x - b.x) < (a.width + b.width) / 2 + 8 and abs(a.y - b.y) < (a.height + b.height) / 2 + 2


def _face_both(gap: PlacedColumn, placed: list[PlacedColumn]) -> None:
    """Let what leads into a gap and out of it do so where the neighbours' ports are."""
    gap.kind = -1 - gap.number
    template = gap.template.moved(0, 0)
    heights = {end: height for end, _, height in _faced(gap, placed)}
    if not heights or len(heights) != len(gap.content.ends):
        return
    low, high = min(heights.values()), max(heights.values())
    (rect,) = template.boxes
    box = rect._replace(y=(low + high) / 2, height=max(high - low + 24, rect.height))
    template.boxes = [box]
    for end in gap.content.ends:
        line = _straight_out(Rect(box.x, heights[end], box.width, 0), end.forward, template.width)
        template.ends[end] = line if end.outgoing else Curve(line.points[::-1])
    gap.template = template


def _straight(rect: Rect, end: End, width: float) -> Curve:
    """Lead straight from the side of a box to the border of its column, or from there to the box."""
    if end.outgoing:
        return _straight_out(rect, end.forward, width)
    border, box = _straight_out(rect, end.forward, width).points[::-3]
    tip = box
    box = box.moved(ARROWHEAD if end.forward else -ARROWHEAD, 0)
    return Curve((border, border, box, box), tip)


def _straight_out(rect: Rect, forward: bool, width: float) -> Curve:
    """Lead from the side of a box straight to the border of its column."""
    start = Point(rect.x + (1 if forward else -1) * rect.width / 2, rect.y)
    end = Point(width if forward else 0.0, rect.y)
    return Curve((start, start, end, end))
