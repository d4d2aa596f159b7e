"""How sure a share is that a few tries tell."""

from __future__ import annotations

import math

Z = 1.959964
"""Standard deviations of a normal distribution within which 95 % lie."""


def wilson(successes: int, tries: int) -> tuple[float, float]:
    """Return between which shares the true one lies, with 95 % confidence, when so many of so many tries succeed.

    Raises ValueError for no tries, and for more successes than tries.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927).

    >>> [round(share, 3) for share in wilson(10, 10)], [round(share, 3) for share in wilson(5, 10)]
    ([0.722, 1.0], [0.237, 0.763])
    """
    if not 0 <= successes <= tries or tries == 0:
        raise ValueError(f"{successes} of {tries} tries is no share")
    share, over = successes / tries, Z * Z / tries
    middle = (share + over / 2) / (1 + over)
    half = Z / (1 + over) * math.sqrt(share * (1 - share) / tries + over / (4 * tries))
    return 0.0 if successes == 0 else middle - half, 1.0 if successes == tries else middle + half


def between(successes: int, tries: int) -> str:
    """Return the interval of ``wilson`` in words.

    >>> between(5, 10)
    '24–76 %'
    """
    low, high = wilson(successes, tries)
    return f"{100 * low:.0f}–{100 * high:.0f} %"


def out_of(successes: int, tries: int) -> str:
    """Return how many of so many tries succeed, and between which shares the true one lies, in words.

    >>> out_of(10, 10)
    '10 of 10 (72–100 %)'
    """
    return f"{successes} of {tries} ({between(successes, tries)})"
