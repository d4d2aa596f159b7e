"""Folding: data in which much repeats with numbers that count on, as pages hold them; ``templates/unfold.js`` unfolds.

A network unrolled over time says nearly the same at each step: ``t7.cell.f``, then ``t8.cell.f``. A list is kept as
*rows*, each the number of a *text* and the whole numbers that stand in it where the text has 0, or ₀; and rows that
come again and again, with numbers that grow by the same each time, are kept once, as a *run*: ``[how often, rows, by
how much]``. What is folded is JSON, and comes back as it was, whatever it is about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

Plain = Any
"""What JSON can hold."""

FEWEST = 6
"""Parts of a list that is folded; chosen: a shorter one is no longer as it is."""

FARTHEST = 64
"""Of rows that look alike, how many are tried as the beginning of the next round; chosen: a step holds fewer."""

LEAST = 4
"""Rows that a run saves at least; chosen: of fewer, a list is easier to read."""

AHEAD = 512
"""Rows after the beginning of a run among which a better one is looked for; chosen: a step holds fewer."""

_NUMBER = re.compile("([0-9]+|[₀-₉]+)")
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_LONGEST = 15  # digits of a number that JavaScript holds to the last

Row = tuple[int, tuple[int, ...]]


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
        if not isinstance(value, list | tuple):
            return value
        parts = [self.folded(each) if isinstance(each, list | tuple | dict) else each for each in value]
        return self.rows(parts) if len(parts) >= FEWEST else parts

    def rows(self, parts: Sequence[Plain]) -> Plain:
        """Return a list as rows and runs, however short it is."""
        return {"~": list(_Search([self.row(part) for part in parts]).found())}

    def row(self, part: Plain) -> Row:
        """Return the number of a text, and the numbers in it. What is no whole number as one writes it stays text."""
        pieces = _NUMBER.split(json.dumps(part, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
        numbers = []
        for at in range(1, len(pieces), 2):
            run = pieces[at]
            digits = run.translate(_DIGITS)
            if len(digits) <= _LONGEST and (digits[0] != "0" or len(digits) == 1):
                numbers.append(int(digits))
                pieces[at] = "0" if run is digits or run == digits else "₀"
        return self._numbers.setdefault("".join(pieces), len(self._numbers)), tuple(numbers)


class _Search:
    """Looks for runs in rows: rows that come again and again, with numbers that grow by the same each time."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._after: list[int | None] = [None] * len(rows)  # where the next row is that has the same text
        self._known: dict[int, tuple[int, int]] = {}  # by period: from where to where it was seen to hold
        seen: dict[int, int] = {}
        for at in range(len(rows) - 1, -1, -1):
            self._after[at] = seen.get(rows[at][0])
            seen[rows[at][0]] = at

    def found(self) -> Iterator[Plain]:
        """Yield rows, ``[text, number, …]``, and runs of them, ``[how often, rows, by how much each number grows]``."""
        at = 0
        while at < len(self.rows):
            often, period = self._best(at)
            within = range(at + 1, at + min(often * period, AHEAD))
            if not often or any(_saved(*self._best(other)) > _saved(often, period) for other in within):
                text, numbers = self.rows[at]
                yield [text, *numbers]
                at += 1
                continue
            first, second = self.rows[at : at + period], self.rows[at + period : at + 2 * period]
            grows = [_growth(a, b) for a, b in zip(first, second, strict=True)]
            yield [often, [[text, *numbers] for text, numbers in first], grows]
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
        (text, first), (after, second), (last, third) = (self.rows[at + i * period] for i in range(3))
        return text == after == last and all(b - a == c - b for a, b, c in zip(first, second, third, strict=True))


def _saved(often: int, period: int) -> int:
    """Return how many rows a run saves: it has its rows, and as many growths."""
    return (often - 2) * period


def _growth(first: Row, second: Row) -> list[int]:
    """Return by how much each number grows, without the zeros at the end."""
    growth = [b - a for a, b in zip(first[1], second[1], strict=True)]
    while growth and not growth[-1]:
        growth.pop()
    return growth
