"""The plot of vanishing gradients: how much of the last guess's loss is felt t steps earlier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle

from ..pages.plot import Series, log_plot
from ..pages.theme import ON_PAGES

SIZE = (600, 300)
"""Width and height in pixels; chosen: PLOTTED markers do not touch."""

LOOKS = (
    Series((), colour=ON_PAGES["series0"], marker="circle"),
    Series((), colour=ON_PAGES["now"], dashes="6 3", marker="square"),
    Series((), colour=ON_PAGES["series2"], dashes="2 3"),
)
"""What the line of each model looks like, in turn: one can do without the colour."""


def gradient_plot(norms: Mapping[str, Sequence[float]]) -> str:
    """Draw ‖∂L/∂s_t‖ of states over the distance from the loss, a line for each model, on a log scale; return SVG text.

    >>> gradient_plot({"LSTM": [0.1, 0.5, 1.0], "RNN": [0.0, 0.01, 1.0]})[:4]
    '<svg'
    """
    lines = []
    for (name, values), look in zip(norms.items(), cycle(LOOKS), strict=False):
        points = [(t - len(values) + 1, norm) for t, norm in enumerate(values)]
        lines.append(replace(look, points=points, name=_named(name, values)))
    return log_plot(
        lines,
        title="How far back the last guess is felt",
        across="time step, counted back from the loss",
        upwards="‖∂L/∂sₜ‖, s the state",
        label=f"The norm of the gradient over time, for {' and '.join(norms)}, on a logarithmic scale",
        log_across=False,
        size=SIZE,
    )


def _named(name: str, norms: Sequence[float]) -> str:
    """Return the name, and how many of its norms a logarithmic scale does not have."""
    missing = {"0": sum(norm == 0 for norm in norms), "not finite": sum(not math.isfinite(norm) for norm in norms)}
    parts = [f"{what} at {count} step{'s' if count > 1 else ''}" for what, count in missing.items() if count]
    return f"{name} ({', '.join(parts)})" if parts else name
