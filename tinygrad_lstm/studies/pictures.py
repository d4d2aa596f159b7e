"""What the applications have pictures of: how one of them learned, and a unit beside what it tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..pages.heat import Grid, heat_map
from ..pages.plot import Point, Series, log_plot
from ..pages.theme import ON_PAGES
from .translation import Translation


def learning(curve: Sequence[Point], upwards: str, beside: Mapping[str, float], of: str = "what it learns from") -> str:
    """Return a plot of a loss by update, of what it learns from or of other things, with what others come to, as SVG.

    >>> learning([(1, 3.0), (2, 2.5)], "bits", {"6-grams": 2.0})[:4]
    '<svg'
    """
    lines = [Series(curve, f"LSTM, on {of}", ON_PAGES["series0"])]
    ends = (curve[0][0], curve[-1][0])
    for dashes, (name, level) in zip(("6 3", "2 3", "8 2 2 2"), beside.items(), strict=False):
        lines.append(Series([(end, level) for end in ends], name, dashes=dashes))
    return log_plot(
        lines,
        title="Learning, update by update",
        across="update",
        upwards=upwards,
        label=f"{upwards} by update, beside {', '.join(beside)}",
        log_across=False,
        log_upwards=False,
        size=(680, 340),
    )


def unit_and_truth(
    unit: int, said: ArrayLike, truth: ArrayLike, what: str, symbols: Sequence[str], across: str = "symbol"
) -> str:
    """Return what a unit says, above what it should say, symbol by symbol, as SVG; without symbols they are counted.

    >>> unit_and_truth(3, [0.1, 1.9], [0, 2], "how many", "ab")[:4]
    '<svg'
    """
    rows = {f"unit {unit} says": said, what: truth}
    grids = [Grid(name, np.atleast_2d(row), [""], symbols) for name, row in rows.items()]
    label = f"Above what unit {unit} says, below {what}, for each {across}"
    return heat_map(grids, title=f"A unit that tells {what}", across=across, upwards="", label=label, size=(680, 220))


def alignments(looked: Sequence[tuple[str, Translation]]) -> str:
    """Return what was looked at while a few words were written, as SVG: letters across, what was written downwards.

    >>> alignments([("ab", Translation(["X"], np.array([[0.9, 0.1]])))])[:4]
    '<svg'
    """
    grids = [Grid(word, each.looked, each.symbols, list(word)) for word, each in looked if each.symbols]
    what = "Where the writer looked, at each symbol"
    size = 680, 100 + 210 * max(len(grids), 1)
    return heat_map(grids, title=what, across="read", upwards="written", label=what, size=size, most=1.0)


def along(values: ArrayLike, first: int, what: str, upwards: str) -> str:
    """Return a part of a series, whose first value has this place in the whole, as SVG.

    >>> along([1.0, 2.0, 9.0], first=100, what="a pulse", upwards="mmHg")[:4]
    '<svg'
    """
    points = [(float(first + i), float(y)) for i, y in enumerate(np.asarray(values))]
    return log_plot(
        [Series(points, colour=ON_PAGES["series0"])],
        title=what,
        across="place in the series",
        upwards=upwards,
        label=f"{what}, from place {first} on",
        log_across=False,
        log_upwards=False,
        size=(680, 240),
    )
