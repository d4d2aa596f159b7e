"""The two layers that stand around a recurrent one: word vectors in, scores out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine.ops import take
from ..engine.scope import CONTEXT
from ..engine.tensor import Tensor, tensor
from .module import Module, Seed, arrow, described, positive, uniform


class Linear(Module):
    """``x @ weight + bias``. x: (..., D_in) → (..., D_out); weight (D_in, D_out), bias (D_out)."""

    def __init__(self, in_features: int, out_features: int, *, rng: Seed = None, dtype: DTypeLike = np.float64) -> None:
        positive(in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = int(in_features), int(out_features)
        rng = np.random.default_rng(rng)
        bound = 1 / np.sqrt(in_features)
        self.weight = uniform(rng, bound, (in_features, out_features), dtype)
        self.bias = uniform(rng, bound, (out_features,), dtype)

    def __repr__(self) -> str:
        return described(self, arrow(self, "in_features", "out_features"))

    if TYPE_CHECKING:

        def __call__(self, x: Tensor | ArrayLike) -> Tensor: ...

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class Embedding(Module):
    """A learned vector for each of V symbols. indices: integers (...) → (..., D); weight (V, D), standard normal."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, *, rng: Seed = None, dtype: DTypeLike = np.float64
    ) -> None:
        positive(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = int(num_embeddings), int(embedding_dim)
        rng = np.random.default_rng(rng)
        self.weight = tensor(rng.normal(size=(num_embeddings, embedding_dim)), requires_grad=True, dtype=dtype)

    def __repr__(self) -> str:
        return described(self, arrow(self, "num_embeddings", "embedding_dim"))

    if TYPE_CHECKING:

        def __call__(self, indices: ArrayLike) -> Tensor: ...

    def forward(self, indices: ArrayLike) -> Tensor:
        numbers = np.asarray(indices)
        symbols = self.weight.shape[0]
        if numbers.dtype.kind not in "ui" and numbers.size:
            raise TypeError(f"Embedding{CONTEXT.get().place}: symbols are numbered by integers, not by {numbers.dtype}")
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < symbols):
            raise IndexError(f"Embedding{CONTEXT.get().place}: symbols must lie in 0 … {symbols - 1}")
        rows: Tensor = take(self.weight, numbers)
        return rows
