"""What a program is given: data, states, and parameters, in this order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..engine.primitive import Kind
from ..structure.loops import Given, Made, Moving, Reference, Rolled, Stacked
from .building import Builder
from .statements import Assign, Begin, Statement, reads, statements


def given_to(
    builder: Builder, body: list[Statement], besides: Iterable[Reference], named: Mapping[Given, str]
) -> list[Given]:
    """Return what statements read, and what is asked for besides: arguments of a function as it has them, then data
    that each step reads its part of, then what stands before the first step, then what learns.
    """
    owner = {variable: of for of, variable in builder.variables.items() if isinstance(of, Given)}
    found: dict[Given, None] = {}
    for each in statements(body):
        if isinstance(each, Assign):
            found.update((owner[read.variable], None) for read in reads(each.expression) if read.variable in owner)
        elif isinstance(each, Begin) and each.like in owner:
            found[owner[each.like]] = None
    found.update((reference.of, None) for reference in besides if isinstance(reference.of, Given))
    order = list(named)
    first, states = _read_by_steps(builder.rolled), _before_the_first_step(builder.rolled)

    def rank(given: Given) -> tuple[int, float]:
        leaf = given.members[0]
        if given in named:
            return 0, order.index(given)
        kind = 1 if given in first else 2 if given in states else 4 if leaf.requires_grad else 3
        return kind, leaf.serial

    return sorted(found, key=rank)


def _read_by_steps(rolled: Rolled) -> set[Any]:
    """Return what each step has its own of, or reads its part of."""
    found: set[Any] = {given for given in rolled.given.values() if given.stacked}
    for made in rolled.made():
        if any(isinstance(value, Moving) for value in made.attrs.values()):
            found.update(reference.of for reference in made.operands)
    return found


def _before_the_first_step(rolled: Rolled) -> set[Any]:
    """Return what a recurrence begins with, or begins with a part of."""
    found: set[Any] = set()
    for made in rolled.made():
        for reference in made.before.values():
            of = reference.of
            while isinstance(of, Made) and of.loop is None and of.primitive.kind is Kind.movement:
                of = of.operands[0].of
            found.add(of)
    return found


def recorded(given: Given, steps: int) -> Any:
    """Return what something given was in the recording; the last of it again, for a step more that nobody wants."""
    values = [leaf.value for leaf in given.members]
    values += [values[-1]] * (steps - len(values))
    return _by_step(values, given.first, given.direction) if given.stacked else values[0]


def recorded_numbers(array: Any) -> Any:
    """Return the numbers that stood in an operation: an array, or one for each step."""
    if not isinstance(array, Stacked):
        return array
    return _by_step(array.values, array.first, array.direction)


def _by_step(values: Sequence[Any], first: int, direction: int) -> Any:
    """Return what each step is given: a list, unless its steps do not begin with 0."""
    by_step = {first + direction * k: value for k, value in enumerate(values)}
    return [by_step[t] for t in range(len(by_step))] if all(t in by_step for t in range(len(by_step))) else by_step
