"""Layers that keep numbers in bounds while a network trains: dropout and layer normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine.errors import ShapeError
from ..engine.ops import mean, sqrt
from ..engine.scope import current
from ..engine.tensor import Tensor, tensor
from .arguments import as_input, as_tensor, positive, true_or_false, within
from .creation import Seed, generator
from .module import Module, described


class Dropout(Module):
    """Zero each number with chance p while the network trains, and scale the others by 1 / (1 − p) (inverted dropout).

    ``dropout(x)`` takes x of any shape and returns y of the same: y = x ⊙ m / (1 − p), where each entry of m is 0 with
    chance p and else 1. After ``eval()`` it returns x itself.

    Arguments:
        p: the chance to drop a number, 0 <= p < 1.
        rng: a seed or a numpy Generator; each call draws anew from it.

    Raises:
        ValueError: for a p out of its range.

    Source: N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever & R. Salakhutdinov, "Dropout: A Simple Way to Prevent
    Neural Networks from Overfitting" (2014).

    >>> import tinygrad_lstm as tl
    >>> dropout = tl.nn.Dropout(0.5, rng=0)
    >>> dropout(tl.tensor([1.0, 2.0, 3.0, 4.0])).tolist()
    [2.0, 0.0, 0.0, 0.0]
    >>> dropout.eval()(tl.tensor([1.0, 2.0, 3.0, 4.0])).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """

    def __init__(self, p: float = 0.5, *, rng: Seed = None) -> None:
        within(0, 1, p=p)
        self.p = float(p)
        self.rng = None if rng is None else generator(rng)

    def __repr__(self) -> str:
        return described(self, f"p={vars(self).get('p', '?')}")

    if TYPE_CHECKING:

        def __call__(self, x: Tensor | ArrayLike) -> Tensor: ...

    def forward(self, x: Tensor) -> Tensor:
        """Return x with some of its numbers dropped, or in evaluation x itself."""
        return dropout(x, self.p, self.training, rng=self.rng)


def dropout(x: Tensor | ArrayLike, p: float = 0.5, training: bool = True, *, rng: Seed = None) -> Tensor:
    """Return x with each number dropped with chance p and the others scaled by 1 / (1 − p), or x; see ``Dropout``."""
    within(0, 1, p=p)
    x = as_tensor(x)
    if not training or p == 0:
        return x
    kept = generator(rng).random(x.shape) >= p
    return x * tensor(kept / (1 - p), name="mask", dtype=x.dtype)


class LayerNorm(Module):
    """Shift and scale each example to mean 0 and variance 1, then by what is learned: y = w ⊙ (x − μ) / √(σ² + ε) + b.

    μ and σ² = mean((x − μ)²) are taken over the last axes, those of ``normalized_shape``; ``weight``, w, begins with
    ones and ``bias``, b, with zeros, both in that shape. ``norm(x)`` takes x of shape (..., *normalized_shape) and
    returns y in the same.

    Arguments:
        normalized_shape: the size of the last axis, or the sizes of several.
        eps: ε, 0 or more, which keeps the quotient finite.
        elementwise_affine: whether there are w and b.
        bias: whether there is b beside w.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and a negative ε.
        ShapeError: when called, for an x with other last axes.

    Source: J. L. Ba, J. R. Kiros & G. E. Hinton, "Layer Normalization" (2016), equations 3 and 4.

    >>> import tinygrad_lstm as tl
    >>> norm = tl.nn.LayerNorm(2)
    >>> norm
    LayerNorm(2)
    >>> norm(tl.tensor([[1.0, 3.0], [5.0, 5.0]])).numpy().round(4)
    array([[-1.,  1.],
           [ 0.,  0.]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        *,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: DTypeLike = np.float64,
    ) -> None:
        shape = tuple(normalized_shape) if isinstance(normalized_shape, list | tuple) else (normalized_shape,)
        for size in shape or (0,):
            positive(normalized_shape=size)
        within(0, np.inf, eps=eps)
        true_or_false(elementwise_affine=elementwise_affine, bias=bias)
        self.normalized_shape, self.eps = tuple(map(int, shape)), float(eps)
        self.weight: Tensor | None = None
        self.bias: Tensor | None = None
        if elementwise_affine:
            self.weight = tensor(np.ones(shape), requires_grad=True, dtype=dtype)
            self.bias = tensor(np.zeros(shape), requires_grad=True, dtype=dtype) if bias else None

    def __repr__(self) -> str:
        return described(self, ", ".join(map(str, vars(self).get("normalized_shape", "?"))))

    if TYPE_CHECKING:

        def __call__(self, x: Tensor | ArrayLike) -> Tensor: ...

    def forward(self, x: Tensor) -> Tensor:
        """Return x with mean 0 and variance 1 along its last axes, scaled and shifted."""
        x = as_tensor(x) if self.weight is None else as_input(x, self.weight.dtype)
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


def layer_norm(
    x: Tensor | ArrayLike,
    normalized_shape: int | Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return x with mean 0 and variance 1 along its last axes, times a weight, plus a bias; see ``LayerNorm``."""
    shape = tuple(normalized_shape) if isinstance(normalized_shape, list | tuple) else (normalized_shape,)
    x = as_tensor(x)
    if not shape or x.shape[-len(shape) :] != shape:
        wanted = ", ".join(["...", *map(str, shape)])
        raise ShapeError(f"layer_norm{current().place}: x has shape {x.shape}; it must be ({wanted})")
    axes = tuple(range(-len(shape), 0))
    centred = x - mean(x, axis=axes, keepdims=True)
    variance = mean(centred * centred, axis=axes, keepdims=True)
    y: Tensor = centred / sqrt(variance + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias
