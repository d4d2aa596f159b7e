"""What every recurrent cell is, whatever its equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine.errors import ShapeError
from ..engine.scope import CONTEXT
from ..engine.source import pass_over
from ..engine.tensor import Tensor, tensor
from .gate import Gate
from .module import Module, Seed, positive

pass_over(__file__)


class Cell(Module):
    """What all cells share: sizes, a zero state, and clear words about a wrong shape.

    Weights are drawn uniformly from ±1/√H with ``rng``, a seed or a numpy Generator; biases start at zero unless the
    cell says otherwise. ``cell(x)`` without a state starts from zeros. Raises ShapeError for an x or a state of another
    shape.
    """

    state_names: tuple[str, ...] = ("h",)

    def __init__(self, input_size: int, hidden_size: int, rng: Seed, dtype: DTypeLike) -> None:
        positive(input_size=input_size, hidden_size=hidden_size)
        self.input_size = int(input_size)
        self.hidden_size = int(hidden_size)
        self.dtype = np.dtype(dtype)
        self._rng = np.random.default_rng(rng)

    def __call__(self, x: Tensor, state: Any = None) -> Any:
        x = x if isinstance(x, Tensor) else tensor(x)
        state = self.zero_state(x) if state is None else state
        self.check(x, state)
        new = super().__call__(x, state)
        for name, part in zip(self.state_names, self.parts(new), strict=True):
            if part.name is None and not part.is_leaf:
                part.name = name
        return new

    def zero_state(self, x: Tensor) -> Any:
        """Zeros in the state's shape for an input of shape (N, D) or (D)."""
        zeros = np.zeros((*x.shape[:-1], self.hidden_size), self.dtype)
        parts = tuple(tensor(zeros, name=f"{name}0") for name in self.state_names)
        return parts if len(parts) > 1 else parts[0]

    def parts(self, state: Any) -> tuple[Tensor, ...]:
        """The state as a tuple, also where it is a single tensor."""
        return (state,) if len(self.state_names) == 1 else tuple(state)

    def gate(self, size: int, activation: Callable[[Any], Any], symbol: str, bias: float = 0.0) -> Gate:
        return Gate(size, self.hidden_size, activation, symbol, self._rng, self.dtype, bias)

    def check(self, x: Tensor, state: Any) -> None:
        name, place = type(self).__name__, CONTEXT.get().place
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}{place}: x has shape {x.shape}; it must be (N, {self.input_size}) or ({self.input_size},)"
            )
        expected = (*x.shape[:-1], self.hidden_size)
        wanted = ", ".join(self.state_names)
        single = len(self.state_names) == 1 or not isinstance(state, tuple | list)
        parts = (state,) if single else state
        if len(parts) != len(self.state_names):
            raise ShapeError(f"{name}{place}: the state must be {wanted}; got {len(parts)} tensor(s)")
        for part_name, part in zip(self.state_names, parts, strict=True):
            if not isinstance(part, Tensor):
                raise TypeError(f"{name}{place}: {part_name} must be a Tensor, not {type(part).__name__}")
            if part.shape != expected:
                raise ShapeError(
                    f"{name}{place}: {part_name} has shape {part.shape}; for x of shape {x.shape} and hidden size "
                    f"{self.hidden_size} it must be {expected}"
                )
