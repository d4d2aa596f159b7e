"""Published cells that differ from the RNN, the LSTM and the GRU in their equations, as their papers write them.

x: (N, D) or (D); h and c: (N, H) or (H); each weight acts on the row vector it stands beside. All begin to keep: where
a gate decides what is left of the state, its bias begins with ``forget_bias``, with −b where 1 − σ is what keeps, since
1 − σ(−b) = σ(b). Other biases begin with zeros, and weights are drawn uniformly from ±1/√H.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ...engine.errors import real
from ...engine.functions import concat
from ...engine.ops import sigmoid, tanh
from ...engine.tensor import Tensor, tensor
from ..cell import Cell
from ..creation import Seed, generator
from ..gate import gates_of, same


class LSTM1997Cell(Cell[tuple[Tensor, Tensor]]):
    """The first LSTM, which cannot forget: whatever was written into the memory c stays there.

        i = σ([h, x] W_i + b_i)         input gate
        g = tanh([h, x] W_g + b_g)      candidate
        o = σ([h, x] W_o + b_o)         output gate
        c′ = c + i ⊙ g
        h′ = o ⊙ tanh(c′)

    ``cell(x, (h, c))`` returns (h′, c′). This is what is usually meant by it. In the paper g and h squash by 4σ − 2 and
    2σ − 1, the gates see each other's previous values as well, several cells may share their gates, and the gradient
    is cut where it leaves a cell.

    Arguments:
        input_size, hidden_size: D and H.
        rng, dtype: a seed or a numpy Generator; float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        ShapeError: when called, for an x or a state of another shape.

    Source: S. Hochreiter & J. Schmidhuber, "Long Short-Term Memory" (1997), section 4; from memory, not compared.

    >>> import tinygrad_lstm as tl
    >>> h, c = tl.nn.atlas.LSTM1997Cell(3, 4, rng=0)([1.0, 2.0, 3.0])
    >>> h.shape, c.shape
    ((4,), (4,))
    """

    state_names = ("h", "c")

    def __init__(self, input_size: int, hidden_size: int, *, rng: Seed = None, dtype: DTypeLike = np.float64) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        gate, size = gates_of(hidden_size, rng, dtype), hidden_size + input_size
        self.input_gate = gate(size, sigmoid, "i")
        self.candidate = gate(size, tanh, "g")
        self.output_gate = gate(size, sigmoid, "o")

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        hx = concat([h, x], axis=-1)  # (N, H + D)
        i = self.input_gate(hx)
        g = self.candidate(hx)
        o = self.output_gate(hx)
        c = c + i * g
        return o * tanh(c), c


class MGUCell(Cell[Tensor]):
    """The minimal gated unit: a GRU whose reset gate is its update gate.

        f = σ([h, x] W_f + b_f)         forget gate: what of the state to replace, and what the candidate sees
        g = tanh([f ⊙ h, x] W_g + b_g)  candidate
        h′ = (1 − f) ⊙ h + f ⊙ g

    ``cell(x, h)`` returns h′.

    Arguments:
        input_size, hidden_size: D and H.
        forget_bias: b, which b_f begins with as −b.
        rng, dtype: a seed or a numpy Generator; float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        TypeError: for a forget_bias that is no number.
        ShapeError: when called, for an x or h of another shape.

    Source: G.-B. Zhou, J. Wu, C.-L. Zhang & Z.-H. Zhou, "Minimal Gated Unit for Recurrent Neural Networks" (2016);
    equations from memory, not compared.

    >>> import tinygrad_lstm as tl
    >>> tl.nn.atlas.MGUCell(3, 4, rng=0)([1.0, 2.0, 3.0]).shape
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
        gate, size = gates_of(hidden_size, rng, dtype), hidden_size + input_size
        self.forget_gate = gate(size, sigmoid, "f", -forget_bias)
        self.candidate = gate(size, tanh, "g")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        f = self.forget_gate(concat([h, x], axis=-1))
        g = self.candidate(concat([f * h, x], axis=-1))
        return (1 - f) * h + f * g


