"""The oracles asked about a gradient found wrong, in the order of the table: a new one is a file, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..verdicts import Oracle
from . import complex_step, convergence, differences, precision
from .question import Answer, Question


class Entry(NamedTuple):
    """An oracle: its name, when it applies, and how to ask it; it may have no answer even where it applies."""

    name: str  # an ``Oracle``, if verdicts are reached by it too
    applies: Callable[[Question], bool]
    ask: Callable[[Question], Answer | None]


def always(question: Question) -> bool:
    """Return True, for an oracle that can be asked about anything."""
    return True


ORACLES: list[Entry] = [
    Entry(Oracle.COMPLEX_STEP, always, complex_step.ask),
    Entry(Oracle.DIFFERENCES, always, differences.ask),
    Entry(Oracle.DIGITS, precision.applies, precision.ask),
    Entry(Oracle.ORDER, always, convergence.ask),
]


def evidence(question: Question) -> Iterator[Answer]:
    """Ask every oracle that applies; yield its answer, with its name."""
    for name, applies, ask in ORACLES:
        answer = ask(question) if applies(question) else None
        if answer is not None:
            yield answer._replace(oracle=name)
