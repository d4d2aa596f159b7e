"""The model of the tour: reads tokens one by one and guesses the next, written as plain equations over a cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..engine.functions import concat
from ..engine.ops import log_softmax
from ..engine.scope import time_step
from ..engine.tensor import Tensor
from ..nn import Adam, Embedding, Linear, Module, clip_grad_norm, cross_entropy
from ..nn.cell import Cell, state_parts
from ..nn.samples import olahs


class NextToken(Module):
    """Embedding, recurrent cell, and a linear head that scores every token of the vocabulary."""

    def __init__(self, cell: str, vocabulary: int, *, size: int = 16, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.embedding = Embedding(vocabulary, size, rng=rng)
        self.cell: Cell = olahs(cell, size, size, rng)
        self.head = Linear(size, vocabulary, rng=rng)

    def forward(self, ids: NDArray[np.intp], words: Sequence[str] | None = None) -> list[Tensor]:
        """Return h after each step, (N, H) or (H). ids: (T, N) or (T); words name the inputs in pictures."""
        state = None
        hidden = []
        for t, tokens in enumerate(ids):
            with time_step(t):
                x = self.embedding(tokens)  # (N, D)
                x.name = words[t] if words else "x"
                state = self.cell(x, state)
            hidden.append(state_parts(self.cell, state)[0])
        return hidden

    def loss(self, ids: NDArray[np.intp]) -> Tensor:
        """Return how badly each next token of ids, (T + 1, N), is guessed on average, in nats."""
        return cross_entropy(self.head(concat(self(ids[:-1]))), ids[1:].ravel())

    def last_loss(self, ids: NDArray[np.intp], words: Sequence[str]) -> Tensor:
        """Return how badly the last of ids, (T + 1), is guessed after all before it: what the tour looks back from."""
        return cross_entropy(self.head(self(ids[:-1], words)[-1]), ids[-1])

    def last_guess(self, ids: NDArray[np.intp]) -> Tensor:
        """Return the log-probability of each token of the vocabulary after reading ids, (T)."""
        return log_softmax(self.head(self(ids)[-1]))


def train(model: NextToken, batches: Iterable[NDArray[np.intp]]) -> Iterator[float]:
    """Train by Adam on each batch of ids, (T + 1, N); yield its loss, in nats, before the update it leads to."""
    optimizer = Adam(model.parameters(), lr=0.02)
    for ids in batches:
        optimizer.zero_grad()
        loss = model.loss(ids)
        loss.backward()
        clip_grad_norm(model.parameters(), 5.0)
        optimizer.step()
        yield loss.item()
