"""Openings: how open each gate is at every step, and what it lets through."""

from __future__ import annotations

import numpy as np

from ...engine.graph import Graph
from ...engine.primitive import Array
from ...pages.theme import INK, MUTED
from ...structure.cells import Bounded, CellRun
from ...structure.window import Window
from ...structure.words import shown
from .figure import Figure, NoFigure
from .maps import SIGNED, Frame, below, field, in_a_row, ink_for, key_to_marks, mark, two_digits
from .paper import BODY, MARGIN, SMALL, WIDTH, Paper, width_of
from .reading import Recorded

FEW = 16
"""Units: of no more than these, each has a row; chosen: a row can still be seen."""

LEFT, RIGHT = 168.0, 62.0
"""Pixels beside the map: for what a row is called, and for its mean."""


def openings(graph: Graph, steps: Window = None) -> Figure:
    """Draw the mean of each layer of a cell at each step, and its units where there are few.

    Source: the map, A. Karpathy, J. Johnson & L. Fei-Fei, "Visualizing and Understanding Recurrent Networks" (2015).
    """
    reading = Recorded(graph, steps)
    cells = [cell for cell in reading.cells if cell.gates]
    if not cells:
        raise NoFigure(
            "there are no gates in this network: nothing in a recurrent cell of it lies between 0 and 1 and is "
            "computed with weights, as σ(x W + b) is; 'saturation' shows its activations"
        )
    layers = [layer for cell in cells for layer in cell.layers]
    warning = reading.warning(node for layer in layers for t, node in layer.at.items() if t in reading.steps)
    paper = Paper("How open the gates are", _sentence(cells[0], reading) + warning)
    for cell in cells:
        _block(paper, cell, reading, len(cells) > 1)
    x, y = MARGIN + LEFT, paper.bottom + 10
    x += paper.scale(x, y, ("0, closed", "1, open")) + 28
    if any(not layer.is_gate for layer in layers):
        x += paper.scale(x, y, ("−1", "+1"), shades=SIGNED, wide=135) + 28
    if warning:
        key_to_marks(paper, x, y)
    return Figure(paper)


def means(layer: Bounded, steps: list[int]) -> Array:
    """Return the mean of a layer at each step, (T), over units and sequences."""
    with np.errstate(all="ignore"):
        mean: Array = layer.values(steps).mean(axis=(1, 2))
    return mean


def _sentence(cell: CellRun, reading: Recorded) -> str:
    parts = []
    for gate in cell.gates:
        mean = means(gate, reading.steps)
        if np.isfinite(mean).any():
            least, most = (reading.columns[int(pick(mean))] for pick in (np.nanargmin, np.nanargmax))
            at = "at “{}”" if reading.has_words else "at step {}"
            called = f"the {gate.name} gate" if gate.name else gate.symbol
            parts.append(
                f"{called} is open {two_digits(float(np.nanmean(mean)))} on "
                f"average, least {at.format(least)} ({two_digits(float(np.nanmin(mean)))}), most {at.format(most)} "
                f"({two_digits(float(np.nanmax(mean)))})"
            )
    first = "; ".join(parts[:2])
    return f"{first[:1].upper()}{first[1:]}.{reading.note}"


def _block(paper: Paper, cell: CellRun, reading: Recorded, named: bool) -> None:
    """Draw one cell: a band for each layer, the mean above and the units below it."""
    room = WIDTH - 2 * MARGIN - LEFT - RIGHT
    wide = room / len(reading.steps)
    x = MARGIN + LEFT
    if named:
        paper.text(MARGIN, paper.bottom + 16, cell.name, bold=True, room=WIDTH - 2 * MARGIN)
        paper.bottom += 6
    paper.text(x + room + 8, paper.bottom + 10, "mean", size=SMALL, ink=MUTED)
    y = paper.bottom + 4
    for layer in cell.layers:
        values = layer.values(reading.steps)
        units = values.mean(axis=1).T  # (H, T)
        few, high = len(units) <= FEW, 30.0
        paper.text(MARGIN, y + 21, layer.symbol, size=17, bold=True, room=30)
        _words(paper, layer, y)
        _band(paper, (x, y, room, high), layer, reading)
        y += high
        if few and len(units) > 1:
            y = _units(paper, layer, units, reading, y + 2)
        y += 10
    paper.bottom = y - 6
    below(paper, x, wide, reading.columns, "" if reading.has_words else "time step")


def _band(paper: Paper, frame: Frame, layer: Bounded, reading: Recorded) -> None:
    """Draw the mean at each step with its number, where all find room, and the mean over all steps beside it."""
    x, y, room, _ = frame
    mean, wide = means(layer, reading.steps), room / len(reading.steps)

    def tip(_: int, k: int) -> str:
        called = f"{layer.symbol} {layer.words}".strip()
        return f"{called}, step {reading.steps[k]}, {reading.columns[k]}: {shown(float(mean[k]), 3)}"

    field(paper, frame, mean[np.newaxis], layer.high, tip)
    mark(paper, frame, layer.wrong(reading.steps, mean[np.newaxis]), tip)
    there = np.flatnonzero(np.isfinite(mean)).tolist()
    for k, words in zip(there, in_a_row(mean[there].tolist(), wide), strict=True):
        ink = ink_for(float(mean[k]), layer.high)
        paper.text(x + (k + 0.5) * wide, y + 19, words, size=SMALL, ink=ink, anchor="middle")
    if there:
        paper.text(x + room + 8, y + 20, two_digits(float(mean[there].mean())), ink=INK, size=BODY)


def _words(paper: Paper, layer: Bounded, y: float) -> None:
    """Write what a layer is called beside its band, and what it does: in a line if there is room."""
    x, room = MARGIN + 34, LEFT - 40
    name, _, doing = layer.words.partition(" (")
    if doing and width_of(layer.words, BODY) > room:
        paper.text(x, y + 13, name, room=room)
        paper.text(x, y + 27, doing.rstrip(")"), size=SMALL, ink=MUTED, room=room)
    else:
        paper.text(x, y + 20, layer.words, ink=MUTED, room=room)


def _units(paper: Paper, layer: Bounded, units: Array, reading: Recorded, y: float) -> float:
    """Draw a row for each unit; return where they end."""
    room = WIDTH - 2 * MARGIN - LEFT - RIGHT
    x = MARGIN + LEFT
    high = 7.0 if len(units) > 8 else 9.0
    words = f"{len(units)} units"
    paper.text(x - 8 - width_of(words, SMALL) + 6, y + high * len(units) / 2 + 4, words, size=SMALL, ink=MUTED)

    def tip(j: int, k: int) -> str:
        return f"{layer.symbol}, unit {j}, step {reading.steps[k]}: {shown(float(units[j, k]), 3)}"

    field(paper, (x, y, room, high * len(units)), units, layer.high, tip, apart=0.6)
    mark(paper, (x, y, room, high * len(units)), layer.wrong(reading.steps, units), tip)
    return y + high * len(units)
