"""What every look at a network starts from: its graph, its time, its gradients; and what a look brings back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ...engine.backprop import backprop
from ...engine.graph import Graph
from ...engine.primitive import Array, Kind
from ...engine.tensor import Tensor
from ..cells import Cells, two_ended
from ..origin import users_line
from ..timeline import Timeline
from ..variables import variable
from ..words import LINE, clean, span


class Symptom(NamedTuple):
    """One thing that is wrong: its kind in one word, where it is, and in a sentence what is seen and why it matters.

    ``nodes`` are the tensors in which it shows.
    """

    kind: str
    where: str
    text: str
    nodes: tuple[Tensor, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}, {self.where}: {self.text}"


class Examined:
    """A network that ran: its graph, opened; the gradient of all that the loss depends on; and its parameters."""

    def __init__(self, graph: Graph, parameters: Mapping[str, Tensor]) -> None:
        self.graph = graph
        self.output = graph.output
        self.parameters = parameters

    @cached_property
    def timeline(self) -> Timeline:
        return Timeline(self.graph)

    @cached_property
    def cells(self) -> Cells:
        return Cells(self.timeline)

    @cached_property
    def gradients(self) -> dict[Tensor, Array]:
        """Return ∂L/∂node of each node that the backward pass reaches; of an output of many numbers, of their sum."""
        if not self.output.requires_grad:
            return {}
        seed = np.ones(self.output.shape, self.output.dtype)
        found: dict[Tensor, Array] = {self.output: seed}
        with np.errstate(all="ignore"):
            for step in backprop(self.output, seed):
                found[step.input] = step.after
        return found

    @cached_property
    def hidden(self) -> set[Tensor]:
        """Return the operations of recurrent cells, and those whose result is multiplied with weights later on."""
        within = {node for cell in self.cells.cells for node in cell.members}
        found = set(within)
        for node in reversed(self.timeline.operations):
            for x in node.inputs:
                if node in found or (_multiplies(node) and any(y.is_leaf and y.requires_grad for y in node.inputs)):
                    found.add(x)
        return found

    def folded(self, nodes: list[Tensor]) -> list[list[Tensor]]:
        """Return nodes in groups: those that are the same operation, at its time steps."""
        groups: dict[object, list[Tensor]] = defaultdict(list)
        for node in nodes:
            groups[self.timeline.fold[node]].append(node)
        return list(groups.values())

    def place(self, nodes: list[Tensor]) -> str:
        """Say where an operation is: its name in its module, the steps at which it was run, the line of the user's."""
        first = nodes[0]
        made = first.primitive.name if first.primitive else "leaf"
        own = first.name or (variable(first) if two_ended(first.primitive) else "")
        name = clean(".".join((*first.scope, own or made)), LINE)
        times = sorted({self.timeline.of[node] for node in nodes if node in self.timeline.of})
        line = users_line(first)
        written = f" ({line})" if line and not line.ours and line.file[0] != "<" else ""
        return f"{name}{f', {span(times)}' if times else ''}{written}"


def _multiplies(node: Tensor) -> bool:
    return node.primitive is not None and (node.primitive.kind is Kind.product or node.primitive.combines == "product")
