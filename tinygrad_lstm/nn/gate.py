"""A gate: one layer box of a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine.tensor import Tensor, tensor
from .module import Module, uniform


class Gate(Module):
    """One layer box of a cell: ``activation(z @ weight + bias)``. z: (N, D_in) → (N, H), named by its symbol."""

    def __init__(
        self,
        size: int,
        hidden_size: int,
        activation: Callable[[Any], Any],
        symbol: str,
        rng: np.random.Generator,
        dtype: DTypeLike,
        bias: float = 0.0,
    ) -> None:
        self.activation = activation
        self.symbol = symbol
        self.weight = uniform(rng, 1 / np.sqrt(hidden_size), (size, hidden_size), dtype)
        self.bias = tensor(np.full(hidden_size, bias), requires_grad=True, dtype=dtype)

    def forward(self, z: Tensor) -> Tensor:
        result: Tensor = self.activation(z @ self.weight + self.bias)
        result.name = self.symbol
        return result
