"""A gradient that goes from step to step is carried in one variable, instead of being kept for each step.

Backwards a step adds to its own gradient and to that of the step before it, and to no other: so two arrays are enough,
what this step is given and what it hands on.
"""

from __future__ import annotations

from typing import Any

from ..engine import ops
from ..structure.loops import Fixed, Moving
from ..symbolic.expressions import Apply
from .beginning import HERE
from .building import Builder
from .simplifying import VIEWS
from .statements import Assign, Begin, For, Read, Statement, Variable, reads, statements

CARRIED = "backwards, a step is handed its gradient by the one after it"


class Carrying:
    """Rewrites a backward pass; ``inlined`` says what stands for variables that are gone."""

    def __init__(self, builder: Builder, backward: list[Statement], results: list[Any]) -> None:
        self.builder = builder
        self.backward = list(backward)
        self.inlined: dict[Variable, Any] = {}
        self.results = [each.variable for each in results if isinstance(each, Read)]
        for begin in [each for each in backward if isinstance(each, Begin) and each.steps]:
            self._carry(begin)

    def _carry(self, begin: Begin) -> None:
        variable, loop = begin.variable, begin.variable.loop
        if loop is None:
            return
        found = self._uses(variable, loop)
        if found is None:
            return
        position, before, after = found
        place = self.backward[position]
        assert isinstance(place, For)
        back = Moving(1, -loop.direction)
        if not self._can(place.body, variable, back):
            return
        handed = [each for each in place.body if isinstance(each, Assign) and each.target == Read(variable, back)]
        body = [each for each in place.body if each not in handed]
        end = self._end(body, variable, handed)
        if end is None:
            return
        variable.kept = False
        carry, opening = variable, []
        if begin.each is not None:
            carry = Variable("", variable.value, loop, node=variable.node)
            self.builder.carried.append((carry, variable))
            both: Any = (begin.each, Read(carry))
            given = Apply(ops.add, both, {}, variable.value)
            opening = [Assign(Read(variable, HERE), given, node=variable.node)]
        if len(handed) > 1 and any(read.variable is carry for x in handed[1:] for read in reads(x.expression)):
            total: Any = handed[0].expression  # which is written at once, since what is written over is read
            for x in handed[1:]:
                both = (total, x.expression)
                total = Apply(ops.add, both, {}, variable.value)
            handed = [Assign(handed[0].target, total, True, None, handed[0].node, handed[0].slot)]
        last = [Assign(Read(carry), x.expression, i > 0, None, x.node, x.slot) for i, x in enumerate(handed)]
        place.body = [*opening, *body[:end], *last, *body[end:]]
        made = handed[0].expression
        carry.shared = carry.shared or not isinstance(made, Apply) or made.function in VIEWS
        seeds: list[Statement] = [Begin(carry)]
        seeds += [Assign(Read(carry), x.expression, True, x.place, x.node, x.slot) for x in before]
        kept = [each for each in self.backward if each is not begin and each not in before]
        position = next(i for i, each in enumerate(kept) if each is place)
        self.backward = [*kept[:position], *seeds, *kept[position:]]
        carry.carries = True
        for later in after:
            for one in statements([later]):
                if isinstance(one, Assign):
                    one.expression = replaced(one.expression, variable, Read(carry))

    def _uses(self, variable: Variable, loop: Any) -> tuple[int, list[Assign], list[Statement]] | None:
        """Return which loop a gradient is carried through, and what is added to its last step before that."""
        last = loop.high - 1 if loop.direction > 0 else loop.low
        beyond = Fixed(loop.low - 1 if loop.direction > 0 else loop.high)
        position: int | None = None
        before: list[Assign] = []
        after: list[Statement] = []
        for i, each in enumerate(self.backward):
            if isinstance(each, Begin):
                continue
            touched = [one for one in statements([each]) if isinstance(one, Assign) and self._touches(one, variable)]
            if not touched:
                continue
            if isinstance(each, For):
                if position is not None or each.loop is not loop or not each.backwards:
                    return None
                position = i
            elif position is None and isinstance(each, Assign) and each.target.variable is variable:
                if each.target.index != Fixed(last) or any(
                    read.variable is variable for read in reads(each.expression)
                ):
                    return None
                before.append(each)
            elif position is not None and not any(one.target.variable is variable for one in touched):
                if any(
                    read.index != beyond
                    for one in touched
                    for read in reads(one.expression)
                    if read.variable is variable
                ):
                    return None
                after.append(each)
            else:
                return None
        if position is None or variable in self.results:
            return None
        return position, before, after

    def _touches(self, each: Assign, variable: Variable) -> bool:
        return each.target.variable is variable or any(read.variable is variable for read in reads(each.expression))

    def _end(self, body: list[Statement], variable: Variable, handed: list[Assign]) -> int | None:
        """Return where, near the end of a step, a gradient may be handed on: after it is read for the last time."""
        read = {read.variable for each in handed for read in reads(each.expression)}
        end = len(body)
        while end and isinstance(each := body[end - 1], Assign) and each.target.variable.carries:
            if any(one.variable is variable for one in reads(each.expression)):
                break
            end -= 1
        passed = [
            each.target.variable for each in body[:end] if isinstance(each, Assign) and each.target.variable.carries
        ]
        return None if any(one in read for one in passed if one.carries and self._is_last(body, end, one)) else end

    def _is_last(self, body: list[Statement], end: int, carry: Variable) -> bool:
        """Tell whether a carried gradient is handed on before here."""
        return any(isinstance(each, Assign) and each.target.variable is carry and not each.adds for each in body[:end])

    def _can(self, body: list[Statement], variable: Variable, back: Moving) -> bool:
        """Tell whether each step adds to its own gradient first, and then to that of the step before it."""
        handed = False
        for each in body:
            if not isinstance(each, Assign):
                if isinstance(each, For):
                    return False
                continue
            if any(read.variable is variable and read.index != HERE for read in reads(each.expression)):
                return False
            if each.target.variable is variable:
                if each.place is not None or each.target.index not in (HERE, back):
                    return False
                if each.target.index == HERE and handed:
                    return False
                handed = handed or each.target.index == back
        return handed


def replaced(expression: Any, variable: Variable, other: Any) -> Any:
    """Return an expression that reads something else where it read a variable."""
    if isinstance(expression, Read):
        return other if expression.variable is variable else expression
    if isinstance(expression, Apply):
        operands = tuple(replaced(x, variable, other) for x in expression.operands)
        return Apply(expression.function, operands, expression.attrs, expression.value)
    return expression
