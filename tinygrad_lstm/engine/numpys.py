"""What numpy's functions do with what stands for an array here: our operation where there is one, or a refusal.

A Tensor that carries a gradient never becomes an array without a word: what is not listed here is refused, functions
that numpy has yet to invent among it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from . import functions, ops
from .errors import called


def _squeezed(x: Any, axis: Any = None) -> Any:
    return ops.reshape(x, np.squeeze(np.empty(x.shape), axis).shape)


def _dot(a: Any, b: Any) -> Any:
    if np.ndim(a) and np.ndim(b) in (1, 2):
        return np.matmul(a, b)
    return np.multiply(a, b) if 0 in (np.ndim(a), np.ndim(b)) else np.tensordot(a, b, (-1, -2))


OURS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: lambda condition, x, y: ops.where(condition, x, y),
    np.reshape: lambda a, shape: ops.reshape(a, (shape,) if isinstance(shape, int) else tuple(shape)),
    np.ravel: lambda a: ops.reshape(a, (-1,)),
    np.squeeze: _squeezed,
    np.expand_dims: lambda a, axis: ops.reshape(a, np.expand_dims(np.empty(a.shape), axis).shape),
    np.transpose: lambda a, axes=None: ops.transpose(a, axes),
    np.matrix_transpose: lambda x: x.mT,
    np.broadcast_to: lambda array, shape: ops.broadcast_to(array, shape),
    np.concatenate: lambda arrays, axis=0: functions.concat(list(arrays), axis),
    np.stack: lambda arrays, axis=0: functions.stack(list(arrays), axis),
    np.dot: _dot,
    np.sum: lambda a, axis=None, keepdims=False: ops.sum(a, axis, keepdims),
    np.mean: lambda a, axis=None, keepdims=False: ops.mean(a, axis, keepdims),
    np.max: lambda a, axis=None, keepdims=False: ops.max(a, axis, keepdims),
}
"""numpy's functions that are operations here, called as numpy calls them."""

_LOOKING = """
shape ndim size array2string array_repr array_str result_type iscomplexobj isrealobj shares_memory may_share_memory
allclose isclose array_equal array_equiv zeros_like ones_like empty_like full_like argmax argmin argsort argwhere
nonzero flatnonzero count_nonzero searchsorted all any isneginf isposinf save savez savetxt
greater greater_equal less less_equal equal not_equal isfinite isinf isnan signbit
logical_and logical_or logical_not logical_xor
"""
LOOKING = {getattr(np, name) for name in _LOOKING.split()}
"""Functions and ufuncs whose result has no derivative, or is for the eye: they get arrays."""

_INSTEAD = {"hstack": "tl.concat([a, b], axis=…)", "vstack": "tl.concat([a, b])", "einsum": "a @ b", "outer": "a @ b"}


def call(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call a function of numpy with Tensors: as ours, or with arrays if it only looks or nothing carries a gradient.

    Raises TypeError where a gradient would be lost.
    """
    ours = OURS.get(function)
    if ours and _fits(ours, args, kwargs):
        return ours(*args, **kwargs)
    return _with_arrays(function, function.__name__, args, kwargs, looks=function in LOOKING)


def call_ufunc(ufunc: np.ufunc, method: str, inputs: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call a ufunc, or a method of one such as ``np.add.reduce``, with Tensors."""
    if method == "__call__" and not kwargs and (ours := UFUNCS.get(ufunc)):
        return ours(*inputs)
    if method == "reduce" and (reduction := _REDUCTIONS.get(ufunc)) and _fits(reduction, inputs, kwargs):
        return reduction(*inputs, **kwargs)
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    return _with_arrays(getattr(ufunc, method), name, inputs, kwargs, looks=ufunc in LOOKING)


UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    **{each.forward: each for each in ops.BUILTIN.values() if isinstance(each.forward, np.ufunc)},
    np.matmul: ops.matmul,
    np.absolute: ops.abs,
    np.fabs: ops.abs,
    np.square: lambda x: x * x,
    np.reciprocal: lambda x: 1 / x,
    np.positive: lambda x: +x,
}
"""numpy's ufuncs that are operations here, or composed of a few of ours."""


_REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: lambda array, axis=0, keepdims=False: ops.sum(array, axis, keepdims),
    np.maximum: lambda array, axis=0, keepdims=False: ops.max(array, axis, keepdims),
}


def _fits(ours: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(ours).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _with_arrays(
    function: Callable[..., Any], name: str, args: Sequence[Any], kwargs: Mapping[str, Any], looks: bool
) -> Any:
    if not looks or "out" in kwargs:
        for x in _tensors([*args, *kwargs.values()]):
            if x.carries_gradient:
                raise TypeError(left(f"np.{name}", x))
    return function(*map(_detached, args), **{key: _detached(part) for key, part in kwargs.items()})


def left(how: str, x: Any) -> str:
    """Return the words for a tensor that would leave the graph by what somebody wrote."""
    name = how.removeprefix("np.")
    same = ops.BUILTIN.get(name)
    operator = same and same.operator
    ours = _INSTEAD.get(name) or (f"a {operator} b" if operator else f"tl.{name}" if same else "operations of tl")
    return (
        f"{how} would leave the graph: it takes the numbers of a tensor{called(x)} that carries a gradient, and none "
        f"would come back. Write it with {ours}; or, if no gradient is wanted, give it x.numpy() or x.detach()"
    )


def _tensors(things: Any) -> Iterator[Any]:
    for thing in things:
        if hasattr(thing, "carries_gradient"):
            yield thing
        elif isinstance(thing, list | tuple):
            yield from _tensors(thing)


def _detached(thing: Any) -> Any:
    if hasattr(thing, "carries_gradient"):
        return thing.value
    return type(thing)(map(_detached, thing)) if type(thing) in (list, tuple) else thing
