"""For each primitive of the page of derivatives: what to call it with, and what numpy says it should give.

A function of one or two numbers needs no entry here; another without one fails ``test_every_primitive_has_a_case``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ...engine import ops
from ...engine.primitive import Kind, Primitive, primitives
from .strategies import axes, broadcastable, dtypes, indices, matmul_shapes, shapes, values

BUILTIN: dict[str, Primitive] = {p.name: p for p in primitives() if (p.rule or p.forward).__module__ == ops.__name__}
CASES: dict[str, st.SearchStrategy[Case]] = {}


@dataclass
class Case:
    """``f`` takes the inputs as Tensors and uses the primitive; ``expected`` is numpy's opinion, in float64."""

    f: Callable[..., Any]
    inputs: list[NDArray[Any]]
    expected: NDArray[Any] = field(repr=False)
    attrs: dict[str, Any] = field(default_factory=dict)


def case(name: str, numpys: Callable[..., Any], *inputs: NDArray[Any], **attrs: Any) -> Case:
    function = BUILTIN[name]
    doubles = [x.astype(np.float64) for x in inputs]
    return Case(lambda *xs: function(*xs, **attrs), list(inputs), np.asarray(numpys(*doubles)), attrs)


def add_case(*names: str) -> Callable[[Callable[[str], st.SearchStrategy[Case]]], Any]:
    def register(strategy: Callable[[str], st.SearchStrategy[Case]]) -> Any:
        for name in names:
            CASES[name] = strategy(name)
        return strategy

    return register


def unary(name: str, numpys: Callable[..., Any], low: float = 1e-3, high: float = 1e3, **kwargs: Any) -> None:
    drawn = shapes(min_side=0).flatmap(lambda shape: values(shape, low, high, **kwargs))
    CASES[name] = drawn.map(lambda x: case(name, numpys, x))


def binary(name: str, numpys: Callable[..., Any], low: float = 1e-3, high: float = 1e3, **kwargs: Any) -> None:
    """Two arrays, without ties except among special values: equal seeds would make equal arrays."""
    pairs = broadcastable(2, min_side=0).flatmap(
        lambda two: st.tuples(*(values(shape, low, high, **kwargs) for shape in two))
    )
    CASES[name] = pairs.map(lambda pair: case(name, numpys, pair[0], pair[1] * pair[1].dtype.type(1.0625)))


binary("add", np.add, special=(0.0, -0.0))
binary("sub", np.subtract, special=(0.0, -0.0))
binary("mul", np.multiply, special=(0.0, -0.0))
binary("div", np.divide)
binary("maximum", np.maximum)
binary("minimum", np.minimum)
binary("greater", np.greater, special=(0.0, -0.0))
binary("equal", np.equal, special=(0.0, -0.0))
unary("neg", np.negative, special=(0.0, -0.0))
unary("exp", np.exp, high=10, special=(0.0, -0.0))
unary("log", np.log, positive=True)
unary("sqrt", np.sqrt, positive=True)
unary("sin", np.sin, high=10, special=(0.0, -0.0))
unary("cos", np.cos, high=10, special=(0.0, -0.0))
unary("tanh", np.tanh, high=5, special=(0.0, -0.0))
unary("sigmoid", lambda x: 1 / (1 + np.exp(-x)), high=10, special=(0.0, -0.0))
unary("softplus", lambda x: np.logaddexp(0, x), high=10, special=(0.0, -0.0))
unary("relu", lambda x: np.where(x > 0, x, 0))
unary("abs", np.abs)


@add_case("pow")
@st.composite
def _pow(draw: st.DrawFn, name: str) -> Case:
    """A positive base to any power; any base to a constant whole power."""
    first, second = draw(broadcastable(2, min_side=0))
    if draw(st.booleans()):
        return case(name, np.power, draw(values(first, 0.1, 10, positive=True)), draw(values(second, 0.01, 3)))
    x, n = draw(values(first, 0.1, 10)), draw(st.integers(-2, 4).filter(bool))
    return Case(lambda x: x**n, [x], x.astype(np.float64) ** n)


@add_case("where")
@st.composite
def _where(draw: st.DrawFn, name: str) -> Case:
    c, a, b = draw(broadcastable(3, min_side=0))
    condition = draw(values(c)) > 0
    x, y = draw(values(a)), draw(values(b))
    return Case(lambda x, y: ops.where(condition, x, y), [x, y], np.where(condition, x, y))


@add_case("sum", "mean", "max", "logsumexp")
@st.composite
def _reduction(draw: st.DrawFn, name: str) -> Case:
    numpys: Any = {
        "sum": np.sum,
        "mean": np.mean,
        "max": np.max,
        "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
    }[name]
    x = draw(values(draw(shapes(min_side=0 if name == "sum" else 1)), high=10))
    how = {"axis": draw(axes(x.ndim)), "keepdims": draw(st.booleans())}
    return case(name, lambda x: numpys(x, **how), x, **how)


