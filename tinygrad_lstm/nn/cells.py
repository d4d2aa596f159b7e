"""Recurrent cells: pure functions (x, state) → state, as Christopher Olah's "Understanding LSTM Networks" (2015) writes
them. x: (N, D) or (D); h and c: (N, H) or (H); each weight: (H + D, H), acting on the row vector [h, x]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine.errors import ShapeError
from ..engine.ops import concat, relu, sigmoid, tanh
from ..engine.scope import CONTEXT
from ..engine.tensor import Tensor, tensor
from .module import Module, Seed, positive, uniform


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


class RNNCell(Cell):
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
        super().__init__(input_size, hidden_size, rng, dtype)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        self.layer = self.gate(hidden_size + input_size, tanh if nonlinearity == "tanh" else relu, "h")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.layer(concat([h, x], axis=-1))  # type: ignore[no-any-return]


class LSTMCell(Cell):
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
        super().__init__(input_size, hidden_size, rng, dtype)
        size = hidden_size + input_size
        self.forget_gate = self.gate(size, sigmoid, "f", forget_bias)
        self.input_gate = self.gate(size, sigmoid, "i")
        self.candidate = self.gate(size, tanh, "g")
        self.output_gate = self.gate(size, sigmoid, "o")

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


class GRUCell(Cell):
    """The gated recurrent unit (Cho et al. 2014), with the reset gate before the product, as on Olah's page.

    >>> import tinygrad_lstm as tl
    >>> tl.GRUCell(3, 4, rng=0)(tl.tensor([1, 2, 3])).shape
    (4,)
    """

    def __init__(self, input_size: int, hidden_size: int, *, rng: Seed = None, dtype: DTypeLike = np.float64) -> None:
        super().__init__(input_size, hidden_size, rng, dtype)
        size = hidden_size + input_size
        self.update_gate = self.gate(size, sigmoid, "z")
        self.reset_gate = self.gate(size, sigmoid, "r")
        self.candidate = self.gate(size, tanh, "g")

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        hx = concat([h, x], axis=-1)  # (N, H + D)
        z: Tensor = self.update_gate(hx)  # how much of the state to replace
        r = self.reset_gate(hx)  # what of it the candidate may see
        g: Tensor = self.candidate(concat([r * h, x], axis=-1))
        return (1 - z) * h + z * g


class PeepholeLSTMCell(Cell):
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
        super().__init__(input_size, hidden_size, rng, dtype)
        size = 2 * hidden_size + input_size
        self.forget_gate = self.gate(size, sigmoid, "f", forget_bias)
        self.input_gate = self.gate(size, sigmoid, "i")
        self.candidate = self.gate(hidden_size + input_size, tanh, "g")
        self.output_gate = self.gate(size, sigmoid, "o")

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


class CoupledLSTMCell(Cell):
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
        super().__init__(input_size, hidden_size, rng, dtype)
        size = hidden_size + input_size
        self.input_gate = self.gate(size, sigmoid, "i", -forget_bias)
        self.candidate = self.gate(size, tanh, "g")
        self.output_gate = self.gate(size, sigmoid, "o")

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
