"""How large boxes have to be, and where the labels of lines find room."""

from __future__ import annotations

from itertools import pairwise

from ...pages.theme import TEXTS
from .. import labels
from ..scene import Box
from .geometry import Curve, Point


def size(box: Box, downwards: bool) -> tuple[float, float]:
    """Return how wide and how high a box has to be for its words."""
    if box.role == "joint":
        return (5.0, 5.0)
    points = [float(TEXTS[text.style]["POINT-SIZE"]) for text in box.texts]
    width = max((labels.width(text.text, p) for text, p in zip(box.texts, points, strict=True)), default=0.0)
    height = sum(points) * 1.3 + 8
    if box.role in ("pointwise", "meeting"):
        width = height = max(width + 10 if len(box.texts) > 1 else width * 0.8 + 10, height * 0.9, 26.0)
    elif box.role in ("input", "output", "parameter", "product", "reduction"):
        width, height = width * 1.25 + 18, height * 1.15
    elif box.role in ("cell", "module", "gap"):
        width, height = width + 22, max(height + 6, 48.0)
    else:
        width += 18
    result = (max(width, 30.0), max(height, 26.0))
    return result[::-1] if downwards else result


def beside(line: Curve, label: str) -> Point:
    """Return a place for a label, next to the longest straight piece of a line."""
    ends = [*line.points[::3]]
    a, b = max(pairwise(ends), key=lambda piece: abs(piece[0].x - piece[1].x) + abs(piece[0].y - piece[1].y))
    middle = Point((a.x + b.x) / 2, (a.y + b.y) / 2)
    return middle.moved(labels.width(label, 9) / 2 + 6, 0) if abs(a.x - b.x) < 1 else middle.moved(0, 8)


def at_corner(line: Curve, label: str) -> Point:
    """Return a place for the label of a loop: at its upper right, where no line leaves a box."""
    return Point(max(p.x for p in line.points) + labels.width(label, 9) / 2 + 6, max(p.y for p in line.points) - 2)
