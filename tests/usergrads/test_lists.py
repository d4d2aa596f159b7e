"""The lists are what they say: names are unique, right rules agree with one-sided slopes, wrong ones do not."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from . import RIGHT, WRONG

pytestmark = pytest.mark.filterwarnings("ignore")

MEASURED = [case for case in RIGHT if case.forward is not None and case.inputs and not case.by_hand]
COMPARED = [case for case in WRONG if case.truth is not None and case.inputs and not case.refusal]
DRAWN = [case for case in WRONG if case.truth is not None and not case.inputs]
SHOWN = [np.array([25.0, 0.5]), np.array([0.0, 2.0]), np.ones((2, 1, 3)), np.linspace(1, 2, 17)]
SCALES = ("small beside large", "extreme")  # one output and one entry at a time, or the small ones would drown
EQUAL = {"maximum: a tie counted by nobody"}  # zero along each input alone: it is wrong of both together


def arrays(case):
    """The inputs in float64: what is true of a function is true of it in all precisions."""
    return [np.asarray(x, float) for x in case.inputs]


def one_entry(like, rng):
    """One somewhere, else zero."""
    return (np.arange(like.size) == rng.integers(like.size)).reshape(like.shape).astype(float)


def slope(objective, inputs, direction, size):
    """The one-sided slope, extrapolated three times from steps of ``size``."""
    start, row = objective(inputs), []
    for k in range(6):
        h = size / 2**k
        row.append((objective([x + h * u for x, u in zip(inputs, direction, strict=True)]) - start) / h)
    for order in (1, 2, 3):
        row = [(2**order * finer - coarser) / (2**order - 1) for coarser, finer in pairwise(row)]
    return row[-1]


def judged(case, rng, alone=False):
    """(left, right, ours, unit) along a random direction: between the first two the third must lie."""
    inputs = arrays(case)
    y = case.value(*inputs)
    upstream = one_entry(y, rng) if case.kind in SCALES else rng.normal(size=y.shape)
    direction = [rng.normal(size=x.shape) * np.where(x == 0, 1, np.abs(x)) for x in inputs]
    if alone or case.kind in SCALES:
        direction = [u * one_entry(u, rng) for u in direction]
    objective = lambda at: float((upstream * case.value(*at)).sum())
    size = 1e-9 if case.kind == "interpolation" and "knot" in case.name else 2e-3
    right = slope(objective, inputs, direction, size)
    left = -slope(objective, inputs, [-u for u in direction], size)
    given = case.gradients(upstream, *inputs)
    ours = sum(float((g * u).sum()) for g, u in zip(given, direction, strict=True))
    unit = sum(float(np.abs(g * u).sum()) for g, u in zip(given, direction, strict=True)) + abs(left) + abs(right)
    unit += 1e-9 * abs(objective(inputs)) / size  # what rounding leaves of a difference
    return min(left, right), max(left, right), ours, unit


def test_every_case_has_a_name_of_its_own_and_a_note():
    assert [name for name, n in Counter(case.name for case in WRONG + RIGHT).items() if n > 1] == []
    assert all(case.note and case.kind for case in WRONG + RIGHT)
    assert len(WRONG) >= 110
    assert len(RIGHT) >= 110


@pytest.mark.parametrize("case", MEASURED, ids=lambda case: case.name)
def test_right_rules_agree_with_slopes(case):
    rng = np.random.default_rng(7)
    for _ in range(3):
        low, high, ours, unit = judged(case, rng, alone=case.kind in ("kink", "tie"))
        assert low - 2e-5 * unit <= ours <= high + 2e-5 * unit


@pytest.mark.parametrize("case", COMPARED, ids=lambda case: case.name)
def test_wrong_rules_are_wrong_at_their_inputs(case):
    """By more than rounding of the right one, which agrees with slopes; at a tie, outside both sides."""
    inputs, rng = arrays(case), np.random.default_rng(7)
    y = case.value(*inputs)
    upstream = np.eye(2)[1][:, None] * np.ones(y.shape) if "1e-8·cos" in case.name else rng.normal(size=y.shape)
    ours = case.gradients(upstream, *inputs)
    theirs = case.gradients(upstream, *inputs, rule=case.truth)
    assert any(
        np.any(np.abs(a - b) > 5e-12 * np.maximum(np.abs(a), np.abs(b))) for a, b in zip(ours, theirs, strict=True)
    )
    if case.kind == "tie" and case.name not in EQUAL:
        found = [judged(case, rng) for _ in range(100)]
        assert any(not low - 1e-4 * unit <= mine <= high + 1e-4 * unit for low, high, mine, unit in found)


@pytest.mark.parametrize("case", DRAWN, ids=lambda case: case.name)
def test_what_depends_on_the_draw_is_wrong_somewhere(case):
    differs = []
    for x in SHOWN:
        inputs = [x] if case.rule.__code__.co_argcount == 3 else [x, np.array([3.0])]
        y = case.forward(*inputs)
        ours, theirs = (rule(np.ones(np.shape(y)), y, *inputs) for rule in (case.rule, case.truth))
        differs.append(not all(np.allclose(a, b) for a, b in zip(ours, theirs, strict=True)))
    assert any(differs)
