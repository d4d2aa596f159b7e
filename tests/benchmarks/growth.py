"""How time grows with T, N, H and nodes: fitted exponents, and small plots of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.benchmarks.lines import Line, Plan, once
from tinygrad_lstm.pages.plot import Series, log_plot
from tinygrad_lstm.pages.theme import MUTED

NUMBERS = {
    "T": (25, 50, 100, 200, 400, 800),
    "N": (8, 16, 32, 64, 128),
    "H": (32, 64, 128, 256),
    "nodes": (1000, 2000, 4000, 8000, 16000),
}
AT_MOST = {"T": 1.1, "N": 1.1, "H": 2.1, "nodes": 1.1}
"""Exponents: the work is linear in T, N and nodes, quadratic in H, and fixed costs only make it less."""

Curves = dict[str, dict[str, list[tuple[float, float]]]]


def growing(plan: Plan, curves: Curves) -> Iterator[Line]:
    """Measure; each curve is added to ``curves``, as points (number, milliseconds)."""
    for what, numbers in NUMBERS.items():
        if not plan.wants(f"growth with {what}"):
            continue
        found: dict[str, list[tuple[float, float]]] = {}
        for number in numbers[:3] if plan.quick else numbers:
            for name, seconds in once("growth", what, number).items():
                if isinstance(seconds, float) and np.isfinite(seconds) and name not in ("seconds", "error"):
                    found.setdefault(name, []).append((number, 1e3 * seconds))
        curves[what] = found
        for name, points in found.items():
            beside = ", ".join(f"{n:,.0f}: {ms:.3g} ms" for n, ms in (points[0], points[-1]))
            yield Line(f"growth with {what}, {name}, exponent", exponent(points), "", AT_MOST[what], beside=beside)


def exponent(points: list[tuple[float, float]]) -> float:
    """The slope of the line through the logarithms, by least squares, over the larger half of the points."""
    last = points[-max(3, (len(points) + 1) // 2) :]
    xs, ys = (np.log(column) for column in zip(*last, strict=True))
    return float(np.polyfit(xs, ys, 1)[0]) if len(last) > 1 else np.nan


def drawn(curves: Curves, caption: list[str]) -> str:
    """The plots beside each other, and below them what they were measured on, as SVG."""
    width, height, rows = 330, 240, 16
    svgs = []
    for k, (what, found) in enumerate(curves.items()):
        lines = [
            Series(points, name=f"{name}: {what}^{exponent(points):.2f}", marker="circle", dashes="" if j else "4 3")
            for j, (name, points) in enumerate(found.items())
            if points
        ]
        if not lines:
            continue
        label = f"Milliseconds of forward and backward for several {what}."
        plot = log_plot(lines, title=what, across=what, upwards="ms", label=label, size=(width, height))
        svgs.append(plot.replace("<svg ", f'<svg x="{width * (k % 2)}" y="{height * (k // 2)}" ', 1))
    below = height * ((len(curves) + 1) // 2)
    texts = [
        f'<text x="8" y="{below + rows * (n + 1)}" font-size="11" fill="{MUTED}">{_escaped(line)}</text>'
        for n, line in enumerate(caption)
    ]
    total = below + rows * (len(caption) + 1)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * width}" height="{total}" font-family="sans-serif">'
    return "\n".join([opening, *svgs, *texts, "</svg>", ""])


def _escaped(text: Any) -> str:
    return str(text).replace("&", "&amp;").replace("<", "&lt;")
