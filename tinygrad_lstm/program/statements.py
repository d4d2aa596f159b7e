"""A program as data: statements over expressions, which one file per notation writes down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from ..engine.tensor import Tensor
from ..structure.loops import Every, Fixed, Loop, Moving
from ..symbolic.expressions import Apply, Expression
from ..symbolic.rewriting import applications


@dataclass(frozen=True)
class Whole:
    """The steps from ``low`` to ``high`` − 1 of what is kept in one array, all at once."""

    low: int
    high: int


Index = Moving | Fixed | Every | Whole | None


@dataclass(eq=False)
class Variable:
    """A name in the program, and what it is like: ``value`` is an array of its shape and type, as it was recorded.

    One of a loop is ``kept`` for each step where something reads it in another step, or after the loop: by its step,
    or in one array, whose first row is that of the step ``rows``.
    """

    name: str
    value: NDArray[Any]
    loop: Loop | None = None
    kept: bool = False
    node: Tensor | None = None  # one that it stands for
    over: bool = False  # whether it is written over another array, which nobody reads after it
    shared: bool = False  # whether it may be an array of something else, so that nothing is added into it
    carries: bool = False  # whether it goes from one step of a loop to the next
    rows: tuple[int, int] | None = None  # from which step to which, where they are the rows of an array


@dataclass(frozen=True)
class Read:
    """A variable that is read; of one that is kept, which step's."""

    variable: Variable
    index: Index = None

    @property
    def value(self) -> NDArray[Any]:
        return self.variable.value


@dataclass(eq=False)
class Assign:
    """``target = expression``; with ``adds`` it is ``target += expression``, at ``place`` where only a part grows."""

    target: Read
    expression: Any
    adds: bool = False
    place: Any = None
    node: Tensor | None = None  # the operation that it computes, or takes the gradient through
    slot: int | None = None  # of which input the gradient is
    into: bool = False  # whether the one operation writes into the target, which is there already


@dataclass(eq=False)
class Begin:
    """A variable that begins with nothing: zeros, or a zero for each step."""

    variable: Variable
    steps: tuple[int, int] | None = None  # from which step to which, where there is a zero for each
    empty: bool = False  # every number of it is written before it is read
    each: Any = None  # what each step begins with, where that is not a zero
    like: Variable | None = None  # what it is the gradient of
    arrays: bool = False  # whether each step begins with an array of zeros, since parts of it grow


@dataclass(eq=False)
class For:
    """A loop over the steps; ``backwards`` takes them in the other order than they ran."""

    loop: Loop
    body: list[Statement] = field(default_factory=list)
    backwards: bool = False


Statement = Assign | Begin | For


def statements(body: list[Statement]) -> Iterator[Assign | Begin]:
    """Yield every statement, those of loops where their loop stands."""
    for each in body:
        if isinstance(each, For):
            yield from statements(each.body)
        else:
            yield each


def reads(expression: Expression | Read) -> Iterator[Read]:
    """Yield everything that an expression reads."""
    if isinstance(expression, Read):
        yield expression
    elif isinstance(expression, Apply):
        for each in applications(expression):
            yield from (x for x in each.operands if isinstance(x, Read))
