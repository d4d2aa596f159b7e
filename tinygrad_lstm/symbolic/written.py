"""How expressions are written: each primitive in its style, in any notation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from types import EllipsisType
from typing import Any

import numpy as np

from ..engine.primitive import Primitive
from .expressions import (
    Apply,
    Constant,
    Expression,
    Function,
    Gradient,
    Hole,
    Name,
    Number,
    Written,
    outer,
    over_steps,
    shape_of,
)
from .notation import LATEX, MATHML, PLAIN, Notation

SUM, OVER, TIMES, PRODUCT, PREFIX, POWER, ATOM = range(7)
"""How tightly an expression binds; what binds less than its place requires is put in parentheses."""

MOST_LISTED = 5
"""Parts that a row of parts shows; of more the first, the second and the last. Chosen: it fits on a line."""


MOST_NUMBERS = 9
"""Numbers of an array that are written out; of a larger one the shape. Chosen: a matrix of 3 by 3 is read at once."""

_ONE_WORD = re.compile(r"[\w.′]+")
"""Names that need no parentheses."""


def text(expression: Expression) -> str:
    """Return the expression in one line."""
    return placed(expression, PLAIN)


def latex(expression: Expression) -> str:
    """Return the expression in LaTeX, as it stands between dollars."""
    return placed(expression, LATEX)


def mathml(expression: Expression) -> str:
    """Return the expression as MathML, for a page."""
    return placed(expression, MATHML)


def placed(expression: Expression, notation: Notation, place: int = SUM) -> str:
    """Return the expression, in parentheses if it binds less tightly than its place requires."""
    if isinstance(expression, Hole) and (hole := notation.hole(expression.of, bracketed=place > SUM)):
        return hole
    written, binding = _write(expression, notation)
    return written if binding >= place else notation.between("(", written, ")")


def terms(expression: Expression) -> list[tuple[str, Expression, int]]:
    """Return what is added up, each with its sign and the place it stands in."""
    if isinstance(expression, Apply) and expression.style == "infix":
        first, second = expression.operands
        sign = expression.primitive.symbol
        associative = sign == "+" and isinstance(second, Apply) and second.style == "infix"
        others = terms(second) if associative else [(sign, second, _after_sign(second, OVER))]
        return [*terms(first), *((each or sign, x, place) for each, x, place in others)]
    return [("", expression, SUM)]


def factors(expression: Expression) -> list[tuple[str, Expression, int]]:
    """Return what is multiplied number by number, each with its sign and place; one, if nothing is."""
    if isinstance(expression, Apply) and expression.style == "times" and not _same(*expression.operands):
        first, second = expression.operands
        numbers = isinstance(first, Number) or isinstance(second, Number)
        sign = "·" if numbers else expression.primitive.symbol
        (_, begin, place), *others = factors(second)
        return [*factors(first), (sign, begin, _after_sign(begin, place if others else PRODUCT)), *others]
    return [("", expression, TIMES)]


def _after_sign(x: Expression, place: int) -> int:
    """Return the place of what stands after a sign: one with a sign of its own has parentheses."""
    return POWER if isinstance(x, Apply) and x.style == "prefix" else place


def _write(expression: Expression, n: Notation) -> tuple[str, int]:
    if isinstance(expression, Name):
        simple = bool(_ONE_WORD.fullmatch(expression.text))
        return n.name(expression.text, expression.below, expression.time, expression.above), ATOM if simple else SUM
    if isinstance(expression, Gradient):
        return n.gradient(placed(expression.of, n, ATOM)), ATOM if isinstance(expression.of, Name) else POWER
    if isinstance(expression, Number):
        return n.number(expression.value), ATOM if expression.value >= 0 else SUM
    if isinstance(expression, Hole) and (hole := n.hole(expression.of, bracketed=False)):
        return hole, ATOM
    if isinstance(expression, Constant):
        value = np.asarray(expression.value)
        if value.size > MOST_NUMBERS:
            return n.words(f"({'×'.join(map(str, value.shape))} array)"), ATOM
        return (n.numbers(value), ATOM) if value.ndim else (n.number(value.item()), ATOM if value >= 0 else SUM)
    own = _OWN.get(expression.function)
    return own(expression, n) if own else _WRITERS[expression.style](expression, n)


def _function(e: Apply, n: Notation) -> tuple[str, int]:
    details = [f"{key}={_shown(value)}" for key, value in e.attrs.items() if value is not None and value is not False]
    name = e.function.symbol if isinstance(e.function, Primitive) else _numpys_name(e.function)
    return _called(name, e.operands, details, n), ATOM


def _numpys_name(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    return f"{owner.__name__}.{function.__name__}" if isinstance(owner, np.ufunc) else str(function.__name__)


def _called(function: str, operands: Iterable[Expression], details: Iterable[str], n: Notation) -> str:
    return n.called(function, [*(placed(operand, n) for operand in operands), *map(n.words, details)])


def _over_steps(e: Apply, n: Notation) -> tuple[str, int]:
    written, binding = _write(e.operands[0], n)
    bracketed = binding < TIMES
    return n.over("Σ", "t", written, bracketed=bracketed), ATOM if bracketed else OVER


def _infix(e: Apply, n: Notation) -> tuple[str, int]:
    return _joined(terms(e), n), SUM


def _times(e: Apply, n: Notation) -> tuple[str, int]:
    first, second = e.operands
    if _same(first, second):
        return _raised(first, "2", n)
    return _joined(factors(e), n), TIMES


def _joined(pieces: Iterable[tuple[str, Expression, int]], n: Notation) -> str:
    written = [(n.sign(sign) if sign else "", placed(x, n, place)) for sign, x, place in pieces]
    return n.row(*(part for pair in written for part in pair if part))


def _product(e: Apply, n: Notation) -> tuple[str, int]:
    """Write a product of matrices: side by side; one of vectors, which is a number, with a dot."""
    first, second = e.operands
    if e.primitive.symbol != "@":
        return n.row(placed(first, n, PRODUCT), n.sign(e.primitive.symbol), placed(second, n, PREFIX)), PRODUCT
    if len(shape_of(first)) == len(shape_of(second)) == 1:
        return n.row(placed(first, n, PRODUCT), n.sign("·"), placed(second, n, PREFIX)), TIMES
    return n.side_by_side(placed(first, n, PRODUCT), placed(second, n, PREFIX)), PRODUCT


def _outer(e: Apply, n: Notation) -> tuple[str, int]:
    first, second = (placed(x, n, PREFIX) for x in e.operands)
    side = 1 if e.attrs["columns"] else 0
    turned = n.transposed(placed(e.operands[side], n, ATOM))
    return n.side_by_side(first, turned) if side else n.side_by_side(turned, second), PRODUCT


def _quotient(e: Apply, n: Notation) -> tuple[str, int]:
    first, second = e.operands
    if n.groups:
        return n.fraction(placed(first, n), placed(second, n)), ATOM
    return n.fraction(placed(first, n, TIMES), placed(second, n, PREFIX)), TIMES


def _power(e: Apply, n: Notation) -> tuple[str, int]:
    base, exponent = e.operands
    if isinstance(exponent, Number) and exponent.value == 1:
        return _write(base, n)
    if isinstance(exponent, Number) and exponent.value.is_integer():
        return _raised(base, str(int(exponent.value)), n)
    return n.power(placed(base, n, ATOM), placed(exponent, n, ATOM)), POWER


def _raised(base: Expression, exponent: str, n: Notation) -> tuple[str, int]:
    """Write a power: tanh²(x), where one wrote tanh(x)²."""
    function = base.function if isinstance(base, Apply) and base.style == "call" else None
    if isinstance(base, Apply) and isinstance(function, Primitive) and len(base.operands) == 1 and not base.attrs:
        return n.called(function.symbol, [placed(base.operands[0], n)], exponent), ATOM
    return n.power(placed(base, n, ATOM), exponent), POWER


def _reduction(e: Apply, n: Notation) -> tuple[str, int]:
    axis = e.attrs.get("axis")
    axes = "" if axis is None else ",".join(map(str, axis if isinstance(axis, tuple) else (axis,)))
    symbol, (operand,) = e.primitive.symbol, e.operands
    written, binding = _write(operand, n)
    bracketed = len(symbol) > 1 or binding < PRODUCT or binding == PREFIX
    return n.over(symbol, axes, written, bracketed=bracketed), ATOM if bracketed else OVER


def _prefixed(e: Apply, n: Notation) -> tuple[str, int]:
    written, binding = _write(e.operands[0], n)
    inside = written if binding >= TIMES else n.between("(", written, ")")
    return n.prefix(e.primitive.symbol, inside), min(binding, PREFIX) if binding >= TIMES else PREFIX


def _indicator(e: Apply, n: Notation) -> tuple[str, int]:
    first, second = e.operands
    compared = n.row(placed(first, n), n.sign(e.primitive.symbol), placed(second, n))
    return n.between("[", compared, "]"), ATOM


def _list(e: Apply, n: Notation) -> tuple[str, int]:
    """Write parts in brackets: side by side ``[h, x]``, or one below the other ``[h; x]``."""
    axis = e.attrs.get("axis", 0) % e.value.ndim
    stacked = e.value.ndim > len(shape_of(e.operands[0])) > 0
    if axis < e.value.ndim - 2 or (stacked and axis != 0):
        return _called(e.primitive.name, e.operands, [f"axis={axis}"] if axis else [], n), ATOM
    parts = [placed(x, n) for x in (e.operands if stacked else _flat(e, axis))]
    if len(parts) > MOST_LISTED:
        parts = [*parts[:2], n.words("…"), parts[-1]]
    separator = "," if axis == e.value.ndim - 1 else ";"
    return n.between("[", n.listed(parts, separator), "]"), ATOM


def _flat(e: Apply, axis: int) -> Iterator[Expression]:
    """Yield what stands in a row of parts, and in the rows among them."""
    for x in e.operands:
        row = isinstance(x, Apply) and x.function is e.function and x.attrs.get("axis", 0) % x.value.ndim == axis
        yield from _flat(x, axis) if isinstance(x, Apply) and row else [x]


def _element(e: Apply, n: Notation) -> tuple[str, int]:
    (index,) = map(shown_index, e.attrs.values())
    return n.row(placed(e.operands[0], n, ATOM), n.between("[", n.words(index), "]")), ATOM


def _root(e: Apply, n: Notation) -> tuple[str, int]:
    return (n.root(placed(e.operands[0], n)), ATOM) if n.groups else (n.root(placed(e.operands[0], n, ATOM)), PREFIX)


def _at(e: Apply, n: Notation) -> tuple[str, int]:
    at = n.words(f" at [{shown_index(e.attrs['index'])}]")
    return n.called(e.primitive.name, [n.row(placed(e.operands[0], n), at)]), ATOM


def _without_reshape(e: Expression) -> Expression:
    """Return what a reshape merely prepared for broadcasting."""
    reshaped = isinstance(e, Apply) and isinstance(e.function, Primitive) and e.function.style == "reshaped"
    return e.operands[0] if isinstance(e, Apply) and reshaped else e


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(str, value))})"
    return str(value)


def shown_index(index: Any) -> str:
    """Return an index as one writes it between brackets: ``0:3, :``."""
    if isinstance(index, tuple):
        return ", ".join(map(shown_index, index)) or "()"
    if isinstance(index, slice):
        bounds = ["" if bound is None else str(bound) for bound in (index.start, index.stop)]
        return ":".join(bounds if index.step is None else [*bounds, str(index.step)])
    if isinstance(index, EllipsisType):
        return "…"
    if isinstance(index, np.ndarray):
        return str(index.tolist()) if index.size <= 6 else f"{index.size} indices"
    return str(index)


def _same(a: Expression, b: Expression) -> bool:
    if isinstance(a, Apply) and isinstance(b, Apply):
        return a.function == b.function and a.attrs == b.attrs and all(map(_same, a.operands, b.operands))
    if isinstance(a, Constant) and isinstance(b, Constant):
        return a.value is b.value
    return a == b


_WRITERS: dict[str, Callable[[Apply, Notation], tuple[str, int]]] = {
    "infix": _infix,
    "times": _times,
    "product": _product,
    "fraction": _quotient,
    "power": _power,
    "prefix": _prefixed,
    "root": _root,
    "bars": lambda e, n: (n.between("|", placed(e.operands[0], n), "|"), ATOM),
    "bracket": _indicator,
    "over": _reduction,
    "superscript": lambda e, n: (n.transposed(placed(e.operands[0], n, ATOM)), ATOM),
    "broadcast": lambda e, n: (_called("broadcast", [_without_reshape(e.operands[0])], (), n), ATOM),
    "reshaped": lambda e, n: (_called(e.primitive.name, e.operands, [_shown(e.attrs["shape"])], n), ATOM),
    "element": _element,
    "at": _at,
    "list": _list,
    "call": _function,
}
"""How each of ``engine.primitive.STYLES`` is written."""

_OWN: dict[Function, Callable[[Apply, Notation], tuple[str, int]]] = {outer: _outer, over_steps: _over_steps}
"""How functions are written that only formulas have."""

Written.__repr__ = text  # type: ignore[method-assign, assignment]
Written._repr_html_ = lambda self: f"<math>{mathml(self)}</math>"  # type: ignore[attr-defined]
Written._repr_latex_ = lambda self: f"${latex(self)}$"  # type: ignore[attr-defined]
