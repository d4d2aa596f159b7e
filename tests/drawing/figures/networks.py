"""Networks whose figures are tested: every cell of ours, one of plain equations, and one that reads words."""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.named import names
from tinygrad_lstm.nn.samples import small_loss

WORDS = ("the", "clouds", "are", "in", "the", "unexpectedly", "sky")


def plain_mgu(steps=5, words=(), seed=0, per_step=False):
    """Return the loss of a minimal gated unit of plain equations, in no module, whose gate has a name of its own."""
    rng = np.random.default_rng(seed)
    W, U = (tl.tensor(rng.normal(size=(5, 3)), requires_grad=True, name=name) for name in ("W", "U"))
    h = tl.tensor(np.zeros(3), name="h0")
    total = None
    for t in range(steps):
        with tl.time_step(t):
            x = tl.tensor(rng.normal(size=2), name=words[t] if words else "x")
            keep = tl.sigmoid(tl.concat([h, x]) @ W)
            keep.name = "keep"
            new = tl.tanh(tl.concat([keep * h, x]) @ U)
            new.name = "new"
            h = (1.0 - keep) * h + keep * new
            h.name = "h"
            if per_step:
                loss = (h * h).sum()
                total = loss if total is None else total + loss
    loss = total if per_step else (h * h).sum()
    loss.name = "L"
    return loss


def reader(cell="lstm", size=4, words=WORDS):
    """Return the loss of a cell that reads words: its inputs are named by them."""
    rng = np.random.default_rng(0)
    cell, state = CELLS[cell](3, size, rng=0), None
    for t, word in enumerate(words):
        with tl.time_step(t):
            state = cell(tl.tensor(rng.normal(size=(2, 3)), name=word), state)
    h = state[0] if isinstance(state, tuple) else state
    return (h * h).sum()


LOSSES = {
    **{name: lambda name=name: small_loss(name, 6) for name in names()},
    "two layers, both ways": lambda: small_loss("gru", 5, layers=2, bidirectional=True),
    "plain": plain_mgu,
    "words": reader,
    "many steps": lambda: small_loss("rnn", 150),
}

GATED = [name for name in LOSSES if name not in ("rnn", "many steps")]
