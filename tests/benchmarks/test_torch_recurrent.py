"""Recurrent layers and cells compute what PyTorch's compute, in float64, to a relative error of 1e-12.

Generated configurations: outputs, final states, gradients of x, h₋₁, c₋₁ and of every parameter as PyTorch has them,
and Hessian-vector products; lengths as packed sequences. Then PyTorch's own module samples for these classes, layers in
training and in evaluation, cells once.
"""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import tinygrad_lstm as tl
from tests.nn.layouts import ORDERS, load

BOUND = 1e-12
CONFIGURATIONS = 60

Arrays = list[Any]


def kind_of(theirs: torch.nn.Module) -> str:
    return type(theirs).__name__.removesuffix("Cell")


def made_alike(theirs: Any, **how: Any) -> tuple[Any, dict[str, tl.Tensor]]:
    """Ours for theirs, by the same arguments, and leaves that hold the parameters as PyTorch lays them out.

    Ours are computed from the leaves, so that gradients, and those of gradients, come in PyTorch's layout.
    """
    ours = getattr(tl, type(theirs).__name__)(theirs.input_size, theirs.hidden_size, rng=0, **how)
    leaves = {
        name: tl.tensor(parameter.detach().numpy(), requires_grad=True, name=name)
        for name, parameter in theirs.named_parameters()
    }
    cells = getattr(ours, "cells", (ours,))
    directions = 2 if getattr(theirs, "bidirectional", False) else 1
    for k, cell in enumerate(cells):
        suffix = f"_l{k // directions}{'_reverse' if k % directions else ''}" if hasattr(ours, "cells") else ""
        given = [leaves.get(f"{part}{suffix}") for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        load(
            cell,
            ORDERS["PyTorch"][kind_of(theirs)],
            *given,
            projection=leaves.get(f"weight_hr{suffix}"),
        )
    return ours, leaves


def flat(result: Any) -> Arrays:
    if isinstance(result, tuple | list):
        return [part for each in result for part in flat(each)]
    return [] if result is None else [result]


def error(ours: Any, theirs: Any) -> float:
    """How far two arrays are from each other, beside the largest number in them."""
    assert ours.shape == tuple(theirs.shape)
    exact = theirs.detach().numpy()
    return float(abs(ours.value - exact).max() / max(abs(exact).max(), 1e-30)) if exact.size else 0.0


def compared(ours: Any, theirs: Any, leaves: Any, inputs: Arrays, rng: Any, lengths: Any = None) -> dict[str, float]:
    """The relative error of each thing that is to be the same; inputs: x, or x and the parts of the state."""
    mine = [tl.tensor(array, requires_grad=True) for array in inputs]
    other = [torch.tensor(array, requires_grad=True) for array in inputs]
    pack = lambda parts: parts[0] if len(parts) == 1 else tuple(parts)
    arguments = [mine[0], *([pack(mine[1:])] if inputs[1:] else [])]
    their_arguments = [other[0], *([pack(other[1:])] if inputs[1:] else [])]
    if lengths is None:
        results, their_results = flat(ours(*arguments)), flat(theirs(*their_arguments))
    else:
        results = flat(ours(*arguments, lengths=lengths))
        first = getattr(theirs, "batch_first", False)
        their_arguments[0] = pack_padded_sequence(
            their_arguments[0], torch.tensor(lengths), batch_first=first, enforce_sorted=False
        )
        packed, state = theirs(*their_arguments)
        steps = inputs[0].shape[1 if first else 0]
        output, _ = pad_packed_sequence(packed, batch_first=first, total_length=steps)
        their_results = flat((output, state))
    found = {f"result {k}": error(*pair) for k, pair in enumerate(zip(results, their_results, strict=True))}

    weights = [rng.normal(size=result.shape) for result in results]
    loss = sum(((result + result * result) * w).sum() for result, w in zip(results, weights, strict=True))
    their_loss = sum(((r + r * r) * torch.from_numpy(w)).sum() for r, w in zip(their_results, weights, strict=True))
    at, their_at = [*mine, *leaves.values()], [*other, *theirs.parameters()]
    names = [*("x", "h", "c")[: len(mine)], *leaves]
    first_order = tl.grad(loss, at, create_graph=True)
    their_first = torch.autograd.grad(their_loss, their_at, create_graph=True)
    found |= {f"∂/∂{n}": error(*pair) for n, *pair in zip(names, first_order, their_first, strict=True)}

    along = [rng.normal(size=leaf.shape) for leaf in at]
    slope = sum((g * v).sum() for g, v in zip(first_order, along, strict=True))
    their_slope = sum((g * torch.from_numpy(v)).sum() for g, v in zip(their_first, along, strict=True))
    second, their_second = tl.grad(slope, at), torch.autograd.grad(their_slope, their_at)
    found |= {f"H·v in {n}": error(*pair) for n, *pair in zip(names, second, their_second, strict=True)}
    return found


def configuration(seed: int) -> tuple[str, dict[str, Any], dict[str, Any], bool, bool]:
    """Draw the class, its arguments, what only ours or theirs knows, whether lengths are given, and a state."""
    rng = np.random.default_rng(seed)
    kind = ("RNN", "LSTM", "GRU")[seed % 3]
    how: dict[str, Any] = {
        "num_layers": int(rng.integers(1, 4)),
        "bidirectional": bool(rng.integers(2)),
        "bias": bool(rng.integers(4)),
        "batch_first": bool(rng.integers(2)),
    }
    if kind == "RNN":
        how["nonlinearity"] = str(rng.choice(["tanh", "relu"]))
    hidden = int(rng.integers(2, 5))
    if kind == "LSTM" and rng.integers(2):
        how["proj_size"] = int(rng.integers(1, hidden))
    sizes = {"input_size": int(rng.integers(1, 4)), "hidden_size": hidden}
    return kind, how, sizes, bool(rng.integers(2)), bool(rng.integers(2))


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_a_layer_is_pytorchs(seed: int) -> None:
    kind, how, sizes, with_lengths, with_state = configuration(seed)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    theirs = getattr(torch.nn, kind)(**sizes, **how, dtype=torch.float64)
    ours, leaves = made_alike(theirs, **how)
    T, N = (int(n) for n in rng.integers(1, 6, size=2))
    batch = () if not with_lengths and rng.integers(3) == 0 else (N,)
    xs = rng.normal(size=(T, *batch, sizes["input_size"]))
    inputs = [xs.swapaxes(0, 1) if how["batch_first"] and batch else xs]
    cells = how["num_layers"] * (2 if how["bidirectional"] else 1)
    if with_state:
        inputs += [rng.normal(size=(cells, *batch, size)) for size in ours.cells[0].state_sizes]
    lengths = rng.integers(1, T + 1, size=N).tolist() if with_lengths else None
    found = compared(ours, theirs, leaves, inputs, rng, lengths)
    assert max(found.values()) < BOUND, (how, found)


def samples() -> list[tuple[Any, Any, bool]]:
    """PyTorch's own: module, arguments and inputs; cells once, since they do not know of training."""
    common = importlib.import_module("torch.testing._internal.common_modules")
    names = [f"nn.{kind}{cell}" for kind, cell in itertools.product(("RNN", "LSTM", "GRU"), ("", "Cell"))]
    found = []
    for info in common.module_db:
        for training in (True, False) if info.name in names and info.train_and_eval_differ else (False,):
            if info.name in names:
                made = info.module_inputs_func(info, "cpu", torch.float64, requires_grad=False, training=training)
                found += [(info.module_cls, sample, training) for sample in made]
    return found


def test_pytorchs_own_samples(tables: dict[str, list[tuple[str, ...]]]) -> None:
    pytest.importorskip("expecttest", reason="what PyTorch's own tests need")
    torch.manual_seed(0)
    passed: dict[str, list[bool]] = {}
    for k, (module, sample, training) in enumerate(samples()):
        theirs = module(*sample.constructor_input.args, **sample.constructor_input.kwargs).double().train(training)
        sizes = {"input_size", "hidden_size"}
        how = {name: value for name, value in sample.constructor_input.kwargs.items() if name not in sizes}
        ours, leaves = made_alike(theirs, **how)
        ours.train(training)
        inputs = [part.numpy() for part in flat(list(sample.forward_input.args))]
        found = compared(ours, theirs, leaves, inputs, np.random.default_rng(k))
        passed.setdefault(module.__name__, []).append(max(found.values()) < BOUND)
    rows = [(name, str(sum(each)), str(len(each))) for name, each in passed.items()]
    total = (sum(map(sum, passed.values())), sum(map(len, passed.values())))
    tables["PyTorch's own samples"] = [("module", "pass", "of"), *rows, ("all", *map(str, total))]
    print(f"{total[0]} of {total[1]} of PyTorch's own samples pass")
    assert total[0] == total[1] >= 150


def test_a_forget_bias_begins_like_all_others() -> None:
    """As our table of others' layouts says: between ±1/√H, where ours and Keras's is 1."""
    torch.manual_seed(0)
    theirs = torch.nn.LSTM(2, 100)
    for bias in (theirs.bias_ih_l0, theirs.bias_hh_l0):
        for gate in bias.detach().reshape(4, 100):
            assert 0.09 < gate.abs().max() <= 0.1
