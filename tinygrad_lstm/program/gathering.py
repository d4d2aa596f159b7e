"""What the steps add up one by one is computed for all of them at once, after the loop.

Σ_t a_tᵀ δ_t is one product of rows, aᵀ δ, once the steps of a and of δ are the rows of an array.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ..engine import ops
from ..structure.loops import Loop, Made, Moving, is_here
from ..symbolic.expressions import Apply
from .beginning import HERE, begun_by_first
from .building import Builder
from .statements import Assign, Begin, For, Read, Statement, Variable, Whole, reads, statements

GATHERED = "gradients of weights are added up after the loop, Σ_t aᵀδ as one product of rows"


class Gathering:
    """Takes what it can out of the loops of a backward pass; ``inlined`` says what stands for variables now gone."""

    def __init__(self, builder: Builder, forward: list[Statement], backward: list[Statement]) -> None:
        self.builder, self.forward = builder, forward
        self.inlined: dict[Variable, Any] = {}
        self.computed = {
            each.target.variable: each.expression
            for each in statements(forward)
            if isinstance(each, Assign) and each.target.index == HERE
        }
        self.of = {variable: of for of, variable in builder.variables.items()}
        self.writers = Counter(each.target.variable for each in statements(backward) if isinstance(each, Assign))
        self.by_step = {each.variable for each in statements(backward) if isinstance(each, Begin) and each.steps}
        self.backward: list[Statement] = []
        for each in backward:
            if isinstance(each, For) and each.backwards:
                self._loop(each)
            else:
                self.backward.append(each)
        self._first_ones()
        self.backward = begun_by_first(self.backward)

    def _loop(self, loop: For) -> None:
        read = {
            read.variable
            for each in statements(loop.body)
            if isinstance(each, Assign)
            for read in reads(each.expression)
        }
        body: list[Statement] = []
        after: list[Statement] = []
        self.made_here = {
            each.target.variable
            for each in loop.body
            if isinstance(each, Assign) and each.target.variable.loop is loop.loop
        }
        for each in loop.body:
            gathered = self._gathered(each, loop.loop, body, read) if isinstance(each, Assign) else None
            if gathered is None:
                body.append(each)
            else:
                after += gathered
        self.backward.append(For(loop.loop, body, backwards=True))
        self.backward += after

    def _gathered(self, each: Assign, loop: Loop, body: list[Statement], read: set[Variable]) -> list[Statement] | None:
        """Return what comes after the loop instead of a statement in it; None if it has to stay."""
        target = each.target.variable
        if not each.adds or target.loop is not None or target in read or isinstance(each.target.index, Moving):
            return None
        if each.place == HERE and each.target.index is None:
            return self._row(each, target, loop, body)
        if each.place is not None:
            return None
        e: Any = each.expression
        if not isinstance(e, Apply):
            return None
        pair = _outer_product(e)
        if pair is not None:
            return self._product(each, pair, loop, body)
        summed: Any = e.operands[0]
        if (
            e.function is ops.sum
            and e.attrs.get("axis") == (0,)
            and not e.attrs.get("keepdims")
            and summed.value.ndim == 2
        ):
            factors = self._rows_of_both(summed, loop, body)
            if factors is not None:
                made = Apply(np.einsum, factors, {"subscripts": "tnk,tnk->k"}, e.value)
                return [Assign(each.target, made, True, None, each.node)]
            whole = self._rows_of(summed, loop, body)
            if whole is not None:
                return [Assign(each.target, Apply(ops.sum, (whole,), {"axis": (0, 1)}, e.value), True, None, each.node)]
        return None

    def _row(self, each: Assign, target: Variable, loop: Loop, body: list[Statement]) -> list[Statement] | None:
        """Let what is put into the rows of an array be these rows."""
        if self.writers[target] != 1 or loop.low != 0 or target.value.shape[0] != loop.high:
            return None
        whole = self._rows_of(each.expression, loop, body)
        if whole is None:
            return None
        self.inlined[target] = whole
        return []

    def _product(
        self, each: Assign, pair: tuple[Any, Any], loop: Loop, body: list[Statement]
    ) -> list[Statement] | None:
        a, b = pair
        if not self._can_be_rows(a, loop):
            return None
        right = self._rows_of(b, loop, body)
        left = self._rows_of(a, loop, body) if right is not None else None
        if left is None or right is None:
            return None
        product = Apply(
            ops.matmul,
            (Apply(ops.transpose, (_flat(left),), {"axes": None}, _flat(left).value.T), _flat(right)),
            {},
            each.expression.value,
        )
        return [Assign(each.target, product, True, None, each.node, each.slot)]

    def _rows_of_both(self, e: Any, loop: Loop, body: list[Statement]) -> tuple[Any, Any] | None:
        """Return the arrays whose rows are the factors of a product in each step."""
        if not isinstance(e, Apply) or e.function is not ops.mul:
            return None
        factors: Any = e.operands
        a, b = factors
        if np.shape(a.value) != np.shape(b.value) or not all(self._can_be_rows(x, loop) for x in (a, b)):
            return None
        left = self._rows_of(a, loop, body)
        right = self._rows_of(b, loop, body) if left is not None else None
        return None if left is None or right is None else (left, right)

    def _can_be_rows(self, e: Any, loop: Loop) -> bool:
        if not isinstance(e, Read) or not isinstance(e.index, Moving | None) or e.value.ndim not in (1, 2):
            return False
        inside: Any = self.computed.get(e.variable)
        if inside is not None and isinstance(inside, Apply) and inside.function is ops.getitem:
            source = inside.operands[0]
            return (
                is_here(inside.attrs["index"])
                and e.index == HERE
                and loop.low == 0
                and isinstance(source, Read)
                and source.index is None
                and source.value.shape[0] == loop.high
            )
        return e.variable.loop is loop or e.variable in self.made_here

    def _rows_of(self, e: Any, loop: Loop, body: list[Statement]) -> Any:
        """Return the array whose rows are what an expression is in each step."""
        if not isinstance(e, Read) or e.variable in self.by_step:
            if any(read.variable.loop is None and not _is_outer(read) for read in reads(e)):
                return None
            variable = Variable("", e.value, loop, True)
            self.builder.extra.append(variable)
            body.append(Assign(Read(variable, HERE), e))
            e = Read(variable, HERE)
        if not self._can_be_rows(e, loop) and e.variable.loop is not loop:
            return None
        inside: Any = self.computed.get(e.variable)
        if inside is not None and isinstance(inside, Apply) and inside.function is ops.getitem:
            source: Any = inside.operands[0]
            if source.index is None and is_here(inside.attrs["index"]):
                return source
            return None
        variable = e.variable
        low, high = loop.low, loop.high
        of = self.of.get(variable)
        if isinstance(of, Made) and of.before:
            low, high = min([low, *of.before]), max([high, *(at + 1 for at in of.before)])
        variable.kept, variable.rows = True, (low, high)
        offset = e.index.offset if isinstance(e.index, Moving) else 0
        whole = Read(variable, Whole(loop.low + offset, loop.high + offset))
        return _Rows(whole.variable, whole.index, loop.high - loop.low)

    def _first_ones(self) -> None:
        """Let a gradient of each step begin with what arrives first, instead of with a zero."""
        steps = (each for each in self.backward if isinstance(each, Begin) and each.steps and not each.arrays)
        begins = {each.variable: each for each in steps}
        for variable, begin in begins.items():
            writers = [each for each in self.backward if self._writes(each, variable)]
            first = writers[0] if writers else None
            if isinstance(first, For) and not first.backwards and len(first.body) == 1:
                only = first.body[0]
                if isinstance(only, Assign) and only.place is None:
                    begin.each = only.expression
                    self.backward.remove(first)
                    self._out_of_place(variable)

    def _writes(self, each: Statement, variable: Variable) -> bool:
        return any(isinstance(one, Assign) and one.target.variable is variable for one in statements([each]))

    def _out_of_place(self, variable: Variable) -> None:
        variable.shared = True


class _Rows(Read):
    """All rows of what is kept in one array."""

    steps: int

    def __init__(self, variable: Variable, index: Any, steps: int) -> None:
        object.__setattr__(self, "variable", variable)
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "steps", steps)

    @property
    def value(self) -> Any:
        value = self.variable.value
        return np.broadcast_to(np.zeros((), value.dtype), (int(self.steps), *value.shape))


def _is_outer(read: Read) -> bool:
    return read.variable.loop is None


def _outer_product(e: Any) -> tuple[Any, Any] | None:
    """Return a and b of aᵀ b, or of the outer product of two vectors."""
    if e.function is ops.matmul:
        left, right = e.operands
        if (
            isinstance(left, Apply)
            and left.function is ops.transpose
            and left.value.ndim == 2
            and right.value.ndim == 2
        ):
            return left.operands[0], right
    if e.function is ops.mul and all(isinstance(x, Apply) and x.function is ops.getitem for x in e.operands):
        left, right = e.operands
        if (
            left.attrs["index"] == (slice(None), None)
            and right.attrs["index"] == (Ellipsis, None, slice(None))
            and left.operands[0].value.ndim == right.operands[0].value.ndim == 1
        ):
            return left.operands[0], right.operands[0]
    return None


def _flat(rows: Any) -> Any:
    """Return (T · N, K) of (T, N, K)."""
    value = rows.value
    if value.ndim == 2:
        return rows
    shape = (int(value.shape[0]) * value.shape[1], value.shape[2])
    return Apply(
        ops.reshape, (rows,), {"shape": (-1, value.shape[2])}, np.broadcast_to(np.zeros((), value.dtype), shape)
    )
