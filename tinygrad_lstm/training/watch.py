"""Watching a training: what the gates do, how large the updates are, and from how far back in time they come.

A ``Watch`` records numbers; whoever draws them lives upstairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.backprop import backprop
from ..engine.graph import Graph
from ..engine.primitive import Array
from ..engine.tensor import Tensor
from ..nn import Gate
from ..nn.arguments import positive
from ..structure.saturation import at_ends
from ..structure.words import magnitude
from .fit import Moment


@dataclass(frozen=True)
class GateMoment:
    """What one gate did in the forward pass of an update: unit by unit, over all time steps and sequences."""

    step: int
    gate: str  # its path: "recurrent.cell.forget_gate"
    symbol: str  # "f"
    mean: NDArray[np.float64]  # (H)
    low: NDArray[np.float64]  # (H): the share of values within SATURATED of the lower end of the range
    high: NDArray[np.float64]  # (H): and of the upper end


@dataclass(frozen=True)
class UpdateMoment:
    """How far one update moved a parameter, and which time steps that came from.

    ``distances`` counts time steps back from the last one in the graph. With g_d the sum of what the uses at distance d
    contributed to the gradient g, ``norms`` are ‖g_d‖, and ``fractions`` are ⟨g_d, ΔW⟩ / ⟨g, ΔW⟩: they add up to 1, and
    one that worked against the update is negative. What an optimiser keeps of earlier gradients moves ΔW alone.
    """

    step: int
    parameter: str  # its path
    delta: float  # ‖ΔW‖
    weight: float  # ‖W‖ before
    distances: NDArray[np.intp]  # (K), ascending; −1 for uses at no time step
    norms: NDArray[np.float64]  # (K)
    fractions: NDArray[np.float64]  # (K)


class Watch:
    """A callback for ``fit`` that records, at chosen steps, ``gates`` and ``updates``: lists of moments, in order.

    A step that is watched costs about a backward pass more.

    Arguments:
        at: the steps to watch: every so many, or a function of the step.
        parameters: the paths of those whose updates are recorded; None for all.

    Source: what one looks for, Y. Bengio, P. Simard & P. Frasconi, "Learning Long-Term Dependencies with Gradient
    Descent is Difficult" (1994); saturation, A. Karpathy, J. Johnson & L. Fei-Fei, "Visualizing and Understanding
    Recurrent Networks" (2015), section 4.2.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> lstm = tl.LSTM(2, 3, rng=0)
    >>> watch = Watch(2, parameters=["cell.forget_gate.weight"])
    >>> _ = tl.fit(
    ...     lstm,
    ...     [np.ones((5, 1, 2))] * 4,
    ...     loss=lambda lstm, xs: lstm(xs)[0][-1].sum(),
    ...     optimizer=tl.SGD(lstm.parameters(), lr=0.1),
    ...     callbacks=[watch],
    ... )
    >>> [(moment.step, moment.symbol, moment.mean.shape) for moment in watch.gates[:2]]
    [(2, 'f', (3,)), (2, 'i', (3,))]
    >>> update = watch.updates[-1]
    >>> update.step, update.distances.tolist(), round(update.fractions.sum(), 9)
    (4, [0, 1, 2, 3, 4], np.float64(1.0))
    """

    def __init__(self, at: int | Callable[[int], bool] = 1, *, parameters: Iterable[str] | None = None) -> None:
        if not callable(at):
            positive(at=at)
        self.at, self.parameters = at, None if parameters is None else set(parameters)
        self.gates: list[GateMoment] = []
        self.updates: list[UpdateMoment] = []

    def __call__(self, moment: Moment) -> None:
        if self.at(moment.step) if callable(self.at) else moment.step % self.at == 0:
            self.gates += gates_of(moment)
            self.updates += updates_of(moment, self.parameters)


def gates_of(moment: Moment) -> list[GateMoment]:
    """Return what each ``tl.nn.Gate`` of the model did in the graph of a moment."""
    values: dict[tuple[str, ...], list[Tensor]] = {}
    for node in Graph(moment.graph).opened()[0].nodes:
        if node.primitive is not None:
            values.setdefault(tuple(node.scope), []).append(node)
    found = []
    for path, gate in moment.model.named_modules():
        if isinstance(gate, Gate):
            results = [node for node in values.get(tuple(path.split(".")), ()) if node.name == gate.symbol]
            if results:
                found.append(_of_gate(moment.step, path, gate.symbol, results))
    return found


def _of_gate(step: int, path: str, symbol: str, results: list[Tensor]) -> GateMoment:
    rows = np.concatenate([node.value.reshape(-1, node.shape[-1]) for node in results]).astype(np.float64)
    low, high = at_ends(rows, results[0].primitive.range if results[0].primitive else (-np.inf, np.inf))
    return GateMoment(step, path, symbol, rows.mean(axis=0), low.mean(axis=0), high.mean(axis=0))


def updates_of(moment: Moment, parameters: set[str] | None = None) -> list[UpdateMoment]:
    """Return how far a moment's update moved each parameter of these paths, and from which distances it came."""
    paths = {parameter: path for path, parameter in moment.model.named_parameters()}
    asked = {p: path for p, path in paths.items() if parameters is None or path in parameters}
    sums: dict[Tensor, dict[int | None, Array]] = {}
    graph, _ = Graph(moment.graph).opened()
    last = max((node.time for node in graph.nodes if node.time is not None), default=0)
    for edge in backprop(graph.output):
        if edge.input in asked:
            at = sums.setdefault(edge.input, {})
            time = edge.node.time
            at[time] = at[time] + edge.contribution if time in at else edge.contribution
    found = []
    for parameter, before in zip(moment.optimizer.parameters, moment.before, strict=True):
        if parameter in sums:
            delta = parameter.value.astype(np.float64) - before
            parts = {-1 if time is None else last - time: part for time, part in sums[parameter].items()}
            found.append(_of_update(moment.step, asked[parameter], delta, before, dict(sorted(parts.items()))))
    return found


def _of_update(step: int, path: str, delta: Any, before: Array, parts: dict[int, Array]) -> UpdateMoment:
    along = np.array([float((part.astype(np.float64) * delta).sum()) for part in parts.values()])
    whole = along.sum()
    fractions = along / whole if whole else np.zeros_like(along)
    norms = np.array([magnitude(part) for part in parts.values()])
    distances = np.array(list(parts), np.intp)
    return UpdateMoment(step, path, magnitude(delta), magnitude(before), distances, norms, fractions)
