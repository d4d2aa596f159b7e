"""The belt: the way on which a step carries a state past the layers, and what is multiplied and added there."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...engine.primitive import Kind
from ...engine.tensor import Tensor
from ...structure.cells import CellRun, State
from ...structure.words import magnitude, subscript
from .reading import Recorded

NO_STATE = (
    "no state is handed from one time step to the next in this graph: unroll more steps, or name what a single step is "
    "given and what it makes of it, as h_init and h"
)
"""What is said where one cannot see what a cell carries on."""


@dataclass(eq=False)
class Passage:
    """How a state passes through one step: what comes in, and the operations on its way; the last makes the new one."""

    before: Tensor
    way: list[Tensor]

    @property
    def after(self) -> Tensor:
        """Return the new state."""
        return self.way[-1]

    @property
    def norms(self) -> list[float]:
        """Return ‖state‖ as it comes in, and after each operation."""
        return [magnitude(node.value) for node in (self.before, *self.way)]

    @property
    def kept(self) -> float:
        """Return which share of the state's norm is left before anything is added; NaN if there was nothing."""
        norms = self.norms
        sums = (i for i, node in enumerate(self.way) if node.primitive and node.primitive.combines == "sum")
        return norms[next(sums, len(self.way))] / norms[0] if norms[0] else np.nan


@dataclass(eq=False)
class Belt:
    """A state of a cell that is carried past its layers, by step."""

    cell: CellRun
    state: State
    at: dict[int, Passage]

    def name(self, t: int) -> str:
        """Return what the state is called after a step, without its cell: c₂."""
        return called(self.state, t)

    def before(self, t: int) -> str:
        """Return what the state is called that comes into a step: c₁."""
        return called(self.state, t - 1 if self.state.forwards else t + 1)


class Act(NamedTuple):
    """One thing that a gate does: what it is multiplied with, and what comes of it."""

    kind: str  # "forget", on the belt; "see", where the past is looked at; "write"; or "read"
    product: Tensor
    passed: Tensor  # of which the gate lets a part through
    factor: Tensor  # the gate, or 1 minus it


def acts(reading: Recorded, gate: Tensor, on_belt: Container[Tensor]) -> Iterator[Act]:
    """Yield what a gate does at its step."""
    for product, slot, factor in reading.products(gate):
        passed = product.inputs[slot]
        past = reading.is_past(passed, product, slot)
        kind = "forget" if product in on_belt else "see" if past else "write" if reading.is_added(product) else "read"
        yield Act(kind, product, passed, factor)


def called(state: State, t: int) -> str:
    """Return what a state is called after a step, without its cell.

    >>> called(State("cell.h", {}), -1)
    'h₋₁'
    """
    return state.name.rpartition(".")[2] + subscript(t)


def belts(reading: Recorded) -> list[Belt]:
    """Return the states that are carried past the layers of their cells, as c of an LSTM, and h of a GRU.

    >>> from tinygrad_lstm import Graph
    >>> from tinygrad_lstm.nn.samples import small_loss
    >>> [belt.state.name for name in ("lstm", "gru", "rnn") for belt in belts(Recorded(Graph(small_loss(name, 3))))]
    ['c', 'h']
    """
    found = []
    for cell in reading.cells:
        members = set(cell.members)
        for state in reading.states:
            if next(iter(state.at.values())) in members:
                ways = {t: passage for t, node in state.at.items() if (passage := _passage(node, members, reading))}
                if ways:
                    found.append(Belt(cell, state, ways))
    return found


def _passage(state: Tensor, members: set[Tensor], reading: Recorded) -> Passage | None:
    """Return the way to a state from the one before, back over what is no layer; of several the longest.

    A shorter one only goes round what the cell does, as where it keeps the state of a sequence that is over.
    """
    found: list[Passage] = []
    queue, seen = [[state]], {state}
    for way in queue:
        if not _is_plain(way[0]):
            continue
        for slot, x in enumerate(way[0].inputs):
            if (way[0], slot) in reading.initial or reading.timeline.crosses(x, way[0]):
                found.append(Passage(reading.timeline.moved(x), way))
            elif x in members and x not in seen:
                seen.add(x)
                queue.append([x, *way])
    return max(found, key=lambda passage: len(passage.way), default=None)


def _is_plain(node: Tensor) -> bool:
    """Tell whether an operation is neither of a layer, nor puts several tensors into one."""
    assert node.primitive is not None
    joins = node.primitive.variadic and node.primitive.kind is Kind.movement
    return not joins and node.primitive.kind not in (Kind.activation, Kind.product)
