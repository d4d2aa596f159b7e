"""The verdict on one gradient along one direction: which oracle to ask, and whom to believe where they disagree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.tensor import Tensor
from .objective import TOLERANCE, Objective, compared, tolerated
from .oracles.complex_safe import STEP, closest
from .oracles.complex_step import complex_step, safe_complex_step
from .oracles.convergence import RIGHT, convergence
from .oracles.differences import BARS, Estimate, coarseness, differences, one_sided
from .oracles.kinks import short_of_a_kink
from .oracles.precision import precise_terms, rounding_of_constants
from .oracles.question import Question
from .oracles.rounding import FLOOR, rounding_noise
from .oracles.two_passes import two_passes
from .verdicts import Finding, Oracle, Verdict, worse

TRUNCATION = STEP**1.5
"""Smaller differences are what the step leaves behind, of the order h²: seen only where a derivative is zero."""

INFINITE = 1e30
"""A complex step that gives more stands where there is no derivative.

Chosen: a square root gives 7e49 at 0, by 1/√h, and no derivative that a network can use comes near.
"""

ASIDE = 1e-7
"""How far beside a kink its two sides are looked at, relative to the input.

Chosen: far more than a last place, of 1e-16, and so near that curvature does not pass for a kink.
"""

MOST_CORNERS = 256
"""Numbers in a leaf whose kinks are looked at one by one, at most. Those of one relu took 6 ms."""

NEARER = (2.0**12, 2.0**22)
"""How many times nearer differences are looked at again, before a gradient is called wrong."""

WIDE = 256
"""How many last bits are nudged a second time: what does not grow with them is no rounding, but a rule that compares.
"""

NEIGHBOURS = 32
"""Points around several kinks at once, at whose slopes is looked: what lies between them may be right (Clarke 1983)."""

Sides = Callable[..., tuple[float, float, float]]

COARSE = "the differences are too coarse to decide"
_ZERO = "the gradient is zero, and so is the derivative"
_SMALL = "it is smaller than what the step leaves behind"


def judge(question: Question, rng: np.random.Generator, thorough: bool = True) -> Finding:
    """Compare ⟨gradient, direction⟩ with the complex step, and after a mismatch with whatever else can decide.

    They may differ by ``TOLERANCE`` units of rounding; a unit is 2⁻⁵³ times the sum of the absolute terms (2⁻²⁴ if
    float32 is involved); or by the ``rtol`` of the objective, times that sum. Nothing is absolute. A forward that was
    not shown to be complex-safe is judged by extrapolated differences and their error bar. Not ``thorough``, it takes
    the mismatch for a mistake.
    """
    ours, theirs = question.terms, safe_complex_step(*question.line)
    if not np.isfinite(ours).all():
        if theirs is not None and not np.isnan(ours).any() and np.abs(theirs).sum() > INFINITE:
            return Finding(Verdict.UNCHECKED, Oracle.COMPLEX_STEP, reason="it is infinite, and so is the derivative")
        return Finding(Verdict.WRONG, Oracle.ARITHMETIC, reason="it is not finite, though what the function returns is")
    if theirs is None:
        return _by_differences(question)
    apart, scale = compared(ours, theirs)
    if scale <= TRUNCATION:
        return Finding(Verdict.UNCHECKED, Oracle.COMPLEX_STEP, reason=_SMALL if ours.any() else _ZERO)
    error = apart / (question.objective.unit * scale)
    found = Finding(Verdict.PASS, Oracle.COMPLEX_STEP, question.ours, float(theirs.sum()), error)
    if error <= TOLERANCE:
        return found
    if apart <= question.objective.rtol * scale:
        return replace(found, reason=_as_declared(question))
    if _between_sides(question, _complex_sides):
        return replace(found, oracle=Oracle.SIDES, error=0.0)
    mistake = replace(found, verdict=Verdict.WRONG)
    if not thorough:
        return mistake
    if _agrees_along(question, rng.normal(size=question.leaf.shape)):  # then it is in small numbers alone
        rounded = _by_noise(question, mistake, rng, floor=0.0)
        if rounded.verdict is not Verdict.WRONG:
            return rounded  # most often it is, and digits take a hundred times as long to say so
    return _by_digits(question, mistake) or _by_noise(question, mistake, rng)


def _as_declared(question: Question) -> str:
    return f"within rtol={question.objective.rtol:g}, as declared"


def _agrees_along(question: Question, direction: NDArray[Any]) -> bool:
    """Tell whether the gradient agrees with the complex step along a direction in which no number is made larger."""
    plain = replace(question, direction=direction)
    theirs = safe_complex_step(*plain.line)
    if theirs is None:
        return False
    apart, scale = compared(plain.terms, theirs)
    return apart <= question.objective.allowed * scale


def judge_forward(question: Question, rng: np.random.Generator) -> Finding:
    """Compare ⟨w, J u⟩ by two backward passes with ⟨Jᵀw, u⟩ by one and the complex step of the forward."""
    ours = two_passes(*question.line)
    references = {"the gradient": question.terms}
    found = Finding(Verdict.UNCHECKED, Oracle.TWO_PASSES, reason="the derivative is zero")
    if judge(question, rng).oracle is Oracle.COMPLEX_STEP:
        references["the complex step"] = complex_step(*question.line)
    for which, theirs in references.items():
        apart, scale = compared(ours, theirs)
        if not scale:
            continue
        error = apart / (question.objective.unit * scale)
        verdict = Verdict.PASS
        if not apart <= question.objective.allowed * scale:
            noise = max(rounding_noise(*question.line, rng, slope) for slope in (Objective.slope, _forward_slope))
            verdict = Verdict.ROUNDOFF if noise and apart <= noise else Verdict.WRONG
        new = Finding(verdict, Oracle.TWO_PASSES, float(ours.sum()), float(theirs.sum()), error, which)
        found = worse(found, new)
    return found


def _forward_slope(objective: Objective, leaf: Tensor, direction: NDArray[Any]) -> float:
    return float(two_passes(objective, leaf, direction).sum())


def _by_differences(question: Question) -> Finding:
    """Compare with extrapolated differences, which may be off by a few of their error bars."""
    estimate = differences(*question.line)
    if not estimate.scale and not question.terms.any():
        return Finding(Verdict.UNCHECKED, Oracle.DIFFERENCES, reason=_ZERO)
    found = _beside_bar(question, estimate)
    if found.verdict is Verdict.PASS:
        return found
    if _between_sides(question, one_sided):
        return replace(found, verdict=Verdict.PASS, oracle=Oracle.SIDES, error=0.0, reason="")
    if found.verdict is Verdict.WRONG:
        found = _beside_bar(question, differences(*question.line, rough=coarseness(*question.line)))
    for nearer in NEARER if found.verdict is Verdict.WRONG else ():
        closer = differences(*question.line, nearer)
        if abs(closer.slope - estimate.slope) > BARS * (closer.bar + estimate.bar):  # larger steps crossed a kink
            again = _beside_bar(question, closer)
            if again.verdict is not Verdict.WRONG:
                return again
    return found


def _beside_bar(question: Question, estimate: Estimate) -> Finding:
    found = Finding(Verdict.PASS, Oracle.DIFFERENCES, question.ours, float(estimate.slope))
    bar, allowed = estimate.bar, question.objective.allowed
    if allowed > TOLERANCE * 2.0**-53:  # ours is rounded to float32, or declared to be right to some digits only
        bar += allowed * estimate.scale / BARS
    apart = abs(found.ours - found.theirs)
    if BARS * estimate.bar < apart <= question.objective.rtol * estimate.scale:
        found = replace(found, reason=_as_declared(question))
    if not estimate.is_sharp and not apart > BARS * bar:
        return replace(found, verdict=Verdict.UNCHECKED, reason=COARSE)
    error = TOLERANCE * apart / (BARS * bar) if bar else np.inf
    return replace(found, verdict=Verdict.PASS if error <= TOLERANCE else Verdict.WRONG, error=error)


def _by_digits(question: Question, mistake: Finding) -> Finding | None:
    """Compare with 700 digits, where rounding is nothing: what is still apart is a mistake. None without digits."""
    precise = precise_terms(*question.line)
    if precise is None:
        return None
    apart, scale = compared(*precise)
    if scale < np.finfo(np.float64).tiny:
        reason = "the derivative is smaller than any number"
        return replace(mistake, verdict=Verdict.UNCHECKED, oracle=Oracle.DIGITS, error=0.0, reason=reason)
    if apart <= tolerated(2.0**-53, question.objective.rtol) * scale:
        reason = "with enough digits they agree"
        return replace(mistake, verdict=Verdict.ROUNDOFF, oracle=Oracle.DIGITS, reason=reason)
    if apart <= rounding_of_constants(*question.line, apart):
        return replace(
            mistake, verdict=Verdict.ROUNDOFF, oracle=Oracle.DIGITS, reason="the last bit of a constant explains it"
        )
    return mistake


def _by_noise(question: Question, mistake: Finding, rng: np.random.Generator, floor: float = FLOOR) -> Finding:
    """Compare, where digits are not to be had, with what random last bits do, and differences and their order."""
    noise = rounding_noise(*question.line, rng, floor=floor)
    apart = abs(mistake.ours - mistake.theirs)
    explained = noise and apart <= noise
    if explained and 4 * noise < rounding_noise(*question.line, rng, floor=floor, width=WIDE):
        drowned = noise >= abs(mistake.ours) + abs(mistake.theirs)
        verdict = Verdict.UNCHECKED if drowned else Verdict.ROUNDOFF
        reason = "it drowns in rounding" if drowned else "random last bits move it as much"
        error = TOLERANCE * apart / noise
        return replace(mistake, verdict=verdict, oracle=Oracle.LAST_BITS, error=error, reason=reason)
    second = _by_differences(question)
    if explained and second.verdict is not Verdict.WRONG:  # it jumps, as a rule does that compares what is rounded
        return second
    order = convergence(*question.line, question.ours).order
    if second.verdict is Verdict.PASS and order is not None and order > RIGHT:
        return second  # the complex step was the wrong one to ask here
    return mistake


def on_a_kink(question: Question) -> bool:
    """Tell whether a step so small that nothing else changes takes a node from one side of a kink to another."""
    return short_of_a_kink(question.objective.graph, question.leaf, question.direction, ASIDE) < ASIDE


def has_two_sides(question: Question) -> bool:
    """Tell whether the slopes just before and after differ along the direction, as at a kink, and not by curvature."""
    return _differ(*_two_sides(question, one_sided, question.direction))


def _between_sides(question: Question, sides: Sides) -> bool:
    """Tell whether the leaf stands on kinks or ties, with our derivative between those of their two sides.

    Where it does not lie between them along the direction, several kinks at once may be why, so that each number of
    the leaf is looked at by itself.
    """
    before, after, slack = _two_sides(question, sides, question.direction)
    if _differ(before, after, slack):
        if min(before, after) - slack <= question.ours <= max(before, after) + slack:
            return True
    elif not _is_on_a_kink(question, sides):
        return False
    leaf = question.leaf
    if leaf.size > MOST_CORNERS:
        return False
    for place in np.ndindex(leaf.shape):
        alone = np.zeros(leaf.shape)
        alone[place] = 1.0
        before, after, slack = _two_sides(question, sides, alone)
        if not min(before, after) - slack <= question.gradient[place] <= max(before, after) + slack:
            return _among_neighbours(question, sides)
    return True


def _is_on_a_kink(question: Question, sides: Sides) -> bool:
    """Tell whether there is a kink along some direction, if not along the one that is looked at."""
    rng = np.random.default_rng(0)
    return any(_differ(*_two_sides(question, sides, rng.normal(size=question.leaf.shape))) for _ in range(6))


def _differ(before: float, after: float, slack: float) -> bool:
    return abs(after - before) > slack


def _among_neighbours(question: Question, sides: Sides) -> bool:
    """Tell whether our derivative lies between those at points around the leaf, on all sides of its kinks."""
    objective, leaf, direction = question.line
    at, rng = objective.graph.values[leaf].astype(np.float64), np.random.default_rng(0)
    slopes, slack = [], 0.0
    for _ in range(NEIGHBOURS):
        beside = ASIDE * np.where(at == 0, 1, np.abs(at)) * rng.normal(size=at.shape)
        with np.errstate(all="ignore"):
            *both, noise = sides(objective, leaf, direction, 1e-3 * ASIDE * closest(at, direction), beside)
        slopes += both
        slack = max(slack, noise)
    return min(slopes) - slack <= question.ours <= max(slopes) + slack


def _two_sides(question: Question, sides: Sides, direction: NDArray[Any]) -> tuple[float, float, float]:
    """Return the slopes at the very edge of both sides, and how uncertain they are.

    They are looked at twice, at half the distance: what changes with it is curvature, and is taken away; a kink stays.
    """
    objective, leaf, _ = question.line
    at = objective.graph.values[leaf].astype(np.float64)
    aside = ASIDE * closest(at, direction)
    with np.errstate(all="ignore"):
        far, near = (sides(objective, leaf, direction, aside / fraction) for fraction in (1, 2))
    before, after = (2 * close - distant for close, distant in zip(near[:2], far[:2], strict=True))
    curved = 10 * ASIDE * max(abs(x - y) for x, y in zip(near[:2], far[:2], strict=True))
    return before, after, 4 * near[2] + curved + objective.allowed * max(abs(before), abs(after))


def _complex_sides(
    objective: Objective, leaf: Tensor, direction: NDArray[Any], aside: float, beside: NDArray[Any] | float = 0.0
) -> tuple[float, float, float]:
    """Return the slopes a little before and a little after, and what rounding does to them."""
    terms = [complex_step(objective, leaf, direction, sign * aside * direction + beside) for sign in (-1, 1)]
    before, after = (float(each.sum()) for each in terms)
    return before, after, TOLERANCE * 2.0**-53 * float(np.abs(terms).sum())
