"""How long an LSTM takes, forward and backward, beside eager PyTorch, autograd and MyGrad doing the same operations.

    pip install -e ".[test,bench]" && pytest tests/benchmarks

Ratios below 1 mean that we are faster. One thread; the frameworks take turns, so that a busy machine is busy for all of
them; the best of many rounds counts. Nothing fails for being slow, only for computing something else; a star marks a
ratio above its target (1.0 for PyTorch, 0.5 for autograd and MyGrad at the first two sizes). The larger sizes are
measured by ``-m "slow or not slow"``, as .ci/nightly does.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from contenders import RIVALS, ours, problem
from pytest_benchmark.fixture import BenchmarkFixture
from surroundings import faults, minor_faults, starred

TARGETS = {"torch": 1.0, "autograd": 0.5, "mygrad": 0.5}  # the latter two at the first two sizes only
HEADING = ("T, N, D, H", "dtype", "ours", "page faults", *(f"ours/{name}" for name in RIVALS))
SIZES = {  # (T, N, D, H): rounds, and runs in each
    (25, 1, 64, 100): (30, 5),
    (50, 32, 64, 64): (25, 2),
    (100, 64, 128, 128): (10, 1),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "size", [pytest.param(size, marks=pytest.mark.slow if size != min(SIZES) else (), id=str(size)) for size in SIZES]
)
def test_lstm_forward_and_backward(
    size: tuple[int, int, int, int], dtype: str, benchmark: BenchmarkFixture, tables: dict[str, list[tuple[str, ...]]]
) -> None:
    given = problem(*size, dtype)
    rounds, repeats = SIZES[size]
    run_ours = ours(given)
    rivals = {name: contender(given) for name, contender in RIVALS.items()}
    for name, run in rivals.items():
        assert_same(run_ours(), run(), name)

    times: dict[str, list[float]] = {name: [] for name in rivals}

    def their_turn() -> None:
        for name, run in rivals.items():
            gc.collect()
            start = time.perf_counter()
            repeat(run, repeats)
            times[name].append(time.perf_counter() - start)
        gc.collect()

    benchmark.group = "LSTM forward and backward"
    benchmark.pedantic(repeat, (run_ours, repeats), setup=their_turn, rounds=rounds, warmup_rounds=1)
    if benchmark.stats is None:  # --benchmark-disable
        return
    best = benchmark.stats.stats.min
    ratios = {name: best / min(taken) for name, taken in times.items()}
    benchmark.extra_info.update({f"ours/{name}": ratio for name, ratio in ratios.items()})
    before = minor_faults()
    repeat(run_ours, repeats)
    row = (
        str(size),
        dtype,
        f"{best / repeats * 1e3:.2f} ms",
        faults(before, minor_faults(), repeats),
        *(marked(ratio, name, size) for name, ratio in ratios.items()),
    )
    tables.setdefault("LSTM forward and backward, op by op, one thread", [HEADING]).append(row)


def marked(ratio: float, name: str, size: tuple[int, int, int, int]) -> str:
    wanted = TARGETS.get(name) if name == "torch" or size != max(SIZES) else None
    return starred(f"{ratio:.2f}", wanted is not None and ratio > wanted)


def repeat(run: Callable[[], Any], times: int) -> None:
    for _ in range(times):
        run()


def assert_same(mine: list[Any], theirs: list[Any], name: str) -> None:
    """Equal up to rounding, relative to each gradient's largest entry; never more than a real difference would be."""
    for slot, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        assert a.dtype == b.dtype, f"parameter {slot}: {a.dtype} here, {b.dtype} in {name}"
        tolerance = 1e4 * np.finfo(a.dtype).eps * np.abs(a).max() if a.dtype == np.float64 else 1e-3 * np.abs(a).max()
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance, err_msg=f"parameter {slot}, ours against {name}")