@add_case("softmax", "log_softmax")
@st.composite
def _normalised(draw: st.DrawFn, name: str) -> Case:
    x = draw(values(draw(shapes(min_dims=1)), high=5))
    axis = draw(st.integers(-x.ndim, x.ndim - 1))

    def softmax(x: Any) -> Any:
        return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)

    return case(name, softmax if name == "softmax" else lambda x: np.log(softmax(x)), x, axis=axis)


@add_case("matmul")
@st.composite
def _matmul(draw: st.DrawFn, name: str) -> Case:
    return case(name, np.matmul, *(draw(values(shape, 0.1, 10)) for shape in draw(matmul_shapes())))


@add_case("reshape")
@st.composite
def _reshape(draw: st.DrawFn, name: str) -> Case:
    x = draw(values(draw(shapes(min_side=0))))
    target = draw(st.permutations(x.shape)) + [1] * draw(st.integers(0, 1))
    if x.size and draw(st.booleans()):
        target = [-1]
    return case(name, lambda x: x.reshape(target), x, shape=tuple(target))


@add_case("transpose")
@st.composite
def _transpose(draw: st.DrawFn, name: str) -> Case:
    x = draw(values(draw(shapes(min_side=0))))
    order = draw(st.none() | st.permutations(range(-x.ndim, 0)).map(tuple))
    return case(name, lambda x: np.transpose(x, order), x, axes=order)


@add_case("broadcast_to")
@st.composite
def _broadcast_to(draw: st.DrawFn, name: str) -> Case:
    small, large = draw(broadcastable(2, min_side=0))
    target = np.broadcast_shapes(small, large)
    return case(name, lambda x: np.broadcast_to(x, target), draw(values(small)), shape=target)


@add_case("getitem")
@st.composite
def _getitem(draw: st.DrawFn, name: str) -> Case:
    x = draw(values(draw(shapes(min_side=0))))
    index = draw(indices(x.shape))
    return Case(lambda x: x[index], [x], np.asarray(x.astype(np.float64)[index]), {"index": index})


@add_case("index_add")
@st.composite
def _index_add(draw: st.DrawFn, name: str) -> Case:
    """The transpose of indexing, said with counting instead of indexing."""
    shape = draw(shapes(min_side=0))
    index = draw(indices(shape))
    places = np.arange(np.prod(shape, dtype=int)).reshape(shape)[index]
    x = draw(values(np.shape(places)))

    def counted(x: Any) -> Any:
        totals = np.bincount(np.ravel(places), weights=np.ravel(x), minlength=np.prod(shape, dtype=int))
        return totals.reshape(shape)

    return case(name, counted, x, index=index, shape=shape)


@add_case("take")
@st.composite
def _take(draw: st.DrawFn, name: str) -> Case:
    rows = draw(values(draw(shapes(min_dims=1))))
    numbers = st.integers(-len(rows), len(rows) - 1)
    chosen = draw(numbers | st.lists(numbers, min_size=1, max_size=5) | st.just(np.zeros((2, 3), int)))
    return case(name, lambda rows: np.take(rows, chosen, axis=0), rows, indices=chosen)


@add_case("concat", "stack")
@st.composite
def _joined(draw: st.DrawFn, name: str) -> Case:
    shape, dtype, count = draw(shapes(min_dims=1, min_side=0)), draw(dtypes), draw(st.integers(1, 3))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    sides = [draw(st.integers(0, 3)) if name == "concat" else shape[axis] for _ in range(count)]
    parts = []
    for side in sides:
        own = list(shape)
        own[axis] = side
        parts.append(draw(values(tuple(own), dtype=dtype)))
    joined = np.concatenate if name == "concat" else np.stack
    return case(name, lambda *parts: joined(parts, axis=axis), *parts, axis=axis)


def _derive(primitive: Primitive) -> None:
    """Draw inputs by an entry alone, for a function of one or two numbers: in its domain, moderate where it grows.

    The opinion on what it gives is its own forward's in longer numbers. Of any other there is nothing to draw by.
    """
    if primitive.kind not in (Kind.pointwise, Kind.activation) or primitive.attr_names or primitive.arity > 2:
        return
    register = unary if primitive.arity == 1 else binary
    register(
        primitive.name, lambda *xs: _in_longer_numbers(primitive, xs), high=10, positive=all(primitive.positive_inputs)
    )


def _in_longer_numbers(primitive: Primitive, inputs: tuple[NDArray[Any], ...]) -> NDArray[Any]:
    return np.asarray(primitive.forward(*(x.astype(np.longdouble) for x in inputs)), np.float64)


for _primitive in BUILTIN.values():
    if _primitive.name not in CASES:
        _derive(_primitive)
