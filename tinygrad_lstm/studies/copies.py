"""An RNN as what it is called: multiple copies of the same network, each with weights of its own."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from ..engine.scope import time_step
from ..engine.tensor import Tensor
from ..nn import Cell, Module, cross_entropy
from ..nn.cell import state_parts


class Chain(Module):
    """A chain of cells that read a sequence step by step, and a head that answers at its end.

    ``cells`` may be one cell T times, which is an RNN, or T cells; ``model(xs)`` takes xs of shape (T, N, D) and
    returns scores (N, C).

    Arguments:
        cells: T cells whose states fit each other.
        head: a module from (N, H) to (N, C).

    Source: C. Olah, "Understanding LSTM Networks" (2015): "A recurrent neural network can be thought of as multiple
    copies of the same network, each passing a message to a successor."

    >>> import numpy as np
    >>> import tinygrad_lstm as tl
    >>> cell, head = tl.RNNCell(3, 4, rng=0), tl.Linear(4, 2, rng=0)
    >>> tied, untied = Chain([cell] * 5, head), Chain(copies(cell, 5), head)
    >>> len(tied.parameters()), len(untied.parameters())
    (4, 12)
    """

    def __init__(self, cells: Sequence[Cell[Any]], head: Module) -> None:
        same = all(cell is cells[0] for cell in cells)
        if same:
            self.cell = cells[0]
        else:
            self.copies = list(cells)
        self.head = head
        self.times = len(cells)

    def forward(self, xs: Any) -> Tensor:
        state: Any = None
        chain = [self.cell] * self.times if hasattr(self, "cell") else self.copies
        for t, (cell, x) in enumerate(zip(chain, xs, strict=True)):
            with time_step(t):
                state = cell(x, state)
        scores: Tensor = self.head(state_parts(chain[-1], state)[0])
        return scores

    def loss(self, xs: Any, classes: Any) -> Tensor:
        """Return the cross entropy of the answers, in nats: xs (T, N, D), classes (N)."""
        loss = cross_entropy(self(xs), classes)
        loss.name = "L"
        return loss


def copies(cell: Cell[Any], times: int) -> list[Cell[Any]]:
    """Return so many copies of a cell: the same numbers in weights of their own.

    >>> import tinygrad_lstm as tl
    >>> first, second = copies(tl.RNNCell(2, 3, rng=0), 2)
    >>> first.layer.weight is second.layer.weight, (first.layer.weight.value == second.layer.weight.value).all()
    (False, np.True_)
    """
    return [deepcopy(cell) for _ in range(times)]
