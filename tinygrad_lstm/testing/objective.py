"""What a check looks at: one number made of a function's outputs, and its derivatives by our rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.backprop import grad
from ..engine.graph import Graph
from ..engine.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Objective:
    """⟨cotangents, outputs⟩: random weights for every number the function returns, so that none can hide."""

    graph: Graph
    cotangents: tuple[NDArray[Any], ...]

    @classmethod
    def random(cls, graph: Graph, rng: np.random.Generator) -> Objective:
        return cls(graph, tuple(rng.normal(size=output.shape) for output in graph.outputs))

    def gradients(self, leaves: Sequence[Tensor]) -> list[NDArray[Any]]:
        """The gradient in each leaf, by the rules under test; zeros where no gradient flows."""
        totals: list[NDArray[Any]] = [np.zeros(leaf.shape) for leaf in leaves]
        for output, cotangent in zip(self.graph.outputs, self.cotangents, strict=True):
            if output.requires_grad:
                for i, gradient in enumerate(grad(output, leaves, Tensor(cotangent), allow_unused=True)):
                    totals[i] = totals[i] if gradient is None else totals[i] + gradient.value
        return totals

    def slope(self, leaf: Tensor, direction: NDArray[Any]) -> float:
        """Our derivative along a direction in one leaf."""
        (gradient,) = self.gradients([leaf])
        return float((gradient * direction).sum())

    def terms(self, values: Mapping[Tensor, NDArray[Any]]) -> NDArray[Any]:
        """Numbers for each output, weighted by the cotangents: all that are summed up, one by one."""
        pairs = zip(self.graph.outputs, self.cotangents, strict=True)
        return np.concatenate([np.ravel(values[output] * cotangent) for output, cotangent in pairs])
