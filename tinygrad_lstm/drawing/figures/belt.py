"""The belt: a chain of cells, and a state that runs through them, as wide as its norm, with what gates do to it."""

from __future__ import annotations

import numpy as np

from ...engine.graph import Graph
from ...pages.theme import FADED, MUTED
from ...structure.window import Window
from ...structure.words import clean, short
from .belt_step import HIGH, Place, draw_step
from .carrying import NO_STATE, Belt, belts
from .difference import share
from .figure import Figure, NoFigure
from .paper import BODY, MARGIN, SMALL, WIDTH, Paper, fitted, width_of, wrapped
from .reading import Recorded

PER_ROW, WIDEST = 8, 230.0
"""Steps in a row; and pixels, how wide one is at most; chosen: the gates of eight can be read."""

ENTRY = 34.0
"""Pixels before the first step, for the name of what comes in."""


def belt(graph: Graph, steps: Window = None) -> Figure:
    """Draw each state that is carried past the layers of its cell as a belt: narrower at ×, wider at +.

    Without ``steps`` the last eight are shown; of more, eight stand in a row.

    Source: the belt, C. Olah, "Understanding LSTM Networks" (2015).
    """
    reading = Recorded(graph, steps)
    if steps is None:
        reading.steps = reading.steps[-PER_ROW:]
    carried = belts(reading)
    if not reading.states:
        raise NoFigure(NO_STATE)
    if not carried:
        raise NoFigure(
            "no state of this network runs on a belt past the layers: whatever a step hands on goes through a layer "
            "again, as in a plain RNN; an LSTM and a GRU have a belt; 'saturation' shows the activations of this one"
        )
    nodes = [node for each in carried for t in reading.steps if t in each.at for node in each.at[t].way]
    paper = Paper("What runs on the belt", _sentence(carried[0], reading) + reading.warning(nodes))
    for each in carried:
        _chain(paper, each, reading, len(carried) > 1)
    _key(paper, carried[0])
    return Figure(paper)


def _sentence(carried: Belt, reading: Recorded) -> str:
    shown = [t for t in reading.steps if t in carried.at]
    kept = {t: carried.at[t].kept for t in shown if np.isfinite(carried.at[t].kept)}
    norms = {t: carried.at[t].norms[-1] for t in shown if np.isfinite(carried.at[t].norms[-1])}
    if not shown:
        return f"None of these steps carries {clean(carried.state.name)} on.{reading.note}"
    if not norms:
        return f"The state {clean(carried.state.name)} is no number at any of these steps.{reading.note}"
    name, most = clean(carried.state.name), max(norms, key=lambda t: norms[t])
    end = f"‖{carried.name(most)}‖ = {short(norms[most])}"
    forgets = bool(kept) and min(kept.values()) < 1
    if len(shown) == 1:
        keeps = f"keeps {share(kept[most])} of {name}" if forgets else f"carries {name} on"
        return f"The step {keeps}; after it, {end}.{reading.note}"
    parts = []
    if forgets:
        least = min(kept, key=lambda t: kept[t])
        mean = float(np.mean(list(kept.values())))
        parts.append(f"A step keeps {share(mean)} of {name} on average, least")
        parts[-1] += f" at {_at(reading, least)}: {share(kept[least])}."
    parts.append(f"The belt is widest after {_at(reading, most)}: {end}.")
    return " ".join(parts) + reading.note


def _at(reading: Recorded, t: int) -> str:
    return f"“{reading.columns[reading.steps.index(t)]}”" if reading.has_words else f"step {t}"


def _chain(paper: Paper, carried: Belt, reading: Recorded, several: bool) -> None:
    """Draw the cells of all steps in rows, in the order in which they ran."""
    words = dict(zip(reading.steps, reading.columns, strict=True))
    order = [t for t in (reading.steps if carried.state.forwards else reversed(reading.steps)) if t in carried.at]
    if several:
        backwards = "" if carried.state.forwards else ", which reads from the end to the beginning"
        paper.text(
            MARGIN, paper.bottom + 22, f"{clean(carried.state.name)}{backwards}", bold=True, room=WIDTH - 2 * MARGIN
        )
        paper.bottom += 6
    most = max((norm for t in order for norm in carried.at[t].norms if np.isfinite(norm)), default=0.0)
    wide = min((WIDTH - 2 * MARGIN - ENTRY) / min(max(len(order), 1), PER_ROW), WIDEST)
    for begin in range(0, len(order), PER_ROW):
        row, top = order[begin : begin + PER_ROW], paper.bottom + 12
        room = WIDTH - 2 * MARGIN - ENTRY
        left = MARGIN + ENTRY + (room - wide * min(len(order), PER_ROW)) / 2
        for k, t in enumerate(row):
            place = Place(left + k * wide, top, wide, most)
            draw_step(paper, place, carried, reading, t, first=not k, last=k == len(row) - 1)
            under = words[t] if reading.has_words else f"t = {t}"
            middle = place.left + wide / 2
            paper.text(middle, top + HIGH + 28, under, anchor="middle", room=wide - 6)
        paper.bottom = top + HIGH + 32


def _key(paper: Paper, carried: Belt) -> None:
    """Say what the gates are called and do, and what their bars are."""
    paper.line([(MARGIN, paper.bottom + 10), (WIDTH - MARGIN, paper.bottom + 10)], FADED)
    x, y = MARGIN, paper.bottom + 32
    for layer in carried.cell.layers:
        wide = width_of(layer.symbol, BODY, bold=True) + 6 + width_of(layer.words, BODY) + 22
        if x + wide > WIDTH - MARGIN and x > MARGIN:
            x, y = MARGIN, y + 20
        paper.text(x, y, layer.symbol, bold=True, room=160)
        after = x + min(width_of(layer.symbol, BODY, bold=True), 160) + 6
        paper.text(after, y, fitted(layer.words, BODY, WIDTH - MARGIN - after) if layer.words else "", ink=MUTED)
        x += wide
    several = max((layer.values([t]).shape[1] for layer in carried.cell.layers for t in list(layer.at)[:1]), default=1)
    mean = f" Bars are means over {several} sequences, norms are those of all." if several > 1 else ""
    words = (
        "A yellow box is open as far as its bars are high, one for each unit, from 0 to 1; where a layer lies between "
        f"−1 and 1, blue is positive and orange negative. Bars of many units are in the order of their size.{mean}"
    )
    for line in wrapped(words, SMALL, WIDTH - 2 * MARGIN):
        y += 17
        paper.text(MARGIN, y, line, size=SMALL, ink=MUTED)
