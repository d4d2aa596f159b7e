"""Lettering: what the atoms of a derivation are called, with t for the step."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cached_property

from ...engine import ops
from ...engine.primitive import Kind
from ..expressions import Apply, Expression, Gradient, Name, shape_of
from ..rewriting import applications, replaced, simplified
from ..symbols import MOST_PARTS, Symbols
from .items import GRADIENT, VALUE, Item, Items, fixed, shifted
from .recurrence import Group, mapped

SHORT = 5
"""Names and operations in what stands below ∂L/∂ without a letter; chosen: r ⊙ h and 1 − z are short."""


class Lettering:
    """The names of values and gradients. What has none is written out; if that is long, it gets a letter."""

    def __init__(self, items: Items) -> None:
        self._items = items
        self._symbols: Symbols = items.symbols
        self._groups = items.recurrence.groups
        self.letters: dict[int, Name] = {}
        """Groups that have a letter since they have neither a name nor a short way to be written."""
        self.blocks: dict[Name, tuple[Name, slice]] = {}
        """Rows of a parameter that have a name of their own: those that meet one part of a row of parts."""
        for group in self._handed_on():
            self._letter(group)
        for item in sorted(items.items.values(), key=lambda item: item.group.sample.serial):
            if self._is_long(item.group):
                self._letter(item.group)

    def _handed_on(self) -> list[Group]:
        """Return groups without a name that another step reads: written out they would never end."""
        computed = [group for group in self._groups if group.timed and group.sample.primitive is not None]
        read = {int(x.text) for group in computed for x in _atoms(self.equation(group)) if _is_of_another_step(x)}
        return [group for group in computed if group.number in read and not self._has_name(group)]

    def _has_name(self, group: Group) -> bool:
        return self._symbols.own(group.sample) is not None

    def _is_long(self, group: Group) -> bool:
        """Tell whether what has no name is too long to be written below ∂L/∂."""
        if self._has_name(group) or group.sample.primitive is None:
            return False
        equation = self.equation(group)
        return _parts(self.computed(equation)) > SHORT

    def _letter(self, group: Group) -> None:
        if group.number in self.letters:
            return
        self.letters[group.number] = Name("v", above=f"({len(self.letters) + 1})" if self.letters else "")

    def computed(self, expression: Expression) -> Expression:
        """Return an expression with atoms for what has names only: others as they are computed."""
        by: dict[Expression, Expression] = {
            x: self._computed(x, MOST_PARTS) for x in _atoms(expression) if x.below == VALUE
        }
        return simplified(replaced(expression, by)) if by else expression

    def _computed(self, x: Name, most: int) -> Expression:
        group = self._groups[int(x.text)]
        primitive = group.sample.primitive
        if group.sample.name is not None or primitive is None or group.number in self.letters:
            return x
        equation = self.equation(group)
        by: dict[Expression, Expression] = {each: self._computed(each, most) for each in _atoms(equation)}
        written = replaced(equation, by)
        if _parts(written) > most:
            self._letter(group)
            return x
        return fixed(written, int(x.time[1:])) if x.time.startswith("@") else shifted(written, int(x.time or 0))

    def equation(self, group: Group) -> Apply:
        """Return how a group was computed, in atoms that are counted from its step."""
        sample = group.sample
        assert sample.primitive is not None
        t = self._items.recurrence.of[sample][1]
        operands = tuple(self._items.atom(x, VALUE, t) for x in sample.inputs)
        return Apply(sample.primitive, operands, group.attrs, sample.value)

    def named(self, expression: Expression, t: int | None = None) -> Expression:
        """Return an expression with names for its atoms: of a step t, or of any."""
        blocks: dict[Expression, Expression] = {}
        for each in applications(expression):
            operands = tuple(blocks.get(x, self._name(x)) if isinstance(x, Apply | Name) else x for x in each.operands)
            block = self._block(each)
            attrs = {"steps": each.attrs["steps"]} if "steps" in each.attrs else mapped(each.attrs, str)
            blocks[each] = block or Apply(each.function, operands, attrs, each.value)
        return blocks.get(expression, self._name(expression))

    def _name(self, x: Expression) -> Expression:
        if not isinstance(x, Name):
            return x
        group = self._groups[int(x.text)]
        if x.below == GRADIENT:
            return self.gradient(group, x.time)
        return _at(self.value(group), x.time) if group.timed else self.value(group)

    def value(self, group: Group) -> Expression:
        """Return what a group is called, at a step t if it is of steps."""
        if group.number in self.letters:
            return replace(self.letters[group.number], shape=group.sample.shape)
        return self._values[group.number]

    def gradient(self, group: Group, time: str = "+0") -> Expression:
        """Return what the gradient of a group is called: δ of what enters an activation or is handed on in time."""
        called = self._gradients[group.number]
        if called is not None:
            return _at(called, time) if group.timed else called
        atom = Name(str(group.number), VALUE, time if group.timed else "", shape=group.sample.shape)
        return Gradient(self.named(self.computed(atom)), group.sample.shape)

    @cached_property
    def _values(self) -> dict[int, Expression]:
        found: dict[tuple[str, str, str], list[Group]] = defaultdict(list)
        named: dict[int, Expression] = {}
        for group in self._groups:
            own = self._symbols.own(group.sample)
            if own is not None or (group.sample.is_leaf and not self._items.is_constant(group)):
                text, below = (own.text, own.below) if own else ("y", "")
                found[text, below, "" if group.timed or not own else own.above + own.time].append(group)
            else:
                named[group.number] = Name("y", shape=group.sample.shape)  # it is written out, or has a letter
        for (text, below, above), groups in found.items():
            for i, group in enumerate(sorted(groups, key=_only_moves), 1):
                number = above if above.startswith("(") else f"({i})" if len(groups) > 1 else ""
                time = self._time(group) if above and not above.startswith("(") else ""
                named[group.number] = Name(text, below, time, number, group.sample.shape)
        return named

    def _time(self, group: Group) -> str:
        own = self._symbols.own(group.sample)
        return own.time if own is not None else ""

    @cached_property
    def _gradients(self) -> dict[int, Expression | None]:
        activated = {
            number: self._items.recurrence.of[user][0]
            for number, item in self._items.items.items()
            if (user := self._symbols.activated(item.group.sample)) is not None
        }
        deltas: dict[Expression, int] = {}
        named: dict[int, Expression | None] = {}
        for number, group in activated.items():
            own = self.value(group)
            assert isinstance(own, Name)
            named[number] = Name("δ", own.text + own.below, above=own.above, shape=group.sample.shape)
            deltas[Name("δ", own.text + own.below, above=own.above)] = number
        for number, item in self._items.items.items():
            if number in named:
                continue
            sample, value = item.group.sample, self.value(item.group)
            assert isinstance(value, Name)
            delta = Name("δ", value.text + value.below, above=value.above, shape=sample.shape)
            if item.group.timed and self._symbols.own(sample) is not None and delta not in deltas:
                named[number], deltas[delta] = delta, number
            elif self._symbols.own(sample) is not None or number in self.letters or sample.primitive is None:
                named[number] = Gradient(value, sample.shape)
            else:
                named[number] = None  # of what it is computed as
        if len(deltas) == 1:
            ((_, number),) = deltas.items()
            named[number] = Name("δ", shape=self._groups[number].sample.shape)
        return named

    def _block(self, e: Apply) -> Expression | None:
        """Return the name of rows of a parameter, if they are what meets a named part of a row of parts: W_hf."""
        (matrix, *_) = e.operands
        if e.function is not ops.getitem or not isinstance(matrix, Name) or matrix.below != VALUE:
            return None
        group, index = self._groups[int(matrix.text)], e.attrs["index"]
        rows = index[0] if isinstance(index, tuple) and len(index) == 1 else None
        own = self.value(group)
        if not (isinstance(own, Name) and group.sample.is_leaf and isinstance(rows, slice)):
            return None
        part = self._part(group, rows)
        if part is None or not own.below or len(part) > 2:
            return None
        block = Name(own.text, part + own.below, own.time, own.above, shape_of(e))
        if self.blocks.setdefault(block, (own, rows)) != (own, rows):
            return None
        return block

    def _part(self, group: Group, rows: slice) -> str | None:
        """Return the name of what meets those rows of a matrix."""
        for user, slot in self._symbols.users.get(group.sample, ()):
            row = user.inputs[0] if slot == 1 else None
            if row is None or row.primitive is None or row.primitive.style != "list":
                continue
            names = [own.text if (own := self._symbols.own(x)) and not own.below else None for x in row.inputs]
            end = 0
            for x, name in zip(row.inputs, names, strict=True):
                start, end = end, end + x.shape[-1]
                if slice(start, end) == rows and names.count(name) == 1:  # h of this layer is not that of another
                    return name
        return None


def _only_moves(group: Group) -> bool:
    """Tell what is but put together of others: it is numbered after those, which have the number of their weights."""
    primitive = group.sample.primitive
    return primitive is not None and primitive.kind is Kind.movement


def now(called: Expression) -> Expression:
    """Return a name of what has time steps with a t."""
    return _at(called, "+0")


def left(item: Item, lettering: Lettering, t: int | None = None) -> Expression:
    """Return what an item's gradient is called, at a step if one is given."""
    return lettering.gradient(item.group, "+0" if t is None else f"@{t}")


