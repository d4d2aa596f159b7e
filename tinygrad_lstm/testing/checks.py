"""Checks that a gradient is right, each against an opinion that shares no code with the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.graph import Graph
from ..engine.tensor import Tensor, tensor
from .complex_step import STEP, between_one_sided, complex_step, require_complex_safe
from .errors import GradientError, NothingCheckedError
from .objective import Objective
from .rounding import rounding_noise

TOLERANCE = 1e4
"""In units of rounding. Correct LSTM gradients were measured up to 64 units, saturated ones up to 1.8e3."""

TRUNCATION = STEP**1.5
"""Smaller differences are what the step leaves behind, of the order h²: seen only where a derivative is zero."""


@dataclass(frozen=True)
class VJPReport:
    """What ``check_vjp`` found: for each input its name and largest error, in units of rounding.

    Where saturation makes more noise than plain rounding, the unit is a ten-thousandth of that noise instead.
    ``unproved`` names the inputs of which nothing could be said: their gradients are zero, or drown in rounding.
    """

    errors: dict[str, float]
    unproved: frozenset[str] = frozenset()

    @property
    def worst(self) -> float:
        return max(self.errors.values(), default=0.0)


def check_vjp(
    f: Callable[..., Any],
    *inputs: Tensor | ArrayLike,
    parameters: Sequence[Tensor] = (),
    directions: int = 2,
    rng: int | np.random.Generator = 0,
) -> VJPReport:
    """Check the gradients of ``f(*inputs)`` in every input, and in ``parameters`` that f uses, by complex step.

    f takes Tensors and returns a Tensor, or a tuple of them, of any shape; its cotangents are random. For each input x
    and random directions u, ⟨∂L/∂x, u⟩ must equal Im L(x + ihu) / h, computed by replaying f's own graph on complex
    numbers: no truncation and no cancellation, so the tolerance is derived from rounding alone, 1e4 · 2⁻⁵³ times the
    sum of the absolute terms (2⁻²⁴ if float32 is involved), or what a random last bit in every value does to the
    gradient where saturation amplifies it. At a kink or a tie the gradient must lie between those of its two sides.

    Raises GradientError naming the input and the error of a wrong gradient; for a function that is random or computes
    outside its graph, an input that it ignores, and a forward that does not take complex arrays, as all of ours do
    where they are analytic; and NothingCheckedError when every gradient is zero or drowns in rounding. (Squire & Trapp
    1998; Martins, Sturdza & Alonso 2003.)

    >>> import tinygrad_lstm as tl
    >>> tl.testing.check_vjp(lambda a, b: tl.tanh(a @ b), [[0.1, 0.2]], [[3.0], [4.0]]).worst < 100
    True
    """
    generator = np.random.default_rng(rng)
    leaves = [_leaf(x, position) for position, x in enumerate(inputs)]
    outputs = _as_outputs(f(*leaves))
    if not all(np.isfinite(output.value).all() for output in outputs):
        raise GradientError("the function returns NaN or Inf at these inputs; its gradients there cannot be checked")
    checked = {leaf.name or "": leaf for leaf in leaves}
    checked |= {parameter.name or f"parameter {i}": parameter for i, parameter in enumerate(parameters)}
    if len(checked) < len(leaves) + len(parameters):
        raise ValueError("two inputs have the same name; names tell them apart in the report")
    graph = Graph(*outputs)
    used = set(graph.leaves)
    for name, leaf in checked.items():
        if leaf not in used:
            raise GradientError(f"the result does not depend on {name}: leave it out, or look for a detach on its way")
    _require_faithful(f, graph, leaves, list(parameters), generator)
    objective = Objective(graph, tuple(generator.normal(size=output.shape) for output in outputs))
    errors = dict.fromkeys(checked, 0.0)
    unproved = set(checked)
    for (name, leaf), gradient in zip(checked.items(), objective.gradients(list(checked.values())), strict=True):
        for _ in range(directions if leaf.size else 0):
            error = _error_along(objective, name, leaf, gradient, generator)
            if error is not None:
                unproved.discard(name)
                errors[name] = max(errors[name], error)
    if len(unproved) == len(checked):
        raise NothingCheckedError(
            f"nothing was checked: the gradients of {', '.join(checked) or 'no input'} are all zero, and so are the "
            "differences, or they drown in rounding"
        )
    return VJPReport(errors, frozenset(unproved))


def _error_along(
    objective: Objective, name: str, leaf: Tensor, gradient: NDArray[Any], generator: np.random.Generator
) -> float | None:
    """The error along a random direction, in units of rounding; None if nothing can be said. Raises for a wrong one."""
    direction = generator.normal(size=leaf.shape)
    theirs = complex_step(objective, leaf, direction)
    ours = gradient * direction
    scale = float(np.abs(ours).sum() + np.abs(theirs).sum())
    difference = float(abs(ours.sum() - theirs.sum()))
    if not np.isfinite(difference):
        raise GradientError(f"the gradient of {name} {leaf.shape}, or its complex step, is not finite")
    if scale <= TRUNCATION:
        return None
    unit = 2.0**-53 if all(node.dtype == np.float64 for node in objective.graph.nodes) else 2.0**-24
    error = plain = difference / (unit * scale)
    if error > TOLERANCE:
        noise = rounding_noise(objective, leaf, direction, generator)
        if difference <= noise and noise >= scale:
            return None  # all rounding
        error = TOLERANCE * difference / noise if noise else np.inf
    if error > TOLERANCE and between_one_sided(objective, leaf, direction, float(ours.sum())):
        return 0.0
    if not error <= TOLERANCE:
        require_complex_safe(objective.graph, generator)
        raise GradientError(
            f"the gradient of {name} {leaf.shape} is wrong: along a random direction it gives {ours.sum():.10g}, the "
            f"complex step gives {theirs.sum():.10g}; a relative error of {difference / scale:.2g}, {plain:.3g} units "
            f"of rounding, where {TOLERANCE:.0e} are allowed"
        )
    return error


def _leaf(x: Tensor | ArrayLike, position: int) -> Tensor:
    value = x.value if isinstance(x, Tensor) else x
    name = x.name if isinstance(x, Tensor) and x.name else f"input {position}"
    return tensor(value, requires_grad=True, name=name)


def _as_outputs(result: Any) -> list[Tensor]:
    """The Tensors among what f returned, however nested."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, tuple | list) and result:
        return [output for part in result for output in _as_outputs(part)]
    raise TypeError(f"the function must return a Tensor, or a tuple of them, not {type(result).__name__}")


