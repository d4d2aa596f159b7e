"""A gate: one layer box of a cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine.tensor import Tensor, tensor
from .module import Module, Seed, arrow, described, generator, positive, real, uniform


class Gate(Module):
    """One layer box of a cell: a = activation(z W + b), for row vectors z.

    ``weight``, W, is (D_in, H), drawn uniformly from ±1/√H; ``bias``, b, is (H). ``gate(z)`` takes z of shape
    (N, D_in) or (D_in) and returns a of shape (N, H) or (H), which carries the gate's symbol as its name.

    Arguments:
        size: D_in, such as H + D where z is [h, x].
        activation: a function of a tensor, such as ``tl.sigmoid``.
        symbol: what pictures and formulas call the result, such as "f".
        bias: what every entry of b begins with.
        hidden_size: H.
        rng: a seed or a numpy Generator.
        dtype: float64 or float32.

    Source: F. A. Gers, J. Schmidhuber & F. Cummins, "Learning to Forget: Continual Prediction with LSTM"
    (2000).

    >>> import tinygrad_lstm as tl
    >>> gate = tl.nn.Gate(7, tl.sigmoid, "f", 1.0, hidden_size=4, rng=0)
    >>> gate, gate(tl.tensor([[0.0] * 7])).name
    (Gate(7 → 4), 'f')
    """

    def __init__(
        self,
        size: int,
        activation: Callable[[Any], Any],
        symbol: str,
        bias: float = 0.0,
        *,
        hidden_size: int,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        positive(size=size, hidden_size=hidden_size)
        real(bias=bias)
        self.input_size, self.hidden_size = size, hidden_size
        self.activation = activation
        self.symbol = symbol
        self.weight = uniform(generator(rng), 1 / np.sqrt(hidden_size), (size, hidden_size), dtype)
        self.bias = tensor(np.full(hidden_size, float(bias)), requires_grad=True, dtype=dtype)

    def __repr__(self) -> str:
        return described(self, arrow(self, "input_size", "hidden_size"))

    if TYPE_CHECKING:

        def __call__(self, z: Tensor) -> Tensor: ...

    def forward(self, z: Tensor) -> Tensor:
        """Return activation(z W + b), named by the gate's symbol."""
        result: Tensor = self.activation(z @ self.weight + self.bias)
        result.name = self.symbol
        return result


def gates_of(hidden_size: int, rng: Seed = None, dtype: DTypeLike = np.float64) -> Callable[..., Gate]:
    """Return ``gate(size, activation, symbol, bias)``: what makes the gates of one cell, all from one generator.

    Made one by one with the same seed, two gates would begin with the same weights.

    Arguments:
        hidden_size: H.
        rng: a seed or a numpy Generator, from which the gates draw in the order they are made.
        dtype: float64 or float32.

    Raises:
        ValueError: for an rng that is none; when called, for sizes that are not whole numbers above zero.

    Source: this project.

    >>> import tinygrad_lstm as tl
    >>> gate = tl.nn.gates_of(4, rng=0)
    >>> gate(7, tl.sigmoid, "f", 1.0), gate(7, tl.tanh, "g")
    (Gate(7 → 4), Gate(7 → 4))
    """
    return partial(Gate, hidden_size=hidden_size, rng=generator(rng), dtype=dtype)
