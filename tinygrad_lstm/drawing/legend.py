"""The legend: what of the picture means what, beneath it."""

from __future__ import annotations

from collections.abc import Iterator

from ..pages.theme import ARROW_NAMES, ROLE_NAMES, SHADES
from ..structure.words import short
from . import labels
from .layout.geometry import Curve, Outline, Point, Rect, Template
from .layout.model import Content, Inner, PlacedColumn
from .layout.sizes import size
from .scale import Scale
from .scene import Arrow, Box, Sample, Scene, Text
from .views.options import Options

ROW, GAP, ARROW = 34.0, 18.0, 34.0


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
    """Place the samples in rows that are no wider than the picture, or than a page."""
    content, template = Content("legend"), Template(0, 0)
    content.title = ""
    room = max(width, 520.0)
    x, y = GAP, 0.0
    rows: list[float] = []
    scale = [looks for looks, _ in samples if isinstance(looks, Box) and looks.shade is not None]
    scale_width = sum(max(size(looks, False)[0], 30.0) + 4 for looks in scale) + 120
    for number, (looks, meaning) in enumerate(samples):
        sample_width = ARROW if isinstance(looks, Arrow) else max(size(looks, False)[0], 30.0)
        wide = sample_width + labels.width(meaning, 9) + (10 if meaning else 0)
        starts_scale = bool(scale) and looks is scale[0]
        if (x + wide > room or (starts_scale and x + scale_width > room)) and x > GAP:
            x, y = GAP, y - ROW
        rows.append(y)
        before = isinstance(looks, Box) and looks.shade is not None
        text_x = x + (0 if before else sample_width + 6) + labels.width(meaning, 9) / 2
        if before and meaning:
            x += labels.width(meaning, 9) + 10
        if isinstance(looks, Arrow):
            _add_arrow(content, template, looks, number, Point(x, y))
        else:
            box = Box(f"legend.{number}", looks.role, looks.texts, shade=looks.shade)
            _add_box(content, template, box, Rect(x + sample_width / 2, y, sample_width, 22.0))
        if meaning:
            words = Box(f"legend.{number}.words", "gap", (Text(meaning, "detail"),))
            _add_box(content, template, words, Rect(text_x, y, labels.width(meaning, 9) + 4, 16.0))
        x += sample_width + (4 if before else labels.width(meaning, 9) + GAP)
        template.width = max(template.width, x)
    template.height = ROW - y
    lift = template.height - ROW / 2
    template.boxes = [rect.moved(0, lift) for rect in template.boxes]
    template.inner = [curve.moved(0, lift) for curve in template.inner]
    whole = Rect(template.width / 2, template.height / 2, template.width, template.height)
    template.frames = [Outline(("legend",), "", whole, 1)]
    return PlacedColumn(content, template, -1, -1 << 30, 0.0, 0.0)


def _add_box(content: Content, template: Template, box: Box, rect: Rect) -> None:
    content.boxes.append(box)
    template.boxes.append(rect)


def _add_arrow(content: Content, template: Template, looks: Arrow, number: int, at: Point) -> None:
    """Add a sample arrow from nowhere to nowhere."""
    start, end = at, at.moved(ARROW - 6, 0)
    content.arrows.append(Arrow(f"legend.{number}.a", f"legend.{number}.b", looks.role))
    content.inner.append(Inner(0, 0, looks.role, ""))
    template.inner.append(Curve((start, start, end, end), at.moved(ARROW, 0)))
