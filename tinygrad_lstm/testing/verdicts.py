"""Verdicts on gradients, the findings they come from, and reports on all of a function's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TOLERANCE = 1e4
"""In units of rounding. Correct LSTM gradients were measured up to 64 units, saturated ones up to 1.8e3."""


class Verdict(StrEnum):
    """In the order in which one counts more than another, where several were reached."""

    WRONG = "WRONG"  # the rules and an oracle disagree, and rounding does not explain it
    PASS = "PASS"  # they agree
    ROUNDOFF = "ROUNDOFF"  # they disagree, but with enough digits they would not: no rule is wrong
    UNCHECKED = "UNCHECKED"  # nothing can be decided; the reason is why


class Oracle(StrEnum):
    """What a verdict rests on."""

    COMPLEX_STEP = "complex step"
    DIFFERENCES = "differences"
    DIGITS = "700 digits"
    LAST_BITS = "random last bits"
    SIDES = "the two sides of a kink"
    ORDER = "order of convergence"
    TWO_PASSES = "two backward passes"
    ARITHMETIC = "arithmetic"  # what is not finite needs no other
    SHAPES = "shapes"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Finding:
    """What one oracle finds of one gradient along one random direction.

    ``error`` is in units of rounding, of which ``TOLERANCE`` are allowed; of an oracle that has an error bar, the unit
    is a thousandth of it.
    """

    verdict: Verdict
    oracle: Oracle
    ours: float = 0.0
    theirs: float = 0.0
    error: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """What was found: for each input its worst finding, which laws were tried besides, and in how many cases."""

    findings: dict[str, Finding]
    laws: tuple[str, ...] = ()
    cases: int = 1

    @property
    def verdict(self) -> Verdict:
        """The verdict on all of it."""
        reached = {finding.verdict for finding in self.findings.values()}
        return next((verdict for verdict in Verdict if verdict in reached), Verdict.UNCHECKED)

    @property
    def errors(self) -> dict[str, float]:
        """For each input its largest error, in units of rounding."""
        return {name: finding.error for name, finding in self.findings.items()}

    @property
    def worst(self) -> float:
        """The largest of those errors."""
        return max(self.errors.values(), default=0.0)

    @property
    def unproved(self) -> frozenset[str]:
        """The inputs of which nothing could be decided: their gradients are zero, or drown in rounding."""
        return frozenset(name for name, it in self.findings.items() if it.verdict is Verdict.UNCHECKED)

    def __str__(self) -> str:
        width = max(map(len, self.findings), default=0)
        lines = [
            f"{name:<{width}}  {it.verdict:<9}  {it.error:10.2f} units  by {it.oracle}{it.reason and ': ' + it.reason}"
            for name, it in self.findings.items()
        ]
        return "\n".join([*lines, *([f"and {', '.join(self.laws)}"] if self.laws else [])])


def worse(one: Finding | None, other: Finding) -> Finding:
    """Return the one to report of two findings on one input: the graver verdict; of the same, the larger error."""
    if one is None:
        return other
    order = list(Verdict)
    return min(one, other, key=lambda finding: (order.index(finding.verdict), -finding.error))
