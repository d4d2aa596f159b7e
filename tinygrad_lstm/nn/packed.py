"""PyTorch's packed sequences, rows of several sequences step after step without padding: a layer takes and gives them.

PyTorch is not imported: what is packed comes with it. Its ``pack_padded_sequence`` and ``pad_packed_sequence`` end in
two functions that a tensor of ours is asked for by name; they stand here.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..engine.functions import pad, stack
from ..engine.ops import transpose
from ..engine.source import skip_file
from ..engine.tensor import Tensor
from ..engine.torchs import KNOWN
from .arguments import as_input

skip_file(__file__)


def is_packed(xs: Any) -> bool:
    """Tell whether something is a PackedSequence of PyTorch's."""
    return isinstance(xs, tuple) and hasattr(xs, "batch_sizes") and hasattr(xs, "data")


def padded(packed: Any, dtype: DTypeLike) -> tuple[Tensor, NDArray[np.intp]]:
    """Return packed sequences as (T, N, D), longest first, and how long each is."""
    counts = np.asarray(packed.batch_sizes)
    return _padded(as_input(packed.data, dtype), counts), _lengths(counts)


def packed_like(packed: Any, output: Tensor) -> Any:
    """Return the output (T, N, H) of packed sequences, packed as these."""
    rows = _rows(output, _lengths(np.asarray(packed.batch_sizes)))
    return type(packed)(rows, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)


def in_order(state: Any, order: Any) -> Any:
    """Return the sequences of a state, (layers · directions, N, H) each part, in another order; None is that of now."""
    if state is None or order is None:
        return state
    if isinstance(state, tuple | list):
        return tuple(in_order(part, order) for part in state)
    return state[:, np.asarray(order)]


def _padded(rows: Tensor, counts: NDArray[Any], total: int = 0) -> Tensor:
    """Return the rows of each step, so many of them, as (T, N, D); past the end of a sequence stands the first row."""
    N, T = int(counts[0]), max(len(counts), total)
    at = np.zeros((T, N), np.intp)
    for t, (begin, count) in enumerate(zip(np.cumsum([0, *counts]), counts, strict=False)):
        at[t, :count] = begin + np.arange(count)
    padded_rows: Tensor = rows[at]
    return padded_rows


def _rows(xs: Tensor, lengths: NDArray[Any]) -> Tensor:
    """Return what of (T, N, D) lies within the sequences, step after step."""
    steps, sequences = np.nonzero(np.arange(len(xs))[:, None] < lengths)
    rows: Tensor = xs[steps, sequences]
    return rows


def _lengths(counts: NDArray[Any]) -> NDArray[np.intp]:
    """Return how long the sequences are of which so many reach each step."""
    lengths: NDArray[np.intp] = (counts[:, None] > np.arange(counts[0])).sum(axis=0)
    return lengths


def _pack_padded_sequence(xs: Any, lengths: Any, batch_first: bool) -> tuple[Tensor, Any]:
    """Return the rows of sequences, longest first, and how many sequences reach each step."""
    xs = transpose(xs, axes=(1, 0, *range(2, xs.ndim))) if batch_first else xs
    lengths = np.asarray(lengths)
    if (
        lengths.shape != xs.shape[1:2]
        or (np.diff(lengths) > 0).any()
        or not 1 <= lengths.min() <= lengths.max() <= len(xs)
    ):
        raise ValueError(
            f"lengths of sequences of shape {xs.shape} are from 1 to T, longest first, not {lengths.tolist()!r:.60}; "
            "enforce_sorted=False takes them in any order"
        )
    counts = (lengths > np.arange(lengths.max())[:, None]).sum(axis=1)
    return _rows(xs[: len(counts)], lengths), sys.modules["torch"].as_tensor(counts)


def _pad_packed_sequence(
    rows: Any, counts: Any, batch_first: bool, padding_value: float, total_length: int
) -> tuple[Tensor, Any]:
    """Return rows as (T, N, D), or (N, T, D), with a value past the end of each sequence, and how long each is."""
    lengths = _lengths(counts)
    xs = _padded(rows, counts, total_length)
    beyond = np.arange(len(xs))[:, None] >= lengths
    xs = xs.masked_fill(beyond[(..., *[None] * (xs.ndim - 2))], padding_value)
    xs = transpose(xs, axes=(1, 0, *range(2, xs.ndim))) if batch_first else xs
    return xs, sys.modules["torch"].as_tensor(lengths)


def _pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Return sequences, (T, ...) each, with a value past their ends, or before them: (T, N, ...), or (N, T, ...)."""
    steps = max(len(each) for each in sequences)
    ends = [(0, steps - len(each)) if padding_side == "right" else (steps - len(each), 0) for each in sequences]
    pairs = zip(sequences, ends, strict=True)
    padded_ones = [pad(each, [end, *[(0, 0)] * (each.ndim - 1)], padding_value) for each, end in pairs]
    stacked: Tensor = stack(padded_ones, axis=0 if batch_first else 1)
    return stacked


KNOWN.update(pad_sequence=_pad_sequence)
KNOWN.update(_pack_padded_sequence=_pack_padded_sequence, _pad_packed_sequence=_pad_packed_sequence)
