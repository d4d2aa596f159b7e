"""The equations of the measured cells, for any library with products, σ and tanh; the order is that of ours.

A step takes the weights by name, x (N, D) and the state, a tuple whose first part is h (N, H), and returns the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

State = tuple[Any, ...]


class Library(NamedTuple):
    """What the equations need of a library: functions of arrays, the last axis for ``beside`` and ``norm``."""

    sigmoid: Callable[[Any], Any]
    tanh: Callable[[Any], Any]
    beside: Callable[[Any, Any], Any]
    norm: Callable[[Any, Any, Any], Any]
    """x with mean 0 and variance 1, times a weight, plus a bias."""


def _gates(lib: Library) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    names = ("forget_gate", "input_gate", "candidate", "output_gate")
    return tuple((name, lib.tanh if name == "candidate" else lib.sigmoid) for name in names)


def lstm(lib: Library, w: dict[str, Any], x: Any, state: State) -> State:
    h, c = state
    z = lib.beside(h, x)
    f, i, g, o = (squash(z @ w[f"{gate}.weight"] + w[f"{gate}.bias"]) for gate, squash in _gates(lib))
    c = f * c + i * g
    return o * lib.tanh(c), c


def layer_norm_lstm(lib: Library, w: dict[str, Any], x: Any, state: State) -> State:
    h, c = state
    z = lib.beside(h, x)
    f, i, g, o = (
        squash(lib.norm(z @ w[f"{gate}.weight"], w[f"{gate}_norm.weight"], w[f"{gate}_norm.bias"]))
        for gate, squash in _gates(lib)
    )
    c = f * c + i * g
    return o * lib.tanh(lib.norm(c, w["cell_norm.weight"], w["cell_norm.bias"])), c


def gru(lib: Library, w: dict[str, Any], x: Any, state: State) -> State:
    (h,) = state
    hx = lib.beside(h, x)
    z = lib.sigmoid(hx @ w["update_gate.weight"] + w["update_gate.bias"])
    r = lib.sigmoid(hx @ w["reset_gate.weight"] + w["reset_gate.bias"])
    inner = h @ w["recurrent.weight"] + w["recurrent.bias"]
    g = lib.tanh(x @ w["candidate.weight"] + r * inner + w["candidate.bias"])
    return ((1 - z) * g + z * h,)


def rnn(lib: Library, w: dict[str, Any], x: Any, state: State) -> State:
    (h,) = state
    return (lib.tanh(lib.beside(h, x) @ w["layer.weight"] + w["layer.bias"]),)


def mgu(lib: Library, w: dict[str, Any], x: Any, state: State) -> State:
    (h,) = state
    f = lib.sigmoid(lib.beside(h, x) @ w["gate.weight"] + w["gate.bias"])
    n = lib.tanh(lib.beside(f * h, x) @ w["candidate.weight"] + w["candidate.bias"])
    return ((1 - f) * h + f * n,)


STEPS: dict[str, tuple[Callable[[Library, dict[str, Any], Any, State], State], int]] = {
    "LSTM": (lstm, 2),
    "BiLSTM×2": (lstm, 2),
    "GRU": (gru, 1),
    "RNN": (rnn, 1),
    "MGU": (mgu, 1),
    "LN-LSTM": (layer_norm_lstm, 2),
}
"""By the name of the layer: a step, and how many parts its state has."""


def pieces(weights: dict[str, Any]) -> list[list[tuple[dict[str, Any], bool]]]:
    """The weights of each layer, and in it of each direction, and whether that reads time from its end."""
    found: dict[str, dict[str, Any]] = {}
    for name, weight in weights.items():
        module, _, own = name.partition(".")
        found.setdefault(module, {})[own] = weight
    layers: dict[str, list[tuple[dict[str, Any], bool]]] = {}
    for module, own in found.items():
        layers.setdefault(module.removesuffix("_reverse"), []).append((own, module.endswith("_reverse")))
    return list(layers.values())
