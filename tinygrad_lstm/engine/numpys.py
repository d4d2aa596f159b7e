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


def _length(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return numpy's norm of vectors, or of all numbers; those of matrices are refused."""
    if ord is not None and (ord <= 0 or (np.ndim(x) != 1 if axis is None else not isinstance(axis, int))):
        raise TypeError(left("np.linalg.norm of this kind", x))
    return functions.norm(x, 2 if ord is None else ord, axis, keepdims)


def _along(default: Any, ours: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, axis=default, keepdims=False: ours(a, axis, keepdims)


_SAME = """
clip cumsum dot einsum expand_dims flip outer prod split squeeze swapaxes take_along_axis tensordot tile tril triu
square reciprocal sign tan sinh cosh logaddexp
""".split()  # noqa: SIM905
_same: dict[Any, Callable[..., Any]] = {getattr(np, name): getattr(functions, name) for name in _SAME}

OURS: dict[Callable[..., Any], Callable[..., Any]] = {
    **{function: ours for function, ours in _same.items() if not isinstance(function, np.ufunc)},
    **{getattr(np, each.name): _along(None, each) for each in (ops.sum, ops.mean, ops.max, ops.min)},
    np.where: lambda condition, x, y: ops.where(condition, x, y),
    np.reshape: lambda a, shape: ops.reshape(a, (shape,) if isinstance(shape, int) else tuple(shape)),
    np.ravel: lambda a: ops.reshape(a, (-1,)),
    np.transpose: lambda a, axes=None: ops.transpose(a, axes),
    np.matrix_transpose: lambda x: x.mT,
    np.broadcast_to: lambda array, shape: ops.broadcast_to(array, shape),
    np.concatenate: lambda arrays, axis=0: functions.concat(list(arrays), axis),
    np.stack: lambda arrays, axis=0: functions.stack(list(arrays), axis),
    np.std: lambda a, axis=None, ddof=0, keepdims=False: functions.std(a, axis, keepdims, ddof),
    np.var: lambda a, axis=None, ddof=0, keepdims=False: functions.var(a, axis, keepdims, ddof),
    np.linalg.norm: _length,
    np.pad: lambda array, pad_width, *, constant_values=0: functions.pad(array, pad_width, constant_values),
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

_INSTEAD = {"hstack": "tl.concat([a, b], axis=…)", "vstack": "tl.concat([a, b])"}


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
    **{function: ours for function, ours in _same.items() if isinstance(function, np.ufunc)},
    np.matmul: ops.matmul,
    np.absolute: ops.abs,
    np.fabs: ops.abs,
    np.positive: lambda x: +x,
    np.floor: ops.floor,
    np.log1p: ops.log1p,
}
"""numpy's ufuncs that are operations here, or composed of a few of ours."""


_REDUCED: list[tuple[np.ufunc, Callable[..., Any]]] = [(np.add, ops.sum), (np.maximum, ops.max), (np.minimum, ops.min)]
_REDUCTIONS = {ufunc: _along(0, ours) for ufunc, ours in [*_REDUCED, (np.multiply, functions.prod)]}


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
