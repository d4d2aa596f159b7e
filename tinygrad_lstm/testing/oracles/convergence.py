"""The order of convergence: how fast what is left of a Taylor step vanishes, which a wrong gradient slows down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.tensor import Tensor
from ..objective import Objective
from .differences import central, first_step
from .question import Answer, Question

RIGHT = 2.5
"""The order above which a gradient is right. Chosen: it is 3 for a right one, and 1 for a wrong one."""


@dataclass(frozen=True)
class Convergence:
    """How fast φ(x + hu) − φ(x − hu) − 2h⟨g, u⟩ goes to zero with h, which depends on whether g is the gradient."""

    steps: list[float]
    remainders: list[float]
    floor: list[float]  # what rounding alone leaves, at each step

    @property
    def order(self) -> float | None:
        """Return the slope in the logarithms, of the smallest steps above the floor; None if hardly any are."""
        points = zip(self.steps, self.remainders, self.floor, strict=True)
        above = [(np.log(step), np.log(left)) for step, left, floor in points if left > floor and np.isfinite(left)]
        if len(above) < 3:
            return None
        xs, ys = np.transpose(above[-6:])  # the larger steps have not begun to converge
        return float(np.polyfit(xs, ys, 1)[0])


def convergence(objective: Objective, leaf: Tensor, direction: NDArray[Any], slope: float) -> Convergence:
    """Run the Taylor test: order 3 for a right gradient, 1 for a wrong one. Below an error of 1e-5 it sees none.

    ``slope`` is ⟨g, u⟩ by the gradient in question. A step moves no number of the leaf by more than its length, and
    crosses no kink, behind which there is another function.
    """
    size = np.abs(direction).max(initial=0.0) or 1.0
    unit = direction / size
    steps = [float(step) for step in first_step(objective, leaf, unit) * np.logspace(0, -5, 16)]
    remainders, floor = [], []
    with np.errstate(all="ignore"):
        for step in steps:
            changes, rounding = central(objective, leaf, unit, step)
            remainders.append(abs(float(changes.sum()) - 2 * step * slope / size))
            floor.append(64 * rounding)
    return Convergence(steps, remainders, floor)


def ask(question: Question) -> Answer | None:
    """Compare the order with 3; None where there is none."""
    order = convergence(*question.line, question.ours).order
    return None if order is None else Answer(round(order, 3), 3.0, "3 if right, 1 if wrong")
