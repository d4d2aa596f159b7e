"""Whether the complex step may be believed: at these operands, with these attributes, along a direction in them all.

A forward that loses imaginary parts may do so for some numbers only, as a Huber loss written with ``np.abs`` does
beyond 1. So it is asked at every use, and the graph as a whole besides: a difference must tell the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...engine.backprop import cast, recall
from ...engine.graph import Graph
from ...engine.ops import BUILTIN
from ...engine.tensor import Tensor

STEP = 1e-100
"""So small that f(x + ih) keeps no trace of h², so large that h times a gradient is no denormal."""

SMALL = 1e-9
"""A step is at most so much of the number it is taken at: 1e-100 is no step for a square root at 1e-300."""

AGREE = 1e-6
"""Relative to the slope itself, number by number: a forward that drops imaginary parts is off by all of it."""

KINK = 1e-2
"""Two sides whose slopes differ by more, relatively, are a kink, or a place where the slope is hardly any."""

DISTANCES = (2.0**-20, 2.0**-14)
"""Of the differences, relative to each operand: where two of them do not agree, rounding or a kink is between."""

SHIFTS = (2.0**-10, -(2.0**-10))
"""How far beside a kink both its sides are looked at as well."""

NEAREST = 2.0 ** np.arange(-50, -9, 2)
"""Distances, relative to each operand, at the first of which a smooth function changes, and one of stairs does later.
"""

UNSEEN = 2.0**-54
"""What a number may have changed by that stays the same: half a last place of 1, as σ computes 1 + tanh far out."""

_PROVED = {entry: entry.forward for entry in (*BUILTIN.values(), cast, recall)}
"""Our own forwards, of which tests/testing/test_oracles.py shows that they compute with complex numbers."""

Arrays = Sequence[NDArray[Any]]


class Slopes(NamedTuple):
    """How outputs change along a direction in all leaves at once, how large they are, and whether to believe it.

    ``kinked`` tells whether they change otherwise forth than back; those that do have no slope here.
    """

    slopes: NDArray[Any]
    values: NDArray[Any]
    believed: bool
    kinked: bool


def slopes_of(graph: Graph) -> Slopes:
    """Take the slope of every number that a graph returns: by the complex step where it may be believed."""
    rng = np.random.default_rng(0)
    leaves = [leaf for leaf in graph.leaves if leaf.requires_grad]
    at = [graph.values[leaf].astype(np.float64) for leaf in leaves]

    def outputs(values: Arrays) -> NDArray[Any]:
        replayed = graph.replay(dict(zip(leaves, values, strict=True)), dtype=np.float64)
        return np.concatenate([np.ravel(replayed[output]) for output in graph.outputs])

    with np.errstate(all="ignore"):
        alone = [_alone(node, rng) for node in graph.nodes if _is_foreign(node)]
        safe = all(found.believed for found in alone)
        if alone and len(graph.nodes) == len(graph.leaves) + 1 and len(graph.outputs) == 1:
            return alone[0]  # the only node is the whole
        here = np.concatenate([np.ravel(graph.values[output]) for output in graph.outputs])
        found = _compared(outputs, at, rng, safe, here.astype(np.float64))
        if safe and not found.believed:  # on a kink of several leaves: beside it, they tell
            safe = all(_compared(outputs, _beside(at, shift, rng), rng).believed for shift in SHIFTS)
    return found._replace(believed=safe, kinked=found.kinked or any(each.kinked for each in alone))


def reach(step: float, at: NDArray[Any], direction: NDArray[Any]) -> float:
    """Return a complex step, smaller where it would be large beside a number that it is taken at."""
    return min(step, SMALL * closest(at, direction)) or step


def stairs(function: Callable[[float], NDArray[Any]]) -> NDArray[Any]:
    """Return by how much each number first changes as one moves away from 0, forth or back.

    It is a last place of what is smooth and well rounded. What loses digits inside, as 1 − tanh² far out, is made of
    stairs: it stays the same for long, then changes by all of them.
    """
    here, first = function(0.0), np.zeros(())
    for distance in NEAREST:
        change = np.max([np.abs(function(s * distance) - here) for s in (-1.0, 1.0)], axis=0)
        first = np.where(first == 0, change, first)
        if np.all(first):
            break
    return np.asarray(first)


def closest(at: NDArray[Any], direction: NDArray[Any]) -> float:
    """Return how far along a direction a number first moves by its own size; a zero by 1."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return float(np.min(_sizes(at) / np.abs(direction), initial=np.inf, where=direction != 0))


