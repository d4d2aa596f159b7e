"""From a graph that is rolled up to a program: first what it computes, then what its rules make of a gradient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from typing import cast as cast_to

import numpy as np

from ..engine import ops
from ..engine.backprop import unbroadcast
from ..engine.primitive import Kind, Primitive
from ..engine.tensor import Tensor
from ..structure.rolling import Every, Fixed, Given, Loop, Made, Moving, Reference, Rolled, Stacked
from ..structure.words import is_number
from ..symbolic.expressions import Apply, Constant, Number
from ..symbolic.rewriting import applications
from ..symbolic.tracer import TracedArray, UnknownToReader
from ..symbolic.tracer import _read as read_with
from .sizes import Size
from .statements import Assign, Begin, For, Read, Statement, Variable, statements

HERE = Moving(1, 0)
"""The step that the loop is at."""


@dataclass(eq=False)
class RuleOf(Primitive):
    """What a rule that cannot be read makes for one of the inputs; it is called as it is."""

    primitive: Primitive
    slot: int

    def __hash__(self) -> int:
        return id(self)


class Builder:
    """Builds statements. ``named`` says what a size is called, ``traced`` reads rules with such sizes."""

    def __init__(self, rolled: Rolled, traced: type[TracedArray], numbers: Mapping[Given, Any] | None = None) -> None:
        self.rolled, self.traced, self.numbers = rolled, traced, numbers or {}
        self.variables: dict[Given | Made, Variable] = {}
        self.gradients: dict[Given | Made, Variable] = {}
        self.extra: list[Variable] = []
        self.buffers: list[Variable] = []
        self.cuts: list[tuple[Variable, Variable, str | None]] = []  # a part of what, and what it would be called
        self.carried: list[tuple[Variable, Variable]] = []

    def variable(self, of: Given | Made) -> Variable:
        if of not in self.variables:
            node = of.members[0] if isinstance(of, Given) else of.node
            loop = of.loop if isinstance(of, Made) else None
            self.variables[of] = Variable("", node.value, loop, isinstance(of, Given) and of.stacked, node)
        return self.variables[of]

    def read(self, reference: Reference) -> Any:
        of = reference.of
        if isinstance(of, Given) and of in self.numbers:
            return self.numbers[of]
        if isinstance(of, Given) and not of.stacked and is_number(of.members[0]):
            return Number(of.members[0].item())
        return Read(self.variable(of), reference.index)

    # Forwards

    def forward(self) -> list[Statement]:
        """Return what the graph computes."""
        body: list[Statement] = []
        for item in self.rolled.items:
            if isinstance(item, Loop):
                for made in item.body:
                    for at, reference in sorted(made.before.items()):
                        body.append(Assign(Read(self.variable(made), Fixed(at)), self.read(reference)))
                body.append(For(item, [self._computed(made) for made in item.body]))
            else:
                body.append(self._computed(item))
        return body

    def _computed(self, made: Made) -> Assign:
        operands = tuple(map(self.read, made.operands))
        expression = Apply(made.primitive, operands, made.attrs, made.node.value)
        return Assign(Read(self.variable(made), HERE if made.loop else None), expression, node=made.node)

    # Backwards

    def backward(
        self, outputs: Sequence[Reference], seeds: Sequence[Any], wrt: Sequence[Reference]
    ) -> tuple[list[Statement], list[Any]]:
        """Return what brings gradients of the outputs to those of what is asked for, and where these are then."""
        return _BackwardPass(self, outputs, wrt).build(seeds)


class _BackwardPass:
    def __init__(self, builder: Builder, outputs: Sequence[Reference], wrt: Sequence[Reference]) -> None:
        self.builder, self.outputs, self.wrt = builder, outputs, wrt
        self.rolled = builder.rolled
        self.path = self._path({reference.of for reference in wrt})
        self.crossing = self._crossing()
        self.pending: dict[Given | Made, list[tuple[Any, Any]]] = defaultdict(list)  # expression, place
        self.totals: dict[Given | Made, Variable] = {}
        self.gradients: dict[Given | Made, Variable] = builder.gradients
        self.outer: list[Statement] = []
        self.body = self.outer
        self.loop: Loop | None = None

    def build(self, seeds: Sequence[Any]) -> tuple[list[Statement], list[Any]]:
        for reference, seed in zip(self.outputs, seeds, strict=True):
            self.contribute(reference, seed)
        for item in reversed(self.rolled.items):
            if isinstance(item, Loop):
                self._loop(item)
            else:
                self._through(item)
        found = [self._gradient_of(reference) for reference in self.wrt]
        parts = {x.target.variable for x in statements(self.outer) if isinstance(x, Assign) and x.place is not None}
        for each in self.outer:
            if isinstance(each, Begin) and each.steps and each.variable in parts:
                each.arrays = True
        return begun_by_first(self.outer), found

    def _path(self, wanted: set[Any]) -> set[Any]:
        """Return what lies between the outputs and what is asked for."""
        path = set(wanted)
        grown = True
        while grown:
            before = len(path)
            for made in self.rolled.made():
                read = (*made.operands, *made.before.values())
                if (made.requires_grad and any(reference.of in path for reference in read)) or (
                    made.before and any(reference.of in path for reference in read)
                ):
                    path.add(made)
            grown = len(path) > before
        return path

    def _crossing(self) -> set[Made]:
        """Return the families of loops of which a member is read in another step, or elsewhere; and what is asked for.

        Their gradients are added up in a variable.
        """
        found = {ref.of for ref in self.wrt if isinstance(ref.of, Made)}
        readers = [(made.loop, reference) for made in self.rolled.made() for reference in made.operands]
        readers += [(None, reference) for made in self.rolled.made() for reference in made.before.values()]
        readers += [(None, reference) for reference in (*self.outputs, *self.wrt)]
        for loop, reference in readers:
            of = reference.of
            if isinstance(of, Made) and of.loop and (of.loop is not loop or reference.index != HERE):
                found.add(of)
        return found

    def _loop(self, loop: Loop) -> None:
        if not any(made in self.path for made in loop.body):
            return
        for made in loop.body:
            if made in self.crossing and made in self.path:
                self._total(made)
        self.loop, self.body = loop, []
        for made in reversed(loop.body):
            self._through(made)
        body, self.body, self.loop = self.body, self.outer, None
        if body:
            self.outer.append(For(loop, body, backwards=True))
        for made in loop.body:
            if made in self.totals:
                for at, reference in made.before.items():
                    if reference.of in self.path:
                        self.contribute(reference, Read(self.totals[made], Fixed(at)))

    def _through(self, made: Made) -> None:
        """Take the gradient of an operation to its inputs."""
        if made not in self.path:
            return
        upstream = self._upstream(made)
        if upstream is None or made.primitive.rule is None:
            return
        for slot, (reference, contributions) in enumerate(self._contributions(made, upstream)):
            for contribution in contributions:
                if contribution is not None:
                    self.contribute(reference, contribution, made.node, slot)

    def _upstream(self, made: Made) -> Any:
        """Return the gradient of an operation, all of it: a variable, unless it is another one's."""
        if made in self.totals:
            return Read(self.totals[made], HERE if made.loop else None)
        pending = self.pending.pop(made, [])
        if not pending:
            return None
        total = self.gradients[made] = Variable("", made.node.value, made.loop, node=made.node)
        here = HERE if made.loop else None
        if all(place is None for _, place in pending):
            expression = pending[0][0]
            for other, _ in pending[1:]:
                expression = _added(expression, other, made.node.value)
            if isinstance(expression, Read | Number) or _repeats(expression):
                return expression
            self.body.append(Assign(Read(total, here), expression, node=made.node))
        else:
            covered = _cover(total.value.shape, [place for _, place in pending])
            self.body.append(Begin(total, like=self.builder.variable(made), empty=covered))
            self.body += [Assign(Read(total, here), each, not covered, place, made.node) for each, place in pending]
        return Read(total, here)

    def _total(self, of: Given | Made) -> Variable:
        """Return the variable in which a gradient is added up from more than one place."""
        if of not in self.totals:
            node = of.members[0] if isinstance(of, Given) else of.node
            loop = of.loop if isinstance(of, Made) else None
            total = self.totals[of] = self.gradients[of] = Variable("", node.value, loop, bool(loop), node)
            if isinstance(of, Given) and of.stacked:
                total.kept = True
                ends = sorted((of.first, of.first + of.direction * (len(of.members) - 1)))
                self.outer.append(Begin(total, (ends[0], ends[1] + 1), like=self.builder.variable(of)))
            elif isinstance(of, Made) and of.loop:
                low, high = min([of.loop.low, *of.before]), max([of.loop.high, *(at + 1 for at in of.before)])
                self.outer.append(Begin(total, (low, high), like=self.builder.variable(of)))
            else:
                self.outer.append(Begin(total, like=self.builder.variable(of)))
                for each, place in self.pending.pop(of, []):
                    self.outer.append(Assign(Read(total), each, True, place, node))
        return self.totals[of]

    def contribute(
        self, reference: Reference, contribution: Any, node: Tensor | None = None, slot: int | None = None
    ) -> None:
        """Let a contribution arrive at the gradient of what was read."""
        of, place = reference.of, None
        if of not in self.path:
            return
        placed = isinstance(contribution, Apply) and contribution.function is ops.index_add
        if placed and contribution.attrs["index"] is not None:  # which is no place, but one more axis
            contribution, place = contribution.operands[0], contribution.attrs["index"]
            place = None if place is Ellipsis else place
        loop = of.loop if isinstance(of, Made) else None
        stacked = isinstance(of, Given) and of.stacked
        if of in self.totals or stacked or (loop is not self.loop) or of in self.crossing:
            target = Read(self._total(of), reference.index if loop or stacked else None)
            if isinstance(reference.index, Every):
                assert loop is not None
                target = Read(target.variable, HERE)
                self.body.append(For(loop, [Assign(target, contribution, True, place, node, slot)], backwards=False))
            else:
                self.body.append(Assign(target, contribution, True, place, node, slot))
        else:
            self.pending[of].append((contribution, place))

    def _gradient_of(self, reference: Reference) -> Any:
        of = reference.of
        if of in self.totals:
            return Read(self.totals[of], reference.index)
        pending = self.pending.pop(of, [])
        if not pending:
            return None
        total = self.gradients[of] = Variable("", of.members[0].value, node=of.members[0])
        self.body.append(Begin(total, like=self.builder.variable(of)))
        self.body += [Assign(Read(total), each, True, place, total.node) for each, place in pending]
        return Read(total)

    # Rules

    def _contributions(self, made: Made, upstream: Any) -> list[tuple[Reference, list[Any]]]:
        """Return for each operand what the rule makes for it, as often as it stands in the operation."""
        moving = any(isinstance(part, Moving | Stacked) for value in made.attrs.values() for part in _parts_of(value))
        middle = len(made.members) // 2
        if moving:
            middle = min(middle, len(made.members) - 2)
        products = self._rule(made, middle, upstream)
        if moving and made.loop:
            after = self._rule(made, middle + 1, upstream)
            step, by = made.loop.at(middle), made.loop.direction
            products = [
                None if a is None else _following(a, b, step, by, made.attrs)
                for a, b in zip(products, after, strict=True)
            ]
        found: list[tuple[Reference, list[Any]]] = []
        start = 0
        for reference in made.operands:
            if isinstance(reference.index, Every):
                loop: Any = cast_to(Made, reference.of).loop
                mine = products[start : start + loop.count]
                start += loop.count
                step, by = (loop.high - 1, -1) if reference.index.descending else (loop.low, 1)
                general = None if mine[0] is None else _following(mine[0], mine[1], step, by, {})
                steps = [step + by * k for k in range(loop.count)]
                if all(_fits(general, each, at) for at, each in zip(steps, mine, strict=True)):
                    found.append((reference, [general]))
                else:  # each of them is another one's
                    found += [(Reference(reference.of, Fixed(at)), [x]) for at, x in zip(steps, mine, strict=True)]
            else:
                found.append((reference, [products[start]]))
                start += 1
        return found

    def _rule(self, made: Made, k: int, upstream: Any) -> list[Any]:
        """Read the rule at one of the members; what the members share is then known from two."""
        node = made.members[k]
        names: list[Any] = [upstream, Read(self.builder.variable(made), HERE if made.loop else None)]
        for reference in made.operands:
            if isinstance(reference.index, Every):
                loop: Any = cast_to(Made, reference.of).loop
                steps = range(loop.low, loop.high)
                places = reversed(steps) if reference.index.descending else steps
                names += [Read(self.builder.variable(reference.of), Fixed(at)) for at in places]
            else:
                names.append(self.builder.read(reference))
        known = upstream.value if isinstance(upstream, Number) else 1.0
        values = [np.full(node.shape, known, node.dtype), node.value, *node.input_values]
        primitive, traced = made.primitive, self.builder.traced
        try:
            attrs = {name: _at_member(value, made, k) for name, value in made.attrs.items()}
            made_of = read_with("rule", primitive, primitive.rule, names, values, attrs, traced)
        except UnknownToReader:
            return [
                Apply(RuleOf(primitive, slot), tuple(names), made.attrs, value)
                for slot, value in enumerate(node.input_values)
            ]
        return [
            None if product is None else self._fitted(product, value)
            for product, value in zip(made_of, node.input_values, strict=True)
        ]

    def _fitted(self, product: TracedArray, value: Any) -> Any:
        shape = self.builder.traced(Number(0.0), value).shape
        fitted = unbroadcast(product, shape)
        if fitted.dtype != value.dtype:
            fitted = fitted.astype(value.dtype)
        return simplified(fitted.expression)


