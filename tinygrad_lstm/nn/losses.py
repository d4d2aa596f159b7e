"""Losses: one number that says how wrong the network is, averaged over everything it predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..engine.errors import ShapeError
from ..engine.ops import log_softmax, mean, softplus
from ..engine.primitive import unmasked
from ..engine.scope import current
from ..engine.source import skip_file
from ..engine.tensor import Tensor, tensor

skip_file(__file__)


def mse_loss(prediction: Tensor | ArrayLike, target: Tensor | ArrayLike) -> Tensor:
    """Return the mean squared error, (1/n) Σ (prediction − target)²: what a regression minimises.

    Arguments:
        prediction: a tensor or an array of any shape.
        target: the same shape, in the same unit; the loss is in that unit squared.

    Returns:
        A tensor with one number, of shape ().

    Raises:
        ShapeError: for two shapes.

    Source: A.-M. Legendre, "Nouvelles méthodes pour la détermination des orbites des comètes" (1805), least squares.

    >>> import tinygrad_lstm as tl
    >>> tl.mse_loss(tl.tensor([1.0, 2.0]), [0.0, 4.0]).item()
    2.5
    """
    prediction, target = _pair(prediction, target, "mse_loss")
    error = prediction - target
    loss: Tensor = mean(error * error)
    return loss


def cross_entropy(logits: Tensor | ArrayLike, targets: ArrayLike) -> Tensor:
    """Return the mean of −log softmax(logits)[target]: how much the right classes surprise, in nats.

    Arguments:
        logits: scores of C classes, (..., C); not probabilities.
        targets: the number of the right class, integers in 0 … C − 1, of shape (...).

    Returns:
        A tensor with one number, of shape (): log C if all scores are equal.

    Raises:
        ShapeError: for targets of another shape than the logits without their last axis, and for logits without axes.
        TypeError: for targets that are not integers.
        ValueError: for targets that are no class.

    Source: I. J. Good, "Rational Decisions" (1952), the logarithmic score; with softmax, J. S. Bridle, "Probabilistic
    Interpretation of Feedforward Classification Network Outputs" (1990).

    >>> import tinygrad_lstm as tl
    >>> round(tl.cross_entropy(tl.tensor([[0, 0], [0, 0]]), [0, 1]).item(), 4)
    0.6931
    """
    here = f"cross_entropy{current().place}"
    logits = _as_tensor(logits)
    if logits.ndim == 0:
        raise ShapeError(f"{here}: logits need a last axis, the scores of the classes")
    labels = np.asarray(unmasked(targets))
    classes = logits.shape[-1]
    if labels.dtype.kind not in "ui":
        raise TypeError(f"{here}: targets must be class numbers, integers, not {labels.dtype}")
    if labels.shape != logits.shape[:-1]:
        raise ShapeError(
            f"{here}: logits of shape {logits.shape} need targets of shape {logits.shape[:-1]}, not {labels.shape}"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(f"{here}: targets must lie in 0 … {classes - 1}, the classes of the logits")
    log_probabilities: Tensor = log_softmax(logits, axis=-1).reshape(labels.size, classes)  # (N, C)
    loss: Tensor = -mean(log_probabilities[np.arange(labels.size), labels.ravel()])
    return loss


def binary_cross_entropy_with_logits(logits: Tensor | ArrayLike, targets: Tensor | ArrayLike) -> Tensor:
    """Return the mean of −t log σ(x) − (1 − t) log(1 − σ(x)), in nats, computed as log(1 + eˣ) − t x: no overflow.

    Arguments:
        logits: x, the log-odds of yes, of any shape.
        targets: t, the chance of yes, 0 <= t <= 1, in the same shape.

    Returns:
        A tensor with one number, of shape ().

    Raises:
        ShapeError: for two shapes.

    Source: D. R. Cox, "The Regression Analysis of Binary Sequences" (1958), the likelihood of logistic regression.

    >>> import tinygrad_lstm as tl
    >>> round(tl.binary_cross_entropy_with_logits(tl.tensor([0.0, 1000.0]), [1, 1]).item(), 4)
    0.3466
    """
    logits, target = _pair(logits, targets, "binary_cross_entropy_with_logits")
    loss: Tensor = mean(softplus(logits) - logits * target)
    return loss


def _pair(prediction: Tensor | ArrayLike, target: Tensor | ArrayLike, name: str) -> tuple[Tensor, Tensor]:
    """Return both as tensors of one shape."""
    prediction = _as_tensor(prediction)
    target = target if isinstance(target, Tensor) else tensor(target, dtype=prediction.dtype)
    if target.shape != prediction.shape:
        raise ShapeError(
            f"{name}{current().place}: the prediction has shape {prediction.shape} and the target {target.shape}; "
            "they must be equal"
        )
    return prediction, target


def _as_tensor(prediction: Tensor | ArrayLike) -> Tensor:
    return prediction if isinstance(prediction, Tensor) else tensor(prediction)
