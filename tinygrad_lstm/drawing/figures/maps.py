"""What all maps of a figure have in common: which shade a number has, and the words below their columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ...engine.primitive import Array
from ...pages.theme import COOL_INKS, COOL_LEVELS, FADED, INKS, LEVELS, MUTED, PAPER
from .paper import SMALL, Paper, fitted, width_of

Frame = tuple[float, float, float, float]
"""Left, top, width and height, in pixels."""

MANY = 4000
"""Fields of a map: of more, there are eight shades, neighbours of one are one rectangle, and none says its number.

Chosen: 1 MB.
"""

WRONG, CROSSED = "#777777", 5.0
"""The fill of a field that holds NaN or Inf, and from how many pixels on it has a line across as well."""

TILTED_ROOM = 96.0
"""Pixels that a tilted word may be long; chosen: about fourteen letters."""


SIGNED = (*reversed(COOL_LEVELS[1:]), *LEVELS)
"""The scale of numbers of both signs."""


def shade_of(value: float, most: float) -> tuple[int, bool]:
    """Return which of the levels a number has, in equal parts up to the most, and whether it is negative.

    >>> shade_of(0.99, 1.0), shade_of(-0.5, 1.0), shade_of(0.0, 0.0)
    ((63, False), (32, True), (0, False))
    """
    part = int(abs(value) / most * len(LEVELS)) if most and math.isfinite(value) else 0
    return min(part, len(LEVELS) - 1), value < 0


def ink_for(value: float, most: float) -> str:
    """Return the colour of a number that is written on its own level."""
    level, cool = shade_of(value, most)
    return (COOL_INKS if cool else INKS)[level]


def field(
    paper: Paper,
    frame: Frame,
    values: Array,
    most: float,
    tip: Callable[[int, int], str],
    *,
    share: Callable[[float], float] | None = None,
    apart: float = 0.0,
) -> None:
    """Draw numbers, (R, C), as fields of shades: warm where positive, cool where negative; NaN is left out.

    ``share`` says how far along the scale a number is, from 0 to 1, if not in proportion.
    """
    x, y, wide, high = frame
    rows, columns = values.shape
    across, down = wide / columns, high / rows
    for r, row in enumerate(values):
        looks: list[tuple[int, bool, int] | None] = []
        for c, value in enumerate(row.tolist()):
            if not math.isfinite(value):
                looks.append(None)
                continue
            level, cool = shade_of(share(value), 1.0) if share else shade_of(value, most)
            looks.append((level, cool, c) if values.size <= MANY else (round(level / 9) * 9, cool, 0))
        c = 0
        for look, run in groupby(looks):
            count = len(list(run))
            if look:
                fill = (COOL_LEVELS if look[1] else LEVELS)[look[0]]
                words = tip(r, c) if values.size <= MANY else ""
                tall = down - apart if apart else down + 0.2  # neighbours overlap, or a hairline would show
                paper.rect(x + c * across, y + r * down, count * across + 0.2, tall, fill, tip=words)
            c += count


def mark(paper: Paper, frame: Frame, wrong: NDArray[np.bool_], tip: Callable[[int, int], str]) -> None:
    """Mark the fields, (R, C), whose numbers are NaN or Inf, which ``field`` leaves out."""
    x, y, wide, high = frame
    rows, columns = wrong.shape
    across, down = wide / columns, high / rows
    for r, row in enumerate(wrong.tolist()):
        for is_wrong, run in groupby(range(columns), row.__getitem__):
            first, *others = run
            if is_wrong:
                left, top, long = x + first * across, y + r * down, (1 + len(others)) * across
                paper.rect(left, top, long + 0.2, down, WRONG, tip=tip(r, first))
                if min(long, down) >= CROSSED:
                    paper.line([(left + 1, top + down - 1), (left + long - 1, top + 1)], PAPER)


def key_to_marks(paper: Paper, x: float, y: float) -> None:
    """Say what the marks are."""
    paper.rect(x, y, 15, 10, WRONG)
    paper.line([(x + 1, y + 9), (x + 14, y + 1)], PAPER)
    paper.text(x + 21, y + 9, "NaN or Inf", size=SMALL, ink=MUTED)


def outline(paper: Paper, frame: Frame) -> None:
    """Draw a thin frame around a map, which shows where it is pale."""
    x, y, wide, high = frame
    paper.line([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y)], FADED)


def two_digits(value: float) -> str:
    """Write a number with two digits after the point.

    >>> two_digits(0.256), two_digits(-0.001)
    ('0.26', '0.00')
    """
    return f"{value:.2f}".replace("-", "" if abs(value) < 0.005 else "−")


def in_a_row(values: Iterable[float], wide: float) -> list[str]:
    """Write the numbers of a row of fields: without the 0 before the point if there is little room, or none of them.

    >>> in_a_row([0.256, 1.0], 40), in_a_row([0.256, 0.5], 26), in_a_row([0.256], 5)
    (['0.26', '1.00'], ['.26', '.50'], [''])
    """
    full = [two_digits(value) for value in values]
    for words in (full, [number.replace("0.", ".", 1) for number in full]):
        if all(width_of(number, SMALL) <= wide - 3 for number in words):
            return words
    return [""] * len(full)


def below(paper: Paper, x: float, wide: float, columns: Sequence[str], across: str = "") -> None:
    """Write what the columns of a map are called below them: tilted where they are long, and only some if many."""
    y = paper.bottom
    if all(width_of(name, SMALL) <= wide - 3 for name in columns):
        for k, name in enumerate(columns):
            paper.text(x + (k + 0.5) * wide, y + 15, name, size=SMALL, ink=MUTED, anchor="middle")
        down = 18.0
    elif across:  # numbers: some of them
        every = step_for(max(width_of(name, SMALL) for name in columns) + 10, wide)
        for k, name in enumerate(columns):
            if k % every == 0:
                paper.text(x + (k + 0.5) * wide, y + 15, name, size=SMALL, ink=MUTED, anchor="middle")
        down = 18.0
    else:
        every = step_for(SMALL * 1.5, wide)
        names = {k: fitted(name, SMALL, TILTED_ROOM) for k, name in enumerate(columns) if k % every == 0}
        for k, name in names.items():
            place = x + (k + 0.5) * wide + 4
            paper.text(place, y + 14, name, size=SMALL, ink=MUTED, anchor="end", tilted=True)
        down = 16 + 0.65 * max(width_of(name, SMALL) for name in names.values())
    paper.bottom = y + down
    if across:
        paper.text(x + wide * len(columns) / 2, y + 31, across, size=SMALL, ink=MUTED, anchor="middle")
        paper.bottom = y + 36


def step_for(needed: float, wide: float) -> int:
    """Return of how many columns one can have its name: a round number.

    >>> step_for(10, 20), step_for(25, 10), step_for(21, 3)
    (1, 5, 10)
    """
    rounds = (int(n * 10**power) for power in range(9) for n in (1, 2, 5))
    return next(n for n in rounds if n * wide >= needed)
