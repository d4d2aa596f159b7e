"""Inputs that never matter: which tensors have no gradient, whatever their numbers are, and where each path ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..engine.errors import short
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .words import clean


class Unused(NamedTuple):
    """An input without a gradient: its name, why that is so, and the operations at which its paths end."""

    name: str
    why: str
    ends: tuple[Tensor, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


class Explanation(tuple[Unused, ...]):
    """The inputs that never matter; ``print`` shows a line for each."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "every input has a gradient"

    __repr__ = __str__


MOST_ENDS = 3
"""Places that a line names, at most."""


def explain_unused(loss: Tensor, inputs: Iterable[Tensor] | None = None) -> Explanation:
    """Say which inputs a loss does not depend on at all, and which only through operations without a gradient.

    An input whose gradient happens to be 0 at these numbers is none of them. Of the others, each has a line that says
    why, and where in your program its paths end.

    Arguments:
        loss: any tensor that was computed.
        inputs: leaves or what was computed on the way; without them, all leaves of the graph.

    Raises:
        TypeError: for what are no tensors.

    Source: this project; tangent-ad's ``explain`` asks the same of a function's source.

    >>> import tinygrad_lstm as tl
    >>> x, w, spare = (tl.tensor([1.0, 2.0], requires_grad=True, name=name) for name in ("x", "w", "spare"))
    >>> print(explain_unused((tl.floor(x) * w).sum(), [x, w, spare]))
    x: only through floor, which has no gradient
    spare: the loss does not depend on it
    """
    if not isinstance(loss, Tensor):
        raise TypeError(f"explain_unused takes a tensor that was computed, such as a loss, not {short(loss)}")
    if isinstance(inputs, Tensor):
        inputs = (inputs,)
    if inputs is not None and not isinstance(inputs, Iterable):
        raise TypeError(f"inputs are tensors, as in [x, w], not {short(inputs)}")
    graph, taken = Graph(loss).opened()
    asked = list(graph.leaves if inputs is None else inputs)
    for x in asked:
        if not isinstance(x, Tensor):
            raise TypeError(f"inputs are tensors, as in [x, w], not {short(x)}")
    reading = _Reached(graph)
    found = (reading.explain(taken.get(x, x), i) for i, x in enumerate(asked) if inputs is not None or _matters(x))
    return Explanation(each for each in found if each is not None)


def _matters(leaf: Tensor) -> bool:
    """Tell whether somebody may ask of a leaf: of what is named, or learns; a number in a formula is neither."""
    return leaf.requires_grad or leaf.name is not None


class _Reached:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.users: dict[Tensor, list[tuple[Tensor, int]]] = {}
        for node in graph.nodes:
            for slot, x in enumerate(node.inputs):
                self.users.setdefault(x, []).append((node, slot))
        self._passes: dict[Tensor, tuple[bool, ...]] = {}

    def explain(self, x: Tensor, position: int) -> Unused | None:
        name = clean(x.name or self.graph.ids.get(x, f"input {position}"))
        if x not in self.graph.ids:
            return Unused(name, f"the loss does not depend on it{self._cut(x)}")
        if self._reach(x, lambda node, slot: self.passes(node)[slot]):
            if x.requires_grad:
                return None
            return Unused(name, "it asks for no gradient: make it with requires_grad=True")
        ends = self._ends(x)
        places = [f"{clean(node.primitive.name)}{_place(node)}" for node in ends if node.primitive]
        named = list(dict.fromkeys(places))
        more = ", …" if len(named) > MOST_ENDS else ""
        have = "has" if len(named) == 1 else "have"
        return Unused(name, f"only through {', '.join(named[:MOST_ENDS])}{more}, which {have} no gradient", ends)

    def passes(self, node: Tensor) -> tuple[bool, ...]:
        """Tell for each input of an operation whether its rule brings a gradient there."""
        if node not in self._passes:
            self._passes[node] = _slots(node)
        return self._passes[node]

    def _reach(self, x: Tensor, through: Callable[[Tensor, int], bool]) -> bool:
        return self.graph.output in self._reached(x, through)

    def _reached(self, x: Tensor, through: Callable[[Tensor, int], bool]) -> dict[Tensor, None]:
        """Return all that an input reaches, through uses such as these."""
        seen, unvisited = {x: None}, [x]
        while unvisited:
            for node, slot in self.users.get(unvisited.pop(), ()):
                if node not in seen and through(node, slot):
                    seen[node] = None
                    unvisited.append(node)
        return seen

    def _ends(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the operations that let no gradient pass to what x reaches, and lead to the output."""
        reached = self._reached(x, lambda node, slot: self.passes(node)[slot])
        ends = {
            node: None
            for source in reached
            for node, slot in self.users.get(source, ())
            if not self.passes(node)[slot] and self._reach(node, lambda node, slot: True)
        }
        return tuple(sorted(ends, key=lambda node: node.serial))

    def _cut(self, x: Tensor) -> str:
        """Name the leaf that was cut off from what was computed of x, if its numbers say which."""
        same = [leaf for leaf in self.graph.leaves if leaf.detached and leaf._value is x._value]
        return f", but on what detach() made of it{_place(same[0])}" if same else ""


def _slots(node: Tensor) -> tuple[bool, ...]:
    primitive = node.primitive
    if primitive is None or primitive.rule is None:
        return (False,) * len(node.inputs)
    try:
        with np.errstate(all="ignore"):
            made = primitive.rule(np.zeros(node.shape, node.dtype), node.value, *node.input_values, **node.attrs)
        return tuple(part is not None for part in made)
    except Exception:  # whatever somebody's own rule raises, who then sees it in the walk
        return (True,) * len(node.inputs)


def _place(node: Tensor) -> str:
    """Return where a node was made, if that is in a file of the user's."""
    lines: list[Any] = [node.line, *(frame.line for frame in reversed(node.context.frames))]
    where = next((line for line in lines if line and not line.ours and line.file[0] != "<"), None)
    return f"{node.context.place} ({where})" if where is not None else node.context.place
