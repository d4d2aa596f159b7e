"""The two layers that stand around a recurrent one: word vectors in, scores out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine.errors import ShapeError
from ..engine.functions import take
from ..engine.ops import where
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


class TiedLinear(Module):
    """A linear layer whose weight is that of an embedding: y = x Wᵀ + b, the score of each symbol by its own vector.

    ``weight``, W, is (V, D), the embedding's own, which learns from both; ``bias``, b, is (V), zeros to begin with.
    ``layer(x)`` takes x of shape (..., D) and returns y of shape (..., V).

    Arguments:
        embedding: whose weight it is.
        bias: whether there is b.

    Raises:
        TypeError: for what is no embedding, and a bias that is neither True nor False.
        ShapeError: when called, for an x that does not fit.

    Source: O. Press & L. Wolf, "Using the Output Embedding to Improve Language Models" (2017).

    >>> import tinygrad_lstm as tl
    >>> words = tl.Embedding(10, 4, rng=0)
    >>> scores = tl.nn.TiedLinear(words)
    >>> scores, scores(words([7])).shape, scores.weight is words.weight
    (TiedLinear(4 → 10), (1, 10), True)
    """

    def __init__(self, embedding: Embedding, bias: bool = True) -> None:
        if not isinstance(embedding, Embedding):
            raise TypeError(f"TiedLinear takes the weight of a tl.Embedding, not of {embedding!r:.60}")
        true_or_false(bias=bias)
        self.in_features, self.out_features = embedding.embedding_dim, embedding.num_embeddings
        self.weight = embedding.weight
        zeros = np.zeros(self.out_features)
        self.bias = tensor(zeros, requires_grad=True, dtype=self.weight.dtype) if bias else None

    __repr__ = Linear.__repr__

    if TYPE_CHECKING:

        def __call__(self, x: Tensor | ArrayLike) -> Tensor: ...

    def forward(self, x: Tensor) -> Tensor:
        """Return x Wᵀ + b."""
        y = as_input(x, self.weight.dtype) @ self.weight.T
        return y if self.bias is None else y + self.bias


class Embedding(Module):
    """A learned vector for each of V symbols, such as words: row i of ``weight`` is that of symbol i.

    ``weight`` is (V, D), drawn from the standard normal distribution. ``embedding(indices)`` takes integers of any
    shape (...) and returns (..., D).

    Arguments:
        num_embeddings: V.
        embedding_dim: D.
        padding_idx: the symbol that fills up sequences: its vector is made of zeros, and gets no gradient.
        rng: a seed or a numpy Generator.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and a padding_idx that is no row.
        TypeError: when called, for indices that are not integers.
        IndexError: when called, for indices outside of 0 … V − 1.

    Source: Y. Bengio, R. Ducharme, P. Vincent & C. Jauvin, "A Neural Probabilistic Language Model" (2003),
    the matrix C.

    >>> import tinygrad_lstm as tl
    >>> tl.Embedding(10, 4, rng=0)([[7, 0, 7]]).shape
    (1, 3, 4)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        positive(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = int(num_embeddings), int(embedding_dim)
        self.padding_idx = None if padding_idx is None else _row("Embedding", padding_idx, self.num_embeddings)
        vectors = generator(rng).normal(size=(num_embeddings, embedding_dim))
        if self.padding_idx is not None:
            vectors[self.padding_idx] = 0
        self.weight = tensor(vectors, requires_grad=True, dtype=dtype)

    def __repr__(self) -> str:
        return described(self, arrow(self, "num_embeddings", "embedding_dim"))

    if TYPE_CHECKING:

        def __call__(self, indices: Tensor | ArrayLike) -> Tensor: ...

    def forward(self, indices: Tensor | ArrayLike) -> Tensor:
        """Return the vector of each symbol."""
        return embedding(indices, self.weight, self.padding_idx)


def _row(here: str, padding_idx: Any, count: int) -> int:
    """Return the number of a row, counted from the end if it is negative, as in PyTorch."""
    if isinstance(padding_idx, bool) or not isinstance(padding_idx, int | np.integer):
        raise TypeError(f"{here}: padding_idx must be the number of a symbol, not {padding_idx!r:.60}")
    if not -count <= padding_idx < count:
        raise ValueError(f"{here}: padding_idx must lie in 0 … {count - 1}, not {padding_idx}")
    return int(padding_idx) % count


def embedding(indices: Tensor | ArrayLike, weight: Tensor | ArrayLike, padding_idx: int | None = None) -> Tensor:
    """Return row i of the weight for each index i; see ``Embedding``. indices: (...), weight: (V, D) → (..., D).

    Row ``padding_idx`` gets no gradient.
    """
    here, weight = f"Embedding{current().place}", as_tensor(weight)
    if weight.ndim != 2:
        raise ShapeError(f"{here}: the weight has shape {weight.shape}; it must be (V, D), a row for each symbol")
    numbers = whole_numbers(indices, f"{here}: symbols must be numbers of rows")
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < weight.shape[0]):
        raise IndexError(f"{here}: symbols must lie in 0 … {weight.shape[0] - 1}")
    rows: Tensor = take(weight, numbers)
    if padding_idx is not None:
        padding = numbers == _row(here, padding_idx, weight.shape[0])
        rows = where(padding[..., np.newaxis], rows.detach(), rows) if padding.any() else rows
    return rows
