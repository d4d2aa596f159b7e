"""The legend: what of the picture means what, beneath it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..pages.theme import ARROW_NAMES, ROLE_NAMES, SHADES, SMALL
from ..structure.words import short
from . import labels
from .layout.geometry import Curve, Outline, Point, Rect, Template
from .layout.model import Content, PlacedColumn
from .scale import Scale
from .scene import Arrow, Box, Sample, Scene, Text
from .views.options import Options

ROW, GAP, ARROW = 34.0, 18.0, 34.0
"""Points: from row to row, between two samples, and how long the sample of an arrow is; chosen by eye."""

LEAST_ROOM = 520.0
"""Points that a row may be wide at least; chosen: about the width of a printed page."""


def key(scene: Scene, options: Options) -> tuple[Sample, ...]:
    """Return what a legend of the scene has to explain: what is in it, and no more."""
    samples: list[Sample] = []
    if options.legend:
        for role in dict.fromkeys(box.role for box in scene.boxes):
            if role in ROLE_NAMES:
                samples.append(Sample(Box("", role, (Text(" ", "detail"),)), ROLE_NAMES[role]))
        for role in dict.fromkeys(arrow.role for arrow in scene.arrows):
            samples.append(Sample(Arrow("", "", role), ARROW_NAMES[role]))
    if scene.scale is not None:
        samples += _shades(scene.scale)
    return tuple(samples)


def _shades(scale: Scale) -> Iterator[Sample]:
    for shade in range(len(SHADES)):
        text = short(scale.least(shade))
        meaning = "‖∂L/∂·‖ at least" if shade == 0 else ""
        yield Sample(Box("", "swatch", (Text(text, "detail"),), shade=shade), meaning)


def placed(samples: tuple[Sample, ...], width: float) -> PlacedColumn:
    """Place the samples in rows that are no wider than the picture, or than a page; a scale is not divided."""
    content, template = Content(""), Template(0, 0)
    room = max(width, LEAST_ROOM)
    x, y = GAP, 0.0
    scale = [looks for looks, _ in samples if looks.shade is not None]
    scale_width = sum(_width(looks) + 4 for looks in scale) + 120
    for number, (looks, meaning) in enumerate(samples):
        wide, words = _width(looks), labels.width(meaning, SMALL)
        needed = scale_width if scale and looks is scale[0] else wide + words + 10
        if x + needed > room and x > GAP:
            x, y = GAP, y - ROW
        text_x = x + wide + 6
        if meaning and looks.shade is not None:  # what a scale means stands before it
            text_x, x = x, x + words + 10
        if isinstance(looks, Arrow):
            start, end = Point(x, y), Point(x + ARROW - 6, y)
            content.arrows.append(Arrow(f"legend.{number}.a", f"legend.{number}.b", looks.role))
            template.inner.append(Curve((start, start, end, end), Point(x + ARROW, y)))
        else:
            content.boxes.append(replace(looks, id=f"legend.{number}"))
            template.boxes.append(Rect(x + wide / 2, y, wide, 22.0))
        if meaning:
            content.boxes.append(Box(f"legend.{number}.words", "gap", (Text(meaning, "detail"),)))
            template.boxes.append(Rect(text_x + words / 2, y, words + 4, 16.0))
        x += wide + (4 if looks.shade is not None else words + GAP)
        template.width = max(template.width, x)
    template.height = ROW - y
    template = template.moved(0, template.height - ROW / 2)
    whole = Rect(template.width / 2, template.height / 2, template.width, template.height)
    template.frames = [Outline("group", ("legend",), "", whole)]
    return PlacedColumn(content, template, -1, -1 << 30)


def _width(looks: Box | Arrow) -> float:
    return ARROW if isinstance(looks, Arrow) else max(labels.size(looks, False)[0], 30.0)