def _at(called: Expression, time: str) -> Expression:
    """Return a name of a step t as that of another one; a name of t − 1 in it is then of the one before that."""
    if isinstance(called, Gradient):
        return Gradient(_at(called.of, time), called.shape)
    if isinstance(called, Apply):
        return replaced(called, {x: _at(x, time) for x in _atoms(called) if x.time.startswith("t")})
    if not isinstance(called, Name):
        return called
    own = int(called.time[1:].replace("−", "-") or 0) if called.time.startswith("t") else 0
    if time.startswith("@"):
        return replace(called, time=str(int(time[1:]) + own))
    delay = int(time or 0) + own
    return replace(called, time="t" + (f"{delay:+d}".replace("-", "−") if delay else ""))


def _atoms(expression: Expression) -> list[Name]:
    """Return the names in an expression, each once."""
    found = [expression] if isinstance(expression, Name) else []
    operands = (x for each in applications(expression) for x in each.operands)
    return list(dict.fromkeys([*found, *(x for x in operands if isinstance(x, Name))]))


def _parts(expression: Expression) -> int:
    return 1 + sum(map(_parts, expression.operands)) if isinstance(expression, Apply) else 1


def _is_of_another_step(x: Name) -> bool:
    return x.time.startswith(("+", "-")) and int(x.time) != 0
