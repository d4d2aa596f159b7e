"""Losses that compare numbers with numbers: how wrong the network is, on average, in sum, or of each number.

Each is a box of its own in pictures, and its result is named L.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from numpy.typing import ArrayLike

from ..engine.errors import ShapeError
from ..engine.ops import abs, mean, minimum, softplus, sum
from ..engine.scope import call_in, current
from ..engine.source import skip_file
from ..engine.tensor import Tensor, tensor
from .arguments import above_zero, as_tensor

skip_file(__file__)

P = ParamSpec("P")


def boxed(loss: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Make a loss compute in a scope of its name: one box, whatever it is composed of."""

    @wraps(loss)
    def inside(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        result: Tensor = call_in(current().inside(loss.__name__), loss, args, kwargs)
        return result

    return inside


@boxed
def mse_loss(prediction: Tensor | ArrayLike, target: Tensor | ArrayLike, *, reduction: str = "mean") -> Tensor:
    """Return the mean squared error, (1/n) Σ (prediction − target)²: what a regression minimises.

    Arguments:
        prediction: a tensor or an array of any shape.
        target: the same shape, in the same unit; the loss is in that unit squared.
        reduction: "mean", "sum", or "none" for the loss of each number.

    Returns:
        A tensor with one number, of shape (), named L; or one of the prediction's shape.

    Raises:
        ShapeError: for two shapes.
        ValueError: for another reduction, and the mean of nothing.

    Source: A.-M. Legendre, "Nouvelles méthodes pour la détermination des orbites des comètes" (1805), least squares.

    >>> import tinygrad_lstm as tl
    >>> tl.mse_loss(tl.tensor([1.0, 2.0]), [0.0, 4.0]).item()
    2.5
    """
    prediction, target = _pair("mse_loss", prediction, target)
    error = prediction - target
    return reduced("mse_loss", error * error, reduction)


@boxed
def l1_loss(prediction: Tensor | ArrayLike, target: Tensor | ArrayLike, *, reduction: str = "mean") -> Tensor:
    """Return the mean absolute error, (1/n) Σ |prediction − target|, which one far-off number moves little.

    Arguments:
        prediction: a tensor or an array of any shape.
        target: the same shape, in the same unit; the loss is in that unit.
        reduction: "mean", "sum", or "none" for the loss of each number.

    Returns:
        A tensor with one number, of shape (), named L; or one of the prediction's shape.

    Raises:
        ShapeError: for two shapes.
        ValueError: for another reduction, and the mean of nothing.

    Source: R. J. Boscovich (1757), least absolute deviations.

    >>> import tinygrad_lstm as tl
    >>> tl.nn.l1_loss(tl.tensor([1.0, 2.0]), [0.0, 4.0]).item()
    1.5
    """
    prediction, target = _pair("l1_loss", prediction, target)
    return reduced("l1_loss", abs(prediction - target), reduction)


@boxed
def huber_loss(
    prediction: Tensor | ArrayLike, target: Tensor | ArrayLike, *, reduction: str = "mean", delta: float = 1.0
) -> Tensor:
    """Return the mean of ½ e² where |e| ≤ δ, and δ (|e| − ½ δ) elsewhere, with e = prediction − target.

    Arguments:
        prediction: a tensor or an array of any shape.
        target: the same shape, in the same unit; the loss is in that unit squared.
        reduction: "mean", "sum", or "none" for the loss of each number.
        delta: δ > 0, in the unit of the target: how far off a number is squared.

    Returns:
        A tensor with one number, of shape (), named L; or one of the prediction's shape.

    Raises:
        ShapeError: for two shapes.
        ValueError: for another reduction, for the mean of nothing, and for a δ that is not positive and finite.

    Source: P. J. Huber, "Robust Estimation of a Location Parameter" (1964).

    >>> import tinygrad_lstm as tl
    >>> tl.nn.huber_loss(tl.tensor([1.0, 2.0]), [0.0, 4.0], reduction="none").tolist()
    [0.5, 1.5]
    """
    above_zero(delta=delta)
    prediction, target = _pair("huber_loss", prediction, target)
    return reduced("huber_loss", _huber(prediction - target, delta), reduction)


@boxed
def smooth_l1_loss(
    prediction: Tensor | ArrayLike, target: Tensor | ArrayLike, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """Return the mean of ½ e² / β where |e| < β, and |e| − ½ β elsewhere: a Huber loss divided by its δ.

    Arguments:
        prediction: a tensor or an array of any shape.
        target: the same shape, in the same unit; the loss is in that unit.
        reduction: "mean", "sum", or "none" for the loss of each number.
        beta: β > 0, in the unit of the target: how far off a number is squared.

    Returns:
        A tensor with one number, of shape (), named L; or one of the prediction's shape.

    Raises:
        ShapeError: for two shapes.
        ValueError: for another reduction, for the mean of nothing, and for a β that is not positive and finite.

    Source: R. Girshick, "Fast R-CNN" (2015), equation 3.

    >>> import tinygrad_lstm as tl
    >>> tl.nn.smooth_l1_loss(tl.tensor([1.0, 2.0]), [0.0, 4.0], reduction="none").tolist()
    [0.5, 1.5]
    """
    above_zero(beta=beta)
    prediction, target = _pair("smooth_l1_loss", prediction, target)
    return reduced("smooth_l1_loss", _huber(prediction - target, beta) / beta, reduction)


@boxed
def binary_cross_entropy_with_logits(
    logits: Tensor | ArrayLike,
    targets: Tensor | ArrayLike,
    weight: ArrayLike | None = None,
    *,
    reduction: str = "mean",
    pos_weight: ArrayLike | None = None,
) -> Tensor:
    """Return the mean of −t log σ(x) − (1 − t) log(1 − σ(x)), in nats, computed as log(1 + eˣ) − t x: no overflow.

    Arguments:
        logits: x, the log-odds of yes, of any shape.
        targets: t, the chance of yes, 0 <= t <= 1, in the same shape.
        weight: what the loss of each number is multiplied by, in a shape that broadcasts.
        reduction: "mean", "sum", or "none" for the loss of each number.
        pos_weight: what −t log σ(x) is multiplied by, such as how many times rarer yes is than no.

    Returns:
        A tensor with one number, of shape (), named L; or one of the logits' shape.

    Raises:
        ShapeError: for two shapes.
        ValueError: for another reduction, and the mean of nothing.

    Source: D. R. Cox, "The Regression Analysis of Binary Sequences" (1958), the likelihood of logistic regression.

    >>> import tinygrad_lstm as tl
    >>> round(tl.binary_cross_entropy_with_logits(tl.tensor([0.0, 1000.0]), [1, 1]).item(), 4)
    0.3466
    """
    name = "binary_cross_entropy_with_logits"
    logits, target = _pair(name, logits, targets)
    if pos_weight is None:
        losses = softplus(logits) - logits * target
    else:
        rarity = tensor(pos_weight, dtype=logits.dtype)
        losses = rarity * (target * softplus(-logits)) + (1 - target) * softplus(logits)
    return reduced(name, losses if weight is None else losses * tensor(weight, dtype=logits.dtype), reduction)


def here(name: str) -> str:
    """Return the name of a loss and where it was called, for messages."""
    context = current()
    outside = context.scope[:-1] if context.scope[-1:] == (name,) else context.scope
    return name + context._replace(scope=outside).place


REDUCTIONS = (mean.name, sum.name, "none")


def reduced(name: str, losses: Tensor, reduction: str, total: float | None = None) -> Tensor:
    """Return the losses themselves, their sum, or their mean: the sum over a total, which is how many unless told."""
    require_reduction(name, reduction)
    if reduction == "none":
        return losses
    if reduction == "mean" and not (losses.size if total is None else total):
        raise ValueError(f"{here(name)}: there is nothing to take the mean of")
    loss: Tensor = mean(losses) if reduction == "mean" and total is None else sum(losses)
    if reduction == "mean" and total is not None:
        loss = loss / total
    loss.name = "L"
    return loss


def require_reduction(name: str, reduction: Any) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f'{here(name)}: reduction must be "mean", "sum" or "none", not {reduction!r:.60}')


def _pair(name: str, prediction: Tensor | ArrayLike, target: Tensor | ArrayLike) -> tuple[Tensor, Tensor]:
    """Return both as tensors of one shape."""
    prediction = as_tensor(prediction)
    target = target if isinstance(target, Tensor) else tensor(target, name="target", dtype=prediction.dtype)
    if target.shape != prediction.shape:
        raise ShapeError(
            f"{here(name)}: the prediction has shape {prediction.shape} and the target {target.shape}; "
            "they must be equal"
        )
    return prediction, target


def _huber(error: Tensor, bound: float) -> Tensor:
    """Return ½ e² up to the bound and a line from there on, as m (|e| − ½ m) with m = min(|e|, bound)."""
    size = abs(error)
    squared = minimum(size, bound)
    losses: Tensor = squared * (size - squared / 2)
    return losses
