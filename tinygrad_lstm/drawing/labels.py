"""Labels: a user's texts are cut to size and escaped here, before they reach DOT, and what room they need is found."""

from __future__ import annotations

import html
import unicodedata
from functools import lru_cache
from math import hypot

from ..pages.theme import SMALL, TEXTS
from ..structure.words import clean
from .scene import Box

_WIDTHS = {
    ch: width
    for width, characters in {
        0.3: "ijlI',. ·",
        0.4: "frt!()-/:;[\\]|₀₁₂₃₄₅₆₇₈₉ₜ",
        0.5: 'J"*`∂‖',
        0.6: "acekosvxyzFLT?_₋δ",
        0.8: "wCDGHNOQRU&",
        0.9: "M#+<=>^~×⊙−∈",
        1.0: "mW%@…→",
    }.items()
    for ch in characters
}
_COMMON = 0.7
"""How wide characters are, in parts of the font size: in DejaVu Sans, the widest of the fonts that stand in for
Helvetica, rounded up; others have the common width. What fits there fits everywhere."""


LINE, CAPITALS = 1.3, 0.75
"""How far lines are apart, and how high capitals are, in parts of the font size."""


def html_label(rows: list[tuple[str, dict[str, str]]]) -> str:
    """Return an HTML-like label: one row per text, each with its font attributes."""
    cells = "".join(f"<TR><TD><FONT{_attributes(font)}>{_escape(text)}</FONT></TD></TR>" for text, font in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{cells}</TABLE>>'


def plain(text: str, longest: int = 300) -> str:
    """Return text for attributes that are not HTML-like, such as tooltips; of DOT's escapes only line breaks survive.

    A text in angle brackets is one too, and not HTML, which is what DOT would take it for.
    """
    import graphviz

    lines = (str(graphviz.escape(clean(line, longest))) for line in text.split("\n"))
    verbatim: str = graphviz.nohtml("\\n".join(lines))
    return verbatim


def escaped(text: str, longest: int = 300) -> str:
    """Return printable lines, escaped, for SVG and HTML."""
    if len(text) <= longest and text.replace("\n", "").isprintable():
        return html.escape(text)
    return html.escape("\n".join(clean(line, longest) for line in text.split("\n")))


escaped_word = lru_cache(2000)(escaped)
"""The same of what is short and comes again, as the words on boxes are."""


@lru_cache(2000)
def width(text: str, size: float) -> float:
    """Return how wide a text is at most, in points."""
    return size * sum(1.0 if unicodedata.east_asian_width(ch) in "WF" else _WIDTHS.get(ch, _COMMON) for ch in text)


def size(box: Box, downwards: bool, small: float = SMALL) -> tuple[float, float]:
    """Return how wide and how high a box has to be for its words, in points; the other way round if time runs down."""
    if box.role == "joint":
        return (5.0, 5.0)
    points = [max(float(TEXTS[text.style]["POINT-SIZE"]), small) for text in box.texts]
    widths = [width(text.text, p) for text, p in zip(box.texts, points, strict=True)]
    wide = max(widths, default=0.0)
    height = sum(points) * LINE + 8
    if box.role in ("pointwise", "meeting"):
        wide = height = max(_diameter(widths, points) + (4 if len(widths) > 1 else 2), 26.0)
    elif box.role in ("input", "output", "parameter", "product", "reduction"):
        wide, height = wide * 1.25 + 18, height * 1.15
    elif box.role in ("cell", "module", "gap"):
        wide, height = wide + 22, max(height + 6, 48.0)
    elif box.role == "stub":
        wide += 6
    else:
        wide += 4 if box.lane == "layer" else 12
    result = (max(wide, 30.0), max(height, 26.0))
    return result[::-1] if downwards else result


def _diameter(widths: list[float], points: list[float]) -> float:
    """Return how wide a circle is around lines of words, one below the other about its middle."""
    found, top = 0.0, sum(points) * LINE / 2
    for wide, high in zip(widths, points, strict=True):
        middle = top - high * LINE / 2
        found = max(found, hypot(wide, 2 * abs(middle) + high * CAPITALS))
        top -= high * LINE
    return found


def _escape(text: str) -> str:
    """Return text for HTML-like labels, where Graphviz replaces \\N by a node's name unless something intervenes."""
    return html.escape(text).replace("\\", "\\\u200b")


def _attributes(font: dict[str, str]) -> str:
    return "".join(f' {key}="{value}"' for key, value in font.items())
