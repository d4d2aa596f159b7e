"""Unrolling: the same cell applied step after step, each in its time step's scope."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine.errors import ShapeError
from ..engine.ops import stack
from ..engine.scope import CONTEXT, time_step
from ..engine.tensor import Tensor, tensor
from .cells import Cell, GRUCell, LSTMCell, RNNCell
from .module import Module, Seed


class Recurrent(Module):
    """Any cell, unrolled over a sequence.

    ``layer(xs, state)`` takes xs of shape (T, N, D), or (T, D) without a batch, and returns ``(output, state)`` as
    PyTorch does: output (T, N, H) holds h of every step, state the last one, with a leading axis for the layers: h_n,
    or (h_n, c_n), of shape (1, N, H), or (1, H) without a batch. The same shape is expected of an initial state;
    without one, it is zeros.

    >>> import tinygrad_lstm as tl
    >>> output, (h_n, c_n) = tl.LSTM(3, 4, rng=0)(tl.tensor([[[1, 2, 3]], [[4, 5, 6]]]))
    >>> output.shape, h_n.shape, c_n.shape
    ((2, 1, 4), (1, 1, 4), (1, 1, 4))
    """

    def __init__(self, cell: Cell) -> None:
        if not isinstance(cell, Cell):
            raise TypeError(f"Recurrent unrolls a tl.nn.Cell, which knows its sizes and its zero state, not {cell!r}")
        self.cell = cell

    def forward(self, xs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        xs = xs if isinstance(xs, Tensor) else tensor(xs)
        self._check(xs)
        cell = self.cell
        now = cell.zero_state(xs[0]) if state is None else self._initial(state, xs)
        outputs = []
        for t in range(len(xs)):
            with time_step(t):
                now = cell(xs[t], now)  # h, or (h, c): (N, H)
            outputs.append(cell.parts(now)[0])
        last = tuple(part.reshape(1, *part.shape) for part in cell.parts(now))
        return stack(outputs), last if len(last) > 1 else last[0]

    def _initial(self, state: Any, xs: Tensor) -> Any:
        names = self.cell.state_names
        parts = tuple(state) if isinstance(state, tuple | list) else (state,)
        expected = (1, *xs.shape[1:-1], self.cell.hidden_size)
        tensors = all(isinstance(part, Tensor) for part in parts)
        if not tensors or len(parts) != len(names) or any(part.shape != expected for part in parts):
            got = ", ".join(str(part.shape) if isinstance(part, Tensor) else type(part).__name__ for part in parts)
            raise (ShapeError if tensors else TypeError)(
                f"{self._here()}: the initial state must be {', '.join(names)}, each a Tensor of shape {expected} "
                f"(one layer); got {got}"
            )
        first = tuple(part[0] for part in parts)
        return first if len(first) > 1 else first[0]

    def _here(self) -> str:
        return f"{type(self).__name__}{CONTEXT.get().place}"

    def _check(self, xs: Tensor) -> None:
        size = self.cell.input_size
        if xs.ndim not in (2, 3) or xs.shape[-1] != size or not len(xs):
            raise ShapeError(
                f"{self._here()}: xs has shape {xs.shape}; it must be (T, N, {size}) or (T, {size}) with T >= 1"
            )


class RNN(Recurrent):
    """A plain recurrent layer; the arguments are those of ``RNNCell``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        nonlinearity: str = "tanh",
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(RNNCell(input_size, hidden_size, nonlinearity=nonlinearity, rng=rng, dtype=dtype))


class LSTM(Recurrent):
    """An LSTM layer; the arguments are those of ``LSTMCell``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(LSTMCell(input_size, hidden_size, forget_bias=forget_bias, rng=rng, dtype=dtype))


class GRU(Recurrent):
    """A GRU layer; the arguments are those of ``GRUCell``."""

    def __init__(self, input_size: int, hidden_size: int, *, rng: Seed = None, dtype: DTypeLike = np.float64) -> None:
        super().__init__(GRUCell(input_size, hidden_size, rng=rng, dtype=dtype))
