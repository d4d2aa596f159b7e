"""A sequence cut in two, a batch taken apart: backpropagation through the pieces must give what the whole gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.backprop import grad
from ...engine.tensor import Tensor, tensor
from ...nn import Recurrent
from ..errors import GradientError
from ..verdicts import TOLERANCE

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked

Gradients = list[NDArray[Any]]


def require_chunks_agree(
    layer: Recurrent, xs: Tensor, state: Sequence[Tensor], rng: np.random.Generator
) -> tuple[str, ...]:
    """Compare the gradients of the parameters with those of two halves in time, and of each sequence by itself."""
    steps, batch, _ = xs.shape
    size = state[0].shape[-1]
    seed = rng.normal(size=(steps, batch, size))
    begin = [x.value for x in state]
    whole, _ = _backward(layer, xs.value, begin, seed, None)
    laws = []
    if steps > 1:
        half = steps // 2
        with_state = _run(layer, xs.value[:half], begin)
        cut = [x.value for x in with_state[1]]
        late, at_the_cut = _backward(layer, xs.value[half:], cut, seed[half:], None)
        early, _ = _backward(layer, xs.value[:half], begin, seed[:half], at_the_cut)
        _require_same(layer, whole, [early, late], "cut in two in time")
        laws.append("two halves in time make the whole")
    if batch > 1:
        parts = [
            _backward(layer, xs.value[:, n : n + 1], [x[:, n : n + 1] for x in begin], seed[:, n : n + 1], None)[0]
            for n in range(batch)
        ]
        _require_same(layer, whole, parts, "taken apart along the batch")
        laws.append("a batch is its sequences")
    return tuple(laws)


def _run(
    layer: Recurrent, xs: NDArray[Any], begin: Sequence[NDArray[Any]]
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return the output, the last state and the first, which takes part in the graph."""
    first = [tensor(x, requires_grad=True) for x in begin]
    output, last = layer(tensor(xs), first[0] if len(first) == 1 else tuple(first))
    return output, [last] if isinstance(last, Tensor) else list(last), first


def _backward(
    layer: Recurrent,
    xs: NDArray[Any],
    begin: Sequence[NDArray[Any]],
    seed: NDArray[Any],
    at_the_end: Sequence[NDArray[Any]] | None,
) -> tuple[Gradients, Gradients]:
    """Return the gradients of the parameters and the first state, given those of the outputs and the last state."""
    output, last, first = _run(layer, xs, begin)
    wanted = [*layer.parameters(), *first]
    seeds = [(output, seed), *zip(last, at_the_end or [], strict=False)]
    totals = [np.zeros(x.shape) for x in wanted]
    for y, upstream in seeds:
        for i, gradient in enumerate(grad(y, wanted, upstream, allow_unused=True)):
            if gradient is not None:
                totals[i] = totals[i] + gradient.value
    count = len(wanted) - len(first)
    return totals[:count], totals[count:]


def _require_same(layer: Recurrent, whole: Gradients, parts: Sequence[Gradients], how: str) -> None:
    for parameter, expected, pieces in zip(layer.parameters(), whole, zip(*parts, strict=True), strict=True):
        found = np.sum(pieces, axis=0)
        scale = np.abs(expected).max(initial=0.0) + max(np.abs(piece).max(initial=0.0) for piece in pieces)
        apart = np.abs(found - expected).max(initial=0.0)
        if apart > TOLERANCE * np.finfo(parameter.dtype).eps * scale:
            raise GradientError(
                f"{how}, the sequence gives {parameter.name} another gradient: off by {apart:.3g} where the whole "
                f"has at most {np.abs(expected).max():.3g}; something does not pass through the state"
            )
