"""What a type checker is told of calls: mypy reads this file in CI, and the tests run it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm import Tensor
from tinygrad_lstm.nn import Cell, Gate, Module, Recurrent


class Running(Cell[tuple[Tensor, Tensor, Tensor]]):
    """A cell of a user's with three tensors of state, which says so."""

    state_names = ("a", "b", "c")

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        a, b, c = state
        return x + a, a + b, b + c


class Untold(Cell):
    """A cell that says nothing of its state."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return x + h


x, xs = tl.tensor(np.ones((1, 3))), tl.tensor(np.ones((4, 1, 3)))
Pair = tuple[Tensor, Tensor]

assert_type(tl.tanh(x), Tensor)
assert_type(tl.softmax(x, axis=0), Tensor)
assert_type(tl.maximum(0.0, x), Tensor)
assert_type(tl.where([1.0], 2.0, x), Tensor)
assert_type(tl.exp(np.ones(3)), Any)
assert_type(tl.RNNCell(3, 3)(x), Tensor)
assert_type(tl.GRUCell(3, 3)(x, x), Tensor)
assert_type(tl.LSTMCell(3, 3)(x), tuple[Tensor, Tensor])
assert_type(tl.PeepholeLSTMCell(3, 3)([1, 2, 3]), tuple[Tensor, Tensor])
assert_type(tl.CoupledLSTMCell(3, 3)(x, (x, x)), tuple[Tensor, Tensor])
assert_type(tl.LSTMCell(3, 3).zero_state(x), tuple[Tensor, Tensor])
assert_type(Running(3, 3)(x), tuple[Tensor, Tensor, Tensor])
assert_type(Untold(3, 3)(x), Any)

assert_type(tl.RNN(3, 3)(xs), tuple[Tensor, Tensor])
assert_type(tl.GRU(3, 3, num_layers=2)(xs), tuple[Tensor, Tensor])
assert_type(tl.LSTM(3, 3)(xs), tuple[Tensor, Pair])
assert_type(Recurrent(tl.LSTMCell(3, 3), tl.PeepholeLSTMCell(3, 3))(xs), tuple[Tensor, Pair])
assert_type(Recurrent(Running(3, 3))(xs), tuple[Tensor, tuple[Tensor, Tensor, Tensor]])
assert_type(Recurrent(Untold(3, 3))(xs), tuple[Tensor, Any])
assert_type(tl.LSTM(3, 3).cells, tuple[Cell[Pair], ...])
assert_type(tl.LSTM(3, 3, 2, dropout=0.5, peephole="full")(xs, lengths=[4]), tuple[Tensor, Pair])
assert_type(tl.nn.detach(tl.LSTM(3, 3)(xs)[1]), Pair)
assert_type(tl.nn.detach(x), Tensor)

assert_type(tl.Linear(3, 2)(x), Tensor)
assert_type(tl.Embedding(3, 2)([0, 1]), Tensor)
assert_type(Gate(3, tl.tanh, "g", hidden_size=2)(x), Tensor)
assert_type(tl.LSTMCell(3, 3).forget_gate, Gate)
assert_type(tl.LSTMCell(3, 3).forget_gate.weight, Tensor)

assert_type(tl.mse_loss(x, x), Tensor)
assert_type(tl.cross_entropy(x, [0]), Tensor)
assert_type(tl.binary_cross_entropy_with_logits(x, x), Tensor)
assert_type(tl.clip_grad_norm(tl.Linear(3, 2).parameters(), 1.0), float)
assert_type(tl.Linear(3, 2).load_state_dict(tl.Linear(3, 2).state_dict()).missing_keys, list[str])
if TYPE_CHECKING:
    assert_type(tl.load("model"), Module)
    assert_type(tl.load("model", into=tl.LSTM(3, 3)), tl.LSTM)
    assert_type(tl.load(Path("adam"), into=tl.Adam([x])), tl.Adam)
    assert_type(tl.save(tl.Adam([x]), "adam"), Path)
assert_type(Module().parameters(), list[Tensor])

assert_type(tl.nn.MSELoss()(x, x), Tensor)
assert_type(tl.nn.GELU()(x), Tensor)
assert_type(tl.nn.Dropout(0.5)(x), Tensor)
assert_type(tl.nn.LayerNorm(3)(x), Tensor)
assert_type(tl.nn.Attention(3, 3)(x, xs), tuple[Tensor, Tensor])
assert_type(tl.nn.ModuleList([tl.Linear(3, 2)])[0], Module)
assert_type(tl.Linear(3, 2).eval(), tl.Linear)
