"""See how recurrent networks learn: an autodiff engine you can draw, step through and prove.

Build networks from plain equations on Tensors; then ``draw`` what ran, ``step`` through its backward pass, and prove
its gradients with ``testing``. Everything is imported when it is used: the engine and its networks need numpy alone.
"""

from __future__ import annotations

_HOMES = {
    "engine.backprop": ("Contribution", "backprop", "grad"),
    "engine.errors": ("LeavesTheGraph", "ShapeError"),
    "engine.functions": ("concat", "stack", "take"),
    "engine.graph": ("Graph",),
    "engine.ops": (
        *("abs", "broadcast_to", "cos", "exp", "log", "log_softmax", "logsumexp", "max", "maximum", "mean", "minimum"),
        *("relu", "reshape", "sigmoid", "sin", "softmax", "softplus", "sqrt", "sum", "tanh", "transpose", "where"),
    ),
    "engine.primitive": ("primitive", "primitives"),
    "engine.scope": ("detect_nan", "no_grad", "scope", "time_step"),
    "engine.tensor": ("Tensor", "tensor"),
    "nn": (
        *("GRU", "LSTM", "RNN", "SGD", "Adam", "CoupledLSTMCell", "Embedding", "GRUCell", "Linear", "LSTMCell"),
        *("PeepholeLSTMCell", "RNNCell", "binary_cross_entropy_with_logits", "clip_grad_norm", "cross_entropy"),
        *("mse_loss", "nll_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "RMSprop", "AdamW", "Adagrad"),
    ),
    "drawing": ("draw",),
    "interop": ("load", "save"),
    "stepper": ("step",),
    "structure.path": ("path",),
    "symbolic": ("UnknownToReader", "formula"),
}
"""Where each public name is at home; it is imported when it is used, and pytest's plugin with nothing."""

_ROOMS = ("drawing", "engine", "nn", "structure", "symbolic", "testing")
"""Packages that are names here too."""

_HIDING = {"abs", "max", "sum"}
"""Ours too; but whoever imports * keeps Python's own."""

__all__ = sorted({"nn", "testing"}.union(*_HOMES.values()) - _HIDING)


def __getattr__(name: str) -> object:
    from importlib import import_module

    home = next((home for home, names in _HOMES.items() if name in names), None)
    if name == "__version__":
        found: object = _version()
    elif home is not None:
        found = getattr(import_module(f".{home}", __name__), name)
    elif name in _ROOMS:
        found = import_module(f".{name}", __name__)
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
