"""The LSTM and its variants, as Olah's page (2015) writes them: h, which is shown, and c, the memory.

x: (N, D) or (D); h and c: (N, H) or (H); each weight: (H + D, H), acting on the row vector [h, x].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine.errors import real
from ..engine.functions import concat
from ..engine.ops import sigmoid, tanh
from ..engine.tensor import Tensor
from .arguments import positive, true_or_false
from .cell import Cell
from .creation import Seed
from .gate import Activation, Gate, functions, gates_of, same
from .regularisers import LayerNorm


class LSTMCell(Cell[tuple[Tensor, Tensor]]):
    """Long short-term memory with a forget gate: a memory c that is only scaled and added to.

        f = σ([h, x] W_f + b_f)         forget gate: what to keep of the memory
        i = σ([h, x] W_i + b_i)         input gate: where to write
        g = tanh([h, x] W_g + b_g)      candidate: what to write
        o = σ([h, x] W_o + b_o)         output gate: what to show of it
        c′ = f ⊙ c + i ⊙ g
        h′ = o ⊙ tanh(c′)

    ``cell(x, (h, c))`` takes x of shape (N, D) or (D) and h and c of shape (N, H) or (H), zeros if they are missing;
    it returns (h′, c′). With ``proj_size=P``, h′ = (o ⊙ tanh(c′)) W_h is of shape (N, P) or (P).

    Arguments:
        input_size: D.
        hidden_size: H.
        bias: whether there are biases.
        forget_bias: what b_f begins with. The default of 1 keeps the gate mostly open at the start, so that gradients
            reach far back from the first step of training: proposed by Gers et al. (2000), and found by R. Jozefowicz,
            W. Zaremba & I. Sutskever (2015) to close the gap between the LSTM and its best variants.
        proj_size: P, the size of h where it is projected; 0 for no projection.
        layer_norm: whether the products with weights are normalised, in each gate by itself, and c′ where it is shown,
            h′ = o ⊙ tanh(norm(c′)); see ``tl.nn.Gate``.
        clip: a bound for what the gates' σ and tanh are given, ±clip; None for none.
        activations: what stands for σ, for tanh in g, and for tanh in h′: three functions of a tensor.
        rng: a seed or a numpy Generator; weights are drawn uniformly from ±1/√H, W_h from ±1/√P, and the other biases
            begin at zero.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, a proj_size that is not below hidden_size, a clip
            that is not above zero and finite, and a forget_bias without biases.
        TypeError: for a bias or layer_norm that is neither True nor False, and for activations that are not three
            functions.
        ShapeError: when called, for an x or a state of another shape.

    Source: S. Hochreiter & J. Schmidhuber, "Long Short-Term Memory" (1997); the forget gate, F. A. Gers, J. Schmidhuber
    & F. Cummins, "Learning to Forget: Continual Prediction with LSTM" (2000); in the notation of Olah's page. The
    projection, H. Sak, A. Senior & F. Beaufays (2014); norms, J. L. Ba, J. R. Kiros & G. E. Hinton (2016).

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
        bias: bool = True,
        forget_bias: float = 1.0,
        proj_size: int = 0,
        layer_norm: bool = False,
        clip: float | None = None,
        activations: tuple[Activation, Activation, Activation] = (sigmoid, tanh, tanh),
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        shown = projected(hidden_size, proj_size)
        super().__init__(input_size, hidden_size, state_sizes=(shown, hidden_size), dtype=dtype)
        real(forget_bias=forget_bias)
        gate = gates_of(hidden_size, rng, dtype, bias=bias, layer_norm=layer_norm, clip=clip)
        if not bias and forget_bias != 1.0:
            raise ValueError(f"forget_bias={forget_bias!r} is what a bias begins with, and bias is False")
        squash, candidate, self.showing = functions(3, activations=activations)
        self._add_gates(gate, squash, candidate, float(forget_bias))
        self.norm = LayerNorm(hidden_size, dtype=dtype) if layer_norm else same
        self.projection: Activation = same
        if proj_size:
            plain: dict[str, Any] = {"hidden_size": shown, "layer_norm": False, "clip": None}
            self.projection = gate(hidden_size, same, "h", None, **plain)

    def _add_gates(self, gate: Callable[..., Gate], squash: Activation, candidate: Activation, begin: float) -> None:
        size = self.state_sizes[0] + self.input_size
        self.forget_gate = gate(size, squash, "f", begin)
        self.input_gate = gate(size, squash, "i")
        self.candidate = gate(size, candidate, "g")
        self.output_gate = gate(size, squash, "o")

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        z = concat([h, x], axis=-1)  # (N, H + D)
        f = self.forget_gate(z)  # how much of the memory to keep; 0 resets it
        i = self.input_gate(z)  # where to write
        g = self.candidate(z)  # what to write
        o = self.output_gate(z)  # what to show of it (read)
        c = f * c + i * g
        h = self.projection(o * self.showing(self.norm(c)))  # o * tanh(c)
        return h, c


