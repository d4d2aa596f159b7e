"""Published cells whose new state is linear in the old one, since no gate sees it: a parallel scan can find it.

x: (N, D) or (D); h: (N, H) or (H). They begin to keep: see ``cells``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ...engine.errors import real
from ...engine.ops import sigmoid
from ...engine.tensor import Tensor
from ..cell import Cell
from ..creation import Seed
from ..gate import gates_of, same


class MinGRUCell(Cell[Tensor]):
    """The minimal GRU: nothing but what is kept sees the state, so that all steps can be computed side by side.

        z = σ(x W_z + b_z)              update gate: how much to replace
        g = x W_g + b_g                 candidate
        h′ = (1 − z) ⊙ h + z ⊙ g

    ``cell(x, h)`` returns h′. h′ is linear in h: a parallel scan finds every h in log₂ T rounds; here they are computed
    one after the other.

    Arguments:
        input_size, hidden_size: D and H.
        forget_bias: b, which b_z begins with as −b.
        rng, dtype: a seed or a numpy Generator; float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        TypeError: for a forget_bias that is no number.
        ShapeError: when called, for an x or h of another shape.

    Source: L. Feng, F. Tung, M. O. Ahmed, Y. Bengio & H. Hajimirsadeghi, "Were RNNs All We Needed?" (2024); equations
    compared with implementations, not with the paper.

    >>> import tinygrad_lstm as tl
    >>> tl.nn.atlas.MinGRUCell(3, 4, rng=0)([1.0, 2.0, 3.0]).shape
    (4,)
    """

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
        real(forget_bias=forget_bias)
        gate = gates_of(hidden_size, rng, dtype)
        self.update_gate = gate(input_size, sigmoid, "z", -forget_bias)
        self.candidate = gate(input_size, same, "g")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        z = self.update_gate(x)
        g = self.candidate(x)
        return (1 - z) * h + z * g


class MinLSTMCell(Cell[Tensor]):
    """The minimal LSTM: forget and input gates that see x alone, and are shares of one whole.

        f = σ(x W_f + b_f)              forget gate
        i = σ(x W_i + b_i)              input gate
        g = x W_g + b_g                 candidate
        h′ = f / (f + i) ⊙ h + i / (f + i) ⊙ g

    ``cell(x, h)`` returns h′, which is linear in h, as in ``MinGRUCell``.

    Arguments:
        input_size, hidden_size: D and H.
        forget_bias: what b_f begins with.
        rng, dtype: a seed or a numpy Generator; float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        TypeError: for a forget_bias that is no number.
        ShapeError: when called, for an x or h of another shape.

    Source: L. Feng, F. Tung, M. O. Ahmed, Y. Bengio & H. Hajimirsadeghi, "Were RNNs All We Needed?" (2024); equations
    compared with implementations, not with the paper.

    >>> import tinygrad_lstm as tl
    >>> tl.nn.atlas.MinLSTMCell(3, 4, rng=0)([1.0, 2.0, 3.0]).shape
    (4,)
    """

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
        real(forget_bias=forget_bias)
        gate = gates_of(hidden_size, rng, dtype)
        self.forget_gate = gate(input_size, sigmoid, "f", forget_bias)
        self.input_gate = gate(input_size, sigmoid, "i")
        self.candidate = gate(input_size, same, "g")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = self.forget_gate(x)
        i = self.input_gate(x)
        g = self.candidate(x)
        both = f + i
        return f / both * h + i / both * g
