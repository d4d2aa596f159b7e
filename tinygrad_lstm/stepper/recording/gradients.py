"""The complete gradients of a walk, most of them kept, the others computed again when somebody looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ...engine.backprop import Contribution, apply_vjp
from ...engine.tensor import Tensor

FARTHEST = 2
"""So many gradients in a row, at most, are not kept, where each is the only contribution to the next.

Measured on an LSTM of 100 steps, 16 sequences and 32 units (``tests/benchmarks/test_stepper_cost.py``): at its peak the
tape takes 1.35 times the memory of the backward pass; with 1 it takes 1.48 times.
"""

MOST_INPUTS = 4
"""What comes of a node of more inputs is kept: computing one contribution again applies the whole rule.

Chosen: no operation that takes a fixed number of inputs takes more than 3.
"""


class Recomputed(NamedTuple):
    """A gradient that is not kept: the node and the slot whose vjp it is, and how many vjps it is from one that is."""

    node: Tensor
    slot: int
    distance: int


class Gradients(Mapping[Tensor, Any]):
    """∂L/∂node of every node that takes part in a walk.

    A gradient that is one single contribution can be had again from that of the node it comes from, bit for bit. It is
    kept only where that would apply more than ``FARTHEST`` rules in a row: in an LSTM, of 4 nodes of 10.
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
