"""A unit that one can read: which number of a state tells best what is asked, judged on what did not choose it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..engine.primitive import Array


@dataclass(frozen=True)
class ReadableUnit:
    """One unit, and the line by which its value is read: truth ≈ slope · value + offset.

    ``chosen`` and ``held_out`` are R², the share of the variance of the truth that the line tells, of what it was
    chosen by and of what was held out: 1 tells all, 0 as much as always saying the mean, and below 0 less.
    """

    unit: int
    slope: float
    offset: float
    chosen: float
    held_out: float

    def read(self, values: ArrayLike) -> Array:
        """Return what the unit says of the truth, from states (M, K)."""
        guessed: Array = self.slope * np.asarray(values, np.float64)[:, self.unit] + self.offset
        return guessed


def most_readable(states: ArrayLike, truth: ArrayLike, held_out: ArrayLike, held_truth: ArrayLike) -> ReadableUnit:
    """Choose the unit that tells the truth best by a line, and score it on what was held out.

    A truth of numbers may be a count, or 0 and 1 for a yes or no. The best of many units is always worth something by
    chance: set it beside the best one of a network that has learned nothing, chosen in the same way.

    Arguments:
        states: values of K units at M moments, (M, K), of what was trained on.
        truth: what each moment should tell, (M).
        held_out, held_truth: the same of other texts, (M′, K) and (M′).

    Raises:
        ValueError: for shapes that do not fit, and a truth that is always the same.

    Source: units that count, F. Gers & J. Schmidhuber, "LSTM Recurrent Networks Learn Simple Context-Free and
    Context-Sensitive Languages" (2001); that know they are in a quotation, A. Karpathy, J. Johnson & L. Fei-Fei,
    "Visualizing and Understanding Recurrent Networks" (2015), who chose them by eye.

    >>> rng = np.random.default_rng(0)
    >>> states = rng.normal(size=(50, 4))
    >>> states[:, 2] = np.arange(50) / 10 + rng.normal(size=50) / 50
    >>> found = most_readable(states[:40], np.arange(40), states[40:], np.arange(40, 50))
    >>> found.unit, found.held_out > 0.9
    (2, True)
    """
    X, Z = np.asarray(states, np.float64), np.asarray(held_out, np.float64)
    y, z = np.asarray(truth, np.float64), np.asarray(held_truth, np.float64)
    if X.ndim != 2 or Z.ndim != 2 or X.shape[1] != Z.shape[1] or y.shape != (len(X),) or z.shape != (len(Z),):
        raise ValueError(f"states (M, K) go with a truth (M), not {X.shape} with {y.shape}, {Z.shape} with {z.shape}")
    if not (np.ptp(y) > 0 and np.ptp(z) > 0):
        raise ValueError("the truth is always the same: every unit tells it, and none")
    centred, wanted = X - X.mean(axis=0), y - y.mean()
    spread = np.square(centred).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.where(spread > 0, centred.T @ wanted / spread, 0.0)  # (K)
    left = np.square(wanted[:, None] - centred * slopes).sum(axis=0)
    unit = int(left.argmin())
    slope, offset = float(slopes[unit]), float(y.mean() - slopes[unit] * X[:, unit].mean())
    return ReadableUnit(
        unit, slope, offset, _told(y, slope * X[:, unit] + offset), _told(z, slope * Z[:, unit] + offset)
    )


def _told(truth: Array, said: Array) -> float:
    return float(1 - np.square(truth - said).sum() / np.square(truth - truth.mean()).sum())
