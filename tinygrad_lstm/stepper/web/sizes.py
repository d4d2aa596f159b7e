"""One network at many lengths: what a page holds for each number of steps, folded once more along that number.

What a page holds of a network is the same for 20 steps as for 21, but for numbers that grow: it lies on a line, which
three neighbours show. Few steps are unlike others, and so are pictures where a number has one digit more and takes more
room; those are held one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

from ...drawing.paint.render import RenderError
from ...engine.tensor import Tensor
from ...pages.folding import Folding, Row
from ..cursor import Cursor
from .record import Forms, Record

LONGEST = 100
"""Steps that a page can be set to."""

WALK, VIEWS = "walk", "views"
PARTS = {
    WALK: ((*range(1, 8),), (8, LONGEST)),
    VIEWS: ((*range(1, 12), LONGEST), (12, LONGEST - 1)),
}
"""Of each part of a page the lengths that are held one by one, and the first and the last of those on a line."""

Maker = Callable[[int], Tensor]
"""Makes the same loss over so many time steps."""


class NotOnALine(Exception):
    """A network that does not grow evenly with its steps."""


class Held(NamedTuple):
    """What a page holds of a network, for one number of steps or for many, and the numbers of its leaves."""

    parts: dict[str, Any]
    values: dict[str, Any]
    answers: dict[str, Any]  # of Python's, at one number of steps
    undrawn: str


def only(cursor: Cursor, steps: int, folding: Folding, forms: Forms) -> Held:
    """Return what a page holds of a network that was recorded once."""
    record = Record(cursor.events, forms)
    parts = {part: {"sizes": {steps: _listed(_row(record, part, folding))}, "lines": []} for part in PARTS}
    return Held(parts, record.values(), record.network.answers(), record.undrawn)


def many(make: Maker, steps: int, folding: Folding, forms: Forms, report: Callable[[], object]) -> Held:
    """Return what a page holds of a network for any number of steps, and its leaves and answers at one.

    ``report`` is called after each of ``count()`` recordings. Raises NotOnALine if what is recorded differs in more
    than numbers that grow evenly.
    """
    records: dict[int, Record] = {}

    def row(part: str, length: int) -> Row:
        if length not in records:
            records[length] = Record(Cursor(make(length)).events, forms)
        found = _row(records[length], part, folding)
        report()
        return found

    parts = {}
    for part, (single, (first, last)) in PARTS.items():
        sizes = {length: _listed(row(part, length)) for length in single}
        near = [row(part, length) for length in range(first, first + 3)]
        parts[part] = {"sizes": sizes, "lines": [[first, last, _listed(near[0]), _growth(near)]]}
    shown = records.get(steps) or Record(Cursor(make(steps)).events, forms)
    if shown.undrawn:
        raise RenderError(shown.undrawn)
    return Held(parts, shown.values(), shown.network.answers(), "")


def count() -> int:
    """Return how many recordings ``many`` makes."""
    return sum(len(single) + 3 for single, _ in PARTS.values())


def _row(record: Record, part: str, folding: Folding) -> Row:
    """Return a part of what is recorded, folded, as one row."""
    return folding.row(folding.folded(record.walk() if part == WALK else record.views()))


def _listed(row: Row) -> list[int]:
    return [row[0], *row[1]]


def _growth(rows: list[Row]) -> list[int]:
    """Return by how much each number of neighbours grows. Raises NotOnALine."""
    if len({text for text, _ in rows}) == 1:
        first, second = (
            [after - before for before, after in zip(*pair, strict=True)]
            for pair in pairwise(numbers for _, numbers in rows)
        )
        if first == second:
            return first
    raise NotOnALine("what is recorded of three neighbouring numbers of steps does not grow evenly")