def _added(a: Any, b: Any, value: Any) -> Any:
    """Return a + b, which to the bit is 2 a where b is the same, and a − c where b is −c."""
    if _same(a, b):
        return Apply(ops.mul, (Number(2.0), a), {}, value)
    if isinstance(b, Apply) and b.function is ops.neg:
        return Apply(ops.sub, (a, b.operands[0]), {}, value)
    return Apply(ops.add, (a, b), {}, value)


def _repeats(e: Any) -> bool:
    """Tell whether it only repeats a number, or what is there already."""
    return isinstance(e, Apply) and e.function is ops.broadcast_to and not _computes(e.operands[0])


def _computes(e: Any) -> bool:
    return isinstance(e, Apply) and (e.function not in VIEWS or any(map(_computes, e.operands)))


def _same(a: Any, b: Any) -> bool:
    """Tell whether two expressions are the same."""
    if isinstance(a, Read) and isinstance(b, Read):
        return a.variable is b.variable and a.index == b.index
    if isinstance(a, Apply) and isinstance(b, Apply):
        plain = not any(isinstance(x, np.ndarray | Stacked) for x in (*a.attrs.values(), *b.attrs.values()))
        return a.function is b.function and plain and a.attrs == b.attrs and all(map(_same, a.operands, b.operands))
    return isinstance(a, Number) and a == b


