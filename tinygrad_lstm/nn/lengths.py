"""Sequences of different lengths in one batch: which steps are theirs, and what stands in the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ShapeError
from ..engine.ops import where
from ..engine.primitive import unmasked
from ..engine.scope import scope
from ..engine.tensor import Tensor, tensor
from .cell import Cell, advance, said

Steps = NDArray[np.bool_]


def steps_within(lengths: Any, xs: Tensor, here: str, batch_first: bool) -> Steps:
    """Return, for xs of shape (T, N, D), or (N, T, D), which steps are within each sequence: (T, N), True or False."""
    if xs.ndim != 3:
        raise ShapeError(f"{here}: lengths are those of a batch; xs of shape {said(xs.shape, 'TD')} is one sequence")
    T, N = xs.shape[1::-1] if batch_first else xs.shape[:2]
    wanted = f"lengths must be N={N} whole numbers from 1 to T={T}, one for each sequence"
    try:
        given = np.asarray(unmasked(lengths))
    except (ValueError, TypeError):  # rows of different length, and whatever else is no array
        given = np.asarray(None)
    if given.dtype.kind not in "uif":
        raise TypeError(f"{here}: {wanted}, not {lengths!r:.60}")
    if given.shape != (N,):
        hint = "; is it (N, T, D)? then say batch_first=True" if given.shape == (T,) and not batch_first else ""
        of = said(xs.shape, "NTD" if batch_first else "TND")
        raise ShapeError(f"{here}: {wanted}; got {given.shape} for xs of shape {of}{hint}")
    for n, length in enumerate(given.tolist()):
        if not (1 <= length <= T and length == int(length)):
            raise ValueError(f"{here}: {wanted}; lengths[{n}] is {length}")
    within: Steps = np.arange(T)[:, None] < given
    return within


def without_padding(xs: Tensor, within: Steps) -> Tensor:
    """Return xs with zeros past the end of each sequence: not even a NaN there is seen, or gets a gradient."""
    cleaned: Tensor = where(tensor(within[..., None], name="within", dtype=xs.dtype), xs, 0)
    cleaned.name = xs.name
    return cleaned


def advance_within(cell: Cell[Any], x: Tensor, state: tuple[Tensor, ...], within: Steps | None) -> tuple[Tensor, ...]:
    """Return a cell's next state: past its end, (N) of them, a sequence keeps the state that it has."""
    after = advance(cell, x, state)
    if within is None:
        return after
    with scope("lengths"):
        rows = tensor(within[:, None], name="within", dtype=after[0].dtype)
        kept = tuple(where(rows, new, old) for new, old in zip(after, state, strict=True))
    for part, name in zip(kept, cell.state_names, strict=True):
        part.name = name
    return kept
