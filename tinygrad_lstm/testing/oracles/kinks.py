"""Kinks that primitives declare: on which side of them a graph stands, and steps that do not cross one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.graph import Graph
from ...engine.tensor import Tensor


def branches(graph: Graph, values: dict[Tensor, NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Return on which side of its kinks each node stands: signs of what the primitives declare to vanish there."""
    for node in graph.nodes:
        if node.primitive is not None and node.primitive.kink is not None:
            yield np.sign(np.real(node.primitive.kink(*(values[x] for x in node.inputs), **node.attrs)))


def short_of_a_kink(graph: Graph, leaf: Tensor, direction: NDArray[Any], step: float) -> float:
    """Return a step that leaves every node on its side of every kink; 0 if none of twenty ever smaller ones does."""
    if not any(node.primitive is not None and node.primitive.kink for node in graph.nodes):
        return step
    at = graph.values[leaf].astype(np.float64)
    with np.errstate(all="ignore"):
        here = list(branches(graph, graph.replay({leaf: at}, dtype=np.float64)))
        for smaller in step * 4.0 ** -np.arange(20):
            there = (graph.replay({leaf: at + sign * smaller * direction}, dtype=np.float64) for sign in (1, -1))
            if all(
                np.array_equal(a, b) for values in there for a, b in zip(here, branches(graph, values), strict=True)
            ):
                return float(smaller)
    return 0.0
