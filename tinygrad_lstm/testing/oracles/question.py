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
    """Whether a gradient is right: that of an objective, in one of its leaves, looked at along a direction.

    ``gradient`` and ``direction`` are arrays in the shape of the leaf.
    """

    objective: Objective
    leaf: Tensor
    gradient: NDArray[Any]
    direction: NDArray[Any]

    @property
    def line(self) -> tuple[Objective, Tensor, NDArray[Any]]:
        """Return all of it but the gradient, as the oracles take it: objective, leaf and direction."""
        return self.objective, self.leaf, self.direction

    @property
    def terms(self) -> NDArray[Any]:
        """Return the numbers whose sum is the derivative along the direction, by the gradient."""
        return np.asarray(self.gradient * self.direction, np.float64)

    @property
    def ours(self) -> float:
        """Return that sum."""
        return float(self.terms.sum())


class Answer(NamedTuple):
    """Two numbers that should be one, how far apart they are, in the oracle's own terms, and which oracle answered."""

    ours: float
    theirs: float
    apart: str
    oracle: str = ""  # filled in by the registry

    @property
    def numbers(self) -> tuple[str, str]:
        """Return ours and theirs in words; a dash where there is no such number."""
        ours, theirs = (f"{number:.12g}" if np.isfinite(number) else "—" for number in (self.ours, self.theirs))
        return ours, theirs
