"""Programs as data: lines that apply operations to earlier values. They run, shrink, and print themselves as code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.graph import Graph
from ...engine.primitive import Kind, Primitive, primitives
from ...engine.tensor import Tensor, tensor
from ..report.code import as_code

LARGEST = 64
"""Numbers that one value of a program holds, at most."""

TAME = 1e8
"""A value beyond this is brought back by a tanh, so that nothing overflows."""

RawApplication = tuple[str | Primitive, int, int, int]


@dataclass(frozen=True)
class Application:
    """One application: which operation, of which earlier values, with which attributes."""

    op: Primitive
    operands: tuple[int, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ExpressionGraph:
    """A function of tensors: calling it runs every line; the last one is what it returns."""

    inputs: list[NDArray[Any]]
    lines: list[Application]

    def __call__(self, *leaves: Any) -> Tensor:
        results = list(leaves)
        for line in self.lines:
            results.append(line.op(*(results[i] for i in line.operands), **line.attrs))
        output: Tensor = results[-1]
        return output

    def graph(self) -> Graph:
        """What a run of it records; its leaves are the inputs, named x0, x1, ..."""
        leaves = [tensor(x, requires_grad=True, name=f"x{i}") for i, x in enumerate(self.inputs)]
        return Graph(self(*leaves))

    @property
    def code(self) -> str:
        return as_code(self.graph())

    def __repr__(self) -> str:
        return f"ExpressionGraph({self.code})"


def resolve(leaves: Sequence[NDArray[Any]], lines: Sequence[RawApplication]) -> ExpressionGraph:
    """A program of the drawn lines, each made to fit the values it finds; without the inputs that it never needs."""
    building = _Building([np.asarray(leaf) for leaf in leaves])
    for op, i, j, choice in lines:
        a, b = i % len(building.values), j % len(building.values)
        if isinstance(op, Primitive):
            building.attempt(op, *[(a, b)[k % 2] for k in range(op.arity or 2)])
        else:
            RESOLVERS[op](building, a, b, choice)
    if not building.lines:
        building.add("tanh", len(building.values) - 1)
    return _pruned(building, len(leaves))


def _pruned(building: _Building, count: int) -> ExpressionGraph:
    used: set[int] = set()
    wanted = [len(building.values) - 1]
    while wanted:
        i = wanted.pop()
        if i not in used:
            used.add(i)
            wanted += building.lines[i - count].operands if i >= count else ()
    kept = [i for i in range(count) if i in used]
    number = {i: k for k, i in enumerate(kept)}
    lines: list[Application] = []
    for i, line in enumerate(building.lines, count):
        if all(x in number for x in line.operands):  # a dead branch that needs a dropped input goes with it
            number[i] = len(kept) + len(lines)
            lines.append(Application(line.op, tuple(number[x] for x in line.operands), line.attrs))
    return ExpressionGraph([building.values[i] for i in kept], lines)


class _Building:
    """A program in the making, with the values it has computed so far."""

    def __init__(self, values: list[NDArray[Any]]) -> None:
        self.values = values
        self.lines: list[Application] = []

    def add(self, op: str | Primitive, *operands: int, **attrs: Any) -> int:
        """A line, and a second one if its value grows out of hand; returns where the result stands."""
        used = op if isinstance(op, Primitive) else _BY_NAME[op]
        with np.errstate(all="ignore"):
            value = np.asarray(used(*(self.values[i] for i in operands), **attrs), dtype=np.float64)
        self.values.append(value)
        self.lines.append(Application(used, operands, attrs))
        if value.size and not np.abs(value).max() <= TAME:
            return self.add("tanh", len(self.values) - 1)
        return len(self.values) - 1

    def attempt(self, op: Primitive, *operands: int) -> None:
        """A line of an operation that we know nothing about, if it takes what there is."""
        try:
            value = np.asarray(op(*(self.values[i] for i in operands)), dtype=np.float64)
        except (ValueError, TypeError, IndexError, FloatingPointError):
            return
        if value.size <= LARGEST and np.isfinite(value).all():
            self.add(op, *operands)

    def tame(self, i: int, largest: float) -> int:
        """That value, or its tanh where it is larger."""
        value = self.values[i]
        return i if not value.size or np.abs(value).max() <= largest else self.add("tanh", i)

    def positive(self, i: int) -> int:
        """That value, or something positive made of it."""
        value = self.values[i]
        return i if value.size and value.min() > 1e-3 else self.add("exp", self.tame(i, 5.0))

    def partner(self, a: int, b: int) -> int:
        """b if it broadcasts with a to something small, else a itself: a fan-out."""
        try:
            shape = np.broadcast_shapes(self.values[a].shape, self.values[b].shape)
        except ValueError:
            return a
        return b if np.prod(shape) <= LARGEST else a


Resolver = Callable[[_Building, int, int, int], Any]


def _reduction(name: str) -> Resolver:
    def line(to: _Building, a: int, b: int, choice: int) -> int:
        value = to.values[a]
        if not value.size:
            return to.add("sum", a)
        axis = (None, *range(value.ndim))[choice % (value.ndim + 1)]
        return to.add(name, a, axis=axis, keepdims=choice > 3)

    return line


def _normalised(name: str) -> Resolver:
    def line(to: _Building, a: int, b: int, choice: int) -> int:
        value = to.values[a]
        if not value.size or not value.ndim:
            return to.add("sigmoid", a)
        return to.add(name, a, axis=choice % value.ndim - (value.ndim if choice > 3 else 0))

    return line


def _matmul(to: _Building, a: int, b: int, choice: int) -> int:
    left, right = to.values[a], to.values[b]
    if left.ndim and right.ndim and left.shape[-1] == right.shape[-2 if right.ndim > 1 else 0]:
        try:
            fits = np.matmul(left, right).size <= LARGEST
        except ValueError:
            fits = False
        if fits:
            return to.add("matmul", a, b)
    if left.ndim == 2:
        return to.add("matmul", a, to.add("transpose", a))
    return to.add("mul", a, to.partner(a, b))


def _reshape(to: _Building, a: int, b: int, choice: int) -> int:
    shape = to.values[a].shape
    return to.add("reshape", a, shape=((*reversed(shape), 1), (int(np.prod(shape)),))[choice % 2])


def _transpose(to: _Building, a: int, b: int, choice: int) -> int:
    ndim = to.values[a].ndim
    order = tuple((i + choice) % ndim for i in range(ndim)) if ndim else None
    return to.add("transpose", a, axes=order if choice % 2 else None)


def _broadcast_to(to: _Building, a: int, b: int, choice: int) -> int:
    value = to.values[a]
    repeats = 1 + choice % 3 if value.size * 3 <= LARGEST else 1
    return to.add("broadcast_to", a, shape=(repeats, *value.shape))


def _getitem(to: _Building, a: int, b: int, choice: int) -> int:
    value = to.values[a]
    if not value.ndim or not value.shape[0]:
        return to.add("getitem", a, index=None)
    last = value.shape[0] - 1
    mask = np.arange(value.shape[0]) % 2 == 0
    kinds: list[Any] = [
        0,
        slice(None, None, -1),
        slice(0, 1),
        np.array([0, last, 0]),
        mask,
        (..., None),
        last,
        slice(1),
    ]
    return to.add("getitem", a, index=kinds[choice])


def _index_add(to: _Building, a: int, b: int, choice: int) -> int:
    value = to.values[a]
    if not value.ndim or value.size > LARGEST // 2:
        return to.add("neg", a)
    rows = value.shape[0]
    index = np.arange(rows) // (1 + choice % 2)  # the same place twice, or not
    return to.add("index_add", a, index=index, shape=(rows + 1, *value.shape[1:]))


def _take(to: _Building, a: int, b: int, choice: int) -> int:
    value = to.values[a]
    if not value.ndim or not value.shape[0] or value.size > LARGEST // 3:
        return to.add("neg", a)
    return to.add("take", a, indices=np.array([choice % value.shape[0], 0, 0]))


def _joined(name: str) -> Resolver:
    def line(to: _Building, a: int, b: int, choice: int) -> int:
        one, other = to.values[a], to.values[b]
        if one.size > LARGEST // 2 or (name == "concat" and not one.ndim):
            return to.add("neg", a)
        second = b if one.shape == other.shape else a
        return to.add(name, a, second, axis=choice % max(one.ndim, 1))

    return line


def _where(to: _Building, a: int, b: int, choice: int) -> int:
    second = to.partner(a, b)
    return to.add("where", to.add("greater", a, second), a, second)


def _by_kind(primitive: Primitive) -> Resolver | None:
    """Return how a line of an operation is made to fit, as far as its entry tells; None if it does not."""
    name = primitive.name
    if primitive.kind is Kind.reduction:
        return _reduction(name)
    if primitive.kind not in (Kind.pointwise, Kind.activation, Kind.comparison) or primitive.variadic:
        return None
    if "axis" in primitive.attr_names:
        return _normalised(name)
    if primitive.attr_names or primitive.arity > 2:
        return None
    return _pointwise(primitive)


def _pointwise(primitive: Primitive) -> Resolver:
    """Operands in the domain; tame are exponents, and what goes into an operation that has no largest value."""
    positive = primitive.positive_inputs
    grows = primitive.arity == 1 and primitive.range[1] == np.inf and not primitive.exact
    largest = 10.0 if grows else np.inf

    def line(to: _Building, a: int, b: int, choice: int) -> int:
        operands = [a, to.partner(a, b)][: primitive.arity]
        if positive[0] and not all(positive):
            operands[1] = to.tame(operands[1], 3.0)
        fitting = (to.positive(x) if p else to.tame(x, largest) for x, p in zip(operands, positive, strict=True))
        return to.add(primitive, *fitting)

    return line


_BY_NAME = {primitive.name: primitive for primitive in primitives()}

RESOLVERS: dict[str, Resolver] = {
    **{primitive.name: found for primitive in primitives() if (found := _by_kind(primitive))},
    "matmul": _matmul,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "getitem": _getitem,
    "index_add": _index_add,
    "take": _take,
    "concat": _joined("concat"),
    "stack": _joined("stack"),
    "where": _where,
}
"""For each of our operations: how a line of it is made to fit."""
