"""See how recurrent networks learn: an autodiff engine you can draw, step through and prove.

Build networks from plain equations on Tensors; then ``draw`` what ran, ``step`` through its backward pass, and prove
its gradients with ``testing``. Everything is imported when it is used: the engine and its networks need numpy alone.
"""

from __future__ import annotations

_HOMES = {
    "nn.creation": (
        *("arange", "eye", "float32", "float64", "from_numpy", "full", "linspace", "manual_seed", "one_hot", "ones"),
        *("ones_like", "Parameter", "rand", "randn", "zeros", "zeros_like"),
    ),
    "engine.backprop": ("Contribution", "backprop", "grad"),
    "engine.errors": ("LeavesTheGraph", "ShapeError"),
    "engine.functions": (
        *("argmax", "argmin", "chunk", "clip", "concat", "cosh", "cumsum", "dot", "einsum", "elu", "expand"),
        *(
            "expand_dims",
            "flatten",
            "flip",
            "gelu",
            "hardsigmoid",
            "hardtanh",
            "leaky_relu",
            "logaddexp",
            "logsigmoid",
            "norm",
        ),
        *("outer", "pad", "prod", "reciprocal", "sign", "silu", "sinh", "softsign", "square"),
        *("stack", "swapaxes", "take", "take_along_axis", "tan", "tensordot", "tile", "tril", "triu"),
    ),
    "engine.methods": ("permute", "split", "squeeze", "std", "var"),
    "engine.graph": ("Graph",),
    "engine.hooks": ("grad_hook",),
    "engine.ops": (
        *("abs", "arctan", "broadcast_to", "cos", "erf", "erfc", "exp", "expm1", "floor", "log", "log1p"),
        *("log_softmax", "logsumexp", "max", "maximum", "mean", "min", "minimum"),
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
    "drawing": ("draw", "compare", "difference", "sweep"),
    "interop": (*("export_onnx", "from_keras", "from_torch", "import_onnx", "load", "save", "to_keras", "to_torch"),),
    "stepper": ("step",),
    "program": ("compile", "source"),
    "structure.diagnosis.diagnose": ("diagnose",),
    "structure.path": ("path",),
    "structure.unused": ("explain_unused",),
    "structure.what_if": ("what_if",),
    "symbolic": ("UnknownToReader", "derive", "formula", "to_sympy"),
    "training.fit": ("fit",),
}
"""Where each public name is at home; it is imported when it is used, and pytest's plugin with nothing."""

_ROOMS = ("drawing", "engine", "nn", "program", "structure", "symbolic", "testing", "training")
"""Packages that are names here too."""

_HIDING = {"abs", "compile", "max", "min", "sum"}
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
    elif name.startswith("_") or (found := import_module(".engine.methods", __name__).spelled(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{_advice(name)}")
    globals()[name] = found
    return found


def _advice(name: str) -> str:
    from .engine.pytorch import advice

    return "" if name.startswith("_") else advice(name, _REFUSED, __dir__(), "tl")


_REFUSED = """
cuda device backends: tensors live in the memory of the processor, and there is no other
int8 int16 int32 int64 int long uint8 bool IntTensor LongTensor: tensors hold no integers; indices are numpy's arrays
float16 bfloat16 half HalfTensor: tensors are float64, or tl.float32
FloatTensor DoubleTensor: tl.tensor(data, dtype=tl.float32), or tl.float64, which is the default
Variable autograd: tl.tensor(data, requires_grad=True) learns; its gradients are loss.backward(), or tl.grad(loss, [x])
enable_grad set_grad_enabled inference_mode: everything is recorded, except with tl.no_grad()
set_default_dtype get_default_dtype: float64, unless data or dtype=tl.float32 say otherwise
optim: tl.SGD, tl.Adam and the others are names of tl
utils DataLoader Dataset: any loop over arrays of numpy's will do: for i in rng.permutation(len(xs)): ...
empty empty_like: tl.zeros(2, 3); what is not set would be what was there before
randint randperm normal bernoulli multinomial: rng = np.random.default_rng(0) has integers, permutation, choice
gather scatter index_select: tl.take_along_axis(x, indices, axis) takes by place, x[[0, 2]] whole rows
is_tensor: isinstance(x, tl.Tensor)
sort argsort topk: order = np.argsort(x.value); tl.take_along_axis(x, order)
jit script distributed: what runs is the graph of numpy's operations that tl.draw shows
vmap: operations broadcast; tl.stack([f(x) for x in xs]) does the rest
"""
"""What PyTorch has and we have not, on purpose: names, and what to write instead."""


def _version() -> str:
    """Return that of the installed package; of a mere copy of its files nobody can tell."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tinygrad-lstm")
    except PackageNotFoundError:
        return "unknown"


def __dir__() -> list[str]:
    return sorted({*__all__, *_HIDING, "__version__", *(name for name in globals() if name.startswith("__"))})
