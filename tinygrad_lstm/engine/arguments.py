"""What becomes of the arguments of functions: tensors, axes and sizes are taken as people write them, or refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from operator import index as index_of
from types import FunctionType
from typing import Any

import numpy as np

from .errors import ShapeError, real
from .primitive import unmasked
from .pytorch import in_our_words
from .scope import current


def some(parts: Sequence[Any], name: str) -> Sequence[Any]:
    """Return a list of tensors, which must be one and not empty."""
    if not isinstance(parts, list | tuple) or not parts:
        raise TypeError(f"{name} takes a list of at least one tensor, as in {name}([a, b])")
    return parts


def operand(x: Any) -> Any:
    """Return what has a shape: a tensor, what stands for one, or an array of numbers."""
    if hasattr(x, "__primitive__"):
        return x
    array = np.asarray(unmasked(x))
    if array.dtype.kind not in "buifc":
        raise TypeError(f"it takes tensors, or arrays of numbers, not {x!r:.60}")
    return array if array.dtype.kind in "fc" else array.astype(np.float64)


def numbers_of(x: Any) -> Any:
    """Return the array of a tensor, or of anything that makes one."""
    x = operand(x)
    return x.value if hasattr(x, "__primitive__") else x


def number(**named: Any) -> float:
    """Return a number; refuse what is none, by its name."""
    real(**named)
    return float(*named.values())


def axis_of(x: Any, axis: Any) -> int:
    """Return the number of an axis that x has, counted from 0."""
    i = index_of(axis)
    if not -x.ndim <= i < x.ndim:
        raise IndexError(f"there is no axis {i} in shape {x.shape}")
    return int(i % x.ndim)


def axes_of(x: Any, axis: Any) -> tuple[int, ...]:
    """Return the numbers of one axis, of several, or of all (None)."""
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(axis_of(x, i) for i in (axis if isinstance(axis, tuple | list) else (axis,)))


def listed(numbers: tuple[Any, ...]) -> tuple[int, ...]:
    """Return whole numbers that are given one by one, or as one tuple or list."""
    several = len(numbers) == 1 and isinstance(numbers[0], tuple | list | np.ndarray)
    return tuple(map(index_of, numbers[0] if several else numbers))


def speaking_for_themselves(module: dict[str, Any]) -> None:
    """Let public functions take lists for tensors and PyTorch's words, and say who they are if something is wrong."""
    for name, function in list(module.items()):
        if (
            not name.startswith("_")
            and isinstance(function, FunctionType)
            and function.__module__ == module["__name__"]
        ):
            module[name] = _speaking(function)


_KINDS = (ShapeError, TypeError, IndexError, ValueError, OverflowError)


def _speaking(function: Any) -> Callable[..., Any]:
    parameters = list(inspect.signature(function).parameters)
    tensors = sum(name in ("x", "a", "b") for name in parameters)

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*map(operand, args[:tensors]), *args[tensors:], **in_our_words(kwargs, parameters))
        except _KINDS as error:
            if error.__cause__:  # whoever raised it, an operation or a function within, has said who it is
                raise
            kind = next(kind for kind in _KINDS if isinstance(error, kind))
            raise kind(f"{function.__name__}{current().place}: {error}") from error

    return called
