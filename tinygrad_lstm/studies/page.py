"""The page of a study: what was asked, what was seen, and by which command; one file that works offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..pages.offline import offline
from ..pages.theme import dark_style
from .study import Result, Study, Table

SHORT = 40
"""Letters of a cell that is kept on one line; chosen: no sentence is as short."""


def page(study: Study, head: Mapping[str, Any], results: Sequence[Result], walk: str | None = None) -> str:
    """Return the report of results as an HTML page.

    Arguments:
        study: what was run.
        head: of the file of results: command, version, seconds.
        results: what the runs found.
        walk: the address of a page of the live walk, at the moment that tells most; None for no link.

    >>> from tinygrad_lstm.studies import by_name
    >>> page(by_name("adding"), {"command": "tinygrad-lstm study adding", "version": "0.1.0"}, []).splitlines()[0]
    '<!doctype html>'
    """
    values = {
        "study": study,
        "head": head,
        "sections": [(each, each.prose.split("\n\n")) for each in study.report(list(results))],
        "seconds": sum(each.seconds for each in results),
        "runs": len(results),
        "walk": walk,
        "short": _is_short,
        "dark_style": dark_style(),
    }
    return offline("tinygrad_lstm.studies", "study", [], values)


def _is_short(table: Table) -> bool:
    """Tell whether the cells are numbers and names, which are not broken into lines."""
    return all(len(str(cell)) <= SHORT for row in table.rows for cell in row)
