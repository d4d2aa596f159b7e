"""Each checker on a case of ``tests/usergrads``: a forward and a rule on numpy arrays, wrapped for each framework.

Every checker has its own settings, and the numbers in the type in which their author has them. What it says is one of
the words of ``tests.usergrads.outcome``; "not asked" is what cannot be translated: functions of our tensors, second
derivatives, inputs that our check draws itself; and 20,000 numbers of PyTorch, whose fast mode, too, makes a whole
Jacobian for the message when it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.test_util
import jax
import jax.test_util
import numpy as np
import torch
from autograd.extend import defvjp, primitive

from tests.usergrads.case import Case
from tests.usergrads.outcome import outcome

jax.config.update("jax_enable_x64", True)

NOT_ASKED = "not asked"
JACOBIAN_AT_MOST = 2_000
"""Numbers in an input of which a whole Jacobian is asked."""


def arrays(case: Case) -> list[Any]:
    return [x if isinstance(x, np.ndarray) else np.asarray(x, float) for x in case.inputs]


def translatable(case: Case) -> bool:
    return case.program is None and bool(case.inputs) and case.check != "second" and case.kind != "second order"


def torchs(case: Case, fast: bool) -> bool:
    """Whether the gradients pass."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *given: Any) -> Any:
            ctx.save_for_backward(*given)
            return torch.from_numpy(np.array(case.value(*(x.detach().numpy() for x in given))))

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            found = case.gradients(upstream.numpy(), *(x.detach().numpy() for x in ctx.saved_tensors))
            return tuple(torch.from_numpy(np.array(g)) for g in found)

    torch.manual_seed(0)
    leaves = tuple(torch.tensor(x, requires_grad=True) for x in arrays(case))
    return torch.autograd.gradcheck(Function.apply, leaves, fast_mode=fast, raise_exception=False)


def jaxs(case: Case) -> bool:
    shaped = lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype)
    given = arrays(case)
    like = shaped(case.value(*given))

    def outside(f: Callable[..., Any], result: Any, *them: Any) -> Any:
        return jax.pure_callback(lambda *them: f(*(np.array(x) for x in them)), result, *them)

    def cast(g: Any, *them: Any) -> Any:
        return tuple(np.asarray(d, x.dtype) for d, x in zip(case.gradients(g, *them), them, strict=True))

    @jax.custom_vjp
    def function(*them: Any) -> Any:
        return outside(case.value, like, *them)

    function.defvjp(
        lambda *them: (function(*them), them), lambda them, g: outside(cast, tuple(map(shaped, given)), g, *them)
    )
    try:
        jax.test_util.check_grads(function, given, order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


def autograds(case: Case) -> bool:
    function = primitive(case.value)
    slot = lambda k: lambda y, *given: lambda g: case.gradients(np.array(g), *given)[k]
    defvjp(function, *(slot(k) for k in range(len(case.inputs))))
    np.random.seed(0)  # noqa: NPY002  (what it draws from)
    check = autograd.test_util.check_grads(function, tuple(range(len(case.inputs))), modes=["rev"], order=1)
    try:
        check(*arrays(case))
    except AssertionError:
        return False
    return True


def asked(passes: Callable[[Case], bool], at_most: int | None = None) -> Callable[[Case, bool], str]:
    """Return a function of a case, and whether it is wrong, that gives the word for what a checker said."""

    def word(case: Case, wrong: bool) -> str:
        if not translatable(case) or (at_most and max(x.size for x in arrays(case)) > at_most):
            return NOT_ASKED
        try:
            with np.errstate(all="ignore"):
                passed = passes(case)
        except Exception:  # of any kind that four frameworks raise
            return "caught" if wrong and case.refusal else "undecided"
        return ("missed" if wrong else "right") if passed else ("caught" if wrong else "accused")

    return word


CHECKERS: dict[str, Callable[[Case, bool], str]] = {
    "ours": lambda case, wrong: outcome(case, wrong)[0],
    "torch slow": asked(lambda case: torchs(case, fast=False), at_most=JACOBIAN_AT_MOST),
    "torch fast": asked(lambda case: torchs(case, fast=True), at_most=JACOBIAN_AT_MOST),
    "jax": asked(jaxs),
    "autograd": asked(autograds),
}
