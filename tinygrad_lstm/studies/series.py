"""Numbers one after another: reading them, guessing the next by those before, and whether surprise tells the odd."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.primitive import Array
from ..structure.words import clean


class SeriesOf(NamedTuple):
    """Values, (M), what each is called, and which are known to be odd, if that is known."""

    values: Array
    names: list[str]
    odd: NDArray[np.bool_] | None


def read_series(path: str | os.PathLike[str], value: str = "value", odd: str = "is_anomaly") -> SeriesOf:
    """Return a column of a CSV file; where a value is missing, it lies on the line between its neighbours.

    Arguments:
        path: the file, whose first line names its columns; the first column says what a row is called.
        value: the column of the numbers.
        odd: the column that is 1 where something is odd; it may be missing.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: in one line, for a file without that column, or with something else than finite numbers in it.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or value not in rows[0]:
        there = ", ".join(map(str, rows[0])) if rows else "no row"
        raise ValueError(f"{clean(path, 200)} has no column {value!r}; it has {clean(there, 200)}")
    try:
        values = np.array([float(row[value] or "nan") for row in rows])
    except ValueError as error:
        raise ValueError(f"{clean(path, 200)}: the column {value!r} holds more than numbers: {error}") from None
    known = np.isfinite(values)
    if known.sum() < 2:
        raise ValueError(f"{clean(path, 200)}: the column {value!r} has {known.sum()} numbers")
    places = np.arange(len(values))
    names = [str(next(iter(row.values()))) for row in rows]
    marks = np.array([row[odd] not in ("", "0", "0.0") for row in rows]) if odd in rows[0] else None
    return SeriesOf(np.interp(places, places[known], values[known]), names, marks)


def autoregression_errors(values: ArrayLike, order: int, learned: int) -> Array:
    """Return how far each value lies from a linear guess by those before, (M); zero for the first ``order``.

    The guess is fitted by least squares on the first ``learned`` values.

    Raises ValueError if there are fewer of them than twice the order.

    Source: G. U. Yule, "On a Method of Investigating Periodicities in Disturbed Series" (1927).

    >>> errors = autoregression_errors(np.sin(np.arange(200) / 5), order=2, learned=100)
    >>> bool(np.abs(errors).max() < 1e-9)
    True
    """
    x = np.asarray(values, np.float64)
    if not 2 * order <= learned <= len(x):
        raise ValueError(f"an autoregression of order {order} needs {2 * order} values, not {learned} of {len(x)}")
    rows = np.lib.stride_tricks.sliding_window_view(x[:-1], order)  # row r guesses x[r + order]
    inputs = np.column_stack([rows, np.ones(len(rows))])
    weights, *_ = np.linalg.lstsq(inputs[: learned - order], x[order:learned], rcond=None)
    return np.concatenate([np.zeros(order), x[order:] - inputs @ weights])


def auroc(scores: ArrayLike, odd: ArrayLike) -> float:
    """Return the chance that something odd has a higher score than something that is not; ties count half.

    Raises ValueError if all is odd, or nothing.

    Source: J. A. Hanley & B. J. McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic
    (ROC) Curve" (1982).

    >>> auroc([0.1, 0.9, 0.4, 0.4], [0, 1, 1, 0])
    0.875
    """
    values, marks = np.asarray(scores, np.float64), np.asarray(odd, bool)
    among, others = values[marks], np.sort(values[~marks])
    if not len(among) or not len(others):
        raise ValueError("all of it is odd, or nothing: there is nothing to compare")
    below, up_to = (np.searchsorted(others, among, side=side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(others))


def around(errors: ArrayLike, width: int) -> Array:
    """Return the root of the mean square of errors around each place, over so many of them, (M).

    >>> around([0.0, 3.0, 0.0], 3).round(2).tolist()
    [1.73, 1.73, 1.73]
    """
    squares = np.pad(np.square(np.asarray(errors, np.float64)), (width // 2, (width - 1) // 2), mode="edge")
    mean: Array = np.sqrt(np.convolve(squares, np.ones(width) / width, mode="valid"))
    return mean


def planted(values: ArrayLike, count: int, first: int, size: float, rng: np.random.Generator) -> SeriesOf:
    """Return a series with some values, from ``first`` on, moved up or down by a size; they are what is odd in it.

    >>> series = planted(np.zeros(100), count=3, first=50, size=2.0, rng=np.random.default_rng(0))
    >>> int(series.odd.sum()), bool(series.odd[:50].any()), float(np.abs(series.values).sum())
    (3, False, 6.0)
    """
    x = np.array(values, np.float64)
    odd = np.zeros(len(x), bool)
    odd[rng.choice(np.arange(first, len(x) - 1, 4), count, replace=False)] = True  # so that each is alone
    x[odd] += size * rng.choice([-1.0, 1.0], count)
    return SeriesOf(x, [str(place) for place in range(len(x))], odd)


def windows(values: ArrayLike, steps: int, batch: int, rng: np.random.Generator) -> Iterator[Array]:
    """Yield, without end, batches of stretches that begin anywhere, (T + 1, N, 1): T steps and what comes after.

    >>> next(windows(np.arange(9.0), 3, 2, np.random.default_rng(0)))[..., 0].T.tolist()
    [[5.0, 6.0, 7.0, 8.0], [3.0, 4.0, 5.0, 6.0]]
    """
    x = np.asarray(values, np.float64)
    while True:
        yield x[rng.integers(0, len(x) - steps, batch) + np.arange(steps + 1)[:, None], None]
