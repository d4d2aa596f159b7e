"""The bridge to SymPy: what a graph computes as its expressions, to be simplified, solved or differentiated there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ..engine import ops
from ..engine.errors import short
from ..engine.graph import Graph
from ..engine.primitive import Primitive
from ..engine.tensor import Tensor
from .expressions import Function
from .symbols import Symbols
from .tracer import UnknownToReader, cast, evaluate, read_forward
from .written import text

LARGEST = 1_000
"""Numbers in a graph, at most: SymPy takes about a second for the derivatives of an LSTM of one unit and 5 steps."""


class Algebra(NamedTuple):
    """What ``to_sympy`` returns.

    ``expression`` is SymPy's expression of the output, or an array of them in its shape; ``symbols`` maps each leaf to
    its symbol, or to an array of them; ``values`` maps each symbol to its number, for ``expression.subs(values)``.
    """

    expression: Any
    symbols: dict[Tensor, Any]
    values: dict[Any, float]


def to_sympy(graph: Graph | Tensor) -> Algebra:
    """Return what a tensor was computed to be as SymPy's expressions of the leaves behind it.

    Forwards are read, down to numpy's functions; where SymPy has a function of an operation's name that computes the
    same, as ``erf``, that is taken. A leaf of one number is a real symbol with its name, W_f for the weight of f; of an
    array each number has one, W_f_0_1. Constants without a name are numbers, exact if they are whole.

    Arguments:
        graph: a tensor, or ``tl.Graph(tensor)``; of at most ``LARGEST`` numbers.

    Raises:
        ModuleNotFoundError: where the extra "sympy" is not installed.
        UnknownToReader: for an operation whose forward cannot be read, or does what SymPy has no function for.
        TypeError: for what is neither a tensor nor a graph.
        ValueError: for a graph of more numbers.

    Source: A. Meurer et al., "SymPy: symbolic computing in Python" (2017).
    """
    if not isinstance(graph, Graph | Tensor):
        raise TypeError(f"to_sympy takes a tensor, or tl.Graph(tensor), not {short(graph)}")
    graph = graph if isinstance(graph, Graph) else Graph(graph)
    size = sum(node.size for node in graph.nodes)
    if size > LARGEST:
        raise ValueError(f"this graph holds {size:,} numbers; SymPy would take hours for more than {LARGEST:,}")
    _sympy()
    made: dict[Tensor, Any] = {}
    values: dict[Any, float] = {}
    names = _names(graph)
    for node in graph.nodes:
        if node.primitive is not None:
            made[node] = _computed(node, [made[x] for x in node.inputs])
        elif node in names:
            made[node] = _symbols(names[node], node.shape)
            values |= zip(made[node].ravel(), graph.values[node].ravel().tolist(), strict=True)
        else:
            made[node] = _constant(graph.values[node])
    leaves = {x: _bare(made[x]) for x in graph.nodes if x in names}
    return Algebra(_bare(made[graph.output]), leaves, values)


@cache
def _sympy() -> Any:
    try:
        return import_module("sympy")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("to_sympy needs the extra: pip install 'tinygrad-lstm[sympy]'") from error


def _names(graph: Graph) -> dict[Tensor, str]:
    """Return what the leaves are called that are symbols; each has a name of its own."""
    symbols = Symbols(graph.nodes)
    names: dict[Tensor, str] = {}
    for number, x in enumerate(graph.leaves):
        if x.name is None and not x.requires_grad:
            continue
        own = symbols.own(x)
        name = f"x{number}" if own is None else text(own)
        while name in names.values():
            name += "′"
        names[x] = name
    return names


def _symbols(name: str, shape: tuple[int, ...]) -> Any:
    made = np.empty(shape, object)
    for index in np.ndindex(shape):
        label = name if made.size == 1 else "_".join([name, *map(str, index)])
        made[index] = _sympy().Symbol(label, real=True)
    return made


def _computed(node: Tensor, operands: Sequence[Any]) -> Any:
    """Return what an operation makes of arrays of expressions."""
    assert node.primitive is not None
    if known := _by_name(node.primitive):
        return _arrays(np.frompyfunc(known, 1, 1)(operands[0]))
    traced = read_forward(node.primitive, node.input_values, node.attrs)
    named = {f"x{i}": x for i, x in enumerate(operands)}
    try:
        return np.broadcast_to(evaluate([traced], named, _applied, _constant)[0], node.shape)
    except UnknownToReader as reason:
        raise UnknownToReader(f"{node.primitive.name} cannot be written for SymPy: {reason}") from None


@cache
def _by_name(primitive: Primitive) -> Any:
    """Return SymPy's function of an operation's name, of one number, if it computes the same where it is defined."""
    function = getattr(_sympy(), primitive.name, None)
    if primitive.arity != 1 or primitive.variadic or primitive.attr_names or not isinstance(function, type):
        return None
    (low, high), *_ = primitive.domains
    points = np.array([max(low, -2.0) + 0.3, 0.7, min(high, 3.0) - 0.2])
    try:
        theirs = np.array([float(function(point)) for point in points.tolist()])
    except (TypeError, ValueError):
        return None
    ours = primitive.forward(points)
    return function if np.shape(ours) == theirs.shape and np.allclose(ours, theirs, rtol=1e-12, atol=0) else None


def _applied(function: Function, operands: Sequence[Any], attrs: Mapping[str, Any]) -> Any:
    """Compute a function of arrays of expressions: one of numpy's by SymPy's, what moves numbers as it does itself."""
    if function is cast:
        return _arrays(np.frompyfunc(_as_number, 1, 1)(operands[0]))
    if function is ops.where:
        return _arrays(np.frompyfunc(_chosen, 3, 1)(*operands))
    if isinstance(function, Primitive):
        return _arrays(function.forward(*operands, **attrs))
    ufunc = function if isinstance(function, np.ufunc) else getattr(function, "__self__", None)
    if not isinstance(ufunc, np.ufunc):
        raise UnknownToReader(f"SymPy has no {getattr(function, '__name__', function)}")
    if ufunc not in _functions():
        raise UnknownToReader(f"SymPy has no {ufunc.__name__}")
    known = _functions()[ufunc]
    compute: Any = ufunc if known is None else np.frompyfunc(known, ufunc.nin, 1)
    if ufunc is function:
        return _arrays(compute(*operands, **attrs))
    (x,) = operands
    kept = {key: value for key, value in attrs.items() if key not in ("dtype", "axis")}
    axes = attrs.get("axis", 0)
    if function.__name__ == "accumulate":
        return _arrays(compute.accumulate(x, axis=axes))
    for axis in sorted(_axes(axes, x.ndim), reverse=True):  # one after the other: objects have no order
        x = _arrays(compute.reduce(x, axis=axis, **kept))
    return x


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(each % ndim for each in axes) if ndim else ()


@cache
def _functions() -> Mapping[np.ufunc, Callable[..., Any] | None]:
    """Return what SymPy calls numpy's functions; None for those that Python's operators do."""
    s = _sympy()
    operators = (np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.power, np.square, np.matmul)
    return {
        **dict.fromkeys(operators),
        np.greater: s.Gt,
        np.greater_equal: s.Ge,
        np.less: s.Lt,
        np.less_equal: s.Le,
        np.equal: s.Eq,
        np.not_equal: s.Ne,
        np.exp: s.exp,
        np.expm1: lambda x: s.exp(x) - 1,
        np.exp2: lambda x: s.Integer(2) ** x,
        np.log: s.log,
        np.log1p: lambda x: s.log(1 + x),
        np.log2: lambda x: s.log(x, 2),
        np.log10: lambda x: s.log(x, 10),
        np.sqrt: s.sqrt,
        np.cbrt: lambda x: s.real_root(x, 3),
        np.sin: s.sin,
        np.cos: s.cos,
        np.tan: s.tan,
        np.arcsin: s.asin,
        np.arccos: s.acos,
        np.arctan: s.atan,
        np.arctan2: s.atan2,
        np.sinh: s.sinh,
        np.cosh: s.cosh,
        np.tanh: s.tanh,
        np.arcsinh: s.asinh,
        np.arctanh: s.atanh,
        np.hypot: lambda a, b: s.sqrt(a**2 + b**2),
        np.logaddexp: lambda a, b: s.log(s.exp(a) + s.exp(b)),
        np.reciprocal: lambda x: 1 / x,
        np.absolute: s.Abs,
        np.sign: s.sign,
        np.floor: s.floor,
        np.ceil: s.ceiling,
        np.maximum: partial(_extreme, s.Max),
        np.minimum: partial(_extreme, s.Min),
        np.fmax: partial(_extreme, s.Max),
        np.fmin: partial(_extreme, s.Min),
        np.logical_and: lambda a, b: s.And(_true(a), _true(b)),
        np.logical_or: lambda a, b: s.Or(_true(a), _true(b)),
        np.logical_not: lambda a: s.Not(_true(a)),
        np.bitwise_and: lambda a, b: s.And(_true(a), _true(b)),
        np.bitwise_or: lambda a, b: s.Or(_true(a), _true(b)),
        np.invert: lambda a: s.Not(_true(a)),
    }


def _extreme(function: Any, a: Any, b: Any) -> Any:
    """Return the larger or smaller; of what is no number without looking for it, which takes SymPy long."""
    a, b = map(_sympy().sympify, (a, b))
    return function(a, b, evaluate=bool(a.is_number and b.is_number))


def _true(x: Any) -> Any:
    """Return whether an expression is not zero, as a condition."""
    return x if _is_condition(x) else _sympy().Ne(x, 0)


def _is_condition(x: Any) -> bool:
    """Tell conditions from numbers; of SymPy's symbols each could be either, and ours are numbers."""
    s = _sympy()
    return isinstance(x, s.logic.boolalg.Boolean | bool) and not isinstance(x, s.Symbol)


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    return _sympy().Piecewise((a, _true(condition)), (b, True))


def _as_number(x: Any) -> Any:
    return _sympy().Piecewise((1, x), (0, True)) if _is_condition(x) else x


def _constant(value: Any) -> Any:
    """Return numbers as SymPy has them: whole ones exact, others as the floats they are."""
    return _arrays(np.frompyfunc(_number, 1, 1)(value))


def _number(value: Any) -> Any:
    s = _sympy()
    if isinstance(value, bool | np.bool_):
        return s.true if value else s.false
    return (
        s.Integer(int(value))
        if float(value).is_integer()
        else s.Float(float(value))
        if np.isfinite(value)
        else s.sympify(float(value))
    )


def _arrays(made: Any) -> Any:
    """Return an array of objects, also where numpy leaves a single one."""
    array = np.empty(np.shape(made), object)
    array[...] = made
    return array


def _bare(array: Any) -> Any:
    """Return the expression in an array without axes; others as they are."""
    return array if array.ndim else array.item()
