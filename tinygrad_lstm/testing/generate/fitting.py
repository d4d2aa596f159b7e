"""Attributes that fit: what an operation may be called with besides its inputs, by the names that numpy gives them.

``axis``, ``axes``, ``keepdims``, ``shape``, ``index`` and ``indices`` mean here what they mean there; of candidates the
operation itself says which it takes. ``subscripts`` come with operands: see ``cases``. Any other attribute keeps its
default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.primitive import Kind, Primitive


def conditions(primitive: Primitive) -> set[int]:
    """Return the inputs into which a rule sends no gradient, by asking it at ones; none if it does not take them."""
    one = np.ones(())
    try:
        products = primitive.rule(one, one, *[one] * primitive.arity) if primitive.rule else ()
    except Exception:
        return set()
    return {slot for slot, product in enumerate(products) if product is None}


def bounded_below(primitive: Primitive) -> list[bool]:
    """Tell for each input whether its domain ends below, so that positive numbers are in it."""
    return [low > -np.inf for low, _ in primitive.domains]


def value_of(primitive: Primitive, inputs: Sequence[NDArray[Any]], attrs: dict[str, Any]) -> NDArray[Any] | None:
    """Return what an operation makes of inputs; None if it does not take them, or makes a NaN of them."""
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(primitive(*inputs, **attrs))
    except (ValueError, TypeError, IndexError, FloatingPointError):
        return None
    return None if np.isnan(value).any() else value


def fitting(primitive: Primitive, inputs: Sequence[NDArray[Any]], first: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the attributes that an operation takes with inputs of these shapes, beginning at ``first`` of them."""
    shape = inputs[0].shape
    known = {name: found for name in primitive.attr_names if (found := _candidates(name, primitive.kind, shape))}
    combined = [dict(zip(known, values, strict=True)) for values in product(*known.values())]
    for i in range(len(combined)):
        attrs = combined[(first + i) % len(combined)]
        if _fills(shape, **attrs) and value_of(primitive, inputs, attrs) is not None:
            yield attrs


def _fills(x: tuple[int, ...], index: Any = None, shape: tuple[int, ...] | None = None, **others: Any) -> bool:
    """Return whether x is as large as what it is put into, where an operation has an index and a shape."""
    if index is None or shape is None:
        return True
    if 0 in shape and not isinstance(index, slice):
        return False  # numpy 2.0 takes an index out of bounds where there is nothing, with a warning
    try:
        return bool(np.empty(shape)[index].shape == x)
    except (IndexError, ValueError):
        return False


def _candidates(name: str, kind: Kind, shape: tuple[int, ...]) -> list[Any]:
    ndim, axes = len(shape), range(-len(shape), len(shape))
    if name == "axis":
        return [None, *axes, tuple(range(ndim))] if kind is Kind.reduction else list(axes) or [0]
    if name == "keepdims":
        return [False, True]
    if name == "axes":
        return [None, *permutations(range(-ndim, 0)), *permutations(range(ndim))]
    if name == "shape":
        grown = [(side + 1, *shape[1:]) for side in shape[:1]]
        return [shape[::-1], (-1,), (*shape, 1), (2, *shape), *grown, *permutations(shape), (1, *shape)]
    if name in ("index", "indices"):
        return _indices(shape[0] if shape else 0, name == "indices")
    return []


def _indices(rows: int, numbers: bool) -> list[Any]:
    """Return indices of a tensor of so many rows: kinds that numpy tells apart, a row named twice among them."""
    if not rows:
        return [] if numbers else [None, ...]
    last = rows - 1
    twice = [np.array([last, 0, 0]), np.zeros((2, 3), int), 0]
    if numbers:
        return twice
    mask = np.arange(rows) % 2 == 0
    return [slice(0, rows), slice(None, None, -1), *twice, mask, (..., None), last, slice(0, 1)]
