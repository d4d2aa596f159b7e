"""The legend: what of the picture means what, beneath it."""

from __future__ import annotations

from dataclasses import replace

from ..engine.graph import Graph
from ..pages.theme import ARROW_NAMES, ROLE_NAMES
from ..structure.cells import Cells
from ..structure.timeline import Timeline
from . import labels
from .layout.geometry import Curve, Outline, Point, Rect, Template
from .layout.model import Content, PlacedColumn
from .scale import Scale
from .scene import Arrow, Box, Sample, Scene, Text
from .views.options import Options

ROW, GAP, ARROW = 34.0, 18.0, 34.0
"""Points: from row to row, between two samples, and how long the sample of an arrow is; chosen by eye."""

BAR, BAR_HEIGHT = 256.0, 12.0
"""Points: the size of the scale of magnitudes; chosen: each of its levels is a few pixels wide."""

LEAST_ROOM = 520.0
"""Points that a row may be wide at least; chosen: about the width of a printed page."""


def key(scene: Scene, options: Options, graph: Graph) -> tuple[Sample, ...]:
    """Return what a legend of the scene has to explain: what is in it, and no more."""
    samples: list[Sample] = []
    if options.legend:
        if any(box.role == "layer" and box.block for box in scene.boxes):
            samples += [Sample(Box("", "layer", (Text(symbol),)), words) for symbol, words in _gates(graph).items()]
        for role in dict.fromkeys(box.role for box in scene.boxes):
            if role in ROLE_NAMES:
                samples.append(Sample(Box("", role, (Text(" ", "detail"),)), ROLE_NAMES[role]))
        for role in dict.fromkeys(arrow.role for arrow in scene.arrows if not arrow.faded):
            samples.append(Sample(Arrow("", "", role), ARROW_NAMES[role]))
    if scene.scale is not None:
        samples.append(Sample(Box("", "scale", ()), "size of the gradient, ‖∂L/∂·‖"))
        if any(box.shade == -1 for box in scene.boxes):
            samples.append(Sample(Box("", "swatch", (Text(" ", "detail"),), shade=-1), "none"))
    return tuple(samples)


def _gates(graph: Graph) -> dict[str, str]:
    """Return what each layer of the cells is called, and whether it resets, writes or reads."""
    return {layer.symbol: layer.words for cell in Cells(Timeline(graph)).cells for layer in cell.layers if layer.words}


def placed(scene: Scene, width: float, least: float = LEAST_ROOM) -> PlacedColumn:
    """Place the samples in rows that are no wider than the picture, or than there is room at least."""
    rows = _Shelf(max(width, least), scene.small)
    for looks, meaning in scene.key:
        if scene.scale is not None and isinstance(looks, Box) and looks.role == "scale":
            rows.add_scale(looks, meaning, scene.scale)
        else:
            rows.add(looks, meaning)
    return rows.column()


class _Shelf:
    """Places one after another from left to right, and begins a row where one would be too long."""

    def __init__(self, room: float, small: float) -> None:
        self._room, self._small, self._row = room, small, max(ROW, 2.6 * small)
        self._content, self._template = Content(""), Template(0, 0)
        self._x, self._y = GAP, 0.0

    def add(self, looks: Box | Arrow, meaning: str) -> None:
        """Place a sample, and behind it what it means."""
        wide = ARROW if isinstance(looks, Arrow) else max(labels.size(looks, False, self._small)[0], 30.0)
        x, y = self._begin(wide + 6 + labels.width(meaning, self._small))
        if isinstance(looks, Arrow):
            start, end = Point(x, y), Point(x + ARROW - 6, y)
            id = f"legend.{len(self._content.arrows)}"
            self._content.arrows.append(Arrow(f"{id}.a", f"{id}.b", looks.role))
            self._template.inner.append(Curve((start, start, end, end), Point(x + ARROW, y)))
        else:
            self._add_box(looks, Rect(x + wide / 2, y, wide, 22.0))
        self._write(meaning, x + wide + 6, y)

    def add_scale(self, bar: Box, meaning: str, scale: Scale) -> None:
        """Place a bar of all shades behind what it means, and below it the numbers they stand for."""
        words = labels.width(meaning, self._small)
        if self._room < words + 10 + BAR + 3 * GAP:
            self.add(Box("", "gap", ()), meaning)  # in a row of its own
            words = 0.0
        wide = min(BAR, self._room - words - 10 - 3 * GAP)
        x, y = self._begin(words + 10 + wide + GAP)  # the last number may stand out
        if words > 0:
            self._write(meaning, x, y)
        left, middle = x + words + 10, y + self._small / 2
        low = middle - BAR_HEIGHT / 2
        self._add_box(bar, Rect(left + wide / 2, middle, wide, BAR_HEIGHT))
        for share, text in scale.ticks(int(wide / (3.2 * self._small))):
            at = left + share * wide
            self._add_box(Box("", "tick", ()), Rect(at, low - 2, 0.6, 4.0))
            self._write(text, at - labels.width(text, self._small) / 2, low - 4 - self._small / 2)

    def column(self) -> PlacedColumn:
        """Return all of it, in a frame."""
        height = self._row - self._y
        template = self._template.moved(0, height - self._row / 2)
        template.height = height
        whole = Rect(template.width / 2, height / 2, template.width, height)
        template.frames = [Outline("group", ("legend",), "", whole)]
        return PlacedColumn(self._content, template, -1, -1 << 30)

    def _begin(self, needed: float) -> Point:
        """Return where the next sample begins, and take so much of the row."""
        if self._x + needed > self._room and self._x > GAP:
            self._x, self._y = GAP, self._y - self._row
        begin = Point(self._x, self._y)
        self._x += needed + GAP
        self._template.width = max(self._template.width, self._x)
        return begin

    def _write(self, words: str, left: float, y: float) -> None:
        wide = labels.width(words, self._small)
        self._add_box(Box("", "gap", (Text(words, "detail"),)), Rect(left + wide / 2, y, wide + 4, 1.3 * self._small))

    def _add_box(self, box: Box, rect: Rect) -> None:
        self._content.boxes.append(replace(box, id=f"legend.{len(self._content.boxes)}"))
        self._template.boxes.append(rect)
