"""State dicts: arrays by name, taken over all together, or not at all and with words on what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..engine import torchs
from ..engine.primitive import Array
from ..engine.tensor import Tensor, as_value
from ..structure.words import clean

_NAMED = 3
"""How many names of a kind a message lists."""


class Unmatched(NamedTuple):
    """What ``load_state_dict(..., strict=False)`` left alone, in PyTorch's words.

    >>> import tinygrad_lstm as tl
    >>> tl.Linear(2, 1, rng=0).load_state_dict({"bias": [0.0], "scale": 1.0}, strict=False)
    Unmatched(missing_keys=['weight'], unexpected_keys=['scale'])
    """

    missing_keys: list[str]  # names that were needed and not given
    unexpected_keys: list[str]  # names that were given and not needed


def array_of(x: Any) -> NDArray[Any]:
    """Return the numbers of a parameter or a buffer, ours or PyTorch's, as an array of their own."""
    return np.array(x.value if isinstance(x, Tensor) else torchs.as_array(x))


def replace_buffer(module: Any, name: str, array: Array) -> None:
    """Give a module's buffer another value; one that was computed is another tensor then."""
    now = getattr(module, name)
    if isinstance(now, Tensor) and now.is_leaf:
        now.value = array
    else:
        setattr(module, name, Tensor(array) if isinstance(now, Tensor) else array)


def shape_and_type(x: Any) -> tuple[tuple[int, ...], Any]:
    """Return the shape and the type of numbers of a parameter or a buffer, in this machine's order of bytes."""
    array = array_of(x)
    return array.shape, array.dtype.newbyteorder("=")


def fitted(
    given: Any, wanted: Mapping[str, tuple[tuple[int, ...], DTypeLike | None]], owner: str, *, strict: bool = True
) -> tuple[dict[str, Array], Unmatched]:
    """Return the given arrays by the wanted names, as copies, of the shapes and types that stand there.

    Raises TypeError for what are no arrays by name, and ValueError, which lists what is missing, surplus or misshapen.
    """
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise TypeError(f"{owner}: a state is arrays by name, as state_dict() returns, not {clean(repr(given), 60)}")
    missing, surplus = [name for name in wanted if name not in given], [name for name in given if name not in wanted]
    unmatched = Unmatched(missing, surplus)
    values: dict[str, Array] = {}
    misshapen = []
    for name in (name for name in wanted if name in given):
        shape, dtype = wanted[name]
        try:
            values[name] = as_value(given[name], dtype) if np.dtype(dtype).kind == "f" else _counts(given[name], dtype)
        except TypeError as error:
            raise TypeError(f"{owner}: {clean(name, 60)}: {clean(error, 200)}") from error
        if values[name].shape != shape:
            misshapen.append(f"{clean(name, 60)} has shape {clean(values[name].shape)}, not {shape}")
    if not strict:
        missing, surplus = [], []
    faults = {
        "missing": [clean(name, 60) for name in missing],
        "surplus": [clean(name, 60) + _nearest(name, missing) for name in surplus[:_NAMED]] + surplus[_NAMED:],
        "misshapen": misshapen,
    }
    if any(faults.values()):
        listed = "; ".join(f"{kind}: {_some(names)}" for kind, names in faults.items() if names)
        raise ValueError(f"{owner}: the state does not fit, and nothing was changed; {listed}")
    return values, unmatched


def _counts(given: Any, dtype: Any) -> Array:
    """Return whole numbers, or True and False, as an array. Raises TypeError for others, and what the type has not."""
    array = np.array(torchs.as_array(given))
    if array.dtype.kind not in "biu":
        raise TypeError(f"these are {array.dtype}, not {np.dtype(dtype)}")
    cast = array.astype(dtype)
    if (cast != array).any():
        raise TypeError(f"{array[cast != array].flat[0]} is no {np.dtype(dtype)}")
    return cast


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many there are besides."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _nearest(name: str, missing: Sequence[str]) -> str:
    """Return the missing name that may have been meant, in words."""
    from difflib import get_close_matches

    found = get_close_matches(name[:200], missing[:1000], 1)
    return f" (is it {clean(found[0], 60)}?)" if found else ""
