"""What tensors do by methods, and what means something else with ``dim=`` than with ``axis=``: see ``pytorch.py``."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import wraps
from operator import index as index_of
from typing import Any, NamedTuple

import numpy as np

from . import functions, ops
from .arguments import axes_of, axis_of, listed, speaking_for_themselves
from .errors import ShapeError
from .pytorch import METHODS, NAMES


class Extreme(NamedTuple):
    """The largest or smallest numbers along an axis, and where they stand: an array of integers."""

    values: Any
    indices: Any


def _extreme(reduced: Any, place: Any) -> Callable[..., Any]:
    def extreme(x: Any, dim: Any = None, keepdim: bool = False, **ours: Any) -> Any:
        """Return a pair, as PyTorch does along a dimension; of all, or where numpy is spoken, the numbers only."""
        if hasattr(dim, "__primitive__") or hasattr(dim, "__torch_function__") or isinstance(dim, np.ndarray):
            return (ops.maximum if reduced is ops.max else ops.minimum)(x, dim)
        if dim is None or ours:
            return reduced(x, *() if dim is None else (dim,), **ours)
        return Extreme(reduced(x, axis=dim, keepdims=keepdim), place(x, axis=dim, keepdims=keepdim))

    return extreme


def var(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, correction: Any = None, **ours: Any
) -> Any:
    """Return the variance: with numpy's words that of numpy, Σ (x − mean)² / (n − ddof), else PyTorch's, by n − 1.

    Two passes, so that nothing cancels. ``dim``, or ``axis``: one, several, or None for all.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor([1, 3])
    >>> x.var().item(), x.var(correction=0).item(), x.var(axis=0).item()
    (2.0, 1.0, 1.0)
    """
    return _spread(functions.var, x, dim, unbiased, keepdim, correction, ours)


def std(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, correction: Any = None, **ours: Any
) -> Any:
    """Return the standard deviation, the root of ``var``. Where all are equal its derivative is taken as 0.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor([[1, 3], [2, 6]])
    >>> tl.std(x, axis=1).tolist(), (x.std(1) ** 2).tolist()
    ([1.0, 2.0], [2.0000000000000004, 8.000000000000002])
    """
    return _spread(functions.std, x, dim, unbiased, keepdim, correction, ours)


def _spread(measure: Any, x: Any, dim: Any, unbiased: bool | None, keepdim: bool, correction: Any, ours: Any) -> Any:
    said = {"dim": dim, "correction": correction, "unbiased": unbiased}
    for word, numpys in {"dim": "axis", "correction": "ddof", "unbiased": "ddof"}.items():
        if said[word] is not None and numpys in ours:
            raise TypeError(f"{word} and {numpys} are one argument, and it was given twice")
    chosen = correction if unbiased is None else int(unbiased)
    ddof = chosen if chosen is not None else int(not ours)
    dim = tuple(dim) if isinstance(dim, list) else dim
    return measure(x, **{"axis": dim, "keepdims": keepdim, "ddof": ddof, **ours})


def squeeze(x: Any, dim: Any = None, **ours: Any) -> Any:
    """Return x without axes of length 1: all, or those of the dimensions named that are; with ``axis`` it is numpy's.

    >>> import tinygrad_lstm as tl
    >>> tl.zeros(1, 3, 1).squeeze(0).shape, tl.zeros(1, 3, 1).squeeze(1).shape
    ((3, 1), (1, 3, 1))
    """
    if dim is None or ours:
        return functions.squeeze(x, **ours)
    return functions.squeeze(x, tuple(i for i in axes_of(x, dim) if x.shape[i] == 1))


class Count(int):
    """How many numbers there are, as in numpy; called as in PyTorch, x.size() or x.size(0), the shape or a side."""

    def __new__(cls, array: Any) -> Count:
        count = super().__new__(cls, array.size)
        count.shape = array.shape
        return count

    shape: tuple[int, ...]

    def __call__(self, dim: int | None = None) -> Any:
        if dim is None:
            return self.shape
        try:
            return self.shape[dim]
        except (IndexError, TypeError) as error:
            raise type(error)(f"x.size({dim!r:.60}): the shape is {self.shape}") from None


def split(x: Any, size: Any, dim: int = 0, *, axis: int | None = None) -> Any:
    """Return x cut along a dimension into parts of a size, the last may be smaller, or of a list of sizes.

    With ``axis`` it is numpy's: into so many equal parts, or before each of a list of places.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor([1, 2, 3, 4])
    >>> [len(part) for part in x.split(3)], [len(part) for part in tl.split(x, 2, axis=0)]
    ([3, 1], [2, 2])
    """
    if axis is not None:
        return functions.split(x, size, axis)
    n = x.shape[axis_of(x, dim)]
    several = isinstance(size, tuple | list)
    if any(index_of(part) < 0 for part in size) if several else index_of(size) < 1:
        raise ValueError(f"parts are of a size from 1 on, or of a list of sizes, not {size!r:.60}")
    ends = [*itertools.accumulate(size)] if several else [*range(size, n, size), n]
    if ends[-1:] != [n]:
        raise ShapeError(f"the parts {size} are not the whole of {n}")
    return tuple(functions.split(x, ends[:-1], dim))


def transpose(x: Any, *axes: Any, axis1: int | None = None, axis2: int | None = None) -> Any:
    """Return x with two axes exchanged, x.transpose(0, 1), or all in another order, a tuple, or reversed."""
    two = (*axes, *(axis for axis in (axis1, axis2) if axis is not None))
    return functions.swapaxes(x, *two) if len(two) == 2 else ops.transpose(x, axes=listed(two) or None)


def permute(x: Any, *axes: Any, dims: Any = ()) -> Any:
    """Return x with its axes in another order.

    >>> import tinygrad_lstm as tl
    >>> tl.zeros(2, 3, 4).permute(2, 0, 1).shape
    (4, 2, 3)
    """
    return ops.transpose(x, axes=listed(axes or dims))


def _of_several(function: Any) -> Callable[..., Any]:
    """Let numbers be given one by one: x.view(2, -1), x.flip(0, 1)."""

    @wraps(function, updated=())
    def several(x: Any, *numbers: Any, **named: Any) -> Any:
        return function(x, *[listed(numbers)] if numbers else (), **named)

    return several


def _clone(x: Any) -> Any:
    """Return a copy, through which the gradient flows."""
    return ops.reshape(x, shape=x.shape)


def _dim(x: Any) -> int:
    """Return how many axes there are, x.ndim."""
    return int(x.ndim)


def _numel(x: Any) -> int:
    """Return how many numbers there are, x.size."""
    return int(x.size)


def _itself(x: Any) -> Any:
    """Return x, which is where it should be."""
    return x


def _to(x: Any, *where: Any, **named: Any) -> Any:
    """Return x, where it should be the processor's and of the type it is; refuse any other place, or type."""
    ways = ("non_blocking", "copy", "memory_format")  # of moving, which is none
    asked = [*where, *(value for name, value in named.items() if name not in ways)]
    for each in (each for each in asked if not isinstance(each, bool)):
        if str(each).rpartition(".")[2] not in ("cpu", "None", str(x.dtype)):
            raise TypeError(
                f"x.to({each!s:.40}): a tensor lives in the memory of the processor and keeps its type, {x.dtype}; "
                "make it with one, tl.tensor(data, dtype=tl.float32)"
            )
    return x


