"""A logarithmic scale of magnitudes, in the theme's shades."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..pages.theme import SHADES

DEEPEST = 16
"""How many powers of ten the scale shows at most below the largest magnitude: as many digits as float64 has."""


class Scale:
    """Each shade stands for the same factor, from the largest magnitude down to the smallest."""

    def __init__(self, magnitudes: Iterable[float]) -> None:
        positive = [m for m in magnitudes if 0 < m < math.inf]
        self.top = math.log10(max(positive, default=1.0))
        lowest = max(math.log10(min(positive, default=1.0)), self.top - DEEPEST)
        self.step = max((self.top - lowest) / len(SHADES), 0.125)

    def shade(self, magnitude: float) -> int:
        """Return the number of a shade, the strongest for the largest and for what is not finite; −1 for zero."""
        if magnitude == 0:
            return -1
        if not math.isfinite(magnitude):
            return len(SHADES) - 1
        below = (self.top - math.log10(magnitude)) / self.step
        return max(len(SHADES) - 1 - int(below), 0)

    def least(self, shade: int) -> float:
        """Return the smallest magnitude that a shade stands for."""
        return float(10 ** (self.top - (len(SHADES) - shade) * self.step))
