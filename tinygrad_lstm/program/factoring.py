"""What is the same for all numbers of a row is computed once for the row, and multiplied with the row at the end.

Σ(−g ⊙ y / s), where s is one number for each row, is −Σ(g ⊙ y) / s: one array is gone over, and not four.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine import ops
from ..symbolic.expressions import Apply, Number
from ..symbolic.rewriting import applications
from .simplifying import same
from .statements import Assign, For, Read, Statement, Variable, reads, statements

FACTORED = "what is the same for all numbers of a row is computed once for each row"


class Factoring:
    """Rewrites what the loops of a backward pass compute; ``finds`` says whether there was anything to do."""

    def __init__(self, backward: Sequence[Statement]) -> None:
        self.finds = False
        for each in backward:
            if isinstance(each, For) and each.backwards:
                self._loop(each)

    def _loop(self, loop: For) -> None:
        assigned = [each for each in statements(loop.body) if isinstance(each, Assign)]
        written = Counter(each.target.variable for each in assigned)
        read = Counter(one.variable for each in assigned for one in reads(each.expression))
        self.known: dict[Variable, Any] = {}
        body: list[Statement] = []
        for each in loop.body:
            if not isinstance(each, Assign):
                body.append(each)
                continue
            variable = each.target.variable
            own = variable.loop is loop.loop and written[variable] == 1 and not (each.adds or each.place)
            own = own and not (variable.kept or variable.rows or variable.carries or variable.shared)
            self._rewrite(each)
            e: Any = each.expression
            if each.adds and _is_repeated(e) and e.operands[0].value.ndim == e.value.ndim:
                each.expression = e = e.operands[0]  # adding repeats it
            if own and _is_repeated(e) and not isinstance(e.operands[0], Number):
                self._keep_once(each)
            elif own and read[variable] == 1 and _is_column(e) and not any(_changes(x, written) for x in reads(e)):
                self.known[variable] = e
                continue
            body.append(each)
        loop.body = body

    def _keep_once(self, each: Assign) -> None:
        """Let a variable be what is repeated; it is repeated where it is read, and so is a number."""
        e: Any = each.expression
        found = _product(e.operands[0])
        number, found.number = found.number, 1.0
        each.expression = _joined(found, np.shape(e.operands[0].value), e.value.dtype)
        variable = each.target.variable
        variable.value = np.empty(np.shape(each.expression.value), e.value.dtype)
        operands: Any = (Read(variable, each.target.index),)
        self.known[variable] = Apply(
            ops.mul, (Number(number), Apply(e.function, operands, e.attrs, e.value)), {}, e.value
        )
        self.finds = True

    def _rewrite(self, each: Assign) -> None:
        e = each.expression
        if isinstance(e, Read):
            each.expression = self.known.get(e.variable, e)
        elif isinstance(e, Apply):
            opened = _replaced(e, self.known)
            if opened is not e or any(x.function in (ops.sum, ops.broadcast_to) for x in applications(e)):
                each.expression = factored(opened)
                self.finds = self.finds or not same(each.expression, e)


@dataclass
class _Product:
    """A number times factors, by divisors."""

    number: float
    factors: list[Any]
    divisors: list[Any]


def factored(e: Any) -> Any:
    """Return an expression in which numbers and what is the same in a row stand outside of sums over the row."""
    return _joined(_product(e), np.shape(e.value), e.value.dtype) if isinstance(e, Apply) else e


def _product(e: Any) -> _Product:
    """Take an expression apart."""
    operands: Any = getattr(e, "operands", ())
    if isinstance(e, Number):
        return _Product(float(e.value), [], [])
    if not isinstance(e, Apply):
        return _Product(1.0, [e], [])
    if e.function is ops.neg:
        found = _product(e.operands[0])
        return _Product(-found.number, found.factors, found.divisors)
    if e.function is ops.mul:
        a, b = map(_product, e.operands)
        return _Product(a.number * b.number, [*a.factors, *b.factors], [*a.divisors, *b.divisors])
    if e.function is ops.div:
        return _quotient(e)
    if e.function is ops.sum and e.attrs.get("keepdims") and e.attrs.get("axis") is not None:
        return _sum_over_rows(e)
    if e.function is ops.reshape and np.shape(operands[0].value) == e.value.shape:
        return _product(e.operands[0])
    if e.function is ops.broadcast_to and np.ndim(operands[0].value) == e.value.ndim:
        found = _product(e.operands[0])
        inner = _joined(_Product(1.0, found.factors, found.divisors), np.shape(operands[0].value), e.value.dtype)
        return _Product(found.number, [Apply(e.function, (inner,), e.attrs, e.value)], [])
    if e.function in (ops.add, ops.sub):
        return _Product(1.0, [_sum_of_terms(e)], [])
    return _Product(1.0, [Apply(e.function, tuple(map(factored, e.operands)), e.attrs, e.value)], [])


def _quotient(e: Any) -> _Product:
    a, b = map(_product, e.operands)
    if not a.number or not b.number or np.log2(abs(b.number)) % 1:  # what has no exact reciprocal stays below
        return _Product(a.number, a.factors, [*a.divisors, factored(e.operands[1])])
    return _Product(a.number / b.number, [*a.factors, *b.divisors], [*a.divisors, *b.factors])


def _sum_over_rows(e: Any) -> _Product:
    inner = e.operands[0]
    axes = e.attrs["axis"] if isinstance(e.attrs["axis"], tuple) else (e.attrs["axis"],)
    found = _product(inner)
    within = [x for x in found.factors if not _is_same_along(x, axes, inner.value.ndim)]
    below = [x for x in found.divisors if not _is_same_along(x, axes, inner.value.ndim)]
    if not within or np.broadcast_shapes(*(np.shape(x.value) for x in within)) != inner.value.shape:
        return _Product(1.0, [Apply(e.function, (factored(inner),), e.attrs, e.value)], [])
    summed = _joined(_Product(1.0, within, below), inner.value.shape, inner.value.dtype)
    total = Apply(e.function, (summed,), e.attrs, e.value)
    outside = [x for x in found.factors if x not in within]
    return _Product(found.number, [total, *outside], [x for x in found.divisors if x not in below])


def _is_same_along(x: Any, axes: tuple[int, ...], ndim: int) -> bool:
    shape = np.shape(x.value)
    return not shape or (len(shape) == ndim and all(shape[axis] == 1 for axis in axes))


def _sum_of_terms(e: Any) -> Any:
    """Return a sum in which what is there twice is there once, times 2, and what is negative is subtracted."""
    terms: list[tuple[float, _Product, Any]] = []

    def add(x: Any, sign: float) -> None:
        if isinstance(x, Apply) and x.function in (ops.add, ops.sub):
            add(x.operands[0], sign)
            add(x.operands[1], sign if x.function is ops.add else -sign)
            return
        found = _product(x)
        number, found.number = sign * found.number, 1.0
        core = _joined(found, np.shape(x.value), e.value.dtype)
        for k, (other, product, known) in enumerate(terms):
            if same(core, known):
                terms[k] = other + number, product, known
                return
        terms.append((number, found, core))

    add(e, 1.0)
    terms.sort(key=lambda term: term[0] < 0)
    total: Any = None
    for number, product, core in terms:
        product.number = number if total is None else abs(number)
        value = np.shape(core.value)
        term = _joined(product, value, e.value.dtype)
        if total is None:
            total = term
        else:
            shape = np.broadcast_shapes(np.shape(total.value), np.shape(term.value))
            made = ops.add if number > 0 else ops.sub
            total = Apply(made, (_unrepeated(total, shape, term), _unrepeated(term, shape, total)), {}, _like(shape, e))
    return total


def _joined(product: _Product, shape: tuple[int, ...], dtype: Any) -> Any:
    """Write a product: first of numbers and what is small, so that what is large is gone over once."""
    factors, divisors = ([_once(x) for x in each] for each in (product.factors, product.divisors))
    if not factors and not divisors:
        return Number(product.number)
    kind, whole_size = np.zeros((), dtype), np.prod(shape)
    small, big = _apart(factors, whole_size)
    few, many = _apart(divisors, whole_size)
    if abs(product.number) != 1 or not factors:
        small = [Number(abs(product.number)), *small]
    first, then = (few, big) if small else (big, few)
    steps = [(ops.mul, x) for x in small]
    steps += [(ops.div if part is few else ops.mul, x) for part in (first, then) for x in part]
    steps += [(ops.div, x) for x in many]
    whole = steps[0][1]
    for function, x in steps[1:]:
        reached = np.broadcast_shapes(np.shape(whole.value), np.shape(x.value))
        whole = Apply(function, (whole, x), {}, np.broadcast_to(kind, reached))
    if product.number < 0:
        whole = Apply(ops.neg, (whole,), {}, whole.value)
    if np.shape(whole.value) != shape:
        whole = Apply(ops.broadcast_to, (whole,), {"shape": shape}, np.broadcast_to(kind, shape))
    return whole


def _apart(parts: list[Any], size: Any) -> tuple[list[Any], list[Any]]:
    """Return what is smaller than the whole, smallest first, and what is not."""
    small = sorted((x for x in parts if np.size(x.value) < size), key=lambda x: np.size(x.value))
    return small, [x for x in parts if np.size(x.value) >= size]


def _once(x: Any) -> Any:
    """Return what is repeated along axes that it has."""
    return x.operands[0] if _is_repeated(x) else x


def _unrepeated(x: Any, shape: tuple[int, ...], other: Any) -> Any:
    return _once(x) if np.shape(other.value) == shape else x


def _is_repeated(x: Any) -> bool:
    if not isinstance(x, Apply) or x.function is not ops.broadcast_to:
        return False
    (inner,) = x.operands
    return np.ndim(getattr(inner, "value", 0.0)) == x.value.ndim


def _changes(read: Read, written: Mapping[Variable, int]) -> bool:
    """Tell whether it may be something else a few lines later."""
    return read.variable.carries or written[read.variable] > 1


def _is_column(e: Any) -> bool:
    """Tell whether it is one number for each row."""
    return bool(isinstance(e, Apply) and e.value.ndim and e.value.shape[-1] == 1)


def _like(shape: tuple[int, ...], e: Any) -> Any:
    return np.broadcast_to(np.zeros((), e.value.dtype), shape)


def _replaced(e: Any, known: dict[Variable, Any]) -> Any:
    if isinstance(e, Read):
        return known.get(e.variable, e)
    if not isinstance(e, Apply) or not any(read.variable in known for read in reads(e)):
        return e
    return Apply(e.function, tuple(_replaced(x, known) for x in e.operands), e.attrs, e.value)
