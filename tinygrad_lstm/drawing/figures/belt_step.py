"""One step of the belt: the state as wide as its norm, the gates as far open as they are, and what they act on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...engine.primitive import Array
from ...engine.tensor import Tensor
from ...pages.theme import FADED, ON_PAGES, OPEN_CELL, ROLES
from ...structure.cells import CANDIDATE, Bounded
from ...structure.words import short, shown
from .carrying import Belt, acts, called
from .difference import share
from .maps import WRONG
from .paper import SMALL, Paper, width_of
from .reading import Recorded

BELT, PRODUCTS, BOXES, BOX, BUS, HIGH = 58.0, 102.0, 128.0, 46.0, 196.0, 210.0
"""Pixels below the top of a cell: the belt, the products, the boxes of the gates, their height, the bus, the end."""

WIDEST, NARROWEST = 20.0, 1.4
"""Pixels: how wide a belt is at the largest norm, and at none."""

WIRE, BLUE = "#555555", ON_PAGES["series0"]
GOLD, ORANGE = ROLES["layer"]["color"], ROLES["pointwise"]["color"]


class Place(NamedTuple):
    """Where a step stands: its left border, its top and how wide it is; and the norm at which the belt is widest."""

    left: float
    top: float
    wide: float
    most: float


def draw_step(paper: Paper, place: Place, belt: Belt, reading: Recorded, t: int, *, first: bool, last: bool) -> None:
    """Draw what happens to a state at one step."""
    _BeltStep(paper, place, belt, reading, t).draw(first, last)


class _BeltStep:
    """Finds where everything of a step stands, and draws it: wires below the belt, and what is done on it above."""

    def __init__(self, paper: Paper, place: Place, belt: Belt, reading: Recorded, t: int) -> None:
        self._paper, self._place, self._belt, self._reading, self._t = paper, place, belt, reading, t
        self._passage = belt.at[t]
        self._on_belt = set(self._passage.way)
        self._layers = [layer for layer in belt.cell.layers if t in layer.at]
        reads = belt.cell.others or any("read" in layer.roles for layer in self._layers)
        slots = max(len(self._layers), 2) + (0.75 if reads else 0.2)
        self._slot = min((place.wide - 16) / slots, 48.0)
        begin = place.left + (place.wide - self._slot * slots) / 2
        self._x = {layer.at[t]: begin + self._slot * (k + 0.5) for k, layer in enumerate(self._layers)}
        self._begin, self._end = begin, begin + self._slot * slots
        self._radius = min(9.0, self._slot * 0.36)
        self._acts = [
            (layer.at[t], act)
            for layer in self._layers
            for act in acts(reading, layer.at[t], self._on_belt)
            if layer.is_gate
        ]
        self._ops = self._on_the_belt()

    def draw(self, first: bool, last: bool) -> None:
        """Draw all of it."""
        left, top, wide, _ = self._place
        self._paper.rect(left + 3, top, wide - 6, HIGH, OPEN_CELL["fillcolor"], line=OPEN_CELL["color"], round=10)
        self._bus(first)
        self._run(first, last)
        self._written()
        for gate, act in self._acts:
            if act.kind == "forget":
                self._wire_up(gate, self._ops[act.product], act.factor is not gate)
            elif act.kind == "see":
                self._looked_at(gate)
        self._read()
        for node, x in self._ops.items():
            self._sign(x, BELT, node)
        for layer in self._layers:
            self._box(layer)

    def _on_the_belt(self) -> dict[Tensor, float]:
        """Return where the operations on the belt stand, from left to right: × above its gate, + above what it adds."""
        found: dict[Tensor, float] = {}
        gates = {act.product: gate for gate, act in self._acts}
        least = self._begin + self._radius
        writers = [self._x[gate] for gate, act in self._acts if act.kind == "write"]
        candidates = [self._x[layer.at[self._t]] for layer in self._layers if layer.roles == (CANDIDATE,)]
        own = [x for x in writers if x not in {self._x[gate] for gate, act in self._acts if act.kind == "forget"}]
        between = [*own[:1], *candidates[:1]] or [self._begin + self._slot * 1.5]
        for node in self._passage.way:
            x = self._x[gates[node]] if node in gates else float(np.mean(between)) if _adds(node) else least
            found[node] = max(x, least)
            least = found[node] + 2 * self._radius + 4
        return found

    def _run(self, first: bool, last: bool) -> None:
        """Draw the belt through the step, as wide as the norm, and say what is kept and what there is in the end."""
        left, top, wide, _ = self._place
        passage, y = self._passage, top + BELT
        stops = [left - (14 if first else 0), *self._ops.values(), left + wide + (12 if last else 0)]
        for norm, start, end in zip(passage.norms, stops[:-1], stops[1:], strict=True):
            high, fill = self._width(norm), BLUE if np.isfinite(norm) else WRONG
            self._paper.rect(start, y - high / 2, end - start + 0.3, high, fill, tip=f"norm {shown(norm, 3)}")
        if first:
            name = self._belt.before(self._t)
            self._paper.text(left - 18, y + 4, name, anchor="end", ink=BLUE, room=40)
        products = [x for node, x in self._ops.items() if node.primitive and node.primitive.combines == "product"]
        kept, ends = passage.kept, f"‖{self._belt.name(self._t)}‖ {said(passage.norms[-1])}"
        if products and np.isfinite(kept):
            words = f"keeps {share(kept)}"
            half = width_of(words, SMALL) / 2
            x = min(max(products[0], left + 8 + half), left + wide - 8 - half)
            self._paper.text(x, top + 17, words, size=SMALL, ink=BLUE, anchor="middle", room=wide - 10)
        self._paper.text(left + wide - 9, top + 34, ends, size=SMALL, ink=BLUE, anchor="end", room=wide - 14)

    def _width(self, norm: float) -> float:
        most = self._place.most
        if not np.isfinite(norm):
            return WIDEST / 2
        return max(WIDEST * norm / most, NARROWEST) if most else NARROWEST

    def _bus(self, first: bool) -> None:
        """Draw what the layers are given: the input from below, and the states that they look at."""
        left, top, wide, _ = self._place
        y, states = top + BUS, self._looks()
        entry = left + wide / 2
        if self._layers:
            ends = [*self._x.values(), entry]
            self._paper.line([(min(ends), y), (max(ends), y)], WIRE, width=1.2)
            self._paper.line([(entry, top + HIGH + 12), (entry, y)], WIRE, width=1.2)
        if self._belt.state.name in states:  # of a GRU the belt itself
            x = self._begin - 1
            self._paper.line([(x, top + BELT), (x, y), (entry, y)], WIRE, width=1.2)
        others = [state for state in self._reading.states if state.name in states and state is not self._belt.state]
        if others:
            self._paper.line([(left - (14 if first else 0), y), (entry, y)], WIRE, width=1.6)
        if others and first:
            name = called(others[0], self._t - 1 if others[0].forwards else self._t + 1)
            self._paper.text(left - 18, y + 4, name, anchor="end", room=34)

    def _looks(self) -> set[str]:
        """Return the states of the step before that the layers are computed of."""
        timeline, mine = self._reading.timeline, set(self._belt.cell.members) - self._on_belt
        names = {node: state.name for state in self._reading.states for node in state.at.values()}
        queue = [layer.at[self._t] for layer in self._layers]
        seen, found = set(queue), set[str]()
        for node in queue:
            for slot, x in enumerate(node.inputs):
                if timeline.crosses(x, node):
                    found.add(names.get(timeline.state(x), ""))
                elif (node, slot) in self._reading.initial:
                    state = self._reading.state_for(node, slot)
                    found.add(names.get(state, "") if state is not None else "")
                elif x in mine and x not in seen:
                    seen.add(x)
                    queue.append(x)
        return found

    def _written(self) -> None:
        """Draw what is added: candidates, and what gates let in of them, up to the + on the belt."""
        top = self._place.top
        plus = next((x for node, x in self._ops.items() if _adds(node)), None)
        if plus is None:
            return
        y, gates = top + PRODUCTS, [(gate, act) for gate, act in self._acts if act.kind == "write"]
        candidates = [layer.at[self._t] for layer in self._layers if layer.roles == (CANDIDATE,)]
        self._paper.line([(plus, y if gates or candidates else y - 14), (plus, top + BELT)], WIRE, width=1.2)
        for node in candidates:
            self._paper.line([(self._x[node], top + BOXES), (self._x[node], y), (plus, y)], WIRE, width=1.2)
        for gate, act in gates:
            x = self._x[gate]
            self._paper.line([(x, top + BOXES), (x, y), (plus, y)], WIRE, width=1.2)
            if act.factor is not gate:
                near = abs(plus - x) < 44  # no room beside
                self._small(x if near else x + (plus - x) * 0.45, y + 13 if near else y, "1−")
        if gates:
            self._sign(plus, PRODUCTS, gates[0][1].product)

    def _read(self) -> None:
        """Draw what a gate lets out of the state, and where that goes: to the next step."""
        left, top, wide, _ = self._place
        x, y = self._end - self._radius - 1, top + PRODUCTS
        readers = [(gate, act) for gate, act in self._acts if act.kind == "read"]
        shown = [other for other in self._belt.cell.others if self._t in other.at]
        if not readers and not shown:
            return
        below = top + BELT + self._width(self._passage.norms[-1]) / 2
        self._paper.line([(x, below), (x, top + BUS), (left + wide, top + BUS)], WIRE, width=1.6)
        for gate, _ in readers:
            self._paper.line([(self._x[gate], top + BOXES), (self._x[gate], y), (x, y)], WIRE, width=1.2)
        for other in shown[:1]:
            high = top + (BELT + PRODUCTS) / 2 + 3 if readers else y
            node = other.at[self._t]
            words = node.primitive.symbol if node.primitive else ""
            if width_of(words, 10) <= 2 * self._slot * 0.5 + 4:
                self._small(x, high, words)
            else:
                self._paper.dot(x, high, ROLES["pointwise"]["fillcolor"], 4, line=ORANGE, tip=words)
        if readers:
            self._sign(x, PRODUCTS, readers[0][1].product)

    def _wire_up(self, gate: Tensor, x: float, minus: bool) -> None:
        top = self._place.top
        self._paper.line(
            [(self._x[gate], top + BOXES), (self._x[gate], top + BELT + 22), (x, top + BELT + 8)], WIRE, width=1.2
        )
        if minus:
            self._small(self._x[gate], top + BELT + 27, "1−")

    def _looked_at(self, gate: Tensor) -> None:
        """Draw how a gate acts on what the candidate sees: on the bus, between the two."""
        top, x = self._place.top, self._x[gate]
        beside = x + self._slot / 2
        self._paper.line([(x, top + BOXES + 20), (beside, top + BOXES + 20), (beside, top + BUS)], WIRE, width=1.2)
        self._paper.dot(beside, top + BUS, ROLES["pointwise"]["fillcolor"], 7, line=ORANGE)
        self._paper.text(beside, top + BUS + 4, "×", size=12, anchor="middle")

    def _sign(self, x: float, down: float, node: Tensor) -> None:
        """Draw an operation, number by number, with its sign."""
        y, sign = self._place.top + down, node.primitive.sign if node.primitive else ""
        radius = self._radius
        self._paper.dot(x, y, ROLES["pointwise"]["fillcolor"], radius, line=ORANGE, tip=node.name or sign)
        size = max(min(15.0, radius * 1.6), 10.0)
        self._paper.text(x, y + size / 3, sign, size=size, anchor="middle", room=2 * radius + 2)

    def _small(self, x: float, y: float, words: str) -> None:
        size = 10.0
        half = max(width_of(words, size) / 2 + 1, 7)
        self._paper.rect(x - half, y - 7, 2 * half, 14, ROLES["pointwise"]["fillcolor"], line=ORANGE, round=7)
        self._paper.text(x, y + 3.5, words, size=size, anchor="middle")

    def _box(self, layer: Bounded) -> None:
        """Draw a layer as a box in which a bar for each unit says how open it is, or which sign it has."""
        node, top = layer.at[self._t], self._place.top + BOXES
        wide = self._slot - 5
        x = self._x[node] - wide / 2
        mean = layer.values([self._t])[0].mean(axis=0)
        tip = f"{layer.symbol} {layer.words}, step {self._t}: mean {shown(float(mean.mean()), 3)}"
        self._paper.rect(x, top, wide, BOX, ROLES["layer"]["fillcolor"], line=GOLD, tip=tip, round=4)
        bars(self._paper, (x + 2.5, top + 3, wide - 5, BOX - 6), mean, layer.low, layer.high)
        self._paper.text(
            self._x[node], top + BOX + 13, layer.symbol, size=SMALL, anchor="middle", bold=True, room=self._slot - 1
        )


def bars(paper: Paper, frame: tuple[float, float, float, float], values: Array, low: float, high: float) -> None:
    """Draw numbers between two ends as bars from zero; where there is no room for each, as their outline, sorted."""
    x, y, wide, tall = frame
    across, scale = wide / len(values), tall / (high - low)
    zero = y + scale * high
    if low < 0:
        paper.line([(x, zero), (x + wide, zero)], FADED, width=0.8)
    if across < 2:
        if not np.isfinite(values).all():
            paper.rect(x, y, wide, tall, WRONG, tip="NaN or Inf")
            return
        ordered = np.sort(values)[::-1]
        for sign, fill in ((1, GOLD if low >= 0 else BLUE), (-1, ORANGE)):
            part = np.maximum(sign * ordered, 0) * sign
            ups = [(x + (k + 0.5) * across, zero - scale * value) for k, value in enumerate(part.tolist())]
            if part.any():
                paper.area([(x, zero), (x, ups[0][1]), *ups, (x + wide, ups[-1][1]), (x + wide, zero)], fill, line=0)
        return
    thin = min(across - 0.6, 7.0)
    for k, value in enumerate(values.tolist()):
        left = x + k * across + (across - thin) / 2
        if not np.isfinite(value):
            paper.rect(left, y, thin, tall, WRONG, tip=said(value))
        else:
            fill = GOLD if low >= 0 else BLUE if value > 0 else ORANGE
            top = min(zero, zero - scale * value)
            paper.rect(left, top, thin, max(abs(scale * value), 0.4), fill, tip=shown(value, 3))


def said(norm: float) -> str:
    """Write a norm, or what it is if it is no number."""
    return short(norm) if np.isfinite(norm) else "NaN" if np.isnan(norm) else "Inf"


def _adds(node: Tensor) -> bool:
    return node.primitive is not None and node.primitive.combines == "sum"
