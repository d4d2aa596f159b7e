"""What PyTorch's functions and methods compute that only forwards written for it call, by the names they have there.

A line for each, made of functions of ours; those that ours have too, under this name or another, stand in
``engine/pytorch.py``. They are known once a module has been borrowed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine import functions, ops, torchs
from ..engine.arguments import axis_of
from ..engine.methods import Extreme, methods
from ..engine.primitive import primitive
from ..engine.pytorch import answered
from ..engine.source import skip_file
from ..engine.tensor import Tensor, tensor
from ..nn import creation
from ..nn.layers import embedding
from . import torch_layers

skip_file(__file__)


def _at(x: Any, dim: int, index: Any) -> Any:
    """Return what stands at a place, or places, along a dimension."""
    return x[(*[slice(None)] * axis_of(x, dim), index)]


def _narrow(x: Any, dim: int, start: int, length: int) -> Any:
    """Return so many places along a dimension, from one on that may be counted from the end."""
    n = x.shape[axis_of(x, dim)]
    begin = start + n if start < 0 else start
    if not 0 <= begin <= begin + length <= n:
        raise IndexError(f"narrow: there are {n} places along dimension {dim}, not {length} from {start} on")
    return _at(x, dim, slice(begin, begin + length))


def _movedim(x: Any, source: Any, destination: Any) -> Any:
    """Return x with dimensions moved to other places; the others keep their order."""
    moved, places = ([axis_of(x, dim) for dim in np.atleast_1d(dims).tolist()] for dims in (source, destination))
    order = [dim for dim in range(x.ndim) if dim not in moved]
    for place, dim in sorted(zip(places, moved, strict=True)):
        order.insert(place, dim)
    return ops.transpose(x, axes=tuple(order))


def _gather(x: Any, dim: int, index: Any) -> Any:
    """Return the numbers at places along a dimension: index has as many dimensions as x, and no larger others."""
    along, index = axis_of(x, dim), np.asarray(index)
    sides = [slice(None) if axis == along else slice(n) for axis, n in enumerate(index.shape)]
    return functions.take_along_axis(x[tuple(sides)], index, axis=along)


def _roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    if dims is None:
        return _roll(functions.flatten(x), shifts, 0).reshape(x.shape)
    pairs = zip(*(each if isinstance(each, Sequence) else (each,) for each in (shifts, dims)), strict=True)
    for shift, dim in pairs:
        n = x.shape[axis_of(x, dim)]
        x = _at(x, dim, (np.arange(n) - shift) % max(n, 1))
    return x


def _pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Return x with so much of a value before and after, the last dimension first; less than 0 cuts."""
    if mode != "constant":
        raise TypeError(f"torch's pad with mode={mode!r} is no operation of tinygrad_lstm")
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + list(zip(pad[-2::-2], pad[::-2], strict=True))
    x = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape, strict=True))]
    return functions.pad(x, [(max(a, 0), max(b, 0)) for a, b in pairs], value or 0.0)


def _sorted(x: Any, dim: int = -1, descending: bool = False, stable: bool = False, *, k: int | None = None) -> Extreme:
    """Return numbers in order, and where they stood; equal ones keep theirs, asked to or not."""
    places = np.argsort(-x.value if descending else x.value, axis=dim, kind="stable")
    places = places if k is None else np.take(places, np.arange(k), axis=dim)
    return Extreme(functions.take_along_axis(x, places, axis=dim), answered(places))


def _topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Extreme:
    return _sorted(x, dim, largest, k=k)


def _repeat_interleave(x: Any, repeats: Any, dim: int | None = None) -> Any:
    if dim is None:
        x, dim = functions.flatten(x), 0
    return _at(x, dim, np.repeat(np.arange(x.shape[axis_of(x, dim)]), repeats))


