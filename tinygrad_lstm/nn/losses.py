"""Losses: one number that says how wrong the network is, averaged over everything it predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..engine.errors import ShapeError
from ..engine.ops import log_softmax, mean, softplus
from ..engine.scope import CONTEXT
from ..engine.source import pass_over
from ..engine.tensor import Tensor, tensor

pass_over(__file__)


def mse_loss(prediction: Tensor | ArrayLike, target: Tensor | ArrayLike) -> Tensor:
    """Mean squared error. Both of one shape, any."""
    prediction, target = _pair(prediction, target, "mse_loss")
    error = prediction - target
    loss: Tensor = mean(error * error)
    return loss


def cross_entropy(logits: Tensor | ArrayLike, targets: ArrayLike) -> Tensor:
    """Mean of −log softmax(logits)[target]. logits: (..., C), scores of C classes; targets: integers (...).

    >>> import tinygrad_lstm as tl
    >>> round(tl.cross_entropy(tl.tensor([[0, 0], [0, 0]]), [0, 1]).item(), 4)
    0.6931
    """
    logits = _as_tensor(logits)
    if logits.ndim == 0:
        raise ShapeError(f"cross_entropy{CONTEXT.get().place}: logits need a last axis, the scores of the classes")
    labels = np.asarray(targets)
    classes = logits.shape[-1]
    if labels.dtype.kind not in "ui":
        raise TypeError(
            f"cross_entropy{CONTEXT.get().place}: targets must be class numbers, integers, not {labels.dtype}"
        )
    if labels.shape != logits.shape[:-1]:
        raise ShapeError(
            f"cross_entropy{CONTEXT.get().place}: logits of shape {logits.shape} need targets of shape "
            f"{logits.shape[:-1]}, not {labels.shape}"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(
            f"cross_entropy{CONTEXT.get().place}: targets must lie in 0 … {classes - 1}, the classes of the logits"
        )
    log_probabilities: Tensor = log_softmax(logits, axis=-1).reshape(labels.size, classes)  # (N, C)
    loss: Tensor = -mean(log_probabilities[np.arange(labels.size), labels.ravel()])
    return loss


def binary_cross_entropy_with_logits(logits: Tensor | ArrayLike, targets: Tensor | ArrayLike) -> Tensor:
    """Mean of −t log σ(x) − (1 − t) log(1 − σ(x)), computed without overflow. Both of one shape; 0 <= t <= 1."""
    logits, target = _pair(logits, targets, "binary_cross_entropy_with_logits")
    loss: Tensor = mean(softplus(logits) - logits * target)
    return loss


def _pair(prediction: Tensor | ArrayLike, target: Tensor | ArrayLike, name: str) -> tuple[Tensor, Tensor]:
    prediction = _as_tensor(prediction)
    target = target if isinstance(target, Tensor) else tensor(target, dtype=prediction.dtype)
    if target.shape != prediction.shape:
        raise ShapeError(
            f"{name}{CONTEXT.get().place}: the prediction has shape {prediction.shape} and the target {target.shape}; "
            "they must be equal"
        )
    return prediction, target


def _as_tensor(prediction: Tensor | ArrayLike) -> Tensor:
    return prediction if isinstance(prediction, Tensor) else tensor(prediction)
