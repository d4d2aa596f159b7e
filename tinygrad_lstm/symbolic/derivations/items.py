"""Items of a derivation: of each group of tensors what its gradient is made of, term by term.

A term is what one use of the tensor adds: the rule of what uses it, in symbols. Gradients and values stand in it as
atoms, counted from the step that the item is of. What is used once only is put where it is used.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...engine.ops import add
from ...engine.tensor import Tensor
from ...structure.path import path
from ...structure.words import is_number
from ..expressions import Apply, Expression, Name, Number, over_steps
from ..formulas import contributions
from ..rewriting import applications, replaced, simplified
from ..symbols import Symbols
from ..written import terms
from .recurrence import Group, Recurrence, Step, counted, mapped

VALUE, GRADIENT = "value", "gradient"


@dataclass
class Term:
    """What some uses of a tensor add to its gradient: at which steps, in symbols, and which operations use it."""

    expression: Expression
    steps: set[int | None]
    users: list[int]
    beyond: bool = False  # whether it is missing only where what it comes from would be beyond the first or last step


@dataclass
class Item:
    """The gradient of a group: the sum of its terms. ``steps`` are those of the members that take part."""

    group: Group
    steps: set[int | None]
    terms: list[Term] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether every term is there at every step."""
        return all(term.steps == self.steps for term in self.terms)

    @property
    def vanishing(self) -> bool:
        """Whether terms that are missing at the ends are 0 there, since gradients beyond the ends are."""
        return all(term.steps == self.steps or (term.beyond and _vanishes(term.expression)) for term in self.terms)

    def total(self, some: Iterable[Term] | None = None) -> Expression:
        """Return the sum of some terms, or of all."""
        total, shape = None, self.group.sample.shape
        for term in self.terms if some is None else some:
            total = term.expression if total is None else added(total, term.expression, shape)
        return Number(0.0, shape) if total is None else simplified(total)


def added(a: Expression, b: Expression, shape: tuple[int, ...]) -> Apply:
    return Apply(add, (a, b), {}, np.zeros(shape))


