"""The weights of recurrent cells as others lay them out become ours: arrays as values, tensors as parameters."""

import numpy as np

from tinygrad_lstm.interop.layouts import ORDERS, GateRows, as_ours

__all__ = ["ORDERS", "load"]


def load(cell, order, W, R, b_W=None, b_R=None, *, peepholes=None, projection=None):
    """Set a cell's weights: W is (gates · H, D), R (gates · H, H), each bias (gates · H), rows as PyTorch and ONNX.

    Arrays become the values of the cell's own parameters; tensors take their place.
    """
    for part, name, new in as_ours(cell, order, GateRows(W, R, b_W, b_R, projection, peepholes)):
        if isinstance(new, np.ndarray):
            getattr(part, name).value = new
        else:
            setattr(part, name, new)
