"""What is read without being computed: a step of what is kept, as another step sees it, and parts of arrays."""

from __future__ import annotations

from typing import Any

from ..structure.loops import Fixed, Moving
from ..symbolic.expressions import Apply
from .simplifying import VIEWS
from .statements import Read, Variable


def in_rows(index: Any, variable: Variable) -> Any:
    """Return which row of its array the step of a variable is."""
    if variable.rows is None:
        return index
    low = variable.rows[0]
    return Fixed(index.at - low) if isinstance(index, Fixed) else Moving(index.sign, index.offset - low)


def at_step(e: Any, index: Any) -> Any:
    """Return an expression of a step as it is at another one."""
    if index is None or index == Moving(1, 0):
        return e
    if isinstance(e, Read):
        return Read(e.variable, _composed(e.index, index))
    if isinstance(e, Apply):
        attrs = {name: _composed(value, index) for name, value in e.attrs.items()}
        return Apply(e.function, tuple(at_step(x, index) for x in e.operands), attrs, e.value)
    return e


def _composed(place: Any, index: Any) -> Any:
    if isinstance(place, tuple):
        return tuple(_composed(part, index) for part in place)
    if isinstance(place, slice):
        return slice(*(_composed(part, index) for part in (place.start, place.stop, place.step)))
    if not isinstance(place, Moving):
        return place
    if isinstance(index, Fixed):
        at = index.at * place.sign + place.offset
        return Fixed(at)
    return Moving(place.sign * index.sign, index.offset * place.sign + place.offset)


def is_read(e: Any) -> bool:
    """Tell whether an expression is an array that is there already, or a part of one."""
    return isinstance(e, Read) or (isinstance(e, Apply) and e.function in VIEWS and is_read(e.operands[0]))
