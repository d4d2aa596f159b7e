"""How long a picture of an unrolled LSTM takes, beside torchviz and torchview drawing the same network op by op.

    apt-get install graphviz && pip install -e ".[test,bench]" && pytest tests/benchmarks

From the forward pass to the SVG; best of a few rounds, in turns. Theirs need Graphviz's ``dot`` on the PATH, which is
stopped at a limit; a contender that was stopped once is not asked for longer sequences. Nothing fails for being slow; a
star marks a target that was missed. What takes longest is marked ``slow``: ``-m "slow or not slow"`` measures all of
it, as .ci/nightly does. It is not the same picture: torchviz draws the functions of the backward pass, each
weight once, with an arrow to every step that uses it, which is what ``dot`` cannot lay out; torchview draws no weights
at all, so that its graph is a chain; ours draws the weights in every step, and lays out steps that look alike once.

What each of them shows is found out on the spot, in pictures with all their options on. torchviz writes operations,
shapes and constant arguments, torchview operations, shapes, and modules by their class, so that gates, layers and
directions are told apart only where each has a class of its own. Neither writes a value that was computed, a gradient,
or the number of a time step, and neither can leave out steps. torchview folds a module that is called again into one
box (``roll=True``; only some of the operations inside), we only where there is a view "rolled". Of PyTorch's
own nn.LSTM torchview shows one box, torchviz what the kernel that ran has recorded: in float32 a box for each layer and
direction, in float64 every operation. Both draw PyTorch models as they are, and torchviz what is kept for the backward
pass; we do neither.
"""

from __future__ import annotations

import gc
import inspect
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pygraphviz
import pytest
import torch
import torchview
import torchviz
from drawn import LIMIT, Unrolled, by_torchview, by_torchviz, ours, rendered
from numpy.typing import NDArray
from surroundings import starred
from torch import nn

import tinygrad_lstm as tl
from tinygrad_lstm.drawing import VIEWS

Tables = dict[str, list[tuple[str, ...]]]

SIZES = (10, 20, 40, 100, 1000)
D = H = 8
RANGE = "What can be drawn"
RANGE_HEADING = ("picture", "ours", "torchviz", "torchview")


def inputs(T: int, dtype: str = "float64") -> NDArray[Any]:
    return np.random.default_rng(0).normal(size=(T, 1, D)).astype(dtype)


@pytest.fixture(scope="module")
def dot() -> str:
    found = shutil.which("dot")
    if found is None:
        missing = "torchviz and torchview draw with Graphviz's dot, which is not on the PATH: apt-get install graphviz"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.mark.slow
def test_beside_torchviz_and_torchview(dot: str, tables: Tables) -> None:
    layer = tl.LSTM(D, H, rng=0)
    model = Unrolled(layer)
    contenders: dict[str, Callable[[NDArray[Any]], object]] = {
        "ours": lambda xs: ours(layer, xs).svg,
        "torchviz": lambda xs: rendered(by_torchviz(model, xs), dot),
        "torchview": lambda xs: rendered(by_torchview(model, xs), dot),
    }
    rivals = ("torchviz", "torchview")
    rows = [("T", *contenders, *(f"ours/{name}" for name in rivals))]
    stopped: dict[str, int] = {}
    for draw in contenders.values():
        draw(inputs(2))  # imports, fonts
    for T in SIZES:
        xs = inputs(T)
        assert_same_network(layer, model, xs)
        best: dict[str, float] = {}
        for _ in range(3 if T <= 100 else 1):
            for name, draw in contenders.items():
                if name in stopped:
                    continue
                try:
                    best[name] = min(best.get(name, np.inf), seconds(draw, xs))
                except subprocess.TimeoutExpired:
                    stopped[name] = T
        times = [shown(best.get(name), T, stopped.get(name)) for name in contenders]
        ratios = [ratio(best["ours"], best.get(name), T, stopped.get(name)) for name in rivals]
        rows.append((str(T), *times, *ratios))
    tables["An LSTM drawn op by op, from the forward pass to the SVG"] = rows
    ends = [f"no, >{LIMIT} s at T = {stopped[name]}" if name in stopped else "yes" for name in rivals]
    tables.setdefault(RANGE, [RANGE_HEADING]).append(("1,000 steps", "yes", *ends))


