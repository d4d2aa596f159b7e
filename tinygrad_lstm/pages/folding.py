"""Folding: data in which much repeats with numbers that count on, as pages hold them; ``templates/unfold.js`` unfolds.

A network unrolled over time says nearly the same at each step: ``t7.cell.f``, then ``t8.cell.f``. A list is kept as
*rows*, each the number of a *text* and the whole numbers that stand in it where the text has 0, or ₀; and rows that
come again and again, with numbers that grow by the same each time, are kept once, as a *run*: ``[how often, rows, by
how much]``. What is folded is JSON, and comes back as it was, whatever it is about.
"""

from __future__ import annotations

import json
import re
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, overload

Plain = Any
"""What JSON can hold."""

FEWEST = 6
"""Parts of a list that is folded; chosen: a shorter one is no longer as it is."""

FARTHEST = 64
"""Of rows that look alike, how many are tried as the beginning of the next round; chosen: a step holds fewer."""

LEAST = 4
"""Rows that a run saves at least; chosen: of fewer, a list is easier to read."""

EDGE = 12
"""Rounds of a run that are written at its beginning, and as many at its end, before others are taken to go on alike;
what stands in one is written with what is at most so far away (``symbolic.symbols.FARTHEST``)."""

AHEAD = 512
"""Rows after the beginning of a run among which a better one is looked for; chosen: a step holds fewer."""

_NUMBER = re.compile("([0-9]+|[₀-₉]+)")
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_LONGEST = 15  # digits of a number that JavaScript holds to the last
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

Row = tuple[int, tuple[int, ...]]


class Repeat(NamedTuple):
    """Rows that come again and again: where they begin, how many they are, and how often they come."""

    start: int
    period: int
    often: int


class Alike(Sequence[Plain]):
    """A list of which it is known where it repeats before it is written, so that most of it need not be.

    Arguments:
        structure: a row for each part, such that parts are written alike, with numbers that grow evenly, deep within
            rounds whose rows do.
        write: makes a part, by its place.
    """

    def __init__(self, structure: Sequence[Row], write: Callable[[int], Plain]) -> None:
        self.structure, self._write = structure, write

    def __len__(self) -> int:
        return len(self.structure)

    @overload
    def __getitem__(self, at: int) -> Plain: ...
    @overload
    def __getitem__(self, at: slice) -> list[Plain]: ...
    def __getitem__(self, at: int | slice) -> Plain:
        positions = range(len(self))[at]
        return self._write(positions) if isinstance(positions, int) else [self._write(each) for each in positions]