class Items:
    """All items between a loss and a tensor, after what is used once only has been put where it is used."""

    def __init__(self, recurrence: Recurrence, loss: Tensor, wrt: Tensor) -> None:
        self.recurrence = recurrence
        self.loss, self.wrt = loss, wrt
        self._path = path(loss, wrt).nodes
        self._uses = recurrence.uses()
        self.symbols = Symbols(recurrence.graph.nodes)
        self._rules: dict[Tensor, list[Expression]] = {}  # what each makes for all of its inputs, read once
        self.items: dict[int, Item] = {}
        for node in recurrence.graph.nodes:
            if node in self._path:
                group, t = recurrence.of[node]
                self.items.setdefault(group.number, Item(group, set())).steps.add(t)
        for item in self.items.values():
            self._find(item)
        self._put_in_place()

    def ordered(self) -> list[Item]:
        """Return the items in the order in which the walk back completes them."""
        return sorted(self.items.values(), key=lambda item: -item.group.sample.serial)

    def _find(self, item: Item) -> None:
        """Find the terms of an item: one for each way in which what uses its members does."""
        found: dict[tuple[int, int, int | None], set[int | None]] = defaultdict(set)
        alone: dict[int, list[tuple[int | None, int]]] = defaultdict(list)  # uses outside of time
        for t in sorted(item.steps, key=lambda t: -1 if t is None else t):
            x = item.group.members[t]
            if x is self.loss:
                item.terms.append(Term(Number(1.0, x.shape), {t}, []))
            for user, slot in self._uses.get(x, ()):
                assert user.primitive is not None
                if user.primitive.rule is None or user not in self._path:
                    continue
                group, s = self.recurrence.of[user]
                if s is None and t is not None:
                    alone[group.number].append((t, slot))
                elif t is None:
                    found[group.number, slot, None].add(s)
                else:
                    found[group.number, slot, None if s is None else s - t].add(t)
        for (number, slot, delay), steps in found.items():
            group = self.recurrence.groups[number]
            expression = self._contribution(group, slot)
            if delay is not None:
                there = {t for t in item.steps if t is not None and group.members.get(t + delay) in self._path}
                item.terms.append(Term(shifted(expression, delay), steps, [number], steps == there))
            elif group.timed:
                attrs = {"steps": tuple(sorted(t for t in steps if t is not None))}
                summed = Apply(over_steps, (expression,), attrs, np.zeros(item.group.sample.shape))
                item.terms.append(Term(summed, {None}, [number]))
            else:
                item.terms.append(Term(expression, {None}, [number]))
        for number, uses in alone.items():
            node = self.recurrence.groups[number].sample
            item.terms += [Term(self._read(node, slot, None), {t}, [number]) for t, slot in uses]

    def _joined(self, item: Item) -> list[Term]:
        """Return the terms of an item, those of single steps as one where they are alike; without those that are 0."""
        for term in item.terms:
            term.expression = simplified(term.expression)
        left = [part for term in item.terms for part in _summands(term) if not _is_zero(part.expression)]
        joined: list[Term] = []
        for term in left:
            for other in joined:
                if _joins(other, term):
                    other.steps = other.steps | term.steps
                    other.users += [user for user in term.users if user not in other.users]
                    break
            else:
                joined.append(term)
        return sorted(joined, key=lambda term: term.beyond and term.steps != item.steps)  # those of other steps last

    def _contribution(self, group: Group, slot: int) -> Expression:
        """Return what a group's rule makes for one of the inputs, counted from the step of the group."""
        steps: list[int | None] = [t for t in group.steps if not group.members[t].is_leaf]
        first, *others = steps or [None]
        expression = self._read(group.members[first], slot, first)
        for other in others[:1] if any(_counted_from(value) for value in group.attrs.values()) else ():
            assert first is not None
            assert other is not None
            expression = alike(expression, first, self._read(group.members[other], slot, other), other) or expression
        return expression

    def _read(self, node: Tensor, slot: int, t: int | None) -> Expression:
        """Return what the rule of a node makes for one of its inputs, in atoms."""
        if node not in self._rules:
            self._rules[node] = contributions(node, numbers=False)
        made = self._rules[node][slot]
        if t is not None:  # all members read the same, counted from their step; the first one's may have two places
            node = self.recurrence.of[node][0].sample
            t = self.recurrence.of[node][1]
        by: dict[Expression, Expression] = {}
        for slot_name in atoms_of(made):
            place = int(slot_name.text) - 2  # before the inputs stand the upstream gradient and the output
            x = node if place < 0 else node.inputs[place]
            by[slot_name] = self.atom(x, GRADIENT if place == -2 else VALUE, t)
        return replaced(made, by)

    def is_constant(self, group: Group) -> bool:
        """Tell whether a group is one bare number, the same at every step."""
        numbers = group.members.values()
        return all(map(is_number, numbers)) and len({x.item() for x in numbers}) == 1

    def atom(self, x: Tensor, what: str, t: int | None) -> Expression:
        group, step = self.recurrence.of[x]
        if what == VALUE and self.is_constant(group):
            return Number(x.item())
        time = "" if step is None else f"@{step}" if t is None else f"{step - t:+d}"
        return Name(str(group.number), what, time, shape=x.shape)

    def _put_in_place(self) -> None:
        """Put the gradient of a group where it is used, if that is one place, or if it is but another one's."""
        goal, changed = self.recurrence.of[self.wrt][0].number, True
        while changed:
            changed = False
            for item in self.ordered():
                item.terms = self._joined(item)
                if item.group.number != goal and self._is_put_in_place(item):
                    users = [user for term in item.terms for user in term.users]
                    self._replace(item.group.number, item.total(), users)
                    del self.items[item.group.number]
                    changed = True

    def _is_put_in_place(self, item: Item) -> bool:
        number, sample = item.group.number, item.group.sample
        if not item.vanishing or number in _used(item):
            return False
        uses = [x.time for other in self.items.values() for x in gradients_in(other) if x.text == str(number)]
        from_others = any(time not in ("", "+0") for time in uses)
        if from_others and not (item.whole and _is_of_gradients(item.total())):  # beyond the ends it would not be 0
            return False
        simple = isinstance(item.total(), Name | Number)
        listed = sample.primitive is not None and sample.primitive.style == "list"
        return simple or listed or (len(uses) == 1 and self.symbols.activated(sample) is None)

    def _replace(self, number: int, total: Expression, users: list[int]) -> None:
        for item in self.items.values():
            for term in item.terms:
                atoms = [x for x in atoms_of(term.expression) if x.text == str(number) and x.below == GRADIENT]
                if atoms:
                    by: dict[Expression, Expression] = {x: _at(total, x.time) for x in atoms}
                    term.expression = simplified(replaced(term.expression, by))
                    term.users += [user for user in users if user not in term.users]


def _at(total: Expression, time: str) -> Expression:
    """Return an item's total as it is where an atom of it stands."""
    if time.startswith("@"):
        return fixed(total, int(time[1:]))
    return shifted(total, int(time)) if time else total


def shifted(expression: Expression, delay: int) -> Expression:
    """Return an expression that is counted from a step as one ``delay`` steps before it counts."""

    def name(x: Name) -> Name:
        return Name(x.text, x.below, f"{int(x.time) + delay:+d}", shape=x.shape)

    return _moved(expression, name, lambda step: step.shifted(delay)) if delay else expression


