"""Expressions: what the tracer builds, and how each primitive is written, in any notation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.primitive import Primitive
from .notation import MATHML, PLAIN, Notation

SUM, PRODUCT, PREFIX, POWER, ATOM = range(5)
"""How tightly an expression binds; what binds less than its place requires is put in parentheses."""


class _Written:
    """What shows itself as one writes it: a line of text, or MathML in a notebook."""

    def __repr__(self) -> str:
        return text(self)  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        return f"<math>{mathml(self)}</math>"  # type: ignore[arg-type]


@dataclass(frozen=True, repr=False)
class Name(_Written):
    text: str


@dataclass(frozen=True, repr=False)
class Number(_Written):
    value: float


@dataclass(frozen=True, eq=False, repr=False)
class Constant(_Written):
    """An array or number that is the same whatever the inputs are; in a formula the numbers of a small tensor."""

    value: NDArray[Any] | float


Function = Primitive | np.ufunc | Callable[..., Any]
"""A primitive; or, where those are opened, a ufunc, the ``reduce`` of one, or the tracer's ``cast``."""


@dataclass(frozen=True, eq=False, repr=False)
class Apply(_Written):
    """A function of operands; ``value`` is what it made of the arrays it was read with, and tells shape and type."""

    function: Function
    operands: tuple[Expression, ...]
    attrs: Mapping[str, Any]
    value: NDArray[Any]

    @property
    def primitive(self) -> Primitive:
        """The function, where it is a primitive."""
        assert isinstance(self.function, Primitive)
        return self.function


Expression = Name | Number | Constant | Apply


_ONE_WORD = re.compile(r"[\w.′]+|∂[\w.′]+/∂[\w.′]+")
"""Names that need no parentheses."""


def text(expression: Expression) -> str:
    """Return the expression in one line."""
    return _placed(expression, PLAIN)


def mathml(expression: Expression) -> str:
    """Return the expression as MathML, for a page."""
    return _placed(expression, MATHML)


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


def replaced(expression: Expression, numbers: Mapping[str, Any]) -> Expression:
    """Return the same expression with numbers for some names."""
    if isinstance(expression, Name):
        value = numbers.get(expression.text)
        return expression if value is None else Constant(value)
    if not isinstance(expression, Apply):
        return expression
    operands = tuple(replaced(operand, numbers) for operand in expression.operands)
    return Apply(expression.function, operands, expression.attrs, expression.value)


def _placed(expression: Expression, notation: Notation, place: int = SUM) -> str:
    """Return the expression, in parentheses if it binds less tightly than its place requires."""
    written, binding = _write(expression, notation)
    return written if binding >= place else notation.between("(", written, ")")


def _write(expression: Expression, n: Notation) -> tuple[str, int]:
    if isinstance(expression, Name):
        return n.name(expression.text), ATOM if _ONE_WORD.fullmatch(expression.text) else SUM
    if isinstance(expression, Number):
        return n.number(expression.value), ATOM if expression.value >= 0 else SUM
    if isinstance(expression, Constant):
        value = np.asarray(expression.value)
        return (n.numbers(value), ATOM) if value.ndim else (n.number(value.item()), ATOM if value >= 0 else SUM)
    style = expression.function.style if isinstance(expression.function, Primitive) else "call"
    return _WRITERS[style](expression, n)


def _function(e: Apply, n: Notation) -> tuple[str, int]:
    details = [f"{key}={_shown(value)}" for key, value in e.attrs.items() if value is not None and value is not False]
    name = e.function.symbol if isinstance(e.function, Primitive) else _numpys_name(e.function)
    return _called(name, e.operands, details, n), ATOM


