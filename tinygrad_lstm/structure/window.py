"""Which steps are shown, of a sequence that is longer than what one can take in: a window, and the gaps it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import index
from typing import Any, Literal

Window = tuple[int, int] | Literal["all"] | None
"""The first step and the one after the last, as in ``range``; all steps; or as many as there is room for."""


@dataclass(frozen=True)
class Gap:
    """Steps that are left out, from the first to the last, and how many they are."""

    first: int
    last: int
    count: int

    def __str__(self) -> str:
        return f"… {self.count} steps …" if self.count > 1 else "…"  # no wider than the step


def shown(steps: list[int], window: Window, longest: int) -> list[int | Gap]:
    """Return the steps a window shows, and what is left out between them.

    Without a window, of a sequence that is longer than ``longest`` the first and the last steps are shown; a single one
    is not left out, since to say so takes as much room. Raises ValueError for a window that shows none of the steps.
    """
    wanted = None if window is None or window == "all" else _checked(window)
    if window == "all" or (window is None and len(steps) <= longest + 1) or not steps:
        return list(steps)
    if wanted is None:
        half = longest // 2
        kept = {*steps[: longest - half], *steps[-half:]}
    else:
        kept = {t for t in steps if wanted[0] <= t < wanted[1]}
        if not kept:
            raise ValueError(
                f"steps={wanted} shows none of the time steps {steps[0]} to {steps[-1]}; as with range(), the first is "
                "shown and the last is not"
            )
    found: list[int | Gap] = []
    for is_shown, group in groupby(steps, kept.__contains__):
        run = list(group)
        found += run if is_shown else [Gap(run[0], run[-1], len(run))]
    return found


def _checked(window: Any) -> tuple[int, int]:
    try:
        first, end = map(index, window)
    except (TypeError, ValueError):
        raise TypeError(f"steps must be (first, end) as in range(first, end), or 'all', not {window!r}") from None
    return first, end
