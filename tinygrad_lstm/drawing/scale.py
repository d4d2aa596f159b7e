"""A logarithmic scale of magnitudes, in the theme's shades."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..pages.theme import LEVELS
from ..structure.words import short, superscript

DEEPEST = 16
"""How many powers of ten the scale shows at most below the largest magnitude: as many digits as float64 has."""

LAST = len(LEVELS) - 1


class Tick(NamedTuple):
    """A number beside the scale, and where: 0 at its smallest end, 1 at its largest."""

    share: float
    text: str


class Scale:
    """The same length for the same factor, from the smallest magnitude to the largest, but ten times it at least."""

    def __init__(self, magnitudes: Iterable[float]) -> None:
        positive = [m for m in magnitudes if 0 < m < math.inf]
        self.top = math.log10(max(positive, default=1.0))
        lowest = math.log10(min(positive, default=1.0))
        self.bottom = min(max(lowest, self.top - DEEPEST), self.top - 1)

    def level(self, magnitude: float) -> int:
        """Return the number of a level, the strongest for the largest and for what is not finite; −1 for zero."""
        if magnitude == 0:
            return -1
        if not math.isfinite(magnitude):
            return LAST
        return round(LAST * min(max(self._share(math.log10(magnitude)), 0.0), 1.0))

    def ticks(self, most: int = 8) -> Iterator[Tick]:
        """Yield the powers of ten, or every so many; where there is but one or two, also twice and five times each."""
        powers = range(math.ceil(self.bottom - 1e-9), math.floor(self.top + 1e-9) + 1)
        if len(powers) > 2:
            for power in powers[:: math.ceil(len(powers) / max(most, 2))]:
                yield Tick(self._share(power), _power(power))
            return
        for power in range(powers[0] - 1, powers[-1] + 1):
            for digit in (1, 2, 5):
                if 0 <= (share := self._share(power + math.log10(digit))) <= 1:
                    yield Tick(share, short(digit * 10.0**power))

    def _share(self, exponent: float) -> float:
        return (exponent - self.bottom) / (self.top - self.bottom)


def _power(exponent: int) -> str:
    return {0: "1", 1: "10"}.get(exponent, f"10{superscript(exponent)}")