def shown(best: float | None, T: int, stopped: int | None) -> str:
    if stopped is None and best is not None:
        return f"{best:.2f} s"
    return f">{LIMIT} s" if stopped == T else "not tried"


def ratio(mine: float, theirs: float | None, T: int, stopped: int | None) -> str:
    if stopped is None and theirs is not None:
        return f"{mine / theirs:.2f}"
    return f"<{mine / LIMIT:.3f}" if stopped == T else "–"


def seconds(draw: Callable[[Any], object], given: Any) -> float:
    gc.collect()
    start = time.perf_counter()
    draw(given)
    return time.perf_counter() - start


def assert_same_network(layer: tl.LSTM, model: nn.Module, xs: NDArray[Any]) -> None:
    mine, theirs = layer(tl.tensor(xs))[0].sum(), model(torch.from_numpy(xs))
    np.testing.assert_allclose(mine.value, theirs.item(), rtol=1e-10, atol=1e-12)


def shared_weight(T: int) -> tl.Tensor:
    """h = tanh(h @ w) and nothing else: one weight, used in every step, without a module around it."""
    rng = np.random.default_rng(0)
    w = tl.tensor(rng.normal(size=(H, H)), requires_grad=True, name="w")
    h = tl.tensor(rng.normal(size=(1, H)), name="h0")
    for t in range(T):
        with tl.time_step(t):
            h = tl.tanh(h @ w)
    return h.sum()


NETWORKS: dict[str, Callable[[int], tl.Tensor]] = {
    "LSTM": lambda T: tl.LSTM(D, H, rng=0)(inputs(T))[0].sum(),
    "GRU": lambda T: tl.GRU(D, H, rng=0)(inputs(T))[0].sum(),
    "LSTM, 2 layers, both directions": lambda T: tl.LSTM(D, H, num_layers=2, bidirectional=True, rng=0)(inputs(T))[
        0
    ].sum(),
    "one shared weight": shared_weight,
}
TARGETS = {100: 0.6, 1000: 5.0}  # seconds
GROWTH = 2.2  # at most, from 500 to 1,000 steps


SELDOM = {"GRU", "LSTM, 2 layers, both directions"}


@pytest.mark.parametrize(
    "network", [pytest.param(name, marks=pytest.mark.slow if name in SELDOM else ()) for name in NETWORKS]
)
def test_a_thousand_steps(network: str, tables: Tables) -> None:
    draw_all(NETWORKS[network](3))  # imports
    best = {T: best_of_rounds(NETWORKS[network](T)) for T in (100, 500, 1000)}
    growth = best[1000] / best[500]
    times = [starred(f"{taken:.2f} s", taken > TARGETS.get(T, np.inf)) for T, taken in best.items()]
    limits = (f"100 (<{TARGETS[100]} s)", "500", f"1,000 (<{TARGETS[1000]:.0f} s)", f"1,000/500 (≤{GROWTH})")
    rows = tables.setdefault("Every operation of every step, drawn by us", [("network, steps", *limits)])
    rows.append((network, *times, starred(f"{growth:.2f}", growth > GROWTH)))


def draw_all(loss: tl.Tensor) -> str:
    return tl.draw(loss, steps="all").svg


def best_of_rounds(loss: tl.Tensor, rounds: int = 5, enough: float = 3.0) -> float:
    """Fewer rounds where one takes long."""
    times: list[float] = []
    while len(times) < rounds and sum(times) < enough:
        times.append(seconds(draw_all, loss))
    return min(times)


