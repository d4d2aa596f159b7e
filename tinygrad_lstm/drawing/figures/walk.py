"""The backward walk from any node to any other, also where a graph records no gradient, as for its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...engine.backprop import apply_vjp
from ...engine.graph import Graph
from ...engine.primitive import Array
from ...engine.tensor import Tensor


class BackwardWalk:
    """The backward walk from any nodes to some others, by the engine's rules, also where no gradient is recorded.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0)
    >>> y = x * x
    >>> BackwardWalk(Graph(y), [x])({y: np.ones(())})[x].item()
    6.0
    """

    def __init__(self, graph: Graph, wanted: Iterable[Tensor]) -> None:
        self._wanted = set(wanted)
        self._between = set(self._wanted)
        for node in graph.nodes:
            if node.primitive is not None and node.primitive.rule and any(x in self._between for x in node.inputs):
                self._between.add(node)
        self._order = [node for node in reversed(graph.nodes) if node in self._between]

    def __call__(self, seeds: Mapping[Tensor, Any]) -> dict[Tensor, Array]:
        """Return the gradients of those that were wanted, zeros where nothing arrives."""
        gradients, found = dict(seeds), dict[Tensor, Array]()
        with np.errstate(all="ignore"):
            for node in self._order:
                if node not in gradients:
                    continue
                upstream = gradients.pop(node)
                if node in self._wanted:
                    found[node] = upstream
                if node.primitive is None:
                    continue
                for slot, _, contribution in apply_vjp(node, upstream, self._between):
                    x = node.inputs[slot]
                    gradients[x] = gradients[x] + contribution if x in gradients else contribution
        return {x: found.get(x, np.zeros(x.shape)) for x in self._wanted}
