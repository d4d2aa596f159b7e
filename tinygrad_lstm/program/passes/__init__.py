"""Passes: each takes a graph to one that computes the same with less work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure.rolling import roll
from .hoisting import Hoisted, Reassociated, SplitProducts
from .merging import MergedPointwise, MergedProducts
from .reciprocal import Reciprocals
from .rewriting import Rewriting
from .stacking import Stacking
from .tanh import SigmoidByTanh

BY_LEVEL: dict[int, tuple[type[Rewriting], ...]] = {
    1: (MergedProducts, MergedPointwise),
    2: (
        MergedProducts, MergedPointwise, SplitProducts, MergedProducts, Reassociated, Stacking, Reciprocals,
        MergedPointwise, Hoisted, MergedPointwise,
    ),
}  # fmt: skip


def optimized(outputs: Sequence[Tensor], level: int) -> tuple[list[Tensor], list[str]]:
    """Return the outputs, computed with less work, and what each pass says that it did.

    Each pass is checked on the numbers at hand, and left out if it changes them by more than rounding.
    """
    now = list(outputs)
    comments: dict[str, None] = {}
    for each in (*((SigmoidByTanh,) if level >= 3 else ()), *BY_LEVEL.get(min(level, 2), ())):
        rewriting = each(roll(Graph(*now)))
        while rewriting.finds:
            made = rewriting.run(now)
            if not all(_same(x.value, y.value) for x, y in zip(now, made, strict=True)):
                break
            now, comments = made, {**comments, each.comment: None}
            if not each.repeats:
                break
            rewriting = each(roll(Graph(*now)))
    return now, list(comments)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    slack = 1e4 * np.finfo(a.dtype).eps
    return a.shape == b.shape and bool(
        np.allclose(a, b, rtol=slack, atol=slack * np.abs(a).max(initial=0.0), equal_nan=True)
    )
