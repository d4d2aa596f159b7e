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
from .oracles.complex_safe import Slopes, slopes_of

TOLERANCE = 1e4
"""Units of rounding by which a gradient may differ from the complex step: ``judge`` says what a unit is.

Measured: gradients of correct LSTMs differ by up to 64 units, of saturated ones by up to 1.8e3.
"""

LARGE = 1024.0
"""The size of the cotangents: a rule that clips its gradient is seen only where the clip is reached."""

LARGEST, ROUNDED = 2.0**60, 2.0**-10
"""Up to how much larger cotangents are made, and the change, relative to its value, below which none is."""

SPAN, MOST_GROUPS = 2.0**12, 6
"""How far apart numbers of a gradient may be to be looked at along one direction, and how many of those there are."""


@dataclass(frozen=True, eq=False)
class Objective:
    """⟨cotangents, outputs⟩: random weights for every number the function returns, so that none can hide."""

    graph: Graph
    cotangents: tuple[NDArray[Any], ...]
    rtol: float = 0.0  # the relative error that was declared to be right

    @cached_property
    def unit(self) -> float:
        """The unit of rounding: float32's, if any of it is involved."""
        return 2.0**-53 if all(node.dtype == np.float64 for node in self.graph.nodes) else 2.0**-24

    @property
    def allowed(self) -> float:
        """The error that is allowed, relative to the sum of the absolute terms: rounding, or what was declared."""
        return tolerated(self.unit, self.rtol)

    def directions(self, gradient: NDArray[Any], count: int | None, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
        """Draw directions along which every number of a gradient counts for as much as the others.

        Small numbers would hide behind large ones, and zeros behind all: those much smaller than others, by ``SPAN``,
        have a direction of their own. Signs are those of the gradient, so that mistakes of one kind add up. ``count``
        is how many are drawn of each.
        """
        if count is not None and count < 1:
            raise ValueError(f"directions must be 1 or more, not {count}")
        for group in _groups(np.abs(gradient)):
            for _ in range(count or 1):
                weights = np.copysign(rng.uniform(0.5, 1.5, gradient.shape), rng.normal(size=gradient.shape))
                yield _scaled(weights, np.asarray(gradient, np.float64), group)

    @cached_property
    def slopes(self) -> Slopes:
        """How the outputs change along a direction in everything, and whether the complex step may be believed."""
        return slopes_of(self.graph)

    @cached_property
    def precise(self) -> dict[tuple[Tensor, bytes], Any]:
        """What the slowest oracle has computed already, by leaf and direction."""
        return {}

    @classmethod
    def random(cls, graph: Graph, rng: np.random.Generator, rtol: float = 0.0) -> Objective:
        """Weigh the outputs by random cotangents."""
        return cls(graph, tuple(rng.normal(0.0, LARGE, output.shape) for output in graph.outputs), rtol)

    @classmethod
    def equilibrated(cls, graph: Graph, rng: np.random.Generator, rtol: float = 0.0) -> Objective:
        """Weigh by random cotangents, larger for numbers that change little: none hides behind those that change much.

        Of what is rounding beside its value, too little is left to be made larger.
        """
        slopes, values, *_ = measured = slopes_of(graph)
        sizes = np.maximum(np.abs(slopes), ROUNDED * np.abs(values))
        sizes = np.where(np.isfinite(sizes) & (slopes != 0), sizes, 0)
        with np.errstate(all="ignore"):
            factors = np.where(sizes > 0, np.minimum(sizes.max(initial=0.0) / sizes, LARGEST), 1.0)
        drawn = np.split(factors, np.cumsum([output.size for output in graph.outputs])[:-1])
        made = cls(
            graph,
            tuple(
                rng.normal(0.0, LARGE, output.shape) * factor.reshape(output.shape)
                for output, factor in zip(graph.outputs, drawn, strict=True)
            ),
            rtol,
        )
        vars(made)["slopes"] = measured
        return made

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


def _groups(sizes: NDArray[Any]) -> Iterator[NDArray[np.bool_]]:
    """Yield which numbers are looked at together: those within a span of the largest left; the rest, as the zeros."""
    left = np.ones(sizes.shape, bool)
    for _ in range(MOST_GROUPS):
        largest = sizes.max(where=left, initial=0.0)
        if not 0 < largest < np.inf:
            break
        group = left & (sizes >= largest / SPAN)
        yield group
        left &= ~group
    if left.any():
        yield left


def _scaled(weights: NDArray[Any], gradient: NDArray[Any], group: NDArray[np.bool_]) -> NDArray[Any]:
    """Return a direction in a group alone, along which each number of the gradient counts for its weight."""
    largest = np.abs(gradient[group]).max()
    if not (0 < largest < np.inf):
        return np.where(group, weights, 0.0)
    given = np.where(group & (gradient != 0), gradient, np.copysign(largest, weights))  # a few of the last may be zeros
    return np.where(group, np.abs(weights) * (largest / np.abs(given)) * np.sign(given), 0.0)


def tolerated(unit: float, rtol: float) -> float:
    """Return the relative error that is allowed: so many units of rounding, or what was declared."""
    return max(TOLERANCE * unit, rtol)


def compared(ours: NDArray[Any], theirs: NDArray[Any]) -> tuple[float, float]:
    """Return how far apart the sums of two arrays of terms are, and the sum of all absolute terms: what is rounded."""
    return float(abs(ours.sum() - theirs.sum())), float(np.abs(ours).sum() + np.abs(theirs).sum())
