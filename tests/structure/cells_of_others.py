"""Recurrent cells as people write them elsewhere: gates sliced of one product, and nothing named."""

import numpy as np

import tinygrad_lstm as tl

D, H = 3, 4


def drawn(*shape):
    return tl.tensor(np.random.default_rng(len(shape) + shape[0]).normal(size=shape), requires_grad=True)


class InTurn(tl.nn.Module):
    """As in many a ``forward`` for PyTorch: chunks, each of which is replaced by its activation."""

    def __init__(self):
        self.of_x, self.of_h = tl.Linear(D, 4 * H, rng=0), tl.Linear(H, 4 * H, rng=1)

    def forward(self, x, state):
        h, c = state
        gates = self.of_x(x) + self.of_h(h)
        ingate, forgetgate, cellgate, outgate = tl.chunk(gates, 4, axis=-1)
        ingate = tl.sigmoid(ingate)
        forgetgate = tl.sigmoid(forgetgate)
        cellgate = tl.tanh(cellgate)
        outgate = tl.sigmoid(outgate)
        cy = forgetgate * c + ingate * cellgate
        hy = outgate * tl.tanh(cy)
        return hy, cy


class Sliced(InTurn):
    """Slices, in one line each."""

    def forward(self, x, state):
        h, c = state
        z = self.of_x(x) + self.of_h(h)
        i = tl.sigmoid(z[:, :H])
        f = tl.sigmoid(z[:, H : 2 * H])
        g = tl.tanh(z[:, 2 * H : 3 * H])
        o = tl.sigmoid(z[:, 3 * H :])
        c = f * c + i * g
        h = o * tl.tanh(c)
        return h, c


class Unnamed(InTurn):
    """Slices used where they are made."""

    def forward(self, x, state):
        h, c = state
        z = self.of_x(x) + self.of_h(h)
        c = tl.sigmoid(z[:, H : 2 * H]) * c + tl.sigmoid(z[:, :H]) * tl.tanh(z[:, 2 * H : 3 * H])
        h = tl.sigmoid(z[:, 3 * H :]) * tl.tanh(c)
        return h, c


class OneSigma(tl.nn.Module):
    """As the numpy code of g2p-en has it: one σ, of which r and z are parts, and transposed weights."""

    def __init__(self):
        self.w_ih, self.w_hh, self.b_ih, self.b_hh = drawn(3 * H, D), drawn(3 * H, H), drawn(3 * H), drawn(3 * H)

    def forward(self, x, h):
        rzn_ih = x @ self.w_ih.T + self.b_ih
        rzn_hh = h @ self.w_hh.T + self.b_hh
        rz_ih, n_ih = rzn_ih[:, : 2 * H], rzn_ih[:, 2 * H :]
        rz_hh, n_hh = rzn_hh[:, : 2 * H], rzn_hh[:, 2 * H :]
        rz = tl.sigmoid(rz_ih + rz_hh)
        r, z = np.split(rz, 2, -1)
        n = tl.tanh(n_ih + r * n_hh)
        h = (1 - z) * n + z * h
        return h  # noqa: RET504  (as theirs: it names the state)


OTHERS = {
    "one product, in turn": (
        InTurn,
        {"ingate": "write", "forgetgate": "reset", "cellgate": "candidate", "outgate": "read"},
        ["cy", "hy"],
    ),
    "slices": (Sliced, {"i": "write", "f": "reset", "g": "candidate", "o": "read"}, ["c", "h"]),
    "slices without names": (
        Unnamed,
        {"σ(z[4:8])": "reset", "σ(z[0:4])": "write", "tanh(z[8:12])": "candidate", "σ(z[12:16])": "read"},
        ["c", "h"],
    ),
    "one σ": (OneSigma, {"r": "reset", "z": "reset, write", "n": "candidate"}, ["h"]),
}
"""The cell, what its gates are called and do in the order of the program, and its states."""


def through_time(cell, T=4, N=2, scale=3.0):
    """The loss of the last h, of inputs of a scale."""
    rng, zeros = np.random.default_rng(0), tl.tensor(np.zeros((N, H)))
    state = zeros if isinstance(cell, OneSigma) else (zeros, zeros)
    for t in range(T):
        with tl.time_step(t):
            state = cell(tl.tensor(scale * rng.normal(size=(N, D))), state)
    h = state[0] if isinstance(state, tuple) else state
    return (h * h).sum()