def _cover(shape: tuple[int, ...], places: Sequence[Any]) -> bool:
    """Tell whether pieces of the last axis are all of it, and none is twice."""
    if len(places) < 2 or not all(
        isinstance(p, tuple) and len(p) == 2 and p[0] is Ellipsis and isinstance(p[1], slice) for p in places
    ):
        return False
    pieces = sorted(((p[1].start or 0, p[1].stop) for p in places), key=lambda piece: piece[0])
    ends = [0, *(stop for _, stop in pieces)]
    return ends[-1] == shape[-1] and all(start == end for (start, _), end in zip(pieces, ends, strict=False))


VIEWS = {ops.getitem, ops.reshape, ops.transpose, ops.broadcast_to}


def begun_by_first(body: list[Statement]) -> list[Statement]:
    """Let a sum begin with what is added first, where that is an array of its own and not in a loop."""
    written: dict[Variable, list[Assign]] = defaultdict(list)
    for each in statements(body):
        if isinstance(each, Assign):
            written[each.target.variable].append(each)
    outside = {id(each) for each in body}
    gone = set()
    for begin in body:
        if isinstance(begin, Begin) and begin.steps is None and written[begin.variable]:
            first, *others = written[begin.variable]
            own = isinstance(first.expression, Apply) and first.expression.function not in VIEWS
            if id(first) in outside and first.place is None and (own or not others):
                first.adds = False
                gone.add(id(begin))
    return [each for each in body if id(each) not in gone]


