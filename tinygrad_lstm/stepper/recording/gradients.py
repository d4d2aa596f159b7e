"""The complete gradients of a walk, most of them kept, the others computed again when somebody looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ...engine.backprop import Contribution, apply_vjp
from ...engine.tensor import Tensor

FARTHEST = 2
"""So many gradients in a row are left out where each is the only contribution to the next."""

MOST_INPUTS = 4
"""What follows from a node of more inputs is kept: its rule makes all their shares for any one of them."""


class Follows(NamedTuple):
    """Which contribution a gradient is, and how many steps it is from one that is kept."""

    node: Tensor
    slot: int
    distance: int


class Gradients(Mapping[Tensor, Any]):
    """∂L/∂node of every node that takes part in a walk.

    A gradient that is one single contribution follows from that of the node it comes from, bit for bit. It is kept only
    where one would otherwise have to go back farther than ``FARTHEST`` nodes: in an LSTM, for 4 nodes of 10.
    """

    def __init__(self, output: Tensor, seed: Any) -> None:
        self._known: dict[Tensor, Any] = {output: seed}  # an array, or what it follows from
        nothing: tuple[Tensor | None, dict[int, tuple[Any, Any]]] = (None, {})
        self._shared = {True: nothing, False: nothing}  # of the node last asked for: of many inputs, and of few

    def take(self, step: Contribution) -> None:
        """Remember what the last contribution to a node completes."""
        source = self._known[step.node]
        distance = source.distance + 1 if isinstance(source, Follows) else 1
        left_out = step.expected == 1 and distance <= FARTHEST and len(step.node.inputs) <= MOST_INPUTS
        self._known[step.input] = Follows(step.node, step.slot, distance) if left_out else step.after

    def share(self, node: Tensor, wanted: int) -> tuple[Any, Any]:
        """The product and the contribution of a node for one of its inputs, computed once more."""
        wide = len(node.inputs) > MOST_INPUTS
        if self._shared[wide][0] is not node:
            upstream = self[node]
            with np.errstate(all="ignore"):  # whatever there was to warn of was said when it was recorded
                found = {slot: (product, share) for slot, product, share in apply_vjp(node, upstream, self)}
            self._shared[wide] = (node, found)
        return self._shared[wide][1][wanted]

    def __getitem__(self, node: Tensor) -> Any:
        known = self._known[node]
        return self.share(known.node, known.slot)[1] if isinstance(known, Follows) else known

    def __contains__(self, node: object) -> bool:
        return node in self._known

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
