"""Laws that any gradient obeys, whatever the function: they cost a backward pass or two, and need no oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.backprop import grad
from ...engine.tensor import Tensor
from ..errors import GradientError
from ..objective import Objective
from ..oracles.rounding import rounding_noise
from ..verdicts import TOLERANCE

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked

FACTOR = -(2.0**20)
"""A power of two: gradients of a cotangent so many times as large are so many times as large, to the last bit.

Large for a clip, and negative for a rule that looks at signs.
"""

Gradients = list[NDArray[Any]]


def require_laws(objective: Objective, checked: Mapping[str, Tensor], rng: np.random.Generator) -> tuple[str, ...]:
    """Try every law on an objective. Returns what was tried; raises GradientError naming the law that was broken."""
    leaves = list(checked.values())
    before = {node: node.value.copy() for node in objective.graph.nodes}
    with np.errstate(all="ignore"):
        gradients = objective.gradients(leaves)
        for law, broken in _LAWS.items():
            for name, reason in broken(objective, checked, gradients, rng):
                raise GradientError(f"the gradient of {name} breaks a law that every gradient obeys, {law}: {reason}")
    for node, value in before.items():
        if not np.array_equal(node.value, value, equal_nan=True):
            raise GradientError(f"a backward pass changed a value of the graph: {node!r}")
    return (*_LAWS, "nothing is mutated")


def _differing(checked: Mapping[str, Tensor], ours: Gradients, theirs: Gradients) -> Iterator[str]:
    """Find inputs whose gradients are not the same to the last bit; infinite ones are as good as equal."""
    for name, one, other in zip(checked, ours, theirs, strict=True):
        finite = np.isfinite(one) & np.isfinite(other)
        if not np.array_equal(one[finite], other[finite]):
            yield name


def _repeats(
    objective: Objective, checked: Mapping[str, Tensor], gradients: Gradients, rng: np.random.Generator
) -> Iterator[tuple[str, str]]:
    for name in _differing(checked, gradients, objective.gradients(list(checked.values()))):
        yield name, "a second run gives another gradient; a rule keeps something from one call to the next"


def _vanishes(
    objective: Objective, checked: Mapping[str, Tensor], gradients: Gradients, rng: np.random.Generator
) -> Iterator[tuple[str, str]]:
    nothing = Objective(objective.graph, tuple(0.0 * cotangent for cotangent in objective.cotangents))
    zeros = [0.0 * gradient for gradient in gradients]
    for name in _differing(checked, zeros, nothing.gradients(list(checked.values()))):
        yield name, "with nothing coming from upstream it is not zero; a rule adds something of its own"


def _scales(
    objective: Objective, checked: Mapping[str, Tensor], gradients: Gradients, rng: np.random.Generator
) -> Iterator[tuple[str, str]]:
    large = Objective(objective.graph, tuple(FACTOR * cotangent for cotangent in objective.cotangents))
    scaled = [gradient / FACTOR for gradient in large.gradients(list(checked.values()))]
    for name, one, other in zip(checked, gradients, scaled, strict=True):
        ordinary = np.abs(one) > np.finfo(one.dtype).tiny * FACTOR * FACTOR  # below, numbers lose digits
        unit = TOLERANCE * np.finfo(one.dtype).eps * np.abs(one).max(initial=0.0)
        if (np.abs(one - other)[ordinary & np.isfinite(one) & np.isfinite(other)] > unit).any():
            yield name, f"{FACTOR:.0f} times the cotangent does not give that many times the gradient; is there a clip?"


def _adds(
    objective: Objective, checked: Mapping[str, Tensor], gradients: Gradients, rng: np.random.Generator
) -> Iterator[tuple[str, str]]:
    other = Objective.random(objective.graph, rng)
    both = tuple(a + b for a, b in zip(objective.cotangents, other.cotangents, strict=True))
    leaves = list(checked.values())
    parts, sums = other.gradients(leaves), Objective(objective.graph, both).gradients(leaves)
    for name, one, two, total in zip(checked, gradients, parts, sums, strict=True):
        unit = TOLERANCE * np.finfo(total.dtype).eps * (np.abs(one).max(initial=0.0) + np.abs(two).max(initial=0.0))
        apart = one + two - total
        off = np.where(np.isfinite(apart), apart, 0)
        if (np.abs(off) > unit).any():
            direction = np.sign(off)
            noise = rounding_noise(Objective(objective.graph, both), checked[name], direction, rng)
            if np.abs(off).sum() <= noise:
                continue
            yield name, "the gradient of a sum of cotangents is not the sum of their gradients"


def _stands_alone(
    objective: Objective, checked: Mapping[str, Tensor], gradients: Gradients, rng: np.random.Generator
) -> Iterator[tuple[str, str]]:
    """Find gradients that share memory with a value, a cotangent or another gradient, as ``.grad`` must not."""
    for output, cotangent in zip(objective.graph.outputs, objective.cotangents, strict=True):
        if not output.requires_grad:
            continue
        seed = np.array(cotangent, output.dtype)
        found = grad(output, list(checked.values()), seed, allow_unused=True)
        others = [seed, *(node.value for node in objective.graph.nodes)]
        taken: list[NDArray[Any]] = []
        for name, gradient in zip(checked, found, strict=True):
            if gradient is not None and any(np.shares_memory(gradient.value, x) for x in (*others, *taken)):
                yield name, "it shares memory with a value, a cotangent or another gradient"
            if gradient is not None:
                taken.append(gradient.value)


_Law = Callable[[Objective, Mapping[str, Tensor], Gradients, np.random.Generator], Iterator[tuple[str, str]]]

_LAWS: dict[str, _Law] = {
    "two runs are identical": _repeats,
    "a zero cotangent gives zero": _vanishes,
    "it scales with the cotangent": _scales,
    "it is linear in the cotangent": _adds,
    "nothing is aliased": _stands_alone,
}
