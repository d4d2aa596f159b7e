"""What sums begin with: the first thing that is added, where that is an array of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ..structure.loops import Fixed, Moving
from ..symbolic.expressions import Apply
from .simplifying import VIEWS
from .statements import Assign, Begin, For, Statement, Variable, statements

HERE = Moving(1, 0)
"""The step that the loop is at."""


def cover(shape: tuple[int, ...], places: Sequence[Any]) -> bool:
    """Tell whether pieces of the last axis are all of it, and none is twice."""
    if len(places) < 2 or not all(
        isinstance(p, tuple) and len(p) == 2 and p[0] is Ellipsis and isinstance(p[1], slice) for p in places
    ):
        return False
    pieces = sorted(((p[1].start or 0, p[1].stop) for p in places), key=lambda piece: piece[0])
    ends = [0, *(stop for _, stop in pieces)]
    return ends[-1] == shape[-1] and all(start == end for (start, _), end in zip(pieces, ends, strict=False))


def begun_by_rows(body: list[Statement]) -> None:
    """Let a sum of pieces be these pieces, where each row is in one of them: nothing need be zero before."""
    written: dict[Variable, list[Assign]] = defaultdict(list)
    for each in statements(body):
        if isinstance(each, Assign):
            written[each.target.variable].append(each)
    outside = {id(each) for each in body}
    for begin in body:
        if isinstance(begin, Begin) and begin.steps is None and not begin.empty:
            pieces = written[begin.variable]
            alone = all(id(each) in outside and each.adds and each.target.index is None for each in pieces)
            if alone and _are_all_rows(begin.variable.value.shape, [each.place for each in pieces]):
                begin.empty = True
                for each in pieces:
                    each.adds = False


def _are_all_rows(shape: tuple[int, ...], places: Sequence[Any]) -> bool:
    """Tell whether slices of the first axis are all of it, and none is twice."""
    if not shape or not places or not all(isinstance(p, slice) and p.step is None for p in places):
        return False
    ends = sorted((p.start or 0, shape[0] if p.stop is None else p.stop) for p in places)
    return [0, *(stop for _, stop in ends)] == [*(start for start, _ in ends), shape[0]]


def begun_by_first(body: list[Statement]) -> list[Statement]:
    """Let a sum begin with what is added first, where that is an array of its own and not in a loop."""
    written: dict[Variable, list[Assign]] = defaultdict(list)
    for each in statements(body):
        if isinstance(each, Assign):
            written[each.target.variable].append(each)
    outside = {id(each) for each in body}
    gone = set()
    for begin in body:
        if isinstance(begin, Begin) and begin.steps is None and written[begin.variable]:
            first, *others = written[begin.variable]
            own = isinstance(first.expression, Apply) and first.expression.function not in VIEWS
            if id(first) in outside and first.place is None and (own or not others):
                first.adds = False
                gone.add(id(begin))
    return [each for each in body if id(each) not in gone]


def begun_by_step(body: list[Statement]) -> list[Statement]:
    """Let a gradient of each step begin with what arrives first, where that arrives at all steps."""
    plain = (each for each in body if isinstance(each, Begin) and each.steps and not each.arrays and each.each is None)
    begins = {each.variable: each for each in plain}
    written: set[Variable] = set()
    found: list[Statement] = []
    for each in body:
        targets = {one.target.variable for one in statements([each]) if isinstance(one, Assign)}
        only = each.body[0] if isinstance(each, For) and not each.backwards and len(each.body) == 1 else None
        if (
            isinstance(each, For)
            and isinstance(only, Assign)
            and only.target.index == HERE
            and only.place is None
            and only.target.variable in begins.keys() - written
            and only.target.variable.loop is each.loop
        ):
            begin = begins[only.target.variable]
            found.remove(begin)
            begin.each = only.expression
            found.append(begin)
        else:
            found.append(each)
        written |= targets
    return found


def reaches_all(begin: Begin, body: list[Statement]) -> bool:
    """Tell whether something is added to the gradient of each step: a zero that stays one is no array."""
    loop = begin.variable.loop
    added = [x.target.index for x in statements(body) if isinstance(x, Assign) and x.target.variable is begin.variable]
    own = [each for each in body if isinstance(each, For) and each.loop is loop]
    inside = [
        x.target.index for x in statements(list(own)) if isinstance(x, Assign) and x.target.variable is begin.variable
    ]
    if loop is None or HERE in inside:
        return True
    last = loop.high - 1 if loop.direction > 0 else loop.low
    return Moving(1, -loop.direction) in inside and Fixed(last) in added
