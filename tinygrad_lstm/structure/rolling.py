"""Rolling a graph up: what a program did again and again, step after step, becomes one body of a loop.

The operations of a graph stand in the order in which they ran. Where that order repeats itself the program ran a loop,
whoever wrote it: a layer that unrolls a cell, or somebody's own ``for``. Each operation of the body stands for a
*family*, one member for each step, and each of its operands says which member of which family it reads: of the same
step, of a step before, of another loop, or something that is the same in all steps. What does not fit that is no loop,
and stays written out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .loops import Every, Fixed, Given, Loop, Made, Moving, Reference, Rolled, Stacked
from .repeating import kinds_of, longest_run


class _Differs(Exception):
    """A step is unlike those before it: which one."""

    def __init__(self, k: int) -> None:
        self.k = k


def roll(graph: Graph) -> Rolled:
    """Roll up a recorded graph.

    >>> import tinygrad_lstm as tl
    >>> h, w = tl.tensor(0.5), tl.tensor(2.0, requires_grad=True, name="w")
    >>> for _ in range(5):
    ...     h = tl.tanh(h * w)
    >>> [loop] = roll(tl.Graph(h)).items
    >>> loop.count, [made.primitive.name for made in loop.body]
    (5, ['mul', 'tanh'])
    """
    nodes = [node for node in graph.nodes if node.primitive is not None]
    rolled = Rolled([], {}, {})
    kinds = kinds_of(nodes)
    start = 0
    while start < len(nodes):
        shift, period, count = longest_run(nodes, kinds, start)
        for node in nodes[start : start + shift]:
            _write_out(rolled, node)
        start += shift
        taken = _loop_from(rolled, nodes, kinds, start, period, count)
        if not taken:
            _write_out(rolled, nodes[start])
        start += taken or 1
    return rolled


def _write_out(rolled: Rolled, node: Tensor) -> None:
    made = Made([node], None, _gathered(node, tuple(map(rolled.reference, node.inputs))), dict(node.attrs))
    rolled.items.append(made)
    rolled.place[node] = made, 0


def _loop_from(
    rolled: Rolled, nodes: Sequence[Tensor], kinds: np.ndarray[Any, Any], start: int, period: int, count: int
) -> int:
    """Add a loop of as many steps as are alike, and return how many operations it has; 0 if no two are.

    Where steps are unlike after the third, say, three of them may be one step of a loop around them.
    """
    ending = True
    while count > 1:
        try:
            return _add_loop(rolled, nodes, kinds, start, period, count, ending)
        except _Differs as differs:
            k = differs.k
            around = _loop_from(rolled, nodes, kinds, start, period * k, count // k) if 1 < k < count else 0
            if around:
                return around
            count, ending = (count, False) if ending else (min(k, count - 1), ending)
    return 0


def _add_loop(
    rolled: Rolled,
    nodes: Sequence[Tensor],
    kinds: np.ndarray[Any, Any],
    start: int,
    period: int,
    count: int,
    ending: bool,
) -> int:
    """Add a loop to what is rolled up, and return how many operations it has; raise _Differs where a step is unlike.

    With ``ending`` a last step may lack some of them.
    """
    loop = Loop(0, count)
    members = [[nodes[start + k * period + i] for k in range(count)] for i in range(period)]
    taken = period * count + (_ending(rolled, members, nodes, kinds, start, period, count) if ending else 0)
    loop.high = max(map(len, members))
    loop.body = [Made(each, loop) for each in members]
    place = {node: (made, k) for made in loop.body for k, node in enumerate(made.members)}
    found: list[tuple[Made, list[Any], dict[str, Any]]] = []
    stacked: dict[tuple[Tensor, ...], Given] = {}
    for made in loop.body:
        attrs = _attributes([node.attrs for node in made.members])
        slots = [
            _pattern([node.inputs[slot] for node in made.members], rolled, place, loop.count, stacked)
            for slot in range(len(made.members[0].inputs))
        ]
        found.append((made, slots, attrs))
    _count_steps(loop, found)
    for given in stacked.values():
        given.first, given.direction = loop.first, loop.direction
    for made, slots, attrs in found:
        made.attrs = {name: _moving(value, loop) for name, value in attrs.items()}
        made.operands = _gathered(made.node, tuple(_as_reference(slot, loop) for slot in slots))
    _take_what_stands_before(loop, found, rolled)
    rolled.items.append(loop)
    rolled.place.update(place)
    for given in stacked.values():
        rolled.given.update(dict.fromkeys(given.members, given))
    return taken


def _ending(
    rolled: Rolled,
    members: list[list[Tensor]],
    nodes: Sequence[Tensor],
    kinds: np.ndarray[Any, Any],
    start: int,
    period: int,
    count: int,
) -> int:
    """Add a last step in which some operations are missing, since nobody wanted what they make; return how many it has.

    What is missing could have been made; what there is, is asked as all steps are.
    """
    position, last = start + period * count, {}
    for i in range(period):
        if position < len(nodes) and kinds[position] == kinds[start + i]:
            last[i] = nodes[position]
            position += 1
    if not all(i in last or _goes_on(each, rolled) for i, each in enumerate(members)):
        return 0
    for i, node in last.items():
        members[i].append(node)
    return len(last)


def _goes_on(made: list[Tensor], rolled: Rolled) -> bool:
    """Tell whether there is what one more step of a family would read."""
    before, last = made[-2:]
    for name, value in last.attrs.items():
        a, b = (x[0] if isinstance(x, tuple) and x else x for x in (before.attrs[name], value))
        if type(a) is type(b) is int and a != b and not 0 <= 2 * b - a < last.inputs[0].shape[0]:
            return False
    for x, y in zip(before.inputs, last.inputs, strict=True):
        if y.is_leaf and y.requires_grad and x is not y:  # whose gradient has no place for another
            return False
        if x is not y and x in rolled.place and y in rolled.place:
            (_, j), (other, k) = rolled.place[x], rolled.place[y]
            if not 0 <= 2 * k - j < len(other.members):
                return False
    return True


def _attributes(attrs: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the attributes of a family: each as it is, or _Affine where it is a + b · k, or Stacked."""
    return {name: _same_or_moving([each[name] for each in attrs]) for name in attrs[0]}


