"""Labels: every text that comes from a user is cut to size and escaped here, before it reaches DOT."""

from __future__ import annotations

import html
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 36


def clean(text: str, longest: int = LONGEST) -> str:
    """One line of printable characters, cut in the middle if it is too long."""
    line = "".join(" " if unicodedata.category(ch) in ("Cc", "Cs", "Co", "Cn") else ch for ch in text)
    if len(line) > longest:
        half = (longest - 1) // 2
        line = f"{line[:half]}…{line[-half:]}"
    return line


def html_label(rows: list[tuple[str, dict[str, str]]]) -> str:
    """An HTML-like label: one row per text, each with its font attributes."""
    cells = "".join(f"<TR><TD><FONT{_attributes(font)}>{_escape(text)}</FONT></TD></TR>" for text, font in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{cells}</TABLE>>'


def plain(text: str, longest: int = 300) -> str:
    """For attributes that are not HTML-like, such as tooltips: no escape sequence of DOT survives."""
    import graphviz

    return str(graphviz.escape(clean(text, longest)))


def shape(array: NDArray[Any]) -> str:
    return "×".join(map(str, array.shape)) or "scalar"


def numbers(array: NDArray[Any]) -> str:
    """The numbers of a small array, the norm of a larger one."""
    if array.size == 0:
        return "empty"
    if array.size <= 3:
        return ", ".join(f"{number:.3g}" for number in array.ravel()).replace("-", "−")
    return f"‖{np.linalg.norm(array):.3g}‖"


def _escape(text: str) -> str:
    """For HTML-like labels, where Graphviz replaces \\N by the node's name unless something invisible intervenes."""
    return html.escape(text).replace("\\", "\\\u200b")


def _attributes(font: dict[str, str]) -> str:
    return "".join(f' {key}="{value}"' for key, value in font.items())
