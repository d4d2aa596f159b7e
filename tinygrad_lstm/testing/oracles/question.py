"""What an oracle is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...engine.tensor import Tensor
from ..objective import Objective


@dataclass(frozen=True, eq=False)
class Question:
    """A gradient in one leaf of an objective, looked at along a direction."""

    objective: Objective
    leaf: Tensor
    gradient: NDArray[Any]
    direction: NDArray[Any]

    @property
    def terms(self) -> NDArray[Any]:
        """What the derivative along the direction is the sum of."""
        return np.asarray(self.gradient * self.direction)

    @property
    def ours(self) -> float:
        """The derivative along the direction, by the gradient."""
        return float(self.terms.sum())


class Answer(NamedTuple):
    """Two numbers that should be one, and how far apart they are, in the oracle's own terms."""

    ours: float
    theirs: float
    apart: str


class Evidence(NamedTuple):
    """What one oracle answers of a gradient that was found wrong."""

    oracle: str
    ours: float
    theirs: float
    apart: str

    @property
    def numbers(self) -> tuple[str, str]:
        """Ours and theirs in words; a dash where there is no such number."""
        ours, theirs = (f"{number:.12g}" if np.isfinite(number) else "—" for number in (self.ours, self.theirs))
        return ours, theirs
