"""A figure: what ``draw`` returns where Graphviz does not paint."""

from __future__ import annotations

from typing import TypedDict

from ...structure.words import clean
from ..fits import FITS, Fit
from ..paint.render import RenderError
from ..shown import Shown
from .paper import Paper

SCALE = 2.0
"""Pixels of a PNG for one of the SVG; chosen: sharp on a screen of today."""


class _Scaled(TypedDict):
    """How large a figure is, and the pixels of what it stands in the middle of."""

    scale: float
    canvas: tuple[float, float] | None


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

    def __init__(self, paper: Paper, fit: Fit | None = None) -> None:
        self._canvas, self._fit = paper, fit

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
        return self._canvas.svg(**self._scaled)

    @property
    def piece(self) -> str:
        """Return the figure as SVG for a page that has the dark colours already."""
        return self._canvas.svg(**self._scaled, standalone=False)

    @property
    def size(self) -> tuple[float, float]:
        """Return the width and the height of the SVG, in points."""
        scaled = self._scaled
        wide, high = scaled["canvas"] or (side * scaled["scale"] for side in self._canvas.size)
        return 0.75 * wide, 0.75 * high

    def fitted(self, name: str | None) -> Figure:
        """Return the figure as large as it can be in one of the places that ``draw`` knows, or as it is, for None.

        Raises ValueError, naming what would work, for a place that there is not, and one where words were too small.
        """
        if name is None:
            return self
        if name not in FITS:
            raise ValueError(f"unknown fit {name!r}; choose None or {' or '.join(map(repr, FITS))}")
        if (words := self._words_in(FITS[name])) < FITS[name].least:
            wide, high = self._canvas.size
            others = [f"fit={other!r}" for other in FITS if self._words_in(FITS[other]) >= FITS[other].least]
            instead = f"{' or '.join(others)} would work" if others else "leave fit out, for a page that scrolls"
            raise ValueError(
                f"{self.title!r} does not fit {name!r} ({FITS[name].meaning}): it is {wide:.0f} by {high:.0f} pixels, "
                f"and its smallest words would have {words:.2g} there, less than {FITS[name].least:g}; {instead}"
            )
        return Figure(self._canvas, FITS[name])

    def _words_in(self, fit: Fit) -> float:
        """Return how many pixels the smallest words have in a place."""
        return self._canvas.smallest * _scale(self._canvas, fit)

    @property
    def _scaled(self) -> _Scaled:
        if self._fit is None:
            return {"scale": 1.0, "canvas": None}
        canvas = (float(self._fit.width), float(self._fit.height)) if self._fit.whole else None
        return {"scale": _scale(self._canvas, self._fit), "canvas": canvas}

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
                vl_convert.svg_to_png(self.svg, scale=self._fit.zoom if self._fit else SCALE)
                if format == "png"
                else vl_convert.svg_to_pdf(self.svg)
            )
        except ValueError as error:
            raise RenderError(f"this figure could not be painted as .{format}: {clean(error, 200)}") from error
        return bytes(painted)


def _scale(paper: Paper, fit: Fit) -> float:
    return min(fit.width / paper.size[0], fit.height / paper.size[1])