def begun_by_step(body: list[Statement]) -> list[Statement]:
    """Let a gradient of each step begin with what arrives first, where that arrives at all steps."""
    begins = {each.variable: each for each in body if isinstance(each, Begin) and each.steps and not each.arrays}
    written: set[Variable] = set()
    found: list[Statement] = []
    for each in body:
        targets = {one.target.variable for one in statements([each]) if isinstance(one, Assign)}
        only = each.body[0] if isinstance(each, For) and not each.backwards and len(each.body) == 1 else None
        if (
            isinstance(each, For)
            and isinstance(only, Assign)
            and only.target.index == HERE
            and only.place is None
            and only.target.variable in begins.keys() - written
            and only.target.variable.loop is each.loop
        ):
            begin = begins[only.target.variable]
            found.remove(begin)
            begin.each = only.expression
            found.append(begin)
        else:
            found.append(each)
        written |= targets
    return found


def simplified(expression: Any) -> Any:
    """Return an expression without what numbers alone decide: sums of them, a choice by one, a power of 1.

    Every number it makes is the one that was computed before.
    """
    if not isinstance(expression, Apply):
        return expression
    known: dict[Apply, Any] = {}
    for each in applications(expression):
        operands = tuple(_plain(known.get(x, x)) if isinstance(x, Apply) else _plain(x) for x in each.operands)
        known[each] = _decided(each, operands)
    return known[expression]


