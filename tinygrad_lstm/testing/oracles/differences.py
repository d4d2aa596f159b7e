"""Derivatives from forwards alone: opinions that share no code with the rules under test.

Each looks at an objective along a direction in one leaf, by replaying the graph on other numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ..objective import Objective

STEP = 1e-100
"""So small that f(x + ih) keeps no trace of h², so large that h times a gradient is no denormal."""

LEVELS = 7
"""Of extrapolation: each halves the step and removes one more term of the error."""

BARS = 10.0
"""How many error bars a difference may be off. Of 3,131 correct cases the worst was off by 0.44."""


def complex_step(objective: Objective, leaf: Tensor, direction: NDArray[Any], aside: float = 0.0) -> NDArray[Any]:
    """The terms whose sum is the derivative, exact to rounding: Im f(x + ihu) / h (Squire & Trapp 1998).

    ``aside`` takes the derivative a little further along the direction instead. Raises TypeError for a forward that
    does not compute with complex numbers.
    """
    graph = objective.graph
    at = graph.values[leaf].astype(np.float64)
    moved = at + aside * np.maximum(np.abs(at), 1) * direction + 1j * STEP * direction
    return objective.terms({output: np.imag(value) / STEP for output, value in _replayed(graph, leaf, moved)})


@dataclass(frozen=True)
class Estimate:
    """A derivative with an error bar: what truncation and rounding may have done to it."""

    slope: float
    bar: float
    scale: float  # the sum of the absolute terms, at the step it was taken with

    @property
    def tells(self) -> bool:
        """Whether the bar is small enough for a mistake to be seen behind it."""
        return np.isfinite(self.slope) and BARS * self.bar <= 1e-4 * self.scale


def differences(objective: Objective, leaf: Tensor, direction: NDArray[Any]) -> Estimate:
    """Central differences, extrapolated to a step of zero (Richardson 1911), with an error bar (Ridders 1982).

    The first step is a tenth of the input's size, or less if there is a kink on the way; smaller ones are tried while
    they give a smaller error bar. To the estimate of truncation comes what rounding does to a difference.
    """
    at = objective.graph.values[leaf].astype(np.float64)
    size = np.abs(direction).max(initial=0.0)
    step = 0.1 * (np.abs(at).max(initial=0.0) or 1.0) / (size or 1.0)
    step = short_of_a_kink(objective.graph, leaf, direction, step) or step
    best = Estimate(np.nan, np.inf, 0.0)
    with np.errstate(all="ignore"):
        for _ in range(8):
            found = _extrapolated(objective, leaf, at, direction, step)
            if found.bar < best.bar:
                best = found
            elif np.isfinite(best.bar):
                break
            step /= 8
    return best


def _extrapolated(
    objective: Objective, leaf: Tensor, at: NDArray[Any], direction: NDArray[Any], step: float
) -> Estimate:
    best = Estimate(np.nan, np.inf, 0.0)
    row: list[float] = []
    for _ in range(LEVELS):
        after, before = (_terms(objective, leaf, at + sign * step * direction) for sign in (1, -1))
        noise = 4 * 2.0**-53 * float(np.abs(after).sum() + np.abs(before).sum()) / (2 * step)
        scale = float(np.abs(after - before).sum()) / (2 * step)
        new = [float((after - before).sum()) / (2 * step)]
        for level, previous in enumerate(row):
            new.append(new[level] + (new[level] - previous) / (4 ** (level + 1) - 1))
            bar = max(abs(new[-1] - new[-2]), abs(new[-1] - previous)) + noise
            if bar < best.bar:
                best = Estimate(new[-1], bar, scale)
        row = new
        step /= 2
    return best


def one_sided(objective: Objective, leaf: Tensor, direction: NDArray[Any], step: float) -> tuple[float, float]:
    """The slopes just before and just after where the leaf stands, by differences a step apart."""
    at = objective.graph.values[leaf].astype(np.float64)
    before, here, after = (float(_terms(objective, leaf, at + s * step * direction).sum()) for s in (-1, 0, 1))
    return (here - before) / step, (after - here) / step


@dataclass(frozen=True)
class Convergence:
    """How fast φ(x + hu) − φ(x − hu) − 2h⟨g, u⟩ goes to zero with h, which depends on whether g is the gradient."""

    steps: list[float]
    remainders: list[float]
    floor: list[float]  # what rounding alone leaves, at each step

    @property
    def order(self) -> float | None:
        """The slope in the logarithms, over the smallest steps that stand above the floor; None if hardly any do."""
        points = zip(self.steps, self.remainders, self.floor, strict=True)
        above = [(np.log(step), np.log(left)) for step, left, floor in points if left > floor and np.isfinite(left)]
        if len(above) < 3:
            return None
        xs, ys = np.transpose(above[-6:])  # the larger steps have not begun to converge
        return float(np.polyfit(xs, ys, 1)[0])

    def svg(self) -> str:
        """The plot: what is left over the step, on logarithmic axes, beside lines that fall like h and like h³."""
        from ..report.plot import plot

        return plot(self)


def convergence(objective: Objective, leaf: Tensor, direction: NDArray[Any], slope: float) -> Convergence:
    """The Taylor test: order 3 for a right gradient, 1 for a wrong one. Below an error of 1e-5 it cannot tell.

    No step crosses a kink, behind which there is another function.
    """
    at = objective.graph.values[leaf].astype(np.float64)
    unit = direction / (np.abs(direction).max(initial=0.0) or 1.0)
    along = slope / (np.abs(direction).max(initial=0.0) or 1.0)
    longest = 0.1 * (np.abs(at).max(initial=0.0) or 1.0)
    longest = short_of_a_kink(objective.graph, leaf, unit, longest) or longest
    steps = [float(step) for step in longest * np.logspace(0, -5, 16)]
    remainders, floor = [], []
    with np.errstate(all="ignore"):
        for step in steps:
            after, before = (_terms(objective, leaf, at + sign * step * unit) for sign in (1, -1))
            remainders.append(abs(float((after - before).sum()) - 2 * step * along))
            floor.append(64 * 2.0**-53 * float(np.abs(after).sum() + np.abs(before).sum()))
    return Convergence(steps, remainders, floor)


def branches(graph: Graph, values: dict[Tensor, NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """On which side of its kinks each node stands: signs of what the primitives declare to vanish there."""
    for node in graph.nodes:
        if node.primitive is not None and node.primitive.kink is not None:
            yield np.sign(np.real(node.primitive.kink(*(values[x] for x in node.inputs), **node.attrs)))


def short_of_a_kink(graph: Graph, leaf: Tensor, direction: NDArray[Any], step: float) -> float:
    """A step that leaves every node on its side of every kink; 0 if not even one of twenty ever smaller ones does."""
    if not any(node.primitive is not None and node.primitive.kink for node in graph.nodes):
        return step
    at = graph.values[leaf].astype(np.float64)
    with np.errstate(all="ignore"):
        here = list(branches(graph, graph.replay({leaf: at}, dtype=np.float64)))
        for smaller in step * 4.0 ** -np.arange(20):
            there = (graph.replay({leaf: at + sign * smaller * direction}, dtype=np.float64) for sign in (1, -1))
            if all(
                np.array_equal(a, b) for values in there for a, b in zip(here, branches(graph, values), strict=True)
            ):
                return float(smaller)
    return 0.0


def _terms(objective: Objective, leaf: Tensor, at: NDArray[Any]) -> NDArray[Any]:
    return objective.terms(dict(_replayed(objective.graph, leaf, at)))


def _replayed(graph: Graph, leaf: Tensor, at: NDArray[Any]) -> Iterator[tuple[Tensor, NDArray[Any]]]:
    values = graph.replay({leaf: at}, dtype=np.float64)
    return ((output, values[output]) for output in graph.outputs)
