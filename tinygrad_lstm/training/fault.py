"""Who made the first NaN or Inf: told of a graph that has already run, so that watching for it costs nothing before."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..engine.backprop import backprop
from ..engine.primitive import Array
from ..engine.scope import detect_nan
from ..engine.tensor import Tensor
from ..nn import Optimizer
from ..structure.words import clean


class Fault(FloatingPointError):
    """A NaN or Inf that ends training; the message names the first node that made it, in one line.

    >>> import tinygrad_lstm as tl
    >>> model = tl.tensor([0.0], requires_grad=True, name="w")
    >>> tl.fit(model, [1], loss=lambda w, batch: tl.log(w).sum(), optimizer=tl.SGD([model], lr=1.0))
    Traceback (most recent call last):
    tinygrad_lstm.training.fault.Fault: the loss is -inf: log made the first Inf, from input w (1,) in [0, 0]
    """


def of_loss(loss: Tensor) -> str:
    """Say which node made a loss that is NaN or Inf: the first on the way to it whose inputs were all finite.

    A −∞ elsewhere, such as that of a mask, is not on that way, unless it is what did it.
    """
    node, value = loss, loss.value
    while fault := faulty_input(node):
        node, value = fault
    kind = kind_of(value)
    said = f"the loss is {loss.item()}: "
    if node.primitive is None:
        return f"{said}{_called(node)}, which was given, holds the first {kind}"
    inputs = " and ".join(
        f"{_called(x)} {v.shape} in [{v.min():.4g}, {v.max():.4g}]"
        for x, v in zip(node.inputs, node.input_values, strict=True)
        if v.size
    )
    return f"{said}{node.primitive.name}{node.context.place} made the first {kind}, from {inputs}"


def of_gradients(loss: Tensor, parameters: Iterable[Tensor]) -> str:
    """Say whose rule made the first NaN or Inf of the backward pass from a loss that is finite itself."""
    gradients = [(p, p.grad.value) for p in parameters if p.grad is not None]
    bad = next((f"that of {_called(p)}" for p, g in gradients if not np.isfinite(g).all()), "their norm")
    said = f"the loss is {loss.item():.6g}, but its gradients hold a NaN or Inf, {bad}: "
    try:
        with detect_nan():
            for _ in backprop(loss):
                pass
    except FloatingPointError as error:
        return said + str(error)
    return f"{said}no rule made one, so it is what a clip of yours returned, or gradients that were there before"


def of_update(optimizer: Optimizer, before: Iterable[Array], step: int) -> str:
    """Say which parameter an update gave its first NaN or Inf; nothing, if all that were finite still are."""
    for parameter, old in zip(optimizer.parameters, before, strict=True):
        if not np.isfinite(parameter.value).all() and np.isfinite(old).all():
            kind = kind_of(parameter.value)
            name = clean(parameter.name) if parameter.name else f"a parameter {parameter.shape}"
            said = f"update {step:,} made the first {kind} in {name}, at a learning rate of {optimizer.lr:.4g}"
            g = parameter.grad
            return said if g is None else f"{said}, from a gradient in [{g.value.min():.4g}, {g.value.max():.4g}]"
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
