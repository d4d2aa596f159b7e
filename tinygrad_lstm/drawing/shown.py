"""What is drawn, be it a picture or a figure: it can be saved, shown in a notebook, and read aloud."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path

from ..interop.files import write_file
from .page import notebook, page


class Shown(ABC):
    """What ``draw`` returns: SVG with a title and a description, and the files it can be saved in, ``endings``."""

    endings: tuple[str, ...] = ("svg", "png", "pdf", "html")
    _kind = "picture"

    @property
    @abstractmethod
    def title(self) -> str:
        """Return what is shown, in a few words."""

    @property
    @abstractmethod
    def description(self) -> str:
        """Return what is shown, for people who cannot see it."""

    @property
    @abstractmethod
    def svg(self) -> str:
        """Return it as SVG text, which follows the reader's choice of light or dark and can be read aloud."""

    @property
    @abstractmethod
    def size(self) -> tuple[float, float]:
        """Return the width and the height of the SVG, in points."""

    @property
    def start(self) -> tuple[float, float]:
        """Return where to begin to look, in parts of the size."""
        return 0.0, 0.0

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it; the ending decides: one of ``endings``, of which .html is a page that pans and zooms.

        Raises ValueError for any other.
        """
        return write_file(path, self.render(Path(path).suffix.lower().lstrip("."), str(path)))

    def render(self, format: str, name: str = "") -> str | bytes:
        """Return it in one of the formats that ``save`` knows."""
        if format not in self.endings:
            raise ValueError(
                f"cannot save a {self._kind} as {name or format!r}: the name must end in .{', .'.join(self.endings)}"
            )
        if format == "svg":
            return self.svg
        if format == "html":
            return page(self.svg, self.title, self.description)
        return self._painted_as(format)

    @abstractmethod
    def _painted_as(self, format: str) -> str | bytes:
        """Return it in a format that is neither SVG nor a page."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {
            "text/html": notebook(self.svg, self.title, self.size[0], self.start),
            "image/svg+xml": self.svg,
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        return f"<{self._kind}: {self.title}; save it as .{', .'.join(self.endings[:-1])} or .{self.endings[-1]}>"
