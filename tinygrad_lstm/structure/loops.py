"""What a graph is made of once it is rolled up: loops, families of operations, and which member reads which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..engine.tensor import Tensor


@dataclass(frozen=True)
class Moving:
    """A place that moves with the steps: ``sign · t + offset``, with t as the loop counts."""

    sign: int
    offset: int


def is_here(index: Any) -> bool:
    """Tell whether an index is that of the step itself; arrays are indices, too."""
    return isinstance(index, Moving) and index.sign == 1 and index.offset == 0


@dataclass(frozen=True)
class Fixed:
    """The same place in all steps; read from outside of its loop."""

    at: int


@dataclass(frozen=True)
class Every:
    """All members of a family, in the order of their steps or against it."""

    descending: bool = False


@dataclass(eq=False)
class Given:
    """A leaf: what a program is given. Where each step has its own, ``members`` has them all."""

    members: list[Tensor]
    first: int = 0  # the step of the first member, and which way they go
    direction: int = 1

    @property
    def stacked(self) -> bool:
        return len(self.members) > 1


@dataclass(eq=False)
class Made:
    """An operation; within a loop that of every step. ``attrs`` holds Moving, and Stacked, where steps differ."""

    members: list[Tensor]
    loop: Loop | None = None
    operands: tuple[Reference, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)
    before: dict[int, Reference] = field(default_factory=dict)  # what stands at places before the first step

    @property
    def node(self) -> Tensor:
        """A member in the middle, which shows what each is like."""
        return self.members[len(self.members) // 2]

    @property
    def primitive(self) -> Any:
        return self.node.primitive

    @property
    def requires_grad(self) -> bool:
        """Whether any member does: the first ones may read nothing but what stands before the first step."""
        return any(member.requires_grad for member in self.members)


@dataclass(frozen=True)
class Reference:
    """A value that is read; ``index`` says which member, and is None for what has but one."""

    of: Given | Made
    index: Moving | Fixed | Every | None = None


@dataclass(eq=False)
class Stacked:
    """Numbers that stand in an operation and differ from step to step, as which rows of a table to take."""

    values: list[Any]
    first: int = 0  # the step of the first ones, and which way they go
    direction: int = 1


@dataclass(eq=False)
class Loop:
    """The steps from ``low`` to ``high`` − 1, in their order or (direction −1) against it, and what each does."""

    low: int
    high: int
    body: list[Made] = field(default_factory=list)
    direction: int = 1

    @property
    def count(self) -> int:
        return int(self.high) - int(self.low)

    @property
    def first(self) -> int:
        """The step that ran first."""
        return int(self.low) if self.direction > 0 else int(self.high) - 1

    def at(self, k: int) -> int:
        """Return the step of the k-th member."""
        return self.first + self.direction * k

    def begin(self, first: int, direction: int) -> None:
        """Count the steps from here on, or down from here."""
        count = self.count
        self.low = first if direction > 0 else first - count + 1
        self.high, self.direction = self.low + count, direction


@dataclass
class Rolled:
    """A graph in which what repeats is a loop: operations and loops in the order they ran."""

    items: list[Made | Loop]
    given: dict[Tensor, Given]
    place: dict[Tensor, tuple[Made, int]]  # of each operation, what stands for it, and as which member

    def reference(self, x: Tensor) -> Reference:
        """Return what stands for a tensor, read from outside of all loops."""
        if x.is_leaf:
            given = self.given.setdefault(x, Given([x]))
            k = next(k for k, member in enumerate(given.members) if member is x)
            return Reference(given, Fixed(given.first + given.direction * k) if given.stacked else None)
        made, k = self.place[x]
        return Reference(made, Fixed(made.loop.at(k)) if made.loop else None)

    def made(self) -> Iterator[Made]:
        """Yield every operation, those of loops where their loop stands."""
        for item in self.items:
            yield from item.body if isinstance(item, Loop) else (item,)
