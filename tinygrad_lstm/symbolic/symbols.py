"""Symbols: what the tensors of a graph are called in its formulas.

A parameter that a module named has a letter by what is done with it, and below it the name of what it is for: ``W_f``
is the matrix behind the first named tensor on the way from its product, f. What has no name is written out, as
``[h₀, x₁]``, as long as that is short. What an activation with a name is applied to is called a: ``f₁ = σ(a_f₁)``, and
its gradient δ_f₁.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from ..engine.primitive import Kind
from ..engine.tensor import Tensor
from ..structure.words import display_name, is_number
from .expressions import Apply, Expression, Gradient, Name, Number

MOST_PARTS = 11
"""Names and operations in what is written out where it has no name; chosen: σ([r ⊙ h, x] W + p ⊙ c + b) is one line."""

FEW_PARTS = 7
"""The same below ∂L/∂, where it stands in a fraction; chosen: [r ⊙ h, x] W has 7."""

FARTHEST = 12
"""So many operations on from a parameter, at most, is what it is for; chosen: a gate with a norm and clips has 9."""

_SYMBOL = re.compile(r"([^\W\d_]′*)_(\w{1,3})")
"""A name that has something below it already: W_f."""


class Symbols:
    """The symbols of some nodes of a graph; of nodes outside of it nothing is known."""

    def __init__(self, nodes: Iterable[Tensor]) -> None:
        self.nodes = tuple(nodes)
        self._letters: dict[Tensor, Letters] = {}
        self.taken = frozenset(name for node in self.nodes if (name := display_name(node)))

    @classmethod
    def near(cls, node: Tensor) -> Symbols:
        """Return those of a node and what is close behind it."""
        found, layer = {node}, [node]
        for _ in range(FARTHEST):
            layer = [x for each in layer for x in each.inputs if x not in found][:FARTHEST]
            found.update(layer)
        return cls(sorted(found, key=lambda x: x.serial))

    @cached_property
    def users(self) -> dict[Tensor, list[tuple[Tensor, int]]]:
        """Return of each tensor what uses it, and as which input."""
        users: dict[Tensor, list[tuple[Tensor, int]]] = defaultdict(list)
        for node in self.nodes:
            for slot, x in enumerate(node.inputs):
                users[x].append((node, slot))
        return users

    def own(self, x: Tensor) -> Name | None:
        """Return what a tensor is called: a parameter by its part, others by their own name; None without one."""
        if x in self._parameters:
            return self._parameters[x]
        if x.name is None:
            named = self.activated(x)
            return None if named is None or named.name is None else Name("a", named.name, time_of(named), shape=x.shape)
        if x in self.initial_states:
            return self.initial_states[x]
        found = _SYMBOL.fullmatch(x.name)
        text, below = (found[1], found[2]) if found else (x.name, "")
        return Name(text, below, "" if x.is_leaf else time_of(x), shape=x.shape)

    @cached_property
    def initial_states(self) -> dict[Tensor, Name]:
        """Return what is called h0 or h_init, for an h of the first step, as the h of the step before."""
        times: dict[str, set[int]] = defaultdict(set)
        for node in self.nodes:
            if node.name and node.time is not None:
                times[node.name].add(node.time)
        found = {}
        for x in self.nodes:
            state = x.name.removesuffix("0").removesuffix("_init") if x.is_leaf and x.name else ""
            used = {user.time for user, _ in self.users.get(x, ()) if user.time is not None}
            if state != x.name and state in times and used:
                first, last = min(times[state]), max(times[state])
                backwards = first < last == min(used)
                found[x] = Name(state, time=str(last + 1 if backwards else min(used) - 1), shape=x.shape)
        return found

    def activated(self, x: Tensor) -> Tensor | None:
        """Return what is a named activation of the tensor, if the tensor has no name and no other use."""
        if x.name is None and not x.is_leaf and len(self.users.get(x, ())) == 1:
            ((user, _),) = self.users[x]
            if user.name and len(user.inputs) == 1 and user.primitive and user.primitive.kind is Kind.activation:
                return user
        return None

    def passed_on(self, x: Tensor) -> Tensor:
        """Return the tensor whose gradient is this one's too: of a summand that has no name, that of the sum."""
        while x.name is None and not x.is_leaf and len(self.users.get(x, ())) == 1:
            ((user, slot),) = self.users[x]
            primitive = user.primitive
            if primitive is None or primitive.style != "infix" or user.shape != x.shape:
                break
            if slot and primitive.symbol != "+":
                break
            x = user
        return x

    def letters(self, node: Tensor) -> Letters:
        """Return what the formulas of one operation call its inputs and its output; asked again, the same.

        They are kept, and keep nothing of this: what nobody looks at any more goes at once.
        """
        if node not in self._letters:
            self._letters[node] = Letters(self, node)
        return self._letters[node]

    @cached_property
    def _parameters(self) -> dict[Tensor, Name]:
        """Return the symbols of the parameters that modules have named; those of the same symbol are told apart."""
        found: dict[Name, list[Tensor]] = defaultdict(list)
        for x in self.nodes:
            if x.is_leaf and x.requires_grad and x.name and "." in x.name and (symbol := self._symbol(x)):
                found[symbol].append(x)
        for symbol, xs in list(found.items()):
            if len(xs) > 1:
                del found[symbol]
                for x in xs:
                    found[self._symbol(x, partner=True) or symbol].append(x)
        named: dict[Tensor, Name] = {}
        for symbol, xs in found.items():
            for i, x in enumerate(xs, 1):
                above = f"({i})" if len(xs) > 1 else ""
                named[x] = Name(symbol.text, symbol.below, above=above, shape=x.shape)
        return named

    def _symbol(self, x: Tensor, partner: bool = False) -> Name | None:
        """Return the symbol of a parameter by its first use; with the name of what it multiplies there, if wanted."""
        for user, slot in self.users.get(x, ()):
            assert user.primitive is not None
            other = user.inputs[1 - slot] if len(user.inputs) == 2 else None
            if user.primitive.kind is Kind.product:
                letter = "W"
            elif user.primitive.combines == "sum":
                letter = "b"
            elif user.primitive.combines == "product":
                letter = "w"
            else:
                continue
            state = self.initial_states.get(other) if other is not None else None
            known = state.text if state else other.name if other is not None and other.name else ""
            before = known if partner and len(known) < 3 else ""
            return Name(letter, before + (self._destination(user) or ""))
        return None

    def _destination(self, node: Tensor) -> str | None:
        """Return the name of the first named tensor on the way, as long as that has the shape of the beginning."""
        shape = node.shape
        for _ in range(FARTHEST):
            if node.name is not None:
                return node.name
            users = self.users.get(node)
            if not users or users[0][0].shape != shape:
                return None
            node = users[0][0]
        return None


