"""Columns side by side, and what faces them: initial states, and gaps."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from .. import labels
from ..scene import Scene
from .geometry import Curve, End, Point, Rect
from .model import GUTTER, PlacedColumn


def align_columns(placed: list[PlacedColumn], scene: Scene) -> None:
    """Place one column beside the other: framed ones in a row, others so that what flows flows straight."""
    for column in placed:
        if [box.role for box in column.content.boxes] == ["gap"]:
            _face_both(column, placed)
        elif not column.content.title:
            _face_neighbours(column, placed)
    wide = [0.0 if scene.downwards else labels.width(c.arrow.label, 9) for p in placed for c in p.content.crossing]
    gutter = max([GUTTER * (0.7 if scene.upwards else 1), *(width + 16 for width in wide)])
    at = 0.0
    for column in placed:
        column.dx = at
        at += column.template.width + gutter
    framed = [] if scene.upwards else [column.number for column in placed if column.content.title]
    for number in framed:
        placed[number].dy = 0.0 if scene.downwards else -placed[number].template.height
    first = framed[0] if framed else 0
    for number in range(first - 1, -1, -1):
        placed[number].dy = placed[number + 1].dy - _offset(number, placed)
    for number in range(first + 1, len(placed)):
        if number not in framed:
            placed[number].dy = placed[number - 1].dy + _offset(number - 1, placed)
    if scene.upwards:
        _in_one_row(placed)


def _in_one_row(placed: list[PlacedColumn]) -> None:
    """Level the first cells of two steps that are no neighbours, and with the later what nothing connects to before."""
    for before, after in pairwise(column for column in placed if column.content.title):
        reach = placed[before.number + 1 : after.number + 1]
        loose = [c.number for c in reach if not any(c.number - 1 in (i, j) for _, i, _, j, _ in c.content.crossing)]
        if loose or len(reach) > 1:
            by = _first_cell(before) - _first_cell(after)
            for column in placed[min(loose, default=after.number) :]:
                column.dy += by


def _first_cell(column: PlacedColumn) -> float:
    return next((rect.y for box, rect in column.boxes() if box.block or box.role in ("cell", "module")), column.dy)


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
        for _, i, tail_end, j, head_end in neighbour.content.crossing:
            if i == column.number and j in columns:
                found.append((tail_end, j, columns[j].port(head_end)))
            if j == column.number and i in columns:
                found.append((head_end, i, columns[i].port(tail_end)))
    return found


def _face_neighbours(column: PlacedColumn, placed: list[PlacedColumn]) -> None:
    """Place initial states right where they enter the first step."""
    content = column.content
    bound = {slot for arrow in content.inner for slot in (arrow.tail, arrow.head)}
    bound |= {end.slot for end in content.ends if not end.outgoing}
    opposite = _opposite(column, placed)
    entering = [height - column.port(end) for end, _, height in opposite if not end.outgoing]
    level = column.template.moved(0, median(entering) if entering else 0.0)  # what comes in comes in straight
    leaving = {end.slot: height for end, _, height in opposite if end.outgoing}
    wanted = {slot: height for slot, height in leaving.items() if slot not in bound}
    free = float("-inf")
    for slot in sorted(wanted, key=wanted.__getitem__):
        rect = level.boxes[slot]
        middle = max(wanted[slot], free + rect.height / 2)  # as near as can be without standing on each other
        free = middle + rect.height / 2 + 8
        level.boxes[slot] = rect._replace(y=middle)
    if not wanted or any(_overlap(level.boxes[slot], level.boxes[other]) for slot in wanted for other in bound):
        return
    for end in content.ends:
        if end.slot in wanted:
            level.ends[end] = _straight_out(level.boxes[end.slot], end.forward, level.width)
    level.frames.clear()
    column.template, column.kind = level, -1 - column.number


def _overlap(a: Rect, b: Rect) -> bool:
    """Tell whether two boxes stand on each other, or nearly so."""
    return abs(a.x - b.x) < (a.width + b.width) / 2 + 8 and abs(a.y - b.y) < (a.height + b.height) / 2 + 8


def _face_both(gap: PlacedColumn, placed: list[PlacedColumn]) -> None:
    """Let what leads into a gap and out of it do so where the neighbours' ports are."""
    gap.kind = -1 - gap.number
    template = gap.template.moved(0, 0)
    heights = {end: height for end, _, height in _opposite(gap, placed)}
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


def _straight_out(rect: Rect, forward: bool, width: float) -> Curve:
    """Lead from the side of a box straight to the border of its column."""
    start = Point(rect.x + (1 if forward else -1) * rect.width / 2, rect.y)
    end = Point(width if forward else 0.0, rect.y)
    return Curve((start, start, end, end))
