"""Breakpoints: where to stop, written in a small language of its own, which is parsed and never evaluated.

op:tanh   t:3   node:t3.cell.add   forget_gate   forget_gate t:2   forget_gate if norm < 1e-3
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..engine.tensor import Tensor
from ..structure.tables import html_table
from ..structure.words import LINE, clean, magnitude
from .recording.event import Event

Condition = Callable[[Event], bool]

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}

QUANTITIES: dict[str, Callable[[Event], float | None]] = {
    "norm": lambda event: _norm(event.contribution),
    "total": lambda event: _norm(event.after),
    "upstream": lambda event: _norm(event.upstream),
    "value": lambda event: _norm(event.value),
    "arrived": lambda event: float(event.step.arrived) if event.step else None,
    "time": lambda event: None if event.time is None else float(event.time),
}
"""What a condition may ask of an event; None, which meets no condition, where there is no such thing."""

GRAMMAR = (
    "write op:NAME, t:STEP, node:ID or the name of a module, several of them if you like, and then perhaps "
    f"'if QUANTITY < NUMBER', where the quantity is {', '.join(QUANTITIES)}; as in: forget_gate t:2 if norm < 1e-3"
)

_IF = re.compile(rf"\s*(\w+)\s*({'|'.join(COMPARISONS)})\s*(\S+)\s*")

NOWHERE = "nothing here is at that place"

_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE)


@dataclass(eq=False, repr=False)
class Breakpoint:
    """One place to stop at: a break; a tbreak, which goes when it has been hit; or a watch."""

    number: int
    text: str
    matches: Condition
    kind: str = "break"
    hits: int = 0
    nowhere: bool = False  # no event of the walk is at that place

    def met_at(self, events: Iterable[Event]) -> list[int]:
        """Return the numbers of the events at which one stops here."""
        return [event.index for event in events if self.matches(event)]

    def __repr__(self) -> str:
        return f"<breakpoint {self}>"

    def __str__(self) -> str:
        times = f"hit {self.hits} time{'' if self.hits == 1 else 's'}"
        nowhere = f"; {NOWHERE}" if self.nowhere else ""
        return f"{self.number}  {self.kind} {clean(self.text, LINE)}  {times}{nowhere}"

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        row = (self.number, self.kind, self.text, self.hits)
        caption = NOWHERE if self.nowhere else ""
        return html_table([row], head=("number", "kind", "place", "hits"), align="rllr", caption=caption)


def parse(text: str) -> Condition:
    """Return the condition that a text describes. Raises ValueError, with the grammar, for a text that describes none.

    >>> import tinygrad_lstm as tl
    >>> stepper = tl.step(tl.tanh(tl.tensor(0.5, requires_grad=True)))
    >>> [parse("op:tanh if norm < 1")(event) for event in stepper.events]
    [False, False, False, True]
    """
    if not isinstance(text, str):
        raise TypeError(f"a place is written as text, such as 'op:tanh', not {text!r}")
    places, asks, question = f" {text} ".partition(" if ")
    if asks and not question.strip():
        raise ValueError(f"a condition must follow 'if' in {text!r}; {GRAMMAR}")
    if not places.strip() and not asks:
        raise ValueError(f"where to stop? {GRAMMAR}")
    there = parse_places(text)
    if not asks:
        return there
    met = _question(question)
    return lambda event: there(event) and met(event)


def parse_places(text: str) -> Condition:
    """Return the part of a condition that says where: any event meets it that is at all of the places."""
    places = [_place(word) for word in f" {text} ".partition(" if ")[0].split()]
    return lambda event: all(place(event) for place in places)


def watching(tensor: Tensor) -> Condition:
    """Return the condition that stops at each += to a tensor's gradient."""
    return lambda event: event.target is tensor


def _place(word: str) -> Condition:
    kind, colon, name = word.partition(":")
    if not colon:
        parts = tuple(word.split("."))
        return lambda event: _within(parts, event.scope)
    if kind == "op" and name:
        return lambda event: event.node.primitive is not None and event.node.primitive.name == name
    if kind == "t" and re.fullmatch(r"-?[0-9]{1,9}", _keyed(name)):
        return lambda event: event.time == int(_keyed(name))
    if kind == "node" and name:
        return lambda event: event.graph.ids[event.node] == name
    raise ValueError(f"{word!r} is no place to stop at; {GRAMMAR}")


def _keyed(number: str) -> str:
    """Return a number with the minus sign that keyboards have for the one that is printed, which people copy."""
    return number.replace("−", "-")


def _within(parts: tuple[str, ...], scope: tuple[str, ...]) -> bool:
    """Tell whether a path of modules has these in a row."""
    return any(scope[i : i + len(parts)] == parts for i in range(len(scope) - len(parts) + 1))


def _question(text: str) -> Condition:
    found = _IF.fullmatch(text)
    if not found or found[1] not in QUANTITIES:
        raise ValueError(f"cannot read the condition {text.strip()!r}; {GRAMMAR}")
    quantity, sign = QUANTITIES[found[1]], found[2]
    if not _NUMBER.fullmatch(_keyed(found[3])):
        raise ValueError(f"{found[3]!r} is no number; {GRAMMAR}")
    bound = float(_keyed(found[3]))

    def met(event: Event) -> bool:
        value = quantity(event)
        if value is None:
            return False
        if math.isnan(bound):  # nothing equals it, and yet one wants to ask where it comes from
            return sign in ("==", "!=") and math.isnan(value) == (sign == "==")
        return COMPARISONS[sign](value, bound)

    return met


def _norm(array: Any) -> float | None:
    return None if array is None else magnitude(array)
