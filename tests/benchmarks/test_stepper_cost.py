"""What it costs to record a walk, beside running it: an LSTM of 100 steps, in time and at its peak of memory.

    pip install -e ".[test,bench]" && pytest tests/benchmarks

Time: the plain backward pass, and the tape of the same graph. Memory: forward and backward, and forward and tape; and
for comparison a tape that keeps every array that an event speaks of, which is what ours makes again when looked at.
Nothing fails for being slow; a star marks a target that was missed.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from surroundings import starred

import tinygrad_lstm as tl
from tinygrad_lstm.stepper.recording.tape import Tape

SIZES = [(100, 1, 4, 8), (100, 1, 16, 32), (100, 16, 16, 32)]
HEADING = ("T, N, D, H", "backward", "tape", "ratio", "limit", "peak", "with a tape", "ratio", "limit", "keeping all")
SLOWER, LARGER = 2.0, 1.5
"""What the recording may cost."""

ROUNDS = 9


def loss_of(size: tuple[int, int, int, int]) -> tl.Tensor:
    T, N, D, H = size
    output, _ = tl.LSTM(D, H, rng=0)(tl.tensor(np.ones((T, N, D))))
    return output.sum()


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def peak(size: tuple[int, int, int, int], run: Callable[[tl.Tensor], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        loss = loss_of(size)
        kept = run(loss)
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del kept
    return highest


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_recording_costs_little(size: tuple[int, int, int, int], tables: dict[str, list[tuple[str, ...]]]) -> None:
    loss = loss_of(size)
    Tape(loss)  # imports and caches belong to nobody
    pairs = [(seconds(lambda: loss.backward()), seconds(lambda: len(Tape(loss)))) for _ in range(ROUNDS)]
    plain, taped = (float(np.median(column)) for column in zip(*pairs, strict=True))
    least = peak(size, lambda loss: loss.backward())
    held = peak(size, Tape)
    everything = peak(size, lambda loss: list(tl.backprop(loss)))
    ratio = starred(f"{taped / plain:.2f}", taped > SLOWER * plain)
    row = (str(size), f"{1e3 * plain:.1f} ms", f"{1e3 * taped:.1f} ms", ratio, f"{SLOWER}")
    memory = (f"{least / 2**20:.2f} MiB", f"{held / 2**20:.2f} MiB", f"{held / least:.2f}", f"{LARGER}")
    tables.setdefault("Recording a walk", [HEADING]).append((*row, *memory, f"{everything / least:.2f}"))
    assert held <= LARGER * least
