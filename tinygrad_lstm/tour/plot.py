"""The plot of vanishing gradients: how much of the last guess's loss is felt t steps earlier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Literal

from ..pages.plot import Series, log_plot
from ..pages.theme import ON_PAGES

SIZE = (600, 300)

Marker = Literal["circle", "square"]
LOOKS: tuple[tuple[str, str, Marker], ...] = (
    (ON_PAGES["series0"], "", "circle"),
    (ON_PAGES["now"], "6 3", "square"),
)
"""Colour, dashes and marker of each model in turn: one can do without the colour."""


def gradient_plot(norms: Mapping[str, Sequence[float]]) -> str:
    """‖∂L/∂h_t‖ over the distance from the loss, one line per model, on a logarithmic scale; as SVG text.

    >>> gradient_plot({"LSTM": [0.1, 0.5, 1.0], "RNN": [0.0, 0.01, 1.0]})[:4]
    '<svg'
    """
    lines = [
        Series(
            [(t - len(values) + 1, norm) for t, norm in enumerate(values)], _told(name, values), colour, dashes, marker
        )
        for (name, values), (colour, dashes, marker) in zip(norms.items(), cycle(LOOKS), strict=False)
    ]
    return log_plot(
        lines,
        title="How far back the last guess is felt",
        across="time step, counted back from the loss",
        upwards="‖∂L/∂hₜ‖",
        label=f"The norm of the gradient over time, for {' and '.join(norms)}, on a logarithmic scale",
        log_across=False,
        size=SIZE,
    )


def _told(name: str, norms: Sequence[float]) -> str:
    """The name, and how many of its norms a logarithmic scale does not have."""
    missing = {"0": sum(norm == 0 for norm in norms), "not finite": sum(not math.isfinite(norm) for norm in norms)}
    said = [f"{what} at {count} step{'s' if count > 1 else ''}" for what, count in missing.items() if count]
    return f"{name} ({', '.join(said)})" if said else name
