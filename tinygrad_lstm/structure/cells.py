"""The cells of a recorded graph: their gates by step and what each does, the states they hand on, their inputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..engine.primitive import Array, Kind, Primitive
from ..engine.tensor import Tensor
from .ends import head
from .timeline import Timeline
from .variables import called, piece
from .words import clean, is_number

RESET, WRITE, CANDIDATE, READ = ROLES = ("reset", "write", "candidate", "read")
"""What a layer of a cell does to its state, in the order f, i, g, o; found by what it is multiplied with."""


@dataclass(eq=False)
class Bounded:
    """An activation with two ends, of a cell, at each step: a gate, a candidate, or what a state is shown through."""

    symbol: str  # "f"
    name: str  # "forget"; nothing where nobody named it
    low: float
    high: float
    at: dict[int, Tensor]  # (N, H) or (H), by step
    is_layer: bool = True  # whether it is computed with weights
    roles: tuple[str, ...] = ()

    @property
    def is_gate(self) -> bool:
        """Tell whether it opens and closes, as what lies between 0 and 1 does."""
        return self.low >= 0

    @property
    def words(self) -> str:
        """Return what it is called, and what it does where the name does not say so: forget (reset)."""
        doing = ", ".join(role for role in self.roles if role != self.name and (self.is_gate or not self.name))
        return f"{self.name} ({doing})" if self.name and doing else self.name or doing

    def values(self, steps: Iterable[int]) -> Array:
        """Return its values, (T, N, H): NaN at steps that have none."""
        arrays = {
            t: np.atleast_2d(node.value).reshape(-1, node.shape[-1] if node.ndim else 1) for t, node in self.at.items()
        }
        blank = np.full_like(next(iter(arrays.values())), np.nan, dtype=np.float64)
        return np.array([arrays.get(t, blank) for t in steps])

    def wrong(self, steps: Iterable[int], means: Array) -> NDArray[np.bool_]:
        """Return at which of the steps, (T), means over what was computed there, (..., T), are NaN or Inf."""
        there = np.array([t in self.at for t in steps])
        return there & ~np.isfinite(means)


@dataclass(eq=False)
class CellRun:
    """A recurrent cell over time: its layers in the order f, i, g, o, and its other activations."""

    name: str
    members: list[Tensor]  # its operations, over all steps
    layers: list[Bounded] = field(default_factory=list)
    others: list[Bounded] = field(default_factory=list)

    @property
    def gates(self) -> list[Bounded]:
        """Return the layers that open and close."""
        return [layer for layer in self.layers if layer.is_gate]


@dataclass(eq=False)
class State:
    """A state that steps hand on: h or c of a cell, by step."""

    name: str
    at: dict[int, Tensor]
    forwards: bool = True  # time leads to later steps


class Cells:
    """The recurrent cells of a graph, read off its timeline: none where there are no time steps.

    >>> from tinygrad_lstm.engine.graph import Graph
    >>> from tinygrad_lstm.nn.samples import small_loss
    >>> [layer.words for layer in Cells(Timeline(Graph(small_loss("lstm", 3)))).cells[0].layers]
    ['forget (reset)', 'input (write)', 'candidate', 'output (read)']
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.all_steps = timeline.steps
        self._weights = self._lasting(timeline.weights)
        self._members = self._cell_members()
        self._begun = dict(self._begun_in_the_only_step()) if len(self.all_steps) == 1 else {}
        self.initial = {*timeline.initial_states, *self._begun}

    @cached_property
    def cells(self) -> list[CellRun]:
        """Return the cells that have activations with two ends, in the order in which they ran."""
        found: list[CellRun] = []
        for members in self._members.values():
            groups: dict[object, list[Tensor]] = defaultdict(list)
            for node in members:
                if two_ended(node.primitive):
                    for part in gates_in(node, self.timeline):
                        groups[self.timeline.fold[part]].append(part)
            run = CellRun(self._name_of(members[0]), members)
            for nodes in groups.values():
                activation = self._activation(nodes)
                (run.layers if activation.is_layer else run.others).append(activation)
            run.layers.sort(key=lambda layer: ROLES.index(layer.roles[0]) if layer.roles else 0)
            if groups:
                found.append(run)
        return found

    @cached_property
    def states(self) -> list[State]:
        """Return what steps hand on to their neighbours, in the order in which it is made."""
        found: dict[object, State] = {}
        losses = head(self.timeline)
        for node, t in self.timeline.of.items():
            fold = self.timeline.fold[node]
            if fold in self.timeline.states and node not in losses:
                x, user = self.timeline.states[fold]
                forwards = self.timeline.of[x] < self.timeline.of[user]
                found.setdefault(fold, State(_own(node), {}, forwards)).at[t] = node
        for begun in sorted({*self._begun.values()}, key=lambda node: node.serial):
            found[begun] = State(_own(begun), {self.all_steps[0]: begun})
        several = len({state.name for state in found.values()}) < len(found)
        for state in found.values() if several else ():
            node = next(iter(state.at.values()))
            state.name = ".".join(filter(None, (self._name_of(node), state.name)))
        return list(found.values())

    @cached_property
    def inputs(self) -> dict[int, list[Tensor]]:
        """Return what each step is given from outside: no weight, no state, nothing that a cell has made."""
        made = {node for members in self._members.values() for node in members}
        behind = set(made)
        for node in self.timeline.operations:
            if any(x in behind for x in node.inputs):
                behind.add(node)
        found: dict[int, dict[Tensor, None]] = defaultdict(dict)
        for node in made:
            for slot, x in enumerate(node.inputs):
                if x not in behind and x not in self._weights and not is_number(x) and (node, slot) not in self.initial:
                    found[self.timeline.of[node]][x] = None
        return {t: sorted(found[t], key=lambda x: x.serial) for t in sorted(found)}

    def weights_of(self, cell: CellRun) -> list[Tensor]:
        """Return the weights that a cell learns, in the order of its layers, then the others."""
        used = {x: None for node in cell.members for x in node.inputs if x in self._weights and x.requires_grad}
        order = {layer.name: place for place, layer in enumerate(cell.layers)}
        last = len(order)

        def place(x: Tensor) -> int:
            gate = clean(x.name or "").rpartition(".")[0].rpartition(".")[2].removesuffix("_gate")
            return order.get(gate, last)

        return sorted(used, key=place)

    def state_for(self, node: Tensor, slot: int) -> Tensor | None:
        """Return the state that later steps get in the place where the first one takes a given one, as an example."""
        if (node, slot) in self._begun:
            return self._begun[node, slot]
        state, _ = self.timeline.carried_states.get((self.timeline.fold[node], slot), (None, node))
        return None if state is None else self.timeline.state(state)

    def _begun_in_the_only_step(self) -> Iterator[tuple[tuple[Tensor, int], Tensor]]:
        """Yield where a single step takes a state that was given to it, with what it makes of it.

        Names tell which is which, h0 or h_init and h; without them, that the step leads a tensor of one shape past all
        layers to what has a name.
        """
        for members in self._members.values():
            named, inside = {node.name: node for node in members if node.name}, set(members)
            for node in members:
                for slot, x in enumerate(node.inputs):
                    if x in self.timeline.of or x in self._weights or is_number(x):
                        continue
                    name = str(_given(x).name or "")
                    state = named.get(name.removesuffix("0").removesuffix("_init"))
                    if state is None or state.name == name or state.shape != x.shape:
                        state = self._led_past(node, x, inside)
                    if state is not None:
                        yield (node, slot), state

    def _led_past(self, node: Tensor, x: Tensor, inside: set[Tensor]) -> Tensor | None:
        """Return what has a name, of those to which x is led by products and sums number by number, from a node."""
        queue, seen = [node], {node}
        for y in queue:
            if y.primitive is None or y.primitive.kind is not Kind.pointwise or y.shape != x.shape:
                continue
            if y.name and y.primitive.combines == "sum":
                return y
            queue += (user for user in self.timeline.users[y] if user in inside and user not in seen)
            seen.update(queue)
        return None

    def _lasting(self, weights: set[Tensor]) -> set[Tensor]:
        """Leave out what one step alone uses: an input whose gradient is wanted, and no weight."""
        of = self.timeline.of
        steps = {x: {of[user] for user in self.timeline.users[x] if user in of} for x in weights}
        return {x for x, found in steps.items() if len(found) != 1 or len(self.all_steps) == 1}

    def _cell_members(self) -> dict[object, list[Tensor]]:
        """Return the operations of each recurrent cell, over all steps, by the module it is."""
        timeline, found = self.timeline, dict[object, list[Tensor]]()
        for node in timeline.of:
            module = next((module for _, module in timeline.levels(node) if module in timeline.cells), None)
            is_free = timeline.free and not timeline.levels(node) and timeline.fold[node] in timeline.looping
            if module is not None or is_free:
                found.setdefault(module, []).append(node)
        return found

    def _name_of(self, node: Tensor) -> str:
        """Return what the cell of a node is called: the path of its module."""
        names: list[str | None] = []
        for frame, module in self.timeline._calls[node]:
            names.append(frame.name)
            if module in self.timeline.cells:
                return clean(".".join(filter(None, names)))
        return ""

    def _activation(self, nodes: list[Tensor]) -> Bounded:
        first = nodes[0]
        low, high = ends_of(first)
        cell = self._name_of(first).split(".")
        inner = first.scope[len(cell) :] if first.scope[: len(cell)] == tuple(cell) else first.scope
        name = clean(inner[-1]).removesuffix("_gate").replace("_", " ") if inner else ""
        at = {self.timeline.of[node]: node for node in nodes}
        symbol, is_layer = clean(called(first) or _sign(first), 18), self._is_layer(first)
        roles = {CANDIDATE} if low < 0 else {role for node in nodes for role in self._roles(node)}
        return Bounded(
            symbol, name, low, high, at, is_layer, tuple(role for role in ROLES if is_layer and role in roles)
        )

    def _is_layer(self, node: Tensor) -> bool:
        """Tell whether an activation is one of a product with weights, and not of what gates have let through."""
        made = node if two_ended(node.primitive) else node.inputs[0]
        queue, seen = list(made.inputs), set(made.inputs)
        for x in queue:
            if self._multiplies_weights(x):
                return True
            inside = x in self.timeline.of and self.timeline.of[x] == self.timeline.of[node]
            if inside and not two_ended(x.primitive) and not any(map(_gate_like, x.inputs)):
                queue += (y for y in x.inputs if y not in seen)
                seen.update(x.inputs)
        return False

    def _multiplies_weights(self, x: Tensor) -> bool:
        made = x.primitive
        return made is not None and made.kind is Kind.product and any(moved(y) in self._weights for y in x.inputs)

    def _roles(self, gate: Tensor) -> Iterable[str]:
        """Yield what a gate does, by what it multiplies: the past, what is added to a state, or what is shown."""
        for product, slot, _ in self.products(gate):
            past = self.is_past(product.inputs[slot], product, slot)
            yield RESET if past else WRITE if self.is_added(product) else READ

    def products(self, gate: Tensor) -> Iterator[tuple[Tensor, int, Tensor]]:
        """Yield what a gate is multiplied in, the slot of what it lets pass there, and itself, or 1 minus itself."""
        queue = [gate]
        for x in queue:
            for user in self.timeline.users[x]:
                if user.primitive is None or self.timeline.of.get(user) != self.timeline.of[gate]:
                    continue
                others = [(slot, y) for slot, y in enumerate(user.inputs) if y is not x]
                if user.primitive.combines == "sum" and all(y.is_leaf for _, y in others):
                    queue.append(user)  # 1 − f
                elif user.primitive.combines == "product" and user.primitive.kind is not Kind.product and others:
                    yield user, others[0][0], x

    def is_past(self, x: Tensor, user: Tensor, slot: int) -> bool:
        """Tell whether all that a step knows of x, but for weights, is a state of the step before."""
        queue, found = [(x, user, slot)], False
        given = self.inputs.get(self.timeline.of[user], ())
        for y, node, place in queue:
            if (node, place) in self.initial or self.timeline.crosses(y, node) or self.timeline.moved(y).detached:
                found = True
            elif any(y is each for each in given):
                return False
            elif y.is_leaf or self.timeline.of.get(y) != self.timeline.of[user]:
                if y not in self._weights and not is_number(y):
                    return False
            else:
                queue += ((z, y, i) for i, z in enumerate(y.inputs))
        return found

    def is_added(self, node: Tensor) -> bool:
        users = [user for user in self.timeline.users[node] if self.timeline.of.get(user) == self.timeline.of[node]]
        return any(user.primitive is not None and user.primitive.combines == "sum" for user in users)


