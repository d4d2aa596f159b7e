"""Words: what a box says of the tensor, or the tensors, it stands for."""

from __future__ import annotations

from copy import copy

import numpy as np

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...pages.theme import role_of
from ...structure import words
from ...structure.words import display_name, magnitude, statistics
from ...symbolic.formulas import equation
from ..scale import Scale
from ..scene import Box, Text
from .options import Options

NOT_YET = "∂ not computed yet"


class Describer:
    """Turns nodes into boxes: symbol, name, shape and, on request, numbers."""

    def __init__(self, graph: Graph, options: Options) -> None:
        self.graph = graph
        self.options = options
        self._leaves: dict[Tensor, Box] = {}
        self._texts: dict[tuple[object, ...], tuple[Text, ...]] = {}  # boxes that say the same share their words
        self.scale = Scale(map(magnitude, (options.gradients or {}).values())) if options.colored else None

    def node(self, node: Tensor, id: str, column: int = 0, place: tuple[str, ...] = ()) -> Box:
        """Return a box for one node: an operation, or a copy of a leaf."""
        if node.is_leaf:
            if node not in self._leaves:
                self._leaves[node] = self._box(node)
            box = copy(self._leaves[node])
        else:
            box = self._box(node)
        box.id, box.column, box.place = id, column, place
        return box

    def _box(self, node: Tensor) -> Box:
        words = self._words(node)
        box = Box("", role(node), self._texts.setdefault(words, words))
        box.tooltip, box.statistics = self.tooltip(node), self.statistics(node)
        return self._shaded(box, node)

    def _words(self, node: Tensor) -> tuple[Text, ...]:
        value = self.graph.values[node]
        kind = role(node)
        symbol = words.clean(node.primitive.symbol) if node.primitive else None
        name = words.clean(node.name) if node.name else None
        if symbol is None:
            symbol, name = name or (f"{value.item():.4g}" if kind == "constant" else "data"), None
        texts = [Text(symbol, "sign" if len(symbol) <= 2 else "symbol")]
        if name:
            texts.append(Text(name))
        if kind != "constant":
            if self.options.shapes:
                texts.append(Text(words.shape(value), "detail"))
            texts += self.numbers(node)
        return tuple(texts)

    def echo(self, node: Tensor, id: str, column: int, place: tuple[str, ...], when: str) -> Box:
        """Return a small copy of an operation's result, which says at which step it was computed."""
        assert node.primitive is not None
        name = words.clean(node.name or node.primitive.symbol)
        box = Box(id, "echo", (Text(name), Text(when, "detail")), column, place, statistics=self.statistics(node))
        box.tooltip = f"the same as {self.tooltip(node)}"
        return self._shaded(box, node)

    def group(
        self, id: str, kind: str, texts: tuple[Text, ...], outputs: list[Tensor], members: int, column: int
    ) -> Box:
        """Return a box for many operations, with the numbers of what they hand on."""
        lines = list(texts)
        for node in outputs:
            name = self.name(node) if len(outputs) > 1 else ""
            lines += [Text(f"{name} {text}".strip(), style) for text, style in self.numbers(node, most=1)]
        made = [f"{id}: {members} operations"] if members > 1 else []
        tooltip = "\n".join([*made, *map(self.tooltip, outputs)])
        box = Box(id, kind, tuple(lines), column, tooltip=tooltip, statistics="\n".join(map(self.statistics, outputs)))
        return self._shaded(box, *outputs)

    def name(self, node: Tensor) -> str:
        """Return what to call a node in a sentence or on an arrow."""
        return self.own_name(node) or words.clean(node.primitive.symbol if node.primitive else "data")

    def own_name(self, node: Tensor) -> str:
        """Return what its author called a node, with its time step; nothing if it has no name."""
        return words.clean(display_name(node) or "")

    def numbers(self, node: Tensor, most: int = 3) -> list[Text]:
        """Return the lines that values and gradients add to a box: up to so many numbers, else the norm."""
        lines = []
        if self.options.values:
            lines.append(Text(words.numbers(self.graph.values[node], most), "value"))
        gradients = self.options.gradients
        if gradients is not None and node.requires_grad:
            found = gradients.get(node)
            known = None if found is None else Text(f"∂ {words.numbers(np.asarray(found), most)}", "gradient")
            lines.append(known or Text(NOT_YET, "pending"))
        return lines

    def tooltip(self, node: Tensor) -> str:
        """Return full name, equation, shape and dtype."""
        value = self.graph.values[node]
        return f"{self.graph.ids[node]}\n{equation(node)}\nshape {words.shape(value)}, {node.dtype}"

    def statistics(self, node: Tensor) -> str:
        """Return what a node's value and gradient are like."""
        found = (self.options.gradients or {}).get(node)
        lines = [f"value: {statistics(self.graph.values[node])}"]
        if found is not None:
            lines.append(f"gradient: {statistics(np.asarray(found))}")
        return "\n".join(lines)

    def _shaded(self, box: Box, *nodes: Tensor) -> Box:
        """Return the box as the options want it to look."""
        gradients = self.options.gradients
        wanted = [node for node in nodes if node.requires_grad]
        if gradients is not None and wanted:
            box.pending = all(gradients.get(node) is None for node in wanted)
        if self.scale is not None:
            found = [magnitude(gradient) for node in wanted if (gradient := (gradients or {}).get(node)) is not None]
            box.shade = self.scale.shade(max(found, default=0.0))
        path = self.options.highlight
        box.faded = path is not None and not any(node in path for node in nodes)
        return box


def role(node: Tensor) -> str:
    """Return what a node is in a picture."""
    if node.primitive is not None:
        return role_of(node.primitive)
    if node.requires_grad:
        return "parameter"
    return "constant" if node.name is None and node.ndim == 0 else "input"
