"""Functions composed of primitives: what takes a list, or an index that is looked at first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ops


def concat(parts: Sequence[Any], axis: int = 0) -> Any:
    """Return the parts joined along an axis that they have: shapes may differ there, and there only."""
    return ops.concat(*_some(parts, "concat"), axis=axis)


def stack(parts: Sequence[Any], axis: int = 0) -> Any:
    """Return the parts, all of one shape, joined along a new axis."""
    return ops.stack(*_some(parts, "stack"), axis=axis)


def take(rows: Any, indices: Any) -> Any:
    """Return rows by number, as often as they are named. rows: (V, ...), indices: integers (...) → (..., ...)."""
    numbers = np.array(indices, dtype=None if np.size(indices) else np.intp)
    if numbers.dtype == np.bool_:
        raise IndexError("take wants the numbers of rows, not booleans; a mask is an index: rows[mask]")
    numbers.setflags(write=False)
    return ops.take(rows, indices=numbers)


def _some(parts: Sequence[Any], name: str) -> Sequence[Any]:
    if not isinstance(parts, list | tuple) or not parts:
        raise TypeError(f"{name} takes a list of at least one tensor, as in {name}([a, b])")
    return parts
