"""Labels: every text that comes from a user is cut to size and escaped here, before it reaches DOT."""

from __future__ import annotations

import html
import unicodedata

from ..structure.words import clean

_COMMON = 0.56
_WIDTHS = {**dict.fromkeys("iljtfrI.,:;'|![]() ", 0.3), **dict.fromkeys("mwMWσ∂Σ‖", 0.8)}
"""How wide characters are, in parts of the font size: Helvetica's, rounded; all others have the common width."""


def html_label(rows: list[tuple[str, dict[str, str]]]) -> str:
    """Return an HTML-like label: one row per text, each with its font attributes."""
    cells = "".join(f"<TR><TD><FONT{_attributes(font)}>{_escape(text)}</FONT></TD></TR>" for text, font in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{cells}</TABLE>>'


def plain(text: str, longest: int = 300) -> str:
    """For attributes that are not HTML-like, such as tooltips: no escape sequence of DOT survives but line breaks.

    A text in angle brackets is one too, and not HTML, which is what DOT would take it for.
    """
    import graphviz

    lines = (str(graphviz.escape(clean(line, longest))) for line in text.split("\n"))
    verbatim: str = graphviz.nohtml("\\n".join(lines))
    return verbatim


def spoken(text: str, longest: int = 300) -> str:
    """Return printable lines, escaped, for SVG and HTML."""
    return html.escape("\n".join(clean(line, longest) for line in text.split("\n")))


def width(text: str, size: float) -> float:
    """Return about how wide a text is in Helvetica, in points."""
    return size * sum(1.0 if unicodedata.east_asian_width(ch) in "WF" else _WIDTHS.get(ch, _COMMON) for ch in text)


def _escape(text: str) -> str:
    """For HTML-like labels, where Graphviz replaces \\N by the node's name unless something invisible intervenes."""
    return html.escape(text).replace("\\", "\\\u200b")


def _attributes(font: dict[str, str]) -> str:
    return "".join(f' {key}="{value}"' for key, value in font.items())