@dataclass(frozen=True)
class _Affine:
    first: int
    by: int


def _same_or_moving(values: list[Any]) -> Any:
    head = values[0]
    if isinstance(head, np.ndarray):
        return head if all(value is head or np.array_equal(value, head) for value in values) else Stacked(values)
    if isinstance(head, tuple) and any(isinstance(part, np.ndarray) for part in head):
        return tuple(_same_or_moving(list(parts)) for parts in zip(*values, strict=True))
    if isinstance(head, tuple) and head and isinstance(head[0], int):
        first = _same_or_moving([value[0] for value in values])
        if any(value[1:] != head[1:] for value in values):
            raise _Differs(next(k for k, value in enumerate(values) if value[1:] != head[1:]))
        return (first, *head[1:])
    if isinstance(head, int) and not isinstance(head, bool):
        by = values[1] - head
        for k, value in enumerate(values):
            if value != head + by * k or abs(by) > 1:
                raise _Differs(max(k, 1))
        return head if by == 0 else _Affine(head, by)
    for k, value in enumerate(values):
        if repr(value) != repr(head):
            raise _Differs(k)
    return head


def _pattern(
    inputs: list[Tensor],
    rolled: Rolled,
    place: Mapping[Tensor, tuple[Made, int]],
    count: int,
    stacked: dict[tuple[Tensor, ...], Given],
) -> Any:
    """Return what an operand is: a Reference; a family, its delay, and what stands before; or one, and an _Affine."""
    head = inputs[0]
    if head not in place and all(x is head for x in inputs):
        return rolled.reference(head)
    last = inputs[-1]
    if last in place:
        family, k = place[last]
        delay = len(inputs) - 1 - k
        if delay < 0:
            raise _Differs(len(inputs) - 1)
        for k, x in enumerate(inputs):
            if (place.get(x) != (family, k - delay)) if k >= delay else (x in place):
                raise _Differs(max(k, 1))
        return family, delay, inputs[:delay]
    if head.is_leaf:
        if all(_is_same_constant(x, head) for x in inputs):
            return rolled.reference(head)
        key = tuple(inputs)
        for k, x in enumerate(inputs):
            if not x.is_leaf or x.shape != head.shape or x in rolled.given or _own(x) != _own(head):
                raise _Differs(max(k, 1))
        if len(set(inputs)) != len(inputs):
            raise _Differs(max(1, next(k for k, x in enumerate(inputs) if x in inputs[:k])))
        return stacked.setdefault(key, Given(list(inputs)))
    if head not in rolled.place:
        raise _Differs(1)
    other, first = rolled.place[head]
    by = rolled.place[inputs[1]][1] - first if inputs[1] in rolled.place else 0
    for k, x in enumerate(inputs):
        if rolled.place.get(x) != (other, first + by * k):
            raise _Differs(max(k, 1))
    if other.loop is None or abs(by) != 1:
        raise _Differs(1)
    return other, _Affine(other.loop.at(first), by * other.loop.direction)


