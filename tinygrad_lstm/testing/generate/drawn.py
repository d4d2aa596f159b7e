"""Checks at drawn inputs: of any shapes that an operation takes, shrunk to the smallest that makes it fail."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, assume, given, reject, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable

from ...engine.ops import BUILTIN
from ...engine.primitive import Kind, Primitive
from ...nn.creation import generator as generator_of
from ...nn.module import Module
from ..errors import REFUSALS, GradientError, NothingCheckedError, is_refusal
from ..profiles import Profile, chosen
from ..verdicts import Finding, Report, worse
from .cases import cases
from .special import F, Inputs, Turn, applied, has_no_derivative
from .strategies import broadcastable, shapes, values

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked

Watch = Callable[[F, Inputs], None]
Check = Callable[..., Report]
Case = tuple[F, Inputs, dict[str, Any]]


class Drawn:
    """An operation, tried at inputs that are drawn for it, and what is found; strategies among ``attrs`` are drawn too.

    ``watch`` is called with each ordinary case that passes.
    """

    def __init__(
        self, op: F, attrs: dict[str, Any], rng: int | np.random.Generator | None = None, watch: Watch | None = None
    ) -> None:
        self.name, self.strategy, self.watch = _name(op), _cases(op, attrs), watch
        self.seed = int(generator_of(rng).integers(2**32))
        self.last = Report({})
        self.findings: dict[str, Finding] = {}
        self.attrs: dict[str, list[str]] = {}  # of each, the values that were tried
        self.ordinary = self.special = self.outside = 0
        self.refusal: Exception | None = None

    def run(self, check: Check, count: int, turns: Sequence[Turn] = ()) -> None:
        """Run a check at so many inputs; special ones, each made by one of the ``turns``, if there are any.

        Raises GradientError for the smallest case that fails, and NothingCheckedError for an operation that takes none
        of what is drawn.
        """
        failing: list[Turn] = []
        profile = chosen().profile

        @settings(
            profile.settings,
            max_examples=count,
            phases=(Phase.generate, Phase.shrink),  # to explain takes longer than both
            database=None,
            verbosity=Verbosity.quiet,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        @_given(self.strategy)
        def one_case(case: Case) -> None:
            assume(all(x.size for x in case[1]))
            with np.errstate(all="ignore"):  # what is large, or outside the domain, was drawn by us
                if turns:
                    self._try_special(check, turns, failing, *case)
                elif self._refused(check, *case):
                    reject()
                else:
                    self.ordinary += 1
                    if self.watch:
                        self.watch(*case[:2])

        try:
            (one_case if profile is Profile.ci else seed(self.seed)(one_case))()
        except Unsatisfiable:
            pass
        except Flaky as error:
            failed = [each for each in getattr(error, "exceptions", ()) if not isinstance(each, Flaky)]
            if failed:  # it failed once, and not when it was tried again: what failed is what counts
                raise failed[0].with_traceback(None) from None
            raise GradientError(
                f"{self.name} is not the same in two runs on the same inputs: it is random, or keeps something from "
                f"one call to the next ({type(error).__name__})"
            ) from error
        except GradientError as error:
            error.__notes__ = []  # hypothesis repeats the case there; the failure has it, and as a program
            raise error.with_traceback(None) from error.__cause__
        if not self.findings:
            if isinstance(self.refusal, NothingCheckedError):
                raise self.refusal
            why = self.refusal or "nothing could be drawn"
            raise NothingCheckedError(
                f"{self.name} takes none of the inputs that were drawn for it; give some of your own ({why})"
            )

    @property
    def report(self) -> Report:
        """Return the worst finding for each input of all tried, and what was covered."""
        tried = f"drawn: {self.ordinary} ordinary, {self.special} special"
        outside = f" ({self.outside} outside the domain)" if self.outside else ""
        at = [f"at {name} = {', '.join(at)}{'' if at[1:] else ' only'}" for name, at in self.attrs.items()]
        covered = "; ".join([tried + outside, *at])
        return replace(self.last, findings=self.findings, cases=self.ordinary + self.special, covered=covered)

    def _try_special(
        self, check: Check, turns: Sequence[Turn], failing: list[Turn], f: F, inputs: Inputs, attrs: dict[str, Any]
    ) -> None:
        """Check what a turn makes of a case; count it where that is outside the domain, or has no derivative."""
        turn = failing[0] if failing else turns[self.special % len(turns)]  # what fails is shrunk in its own turn
        self.special += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # as of the mean of nothing
                made = applied(turn, f, inputs)
                refused = not made or self._refused(check, *made, attrs)
        except GradientError as error:
            if not has_no_derivative(error):
                failing[:] = [turn]
                raise
            refused = True
        self.outside += bool(refused) and not isinstance(refused, NothingCheckedError)

    def _refused(self, check: Check, f: F, inputs: Inputs, attrs: dict[str, Any]) -> Exception | None:
        """Check one case, and note what is found; return why, where it is outside the domain or nothing is checked."""
        try:
            report = check(f, *inputs, rng=self.seed)
        except REFUSALS as error:
            if not is_refusal(error):
                raise
            self.refusal = error
            return error
        if not self.special:
            self.last = report
        for name, value in attrs.items():
            self.attrs[name] = sorted({*self.attrs.get(name, []), repr(value)})
        for name, found in report.findings.items():
            self.findings[name] = worse(self.findings.get(name), found)
        return None


def _given(strategy: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Return ``given(strategy)``, in a test that is itself ``@given`` as well.

    Hypothesis refuses to nest them when one is made, as that may be slow; it asks only the thread that makes it.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(given, strategy).result()


def _cases(op: F, attrs: dict[str, Any]) -> st.SearchStrategy[Case]:
    """Draw functions of arrays, arrays, and attributes by name: those that fit, unless they are given.

    An operation of one's own that says nothing of its kind may be of any, and is tried with what may fit.
    """
    if isinstance(op, Primitive) and not attrs and (op.kind is not Kind.pointwise or BUILTIN.get(op.name) is op):
        return cases(op).map(lambda case: (case.f, [np.asarray(x, np.float64) for x in case.inputs], {}))
    positive = isinstance(op, Primitive) and all(op.positive_inputs)
    drawn = {name: x if isinstance(x, st.SearchStrategy) else st.just(x) for name, x in attrs.items()}
    return st.tuples(_inputs(_arity(op), positive), st.fixed_dictionaries(drawn)).map(
        lambda case: (partial(op, **case[1]) if attrs else op, case[0], _defaults(op) | case[1])
    )


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


def _defaults(op: F) -> dict[str, Any]:
    """Return the attributes that an operation has if none are given."""
    parameters = (op.signature if isinstance(op, Primitive) else inspect.signature(op)).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _name(op: Callable[..., Any]) -> str:
    return getattr(op, "name", None) or getattr(op, "__name__", None) or type(op).__name__
