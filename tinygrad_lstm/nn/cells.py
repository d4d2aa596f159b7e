"""Recurrent cells: pure functions (x, state) → state, as Christopher Olah's "Understanding LSTM Networks" (2015) writes
them. x: (N, D) or (D); h and c: (N, H) or (H); each weight: (H + D, H), acting on the row vector [h, x]."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ..engine.functions import concat
from ..engine.ops import relu, sigmoid, tanh
from ..engine.tensor import Tensor
from .cell import Cell
from .gate import gates_of
from .module import Seed, real


class RNNCell(Cell[Tensor]):
    """The plain recurrent cell: one layer, whose output is its memory.

        h′ = tanh([h, x] W + b)

    ``cell(x, h)`` takes x of shape (N, D) or (D) and h of shape (N, H) or (H), zeros if it is missing, and returns h′.

    Arguments:
        input_size: D.
        hidden_size: H.
        nonlinearity: "tanh", or "relu" for h′ = max(0, [h, x] W + b).
        rng: a seed or a numpy Generator; weights are drawn uniformly from ±1/√H, biases begin at zero.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and for another nonlinearity.
        ShapeError: when called, for an x or h of another shape.

    Source: J. L. Elman, "Finding Structure in Time" (1990).

    >>> import tinygrad_lstm as tl
    >>> tl.RNNCell(3, 4, rng=0)(tl.tensor([[1, 2, 3]])).shape
    (1, 4)
    """

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
        known = {activation.name: activation for activation in (tanh, relu)}
        if not isinstance(nonlinearity, str) or nonlinearity not in known:
            raise ValueError(f"nonlinearity must be {' or '.join(map(repr, known))}, not {nonlinearity!r}")
        self.layer = gate(hidden_size + input_size, known[nonlinearity], "h")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.layer(concat([h, x], axis=-1))


class LSTMCell(Cell[tuple[Tensor, Tensor]]):
    """Long short-term memory with a forget gate: a memory c that is only scaled and added to.

        f = σ([h, x] W_f + b_f)         forget gate: what to keep of the memory
        i = σ([h, x] W_i + b_i)         input gate: where to write
        g = tanh([h, x] W_g + b_g)      candidate: what to write
        o = σ([h, x] W_o + b_o)         output gate: what to show of it
        c′ = f ⊙ c + i ⊙ g
        h′ = o ⊙ tanh(c′)

    ``cell(x, (h, c))`` takes x of shape (N, D) or (D) and h and c of shape (N, H) or (H), zeros if they are missing;
    it returns (h′, c′).

    Arguments:
        input_size: D.
        hidden_size: H.
        forget_bias: what b_f begins with. The default of 1 keeps the gate mostly open at the start, so that gradients
            reach far back from the first step of training: proposed by Gers et al. (2000), and found by R. Jozefowicz,
            W. Zaremba & I. Sutskever (2015) to close the gap between the LSTM and its best variants.
        rng: a seed or a numpy Generator; weights are drawn uniformly from ±1/√H, the other biases begin at zero.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        ShapeError: when called, for an x or a state of another shape.

    Source: S. Hochreiter & J. Schmidhuber, "Long Short-Term Memory" (1997); the forget gate, F. A. Gers, J. Schmidhuber
    & F. Cummins, "Learning to Forget: Continual Prediction with LSTM" (2000); in the notation of Olah's page.

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
        f = self.forget_gate(z)  # how much of the memory to keep; 0 resets it
        i = self.input_gate(z)  # where to write
        g = self.candidate(z)  # what to write
        o = self.output_gate(z)  # what to show of it (read)
        c = f * c + i * g
        h = o * tanh(c)
        return h, c


class GRUCell(Cell[Tensor]):
    """The gated recurrent unit, whose one state is memory and output: it forgets what it replaces.

        z = σ([h, x] W_z + b_z)             update gate: how much of the state to replace
        r = σ([h, x] W_r + b_r)             reset gate: what of it the candidate may see
        g = tanh([r ⊙ h, x] W_g + b_g)      candidate; the reset gate acts before the product
        h′ = (1 − z) ⊙ h + z ⊙ g

    ``cell(x, h)`` takes x of shape (N, D) or (D) and h of shape (N, H) or (H), zeros if it is missing, and returns h′.

    Arguments:
        input_size: D.
        hidden_size: H.
        rng: a seed or a numpy Generator; weights are drawn uniformly from ±1/√H, biases begin at zero.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        ShapeError: when called, for an x or h of another shape.

    Source: K. Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine
    Translation" (2014), equations 5 to 8, with z and 1 − z exchanged, as on Olah's page.

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
    """An LSTM whose gates look at the cell state: as Olah writes it, they read [c, h, x].

        f = σ([c, h, x] W_f + b_f)      forget gate
        i = σ([c, h, x] W_i + b_i)      input gate
        g = tanh([h, x] W_g + b_g)      candidate
        c′ = f ⊙ c + i ⊙ g
        o = σ([c′, h, x] W_o + b_o)     output gate: it sees the new cell state
        h′ = o ⊙ tanh(c′)

    Gers and Schmidhuber's own peepholes are the case where the c rows of the weights, here (2H + D, H), are diagonal.

    ``cell(x, (h, c))`` takes x of shape (N, D) or (D) and h and c of shape (N, H) or (H), zeros if they are missing;
    it returns (h′, c′).

    Arguments:
        input_size: D.
        hidden_size: H.
        forget_bias: what b_f begins with.
        rng: a seed or a numpy Generator; weights are drawn uniformly from ±1/√H, the other biases begin at zero.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        ShapeError: when called, for an x or a state of another shape.

    Source: F. A. Gers & J. Schmidhuber, "Recurrent Nets that Time and Count" (2000).

    >>> import tinygrad_lstm as tl
    >>> cell = tl.PeepholeLSTMCell(3, 4, rng=0)
    >>> cell.forget_gate, cell.candidate
    (Gate(11 → 4), Gate(7 → 4))
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
    """An LSTM that forgets exactly where it writes: f = 1 − i.

        i = σ([h, x] W_i + b_i)         input gate
        g = tanh([h, x] W_g + b_g)      candidate
        o = σ([h, x] W_o + b_o)         output gate
        c′ = (1 − i) ⊙ c + i ⊙ g
        h′ = o ⊙ tanh(c′)

    ``cell(x, (h, c))`` takes x of shape (N, D) or (D) and h and c of shape (N, H) or (H), zeros if they are missing;
    it returns (h′, c′).

    Arguments:
        input_size: D.
        hidden_size: H.
        forget_bias: b, which b_i begins with as −b, since 1 − σ(−b) = σ(b).
        rng: a seed or a numpy Generator; weights are drawn uniformly from ±1/√H, the other biases begin at zero.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        ShapeError: when called, for an x or a state of another shape.

    Source: K. Greff et al., "LSTM: A Search Space Odyssey" (2015), the variant CIFG.

    >>> import tinygrad_lstm as tl
    >>> tl.CoupledLSTMCell(3, 4, rng=0).input_gate.bias.tolist()
    [-1.0, -1.0, -1.0, -1.0]
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
        real(forget_bias=forget_bias)
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
