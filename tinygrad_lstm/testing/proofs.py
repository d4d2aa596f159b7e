"""Checks of all there is to an operation or a cell: its gradients, their derivatives, and the laws they obey."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..engine.primitive import Primitive
from ..engine.tensor import Tensor
from ..nn.arguments import positive
from ..nn.cell import Cell
from ..nn.creation import generator as generator_of
from .checks import Seed, check_jvp, check_second_order, check_vjp, require_rtol
from .errors import REFUSALS, GradientError, NothingCheckedError, is_refusal
from .laws.agreement import require_single_precision
from .laws.algebra import require_laws
from .laws.chunks import require_chunks_agree
from .laws.compiled import check_compiled
from .objective import Objective
from .oracles.replicas import cut_at_surrogates
from .profiles import chosen
from .repeatable import repeatable
from .subject import Subject
from .unrolled import Unrolled
from .verdicts import Finding, Oracle, Report, Verdict, worse

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked


@partial(repeatable, draws=True)
def check_op(
    op: Callable[..., Any],
    *inputs: ArrayLike,
    directions: int | None = None,
    order: int = 2,
    rtol: float = 0.0,
    rng: Seed | None = None,
    **attrs: Any,
) -> Report:
    """Check all there is to check of an operation, one of ours or yours: the way to prove a ``tl.primitive``.

    Its gradients, forward derivatives and second derivatives; the laws that every gradient obeys (two runs identical,
    zero for a zero cotangent, linear, nothing mutated or aliased); and float32 against float64. Without inputs, some
    are drawn: of several shapes, broadcasting against each other, until one makes it fail; shrunk to the smallest that
    does (Claessen & Hughes 2000, "QuickCheck"; MacIver 2019, "Hypothesis"). Half of them are special, and the gradients
    alone are looked at: zeros of both signs, whole, tiny and large numbers, ties, long and empty sides, four axes,
    other memory layouts, one tensor twice. ``attrs`` are what ``op`` takes by name, as in ``check_op(tl.softmax,
    axis=0)``, or strategies that draw it, as in ``n=strategies.integers(1, 4)``. ``inputs``, ``directions``, ``rtol``
    and ``rng`` are those of ``check_vjp``.

    An ``order`` of 1 leaves out what differentiates the rule again, for one that is not written to be: forward and
    second derivatives. Of 2, they come after the first order has been checked at all that is drawn.

    Returns a Report that names the laws, and what was covered, and raises what ``check_vjp`` does; TypeError for what
    is no function.

    >>> import tinygrad_lstm as tl
    >>> print(", ".join(tl.testing.check_op(tl.tanh, [[0.5, -1.0]]).laws[:2]))
    two runs are identical, a zero cotangent gives zero
    """
    if not callable(op):
        raise TypeError(f"check_op takes an operation, or a function of tensors, not {op!r}")
    if not inputs:
        return check_op_at_draws(op, directions=directions, order=order, rtol=rtol, rng=rng, **attrs)
    generator = generator_of(rng)
    f = (lambda *xs: op(*xs, **attrs)) if attrs else op
    return _of_all_orders([check(f, *inputs, rng=generator) for check in _orders(directions, order, rtol)])


@partial(repeatable, draws=True)
def check_op_at_draws(
    op: Callable[..., Any],
    *,
    watch: Callable[..., None] | None = None,
    directions: int | None = None,
    order: int = 2,
    rtol: float = 0.0,
    rng: Seed | None = None,
    **attrs: Any,
) -> Report:
    """Check as ``check_op`` does without inputs: the first order at all that is drawn, then the second.

    ``watch`` is called with each case, a function and its inputs, that passes.
    """
    from .generate.drawn import Drawn  # here, as hypothesis takes its time
    from .generate.special import TURNS

    first, *second = _orders(directions, order, rtol)
    drawn, again = Drawn(op, attrs, rng, watch), Drawn(op, attrs, rng)
    count = chosen().profile.settings.max_examples
    drawn.run(first, count // 2)
    drawn.run(partial(first, single=False), count - count // 2, TURNS)  # where digits cancel, float32 has none left
    for check in second:
        again.run(check, count)
    return _of_all_orders([drawn.report, *(again.last for check in second)])


def _orders(directions: int | None, order: int, rtol: float) -> Sequence[Callable[..., Report]]:
    require_rtol(rtol)
    checks = [partial(_first_order, directions=directions, rtol=rtol), partial(_second_order, rtol=rtol)]
    return checks[: _require_order(order)]


def _of_all_orders(reports: Sequence[Report]) -> Report:
    return replace(reports[0], laws=tuple(law for report in reports for law in report.laws))


def _first_order(
    f: Callable[..., Any], *inputs: ArrayLike, directions: int | None, rtol: float, rng: Seed, single: bool = True
) -> Report:
    """Check the gradients, their laws, and float32 against float64."""
    generator = generator_of(rng)
    report = check_vjp(f, *inputs, directions=directions, rtol=rtol, rng=generator)
    subject = Subject.called(f, inputs, (), generator)
    laws = _laws_of(subject, generator, rtol)
    return replace(report, laws=(*laws, *(require_single_precision(f, inputs, generator, rtol) if single else ())))


def _laws_of(subject: Subject, rng: np.random.Generator, rtol: float) -> tuple[str, ...]:
    """Require the laws of all but surrogates, whose rules may clip what comes."""
    cut, made, returned, _ = cut_at_surrogates(subject.graph)
    checked = {name: made[leaf] for name, leaf in subject.checked.items()} | returned
    return require_laws(Objective.random(cut, rng, rtol), checked, rng)


def _second_order(
    f: Callable[..., Any], *inputs: ArrayLike, parameters: Sequence[Tensor] = (), rtol: float, rng: Seed
) -> Report:
    """Check forward and second derivatives, which differentiate the rules again."""
    generator = generator_of(rng)
    for check in (check_jvp, check_second_order):
        try:
            check(f, *inputs, parameters=parameters, directions=1, rtol=rtol, rng=generator)
        except NothingCheckedError:
            continue  # all zero: the first order has reported it
        except TypeError as error:
            raise GradientError(
                f"the rule cannot be differentiated again: {error}; write it with operators and tl's "
                "functions, such as tl.cos(x), which take tensors and arrays alike, or check it with order=1"
            ) from error
    laws = ("J u by two backward passes", "second order")
    return Report({"both": Finding(Verdict.PASS, Oracle.TWO_PASSES)}, laws)


@repeatable
def check_cell(
    cell: Cell | type[Cell] | str,
    steps: int | None = None,
    *,
    batch: int | None = None,
    order: int = 1,
    compiled: bool = False,
    rtol: float = 0.0,
    rng: Seed | None = None,
) -> Report:
    """Check a recurrent cell, unrolled, in every parameter, every input and its initial state.

    ``cell`` is one of yours or ours, an instance, a class with (input_size, hidden_size, rng=...), or a name such as
    "lstm". Its gradients are checked by ``check_vjp``, at every step's output and the last state; the laws of algebra
    as in ``check_op``; and chunks: running half of the steps, then the other half from the state and the gradient at
    the cut, or one sequence of the batch at a time, must give the gradients of the whole (Werbos 1990,
    "Backpropagation through time"). An ``order`` of 2 checks forward and second derivatives besides, which take long;
    ``compiled`` the program that ``tl.compile`` makes of it, by ``check_compiled``, at levels 0 and 2 and three sizes.

    ``steps`` and ``batch`` are T and N of the random input (T, N, D). Without them, T is 5, then 3 and 60, and N is 2,
    then 3 and 1: once in float32, and of a class with D ≠ H. ``rng`` is the seed, or a Generator, that draws inputs,
    states and the weights of a class; ``rtol`` is that of ``check_vjp``. Returns a Report, as ``check_op`` does, which
    says what was tried; raises ValueError for the name of no cell, TypeError for what is no cell, and else what
    ``check_vjp`` raises.

    >>> import tinygrad_lstm as tl
    >>> tl.testing.check_cell("gru", steps=3).verdict
    <Verdict.PASS: 'PASS'>
    """
    generator = generator_of(rng)
    _require_order(order)
    positive(**{name: size for name, size in (("steps", steps), ("batch", batch)) if size is not None})
    unrolled = Unrolled(cell, steps or 5, batch or 2, generator)
    parameters = unrolled.layer.parameters()
    report = check_vjp(unrolled, *unrolled.inputs, parameters=parameters, rtol=rtol, rng=generator)
    subject = Subject.called(unrolled, unrolled.inputs, parameters, generator)
    laws = _laws_of(subject, generator, rtol)
    xs, *state = unrolled.inputs
    laws += require_chunks_agree(unrolled.layer, xs, state, generator, rtol)
    if order > 1:
        laws += _second_order(unrolled, *unrolled.inputs, parameters=parameters, rtol=rtol, rng=generator).laws
    if compiled:
        laws += _compiled_too(unrolled, generator)
    tried, findings = [unrolled.said], report.findings
    short, long = (steps or 3, batch or 3, (3, 2), np.float32), (60, batch or 1, (4, 4), None)
    for t, n, sizes, dtype in (short, long) if steps is None else (short,):
        try:
            other = Unrolled(cell, t, n, generator, sizes, dtype)
            found = check_vjp(other, *other.inputs, parameters=other.layer.parameters(), rtol=rtol, rng=generator)
        except REFUSALS as error:
            if not is_refusal(error):
                raise
            tried.append(f"not {t}×{n}, which it does not take")
            continue
        tried.append(other.said)
        findings = findings | {name: worse(findings.get(name), it) for name, it in found.findings.items()}
    return replace(report, laws=laws, findings=findings, covered=f"unrolled, T×N×D×H: {', '.join(tried)}")


COMPILED_AT = ((1, 3), (7, 1))
"""Steps and sequences at which a program is run besides: chosen, the fewest of either."""


def _compiled_too(unrolled: Unrolled, rng: np.random.Generator) -> tuple[str, ...]:
    """Check the program of a cell, unrolled, at several sizes."""
    (cell,) = unrolled.layer.cells
    runs = [unrolled, *(Unrolled(cell, steps, batch, rng) for steps, batch in COMPILED_AT)]
    given = ((xs, state[0] if len(state) == 1 else tuple(state)) for xs, *state in (run.inputs for run in runs))
    first, *others = given
    return check_compiled(unrolled.layer, *first, others=others)


def assert_detects(
    op: Primitive, wrong_rule: Callable[..., Any], *inputs: ArrayLike, rng: Seed | None = None, **attrs: Any
) -> GradientError:
    """Assert that ``check_op`` catches a wrong rule put in the place of an operation's own: a negative control.

    ``op`` is a primitive and ``wrong_rule(g, y, *inputs, **attrs)`` what a mistake would make of its rule; the others
    are the arguments of ``check_op``. Returns the error that caught it, whose ``failure`` ``explain`` takes. Raises
    AssertionError if the wrong rule gets away, GradientError if the right one does not, TypeError for what is no
    primitive. (DeMillo, Lipton & Sayward 1978, "Hints on test data selection".)

    >>> import tinygrad_lstm as tl
    >>> caught = tl.testing.assert_detects(tl.tanh, lambda g, y, x: (g * (1 - y),), [0.5, -1.0])
    >>> "the rule of tanh is wrong" in str(caught)
    True
    """
    if not isinstance(op, Primitive):
        raise TypeError(f"assert_detects takes what tl.primitive(...) made, whose rule it can replace, not {op!r}")
    check_op(op, *inputs, rng=rng, **attrs)
    right = op.rule
    op.rule = wrong_rule
    try:
        check_op(op, *inputs, rng=rng, **attrs)
    except NothingCheckedError as error:
        raise AssertionError(f"a wrong rule of {op.name} was not seen at these inputs: {error}") from error
    except GradientError as error:
        return error
    finally:
        op.rule = right
    raise AssertionError(f"a wrong rule of {op.name} got away: the check passed with it")


def _require_order(order: int) -> int:
    if order not in (1, 2):
        raise ValueError(f"order is 1, for gradients, or 2, for their derivatives as well, not {order!r}")
    return order
