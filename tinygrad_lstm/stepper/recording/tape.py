"""The tape: the program and the engine's walk back over it, as immutable events, so that going back is free.

Recording keeps what cannot be had again: the order of the walk, and complete gradients. What a single event computed
follows from these by the engine's own function, so an event is looked at by computing it once more, bit for bit the
same. Keeping every contribution and every running total instead would multiply the memory of an LSTM of 100 steps
(``tests/benchmarks/test_stepper_cost.py`` prints both).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, overload

from numpy.typing import ArrayLike

from ...engine.backprop import Contribution, as_seed, backprop, read_only
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure.timeline import Timeline
from ...structure.words import display_name
from ...symbolic.formulas import Formula, rules
from .event import Event
from .gradients import MOST_INPUTS, Gradients

CHECKPOINT = 16
"""Every so many contributions the running total of a tensor is kept, once somebody has looked at it."""


class Tape(Sequence[Event]):
    """A recording of the walk back from an output: forward, an event for each node; the seed; an event for each edge.

    ``start`` is the number of the seed, ``gradients`` the complete gradient of every node that took part.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True, name="x")
    >>> [event.phase for event in Tape(x * x)]
    ['forward', 'forward', 'seed', 'backward', 'backward']
    """

    def __init__(self, output: Tensor, seed: ArrayLike | Tensor | None = None) -> None:
        self.graph = Graph(output)
        self.start = len(self.graph)
        first = as_seed(output, seed)
        self.gradients = Gradients(output, first)
        self._walked: list[Tensor] = []
        self._wide_slots: dict[Tensor, list[int]] = {}
        self._totals: dict[Tensor, dict[int, Any]] = {}
        self._rules: tuple[Tensor | None, dict[bool, tuple[Formula | None, ...]]] = (None, {})
        for step in backprop(output, first):
            if not self._walked or step.node is not self._walked[-1]:
                self._walked.append(step.node)
            if step.arrived == step.expected:
                self.gradients.take(step)

    def __len__(self) -> int:
        return self.start + 1 + (self._ends[-1] if self._ends else 0)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Event, ...]: ...
    def __getitem__(self, index: int | slice) -> Event | tuple[Event, ...]:
        positions = range(len(self))[index]
        return Event(positions, self) if isinstance(positions, int) else tuple(Event(i, self) for i in positions)

    @property
    def backward(self) -> tuple[Event, ...]:
        """The events after the seed: one for each contribution, as the walk made them."""
        return self[self.start + 1 :]

    def edge(self, index: int) -> tuple[Tensor, int]:
        """The node of an event, and which of its inputs it is for."""
        if index < self.start:
            return self.graph.nodes[index], 0
        number = index - self.start - 1
        if number < 0:
            return self.graph.output, 0
        place = bisect_left(self._ends, number + 1)
        node = self._walked[place]
        return node, self._slots(node)[number - self._ends[place]]

    def uses(self, tensor: Tensor) -> list[int]:
        """The events that bring something to a tensor's gradient."""
        return self._uses.get(tensor, [])

    def contribution(self, index: int) -> Contribution:
        """What the walk said at an event of the backward phase."""
        node, slot = self.edge(index)
        x = node.inputs[slot]
        product, contribution = self.gradients.share(node, slot)
        uses = self._uses[x]
        arrived = bisect_left(uses, index) + 1
        before = self.total(x, arrived - 1)
        after = contribution if before is None else read_only(before + contribution)
        upstream = self.gradients[node]
        return Contribution(node, slot, x, upstream, product, contribution, before, after, arrived, len(uses))

    def total(self, tensor: Tensor, arrived: int) -> Any:
        """The running total of a tensor's gradient after so many contributions; None after none."""
        uses = self._uses.get(tensor, [])
        if arrived == len(uses):
            return self.gradients[tensor]
        known = self._totals.setdefault(tensor, {0: None})
        first = max(count for count in known if count <= arrived)
        total = known[first]
        for count in range(first + 1, arrived + 1):
            _, contribution = self.gradients.share(*self.edge(uses[count - 1]))
            total = contribution if total is None else read_only(total + contribution)
            if count % CHECKPOINT == 0:
                known[count] = total
        return total

    def gradient_at(self, tensor: Tensor, index: int) -> Any:
        """What has arrived at a tensor by the time of an event; None as long as that is nothing."""
        if tensor is self.graph.output:
            return self.gradients[tensor] if index >= self.start else None
        arrived = bisect_right(self.uses(tensor), index)
        return self.total(tensor, arrived) if arrived else None

    def gradients_at(self, index: int) -> dict[Tensor, Any]:
        """What has arrived anywhere by the time of an event."""
        found = {tensor: self.gradient_at(tensor, index) for tensor in self.gradients}
        return {tensor: total for tensor, total in found.items() if total is not None}

    @cached_property
    def timeline(self) -> Timeline:
        """When each operation ran, and in which cell."""
        return Timeline(self.graph)

    @cached_property
    def names(self) -> frozenset[str]:
        """What tensors are called: letters in formulas must not be mistaken for them."""
        return frozenset(name for node in self.graph.nodes if (name := display_name(node)))

    @cached_property
    def _ends(self) -> list[int]:
        """How many contributions the walk has made by the end of each node."""
        return list(accumulate(len(self._slots(node)) for node in self._walked))

    @cached_property
    def _uses(self) -> dict[Tensor, list[int]]:
        uses: dict[Tensor, list[int]] = defaultdict(list)
        index = self.start
        for node in self._walked:
            for slot in self._slots(node):
                uses[node.inputs[slot]].append(index := index + 1)
        return dict(uses)

    def _slots(self, node: Tensor) -> list[int]:
        if node in self._wide_slots:
            return self._wide_slots[node]
        slots = [slot for slot, x in enumerate(node.inputs) if x in self.gradients]
        if len(node.inputs) > MOST_INPUTS:
            self._wide_slots[node] = slots
        return slots

    def rules(self, node: Tensor, *, numbers: bool = False) -> tuple[Formula | None, ...]:
        """The formulas of a node's rule, in symbols or with the numbers of small tensors.

        The last ones are kept: the events of a node follow each other, and one of many inputs has many.
        """
        if self._rules[0] is not node:
            self._rules = (node, {})
        known = self._rules[1]
        if numbers not in known:
            known[numbers] = rules(node, self.gradients[node] if numbers else None, self.names)
        return known[numbers]