def _is_same_constant(x: Tensor, head: Tensor) -> bool:
    """Tell whether two leaves are the same numbers, made anew for each step, and nobody's in particular."""
    anybodys = x.is_leaf and x.name is head.name is None and not x.requires_grad and not head.requires_grad
    return anybodys and x.dtype == head.dtype and np.array_equal(x.value, head.value)


def _own(leaf: Tensor) -> Any:
    """Return what tells the data of a step, which may differ, from what is somebody's in particular."""
    return leaf.serial if leaf.requires_grad and leaf.name is None else leaf.name


def _count_steps(loop: Loop, found: list[tuple[Made, list[Any], dict[str, Any]]]) -> None:
    """Let the loop count its steps as what it reads is counted."""
    for _, slots, attrs in found:
        for value in attrs.values():
            moving = value[0] if isinstance(value, tuple) and value else value
            if isinstance(moving, _Affine):
                loop.begin(moving.first, moving.by)
                return
        for slot in slots:
            if isinstance(slot, tuple) and isinstance(slot[1], _Affine):
                loop.begin(slot[1].first, slot[1].by)
                return


def _moving(value: Any, loop: Loop) -> Any:
    """Return an attribute with what moves in terms of the loop's steps."""
    if isinstance(value, tuple):
        return tuple(_moving(part, loop) for part in value)
    if isinstance(value, _Affine):  # k = (t − first) / direction
        sign = value.by * loop.direction
        return Moving(sign, value.first - sign * loop.first)
    if isinstance(value, Stacked):
        value.first, value.direction = loop.first, loop.direction
    return value


def _as_reference(slot: Any, loop: Loop) -> Reference:
    if isinstance(slot, Reference):
        return slot
    if isinstance(slot, Given):
        return Reference(slot, Moving(1, 0))
    if isinstance(slot[1], _Affine):
        return Reference(slot[0], _moving(slot[1], loop))
    family, delay, _ = slot
    return Reference(family, Moving(1, -delay * loop.direction))


def _take_what_stands_before(loop: Loop, found: list[tuple[Made, list[Any], dict[str, Any]]], rolled: Rolled) -> None:
    for _, slots, _attrs in found:
        for slot in slots:
            if isinstance(slot, tuple) and len(slot) == 3:
                family, delay, initial = slot
                for k, x in enumerate(initial):
                    at, reference = loop.at(k - delay), rolled.reference(x)
                    if family.before.setdefault(at, reference) != reference:
                        raise _Differs(1)


def _gathered(node: Tensor, operands: tuple[Reference, ...]) -> tuple[Reference, ...]:
    """Return operands with all members of a family, where they stand in a row, as one; of what takes any number."""
    if node.primitive is None or not node.primitive.variadic:
        return operands
    gathered: list[Reference] = []
    start = 0
    while start < len(operands):
        run = _whole_family(operands, start)
        gathered.append(run[0] if run else operands[start])
        start += run[1] if run else 1
    return tuple(gathered)


def _whole_family(operands: tuple[Reference, ...], start: int) -> tuple[Reference, int] | None:
    head = operands[start]
    loop = head.of.loop if isinstance(head.of, Made) else None
    if loop is None or not isinstance(head.index, Fixed) or loop.count < 2:
        return None
    row = operands[start : start + loop.count]
    places = [each.index.at for each in row if isinstance(each.index, Fixed) and each.of is head.of]
    if len(places) != loop.count:
        return None
    steps = list(range(loop.low, loop.high))
    if places == steps:
        return Reference(head.of, Every()), loop.count
    return (Reference(head.of, Every(descending=True)), loop.count) if places == steps[::-1] else None