def _numpys_name(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    return f"{owner.__name__}.{function.__name__}" if isinstance(owner, np.ufunc) else str(function.__name__)


def _called(function: str, operands: Iterable[Expression], details: Iterable[str], n: Notation) -> str:
    arguments = [*(_placed(operand, n) for operand in operands), *map(n.words, details)]
    return n.prefix(function, n.between("(", n.listed(arguments), ")"))


def _infix(e: Apply, n: Notation) -> tuple[str, int]:
    first, second = e.operands
    return n.row(_placed(first, n), n.sign(e.primitive.symbol), _placed(second, n, PRODUCT)), SUM


def _product(e: Apply, n: Notation) -> tuple[str, int]:
    first, second = e.operands
    symbol = e.primitive.symbol
    if e.primitive.style == "times":
        if _same(first, second):
            return n.power(_placed(first, n, ATOM), "2"), POWER
        symbol = "·" if isinstance(first, Number) or isinstance(second, Number) else symbol
    return n.row(_placed(first, n, PRODUCT), n.sign(symbol), _placed(second, n, PREFIX)), PRODUCT


def _quotient(e: Apply, n: Notation) -> tuple[str, int]:
    first, second = e.operands
    if n.groups:
        return n.fraction(_placed(first, n), _placed(second, n)), ATOM
    return n.fraction(_placed(first, n, PRODUCT), _placed(second, n, PREFIX)), PRODUCT


def _power(e: Apply, n: Notation) -> tuple[str, int]:
    base, exponent = e.operands
    if isinstance(exponent, Number) and exponent.value == 1:
        return _write(base, n)
    if isinstance(exponent, Number) and exponent.value.is_integer():
        return n.power(_placed(base, n, ATOM), str(int(exponent.value))), POWER
    return n.power(_placed(base, n, ATOM), _placed(exponent, n, ATOM)), POWER


def _reduction(e: Apply, n: Notation) -> tuple[str, int]:
    axis = e.attrs.get("axis")
    axes = "" if axis is None else ",".join(map(str, axis if isinstance(axis, tuple) else (axis,)))
    symbol = n.indexed(e.primitive.symbol, axes)
    return n.row(symbol, n.between("(", _placed(e.operands[0], n), ")")), ATOM


def _indicator(e: Apply, n: Notation) -> tuple[str, int]:
    first, second = e.operands
    compared = n.row(_placed(first, n), n.sign(e.primitive.symbol), _placed(second, n))
    return n.between("[", compared, "]"), ATOM


def _list(e: Apply, n: Notation) -> tuple[str, int]:
    details = [f"axis={e.attrs['axis']}"] if e.attrs.get("axis") else []
    return _called(e.primitive.name, e.operands, details, n), ATOM


def _element(e: Apply, n: Notation) -> tuple[str, int]:
    (index,) = map(shown_index, e.attrs.values())
    return n.row(_placed(e.operands[0], n, ATOM), n.between("[", n.words(index), "]")), ATOM


def _root(e: Apply, n: Notation) -> tuple[str, int]:
    return (n.root(_placed(e.operands[0], n)), ATOM) if n.groups else (n.root(_placed(e.operands[0], n, ATOM)), PREFIX)


def _at(e: Apply, n: Notation) -> tuple[str, int]:
    at = n.words(f" at [{shown_index(e.attrs['index'])}]")
    return n.prefix(e.primitive.name, n.between("(", n.row(_placed(e.operands[0], n), at), ")")), ATOM


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
    "times": _product,
    "product": _product,
    "fraction": _quotient,
    "power": _power,
    "prefix": lambda e, n: (n.prefix(e.primitive.symbol, _placed(e.operands[0], n, PREFIX)), PREFIX),
    "root": _root,
    "bars": lambda e, n: (n.between("|", _placed(e.operands[0], n), "|"), ATOM),
    "bracket": _indicator,
    "over": _reduction,
    "superscript": lambda e, n: (n.transposed(_placed(e.operands[0], n, ATOM)), ATOM),
    "broadcast": lambda e, n: (_called("broadcast", [_without_reshape(e.operands[0])], (), n), ATOM),
    "reshaped": lambda e, n: (_called(e.primitive.name, e.operands, [_shown(e.attrs["shape"])], n), ATOM),
    "element": _element,
    "at": _at,
    "list": _list,
    "call": _function,
}
"""How each of ``engine.primitive.STYLES`` is written."""
