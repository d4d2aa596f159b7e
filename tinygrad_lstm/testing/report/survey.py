"""Many things checked one after another, each with its verdict, how fast, and how its remainder converges."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ...engine.primitive import Primitive
from ...engine.tensor import Tensor
from ...nn import Recurrent
from ...nn.cell import Cell
from ..checks import check_vjp
from ..errors import GradientError, NothingCheckedError
from ..oracles.convergence import Convergence, convergence
from ..profiles import chosen
from ..proofs import check_cell, check_op, check_op_at_draws
from ..taylor import taylor_test
from ..unrolled import Unrolled
from ..verdicts import Report, Verdict, in_words
from .failure import Failure


@dataclass(eq=False)
class SurveyRow:
    """What was found of one of them, for a table and a page."""

    name: str
    has_rule: bool = True
    verdict: Verdict = Verdict.UNCHECKED
    report: Report = field(default_factory=lambda: Report({}, cases=0))
    note: str = ""
    again: str = ""
    seconds: float = 0.0
    curve: Convergence | None = None
    failure: Failure | None = None

    @property
    def cases(self) -> int:
        """Return how many inputs were tried."""
        return self.report.cases

    @property
    def tensors(self) -> int:
        """Return of how many tensors the gradients were checked."""
        return len(self.report.findings)

    @property
    def passed(self) -> bool:
        """Tell whether nothing is wrong, and something was checked where there is something to check."""
        if self.verdict is Verdict.UNCHECKED:
            return not self.has_rule
        return self.verdict is not Verdict.WRONG

    @property
    def units(self) -> str:
        """Return the error in words: of a right gradient a small number, of a wrong one any."""
        return in_words(self.report.worst)

    @property
    def order(self) -> float | None:
        """Return how fast the remainder vanishes; None if nothing remains but rounding, or nothing was tried."""
        return self.curve.order if self.curve else None

    @property
    def rate(self) -> str:
        """Return the checks a second, in words; a dash where the time went into shrinking."""
        return f"{self.cases / self.seconds:,.0f}" if self.passed and self.seconds else "—"


Show = Callable[..., None]
"""What a check calls with a function and inputs: of those whose remainder has an order, the first is plotted."""


class Task(NamedTuple):
    """Something to check, by name."""

    name: str
    check: Callable[[Show], Report]
    has_rule: bool = True

    def run(self) -> SurveyRow:
        """Check it, and time it; what is wrong is in the row, and not raised."""
        row, started = SurveyRow(self.name, self.has_rule), time.monotonic()

        def show(f: Callable[..., Any], inputs: Sequence[Any]) -> None:
            if row.order is None:
                with np.errstate(all="ignore"):
                    row.curve = taylor_test(f, *inputs)

        try:
            row.report = self.check(show)
            row.verdict = row.report.verdict
        except NothingCheckedError as error:
            row.note = str(error) if self.has_rule else "a step: its derivative is zero wherever there is one"
        except GradientError as error:
            row.verdict, row.note, row.again, row.curve = Verdict.WRONG, str(error), error.again, None
            row.failure = failure = error.failure
            if failure is not None:
                row.report = failure.report
                if np.isfinite(failure.finding.ours):
                    row.curve = convergence(*failure.question.line, failure.finding.ours)
        row.seconds = time.monotonic() - started
        return row


def of_operation(op: Callable[..., Any], name: str, order: int = 2) -> Task:
    """Return the task to check a primitive, or any function of tensors, at drawn inputs."""
    has_rule = not isinstance(op, Primitive) or op.rule is not None
    return Task(name, lambda show: check_op_at_draws(op, watch=show, order=order), has_rule)


def of_cell(
    cell: Cell | type[Cell] | str, name: str, steps: int | None = None, order: int = 1, compiled: bool = False
) -> Task:
    """Return the task to check a cell, unrolled over so many steps, or a few and many; and its program if asked to."""

    def check(show: Show) -> Report:
        report = check_cell(cell, steps, order=order, compiled=compiled)
        unrolled = Unrolled(cell, steps or 5, 2, np.random.default_rng(0))
        show(unrolled, unrolled.inputs)
        return report

    return Task(name, check)


def of_thing(
    thing: Any,
    name: str,
    shapes: Sequence[tuple[int, ...]],
    steps: int | None,
    order: int | None = None,
    compiled: bool = False,
) -> Task:
    """Return the task to check whatever a person names: a tensor, a cell or its class, a primitive, or a function.

    Its inputs are random numbers of the shapes given, or drawn. Without an ``order``, it is that of the check. Raises
    TypeError for what cannot be checked.
    """
    if isinstance(thing, Tensor) and not compiled:
        return Task(name, lambda show: check_vjp(thing))
    if isinstance(thing, Cell) or (isinstance(thing, type) and issubclass(thing, Cell)):
        return of_cell(thing, name, steps, order or 1, compiled)
    if compiled:
        raise TypeError(f"--compiled is for cells, whose program is compared with their equations; {name} is none")
    if not callable(thing) or isinstance(thing, type):
        kind = type(thing).__name__
        raise TypeError(f"{name} is of type {kind}; give a tensor, a cell, an operation or a function of tensors")
    if not shapes and isinstance(thing, Recurrent):
        shapes = [(steps or 5, 2, thing.cells[0].input_size)]
    if not shapes:
        return of_operation(thing, name, order or 2)

    def check(show: Show) -> Report:
        first = chosen().seed or 0
        inputs = [np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes, first)]
        report = check_op(thing, *inputs, order=order or 2)
        show(thing, inputs)
        return report

    return Task(name, check)
