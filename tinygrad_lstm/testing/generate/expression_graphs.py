"""Programs as data: lines that apply operations to earlier values. They run, shrink, and print themselves as code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine import ops
from ...engine.graph import Graph
from ...engine.primitive import Kind, Primitive
from ...engine.tensor import Tensor, tensor
from ..report.code import as_code
from .fitting import bounded_below, conditions, fitting, value_of

LARGEST = 64
"""Numbers that one value of a program holds, at most."""

TAME = 1e8
"""A value beyond this is brought back by a tanh, so that nothing overflows."""

RawApplication = tuple[Primitive, int, int, int]


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
        """Return what a run of it records; its leaves are the inputs, named x0, x1, ..."""
        leaves = [tensor(x, requires_grad=True, name=f"x{i}") for i, x in enumerate(self.inputs)]
        return Graph(self(*leaves))

    @property
    def code(self) -> str:
        return as_code(self.graph())

    def __repr__(self) -> str:
        return f"ExpressionGraph({self.code})"


def resolve(leaves: Sequence[NDArray[Any]], lines: Sequence[RawApplication]) -> ExpressionGraph:
    """Return a program of the drawn lines, each made to fit the values it finds, without inputs that it never needs."""
    building = _Building([np.asarray(leaf) for leaf in leaves])
    for op, i, j, choice in lines:
        building.fit(op, i % len(building.values), j % len(building.values), choice)
    if not building.lines:
        building.add(ops.tanh, len(building.values) - 1)
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

    def add(self, op: Primitive, *operands: int, **attrs: Any) -> int:
        """Add a line, and a second one if its value grows out of hand; return where the result stands."""
        with np.errstate(all="ignore"):
            value = np.asarray(op(*(self.values[i] for i in operands), **attrs), dtype=np.float64)
        self.values.append(value)
        self.lines.append(Application(op, operands, attrs))
        if value.size and not np.abs(value).max() <= TAME:
            return self.add(ops.tanh, len(self.values) - 1)
        return len(self.values) - 1

    def fit(self, op: Primitive, a: int, b: int, choice: int) -> None:
        """Add a line of an operation, with operands and attributes that it takes; of what fits, choose."""
        numbers = op.kind in (Kind.pointwise, Kind.activation, Kind.comparison) and not op.variadic
        for operands in self._of_numbers(op, a, b) if numbers else self._of_any(op, a, b):
            values = [self.values[i] for i in operands]
            attrs = next(fitting(op, values, choice), None)
            value = None if attrs is None else value_of(op, values, attrs)
            if value is not None and value.size <= LARGEST:
                self.add(op, *operands, **attrs or {})
                return

    def _of_numbers(self, op: Primitive, a: int, b: int) -> Iterator[list[int]]:
        """Yield operands in the domain; tame are exponents, and what goes into an operation that has no largest value.

        What gets no gradient is a condition.
        """
        second, without = self.partner(a, b), conditions(op)
        positive = bounded_below(op)
        operands = [self.add(ops.greater, a, second) if i in without else (a, second)[i % 2] for i in range(op.arity)]
        if positive[0] and not all(positive):
            operands[1] = self.tame(operands[1], 3.0)
        grows = op.arity == 1 and op.range[1] == np.inf and not op.exact
        largest = 10.0 if grows else np.inf
        yield [self.positive(x) if p else self.tame(x, largest) for x, p in zip(operands, positive, strict=True)]

    def _of_any(self, op: Primitive, a: int, b: int) -> Iterator[list[int]]:
        """Yield operands of an operation whose entry does not tell what fits: it tells when it is tried."""
        if op.arity == 1 and not op.variadic:
            yield [a]
            return
        yield from ([a, b], [b, a], [a, a])
        if self.values[a].ndim == 2:
            yield [a, self.add(ops.transpose, a)]

    def tame(self, i: int, largest: float) -> int:
        """Return that value, or its tanh where it is larger."""
        value = self.values[i]
        return i if not value.size or np.abs(value).max() <= largest else self.add(ops.tanh, i)

    def positive(self, i: int) -> int:
        """Return that value, or something positive made of it."""
        value = self.values[i]
        return i if value.size and value.min() > 1e-3 else self.add(ops.exp, self.tame(i, 5.0))

    def partner(self, a: int, b: int) -> int:
        """Return b if it broadcasts with a to something small, else a itself: a fan-out."""
        try:
            shape = np.broadcast_shapes(self.values[a].shape, self.values[b].shape)
        except ValueError:
            return a
        return b if np.prod(shape) <= LARGEST else a
