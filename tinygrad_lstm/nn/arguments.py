"""What becomes of arguments: they are refused, by name, or taken as numbers and tensors that one can compute with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..engine.backprop import cast
from ..engine.errors import real
from ..engine.primitive import unmasked
from ..engine.source import skip_file
from ..engine.tensor import Tensor, tensor

skip_file(__file__)


def within(low: float, high: float, **numbers: Any) -> None:
    """Refuse numbers outside of low <= number < high, by name; NaN is in no range, and Inf below none."""
    real(**numbers)
    for name, number in numbers.items():
        if not low <= number < high:
            wanted = f"in [{low}, {high})" if high < np.inf else f"finite, and {low} or more"
            raise ValueError(f"{name} must be {wanted}, not {number!r:.60}")


def above_zero(**numbers: Any) -> None:
    """Refuse numbers that are not above zero and finite, by name."""
    real(**numbers)
    for name, number in numbers.items():
        if not 0 < number < np.inf:
            raise ValueError(f"{name} must be positive and finite, not {number!r:.60}")


def true_or_false(**flags: Any) -> None:
    """Refuse what is neither True nor False, by name: any text, "no" too, would count as true."""
    for name, flag in flags.items():
        if not isinstance(flag, bool | np.bool_):
            raise TypeError(f"{name} must be True or False, not {flag!r:.60}")


LARGEST = 2**31
"""No size is this large: as a float64 each, the numbers of one such axis are 16 GiB."""


def positive(**sizes: int) -> None:
    """Refuse sizes that are not whole numbers above zero, or more than any machine holds, by name."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name} must be a positive whole number, not {size!r}")
        if size >= LARGEST:
            raise ValueError(f"{name} must be below {LARGEST:,}, not {size:,}")


def whole_numbers(data: Any, must: str) -> NDArray[np.integer[Any]]:
    """Return data as integers; a tensor holds none, so of one those numbers are taken that are whole."""
    if isinstance(data, Tensor):
        numbers: NDArray[Any] = data.value
        if np.all(np.isfinite(numbers) & (numbers == np.trunc(numbers))):
            numbers = numbers.astype(np.intp)
    else:
        numbers = np.asarray(unmasked(data))
        numbers = numbers if numbers.size else numbers.astype(np.intp)
    if numbers.dtype.kind not in "ui":
        raise TypeError(f"{must}, integers, not {numbers.dtype}")
    return numbers


def as_tensor(x: Any) -> Tensor:
    """Return a tensor as it is, and data as one."""
    return x if isinstance(x, Tensor) else tensor(x)


def as_input(x: Any, dtype: DTypeLike) -> Tensor:
    """Return data, or a tensor, in the type a layer computes in: of more digits than it has, the rest is cast off."""
    if not isinstance(x, Tensor):
        return tensor(x, dtype=dtype)
    return x if x.dtype == dtype or np.can_cast(x.dtype, dtype) else cast(x, dtype=np.dtype(dtype))


def as_ours(state: Any) -> Any:
    """Return a state with PyTorch's tensors, such as ``torch.zeros`` makes in a ``forward`` for it, as ours."""
    if type(state) in (tuple, list):
        return type(state)(map(as_ours, state))
    return state if isinstance(state, Tensor) or not hasattr(type(state), "__torch_function__") else tensor(state)


def uniform(rng: np.random.Generator, bound: float, shape: tuple[int, ...], dtype: DTypeLike) -> Tensor:
    """Return a parameter drawn uniformly from ±bound."""
    return tensor(rng.uniform(-bound, bound, size=shape), requires_grad=True, dtype=dtype)
