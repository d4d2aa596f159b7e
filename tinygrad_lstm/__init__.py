"""See how recurrent networks learn: an autodiff engine you can draw, step through and prove.

Build networks from plain equations on Tensors; then ``draw`` what ran, ``step`` through its backward pass, and prove
its gradients with ``testing``. Importing this needs numpy alone; pictures and the rest are imported when used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import nn as nn
from .drawing import draw, path
from .engine.backprop import Contribution, backprop, grad
from .engine.errors import ShapeError
from .engine.graph import Graph
from .engine.ops import abs as abs
from .engine.ops import (
    broadcast_to,
    concat,
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
    stack,
    take,
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
    from . import testing
    from .stepper import step as step
    from .symbolic import formula as formula

_WHEN_USED = {"step": ".stepper", "formula": ".symbolic", "testing": ".testing"}

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


def __getattr__(name: str) -> Any:
    if name not in _WHEN_USED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_WHEN_USED[name], __name__)
    found = module if name == "testing" else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHEN_USED})
