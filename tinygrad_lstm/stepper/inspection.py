"""Looking at things: what ``print`` and ``display`` can show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from ..structure import words
from ..structure.path import called, find, names_of
from ..structure.unused import explain_unused
from .breakpoints import QUANTITIES
from .recording.event import LONGEST, Event, numbers

ARRAYS = ("value", "upstream", "contribution", "before", "after")
"""The arrays that an event has, by the names of its attributes."""

WHY = "why"
"""The sentence that says why an event happens."""

MOST = 200
"""Arrays of at most so many numbers are printed in full; chosen: they fit on one screen."""


class PlainText(str):
    """An answer, which shows itself as it is to be read."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Inspection(NamedTuple):
    """Something that can be shown of any event: its name, and what it is there."""

    text: str
    of: Callable[[Event], str]


def inspection(text: str, graph: Graph, time: int | None = None) -> Inspection:
    """Return what a text names: a part of the event, a quantity, a tensor, or its gradient so far.

    A name that every step has means that of the event's own step; ``time`` is the step at which it is asked for.

    Raises ValueError, naming what there is, for a text that names nothing.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True, name="x")
    >>> stepper = tl.step(x * x)
    >>> stepper.step()
    <event 3, backward: ∂L/∂x += ∂L/∂y ⊙ x>
    >>> inspection("x.grad", stepper.graph).of(stepper.current)
    '3'
    """
    if not isinstance(text, str):
        raise TypeError(f"what to show is named by text, such as 'upstream' or 'w.grad', not {text!r}")
    name = text.strip()
    if name in ARRAYS:
        return Inspection(name, lambda event: in_full(getattr(event, name)))
    if name == WHY:
        return Inspection(name, lambda event: words.clean(event.why, LONGEST))
    if name in QUANTITIES:
        return Inspection(name, lambda event: _quantity(QUANTITIES[name](event)))
    return Inspection(name, _of_tensor(name, graph, time))


def _of_tensor(name: str, graph: Graph, time: int | None) -> Callable[[Event], str]:
    """Return what shows a tensor, or its gradient so far, at an event: where steps share the name, that of its step."""
    plain = name.removesuffix(".grad")
    alike = called(plain, names_of(graph, {node: node.time for node in graph.nodes}))
    by_step = {node.time: node for node in alike}
    try:
        tensor = find(graph.output, plain, time)
    except ValueError as error:
        there = ", ".join(dict.fromkeys((*ARRAYS, *QUANTITIES, WHY)))
        raise ValueError(f"{error}; and there is {there}") from None

    def of(event: Event) -> str:
        meant = by_step.get(event.time, tensor) if len(by_step) == len(alike) else tensor
        if not name.endswith(".grad"):
            return in_full(graph.values[meant])
        if meant not in event.tape.gradients:
            raise ValueError(never(meant, graph))
        return in_full(event.tape.gradient_at(meant, event.index))

    return of


def never(tensor: Tensor, graph: Graph) -> str:
    """Say why a tensor of a graph never gets a gradient."""
    name = words.clean(words.display_name(tensor) or graph.ids[tensor])
    if not tensor.requires_grad:
        why = "it does not require one" if tensor.is_leaf else "nothing it is computed of requires one"
        more = "; tl.tensor(…, requires_grad=True) asks for it" if tensor.is_leaf else ""
        return f"{name} never gets a gradient: {why}{more}"
    (found,) = explain_unused(graph.output, [tensor]) or (None,)
    return f"{name} never gets a gradient: {found.why if found else 'the walk does not reach it'}"


def _quantity(value: float | None) -> str:
    return "none here" if value is None else words.shown(value, 6)


def in_full(array: Any) -> str:
    """Return all numbers of an array of up to MOST, with its shape if it has one; of a larger one what it is like."""
    if array is None or np.size(array) > MOST:
        return numbers(array)
    text = words.in_full(array, digits=6, width=100)
    return f"shape {np.shape(array)}\n{text}" if np.ndim(array) > 1 and np.size(array) > 1 else text
