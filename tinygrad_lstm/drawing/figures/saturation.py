"""Saturation: how near each unit of each activation is to an end of its range, at every step."""

from __future__ import annotations

import numpy as np

from ...engine.graph import Graph
from ...engine.primitive import Array
from ...pages.theme import MUTED
from ...structure.cells import Bounded
from ...structure.saturation import SATURATED
from ...structure.window import Window
from ...structure.words import shown
from .figure import Figure, NoFigure
from .maps import SIGNED, Frame, below, field, key_to_marks, mark, outline
from .paper import BODY, MARGIN, SMALL, Paper, width_of
from .reading import Recorded

WIDE, LEFT, HIGH = 378.0, 14.0, 132.0
"""Pixels of a panel, what is beside its map, and how high a map is at most."""


def saturation(graph: Graph, steps: Window = None) -> Figure:
    """Draw units × time of each activation with two ends: pale in the middle of its range, strong near an end.

    Warm is the upper end, cool the lower one. Of several sequences, the mean is shown, and all are counted.

    Source: A. Karpathy, J. Johnson & L. Fei-Fei, "Visualizing and Understanding Recurrent Networks" (2015).
    """
    reading = Recorded(graph, steps)
    maps = [(cell, activation) for cell in reading.cells for activation in (*cell.layers, *cell.others)]
    if not maps:
        raise NoFigure("nothing in a recurrent cell of this network has two ends to be near to, as σ and tanh have")
    parts = {activation: saturated(activation, reading.steps) for _, activation in maps}
    shown_nodes = [node for _, each in maps for t, node in each.at.items() if t in reading.steps]
    warning = reading.warning(shown_nodes)
    paper = Paper("Where the activations saturate", _sentence(parts, reading) + warning)
    y, words = paper.bottom + 4, reading.has_words
    for number, (cell, activation) in enumerate(maps):
        if number and number % 2 == 0:
            y = paper.bottom + 18
        values = activation.values(reading.steps)
        high = min(HIGH, max(12.0 * values.shape[2], 36.0))
        frame = (MARGIN + (number % 2) * (WIDE + 22) + LEFT, y + 24, WIDE - LEFT, high)
        called = f"{cell.name}.{activation.symbol}" if len(reading.cells) > 1 else activation.symbol
        _panel(paper, frame, called, activation, parts[activation], reading)
        if number >= len(maps) - 2:
            below(paper, frame[0], frame[2] / len(reading.steps), reading.columns, "" if words else "time step")
    x, y = MARGIN + LEFT, paper.bottom + 14
    wide = paper.scale(x, y, ("at its lower end", "at its upper end"), shades=SIGNED, wide=225)
    if warning:
        key_to_marks(paper, x + wide + 28, y)
    return Figure(paper)


def nearness(activation: Bounded, steps: list[int]) -> Array:
    """Return how near to an end it is, (T, N, H): 0 in the middle of its range, 1 at the upper end, −1 at the lower."""
    middle, half = (activation.low + activation.high) / 2, (activation.high - activation.low) / 2
    return (activation.values(steps) - middle) / half


def saturated(activation: Bounded, steps: list[int]) -> float:
    """Return the share of its values that lie within SATURATED of the width of its range from an end."""
    near = nearness(activation, steps)
    return float(np.mean(np.abs(near[np.isfinite(near)]) > 1 - 2 * SATURATED)) if np.isfinite(near).any() else 0.0


def _sentence(parts: dict[Bounded, float], reading: Recorded) -> str:
    most, least = max(parts, key=lambda each: parts[each]), min(parts, key=lambda each: parts[each])
    others = f", and {least.symbol} least, {parts[least]:.0%}" if least is not most else ""
    begin = "Where an activation is near an end of its range, hardly any gradient passes. "
    if not parts[most]:
        return f"{begin}Here none is: no value lies within {SATURATED:.0%} of an end.{reading.note}"
    return (
        f"{begin}{most.symbol} saturates most: {parts[most]:.0%} of its values lie within {SATURATED:.0%} of an "
        f"end{others}.{reading.note}"
    )


def _panel(paper: Paper, frame: Frame, called: str, activation: Bounded, share: float, reading: Recorded) -> None:
    x, y, wide, high = frame
    units = nearness(activation, reading.steps).mean(axis=1).T  # (H, T)
    paper.text(x, y - 9, called, bold=True, room=150)
    after = min(width_of(called, BODY, bold=True), 150) + 10
    paper.text(x + after, y - 9, activation.words, ink=MUTED, room=wide - after - 100)
    paper.text(x + wide, y - 9, f"{share:.0%} saturated", size=SMALL, ink=MUTED, anchor="end")

    def tip(j: int, k: int) -> str:
        value = units[j, k] * (activation.high - activation.low) / 2 + (activation.high + activation.low) / 2
        return f"{called}, unit {j}, step {reading.steps[k]}, {reading.columns[k]}: {shown(float(value), 3)}"

    field(paper, frame, units, 1.0, tip, apart=0.5 if high / len(units) > 5 else 0.0)
    mark(paper, frame, activation.wrong(reading.steps, units), tip)
    outline(paper, frame)
    paper.text(x - 5, y + 9, "0", size=SMALL, ink=MUTED, anchor="end")
    if len(units) > 1 and high >= 30:
        paper.text(x - 5, y + high, str(len(units) - 1), size=SMALL, ink=MUTED, anchor="end")
    paper.bottom = y + high
