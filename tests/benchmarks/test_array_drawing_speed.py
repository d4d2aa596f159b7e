"""How long drawing an array takes: ours, from a drawn seed with a few entries laid over, beside hypothesis's own.

    pip install -e ".[test,bench]" && pytest tests/benchmarks

Times are of the draw alone, the median of many; a star marks one above the target of 1 ms.
"""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from surroundings import starred

from tinygrad_lstm.testing.generate import strategies

HEADING = ("shape", "ours", "hypothesis.extra.numpy", "times as fast")
TARGET = 1e-3


@pytest.mark.parametrize("shape", [(3, 4), (30, 30), pytest.param((300, 300), marks=pytest.mark.slow)], ids=str)
def test_drawing_an_array(shape: tuple[int, int], tables: dict[str, list[tuple[str, ...]]]) -> None:
    ours = seconds(strategies.tensors(shape))
    theirs = seconds(hnp.arrays(np.float64, shape, elements=st.floats(-1e3, 1e3), fill=st.nothing()))
    row = (str(shape), starred(f"{ours * 1e3:.2f} ms", ours > TARGET), f"{theirs * 1e3:.2f} ms", f"{theirs / ours:.1f}")
    tables.setdefault("Drawing an array", [HEADING]).append(row)


def seconds(strategy: st.SearchStrategy[Any]) -> float:
    """The median of thirty draws; of fewer, where hypothesis gives up on arrays so large."""
    times: list[float] = []

    @settings(
        max_examples=30,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        started = time.perf_counter()
        try:
            data.draw(strategy)
        finally:
            times.append(time.perf_counter() - started)

    with suppress(Exception):  # whatever hypothesis says of an array that it cannot draw
        draw()
    return statistics.median(times)
