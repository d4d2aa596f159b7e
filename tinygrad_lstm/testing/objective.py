"""What a check looks at: one number made of a function's outputs, and its derivatives by our rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.backprop import grad
from ..engine.graph import Graph
from ..engine.primitive import Primitive
from ..engine.tensor import Tensor
from .oracles.complex_safe import first_unsafe

LARGE = 1024.0
"""The size of the cotangents: a rule that clips its gradient is seen only where the clip is reached."""


@dataclass(frozen=True, eq=False)
class Objective:
    """⟨cotangents, outputs⟩: random weights for every number the function returns, so that none can hide."""

    graph: Graph
    cotangents: tuple[NDArray[Any], ...]

    @cached_property
    def unit(self) -> float:
        """The unit of rounding: float32's, if any of it is involved."""
        return 2.0**-53 if all(node.dtype == np.float64 for node in self.graph.nodes) else 2.0**-24

    def directions(self, leaf: Tensor, count: int | None, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
        """Draw directions in a leaf, as many as are asked for, or as are enough.

        One is enough, unless chance puts it at right angles to a mistake. Of the few digits of float32 the tolerance
        leaves three, so that one direction in twenty hides a mistake of 1 %: there are four.
        """
        if count is not None and count < 1:
            raise ValueError(f"directions must be 1 or more, not {count}")
        usual = 1 if self.unit == 2.0**-53 else 4
        for _ in range((count or usual) if leaf.size else 0):
            yield rng.normal(size=leaf.shape)

    @cached_property
    def unsafe(self) -> Tensor | None:
        """The first node whose forward does not compute with complex numbers."""
        return first_unsafe(self.graph)

    @cached_property
    def precise(self) -> dict[tuple[Tensor, bytes], Any]:
        """What the slowest oracle has computed already, by leaf and direction."""
        return {}

    @classmethod
    def random(cls, graph: Graph, rng: np.random.Generator) -> Objective:
        """Weigh the outputs by random cotangents."""
        return cls(graph, tuple(rng.normal(0.0, LARGE, output.shape) for output in graph.outputs))

    def gradients(self, leaves: Sequence[Tensor]) -> list[NDArray[Any]]:
        """Return the gradient in each leaf, by the rules under test; zeros where no gradient flows."""
        pairs = [pair for pair in zip(self.graph.outputs, self.cotangents, strict=True) if pair[0].requires_grad]
        if not pairs:
            return [np.zeros(leaf.shape) for leaf in leaves]
        with np.errstate(all="ignore"):  # what is not finite is a finding, no warning
            found = _grad(pairs, leaves)
        return [np.zeros(leaf.shape) if g is None else g.value for leaf, g in zip(leaves, found, strict=True)]

    def slope(self, leaf: Tensor, direction: NDArray[Any]) -> float:
        """Return our derivative along a direction in one leaf."""
        (gradient,) = self.gradients([leaf])
        return float((gradient * direction).sum())

    def terms(self, values: Mapping[Tensor, NDArray[Any]]) -> NDArray[Any]:
        """Return numbers for each output, weighted by the cotangents: all that are summed up, one by one."""
        pairs = zip(self.graph.outputs, self.cotangents, strict=True)
        return np.concatenate([np.ravel(values[output] * cotangent) for output, cotangent in pairs])

    def terms_at(self, leaf: Tensor, at: NDArray[Any]) -> NDArray[Any]:
        """Return those numbers with other ones in a leaf, by replaying the graph in float64."""
        return self.terms(self.graph.replay({leaf: at}, dtype=np.float64))


def _grad(pairs: list[tuple[Tensor, NDArray[Any]]], leaves: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    """Walk once, from all outputs at once."""
    if len(pairs) == 1:
        ((output, cotangent),) = pairs
        return grad(output, leaves, Tensor(cotangent), allow_unused=True)
    outputs, cotangents = zip(*pairs, strict=True)
    together = Primitive("together", lambda *ys: np.zeros(()), lambda g, y, *ys: cotangents, None)
    values = tuple(output.value for output in outputs)
    return grad(Tensor(np.zeros(()), together, outputs, values, requires_grad=True), leaves, allow_unused=True)


def compared(ours: NDArray[Any], theirs: NDArray[Any]) -> tuple[float, float]:
    """Return how far apart the sums of two arrays of terms are, and the sum of all absolute terms: what is rounded."""
    return float(abs(ours.sum() - theirs.sum())), float(np.abs(ours).sum() + np.abs(theirs).sum())