def _require_faithful(
    f: Callable[..., Any],
    graph: Graph,
    leaves: list[Tensor],
    parameters: list[Tensor],
    generator: np.random.Generator,
) -> None:
    """The recorded graph must compute what f computes, at its inputs and parameters and a little beside them."""
    for nearness in (0.0, 1.0):
        moved = {x: _beside(graph.values[x], nearness, generator) for x in [*leaves, *parameters]}
        with np.errstate(all="ignore"), _replaced({x: moved[x] for x in parameters}):
            again = _as_outputs(f(*(tensor(moved[x], requires_grad=True, name=x.name) for x in leaves)))
            replayed = graph.replay(moved)
        agrees = len(again) == len(graph.outputs) and all(
            np.array_equal(replayed[old], new.value, equal_nan=True)
            for old, new in zip(graph.outputs, again, strict=True)
        )
        if not agrees and not nearness:
            raise GradientError("the function is random: called twice on the same inputs, it returns different values")
        if not agrees:
            raise GradientError(
                "the function computes something outside the graph, as with x.numpy() or x.detach(): moved a little, "
                "it no longer agrees with what was recorded, and no gradient can be right"
            )


def _beside(value: NDArray[Any], nearness: float, generator: np.random.Generator) -> NDArray[Any]:
    """The value, moved at random by the square root of a last place; zeros move too."""
    distance = nearness * np.sqrt(np.finfo(value.dtype).eps) * np.maximum(np.abs(value), 1)
    return np.asarray(value + distance * generator.normal(size=value.shape), value.dtype)


@contextmanager
def _replaced(values: dict[Tensor, NDArray[Any]]) -> Iterator[None]:
    """Other values for some leaves, for a while."""
    before = {x: x.value for x in values}
    try:
        for x, value in values.items():
            x.value = value
        yield
    finally:
        for x, value in before.items():
            x.value = value
