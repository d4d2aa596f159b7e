"""Python's operators, written once for everything that can stand in an equation.

A class that offers ``__primitive__(primitive, inputs, attrs)`` and inherits from Operators takes part in arithmetic:
Tensors record what is done to them, and traced arrays write it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import EllipsisType
from typing import Any, Self

import numpy as np

from . import ops
from .primitive import Primitive, unmasked

NO_ATTRS: dict[str, Any] = {}


class Operators:
    __slots__ = ()

    @classmethod
    def __primitive__(cls, primitive: Primitive, inputs: tuple[Any, ...], attrs: Mapping[str, Any]) -> Self:
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __add__(self, other: Any) -> Self:
        return self.__primitive__(ops.add, (self, other), NO_ATTRS)

    def __radd__(self, other: Any) -> Self:
        return self.__primitive__(ops.add, (other, self), NO_ATTRS)

    def __sub__(self, other: Any) -> Self:
        return self.__primitive__(ops.sub, (self, other), NO_ATTRS)

    def __rsub__(self, other: Any) -> Self:
        return self.__primitive__(ops.sub, (other, self), NO_ATTRS)

    def __mul__(self, other: Any) -> Self:
        return self.__primitive__(ops.mul, (self, other), NO_ATTRS)

    def __rmul__(self, other: Any) -> Self:
        return self.__primitive__(ops.mul, (other, self), NO_ATTRS)

    def __truediv__(self, other: Any) -> Self:
        return self.__primitive__(ops.div, (self, other), NO_ATTRS)

    def __rtruediv__(self, other: Any) -> Self:
        return self.__primitive__(ops.div, (other, self), NO_ATTRS)

    def __pow__(self, other: Any) -> Self:
        return self.__primitive__(ops.pow, (self, other), NO_ATTRS)

    def __rpow__(self, other: Any) -> Self:
        return self.__primitive__(ops.pow, (other, self), NO_ATTRS)

    def __matmul__(self, other: Any) -> Self:
        return self.__primitive__(ops.matmul, (self, other), NO_ATTRS)

    def __rmatmul__(self, other: Any) -> Self:
        return self.__primitive__(ops.matmul, (other, self), NO_ATTRS)

    def __neg__(self) -> Self:
        return self.__primitive__(ops.neg, (self,), NO_ATTRS)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self.__primitive__(ops.abs, (self,), NO_ATTRS)

    def __getitem__(self, index: Any) -> Self:
        return self.__primitive__(ops.getitem, (self,), {"index": frozen_index(index)})

    @property
    def T(self) -> Self:
        return self.__primitive__(ops.transpose, (self,), {"axes": None})

    @property
    def mT(self) -> Self:
        """The last two axes exchanged, as in numpy."""
        axes = None if self.ndim == 2 else (*range(self.ndim - 2), self.ndim - 1, self.ndim - 2)
        return self.__primitive__(ops.transpose, (self,), {"axes": axes})


def frozen_index(index: Any) -> Any:
    """Return an index that no later mutation can change: lists become arrays, arrays become read-only copies."""
    if isinstance(index, tuple):
        return tuple(frozen_index(list(part) if isinstance(part, tuple) else part) for part in index)
    if index is None or isinstance(index, int | slice | EllipsisType):
        return index
    if hasattr(type(index), "__primitive__"):
        index = np.asarray(index)
    indices = np.array(unmasked(index))
    if indices.size == 0 and indices.dtype == np.float64 and not isinstance(index, np.ndarray):
        indices = indices.astype(np.intp)  # an empty list
    if indices.dtype.kind not in "bui":
        example = "x[[0, 2]]" if indices.ndim else "x[2]"
        raise IndexError(
            f"an index must be made of integers, slices, None, ... or booleans, as in {example}; "
            f"got {index!r} of type {indices.dtype if indices.ndim else type(index).__name__}"
        )
    if indices.ndim == 0 and indices.dtype.kind in "ui":
        return int(indices)
    indices.setflags(write=False)
    return indices