class Folding:
    """Folds data, or several, which share their texts: ``texts`` is what has been met.

    >>> folding = Folding()
    >>> folding.folded([f"h{t} = f(h{t - 1})" for t in range(1, 30)])
    {'~': [[29, [[0, 1, 0]], [[1, 1]]]]}
    >>> folding.texts
    ['"h0 = f(h0)"']
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """Return the texts of the rows, by their numbers: JSON, with 0 and ₀ for the numbers in it."""
        return list(self._numbers)

    def folded(self, value: Plain) -> Plain:
        """Return a value with its long lists folded, each as ``{"~": rows and runs}``."""
        if isinstance(value, dict):
            return {key: self.folded(each) for key, each in value.items()}
        if isinstance(value, Alike):
            return _folded(self._rows_of(value)) if len(value) >= FEWEST else self.folded(list(value))
        if not isinstance(value, list | tuple):
            return value
        parts = [self.folded(each) if isinstance(each, list | tuple | dict) else each for each in value]
        return self.rows(parts) if len(parts) >= FEWEST else parts

    def rows(self, parts: Sequence[Plain]) -> Plain:
        """Return a list as rows and runs, however short it is."""
        return _folded([self.row(part) for part in parts])

    def _rows_of(self, parts: Alike) -> list[Row]:
        """Return the rows of a list without writing the middle of its runs, where that goes on as it begins."""
        rows: list[Row] = []

        def write(end: int) -> None:
            rows.extend(self.row(self.folded(parts[at])) for at in range(len(rows), end))

        for start, period, often in runs(parts.structure):
            between = often - 2 * EDGE
            if between <= 1:
                continue
            write(start + EDGE * period)
            goes_on = _Course.through(rows[-2 * period : -period], rows[-period:])
            tried = (between // 2, between)  # rounds in the middle, and after those that are not written
            if goes_on and all(
                self.row(self.folded(parts[len(rows) + k * period + i])) == row
                for k in tried
                for i, row in enumerate(goes_on.round(k + 1))
            ):
                rows += (row for k in range(between) for row in goes_on.round(k + 1))
        write(len(parts))
        return rows

    def row(self, part: Plain) -> Row:
        """Return the number of a text, and the numbers in it. What is no whole number as one writes it stays text."""
        if type(part) is list and all(type(each) is int and 0 <= each < 10**_LONGEST for each in part):
            return self._numbered(f"[{','.join('0' * len(part))}]"), tuple(part)  # as below, but sooner
        pieces = _NUMBER.split(_JSON(part))
        numbers = []
        for at in range(1, len(pieces), 2):
            run = pieces[at]
            digits = run.translate(_DIGITS)
            if len(digits) <= _LONGEST and (digits[0] != "0" or len(digits) == 1):
                numbers.append(int(digits))
                pieces[at] = "0" if run is digits or run == digits else "₀"
        return self._numbered("".join(pieces)), tuple(numbers)

    def _numbered(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))


def runs(rows: Sequence[Row]) -> Iterator[Repeat]:
    """Yield where rows come again and again, with numbers that grow by the same each time, in order.

    >>> list(runs([(0, (7,)), *((1 + i % 2, (10 * t, t)) for t in range(9) for i in range(2))]))
    [Repeat(start=1, period=2, often=9)]
    """
    return (run for run in _Search(rows).runs() if run.often > 1)


def _folded(rows: Sequence[Row]) -> Plain:
    """Return rows as they stand in a page: ``[text, number, …]``, and runs ``[how often, rows, by how much]``."""
    found: list[Plain] = []
    for start, period, often in _Search(rows).runs():
        first = rows[start : start + period]
        listed = [[text, *numbers] for text, numbers in first]
        if often == 1:
            found += listed
        else:
            grows = [_growth(a, b) for a, b in zip(first, rows[start + period : start + 2 * period], strict=True)]
            found.append([often, listed, grows])
    return {"~": found}


class _Course(NamedTuple):
    """Rows of which each lies on a line through those of the rounds before."""

    rows: Sequence[Row]
    by: Sequence[Sequence[int]]

    @classmethod
    def through(cls, first: Sequence[Row], second: Sequence[Row]) -> _Course | None:
        """Return the line through two rounds; None if they differ in more than numbers."""
        if [text for text, _ in first] != [text for text, _ in second]:
            return None
        pairs = zip(first, second, strict=True)
        return cls(second, [[b - a for a, b in zip(x, y, strict=True)] for (_, x), (_, y) in pairs])

    def round(self, k: int) -> Iterator[Row]:
        """Yield the rows so many rounds later."""
        for (text, numbers), by in zip(self.rows, self.by, strict=True):
            yield text, tuple([n + k * more for n, more in zip(numbers, by, strict=True)])


class _Search:
    """Looks for runs in rows: rows that come again and again, with numbers that grow by the same each time."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._sums = [_packed(numbers) for _, numbers in rows]
        self._after: list[int | None] = [None] * len(rows)  # where the next row is that has the same text
        self._known: dict[int, tuple[int, int]] = {}  # by period: from where to where it was seen to hold
        seen: dict[int, int] = {}
        for at in range(len(rows) - 1, -1, -1):
            self._after[at] = seen.get(rows[at][0])
            seen[rows[at][0]] = at

    def runs(self) -> Iterator[Repeat]:
        """Yield all rows in order: runs of them, and each that is in none as one that comes once."""
        at = 0
        while at < len(self.rows):
            often, period = self._best(at)
            within = range(at + 1, at + min(often * period, AHEAD))
            if not often or any(_saved(*self._best(other)) > _saved(often, period) for other in within):
                yield Repeat(at, 1, 1)
                at += 1
                continue
            yield Repeat(at, period, often)
            at += often * period

    def _best(self, start: int) -> tuple[int, int]:
        """Return how often rows come again from a place on, and how many they are; 0 where that saves nothing."""
        best, again = (0, 0), self._after[start]
        for _ in range(FARTHEST):
            if again is None:
                break
            period = again - start
            again = self._after[again]
            if best[1] and period % best[1] == 0:
                continue  # the same, several at a time
            found = (self._end(start, period) - start) // period + 2, period
            if _saved(*found) > _saved(*best):
                best = found
        return best if _saved(*best) >= LEAST else (0, 0)

    def _end(self, start: int, period: int) -> int:
        """Return the first place from which rows do not go on in the same way one and two periods later."""
        known, end = self._known.get(period, (0, 0))
        if known <= start < end:
            return end
        at = start
        while at + 2 * period < len(self.rows) and self._goes_on(at, period):
            at += 1
        self._known[period] = start, at
        return at

    def _goes_on(self, at: int, period: int) -> bool:
        middle, last = at + period, at + 2 * period
        if not self.rows[at][0] == self.rows[middle][0] == self.rows[last][0]:
            return False
        return self._sums[at] + self._sums[last] == 2 * self._sums[middle]


def _packed(numbers: tuple[int, ...]) -> int:
    """Return numbers as one, 64 bits for each: sums of it are sums of them all, as long as those have 63 bits."""
    return int.from_bytes(array("q", numbers).tobytes(), sys.byteorder)


def _saved(often: int, period: int) -> int:
    """Return how many rows a run saves: it has its rows, and as many growths."""
    return (often - 2) * period


def _growth(first: Row, second: Row) -> list[int]:
    """Return by how much each number grows, without the zeros at the end."""
    growth = [b - a for a, b in zip(first[1], second[1], strict=True)]
    while growth and not growth[-1]:
        growth.pop()
    return growth
