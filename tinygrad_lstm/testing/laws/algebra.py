"""Laws that any gradient obeys, whatever the function: they cost a backward pass or two, and need no oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...engine.backprop import grad
from ...engine.tensor import Tensor
from ..errors import GradientError
from ..objective import Objective, tolerated
from ..oracles.rounding import rounding_noise

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked

FACTORS = -(2.0**50), 2.0**-50
"""Powers of two: gradients of a cotangent so many times as large are so many times as large, to the last bit.

Chosen: upstreams of 2⁶⁰ for a clip and 2⁻⁴⁰ for what is flushed, negative for a rule that looks at signs, and not too
far for float32, which ends at 2¹²⁸.
"""


class Walked(NamedTuple):
    """A backward pass to compare others with: of which objective, and the gradients it gave, by name of the leaf."""

    objective: Objective
    leaves: Mapping[str, Tensor]
    gradients: Mapping[str, NDArray[Any]]
    rng: np.random.Generator

    def again(self, cotangents: Iterable[NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
        """Walk from other cotangents; yield of each leaf the name, the gradient and the other one."""
        other = Objective(self.objective.graph, tuple(cotangents)).gradients(list(self.leaves.values()))
        return zip(self.leaves, self.gradients.values(), other, strict=True)


def require_laws(objective: Objective, checked: Mapping[str, Tensor], rng: np.random.Generator) -> tuple[str, ...]:
    """Try every law on an objective. Returns what was tried; raises GradientError naming the law that was broken."""
    before = {node: node.value.copy() for node in objective.graph.nodes}
    with np.errstate(all="ignore"):
        gradients = objective.gradients(list(checked.values()))
        walked = Walked(objective, checked, dict(zip(checked, gradients, strict=True)), rng)
        for law, broken in _LAWS.items():
            for name, reason in broken(walked):
                raise GradientError(f"the gradient of {name} breaks a law that every gradient obeys, {law}: {reason}")
    for node, value in before.items():
        if not np.array_equal(node.value, value, equal_nan=True):
            raise GradientError(f"a backward pass changed a value of the graph: {node!r}")
    return (*_LAWS, "nothing is mutated")


def _differ(one: NDArray[Any], other: NDArray[Any], rtol: float = 0.0) -> bool:
    """Tell whether gradients are not the same to the last bit, or as declared; infinite ones are as good as equal."""
    finite = np.isfinite(one) & np.isfinite(other)
    slack = rtol * np.abs(one[finite]).max(initial=0.0)
    return one.shape != other.shape or bool((np.abs(one[finite] - other[finite]) > slack).any())


def _allowed(walked: Walked, dtype: np.dtype[Any]) -> float:
    """Return the relative error of a gradient of that type: rounding, or what was declared."""
    return tolerated(float(np.finfo(dtype).eps), walked.objective.rtol)


def _repeats(walked: Walked) -> Iterator[tuple[str, str]]:
    """Find gradients that are not the same in a second run."""
    for name, one, other in walked.again(walked.objective.cotangents):
        if _differ(one, other, walked.objective.rtol):
            yield name, "a second run gives another gradient; a rule keeps something from one call to the next"


def _vanishes(walked: Walked) -> Iterator[tuple[str, str]]:
    """Find gradients that are not zero where the cotangent is."""
    for name, one, other in walked.again(0.0 * cotangent for cotangent in walked.objective.cotangents):
        if _differ(0.0 * one, other):
            yield name, "with nothing coming from upstream it is not zero; a rule adds something of its own"


def _scales(walked: Walked) -> Iterator[tuple[str, str]]:
    """Find gradients that do not grow as the cotangent does."""
    for factor in FACTORS:
        for name, one, other in walked.again(factor * cotangent for cotangent in walked.objective.cotangents):
            least = 2.0**40 * np.finfo(one.dtype).tiny / min(1, abs(factor))  # below, numbers lose digits
            apart = np.abs(one - other / factor)
            unit = _allowed(walked, one.dtype) * np.abs(one).max(initial=0.0)
            if (apart[(np.abs(one) > least) & np.isfinite(apart)] > unit).any():
                yield name, f"{factor:.3g} times the cotangent does not give so many times as much; is there a clip?"


def _adds(walked: Walked) -> Iterator[tuple[str, str]]:
    """Find gradients of a sum of two cotangents that are not the sum of the two gradients."""
    graph, leaves = walked.objective.graph, walked.leaves
    other = Objective.random(graph, walked.rng)
    both = Objective(graph, tuple(map(np.add, walked.objective.cotangents, other.cotangents)))
    pairs = zip(walked.again(other.cotangents), both.gradients(list(leaves.values())), strict=True)
    for (name, one, two), total in pairs:
        rounding = max(_allowed(walked, total.dtype), walked.objective.allowed)  # also of a cotangent that is cast
        unit = rounding * (np.abs(one).max(initial=0.0) + np.abs(two).max(initial=0.0))
        apart = one + two - total
        off = np.where(np.isfinite(apart), apart, 0)
        if not (np.abs(off) > unit).any():
            continue
        all_three = (walked.objective, other, both)  # each of the gradients is rounded on its own
        noise = sum(rounding_noise(each, leaves[name], np.sign(off), walked.rng) for each in all_three)
        if np.abs(off).sum() > noise:
            yield name, "the gradient of a sum of cotangents is not the sum of their gradients"


def _stands_alone(walked: Walked) -> Iterator[tuple[str, str]]:
    """Find gradients that share memory with a value, a cotangent or another gradient, as ``.grad`` must not."""
    graph = walked.objective.graph
    for output, cotangent in zip(graph.outputs, walked.objective.cotangents, strict=True):
        if not output.requires_grad:
            continue
        seed = np.array(cotangent, output.dtype)
        found = grad(output, list(walked.leaves.values()), seed, allow_unused=True)
        taken = [seed, *(node.value for node in graph.nodes)]
        for name, gradient in zip(walked.leaves, found, strict=True):
            if gradient is not None:
                if any(np.shares_memory(gradient.value, x) for x in taken):
                    yield name, "it shares memory with a value, a cotangent or another gradient"
                taken.append(gradient.value)


_LAWS: dict[str, Callable[[Walked], Iterator[tuple[str, str]]]] = {
    "two runs are identical": _repeats,
    "a zero cotangent gives zero": _vanishes,
    "it scales with the cotangent": _scales,
    "it is linear in the cotangent": _adds,
    "nothing is aliased": _stands_alone,
}
"""Of each law, what finds the inputs whose gradients break it, and the reason."""
