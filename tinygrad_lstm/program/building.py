"""From a graph that is rolled up to a program: first what it computes, then what its rules make of a gradient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from typing import cast as cast_to

import numpy as np

from ..engine import ops
from ..engine.backprop import unbroadcast
from ..engine.primitive import Primitive
from ..engine.tensor import Tensor
from ..structure.loops import Every, Fixed, Given, Loop, Made, Moving, Reference, Rolled, Stacked
from ..structure.words import is_number
from ..symbolic.expressions import Apply, Number
from ..symbolic.tracer import TracedArray, UnknownToReader
from ..symbolic.tracer import _read as read_with
from .beginning import HERE, begun_by_first, cover, reaches_all
from .recording import NotExpressible
from .simplifying import added, repeats, simplified
from .sizes import Size
from .statements import Assign, Begin, For, Read, Statement, Variable, statements
from .stepwise import at_member, fits, following, in_sizes, parts_of_attr


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
        self.again: list[tuple[Variable, Variable]] = []  # what is made again backwards, and what it was forwards

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
            if isinstance(each, Begin) and each.steps and (each.variable in parts or not reaches_all(each, self.outer)):
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
                expression = added(expression, other, made.node.value)
            if isinstance(expression, Read | Number) or repeats(expression):
                return expression
            self.body.append(Assign(Read(total, here), expression, node=made.node))
        else:
            covered = cover(total.value.shape, [place for _, place in pending])
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
        moving = any(
            isinstance(part, Moving | Stacked) for value in made.attrs.values() for part in parts_of_attr(value)
        )
        middle = len(made.members) // 2
        if moving:
            middle = min(middle, len(made.members) - 2)
        products = self._rule(made, middle, upstream)
        if moving and made.loop:
            after = self._rule(made, middle + 1, upstream)
            step, by = made.loop.at(middle), made.loop.direction
            products = [
                None if a is None else following(a, b, step, by, made.attrs)
                for a, b in zip(products, after, strict=True)
            ]
        found: list[tuple[Reference, list[Any]]] = []
        start, place = 0, 0  # the number of an operand, as it was recorded, and in sizes
        for reference in made.operands:
            if isinstance(reference.index, Every):
                loop: Any = cast_to(Made, reference.of).loop
                mine = products[start : start + loop.count]
                step, by = (loop.high - 1, -1) if reference.index.descending else (loop.low, 1)
                general = None if mine[0] is None else following(mine[0], mine[1], step, by, {})
                general = in_sizes(general, start - by * int(step), place - by * step)
                start, place = start + loop.count, place + (loop.high - loop.low)
                steps = [int(step) + by * k for k in range(loop.count)]
                alike = all(fits(general, each, at) for at, each in zip(steps, mine, strict=True))
                if alike and self.loop is not None and isinstance(loop.high, Size):
                    raise NotExpressible(
                        f"{made.primitive.name}{made.node.context.place} reads all steps of a loop in each step of "
                        "another one; make it once, before that"
                    )
                if alike and self.loop is None:
                    found.append((reference, [general]))
                else:  # each of them is another one's
                    found += [(Reference(reference.of, Fixed(at)), [x]) for at, x in zip(steps, mine, strict=True)]
            else:
                found.append((reference, [in_sizes(products[start], start, place)]))
                start, place = start + 1, place + 1
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
            attrs = {name: at_member(value, made, k) for name, value in made.attrs.items()}
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