def _is_foreign(node: Tensor) -> bool:
    primitive = node.primitive
    if primitive is None or primitive.rule is None or not node.requires_grad:
        return False
    return _PROVED.get(primitive) is not primitive.forward


def _alone(node: Tensor, rng: np.random.Generator) -> Slopes:
    """Compare the complex step with differences on the forward of one node, at its operands and beside its kinks."""
    assert node.primitive is not None
    forward, slots = node.primitive.forward, [i for i, x in enumerate(node.inputs) if x.requires_grad]

    def output(values: Arrays) -> NDArray[Any]:
        operands = list(node.input_values)
        for slot, value in zip(slots, values, strict=True):
            operands[slot] = value
        return np.ravel(np.asarray(forward(*operands, **node.attrs)))

    at = [node.input_values[slot].astype(np.float64) for slot in slots]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns where it drops an imaginary part; so do we, later
        here = _compared(output, at, rng)
        beside = [_compared(output, _beside(at, shift, rng), rng) for shift in SHIFTS] if here.kinked else []
    return here._replace(believed=here.believed and all(each.believed for each in beside))


def _compared(
    function: Callable[[Arrays], NDArray[Any]],
    at: Arrays,
    rng: np.random.Generator,
    asked: bool = True,
    here: Any = None,
) -> Slopes:
    """Compare the complex step with differences along a random direction, as large in each number as the number."""
    along = [rng.normal(size=x.shape) * _sizes(x) for x in at]
    here = function(at) if here is None else here

    def sides(distance: float) -> tuple[NDArray[Any], NDArray[Any]]:
        moved = [function([x + s * u for x, u in zip(at, along, strict=True)]) for s in (-distance, distance)]
        return (here - moved[0]) / distance, (moved[1] - here) / distance

    noise = 2.0**-50 / DISTANCES[0] * np.abs(here)
    before, after = sides(DISTANCES[0])
    slopes, apart = (before + after) / 2, np.abs(after - before)
    uneven = apart > KINK * np.abs(slopes) + noise
    kinked = bool(uneven.any())
    if not asked:
        return Slopes(slopes, here, False, kinked)
    try:
        seen = np.imag(function([x + 1j * SMALL * u for x, u in zip(at, along, strict=True)])) / SMALL
    except Exception:  # whatever a forward does to an array that it was not written for
        return Slopes(slopes, here, False, kinked)

    def agrees(noise: NDArray[Any]) -> bool:
        if (np.abs(seen - slopes) <= AGREE * np.abs(slopes) + noise).all():
            return True
        return _within(seen, [before, after, *sides(DISTANCES[1])], noise)

    believed = agrees(noise)
    if not believed and np.isfinite(here).all():  # its steps may be coarse
        high = stairs(lambda s: function([x + s * u for x, u in zip(at, along, strict=True)]))
        believed = agrees(noise + np.where(high > 0, 4 * high / DISTANCES[0], UNSEEN / NEAREST[-1]))
    return Slopes(np.where(uneven, 0.0, seen), here, believed, kinked)


def _within(slopes: NDArray[Any], ends: Arrays, noise: NDArray[Any]) -> bool:
    """Tell whether slopes lie between the least and the largest difference, and as far beside as these are apart."""
    low, high = np.min(ends, axis=0), np.max(ends, axis=0)
    slack = (high - low) + AGREE * np.maximum(np.abs(low), np.abs(high)) + noise
    return bool(((slopes >= low - slack) & (slopes <= high + slack) | ~np.isfinite(slack)).all())


def _sizes(x: NDArray[Any]) -> NDArray[Any]:
    return np.where(x == 0, 1, np.abs(x))


def _beside(at: Arrays, shift: float, rng: np.random.Generator) -> list[NDArray[Any]]:
    return [x + shift * rng.uniform(0.5, 1.5, x.shape) * _sizes(x) for x in at]
