"""The convergence plot: on logarithmic axes a right gradient falls by three decades per decade, a wrong one by one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...pages.theme import FADED, FONT, GRADIENT, INK, MUTED, PAPER, STYLED, dark_style
from ..oracles.convergence import Convergence

WIDTH, HEIGHT = 300, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 34, 44

RIGHT_COLOUR, WRONG_COLOUR = "#009e73", GRADIENT
TURNS = 2.5
"""The order above which it is called right."""

Point = tuple[float, float]


class _Axis(NamedTuple):
    """Decades, and where they are."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def decades(self) -> Iterator[int]:
        step = max(1, math.ceil((self.high - self.low) / 5))
        return (n for n in range(math.ceil(self.low), math.floor(self.high) + 1) if n % step == 0)


def plot(curve: Convergence, *, standalone: bool = True) -> str:
    """The plot as SVG. Not ``standalone``, it is for a page that has the dark colours already.

    >>> import tinygrad_lstm as tl
    >>> plot(tl.testing.taylor_test(tl.tanh, [0.5]))[:4]
    '<svg'
    """
    points = [(h, left) for h, left in zip(curve.steps, curve.remainders, strict=True) if 0 < left < math.inf]
    floor = [(h, low) for h, low in zip(curve.steps, curve.floor, strict=True) if 0 < low < math.inf]
    order = curve.order
    good = order is None or order > TURNS
    heights = [math.log10(y) for _, y in [*points, *floor]] or [-16.0, 0.0]
    x = _Axis(math.log10(min(curve.steps)) - 0.2, math.log10(max(curve.steps)) + 0.2, LEFT, WIDTH - RIGHT)
    y = _Axis(min(heights) - 0.5, max(heights) + 0.5, HEIGHT - BOTTOM, TOP)
    colour = RIGHT_COLOUR if good else WRONG_COLOUR
    title = "nothing is left but rounding" if order is None else f"order {order:.1f}: {'right' if good else 'wrong'}"
    parts = [
        _text(WIDTH / 2, 18, title, INK, 13, "middle"),
        *(_grid(x, y)),
        _line(((x(h), y(v)) for h, v in floor), MUTED, "2 3"),
        *(_text(x.end - 2, y(v) - 4, "rounding", MUTED, 10, "end") for _, v in floor[:1]),
        *_slopes(x, y, points, order),
        _line(((x(h), y(v)) for h, v in points), colour),
        *(f'<circle cx="{x(h):.1f}" cy="{y(v):.1f}" r="2.6" fill="{colour}"/>' for h, v in points),
    ]
    label = f"Taylor test, {title}: what is left, over the step, on logarithmic axes"
    style = f"<style>{dark_style()}</style>" if standalone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{STYLED}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{label}" font-family="{FONT}, sans-serif">{style}'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>{"".join(parts)}</svg>'
    )


def _grid(x: _Axis, y: _Axis) -> Iterator[str]:
    for n in x.decades():
        yield _line([(x(10.0**n), y.start), (x(10.0**n), y.end)], FADED, width=0.6)
        yield _text(x(10.0**n), y.start + 14, _power(n), MUTED, 10, "middle")
    for n in y.decades():
        yield _line([(x.start, y(10.0**n)), (x.end, y(10.0**n))], FADED, width=0.6)
        yield _text(x.start - 5, y(10.0**n) + 3.5, _power(n), MUTED, 10, "end")
    yield _text((x.start + x.end) / 2, HEIGHT - 8, "step h", MUTED, 11, "middle")
    middle = (y.start + y.end) / 2
    yield f'<g transform="rotate(-90 12 {middle:.1f})">{_text(12, middle, "what is left", MUTED, 11, "middle")}</g>'


def _slopes(x: _Axis, y: _Axis, points: list[Point], order: float | None) -> Iterator[str]:
    """How h³ and h would fall from where the largest step stands."""
    if order is None:
        return
    h0, v0 = points[0]
    for power, name, right, down in ((1, "h", 0, -8), (3, "h³", 8, 8)):
        falling = [(h, v0 * (h / h0) ** power) for h, _ in points]
        seen = [(x(h), y(v)) for h, v in falling if y.low <= math.log10(v) <= y.high]
        if len(seen) > 1:
            yield _line(seen, MUTED, "6 4")
            across, height = seen[len(seen) * 2 // 3]
            yield _text(across + right, height + down, name, MUTED, 11, "start")


def _line(points: Iterable[Point], colour: str, dashes: str = "", width: float = 1.4) -> str:
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'


def _text(x: float, y: float, words: str, colour: str, size: int, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" text-anchor="{anchor}">{words}</text>'


def _power(n: int) -> str:
    return "10" + str(n).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
