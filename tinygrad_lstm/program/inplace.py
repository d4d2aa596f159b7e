"""Working in place: what a loop computes is written into arrays that are there before it, step after step.

Each operation of an expression becomes a statement of its own, ``np.multiply(a, b, out=c)``. What is between two
operations lives in a buffer, and a buffer that nobody reads any more takes the next result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..engine import ops
from ..structure.loops import Fixed, Loop, Made, Moving
from ..symbolic.expressions import Apply
from ..symbolic.rewriting import applications
from ..symbolic.tracer import OpenedArray
from .beginning import HERE
from .building import Builder
from .cutting import Cuts
from .layout import Layout
from .opening import Opener, can_write, is_elementwise
from .simplifying import VIEWS
from .statements import Assign, Begin, For, Read, Statement, Variable, Whole, reads, statements

IN_PLACE = "loops write into arrays that are there before them; what nobody reads any more is written over"


class InPlace:
    """Rewrites the loops of a program that is laid out already."""

    def __init__(
        self, builder: Builder, layout: Layout, opened: type[OpenedArray], named: Callable[[int], int]
    ) -> None:
        self.builder, self.layout, self.named = builder, layout, named
        self.opened = Opener(layout.inlined, opened)
        self.buffers: list[Variable] = []
        self.free: list[Variable] = []
        self.body: list[Statement] = []
        self.in_loop = False
        self.handed: set[Variable] = set()
        self.of = {variable: of for of, variable in builder.variables.items()}
        self.reads: Counter[Variable] = Counter()
        self.cuts = Cuts(builder, layout)

    def forward(self, body: list[Statement], backward: list[Statement]) -> list[Statement]:
        """Return the forward pass; what it keeps for each step are rows of an array now."""
        for of, variable in self.builder.variables.items():
            if isinstance(of, Made) and of.loop and variable.kept and variable.rows is None and variable.value.ndim:
                low = min([of.loop.low, *of.before])
                high = max([of.loop.high, *(at + 1 for at in of.before)])
                variable.rows = low, high
        self.reads = self._reads([*body, *backward])
        return self._loops(body)

    def _reads(self, body: list[Statement]) -> Counter[Variable]:
        """Count where variables are read, by themselves or in what stands for others."""
        found: Counter[Variable] = Counter(read.variable for read in self.layout.results)
        for each in statements(body):
            if isinstance(each, Assign) and each.target.variable not in self.layout.inlined:
                found.update(read.variable for read in reads(self.opened(each.expression)))
            elif isinstance(each, Begin) and each.like and not each.empty and each.variable not in self.layout.inlined:
                found[each.like] += 1
        return found

    def _written_over(self, each: Assign, expression: Any, loop: Loop) -> Read | None:
        """Return the array of all steps over whose rows a result may be written, since nothing else reads them."""
        variable = each.target.variable
        rows, steps = variable.rows, (loop.low, loop.high)
        if each.adds or each.place is not None or rows != steps or loop.low != 0 or each.target.index != HERE:
            return None
        for e in applications(expression):
            operands: Any = e.operands
            for x in operands:
                inner: Any = x.operands[0] if isinstance(x, Apply) and x.function is ops.getitem else None
                if isinstance(inner, Read) and inner.index is None and x.attrs["index"] == HERE:
                    whole, of = inner.variable, self.of.get(inner.variable)
                    alone = self.reads[whole] == 1 and isinstance(of, Made) and whole.loop is None
                    if alone and whole.value.shape[0] == loop.high and _like(x.value, each.target.value):
                        return inner
        return None

    def backward(self, body: list[Statement]) -> list[Statement]:
        return self._loops(body)

    def _loops(self, body: list[Statement]) -> list[Statement]:
        found: list[Statement] = []
        for each in body:
            self.body, self.buffers, self.free = [], [], []
            begun: list[Statement] = []
            self.in_loop = isinstance(each, For)
            self.handed = self._handed_on(each.body) if isinstance(each, For) else set()
            self.cuts.begin()
            for one in each.body if isinstance(each, For) else [each]:
                begun += self._statement(one, each.loop if isinstance(each, For) else None)
            found += [*begun, *(Begin(buffer, empty=True) for buffer in self.buffers)]
            if isinstance(each, For):
                cut = self.cuts.of_loop(self.body, [*begun, *(Begin(buffer) for buffer in self.buffers)])
                found += [*cut, For(each.loop, self.body, each.backwards)]
            else:
                found += self.body
        return found

    def _handed_on(self, body: list[Statement]) -> set[Variable]:
        """Return what the next step is given as it is: a new array in each step, or that step would write over it."""
        assigned = [each for each in body if isinstance(each, Assign) and not each.adds]
        roots = [_root(self.opened(each.expression)) for each in assigned if each.target.variable.carries]
        return {root.variable for root in roots if isinstance(root, Read) and not root.variable.kept}

    def _statement(self, each: Statement, loop: Loop | None) -> list[Statement]:
        """Take a statement apart; return what has to begin before the loop for it."""
        begun: list[Statement] = []
        if loop is None and not (isinstance(each, Assign) and self._large(each)):
            self.body.append(self._product_of_rows(each) or each)
            return begun
        if isinstance(each, Begin) and each.empty and each.variable.rows is None and _is_array(each.variable.value):
            return [each]
        if (
            not isinstance(each, Assign)
            or each.target.variable in self.layout.inlined
            or not _is_array(each.target.value)
        ):
            self.body.append(each)
            return begun
        if each.target.variable in self.handed or (each.place is not None and not _basic(each.place)):
            self.body.append(each)
            return begun
        variable, target = each.target.variable, _placed(each.target, each.place)
        local = variable.loop is loop and variable.rows is None and not variable.kept
        expression = self.opened(each.expression)
        over = self._written_over(each, expression, loop) if loop is not None and self.reads else None
        if over is not None and variable.rows is not None:
            variable.over = True
            begun.append(Assign(Read(variable, Whole(*variable.rows)), over))
        if loop is not None and not each.adds and each.place is None and _is_shaped(expression):
            shaped = self._shaped(each, expression, local)
            if shaped is not None:
                return [*begun, *shaped]
        if not can_write(expression) and not each.adds:
            self.body.append(each)
            return begun
        if local and not variable.carries and not each.adds and each.place is None:
            begun.append(Begin(variable, empty=True))
        if each.adds:
            value = self._computed(expression, None, each)
            if variable.shared and each.place is None:  # it may be an array of somebody else
                self.body.append(Assign(each.target, value, True, None, each.node, each.slot))
            else:
                self._into(np.add, (target, value), target, each)
        else:
            self._computed(expression, target, each)
        self.free = list(self.buffers)
        return begun

    def _shaped(self, each: Assign, e: Any, local: bool) -> list[Statement] | None:
        """Compute what is then given another shape where that will be; return what has to begin for it."""
        variable, (root,) = each.target.variable, e.operands
        if local and not variable.carries:
            made = Variable("", np.empty_like(root.value), None, node=each.node)
            self.builder.buffers.append(made)
            self._computed(root, Read(made), each)
            rows: Any = (Read(made),)
            self.layout.inlined[variable] = Apply(e.function, rows, e.attrs, e.value)
            self.free = list(self.buffers)
            return [Begin(made, empty=True)]
        if variable.rows is not None:
            target = self.cuts.reshaped(each.target, root.value)
            if target is not None:
                self._computed(root, target, each)
                self.free = list(self.buffers)
                return []
        return None

    def _product_of_rows(self, each: Statement) -> Statement | None:
        """Return a product of what is there already that goes into rows of an array at once; None of anything else."""
        if not isinstance(each, Assign) or each.adds or not isinstance(each.place, slice):
            return None
        e = self.opened(each.expression)
        there = (
            isinstance(e, Apply) and e.function is np.dot and not any(isinstance(_root(x), Apply) for x in e.operands)
        )
        if not there or e.value.dtype != each.target.value.dtype:
            return None
        return Assign(each.target, e, False, each.place, each.node, each.slot, into=True)

    def _large(self, each: Assign) -> bool:
        """Tell whether it is an array of all steps."""
        return not isinstance(each.target.index, Fixed) and self._of_all_steps(each.target.value)

    def _of_all_steps(self, value: Any) -> bool:
        return any("T" in getattr(self.named(n), "letters", ()) for n in np.shape(value))

    def _computed(self, e: Any, target: Any, each: Assign) -> Any:
        """Compute an expression into a target, or a buffer; return where it is."""
        if not isinstance(e, Apply) or e.function in VIEWS:
            if target is not None:
                self.body.append(_copied(target, e, each))
            return e
        order = [
            x for x in applications(e) if x.function not in VIEWS and (self.in_loop or self._of_all_steps(x.value))
        ]
        left = Counter(_root(x) for one in order for x in one.operands if isinstance(_root(x), Apply))
        where: dict[int, Any] = {}
        taken: dict[int, Variable] = {}
        spare = [target.variable] if order and self._may_be_used(target, order[-1]) else []
        there = False  # whether something lies where the whole goes
        for one in order:
            operands = tuple(_moved(x, where) for x in one.operands)
            roots = [_root(x) for x in one.operands]
            for root in roots:
                if isinstance(root, Apply):
                    left[root] -= 1
            last = one is order[-1]
            if not can_write(one):
                local = Variable("", one.value, node=each.node)
                self.builder.extra.append(local)
                self.body.append(
                    Assign(Read(local), Apply(one.function, operands, one.attrs, one.value), node=each.node)
                )
                out: Any = Read(local)
                if last and target is not None:
                    self.body.append(_copied(target, out, each))
                    out = target
            else:
                done = [r for r in dict.fromkeys(roots) if isinstance(r, Apply) and not left[r] and id(r) in taken]
                direct = last and target is not None and self._fits(one, target)
                if direct:
                    out = target
                elif not there and self._becomes(one, order[-1], left, target):
                    there = True
                    out = Read(Variable("", one.value, None, node=each.node))
                    self.builder.extra.append(out.variable)
                    rows: Any = (target,)
                    self.body.append(Assign(out, Apply(ops.reshape, rows, {"shape": one.value.shape}, one.value)))
                else:
                    same = [r for r in done if one.function is not np.dot and _like(r.value, one.value)]
                    buffer = taken.pop(id(same[0])) if same else self._buffer(one.value, spare)
                    if same:
                        done.remove(same[0])
                    taken[id(one)] = buffer
                    out = Read(buffer)
                self._into(one.function, operands, out, each, one.attrs)
                for root in done:
                    buffer = taken.pop(id(root))
                    (spare if buffer not in self.buffers else self.free).append(buffer)
                if last and target is not None and not direct:
                    self.body.append(_copied(target, out, each))
                    out = target
            where[id(one)] = out
        if id(e) in where:
            return where[id(e)]
        whole = _moved(e, where)
        if target is not None:
            self.body.append(_copied(target, whole, each))
        return whole

    def _becomes(self, one: Apply, end: Apply, left: Mapping[Any, int], target: Any) -> bool:
        """Tell whether what is made on the way may lie where the end of it goes, since only that reads it, once."""
        if self.in_loop or not isinstance(target, Read) or one is end or end.function is np.dot or left[one] != 1:
            return False
        operands: Any = end.operands
        reader = next((x for x in operands if _root(x) is one and _only_reshaped(x)), None)
        return reader is not None and self._fits(end, target) and _like(reader.value, target.value)

    def _fits(self, one: Apply, target: Any) -> bool:
        """Tell whether a result may be written where it goes at once: it has its type, and is not read meanwhile."""
        if not _like(one.value, target.value):
            return False
        if one.function is np.dot:
            return isinstance(target, Read) and not any(_root(x) == target for x in one.operands)
        return True

    def _may_be_used(self, target: Any, end: Apply) -> bool:
        """Tell whether what is made on the way may lie where the whole goes: nothing is there, and the end lets it."""
        if not self.in_loop or not isinstance(target, Read) or not is_elementwise(end):
            return False
        variable = target.variable
        return variable.rows is None and not variable.kept and not variable.carries

    def _buffer(self, value: Any, spare: list[Variable]) -> Variable:
        for free in (spare, self.free):
            for buffer in free:
                if _like(buffer.value, value):
                    free.remove(buffer)
                    return buffer
        buffer = Variable("", np.empty_like(value), None)
        self.buffers.append(buffer)
        self.builder.buffers.append(buffer)
        return buffer

    def _into(
        self, function: Any, operands: tuple[Any, ...], out: Any, each: Assign, attrs: Mapping[str, Any] | None = None
    ) -> None:
        if function is np.multiply and operands[0] == operands[1] and isinstance(operands[0], Read):
            function, operands = np.square, operands[:1]
        dtype = out.value.dtype
        one_type = dtype.kind == "f" and all(x.value.dtype == dtype for x in operands if np.ndim(x.value))
        if self.in_loop and one_type and isinstance(function, np.ufunc):
            operands = tuple(self.cuts.number(x, dtype) for x in operands)
        made = Apply(function, operands, attrs or {}, out.value)
        target, place = (out, None) if isinstance(out, Read) else (out.operands[0], out.attrs["index"])
        self.body.append(Assign(target, made, False, place, each.node, each.slot, into=True))


def _is_array(value: Any) -> bool:
    return bool(np.ndim(value))


def _basic(place: Any) -> bool:
    return all(
        isinstance(p, slice | int | Moving) or p is Ellipsis for p in (place if isinstance(place, tuple) else (place,))
    )


def _is_shaped(e: Any) -> bool:
    """Tell whether it is computed, and then only given another shape."""
    return isinstance(e, Apply) and e.function is ops.reshape and can_write(e.operands[0])


def _like(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype


def _root(e: Any) -> Any:
    """Return what something is a view of."""
    while isinstance(e, Apply) and e.function in VIEWS:
        e = e.operands[0]
    return e


def _only_reshaped(e: Any) -> bool:
    while isinstance(e, Apply) and e.function is ops.reshape:
        (e,) = e.operands
    return not (isinstance(e, Apply) and e.function in VIEWS)


def _moved(e: Any, where: dict[int, Any]) -> Any:
    if isinstance(e, Apply) and e.function in VIEWS:
        return Apply(e.function, tuple(_moved(x, where) for x in e.operands), e.attrs, e.value)
    return where.get(id(e), e)


def _placed(target: Read, place: Any) -> Any:
    if place is None:
        return target
    value = np.asarray(target.value)
    plain = tuple(0 if isinstance(p, Moving) else p for p in (place if isinstance(place, tuple) else (place,)))
    operands: Any = (target,)
    return Apply(ops.getitem, operands, {"index": place}, value[plain])


def _copied(target: Any, e: Any, each: Assign) -> Assign:
    """Copy something into a target."""
    if isinstance(target, Read):
        return Assign(target, e, False, Ellipsis if target.variable.rows is None else None, each.node, each.slot)
    return Assign(target.operands[0], e, False, target.attrs["index"], each.node, each.slot)
