"""What forward and backward need at their peak, beside what the graph keeps: each array once, views not at all.

    pip install -e ".[test,bench]" && pytest tests/benchmarks

Both include the parameters and the inputs; the peak includes the gradients and every Python object. With a batch of one
the parameters are most of what the graph keeps, and their gradients, as large again, are still being added up.
"""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import numpy as np
import pytest
from test_lstm_speed import SIZES

import tinygrad_lstm as tl

HEADING = ("T, N, D, H", "dtype", "graph keeps", "peak", "peak/graph")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_peak_memory(size: tuple[int, int, int, int], dtype: str, tables: dict[str, list[tuple[str, ...]]]) -> None:
    T, N, D, H = size
    lstm = tl.LSTM(D, H, rng=0, dtype=dtype)  # a first, untraced run: caches and imports belong to nobody
    lstm(np.zeros((1, N, D), dtype))[0].sum().backward()
    del lstm
    gc.collect()
    tracemalloc.start()
    try:
        lstm = tl.LSTM(D, H, rng=0, dtype=dtype)
        output, _ = lstm(tl.tensor(np.ones((T, N, D), dtype)))
        loss = output.sum()
        loss.backward()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    kept = kept_by(loss)
    row = (str(size), dtype, f"{kept / 2**20:.2f} MiB", f"{peak / 2**20:.2f} MiB", f"{peak / kept:.2f}")
    tables.setdefault("Peak memory of forward and backward", [HEADING]).append(row)


def kept_by(loss: tl.Tensor) -> int:
    """Bytes of the distinct arrays that hold the values of a graph."""
    nodes = tl.Graph(loss).nodes
    values = [value for node in nodes for value in (node.value, *node.input_values)]
    owners: dict[int, Any] = {id(owner): owner for owner in map(owner_of, values)}
    return sum(owner.nbytes for owner in owners.values())


def owner_of(value: Any) -> Any:
    """The array whose memory a view looks into."""
    while isinstance(value.base, np.ndarray):
        value = value.base
    return value
