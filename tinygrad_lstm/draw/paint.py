"""Painting: a placed scene as SVG, each different step painted once by Graphviz and stamped as often as it occurs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import dot, labels
from .columns import Placed, PlacedColumn
from .geometry import Curve, Frame, Rect
from .render import render
from .scene import Arrow, Box, Scene, Text
from .theme import PAPER, dark_style

PAD = 6.0

_ELEMENT = re.compile(
    r'<g id="([fba]\d+)" class="([^"]*)">\n<title>.*?</title>\n(.*?)(?=\n<!-- |\n</g>\n</svg>)', re.DOTALL
)
_WORD = re.compile(r"@(\d+)@")
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
                blank = Box(box.id, box.role, words, pending=box.pending, shade=box.shade, faded=box.faded)
                stamp.boxes.append(_add(self.boxes, "b", blank, rect))
            for arrow, curve in self.arrows_of(column):
                label = "@0@" if arrow.label else ""
                look = (arrow.role, label, "", arrow.shade, arrow.faded, arrow.thick)
                stamp.arrows.append(_add(self.arrows, "a", Arrow(arrow.tail, arrow.head, *look), curve))
        return self._stamps[key]

    def arrows_of(self, column: PlacedColumn) -> Iterator[tuple[Arrow, Curve]]:
        yield from column.arrows()
        yield from self._placed.crossing(column)

    def _key(self, column: PlacedColumn) -> object:
        """Columns with the same key look the same: layout, looks, and whence and whither their crossings lead."""
        looks = tuple(box.look for box in column.content.boxes)
        arrows = [(a.role, bool(a.label), a.shade, a.faded, a.thick) for a in column.content.arrows]
        crossings = tuple(
            (
                a.role,
                bool(a.label),
                a.shade,
                a.faded,
                a.thick,
                *self._relative(column, i, end),
                *self._relative(column, j, to),
            )
            for a, i, end, j, to in column.content.crossing
        )
        return column.kind, looks, tuple(arrows), crossings

    def _relative(self, column: PlacedColumn, other: int, end: int) -> tuple[object, ...]:
        neighbour = self._placed.columns[other]
        return neighbour.kind, end, round(neighbour.dx - column.dx, 3), round(neighbour.dy - column.dy, 3)


def svg(scene: Scene, placed: Placed) -> str:
    """The picture as SVG text, which follows the reader's choice of light or dark and can be read aloud."""
    stamps = _Stamps(placed)
    source = dot.painted("picture", stamps.frames, stamps.boxes, stamps.arrows)
    pieces = _pieces(render(source, "svg", "nop2").decode("utf-8"), {name: rect for name, _, rect in stamps.boxes})
    width = placed.high.x - placed.low.x + 2 * PAD
    height = placed.high.y - placed.low.y + 2 * PAD
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        f'<svg role="img" width="{width:.0f}pt" height="{height:.0f}pt" viewBox="0 0 {width:.2f} {height:.2f}" '
        'xmlns="http://www.w3.org/2000/svg" font-family="Helvetica,Arial,sans-serif">',
        f"<title>{labels.spoken(scene.title)}</title>",
        f"<desc>{labels.spoken(scene.description, 2000)}</desc>",
        f"<style>{dark_style()}</style>",
        f'<rect class="paper" width="100%" height="100%" fill="{PAPER}"/>',
        f'<g class="graph" transform="translate({PAD - placed.low.x:.2f} {PAD + placed.high.y:.2f})">',
    ]
    names = [column.id for column in scene.columns] + ["legend"]
    ids = _Ids()
    for column, name, stamp in zip(placed.columns, names, stamps.of, strict=False):
        dx, dy = column.dx - stamp.column.dx, column.dy - stamp.column.dy
        move = f' transform="translate({dx:.2f} {-dy:.2f})"' if dx or dy else ""
        lines.append(f'<g id="{ids.new(name)}" class="column"{move}>')
        lines += _stamped(column, stamp, stamps, pieces, name, ids)
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
        for arrow, curve in (*column.arrows(), *placed.crossing(column)):
            _add(arrows, "a", arrow, curve)
    return dot.painted(scene.title, frames, boxes, arrows)


def _stamped(
    column: PlacedColumn,
    stamp: _Stamp,
    stamps: _Stamps,
    pieces: dict[str, tuple[str, list[str]]],
    prefix: str,
    ids: _Ids,
) -> Iterator[str]:
    for frame, name in zip(column.frames(), stamp.frames, strict=True):
        id = ".".join((prefix, *frame.path)) if frame.depth else f"{prefix}.frame"
        yield _element(pieces[name], ids.new(id), frame.title, (frame.title,))
    for box, name in zip(column.content.boxes, stamp.boxes, strict=True):
        tooltip = f"{box.tooltip}\n{box.statistics}".strip()
        yield _element(pieces[name], ids.new(box.id), tooltip, [t.text for t in box.texts])
    for (arrow, _), name in zip(stamps.arrows_of(column), stamp.arrows, strict=True):
        yield _element(pieces[name], ids.new(f"{arrow.tail}→{arrow.head}"), arrow.tooltip, (arrow.label,))


def _element(piece: tuple[str, list[str]], id: str, tooltip: str, words: Any) -> str:
    """One painted element with its own words; every other part of the piece is the number of one."""
    kind, parts = piece
    body = "".join(labels.spoken(words[int(part)]) if i % 2 else part for i, part in enumerate(parts))
    return f'<g id="{id}" class="{kind}"><title>{labels.spoken(tooltip)}</title>\n{body}'


def _pieces(drawn: str, boxes: dict[str, Rect]) -> dict[str, tuple[str, list[str]]]:
    """What Graphviz painted, by element: its class, and its body divided where words are to be put in.

    Words are centred on their boxes, where Graphviz gave the left end of those it measured.
    """
    pieces = {}
    for name, kind, body in _ELEMENT.findall(drawn):
        if name in boxes:
            body = _START.sub(f'text-anchor="middle" x="{boxes[name].x:.2f}"', body)
        pieces[name] = (kind, _WORD.split(body))
    return pieces


def _add(items: list[Any], letter: str, *parts: Any) -> str:
    name = f"{letter}{len(items)}"
    items.append((name, *parts))
    return name


class _Ids:
    """Identifiers without spaces or anything that needs escaping, each of them once: x * x has two arrows."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, text: str) -> str:
        plain = id = re.sub(r"[^\w.@→′-]+", "_", text)
        number = 1
        while id in self._taken:
            number += 1
            id = f"{plain}_{number}"
        self._taken.add(id)
        return id
