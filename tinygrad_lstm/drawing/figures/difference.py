"""The difference of two runs of one network: what changed, where, and by how much."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...pages.theme import MUTED, ON_PAGES
from ...structure.partners import partners
from ...structure.window import Window
from ...structure.words import clean, magnitude, short, shown, span
from .figure import Figure
from .maps import below, field, ink_for, outline
from .paper import BODY, MARGIN, SMALL, WIDTH, Paper, width_of
from .reading import Recorded

LEFT, HIGH = 186.0, 24.0
"""Pixels left of the map, for what a row is called, and the height of a row."""

SAID = 4
"""Things that were replaced, which the sentence names: of more, the first."""

NEVER = 1e-16
"""A norm below this is 0: of nothing there is no share."""


@dataclass(eq=False)
class ChangeRow:
    """One gate or state: its symbol, its name, and by what share of its norm it changed at each step, (T)."""

    symbol: str
    words: str
    changes: list[float]


def difference(before: Tensor, after: Tensor, *, steps: Window = None) -> Figure:
    """Return a figure of how two runs of one network differ, such as before and after one step of an optimiser, or as
    it ran and with a gate replaced by ``tl.what_if``.

    The map shows gates and states at each time step, by ‖after − before‖ / ‖before‖, and nothing where one of the runs
    has no such; the bars show the weights, as they were when each run used them. Rows are in the order f, i, g, o, then
    states. What was replaced is said.

    Arguments:
        before, after: the losses of the runs, tensors whose graphs have the same operations and shapes, but for what
            ``tl.what_if`` replaced.
        steps: ``(a, b)`` shows the time steps of ``range(a, b)``, ``"all"`` every one; without it the last 100.

    Raises:
        TypeError: for what are no tensors.
        ValueError: for graphs that are not two runs of one network, or have no time steps.

    Source: this project.

    >>> import tinygrad_lstm as tl
    >>> lstm, xs = tl.LSTM(2, 3, rng=0), tl.tensor([[1.0, 2.0]] * 4)
    >>> before = lstm(xs)[0].sum()
    >>> before.backward()
    >>> tl.SGD(lstm.parameters(), lr=0.1).step()
    >>> tl.difference(before, lstm(xs)[0].sum())
    <figure: What differs between two runs; save it as .svg, .png, .pdf or .html>
    >>> tl.difference(before, tl.what_if(before, {"t1.f": 0.0})).description.split(". ")[0]
    'Replaced: f at t = 1'
    """
    for run in (before, after):
        if not isinstance(run, Tensor):
            raise TypeError(f"difference compares the losses of two runs, which are tensors, not {type(run).__name__}")
    first, second = Graph(before).opened()[0], Graph(after).opened()[0]
    partner, replaced = partners(first, second)
    reading = Recorded(first, steps)
    rows, weights = rows_of(reading, partner), weights_of(first, second, partner)
    said = _replaced([*replaced, *_given_others(first, second, partner, set(replaced))], partner, reading)
    paper = Paper("What differs between two runs", said + _sentence(first, second, rows, weights, reading))
    if rows:
        _map(paper, rows, reading)
    if not said or any(delta for _, delta, _ in weights.values()):
        _bars(paper, weights)
    return Figure(paper)


def rows_of(reading: Recorded, partner: dict[Tensor, Tensor]) -> list[ChangeRow]:
    """Return the rows of the map: layers of the cells, then what their steps hand on; NaN where there is nothing."""
    several = len(reading.cells) > 1
    found = []
    for cell in reading.cells:
        for layer in cell.layers:
            symbol = f"{cell.name}.{layer.symbol}" if several else layer.symbol
            found.append(ChangeRow(symbol, layer.words, _changes(layer.at, partner, reading.steps)))
    shown_already = {node for cell in reading.cells for layer in cell.layers for node in layer.at.values()}
    for state in reading.states:
        if not shown_already.intersection(state.at.values()):
            found.append(ChangeRow(state.name, "state", _changes(state.at, partner, reading.steps)))
    return found


def _changes(at: dict[int, Tensor], partner: dict[Tensor, Tensor], steps: list[int]) -> list[float]:
    pairs = [(at[t], partner.get(at[t])) if t in at else (None, None) for t in steps]
    return [np.nan if old is None or new is None else change(old.value, new.value) for old, new in pairs]


def change(old: Any, new: Any) -> float:
    """Return ‖new − old‖ / ‖old‖: 0 where nothing changed, infinite where there was nothing.

    >>> change([3.0, 4.0], [3.0, 4.5])
    0.1
    """
    moved, norm = magnitude(np.subtract(new, old, dtype=np.float64)), magnitude(old)
    return moved / norm if norm > NEVER else 0.0 if moved <= NEVER else np.inf


def weights_of(first: Graph, second: Graph, partner: dict[Tensor, Tensor]) -> dict[str, tuple[float, float, float]]:
    """Return of each weight, by its name, its norm before, how far it moved, and the norm after."""
    found = {}
    for node in first.leaves:
        if node.requires_grad and node in partner:
            old, new = first.values[node], second.values[partner[node]]
            name = clean(node.name or first.ids[node])
            found[name] = magnitude(old), magnitude(np.subtract(new, old, dtype=np.float64)), magnitude(new)
    return found


def _given_others(first: Graph, second: Graph, partner: dict[Tensor, Tensor], replaced: set[Tensor]) -> list[Tensor]:
    """Return the other inputs and states that held other numbers in the second run."""
    leaves = [x for x in first.leaves if x.name and not x.requires_grad and x in partner and x not in replaced]
    return [x for x in leaves if not np.array_equal(first.values[x], second.values[partner[x]], equal_nan=True)]


def _replaced(nodes: list[Tensor], partner: dict[Tensor, Tensor], reading: Recorded) -> str:
    """Say what was replaced, and at which steps; nothing where nothing was."""
    steps: dict[tuple[tuple[str, ...], str], list[int]] = {}
    for node in nodes:
        at = steps.setdefault((node.scope, node.name or partner[node].name or reading.graph.ids[node]), [])
        if (t := reading.timeline.of.get(node, node.time)) is not None:
            at.append(t)
    alone = Counter(name for _, name in steps)
    parts = []
    for (scope, name), at in steps.items():
        every = len(at) > 1 and set(at) == set(reading.all_steps)
        when = " at every step" if every else f" at {span(at)}" if at else ""
        parts.append(clean(name if alone[name] == 1 else ".".join((*scope, name))) + when)
    if len(parts) > SAID:
        parts[SAID - 1 :] = [f"{len(parts) - SAID + 1} others"]
    return f"Replaced: {', '.join(parts)}. " if parts else ""


def _sentence(first: Graph, second: Graph, rows: list[ChangeRow], weights: dict[str, Any], reading: Recorded) -> str:
    parts = []
    if first.output.size == 1:
        numbers = (shown(float(graph.output.value.reshape(-1)[0]), 4) for graph in (first, second))
        parts.append("The loss was {} and is {}.".format(*numbers))
    finite = [(value, row, k) for row in rows for k, value in enumerate(row.changes) if np.isfinite(value)]
    if finite and (most := max(finite, key=lambda each: each[0]))[0] > 0:
        value, row, k = most
        at = f"“{reading.columns[k]}”" if reading.has_words else f"step {reading.steps[k]}"
        parts.append(f"{row.symbol} changed most, at {at}: by {share(value)} of its norm.")
    moved = {name: delta / old for name, (old, delta, _) in weights.items() if old > NEVER}
    if moved and max(moved.values()) > 0:
        name = max(moved, key=lambda each: moved[each])
        parts.append(f"Of the weights, {name} moved furthest: {share(moved[name])}.")
    elif moved:
        parts.append("No weight moved.")
    return " ".join(parts) + reading.note


def share(value: float) -> str:
    """Write a share in per cent, with two digits.

    >>> share(0.1234), share(0.00012)
    ('12%', '0.012%')
    """
    return f"{short(100 * value)}%" if 100 * value < 99.5 else f"{100 * value:,.0f}%"


def _map(paper: Paper, rows: list[ChangeRow], reading: Recorded) -> None:
    x, y = MARGIN + LEFT, paper.bottom + 6
    room = WIDTH - MARGIN - x
    values = np.array([row.changes for row in rows])
    finite = values[np.isfinite(values)]
    most = float(finite.max(initial=0.0))
    across = room / len(reading.steps)
    for r, row in enumerate(rows):
        line = y + (r + 0.5) * HIGH + 5
        paper.text(MARGIN, line, row.symbol, size=15, bold=True, room=LEFT - 20)
        begin = max(34.0, width_of(row.symbol, 15) + 14)
        if begin < LEFT - 50:
            paper.text(MARGIN + begin, line, row.words, ink=MUTED, room=LEFT - begin - 8)

    def tip(r: int, k: int) -> str:
        return f"{rows[r].symbol}, step {reading.steps[k]}, {reading.columns[k]}: {share(float(values[r, k]))}"

    field(paper, (x, y, room, HIGH * len(rows)), values, most, tip, apart=1.5)
    outline(paper, (x, y, room, HIGH * len(rows)))
    if across >= width_of("0.012%", SMALL) + 4:
        for r, k in np.argwhere(np.isfinite(values)).tolist():
            value = float(values[r, k])
            place, ink = (x + (k + 0.5) * across, y + (r + 0.5) * HIGH + 4), ink_for(value, most)
            paper.text(*place, share(value), size=SMALL, ink=ink, anchor="middle")
    paper.bottom = y + HIGH * len(rows)
    below(paper, x, across, reading.columns, "" if reading.has_words else "time step")
    paper.scale(x, paper.bottom + 10, ("unchanged", f"by {share(most)} of its norm"))


def _bars(paper: Paper, weights: dict[str, tuple[float, float, float]]) -> None:
    """Draw how far each weight moved, as a share of its norm."""
    x, y = MARGIN + LEFT, paper.bottom + 22
    room = WIDTH - MARGIN - x - 190
    paper.text(MARGIN, y + 6, "Weights", bold=True)
    paper.text(x, y + 6, "how far each moved, as a share of its norm", size=SMALL, ink=MUTED)
    y += 18
    most = max((delta / old for old, delta, _ in weights.values() if old > NEVER), default=0.0)
    for name, (old, delta, new) in weights.items():
        paper.text(MARGIN, y + 13, name, size=SMALL + 1, room=LEFT - 12)
        if old > NEVER:
            long = room * delta / old / most if most else 0.0
            paper.rect(x, y + 3, max(long, 1.0), 12, ON_PAGES["series0"], tip=f"{name}: {share(delta / old)}")
            words = f"{share(delta / old)}, norm {shown(old, 3)} → {shown(new, 3)}"
            paper.text(x + max(long, 1.0) + 8, y + 13, words, size=SMALL, ink=MUTED)
        else:
            paper.text(x + 8, y + 13, f"was 0, is {shown(new, 3)}" if delta else "0, as before", size=SMALL, ink=MUTED)
        y += BODY + 7
    paper.bottom = y
