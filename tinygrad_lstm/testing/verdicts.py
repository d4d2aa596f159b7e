"""Verdicts on gradients, the findings they come from, and reports on all of a function's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..structure.tables import html_table


class Verdict(StrEnum):
    """What a check found, in the order in which one counts more than another where several were reached.

    >>> Verdict("PASS") is Verdict.PASS
    True
    """

    WRONG = "WRONG"  # the rules and an oracle disagree, and rounding does not explain it
    DECLARED = "DECLARED"  # it passes through a surrogate, whose author means another gradient; all else is right
    PASS = "PASS"  # they agree
    ROUNDOFF = "ROUNDOFF"  # they disagree, but with enough digits they would not: no rule is wrong
    UNCHECKED = "UNCHECKED"  # nothing can be decided; the reason is why


class Oracle(StrEnum):
    """What a verdict rests on.

    >>> import tinygrad_lstm as tl
    >>> tl.testing.check_vjp(tl.tanh, [0.5]).findings["input 0"].oracle is Oracle.COMPLEX_STEP
    True
    """

    COMPLEX_STEP = "complex step"
    DIFFERENCES = "differences"
    DIGITS = "700 digits"
    LAST_BITS = "random last bits"
    SIDES = "the two sides of a kink"
    ORDER = "order of convergence"
    TWO_PASSES = "two backward passes"
    ARITHMETIC = "arithmetic"  # what is not finite needs no other
    NOTHING = "nothing"


@dataclass(frozen=True)
class Finding:
    """What one oracle finds of one gradient along one random direction.

    ``ours`` and ``theirs`` are the derivative by the rules and by the oracle. ``error`` is in units of rounding, of
    which ``objective.TOLERANCE`` are allowed; of an oracle that has an error bar, the unit is a thousandth of it.
    ``reason`` is why, where there is more to it than numbers.

    >>> Finding(Verdict.UNCHECKED, Oracle.NOTHING, reason="it is empty").error
    0.0
    """

    verdict: Verdict
    oracle: Oracle
    ours: float = 0.0
    theirs: float = 0.0
    error: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """What was found: for each input its worst finding, which laws were tried besides, and in how many cases.

    ``rtol`` is the relative error that was declared to be right, 0 if none was; ``covered`` says what was drawn.

    Shows itself in a line, prints as a table, and is one in a notebook.

    >>> report = Report({"x": Finding(Verdict.PASS, Oracle.COMPLEX_STEP, 1.0, 1.0, 2.5)})
    >>> report
    <report: PASS, 1 gradient, worst 2.5 units>
    >>> print(report)
    x  PASS             2.50 units  by complex step
    """

    findings: dict[str, Finding]
    laws: tuple[str, ...] = ()
    cases: int = 1
    rtol: float = 0.0
    covered: str = ""

    @property
    def verdict(self) -> Verdict:
        """Return the verdict on all of it."""
        reached = {finding.verdict for finding in self.findings.values()}
        return next((verdict for verdict in Verdict if verdict in reached), Verdict.UNCHECKED)

    @property
    def errors(self) -> dict[str, float]:
        """Return for each input its largest error, in units of rounding."""
        return {name: finding.error for name, finding in self.findings.items()}

    @property
    def worst(self) -> float:
        """Return the largest of those errors; 0 if there is none."""
        return max(self.errors.values(), default=0.0)

    @property
    def unproved(self) -> frozenset[str]:
        """Return the inputs of which nothing could be decided: their gradients are zero, or drown in rounding."""
        return frozenset(name for name, it in self.findings.items() if it.verdict is Verdict.UNCHECKED)

    @property
    def _besides(self) -> tuple[str, ...]:
        return (*self.laws, *([f"rtol={self.rtol:g}, as declared"] if self.rtol else []))

    def __repr__(self) -> str:
        count = len(self.findings)
        gradients = f"{count} gradient{'s' * (count != 1)}{f' in {self.cases} cases' if self.cases > 1 else ''}"
        rtol = f", rtol={self.rtol:g}" if self.rtol else ""
        return f"<report: {self.verdict}, {gradients}, worst {in_words(self.worst)} units{rtol}>"

    def __str__(self) -> str:
        """Return a line for each input, one for the laws that were tried, and one for what was drawn."""
        width = max(map(len, self.findings), default=0)
        lines = [
            f"{name:<{width}}  {it.verdict:<9}  {it.error:10.2f} units  by {it.oracle}{it.reason and ': ' + it.reason}"
            for name, it in self.findings.items()
        ]
        laws = f"and {', '.join(self._besides)}" if self._besides else ""
        return "\n".join([*lines, *filter(None, (laws, self.covered))])

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        rows = [(name, it.verdict, in_words(it.error), it.oracle, it.reason) for name, it in self.findings.items()]
        caption = "; and ".join([repr(self)[1:-1], *filter(None, [", ".join(self._besides), self.covered])])
        return html_table(
            rows, head=("gradient of", "verdict", "error, units", "by", "why"), align="llrll", caption=caption
        )


def in_words(error: float) -> str:
    """Return an error in words: of a right gradient a small number, of a wrong one any."""
    return f"{error:,.1f}" if error < 1e6 else f"{error:.1e}"


def worse(one: Finding | None, other: Finding) -> Finding:
    """Return the one to report of two findings on one input: the graver verdict; of the same, the larger error."""
    if one is None:
        return other
    order = list(Verdict)
    return min(one, other, key=lambda finding: (order.index(finding.verdict), -finding.error))
