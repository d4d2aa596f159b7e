"""A replica of a graph, computed on other numbers or in another way, which the engine can walk like the original."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.graph import Graph, topological_order
from ...engine.primitive import Primitive
from ...engine.tensor import Tensor

Forward = Callable[[Tensor, tuple[Any, ...]], Any]


def replicas(
    graph: Graph,
    leaves: Mapping[Tensor, NDArray[Any]],
    forward: Forward,
    primitive: Callable[[Tensor], Primitive | None] = attrgetter("primitive"),
    cut: Set[Tensor] = frozenset(),
) -> dict[Tensor, Tensor]:
    """Replicate every node: leaves hold what is given, the others ``forward(node, values of its inputs)``.

    ``primitive(node)`` is what its replica is walked by. Nodes that are ``cut`` off become leaves.
    """
    made: dict[Tensor, Tensor] = {}
    for node in graph.nodes:
        if node.primitive is None or node in cut:
            made[node] = Tensor(leaves[node], requires_grad=node.requires_grad, name=node.name)
            continue
        inputs = tuple(made[x] for x in node.inputs)
        values = tuple(x.value for x in inputs)
        value = np.asanyarray(forward(node, values))
        made[node] = Tensor(value, primitive(node), inputs, values, node.attrs, node.requires_grad, node.context)
    return made


def in_float64(graph: Graph) -> tuple[Graph, dict[Tensor, Tensor]]:
    """Return a replica that computes in float64, rules and all, from the same numbers; and what replaces each node."""
    with np.errstate(all="ignore"):
        longer = graph.replay(dtype=np.float64)
    made = replicas(graph, longer, lambda node, values: longer[node])
    return Graph(*(made[output] for output in graph.outputs)), made


def cut_at_surrogates(graph: Graph) -> tuple[Graph, dict[Tensor, Tensor], dict[str, Tensor], set[Tensor]]:
    """Return a replica without the nodes whose rule is a surrogate: what they return is given, what they take returned.

    So all the other rules are checked. Returns what replaces each node as well, by name what the surrogates return, and
    the nodes whose gradient passes through one.
    """
    cuts = [node for node in graph.nodes if node.requires_grad and node.primitive and node.primitive.surrogate]
    if not cuts:
        return graph, {node: node for node in graph.leaves}, {}, set()
    leaves = {**{leaf: graph.values[leaf] for leaf in graph.leaves}, **{node: node.value for node in cuts}}
    made = replicas(graph, leaves, lambda node, values: node.value, cut={*cuts})
    taken = [x for node in cuts for x in node.inputs if x.requires_grad]
    outputs = dict.fromkeys(made[node] for node in (*graph.outputs, *taken))
    returned = {f"output of {graph.ids[node]}": made[node] for node in cuts}
    return Graph(*outputs), made, returned, set(topological_order(*taken))
