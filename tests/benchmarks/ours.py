"""Contenders of our own: the composed graph, its program at each level, the layer by hand, and the bare products."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import tinygrad_lstm as tl
from tests.benchmarks import by_hand
from tests.benchmarks.cells import LAYERS
from tests.benchmarks.jobs import INPUT, OUTPUT, Contender, Given, Missing
from tinygrad_lstm.program.general import of_function, signature_of
from tinygrad_lstm.program.pool import Pool

LEVELS = (0, 1, 2, 3)
KERNELS: dict[str, Any] = {
    "LSTM": by_hand.LSTM,
    "GRU": by_hand.GRU,
    "RNN": by_hand.RNN,
    "BiLSTM×2": by_hand.DeepLSTM,
    "MGU": by_hand.MGU,
    "LN-LSTM": by_hand.LayerNormLSTM,
}


def layer_of(given: Given) -> Any:
    _, _, D, H = given.job.size
    layer = LAYERS[given.job.cell](D, H, rng=0, dtype=given.job.dtype)
    for name, parameter in layer.named_parameters():
        parameter.value = given.weights[name]
    return layer


def composed(given: Given) -> Contender:
    layer = layer_of(given)
    return _run(given, layer, layer)


def compiled(level: int, given: Given) -> Contender:
    layer = layer_of(given)
    fast = tl.compile(layer, optimize=level)
    note = lambda: fast.explain() if "not compiled" in fast.explain() else ""
    return _run(given, layer, fast)._replace(note=note)


def _run(given: Given, layer: Any, call: Any) -> Contender:
    parameters = dict(layer.named_parameters())
    xs, last = tl.tensor(given.xs, requires_grad=True), {}

    def run() -> None:
        for leaf in (xs, *parameters.values()):
            leaf.grad = None
        output, _ = call(xs)
        output.backward(given.upstream)
        last[OUTPUT] = output

    def results() -> dict[str, Any]:
        found = {name: parameter.grad.value for name, parameter in parameters.items()}
        return found | {OUTPUT: last[OUTPUT].value, INPUT: xs.grad.value}

    few = tl.tensor(given.xs[:2, :1], requires_grad=True)
    return Contender(run, lambda: call(xs), results, warm=lambda: call(few))


def alone(given: Given) -> Contender:
    """The program itself, of the highest level: without the graph, and what a call of ``tl.compile`` looks at."""
    layer, last = layer_of(given), {}
    first = next(iter(signature_of(layer).parameters))
    example = {first: tl.tensor(given.xs, requires_grad=True)}
    general = of_function(layer, example, split=True, optimize=LEVELS[-1])
    forward, backward = general.source.functions
    arrays = {name: leaf.value for name, leaf in general.closure.items()} | general.constants | {first: given.xs}
    names = {leaf: name for name, leaf in layer.named_parameters()}
    wrt = [INPUT if name == first else names[general.closure[name]] for name in general.wrt]
    empty = Pool().empty

    def run() -> None:
        (output, *others), saved = forward(**arrays, empty=empty)
        found = backward(saved, given.upstream, *map(np.zeros_like, others), empty=empty)
        last.update(zip(wrt, found, strict=True))
        last[OUTPUT] = output

    return Contender(run, lambda: forward(**arrays, empty=empty), lambda: last)


def kernel(given: Given) -> Contender:
    last: dict[str, Any] = {}
    made = []
    prefix = "" if given.job.cell.startswith("Bi") else "cell."
    weights = {name.removeprefix(prefix): array for name, array in given.weights.items()}

    def run() -> None:
        if not made:
            made.append(KERNELS[given.job.cell](*given.job.size, given.job.dtype))
        last[OUTPUT], found = made[0](given.xs, weights, given.upstream)
        last.update({name if name == INPUT else prefix + name: array for name, array in found.items()})

    return Contender(run, run, lambda: last)


def products(given: Given) -> Contender:
    """The matrix products of an LSTM with all else left out: what no program in numpy can be faster than."""
    if given.job.cell != "LSTM":
        raise Missing("the floor is that of an LSTM")
    T, N, D, H = given.job.size
    rng = np.random.default_rng(0)
    draw = lambda *shape: rng.uniform(-1, 1, size=shape).astype(given.job.dtype)
    h, W, U, xs, da = draw(N, H), draw(D, 4 * H), draw(H, 4 * H), draw(T * N, D), draw(T * N, 4 * H)
    read, step = draw(T * N, H + D), draw(N, 4 * H)
    a, ahead, dh, dW, dx = np.empty_like(da), np.empty_like(step), np.empty_like(h), draw(H + D, 4 * H), draw(T * N, D)

    def run() -> None:
        np.dot(xs, W, a)
        for _ in range(T):
            np.dot(h, U, ahead)
        back = np.ascontiguousarray(U.T)
        for _ in range(T):
            np.dot(step, back, dh)
        np.dot(read.T, da, dW)
        np.dot(da, W.T, dx)

    return Contender(run, run, dict)


CONTENDERS = {
    "composed": composed,
    **{f"compiled {level}": partial(compiled, level) for level in LEVELS},
    "program alone": alone,
    "by hand": kernel,
    "products": products,
}