class UGRNNCell(Cell[Tensor]):
    """The update gate RNN: a plain RNN beside what it was, with one gate that weighs the two.

        z = σ([h, x] W_z + b_z)         update gate: how much of the state to keep; the paper's g
        g = tanh([h, x] W_g + b_g)      candidate; the paper's c
        h′ = z ⊙ h + (1 − z) ⊙ g

    ``cell(x, h)`` returns h′.

    Arguments:
        input_size, hidden_size: D and H.
        forget_bias: what b_z begins with; 1 in TensorFlow's cell as well.
        rng, dtype: a seed or a numpy Generator; float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        TypeError: for a forget_bias that is no number.
        ShapeError: when called, for an x or h of another shape.

    Source: J. Collins, J. Sohl-Dickstein & D. Sussillo, "Capacity and Trainability in Recurrent Neural Networks"
    (2017); compared with implementations, TensorFlow's among them, not with the paper.

    >>> import tinygrad_lstm as tl
    >>> tl.nn.atlas.UGRNNCell(3, 4, rng=0)([1.0, 2.0, 3.0]).shape
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
        gate, size = gates_of(hidden_size, rng, dtype), hidden_size + input_size
        self.update_gate = gate(size, sigmoid, "z", forget_bias)
        self.candidate = gate(size, tanh, "g")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        hx = concat([h, x], axis=-1)  # (N, H + D)
        z = self.update_gate(hx)
        g = self.candidate(hx)
        return z * h + (1 - z) * g


class RANCell(Cell[tuple[Tensor, Tensor]]):
    """The recurrent additive network: an LSTM whose candidate is a linear function of x alone, and no output gate.

        g = x W_g                       content, which sees no h
        i = σ([h, x] W_i + b_i)         input gate
        f = σ([h, x] W_f + b_f)         forget gate
        c′ = i ⊙ g + f ⊙ c
        h′ = tanh(c′)

    ``cell(x, (h, c))`` returns (h′, c′). So c is a weighted sum of the inputs seen, and the gates only weigh it. The
    paper has h′ = c′ as a second choice.

    Arguments:
        input_size, hidden_size: D and H.
        forget_bias: what b_f begins with.
        rng, dtype: a seed or a numpy Generator; float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        TypeError: for a forget_bias that is no number.
        ShapeError: when called, for an x or a state of another shape.

    Source: K. Lee, O. Levy & L. Zettlemoyer, "Recurrent Additive Networks" (2017); compared with the authors' own code,
    not with the paper.

    >>> import tinygrad_lstm as tl
    >>> h, c = tl.nn.atlas.RANCell(3, 4, rng=0)([1.0, 2.0, 3.0])
    >>> h.shape, c.shape
    ((4,), (4,))
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
        real(forget_bias=forget_bias)
        gate, size = gates_of(hidden_size, rng, dtype), hidden_size + input_size
        self.content = gate(input_size, same, "g", None)
        self.input_gate = gate(size, sigmoid, "i")
        self.forget_gate = gate(size, sigmoid, "f", forget_bias)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        hx = concat([h, x], axis=-1)  # (N, H + D)
        g = self.content(x)
        i = self.input_gate(hx)
        f = self.forget_gate(hx)
        c = i * g + f * c
        return tanh(c), c


class JANETCell(Cell[Tensor]):
    """Just another network: an LSTM with its forget gate alone, which writes a little more than it forgets.

        s = [h, x] W_f + b_f
        g = tanh([h, x] W_g + b_g)      candidate
        h′ = σ(s) ⊙ h + (1 − σ(s − β)) ⊙ g

    ``cell(x, h)`` returns h′.

    Arguments:
        input_size, hidden_size: D and H.
        forget_bias: what b_f begins with, where ``longest`` does not say.
        longest: T, the longest dependency expected: b_f is drawn as log U(1, T − 1), chrono initialisation, so that the
            cell begins to keep for 1 to T steps, as in the paper; None for forget_bias.
        beta: β, which is 1 in the paper.
        rng, dtype: a seed or a numpy Generator; float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and a longest below 3.
        TypeError: for a forget_bias, longest or beta that is no number.
        ShapeError: when called, for an x or h of another shape.

    Source: J. van der Westhuizen & J. Lasenby, "The Unreasonable Effectiveness of the Forget Gate" (2018); compared
    with the authors' own code, not with the paper. The initialisation, C. Tallec & Y. Ollivier, "Can Recurrent
    Neural Networks Warp Time?" (2018).

    >>> import tinygrad_lstm as tl
    >>> tl.nn.atlas.JANETCell(3, 4, longest=100, rng=0)([1.0, 2.0, 3.0]).shape
    (4,)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        longest: int | None = None,
        beta: float = 1.0,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        real(forget_bias=forget_bias, beta=beta)
        rng, size = generator(rng), hidden_size + input_size
        gate = gates_of(hidden_size, rng, dtype)
        self.beta = float(beta)
        self.forget_gate = gate(size, same, "s", forget_bias)
        self.candidate = gate(size, tanh, "g")
        if longest is not None:
            real(longest=longest)
            if not 3 <= longest < np.inf:
                raise ValueError(f"longest must be 3 steps or more, not {longest!r:.60}")
            self.forget_gate.bias = tensor(
                np.log(rng.uniform(1, longest - 1, size=hidden_size)), requires_grad=True, dtype=dtype
            )

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        hx = concat([h, x], axis=-1)  # (N, H + D)
        s = self.forget_gate(hx)
        g = self.candidate(hx)
        return sigmoid(s) * h + (1 - sigmoid(s - self.beta)) * g
