"""Losses that compare the scores of classes with the number of the right one: how much it surprises, in nats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine.errors import ShapeError, real
from ..engine.ops import index_add, log_softmax, mean
from ..engine.ops import sum as sum_
from ..engine.source import skip_file
from ..engine.tensor import Tensor, tensor
from .arguments import as_tensor, whole_numbers
from .gate import same
from .losses import boxed, here, reduced, require_reduction

skip_file(__file__)

IGNORED = -100
"""The target of what is not asked about, as in PyTorch: such as a step past the end of a sequence."""


@boxed
def cross_entropy(
    logits: Tensor | ArrayLike,
    targets: Tensor | ArrayLike,
    weight: ArrayLike | None = None,
    *,
    ignore_index: int = IGNORED,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the mean of −log softmax(logits)[target]: how much the right classes surprise, in nats.

    Arguments:
        logits: scores of C classes, not probabilities: (N, C), or (C) without a batch, or (N, C, d₁, ...) with the
            classes second, as in PyTorch. Of (T, N, C), as a recurrent layer and a Linear make it, give
            ``logits.reshape(-1, C)`` and as many targets.
        targets: the number of the right class, whole numbers in 0 … C − 1: (N), () or (N, d₁, ...). Or, in the shape
            of the logits, the probability of each class.
        weight: for each class, what its losses are multiplied by; the mean over class numbers is then weighted too.
        ignore_index: the target of what shall not count, such as padding: it has no loss, and gets no gradient.
        reduction: "mean", "sum", or "none" for the loss of each target.
        label_smoothing: ε in [0, 1]: the right class is taken to have 1 − ε + ε/C of the probability, each other ε/C.

    Returns:
        A tensor with one number, of shape (), named L: log C if all scores are equal. Or one of the targets' shape.

    Raises:
        ShapeError: for targets and weights that do not fit the logits, and for logits without axes.
        TypeError: for targets that are not whole numbers.
        ValueError: for targets that are no class, another reduction, an ε out of its range, and the mean of nothing.

    Source: I. J. Good, "Rational Decisions" (1952), the logarithmic score; with softmax, J. S. Bridle, "Probabilistic
    Interpretation of Feedforward Classification Network Outputs" (1990); smoothed, C. Szegedy et al., "Rethinking the
    Inception Architecture for Computer Vision" (2016), section 7.

    >>> import tinygrad_lstm as tl
    >>> round(tl.cross_entropy(tl.tensor([[0, 0], [0, 0]]), [0, 1]).item(), 4)
    0.6931
    >>> tl.cross_entropy(tl.tensor([[0, 0], [0, 0]]), [0, -1], ignore_index=-1, reduction="none").numpy().round(4)
    array([0.6931, 0.    ])
    """
    real(label_smoothing=label_smoothing)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be in [0, 1], not {label_smoothing!r}")
    scores = as_tensor(logits)
    if scores.ndim and np.shape(targets) == scores.shape and not np.issubdtype(_type(targets), np.integer):
        return _expected(scores, as_tensor(targets), weight, reduction, float(label_smoothing))
    log = lambda rows: log_softmax(rows, axis=-1)
    return _surprise("cross_entropy", logits, targets, weight, ignore_index, reduction, log, float(label_smoothing))


