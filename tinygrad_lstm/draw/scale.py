"""A logarithmic scale of magnitudes, in the theme's shades; and numbers in words for tooltips."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .theme import SHADES

DEEPEST = 16
"""How many powers of ten the scale shows at most below the largest magnitude."""


class Scale:
    """Each shade stands for the same factor, from the largest magnitude down to the smallest."""

    def __init__(self, magnitudes: Iterable[float]) -> None:
        positive = [m for m in magnitudes if 0 < m < math.inf]
        self.top = math.log10(max(positive, default=1.0))
        lowest = max(math.log10(min(positive, default=1.0)), self.top - DEEPEST)
        self.step = max((self.top - lowest) / len(SHADES), 0.125)

    def shade(self, magnitude: float) -> int:
        """The number of a shade, the strongest for the largest and for what is not finite; −1 for zero."""
        if magnitude == 0:
            return -1
        if not math.isfinite(magnitude):
            return len(SHADES) - 1
        below = (self.top - math.log10(magnitude)) / self.step
        return max(len(SHADES) - 1 - int(below), 0)

    def least(self, shade: int) -> float:
        """The smallest magnitude that a shade stands for."""
        return float(10 ** (self.top - (len(SHADES) - shade) * self.step))


def magnitude(array: Any) -> float:
    """The Euclidean norm; as float64, and right also where squares are too large or too small for that."""
    flat = np.asarray(array, np.float64).ravel()
    with np.errstate(all="ignore"):
        norm = math.sqrt(flat @ flat)
        if (norm > 1e-150 and norm < math.inf) or not flat.any():
            return norm
        largest = float(np.abs(flat).max())
        return largest * float(np.linalg.norm(flat / largest)) if largest < math.inf else largest


def short(number: float) -> str:
    """Two digits, and a proper minus sign."""
    text = f"{number:.2g}"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−") if exponent else mantissa.replace("-", "−")


def statistics(array: NDArray[Any]) -> str:
    """Minimum, mean, maximum and norm, and how many zeros and NaNs there are."""
    if not array.size:
        return "empty"
    if array.size == 1:
        return f"{array.item():.4g}"
    with np.errstate(all="ignore"):
        flat = array.ravel().astype(np.float64)
        norm = magnitude(flat)
        parts = f"min {flat.min():.3g}, mean {flat.sum() / flat.size:.3g}, max {flat.max():.3g}, norm {norm:.3g}"
    zeros = flat.size - int(np.count_nonzero(flat))
    nans = 0 if math.isfinite(norm) else int(np.isnan(flat).sum())
    return f"{parts}, {zeros} zero, {nans} NaN"
