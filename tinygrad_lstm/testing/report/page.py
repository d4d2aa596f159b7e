"""The page of a survey: verdicts, plots, and of each failure who is to blame; one file that works offline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...drawing.paint.render import RenderError
from ...pages.offline import inline, offline
from ...pages.theme import dark_style
from ..objective import TOLERANCE
from .failure import Failure
from .plot import plot
from .survey import SurveyRow
from .text import pictured


def page(rows: Sequence[SurveyRow]) -> str:
    """Return the rows as an HTML page: a table, plots, and a section for each that failed."""
    counts = Counter(row.verdict for row in rows)
    values = {
        "summary": ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())),
        "rows": rows,
        "plots": [(row.name, plot(row.curve, standalone=False)) for row in rows if row.curve and row.order is not None],
        "straight": [row.name for row in rows if row.curve and row.order is None],
        "failures": [_failure(row) for row in rows if not row.passed],
        "tolerance": TOLERANCE,
        "dark_style": dark_style(),
    }
    return offline("tinygrad_lstm.testing.report", "check", [], values)


def _failure(row: SurveyRow) -> dict[str, Any]:
    """Return what the page shows of a row that failed: as a picture where Graphviz can draw, and else as DOT."""
    shown: dict[str, Any] = {"name": row.name, "sentence": row.note, "again": row.again}
    shown |= {"smallest": None, "picture": None}
    if row.failure is not None:
        smallest: Failure = row.failure.smallest
        shown |= {"sentence": row.failure.blame.sentence, "smallest": smallest}
        picture = pictured(row.failure, smallest).picture()
        try:
            shown["picture"] = inline(picture.svg)
        except RenderError:
            shown["dot"] = picture.source
    return shown
