"""Saturation: which values of an activation lie near an end of its range, where its slope is next to nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..engine.primitive import Array

SATURATED = 0.05
"""An activation that lies within this part of its range from an end is saturated; chosen: σ′ < 0.05, tanh′ < 0.2."""


def at_ends(
    values: Array, ends: tuple[float, float], near: float = SATURATED
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell of each value whether it lies near the lower end of a range, and whether near the upper one.

    ``near`` is a share of the width of the range; near an end that is infinite lies nothing, and so does a NaN.

    >>> at_ends(np.array([0.01, 0.5, 0.999]), (0.0, 1.0))
    (array([ True, False, False]), array([False, False,  True]))
    """
    low, high = ends
    margin = near * (high - low)
    if not np.isfinite(margin):
        return np.zeros(values.shape, bool), np.zeros(values.shape, bool)
    return values < low + margin, values > high - margin
