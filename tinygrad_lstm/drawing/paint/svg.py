"""Painting: a placed scene as SVG, each different step painted once by Graphviz and stamped as often as it occurs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...pages.theme import INKS, LEVELS, PAPER, STYLED, dark_style
from .. import labels
from ..layout.geometry import Curve, End, Outline, Point, Rect
from ..layout.model import Placed, PlacedColumn
from ..scene import Arrow, Box, Scene, Text
from . import dot
from .render import MEND, RenderError, render

PAD, EDGE = 6.0, 4.0
"""Points of paper around the picture, chosen by eye; and what Graphviz adds to it on each side by itself."""

PAPERED = f'<rect class="paper" width="100%" height="100%" fill="{PAPER}"/>'

_UNFIT = re.compile(r"[^\w.@→′-]+")
_HOLE = re.compile(r"@(\w+)@")
_SVG = "{http://www.w3.org/2000/svg}"


Known = dict[str, dict[str, str]]
"""What Graphviz painted for other pictures, by their DOT: the elements with holes for words, by their ids."""


class _Stamp(NamedTuple):
    """A column that others look like, and where its frames, boxes and arrows begin among those that are painted."""

    frames: int
    boxes: int
    arrows: int
    reach: tuple[float, float]  # how far to the left and to the right of its corner it is drawn


class Form(NamedTuple):
    """A painted element in one shade, with %s for each of its words; and which of them: its id is 0, its title 1."""

    text: str
    words: tuple[int, ...]

    @classmethod
    def of(cls, piece: str) -> Form:
        """Return the form of a piece with named holes."""
        between = _HOLE.split(piece.replace("%", "%%"))
        places = {"id": 0, "title": 1}
        return cls(
            "%s".join(between[::2]), tuple(places[hole] if hole in places else int(hole) + 2 for hole in between[1::2])
        )

    def filled(self, words: Sequence[str]) -> str:
        """Return the element with its words."""
        return self.text % tuple([words[number] for number in self.words])


class Mark(NamedTuple):
    """A stamped element: its id, its tooltip and its words, escaped; and what the tooltip says of numbers."""

    form: Form
    words: list[str]
    statistics: str = ""

    @property
    def id(self) -> str:
        """Return what the mark is known by in its picture."""
        return self.words[0]

    @property
    def text(self) -> str:
        """Return the mark as SVG."""
        id, tooltip, *words = self.words
        return self.form.filled([id, f"{tooltip}\n{self.statistics}".strip() if self.statistics else tooltip, *words])


class PaintedColumn(NamedTuple):
    """A column of a picture: where its marks are moved to, and from where to where they are seen."""

    id: str
    dx: float
    dy: float  # downwards, as SVG has it
    reach: tuple[float, float]
    marks: list[Mark]

    @property
    def text(self) -> str:
        """Return the column as SVG."""
        move = f' transform="translate({self.dx:.2f} {self.dy:.2f})"' if self.dx or self.dy else ""
        return "\n".join([f'<g id="{self.id}" class="column"{move}>', *(mark.text for mark in self.marks), "</g>"])


class Painting:
    """A picture as SVG text, and what was drawn: the boxes and arrows of the scene by their ids in it.

    The columns that differ in more than words and shades are painted in one go, and stamped with their words. The text
    follows the reader's choice of light or dark and can be read aloud.
    """

    def __init__(self, scene: Scene, placed: Placed, canvas: Canvas, known: Known | None = None) -> None:
        self._scene = scene
        self._known = {} if known is None else known
        self._placed = placed
        self._stamps: dict[object, _Stamp] = {}
        self._frames: list[Outline] = []
        self._boxes: list[tuple[Box, Rect]] = []
        self._arrows: list[tuple[Arrow, Curve]] = []
        stamps = [self._stamp(column) for column in placed.columns]
        self._pieces = self._painted()
        self._forms: dict[tuple[str, int], Form] = {}
        self._taken: set[str] = set()
        self.boxes: dict[str, Box] = {}
        self.arrows: dict[str, Arrow] = {}
        self.columns = [self._column(column, stamp) for column, stamp in zip(placed.columns, stamps, strict=True)]
        (width, height), (left, top), shown = canvas
        self.origin = left - placed.low.x, top + placed.high.y
        self.style = dark_style(" ".join([PAPERED, *(form.text for form in self._forms.values())]))
        self._head = [
            '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
            f'<svg role="img" {shown} viewBox="0 0 {width:.2f} {height:.2f}" '
            f'class="{STYLED}" xmlns="http://www.w3.org/2000/svg" font-family="Helvetica,Arial,sans-serif">',
            f"<title>{labels.escaped(scene.title)}</title>",
            f"<desc>{labels.escaped(scene.description, 2000)}</desc>",
            f"<style>{self.style}</style>",
            PAPERED,
            '<g class="graph" transform="translate({:.2f} {:.2f})">'.format(*self.origin),
        ]

    @property
    def svg(self) -> str:
        """Return the picture as SVG text."""
        return "\n".join([*self._head, *(column.text for column in self.columns), "</g>\n</svg>\n"])

    def _stamp(self, column: PlacedColumn) -> _Stamp:
        key = self._key(column)
        if key not in self._stamps:
            first = len(self._frames), len(self._boxes), len(self._arrows)
            here = replace(column, dx=0.0, dy=0.0)
            crossing = ((arrow, self._from_corner(column, curve)) for arrow, curve in self._placed.crossing(column))
            xs: list[float] = []
            for frame in here.frames():
                self._frames.append(frame._replace(title=frame.title and "@0@"))
            for box, rect in here.boxes():
                words = tuple(Text(f"@{i}@", text.style) for i, text in enumerate(box.texts))
                shade = None if box.shade is None else 0
                blank = Box(box.id, box.role, words, pending=box.pending, shade=shade, faded=box.faded)
                self._boxes.append((blank, rect))
            for arrow, curve in (*here.arrows(), *crossing):
                shade = arrow.shade and min(arrow.shade, 0)
                self._arrows.append((replace(arrow, label=arrow.label and "@0@", shade=shade), curve))
                xs += (x for x, _ in curve.points)
            for rect in (*(x.rect for x in self._frames[first[0] :]), *(x for _, x in self._boxes[first[1] :])):
                xs += rect.x - rect.width / 2, rect.x + rect.width / 2
            self._stamps[key] = _Stamp(*first, (min(xs, default=0.0), max(xs, default=0.0)))
        return self._stamps[key]

    def _from_corner(self, column: PlacedColumn, curve: Curve) -> Curve:
        """Return a curve as it lies from the corner of a column, alike wherever that stands."""
        return curve.each(lambda point: Point(round(point.x - column.dx, 6), round(point.y - column.dy, 6)))

    def _key(self, column: PlacedColumn) -> object:
        """Return what columns share that look the same: layout, looks, and from and to where their crossings lead."""
        looks = tuple(box.look for box in column.content.boxes)
        arrows = tuple(arrow.look for arrow in column.content.drawn)
        crossings = tuple(
            (self._relative(column, i, end), self._relative(column, j, to), above)
            for _, i, end, j, to, above in column.content.crossing
        )
        return column.kind, looks, arrows, crossings

    def _relative(self, column: PlacedColumn, other: int, end: End) -> tuple[object, ...]:
        neighbour = self._placed.columns[other]
        return neighbour.kind, end, round(neighbour.dx - column.dx, 3), round(neighbour.dy - column.dy, 3)

    def _painted(self) -> dict[str, str]:
        """Return what Graphviz painted for the frames, the boxes and the arrows, by their ids."""
        rects = {f"f{number}": frame.rect for number, frame in enumerate(self._frames)}
        rects |= {f"b{number}": rect for number, (_, rect) in enumerate(self._boxes)}
        source = dot.painted("picture", self._frames, self._boxes, self._arrows, self._scene.small)
        if source not in self._known:
            self._known[source] = _pieces(render(source, "svg", "nop2"), rects, len(rects) + len(self._arrows))
        return self._known[source]

    def _column(self, column: PlacedColumn, stamp: _Stamp) -> PaintedColumn:
        """Give the pieces of a column their words, and note which box or arrow each became."""
        name = "legend" if column.is_legend else self._scene.columns[column.number].id
        id = self._id(name)
        reach = column.dx + stamp.reach[0], column.dx + stamp.reach[1]
        return PaintedColumn(id, column.dx, -column.dy, reach, list(self._marks(column, stamp, name)))

    def _marks(self, column: PlacedColumn, stamp: _Stamp, name: str) -> Iterator[Mark]:
        for number, frame in enumerate(column.template.frames, stamp.frames):
            title = column.title_of(frame)
            yield self._mark(f"f{number}", 0, self._id(".".join((name, *frame.path))), title, [title])
        for number, box in enumerate(column.content.boxes, stamp.boxes):
            id = self._id(box.id)
            if not column.is_legend:
                self.boxes[id] = box
            mark = self._mark(f"b{number}", box.shade or 0, id, box.tooltip.strip(), [text.text for text in box.texts])
            yield mark._replace(statistics=labels.escaped(box.statistics))
        for number, arrow in enumerate(column.content.drawn, stamp.arrows):
            id = self._id(f"{arrow.tail}→{arrow.head}")
            if not column.is_legend:
                self.arrows[id] = arrow
            yield self._mark(f"a{number}", arrow.shade or 0, id, arrow.tooltip, [arrow.label])

    def _mark(self, name: str, shade: int, id: str, tooltip: str, words: Iterable[str]) -> Mark:
        """Return a painted element with its own words; every text is escaped here, and nowhere else."""
        form = self._forms.get((name, shade)) or self._forms.setdefault((name, shade), self._form(name, shade))
        return Mark(form, [id, labels.escaped(tooltip), *map(labels.escaped_word, words)])

    def _form(self, name: str, shade: int) -> Form:
        """Return the form of an element in the colours, or of the width, that a shade gives it."""
        piece = self._pieces[name]
        if name.startswith("b") and shade:
            fill, ink = dot.shade_look(shade)
            piece = piece.replace(f'fill="{LEVELS[0]}"', f'fill="{fill}"').replace(f'fill="{INKS[0]}"', f'fill="{ink}"')
        if name.startswith("a"):
            blank, own = (f'stroke-width="{dot.width_of(each)}"' for each in (0, shade))
            piece = piece.replace(blank, own)
        return Form.of(piece)

    def _id(self, text: str) -> str:
        """Return the text as an identifier that is not taken yet: no spaces, nothing that needs escaping."""
        id = base = _UNFIT.sub("_", text)
        count = 1
        while id in self._taken:
            count += 1
            id = f"{base}_{count}"
        self._taken.add(id)
        return id


def _pieces(drawn: bytes, rects: Mapping[str, Rect], expected: int) -> dict[str, str]:
    """Return the elements that Graphviz painted, by their ids, with holes for words. Raises RenderError for others.

    Words are centred on their boxes and frames, where Graphviz gave the left end of those it measured.
    """
    pieces = {}
    for group in list(ET.fromstring(drawn).iter(f"{_SVG}g")):
        name = group.get("id", "")
        if not re.fullmatch(r"[fba]\d+", name):
            continue
        for element in group.iter():
            element.tag = element.tag.removeprefix(_SVG)
            if name in rects and element.get("text-anchor") == "start":
                element.attrib.update({"text-anchor": "middle", "x": f"{rects[name].x:.2f}"})
            if group.get("class") == "node scale":
                element.set("shape-rendering", "crispEdges")  # no seams between its levels
        body = "".join(ET.tostring(child, "unicode") for child in group if child.tag != "title")
        pieces[name] = f'<g id="@id@" class="{group.get("class")}"><title>@title@</title>\n{body}</g>'
    if len(pieces) != expected:
        raise RenderError(f"Graphviz painted {len(pieces)} of {expected} elements; {MEND}")
    return pieces


class Canvas(NamedTuple):
    """The paper: its size and where on it the picture begins, in points, and how large SVG shows it."""

    size: tuple[float, float]
    margins: tuple[float, float]  # left and top
    shown: str

    @classmethod
    def around(cls, placed: Placed) -> Canvas:
        """Return paper just as large as the picture."""
        width, height = size(placed)
        return cls((width, height), (PAD, PAD), f'width="{width:.0f}pt" height="{height:.0f}pt"')


def size(placed: Placed) -> tuple[float, float]:
    """Return the width and the height of the picture, in points."""
    return placed.high.x - placed.low.x + 2 * PAD, placed.high.y - placed.low.y + 2 * PAD


def positioned(scene: Scene, placed: Placed, canvas: Canvas | None = None, **look: str) -> str:
    """Return DOT of the whole with every position, for Graphviz to paint as it is, on paper of that size.

    ``look`` has more attributes of the graph, such as how many dots an inch of a PNG has.
    """
    paper = []
    if canvas:
        (width, height), (left, top), _ = canvas
        middle = placed.low.x - left + width / 2, placed.high.y + top - height / 2
        paper.append(Outline("paper", ("paper",), "", Rect(*middle, width - 2 * EDGE, height - 2 * EDGE)))
    return dot.painted(
        scene.title,
        [*paper, *(frame for column in placed.columns for frame in column.frames())],
        [box for column in placed.columns for box in column.boxes()],
        [arrow for column in placed.columns for arrow in placed.arrows(column)],
        scene.small,
        **look,
    )
