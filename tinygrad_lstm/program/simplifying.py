"""Expressions without what numbers alone decide: every number they make is the one that was computed before."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import ops
from ..engine.primitive import Kind, Primitive
from ..structure.loops import Stacked
from ..symbolic.expressions import Apply, Constant, Number
from ..symbolic.rewriting import applications
from .sizes import Size
from .statements import Read

VIEWS = {ops.getitem, ops.reshape, ops.transpose, ops.broadcast_to}


def simplified(expression: Any) -> Any:
    """Return an expression without what numbers alone decide: sums of them, a choice by one, a power of 1.

    Every number it makes is the one that was computed before.
    """
    if not isinstance(expression, Apply):
        return expression
    known: dict[Apply, Any] = {}
    for each in applications(expression):
        operands = tuple(_plain(known.get(x, x)) if isinstance(x, Apply) else _plain(x) for x in each.operands)
        known[each] = _decided(each, operands)
    return known[expression]


def _plain(x: Any) -> Any:
    if isinstance(x, Constant) and np.ndim(x.value) == 0 and not isinstance(x.value, Size | np.ndarray | np.generic):
        return Number(float(x.value))
    return x


def _decided(each: Apply, operands: tuple[Any, ...]) -> Any:
    repeated = [x for x in operands if isinstance(x, Apply) and x.function is ops.broadcast_to]
    if each.function is ops.mul and len(repeated) == 1 and all(isinstance(_once(x), Number) for x in operands):
        product = float(_once(operands[0]).value) * float(_once(operands[1]).value)
        if repeated[0].value.shape == each.value.shape and product == each.value.flat[0]:
            return Apply(ops.broadcast_to, (Number(product),), repeated[0].attrs, each.value)
    operands = _broadcasting(each, operands)
    numbers = [x.value for x in operands if isinstance(x, Number)]
    if numbers and len(numbers) == len(operands) and each.value.ndim == 0:
        return Number(float(each.value))
    compared = all(isinstance(x, Number) or _compares(x) for x in operands)
    if each.function is ops.mul and 0.0 in numbers and compared:
        return Number(0.0)
    if (
        each.function is ops.where
        and isinstance(operands[0], Number)
        and np.shape(operands[1 if operands[0].value else 2].value) == each.value.shape
    ):
        return operands[1] if operands[0].value else operands[2]
    if (
        each.function is ops.pow
        and isinstance(operands[1], Number)
        and operands[1].value == 1
        and np.shape(operands[0].value) == each.value.shape
    ):
        return operands[0]
    if each.function is ops.mul and 1.0 in numbers:
        other = operands[1] if isinstance(operands[0], Number) and operands[0].value == 1 else operands[0]
        if not isinstance(other, Number) and np.shape(other.value) == each.value.shape:
            return other
    return Apply(each.function, operands, each.attrs, each.value)


def _once(x: Any) -> Any:
    """Return what is repeated."""
    while isinstance(x, Apply) and x.function in (ops.broadcast_to, ops.reshape) and x.value.size:
        x = x.operands[0]
    return x


def _broadcasting(each: Apply, operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return operands that are not repeated before an operation that repeats them itself."""
    pointwise = isinstance(each.function, Primitive) and each.function.kind is Kind.pointwise and not each.attrs
    if not pointwise or len(operands) != 2:
        return operands
    found = list(operands)
    for i, x in enumerate(operands):
        other = np.shape(getattr(operands[1 - i], "value", 0.0))
        if isinstance(x, Apply) and x.function is ops.broadcast_to and other == each.value.shape:
            found[i] = _without_ones(x.operands[0], other)
    return tuple(found)


def _without_ones(x: Any, shape: tuple[int, ...]) -> Any:
    """Return what a reshape gave axes of length 1 in front, which broadcasting does by itself."""
    if isinstance(x, Apply) and x.function is ops.reshape:
        inner: Any = x.operands[0]
        was = np.shape(getattr(inner, "value", 0.0))
        if was == x.value.shape[x.value.ndim - len(was) :]:
            return inner
    return x


def _compares(x: Any) -> bool:
    """Tell whether it is 0 or 1."""
    if not isinstance(x, Apply) or not isinstance(x.function, Primitive):
        return False
    return x.function.kind is Kind.comparison or (x.function is ops.mul and all(map(_compares, x.operands)))


def added(a: Any, b: Any, value: Any) -> Any:
    """Return a + b, which to the bit is 2 a where b is the same, and a − c where b is −c."""
    if same(a, b):
        return Apply(ops.mul, (Number(2.0), a), {}, value)
    if isinstance(b, Apply) and b.function is ops.neg:
        return Apply(ops.sub, (a, b.operands[0]), {}, value)
    return Apply(ops.add, (a, b), {}, value)


def same(a: Any, b: Any) -> bool:
    """Tell whether two expressions are the same."""
    if isinstance(a, Read) and isinstance(b, Read):
        return a.variable is b.variable and a.index == b.index
    if isinstance(a, Apply) and isinstance(b, Apply):
        plain = not any(isinstance(x, np.ndarray | Stacked) for x in (*a.attrs.values(), *b.attrs.values()))
        return a.function is b.function and plain and a.attrs == b.attrs and all(map(same, a.operands, b.operands))
    return isinstance(a, Number) and a == b


def repeats(e: Any) -> bool:
    """Tell whether it only repeats a number, or what is there already."""
    return isinstance(e, Apply) and e.function is ops.broadcast_to and not _computes(e.operands[0])


def _computes(e: Any) -> bool:
    return isinstance(e, Apply) and (e.function not in VIEWS or any(map(_computes, e.operands)))
