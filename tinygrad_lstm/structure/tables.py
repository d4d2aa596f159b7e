"""Small tables of words and numbers, as text and as HTML. Whatever stands in a cell, it cannot leave it."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from .words import JOINERS, LINE, clean

_ALIGN = {"l": "left", "r": "right"}


def text_table(
    rows: Iterable[Sequence[Any]], *, head: Sequence[Any] = (), foot: Sequence[Any] = (), align: str = ""
) -> str:
    """Return a table in lines of text, for a terminal.

    ``rows``, ``head`` and ``foot`` hold anything that ``str`` can show, each the same number of cells; ``align`` has a
    letter for each column, "l" or "r", and "l" for what it does not name. Raises ValueError for rows of other lengths.

    >>> print(text_table([["weight", 6], ["bias", 12]], head=["path", "count"], foot=["all", 18], align="lr"))
    path    count
    ─────────────
    weight      6
    bias       12
    ─────────────
    all        18
    """
    top, body, bottom, sides = _checked(rows, head, foot, align)
    lines = [*top, *body, *bottom]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]

    def written(row: list[str]) -> str:
        gaps = [" " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = (gap + cell if side == "r" else cell + gap for cell, gap, side in zip(row, gaps, sides, strict=True))
        return "  ".join(cells).rstrip()

    rule = ["─" * (sum(widths) + 2 * (len(widths) - 1))]
    parts = [list(map(written, part)) for part in (top, body, bottom) if part]
    joined = parts[0] if parts else []
    for part in parts[1:]:
        joined = [*joined, *rule, *part]
    return "\n".join(joined)


def html_table(
    rows: Iterable[Sequence[Any]],
    *,
    head: Sequence[Any] = (),
    foot: Sequence[Any] = (),
    align: str = "",
    caption: str = "",
    longest: int = LINE,
) -> str:
    """Return the same table as HTML, everything escaped, with a caption if there is one.

    What has more letters than ``longest`` is cut in the middle.

    >>> html_table([["<b>"]])
    '<table><tbody><tr><td style="text-align:left">&lt;b&gt;</td></tr></tbody></table>'
    """
    top, body, bottom, sides = _checked(rows, head, foot, align, longest)

    def written(row: list[str], tag: str) -> str:
        cells = (
            f'<{tag} style="text-align:{_ALIGN[side]}">{html.escape(cell)}</{tag.split()[0]}>'
            for cell, side in zip(row, sides, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>"

    titled = f'<caption style="text-align:left">{html.escape(clean(caption, 300))}</caption>' if caption else ""
    parts = [("thead", 'th scope="col"', top), ("tbody", "td", body), ("tfoot", "td", bottom)]
    inside = "".join(
        f"<{part}>{''.join(written(row, tag) for row in lines)}</{part}>" for part, tag, lines in parts if lines
    )
    return f"<table>{titled}{inside}</table>"


Lines = list[list[str]]


def _checked(
    rows: Iterable[Sequence[Any]], head: Sequence[Any], foot: Sequence[Any], align: str, longest: int = LINE
) -> tuple[Lines, Lines, Lines, str]:
    """Return head, rows and foot as printable words, and a letter for each column."""
    top, body, bottom = (
        [[clean(cell, longest) for cell in row] for row in part]
        for part in ([head] if head else [], rows, [foot] if foot else [])
    )
    lengths = {len(row) for row in (*top, *body, *bottom)}
    if len(lengths) > 1:
        raise ValueError(f"all rows of a table must have as many cells; these have {sorted(lengths)}")
    columns = max(lengths, default=0)
    if not set(align) <= set(_ALIGN) or len(align) > columns > 0:
        raise ValueError(f"align has a letter for each of {columns} columns, 'l' or 'r'; got {align!r}")
    return top, body, bottom, align.ljust(columns, "l")[:columns]


def _width(text: str) -> int:
    """Return how many places a terminal gives to a text."""
    return sum(
        0 if unicodedata.combining(ch) or ch in JOINERS else 2 if unicodedata.east_asian_width(ch) in "WF" else 1
        for ch in text
    )
