"""What comparing tensors returns while a program is recorded that is to be right for other data: a mask that knows how.

Elsewhere ``x > 0`` is an array of booleans, as in numpy, and how it came about is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Compared(np.ndarray[Any, Any]):
    """An array of booleans, and the tensor of 0 and 1 that is the same; None where that was lost on the way.

    It is lost by all but ``~``, ``&``, ``|``, an index, and ``astype`` to float or bool. Nothing is written into it.
    """

    node: Any

    def __array_finalize__(self, like: Any) -> None:
        self.node = None

    def __and__(self, other: Any) -> Any:
        return compared(super().__and__(other), self._and_by(other, lambda a, b: a * b))

    def __or__(self, other: Any) -> Any:
        return compared(super().__or__(other), self._and_by(other, lambda a, b: a + b - a * b))

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Any:
        return compared(super().__invert__(), None if self.node is None else 1 - self.node)

    def __getitem__(self, index: Any) -> Any:
        return compared(super().__getitem__(index), None if self.node is None else self.node[index])

    def astype(self, dtype: Any, *args: Any, **named: Any) -> Any:
        made = super().astype(dtype, *args, **named)
        return compared(made, self.node if made.dtype.kind in "fb" else None)

    def _and_by(self, other: Any, both: Callable[[Any, Any], Any]) -> Any:
        node = other.node if isinstance(other, Compared) else np.asarray(other, dtype=np.float64)
        return None if self.node is None or node is None else both(self.node, node)


def compared(array: NDArray[np.bool_], node: Any) -> NDArray[np.bool_]:
    """Return booleans that know the tensor they are, unless there is only one: it decides what is computed."""
    if not np.ndim(array):
        return array
    known = array.view(Compared)
    known.node = node
    known.setflags(write=False)
    return known
