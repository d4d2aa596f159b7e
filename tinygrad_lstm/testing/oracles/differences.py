"""Differences: a derivative from forwards alone, for those that do not compute with complex numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.tensor import Tensor
from ..objective import Objective
from .complex_safe import UNSEEN, closest, stairs
from .kinks import short_of_a_kink
from .question import Answer, Question

LEVELS = 7
"""Of extrapolation: each halves the step and removes one more term of the error.

Chosen: from a step of a tenth of the input, the seventh is a six-hundredth, and with the error all terms to h¹² are
gone.
"""

BARS = 10.0
"""How many error bars a difference may be off. Of 3,131 correct cases the worst was off by 0.44."""


ROUGH = 2.0**-22
"""How far apart, relative to the input, the points are at which roughness is looked at: a few float32 numbers."""


@dataclass(frozen=True)
class Estimate:
    """A derivative with an error bar: what truncation and rounding may have done to it."""

    slope: float
    bar: float
    scale: float  # the sum of the absolute terms, at the step it was taken with

    @property
    def is_sharp(self) -> bool:
        """Tell whether the bar is so small that a mistake of 1e-4 of the scale is seen behind it."""
        return np.isfinite(self.slope) and BARS * self.bar <= 1e-4 * self.scale


def differences(
    objective: Objective, leaf: Tensor, direction: NDArray[Any], nearer: float = 1.0, rough: float = 0.0
) -> Estimate:
    """Take central differences, extrapolated to a step of zero (Richardson 1911), with an error bar (Ridders 1982).

    The first step is a tenth of the input's size, or less if there is a kink on the way; smaller ones are tried while
    they give a smaller error bar. To the estimate of truncation comes what rounding does to a difference. ``nearer``
    makes the first step so many times smaller; ``rough`` is what is known of roughness already.
    """
    step = first_step(objective, leaf, direction) / nearer
    best = Estimate(np.nan, np.inf, 0.0)
    with np.errstate(all="ignore"):
        rough = max(rough, roughness(objective, leaf, direction))
        for _ in range(8):
            found = min(_extrapolated(objective, leaf, direction, step, rough), key=lambda estimate: estimate.bar)
            if found.bar < best.bar:
                best = found
            elif np.isfinite(best.bar):
                break
            step /= 8
    return best


def _extrapolated(
    objective: Objective, leaf: Tensor, direction: NDArray[Any], step: float, rough: float
) -> Iterator[Estimate]:
    """Yield what each further halving and each further order of extrapolation give."""
    row: list[float] = []
    for _ in range(LEVELS):
        changes, rounding = central(objective, leaf, direction, step)
        noise = 4 * max(rounding, rough) / (2 * step)
        scale = float(np.abs(changes).sum()) / (2 * step)
        new = [float(changes.sum()) / (2 * step)]
        for level, previous in enumerate(row):
            new.append(new[level] + (new[level] - previous) / (4 ** (level + 1) - 1))
            bar = max(abs(new[-1] - new[-2]), abs(new[-1] - previous)) + noise
            yield Estimate(new[-1], bar if bar < np.inf else np.inf, scale)  # no number is no bar
        row = new
        step /= 2


def first_step(objective: Objective, leaf: Tensor, direction: NDArray[Any]) -> float:
    """Return the largest step to try along a direction: a tenth of the leaf's size, or less, short of a kink."""
    sizes = np.abs(objective.graph.values[leaf])
    size = float(sizes.max(where=direction != 0, initial=0.0) or sizes.max(initial=0.0)) or 1.0
    step = 0.1 * size / (float(np.abs(direction).max(initial=0.0)) or 1.0)
    return short_of_a_kink(objective.graph, leaf, direction, step) or step


def central(objective: Objective, leaf: Tensor, direction: NDArray[Any], step: float) -> tuple[NDArray[Any], float]:
    """Return what two steps, one forth and one back, change in each term, and what one rounding of all comes to."""
    at = objective.graph.values[leaf].astype(np.float64)
    after, before = (objective.terms_at(leaf, at + sign * step * direction) for sign in (1, -1))
    moved = after != before  # what stays the same to the last bit is not computed from the leaf
    return after - before, 2.0**-53 * float((np.abs(after) + np.abs(before))[moved].sum())


def roughness(objective: Objective, leaf: Tensor, direction: NDArray[Any]) -> float:
    """Return how far from smooth the objective is at the smallest scale, by third differences (Moré & Wild 2011).

    It is what is rounded inside of forwards, as by a cast to float32; the median, as a kink is no rounding.
    """
    at = objective.graph.values[leaf].astype(np.float64)
    step = ROUGH * closest(at, direction)
    values = [objective.terms_at(leaf, at + k * step * direction).sum() for k in range(-6, 6)]
    return float(np.median(np.abs(np.diff(values, 3))))


def coarseness(objective: Objective, leaf: Tensor, direction: NDArray[Any]) -> float:
    """Return how high the stairs are that the objective is made of, one of each term: ``stairs`` says of what kind.

    Those that are higher than rounding, as of ``floor``, do not count.
    """
    at = objective.graph.values[leaf].astype(np.float64)
    along = closest(at, direction) * direction
    with np.errstate(all="ignore"):
        high = stairs(lambda step: objective.terms_at(leaf, at + step * along))
    lowest = UNSEEN * np.concatenate([np.abs(np.ravel(cotangent)) for cotangent in objective.cotangents])
    if not high.any():
        return float(lowest.sum())
    highest = np.maximum(ROUGH * np.abs(objective.terms(objective.graph.values)), 16 * lowest)
    return float(high.sum(where=high <= highest))


def one_sided(
    objective: Objective, leaf: Tensor, direction: NDArray[Any], step: float, beside: NDArray[Any] | float = 0.0
) -> tuple[float, float, float]:
    """Return the slopes just before and after where the leaf stands, by differences a step apart, and their noise.

    ``beside`` is how far from there they are taken.
    """
    at = objective.graph.values[leaf].astype(np.float64) + beside
    terms = [objective.terms_at(leaf, at + s * step * direction) for s in (-1, 0, 1)]
    before, here, after = (float(each.sum()) for each in terms)
    rounding = max(2.0**-53 * float(np.abs(terms).sum()), roughness(objective, leaf, direction))
    return (here - before) / step, (after - here) / step, 4 * rounding / step


def ask(question: Question) -> Answer:
    """Compare in error bars."""
    estimate = differences(*question.line)
    bars = abs(question.ours - estimate.slope) / estimate.bar if estimate.bar else np.inf
    return Answer(question.ours, float(estimate.slope), f"{bars:.3g} error bars of {estimate.bar:.1e}")
