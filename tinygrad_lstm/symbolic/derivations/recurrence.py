"""Recurrence in a recorded graph: which operations are one and the same of different time steps.

The timeline says which might be, or, where nobody said what a step is, the loops; here they are held to it. All members
of a group are the same operation of the same things, counted from their own step: what they take is the same constant,
or a member of another group so many steps before or after. What a first step is given for what the others get from
their neighbour takes the place of that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure.loops import Loop
from ...structure.rolling import roll
from ...structure.timeline import Timeline


@dataclass(frozen=True)
class Step:
    """A number that is counted from the step: t + 1 is ``Step(1)``, and 3 − t ``Step(3, -1)``."""

    offset: int
    sign: int = 1

    def at(self, t: int) -> int:
        return self.sign * t + self.offset

    def shifted(self, delay: int) -> Step:
        """Return the same as a step that is ``delay`` steps before or after calls it."""
        return Step(self.offset + self.sign * delay, self.sign)

    def __index__(self) -> int:
        return 0  # what is the same at every place may be taken from any

    def __str__(self) -> str:
        if self.sign < 0:
            return f"{self.offset}−t"
        return "t" + (f"{self.offset:+d}".replace("-", "−") if self.offset else "")


class Group:
    """One operation or leaf of several steps, by step; or a single one outside of time, whose step is None.

    ``begun`` is what was computed otherwise and takes the place of members before the first step, or after the last.
    """

    def __init__(
        self, number: int, members: Mapping[int | None, Tensor], begun: Mapping[int | None, Tensor] | None = None
    ) -> None:
        self.number = number
        self.members: dict[int | None, Tensor] = {**members}
        self.begun = begun or {}
        self.timed = None not in self.members
        self.attrs: Mapping[str, Any] = {}

    @cached_property
    def steps(self) -> list[int]:
        return sorted(t for t in self.members if t is not None)

    @cached_property
    def sample(self) -> Tensor:
        """Return one of them: of computed ones the middle one."""
        computed = [t for t in self.steps if not self.members[t].is_leaf] or self.steps
        return self.members[computed[len(computed) // 2] if self.timed else None]


Relative = tuple[int, int | None]
"""A group, by its number, and how many steps away; None outside of time."""


Positions = defaultdict[Tensor, set[tuple[object, int]]]
"""Of which groups a tensor is a member, and of which step there."""


class Recurrence:
    """The groups of a graph. ``of`` maps each node to its group and step."""

    def __init__(self, graph: Graph, begin: bool = True) -> None:
        self.graph, self._begin = graph, begin
        self.timeline = Timeline(graph)
        loops = [] if self.timeline.steps else [item for item in roll(graph).items if isinstance(item, Loop)]
        self.steps = self.timeline.steps or sorted({t for loop in loops for t in range(loop.low, loop.high)})
        self._begun: set[tuple[Tensor, int]] = set()
        members = self._regular(self._with_given(_rolled_up(loops) or self._recorded()))
        self.groups: list[Group] = []
        self.of: dict[Tensor, tuple[Group, int | None]] = {}
        for found in members.values():
            begun: dict[int | None, Tensor] = {t: node for t, node in found.items() if (node, t) in self._begun}
            self._add({t: node for t, node in found.items() if t not in begun}, begun)
        for node in graph.nodes:
            if node not in self.of:
                self._add({None: node})
        for group in self.groups:
            group.attrs = self._attrs(group)

    def relative(self, x: Tensor, t: int | None) -> Relative:
        """Return the group of a tensor, and its distance from a step."""
        group, step = self.of[x]
        return group.number, None if step is None or t is None else step - t

    def _add(self, members: Mapping[int | None, Tensor], begun: Mapping[int | None, Tensor] | None = None) -> None:
        group = Group(len(self.groups), members, begun)
        self.groups.append(group)
        self.of |= {node: (group, t) for t, node in members.items()}

    def _attrs(self, group: Group) -> Mapping[str, Any]:
        """Return the attributes of a group, with what is counted from the step."""
        sample = group.sample
        for other, node in group.members.items():
            if group.timed and node is not sample and node.primitive is sample.primitive is not None:
                return counted(sample.attrs, self.of[sample][1] or 0, node.attrs, other or 0) or sample.attrs
        return sample.attrs

    def _recorded(self) -> dict[object, dict[int, Tensor]]:
        """Return what the timeline takes for the same, one in each of several steps."""
        timeline, steps = self.timeline, set(self.steps)
        found = defaultdict[object, dict[int, list[Tensor]]](lambda: defaultdict(list))
        for node in timeline.operations:
            t = timeline.of.get(node, timeline.column(node))
            if t in steps:
                found[timeline.fold[node]][int(t)].append(node)
        unique = {key: {t: nodes[0] for t, nodes in by.items() if len(nodes) == 1} for key, by in found.items()}
        return {key: by for key, by in unique.items() if len(by) > 1}

    def _with_given(self, groups: dict[object, dict[int, Tensor]]) -> dict[object, dict[int, Tensor]]:
        """Add what each step is given from outside."""
        place = _positions(groups)
        for key, by in list(groups.items()):
            computed = {t: node for t, node in by.items() if not node.is_leaf}
            for slot in range(min((len(node.inputs) for node in computed.values()), default=0)):
                self._given(key, slot, {t: node.inputs[slot] for t, node in computed.items()}, groups, place)
        return groups

    def _given(
        self,
        key: object,
        slot: int,
        inputs: Mapping[int, Tensor],
        groups: dict[object, dict[int, Tensor]],
        place: Positions,
    ) -> None:
        """Find a place for what comes from outside: that of a neighbour's, or if it differs step by step its own."""
        inside = Counter((key, step - t) for t, x in inputs.items() for key, step in place[x])
        if inside:
            (group, delay), count = inside.most_common(1)[0]
            regular = delay and 2 * count >= len(inputs) - 1
            for t, x in inputs.items() if regular else ():
                # the same zeros may come before h and before c; the sample in the middle does not read them
                shared = x.is_leaf and not x.requires_grad and 2 * abs(delay) < len(inputs)
                alone = self._begin and abs(delay) == 1 and all(key != group for key, _ in place[x])
                computed = not x.is_leaf and count > 1 and alone
                if t + delay not in groups[group] and (computed or not place[x] or shared):
                    self._begun |= {(x, t + delay)} if computed else set()
                    groups[group][t + delay] = x
                    place[x].add((group, t + delay))
        elif len(set(inputs.values())) == len(inputs) > 1:
            groups[key, slot] = dict(inputs)
            for t, x in inputs.items():
                place[x].add(((key, slot), t))

    def _regular(self, groups: dict[object, dict[int, Tensor]]) -> dict[object, dict[int, Tensor]]:
        """Divide groups until the members of each take the same, counted from their step; alone is outside of time."""
        while True:
            place = _positions(groups)
            divided: dict[object, dict[int, Tensor]] = {}
            for key, by in groups.items():
                parts: list[tuple[int, dict[int, Tensor]]] = []
                given = {
                    t: node
                    for t, node in by.items()
                    if node.is_leaf or (node, t) in self._begun or self.timeline.of.get(node, t) != t
                }
                for t, node in by.items():
                    if t in given:
                        continue
                    for first, part in parts:
                        if self._same(part[first], first, node, t, place):
                            part[t] = node
                            break
                    else:
                        parts.append((t, {t: node}))
                if not parts:
                    parts = [(0, {})]
                largest = max(parts, key=lambda part: len(part[1]))[1]
                largest |= given
                for first, part in parts:
                    computed = len(part.keys() - given.keys())
                    if len(part) > 1 and computed != 1:  # one step alone does not recur
                        divided[key, first] = part
            if {frozenset(by.items()) for by in divided.values()} == {frozenset(by.items()) for by in groups.values()}:
                return divided
            groups = dict(enumerate(divided.values()))

    def _same(self, a: Tensor, t: int, b: Tensor, s: int, place: Positions) -> bool:
        if a.primitive is not b.primitive or a.shape != b.shape or len(a.inputs) != len(b.inputs):
            return False
        if counted(a.attrs, t, b.attrs, s) is None:
            return False
        for x, y in zip(a.inputs, b.inputs, strict=True):
            if x is not y and not _number_too(x, y):
                here = {(key, step - t) for key, step in place[x]}
                if here.isdisjoint((key, step - s) for key, step in place[y]):
                    return False
            elif x is y and place[x] and t != s:
                return False
        return True

    def uses(self) -> Mapping[Tensor, list[tuple[Tensor, int]]]:
        """Return of each tensor what uses it, and as which input."""
        found: dict[Tensor, list[tuple[Tensor, int]]] = defaultdict(list)
        for node in self.graph.nodes:
            for slot, x in enumerate(node.inputs):
                found[x].append((node, slot))
        return found