def _new(number: float) -> Callable[..., Any]:
    def filled(x: Any, *shape: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """Return a leaf of a shape and of the type of x, filled with one number."""
        array = np.full(listed(shape), number, _to(x, dtype, device).dtype)
        array.setflags(write=False)
        return type(x)(array, requires_grad=bool(requires_grad))

    return filled


def _index_select(x: Any, dim: int, index: Any) -> Any:
    """Return the numbers that stand at places along a dimension."""
    return x[(*[slice(None)] * axis_of(x, dim), np.asarray(index))]


def _masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """Return a value where the mask is True, and x elsewhere."""
    return ops.where(mask, value, x)


def _where(x: Any, condition: Any, other: Any) -> Any:
    """Return x where the condition is True, and the other elsewhere."""
    return ops.where(condition, x, other)


def _requires_grad_(x: Any, requires_grad: bool = True) -> Any:
    """Say of a leaf whether it learns, and return it."""
    if not x.is_leaf:
        raise ValueError("only a leaf is told whether it learns; x.detach() makes one")
    x.requires_grad = bool(requires_grad)
    return x


speaking_for_themselves(globals())
_METHODS: dict[str, Callable[..., Any]] = dict(
    max=_extreme(ops.max, functions.argmax),
    min=_extreme(ops.min, functions.argmin),
    reshape=_of_several(ops.reshape),
    requires_grad_=_requires_grad_,
    clone=_clone,
    dim=_dim,
    masked_fill=_masked_fill,
    numel=_numel,
    where=_where,
    contiguous=_itself,
    cpu=_itself,
    to=_to,
    new_zeros=_new(0.0),
    new_ones=_new(1.0),
    index_select=_index_select,
    **{name: globals()[name] for name in "std var squeeze split transpose permute".split()},  # noqa: SIM905
    **{name: _of_several(getattr(functions, name)) for name in "expand flip tile".split()},  # noqa: SIM905
)
for _primitive in (ops.max, ops.min, ops.transpose):
    _primitive.in_pytorch = _METHODS[_primitive.name]


def spelled(name: str) -> Any:
    """Return the function that PyTorch calls so, if we have it under another name."""
    ours = NAMES.get(name, "")
    return getattr(functions, ours, None) or ops.BUILTIN.get(ours)


def methods() -> dict[str, Callable[..., Any]]:
    """Return all methods by name."""
    found = {**{name: getattr(functions, name, None) or ops.BUILTIN[name] for name in METHODS}, **_METHODS}
    found |= {name.lstrip("."): found[ours] for name, ours in NAMES.items() if ours in found}
    return {name: _method(name, function) for name, function in found.items()}


def _method(name: str, function: Any) -> Callable[..., Any]:
    method = wraps(function, updated=())(lambda self, *args, **kwargs: function(self, *args, **kwargs))
    method.__name__ = name
    return method
