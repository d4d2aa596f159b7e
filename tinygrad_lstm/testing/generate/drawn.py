"""Checks at drawn inputs: of any shapes that an operation takes, shrunk to the smallest that makes it fail."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, assume, given, reject, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, FlakyFailure, Unsatisfiable
from numpy.typing import NDArray

from ...engine.ops import BUILTIN
from ...engine.primitive import Kind, Primitive
from ...nn.module import Module
from ..errors import GradientError, NothingCheckedError, ResultError
from ..profiles import Profile, chosen
from ..verdicts import Finding, Report, worse
from .cases import cases
from .strategies import broadcastable, shapes, values

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked

Inputs = list[NDArray[Any]]
Watch = Callable[[Callable[..., Any], Inputs], None]


def check_drawn(
    check: Callable[..., Report],
    op: Callable[..., Any],
    /,
    *,
    rng: int | np.random.Generator | None = None,
    watch: Watch | None = None,
    **attrs: Any,
) -> Report:
    """Run a check such as ``check_op`` at drawn inputs; the report has the worst finding for each input of all tried.

    As many are drawn as the profile asks for. ``watch`` is called with each case that passes. Raises GradientError for
    the smallest case that fails, NothingCheckedError for an operation that takes none of what is drawn.
    """
    drawn, profile = int(np.random.default_rng(rng).integers(2**32)), chosen().profile
    findings: dict[str, Finding] = {}
    last = Report({})
    cases = 0
    refusal: list[Exception] = []

    @settings(
        profile.settings,
        database=None,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],  # we explain
        suppress_health_check=list(HealthCheck),
    )
    @_given(_cases(op, attrs))
    def one_case(case: tuple[Callable[..., Any], Inputs]) -> None:
        nonlocal cases, last
        f, inputs = case
        assume(all(x.size for x in inputs))
        try:
            last = check(f, *inputs, rng=drawn)
        except NothingCheckedError as error:
            refusal[:] = [error]
            reject()
        except GradientError as error:
            if "returns NaN or Inf" not in str(error):
                raise
            refusal[:] = [error]
            reject()
        except ResultError:
            raise
        except (ValueError, IndexError, TypeError) as error:  # shapes that it does not take
            refusal[:] = [error]
            reject()
        cases += 1
        if watch:
            watch(f, inputs)
        for name, found in last.findings.items():
            findings[name] = worse(findings.get(name), found)

    try:
        (one_case if profile is Profile.ci else seed(drawn)(one_case))()
    except Unsatisfiable:
        pass
    except FlakyFailure as error:  # it failed once, and not when it was tried again: what failed is what counts
        raise error.exceptions[0].with_traceback(None) from None
    except Flaky as error:  # what is drawn depends on the operation, and came out differently
        raise GradientError(
            f"{_name(op)} is not the same in two runs on the same inputs: it is random, or keeps something from one "
            f"call to the next ({type(error).__name__})"
        ) from error
    except GradientError as error:
        error.__notes__ = []  # hypothesis repeats the case there; the failure has it, and as a program
        raise error.with_traceback(None) from error.__cause__
    if not findings:
        why = refusal[0] if refusal else "nothing could be drawn"
        if isinstance(why, NothingCheckedError):
            raise why
        raise NothingCheckedError(
            f"{_name(op)} takes none of the inputs that were drawn for it; give some of your own ({why})"
        )
    return replace(last, findings=findings, cases=cases)


def _given(strategy: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Return ``given(strategy)``, in a test that is itself ``@given`` as well.

    Hypothesis refuses to nest them when one is made, as that may be slow; it asks only the thread that makes it.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(given, strategy).result()


def _cases(op: Callable[..., Any], attrs: dict[str, Any]) -> st.SearchStrategy[tuple[Callable[..., Any], Inputs]]:
    """Draw functions of arrays, and arrays: with attributes that fit, unless they are given.

    An operation of one's own that says nothing of its kind may be of any, and is tried with what may fit.
    """
    if isinstance(op, Primitive) and not attrs and (op.kind is not Kind.pointwise or BUILTIN.get(op.name) is op):
        return cases(op).map(lambda case: (case.f, [np.asarray(x, np.float64) for x in case.inputs]))
    f = (lambda *xs: op(*xs, **attrs)) if attrs else op
    positive = isinstance(op, Primitive) and all(op.positive_inputs)
    return _inputs(_arity(op), positive).map(lambda inputs: (f, inputs))


@st.composite
def _inputs(draw: st.DrawFn, count: int, positive: bool) -> Inputs:
    """Draw shapes that broadcast, one shape for all, or matrices that multiply in a chain; moderate numbers."""
    plans = [broadcastable(count) if count > 1 else shapes().map(lambda shape: (shape,))]
    if count > 1:
        side = draw(st.integers(1, 3))
        plans += [shapes().map(lambda shape: (shape,) * count), st.just(((side, side),) * count)]
    drawn = draw(st.one_of(plans))
    positive = draw(st.booleans()) or positive
    return [draw(values(shape, 0.1, 3.0, positive=positive, dtype=np.float64)) for shape in drawn]


def _arity(op: Callable[..., Any]) -> int:
    """Return how many tensors it takes: its parameters without a default."""
    if isinstance(op, Primitive):
        return 2 if op.variadic else op.arity
    parameters = inspect.signature(op.forward if isinstance(op, Module) else op).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 2
    required = [p for p in parameters if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]
    if not required:
        raise TypeError(f"{_name(op)} takes no tensors; check what it returns with check_vjp")
    return len(required)


def _name(op: Callable[..., Any]) -> str:
    return getattr(op, "name", None) or getattr(op, "__name__", None) or type(op).__name__
