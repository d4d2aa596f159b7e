"""A picture: DOT text that can show and save itself."""

from __future__ import annotations

import html
import os
import re
from functools import cached_property
from pathlib import Path

from ..files import write_file
from .render import FORMATS, render
from .theme import dark_style


class Picture:
    """What ``draw`` returns. ``source`` is the DOT text; a notebook shows the picture itself."""

    def __init__(self, source: str, title: str, description: str = "") -> None:
        self.source = source
        self.title = title
        self.description = description

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text, which follows the reader's choice of light or dark and can be read aloud."""
        drawn = render(self.source, "svg").decode("utf-8")
        spoken = f"<title>{html.escape(self.title)}</title>\n<desc>{html.escape(self.description)}</desc>\n"
        head = re.compile(r"<svg ([^>]*)>")
        return head.sub(lambda tag: f'<svg role="img" {tag[1]}>\n{spoken}<style>{dark_style()}</style>', drawn, count=1)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture; the ending decides: .svg, .png, .pdf or .dot. Raises ValueError for any other."""
        format = Path(path).suffix.lower().lstrip(".")
        if format == "dot":
            return write_file(path, self.source)
        if format == "svg":
            return write_file(path, self.svg)
        if format not in FORMATS:
            raise ValueError(
                f"cannot save a picture as {str(path)!r}: the name must end in .dot, .{', .'.join(FORMATS)}"
            )
        return write_file(path, render(self.source, format))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<picture: {self.title}; save it as .svg, .png, .pdf or .dot>"
