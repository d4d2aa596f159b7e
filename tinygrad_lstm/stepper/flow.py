"""The flow: how large the gradient of each state is at every step, and how saturated the gates are beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..draw.scale import magnitude
from ..draw.timeline import Timeline
from ..engine.tensor import Tensor
from .tape import Tape

SATURATED = 0.05
"""An activation this near to the end of its range has almost no slope left."""

RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


@dataclass(frozen=True)
class FlowRow:
    """One time step: the norm of ∂L/∂state by the state's name, and the share of each gate's units that saturate."""

    time: int
    norms: dict[str, float]
    saturation: dict[str, float]


def flow(tape: Tape) -> tuple[FlowRow, ...]:
    """A row for each time step, in the order of time.

    States are what one step hands to the next, and what the last step names like them; a state that the loss does not
    depend on has norm 0. Gates are activations with a name of their own.
    """
    graph, gradients = tape.graph, tape.gradients
    timeline = Timeline(graph)
    handed_on = {timeline.fold[state] for state, _ in timeline.handed_on.values()}
    norms: dict[int, dict[str, float]] = {t: {} for t in timeline.steps}
    saturation: dict[int, dict[str, float]] = {t: {} for t in timeline.steps}
    for node, t in timeline.of.items():
        assert node.primitive is not None
        if timeline.fold[node] in handed_on:
            norms[t][_name(node)] = magnitude(gradients[node]) if node in gradients else 0.0
        elif node.name and node.primitive.name in RANGES:
            saturation[t][_name(node)] = _saturated(graph.values[node], *RANGES[node.primitive.name])
    return tuple(FlowRow(t, norms[t], saturation[t]) for t in timeline.steps)


def _name(node: Tensor) -> str:
    assert node.primitive is not None
    return node.name or ".".join((*node.scope, node.primitive.name))


def _saturated(values: NDArray[Any], low: float, high: float) -> float:
    """The share of values within SATURATED of the range's ends."""
    margin = SATURATED * (high - low)
    return float(np.mean((values < low + margin) | (values > high - margin))) if values.size else 0.0