def test_what_each_can_draw(tables: Tables) -> None:
    T, xs = 3, inputs(3)
    layer = tl.LSTM(D, H, rng=0)
    deep = tl.LSTM(D, H, num_layers=2, bidirectional=True, rng=0)
    model, deep_model = Unrolled(layer), Unrolled(deep)
    assert_same_network(deep, deep_model, xs)
    mine, values = ours(layer, xs).source, ours(layer, xs, values=True).source
    gradients, colored = ours(layer, xs, gradients=True).source, ours(layer, xs, color="gradient").source
    viz, viz_saved = by_torchviz(model, xs), by_torchviz(model, xs, show_attrs=True, show_saved=True)
    every = {"hide_inner_tensors": False, "collect_attributes": True}
    view, rolled = by_torchview(model, xs, **every), by_torchview(model, xs, depth=1, roll=True)
    sides = [ours(deep, xs).source, by_torchviz(deep_model, xs), by_torchview(deep_model, xs, **every)]
    numbers = [answer(has_numbers(source)) for source in (viz_saved, view)]
    assert not has_numbers(mine)  # so that those below are values and gradients
    steps = {f"t = {t}" for t in range(T)}
    tables.setdefault(RANGE, [RANGE_HEADING])[1:1] = [
        (
            "gates of a cell",
            answer("forget_gate" in clusters(mine)),
            answer(mentions("forget_gate", viz), "names of weights"),
            answer(clusters(view).count("Gate") == 4 * T, "modules, by class"),
        ),
        ("values on nodes", answer(has_numbers(values)), *numbers),
        ("gradients on nodes", answer(has_numbers(gradients)), *numbers),
        (
            "time steps as clusters",
            answer(steps <= set(clusters(mine))),
            answer(len(clusters(viz)) >= T),
            answer(clusters(view).count("Cell") == T, "modules, unnumbered"),
        ),
        ("a window of steps", *(answer(has_window(f)) for f in (tl.draw, torchviz.make_dot, torchview.draw_graph))),
        (
            "folded loop",
            answer("rolled" in VIEWS),
            answer(viz.count("SigmoidBackward0") < 3 * T),
            answer(has_loop(rolled), "module to itself"),
        ),
        (
            "layers and directions told apart",
            *(
                answer(mentions("layer1_reverse", source), how)
                for source, how in zip(sides, ("yes", "names of weights", "yes"), strict=True)
            ),
        ),
        (
            "gradient flow",
            answer(colored != mine),
            answer(mentions("AccumulateGrad", viz), "its functions, no sizes"),
            answer(mentions("Backward", view)),
        ),
        ("weights", *(answer(mentions("weight", source)) for source in (mine, viz, view))),
        ("what backward keeps", "no", answer(mentions("saved tensor", viz_saved)), answer(mentions("saved", view))),
        ("PyTorch models as they are", "no", "yes", "yes"),
        ("inside PyTorch's nn.LSTM", "–", *map(inside_of_pytorchs_own, (by_torchviz, by_torchview))),
    ]


def inside_of_pytorchs_own(draw: Callable[..., str]) -> str:
    """What a library shows of two layers of nn.LSTM in both directions: some boxes, or its operations."""
    shown = {}
    for dtype in ("float32", "float64"):
        own = OwnLSTM(D, H, num_layers=2, bidirectional=True, dtype=getattr(torch, dtype))
        words = labels(draw(own, inputs(10, dtype)))
        opaque = sum(bool(re.search("lstm|rnn", word.lower())) for word in words)
        opened = any("sigmoid" in word.lower() for word in words)
        shown[dtype] = "op by op" if opened else "one box" if opaque == 1 else f"{opaque} boxes"
    single, double = shown.values()
    return single if single == double else f"{single}; {double} in float64"


class OwnLSTM(nn.LSTM):
    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        return super().forward(xs)[0].sum()


def answer(found: object, how: str = "yes") -> str:
    return how if found else "no"


def labels(source: str) -> list[str]:
    """The words of every box and cluster in the DOT, without tags."""
    graph = pygraphviz.AGraph(string=source)
    return clusters(source) + [re.sub(r"<[^<>]*>", " ", node.attr["label"] or "") for node in graph.nodes()]


def clusters(source: str) -> list[str]:
    """The labels of the clusters, in whatever depth."""
    graph = pygraphviz.AGraph(string=source)
    found, unseen = [], graph.subgraphs()
    while unseen:
        cluster = unseen.pop()
        found.append(cluster.graph_attr["label"] or "")
        unseen += cluster.subgraphs()
    return found


def mentions(word: str, source: str) -> bool:
    return any(word in label for label in labels(source))


def has_numbers(source: str) -> bool:
    """Whether a label holds a number that is no shape and no count."""
    return any(re.search(r"\d\.\d", label) for label in labels(source))


def has_loop(source: str) -> bool:
    return any(tail == head for tail, head in pygraphviz.AGraph(string=source).edges())


def has_window(function: Callable[..., Any]) -> bool:
    return any(re.search("step|window|range|time", name) for name in inspect.signature(function).parameters)
