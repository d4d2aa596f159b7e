"""Functions by the names that one knows from ``torch.nn.functional``; most of them live elsewhere.

Where the name is PyTorch's, so is the meaning: ``linear`` takes a weight of shape (D_out, D_in), while the ``weight``
of a ``tl.Linear`` is (D_in, D_out).

>>> import tinygrad_lstm.nn.functional as F
>>> F.linear([[1.0, 2.0]], [[3.0, 4.0]], [0.5]).tolist()
[[11.5]]
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from ..engine.errors import ShapeError
from ..engine.functions import (
    elu,
    gelu,
    hardsigmoid,
    hardtanh,
    leaky_relu,
    logsigmoid,
    silu,
    softsign,
)
from ..engine.ops import log_softmax, relu, sigmoid, softmax, softplus, tanh
from ..engine.pytorch import advice
from ..engine.scope import current
from ..engine.tensor import Tensor
from ..engine.torchs import KNOWN
from . import creation
from .arguments import as_tensor
from .classification import cross_entropy, nll_loss
from .creation import one_hot
from .layers import embedding
from .losses import binary_cross_entropy_with_logits, huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .regularisers import dropout, layer_norm

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "hardsigmoid",
    "hardtanh",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "relu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]


def __getattr__(name: str) -> object:
    hint = "binary_cross_entropy: binary_cross_entropy_with_logits takes the scores before the sigmoid"
    found = "" if name.startswith("_") else advice(name, hint, __all__, "functional")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{found}")


def linear(x: Tensor | ArrayLike, weight: Tensor | ArrayLike, bias: Tensor | ArrayLike | None = None) -> Tensor:
    """Return x Wᵀ + b. x: (..., D_in), weight: (D_out, D_in), as in PyTorch, bias: (D_out) → (..., D_out)."""
    x, weight = as_tensor(x), as_tensor(weight)
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear{current().place}: x has shape {x.shape} and the weight {weight.shape}; it must be (D_out, D_in), "
            "as in PyTorch: of a tl.Linear, give layer.weight.T, or call the layer"
        )
    y = x @ weight.T
    return y if bias is None else y + bias


KNOWN.update({name: globals()[name] for name in __all__})
KNOWN.update(ones_like=creation.ones_like, zeros_like=creation.zeros_like)
