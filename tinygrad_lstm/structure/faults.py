"""Who made the first NaN or Inf: told of a graph that has already run, so that watching for it costs nothing before."""

from __future__ import annotations

import numpy as np

from ..engine.backprop import backprop
from ..engine.primitive import Array
from ..engine.scope import detect_nan
from ..engine.tensor import Tensor
from .words import clean, shown


def maker(output: Tensor) -> tuple[Tensor, str]:
    """Return the node that made an output NaN or Inf, and say so: the first on the way to it with finite inputs.

    A −∞ elsewhere, such as that of a mask, is not on that way, unless it is what did it.

    >>> import tinygrad_lstm as tl
    >>> with np.errstate(all="ignore"):
    ...     print(maker(tl.tanh(tl.log(tl.tensor([-1.0], name="x"))))[1])
    log made the first NaN, from input x (1,) in [−1, −1]
    """
    node, value = output, output.value
    while fault := faulty_input(node):
        node, value = fault
    kind = kind_of(value)
    if node.primitive is None:
        return node, f"{_called(node)}, which was given, holds the first {kind}"
    inputs = " and ".join(
        f"{_called(x)} {v.shape} in [{shown(v.min())}, {shown(v.max())}]"
        for x, v in zip(node.inputs, node.input_values, strict=True)
        if v.size
    )
    return node, f"{node.primitive.name}{node.context.place} made the first {kind}, from {inputs}"


def rule_at_fault(output: Tensor) -> str:
    """Say whose rule made the first NaN or Inf of the backward pass from an output; nothing if none did."""
    try:
        with detect_nan():
            for _ in backprop(output, np.ones(output.shape, output.dtype)):
                pass
    except FloatingPointError as error:
        return str(error)
    return ""


def faulty_input(node: Tensor) -> tuple[Tensor, np.ndarray] | None:
    """Return an input that was not finite, as it was when the node used it: one with NaN before one with Inf."""
    pairs = list(zip(node.inputs, node.input_values, strict=True))
    faults = [(x, value) for x, value in pairs if not np.isfinite(value).all()]
    return next((pair for pair in faults if np.isnan(pair[1]).any()), faults[0] if faults else None)


def kind_of(value: Array) -> str:
    """Return what an array that is not finite holds: NaN, or Inf where there is no NaN."""
    return "NaN" if np.isnan(value).any() else "Inf"


def _called(x: Tensor) -> str:
    return f"input {clean(x.name)}" if x.name else "an input"
