"""The places that a picture is made to fit: a slide, a page on the web, a column of a paper."""

from __future__ import annotations

from typing import NamedTuple


class Fit(NamedTuple):
    """A place for a picture: its size in CSS pixels, and how large the smallest words have to be there."""

    meaning: str
    width: int
    height: int  # at most; of a slide always
    least: float  # CSS pixels
    easy: float  # CSS pixels that are easy to read: so large where that needs no more rows
    zoom: float = 1.0  # pixels of a PNG in one of these
    whole: bool = False  # the canvas has just that size


FITS = {
    "slide": Fit("16:9, for a talk", 1280, 720, 10, 15, zoom=1.5, whole=True),
    "readme": Fit("830 px, as wide as a page on the web", 830, 1500, 10, 12),
    "column": Fit("3.3 in, a column of a paper", 317, 864, 10, 12, zoom=300 / 96),
}
"""The places there are, by their names."""
