"""Two cells as a user writes them, with parts of the library and equations; and the layers that are measured."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_lstm as tl


class MGUCell(tl.nn.Cell):
    """The minimal gated unit (G.-B. Zhou et al. 2016)."""

    def __init__(self, input_size: int, hidden_size: int, *, rng: Any = None, dtype: Any = np.float64) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        rng = np.random.default_rng(rng)
        self.gate = tl.Linear(input_size + hidden_size, hidden_size, rng=rng, dtype=dtype)
        self.candidate = tl.Linear(input_size + hidden_size, hidden_size, rng=rng, dtype=dtype)

    def forward(self, x: Any, h: Any) -> Any:
        f = tl.sigmoid(self.gate(tl.concat([h, x], axis=-1)))
        n = tl.tanh(self.candidate(tl.concat([f * h, x], axis=-1)))
        return (1 - f) * h + f * n


class LayerNormLSTMCell(tl.nn.Cell):
    """An LSTM whose products are normalised, each by itself, and c on its way out (J. L. Ba et al. 2016)."""

    state_names = ("h", "c")

    def __init__(self, input_size: int, hidden_size: int, *, rng: Any = None, dtype: Any = np.float64) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype)
        rng = np.random.default_rng(rng)
        for name in ("forget_gate", "input_gate", "candidate", "output_gate"):
            setattr(self, name, tl.Linear(input_size + hidden_size, hidden_size, bias=False, rng=rng, dtype=dtype))
            setattr(self, f"{name}_norm", tl.nn.LayerNorm(hidden_size, dtype=dtype))
        self.cell_norm = tl.nn.LayerNorm(hidden_size, dtype=dtype)

    def forward(self, x: Any, state: Any) -> Any:
        h, c = state
        z = tl.concat([h, x], axis=-1)
        f = tl.sigmoid(self.forget_gate_norm(self.forget_gate(z)))
        i = tl.sigmoid(self.input_gate_norm(self.input_gate(z)))
        g = tl.tanh(self.candidate_norm(self.candidate(z)))
        o = tl.sigmoid(self.output_gate_norm(self.output_gate(z)))
        c = f * c + i * g
        return o * tl.tanh(self.cell_norm(c)), c


LAYERS: dict[str, Any] = {
    "LSTM": tl.LSTM,
    "GRU": tl.GRU,
    "RNN": tl.RNN,
    "BiLSTM×2": lambda D, H, **how: tl.LSTM(D, H, num_layers=2, bidirectional=True, **how),
    "MGU": lambda D, H, **how: tl.nn.Recurrent(MGUCell(D, H, **how)),
    "LN-LSTM": lambda D, H, **how: tl.nn.Recurrent(LayerNormLSTMCell(D, H, **how)),
}
"""By the names they have in tables."""
