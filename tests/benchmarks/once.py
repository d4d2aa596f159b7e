"""What is measured once in a process of its own: ``python -m tests.benchmarks.once NAME ARGUMENT…`` prints JSON."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import tinygrad_lstm as tl
from tests.benchmarks.contend import in_use
from tests.benchmarks.ours import LEVELS


def soak(steps: int) -> dict[str, Any]:
    """Train a compiled LSTM; return bytes in use and objects that the collector knows, ten times on the way."""
    rng = np.random.default_rng(0)
    layer, head = tl.LSTM(8, 16, rng=0), tl.Linear(16, 1, rng=1)
    fast = tl.compile(layer, optimize=LEVELS[-1])
    optimizer = tl.nn.Adam([*layer.parameters(), *head.parameters()], lr=1e-3)
    xs = tl.tensor(rng.normal(size=(20, 4, 8)))
    seen: dict[str, Any] = {"bytes": [], "objects": [], "losses": []}
    for step in range(steps):
        optimizer.zero_grad()
        output, _ = fast(xs)
        loss = (head(output) ** 2).mean()
        loss.backward()
        optimizer.step()
        if (step + 1) % (steps // 10) == 0:
            seen["losses"].append(float(loss.value))
            del output, loss
            gc.collect()
            seen["bytes"].append(in_use())
            seen["objects"].append(len(gc.get_objects()))
    return seen | {"note": fast.explain()}


def compiling(T: int, cell: str) -> dict[str, Any]:
    """Return how much longer the first call of a compiled layer takes than the next, the best of three."""
    from tests.benchmarks.cells import LAYERS

    xs, took = tl.tensor(np.ones((T, 8, 32)), requires_grad=True), []
    for _ in range(3):
        fast = tl.compile(LAYERS[cell](32, 32, rng=0), optimize=LEVELS[-1])
        run = partial(fast, xs)
        first = seconds(run)
        took.append(first - min(seconds(run) for _ in range(3)))
    return {"seconds": min(took), "note": fast.explain()}


def growth(what: str, number: int) -> dict[str, Any]:
    """Return the seconds of forward and backward where one of T, N, H is a number, or of a chain of so many nodes."""
    size = {"T": 50, "N": 16, "H": 64}
    found = {}
    if what == "nodes":
        x = tl.tensor(np.ones(4), requires_grad=True)

        def chain() -> None:
            y = x
            for _ in range(number):
                y = tl.tanh(y)
            y.sum().backward()
            x.grad = None

        found["composed"] = best(chain)
        return found
    size[what] = number
    layer = tl.LSTM(size["H"], size["H"], rng=0)
    parameters = list(layer.parameters())
    xs = tl.tensor(np.ones((size["T"], size["N"], size["H"])))
    upstream = np.ones((size["T"], size["N"], size["H"]))
    for name, call in (("composed", layer), ("compiled", tl.compile(layer, optimize=LEVELS[-1]))):

        def run(call: Any = call) -> None:
            for parameter in parameters:
                parameter.grad = None
            call(xs)[0].backward(upstream)

        found[name] = best(run)
    return found


def seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def best(run: Callable[[], Any], spend: float = 0.5) -> float:
    run()
    times: list[float] = []
    while len(times) < 3 or (sum(times) < spend and len(times) < 50):
        gc.collect()
        times.append(seconds(run))
    return min(times)


KINDS: dict[str, Callable[[list[str]], dict[str, Any]]] = {
    "soak": lambda given: soak(int(given[0])),
    "compiling": lambda given: compiling(int(given[0]), given[1]),
    "growth": lambda given: growth(given[0], int(given[1])),
}

if __name__ == "__main__":
    print(json.dumps(KINDS[sys.argv[1]](sys.argv[2:])))
