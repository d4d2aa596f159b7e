"""The complex step: a derivative from forwards alone, without truncation and without cancellation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.tensor import Tensor
from ..objective import Objective, compared
from .complex_safe import STEP, reach
from .question import Answer, Question


def complex_step(
    objective: Objective, leaf: Tensor, direction: NDArray[Any], aside: NDArray[Any] | float = 0.0
) -> NDArray[Any]:
    """Return the terms whose sum is the derivative, exact to rounding: Im f(x + ihu) / h (Squire & Trapp 1998).

    ``aside`` takes it so far from there instead. Raises TypeError for a forward that does not compute with
    complex numbers.
    """
    graph = objective.graph
    at = graph.values[leaf].astype(np.float64)
    step = reach(STEP, at, direction)
    values = graph.replay({leaf: at + aside + 1j * step * direction}, dtype=np.float64)
    return objective.terms({output: np.imag(values[output]) / step for output in graph.outputs})


def safe_complex_step(objective: Objective, leaf: Tensor, direction: NDArray[Any]) -> NDArray[Any] | None:
    """Return its terms, or None where a forward does not compute with complex numbers."""
    if not objective.slopes.believed:
        return None
    try:
        with np.errstate(all="ignore"):
            theirs = complex_step(objective, leaf, direction)
    except TypeError:
        return None
    return theirs if np.isfinite(theirs).all() else None


def ask(question: Question) -> Answer:
    """Compare in units of rounding; ``objective.TOLERANCE`` says how many are allowed."""
    theirs = safe_complex_step(*question.line)
    if theirs is None:
        return Answer(question.ours, np.nan, "a forward loses complex numbers")
    apart, scale = compared(question.terms, theirs)
    units = apart / (question.objective.unit * (scale or 1.0))
    return Answer(question.ours, float(theirs.sum()), f"{units:.3g} units of rounding")