@boxed
def nll_loss(
    log_probabilities: Tensor | ArrayLike,
    targets: Tensor | ArrayLike,
    weight: ArrayLike | None = None,
    *,
    ignore_index: int = IGNORED,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of −log_probabilities[target]: a cross entropy whose ``log_softmax`` was taken before.

    Arguments:
        log_probabilities: of C classes: (N, C), (C) or (N, C, d₁, ...), the classes second, as in PyTorch.
        targets: the number of the right class, whole numbers in 0 … C − 1: (N), () or (N, d₁, ...).
        weight: for each class, what its losses are multiplied by; the mean is then weighted too.
        ignore_index: the target of what shall not count, such as padding: it has no loss, and gets no gradient.
        reduction: "mean", "sum", or "none" for the loss of each target.

    Returns:
        A tensor with one number, of shape (), named L. Or one of the targets' shape.

    Raises:
        ShapeError: for targets and weights that do not fit, and for log-probabilities without axes.
        TypeError: for targets that are not whole numbers.
        ValueError: for targets that are no class, another reduction, and the mean of nothing.

    Source: I. J. Good, "Rational Decisions" (1952), the logarithmic score.

    >>> import tinygrad_lstm as tl
    >>> tl.nn.nll_loss(tl.tensor([[-1.0, -2.0], [-3.0, -4.0]]), [0, 1]).item()
    2.5
    """
    return _surprise("nll_loss", log_probabilities, targets, weight, ignore_index, reduction, same, 0.0)


def _surprise(
    name: str,
    scores: Tensor | ArrayLike,
    targets: Tensor | ArrayLike,
    weight: ArrayLike | None,
    ignore_index: int,
    reduction: str,
    log: Callable[[Tensor], Tensor],
    smoothing: float,
) -> Tensor:
    """Return the losses of what is not ignored, from the logarithms of its probabilities."""
    require_reduction(name, reduction)
    real(ignore_index=ignore_index)
    scores = as_tensor(scores)
    labels, kept = _labels(name, scores, targets, ignore_index)
    rows, known = _rows(scores, labels.size), labels.ravel()  # (labels, C)
    if len(kept) < len(known):
        rows, known = rows[kept], known[kept]
    log_probabilities = log(rows)
    losses: Tensor = -log_probabilities[np.arange(len(known)), known]
    weights = None if weight is None else _weights(name, weight, rows.shape[-1], rows.dtype)
    if weights is not None:
        losses = losses * weights.value[known]
    if smoothing:
        everywhere = mean(log_probabilities if weights is None else log_probabilities * weights, axis=-1)
        losses = losses * (1 - smoothing) - everywhere * smoothing
    if reduction == "none":
        if len(kept) < labels.size:
            losses = index_add(losses, index=kept, shape=(labels.size,))
        losses = losses.reshape(labels.shape)
    return reduced(name, losses, reduction, None if weights is None else float(weights.value[known].sum()))


def _expected(
    scores: Tensor, probabilities: Tensor, weight: ArrayLike | None, reduction: str, smoothing: float
) -> Tensor:
    """Return the losses where each class is right with a probability: the expected surprise."""
    require_reduction("cross_entropy", reduction)
    axis = min(1, scores.ndim - 1)
    classes = scores.shape[axis]
    wanted = probabilities * (1 - smoothing) + smoothing / classes
    if weight is not None:
        weights = _weights("cross_entropy", weight, classes, scores.dtype).value
        wanted = wanted * weights.reshape([-1 if i == axis else 1 for i in range(scores.ndim)])
    losses: Tensor = -sum_(log_softmax(scores, axis=axis) * wanted, axis=axis)
    return reduced("cross_entropy", losses, reduction)


def _type(targets: Any) -> Any:
    return targets.dtype if isinstance(targets, Tensor) else np.asarray(targets).dtype


def _labels(name: str, scores: Tensor, targets: Any, ignore_index: int) -> tuple[Any, Any]:
    """Return the numbers of the classes, and the places of those that count; refuse what are none."""
    if scores.ndim == 0:
        raise ShapeError(f"{here(name)}: the scores need an axis, that of the classes")
    labels = whole_numbers(targets, f"{here(name)}: targets must be class numbers")
    axis = min(1, scores.ndim - 1)
    classes = scores.shape[axis]
    expected = scores.shape[:axis] + scores.shape[axis + 1 :]
    if labels.shape != expected:
        last = labels.shape == scores.shape[:-1]
        C = scores.shape[-1]
        hint = f"; if the last axis is that of the classes, reshape the scores to (-1, {C}) and the targets to (-1,)"
        raise ShapeError(
            f"{here(name)}: scores of shape {scores.shape}, {classes} classes on axis {axis}, need targets of shape "
            f"{expected}, not {labels.shape}{hint if last else ''}"
        )
    ignored = labels == ignore_index
    if ((labels < 0) | (labels >= classes))[~ignored].any():
        raise ValueError(f"{here(name)}: targets must lie in 0 … {classes - 1}, the classes, or be ignore_index")
    return labels, np.flatnonzero(~ignored)


def _rows(scores: Tensor, count: int) -> Tensor:
    """Return the scores of each target as a row, (targets, C)."""
    if scores.ndim > 2:
        scores = scores.transpose(0, *range(2, scores.ndim), 1)
    return scores if scores.ndim == 2 else scores.reshape(count, scores.shape[-1])


def _weights(name: str, weight: ArrayLike, classes: int, dtype: DTypeLike) -> Tensor:
    weights = tensor(weight, dtype=dtype)
    if weights.shape != (classes,):
        raise ShapeError(f"{here(name)}: weight has shape {weights.shape}; it must be ({classes},), one a class")
    return weights
