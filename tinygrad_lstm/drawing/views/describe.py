"""Words: what a box says of the tensor, or the tensors, it stands for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.graph import Graph
from ...engine.primitive import Primitive
from ...engine.tensor import Tensor
from ...pages.theme import role_of
from ...structure import words
from ...structure.words import display_name, magnitude, statistics
from ...symbolic.expressions import Name
from ...symbolic.formulas import equation
from ...symbolic.symbols import Symbols
from ..scene import Box, Place, Text
from .options import Options
from .parts import Part

NOT_YET = "∂ not computed yet"
"""What stands where a gradient will."""


class Describer:
    """Turns nodes into boxes: symbol, name, shape and, on request, numbers."""

    def __init__(self, graph: Graph, options: Options, *, brief: bool = False) -> None:
        self.graph = graph
        self.brief = brief
        self.options = options
        self._symbols = Symbols(graph.nodes)
        self._leaves: dict[Tensor, Box] = {}
        self._names: dict[Tensor, str] = {}
        self._texts: dict[tuple[Text, ...], tuple[Text, ...]] = {}  # boxes that say the same share their words

    def node(self, node: Tensor, id: str, column: int = 0, place: Place = ()) -> Box:
        """Return a box for one node: an operation, or a copy of a leaf."""
        like = self._leaves.get(node) or self._box(node)
        if node.is_leaf:
            self._leaves[node] = like
        box = Box(id, like.role, like.texts, column, place, tooltip=like.tooltip, statistics=like.statistics)
        box.pending, box.size, box.shows = like.pending, like.size, [node]
        return box

    def _box(self, node: Tensor) -> Box:
        texts = self.heading(node)
        if role(node) != "constant":
            if self.options.shapes:
                texts.append(Text(words.shape(self.graph.values[node]), "detail"))
            texts += self.numbers([node])
        shared = self._texts.setdefault(tuple(texts), tuple(texts))
        box = Box("", role(node), shared, tooltip=self.tooltip(node), statistics=self.statistics(node))
        return self._shaded(box, node)

    def heading(self, node: Tensor, often: str = "") -> list[Text]:
        """Return the lines that say what a node is: its symbol, and its name with what is appended to it."""
        name = (self.own_name(node) if node.is_leaf else words.clean(node.name)) + often if node.name else ""
        if node.primitive is not None:
            symbol = words.clean(node.primitive.symbol)
        elif node.detached:
            return [Text("✂", "sign"), Text(cut_name(node))]
        else:
            number = f"{self.graph.values[node].item():.4g}" if role(node) == "constant" else "data"
            symbol, name = name or number, ""
        return [Text(symbol, "sign" if len(symbol) <= 2 else "symbol"), *([Text(name)] if name else [])]

    def echo(self, nodes: list[Tensor], id: str, column: int, place: Place, when: str, maker: str) -> Box:
        """Return a small copy of operations' results, which says at which steps they were computed, by which box."""
        first = nodes[0]
        name = words.clean(first.name or maker or made_by(first).symbol)
        box = Box(id, "echo", (Text(name), Text(when, "detail")), column, place, shows=list(nodes))
        box.tooltip, box.statistics = f"the same as {self.tooltip(first)}", self.statistics(first)
        return self._shaded(box, first)

    def group(self, part: Part, texts: tuple[Text, ...], outputs: list[Tensor]) -> Box:
        """Return a box for many operations, with the numbers of what they hand on."""
        lines = list(texts)
        for node in outputs:
            name = self.name(node) if len(outputs) > 1 else ""
            lines += [Text(f"{name} {text}".strip(), style) for text, style in self.numbers([node], most=1)]
        made = [f"{part.id}: {len(part.members)} operations"] if len(part.members) > 1 else []
        box = Box(part.id, part.kind, tuple(lines), part.column, block=part.block, lane=part.lane, shows=part.members)
        box.tooltip = "\n".join([*made, *map(self.tooltip, outputs)])
        box.statistics = "\n".join(map(self.statistics, outputs))
        return self._shaded(box, *outputs)

    def cut(self, part: Part, leaves: list[Tensor]) -> Box:
        """Return a box for a state that was detached, and is only moved from where that happened to the next step."""
        once = len({leaf.context.offset for leaf in leaves}) == 1
        names = dict.fromkeys(cut_name(leaf) if once else words.clean(leaf.name or "data") for leaf in leaves)
        box = Box(part.id, "cut", (Text("✂", "sign"), Text(", ".join(names))), part.column)
        box.tooltip, box.shows = "\n".join(map(self.tooltip, leaves)), part.members
        return box

    def name(self, node: Tensor) -> str:
        """Return what to call a node in a sentence or on an arrow."""
        return self.own_name(node) or words.clean(node.primitive.symbol if node.primitive else "data")

    def own_name(self, node: Tensor) -> str:
        """Return what its author called a node, with its time step, h₋₁ for h0; nothing if it has no name."""
        if node not in self._names:
            first = self._symbols.initial_states.get(node)
            own = words.clean(first.text) + self.subscript(first) if first else words.clean(display_name(node) or "")
            self._names[node] = own
        return self._names[node]

    def is_initial(self, x: Tensor) -> bool:
        """Tell whether something is a state that was given, with which a first step begins."""
        return x in self._symbols.initial_states

    def subscript(self, first: Name) -> str:
        """Return the step of an initial state: the one before the first, or after the last where time leads back."""
        return words.subscript(first.time)

    def symbol(self, weight: Tensor) -> str:
        """Return the letter of a weight, as formulas have it: W_f."""
        own = self._symbols.own(weight)
        return words.clean("_".join(filter(None, (own.text, own.below))) if own else self.name(weight), 12)

    def numbers(self, nodes: list[Tensor], most: int = 3) -> list[Text]:
        """Return the lines that values and gradients add to a box: up to so many numbers, else the norms."""
        lines = []
        if self.options.values:
            lines.append(Text(_numbers([self.graph.values[node] for node in nodes], most), "value"))
        wanted = [node for node in nodes if node.requires_grad]
        found = self._known(wanted)
        if found:
            lines.append(Text(f"∂ {_numbers(found, most)}", "gradient"))
        if self.options.gradients is not None and len(found) < len(wanted):
            some = f"∂ {len(wanted) - len(found)} of {len(wanted)} " if found else "∂ "
            lines.append(Text(NOT_YET.replace("∂ ", some), "pending"))
        return lines

    def tooltip(self, node: Tensor) -> str:
        """Return full name, equation, shape and dtype; in brief, where more can be seen."""
        value = self.graph.values[node]
        if self.brief:
            return f"{self.graph.ids[node]}\nshape {words.shape(value)}; of fewer steps the hints say more"
        cut = f"\ndetached at {node.line}: nothing flows back over it" if node.detached else ""
        return f"{self.graph.ids[node]}\n{equation(node, self._symbols)}\nshape {words.shape(value)}, {node.dtype}{cut}"

    def statistics(self, node: Tensor) -> str:
        """Return what a node's value and gradient are like; nothing in brief."""
        if self.brief:
            return ""
        lines = [f"value: {statistics(self.graph.values[node])}"]
        lines += [f"gradient: {statistics(gradient)}" for gradient in self._known([node])]
        return "\n".join(lines)

    def size(self, nodes: Iterable[Tensor]) -> float | None:
        """Return the magnitude of the largest of the nodes' gradients, if boxes are shaded by it."""
        return max(map(magnitude, self._known(nodes)), default=0.0) if self.options.colored else None

    def _known(self, nodes: Iterable[Tensor]) -> list[NDArray[Any]]:
        """Return those gradients that were asked for and are known."""
        gradients = self.options.gradients or {}
        return [np.asarray(found) for node in nodes if (found := gradients.get(node)) is not None]

    def _shaded(self, box: Box, *nodes: Tensor) -> Box:
        """Return the box as the gradients of the nodes want it to look."""
        wanted = [node for node in nodes if node.requires_grad]
        box.pending = self.options.gradients is not None and bool(wanted) and not self._known(wanted)
        box.size = self.size(wanted)
        return box


def _numbers(arrays: list[NDArray[Any]], most: int) -> str:
    """Return the numbers or the norm of one array; of several, from which norm to which."""
    if len(arrays) == 1:
        return words.numbers(arrays[0], most)
    norms = list(map(magnitude, arrays))
    ends = [f"‖{norm:.3g}‖".replace("-", "−") for norm in (np.min(norms), np.max(norms))] if norms else ["none"]
    return " … ".join(dict.fromkeys(ends))


def made_by(node: Tensor) -> Primitive:
    """Return the primitive that computed an operation's result."""
    assert node.primitive is not None
    return node.primitive


def cut_name(leaf: Tensor) -> str:
    """Return what a detached leaf was called, with the step it was made in: h₁."""
    then = leaf.context.offset
    return words.clean(leaf.name or "data") + (words.subscript(then - 1) if then is not None else "")


def role(node: Tensor) -> str:
    """Return what a node is in a picture."""
    if node.primitive is not None:
        return role_of(node.primitive)
    if node.requires_grad:
        return "parameter"
    if node.detached:
        return "cut"
    return "constant" if node.name is None and node.ndim == 0 else "input"
