"""Small plots, with a logarithmic height or one of shares, as SVG that follows light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, NamedTuple

from ..structure.words import clean, shown, superscript
from . import theme
from .offline import ROOM, templates
from .theme import MUTED

Point = tuple[float, float]

LEFT, RIGHT, TOP, BOTTOM = 52, 12, 34, 44
"""Margins of the axes, in pixels; chosen: the numbers and names beside them fit in."""

ROW, LETTER, SWATCH = 16, 7.2, 46.0
"""Of the legend, in pixels: the height of a row, more than a letter takes, and what stands before and behind a name."""

CLOSEST = 7.0
"""The distance of two markers of a line, at least, in pixels; chosen: a marker is 5 wide."""


class Beside(NamedTuple):
    """Where the name of a line stands: how far along what is seen of it, and how far from it."""

    along: float
    right: float = 0.0
    down: float = 0.0
    anchor: str = "start"


@dataclass(frozen=True)
class Series:
    """Points to join; where a number cannot be shown (zero, infinite, NaN) the line is broken.

    The name stands in the legend, or ``beside`` the line. A line for ``reference`` does not widen the axes: it is drawn
    as far as it lies within them. Colours are those of the theme that have a dark one. ``spreads`` are from where to
    where each point may as well lie.
    """

    points: Sequence[Point]
    name: str = ""
    colour: str = MUTED
    dashes: str = ""
    marker: Literal["", "circle", "square"] = ""
    beside: Beside | None = None
    reference: bool = False
    spreads: Sequence[Point] = ()


def slope(power: int, start: Point, xs: Iterable[float]) -> list[Point]:
    """Return how a power of x would go on from where it starts."""
    x0, y0 = start
    return [(x, y0 * (x / x0) ** power) for x in xs]


def log_plot(
    lines: Sequence[Series],
    *,
    title: str,
    across: str,
    upwards: str,
    label: str,
    log_across: bool = True,
    log_upwards: bool = True,
    size: tuple[int, int] = (300, 220),
    standalone: bool = True,
) -> str:
    """Return the plot as SVG text. Its axes are called ``across`` and ``upwards``; a screen reader reads the label.

    Not ``standalone``, it is for a page that has the dark colours already.

    >>> log_plot([Series([(1, 1), (10, 1e-3)])], title="falls", across="h", upwards="left", label="one line")[:4]
    '<svg'
    """
    framing = [point for line in lines if not line.reference for point in line.points if _shows(point[0], log_across)]
    legend, rows = _legend([line for line in lines if line.name and not line.beside], size[0] - LEFT - RIGHT)
    x = (log_axis if log_across else linear_axis)([across for across, _ in framing], LEFT, size[0] - RIGHT)
    ys = [up for _, up in framing if _shows(up, log_upwards)]
    low, high = size[1] - BOTTOM, TOP + ROW * rows
    y = log_axis(ys, low, high, pad=0.5) if log_upwards else linear_axis(ys, low, high)
    words = {"title": title, "across": across, "upwards": upwards, "label": label}
    return _painted(lines, x, y, legend, size, words, standalone)


def share_plot(
    lines: Sequence[Series],
    *,
    title: str,
    across: str,
    upwards: str,
    label: str,
    places: Sequence[float],
    size: tuple[int, int] = (640, 400),
    standalone: bool = True,
) -> str:
    """Return a plot of shares, from 0 to 1, at some places, which bear their number on a logarithmic scale.

    The axes are called ``across`` and ``upwards``; a screen reader reads the label. Not ``standalone``, it is for a
    page that has the dark colours already.

    >>> line = Series([(10, 1.0), (100, 0.2)], name="LSTM", spreads=[(0.7, 1.0), (0.1, 0.5)])
    >>> share_plot([line], title="solved", across="gap", upwards="share", label="one line", places=[10, 100])[:4]
    '<svg'
    """
    legend, rows = _legend([line for line in lines if line.name], size[0] - LEFT - RIGHT)
    at = [math.log10(place) for place in places]
    pad = 0.06 * (max(at) - min(at)) or 0.5
    ticks = tuple((place, shown(number)) for place, number in zip(at, places, strict=True))
    x = Axis(min(at) - pad, max(at) + pad, LEFT, size[0] - RIGHT, ticks, True)
    quarters = tuple((n / 4, f"{25 * n} %") for n in range(5))
    y = Axis(-0.04, 1.04, size[1] - BOTTOM, TOP + ROW * rows, quarters, False)
    words = {"title": title, "across": across, "upwards": upwards, "label": label}
    return _painted(lines, x, y, legend, size, words, standalone)


def _painted(
    lines: Sequence[Series],
    x: Axis,
    y: Axis,
    legend: list[tuple[float, float, Series]],
    size: tuple[int, int],
    words: dict[str, str],
    standalone: bool,
) -> str:
    shown = {"width": size[0], "height": size[1], "x": x, "y": y, "legend": legend}
    drawn = [(*_drawn(line, x, y), _spread(line, x, y)) for line in lines]
    page = templates(ROOM).get_template("plot.svg")
    return page.render(words | shown, drawn=drawn, standalone=standalone, theme=theme)


def _spread(line: Series, x: Axis, y: Axis) -> list[tuple[float, float, float]]:
    """Return where across each spread stands, and from where to where it reaches."""
    places = (x(across) for across, _ in line.points)
    return [(across, y(low), y(high)) for across, (low, high) in zip(places, line.spreads, strict=False)]


class Axis(NamedTuple):
    """An axis from low to high, in decades if it is logarithmic, and where on the paper they are."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool

    def __call__(self, value: float) -> float:
        return self.at(self.place(value))

    def place(self, value: float) -> float:
        """Return where a value lies on the scale: itself, or its decades."""
        return math.log10(value) if self.logarithmic else value

    def at(self, place: float) -> float:
        """Return the pixels of a place on the scale."""
        return self.start + (place - self.low) / (self.high - self.low) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Tell whether a value lies within the axis."""
        return self.low <= self.place(value) <= self.high


def log_axis(values: Sequence[float], start: float, end: float, pad: float = 0.2) -> Axis:
    """Return an axis of decades, of which at least two bear a number."""
    places = [math.log10(value) for value in values] or [-16.0, 0.0]
    pad = max(pad, 0.04 * (max(places) - min(places)))
    low, high = min(places) - pad, max(places) + pad
    if math.floor(high) - math.ceil(low) < 1:
        low = math.ceil(low) - 1.1
    apart = max(1, math.ceil((high - low) / 5))
    decades = (n for n in range(math.ceil(low), math.floor(high) + 1) if n % apart == 0)
    return Axis(low, high, start, end, tuple((n, f"10{superscript(n)}") for n in decades), True)


def linear_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """Return an axis of round numbers; of whole ones if the values are."""
    first, last = min(values, default=0.0), max(values, default=0.0)
    pad = 0.02 * (last - first) or 0.5
    rough = max(last - first, 1e-12) / 8
    unit = 10.0 ** math.floor(math.log10(rough))
    apart = next(unit * n for n in (1, 2, 5, 10) if unit * n >= rough * 0.999)
    if all(float(value).is_integer() for value in values):
        apart = max(1.0, apart)
    ticks = (n * apart for n in range(math.ceil(first / apart - 1e-9), math.floor(last / apart + 1e-9) + 1))
    return Axis(first - pad, last + pad, start, end, tuple((tick, shown(tick)) for tick in ticks), False)


def _shows(value: float, logarithmic: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not logarithmic)


def _drawn(line: Series, x: Axis, y: Axis) -> tuple[Series, list[list[Point]], list[Point], Point | None]:
    """Return a line with its unbroken pieces, its markers, and where its name stands if that is beside it."""

    def seen(point: Point) -> bool:
        across, up = point
        shown = _shows(across, x.logarithmic) and _shows(up, y.logarithmic)
        return shown and (not line.reference or (x.holds(across) and y.holds(up)))

    stretches = groupby(line.points, seen)
    pieces = [[(x(across), y(up)) for across, up in stretch] for shown, stretch in stretches if shown]
    points = [point for piece in pieces for point in piece]
    if line.reference and len(points) < 2:
        return line, [], [], None
    place = None
    if line.beside and points:
        across, up = points[min(int(len(points) * line.beside.along), len(points) - 1)]
        place = (across + line.beside.right, up + line.beside.down)
    return line, pieces, list(_apart(pieces)) if line.marker else [], place


def _apart(pieces: Sequence[Sequence[Point]]) -> Iterator[Point]:
    """Yield of many points those that leave room for a marker between them; of each piece the first."""
    for piece in pieces:
        last = -math.inf
        for across, up in piece:
            if abs(across - last) >= CLOSEST:
                last = across
                yield across, up


def _legend(lines: Sequence[Series], width: float) -> tuple[list[tuple[float, float, Series]], int]:
    """Return where the entry of each line stands, as many in a row as find room; and how many rows there are."""
    entries: list[tuple[float, float, Series]] = []
    left, rows = math.inf, 0
    for line in lines:
        name = clean(line.name, int((width - SWATCH) / LETTER))
        needed = SWATCH + LETTER * len(name)
        if left + needed > LEFT + width:
            left, rows = LEFT, rows + 1
        entries.append((left, TOP + ROW * (rows - 1), replace(line, name=name)))
        left += needed
    return entries, rows
