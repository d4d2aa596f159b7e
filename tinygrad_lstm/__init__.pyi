"""See how recurrent networks learn: an autodiff engine you can draw, step through and prove.

Build networks from plain equations on Tensors; then ``draw`` what ran, ``step`` through its backward pass, and prove
its gradients with ``testing``. Everything is imported when it is used: the engine and its networks need numpy alone.
"""
# Written by: python -m tests.house.stub
from typing import Any, overload
from numpy.typing import ArrayLike
from .engine.primitive import Primitive as _Primitive
from . import drawing as drawing
from . import engine as engine
from . import nn as nn
from . import program as program
from . import structure as structure
from . import symbolic as symbolic
from . import testing as testing
from . import training as training
from .drawing import compare as compare
from .drawing import difference as difference
from .drawing import draw as draw
from .drawing import sweep as sweep
from .engine.backprop import Contribution as Contribution
from .engine.backprop import backprop as backprop
from .engine.backprop import grad as grad
from .engine.errors import LeavesTheGraph as LeavesTheGraph
from .engine.errors import ShapeError as ShapeError
from .engine.functions import argmax as argmax
from .engine.functions import argmin as argmin
from .engine.functions import chunk as chunk
from .engine.functions import clip as clip
from .engine.functions import concat as concat
from .engine.functions import cosh as cosh
from .engine.functions import cumsum as cumsum
from .engine.functions import dot as dot
from .engine.functions import einsum as einsum
from .engine.functions import elu as elu
from .engine.functions import expand as expand
from .engine.functions import expand_dims as expand_dims
from .engine.functions import flatten as flatten
from .engine.functions import flip as flip
from .engine.functions import gelu as gelu
from .engine.functions import hardsigmoid as hardsigmoid
from .engine.functions import hardtanh as hardtanh
from .engine.functions import leaky_relu as leaky_relu
from .engine.functions import logaddexp as logaddexp
from .engine.functions import logsigmoid as logsigmoid
from .engine.functions import norm as norm
from .engine.functions import outer as outer
from .engine.functions import pad as pad
from .engine.functions import prod as prod
from .engine.functions import reciprocal as reciprocal
from .engine.functions import sign as sign
from .engine.functions import silu as silu
from .engine.functions import sinh as sinh
from .engine.functions import softsign as softsign
from .engine.functions import square as square
from .engine.functions import stack as stack
from .engine.functions import swapaxes as swapaxes
from .engine.functions import take as take
from .engine.functions import take_along_axis as take_along_axis
from .engine.functions import tan as tan
from .engine.functions import tensordot as tensordot
from .engine.functions import tile as tile
from .engine.functions import tril as tril
from .engine.functions import triu as triu
from .engine.graph import Graph as Graph
from .engine.hooks import grad_hook as grad_hook
from .engine.methods import permute as permute
from .engine.methods import split as split
from .engine.methods import squeeze as squeeze
from .engine.methods import std as std
from .engine.methods import var as var
from .engine.primitive import primitive as primitive
from .engine.primitive import primitives as primitives
from .engine.scope import detect_nan as detect_nan
from .engine.scope import no_grad as no_grad
from .engine.scope import scope as scope
from .engine.scope import time_step as time_step
from .engine.tensor import Tensor as Tensor
from .engine.tensor import tensor as tensor
from .interop import export_onnx as export_onnx
from .interop import from_keras as from_keras
from .interop import from_torch as from_torch
from .interop import import_onnx as import_onnx
from .interop import load as load
from .interop import save as save
from .interop import to_keras as to_keras
from .interop import to_torch as to_torch
from .nn import Adagrad as Adagrad
from .nn import Adam as Adam
from .nn import AdamW as AdamW
from .nn import CoupledLSTMCell as CoupledLSTMCell
from .nn import Embedding as Embedding
from .nn import GRU as GRU
from .nn import GRUCell as GRUCell
from .nn import LSTM as LSTM
from .nn import LSTMCell as LSTMCell
from .nn import Linear as Linear
from .nn import PeepholeLSTMCell as PeepholeLSTMCell
from .nn import RMSprop as RMSprop
from .nn import RNN as RNN
from .nn import RNNCell as RNNCell
from .nn import SGD as SGD
from .nn import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from .nn import clip_grad_norm as clip_grad_norm
from .nn import cross_entropy as cross_entropy
from .nn import huber_loss as huber_loss
from .nn import l1_loss as l1_loss
from .nn import mse_loss as mse_loss
from .nn import nll_loss as nll_loss
from .nn import smooth_l1_loss as smooth_l1_loss
from .nn.creation import Parameter as Parameter
from .nn.creation import arange as arange
from .nn.creation import eye as eye
from .nn.creation import float32 as float32
from .nn.creation import float64 as float64
from .nn.creation import from_numpy as from_numpy
from .nn.creation import full as full
from .nn.creation import linspace as linspace
from .nn.creation import manual_seed as manual_seed
from .nn.creation import one_hot as one_hot
from .nn.creation import ones as ones
from .nn.creation import ones_like as ones_like
from .nn.creation import rand as rand
from .nn.creation import randn as randn
from .nn.creation import zeros as zeros
from .nn.creation import zeros_like as zeros_like
from .program import compile as compile
from .program import source as source
from .stepper import step as step
from .structure.diagnosis.diagnose import diagnose as diagnose
from .structure.path import path as path
from .structure.unused import explain_unused as explain_unused
from .structure.what_if import what_if as what_if
from .symbolic import UnknownToReader as UnknownToReader
from .symbolic import derive as derive
from .symbolic import formula as formula
from .symbolic import to_sympy as to_sympy
from .training.fit import fit as fit
__version__: str
__all__ = [
    "Adagrad",
    "Adam",
    "AdamW",
    "Contribution",
    "CoupledLSTMCell",
    "Embedding",
    "GRU",
    "GRUCell",
    "Graph",
    "LSTM",
    "LSTMCell",
    "LeavesTheGraph",
    "Linear",
    "Parameter",
    "PeepholeLSTMCell",
    "RMSprop",
    "RNN",
    "RNNCell",
    "SGD",
    "ShapeError",
    "Tensor",
    "UnknownToReader",
    "arange",
    "arctan",
    "argmax",
    "argmin",
    "backprop",
    "binary_cross_entropy_with_logits",
    "broadcast_to",
    "chunk",
    "clip",
    "clip_grad_norm",
    "compare",
    "concat",
    "cos",
    "cosh",
    "cross_entropy",
    "cumsum",
    "derive",
    "detect_nan",
    "diagnose",
    "difference",
    "dot",
    "draw",
    "einsum",
    "elu",
    "erf",
    "erfc",
    "exp",
    "expand",
    "expand_dims",
    "explain_unused",
    "expm1",
    "export_onnx",
    "eye",
    "fit",
    "flatten",
    "flip",
    "float32",
    "float64",
    "floor",
    "formula",
    "from_keras",
    "from_numpy",
    "from_torch",
    "full",
    "gelu",
    "grad",
    "grad_hook",
    "hardsigmoid",
    "hardtanh",
    "huber_loss",
    "import_onnx",
    "l1_loss",
    "leaky_relu",
    "linspace",
    "load",
    "log",
    "log1p",
    "log_softmax",
    "logaddexp",
    "logsigmoid",
    "logsumexp",
    "manual_seed",
    "maximum",
    "mean",
    "minimum",
    "mse_loss",
    "nll_loss",
    "nn",
    "no_grad",
    "norm",
    "one_hot",
    "ones",
    "ones_like",
    "outer",
    "pad",
    "path",
    "permute",
    "primitive",
    "primitives",
    "prod",
    "rand",
    "randn",
    "reciprocal",
    "relu",
    "reshape",
    "save",
    "scope",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "softsign",
    "source",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "step",
    "swapaxes",
    "sweep",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensor",
    "tensordot",
    "testing",
    "tile",
    "time_step",
    "to_keras",
    "to_sympy",
    "to_torch",
    "transpose",
    "tril",
    "triu",
    "var",
    "what_if",
    "where",
    "zeros",
    "zeros_like",
]
class _arctan(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return the angle whose tangent is x, in radians, between −π/2 and π/2.

        The result has the shape of x.

        >>> tl.arctan(tl.tensor([-1, 0, 2]))
        tensor([-0.7854,  0.    ,  1.1071], made by arctan)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return the angle whose tangent is x, in radians, between −π/2 and π/2.

        The result has the shape of x.

        >>> tl.arctan(tl.tensor([-1, 0, 2]))
        tensor([-0.7854,  0.    ,  1.1071], made by arctan)"""
        ...

arctan: _arctan
class _broadcast_to(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, shape: tuple[int, ...] = ...) -> Tensor:
        """Return x stretched to a shape that it broadcasts to.

        >>> tl.broadcast_to(tl.tensor([-1, 0, 2]), (2, 3))
        tensor([[-1.,  0.,  2.],
                [-1.,  0.,  2.]], made by broadcast_to)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, shape: tuple[int, ...] = ...) -> Any:
        """Return x stretched to a shape that it broadcasts to.

        >>> tl.broadcast_to(tl.tensor([-1, 0, 2]), (2, 3))
        tensor([[-1.,  0.,  2.],
                [-1.,  0.,  2.]], made by broadcast_to)"""
        ...

