"""The complex step: a derivative from forwards alone, without truncation and without cancellation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.tensor import Tensor
from ..objective import Objective
from .complex_safe import STEP


def complex_step(objective: Objective, leaf: Tensor, direction: NDArray[Any], aside: float = 0.0) -> NDArray[Any]:
    """Return the terms whose sum is the derivative, exact to rounding: Im f(x + ihu) / h (Squire & Trapp 1998).

    ``aside`` takes the derivative a little further along the direction instead. Raises TypeError for a forward that
    does not compute with complex numbers.
    """
    graph = objective.graph
    at = graph.values[leaf].astype(np.float64)
    moved = at + aside * np.maximum(np.abs(at), 1) * direction + 1j * STEP * direction
    values = graph.replay({leaf: moved}, dtype=np.float64)
    return objective.terms({output: np.imag(values[output]) / STEP for output in graph.outputs})
