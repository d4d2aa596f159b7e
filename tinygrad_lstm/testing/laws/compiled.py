"""What is compiled is what is composed: a program against the graph that it stands for, also at other sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...program import compile as compiled
from ...program.recording import flattened, rebuilt
from ..errors import GradientError, NothingCheckedError
from .agreement import check_same

LEVELS = (0, 2)
"""The program that reads like the equations, and that in which every pass is at work; chosen, since each takes time."""


def check_compiled(
    f: Callable[..., Any],
    *inputs: Any,
    others: Sequence[Sequence[Any]] = (),
    levels: Sequence[int] = LEVELS,
    rng: int | None = None,
) -> tuple[str, ...]:
    """Check that a layer or a function computes the same when compiled: values and gradients, to rounding.

    The program is made once for each level and run at the ``inputs`` and at ``others``, such as shorter ones, which it
    must be right for as well.

    Arguments:
        f: a layer, or a function of tensors, as ``tl.compile`` takes it.
        inputs: what it is called with first, tensors, arrays, or tuples of them; the first is (T, N, D) or (T, D).
        others: other inputs to call it with.
        levels: how far to optimise, from 0 to 3.
        rng: the seed of the cotangents.

    Returns:
        A line for each level, for a report.

    Raises:
        GradientError: naming the level, and the output or the input whose gradient differs.
        NothingCheckedError: if it cannot be compiled, with the reason.

    Source: McKeeman 1998, "Differential testing for software".

    >>> import numpy as np, tinygrad_lstm as tl
    >>> check_compiled(tl.RNN(2, 3, rng=0), np.ones((4, 2, 2)))
    ('compiled at 0: the same', 'compiled at 2: the same')
    """
    for level in levels:
        fast = compiled(f, optimize=level)
        for given in (inputs, *others):
            try:
                check_same(_flat(f, given), _flat(fast, given), *_parts(given), rng=rng)
            except GradientError as error:
                raise GradientError(f"compiled at level {level} it is another function: {error}") from error
            except Exception as error:
                f(*given)  # what fails in any case is no fault of the program
                kind = type(error).__name__
                raise GradientError(f"compiled at level {level} it fails with {kind}: {error}") from error
        if refused := [line for line in fast.explain().splitlines() if ": not compiled: " in line]:
            raise NothingCheckedError(f"nothing was checked of the program at level {level}: {refused[0]}")
    return tuple(f"compiled at {level}: the same" for level in levels)


def _parts(given: Sequence[Any]) -> list[Any]:
    return [part for _, part in flattened(tuple(given), "input")]


def _flat(f: Callable[..., Any], like: Sequence[Any]) -> Callable[..., Any]:
    """Return the function of all parts of its arguments, one after the other."""
    return lambda *parts: f(*rebuilt(tuple(like), iter(parts)))
