"""Digits that a person draws: strokes of a pen, as a page saves them, and the rows of pixels that a network reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..engine.primitive import Array
from ..pages.offline import offline
from ..structure.words import clean

FINE, PEN = 32, 2.5
"""Pixels on each side before four by four are counted as one, and half the width of the pen in them; chosen: as much
ink as the digits of UCI have, 0.3 of the whole."""


class DrawnDigit(NamedTuple):
    """What somebody drew, (8, 8) from 0 to 1, and which digit they say it is, if they say."""

    rows: Array
    digit: int | None


def rows_of(strokes: Sequence[ArrayLike]) -> Array:
    """Return strokes as 8 rows of 8 pixels, from 0 to 1, as large as fits and in the middle.

    As the digits of UCI were made: a bitmap of 32 × 32, of which four by four pixels are counted.

    Arguments:
        strokes: of each the points that the pen went through, (M, 2), to the right and down.

    Raises ValueError for none, and for what are no points.

    Source: M. D. Garris et al., "NIST Form-Based Handprint Recognition System" (1994), who normalise; C. Kaynak (1995),
    who counts.

    >>> rows_of([[(0, 0), (0, 9)]]).sum(axis=0).round().tolist()
    [0.0, 0.0, 0.0, 6.0, 6.0, 0.0, 0.0, 0.0]
    """
    lines = [np.asarray(stroke, np.float64) for stroke in strokes]
    if not lines or any(line.ndim != 2 or line.shape[1] != 2 or not len(line) for line in lines):
        raise ValueError("a drawing is a list of strokes, and a stroke a list of points [x, y]")
    points = np.concatenate(lines)
    if not np.isfinite(points).all():
        raise ValueError("the points of a stroke are finite numbers")
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    scale = (FINE - 2 * PEN) / max(float(size.max()), 1e-9)
    y, x = np.mgrid[:FINE, :FINE] + 0.5
    pixels = np.stack([x, y], axis=-1)
    ink = np.zeros((FINE, FINE), bool)
    for line in lines:
        placed = (line - low - size / 2) * scale + FINE / 2
        for a, b in zip(placed, placed[1:] if len(placed) > 1 else placed, strict=False):
            along = np.clip((pixels - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-9), 0, 1)
            ink |= np.square(pixels - a - along[..., None] * (b - a)).sum(axis=-1) <= PEN**2
    rows: Array = ink.reshape(8, 4, 8, 4).mean(axis=(1, 3))
    return rows


def read_drawings(path: Path) -> list[DrawnDigit]:
    """Return the drawings of a file that the page of ``pad`` saved.

    It is JSON: a list of ``{"digit": 3, "strokes": [[[x, y], …], …]}``, where the digit may be null.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: in one line, for one that is no such list.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, list) or not found:
            raise ValueError("it is no list of drawings")
        return [DrawnDigit(rows_of(each["strokes"]), _digit(each.get("digit"))) for each in found]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        said = "a drawing has no strokes" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise ValueError(f"{clean(path, 200)}: {clean(said, 200)}") from None


def _digit(said: Any) -> int | None:
    if said is not None and (not isinstance(said, int) or isinstance(said, bool) or not 0 <= said <= 9):
        raise ValueError(f"a digit is a number from 0 to 9, or null, not {said!r:.60}")
    return said


def pad_page() -> str:
    """Return the page on which one draws digits, and which saves them as the file that ``read_drawings`` reads.

    >>> pad_page()[:15]
    '<!doctype html>'
    """
    return offline("tinygrad_lstm.studies", "pad", ["pad.js"], {})
