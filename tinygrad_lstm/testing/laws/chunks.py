"""A sequence cut in two, a batch taken apart: backpropagation through the pieces must give what the whole gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.graph import Graph
from ...engine.tensor import Tensor, tensor
from ...nn import Recurrent
from ...nn.cell import as_state
from ..errors import GradientError
from ..objective import Objective, tolerated
from ..subject import outputs_of

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked

Gradients = list[NDArray[Any]]


def require_chunks_agree(
    layer: Recurrent, xs: Tensor, state: Sequence[Tensor], rng: np.random.Generator, rtol: float = 0.0
) -> tuple[str, ...]:
    """Compare the gradients of the parameters with those of two halves in time, and of each sequence by itself.

    ``xs`` is (T, N, D), and each tensor of ``state`` (1, N, H). Returns what was compared, which is nothing where T and
    N are 1; raises GradientError for a parameter whose gradients differ.
    """
    steps, batch, _ = xs.shape
    seed = rng.normal(size=(steps, batch, state[0].shape[-1]))
    begin = [x.value for x in state]
    whole, _ = _Chunk(layer, xs.value, begin).gradients(seed)
    laws = []
    if steps > 1:
        half = steps // 2
        early = _Chunk(layer, xs.value[:half], begin)
        late = _Chunk(layer, xs.value[half:], [x.value for x in early.last])
        second, at_the_cut = late.gradients(seed[half:])
        first, _ = early.gradients(seed[:half], at_the_cut)
        _require_same(layer, whole, [first, second], "cut in two in time", rtol)
        laws.append("two halves in time make the whole")
    if batch > 1:
        parts = []
        for one in (slice(n, n + 1) for n in range(batch)):
            alone = _Chunk(layer, xs.value[:, one], [x[:, one] for x in begin])
            parts.append(alone.gradients(seed[:, one])[0])
        _require_same(layer, whole, parts, "taken apart along the batch", rtol)
        laws.append("a batch is its sequences")
    return tuple(laws)


class _Chunk:
    """A layer, run over a part of a sequence from a state that takes part in the graph."""

    def __init__(self, layer: Recurrent, xs: NDArray[Any], begin: Sequence[NDArray[Any]]) -> None:
        self.parameters = _learning(layer)
        self.first = [tensor(x, requires_grad=True) for x in begin]
        self.output, *self.last = outputs_of(layer(tensor(xs), as_state(tuple(self.first))))

    def gradients(self, seed: NDArray[Any], at_the_end: Gradients | None = None) -> tuple[Gradients, Gradients]:
        """Return those of the parameters and the first state, given those of the output and the last state."""
        upstream = at_the_end or [np.zeros(x.shape) for x in self.last]
        objective = Objective(Graph(self.output, *self.last), (seed, *upstream))
        found = objective.gradients([*self.parameters, *self.first])
        return found[: len(self.parameters)], found[len(self.parameters) :]


def _require_same(layer: Recurrent, whole: Gradients, parts: Sequence[Gradients], how: str, rtol: float) -> None:
    """Require that the gradients of the parts add up to those of the whole, parameter by parameter."""
    for parameter, expected, pieces in zip(_learning(layer), whole, zip(*parts, strict=True), strict=True):
        found = np.sum(pieces, axis=0)
        scale = np.abs(expected).max(initial=0.0) + max(np.abs(piece).max(initial=0.0) for piece in pieces)
        apart = np.abs(found - expected).max(initial=0.0)
        if apart > tolerated(float(np.finfo(parameter.dtype).eps), rtol) * scale:
            raise GradientError(
                f"{how}, the sequence gives {parameter.name} another gradient: off by {apart:.3g} where the whole "
                f"has at most {np.abs(expected).max():.3g}; something does not pass through the state"
            )


def _learning(layer: Recurrent) -> list[Tensor]:
    """Return the parameters that are not frozen."""
    return [parameter for parameter in layer.parameters() if parameter.requires_grad]
