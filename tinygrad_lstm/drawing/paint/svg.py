"""Painting: a placed scene as SVG, each different step painted once by Graphviz and stamped as often as it occurs."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...pages.theme import INK, PAPER, SHADES, STYLED, dark_style
from .. import labels
from ..layout.geometry import Curve, Outline, Rect
from ..layout.model import Placed, PlacedColumn
from ..scene import Arrow, Box, Scene, Text
from . import dot
from .render import MEND, RenderError, render

PAD = 6.0

_UNFIT = re.compile(r"[^\w.@→′-]+")
_SVG, _XML = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/XML/1998/namespace}"


class Painted(NamedTuple):
    """A picture as SVG text, and what was drawn: the boxes and arrows of the scene by their ids in it."""

    svg: str
    boxes: dict[str, Box]
    arrows: dict[str, Arrow]


class _Hole(NamedTuple):
    """A place in a piece that each stamp fills: with one of its words, or with a look of its own."""

    what: str  # "word", "fill", "ink" or "width"
    number: int = 0  # of the word
    painted: str = ""  # what Graphviz painted there


class _Piece(NamedTuple):
    """What Graphviz painted for one element, escaped already, divided where there are holes."""

    kind: str
    parts: list[str | _Hole]

    def filled(self, id: str, tooltip: str, words: Sequence[str], looks: Mapping[str, str]) -> str:
        """Return the element with its own words and looks; every text is escaped here, and nowhere else."""
        body = "".join(
            part
            if isinstance(part, str)
            else labels.spoken(words[part.number])
            if part.what == "word"
            else looks.get(part.what, part.painted)
            for part in self.parts
        )
        return f'<g id="{id}" class="{self.kind}"><title>{labels.spoken(tooltip)}</title>\n{body}'


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
        self.frames: list[tuple[str, Outline]] = []
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


def svg(scene: Scene, placed: Placed) -> Painted:
    """Paint the picture as SVG, which follows the reader's choice of light or dark and can be read aloud."""
    stamps = _Stamps(placed)
    source = dot.painted("picture", stamps.frames, stamps.boxes, stamps.arrows)
    pieces = _pieces(render(source, "svg", "nop2"), stamps)
    expected = len(stamps.frames) + len(stamps.boxes) + len(stamps.arrows)
    if len(pieces) != expected:
        raise RenderError(f"Graphviz painted {len(pieces)} of {expected} elements; {MEND}")
    width, height = size(placed)
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
    boxes: dict[str, Box] = {}
    arrows: dict[str, Arrow] = {}
    names = [column.id for column in scene.columns] + ["legend"]
    for column, name, stamp in zip(placed.columns, names, stamps.of, strict=False):
        dx, dy = column.dx - stamp.column.dx, column.dy - stamp.column.dy
        move = f' transform="translate({dx:.2f} {-dy:.2f})"' if dx or dy else ""
        lines.append(f'<g id="{_id(name, taken)}" class="column"{move}>')
        drawn = Painted("", boxes, arrows) if name != "legend" else Painted("", {}, {})
        lines += _stamped(column, stamp, pieces, name, taken, drawn)
        lines.append("</g>")
    lines.append("</g>\n</svg>\n")
    return Painted("\n".join(lines), boxes, arrows)


def size(placed: Placed) -> tuple[float, float]:
    """Return the width and the height of the picture, in points."""
    return placed.high.x - placed.low.x + 2 * PAD, placed.high.y - placed.low.y + 2 * PAD


