"""Functions composed of primitives: what takes a list, or an index that is looked at first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ops
from .primitive import unmasked


def concat(parts: Sequence[Any], axis: int = 0) -> Any:
    """Return the parts joined along an axis that they have: shapes may differ there, and there only.

    >>> import tinygrad_lstm as tl
    >>> tl.concat([tl.tensor([1, 2]), tl.tensor([3])])
    tensor([1., 2., 3.], made by concat)
    """
    return ops.concat(*_some(parts, "concat"), axis=axis)


def stack(parts: Sequence[Any], axis: int = 0) -> Any:
    """Return the parts, all of one shape, joined along a new axis.

    >>> import tinygrad_lstm as tl
    >>> tl.stack([tl.tensor([1, 2])] * 3, axis=1).shape
    (2, 3)
    """
    return ops.stack(*_some(parts, "stack"), axis=axis)


def take(rows: Any, indices: Any) -> Any:
    """Return rows by number, as often as they are named. rows: (V, ...), indices: integers (...) → (..., ...).

    >>> import tinygrad_lstm as tl
    >>> tl.take(tl.tensor([-1, 0, 2]), [2, 2, 0])
    tensor([ 2.,  2., -1.], made by take)
    """
    numbers = np.array(unmasked(indices), dtype=None if np.size(indices) else np.intp)
    if numbers.dtype == np.bool_:
        raise IndexError("take wants the numbers of rows, not booleans; a mask is an index: rows[mask]")
    numbers.setflags(write=False)
    return ops.take(rows, indices=numbers)


for _function in (concat, stack, take):
    getattr(ops, _function.__name__).describe(_function)


def _some(parts: Sequence[Any], name: str) -> Sequence[Any]:
    if not isinstance(parts, list | tuple) or not parts:
        raise TypeError(f"{name} takes a list of at least one tensor, as in {name}([a, b])")
    return parts
