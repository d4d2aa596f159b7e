"""Colours as numbers: how light one is, how well another reads on it, and what lies between several.

Lightness and contrast are those of the Web Content Accessibility Guidelines 2.2 (W3C, 2023), which ask for a contrast
of 4.5 between small words and what they stand on.
"""

from __future__ import annotations

from collections.abc import Sequence

READABLE = 4.5
"""The least contrast of small words with what is behind them."""


def channels(colour: str) -> tuple[float, float, float]:
    """Return red, green and blue of a colour such as ``"#cfe3f2"``, linear in light, from 0 to 1."""
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return red, green, blue


def luminance(colour: str) -> float:
    """Return how light a colour is, from 0 for black to 1 for white."""
    red, green, blue = channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return how well one colour reads on another, from 1 for the same to 21 for black on white.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def between(stops: Sequence[str], count: int) -> list[str]:
    """Return so many colours from the first stop to the last, evenly spaced, each stop as far from the next.

    >>> between(["#000000", "#102030"], 3)
    ['#000000', '#081018', '#102030']
    """
    found = []
    for number in range(count):
        stop, part = divmod(number * (len(stops) - 1), count - 1)
        low, high = stops[stop], stops[min(stop + 1, len(stops) - 1)]
        found.append("#" + "".join(_mixed(low[i : i + 2], high[i : i + 2], part / (count - 1)) for i in (1, 3, 5)))
    return found


def _mixed(low: str, high: str, part: float) -> str:
    return f"{round(int(low, 16) * (1 - part) + int(high, 16) * part):02x}"


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
