"""Paths: only the route by which one tensor reaches another."""

from __future__ import annotations

from dataclasses import dataclass

from ..engine.errors import short
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .words import clean


@dataclass(frozen=True, eq=False)
class Path:
    """Everything through which ``start`` reaches ``end``: both of them, and all nodes on some route between."""

    start: Tensor
    end: Tensor
    nodes: frozenset[Tensor]

    def __len__(self) -> int:
        return len(self.nodes)

    def __contains__(self, node: Tensor) -> bool:
        return node in self.nodes

    def __repr__(self) -> str:
        return f"<path from {short(self.start)} to {short(self.end)}, {len(self.nodes)} nodes>"


def path(output: Tensor, x: Tensor) -> Path:
    """Return the route by which x reaches the output; in a picture, ``draw(..., highlight=path(loss, h0))``.

    Raises ValueError if the output does not depend on x.

    >>> import tinygrad_lstm as tl
    >>> x, w = tl.tensor(1.0, name="x"), tl.tensor(2.0, name="w")
    >>> y = tl.tanh(x * w)
    >>> len(tl.path(y, x))
    3
    """
    for tensor in (output, x):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"a path leads from a tensor to a tensor; got {type(tensor).__name__}")
    graph, taken = Graph(output).opened()
    output, x, order = graph.output, taken.get(x, x), graph.nodes
    behind = set(order)
    reached = {x}
    for node in order:
        if any(source in reached for source in node.inputs):
            reached.add(node)
    if output not in reached or x not in behind:
        raise ValueError(
            f"no path leads from {short(x)} to {short(output)}: it was computed from other tensors, or cut by detach()"
        )
    return Path(x, output, frozenset(reached & behind))


def find(output: Tensor, name: str) -> Tensor:
    """Return the tensor of that name behind the output: ``"h0"``, ``"t3.c"``, or by its id, ``"t3.cell.tanh"``.

    The end of a name will do, from a dot on.

    Raises ValueError, naming some that there are, for one that is not there and for one of several.
    """
    graph, _ = Graph(output).opened()
    by_name: dict[str, list[Tensor]] = {}
    for node, id in graph.ids.items():
        step = f"t{node.time}." if node.time is not None else ""
        for known in {id, node.name or id, f"{step}{node.name or id}"}:
            by_name.setdefault(known, []).append(node)
    found = by_name.get(name) or _ending(name, by_name)
    if len(found) == 1:
        return found[0]
    if not found:
        names = dict.fromkeys(node.name for node in graph.nodes if node.name)
        there = list(names) or list(graph.ids.values())
        raise ValueError(f"no tensor here is called {name!r}; there is {', '.join(map(clean, there[:12]))}")
    ids = ", ".join(graph.ids[node] for node in found[:6])
    raise ValueError(f"{len(found)} tensors are called {name!r}; say which: {ids}{', …' if len(found) > 6 else ''}")


def _ending(name: str, by_name: dict[str, list[Tensor]]) -> list[Tensor]:
    """Return the tensors whose names end so."""
    return list(dict.fromkeys(x for known, found in by_name.items() if known.endswith(f".{name}") for x in found))
