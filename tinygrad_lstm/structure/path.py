"""Paths: only the route by which one tensor reaches another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

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


def find(output: Tensor, name: str, time: int | None = None) -> Tensor:
    """Return the tensor of that name behind the output: ``"h0"``, ``"t3.c"``, or by its id, ``"t3.cell.tanh"``.

    The end of a name will do, from a dot on, also behind a step. Of several, that of a ``time`` step is meant, if one
    is given.

    Raises ValueError, naming some that there are, for one that is not there and for one of several.
    """
    graph, _ = Graph(output).opened()
    found = called(name, names_of(graph, {node: node.time for node in graph.nodes}))
    if len(found) > 1 and time is not None:
        found = [node for node in found if node.time == time] or found
    if len(found) == 1:
        return found[0]
    raise unknown(name, graph) if not found else ambiguous(name, graph, found)


def names_of(graph: Graph, times: Mapping[Tensor, int | None]) -> dict[str, list[Tensor]]:
    """Return what each tensor may be called: by its id; by its name, alone, with its step, and in scopes around it."""
    by_name: dict[str, list[Tensor]] = {}
    for node, id in graph.ids.items():
        t, own = times.get(node), node.name or id
        step = f"t{t}." if t is not None else ""
        scopes = accumulate(node.scope, "{}{}.".format, initial="") if node.name else ("",)
        for known in {id, own, *(f"{step}{scope}{own}" for scope in scopes)}:
            by_name.setdefault(known, []).append(node)
    return by_name


def called(name: str, by_name: Mapping[str, list[Tensor]]) -> list[Tensor]:
    """Return the tensors of that name; if there is none, those whose names end so, at its step if it tells one."""
    if name in by_name:
        return by_name[name]
    step, dot, rest = name.partition(".")
    at = f"{step}." if dot and _STEP.fullmatch(step) else ""
    ending = f".{rest if at else name}"
    return list(
        dict.fromkeys(x for known in by_name if known.endswith(ending) and known.startswith(at) for x in by_name[known])
    )


_STEP = re.compile(r"t-?\d+")


def unknown(name: str, graph: Graph) -> ValueError:
    """Return the complaint that nothing is called so, which names some that there are."""
    names = dict.fromkeys(node.name for node in graph.nodes if node.name)
    letter = re.fullmatch(r"([^\W\d]+)(\d+)", name)  # as pictures write it: c₂
    if letter:
        with_step, by_name = f"t{letter[2]}.{letter[1]}", names_of(graph, {node: node.time for node in graph.nodes})
        if called(with_step, by_name):
            return ValueError(f"no tensor here is called {name!r}; the {letter[1]} of step {letter[2]} is {with_step}")
    there = list(names) or list(graph.ids.values())
    return ValueError(f"no tensor here is called {name!r}; there is {', '.join(map(clean, there[:12]))}")


def ambiguous(name: str, graph: Graph, found: Sequence[Tensor], where: str = "") -> ValueError:
    """Return the complaint that several are called so, which names them by their ids."""
    ids = ", ".join(graph.ids[node] for node in found[:6])
    return ValueError(
        f"{len(found)} tensors are called {name!r}{where}; say which: {ids}{', …' if len(found) > 6 else ''}"
    )