class Letters:
    """What the formulas of one operation call its inputs, its output and their gradients.

    Different tensors never share a name: the second of them gets a prime. What cannot be written out has a letter.
    ``owners`` has what each name stands for.
    """

    def __init__(self, symbols: Symbols, node: Tensor) -> None:
        assert node.primitive is not None
        self._node = node
        self.owners: dict[Name, Tensor] = {}
        named = {x: self._written(symbols, x, MOST_PARTS) for x in node.inputs}
        generic = _generic(node)
        for x, letter in zip(node.inputs, generic, strict=True):
            if named[x] is None:
                named[x] = self._free(x, letter, symbols.taken)
        self.inputs = tuple(_not_none(named[x]) for x in node.inputs)
        own = symbols.own(node)
        used = bool(symbols.users.get(node))
        written = self._written(symbols, node, FEW_PARTS) if own is None and used else None
        self.output: Name = self._free(node, own or Name("y", shape=node.shape), () if own else symbols.taken)
        self.upstream = self._gradient(symbols, symbols.passed_on(node), written or self.output)
        self.value = written or self.output
        self._gradients = tuple(self._added_to(symbols, slot) for slot in range(len(node.inputs)))

    def gradient(self, slot: int) -> Expression:
        """Return what the gradient of an input is called."""
        return self._gradients[slot]

    @property
    def gradients(self) -> dict[Name, Tensor]:
        """Return whose gradient a name is, such as a δ."""
        called = [(self.upstream, self._node), *((self.gradient(i), x) for i, x in enumerate(self._node.inputs))]
        return {name: x for name, x in called if isinstance(name, Name)}

    def _added_to(self, symbols: Symbols, slot: int) -> Expression:
        x, called = self._node.inputs[slot], self.inputs[slot]
        if not isinstance(called, Name) and _parts(called) > FEW_PARTS:
            called = self._free(x, _generic(self._node)[slot], symbols.taken)
        named = symbols.activated(x)
        return Gradient(called, x.shape) if named is None else _delta(named, x)

    def _gradient(self, symbols: Symbols, x: Tensor, called: Expression) -> Expression:
        """Return what the gradient of a tensor is called, which is that of what it is passed on to."""
        named = symbols.activated(x)
        if named is not None:
            return _delta(named, x)
        if x is not self._node:
            passed = self._written(symbols, x, FEW_PARTS)
            called = called if passed is None else passed
        return Gradient(called, x.shape)

    def _written(self, symbols: Symbols, x: Tensor, most: int) -> Expression | None:
        """Return a tensor's name, or how it was computed if that takes few names; else None."""
        own = symbols.own(x)
        if own is not None and (x.name is not None or most < MOST_PARTS):
            return self._free(x, own)
        if is_number(x):
            return Number(x.item())
        if x.primitive is None or _count(x, most) > most:
            return None if own is None else self._free(x, own)
        operands = [self._written(symbols, each, most) for each in x.inputs]
        if any(each is None for each in operands):
            return None
        return Apply(x.primitive, tuple(map(_not_none, operands)), x.attrs, x.value)

    def _free(self, x: Tensor, name: Name, taken: Iterable[str] = ()) -> Name:
        """Give x a name, with a prime for each other tensor that has it already."""
        while self.owners.get(name, x) is not x or name.text in taken:
            name = Name(name.text + "′", name.below, name.time, name.above, name.shape)
        self.owners[name] = x
        return name


def time_of(node: Tensor) -> str:
    """Return the time step of a node as it stands below its name."""
    return "" if node.time is None else str(node.time)


def _delta(named: Tensor, x: Tensor) -> Name:
    return Name("δ", named.name or "", time_of(named), shape=x.shape)


def _generic(node: Tensor) -> list[Name]:
    """Return letters for the inputs of an operation."""
    assert node.primitive is not None
    if node.primitive.variadic:
        return [Name("x", time=str(number), shape=x.shape) for number, x in enumerate(node.inputs, 1)]
    return [Name(letter, shape=x.shape) for letter, x in zip(node.primitive.input_names, node.inputs, strict=True)]


def _count(x: Tensor, most: int) -> int:
    """Return how many names and operations it takes to write out how a tensor was computed; or more than the most."""
    parts, unvisited = 0, [x]
    while unvisited and parts <= most:
        each = unvisited.pop()
        parts += 1
        if each is x or not (each.is_leaf or each.name is not None):
            unvisited += each.inputs[: most + 1]
    return parts + len(unvisited)


def _parts(expression: Expression) -> int:
    """Return how many names and operations an expression holds."""
    return 1 + sum(map(_parts, expression.operands)) if isinstance(expression, Apply) else 1


def _not_none(expression: Expression | None) -> Expression:
    assert expression is not None
    return expression
