"""Columns: lay out one time step, and repeat it.

The unrolled chain repeats itself. Columns that look alike share one layout, so the time a picture takes grows with the
number of different steps, of which there are few, and not with their number. Arrows from one column to the next meet at
ports on their borders and cross what lies between by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from .. import labels
from ..scene import Box, Scene, Text
from .alignment import align_columns
from .cell_layout import cell_layout
from .geometry import End, Point, Template
from .model import Content, Crossing, Inner, Placed, PlacedColumn

Provider = Callable[[Content, Scene], Template]


def place(scene: Scene, provider: Provider) -> Placed:
    """Find a place for every box and a curve for every arrow.

    Columns are laid out and aligned with time from left to right, and turned in the end where it runs downwards.
    """
    contents = contents_of(scene)
    signatures = [content.signature() for content in contents]
    alike: dict[tuple[object, ...], list[Content]] = {}
    same_boxes: dict[object, list[Content]] = {}
    for content, signature in zip(contents, signatures, strict=True):
        alike.setdefault(signature, []).append(content)
        same_boxes.setdefault(signature[1], []).append(content)
    words = {boxes: _widest_boxes(group) for boxes, group in same_boxes.items()}
    widest = {signature: _widest(group, words[signature[1]]) for signature, group in alike.items()}
    levels = _levels(widest.values(), scene)
    templates = {signature: provider(replace(content, levels=levels), scene) for signature, content in widest.items()}
    kinds = {signature: kind for kind, signature in enumerate(alike)}
    placed = [
        PlacedColumn(content, templates[signature], number, kinds[signature])
        for number, (content, signature) in enumerate(zip(contents, signatures, strict=True))
    ]
    align_columns(placed, scene)
    if scene.downwards:
        turned: dict[int, Template] = {}
        for column in placed:
            column.dx, column.dy = column.dy, -column.dx - column.template.width
            if column.kind not in turned:
                turned[column.kind] = column.template.turned(1)
            column.template = turned[column.kind]
    whole = Placed(placed, Point(0, 0), Point(0, 0), scene.downwards, scene.small)
    whole.low, whole.high = bounds(whole)
    return whole


def bounds(placed: Placed) -> tuple[Point, Point]:
    """Return the lower left and the upper right corner of all that is painted."""
    xs, ys = zip(*_corners(placed), strict=True)
    return Point(min(xs), min(ys)), Point(max(xs), max(ys))


def _corners(placed: Placed) -> Iterator[Point]:
    """Yield corners of all that is painted: lines, labels and boxes may stand out of their column."""
    known: dict[int, tuple[Point, Point]] = {}
    for column in placed.columns:
        if column.kind not in known:
            known[column.kind] = column.template.corners()
        for corner in known[column.kind]:
            yield corner.moved(column.dx, column.dy)
        rows = {
            placed.columns[at].row for line in column.content.crossing for at in (line.tail_column, line.head_column)
        }
        broken = len(rows) > 1
        lines = list(zip(column.content.arrows, column.template.inner, strict=True))
        written = [(arrow.label, curve.label.moved(column.dx, column.dy)) for arrow, curve in lines if curve.label]
        if broken or any(line.arrow.label for line in column.content.crossing):
            for arrow, curve in placed.crossing(column):
                yield from curve.points if broken else ()
                written += [(arrow.label, at) for at in (curve.label, curve.again) if at]
        for label, at in written:
            half = labels.width(label, placed.small) / 2
            if label:
                yield at.moved(-half, -6)
                yield at.moved(half, 6)


def contents_of(scene: Scene) -> list[Content]:
    """Return what stands in each column of the scene."""
    contents = [Content(column.title) for column in scene.columns]
    where: dict[str, tuple[int, int]] = {}
    for box in scene.boxes:
        boxes = contents[box.column].boxes
        where[box.id] = (box.column, len(boxes))
        boxes.append(box)
    prefixes = [f"{column.id}." for column in scene.columns]
    said: dict[tuple[object, ...], list[tuple[str, int]]] = {}  # where lines leave: labels, and to where
    for arrow in scene.arrows:
        (i, tail), (j, head) = where[arrow.start], where[arrow.end]
        if i == j:
            contents[i].arrows.append(arrow)
            contents[i].inner.append(Inner(tail, head, arrow.role, arrow.label))
            continue
        key = arrow.port or arrow.start.removeprefix(prefixes[i])
        out, into = End(j > i, True, key, tail), End(i > j, False, key, head)
        contents[i].ends[out] = contents[j].ends[into] = None
        written = said.setdefault((i, *out.port), [])
        if arrow.role != "gradient" and any(label == arrow.label for label, _ in written):
            arrow = replace(arrow, label="")  # where lines part they say it once, but for each contribution
        above = sum(to != j for _, to in written) if arrow.label else 0
        if arrow.label:
            written.append((arrow.label, j))
        contents[max(i, j)].crossing.append(Crossing(arrow, i, out, j, into, above))
    return contents


def _levels(contents: Iterable[Content], scene: Scene) -> dict[str, dict[str, float]]:
    """Return how high each row of an opened cell is in any step: one that needs less of it has its belt there too."""
    found: dict[str, dict[str, float]] = {}
    for content in contents:
        blocks = [box.block for box in content.boxes]
        for block in dict.fromkeys(filter(None, blocks)):
            slots = [slot for slot, own in enumerate(blocks) if own == block]
            rows = found.setdefault(block, {})
            for slot, (_, row) in cell_layout(content, slots).items():
                high = labels.size(content.boxes[slot], scene.downwards, scene.small)[1]
                rows[row] = max(rows.get(row, 0.0), high)
    return found


def _widest(group: list[Content], boxes: list[Box]) -> Content:
    """Return a column to lay out for all that look alike: with the longest words that any of them has."""
    first = group[0]
    inner = [
        arrow._replace(label=max((content.inner[number].label for content in group), key=_width))
        for number, arrow in enumerate(first.inner)
    ]
    return Content(max((content.title for content in group), key=_width), boxes, first.arrows, inner, first.ends)


def _widest_boxes(group: list[Content]) -> list[Box]:
    """Return the boxes for columns that differ at most in their arrows, as the first and the last step from others."""
    boxes = []
    for slot, box in enumerate(group[0].boxes):
        rows = zip(*dict.fromkeys(content.boxes[slot].texts for content in group), strict=True)
        texts = tuple(Text(max((text.text for text in row), key=_width), row[0].style) for row in rows)
        boxes.append(Box(box.id, box.role, texts, box.column, box.place, box.block, box.lane))
    return boxes


def _width(text: str) -> float:
    return labels.width(text, 1)
