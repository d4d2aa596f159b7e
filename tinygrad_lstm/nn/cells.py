"""Recurrent cells: pure functions (x, state) → state, as Christopher Olah's "Understanding LSTM Networks" (2015) writes
them. x: (N, D) or (D); h and c: (N, H) or (H); each weight: (H + D, H), acting on the row vector [h, x]."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ..engine.ops import concat, relu, sigmoid, tanh
from ..engine.tensor import Tensor
from .cell import Cell
from .gate import gates_of
from .module import Seed


class RNNCell(Cell[Tensor]):
    """The plain recurrent cell: one layer, whose output is its memory (Elman 1990). With "tanh" or with "relu"."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        nonlinearity: str = "tanh",
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        gate = gates_of(hidden_size, rng, dtype)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        self.layer = gate(hidden_size + input_size, tanh if nonlinearity == "tanh" else relu, "h")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.layer(concat([h, x], axis=-1))


class LSTMCell(Cell[tuple[Tensor, Tensor]]):
    """Long short-term memory with a forget gate (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000).

    ``forget_bias`` is the forget gate's initial bias. The default of 1 keeps the gate mostly open at the start, so that
    gradients reach far back from the first step of training: proposed by Gers et al. (2000), and found by Jozefowicz,
    Zaremba & Sutskever (2015) to close the gap between the LSTM and its best variants.

    >>> import tinygrad_lstm as tl
    >>> cell = tl.LSTMCell(3, 4, rng=0)
    >>> h, c = cell(tl.tensor([[1, 2, 3]]))
    >>> h.shape, c.shape
    ((1, 4), (1, 4))
    """

    state_names = ("h", "c")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        gate = gates_of(hidden_size, rng, dtype)
        size = hidden_size + input_size
        self.forget_gate = gate(size, sigmoid, "f", forget_bias)
        self.input_gate = gate(size, sigmoid, "i")
        self.candidate = gate(size, tanh, "g")
        self.output_gate = gate(size, sigmoid, "o")

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        z = concat([h, x], axis=-1)  # (N, H + D)
        f = self.forget_gate(z)  # what to keep of the memory (reset)
        i = self.input_gate(z)  # where to write
        g = self.candidate(z)  # what to write
        o = self.output_gate(z)  # what to show of it (read)
        c = f * c + i * g
        h = o * tanh(c)
        return h, c


class GRUCell(Cell[Tensor]):
    """The gated recurrent unit (Cho et al. 2014), with the reset gate before the product, as on Olah's page.

    >>> import tinygrad_lstm as tl
    >>> tl.GRUCell(3, 4, rng=0)(tl.tensor([1, 2, 3])).shape
    (4,)
    """

    def __init__(self, input_size: int, hidden_size: int, *, rng: Seed = None, dtype: DTypeLike = np.float64) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        gate = gates_of(hidden_size, rng, dtype)
        size = hidden_size + input_size
        self.update_gate = gate(size, sigmoid, "z")
        self.reset_gate = gate(size, sigmoid, "r")
        self.candidate = gate(size, tanh, "g")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        hx = concat([h, x], axis=-1)  # (N, H + D)
        z = self.update_gate(hx)  # how much of the state to replace
        r = self.reset_gate(hx)  # what of it the candidate may see
        g = self.candidate(concat([r * h, x], axis=-1))
        return (1 - z) * h + z * g


class PeepholeLSTMCell(Cell[tuple[Tensor, Tensor]]):
    """An LSTM whose gates look at the cell state (Gers & Schmidhuber 2000). As Olah writes it, they read [c, h, x].

    Forget and input gate see the old cell state, the output gate the new one. Gers and Schmidhuber's own peepholes are
    the case where the c rows of the weights, here (2H + D, H), are diagonal.
    """

    state_names = ("h", "c")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        gate = gates_of(hidden_size, rng, dtype)
        size = 2 * hidden_size + input_size
        self.forget_gate = gate(size, sigmoid, "f", forget_bias)
        self.input_gate = gate(size, sigmoid, "i")
        self.candidate = gate(hidden_size + input_size, tanh, "g")
        self.output_gate = gate(size, sigmoid, "o")

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        hx = concat([h, x], axis=-1)  # (N, H + D)
        chx = concat([c, hx], axis=-1)  # (N, 2H + D)
        f = self.forget_gate(chx)
        i = self.input_gate(chx)
        g = self.candidate(hx)
        c = f * c + i * g
        o = self.output_gate(concat([c, hx], axis=-1))
        h = o * tanh(c)
        return h, c


class CoupledLSTMCell(Cell[tuple[Tensor, Tensor]]):
    """An LSTM that forgets exactly where it writes: forget = 1 − input (Greff et al. 2015).

    ``forget_bias`` b is given to the input gate as −b, since 1 − σ(a) = σ(−a).
    """

    state_names = ("h", "c")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        gate = gates_of(hidden_size, rng, dtype)
        size = hidden_size + input_size
        self.input_gate = gate(size, sigmoid, "i", -forget_bias)
        self.candidate = gate(size, tanh, "g")
        self.output_gate = gate(size, sigmoid, "o")

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        z = concat([h, x], axis=-1)  # (N, H + D)
        i = self.input_gate(z)
        g = self.candidate(z)
        o = self.output_gate(z)
        c = (1 - i) * c + i * g
        h = o * tanh(c)
        return h, c


CELLS: dict[str, type[RNNCell | LSTMCell | GRUCell | PeepholeLSTMCell | CoupledLSTMCell]] = {
    "rnn": RNNCell,
    "lstm": LSTMCell,
    "gru": GRUCell,
    "peephole": PeepholeLSTMCell,
    "coupled": CoupledLSTMCell,
}
"""The cells by the names that commands use."""
