"""Many things checked one after another, each with its verdict, how fast, and how its remainder converges."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...engine.primitive import Primitive
from ...engine.tensor import Tensor
from ...nn import Recurrent
from ...nn.cell import Cell
from ..checks import check_cell, check_op, check_vjp
from ..errors import GradientError, NothingCheckedError
from ..generate.drawn import check_drawn
from ..oracles.convergence import Convergence, convergence
from ..taylor import taylor_test
from ..unrolled import Unrolled
from ..verdicts import Report, Verdict, in_words
from .failure import Failure


@dataclass(frozen=True, eq=False)
class SurveyRow:
    """What was found of one of them."""

    name: str
    verdict: Verdict
    error: float  # in units of rounding
    tensors: int  # whose gradients were checked
    cases: int
    seconds: float
    note: str = ""
    curve: Convergence | None = None
    failure: Failure | None = None
    has_rule: bool = True

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong, and something was checked where there is something to check."""
        return self.verdict in (Verdict.PASS, Verdict.ROUNDOFF) or (
            self.verdict is Verdict.UNCHECKED and not self.has_rule
        )

    @property
    def units(self) -> str:
        """The error in words: of a right gradient a small number, of a wrong one any."""
        return in_words(self.error)

    @property
    def order(self) -> float | None:
        """How fast the remainder vanishes; None if nothing remains but rounding, or nothing was tried."""
        return self.curve.order if self.curve else None

    @property
    def rate(self) -> str:
        """Checks a second, if they were not spent on shrinking."""
        return f"{self.cases / self.seconds:,.0f}" if self.passed and self.seconds else "—"


Show = Callable[..., None]
"""Called with a function and inputs that were checked: the first whose remainder has an order is plotted."""


class Task(NamedTuple):
    """Something to check, by name."""

    name: str
    check: Callable[[Show], Report]
    has_rule: bool = True

    def run(self) -> SurveyRow:
        """Check it, and time it; what is wrong is in the row, and not raised."""
        curves: list[Convergence] = []

        def show(f: Callable[..., Any], inputs: Sequence[Any]) -> None:
            if not curves or curves[-1].order is None:
                with np.errstate(all="ignore"):
                    curves[:] = [taylor_test(f, *inputs)]

        started = time.monotonic()
        try:
            report = self.check(show)
        except NothingCheckedError as error:
            note = str(error) if self.has_rule else "a step: its derivative is zero wherever there is one"
            return self._row(Verdict.UNCHECKED, started, note=note)
        except GradientError as error:
            return self._wrong(error, started)
        return self._row(report.verdict, started, report, curve=curves[0] if curves else None)

    def _wrong(self, error: GradientError, started: float) -> SurveyRow:
        failure, curve = error.failure, None
        if failure is not None and np.isfinite(failure.finding.ours):
            curve = convergence(*failure.question.line, failure.finding.ours)
        report = failure.report if failure else None
        return self._row(Verdict.WRONG, started, report, note=str(error), curve=curve, failure=failure)

    def _row(self, verdict: Verdict, started: float, report: Report | None = None, **found: Any) -> SurveyRow:
        return SurveyRow(
            self.name,
            verdict,
            report.worst if report else 0.0,
            len(report.findings) if report else 0,
            report.cases if report else 0,
            time.monotonic() - started,
            has_rule=self.has_rule,
            **found,
        )


def of_operation(op: Callable[..., Any], name: str) -> Task:
    """Check a primitive, or any function of tensors, at drawn inputs."""
    has_rule = not isinstance(op, Primitive) or op.rule is not None
    return Task(name, lambda show: check_drawn(check_op, op, watch=show), has_rule)


def of_cell(cell: Cell | type[Cell] | str, name: str, steps: int) -> Task:
    """Check a cell, unrolled."""

    def check(show: Show) -> Report:
        report = check_cell(cell, steps)
        unrolled = Unrolled(cell, steps, 2, np.random.default_rng(0))
        show(unrolled, unrolled.inputs)
        return report

    return Task(name, check)


def of_thing(thing: Any, name: str, shapes: Sequence[tuple[int, ...]], steps: int) -> Task:
    """Check whatever a person names: a tensor, a cell or its class, a primitive, or a function of tensors.

    Its inputs are random numbers of the shapes given, or drawn. Raises TypeError for what cannot be checked.
    """
    if isinstance(thing, Tensor):
        return Task(name, lambda show: check_vjp(thing))
    if isinstance(thing, Cell) or (isinstance(thing, type) and issubclass(thing, Cell)):
        return of_cell(thing, name, steps)
    if not callable(thing) or isinstance(thing, type):
        kind = type(thing).__name__
        raise TypeError(f"{name} is of type {kind}; give a tensor, a cell, an operation or a function of tensors")
    if not shapes and isinstance(thing, Recurrent):
        shapes = [(steps, 2, thing.cells[0].input_size)]
    if not shapes:
        return of_operation(thing, name)
    inputs = [np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)]

    def check(show: Show) -> Report:
        report = check_op(thing, *inputs)
        show(thing, inputs)
        return report

    return Task(name, check)
