"""Names for what a program computes: those of the network, or of what is made of it."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..engine import ops
from ..engine.primitive import Kind
from ..engine.tensor import Tensor
from ..structure.loops import Every, Given, Made, Reference, Rolled

RESERVED = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "t", "operations", "T", "saved", "empty"}


TAKEN = {"np", "t", "T", "N", "M", "operations", "saved", "empty", "range", "reversed", "dict", "sum"}
"""What a program says itself."""


def parameter(name: str) -> str:
    """Return what a program calls an argument of a function: as the function does, if it does not say that itself.

    >>> parameter("xs"), parameter("t")
    ('xs', 't_')
    """
    return f"{name}_" if name in TAKEN else name


def identifier(text: str) -> str:
    """Return a name that Python takes, of a text that somebody chose.

    >>> identifier("forget gate"), identifier("lambda"), identifier("2x"), identifier("W²")
    ('forget_gate', 'lambda_', '_2x', 'W2')
    """
    letters = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", text))  # as Python reads names
    word = "".join(letter for letter in letters if f"_{letter}".isidentifier()).strip("_")[:40] or "v"
    word = word if word.isidentifier() else f"_{word}"
    return f"{word}_" if word in RESERVED else word


LONGEST = 4
"""Letters, at most, of a name that is made of others."""


def singular(name: str) -> str:
    """Return what one of several is called: x of xs."""
    return name[:-1] if len(name) > 1 and name.endswith("s") else name


_BY_KIND = {Kind.movement: "part", Kind.product: "p", Kind.reduction: "s"}


class Names:
    """Gives each thing of a program a name of its own."""

    def __init__(self, rolled: Rolled, taken: Iterable[str] = (), known: Mapping[Tensor, str] | None = None) -> None:
        self.known = known or {}
        self.taken = set(taken) | RESERVED
        self.users: dict[Given | Made, list[tuple[Made, int]]] = defaultdict(list)
        self.initial: dict[Given | Made, Made] = {}
        for made in rolled.made():
            for slot, reference in enumerate(made.operands):
                self.users[reference.of].append((made, slot))
            for reference in made.before.values():
                self.initial.setdefault(reference.of, made)
        self.found: dict[Given | Made, str] = {}

    def of(self, thing: Given | Made) -> str:
        """Return its name, which nothing else has."""
        if thing not in self.found:
            node = thing.members[0] if isinstance(thing, Given) else thing.node
            self.found[thing] = self.fresh(self._wanted(thing), node)
        return self.found[thing]

    def fresh(self, wanted: str, node: Tensor | None = None) -> str:
        """Return a name like the one that is wanted: with the module it belongs to, or a number, if it is taken."""
        word = identifier(wanted)
        if word in self.taken and node is not None:
            owner = node.name.split(".")[:-2] if node.is_leaf and node.name else node.scope[:-1]
            if owner:
                word = identifier(f"{word}_{owner[0]}")
        number, tried = 2, word
        while tried in self.taken:
            tried, number = f"{word}_{number}", number + 1
        self.taken.add(tried)
        return tried

    def _wanted(self, thing: Given | Made) -> str:
        if isinstance(thing, Given):
            return self._of_given(thing)
        node = thing.node
        if node.name:
            return node.name
        primitive = thing.primitive
        if primitive.kind is Kind.activation and len(thing.operands) == 1:
            inner = thing.operands[0].of
            name = inner.node.name if isinstance(inner, Made) else inner.members[0].name
            if name:
                return f"{primitive.name}_{name}"
        if (
            len(thing.operands) == 1
            and isinstance(thing.operands[0].index, Every)
            and thing.operands[0].of.members[0].name
        ):
            return f"{thing.operands[0].of.members[0].name}s"
        if primitive is ops.concat and (joined := self._joined(thing)):
            return joined
        if primitive is ops.getitem and thing.loop is None and (read := self._multiplied(thing)):
            whole = self.of(thing.operands[0].of)
            return f"{whole}{'' if '_' in whole else '_'}{read}"
        used_for = self._used_for(thing)
        if used_for:
            return f"a_{used_for}" if primitive.kind is not Kind.product else f"p_{used_for}"
        if primitive is ops.concat and thing.loop is None and all(map(_is_learned, thing.operands)):
            return "W" if node.ndim == 2 else "b"
        if primitive.kind is Kind.activation:
            return f"{primitive.name}_a"
        if primitive in (ops.concat, ops.stack):
            return "joined"
        return _BY_KIND.get(primitive.kind, "a" if primitive.combines == "sum" else primitive.name)

    def _joined(self, thing: Made, around: tuple[Made, ...] = ()) -> str | None:
        """Return hx of what joins h and x; nothing of what joins itself, a step before, to something."""
        if thing in around:
            return None
        parts = [self._short(reference.of, (*around, thing)) for reference in thing.operands]
        joined = "".join(map(str, parts))
        return joined if len(parts) > 1 and None not in parts and len(joined) <= LONGEST else None

    def _short(self, of: Given | Made, around: tuple[Made, ...]) -> str | None:
        """Return a name of a few letters."""
        while isinstance(of, Made) and of.primitive is ops.getitem and not of.node.name:
            of = of.operands[0].of
        node = of.members[0] if isinstance(of, Given) else of.node
        if isinstance(of, Made) and of.primitive is ops.concat and not node.name:
            return self._joined(of, around)
        name = singular((node.name or "").rpartition(".")[2])
        return name if 0 < len(name) <= 2 and name.isidentifier() else None

    def _of_given(self, given: Given) -> str:
        leaf = given.members[0]
        if leaf in self.known:
            return self.known[leaf]
        state = self.initial.get(given)
        if state is not None and (leaf.name is None or state.node.name):
            return f"{state.node.name or 'state'}_init"
        letter = self._letter(given)
        if letter and leaf.requires_grad and (leaf.name is None or "." in leaf.name):
            return letter
        return leaf.name or "constant"

    def _letter(self, given: Given) -> str | None:
        """Return W_f of what is multiplied on the way to f, and b_f of what is added to it."""
        for made, slot in self.users[given]:
            named = made.node.name or self._used_for(made)
            if named and made.primitive.kind is Kind.product and slot == 1:
                return f"W_{named}"
            if named and made.primitive.combines == "sum" and given.members[0].ndim <= 1:
                return f"b_{named}"
        return None

    def _multiplied(self, thing: Made) -> str | None:
        """Return the name of what rows of a matrix are multiplied with."""
        for made, slot in self.users[thing]:
            if made.primitive.kind is Kind.product and slot == 1:
                left = made.operands[0].of
                return left.node.name if isinstance(left, Made) else left.members[0].name
        return None

    def _used_for(self, made: Made) -> str | None:
        """Return the name of what an operation goes into, if it goes nowhere else and that has one."""
        for _ in range(6):
            users = self.users[made]
            if len({id(user) for user, _ in users}) != 1:
                return None
            made = users[0][0]
            if made.node.name:
                return made.node.name
        return None


def _is_learned(reference: Reference) -> bool:
    """Tell whether something is a parameter, or made of one and numbers."""
    of = reference.of
    if isinstance(of, Given):
        return of.members[0].requires_grad
    return of.loop is None and any(map(_is_learned, of.operands)) and len(of.operands) <= 2


def of_leaves(rolled: Rolled) -> dict[Tensor, str]:
    """Return names for the leaves of a network as it was recorded, before anything is merged."""
    names = Names(rolled)
    return {leaf: names.of(given) for leaf, given in rolled.given.items() if not given.stacked and leaf.requires_grad}
