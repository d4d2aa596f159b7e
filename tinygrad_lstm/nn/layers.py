"""The two layers that stand around a recurrent one: word vectors in, scores out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine.errors import ShapeError
from ..engine.functions import take
from ..engine.scope import current
from ..engine.tensor import Tensor, tensor
from .arguments import as_input, as_tensor, positive, true_or_false, uniform, whole_numbers
from .creation import Seed, generator
from .module import Module, arrow, described


class Linear(Module):
    """A linear layer: y = x W + b, for row vectors x.

    ``weight``, W, is (D_in, D_out) and ``bias``, b, is (D_out): both drawn uniformly from ±1/√D_in.
    ``layer(x)`` takes x of shape (..., D_in) and returns y of shape (..., D_out); 64 bits given to 32 are cast.

    Arguments:
        in_features: D_in.
        out_features: D_out.
        bias: whether there is b.
        rng: a seed or a numpy Generator.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        ShapeError: when called, for an x that does not fit.

    Source: the range of the weights is that of Y. LeCun, L. Bottou, G. B. Orr & K.-R. Müller, "Efficient BackProp"
    (1998), section 4.6, up to a constant.

    >>> import tinygrad_lstm as tl
    >>> layer = tl.Linear(3, 2, rng=0)
    >>> layer
    Linear(3 → 2)
    >>> layer(tl.tensor([[1, 2, 3]])).shape
    (1, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        positive(in_features=in_features, out_features=out_features)
        true_or_false(bias=bias)
        self.in_features, self.out_features = int(in_features), int(out_features)
        rng = generator(rng)
        bound = 1 / np.sqrt(in_features)
        self.weight = uniform(rng, bound, (in_features, out_features), dtype)
        self.bias = uniform(rng, bound, (out_features,), dtype) if bias else None

    def __repr__(self) -> str:
        return described(self, arrow(self, "in_features", "out_features"))

    if TYPE_CHECKING:

        def __call__(self, x: Tensor | ArrayLike) -> Tensor: ...

    def forward(self, x: Tensor) -> Tensor:
        """Return x W + b."""
        y = as_input(x, self.weight.dtype) @ self.weight
        return y if self.bias is None else y + self.bias


class Embedding(Module):
    """A learned vector for each of V symbols, such as words: row i of ``weight`` is that of symbol i.

    ``weight`` is (V, D), drawn from the standard normal distribution. ``embedding(indices)`` takes integers of any
    shape (...) and returns (..., D).

    Arguments:
        num_embeddings: V.
        embedding_dim: D.
        rng: a seed or a numpy Generator.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        TypeError: when called, for indices that are not integers.
        IndexError: when called, for indices outside of 0 … V − 1.

    Source: Y. Bengio, R. Ducharme, P. Vincent & C. Jauvin, "A Neural Probabilistic Language Model" (2003),
    the matrix C.

    >>> import tinygrad_lstm as tl
    >>> tl.Embedding(10, 4, rng=0)([[7, 0, 7]]).shape
    (1, 3, 4)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, *, rng: Seed = None, dtype: DTypeLike = np.float64
    ) -> None:
        positive(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = int(num_embeddings), int(embedding_dim)
        rng = generator(rng)
        self.weight = tensor(rng.normal(size=(num_embeddings, embedding_dim)), requires_grad=True, dtype=dtype)

    def __repr__(self) -> str:
        return described(self, arrow(self, "num_embeddings", "embedding_dim"))

    if TYPE_CHECKING:

        def __call__(self, indices: Tensor | ArrayLike) -> Tensor: ...

    def forward(self, indices: Tensor | ArrayLike) -> Tensor:
        """Return the vector of each symbol."""
        return embedding(indices, self.weight)


def embedding(indices: Tensor | ArrayLike, weight: Tensor | ArrayLike) -> Tensor:
    """Return row i of the weight for each index i; see ``Embedding``. indices: (...), weight: (V, D) → (..., D)."""
    here, weight = f"Embedding{current().place}", as_tensor(weight)
    if weight.ndim != 2:
        raise ShapeError(f"{here}: the weight has shape {weight.shape}; it must be (V, D), a row for each symbol")
    numbers = whole_numbers(indices, f"{here}: symbols must be numbers of rows")
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < weight.shape[0]):
        raise IndexError(f"{here}: symbols must lie in 0 … {weight.shape[0] - 1}")
    rows: Tensor = take(weight, numbers)
    return rows
