"""The complex step: derivatives exact to rounding from forwards alone, and what to do where that fails."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .errors import GradientError
from .objective import Objective

STEP = 1e-100
"""So small that f(x + ih) keeps no trace of h², so large that h times a gradient is no denormal."""

ASIDE = 1e-7
"""How far beside a kink its two sides are looked at, relative to the input; and what a real difference uses."""

KINK = 1e-3
"""Two sides whose slopes differ by less, relatively, are no kink: curvature alone differs by about ``ASIDE``."""


def complex_step(objective: Objective, leaf: Tensor, direction: NDArray[Any], aside: float = 0.0) -> NDArray[Any]:
    """The terms whose sum is the objective's derivative along a direction in one leaf.

    ``aside`` takes the derivative a little further along the direction instead. Raises GradientError for a forward that
    does not compute with complex numbers.
    """
    graph = objective.graph
    at = graph.values[leaf].astype(np.float64)
    moved = at + aside * np.maximum(np.abs(at), 1) * direction + 1j * STEP * direction
    try:
        values = graph.replay({leaf: moved}, dtype=np.float64)
    except TypeError as error:
        raise GradientError(f"a forward does not take complex numbers, as a complex step must: {error}") from error
    outputs = zip(graph.outputs, objective.cotangents, strict=True)
    return np.concatenate([(np.imag(values[output]) / STEP * cotangent).ravel() for output, cotangent in outputs])


def between_one_sided(objective: Objective, leaf: Tensor, direction: NDArray[Any], ours: float) -> bool:
    """Whether the leaf stands on a kink or a tie, and our derivative lies between those of its two sides."""
    with np.errstate(all="ignore"):
        before = float(complex_step(objective, leaf, direction, -ASIDE).sum())
        after = float(complex_step(objective, leaf, direction, ASIDE).sum())
    kinked = abs(after - before) > KINK * max(abs(before), abs(after))
    return bool(kinked and min(before, after) <= ours <= max(before, after))


def require_complex_safe(graph: Graph, generator: np.random.Generator) -> None:
    """Name a primitive whose forward loses the imaginary part: its gradient was accused by a wrong witness."""
    for node in graph.nodes:
        if node.primitive is None or node.primitive.rule is None:
            continue
        operands = [value + 0.01 * generator.normal(size=value.shape) for value in node.input_values]  # off any kink
        directions = [generator.normal(size=value.shape) for value in operands]
        distance = np.sqrt(np.finfo(np.float64).eps)
        with np.errstate(all="ignore"):
            seen = np.imag(_forward(node, operands, directions, 1j * STEP)) / STEP
            there = _forward(node, operands, directions, distance)
            expected = (there - _forward(node, operands, directions, -distance)) / (2 * distance)
        if np.isfinite(expected).all() and not seen.any() and np.abs(expected).max(initial=0.0) > KINK:
            raise GradientError(
                f"the forward of {node.primitive.name}{node.context.place} loses the imaginary part of complex "
                "numbers, as np.abs and astype(float) do, so that a complex step cannot check its gradient; write it "
                "so that it compares by real part instead"
            )


def _forward(node: Tensor, operands: list[Any], directions: list[Any], distance: complex) -> NDArray[Any]:
    """The node's primitive, a distance along the directions from its operands."""
    assert node.primitive is not None
    moved = [value + distance * direction for value, direction in zip(operands, directions, strict=True)]
    return np.asarray(node.primitive.forward(*moved, **node.attrs))