class PeepholeLSTMCell(LSTMCell):
    """An LSTM whose gates look at the cell state: as Olah writes it, they read [c, h, x].

        f = σ([c, h, x] W_f + b_f)      forget gate
        i = σ([c, h, x] W_i + b_i)      input gate
        g = tanh([h, x] W_g + b_g)      candidate
        c′ = f ⊙ c + i ⊙ g
        o = σ([c′, h, x] W_o + b_o)     output gate: it sees the new cell state
        h′ = o ⊙ tanh(c′)

    Gers and Schmidhuber's own peepholes are the case where the c rows of the weights, here (2H + D, H), are diagonal.
    With ``diagonal=True`` that diagonal, ``peephole`` of shape (H) in each of the three gates, is all there is of them:
    f = σ([h, x] W_f + p_f ⊙ c + b_f).

    ``cell(x, (h, c))`` takes x of shape (N, D) or (D) and h and c of shape (N, H) or (H), zeros if they are missing;
    it returns (h′, c′).

    Arguments:
        input_size: D.
        hidden_size: H.
        diagonal: whether each number of c is seen by its own entry of the gates only.
        coupled: whether f = 1 − i, as in ``CoupledLSTMCell``.
        options: those of ``LSTMCell``.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        TypeError: for a diagonal or coupled that is neither True nor False.
        ShapeError: when called, for an x or a state of another shape.

    Source: F. A. Gers & J. Schmidhuber, "Recurrent Nets that Time and Count" (2000).

    >>> import tinygrad_lstm as tl
    >>> cell = tl.PeepholeLSTMCell(3, 4, rng=0)
    >>> cell.forget_gate, cell.candidate
    (Gate(11 → 4), Gate(7 → 4))
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, diagonal: bool = False, coupled: bool = False, **options: Any
    ) -> None:
        true_or_false(diagonal=diagonal, coupled=coupled)
        self.diagonal, self.coupled = bool(diagonal), bool(coupled)
        super().__init__(input_size, hidden_size, **options)

    def _add_gates(self, gate: Callable[..., Gate], squash: Activation, candidate: Activation, begin: float) -> None:
        size = self.state_sizes[0] + self.input_size
        seeing = size if self.diagonal else self.hidden_size + size
        if not self.coupled:
            self.forget_gate = gate(seeing, squash, "f", begin, peephole=self.diagonal)
        self.input_gate = gate(seeing, squash, "i", -begin if self.coupled else 0.0, peephole=self.diagonal)
        self.candidate = gate(size, candidate, "g")
        self.output_gate = gate(seeing, squash, "o", peephole=self.diagonal)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        hx = concat([h, x], axis=-1)  # (N, H + D)

        def seeing(c: Tensor) -> tuple[Tensor, ...]:
            return (hx, c) if self.diagonal else (concat([c, hx], axis=-1),)  # (N, 2H + D)

        seen = seeing(c)
        f = None if self.coupled else self.forget_gate(*seen)
        i = self.input_gate(*seen)
        g = self.candidate(hx)
        c = (1 - i if f is None else f) * c + i * g
        o = self.output_gate(*seeing(c))
        h = self.projection(o * self.showing(self.norm(c)))
        return h, c


class CoupledLSTMCell(LSTMCell):
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
        bias, proj_size, layer_norm, clip, activations, rng, dtype: those of ``LSTMCell``.

    Raises:
        ValueError: for what ``LSTMCell`` refuses.
        ShapeError: when called, for an x or a state of another shape.

    Source: K. Greff et al., "LSTM: A Search Space Odyssey" (2015), the variant CIFG.

    >>> import tinygrad_lstm as tl
    >>> tl.CoupledLSTMCell(3, 4, rng=0).input_gate.bias.tolist()
    [-1.0, -1.0, -1.0, -1.0]
    """

    if not TYPE_CHECKING:
        __init__ = LSTMCell.__init__  # or early releases of Python 3.11 show the arguments of __new__

    def _add_gates(self, gate: Callable[..., Gate], squash: Activation, candidate: Activation, begin: float) -> None:
        size = self.state_sizes[0] + self.input_size
        self.input_gate = gate(size, squash, "i", -begin)
        self.candidate = gate(size, candidate, "g")
        self.output_gate = gate(size, squash, "o")

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        z = concat([h, x], axis=-1)  # (N, H + D)
        i = self.input_gate(z)
        g = self.candidate(z)
        o = self.output_gate(z)
        c = (1 - i) * c + i * g
        h = self.projection(o * self.showing(self.norm(c)))
        return h, c


def projected(hidden_size: int, proj_size: int) -> int:
    """Return the size of h: that of the projection, or H where there is none."""
    positive(hidden_size=hidden_size)
    whole = isinstance(proj_size, int | np.integer) and not isinstance(proj_size, bool)
    if not whole or not 0 <= proj_size < hidden_size:
        raise ValueError(f"proj_size must be 0, for none, or a whole number below hidden_size, not {proj_size!r:.60}")
    return int(proj_size) or hidden_size
