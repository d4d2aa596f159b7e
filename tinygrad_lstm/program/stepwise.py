"""Expressions in terms of the step: what two members of a family have in common, and whether all others have."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from ..engine import ops
from ..structure.loops import Made, Moving, Stacked
from ..symbolic.expressions import Apply, Constant
from .simplifying import same
from .sizes import Size


def at_member(value: Any, made: Made, k: int) -> Any:
    """Return an attribute of one member of a family: what moves, where it is then."""
    if isinstance(value, tuple):
        return tuple(at_member(part, made, k) for part in value)
    if isinstance(value, Stacked):
        return value.values[k]
    if isinstance(value, Moving):
        assert made.loop is not None
        return int(value.sign * made.loop.at(k) + value.offset)
    return value


def parts_of_attr(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def following(a: Any, b: Any, step: int, by: int, attrs: Mapping[str, Any]) -> Any:
    """Return what stands for two expressions, one of ``step`` and one of ``step + by``, in terms of the step.

    ``attrs`` are those of the family: what moves in them moves in the same way here.
    """
    if isinstance(a, Apply) and isinstance(b, Apply):
        operands = tuple(following(x, y, step, by, attrs) for x, y in zip(a.operands, b.operands, strict=True))
        known = [part for each in attrs.values() for part in parts_of_attr(each)]
        merged = {name: _moved(value, b.attrs[name], step, by, known) for name, value in a.attrs.items()}
        return Apply(a.function, operands, merged, a.value)
    return a


def in_sizes(e: Any, number: int, place: int) -> Any:
    """Return an expression in which a place that was recorded as a number, or the one after it, is said in sizes."""
    if not isinstance(place, Size) or not isinstance(e, Apply):
        return e
    attrs = {**e.attrs, "index": _placed(e.attrs["index"], number, place)} if e.function is ops.getitem else e.attrs
    return Apply(e.function, tuple(in_sizes(x, number, place) for x in e.operands), attrs, e.value)


def _placed(index: Any, number: int, place: Size) -> Any:
    if isinstance(index, tuple):
        return tuple(_placed(part, number, place) for part in index)
    if isinstance(index, slice):
        return slice(*(_placed(part, number, place) for part in (index.start, index.stop, index.step)))
    if isinstance(index, Moving):
        return Moving(index.sign, _placed(index.offset, number, place))
    whole = isinstance(index, int) and not isinstance(index, bool | Size)
    return place + (index - number) if whole and 0 <= index - number <= 1 else index


def fits(general: Any, one: Any, at: int) -> bool:
    """Tell whether an expression in terms of the step is another one at a step."""
    if isinstance(general, Apply) and isinstance(one, Apply):
        attrs = all(_fits_attr(value, one.attrs[name], at) for name, value in general.attrs.items())
        operands = all(map(partial(fits, at=at), general.operands, one.operands))
        return general.function is one.function and attrs and operands
    return same(general, one) or (isinstance(general, Constant) and isinstance(one, Constant))


def _fits_attr(a: Any, b: Any, at: int) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(partial(_fits_attr, at=at), a, b))
    if isinstance(a, slice) and isinstance(b, slice):
        return _fits_attr((a.start, a.stop, a.step), (b.start, b.stop, b.step), at)
    if isinstance(a, Moving):
        return bool(int(a.sign * at + a.offset) == b)
    return a is b or (not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray) and bool(a == b))


def _moved(a: Any, b: Any, step: int, by: int, known: list[Any]) -> Any:
    if isinstance(a, tuple):
        return tuple(_moved(x, y, step, by, known) for x, y in zip(a, b, strict=True))
    if isinstance(a, slice):
        return slice(
            *(
                _moved(x, y, step, by, known)
                for x, y in zip((a.start, a.stop, a.step), (b.start, b.stop, b.step), strict=True)
            )
        )
    if isinstance(a, int) and a != b:
        slope = (b - a) * by
        for each in known:
            if isinstance(each, Moving) and each.sign == slope and int(each.sign * step + each.offset) == a:
                return each
        return Moving(slope, a - slope * step)
    if isinstance(a, np.ndarray):
        for each in known:
            if isinstance(each, Stacked) and any(value is a for value in each.values):
                return each
    return a
