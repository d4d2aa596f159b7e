"""Is it a mistake, or rounding? A random last bit in every value decides (stochastic arithmetic, Vignes 1993)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ..objective import Objective
from .replicas import replicas

TRIALS = 5

MARGIN = 256
"""A library's tanh may be off by a few last places where we try one; and five trials see less than the worst."""

FLOOR = 0.5
"""Values below this are nudged as if they were this large, unless asked otherwise: a σ of tanh promises no more."""

Slope = Callable[[Objective, Tensor, NDArray[Any]], float]


def rounding_noise(
    objective: Objective,
    leaf: Tensor,
    direction: NDArray[Any],
    rng: np.random.Generator,
    slope: Slope = Objective.slope,
    floor: float = FLOOR,
    width: int = 1,
) -> float:
    """Estimate how far rounding alone may move our derivative along a direction in one leaf.

    Rebuilds the graph several times with every computed value nudged at random by its last bit; the largest move, times
    a margin, is returned, or 0 if it is not finite. Where an activation saturates, 1 − y² is all last bits and the
    noise is large; elsewhere it is as small as rounding.
    """
    exact = slope(objective, leaf, direction)
    moves = []
    for _ in range(TRIALS):
        with np.errstate(all="ignore"):
            made = replicas(
                objective.graph, objective.graph.values, lambda node, values: _nudged(node, values, floor, width, rng)
            )
            replica = Objective(Graph(*(made[output] for output in objective.graph.outputs)), objective.cotangents)
            moves.append(abs(slope(replica, made[leaf], direction) - exact))
    return MARGIN * max(moves) if np.isfinite(moves).all() else 0.0


def _nudged(
    node: Tensor, values: tuple[NDArray[Any], ...], floor: float, width: int, rng: np.random.Generator
) -> NDArray[Any]:
    """Return what the node computes, with last bits at random where a value is read and where it is written.

    Constants, and what is computed of them alone, are exact: a negative number to the power of nearly 2 is none.
    """
    assert node.primitive is not None
    if node.primitive.exact or not node.requires_grad:  # to nudge what is chosen or moved would break its very ties
        return np.array(node.primitive.forward(*values, **node.attrs))
    read = [
        _with_random_last_bit(value, 0.0, width, rng) if x.requires_grad else value
        for x, value in zip(node.inputs, values, strict=True)
    ]
    return _with_random_last_bit(np.asarray(node.primitive.forward(*read, **node.attrs)), floor, width, rng)


def _with_random_last_bit(value: NDArray[Any], floor: float, width: int, rng: np.random.Generator) -> NDArray[Any]:
    last_bit = width * np.spacing(np.maximum(np.abs(value), value.dtype.type(floor)))
    nudge = rng.integers(-1, 2, size=value.shape).astype(value.dtype) * last_bit
    return np.asarray(value + np.where(np.isfinite(nudge), nudge, 0))
