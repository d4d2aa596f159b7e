"""Special inputs: numbers, shapes and layouts at which a rule may be wrong that is right elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...engine.tensor import tensor
from ..errors import GradientError
from ..judge import has_two_sides
from ..report.blame import ties_miscounted
from ..subject import outputs_of
from ..verdicts import Oracle

Inputs = list[NDArray[Any]]
F = Callable[..., Any]
Turn = Callable[[F, Inputs], Iterator[tuple[F, Inputs]]]
"""Makes special inputs of ordinary ones, and a function of them; where one is not taken, the next."""

ASIDE, NEAR = 1e-9, 1e-6
"""How far beside a number a function is asked whether it is defined there, and by how much it may change, if it does
not jump: a special number at which it does has no derivative, and is skipped."""

BESIDE, BENT = 2.0**-20, 1e-2
"""How far beside it slopes are added up, and by how much, relatively, they are more than curved if they do not."""

FAMILIES = ((0.0, -0.0), (1.0, -1.0, 2.0, -3.0), (30.0, -30.0), (800.0, -800.0), (1e-8, -1e-8), (0.75,))
"""Numbers where rules branch, where functions saturate, and one alone, for ties."""


def applied(turn: Turn, f: F, inputs: Inputs) -> tuple[F, Inputs] | None:
    """Return the first of what a turn makes that is inside the domain: finite, there and beside, and no jump."""
    return next((made for made in turn(f, inputs) if _is_inside(*made)), None)


def has_no_derivative(error: GradientError) -> bool:
    """Tell whether there is no derivative where a gradient was found wrong, which it is in no other way.

    It is not finite at a kink, as that of a norm at zero; or slopes do not add up, as those of a median of equal
    numbers, and along the tie it is right.
    """
    if error.failure is None:
        return False
    question = error.failure.question
    if error.failure.finding.oracle is Oracle.ARITHMETIC:
        return has_two_sides(question)
    rng, at = np.random.default_rng(0), question.objective.graph.values[question.leaf]
    u, v = (BESIDE * np.where(at == 0, 1, at) * rng.normal(size=at.shape) for _ in range(2))
    with np.errstate(all="ignore"):
        here, *there = (question.objective.terms_at(question.leaf, at + move) for move in (0 * u, u, v, u + v))
        one, other, both = (each - here for each in there)
        adds = np.abs(one + other - both) <= BENT * (np.abs(one) + np.abs(other) + np.abs(both))
        return not adds.all() and ties_miscounted(question, rng) is None


def _is_inside(f: F, inputs: Inputs) -> bool:
    rng = np.random.default_rng(0)
    moves = [ASIDE * np.where(x == 0, 1, x) * rng.choice([-1, 1], x.shape) for x in inputs]
    found = []
    for sign in (0, 1, -1):
        try:
            outputs = outputs_of(f(*(tensor(x + sign * move) for x, move in zip(inputs, moves, strict=True))))
        except (ValueError, IndexError, TypeError):  # shapes that it does not take
            return False
        found.append(np.concatenate([np.ravel(output.value) for output in outputs]))
    here, *beside = found
    return all((np.abs(there - here) <= NEAR * (1 + np.abs(here))).all() for there in beside)


def _repeated(x: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.resize(np.asarray(x), shape)


def _resized(inputs: Inputs, *shape: int) -> Inputs:
    """Give all inputs a shape; of numbers that are used again, each is another one, and no larger."""
    shrinking = np.linspace(1, 0.5, int(np.prod(shape))).reshape(shape)
    return [_repeated(x, shape) * shrinking for x in inputs]


def _numbers(family: Sequence[float], everywhere: bool) -> Turn:
    """Lay numbers over an array of several: over all inputs, or only one; positive ones where others are not taken."""

    def turn(f: F, inputs: Inputs) -> Iterator[tuple[F, Inputs]]:
        rng, slots = np.random.default_rng(0), range(len(inputs))
        wide = [inputs] if max(x.size for x in inputs) > 3 else [_resized(inputs, 2, 3), inputs]
        for xs, over, numbers in product(wide, dict.fromkeys([(*slots,), *zip(slots)]), (family, np.abs(family))):
            laid = [np.where(rng.random(x.shape) < 0.5 + everywhere, _repeated(numbers, x.shape), x) for x in xs]
            yield f, [laid[i] if i in over else x for i, x in enumerate(xs)]

    return turn


def _shaped(*shapes: tuple[int, ...]) -> Turn:
    return lambda f, inputs: ((f, _resized(inputs, *shape)) for shape in shapes)


def _broadcast(axis: int) -> Turn:
    """Stretch every input along an axis, each along another, in a cube that hides which is which."""

    def turn(f: F, inputs: Inputs) -> Iterator[tuple[F, Inputs]]:
        yield f, [np.take(x, [0], (axis + i) % 3) for i, x in enumerate(_resized(inputs, 2, 2, 2))]

    return turn


def _columns(f: F, inputs: Inputs) -> Iterator[tuple[F, Inputs]]:
    for xs in (_resized(inputs, 2, 3), inputs):
        yield f, [np.asfortranarray(x) if x.ndim else x for x in xs]


def _strided(f: F, inputs: Inputs) -> Iterator[tuple[F, Inputs]]:
    """Let the function see every other number, backwards: those that it saw before."""
    for xs in (_resized(inputs, 2, 3), inputs):
        if all(x.ndim for x in xs):
            yield (lambda *ys: f(*(y[..., ::-2] for y in ys))), [np.repeat(x[..., ::-1], 2, -1) for x in xs]


def _twice(f: F, inputs: Inputs) -> Iterator[tuple[F, Inputs]]:
    for x in inputs:
        yield (lambda x: f(*[x] * len(inputs))), [x]


TURNS: list[Turn] = [
    *(_shaped((side,), (side, side)) for side in (17, 65)),
    _shaped((2, 3, 2, 2)),
    _columns,
    *(_numbers(family, everywhere) for everywhere in (True, False) for family in FAMILIES),
    _strided,
    *map(_broadcast, range(3)),
    _twice,
    _shaped((0,), (0, 3), (2, 0)),
]