def _attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: Any = None,
) -> Any:
    """Return softmax(query keyᵀ · scale) value, Vaswani et al. (2017); of a mask of booleans, True is seen."""
    if dropout_p:
        raise TypeError("torch's scaled_dot_product_attention with dropout_p is no operation of tinygrad_lstm")
    scores = query @ functions.swapaxes(key, -1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
    if attn_mask is not None:
        seen = getattr(attn_mask, "dtype", None) == np.bool_
        scores = ops.where(attn_mask, scores, -np.inf) if seen else scores + attn_mask
    return ops.softmax(scores, axis=-1) @ value


def _log(p: Any) -> Any:
    return ops.maximum(ops.log(p), -100.0)


def _losses(p: Any, t: Any) -> Any:
    with np.errstate(divide="ignore"):
        return -(t * _log(p) + (1 - t) * _log(1 - p))


def _slopes(g: Any, y: Any, p: Any, t: Any) -> tuple[Any, ...]:
    return g * (p - t) / ops.maximum(p * (1 - p), 1e-12), lambda: g * (_log(1 - p) - _log(p))


_CROSS_ENTROPY = primitive("binary_cross_entropy", _losses, _slopes, "BCE", domain=(0, 1), range=(0, np.inf))
"""−(t log p + (1 − t) log(1 − p)), where logarithms are −100 at least, and the slope is held, as in PyTorch."""


def _binary_cross_entropy(p: Any, target: Any, reduction: str = "mean") -> Any:
    losses = _CROSS_ENTROPY(p, target)
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses


def _normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    return x / functions.clip(functions.norm(x, p, axis=dim, keepdims=True), eps)


def _norm(x: Any, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """Return a norm of vectors: "fro", as PyTorch calls it, is that of squares."""
    return functions.norm(x, 2 if p == "fro" else p, axis=dim, keepdims=keepdim)


def _vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    return _norm(x, ord, dim, keepdim)


def _linalg_norm(x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Any:
    """Return a norm of vectors, or the root of all squares; other norms of matrices are refused."""
    if ord in (None, "fro"):
        return _norm(x, 2, dim, keepdim)
    if x.ndim != 1 if dim is None else not isinstance(dim, int):
        raise TypeError(f"torch's linalg_norm of matrices with ord={ord!r} is no operation of tinygrad_lstm")
    return _norm(x, ord, dim, keepdim)


def _embedding(
    indices: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Return rows of the weight. The gradient is dense, asked to be sparse or not."""
    if max_norm is not None or scale_grad_by_freq:
        what = "scale_grad_by_freq" if max_norm is None else "max_norm"
        raise TypeError(f"torch's embedding with {what} is no operation of tinygrad_lstm")
    return embedding(indices, weight, padding_idx)


def _cosine(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    a, b = (_normalize(x, dim=dim, eps=eps) for x in (x1, x2))
    return functions.squeeze(ops.sum(a * b, axis=dim, keepdims=True), dim)


def _type_as(x: Any, other: Any) -> Any:
    return methods()["to"](x, other.dtype) if isinstance(x, Tensor) else tensor(x, dtype=other.dtype)


def _linear_between(x: Any, end: Any, weight: Any) -> Any:
    return x + weight * (end - x)


def _unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    axis = axis_of(x, dim)
    return ops.reshape(x, shape=(*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))


def _made(
    x: Any,
    numbers: Any,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
    layout: Any = None,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Any:
    """Return a tensor of the type of x, or another; of whole numbers it is PyTorch's, as what one indexes with."""
    array = np.asarray(numbers).astype(x.dtype if dtype is None else str(dtype).rpartition(".")[2])
    return tensor(array, requires_grad=requires_grad) if array.dtype.kind == "f" else answered(array)


def _compared(compare: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda x, other: answered(
        compare(*(each.value if isinstance(each, Tensor) else each for each in (x, other)))
    )


def _number(x: Any, kind: str) -> Any:
    return methods()["to"](x, kind)


_COMPARISONS = "gt=greater ge=greater_equal lt=less le=less_equal eq=equal ne=not_equal"

_BOTH: dict[str, Callable[..., Any]] = dict(
    unbind=lambda x, dim=0: tuple(_at(x, dim, k) for k in range(x.shape[axis_of(x, dim)])),
    select=_at,
    narrow=_narrow,
    gather=_gather,
    take_along_dim=lambda x, indices, dim: functions.take_along_axis(x, indices, axis=dim),
    masked_select=lambda x, mask: x[np.asarray(mask)],
    roll=_roll,
    sort=_sorted,
    topk=_topk,
    repeat_interleave=_repeat_interleave,
    unflatten=_unflatten,
    movedim=_movedim,
    amax=lambda x, dim=None, keepdim=False: ops.max(x, axis=dim, keepdims=keepdim),
    amin=lambda x, dim=None, keepdim=False: ops.min(x, axis=dim, keepdims=keepdim),
    clamp_min=lambda x, min: functions.clip(x, min),
    clamp_max=lambda x, max: functions.clip(x, high=max),
    rsqrt=lambda x: 1 / ops.sqrt(x),
    logit=lambda x: ops.log(x) - ops.log(1 - x),
    mv=lambda x, vec: x @ vec,
    addmm=lambda x, mat1, mat2, beta=1, alpha=1: beta * x + alpha * (mat1 @ mat2),
    baddbmm=lambda x, batch1, batch2, beta=1, alpha=1: beta * x + alpha * (batch1 @ batch2),
    addcmul=lambda x, tensor1, tensor2, value=1: x + value * tensor1 * tensor2,
    lerp=_linear_between,
    add=lambda x, other, alpha=1: ops.add(x, other if alpha == 1 else alpha * other),
    sub=lambda x, other, alpha=1: ops.sub(x, other if alpha == 1 else alpha * other),
    rsub=lambda x, other, alpha=1: other - alpha * x,
    type_as=_type_as,
    **{name: _compared(getattr(np, ufunc)) for name, ufunc in (pair.split("=") for pair in _COMPARISONS.split())},
)
"""Functions, which are methods too."""

_METHODS: dict[str, Callable[..., Any]] = {
    "expand_as": lambda x, other: functions.expand(x, other.shape),
    "view_as": lambda x, other: ops.reshape(x, shape=other.shape),
    "reshape_as": lambda x, other: ops.reshape(x, shape=other.shape),
    "new_full": lambda x, size, fill_value, **how: _made(x, np.full(size, fill_value), **how),
    "new_tensor": lambda x, data, **how: _made(x, data, **how),
    "float": lambda x: _number(x, "float32"),
    "double": lambda x: _number(x, "float64"),
}

_FUNCTIONS: dict[str, Callable[..., Any]] = dict(
    **{".to": lambda x, *to, **how: _type_as(x, *to) if isinstance(to[0], Tensor) else methods()["to"](x, *to, **how)},
    take=lambda x, index: functions.flatten(x)[np.asarray(index)],
    norm=_norm,
    cosine_similarity=_cosine,
    pad=_pad,
    embedding=_embedding,
    full_like=lambda x, fill_value, **how: _made(x, np.full(x.shape, fill_value), **how),
    empty_like=lambda x, **how: _made(x, np.zeros(x.shape), **how),
    zeros_like=lambda x, **how: _made(x, np.zeros(x.shape), **how),
    ones_like=lambda x, **how: _made(x, np.ones(x.shape), **how),
    rand_like=lambda x, **how: _made(x, creation.rand(*x.shape).value, **how),
    randn_like=lambda x, **how: _made(x, creation.randn(*x.shape).value, **how),
    hstack=lambda tensors: functions.concat(tensors, axis=int(tensors[0].ndim > 1)),
    vstack=lambda tensors: functions.concat([x.reshape(1, -1) if x.ndim == 1 else x for x in tensors]),
    softplus=lambda x, beta=1.0, threshold=20.0: ops.softplus(x) if beta == 1 else ops.softplus(beta * x) / beta,
    hardtanh=lambda x, min_val=-1.0, max_val=1.0, inplace=False: functions.clip(x, min_val, max_val),
    log_sigmoid=functions.logsigmoid,
    relu6=torch_layers._relu6,
    hardswish=torch_layers._hardswish,
    mish=torch_layers._mish,
    selu=torch_layers._selu,
    glu=lambda x, dim=-1: (lambda a, b: a * ops.sigmoid(b))(*functions.chunk(x, 2, dim)),
    softmin=lambda x, dim: ops.softmax(-x, axis=dim),
    tanhshrink=lambda x: x - ops.tanh(x),
    special_expit=ops.sigmoid,
    normalize=_normalize,
    linalg_norm=_linalg_norm,
    linalg_vector_norm=_vector_norm,
    scaled_dot_product_attention=_attention,
    binary_cross_entropy=_binary_cross_entropy,
)


for _name, _function in {**_BOTH, **_METHODS, **_FUNCTIONS}.items():
    if getattr(_function, "__module__", "") == __name__:
        _function.__qualname__ = f"torch's {_name}"  # as Python calls it where arguments do not fit


def speak() -> None:
    """Have PyTorch's functions known, and its methods where a forward runs that was written for it."""
    torchs.KNOWN.update({**_BOTH, **_FUNCTIONS})
    torchs.METHODS.update({**_BOTH, **_METHODS})
