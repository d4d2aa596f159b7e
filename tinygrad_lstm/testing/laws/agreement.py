"""Pairs that must agree: the Hessian and its transpose, float32 and float64, what is fused and what is composed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...engine.backprop import grad
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...nn.creation import generator as generator_of
from ..errors import GradientError
from ..objective import TOLERANCE, Objective, compared, tolerated
from ..oracles.rounding import rounding_noise
from ..repeatable import repeatable
from ..subject import Subject, argument, outputs_of

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked


def require_symmetry(
    checked: Mapping[str, Tensor], gradients: Mapping[str, Tensor], rng: np.random.Generator, rtol: float = 0.0
) -> None:
    """Require ⟨u, H w⟩ = ⟨w, H u⟩ for random u and w over all inputs together, by the names that both know them by."""
    names = [name for name, gradient in gradients.items() if gradient.requires_grad and name in checked]
    if not names:
        return
    leaves, graph = [checked[name] for name in names], Graph(*(gradients[name] for name in names))
    u, w = (tuple(rng.normal(size=leaf.shape) for leaf in leaves) for _ in range(2))
    sides = []
    for left, right in ((u, w), (w, u)):
        products = Objective(graph, left).gradients(leaves)
        sides.append(np.concatenate([np.ravel(product * x) for product, x in zip(products, right, strict=True)]))
    apart, scale = compared(*sides)
    objective = Objective(graph, u, rtol)
    if apart > objective.allowed * scale:
        noise = sum(rounding_noise(objective, leaf, x, rng) for leaf, x in zip(leaves, w, strict=True))
        if apart > noise:
            raise GradientError(
                f"the Hessian is not symmetric: ⟨u, Hw⟩ = {sides[0].sum():.10g}, ⟨w, Hu⟩ = {sides[1].sum():.10g}; so "
                "what the rules return is the gradient of no function"
            )


def require_single_precision(
    f: Callable[..., Any], inputs: Sequence[ArrayLike], rng: np.random.Generator, rtol: float = 0.0
) -> tuple[str, ...]:
    """Require of the same function on float32: gradients of that type, and as near as it allows.

    Returns what was compared: nothing where float32 has no number for what the function returns.
    """
    single = [argument(x, i, np.float32) for i, x in enumerate(inputs)]
    double = [argument(x, i, np.float64) for i, x in enumerate(single)]
    outcomes = []
    for arguments in (single, double):
        with np.errstate(all="ignore"):
            graph = Graph(*outputs_of(f(*arguments)))
        if not all(np.isfinite(output.value).all() for output in graph.outputs):
            return ()
        leaves = [x for x in arguments if isinstance(x, Tensor)]
        objective = Objective.random(graph, np.random.default_rng(1))  # the same in both
        outcomes.append((objective, leaves, objective.gradients(leaves)))
    (objective, leaves, ours), (precise, _, exact) = outcomes
    graph = objective.graph
    nodes = zip(graph.nodes, precise.graph.nodes, strict=False)
    if any(((one.value == 0) != (other.value == 0)).any() for one, other in nodes if one.shape == other.shape):
        return ()  # float32 has no number so small
    if not all(np.isfinite(gradient).all() for gradient in (*ours, *exact)):
        return ()
    for i, (leaf, one, other) in enumerate(zip(leaves, ours, exact, strict=True)):
        if graph.output.requires_grad and all(node.dtype == np.float32 for node in graph.leaves):
            found = grad(graph.output, [leaf], np.ones(graph.output.shape), allow_unused=True)[0]
            if found is not None and found.dtype != np.float32:
                raise GradientError(f"the gradient of input {i} is {found.dtype}, of a float32 input")
        scale = float(np.abs(other).max(initial=0.0))
        apart = float(np.abs(one - other).max(initial=0.0))
        allowed = tolerated(2.0**-24, rtol) * scale
        if apart > allowed and apart > rounding_noise(objective, leaf, np.sign(one - other), rng):
            raise GradientError(
                f"the gradient of input {i} {leaf.shape} in float32 is off by {apart:.3g} where float64 gives at "
                f"most {scale:.3g}: more than float32 explains"
            )
    return ("float32 agrees",)


@repeatable
def check_same(
    f: Callable[..., Any],
    g: Callable[..., Any],
    *inputs: Tensor | ArrayLike,
    rng: int | np.random.Generator | None = None,
) -> None:
    """Check that two functions are one: the same values and the same gradients, to what rounding explains.

    A fused operation against what it is composed of, or a faster cell against the one that is easy to read. ``inputs``
    are what both are called with and ``rng`` is the seed, or a Generator, of the cotangents. Returns nothing; raises
    GradientError naming the output, or the input whose gradients differ. Both may still be wrong: ``check_vjp`` finds
    out. (McKeeman 1998, "Differential testing for software".)

    >>> import tinygrad_lstm as tl
    >>> tl.testing.check_same(tl.sigmoid, lambda x: 1 / (1 + tl.exp(-x)), [0.5, -1.0])
    """
    generator = generator_of(rng)
    one, other = (Subject.called(function, inputs, (), generator) for function in (f, g))
    shapes, others = ([output.shape for output in subject.graph.outputs] for subject in (one, other))
    if shapes != others:
        raise GradientError(f"one returns shapes {shapes}, the other {others}")
    mine = Objective.random(one.graph, generator)
    theirs = Objective(other.graph, mine.cotangents)
    unit = TOLERANCE * max(mine.unit, theirs.unit)
    for i, (a, b) in enumerate(zip(one.graph.outputs, other.graph.outputs, strict=True)):
        if _differ(a.value, b.value, unit):
            raise GradientError(_difference(f"output {i} {a.shape}", a.value, b.value))
    pairs = ((mine, one.checked), (theirs, other.checked))
    shared = [  # inputs, and weights that both have
        name for name, x in one.checked.items() if name in other.checked and _is_same(x, other.checked[name])
    ]
    gradients = (objective.gradients([checked[name] for name in shared]) for objective, checked in pairs)
    for name, x, y in zip(shared, *gradients, strict=True):
        if _differ(x, y, unit):
            noise = sum(
                rounding_noise(objective, checked[name], np.sign(x - y), generator) for objective, checked in pairs
            )
            if np.abs(x - y).sum() > noise:
                raise GradientError(_difference(f"the gradient of {name} {x.shape}", x, y))


def _is_same(x: Tensor, y: Tensor) -> bool:
    return np.array_equal(x.value, y.value, equal_nan=True)


def _differ(x: NDArray[Any], y: NDArray[Any], unit: float) -> bool:
    """Tell whether the largest difference is more than so much of the largest numbers."""
    scale = np.abs(x).max(initial=0.0) + np.abs(y).max(initial=0.0)
    return bool(np.abs(x - y).max(initial=0.0) > unit * scale)


def _difference(what: str, x: NDArray[Any], y: NDArray[Any]) -> str:
    """Name the place where two arrays differ most, and both numbers."""
    place = tuple(int(i) for i in np.unravel_index(np.abs(x - y).argmax(), x.shape))
    return f"{what} is {x[place]:.10g} by one{f' at {place}' if place else ''}, and {y[place]:.10g} by the other"
