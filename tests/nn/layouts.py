"""How others lay out the weights of recurrent cells, and how they become ours: our gates in their order."""

from __future__ import annotations

import numpy as np

ORDERS = {
    "PyTorch": {
        "RNN": ("layer",),
        "LSTM": ("input_gate", "forget_gate", "candidate", "output_gate"),
        "GRU": ("reset_gate", "update_gate", "candidate"),
    },
    "Keras": {
        "RNN": ("layer",),
        "LSTM": ("input_gate", "forget_gate", "candidate", "output_gate"),
        "GRU": ("update_gate", "reset_gate", "candidate"),
    },
    "ONNX": {
        "RNN": ("layer",),
        "LSTM": ("input_gate", "output_gate", "forget_gate", "candidate"),
        "GRU": ("update_gate", "reset_gate", "candidate"),
    },
}
PEEPHOLES = ("input_gate", "output_gate", "forget_gate")
"""ONNX's order of them."""


def load(cell, order, W, R, b_W=None, b_R=None, *, peepholes=None, projection=None, concat=np.concatenate):
    """Set a cell's weights: W is (gates · H, D), R (gates · H, H), each bias (gates · H), rows as PyTorch and ONNX.

    A GRU that resets before the product replaces by z, where theirs keeps: 1 − σ(a) = σ(−a). Works on arrays, which
    become the values of the cell's own parameters, and on tensors, which take their place.
    """
    H = cell.hidden_size
    rows = {name: slice(k * H, (k + 1) * H) for k, name in enumerate(order)}
    for name, row in rows.items():
        gate = getattr(cell, name, None)
        if gate is None:  # the forget gate of a coupled cell
            continue
        w, r = W[row].T, R[row].T
        biases = [None if b is None else b[row] for b in (b_W, b_R)]
        if name == "candidate" and hasattr(cell, "recurrent"):
            _set(cell.recurrent, r, biases.pop())
            _set(gate, w, *biases)
            continue
        sign = -1 if name == "update_gate" and not cell.reset_after else 1
        given = [sign * b for b in biases if b is not None]
        _set(gate, sign * concat([r, w]), sum(given[1:], given[0]) if given else None)
    if peepholes is not None:
        for k, name in enumerate(PEEPHOLES):
            if hasattr(cell, name):
                getattr(cell, name).peephole.value = peepholes[k * H : (k + 1) * H]
    if projection is not None:
        _set(cell.projection, projection.T)


def _set(gate, weight, bias=None):
    for name, new in (("weight", weight), ("bias", bias)):
        if new is not None and isinstance(new, np.ndarray):
            getattr(gate, name).value = new
        elif new is not None:
            setattr(gate, name, new)
