"""The tape: the program and the engine's walk back over it, as immutable events, so that going back is free.

Recording keeps what cannot be had again: the order of the walk, and complete gradients. What a single event computed
follows from these by the engine's own function, so an event is looked at by computing it once more, bit for bit the
same. Keeping every contribution and every running total instead would multiply the memory of an LSTM of 100 steps
(``tests/benchmarks/test_stepper_cost.py`` prints both).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from ...engine.backprop import Contribution, apply_vjp, as_seed, backprop, read_only
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure.timeline import Timeline
from ...symbolic.formulas import Formula, input_formulas
from ...symbolic.symbols import Symbols
from .event import Event, Recording

FARTHEST = 2
"""So many gradients in a row, at most, are not kept, where each is the only contribution to the next.

Measured on an LSTM of 100 steps, 16 sequences and 32 units (``tests/benchmarks/test_stepper_cost.py``): at its peak the
tape takes 1.35 times the memory of the backward pass; with 1 it takes 1.48 times.
"""

MOST_INPUTS = 4
"""What comes of a node of more inputs is kept: computing one contribution again applies the whole rule.

Chosen: no operation that takes a fixed number of inputs takes more than 3.
"""

CHECKPOINT = 16
"""Every so many contributions, the running total of a tensor is kept once somebody has looked at it.

Chosen: of a weight used in 100 steps 6 totals are kept, and looking at an event adds up at most 15 contributions.
"""


class Tape(Recording):
    """A recording of the walk back from an output: forward, an event for each node; the seed; an event for each edge.

    ``start`` is the number of the seed, ``gradients`` the complete gradient of every node that took part. ``nodes``
    holds the node of every event, ``slots`` which of its inputs the event is for.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True, name="x")
    >>> [event.phase for event in Tape(x * x)]
    ['forward', 'forward', 'seed', 'backward', 'backward']
    """

    gradients: Gradients

    def __init__(self, output: Tensor, seed: ArrayLike | Tensor | None = None) -> None:
        self.graph = Graph(output)
        self.start = len(self.graph)
        first = as_seed(output, seed)
        self.gradients = Gradients(output, first)
        self.nodes = [*self.graph.nodes, output]
        self.slots = [0] * len(self.nodes)
        self._totals: dict[Tensor, dict[int, Any]] = {}
        self._rules: dict[tuple[Tensor, bool], tuple[Formula | None, ...]] = {}
        for step in backprop(output, first):
            self.nodes.append(step.node)
            self.slots.append(step.slot)
            if step.arrived == step.expected:
                self.gradients.take(step)

    def __len__(self) -> int:
        return len(self.nodes)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Event, ...]: ...
    def __getitem__(self, index: int | slice) -> Event | tuple[Event, ...]:
        positions = range(len(self))[index]
        return self._event(positions) if isinstance(positions, int) else tuple(map(self._event, positions))

    def _event(self, index: int) -> Event:
        phase = "forward" if index < self.start else "backward" if index > self.start else "seed"
        return Event(index, self, phase, self.nodes[index], self.slots[index])

    @property
    def backward(self) -> tuple[Event, ...]:
        """Return the events after the seed: one for each contribution, as the walk made them."""
        return self[self.start + 1 :]

    def uses(self, tensor: Tensor) -> list[int]:
        """Return the numbers of the events that contribute to a tensor's gradient."""
        return self._uses.get(tensor, [])

    @cached_property
    def _uses(self) -> dict[Tensor, list[int]]:
        uses: dict[Tensor, list[int]] = defaultdict(list)
        for index in range(self.start + 1, len(self)):
            uses[self.nodes[index].inputs[self.slots[index]]].append(index)
        return uses

    def contribution(self, index: int) -> Contribution:
        """Return what the walk yielded at an event of the backward phase, computed once more."""
        node, slot = self.nodes[index], self.slots[index]
        x = node.inputs[slot]
        product, contribution = self.gradients.vjp(node, slot)
        uses = self.uses(x)
        arrived = bisect_left(uses, index) + 1
        before = self.total(x, arrived - 1)
        after = contribution if before is None else read_only(before + contribution)
        upstream = self.gradients[node]
        return Contribution(node, slot, x, upstream, product, contribution, before, after, arrived, len(uses))

    def total(self, tensor: Tensor, arrived: int) -> Any:
        """Return the running total of a tensor's gradient after so many contributions; None after none."""
        uses = self.uses(tensor)
        if arrived == len(uses):
            return self.gradients[tensor]
        known = self._totals.setdefault(tensor, {0: None})
        first = max(count for count in known if count <= arrived)
        total = known[first]
        for count in range(first + 1, arrived + 1):
            index = uses[count - 1]
            _, contribution = self.gradients.vjp(self.nodes[index], self.slots[index])
            total = contribution if total is None else read_only(total + contribution)
            if count % CHECKPOINT == 0:
                known[count] = total
        return total

    def gradient_at(self, tensor: Tensor, index: int) -> Any:
        """Return what has arrived at a tensor by the time of an event; None as long as that is nothing."""
        if tensor is self.graph.output:
            return self.gradients[tensor] if index >= self.start else None
        arrived = bisect_right(self.uses(tensor), index)
        return self.total(tensor, arrived) if arrived else None

    def gradients_at(self, index: int) -> dict[Tensor, Any]:
        """Return what has arrived anywhere by the time of an event."""
        found = {tensor: self.gradient_at(tensor, index) for tensor in self.gradients}
        return {tensor: total for tensor, total in found.items() if total is not None}

    @cached_property
    def timeline(self) -> Timeline:
        """Return when each operation ran, and in which cell."""
        return Timeline(self.graph)

    @cached_property
    def symbols(self) -> Symbols:
        """Return what tensors are called in formulas."""
        return Symbols(self.graph.nodes)

    def rules(self, node: Tensor, *, numbers: bool = False) -> tuple[Formula | None, ...]:
        """Return the formulas of a node's rule, in symbols or with the numbers of small tensors.

        The last ones are kept: the events of a node follow each other, and one of many inputs has many.
        """
        if (node, numbers) not in self._rules:
            made = input_formulas(node, self.gradients[node] if numbers else None, self.symbols)
            last = {key: formulas for key, formulas in self._rules.items() if key[0] is node}
            self._rules = {**last, (node, numbers): made}
        return self._rules[node, numbers]