def _positions(groups: Mapping[object, Mapping[int, Tensor]]) -> Positions:
    place: Positions = defaultdict(set)
    for key, by in groups.items():
        for t, node in by.items():
            place[node].add((key, t))
    return place


def _rolled_up(loops: list[Loop]) -> dict[object, dict[int, Tensor]]:
    """Return what loops do at each of their steps, of a program that says nothing of time."""
    return {made: {loop.at(k): node for k, node in enumerate(made.members)} for loop in loops for made in loop.body}


def _number_too(x: Tensor, y: Tensor) -> bool:
    """Tell whether two leaves are the same constant."""
    constant = x.is_leaf and y.is_leaf and x.name is None and y.name is None and x.size <= 1
    return constant and not x.requires_grad and not y.requires_grad and bool(np.array_equal(x.value, y.value))


def counted(a: Any, t: int, b: Any, s: int) -> Any:
    """Return attributes of a step t with what is counted from it as a ``Step``; None where those of s differ else."""
    if isinstance(a, Mapping):
        parts = {key: counted(a[key], t, b.get(key), s) for key in a}
        same = a.keys() == b.keys() and not any(made is None and a[key] is not None for key, made in parts.items())
        return parts if same else None
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        made = tuple(_counted_all(a, t, b, s))
        return None if any(each is None and x is not None for each, x in zip(made, a, strict=True)) else made
    if isinstance(a, slice) and isinstance(b, slice):
        ends = counted((a.start, a.stop, a.step), t, (b.start, b.stop, b.step), s)
        return None if ends is None else slice(*ends)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return a if np.array_equal(a, b) else None
    if a == b:
        return a
    if isinstance(a, int) and isinstance(b, int) and abs(b - a) == abs(s - t):
        sign = 1 if b - a == s - t else -1
        return Step(a - sign * t, sign)
    return None


def _counted_all(a: tuple[Any, ...], t: int, b: tuple[Any, ...], s: int) -> Iterator[Any]:
    for x, y in zip(a, b, strict=True):
        yield counted(x, t, y, s)


def mapped(attrs: Any, step: Any) -> Any:
    """Return attributes with what a function makes of each ``Step`` in them."""
    if isinstance(attrs, Step):
        return step(attrs)
    if isinstance(attrs, Mapping):
        return {key: mapped(value, step) for key, value in attrs.items()}
    if isinstance(attrs, tuple):
        return tuple(mapped(value, step) for value in attrs)
    if isinstance(attrs, slice):
        return slice(*(mapped(value, step) for value in (attrs.start, attrs.stop, attrs.step)))
    return attrs
