"""What is measured: a recurrent layer forward and backward, the same numbers for whoever computes it.

Given are x (T, N, D), the weights one by one, and ∂L/∂h of every step (T, N, H). Wanted are h of every step, ∂L/∂x, and
the gradient of every weight, one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.cells import LAYERS

SIZES = ((25, 1, 64, 100), (50, 32, 64, 64), (100, 64, 128, 128), (100, 50, 96, 256), (100, 64, 256, 512))
"""(T, N, D, H)."""

DTYPES = ("float64", "float32")
OUTPUT, INPUT = "h", "xs"


class Job(NamedTuple):
    """One layer of a cell at a size, in a dtype."""

    cell: str
    size: tuple[int, int, int, int]
    dtype: str


class Given(NamedTuple):
    """The numbers of a job. Weights by the names they have in ``tl``, as ``cell.forget_gate.weight``."""

    job: Job
    xs: Any
    upstream: Any
    weights: dict[str, Any]


class Contender(NamedTuple):
    """``run`` computes everything once; ``forward`` only h, and returns all that is kept for the way back.

    ``results`` returns what the last run has found, by name. ``note`` names a fallback, if there is one. ``warm`` does
    the like for two steps of one sequence, so that what is made but once is there before memory is looked at.
    """

    run: Callable[[], Any]
    forward: Callable[[], Any]
    results: Callable[[], dict[str, Any]]
    note: Callable[[], str] = str
    warm: Callable[[], Any] = str


class Missing(Exception):
    """A contender that cannot take part here, and why."""


def given(job: Job) -> Given:
    T, N, D, H = job.size
    rng = np.random.default_rng(0)
    layer = LAYERS[job.cell](D, H, rng=0, dtype=job.dtype)
    weights = {}
    for name, parameter in layer.named_parameters():
        bound = 1 / np.sqrt(H) if parameter.ndim > 1 else 0.5
        drawn = rng.uniform(-bound, bound, size=parameter.shape)
        weights[name] = (drawn + 1 if name.endswith("norm.weight") else drawn).astype(job.dtype)
    xs = rng.uniform(-1, 1, size=(T, N, D)).astype(job.dtype)
    upstream = rng.uniform(-1, 1, size=(T, N, H * directions(job.cell))).astype(job.dtype)
    return Given(job, xs, upstream, weights)


def directions(cell: str) -> int:
    return 2 if cell.startswith("Bi") else 1


def differences(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Say where two results differ by more than rounding: none, for contenders that do the same."""
    found = []
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in mine or name not in theirs:
            found.append(f"{name} is missing from one of them")
            continue
        a, b = mine[name], theirs[name]
        bound = 1e-10 if a.dtype == np.float64 else 1e-3
        if a.shape != b.shape or a.dtype != b.dtype:
            found.append(f"{name}: {a.dtype} {a.shape} and {b.dtype} {b.shape}")
        elif not np.abs(a - b).max() <= bound * np.abs(a).max():
            found.append(f"{name} differs by {np.abs(a - b).max() / np.abs(a).max():.1e} of its largest number")
    return found
