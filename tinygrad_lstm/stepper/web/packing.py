"""Numbers, indices and attributes as a page holds them: as JSON."""

from __future__ import annotations

import base64
import math
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pages.folding import Plain


def packed(array: NDArray[Any]) -> Plain:
    """Return numbers as JSON holds them: one as itself, what is not finite as a word, several in base64.

    Several of which each is one of 32 bits take these alone: as the weights of a float32 network. The first bytes of
    all stand together, then the second ones, and so on: those with the exponents are much alike, and deflate well.

    >>> packed(np.float64(0.1)), packed(np.array([1.0, 2.1])), packed(np.array([1.0, 2.0]))["data"]
    (0.1, {'shape': [2], 'data': 'AM0AzADMAMwAzADM8AA/QA=='}, 'AAAAAIAAP0A=')
    """
    numbers = np.asarray(array, "<f8")
    if numbers.ndim:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            single = numbers.astype("<f4")
        short = np.array_equal(single, numbers, equal_nan=True)
        kept = single if short else numbers
        planes = np.frombuffer(kept.tobytes(), np.uint8).reshape(-1, kept.itemsize).T
        return {"shape": list(numbers.shape), "data": base64.b64encode(planes.tobytes()).decode("ascii")}
    number = float(numbers)
    return number if math.isfinite(number) else "NaN" if number != number else f"{'-' if number < 0 else ''}Infinity"


def written_index(index: Any, shape: tuple[int, ...]) -> Plain:
    """Return an index into an array of a shape: its parts, or, if there are arrays in it, which places it names.

    >>> written_index((slice(None), 0, ...), (2, 3, 4)), written_index([2, 2], (3,))
    ([[None, None, None], 0, '...'], {'at': [2, 2], 'shape': [2]})
    """
    parts = index if isinstance(index, tuple) else (index,)
    made: list[Plain] = []
    for part in parts:
        if isinstance(part, slice):
            made.append([None if x is None else int(x) for x in (part.start, part.stop, part.step)])
        elif part is None or isinstance(part, EllipsisType):
            made.append("..." if part is not None else None)
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            made.append(int(part))
        else:
            places = np.arange(math.prod(shape)).reshape(shape)[index]
            return {"at": places.ravel().tolist(), "shape": list(places.shape)}
    return made


def plain(value: Any) -> Plain:
    """Return an attribute of an operation: axes as lists, numbers packed."""
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return packed(np.asarray(value, np.float64))
    return value