def _plain(x: Any) -> Any:
    if isinstance(x, Constant) and np.ndim(x.value) == 0 and not isinstance(x.value, Size | np.ndarray | np.generic):
        return Number(float(x.value))
    return x


def _decided(each: Apply, operands: tuple[Any, ...]) -> Any:
    if each.function is ops.mul:
        operands = _unrepeated(operands, each.value.shape)
    numbers = [x.value for x in operands if isinstance(x, Number)]
    if numbers and len(numbers) == len(operands) and each.value.ndim == 0:
        return Number(float(each.value))
    compared = all(isinstance(x, Number) or _compares(x) for x in operands)
    if each.function is ops.mul and 0.0 in numbers and compared:
        return Number(0.0)
    if (
        each.function is ops.where
        and isinstance(operands[0], Number)
        and np.shape(operands[1 if operands[0].value else 2].value) == each.value.shape
    ):
        return operands[1] if operands[0].value else operands[2]
    if (
        each.function is ops.pow
        and isinstance(operands[1], Number)
        and operands[1].value == 1
        and np.shape(operands[0].value) == each.value.shape
    ):
        return operands[0]
    if each.function is ops.mul and 1.0 in numbers:
        other = operands[1] if isinstance(operands[0], Number) and operands[0].value == 1 else operands[0]
        if not isinstance(other, Number) and np.shape(other.value) == each.value.shape:
            return other
    return Apply(each.function, _broadcasting(each, operands), each.attrs, each.value)


