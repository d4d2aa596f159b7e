"""Who catches what: the same faults in the same hand-written LSTM, given to our checker and to four others.

    pip install -e ".[test,bench]" && pytest tests/benchmarks

The LSTM and its faults are in ``planted_lstm.py``: one forward and one backward on numpy arrays, wrapped once for each
framework. T = 6, N = 2, D = H = 3, so that what is swapped keeps its shape; all five arguments are checked, in float64,
with every checker's own settings. Two faults need another problem to be seen by anybody: a backward that stops early
needs a long sequence scored at its last step, and a clip needs gradients that reach it, here by inputs ten times as
large. Only ours fails this test, for a fault that it does not see or a right gradient that it accuses; what the others
say is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.test_util
import jax
import jax.test_util
import numpy as np
import pytest
import torch
from autograd.extend import defvjp, primitive
from numpy.typing import NDArray
from planted_lstm import FAULTS, NOTHING, backward, forward

import tinygrad_lstm as tl

jax.config.update("jax_enable_x64", True)

Arrays = tuple[NDArray[np.float64], ...]
Checker = Callable[[str, Arrays, Any], bool]

NOT_REACHED = "the same clip, out of reach"
"""No gradient is as large as the clip, for the cotangents that anybody tries: at these numbers it is not even wrong."""


def problem(fault: str) -> tuple[Arrays, Any]:
    """The five arguments, and what of the output is scored."""
    rng = np.random.default_rng(0)
    (T, N, H), scored = ((50, 1, 3), -1) if fault == "cut after 10 of 50 steps" else ((6, 2, 3), slice(None))
    size, bound = 10.0 if fault == "parameters clipped at ±5" else 1.0, 1 / np.sqrt(H)
    xs, h0, c0 = size * rng.normal(size=(T, N, H)), rng.normal(size=(N, H)), rng.normal(size=(N, H))
    return (xs, h0, c0, rng.uniform(-bound, bound, (2 * H, 4 * H)), rng.uniform(-bound, bound, 4 * H)), scored


def ours(fault: str, arguments: Arrays, scored: Any) -> bool:
    """Whether the gradients pass."""
    rule = lambda g, y, xs, h0, c0, W, b: backward(g, xs, h0, c0, W, b, fault)
    lstm = tl.primitive("planted_lstm", forward, rule)
    try:
        report = tl.testing.check_vjp(lambda *given: lstm(*given)[scored], *arguments)
    except tl.testing.NothingCheckedError:
        return True
    except tl.testing.GradientError as error:
        if error.failure is None:  # refused, for something else than a wrong gradient
            raise
        return False
    assert not report.unproved, report
    return True


def torchs(fast: bool) -> Checker:
    def check(fault: str, arguments: Arrays, scored: Any) -> bool:
        class LSTM(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *given: Any) -> Any:
                ctx.save_for_backward(*given)
                return torch.from_numpy(forward(*(x.detach().numpy() for x in given)))

            @staticmethod
            def backward(ctx: Any, upstream: Any) -> Any:
                found = backward(upstream.numpy(), *(x.detach().numpy() for x in ctx.saved_tensors), fault)
                return tuple(map(torch.from_numpy, found))

        torch.manual_seed(0)
        leaves = tuple(torch.tensor(x, requires_grad=True) for x in arguments)
        lstm = lambda *given: LSTM.apply(*given)[scored]
        return torch.autograd.gradcheck(lstm, leaves, fast_mode=fast, raise_exception=False)

    return check


def jaxs(fault: str, arguments: Arrays, scored: Any) -> bool:
    def outside(f: Callable[..., Any], like: Any, *given: Any) -> Any:
        return jax.pure_callback(lambda *them: f(*map(np.asarray, them)), like, *given)

    shaped = lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype)

    @jax.custom_vjp
    def lstm(*given: Any) -> Any:
        return outside(forward, shaped(given[0]), *given)  # H == D: xs and h have one shape

    bwd = lambda given, g: outside(lambda *them: backward(*them, fault), tuple(map(shaped, given)), g, *given)
    lstm.defvjp(lambda *given: (lstm(*given), given), bwd)
    try:
        jax.test_util.check_grads(lambda *given: lstm(*given)[scored], arguments, order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


def autograds(fault: str, arguments: Arrays, scored: Any) -> bool:
    lstm = primitive(forward)
    slot = lambda k: lambda y, *given: lambda g: backward(g, *given, fault)[k]
    defvjp(lstm, *(slot(k) for k in range(len(arguments))))
    np.random.seed(0)  # noqa: NPY002  (what it draws from)
    check = autograd.test_util.check_grads(lambda *given: lstm(*given)[scored], tuple(range(5)), modes=["rev"], order=1)
    try:
        check(*arguments)
    except AssertionError:
        return False
    return True


CHECKERS: dict[str, Checker] = {
    "check_vjp": ours,
    "torch slow": torchs(fast=False),
    "torch fast": torchs(fast=True),
    "jax": jaxs,
    "autograd": autograds,
}


@pytest.mark.filterwarnings("ignore")
def test_ours_catches_every_planted_fault_and_accuses_nobody(tables: dict[str, list[tuple[str, ...]]]) -> None:
    passes = {fault: {name: check(fault, *problem(fault)) for name, check in CHECKERS.items()} for fault in FAULTS}
    words = lambda fault: ("passes", "accuses" if fault == NOTHING else "caught")
    rows = [(fault, *(words(fault)[not passed] for passed in said.values())) for fault, said in passes.items()]
    caught = [sum(not passes[fault][name] for fault in FAULTS if fault != NOTHING) for name in CHECKERS]
    total = ("caught in all", *(f"{count} of {len(FAULTS) - 1}" for count in caught))
    tables["Planted faults, and who catches them"] = [("fault", *CHECKERS), *rows, total]
    missed = [fault for fault in FAULTS if passes[fault]["check_vjp"] and fault not in (NOTHING, NOT_REACHED)]
    assert not missed
    assert passes[NOTHING]["check_vjp"], "the control is accused"
