"""Painting: a placed scene as SVG, each different step painted once by Graphviz and stamped as often as it occurs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from ...pages.theme import INK, PAPER, SHADES, STYLED, dark_style
from .. import labels
from ..layout.columns import Placed, PlacedColumn
from ..layout.geometry import Curve, Frame, Rect
from ..scene import Arrow, Box, Scene, Text
from . import dot
from .render import MEND, RenderError, render

PAD = 6.0

_ELEMENT = re.compile(
    r'<g id="([fba]\d+)" class="([^"]*)">\n<title>.*?</title>\n(.*?)(?=\n<!-- |\n</g>\n</svg>)', re.DOTALL
)
_WORD = re.compile(r"@(\d+)@")
_PALEST, _WORDS = f'fill="{SHADES[0]}"', f'fill="{INK}"'
_FAINT = f'stroke-width="{dot.width_of(0)}"'
_UNFIT = re.compile(r"[^\w.@→′-]+")
_START = re.compile(r'text-anchor="start" x="[^"]*"')


@dataclass
class _Stamp:
    """What one column needs: the names of its painted elements, and the column they were painted for."""

    column: PlacedColumn
    frames: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    arrows: list[str] = field(default_factory=list)


class _Stamps:
    """Collects the columns that differ in more than words, and has them painted in one go."""

    def __init__(self, placed: Placed) -> None:
        self._placed = placed
        self._stamps: dict[object, _Stamp] = {}
        self.frames: list[tuple[str, Frame]] = []
        self.boxes: list[tuple[str, Box, Rect]] = []
        self.arrows: list[tuple[str, Arrow, Curve]] = []
        self.of = [self._stamp(column) for column in placed.columns]

    def _stamp(self, column: PlacedColumn) -> _Stamp:
        key = self._key(column)
        if key not in self._stamps:
            self._stamps[key] = stamp = _Stamp(column)
            for frame in column.frames():
                title = "@0@" if frame.title else ""
                stamp.frames.append(_add(self.frames, "f", frame._replace(title=title)))
            for box, rect in column.boxes():
                words = tuple(Text(f"@{i}@", text.style) for i, text in enumerate(box.texts))
                shade = None if box.shade is None else 0
                blank = Box(box.id, box.role, words, pending=box.pending, shade=shade, faded=box.faded)
                stamp.boxes.append(_add(self.boxes, "b", blank, rect))
            for arrow, curve in self._placed.arrows(column):
                blank_arrow = copy(arrow)
                blank_arrow.label = "@0@" if arrow.label else ""
                blank_arrow.shade = arrow.shade and min(arrow.shade, 0)
                stamp.arrows.append(_add(self.arrows, "a", blank_arrow, curve))
        return self._stamps[key]

    def _key(self, column: PlacedColumn) -> object:
        """Columns with the same key look the same: layout, looks, and whence and whither their crossings lead."""
        looks = tuple(box.look for box in column.content.boxes)
        arrows = tuple(arrow.look for arrow in column.content.arrows)
        crossings = tuple(
            (arrow.look, self._relative(column, i, end), self._relative(column, j, to))
            for arrow, i, end, j, to in column.content.crossing
        )
        return column.kind, looks, arrows, crossings

    def _relative(self, column: PlacedColumn, other: int, end: int) -> tuple[object, ...]:
        neighbour = self._placed.columns[other]
        return neighbour.kind, end, round(neighbour.dx - column.dx, 3), round(neighbour.dy - column.dy, 3)


def svg(scene: Scene, placed: Placed) -> str:
    """The picture as SVG text, which follows the reader's choice of light or dark and can be read aloud."""
    stamps = _Stamps(placed)
    source = dot.painted("picture", stamps.frames, stamps.boxes, stamps.arrows)
    places = {name: rect for name, _, rect in stamps.boxes} | {name: frame.rect for name, frame in stamps.frames}
    pieces = _pieces(render(source, "svg", "nop2").decode("utf-8"), places)
    if len(pieces) != len(places) + len(stamps.arrows):
        raise RenderError(f"Graphviz painted {len(pieces)} of {len(places) + len(stamps.arrows)} elements; {MEND}")
    width = placed.high.x - placed.low.x + 2 * PAD
    height = placed.high.y - placed.low.y + 2 * PAD
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        f'<svg role="img" width="{width:.0f}pt" height="{height:.0f}pt" viewBox="0 0 {width:.2f} {height:.2f}" '
        f'class="{STYLED}" xmlns="http://www.w3.org/2000/svg" font-family="Helvetica,Arial,sans-serif">',
        f"<title>{labels.spoken(scene.title)}</title>",
        f"<desc>{labels.spoken(scene.description, 2000)}</desc>",
        f"<style>{dark_style()}</style>",
        f'<rect class="paper" width="100%" height="100%" fill="{PAPER}"/>',
        f'<g class="graph" transform="translate({PAD - placed.low.x:.2f} {PAD + placed.high.y:.2f})">',
    ]
    taken: set[str] = set()
    names = [column.id for column in scene.columns] + ["legend"]
    for column, name, stamp in zip(placed.columns, names, stamps.of, strict=False):
        dx, dy = column.dx - stamp.column.dx, column.dy - stamp.column.dy
        move = f' transform="translate({dx:.2f} {-dy:.2f})"' if dx or dy else ""
        lines.append(f'<g id="{_id(name, taken)}" class="column"{move}>')
        lines += _stamped(column, stamp, pieces, name, taken)
        lines.append("</g>")
    lines.append("</g>\n</svg>\n")
    return "\n".join(lines)


