"""The NaN or Inf that ends a training, in one line that names who made the first."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..engine.primitive import Array
from ..engine.tensor import Tensor
from ..nn import Optimizer
from ..structure.faults import kind_of, maker, rule_at_fault
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
    """Say which node made a loss that is NaN or Inf."""
    return f"the loss is {loss.item()}: {maker(loss)[1]}"


def of_gradients(loss: Tensor, parameters: Iterable[Tensor]) -> str:
    """Say whose rule made the first NaN or Inf of the backward pass from a loss that is finite itself."""
    gradients = [(p, p.grad.value) for p in parameters if p.grad is not None]
    bad = next((f"that of {_called(p)}" for p, g in gradients if not np.isfinite(g).all()), "their norm")
    said = f"the loss is {loss.item():.6g}, but its gradients hold a NaN or Inf, {bad}: "
    none = "no rule made one, so it is what a clip of yours returned, or gradients that were there before"
    return said + (rule_at_fault(loss) or none)


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


def _called(x: Tensor) -> str:
    return f"input {clean(x.name)}" if x.name else "an input"
