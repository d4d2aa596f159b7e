"""Attention: a mean of what a sequence says, weighted by how well each step answers a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine.errors import ShapeError
from ..engine.ops import softmax, sum, tanh, where
from ..engine.primitive import Array, unmasked
from ..engine.scope import current
from ..engine.tensor import Tensor, tensor
from .arguments import as_input, as_tensor, positive, true_or_false, uniform
from .creation import Seed, generator
from .module import Module, described


class _Attending(Module):
    """What every attention does with its scores."""

    if TYPE_CHECKING:

        def __call__(
            self,
            query: Tensor | ArrayLike,
            keys: Tensor | ArrayLike,
            mask: Tensor | ArrayLike | None = None,
            values: Tensor | ArrayLike | None = None,
        ) -> tuple[Tensor, Tensor]: ...

    def forward(self, query: Any, keys: Any, mask: Any = None, values: Any = None) -> tuple[Tensor, Tensor]:
        """Return the mean of the values, and the weights it was taken with."""
        here = f"{type(self).__name__}{current().place}"
        query, keys = self._given(query), self._given(keys)
        values = keys if values is None else self._given(values)
        self._require_fit(query, keys, values, here)
        kept = None if mask is None else tensor(_seen(mask, keys.shape[:-1], here), name="mask", dtype=keys.dtype)
        if kept is not None:  # not even a NaN that is masked is seen, or gets a gradient
            seen = where(kept[..., None], keys, 0)
            keys, values = seen, seen if values is keys else where(kept[..., None], values, 0)
        scores = self._scores(query, keys)  # (T, N)
        if kept is not None:
            scores = where(kept, scores, -np.inf)
        weights: Tensor = softmax(scores, axis=0)
        weights.name = "α"
        context: Tensor = sum(weights[..., None] * values, axis=0)  # (N, V)
        context.name = "context"
        return context, weights

    def _given(self, x: Any) -> Tensor:
        return as_tensor(x)

    def _scores(self, query: Tensor, keys: Tensor) -> Tensor:
        raise NotImplementedError

    def _sizes(self, query: Tensor) -> tuple[int, int]:
        """Return Q and K."""
        raise NotImplementedError

    def _require_fit(self, query: Tensor, keys: Tensor, values: Tensor, here: str) -> None:
        """Refuse a query, keys and values that are no query of a batch and no sequences of the same."""
        sizes = self._sizes(query)
        if query.ndim not in (1, 2) or query.shape[-1] != sizes[0]:
            raise ShapeError(f"{here}: the query has shape {query.shape}; it must be (N, {sizes[0]}) or ({sizes[0]},)")
        batch = query.shape[:-1]
        for name, given, size in (("keys", keys, sizes[1]), ("values", values, "V")):
            fits = given.ndim == query.ndim + 1 and given.shape[1:-1] == batch and len(given) == len(keys) > 0
            if not fits or size not in ("V", given.shape[-1]):
                T = "T" if name == "keys" else keys.shape[0]
                wanted = ", ".join(map(str, (T, *batch, size)))
                raise ShapeError(
                    f"{here}: the {name} have shape {given.shape}; for a query of shape {query.shape} they must be "
                    f"({wanted}), steps first"
                )


class Attention(_Attending):
    """Additive attention: a small network scores how well each key answers the query.

        e_j = v · tanh(s W + h_j U)      the score of step j, for the query s and the key h_j
        α = softmax(e)                   over the steps
        context = Σ_j α_j value_j

    ``attention(query, keys, mask, values)`` takes the query, s, of shape (N, Q), such as the state of a decoder; keys
    of shape (T, N, K), such as the outputs of an encoder; values of shape (T, N, V), the keys themselves if they are
    missing. It returns ``(context, weights)`` of shapes (N, V) and (T, N). Without a batch, N is missing from all.
    ``mask``, of shape (T, N), is True, or 1, where there is something to look at: elsewhere the weight is exactly 0,
    nothing is seen, be it NaN, and no gradient flows.

    ``query_weight``, W, is (Q, A), ``key_weight``, U, is (K, A), and ``score_weight``, v, is (A): drawn uniformly from
    ±1/√Q, ±1/√K and ±1/√A.

    Arguments:
        query_size: Q.
        key_size: K.
        attention_size: A; Q if it is missing.
        rng: a seed or a numpy Generator.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero; when called, for a mask that leaves nothing.
        ShapeError: when called, for shapes that do not fit.
        TypeError: when called, for a mask that is not made of True and False.

    Source: D. Bahdanau, K. Cho & Y. Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate"
    (2015), equations 5 and 6, and appendix A.1.2.

    >>> import tinygrad_lstm as tl
    >>> attention = tl.nn.Attention(2, 3, rng=0)
    >>> attention
    Attention(2 · 3)
    >>> context, weights = attention([[1, 0]], [[[1, 2, 3]], [[4, 5, 6]]], mask=[[True], [False]])
    >>> context.tolist(), weights.tolist()
    ([[1.0, 2.0, 3.0]], [[1.0], [0.0]])
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        attention_size: int | None = None,
        *,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        attention_size = query_size if attention_size is None else attention_size
        positive(query_size=query_size, key_size=key_size, attention_size=attention_size)
        self.query_size, self.key_size, self.attention_size = int(query_size), int(key_size), int(attention_size)
        rng = generator(rng)
        self.query_weight = uniform(rng, 1 / np.sqrt(query_size), (query_size, attention_size), dtype)
        self.key_weight = uniform(rng, 1 / np.sqrt(key_size), (key_size, attention_size), dtype)
        self.score_weight = uniform(rng, 1 / np.sqrt(attention_size), (attention_size,), dtype)

    def __repr__(self) -> str:
        return described(self, f"{vars(self).get('query_size', '?')} · {vars(self).get('key_size', '?')}")

    def _given(self, x: Any) -> Tensor:
        return as_input(x, self.score_weight.dtype)

    def _scores(self, query: Tensor, keys: Tensor) -> Tensor:
        return tanh(query @ self.query_weight + keys @ self.key_weight) @ self.score_weight

    def _sizes(self, query: Tensor) -> tuple[int, int]:
        return self.query_size, self.key_size


