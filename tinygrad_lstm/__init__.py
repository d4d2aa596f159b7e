"""See how recurrent networks learn: an autodiff engine you can draw, step through and prove.

Build networks from plain equations on Tensors; then ``draw`` what ran, ``step`` through its backward pass, and prove
its gradients with ``testing``. Importing this needs numpy alone; pictures and the rest are imported when used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import nn as nn
from .engine.backprop import Contribution, backprop, grad
from .engine.errors import LeavesTheGraph, ShapeError
from .engine.functions import concat, stack, take
from .engine.graph import Graph
from .engine.ops import abs as abs
from .engine.ops import (
    broadcast_to,
    cos,
    exp,
    log,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    relu,
    reshape,
    sigmoid,
    sin,
    softmax,
    softplus,
    sqrt,
    tanh,
    transpose,
    where,
)
from .engine.ops import max as max
from .engine.ops import sum as sum
from .engine.primitive import primitive, primitives
from .engine.scope import detect_nan, no_grad, scope, time_step
from .engine.tensor import Tensor, tensor
from .nn import (
    GRU,
    LSTM,
    RNN,
    SGD,
    Adam,
    CoupledLSTMCell,
    Embedding,
    GRUCell,
    Linear,
    LSTMCell,
    PeepholeLSTMCell,
    RNNCell,
    binary_cross_entropy_with_logits,
    clip_grad_norm,
    cross_entropy,
    mse_loss,
)

if TYPE_CHECKING:
    from . import drawing as drawing
    from . import structure as structure
    from . import symbolic as symbolic
    from . import testing as testing
    from .drawing import draw as draw
    from .stepper import step as step
    from .structure.path import path as path
    from .symbolic import UnknownToReader as UnknownToReader
    from .symbolic import formula as formula

    __version__: str

_WHEN_USED = {
    "UnknownToReader": ".symbolic",
    "draw": ".drawing",
    "drawing": ".drawing",
    "formula": ".symbolic",
    "path": ".structure.path",
    "step": ".stepper",
    "structure": ".structure",
    "symbolic": ".symbolic",
    "testing": ".testing",
}
"""What is imported when it is used, and from where: modules by their own name, others out of one."""

_HIDING = {"abs", "max", "sum"}
"""Ours too; but whoever imports * keeps Python's own."""

_USED = {name for name, thing in globals().items() if getattr(thing, "__module__", "").startswith(__name__)}
__all__ = sorted((_USED | {"nn", "testing"} | set(_WHEN_USED)) - {"drawing", "structure", "symbolic"} - _HIDING)


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "__version__":
        found: object = _version()
    elif name in _WHEN_USED:
        module = import_module(_WHEN_USED[name], __name__)
        found = module if _WHEN_USED[name] == f".{name}" else getattr(module, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def _version() -> str:
    """Return that of the installed package; of a mere copy of its files nobody can tell."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tinygrad-lstm")
    except PackageNotFoundError:
        return "unknown"


def __dir__() -> list[str]:
    return sorted({*__all__, *_HIDING, "__version__", *(name for name in globals() if name.startswith("__"))})