class Recomputed(NamedTuple):
    """A gradient that is not kept: the node and the slot whose vjp it is, and how many vjps it is from one that is."""

    node: Tensor
    slot: int
    distance: int


class Gradients(Mapping[Tensor, Any]):
    """∂L/∂node of every node that takes part in a walk.

    A gradient that is one single contribution can be had again from that of the node it comes from, bit for bit. It is
    kept only where that would apply more than ``FARTHEST`` rules in a row: in an LSTM, that of 4 nodes of 10.
    """

    def __init__(self, output: Tensor, seed: Any) -> None:
        self._known: dict[Tensor, Any] = {output: seed}  # an array, or how to compute it again
        self._applied: dict[bool, tuple[Tensor, dict[int, tuple[Any, Any]]]] = {}

    def take(self, step: Contribution) -> None:
        """Remember what the last contribution to a node completes."""
        source = self._known[step.node]
        distance = source.distance + 1 if isinstance(source, Recomputed) else 1
        again = step.expected == 1 and distance <= FARTHEST and len(step.node.inputs) <= MOST_INPUTS
        self._known[step.input] = Recomputed(step.node, step.slot, distance) if again else step.after

    def vjp(self, node: Tensor, slot: int) -> tuple[Any, Any]:
        """Apply a node's rule once more; return the product for one input, and the contribution made of it.

        What was made for the other inputs is kept until another node is asked for, of many inputs or of few.
        """
        many = len(node.inputs) > MOST_INPUTS
        if many not in self._applied or self._applied[many][0] is not node:
            upstream = self[node]
            with np.errstate(all="ignore"):  # whatever there was to warn of was said when it was recorded
                made = {at: (product, contribution) for at, product, contribution in apply_vjp(node, upstream, self)}
            self._applied[many] = (node, made)
        return self._applied[many][1][slot]

    def __getitem__(self, node: Tensor) -> Any:
        known = self._known[node]
        return self.vjp(known.node, known.slot)[1] if isinstance(known, Recomputed) else known

    def __contains__(self, node: object) -> bool:
        return node in self._known

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
