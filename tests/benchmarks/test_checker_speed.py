"""How many gradient checks a second: ours beside ``torch.autograd.gradcheck``, with whole Jacobians and in fast mode.

    pip install -e ".[test,bench]" && pytest tests/benchmarks

One thread; the checkers take turns, and the best of many rounds counts. A check is one call with the checker's own
settings, in float64: tanh of (3, 4), and an LSTM of 5 steps in xs and every parameter, at all of its outputs. Torch's
LSTM is written op by op, with one matrix product for the four gates: ``torch.nn.LSTM`` by ``functional_call`` checks
about a fifth more slowly. Nothing fails for being slow, only for computing something else; a star marks a ratio
below its target.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from surroundings import starred

import tinygrad_lstm as tl

torch.set_num_threads(1)

T, N, D, H = 5, 2, 4, 4
GATES = ("forget_gate", "input_gate", "candidate", "output_gate")
TARGETS = {"torch slow": 10.0, "torch fast": 1.0}  # times as many checks a second
ROUNDS = 15
AT_LEAST = 0.02  # seconds that a checker's turn lasts, however short its checks
HEADING = ("case", "ours", *(text for name in TARGETS for text in (name, f"ours/{name}")))


class Case(NamedTuple):
    """One function twice, and what each checker is given besides."""

    ours: Callable[..., Any]
    our_inputs: tuple[Any, ...]
    theirs: Callable[..., Any]
    their_inputs: tuple[torch.Tensor, ...]


def tanh() -> Case:
    x = np.random.default_rng(0).normal(size=(3, 4))
    return Case(tl.tanh, (x,), torch.tanh, (leaf(x),))


def lstm() -> Case:
    xs = np.random.default_rng(0).normal(size=(T, N, D))
    layer = tl.LSTM(D, H, rng=0)
    gates = [getattr(layer.cell, name) for name in GATES]
    weight = np.concatenate([gate.weight.value for gate in gates], axis=-1)  # (H + D, 4H)
    bias = np.concatenate([gate.bias.value for gate in gates])  # (4H,)
    return Case(layer, (xs,), torch_lstm, (leaf(xs), leaf(weight), leaf(bias)))


CASES = {"tanh of (3, 4)": tanh, f"LSTM, T, N, D, H = {T}, {N}, {D}, {H}": lstm}


def leaf(value: Any) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def torch_lstm(xs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, ...]:
    h = c = torch.zeros(N, H, dtype=xs.dtype)
    output = []
    for x in xs:
        f, i, g, o = torch.addmm(bias, torch.cat([h, x], dim=-1), weight).chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        output.append(h)
    return torch.stack(output), h, c


@pytest.mark.parametrize("name", CASES)
def test_checks_per_second(name: str, benchmark: BenchmarkFixture, tables: dict[str, list[tuple[str, ...]]]) -> None:
    case = CASES[name]()
    assert_same(case)
    our_check = lambda: tl.testing.check_vjp(case.ours, *case.our_inputs)
    rivals = {
        "torch slow": lambda: torch.autograd.gradcheck(case.theirs, case.their_inputs),
        "torch fast": lambda: torch.autograd.gradcheck(case.theirs, case.their_inputs, fast_mode=True),
    }
    repeats = {rival: repeats_of(check) for rival, check in rivals.items()}
    our_repeats = repeats_of(our_check)
    times: dict[str, list[float]] = {rival: [] for rival in rivals}

    def their_turn() -> None:
        for rival, check in rivals.items():
            gc.collect()
            times[rival].append(seconds(check, repeats[rival]) / repeats[rival])
        gc.collect()

    benchmark.group = "gradient checks"
    benchmark.pedantic(repeat, (our_check, our_repeats), setup=their_turn, rounds=ROUNDS, warmup_rounds=1)
    if benchmark.stats is None:  # --benchmark-disable
        return
    ours = our_repeats / benchmark.stats.stats.min
    row = [name, f"{ours:.1f}/s"]
    for rival, taken in times.items():
        theirs = 1 / min(taken)
        benchmark.extra_info[f"ours/{rival}"] = ours / theirs
        row += [f"{theirs:.1f}/s", starred(f"{ours / theirs:.2f}", ours / theirs < TARGETS[rival])]
    tables.setdefault("Gradient checks a second, one thread", [HEADING]).append(tuple(row))


def assert_same(case: Case) -> None:
    """Both compute the same numbers, and both checkers find nothing wrong."""
    mine, other = case.ours(*map(tl.tensor, case.our_inputs)), case.theirs(*case.their_inputs)
    for a, b in zip(flat(mine), flat(other), strict=True):
        np.testing.assert_allclose(np.ravel(a.value), np.ravel(b.detach().numpy()), rtol=0, atol=1e-12)
    assert tl.testing.check_vjp(case.ours, *case.our_inputs).verdict is tl.testing.Verdict.PASS
    for fast in (False, True):
        assert torch.autograd.gradcheck(case.theirs, case.their_inputs, fast_mode=fast)


def flat(result: Any) -> list[Any]:
    return [part for piece in result for part in flat(piece)] if isinstance(result, tuple) else [result]


def repeats_of(check: Callable[[], Any]) -> int:
    return max(1, round(AT_LEAST / seconds(check, 1)))


def seconds(check: Callable[[], Any], times: int) -> float:
    started = time.perf_counter()
    repeat(check, times)
    return time.perf_counter() - started


def repeat(check: Callable[[], Any], times: int) -> None:
    for _ in range(times):
        check()
