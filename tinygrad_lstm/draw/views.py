"""Views: each groups the nodes of the real graph and draws the groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..engine.backprop import gradients as backward_gradients
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from . import labels
from .dot import to_dot
from .picture import Picture
from .scene import Arrow, Box, Scene
from .theme import role

Gradients = Mapping[Tensor, Any]

FARTHEST = 3
"""How many time steps an arrow may cross."""


def draw(x: Tensor, view: str = "ops", *, values: bool = False, gradients: bool | Gradients = False) -> Picture:
    """A picture of the computation behind a tensor.

    ``view="ops"`` shows every operation, in a cluster per time step, modules inside; a weight that several steps share
    appears in each as a small copy that says which it is. ``values`` adds the numbers of each node, or the norm of a
    larger one. ``gradients=True`` adds ∂x/∂node, x being one number, from a walk that leaves every ``.grad`` alone; a
    mapping from nodes to gradients, such as ``stepper.gradients``, shows those, and marks the rest as not computed yet.
    Same graph, same DOT text, always. Raises ValueError for an unknown view.

    >>> import tinygrad_lstm as tl
    >>> picture = tl.draw(tl.tanh(tl.tensor(0.5, name="x")))
    >>> print(picture.source.splitlines()[0])
    digraph "How tanh of shape scalar was computed" {
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"draw shows how a tensor was computed; got {type(x).__name__}")
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r}; choose {' or '.join(map(repr, VIEWS))}")
    if gradients is True:
        gradients = backward_gradients(x)
    scene = VIEWS[view](Graph(x), values, gradients if isinstance(gradients, Mapping) else None)
    return Picture(to_dot(scene), scene.title, scene.description)


def ops(graph: Graph, values: bool, gradients: Gradients | None) -> Scene:
    """Every primitive, each time step a cluster; shared leaves copied into the places that use them.

    What comes from farther than a few steps away is copied too, as an echo that says from where: arrows across many
    steps hide the picture, and laying them out takes time that grows with the cube of their number.
    """
    scene = Scene(*_title(graph))
    describe = _Describer(graph, values, gradients)
    columns = _Columns(graph)
    copies: dict[tuple[Tensor, tuple[str, ...]], str] = {}
    for node in graph.nodes:
        if node.primitive is None:
            continue
        id, place = graph.ids[node], cluster(node)
        for x in node.inputs:
            if not x.is_leaf and columns.distance(x, node) <= FARTHEST:
                scene.arrows.append(Arrow(graph.ids[x], id, "data" if x.time == node.time else "state"))
                continue
            if (x, place) not in copies:
                copies[x, place] = copy = f"{graph.ids[x]}@{id}"
                scene.boxes.append(describe(x, copy, place) if x.is_leaf else describe.echo(x, copy, place))
                scene.arrows += [Arrow(graph.ids[earlier], copy, "order") for earlier in columns.end_before(node)]
            scene.arrows.append(Arrow(copies[x, place], id, "weight" if x.is_leaf and x.requires_grad else "data"))
        scene.boxes.append(replace(describe(node, id, place), on_spine=columns.starts_with(node)))
        scene.arrows += [Arrow(graph.ids[earlier], id, "align") for earlier in columns.start_before(node)]
    if not scene.boxes:
        scene.boxes.append(describe(graph.output, graph.ids[graph.output], ()))
    return scene


