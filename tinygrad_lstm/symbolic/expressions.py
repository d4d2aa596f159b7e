"""Expressions: what symbols build, and how it is printed as plain text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import numpy as np

from ..engine.primitive import Primitive

_SUBSCRIPTS = str.maketrans("0123456789-,", "₀₁₂₃₄₅₆₇₈₉₋ ")
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

SUM, PRODUCT, PREFIX, POWER, ATOM = range(5)
"""How tightly an expression binds; what binds less than its place requires is put in parentheses."""


@dataclass(frozen=True)
class Name:
    text: str


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True, eq=False)
class Apply:
    primitive: Primitive
    operands: tuple[Expression, ...]
    attrs: Mapping[str, Any]


Expression = Name | Number | Apply


def text(expression: Expression, place: int = SUM) -> str:
    """The expression in one line, in parentheses if it binds less tightly than its place requires."""
    written, binding = _write(expression)
    return written if binding >= place else f"({written})"


def replaced(expression: Expression, names: Mapping[str, str]) -> Expression:
    """The same expression with other words for some names."""
    if isinstance(expression, Name):
        return Name(names.get(expression.text, expression.text))
    if isinstance(expression, Number):
        return expression
    operands = tuple(replaced(operand, names) for operand in expression.operands)
    return Apply(expression.primitive, operands, expression.attrs)


def subscript(number: object) -> str:
    return str(number).translate(_SUBSCRIPTS).replace(" ", "")


def _write(expression: Expression) -> tuple[str, int]:
    if isinstance(expression, Name):
        return expression.text, ATOM if re.fullmatch(r"[\w.∂/′]+|\[.*\]", expression.text) else SUM
    if isinstance(expression, Number):
        number = f"{expression.value:.4g}"
        return number.replace("-", "−"), ATOM if expression.value >= 0 else SUM
    write = _WRITERS.get(expression.primitive.name, _function)
    return write(expression)


def _function(e: Apply) -> tuple[str, int]:
    details = [f"{key}={_shown(value)}" for key, value in e.attrs.items() if value is not None and value is not False]
    return f"{e.primitive.symbol}({', '.join([*map(text, e.operands), *details])})", ATOM


def _sum(e: Apply) -> tuple[str, int]:
    first, second = e.operands
    return f"{text(first)} {e.primitive.symbol} {text(second, PRODUCT)}", SUM


def _product(e: Apply) -> tuple[str, int]:
    first, second = e.operands
    if e.primitive.name == "mul" and _same(first, second):
        return _raised(first, "2")
    dot = "·" if isinstance(first, Number) or isinstance(second, Number) else e.primitive.symbol
    symbol = dot if e.primitive.name == "mul" else e.primitive.symbol
    return f"{text(first, PRODUCT)} {symbol} {text(second, PREFIX)}", PRODUCT


def _power(e: Apply) -> tuple[str, int]:
    base, exponent = e.operands
    if isinstance(exponent, Number) and exponent.value == 1:
        return _write(base)
    if isinstance(exponent, Number) and exponent.value == int(exponent.value):
        return _raised(base, str(int(exponent.value)))
    return f"{text(base, ATOM)}^{text(exponent, ATOM)}", POWER


def _raised(base: Expression, exponent: str) -> tuple[str, int]:
    return text(base, ATOM) + exponent.translate(_SUPERSCRIPTS), POWER


def _reduction(e: Apply) -> tuple[str, int]:
    axis = e.attrs.get("axis")
    axes = "" if axis is None else ",".join(map(str, axis if isinstance(axis, tuple) else (axis,)))
    return f"{e.primitive.symbol}{subscript(axes)}({text(e.operands[0])})", ATOM


def _indicator(e: Apply) -> tuple[str, int]:
    first, second = e.operands
    return f"[{text(first)} {e.primitive.symbol} {text(second)}]", ATOM


def _list(e: Apply) -> tuple[str, int]:
    axis = f", axis={e.attrs['axis']}" if e.attrs.get("axis") else ""
    return f"{e.primitive.name}({', '.join(map(text, e.operands))}{axis})", ATOM


def _without_reshape(e: Expression) -> Expression:
    """What a reshape merely prepared for broadcasting."""
    return e.operands[0] if isinstance(e, Apply) and e.primitive.name == "reshape" else e


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(str, value))})"
    return str(value)


def shown_index(index: Any) -> str:
    """An index as one writes it between brackets: ``0:3, :``."""
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
        return a.primitive is b.primitive and a.attrs == b.attrs and all(map(_same, a.operands, b.operands))
    return a == b


_WRITERS: dict[str, Callable[[Apply], tuple[str, int]]] = {
    "add": _sum,
    "sub": _sum,
    "mul": _product,
    "div": _product,
    "matmul": _product,
    "pow": _power,
    "neg": lambda e: (f"−{text(e.operands[0], PREFIX)}", PREFIX),
    "sqrt": lambda e: (f"√{text(e.operands[0], ATOM)}", PREFIX),
    "abs": lambda e: (f"|{text(e.operands[0])}|", ATOM),
    "greater": _indicator,
    "equal": _indicator,
    "sum": _reduction,
    "mean": _reduction,
    "max": _reduction,
    "logsumexp": _reduction,
    "transpose": lambda e: (f"{text(e.operands[0], ATOM)}ᵀ", ATOM),
    "broadcast_to": lambda e: (f"broadcast({text(_without_reshape(e.operands[0]))})", ATOM),
    "reshape": lambda e: (f"reshape({text(e.operands[0])}, {_shown(e.attrs['shape'])})", ATOM),
    "getitem": lambda e: (f"{text(e.operands[0], ATOM)}[{shown_index(e.attrs['index'])}]", ATOM),
    "take": lambda e: (f"{text(e.operands[0], ATOM)}[{shown_index(e.attrs['indices'])}]", ATOM),
    "put": lambda e: (f"put({text(e.operands[0])} at [{shown_index(e.attrs['index'])}])", ATOM),
    "concat": _list,
    "stack": _list,
}
