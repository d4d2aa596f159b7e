"""The picture of a film: the gates, drawn once, of which every frame shows a part with other things lit."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import NamedTuple
from xml.etree import ElementTree as ET

from ...drawing import draw
from ...pages.theme import GRADIENT, SHADES
from ...structure.window import Window
from ..recording.tape import Tape

LIT, PLAIN, PALE = "lit", "plain", "pale"
"""What is at work, what the walk has passed, and what it has not come to, or never does."""

GLOW = SHADES[2]
"""The fill of what is lit."""

MARGIN, LARGEST = 16.0, 2.0
"""Points around a time step, and how many pixels a point may have at most; chosen by eye."""

SMALLEST = 15.5
"""Pixels of the smallest words of a frame: 10 where it is shown 830 pixels wide, as in a README."""

SIGNS = "'DejaVu Sans', 'STIX Two Math', 'Cambria Math', 'Apple Symbols', sans-serif"
"""Fonts that have signs such as ₂, ⊙ and ᵀ, which Helvetica and its like do not have."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_SVG = "{http://www.w3.org/2000/svg}"


class Viewport(NamedTuple):
    """A part of the picture: its upper left corner and its size, in points."""

    x: float
    y: float
    width: float
    height: float


class Backdrop:
    """The gates of all that a film shows, cut for a frame of so many pixels: a time step fits in."""

    def __init__(self, tape: Tape, steps: Window, width: float, height: float) -> None:
        picture = draw(tape.graph.output, "gates", steps="all" if steps is None else steps, loss=True)
        self._tape = tape
        self._boxes, self._arrows = picture.elements()
        self._size = picture.size
        root = ET.fromstring(picture.svg)
        for element in root.iter():
            element.tag = element.tag.removeprefix(_SVG)
        self._graph = next(group for group in root.iter("g") if group.get("class") == "graph")
        self._columns = [group for group in self._graph if group.get("class") == "column"]
        for column in self._columns:
            column[:] = [each for each in column if "time" not in each.get("class", "").split()]  # the bar says it
        self._down = float(_NUMBER.findall(self._graph.get("transform", "translate(0 0)"))[1])
        self._places = [Viewport(*place) for place in picture.places()]
        wide, high = (max(place[side] for place in self._places) + 2 * MARGIN for side in (2, 3))
        self.scale = min(width / wide, height / high, LARGEST)
        self._part = (width / self.scale, height / self.scale)
        self._shown = len(self._columns) - 1
        numbers = range(tape.start + 1, len(tape))
        self._last = {tape.nodes[number]: number for number in numbers}
        self._uses = {(tape.nodes[n].inputs[tape.slots[n]], tape.nodes[n]): n for n in numbers}
        self._echoes = set()  # of what is computed at another step: they are never at work
        for echo in self._graph.iterfind(".//g[@class='node echo']"):
            self._echoes.add(echo.get("id"))
            for text in echo.findall("text")[1:]:
                echo.remove(text)  # from which steps: no room for it in a size that can be read
        for text in self._graph.iter("text"):
            text.attrib.pop("font-family", None)  # as the rest of the frame
            if any(ch > "\u2000" for ch in text.text or ""):
                text.set("font-family", SIGNS)
            if float(text.get("font-size", SMALLEST)) * self.scale < SMALLEST:
                text.set("font-size", f"{SMALLEST / self.scale:.2f}")

    def cut(self, events: list[int]) -> tuple[Viewport, str]:
        """Return the part of the picture where these events are, and its SVG, in which what is at work is lit."""
        looks = self._looks(events)
        lit = [i for i, column in enumerate(self._columns) if any(looks.get(e.get("id", "")) == LIT for e in column)]
        if lit and self._shown not in lit:
            self._shown = lit[-1]
        view = self._around(self._places[self._shown])
        graph, above = ET.Element("g", self._graph.attrib), []
        for column, place in zip(self._columns, self._places, strict=True):
            if place.x - self._part[0] < view.x + view.width and view.x < place.x + place.width:
                own, at_work = _coloured(column, looks)
                own[:] = [each for each in own if not self._is_cut(each, view)]
                graph.append(own)
                above.append(at_work)
        graph.extend(above)
        return view, ET.tostring(graph, "unicode")

    def goes_on(self, view: Viewport) -> tuple[bool, bool]:
        """Tell whether there is more of the picture on the left of a part, and on the right."""
        return view.x > 0, view.x + view.width < self._size[0] - 0.5

    def _is_cut(self, element: ET.Element, view: Viewport) -> bool:
        """Tell whether a box would be cut by the upper or the lower end of a part: one cannot read what is left."""
        kinds = element.get("class", "").split()
        if "node" not in kinds or "cell" in kinds:
            return False
        low, high = (self._down + y for y in _heights(element))
        return low < view.y < high or low < view.y + view.height < high

    def _looks(self, events: list[int]) -> dict[str, str]:
        """Return what each element of the picture looks like, by its id."""
        at_work = {self._tape.nodes[number] for number in events}
        looks = {}
        for id, nodes in self._boxes.items():
            last = [self._last[node] for node in nodes if node in self._last]
            passed = bool(last) and max(last) <= events[-1]
            lit = id not in self._echoes and not at_work.isdisjoint(nodes)
            looks[id] = LIT if lit else PLAIN if passed else PALE
        for id, uses in self._arrows.items():
            numbers = [self._uses[use] for use in uses if use in self._uses]
            passed = bool(numbers) and max(numbers) <= events[-1]
            looks[id] = LIT if not set(events).isdisjoint(numbers) else PLAIN if passed else PALE
            if not uses:  # it only leads to a box that says what something is called
                looks[id] = PLAIN if looks.get(id.partition("→")[2]) in (LIT, PLAIN) else PALE
        return looks

    def _around(self, place: Viewport) -> Viewport:
        """Return the part with a column in its middle; at the ends of the picture, no more beyond them than needed."""
        corners = []
        for middle, part, whole in zip(
            (place.x + place.width / 2, place.y + place.height / 2), self._part, self._size, strict=True
        ):
            start = middle - part / 2
            corners.append((whole - part) / 2 if part > whole else min(max(start, 0.0), whole - part))
        return Viewport(corners[0], corners[1], *self._part)


def _heights(element: ET.Element) -> tuple[float, float]:
    """Return from where to where a box reaches, in its own coordinates, downwards."""
    found: list[float] = []
    for shape in element:
        if shape.tag == "ellipse":
            middle, radius = float(shape.get("cy", 0)), float(shape.get("ry", 0))
            found += [middle - radius, middle + radius]
        elif shape.tag == "text":
            found += [float(shape.get("y", 0))]
        else:
            found += [float(y) for y in _NUMBER.findall(shape.get("points") or shape.get("d") or "")[1::2]]
    return min(found, default=0.0), max(found, default=0.0)


def _coloured(column: ET.Element, looks: dict[str, str]) -> tuple[ET.Element, ET.Element]:
    """Return a copy of a column in which every element has its look, and apart from it what is lit, to stand above."""
    own = deepcopy(column)
    own.attrib.pop("id", None)
    lit = ET.Element("g", own.attrib)
    for element in list(own):
        look = looks.get(element.attrib.pop("id", ""))
        for title in element.findall("title"):
            element.remove(title)
        if look == PALE or "fork" in element.get("class", ""):
            element.set("opacity", "0.3")
        elif look == LIT:
            own.remove(element)
            lit.append(element)
            (_light_arrow if "edge" in element.get("class", "") else _light_box)(element)
    return own, lit


def _light_box(box: ET.Element) -> None:
    for shape in box:
        if shape.tag != "text":
            shape.attrib.update({"fill": GLOW, "stroke": GRADIENT, "stroke-width": "3"})


def _light_arrow(arrow: ET.Element) -> None:
    """Colour an arrow, and turn it round: a gradient flows against the computation."""
    for head in arrow.findall("polygon"):
        arrow.remove(head)
    for line in arrow.findall("path"):
        line.attrib.update({"stroke": GRADIENT, "stroke-width": "3"})
        found = [float(number) for number in _NUMBER.findall(line.get("d", ""))]
        points = list(zip(found[::2], found[1::2], strict=False))
        start = points[0]
        towards = next((point for point in points if point != start), start)
        arrow.append(ET.Element("polygon", {"fill": GRADIENT, "points": _tip(start, towards)}))


def _tip(at: tuple[float, float], behind: tuple[float, float]) -> str:
    """Return the corners of an arrow's head that points from what is behind it."""
    dx, dy = at[0] - behind[0], at[1] - behind[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    dx, dy = 9 * dx / length, 9 * dy / length
    back = (at[0] - dx, at[1] - dy)
    corners = (at, (back[0] - dy / 2, back[1] + dx / 2), (back[0] + dy / 2, back[1] - dx / 2))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
