"""See how recurrent networks learn: an autodiff engine you can draw, step through and prove.

Build networks from plain equations on Tensors; then ``draw`` what ran, ``step`` through its backward pass, and prove
its gradients with ``testing``. Importing this needs numpy alone; pictures and the rest are imported when used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import nn as nn
from .engine.backprop import Contribution, backprop, grad
from .engine.errors import ShapeError
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

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "SGD",
    "Adam",
    "Contribution",
    "CoupledLSTMCell",
    "Embedding",
    "GRUCell",
    "Graph",
    "LSTMCell",
    "Linear",
    "PeepholeLSTMCell",
    "RNNCell",
    "ShapeError",
    "Tensor",
    "UnknownToReader",
    "backprop",
    "binary_cross_entropy_with_logits",
    "broadcast_to",
    "clip_grad_norm",
    "concat",
    "cos",
    "cross_entropy",
    "detect_nan",
    "draw",
    "exp",
    "formula",
    "grad",
    "log",
    "log_softmax",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "mse_loss",
    "nn",
    "no_grad",
    "path",
    "primitive",
    "primitives",
    "relu",
    "reshape",
    "scope",
    "sigmoid",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "stack",
    "step",
    "take",
    "tanh",
    "tensor",
    "testing",
    "time_step",
    "transpose",
    "where",
]


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
    hiding = ("abs", "max", "sum")  # ours too; but whoever imports * keeps Python's own
    return sorted({*__all__, *hiding, "__version__", *(name for name in globals() if name.startswith("__"))})
