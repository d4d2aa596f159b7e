"""Making a graph again, but for what a pass does otherwise: graph in, graph out, and the same numbers to rounding.

A pass sees the graph rolled up, and decides for a family what it will do with each of its members.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...engine.scope import call_in
from ...engine.tensor import Tensor
from ...structure.loops import Given, Loop, Made, Moving, Reference, Rolled
from ...structure.variables import piece

HERE = Moving(1, 0)


class Rewriting:
    """Makes every operation again, in the order they ran; a pass overrides ``prepare`` and ``member``.

    ``comment`` is what it leaves in the program; one that ``repeats`` may find more once it has run.
    """

    comment = ""
    repeats = False

    def __init__(self, rolled: Rolled) -> None:
        self.rolled = rolled
        self.new: dict[Tensor, Tensor] = {}
        self.users: dict[Any, list[tuple[Made, int]]] = {}
        for made in rolled.made():
            for slot, reference in enumerate(made.operands):
                self.users.setdefault(reference.of, []).append((made, slot))
            for reference in made.before.values():
                self.users.setdefault(reference.of, []).append((made, -1))
        self.look()

    def look(self) -> None:
        """Look for what can be done."""

    @property
    def finds(self) -> bool:
        """Whether there is anything to do."""
        return True

    def prepare(self, loop: Loop) -> None:
        """Make what is to stand before a loop."""

    def member(self, made: Made, node: Tensor) -> Tensor:
        """Make a member of a family, or an operation outside of loops."""
        return self.again(node)

    def run(self, outputs: Sequence[Tensor]) -> list[Tensor]:
        for item in self.rolled.items:
            if isinstance(item, Loop):
                self.prepare(item)
                for k in range(item.count):
                    for made in item.body:
                        if k < len(made.members):
                            self.new[made.members[k]] = self.member(made, made.members[k])
            else:
                self.new[item.node] = self.member(item, item.node)
        return [self.of(x) for x in outputs]

    def of(self, x: Tensor) -> Tensor:
        """Return what has taken the place of a tensor."""
        return self.new.get(x, x)

    def again(self, node: Tensor, *inputs: Tensor) -> Tensor:
        """Make an operation again, of the new inputs or of others."""
        taken = piece(node)
        attrs = {"index": (Ellipsis, slice(*taken))} if taken else node.attrs  # however somebody wrote it
        made = self.like(node, node.primitive, *(inputs or map(self.of, node.inputs)), **attrs)
        made.name = node.name
        return made

    def like(self, node: Tensor, primitive: Any, *inputs: Any, **attrs: Any) -> Tensor:
        """Make an operation where another one was made: in its module, at its step, on its line."""
        made: Tensor = call_in(
            node.context._replace(recording=True), Tensor.__primitive__, (primitive, inputs, attrs), {}
        )
        made.code, made.instruction = node.code, node.instruction
        return made

    def outside(self, reference: Reference, loop: Loop) -> Tensor | None:
        """Return the one tensor that all steps of a loop read, if it is one."""
        of = reference.of
        if isinstance(of, Given):
            return None if of.stacked else self.of(of.members[0])
        if of.loop is None and reference.index is None:
            return self.of(of.node)
        return None

    def all_use(self, made: Made) -> list[Made]:
        return [user for user, _ in self.users.get(made, ())]


def changed_by_steps(loop: Loop) -> set[Made]:
    """Return the families of a loop that depend on what an earlier step of it made."""
    found = {
        made
        for made in loop.body
        if any(isinstance(ref.of, Made) and ref.of.loop is loop and ref.index != HERE for ref in made.operands)
    }
    for made in loop.body:  # in the order they ran
        if any(ref.of in found and ref.index == HERE for ref in made.operands):
            found.add(made)
    return found


def is_product(made: Made) -> bool:
    """Tell whether it is the product of rows with one matrix."""
    node: Any = made.node
    return made.primitive.operator == "@" and node.inputs[1].ndim == 2 and node.inputs[0].ndim in (1, 2)


def columns(node: Tensor) -> int:
    return node.shape[-1]


def columns_of(made: Made) -> tuple[int, int] | None:
    """Return which columns of an array of the same step an operation takes; None if it does not."""
    return piece(made.node) if made.operands and made.operands[0].index == HERE else None


def pieces_of(loop: Loop) -> Iterator[tuple[Made, ...]]:
    """Yield families that are all columns of an array, cut into pieces of one width, in their order."""
    found: dict[Reference, dict[int, Made]] = {}
    for made in loop.body:
        place = columns_of(made)
        if place is not None and place[1] - place[0] == columns(made.node):
            found.setdefault(made.operands[0], {}).setdefault(place[0], made)
    for pieces in found.values():
        starts = sorted(pieces)
        row = tuple(pieces[start] for start in starts)
        width, whole = columns(row[0].node), columns(row[0].node.inputs[0])
        alike = all(columns(each.node) == width for each in row)
        if len(row) > 1 and alike and starts == list(range(0, whole, width)):
            yield row