broadcast_to: _broadcast_to
class _cos(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return the cosine of x, in radians.

        The result has the shape of x.

        >>> tl.cos(tl.tensor([-1, 0, 2]))
        tensor([ 0.5403,  1.    , -0.4161], made by cos)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return the cosine of x, in radians.

        The result has the shape of x.

        >>> tl.cos(tl.tensor([-1, 0, 2]))
        tensor([ 0.5403,  1.    , -0.4161], made by cos)"""
        ...

cos: _cos
class _erf(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return the error function, 2/√π ∫₀ˣ e^(−t²) dt, between −1 and 1.

        The result has the shape of x.

        >>> tl.erf(tl.tensor([-1, 0, 2]))
        tensor([-0.8427,  0.    ,  0.9953], made by erf)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return the error function, 2/√π ∫₀ˣ e^(−t²) dt, between −1 and 1.

        The result has the shape of x.

        >>> tl.erf(tl.tensor([-1, 0, 2]))
        tensor([-0.8427,  0.    ,  0.9953], made by erf)"""
        ...

erf: _erf
class _erfc(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return 1 − erf x, with all its digits also far out on the right (Shepherd & Laframboise 1981).

        The result has the shape of x.

        >>> tl.erfc(tl.tensor([-1, 0, 2]))
        tensor([1.8427, 1.    , 0.0047], made by erfc)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return 1 − erf x, with all its digits also far out on the right (Shepherd & Laframboise 1981).

        The result has the shape of x.

        >>> tl.erfc(tl.tensor([-1, 0, 2]))
        tensor([1.8427, 1.    , 0.0047], made by erfc)"""
        ...

erfc: _erfc
class _exp(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return eˣ.

        The result has the shape of x.

        >>> tl.exp(tl.tensor([-1, 0, 2]))
        tensor([0.3679, 1.    , 7.3891], made by exp)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return eˣ.

        The result has the shape of x.

        >>> tl.exp(tl.tensor([-1, 0, 2]))
        tensor([0.3679, 1.    , 7.3891], made by exp)"""
        ...

exp: _exp
class _expm1(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return eˣ − 1, with all its digits also where x is small.

        The result has the shape of x.

        >>> tl.expm1(tl.tensor([-1, 0, 1e-20])).tolist()[1:]
        [0.0, 1e-20]"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return eˣ − 1, with all its digits also where x is small.

        The result has the shape of x.

        >>> tl.expm1(tl.tensor([-1, 0, 1e-20])).tolist()[1:]
        [0.0, 1e-20]"""
        ...

expm1: _expm1
class _floor(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return the largest whole number that is not above x: constant almost everywhere, so that no gradient flows.

        The result has the shape of x.

        >>> tl.floor(tl.tensor([-0.5, 0, 2.5]))
        tensor([-1.,  0.,  2.], made by floor)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return the largest whole number that is not above x: constant almost everywhere, so that no gradient flows.

        The result has the shape of x.

        >>> tl.floor(tl.tensor([-0.5, 0, 2.5]))
        tensor([-1.,  0.,  2.], made by floor)"""
        ...

floor: _floor
class _log(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return the natural logarithm of x, for x > 0.

        The result has the shape of x.

        >>> tl.log(tl.exp(tl.tensor([-1, 0, 2])))
        tensor([-1.,  0.,  2.], made by log)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return the natural logarithm of x, for x > 0.

        The result has the shape of x.

        >>> tl.log(tl.exp(tl.tensor([-1, 0, 2])))
        tensor([-1.,  0.,  2.], made by log)"""
        ...

log: _log
class _log1p(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return log(1 + x), for x > −1, with all its digits also where x is small.

        The result has the shape of x.

        >>> tl.log1p(tl.tensor([0, 1e-20])).tolist()
        [0.0, 1e-20]"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return log(1 + x), for x > −1, with all its digits also where x is small.

        The result has the shape of x.

        >>> tl.log1p(tl.tensor([0, 1e-20])).tolist()
        [0.0, 1e-20]"""
        ...

log1p: _log1p
class _log_softmax(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, axis: int = ...) -> Tensor:
        """Return x − log Σ eˣ along an axis, the logarithm of softmax, without its underflow; none is above 0.

        The result has the shape of x.

        >>> tl.log_softmax(tl.tensor([-1, 0, 2]))
        tensor([-3.1698, -2.1698, -0.1698], made by log_softmax)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, axis: int = ...) -> Any:
        """Return x − log Σ eˣ along an axis, the logarithm of softmax, without its underflow; none is above 0.

        The result has the shape of x.

        >>> tl.log_softmax(tl.tensor([-1, 0, 2]))
        tensor([-3.1698, -2.1698, -0.1698], made by log_softmax)"""
        ...

log_softmax: _log_softmax
class _logsumexp(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, axis: Any = ..., keepdims: bool = ...) -> Tensor:
        """Return log Σ eˣ, without overflow (Blanchard, Higham & Higham 2021). Its derivative is softmax(x).

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.logsumexp(1000 + tl.tensor([-1, 0, 2]))
        tensor(1002.1698, made by logsumexp)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, axis: Any = ..., keepdims: bool = ...) -> Any:
        """Return log Σ eˣ, without overflow (Blanchard, Higham & Higham 2021). Its derivative is softmax(x).

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.logsumexp(1000 + tl.tensor([-1, 0, 2]))
        tensor(1002.1698, made by logsumexp)"""
        ...

logsumexp: _logsumexp
class _maximum(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, a: Tensor, b: Tensor | ArrayLike) -> Tensor:
        """Return the larger of a and b. At a tie each gets half the gradient.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.maximum(tl.tensor([-1, 0, 2]), 1)
        tensor([1., 1., 2.], made by maximum)"""
        ...
    @overload
    def __call__(self, a: Tensor | ArrayLike, b: Tensor) -> Tensor:
        """Return the larger of a and b. At a tie each gets half the gradient.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.maximum(tl.tensor([-1, 0, 2]), 1)
        tensor([1., 1., 2.], made by maximum)"""
        ...
    @overload
    def __call__(self, a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Any:
        """Return the larger of a and b. At a tie each gets half the gradient.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.maximum(tl.tensor([-1, 0, 2]), 1)
        tensor([1., 1., 2.], made by maximum)"""
        ...

maximum: _maximum
class _mean(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, axis: Any = ..., keepdims: bool = ...) -> Tensor:
        """Return the mean of x.

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.mean(tl.tensor([-1, 0, 2])).item() == 1 / 3
        True"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, axis: Any = ..., keepdims: bool = ...) -> Any:
        """Return the mean of x.

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.mean(tl.tensor([-1, 0, 2])).item() == 1 / 3
        True"""
        ...

mean: _mean
class _minimum(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, a: Tensor, b: Tensor | ArrayLike) -> Tensor:
        """Return the smaller of a and b. At a tie each gets half the gradient.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.minimum(tl.tensor([-1, 0, 2]), 1)
        tensor([-1.,  0.,  1.], made by minimum)"""
        ...
    @overload
    def __call__(self, a: Tensor | ArrayLike, b: Tensor) -> Tensor:
        """Return the smaller of a and b. At a tie each gets half the gradient.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.minimum(tl.tensor([-1, 0, 2]), 1)
        tensor([-1.,  0.,  1.], made by minimum)"""
        ...
    @overload
    def __call__(self, a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Any:
        """Return the smaller of a and b. At a tie each gets half the gradient.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.minimum(tl.tensor([-1, 0, 2]), 1)
        tensor([-1.,  0.,  1.], made by minimum)"""
        ...

minimum: _minimum
class _relu(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return x where x > 0 and 0 elsewhere (Nair & Hinton 2010). At 0 its derivative is taken as ½.

        The result has the shape of x.

        >>> tl.relu(tl.tensor([-1, 0, 2]))
        tensor([0., 0., 2.], made by relu)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return x where x > 0 and 0 elsewhere (Nair & Hinton 2010). At 0 its derivative is taken as ½.

        The result has the shape of x.

        >>> tl.relu(tl.tensor([-1, 0, 2]))
        tensor([0., 0., 2.], made by relu)"""
        ...

relu: _relu
class _reshape(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, shape: tuple[int, ...] = ...) -> Tensor:
        """Return the numbers of x in another shape, row by row; one side may be −1, which is what is left.

        >>> tl.reshape(tl.tensor([-1, 0, 2]), (3, 1)).shape
        (3, 1)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, shape: tuple[int, ...] = ...) -> Any:
        """Return the numbers of x in another shape, row by row; one side may be −1, which is what is left.

        >>> tl.reshape(tl.tensor([-1, 0, 2]), (3, 1)).shape
        (3, 1)"""
        ...

reshape: _reshape
class _sigmoid(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return the logistic function σ(x) = 1 / (1 + e⁻ˣ), between 0 and 1: how far a gate is open.

        The result has the shape of x.

        >>> tl.sigmoid(tl.tensor([-1, 0, 2]))
        tensor([0.2689, 0.5   , 0.8808], made by sigmoid)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return the logistic function σ(x) = 1 / (1 + e⁻ˣ), between 0 and 1: how far a gate is open.

        The result has the shape of x.

        >>> tl.sigmoid(tl.tensor([-1, 0, 2]))
        tensor([0.2689, 0.5   , 0.8808], made by sigmoid)"""
        ...

sigmoid: _sigmoid
class _sin(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return the sine of x, in radians.

        The result has the shape of x.

        >>> tl.sin(tl.tensor([-1, 0, 2]))
        tensor([-0.8415,  0.    ,  0.9093], made by sin)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return the sine of x, in radians.

        The result has the shape of x.

        >>> tl.sin(tl.tensor([-1, 0, 2]))
        tensor([-0.8415,  0.    ,  0.9093], made by sin)"""
        ...

sin: _sin
class _softmax(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, axis: int = ...) -> Tensor:
        """Return eˣ / Σ eˣ along an axis, numbers between 0 and 1 that add up to 1 (Bridle 1990).

        The result has the shape of x.

        >>> tl.softmax(tl.tensor([-1, 0, 2]))
        tensor([0.042 , 0.1142, 0.8438], made by softmax)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, axis: int = ...) -> Any:
        """Return eˣ / Σ eˣ along an axis, numbers between 0 and 1 that add up to 1 (Bridle 1990).

        The result has the shape of x.

        >>> tl.softmax(tl.tensor([-1, 0, 2]))
        tensor([0.042 , 0.1142, 0.8438], made by softmax)"""
        ...

softmax: _softmax
class _softplus(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return log(1 + eˣ), a smooth relu, without overflow (Dugas et al. 2001). Its derivative is σ(x).

        The result has the shape of x.

        >>> tl.softplus(tl.tensor([-1, 0, 2]))
        tensor([0.3133, 0.6931, 2.1269], made by softplus)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return log(1 + eˣ), a smooth relu, without overflow (Dugas et al. 2001). Its derivative is σ(x).

        The result has the shape of x.

        >>> tl.softplus(tl.tensor([-1, 0, 2]))
        tensor([0.3133, 0.6931, 2.1269], made by softplus)"""
        ...

softplus: _softplus
class _sqrt(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return √x, for x ≥ 0. Its derivative is infinite at 0.

        The result has the shape of x.

        >>> tl.sqrt(tl.tensor([0, 1, 9]))
        tensor([0., 1., 3.], made by sqrt)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return √x, for x ≥ 0. Its derivative is infinite at 0.

        The result has the shape of x.

        >>> tl.sqrt(tl.tensor([0, 1, 9]))
        tensor([0., 1., 3.], made by sqrt)"""
        ...

sqrt: _sqrt
class _tanh(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return the hyperbolic tangent of x, (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), between −1 and 1.

        The result has the shape of x.

        >>> tl.tanh(tl.tensor([-1, 0, 2]))
        tensor([-0.7616,  0.    ,  0.964 ], made by tanh)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return the hyperbolic tangent of x, (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), between −1 and 1.

        The result has the shape of x.

        >>> tl.tanh(tl.tensor([-1, 0, 2]))
        tensor([-0.7616,  0.    ,  0.964 ], made by tanh)"""
        ...

tanh: _tanh
class _transpose(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, axes: Any = ...) -> Tensor:
        """Return x with its axes in another order, or reversed (None).

        >>> tl.transpose(tl.tensor([[1, 2]]))
        tensor([[1.],
                [2.]], made by transpose)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, axes: Any = ...) -> Any:
        """Return x with its axes in another order, or reversed (None).

        >>> tl.transpose(tl.tensor([[1, 2]]))
        tensor([[1.],
                [2.]], made by transpose)"""
        ...

transpose: _transpose
class _where(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, condition: Tensor, a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
        """Return a where condition is not 0 and b elsewhere. No gradient flows into condition.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.where(np.array([True, False]), tl.tensor([1, 2]), 0.0)
        tensor([1., 0.], made by where)"""
        ...
    @overload
    def __call__(self, condition: Tensor | ArrayLike, a: Tensor, b: Tensor | ArrayLike) -> Tensor:
        """Return a where condition is not 0 and b elsewhere. No gradient flows into condition.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.where(np.array([True, False]), tl.tensor([1, 2]), 0.0)
        tensor([1., 0.], made by where)"""
        ...
    @overload
    def __call__(self, condition: Tensor | ArrayLike, a: Tensor | ArrayLike, b: Tensor) -> Tensor:
        """Return a where condition is not 0 and b elsewhere. No gradient flows into condition.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.where(np.array([True, False]), tl.tensor([1, 2]), 0.0)
        tensor([1., 0.], made by where)"""
        ...
    @overload
    def __call__(self, condition: Tensor | ArrayLike, a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Any:
        """Return a where condition is not 0 and b elsewhere. No gradient flows into condition.

        Shapes broadcast, or ShapeError is raised.

        >>> tl.where(np.array([True, False]), tl.tensor([1, 2]), 0.0)
        tensor([1., 0.], made by where)"""
        ...

where: _where
class _abs(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor) -> Tensor:
        """Return |x|. At 0 its derivative is taken as 0.

        The result has the shape of x.

        >>> abs(tl.tensor([-1, 0, 2]))
        tensor([1., 0., 2.], made by abs)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike) -> Any:
        """Return |x|. At 0 its derivative is taken as 0.

        The result has the shape of x.

        >>> abs(tl.tensor([-1, 0, 2]))
        tensor([1., 0., 2.], made by abs)"""
        ...

abs: _abs
class _max(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, axis: Any = ..., keepdims: bool = ...) -> Tensor:
        """Return the largest of x. Of k equal ones each gets 1/k of the gradient.

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.max(tl.tensor([-1, 0, 2]))
        tensor(2., made by max)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, axis: Any = ..., keepdims: bool = ...) -> Any:
        """Return the largest of x. Of k equal ones each gets 1/k of the gradient.

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.max(tl.tensor([-1, 0, 2]))
        tensor(2., made by max)"""
        ...

max: _max
class _min(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, axis: Any = ..., keepdims: bool = ...) -> Tensor:
        """Return the smallest of x. Of k equal ones each gets 1/k of the gradient.

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.min(tl.tensor([-1, 0, 2]))
        tensor(-1., made by min)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, axis: Any = ..., keepdims: bool = ...) -> Any:
        """Return the smallest of x. Of k equal ones each gets 1/k of the gradient.

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.min(tl.tensor([-1, 0, 2]))
        tensor(-1., made by min)"""
        ...

min: _min
class _sum(_Primitive):
    @overload  # type: ignore[override]
    def __call__(self, x: Tensor, axis: Any = ..., keepdims: bool = ...) -> Tensor:
        """Return the sum of x.

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.sum(tl.tensor([-1, 0, 2]))
        tensor(1., made by sum)"""
        ...
    @overload
    def __call__(self, x: Tensor | ArrayLike, axis: Any = ..., keepdims: bool = ...) -> Any:
        """Return the sum of x.

        axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.

        >>> tl.sum(tl.tensor([-1, 0, 2]))
        tensor(1., made by sum)"""
        ...

sum: _sum
absolute: _abs
add: _Primitive
atan: _arctan
bmm: _Primitive
cat = concat
clamp = clip
concatenate = concat
div: _Primitive
divide: _Primitive
matmul: _Primitive
mm: _Primitive
mul: _Primitive
multiply: _Primitive
neg: _Primitive
negative: _Primitive
pow: _Primitive
sub: _Primitive
subtract: _Primitive
swapdims = swapaxes
t: _transpose
true_divide: _Primitive
unsqueeze = expand_dims
