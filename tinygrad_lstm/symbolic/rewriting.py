"""Rewriting: an expression as a person writes it. Each rewrite is small and keeps the numbers, which is tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..engine import ops
from ..engine.primitive import Primitive
from .expressions import Apply, Constant, Expression, Gradient, Name, Number, outer, shape_of


def applications(*expressions: Expression) -> list[Apply]:
    """Return every application in them once, operands before what uses them; a rule that loops makes thousands."""
    order: dict[Apply, None] = {}
    unvisited = list(expressions)
    while unvisited:
        expression = unvisited[-1]
        if isinstance(expression, Apply) and expression not in order:
            waiting = [x for x in expression.operands if isinstance(x, Apply) and x not in order]
            if waiting:
                unvisited += waiting
                continue
            order[expression] = None
        unvisited.pop()
    return list(order)


def replaced(expression: Expression, by: Mapping[Expression, Expression]) -> Expression:
    """Return the same expression with others for some names."""
    made: dict[Expression, Expression] = {}

    def operand(x: Expression) -> Expression:
        if isinstance(x, Name | Gradient):
            return by.get(x, x)
        return made.get(x, x)

    for each in applications(expression):
        made[each] = Apply(each.function, tuple(map(operand, each.operands)), each.attrs, each.value)
    return operand(expression)


def value_of(expression: Expression, values: Mapping[Expression, Any]) -> Any:
    """Return what an expression computes of the arrays that its names stand for."""
    known: dict[Expression, Any] = {}

    def operand(x: Expression) -> Any:
        if isinstance(x, Number):
            return np.full(x.shape, x.value) if x.shape else np.float64(x.value)
        if isinstance(x, Constant):
            return x.value
        return known[x] if isinstance(x, Apply) else values[x]

    for each in applications(expression):
        function = each.function.forward if isinstance(each.function, Primitive) else each.function
        known[each] = function(*map(operand, each.operands), **each.attrs)
    return operand(expression)


def simplified(expression: Expression) -> Expression:
    """Return the expression after all rewrites, of operands before what uses them."""
    made: dict[Expression, Expression] = {}

    def operand(x: Expression) -> Expression:
        return made[x] if isinstance(x, Apply) else _as_number(x)

    for each in applications(expression):
        made[each] = rewritten(Apply(each.function, tuple(map(operand, each.operands)), each.attrs, each.value))
    return operand(expression)


def rewritten(each: Apply) -> Expression:
    """Return an application whose operands are as they should be, after the rewrites of its own."""
    for rewrite in REWRITES:
        found = rewrite(each)
        if found is not None:
            return rewritten(found) if isinstance(found, Apply) else found
    return each


def _as_number(expression: Expression) -> Expression:
    """Return a constant as a number if it is one, or an array of the same one; others are named by their shape."""
    if not isinstance(expression, Constant):
        return expression
    array = np.asarray(expression.value)
    return Number(float(array)) if array.ndim == 0 else expression


def computed(e: Apply) -> Expression | None:
    """What is made of numbers alone, and the same everywhere, is a number."""
    if not e.value.size or not e.operands or not all(isinstance(x, Number) for x in e.operands):
        return None
    first = e.operands[0]
    if isinstance(first, Number) and e.function in (ops.getitem, ops.reshape, ops.transpose, ops.broadcast_to):
        return Number(first.value, e.value.shape)
    with np.errstate(all="ignore"):
        made = np.asarray(value_of(e, {}))
    same = made.shape == e.value.shape and bool(np.all(made == made.flat[0]))
    return Number(float(made.flat[0]), made.shape) if same else None


def vanished(e: Apply) -> Expression | None:
    """A product with zero is zero."""
    if e.value.size and Number(0.0) in e.operands and getattr(e.function, "combines", None) == "product":
        return Number(0.0, e.value.shape)
    return None


def chosen(e: Apply) -> Expression | None:
    """Of what a number chooses, the choice."""
    if e.function is ops.where and isinstance(e.operands[0], Number):
        choice = e.operands[1 if e.operands[0].value else 2]
        return choice if shape_of(choice) == e.value.shape else None
    return None


def neutral(e: Apply) -> Expression | None:
    """x + 0, x − 0, x ⊙ 1 and x / 1 are x, and 0 + x and 1 ⊙ x are, where that has the shape of the result."""
    if len(e.operands) != 2 or e.style not in ("infix", "times", "fraction"):
        return None
    unit = Number(0.0 if e.style == "infix" else 1.0)
    first, second = e.operands
    if second == unit and shape_of(first) == e.value.shape:
        return first
    commutes = e.function in (ops.add, ops.mul)
    return second if commutes and first == unit and shape_of(second) == e.value.shape else None


def subtracted(e: Apply) -> Expression | None:
    """−(−x) is x; a + (−b) is a − b, as is −b + a, and a − (−b) is a + b."""
    if e.function not in (ops.neg, ops.add, ops.sub):
        return None
    if _is_negative(e.operands[-1]):
        inner = e.operands[-1].operands[0]  # type: ignore[union-attr]
        if e.function is ops.neg:
            return inner
        return Apply(ops.sub if e.function is ops.add else ops.add, (e.operands[0], inner), {}, e.value)
    if e.function is ops.add and _is_negative(e.operands[0]):
        return Apply(ops.sub, (e.operands[1], e.operands[0].operands[0]), {}, e.value)  # type: ignore[union-attr]
    return None


def sign_in_front(e: Apply) -> Expression | None:
    """(−a) ⊙ b and a ⊙ (−b) are −(a ⊙ b), and so with quotients and products of matrices."""
    if e.function not in (ops.mul, ops.div, ops.matmul):
        return None
    for i, x in enumerate(e.operands):
        if _is_negative(x):
            others = list(e.operands)
            others[i] = x.operands[0]  # type: ignore[union-attr]
            return Apply(ops.neg, (rewritten(Apply(e.function, tuple(others), e.attrs, e.value)),), {}, e.value)
    return None


def _is_negative(x: Expression) -> bool:
    return isinstance(x, Apply) and x.function is ops.neg


def turned_back(e: Apply) -> Expression | None:
    """A transpose of a transpose is what was there before, if each exchanges the same two axes."""
    (inner, *_) = e.operands
    if e.function is not ops.transpose or not (isinstance(inner, Apply) and inner.function is ops.transpose):
        return None
    n = e.value.ndim
    first, second = ([axis % n for axis in each.attrs.get("axes") or range(n)[::-1]] for each in (inner, e))
    before = [first[axis] for axis in second]
    return inner.operands[0] if before == list(range(n)) else None


def outer_product(e: Apply) -> Expression | None:
    """A column times a row, number by number, is an outer product: aᵀ g of rows, g bᵀ of columns."""
    if e.function is not ops.mul:
        return None
    first, second = e.operands
    column, row = _vector(first, _COLUMNS), _vector(second, _ROWS)
    if column is not None and row is not None:
        return Apply(outer, (column, row), {"columns": False}, e.value)
    if column is not None and len(shape_of(second)) == 1:
        return Apply(outer, (column, second), {"columns": True}, e.value)
    return None


def vector_product(e: Apply) -> Expression | None:
    """A matrix times a column, as a vector again, is a product with a vector: g Wᵀ of rows, Aᵀ g of columns."""
    (inner, *_) = e.operands
    if not (e.function is ops.getitem and _has_index(e, (..., 0))):
        return None
    if not (isinstance(inner, Apply) and inner.function is ops.matmul and inner.value.ndim == 2):
        return None
    matrix, vector = inner.operands[0], _vector(inner.operands[1], _COLUMNS)
    if vector is None or len(shape_of(matrix)) != 2:
        return None
    if isinstance(matrix, Apply) and matrix.function is ops.transpose:
        return Apply(ops.matmul, (matrix, vector), {}, e.value)
    turned = Apply(ops.transpose, (matrix,), {"axes": None}, np.empty(shape_of(matrix)[::-1]))
    return Apply(ops.matmul, (vector, turned), {}, e.value)


def part_of_sum(e: Apply) -> Expression | None:
    """A part of a sum is the sum of the parts, and of −x that of −x, where nothing was broadcast."""
    (inner, *_) = e.operands
    if e.function is not ops.getitem or not isinstance(inner, Apply):
        return None
    if inner.style not in ("infix", "prefix") or any(shape_of(x) != inner.value.shape for x in inner.operands):
        return None
    parts = (rewritten(Apply(ops.getitem, (x,), e.attrs, e.value)) for x in inner.operands)
    return Apply(inner.function, tuple(parts), inner.attrs, e.value)


def part_of_product(e: Apply) -> Expression | None:
    """Columns of g Wᵀ are g times those columns: (W[rows])ᵀ."""
    (inner, *_) = e.operands
    if e.function is not ops.getitem or not isinstance(inner, Apply) or inner.function is not ops.matmul:
        return None
    columns, (first, second) = _last_slice(e, inner.value.ndim), inner.operands
    if columns is None or not (
        isinstance(second, Apply) and second.function is ops.transpose and second.value.ndim == 2
    ):
        return None
    (matrix,) = second.operands
    rows = Apply(ops.getitem, (matrix,), {"index": (columns,)}, second.value.T[columns])
    return Apply(ops.matmul, (first, Apply(ops.transpose, (rows,), {"axes": None}, rows.value.T)), {}, e.value)


def part_of_part(e: Apply) -> Expression | None:
    """Columns of columns are columns."""
    (inner, *_) = e.operands
    if e.function is not ops.getitem or not isinstance(inner, Apply) or inner.function is not ops.getitem:
        return None
    first, second = _last_slice(inner, inner.value.ndim), _last_slice(e, inner.value.ndim)
    if first is None or second is None or len(shape_of(inner.operands[0])) != inner.value.ndim:
        return None
    columns = slice(first.start + second.start, first.start + second.stop)
    index = (*(slice(None),) * (inner.value.ndim - 1), columns)
    return Apply(ops.getitem, inner.operands, {"index": index}, e.value)


def part_of_placed(e: Apply) -> Expression | None:
    """Of what was placed among zeros, the part at its own place is what it was, and others are 0."""
    (inner, *_) = e.operands
    if e.function is not ops.getitem or not isinstance(inner, Apply) or inner.function is not ops.index_add:
        return None
    here, there = (_whole_number(each.attrs["index"]) for each in (e, inner))
    if here is None or there is None:
        return None
    n = inner.value.shape[0]
    return inner.operands[0] if here % n == there % n else Number(0.0, e.value.shape)


def _whole_number(index: Any) -> int | None:
    """Return an index that is a single whole number; None if it is anything else."""
    if isinstance(index, tuple) and len(index) == 1:
        (index,) = index
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _last_slice(e: Apply, ndim: int) -> slice | None:
    """Return which columns an element is, from one to another; None if it is anything else."""
    index = e.attrs["index"] if isinstance(e.attrs["index"], tuple) else (e.attrs["index"],)
    if len(index) != ndim or not all(isinstance(each, slice) for each in index):
        return None
    *others, last = index
    plain = all(each == slice(None) for each in others) and last.step is None
    return last if plain and isinstance(last.start, int) and isinstance(last.stop, int) else None


_COLUMNS = ((slice(None), None), (..., None))
_ROWS = ((..., None, slice(None)), (None, slice(None)))
"""Indices by which a vector is made a matrix of one column, or of one row."""


def _vector(x: Expression, indices: tuple[Any, ...]) -> Expression | None:
    """Return the vector that was made a matrix by one of the indices; None of anything else."""
    if isinstance(x, Apply) and x.function is ops.getitem and len(shape_of(x.operands[0])) == 1:
        return x.operands[0] if _has_index(x, *indices) else None
    return None


def _has_index(e: Apply, *indices: tuple[Any, ...]) -> bool:
    """Tell whether an element is that of one of the indices, in which there are no arrays."""
    index = e.attrs["index"]
    if not isinstance(index, tuple) or any(isinstance(each, np.ndarray) for each in index):
        return False
    return index in indices


REWRITES: tuple[Callable[[Apply], Expression | None], ...] = (
    computed, vanished, chosen, neutral, subtracted, sign_in_front, turned_back, outer_product, vector_product,
    part_of_sum, part_of_product, part_of_part, part_of_placed,
)  # fmt: skip
"""All of them, in the order in which they are tried; each returns None where it does not apply."""