def _broadcasting(each: Apply, operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return operands that are not repeated before an operation that repeats them itself."""
    pointwise = isinstance(each.function, Primitive) and each.function.kind is Kind.pointwise and not each.attrs
    if not pointwise or len(operands) != 2:
        return operands
    found = list(operands)
    for i, x in enumerate(operands):
        other = np.shape(getattr(operands[1 - i], "value", 0.0))
        if isinstance(x, Apply) and x.function is ops.broadcast_to and other == each.value.shape:
            found[i] = _without_ones(x.operands[0], other)
    return tuple(found)


def _without_ones(x: Any, shape: tuple[int, ...]) -> Any:
    """Return what a reshape gave axes of length 1 in front, which broadcasting does by itself."""
    if isinstance(x, Apply) and x.function is ops.reshape:
        inner: Any = x.operands[0]
        was = np.shape(getattr(inner, "value", 0.0))
        if was == x.value.shape[x.value.ndim - len(was) :]:
            return inner
    return x


def _unrepeated(operands: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the factors of an array; what was repeated for all of it is written once, which broadcasting repeats."""
    found = list(operands)
    for i, x in enumerate(operands):
        other = operands[1 - i]
        if isinstance(x, Apply) and x.function is ops.broadcast_to and np.shape(getattr(other, "value", 0)) == shape:
            inner: Any = x.operands[0]
            while isinstance(inner, Apply) and inner.function is ops.reshape and np.size(inner.value) == 1:
                inner = inner.operands[0]
            found[i] = inner
    return tuple(found)


def _compares(x: Any) -> bool:
    """Tell whether it is 0 or 1."""
    if not isinstance(x, Apply) or not isinstance(x.function, Primitive):
        return False
    return x.function.kind is Kind.comparison or (x.function is ops.mul and all(map(_compares, x.operands)))


def _at_member(value: Any, made: Made, k: int) -> Any:
    """Return an attribute of one member of a family: what moves, where it is then."""
    if isinstance(value, tuple):
        return tuple(_at_member(part, made, k) for part in value)
    if isinstance(value, Stacked):
        return value.values[k]
    if isinstance(value, Moving):
        assert made.loop is not None
        return int(value.sign * made.loop.at(k) + value.offset)
    return value


def _parts_of(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _following(a: Any, b: Any, step: int, by: int, attrs: Mapping[str, Any]) -> Any:
    """Return what stands for two expressions, one of ``step`` and one of ``step + by``, in terms of the step."""
    if isinstance(a, Apply) and isinstance(b, Apply):
        operands = tuple(_following(x, y, step, by, attrs) for x, y in zip(a.operands, b.operands, strict=True))
        stacked = [each for each in attrs.values() if isinstance(each, Stacked)]
        merged = {name: _moved(value, b.attrs[name], step, by, stacked) for name, value in a.attrs.items()}
        return Apply(a.function, operands, merged, a.value)
    return a


def _fits(general: Any, one: Any, at: int) -> bool:
    """Tell whether an expression in terms of the step is another one at a step."""
    if isinstance(general, Apply) and isinstance(one, Apply):
        attrs = all(_fits_attr(value, one.attrs[name], at) for name, value in general.attrs.items())
        operands = all(map(partial(_fits, at=at), general.operands, one.operands))
        return general.function is one.function and attrs and operands
    return _same(general, one) or (isinstance(general, Constant) and isinstance(one, Constant))


def _fits_attr(a: Any, b: Any, at: int) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(partial(_fits_attr, at=at), a, b))
    if isinstance(a, slice) and isinstance(b, slice):
        return _fits_attr((a.start, a.stop, a.step), (b.start, b.stop, b.step), at)
    if isinstance(a, Moving):
        return bool(int(a.sign * at + a.offset) == b)
    return a is b or (not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray) and bool(a == b))


def _moved(a: Any, b: Any, step: int, by: int, stacked: list[Stacked]) -> Any:
    if isinstance(a, tuple):
        return tuple(_moved(x, y, step, by, stacked) for x, y in zip(a, b, strict=True))
    if isinstance(a, slice):
        return slice(
            *(
                _moved(x, y, step, by, stacked)
                for x, y in zip((a.start, a.stop, a.step), (b.start, b.stop, b.step), strict=True)
            )
        )
    if isinstance(a, int) and a != b:
        slope = (b - a) * by
        return Moving(slope, a - slope * step)
    if isinstance(a, np.ndarray):
        for each in stacked:
            if any(value is a for value in each.values):
                return each
    return a