class DotAttention(_Attending):
    """Attention by the dot product: e_j = s · h_j, then α = softmax(e) and context = Σ_j α_j value_j.

    ``attention(query, keys, mask, values)`` takes and returns what ``Attention`` does, with K = Q. Nothing in it
    learns.

    Arguments:
        scaled: whether to divide each score by √Q, so that many numbers do not saturate the softmax.

    Raises:
        ShapeError: when called, for shapes that do not fit.
        TypeError: when called, for a mask that is not made of True and False.
        ValueError: when called, for a mask that leaves nothing to look at.

    Source: M.-T. Luong, H. Pham & C. D. Manning, "Effective Approaches to Attention-based Neural Machine Translation"
    (2015), equations 7 and 8; scaled, A. Vaswani et al., "Attention Is All You Need" (2017), equation 1.

    >>> import tinygrad_lstm as tl
    >>> context, weights = tl.nn.DotAttention()([1.0, 0.0], [[0.0, 5.0], [0.0, 7.0]])
    >>> context.tolist(), weights.tolist()
    ([0.0, 6.0], [0.5, 0.5])
    """

    def __init__(self, *, scaled: bool = False) -> None:
        true_or_false(scaled=scaled)
        self.scaled = scaled

    def _scores(self, query: Tensor, keys: Tensor) -> Tensor:
        scores: Tensor = sum(keys * query, axis=-1)
        return scores / np.sqrt(query.shape[-1]).item() if self.scaled else scores

    def _sizes(self, query: Tensor) -> tuple[int, int]:
        size = query.shape[-1] if query.ndim else 0
        return size, size


def _seen(mask: Any, shape: tuple[int, ...], here: str) -> Array:
    """Return a mask as an array; refuse what is none, and one that leaves nothing to look at."""
    kept = np.asarray(mask.value if isinstance(mask, Tensor) else unmasked(mask))
    if kept.shape != shape:
        raise ShapeError(f"{here}: the mask has shape {kept.shape}; it must be {shape}, one for each step of each key")
    if kept.dtype.kind not in "buif" or not ((kept == 0) | (kept == 1)).all():
        raise TypeError(f"{here}: a mask is True, or 1, where there is something to look at, else False, or 0")
    empty = np.flatnonzero(~kept.any(axis=0))
    if empty.size:
        which = f" in row {empty[0]} of the batch" if kept.ndim > 1 else ""
        raise ValueError(f"{here}: the mask leaves nothing to look at{which}; one step at least must be True")
    return kept
