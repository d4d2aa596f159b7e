"""Contenders of others: torch.nn's own layers, and the same equations in PyTorch, eager and compiled, and in JAX."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tests.benchmarks.equations import STEPS, Library, pieces
from tests.benchmarks.jobs import INPUT, OUTPUT, Contender, Given, Missing

ORDERS = {
    "LSTM": ("input_gate", "forget_gate", "candidate", "output_gate"),
    "GRU": ("reset_gate", "update_gate", "candidate"),
    "RNN": ("layer",),
}


def library() -> Any:
    try:
        import torch
    except ImportError as error:
        raise Missing("torch is not installed") from error
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    return torch


def fused(given: Given) -> Contender:
    """torch.nn.LSTM, GRU or RNN: one call into C++."""
    torch = library()
    _, _, D, H = given.job.size
    kind = given.job.cell.removeprefix("Bi").removesuffix("×2")
    if kind not in ORDERS:
        raise Missing("torch.nn has no such layer")
    many = kind != given.job.cell
    layer = getattr(torch.nn, kind)(
        D, H, num_layers=2 if many else 1, bidirectional=many, dtype=getattr(torch, given.job.dtype)
    )
    modules = sorted({name.partition(".")[0] for name in given.weights})
    suffixes = {module: f"_{module.replace('layer', 'l') if many else 'l0'}" for module in modules}
    for module, suffix in suffixes.items():
        own = {name.removeprefix(f"{module}."): w for name, w in given.weights.items() if name.startswith(f"{module}.")}
        with torch.no_grad():
            for part, array in as_torch_has_them(kind, own, H).items():
                getattr(layer, part + suffix).copy_(torch.from_numpy(array))
    xs, upstream = torch.from_numpy(given.xs).requires_grad_(), torch.from_numpy(given.upstream)
    last: dict[str, Any] = {}

    def run() -> None:
        xs.grad = None
        layer.zero_grad()
        last[OUTPUT], _ = layer(xs)
        last[OUTPUT].backward(upstream)

    def results() -> dict[str, Any]:
        found = {OUTPUT: last[OUTPUT].detach().numpy(), INPUT: xs.grad.numpy()}
        for module, suffix in suffixes.items():
            parts = ("weight_hh", "weight_ih", "bias_hh", "bias_ih")
            own = _as_we_have_them(kind, {part: getattr(layer, part + suffix).grad.numpy() for part in parts}, H)
            found |= {f"{module}.{name}": array for name, array in own.items()}
        return found

    few = torch.from_numpy(given.xs[:2, :1].copy()).requires_grad_()
    return Contender(run, lambda: layer(xs), results, warm=lambda: layer(few))


def as_torch_has_them(kind: str, own: dict[str, Any], H: int) -> dict[str, Any]:
    hidden, inputs, of_h, of_x = [], [], [], []
    for gate in ORDERS[kind]:
        weight, bias = own[f"{gate}.weight"], own[f"{gate}.bias"]
        apart = kind == "GRU" and gate == "candidate"
        hidden.append((own["recurrent.weight"] if apart else weight[:H]).T)
        inputs.append((weight if apart else weight[H:]).T)
        of_h.append(own["recurrent.bias"] if apart else np.zeros_like(bias))
        of_x.append(bias)
    parts = {"weight_hh": hidden, "weight_ih": inputs, "bias_hh": of_h, "bias_ih": of_x}
    return {part: np.concatenate(arrays) for part, arrays in parts.items()}


def _as_we_have_them(kind: str, parts: dict[str, Any], H: int) -> dict[str, Any]:
    found = {}
    for k, gate in enumerate(ORDERS[kind]):
        rows = slice(k * H, (k + 1) * H)
        of_h, of_x = parts["weight_hh"][rows].T, parts["weight_ih"][rows].T
        found[f"{gate}.bias"] = parts["bias_ih"][rows]
        if kind == "GRU" and gate == "candidate":
            found |= {"recurrent.weight": of_h, "recurrent.bias": parts["bias_hh"][rows], f"{gate}.weight": of_x}
        else:
            found[f"{gate}.weight"] = np.concatenate([of_h, of_x])
    return found


def eager(given: Given) -> Contender:
    return _in_torch(given, False)


def torch_compiled(given: Given) -> Contender:
    return _in_torch(given, True)


def _in_torch(given: Given, compile_it: bool) -> Contender:
    torch = library()
    functional = torch.nn.functional
    lib = Library(
        torch.sigmoid,
        torch.tanh,
        lambda a, b: torch.cat([a, b], dim=-1),
        lambda x, weight, bias: functional.layer_norm(x, x.shape[-1:], weight, bias),
    )
    weights = {name: torch.from_numpy(array.copy()).requires_grad_() for name, array in given.weights.items()}
    xs, upstream = torch.from_numpy(given.xs).requires_grad_(), torch.from_numpy(given.upstream)
    H, (step, parts) = given.job.size[-1], STEPS[given.job.cell]
    layers = pieces(weights)

    def forward(below: Any) -> Any:
        for layer in layers:
            outputs = []
            for own, from_the_end in layer:
                state = tuple(below.new_zeros(below.shape[1], H) for _ in range(parts))
                hs = []
                for x in reversed(below.unbind()) if from_the_end else below.unbind():
                    state = step(lib, own, x, state)
                    hs.append(state[0])
                outputs.append(torch.stack(hs[::-1] if from_the_end else hs))
            below = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
        return below

    call = torch.compile(forward) if compile_it else forward
    last: dict[str, Any] = {}

    def run() -> None:
        for leaf in (xs, *weights.values()):
            leaf.grad = None
        last[OUTPUT] = call(xs)
        last[OUTPUT].backward(upstream)

    def results() -> dict[str, Any]:
        found = {name: weight.grad.numpy() for name, weight in weights.items()}
        return found | {OUTPUT: last[OUTPUT].detach().numpy(), INPUT: xs.grad.numpy()}

    few = torch.from_numpy(given.xs[:2, :1].copy()).requires_grad_()
    return Contender(run, lambda: call(xs), results, warm=lambda: forward(few))


def jax_scan(given: Given) -> Contender:
    try:
        import jax
    except ImportError as error:
        raise Missing("jax is not installed") from error
    jax.config.update("jax_enable_x64", given.job.dtype == "float64")
    jnp = jax.numpy

    def norm(x: Any, weight: Any, bias: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred / jnp.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5) * weight + bias

    lib = Library(jax.nn.sigmoid, jnp.tanh, lambda a, b: jnp.concatenate([a, b], axis=-1), norm)
    (_, N, _, H), (step, parts) = given.job.size, STEPS[given.job.cell]

    def forward(xs: Any, weights: Any) -> Any:
        below = xs
        for layer in pieces(weights):
            outputs = []
            for own, from_the_end in layer:

                def one(state: Any, x: Any, own: Any = own) -> Any:
                    state = step(lib, own, x, state)
                    return state, state[0]

                zeros = tuple(jnp.zeros((N, H), below.dtype) for _ in range(parts))
                outputs.append(jax.lax.scan(one, zeros, below, reverse=from_the_end)[1])
            below = outputs[0] if len(outputs) == 1 else jnp.concatenate(outputs, axis=-1)
        return below

    @jax.jit
    def both(xs: Any, weights: Any, upstream: Any) -> Any:
        output, back = jax.vjp(forward, xs, weights)
        return output, back(upstream)

    xs, upstream = jnp.asarray(given.xs), jnp.asarray(given.upstream)
    weights = {name: jnp.asarray(array) for name, array in given.weights.items()}
    last: dict[str, Any] = {}

    def run() -> None:
        last["all"] = jax.block_until_ready(both(xs, weights, upstream))

    def results() -> dict[str, Any]:
        output, (dx, found) = last["all"]
        return {name: np.asarray(g) for name, g in found.items()} | {OUTPUT: np.asarray(output), INPUT: np.asarray(dx)}

    return Contender(run, lambda: jax.block_until_ready(forward(xs, weights)), results)


CONTENDERS = {"torch.nn": fused, "eager torch": eager, "torch.compile": torch_compiled, "JAX scan": jax_scan}
