"""Forward functions that need more than a line. They see arrays only, real or complex, and compare by real part."""

from __future__ import annotations

from functools import reduce
from math import pi
from typing import Any

import numpy as np


def indicator(condition: Any, a: Any, b: Any) -> Any:
    return condition.astype(np.float32 if np.result_type(a, b) in (np.float32, np.complex64) else np.float64)


def matmul(a: Any, b: Any) -> Any:
    """Multiply by np.dot where there are two matrices: several times faster for a column times a row."""
    return np.dot(a, b) if a.ndim == b.ndim == 2 else np.matmul(a, b)


# What vanishes in a tail is rounded, and no fault, also to somebody who asked numpy to raise.
_vanishing = np.errstate(under="ignore")


@_vanishing
def sigmoid(x: Any) -> Any:
    """Return eˣ / (1 + eˣ), exact to two last places in both tails, with x held where eˣ would overflow."""
    z = np.exp(np.minimum(x, 700 if np.result_type(x).char in "dD" else 88))
    return z / (1 + z)


@_vanishing
def softplus(x: Any) -> Any:
    positive = np.real(x) > 0
    return np.where(positive, x, 0) + log1p(np.exp(np.where(positive, -x, x)))


def log1p(x: Any) -> Any:
    """Return log(1 + x): numpy's own loses the real part of small complex numbers."""
    if not np.iscomplexobj(x):
        return np.log1p(x)
    a, b = x.real, x.imag
    return 0.5 * np.log1p(a * (2 + a) + b * b) + 1j * np.arctan2(b, 1 + a)


# The error function, after M. M. Shepherd & J. G. Laframboise, "Chebyshev Approximation of (1 + 2x) exp(x²) erfc x in
# 0 ≤ x < ∞" (1981): that is a polynomial of the fraction that ``_tail`` makes of x. Near 0 another one, of x squared.
# The coefficients are those of Chebyshev series computed with 60 digits, that of the highest power first.

_NEAR_0 = (
    2.807352617647703e-13, -6.197184508840852e-12, 9.323863617962225e-11, -1.2277760280084826e-09,
    1.4806030251337853e-08, -1.636576890552566e-07, 1.6462110796906402e-06, -1.4925650237575669e-05,
    0.00012055332978896794, -0.0008548327023403335, 0.005223977625441678, -0.026866170645131218,
    0.11283791670955126, -0.37612638903183754, 1.1283791670955126,
)  # fmt: skip

_FAR = (
    4.180821739675544e-11, -1.374652989001164e-10, -5.377133821031794e-10, 1.7903326159489847e-09,
    3.950879254166685e-09, -1.4709550868669278e-08, -2.1868462576141457e-08, 1.1009737295274889e-07,
    7.888177117406594e-08, -8.249198427508354e-07, 2.9094470866632674e-07, 5.709206053072183e-06,
    -1.1220772697788498e-05, -2.4398944545280832e-05, 0.00015062131406268513, -0.0001992567757633648,
    -0.0007577732210512849, 0.005031969992669933, -0.016197734065728945, 0.03716751553592911,
    -0.06633036581166812, 0.09373283499843826, -0.10103906603632413, 0.0680970542546904,
    0.015379652102620026, -0.1396211168405625, 1.2329951186255526,
)  # fmt: skip


def erf(x: Any) -> Any:
    return _along_reals(_erf, 2 / np.sqrt(pi), x)


def erfc(x: Any) -> Any:
    """Return 1 − erf x, to its last digits also where that is next to nothing."""
    return _along_reals(lambda x: np.where(x < 0.5, 1 - _erf(x), _tail(np.maximum(x, 0))), -2 / np.sqrt(pi), x)


@_vanishing
def _along_reals(function: Any, slope: float, x: Any) -> Any:
    """Compute in float64; a small imaginary part goes along the derivative, slope · e^(−x²)."""
    a = np.real(x) * np.float64(1)
    made = function(a)
    if np.iscomplexobj(x):
        made = made + 1j * np.imag(x) * slope * np.exp(-a * a)
    return made.astype(np.result_type(x))


def _erf(x: Any) -> Any:
    size = np.abs(x)
    near = x * _polynomial(_NEAR_0, np.minimum(size, 1) ** 2)
    return np.where(size < 1, near, np.where(x < 0, -1, 1) * (1 - _tail(size)))


def _tail(x: Any) -> Any:
    """Return erfc x for x ≥ 0. Of x² there are too few digits for an exponential, so that it is split."""
    x = np.minimum(x, 40)
    rounded = np.floor(16 * x) / 16
    bell = np.exp(-rounded * rounded) * np.exp((rounded - x) * (rounded + x))
    return bell * (_polynomial(_FAR, (x - 4) / (x + 4)) / (1 + 2 * x))


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    return reduce(lambda total, coefficient: total * x + coefficient, coefficients)


# Of a row that is −∞ throughout, as a mask makes it, nobody gets a share: Σ eˣ is 0, and no row divides by it.


@np.errstate(under="ignore", divide="ignore")
def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    largest = _largest(x, axis)
    total = np.log(np.add.reduce(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis=axis)


@_vanishing
def softmax(x: Any, axis: Any) -> Any:
    z = np.exp(x - _largest(x, axis))
    return z / _or_1(np.add.reduce(z, axis=axis, keepdims=True))


@_vanishing
def log_softmax(x: Any, axis: Any) -> Any:
    """Return x − log Σ eˣ, shifted first: subtracted last, it would take the digits of small differences with it."""
    shifted = x - _largest(x, axis)
    return shifted - np.log(_or_1(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True)))


def _or_1(total: Any) -> Any:
    return np.where(total == 0, 1, total)


def _largest(x: Any, axis: Any) -> Any:
    """Return the largest along an axis, 0 where it is not finite, or of nothing; imaginary parts go with it."""
    largest = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.abs(largest) < np.inf, largest, 0)


def index_add(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of the given shape with x added in at index; entries named twice add up."""
    out = np.zeros_like(x, shape=shape)
    add_at(out, x, index)
    return out


def add_at(total: Any, x: Any, index: Any) -> None:
    """Add x into an array, at index."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, np.ndarray | list) for part in parts):
        np.add.at(total, index, x)
    else:
        total[index] += x
