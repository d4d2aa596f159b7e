"""All that is known of a wrong gradient, for messages, reports, pictures and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.tensor import Tensor
from ..objective import Objective
from ..oracles.differences import BARS
from ..oracles.question import Evidence, Question
from ..oracles.registry import evidence
from ..verdicts import TOLERANCE, Finding, Oracle, Report
from .blame import Blame, blame
from .code import as_code
from .shrink import shrunk

if TYPE_CHECKING:
    from ...drawing import Picture


Recheck = Callable[[Tensor], "Failure | None"]
"""Checks the graph of a tensor in all its leaves, and returns what is wrong, if anything is."""


@dataclass(frozen=True, eq=False)
class Failure:
    """A gradient that an oracle calls wrong: where, along which direction, and what had been found before."""

    objective: Objective
    name: str
    leaf: Tensor
    gradient: NDArray[Any]
    direction: NDArray[Any]
    finding: Finding
    blame: Blame
    evidence: tuple[Evidence, ...]  # what each oracle answers
    report: Report
    recheck: Recheck  # the check that failed

    @classmethod
    def of(
        cls,
        objective: Objective,
        name: str,
        leaf: Tensor,
        gradient: NDArray[Any],
        direction: NDArray[Any],
        finding: Finding,
        report: Report,
        rng: np.random.Generator,
        recheck: Recheck,
    ) -> Failure:
        """Find out who is to blame and what each oracle answers; ``recheck`` is for shrinking."""
        with np.errstate(all="ignore"):
            blamed = blame(objective, name, leaf, gradient, rng)
            answers = tuple(evidence(Question(objective, leaf, gradient, direction)))
        return cls(objective, name, leaf, gradient, direction, finding, blamed, answers, report, recheck)

    @property
    def message(self) -> str:
        """The error in one paragraph."""
        what = f"the gradient of {self.name} {self.leaf.shape} is wrong: "
        found = self.finding
        if found.oracle is Oracle.ARITHMETIC:
            return f"{what}{found.reason}. Blame: {self.blame.sentence}"
        scale = abs(found.ours) + abs(found.theirs)
        relative = abs(found.ours - found.theirs) / scale if scale else 0.0
        apart = f"{found.error:.3g} units of rounding, where {TOLERANCE:.0e} are allowed"
        if found.oracle is Oracle.DIFFERENCES:
            apart = f"{found.error / TOLERANCE * BARS:.3g} error bars, where {BARS:.0f} are allowed"
        return (
            f"{what}along a random direction it gives {found.ours:.10g}, by {found.oracle} it should be "
            f"{found.theirs:.10g}; a relative error of {relative:.2g}, {apart}. Blame: {self.blame.sentence}"
        )

    @cached_property
    def smallest(self) -> Failure:
        """The same mistake in the smallest graph that shows it; this failure itself if there is none smaller."""
        found: dict[Tensor, Failure] = {}

        def fails(output: Tensor) -> bool:
            failure = self._first_of(output)
            if failure is not None:
                found[output] = failure
            return failure is not None

        outputs = [output for output in self.objective.graph.outputs if output.requires_grad]
        for output in outputs:
            smallest = shrunk(output, fails, self.blame.marked)
            if smallest in found:
                return found[smallest]
        return self

    def _first_of(self, output: Tensor) -> Failure | None:
        """Return what fails in the graph of another output, by the same kind of fault: a rule's, or the engine's."""
        other = self.recheck(output)
        return other if other and bool(other.blame.wrong) == bool(self.blame.wrong) else None

    @property
    def code(self) -> str:
        """A program that makes this graph, and checks it."""
        return as_code(self.objective.graph)

    def picture(self) -> Picture:
        """Draw the graph with the nodes to blame marked "wrong", and on each wrong edge our value and the oracle's."""
        from ...drawing import draw  # here, as most failures are read and not drawn

        notes: dict[Tensor | tuple[Tensor, Tensor], str] = dict.fromkeys(self.blame.marked, "wrong")
        for wrong in sorted(self.blame.wrong, key=lambda wrong: wrong.apart):  # of an edge, the worst is left
            edge = (wrong.node.inputs[wrong.slot], wrong.node)
            notes[edge] = f"ours {wrong.finding.ours:.4g}, right {wrong.finding.theirs:.4g}"
        for step in self.blame.engine:
            notes[step.input, step.node] = "the engine errs here"
        output = next(o for o in self.objective.graph.outputs if o.requires_grad)
        return draw(output, values=True, notes=notes)
