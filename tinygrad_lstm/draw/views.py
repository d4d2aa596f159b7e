"""Views: each groups the nodes of the real graph and draws the groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..engine.backprop import backprop
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from . import labels
from .dot import to_dot
from .picture import Picture
from .scene import Arrow, Box, Scene
from .theme import role

Gradients = Mapping[Tensor, Any]


def draw(x: Tensor, view: str = "ops", *, values: bool = False, gradients: bool | Gradients = False) -> Picture:
    """A picture of the computation behind a tensor.

    ``view="ops"`` shows every operation, in a cluster per time step, modules inside; a weight that several steps share
    appears in each as a small copy that says which it is. ``values`` adds the numbers of each node, or the norm of a
    larger one. ``gradients=True`` adds ∂x/∂node, from a backward walk of its own that leaves every ``.grad`` alone; a
    mapping from nodes to gradients, such as ``stepper.gradients``, shows those, and marks the rest as not computed yet.
    Same graph, same DOT text, always. Raises ValueError for an unknown view.

    >>> import tinygrad_lstm as tl
    >>> picture = tl.draw(tl.tanh(tl.tensor(0.5, name="x")))
    >>> print(picture.source.splitlines()[0])
    digraph "tanh(scalar)" {
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"draw shows how a tensor was computed; got {type(x).__name__}")
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r}; choose {' or '.join(map(repr, VIEWS))}")
    if gradients is True:
        gradients = all_gradients(x)
    scene = VIEWS[view](Graph(x), values, gradients if isinstance(gradients, Mapping) else None)
    return Picture(to_dot(scene), scene.title)


def all_gradients(output: Tensor) -> Gradients:
    """∂output/∂node for every node that takes part in the backward walk."""
    seed = np.ones(output.shape, output.dtype)
    found: dict[Tensor, Any] = {output: seed}
    for step in backprop(output, seed):
        found[step.input] = step.after
    return found


def ops(graph: Graph, values: bool, gradients: Gradients | None) -> Scene:
    """Every primitive, each time step a cluster; shared leaves copied into the places that use them."""
    output = graph.output
    made_by = output.primitive.name if output.primitive else output.name or "tensor"
    scene = Scene(title=f"{labels.clean(made_by)}({labels.shape(output.value)})")
    describe = _Describer(graph, values, gradients)
    copies: dict[tuple[Tensor, tuple[str, ...]], str] = {}
    first: dict[int, str] = {}  # the first operation of each time step
    last: dict[int, str] = {}  # and its last so far
    for node in graph.nodes:
        if node.primitive is None:
            continue
        place = cluster(node)
        for x in node.inputs:
            if x.is_leaf:
                copy = copies.get((x, place))
                if copy is None:
                    copy = copies[x, place] = f"{graph.ids[x]}@{graph.ids[node]}"
                    scene.boxes.append(describe(x, copy, place))
                    if node.time is not None and node.time - 1 in last:
                        scene.arrows.append(Arrow(last[node.time - 1], copy, "order"))
                scene.arrows.append(Arrow(copy, graph.ids[node], "weight" if x.requires_grad else "data"))
            else:
                scene.arrows.append(Arrow(graph.ids[x], graph.ids[node], "data" if x.time == node.time else "state"))
        box = describe(node, graph.ids[node], place)
        if node.time is not None:
            last[node.time] = box.id
            if node.time not in first:
                first[node.time] = box.id
                box = replace(box, on_spine=True)
                if node.time - 1 in first:
                    scene.arrows.append(Arrow(first[node.time - 1], box.id, "align"))
        scene.boxes.append(box)
    if not scene.boxes:
        scene.boxes.append(describe(output, graph.ids[output], ()))
    return scene


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