def positioned(scene: Scene, placed: Placed) -> str:
    """DOT of the whole with every position, for Graphviz to paint as it is."""
    frames, boxes, arrows = [], [], []  # type: ignore[var-annotated]
    for column in placed.columns:
        for frame in column.frames():
            _add(frames, "f", frame)
        for box, rect in column.boxes():
            _add(boxes, "b", box, rect)
    for column in placed.columns:
        for arrow, curve in placed.arrows(column):
            _add(arrows, "a", arrow, curve)
    return dot.painted(scene.title, frames, boxes, arrows)


def _stamped(
    column: PlacedColumn, stamp: _Stamp, pieces: dict[str, tuple[str, list[str]]], prefix: str, taken: set[str]
) -> Iterator[str]:
    for frame, name in zip(column.frames(), stamp.frames, strict=True):
        id = ".".join((prefix, *frame.path)) if frame.depth else f"{prefix}.frame"
        yield _element(pieces[name], _id(id, taken), frame.title, (frame.title,))
    for box, name in zip(column.content.boxes, stamp.boxes, strict=True):
        tooltip = f"{box.tooltip}\n{box.statistics}".strip()
        box.element = _id(box.id, taken)
        drawn = _element(pieces[name], box.element, tooltip, [text.text for text in box.texts])
        yield drawn if not box.shade else _shaded(drawn, box)
    arrows = (*column.content.arrows, *(crossing.arrow for crossing in column.content.crossing))
    for arrow, name in zip(arrows, stamp.arrows, strict=True):
        arrow.element = _id(f"{arrow.tail}→{arrow.head}", taken)
        drawn = _element(pieces[name], arrow.element, arrow.tooltip, (arrow.label,))
        width = None if not arrow.shade or arrow.thick else dot.width_of(arrow.shade)
        yield drawn if width is None else drawn.replace(_FAINT, f'stroke-width="{width}"')


def _shaded(drawn: str, box: Box) -> str:
    """Painted in the palest shade, now in its own."""
    fill, words = dot.shade_look(box.shade or 0)
    return drawn.replace(_PALEST, f'fill="{fill}"').replace(_WORDS, f'fill="{words}"')


def _element(piece: tuple[str, list[str]], id: str, tooltip: str, words: Any) -> str:
    """One painted element with its own words; every other part of the piece is the number of one."""
    kind, parts = piece
    body = "".join(labels.spoken(words[int(part)]) if i % 2 else part for i, part in enumerate(parts))
    return f'<g id="{id}" class="{kind}"><title>{labels.spoken(tooltip)}</title>\n{body}'


def _pieces(drawn: str, places: dict[str, Rect]) -> dict[str, tuple[str, list[str]]]:
    """What Graphviz painted, by element: its class, and its body divided where words are to be put in.

    Words are centred on their boxes and frames, where Graphviz gave the left end of those it measured.
    """
    pieces = {}
    for name, kind, body in _ELEMENT.findall(drawn):
        if name in places:
            body = _START.sub(f'text-anchor="middle" x="{places[name].x:.2f}"', body)
        pieces[name] = (kind, _WORD.split(body))
    return pieces


def _add(items: list[Any], letter: str, *parts: Any) -> str:
    name = f"{letter}{len(items)}"
    items.append((name, *parts))
    return name


def _id(text: str, taken: set[str]) -> str:
    """As an identifier that is not taken yet: no spaces, nothing that needs escaping."""
    id = base = _UNFIT.sub("_", text)
    count = 1
    while id in taken:
        count += 1
        id = f"{base}_{count}"
    taken.add(id)
    return id
