"""Spread what is smaller than its place: wider gutters between columns, and more room between what stands in rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from .columns import bounds
from .geometry import Point, Rect, Template
from .model import Placed, PlacedColumn

NARROW = 6.0
"""Points: between boxes that are nearer than this nothing is opened; chosen by eye."""


def spread(placed: Placed, width: float, height: float) -> None:
    """Make a picture that has no legend yet as wide and as high as that, in points, where it can be and is less."""
    if placed.high.x - placed.low.x < width:
        _widen(placed, width)
    placed.low, placed.high = bounds(placed)
    if placed.high.y - placed.low.y < height:
        _heighten(placed, height - (placed.high.y - placed.low.y))
    placed.low, placed.high = bounds(placed)


def _widen(placed: Placed, width: float) -> None:
    """Move the columns of each row apart, all by the same distance, until the widest row is as wide as that."""
    rows = [list(row) for _, row in groupby(placed.columns, key=lambda column: column.row)]
    room = []
    for row in rows:
        ends = [corner.x + column.dx for column in row for corner in column.template.corners()]
        if len(row) > 1:
            room.append(
                (width - (placed.high.x - placed.low.x - max(ends) + min(ends)) - (max(ends) - min(ends)))
                / (len(row) - 1)
            )
    for row in rows if room else ():
        for number, column in enumerate(row):
            column.dx += number * max(min(room), 0.0)


def _heighten(placed: Placed, more: float) -> None:
    """Open what is free of boxes from one side of the picture to the other, all by the same distance."""
    cuts = _free(placed)
    if not cuts:
        return
    each = more / len(cuts)
    known: dict[tuple[int, float], tuple[Template, int]] = {}
    for column in placed.columns:
        key = column.kind, round(column.dy, 3)
        if key not in known:
            known[key] = _opened(column, cuts, each), len(known)
        low = each * sum(cut < column.dy for cut in cuts)
        column.template, column.kind = known[key]
        column.dy += low


def _free(placed: Placed) -> list[float]:
    """Return the middles of what is free, from the lowest to the highest."""
    covered = []
    for column in placed.columns:
        rects = [rect for _, rect in column.boxes()]
        rects += [frame.rect for frame in column.frames() if frame.kind in ("time", "name")]
        covered += [(rect.y - rect.height / 2, rect.y + rect.height / 2) for rect in rects]
    covered.sort()
    found, top = [], covered[0][1]
    for low, high in covered:
        if low > top + NARROW:
            found.append((low + top) / 2)
        top = max(top, high)
    return found


def _opened(column: PlacedColumn, cuts: list[float], each: float) -> Template:
    """Return a column's layout with what is above a cut so much higher than before."""
    own = [cut - column.dy for cut in cuts if cut >= column.dy]

    def up(y: float) -> float:
        return y + each * sum(cut < y for cut in own)

    def box(rect: Rect) -> Rect:
        low, high = up(rect.y - rect.height / 2), up(rect.y + rect.height / 2)
        return Rect(rect.x, (low + high) / 2, rect.width, high - low)

    def point(at: Point) -> Point:
        return Point(at.x, up(at.y))

    frames = [frame._replace(rect=box(frame.rect)) for frame in column.template.frames]
    return replace(
        column.template,
        height=up(column.template.height),
        boxes=list(map(box, column.template.boxes)),
        frames=frames,
        inner=[curve.each(point) for curve in column.template.inner],
        ends={end: curve.each(point) for end, curve in column.template.ends.items()},
    )