def gates_in(node: Tensor, timeline: Timeline) -> list[Tensor]:
    """Return an activation, or, where a step uses nothing but parts of it, these: r and z of one σ."""
    users = [user for user in timeline.users[node] if timeline.of.get(user) == timeline.of.get(node)]
    are_parts = bool(users) and all(piece(user) is not None for user in users) and not node.name
    return users if are_parts else [node]


def ends_of(gate: Tensor) -> tuple[float, float]:
    """Return where the values of an activation lie, or of a part of one."""
    made = gate.primitive if two_ended(gate.primitive) else gate.inputs[0].primitive
    assert made is not None
    return made.range


def moved(x: Tensor) -> Tensor:
    """Return what a tensor is but the numbers of, in other places: W, of Wᵀ."""
    while x.primitive is not None and x.primitive.kind is Kind.movement and len(x.inputs) == 1:
        x = x.inputs[0]
    return x


def two_ended(primitive: Primitive | None) -> bool:
    """Tell whether an operation is an activation that has two ends to be near to."""
    return primitive is not None and primitive.kind is Kind.activation and bool(np.isfinite(primitive.range).all())


def _given(x: Tensor) -> Tensor:
    """Return what was given of which a tensor is but a part, as the state of one layer is of those of all."""
    while x.primitive and x.primitive.kind is Kind.movement and len(x.inputs) == 1:
        x = x.inputs[0]
    return x


def _gate_like(x: Tensor) -> bool:
    """Tell whether a tensor is a gate, or 1 minus one."""
    if x.primitive is not None and x.primitive.combines == "sum" and any(y.is_leaf for y in x.inputs):
        return any(two_ended(y.primitive) and y.primitive.range[0] >= 0 for y in x.inputs if y.primitive)
    return two_ended(x.primitive) and x.primitive is not None and x.primitive.range[0] >= 0


def _own(node: Tensor) -> str:
    return clean(called(node) or (node.primitive.name if node.primitive else "leaf"), 18)


def _sign(node: Tensor) -> str:
    return node.primitive.symbol if node.primitive else ""
