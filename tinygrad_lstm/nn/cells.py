"""Recurrent cells: pure functions (x, state) → state, as Christopher Olah's "Understanding LSTM Networks" (2015) writes
them. x: (N, D) or (D); h and c: (N, H) or (H); each weight: (H + D, H), acting on the row vector [h, x]."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ..engine.functions import concat
from ..engine.ops import relu, sigmoid, tanh
from ..engine.tensor import Tensor
from .arguments import true_or_false
from .cell import Cell
from .creation import Seed
from .gate import Activation, functions, gates_of, same
from .lstm_cells import CoupledLSTMCell, LSTMCell, PeepholeLSTMCell


class RNNCell(Cell[Tensor]):
    """The plain recurrent cell: one layer, whose output is its memory.

        h′ = tanh([h, x] W + b)

    ``cell(x, h)`` takes x of shape (N, D) or (D) and h of shape (N, H) or (H), zeros if it is missing, and returns h′.

    Arguments:
        input_size: D.
        hidden_size: H.
        bias: whether there is b.
        nonlinearity: "tanh", "relu" for h′ = max(0, [h, x] W + b), or another function of a tensor.
        layer_norm: whether [h, x] W is normalised; see ``tl.nn.Gate``.
        clip: a bound for what tanh is given, ±clip; None for none.
        rng: a seed or a numpy Generator; weights are drawn uniformly from ±1/√H, biases begin at zero.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, for another nonlinearity, and for a clip that is
            not above zero and finite.
        TypeError: for a bias or layer_norm that is neither True nor False.
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
        bias: bool = True,
        nonlinearity: str | Activation = "tanh",
        layer_norm: bool = False,
        clip: float | None = None,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        gate = gates_of(hidden_size, rng, dtype, bias=bias, layer_norm=layer_norm, clip=clip)
        known = {activation.name: activation for activation in (tanh, relu)}
        if not callable(nonlinearity) and not (isinstance(nonlinearity, str) and nonlinearity in known):
            names = " or ".join(map(repr, known))
            raise ValueError(f"nonlinearity must be {names}, or a function of a tensor, not {nonlinearity!r:.60}")
        activation = known[nonlinearity] if isinstance(nonlinearity, str) else nonlinearity
        self.layer = gate(hidden_size + input_size, activation, "h")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.layer(concat([h, x], axis=-1))


class GRUCell(Cell[Tensor]):
    """The gated recurrent unit, whose one state is memory and output: it forgets what it replaces.

        z = σ([h, x] W_z + b_z)                     update gate: how much of the state to keep
        r = σ([h, x] W_r + b_r)                     reset gate: what of it the candidate may see
        g = tanh(x W_g + b_g + r ⊙ (h U + b_u))     candidate; the reset gate acts after the product
        h′ = (1 − z) ⊙ g + z ⊙ h

    as PyTorch, Keras and cuDNN compute it. With ``reset_after=False`` it is that of Olah's page, whose reset gate acts
    before the product, and whose update gate says how much to replace:

        g = tanh([r ⊙ h, x] W_g + b_g)
        h′ = (1 − z) ⊙ h + z ⊙ g

    ``cell(x, h)`` takes x of shape (N, D) or (D) and h of shape (N, H) or (H), zeros if it is missing, and returns h′.

    Arguments:
        input_size: D.
        hidden_size: H.
        bias: whether there are biases.
        reset_after: which of the two it is.
        layer_norm: whether the products with weights are normalised, in each gate by itself; see ``tl.nn.Gate``.
        clip: a bound for what σ and tanh are given, ±clip; None for none.
        activations: what stands for σ and tanh: two functions of a tensor.
        rng: a seed or a numpy Generator; weights are drawn uniformly from ±1/√H, biases begin at zero.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and for a clip that is not above zero and finite.
        TypeError: for a bias, reset_after or layer_norm that is neither True nor False, and for activations that are
            not two functions.
        ShapeError: when called, for an x or h of another shape.

    Source: K. Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine
    Translation" (2014), equations 5 to 8, which reset before the product and keep by z. The reset after it is in
    J. Appleyard, T. Kociský & P. Blunsom, "Optimizing Performance of Recurrent Neural Networks on GPUs" (2016).

    >>> import tinygrad_lstm as tl
    >>> tl.GRUCell(3, 4, rng=0)(tl.tensor([1, 2, 3])).shape
    (4,)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        reset_after: bool = True,
        layer_norm: bool = False,
        clip: float | None = None,
        activations: tuple[Activation, Activation] = (sigmoid, tanh),
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        true_or_false(reset_after=reset_after)
        gate = gates_of(hidden_size, rng, dtype, bias=bias, layer_norm=layer_norm, clip=clip)
        squash, candidate = functions(2, activations=activations)
        self.reset_after = bool(reset_after)
        size = hidden_size + input_size
        self.update_gate = gate(size, squash, "z")
        self.reset_gate = gate(size, squash, "r")
        self.candidate = gate(input_size if reset_after else size, candidate, "g")
        if reset_after:
            self.recurrent = gate(hidden_size, same, "u", clip=None)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        hx = concat([h, x], axis=-1)  # (N, H + D)
        z = self.update_gate(hx)  # how much of the state to keep, or to replace
        r = self.reset_gate(hx)  # what of it the candidate may see
        if self.reset_after:
            g = self.candidate(x, r * self.recurrent(h))
            return (1 - z) * g + z * h
        g = self.candidate(concat([r * h, x], axis=-1))
        return (1 - z) * h + z * g


CELLS: dict[str, type[RNNCell | LSTMCell | GRUCell]] = {
    "rnn": RNNCell,
    "lstm": LSTMCell,
    "gru": GRUCell,
    "peephole": PeepholeLSTMCell,
    "coupled": CoupledLSTMCell,
}
"""The cells by the names that commands use."""
