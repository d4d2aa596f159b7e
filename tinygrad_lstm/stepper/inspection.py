"""Looking at things: what ``print`` and ``display`` can show, and the list of events around a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.graph import Graph
from ..structure.path import find
from ..structure.words import clean
from .breakpoints import QUANTITIES
from .recording.event import Event, numbers
from .recording.tape import Tape

ARRAYS: dict[str, Callable[[Event], Any]] = {
    "value": lambda event: event.value,
    "upstream": lambda event: event.upstream,
    "contribution": lambda event: event.contribution,
    "before": lambda event: event.before,
    "after": lambda event: event.after,
}
"""What there is of an event in full."""

MOST = 200
"""Arrays of so many numbers are printed in full."""


class PlainText(str):
    """An answer, which shows itself as it is to be read."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Inspection:
    """Something that can be shown of any event."""

    text: str
    shown: Callable[[Event], str]

    def __call__(self, event: Event) -> str:
        return self.shown(event)


def inspection(text: str, graph: Graph) -> Inspection:
    """What a text names: a part of the event, a quantity, a tensor, or its gradient so far.

    Raises ValueError, saying what there is, for one that names nothing.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True, name="x")
    >>> stepper = tl.step(x * x)
    >>> stepper.step()
    <event 3, backward: ∂L/∂x += ∂L/∂y ⊙ x>
    >>> inspection("x.grad", stepper.graph)(stepper.current)
    '3'
    """
    if not isinstance(text, str):
        raise TypeError(f"what to show is named by text, such as 'upstream' or 'w.grad', not {text!r}")
    name = text.strip()
    if name in ARRAYS:
        return Inspection(name, lambda event: in_full(ARRAYS[name](event)))
    if name in QUANTITIES:
        return Inspection(name, lambda event: _quantity(QUANTITIES[name](event)))
    try:
        tensor = find(graph.output, name.removesuffix(".grad"))
    except ValueError as error:
        there = ", ".join(dict.fromkeys((*ARRAYS, *QUANTITIES)))
        raise ValueError(f"{error}; and there is {there}") from None
    if not name.endswith(".grad"):
        return Inspection(name, lambda event: in_full(graph.values[tensor]))
    return Inspection(name, lambda event: in_full(event.tape.gradient_at(tensor, event.index)))


def _quantity(value: float | None) -> str:
    return "none here" if value is None else f"{value:.6g}"


def in_full(array: Any) -> str:
    """All numbers of an array that is not too large, with its shape if it has one."""
    if array is None:
        return "nothing yet"
    values = np.asarray(array)
    if values.size > MOST:
        return numbers(values)
    form = {"float_kind": "{:.6g}".format}
    text = np.array2string(values, separator=", ", max_line_width=100, formatter=form)  # type: ignore[arg-type]
    return f"shape {values.shape}\n{text}" if values.ndim > 1 and values.size > 1 else text


def listing(tape: Tape, position: int, around: int, lines: int) -> str:
    """So many events around one of them, with an arrow at the position."""
    first = max(0, min(around - lines // 2, len(tape) - lines))
    rows = []
    for event in tape[first : first + lines]:
        arrow = "→" if event.index == position else " "
        time = "" if event.time is None else f"t = {event.time}"
        rows.append(f"{arrow} {event.index:>5}  {event.phase:<8}  {time:<7}  {clean(event.formula, 90)}")
    return "\n".join(rows)