def positioned(scene: Scene, placed: Placed) -> str:
    """Return DOT of the whole with every position, for Graphviz to paint as it is."""
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
    column: PlacedColumn, stamp: _Stamp, pieces: dict[str, _Piece], prefix: str, taken: set[str], drawn: Painted
) -> Iterator[str]:
    """Fill the pieces of a column, and note in ``drawn`` which box or arrow each became."""
    for frame, name in zip(column.frames(), stamp.frames, strict=True):
        id = ".".join((prefix, *frame.path)) if frame.depth else f"{prefix}.frame"
        yield pieces[name].filled(_id(id, taken), frame.title, (frame.title,), {})
    for box, name in zip(column.content.boxes, stamp.boxes, strict=True):
        tooltip = f"{box.tooltip}\n{box.statistics}".strip()
        id = _id(box.id, taken)
        drawn.boxes[id] = box
        looks = dict(zip(("fill", "ink"), dot.shade_look(box.shade), strict=True)) if box.shade else {}
        yield pieces[name].filled(id, tooltip, [text.text for text in box.texts], looks)
    arrows = (*column.content.arrows, *(crossing.arrow for crossing in column.content.crossing))
    for arrow, name in zip(arrows, stamp.arrows, strict=True):
        id = _id(f"{arrow.tail}→{arrow.head}", taken)
        drawn.arrows[id] = arrow
        width = {"width": dot.width_of(arrow.shade)} if arrow.shade and not arrow.thick else {}
        yield pieces[name].filled(id, arrow.tooltip, (arrow.label,), width)


def _pieces(drawn: bytes, stamps: _Stamps) -> dict[str, _Piece]:
    """Take apart what Graphviz painted, by the names of the elements."""
    centres = {name: rect.x for name, _, rect in stamps.boxes}
    centres |= {name: frame.rect.x for name, frame in stamps.frames}
    variable = {
        name: {("fill", SHADES[0]): "fill", ("fill", INK): "ink"} for name, box, _ in stamps.boxes if box.shade == 0
    }
    variable |= {
        name: {("stroke-width", dot.width_of(0)): "width"}
        for name, arrow, _ in stamps.arrows
        if arrow.shade is not None
    }
    names = {*centres, *(name for name, _, _ in stamps.arrows)}
    pieces = {}
    for group in ET.fromstring(drawn).iter(f"{_SVG}g"):
        name = group.get("id", "")
        if name in names:
            parts: list[str | _Hole] = []
            for element in group:
                if element.tag != f"{_SVG}title":
                    parts += _divided(element, centres.get(name), variable.get(name, {}))
                    parts.append("\n")
            pieces[name] = _Piece(group.get("class", ""), [*_joined(parts), "</g>"])
    return pieces


def _divided(
    element: ET.Element, centre: float | None, variable: Mapping[tuple[str, str], str]
) -> Iterator[str | _Hole]:
    """Serialise an element, with holes for its words and for the looks that vary.

    Words are centred on their boxes and frames, where Graphviz gave the left end of those it measured.
    """
    if centre is not None and element.get("text-anchor") == "start":
        element.set("text-anchor", "middle")
        element.set("x", f"{centre:.2f}")
    tag = element.tag.removeprefix(_SVG)
    yield f"<{tag}"
    for key, value in element.items():
        yield f' {key.replace(_XML, "xml:")}="'
        what = variable.get((key, value))
        yield _Hole(what, painted=value) if what else html.escape(value)
        yield '"'
    text = (element.text or "").strip("\n")
    if not text and not len(element):
        yield "/>"
        return
    yield ">"
    word = text.strip("@")
    yield _Hole("word", int(word)) if text == f"@{word}@" else html.escape(text)
    for child in element:
        yield from _divided(child, centre, variable)
    yield f"</{tag}>"


def _joined(parts: Iterable[str | _Hole]) -> Iterator[str | _Hole]:
    """Join what stands between two holes."""
    text: list[str] = []
    for part in parts:
        if isinstance(part, str):
            text.append(part)
        else:
            yield "".join(text)
            text = []
            yield part
    yield "".join(text)


def _add(items: list[Any], letter: str, *parts: Any) -> str:
    name = f"{letter}{len(items)}"
    items.append((name, *parts))
    return name


def _id(text: str, taken: set[str]) -> str:
    """Return the text as an identifier that is not taken yet: no spaces, nothing that needs escaping."""
    id = base = _UNFIT.sub("_", text)
    count = 1
    while id in taken:
        count += 1
        id = f"{base}_{count}"
    taken.add(id)
    return id
