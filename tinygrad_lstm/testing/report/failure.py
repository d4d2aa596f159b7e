"""All that is known of a wrong gradient, for messages, reports, pictures and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ..objective import TOLERANCE
from ..oracles.differences import BARS
from ..oracles.question import Answer, Question
from ..verdicts import Finding, Oracle, Report
from .blame import Blame
from .code import as_code
from .shrink import shrunk

if TYPE_CHECKING:
    from ...drawing import Picture


Recheck = Callable[[Tensor], "Failure | None"]
"""Checks the graph of a tensor in all its leaves, and returns what is wrong, if anything is."""


@dataclass(frozen=True, eq=False)
class Failure:
    """A gradient that an oracle calls wrong: where, along which direction, and what had been found before."""

    question: Question
    name: str  # of the leaf
    finding: Finding
    blame: Blame
    evidence: tuple[Answer, ...]  # what each oracle answers
    report: Report
    recheck: Recheck  # the check that failed, for shrinking

    @property
    def leaf(self) -> Tensor:
        """Return the leaf whose gradient is wrong."""
        return self.question.leaf

    @property
    def graph(self) -> Graph:
        """Return the graph that it was found in."""
        return self.question.objective.graph

    @property
    def message(self) -> str:
        """Return the error in one paragraph."""
        what = f"the gradient of {self.name} {self.leaf.shape} is wrong: "
        found = self.finding
        if found.oracle is Oracle.ARITHMETIC:
            return f"{what}{found.reason}. Blame: {self.blame.sentence}"
        scale = abs(found.ours) + abs(found.theirs)
        relative = abs(found.ours - found.theirs) / scale if scale else 0.0
        rtol = self.question.objective.rtol
        apart = f"{found.error:.3g} units of rounding, where {TOLERANCE:.0e} are allowed"
        if rtol:
            apart = f"where rtol={rtol:g} was declared, of the sum of absolute terms"
        elif found.oracle is Oracle.DIFFERENCES:
            apart = f"{found.error / TOLERANCE * BARS:.3g} error bars, where {BARS:.0f} are allowed"
        return (
            f"{what}along a random direction it gives {found.ours:.10g}, by {found.oracle} it should be "
            f"{found.theirs:.10g}; a relative error of {relative:.2g}, {apart}. Blame: {self.blame.sentence}"
        )

    @cached_property
    def smallest(self) -> Failure:
        """Return the same mistake in the smallest graph that shows it; this failure itself if there is none smaller."""
        found: dict[Tensor, Failure] = {}

        def fails(output: Tensor) -> bool:
            other = self.recheck(output)
            if other and bool(other.blame.wrong) == bool(self.blame.wrong):  # the same kind of fault
                found[output] = other
            return output in found

        for output in self._outputs:
            smallest = shrunk(output, fails, self.blame.marked)
            if smallest in found:
                return found[smallest]
        return self

    @property
    def _outputs(self) -> list[Tensor]:
        return [output for output in self.graph.outputs if output.requires_grad]

    @property
    def code(self) -> str:
        """Return the program that makes this graph, and checks it. Reports print that of ``smallest``."""
        return as_code(self.graph)

    def picture(self) -> Picture:
        """Draw the graph with the nodes to blame marked "wrong", and on each wrong edge our value and the oracle's."""
        from ...drawing import draw  # here, as most failures are read and not drawn

        notes: dict[Tensor | tuple[Tensor, Tensor], str] = dict.fromkeys(self.blame.marked, "wrong")
        for wrong in sorted(self.blame.wrong, key=lambda wrong: wrong.apart):  # of an edge, the worst is left
            edge = (wrong.node.inputs[wrong.slot], wrong.node)
            notes[edge] = f"ours {wrong.finding.ours:.4g}, right {wrong.finding.theirs:.4g}"
        for step in self.blame.engine:
            notes[step.input, step.node] = "the engine errs here"
        seen = [(output, {*Graph(output).nodes}) for output in self._outputs]
        output, nodes = next((pair for pair in seen if pair[1].intersection(self.blame.marked)), seen[0])
        there = {on: note for on, note in notes.items() if (on[1] if isinstance(on, tuple) else on) in nodes}
        return draw(output, values=True, notes=there)
