"""Arrays that are used again: fresh ones of some size cost the time to have their memory brought in."""

from __future__ import annotations

import sys
from collections import defaultdict
from threading import Lock
from typing import Any

import numpy as np


def _alone() -> int:
    for array in [np.empty(1)]:
        return sys.getrefcount(array)
    raise AssertionError


_OURS = _alone()
"""References to an array that nobody but a list and a loop holds: whether who counts is one more depends on Python."""


class Pool:
    """Gives out arrays whose numbers are anything, and gives one out again once nobody holds it any more.

    Who holds a view of an array, or a tensor whose value it is, holds it.

    >>> pool = Pool()
    >>> first = pool.empty((1000, 1000))
    >>> pool.empty((1000, 1000)) is first
    False
    >>> del first
    >>> len(pool.arrays)
    2
    """

    def __init__(self) -> None:
        self._kept: dict[Any, list[Any]] = defaultdict(list)
        self._lock = Lock()

    @property
    def arrays(self) -> list[Any]:
        """Every array that it has given out and may give out again."""
        return [array for kept in self._kept.values() for array in kept]

    def empty(self, shape: tuple[int, ...], dtype: Any = np.float64) -> Any:
        """Return an array of a shape and type, as ``numpy.empty`` does."""
        with self._lock:
            kept = self._kept[shape, np.dtype(dtype)]
            for array in kept:
                if sys.getrefcount(array) == _OURS:
                    array.setflags(write=True)
                    return array
            array = np.empty(shape, dtype)
            kept.append(array)
            return array

    def forget(self) -> None:
        """Let go of the arrays that nobody holds."""
        for kept in self._kept.values():
            kept[:] = [array for array in kept if sys.getrefcount(array) > _OURS]
