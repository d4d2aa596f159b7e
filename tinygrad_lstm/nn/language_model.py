"""A language model: reads symbols one by one, and scores at every step which comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine.errors import ShapeError
from ..engine.tensor import Tensor
from ..structure.words import clean
from .arguments import positive, whole_numbers
from .creation import Seed, generator, one_hot
from .layers import Embedding, Linear
from .module import Module, described
from .named import cell_of, names
from .recurrent import Recurrent


class LanguageModel(Module):
    """Symbols in, scores of the next symbol out: an embedding, recurrent layers, and a linear head.

    ``model(ids, state)`` takes numbers of symbols, (T, N) for T steps of N sequences, or (T), and returns
    ``(scores, state)``: scores of shape (T, N, V), whose softmax is the probability of each symbol to come next, and
    the state in which the layers stop, to be handed on where the text goes on. ``tl.cross_entropy`` of
    ``scores.reshape(-1, V)`` and the next symbols is its loss, in nats for each symbol.

    Its parts are ``embedding``, ``recurrent`` and ``head``.

    Arguments:
        vocabulary_size: V, how many symbols there are.
        hidden_size: H, the size of each layer.
        cell: the name of a cell of ours: "lstm", "rnn", "gru", ..., or one of the atlas: "mgu", "janet", ...
        num_layers: recurrent layers on one another.
        embedding_size: the size of the vector that is learned for each symbol; None for the symbol itself as a vector
            of V zeros with a one (one-hot), and no embedding.
        dropout: the chance to drop each number between one layer and the next while training, 0 <= p < 1.
        rng: a seed or a numpy Generator.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, a cell that there is not, and what
            ``tl.nn.Recurrent`` refuses.
        TypeError: when called, for symbols that are not whole numbers.
        IndexError: when called, for symbols outside of 0 … V − 1.
        ShapeError: when called, for symbols of another shape, and a state that does not fit.

    Source: T. Mikolov, M. Karafiát, L. Burget, J. Černocký & S. Khudanpur, "Recurrent neural network based language
    model" (2010); of characters, I. Sutskever, J. Martens & G. Hinton, "Generating Text with Recurrent Neural Networks"
    (2011).

    >>> import tinygrad_lstm as tl
    >>> model = tl.nn.LanguageModel(10, 4, rng=0, embedding_size=3)
    >>> model
    LanguageModel(10 symbols, 3 → 4, LSTMCell)
    >>> scores, (h, c) = model([[7, 0], [1, 9], [3, 3]])
    >>> scores.shape, h.shape
    ((3, 2, 10), (1, 2, 4))
    """

    def __init__(
        self,
        vocabulary_size: int,
        hidden_size: int,
        *,
        cell: str = "lstm",
        num_layers: int = 1,
        embedding_size: int | None = None,
        dropout: float = 0.0,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        positive(vocabulary_size=vocabulary_size, hidden_size=hidden_size, num_layers=num_layers)
        if not isinstance(cell, str) or cell not in names():
            raise ValueError(f"cell must be one of {', '.join(names())}, not {clean(repr(cell), 60)}")
        rng = generator(rng)
        self.vocabulary_size = int(vocabulary_size)
        size, self.embedding = vocabulary_size, None
        if embedding_size is not None:
            size, self.embedding = embedding_size, Embedding(vocabulary_size, embedding_size, rng=rng, dtype=dtype)
        sizes = [size, *[hidden_size] * (num_layers - 1)]
        cells: Any = [cell_of(cell)(size, hidden_size, rng=rng, dtype=dtype) for size in sizes]
        self.recurrent: Recurrent[Any] = Recurrent(*cells, dropout=dropout, rng=rng)
        self.head = Linear(hidden_size, vocabulary_size, rng=rng, dtype=dtype)

    def __repr__(self) -> str:
        if "head" not in vars(self):
            return described(self)
        layers, cells = self.recurrent.num_layers, self.recurrent.cells
        sizes = f"{self.recurrent.input_size} → {self.recurrent.hidden_size}"
        facts = [f"{self.vocabulary_size:,} symbols", sizes, type(cells[0]).__name__]
        return described(self, *facts, *([f"layers={layers}"] if layers > 1 else []))

    if TYPE_CHECKING:

        def __call__(self, ids: ArrayLike | Tensor, state: Any = None) -> tuple[Tensor, Any]: ...

    def forward(self, ids: ArrayLike | Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return the scores of the next symbol at every step, and the last state."""
        symbols = whole_numbers(ids, "LanguageModel: ids must be numbers of symbols")
        if symbols.ndim not in (1, 2):
            raise ShapeError(f"LanguageModel: ids have shape {symbols.shape}; they must be (T, N) or (T)")
        if symbols.size and not (symbols.min() >= 0 and symbols.max() < self.vocabulary_size):
            raise IndexError(f"LanguageModel: symbols must lie in 0 … {self.vocabulary_size - 1}")
        if self.embedding is not None:
            xs = self.embedding(symbols)  # (T, N, D)
        else:
            xs = one_hot(symbols, self.vocabulary_size, dtype=self.head.weight.dtype, name="xs")  # (T, N, V)
        output, state = self.recurrent(xs, state)
        return self.head(output), state  # (T, N, V)
