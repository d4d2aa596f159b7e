"""What a study is: runs that are named by their settings, and what is told of their results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""The settings of one run by name, numbers, words, True, False or None: all that it depends on."""


@dataclass(frozen=True)
class Result:
    """What a run found, and how long it took.

    >>> Result({"gap": 10}, {"solved": 9}, 1.5).values["solved"]
    9
    """

    row: Row
    values: dict[str, Any]  # what JSON can hold; the same whenever the row is run again
    seconds: float


@dataclass(frozen=True)
class Table:
    """A table of a report: what stands above the columns, the rows, and a letter for each column, "l" or "r".

    >>> Table(["cell", "solved"], [["LSTM", "10 of 10"]]).rows[0][1]
    '10 of 10'
    """

    head: Sequence[Any]
    rows: Sequence[Sequence[Any]]
    align: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a report: what one sees in the figure, which is SVG markup, or in the table.

    The prose is plain text, which the page escapes; an empty line begins a paragraph.

    >>> Section("Success against gap length", "The longer the gap, the fewer are solved.").figure is None
    True
    """

    title: str
    prose: str
    figure: str | None = None
    table: Table | None = None


@dataclass(frozen=True)
class Walk:
    """A page of the live walk, opened at the moment of a study that tells most.

    >>> Walk("Walk to the middle", "of nothing.", lambda: "<p>here</p>").make()
    '<p>here</p>'
    """

    link: str  # what one clicks
    about: str  # what one finds there: it stands after the link and a colon
    make: Callable[[], str]


@dataclass(frozen=True)
class Study:
    """A question, the runs that answer it, and what is told of them.

    ``run(**row)`` is a function at the top of a module, since it goes to other processes by its name; what it returns
    depends on nothing but the row, so that anybody can run a row again and compare.

    >>> def run(gap):
    ...     return {"doubled": 2 * gap}
    >>> study = Study("double", "Doubling", "What is twice the gap?", lambda: [{"gap": 10}], run, lambda results: [])
    >>> study.run(**study.rows()[0])
    {'doubled': 20}
    """

    name: str  # as one types it
    title: str
    question: str  # one or two sentences
    rows: Callable[[], list[Row]]
    run: Callable[..., dict[str, Any]]
    report: Callable[[list[Result]], list[Section]]
    walk: Walk | None = None
    own: Callable[[str, Callable[..., Any]], Result] | None = None  # runs a cell of the user's, by a name and its class
    reading: Callable[[Path], Study] | None = None  # the study of data in a file of the user's


def rounded(numbers: Iterable[Any], digits: int = 3) -> list[float]:
    """Return numbers with so many digits, as results hold them: files stay small, and plots show no more.

    >>> rounded([0.123456, 1234.5])
    [0.123, 1230.0]
    """
    return [float(f"{number:.{digits}g}") for number in numbers]
