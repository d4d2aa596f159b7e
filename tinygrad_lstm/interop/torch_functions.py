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


def _sorted(x: Any, dim: int = -1, descending: bool = False, k: int | None = None) -> Extreme:
    places = np.argsort(-x.value if descending else x.value, axis=dim, kind="stable")
    places = places if k is None else np.take(places, np.arange(k), axis=dim)
    return Extreme(functions.take_along_axis(x, places, axis=dim), answered(places))


def _topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Extreme:
    return _sorted(x, dim, largest, k)


def _repeat_interleave(x: Any, repeats: Any, dim: int | None = None) -> Any:
    if dim is None:
        x, dim = functions.flatten(x), 0
    return _at(x, dim, np.repeat(np.arange(x.shape[axis_of(x, dim)]), repeats))


def _attention(
    q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False, scale: Any = None
) -> Any:
    """Return softmax(q kᵀ · scale) v, Vaswani et al. (2017); of a mask of booleans, True is seen."""
    if dropout_p:
        raise TypeError("torch's scaled_dot_product_attention with dropout_p is no operation of tinygrad_lstm")
    scores = q @ functions.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
    if attn_mask is not None:
        seen = getattr(attn_mask, "dtype", None) == np.bool_
        scores = ops.where(attn_mask, scores, -np.inf) if seen else scores + attn_mask
    return ops.softmax(scores, axis=-1) @ v


def _binary_cross_entropy(p: Any, target: Any, reduction: str = "mean") -> Any:
    """Return −(t log p + (1 − t) log(1 − p)), where logarithms are −100 at least, as in PyTorch."""
    logs = [functions.clip(ops.log(each), -100.0) for each in (p, 1 - p)]
    losses = -(target * logs[0] + (1 - target) * logs[1])
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses


def _normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    return x / functions.clip(functions.norm(x, p, axis=dim, keepdims=True), eps)


def _norm(x: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, ord: Any = None) -> Any:
    """Return a norm of vectors: "fro", as PyTorch calls it, is that of squares."""
    p = p if ord is None else ord
    return functions.norm(x, 2 if p == "fro" else p, axis=dim, keepdims=keepdim)


def _cosine(a: Any, b: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    norms = [functions.clip(functions.norm(x, 2, axis=dim, keepdims=True), eps) for x in (a, b)]
    return functions.squeeze(ops.sum(a / norms[0] * (b / norms[1]), axis=dim, keepdims=True), dim)


def _type_as(x: Any, other: Any) -> Any:
    return methods()["to"](x, other.dtype) if isinstance(x, Tensor) else tensor(x, dtype=other.dtype)


def _linear_between(x: Any, end: Any, weight: Any) -> Any:
    return x + weight * (end - x)


def _unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    axis = axis_of(x, dim)
    return ops.reshape(x, shape=(*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))


def _filled(number: float) -> Callable[..., Any]:
    return lambda x, **how: tensor(np.full(x.shape, number, x.dtype))


def _compared(compare: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda a, b: answered(compare(*(x.value if isinstance(x, Tensor) else x for x in (a, b))))


def _number(x: Any, kind: str) -> Any:
    return methods()["to"](x, kind)


_COMPARISONS = "gt=greater ge=greater_equal lt=less le=less_equal eq=equal ne=not_equal"

_BOTH: dict[str, Callable[..., Any]] = dict(
    unbind=lambda x, dim=0: tuple(_at(x, dim, k) for k in range(x.shape[axis_of(x, dim)])),
    select=_at,
    narrow=lambda x, dim, start, length: _at(x, dim, slice(start, start + length)),
    gather=_gather,
    take_along_dim=lambda x, indices, dim: functions.take_along_axis(x, indices, axis=dim),
    masked_select=lambda x, mask: x[np.asarray(mask)],
    roll=_roll,
    sort=_sorted,
    topk=_topk,
    repeat_interleave=_repeat_interleave,
    unflatten=_unflatten,
    movedim=lambda x, a, b: ops.transpose(x, axes=np.moveaxis(np.empty(range(x.ndim)), a, b).shape),
    amax=lambda x, dim=None, keepdim=False: ops.max(x, axis=dim, keepdims=keepdim),
    amin=lambda x, dim=None, keepdim=False: ops.min(x, axis=dim, keepdims=keepdim),
    clamp_min=lambda x, low: functions.clip(x, low),
    clamp_max=lambda x, high: functions.clip(x, high=high),
    rsqrt=lambda x: 1 / ops.sqrt(x),
    logit=lambda x: ops.log(x) - ops.log(1 - x),
    mv=lambda a, b: a @ b,
    addmm=lambda x, a, b, beta=1, alpha=1: beta * x + alpha * (a @ b),
    baddbmm=lambda x, a, b, beta=1, alpha=1: beta * x + alpha * (a @ b),
    addcmul=lambda x, a, b, value=1: x + value * a * b,
    lerp=_linear_between,
    add=lambda a, b, alpha=1: ops.add(a, b if alpha == 1 else alpha * b),
    sub=lambda a, b, alpha=1: ops.sub(a, b if alpha == 1 else alpha * b),
    rsub=lambda a, b, alpha=1: b - alpha * a,
    type_as=_type_as,
    **{name: _compared(getattr(np, ufunc)) for name, ufunc in (pair.split("=") for pair in _COMPARISONS.split())},
)
"""Functions, which are methods too."""

_METHODS: dict[str, Callable[..., Any]] = {
    "expand_as": lambda x, other: functions.expand(x, other.shape),
    "view_as": lambda x, other: ops.reshape(x, shape=other.shape),
    "reshape_as": lambda x, other: ops.reshape(x, shape=other.shape),
    "new_full": lambda x, shape, number, **how: tensor(np.full(shape, number, x.dtype)),
    "new_tensor": lambda x, data, **how: tensor(data, dtype=x.dtype),
    "float": lambda x: _number(x, "float32"),
    "double": lambda x: _number(x, "float64"),
}

_FUNCTIONS: dict[str, Callable[..., Any]] = dict(
    **{".to": lambda x, *to, **how: _type_as(x, *to) if isinstance(to[0], Tensor) else methods()["to"](x, *to, **how)},
    take=lambda x, index: functions.flatten(x)[np.asarray(index)],
    norm=_norm,
    cosine_similarity=_cosine,
    pad=_pad,
    embedding=lambda indices, weight, padding_idx=None, **_: embedding(indices, weight, padding_idx),
    full_like=lambda x, number, **how: tensor(np.full(x.shape, number, x.dtype)),
    empty_like=_filled(0.0),
    rand_like=lambda x, **how: creation.rand(*x.shape, dtype=x.dtype),
    randn_like=lambda x, **how: creation.randn(*x.shape, dtype=x.dtype),
    hstack=lambda parts: functions.concat(parts, axis=int(parts[0].ndim > 1)),
    vstack=lambda parts: functions.concat([x.reshape(1, -1) if x.ndim == 1 else x for x in parts]),
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
    linalg_norm=_norm,
    linalg_vector_norm=_norm,
    scaled_dot_product_attention=_attention,
    binary_cross_entropy=_binary_cross_entropy,
)


def speak() -> None:
    """Have PyTorch's functions known, and its methods where a forward runs that was written for it."""
    torchs.KNOWN.update({**_BOTH, **_FUNCTIONS})
    torchs.METHODS.update({**_BOTH, **_METHODS})
