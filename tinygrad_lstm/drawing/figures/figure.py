"""A figure: what ``draw`` returns where Graphviz does not paint."""

from __future__ import annotations

from ...structure.words import clean
from ..paint.render import RenderError
from ..shown import Shown
from .paper import Paper

SCALE = 2.0
"""Pixels of a PNG for one of the SVG; chosen: sharp on a screen of today."""


class NoFigure(ValueError):
    """Nothing of what a figure would show is in the graph."""


class Figure(Shown):
    """What ``draw`` returns of a figure: SVG of ours, and the same as PNG, PDF or a page.

    >>> import tinygrad_lstm as tl
    >>> from tinygrad_lstm.nn.samples import small_loss
    >>> tl.draw(small_loss("lstm", 4), "openings")
    <figure: How open the gates are; save it as .svg, .png, .pdf or .html>
    """

    _kind = "figure"

    def __init__(self, paper: Paper) -> None:
        self._canvas = paper

    @property
    def title(self) -> str:
        """Return what the figure shows, in a few words."""
        return self._canvas.title

    @property
    def description(self) -> str:
        """Return what one sees in the figure, with its numbers."""
        return self._canvas.sentence

    @property
    def svg(self) -> str:
        """Return the figure as SVG text, which follows the reader's choice of light or dark and can be read aloud."""
        return self._canvas.svg()

    @property
    def piece(self) -> str:
        """Return the figure as SVG for a page that has the dark colours already."""
        return self._canvas.svg(standalone=False)

    @property
    def size(self) -> tuple[float, float]:
        """Return the width and the height of the SVG, in points."""
        return self._canvas.size

    def _painted_as(self, format: str) -> bytes:
        try:
            import vl_convert
        except ImportError as error:
            raise RenderError(
                f"a figure as .{format} needs the package vl-convert-python: pip install 'tinygrad-lstm[images]', or "
                "save it as .svg or .html"
            ) from error
        try:
            painted = (
                vl_convert.svg_to_png(self.svg, scale=SCALE) if format == "png" else vl_convert.svg_to_pdf(self.svg)
            )
        except ValueError as error:
            raise RenderError(f"this figure could not be painted as .{format}: {clean(error, 200)}") from error
        return bytes(painted)
