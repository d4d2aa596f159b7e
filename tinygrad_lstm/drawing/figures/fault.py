"""Where a NaN or an Inf of a run began: a figure that has one says so, and never draws it as if it were a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...engine.graph import Graph
from ...engine.primitive import Array
from ...engine.tensor import Tensor
from ...structure.faults import faulty_input, kind_of
from ...structure.timeline import Timeline
from ...structure.words import clean
from .walk import BackwardWalk


def of_values(timeline: Timeline, nodes: Iterable[Tensor]) -> str:
    """Say which tensor held the first NaN or Inf behind some nodes, and at which step; nothing if all are finite.

    >>> import tinygrad_lstm as tl
    >>> with tl.time_step(3):
    ...     y = tl.tanh(tl.tensor([np.nan], name="x"))
    >>> of_values(Timeline(tl.Graph(y)), [y])
    'the first NaN is in x, read at step 3'
    """
    bad = [node for node in nodes if not np.isfinite(node.value).all()]
    if not bad:
        return ""
    node = min(bad, key=lambda each: each.serial)
    return _behind(timeline, node, node.value, None)


def _behind(timeline: Timeline, node: Tensor, value: Array, step: int | None) -> str:
    """Say where what is wrong with a value comes from, back over inputs that have it already."""
    while found := faulty_input(node):
        step = timeline.of.get(node, step)
        node, value = found
    kind = kind_of(value)
    if node.primitive is not None:
        return f"the first {kind} was made by {clean(node.primitive.name + node.context.place, 80)}"
    name = clean(node.name) if node.name else "an input without a name"
    return f"the first {kind} is in {name}{'' if step is None else f', read at step {step}'}"


def of_gradients(graph: Graph, timeline: Timeline, gradients: Mapping[Tensor, Array]) -> str:
    """Say what gave gradients of a graph's output their first NaN or Inf; nothing if all are finite."""
    if all(np.isfinite(gradient).all() for gradient in gradients.values()):
        return ""
    seeds = {graph.output: np.ones(graph.output.shape)}
    return of_walk(timeline, BackwardWalk(graph, gradients), seeds) or "a sum of the backward walk overflowed"


def of_walk(timeline: Timeline, walk: BackwardWalk, seeds: Mapping[Tensor, Any]) -> str:
    """Say what gave a backward walk its first NaN or Inf: a rule, or a number of the run that a rule read."""
    for node, slot, upstream, contribution in walk.contributions(dict(seeds)):
        if np.isfinite(contribution).all() or not np.isfinite(upstream).all():
            continue
        if (found := faulty_input(node)) is not None:
            return _behind(timeline, *found, timeline.of.get(node))
        kind = kind_of(contribution)
        rule = clean(f"{node.primitive.name if node.primitive else ''}{node.context.place}", 80)
        return f"the first {kind} of the backward walk was made by the rule of {rule}, for its input {slot}"
    return ""
