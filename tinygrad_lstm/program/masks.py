"""Masks by lengths: numbers that say which steps are within each sequence, found again in two recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine import ops
from ..structure.loops import Given, Rolled
from ..symbolic.expressions import Apply, Constant
from ..symbolic.tracer import cast
from .sizes import Size
from .statements import Read, Variable


@dataclass(frozen=True)
class Mask:
    """Which steps are within sequences of these lengths, an argument by name, or past their ends.

    ``steps`` is the letter of the size that says how many steps there are; ``axes`` says how the mask lies.
    """

    lengths: str
    steps: str
    axes: str
    past: bool = False

    @property
    def name(self) -> str:
        return "past" if self.past else "within"

    def expression(self, array: NDArray[Any], steps: int, dtype: Any) -> Any:
        """Return how it is computed from its argument: ``np.arange(T)[:, None] < lengths``."""
        columns, rows = _AXES[self.axes]
        count: Any = Apply(np.arange, (Constant(Size.of(steps, self.steps)),), {}, np.arange(steps))
        step, length = _spread(count, columns), _spread(Read(Variable(self.lengths, array)), rows)
        compare = np.greater_equal if self.past else np.less
        within = Apply(compare, (step, length), {}, compare(step.value, length.value))
        return within if np.dtype(dtype).kind == "b" else Apply(cast, (within,), {"dtype": dtype}, within.value)


_AXES: Mapping[str, tuple[Any, Any]] = {
    "TN": ((slice(None), None), None),
    "TN1": ((slice(None), None, None), (slice(None), None)),
    "NT": (None, (slice(None), None)),
    "N1T": (None, (slice(None), None, None)),
    "NT1": ((slice(None), None), (slice(None), None, None)),
}
"""How the numbers of steps lie, and the lengths, so that to compare them makes steps, sequences and ones."""


def masks_of(x: Given, lengths: Mapping[str, NDArray[Any]], sizes: Mapping[str, int]) -> set[Mask]:
    """Return which masks something given may be."""
    found = set()
    for (name, array), (letter, steps), (axes, (columns, rows)) in product(
        lengths.items(), sizes.items(), _AXES.items()
    ):
        within = _part(np.arange(steps), columns) < _part(array, rows)
        found |= {Mask(name, letter, axes, past) for past in (False, True) if _is_it(x, within != past)}
    return found


def only_conditions(rolled: Rolled) -> Callable[[Given], bool]:
    """Return what tells whether something given decides what is taken, and is read for nothing else."""
    others = {
        reference.of
        for made in rolled.made()
        for slot, reference in [*enumerate(made.operands), *((1, each) for each in made.before.values())]
        if made.primitive is not ops.where or slot
    }
    return lambda given: given not in others


def _is_it(x: Given, within: NDArray[np.bool_]) -> bool:
    if not x.stacked:
        return bool(np.array_equal(x.members[0].value, within))
    steps = [x.first + x.direction * k for k in range(len(x.members))]
    pairs = zip(steps, x.members, strict=True)
    return all(0 <= t < len(within) and np.array_equal(leaf.value, within[t]) for t, leaf in pairs)


def _part(array: NDArray[Any], index: Any) -> NDArray[Any]:
    return array if index is None else array[index]


def _spread(e: Any, index: Any) -> Any:
    return e if index is None else Apply(ops.getitem, (e,), {"index": index}, e.value[index])