def fixed(expression: Expression, t: int) -> Expression:
    """Return an expression that is counted from a step at that step."""

    def name(x: Name) -> Name:
        return Name(x.text, x.below, f"@{t + int(x.time)}", shape=x.shape)

    return _moved(expression, name, lambda step: step.at(t))


def _moved(expression: Expression, name: Callable[[Name], Name], step: Callable[[Step], Any]) -> Expression:
    made: dict[Expression, Expression] = {}

    def operand(x: Expression) -> Expression:
        if isinstance(x, Name):
            return name(x) if x.time.startswith(("+", "-")) else x
        return made.get(x, x)

    for each in applications(expression):
        if each.function is over_steps:
            made[each] = each
        else:
            made[each] = Apply(each.function, tuple(map(operand, each.operands)), mapped(each.attrs, step), each.value)
    return operand(expression)


def alike(a: Expression, t: int, b: Expression, s: int) -> Expression | None:
    """Return the expression of a step t as it is counted from there, if that of the step s is the same; else None."""
    if isinstance(a, Apply) and isinstance(b, Apply):
        if a.function is not b.function or len(a.operands) != len(b.operands):
            return None
        operands = [alike(x, t, y, s) for x, y in zip(a.operands, b.operands, strict=True)]
        attrs = counted(dict(a.attrs), t, dict(b.attrs), s)
        if attrs is None or any(x is None for x in operands):
            return None
        return Apply(a.function, tuple(x for x in operands if x is not None), attrs, a.value)
    if isinstance(a, Name) and isinstance(b, Name) and a != b:
        steps = [int(x.time[1:]) if x.time.startswith("@") else None for x in (a, b)]
        same = (a.text, a.below) == (b.text, b.below) and None not in steps
        if same and steps[0] - t == steps[1] - s:  # type: ignore[operator]
            return Name(a.text, a.below, f"{steps[0] - t:+d}", shape=a.shape)  # type: ignore[operator]
        return None
    return a if a == b else None


def _summands(term: Term) -> list[Term]:
    """Return a term of a single step as one for each of its summands, which may be alike at other steps."""
    parts = terms(term.expression) if len(term.steps) == 1 and None not in term.steps else []
    if len(parts) < 2 or any(sign not in ("", "+") for sign, _, _ in parts):
        return [term]
    return [Term(x, set(term.steps), list(term.users), term.beyond) for _, x, _ in parts]


def _joins(one: Term, other: Term) -> bool:
    """Make the first of two terms stand for the steps of both, if it can: they are the same, counted from the step."""
    (*_, t), (*_, s) = one.steps, other.steps
    if one.steps & other.steps or t is None or s is None:
        return False
    if _same(one.expression, other.expression):
        return True
    if len(other.steps) > 1 or one.beyond or other.beyond:
        return False
    made = alike(one.expression, t, other.expression, s) if len(one.steps) == 1 else None
    if made is None:
        return len(one.steps) > 1 and _same(fixed(one.expression, s), other.expression)
    one.expression = made
    return True


def _same(a: Expression, b: Expression) -> bool:
    return bool(repr_of(a) == repr_of(b))


def repr_of(x: Expression) -> Any:
    """Return what two expressions have in common that are the same."""
    if isinstance(x, Apply):
        return id(x.function), str(x.attrs), *map(repr_of, x.operands)
    return x


def atoms_of(expression: Expression) -> list[Name]:
    """Return the atoms of an expression, each as often as it stands there."""
    if isinstance(expression, Name):
        return [expression]
    operands = [x for each in applications(expression) for x in each.operands]
    return [x for x in operands if isinstance(x, Name)]


def gradients_in(item: Item) -> list[Name]:
    """Return the gradients that stand in an item, each as often as it does."""
    return [x for term in item.terms for x in atoms_of(term.expression) if x.below == GRADIENT]


def _used(item: Item) -> Counter[int]:
    return Counter(int(x.text) for x in gradients_in(item))


def _is_of_gradients(expression: Expression) -> bool:
    """Tell whether nothing is left of an expression where every gradient is 0."""
    zeros = {x: Number(0.0, x.shape or ()) for x in atoms_of(expression) if x.below == GRADIENT}
    return _is_zero(simplified(replaced(expression, zeros)))  # type: ignore[arg-type]


def _vanishes(expression: Expression) -> bool:
    """Tell whether nothing is left of an expression without the gradients of other steps."""
    others = [x for x in atoms_of(expression) if x.below == GRADIENT and x.time not in ("", "+0")]
    left = simplified(replaced(expression, {x: Number(0.0, x.shape or ()) for x in others}))
    return isinstance(left, Number) and left.value == 0


def _counted_from(attrs: Any) -> bool:
    found: list[Step] = []
    mapped(attrs, found.append)
    return bool(found)


def _is_zero(expression: Expression) -> bool:
    return isinstance(expression, Number) and expression.value == 0
