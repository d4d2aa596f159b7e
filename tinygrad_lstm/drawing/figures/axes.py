"""Axes of small curves: ticks, their numbers, and where a value lies."""

from __future__ import annotations

from collections.abc import Sequence

from ...pages.plot import Axis
from ...pages.theme import FADED, MUTED
from .maps import Frame
from .paper import SMALL, Paper


def grid(paper: Paper, frame: Frame, y: Axis, *, right: bool = False) -> None:
    """Draw a line across for each tick of the axis upwards, with its number on the left, or on the right."""
    x, _, wide, _ = frame
    for place, words in y.ticks:
        up = y.at(place)
        paper.line([(x, up), (x + wide, up)], FADED, width=0.7)
        across, anchor = (x + wide + 6, "start") if right else (x - 6, "end")
        paper.text(across, up + 4, words, size=SMALL, ink=MUTED, anchor=anchor)


def curve(
    paper: Paper, points: Sequence[tuple[float, float]], ink: str, *, dashes: str = "", markers: bool = True
) -> None:
    """Draw a line through points, with a dot on each where they stand apart."""
    if len(points) > 1:
        paper.line(points, ink, width=2.0, dashes=dashes)
    apart = (points[-1][0] - points[0][0]) / max(len(points) - 1, 1) if points else 0.0
    if markers and (abs(apart) >= 9 or len(points) == 1):
        for place in points:
            paper.dot(*place, ink)
