"""Numbers in a grid as shades, as SVG that follows light and dark: orange where positive, blue and marked where not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..structure.words import shown
from . import theme
from .offline import ROOM, templates

LEFT, RIGHT, TOP, BOTTOM = 52, 12, 34, 46
"""Margins of the whole, in pixels; chosen: the numbers and names beside the grids, and the scale below, fit in."""

APART, NAME = 16.0, 18.0
"""Between two grids in a row, and what the name of a grid takes above it, in pixels."""

LETTER = 6.4
"""More than a letter of the numbers beside a grid takes, in pixels."""


@dataclass(frozen=True)
class Grid:
    """A name, numbers (R, C), and what rows and columns are called; NaN is left white.

    Names that find no room are left out, one in two, or more. Without names, rows and columns are counted from 0.
    """

    name: str
    values: ArrayLike
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()


def heat_map(
    grids: Sequence[Grid],
    *,
    title: str,
    across: str,
    upwards: str,
    label: str,
    size: tuple[int, int] = (600, 300),
    per_row: int = 1,
    most: float | None = None,
    standalone: bool = True,
) -> str:
    """Return grids of shades, as SVG text, all on one scale, of which ``most`` is the end: the largest if not given.

    Columns are called ``across``, rows ``upwards``; a screen reader reads the label. Not ``standalone``, it is for a
    page that has the dark colours already. Raises ValueError for what is no grid of numbers.

    >>> heat_map([Grid("f", [[0.1, 0.9], [0.5, -0.5]])], title="gate", across="t", upwards="unit", label="a gate")[:4]
    '<svg'
    """
    arrays = [_numbers(grid) for grid in grids]
    finite = np.concatenate([np.abs(array[np.isfinite(array)]) for array in arrays] or [np.zeros(0)])
    top = most if most is not None else float(finite.max(initial=0.0))
    width, height = size
    down = math.ceil(len(grids) / per_row)
    wide = (width - LEFT - RIGHT - APART * (per_row - 1)) / per_row
    high = (height - TOP - BOTTOM) / max(down, 1)
    drawn = []
    for number, (grid, values) in enumerate(zip(grids, arrays, strict=True)):
        row, column = divmod(number, per_row)
        left, above = LEFT + column * (wide + APART), TOP + row * high + NAME
        drawn.append(_drawn(grid, values, _Space(left, above, wide, high - NAME - 14), top, names=not column))
    signed = any((array < 0).any() for array in arrays)
    words = {"title": title, "across": across, "upwards": upwards, "label": label, "standalone": standalone}
    place = {
        "width": width,
        "height": height,
        "left": LEFT,
        "right": width - RIGHT,
        "middle": (TOP + height - BOTTOM) / 2,
    }
    page = templates(ROOM).get_template("heat.svg")
    return page.render(words | place, grids=drawn, scale=_scale(top, signed), theme=theme)


class _Space(NamedTuple):
    left: float
    above: float
    wide: float
    high: float


def _numbers(grid: Grid) -> Any:
    values = np.asarray(grid.values, np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"a grid of shades takes rows of numbers, (R, C), not an array of shape {values.shape}")
    return values


def _drawn(grid: Grid, values: Any, frame: _Space, top: float, *, names: bool) -> dict[str, Any]:
    rows, columns = values.shape
    wide, high = frame.wide / columns, frame.high / rows
    cells, marks = [], []
    for r, c in np.argwhere(np.isfinite(values)).tolist():
        left, above, value = frame.left + c * wide, frame.above + r * high, float(values[r, c])
        shade = _shade(value, top)
        cells.append((left, above, (theme.COOL_SHADES if value < 0 else theme.SHADES)[shade]))
        if value < 0 and shade:
            ink = theme.INVERSE if shade >= theme.DARK_WORDS else theme.MUTED
            marks.append((left + 0.3 * wide, above + high / 2, 0.4 * wide, ink))
    below = _named(grid.columns, columns, wide, lambda name: LETTER * len(name) + 4)
    beside = _named(grid.rows, rows, high, lambda name: 10.0) if names else []
    return {
        "name": grid.name,
        "frame": frame,
        "cell": (wide, high),
        "cells": cells,
        "marks": marks,
        "below": [(frame.left + (place + 0.5) * wide, name) for place, name in below],
        "beside": [(frame.above + (place + 0.5) * high, name) for place, name in beside],
    }


def _shade(value: float, top: float) -> int:
    """Return which of the shades a magnitude has: equal parts from 0 to the end of the scale."""
    last = len(theme.SHADES) - 1
    return min(int(abs(value) / top * len(theme.SHADES)), last) if top else 0


def _named(names: Sequence[str], count: int, apart: float, needs: Any) -> list[tuple[int, str]]:
    """Return the names that find room, with their places."""
    called = list(names) or [str(n) for n in range(count)]
    widest = max(map(needs, called))
    step = max(1, math.ceil(widest / apart))
    if not names and step > 1:  # round numbers
        step = next(n for power in range(9) for n in (10**power, 2 * 10**power, 5 * 10**power) if n >= step)
    return [(place, called[place]) for place in range(0, min(count, len(called)), step)]


def _scale(top: float, signed: bool) -> list[tuple[str, str, bool]]:
    """Return the swatches of the scale with what is written below some of them, and which are marked."""
    swatches = [(shade, "", False) for shade in theme.SHADES]
    swatches[0] = (theme.SHADES[0], "0", False)
    swatches[-1] = (theme.SHADES[-1], shown(top, 2), False)
    if not signed:
        return swatches
    cool = [(shade, "", n > 0) for n, shade in enumerate(theme.COOL_SHADES)]
    cool[-1] = (theme.COOL_SHADES[-1], shown(-top, 2), True)
    return [*reversed(cool[1:]), *swatches]