class _Columns:
    """The columns of the picture: a time step each, and one more for what was computed after the last of them.

    Columns are kept side by side by invisible arrows, from the last operation of one to the leaves of the next, and at
    one height by a spine through their first operations.
    """

    def __init__(self, graph: Graph) -> None:
        operations = [node for node in graph.nodes if node.primitive]
        self.of = {node: node.time for node in operations if node.time is not None}
        if self.of:
            after = max(self.of.values()) + 1
            for node in reversed(operations):
                if node.time is not None:
                    break
                self.of[node] = after
        self.first: dict[int, Tensor] = {}
        self.last: dict[int, Tensor] = {}
        for node in operations:
            if node in self.of:
                self.first.setdefault(self.of[node], node)
                self.last[self.of[node]] = node

    def distance(self, x: Tensor, node: Tensor) -> int:
        """How many columns an arrow from x to the node would cross."""
        return abs(self.of[node] - self.of[x]) if x in self.of and node in self.of else 0

    def starts_with(self, node: Tensor) -> bool:
        return node in self.of and self.first[self.of[node]] is node

    def start_before(self, node: Tensor) -> list[Tensor]:
        """The first operation of the column before, for the first operation of a column."""
        return [self.first[self.of[node] - 1]] if self.starts_with(node) and self.of[node] - 1 in self.first else []

    def end_before(self, node: Tensor) -> list[Tensor]:
        """The last operation of the column before the node's."""
        return [self.last[self.of[node] - 1]] if node in self.of and self.of[node] - 1 in self.last else []


def _title(graph: Graph) -> tuple[str, str]:
    output = graph.output
    made_by = output.primitive.name if output.primitive else "leaf"
    name = labels.clean(output.name or f"{made_by} of shape {labels.shape(output.value)}")
    times = sorted({node.time for node in graph.nodes if node.time is not None})
    span = f" over time steps {times[0]} to {times[-1]}, from left to right" if times else ""
    operations = len(graph) - len(graph.leaves)
    return (
        f"How {name} was computed",
        f"Computation graph of {operations} operations and {len(graph.leaves)} leaves{span}.",
    )


def cluster(node: Tensor) -> tuple[str, ...]:
    """The groups a node stands in: its time step, then its modules."""
    return (() if node.time is None else (f"t = {node.time}",)) + node.scope


class _Describer:
    """Turns nodes into boxes: symbol, name, shape and, on request, numbers."""

    def __init__(self, graph: Graph, values: bool, gradients: Gradients | None) -> None:
        self.graph = graph
        self.values = values
        self.gradients = gradients

    def __call__(self, node: Tensor, id: str, place: tuple[str, ...]) -> Box:
        value = self.graph.values[node]
        kind = role(node)
        name = labels.clean(node.name) if node.name else None
        symbol = node.primitive.symbol if node.primitive else None
        if symbol is None:
            name, symbol = None, name or (f"{value.item():.4g}" if kind == "constant" else "data")
        gradient = self._gradient(node)
        return Box(
            id=id,
            role=kind,
            symbol=labels.clean(symbol),
            cluster=place,
            name=name,
            shape="" if kind == "constant" else labels.shape(value),
            value=labels.numbers(value) if self.values and kind != "constant" else None,
            gradient=gradient,
            pending=gradient == NOT_YET,
            tooltip=self._tooltip(node),
        )

    def echo(self, node: Tensor, id: str, place: tuple[str, ...]) -> Box:
        """A small copy of an operation's result, which says at which step it was computed."""
        assert node.primitive is not None
        name = labels.clean(node.name or node.primitive.symbol)
        tooltip = f"the same as {self._tooltip(node)}"
        return Box(id, "echo", symbol=name, cluster=place, shape=f"from t = {node.time}", tooltip=tooltip)

    def _gradient(self, node: Tensor) -> str | None:
        if self.gradients is None or not node.requires_grad:
            return None
        found = self.gradients.get(node)
        return NOT_YET if found is None else f"∂ {labels.numbers(np.asarray(found))}"

    def _tooltip(self, node: Tensor) -> str:
        made = f"{node.primitive.name}{node.context.place}" if node.primitive else "given"
        return f"{self.graph.ids[node]}: {made}, shape {node.shape}, {node.dtype}"


NOT_YET = "∂ not computed yet"

VIEWS: dict[str, Callable[[Graph, bool, Gradients | None], Scene]] = {"ops": ops}
