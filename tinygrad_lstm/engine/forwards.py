"""Forward functions that need more than a line. They see arrays only, real or complex, and compare by real part."""

from __future__ import annotations

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
