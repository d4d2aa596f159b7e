"""One step of a cell as the gates view draws it, in which some boxes are lit and the others are grey."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from ...engine.tensor import Tensor
from ...pages.theme import FADED, INNER_GROUP, OPEN_CELL
from ...structure.cells import CellRun
from ...structure.words import subscript
from ..fitting import placed
from ..paint import svg as paint
from ..scene import Arrow, Box, Scene, Text
from ..views.options import Options
from ..views.registry import VIEWS
from .reading import Recorded

LEAST = 11.0
"""Pixels of the smallest words, however small the picture is; chosen: with 10 as the limit."""

CAPTION = 24.0
"""Points below the cell where the view says which step it is, which a story says in its title."""

_NUMBER = re.compile(r"-?[\d.]+")
_SVG = "{http://www.w3.org/2000/svg}"


class StepPicture:
    """A step of a cell, laid out once and painted as often as something else is to be lit."""

    def __init__(self, reading: Recorded, cell: CellRun, t: int, room: float, tallest: float) -> None:
        self._scene = _scene(reading, cell, t)
        ends = ("output", "stub")
        self._box_of = {node: box for box in self._scene.boxes if box.role not in ends for node in box.shows}
        for _ in range(3):  # larger words make larger boxes
            self._placed = placed(self._scene)
            wide, high = paint.size(self._placed)
            self.scale = min(room / wide, tallest / high, 1.15)
            self._scene = replace(self._scene, small=LEAST / self.scale)
        self.size = wide * self.scale, (high - CAPTION) * self.scale

    def lit(self, nodes: Iterable[Tensor]) -> set[str]:
        """Return the boxes of nodes, and those that bring them what comes in: an input, a state, where lines merge."""
        found = {self._box_of[node].id for node in nodes if node in self._box_of}
        roles = {box.id: box.role for box in self._scene.boxes}
        queue = list(found)
        for id in queue:
            for arrow in self._scene.arrows:
                if arrow.head == id and arrow.tail not in found and roles[arrow.tail] in ("input", "stub", "joint"):
                    found.add(arrow.tail)
                    queue.append(arrow.tail)
        return found

    def given_out(self, node: Tensor) -> set[str]:
        """Return the boxes that say what becomes of a result: its pill, and its name where the next step begins."""
        ends = {box.id for box in self._scene.boxes if box.role in ("output", "stub")}
        made_by = self._box_of[node].id if node in self._box_of else None
        return {arrow.head for arrow in self._scene.arrows if arrow.head in ends and arrow.tail == made_by}

    @property
    def everything(self) -> set[str]:
        """Return all boxes."""
        return {box.id for box in self._scene.boxes}

    def svg(self, lit: set[str]) -> str:
        """Return the picture as elements of an SVG, without ids, since it may stand in there several times."""
        for box in self._scene.boxes:
            box.faded = box.id not in lit
        for arrow in self._scene.arrows:
            arrow.faded = not {arrow.tail, arrow.head} <= lit
        painted = paint.Painting(self._scene, self._placed, paint.Canvas.around(self._placed)).svg
        graph = next(group for group in ET.fromstring(painted) if group.get("class") == "graph")
        for element in graph.iter():
            element.tag = element.tag.removeprefix(_SVG)
            element.attrib.pop("id", None)
            element.attrib.pop("font-family", None)  # that of the figure
        _grey_forks(graph)
        for column in graph:
            column[:] = sorted((each for each in column if each.get("class") != "node time"), key=_height)
        written = ET.tostring(graph, "unicode")
        if lit != self.everything:
            for what in ("color", "fillcolor"):
                written = written.replace(f'"{OPEN_CELL[what]}"', f'"{INNER_GROUP[what]}"')
        return written


def _grey_forks(graph: ET.Element) -> None:
    """Make the dots grey at which no line forks that is lit."""
    lines: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for edge in (each for each in graph.iter("g") if _is(each, "edge") and not _is_grey(each)):
        for path in edge.iter("path"):
            numbers = list(map(float, _NUMBER.findall(path.get("d", ""))))
            lines += pairwise(zip(numbers[::2], numbers[1::2], strict=True))
    for fork in (each for each in graph.iter("g") if _is(each, "fork")):
        for dot in fork.iter("ellipse"):
            x, y = (float(dot.get(place, "")) for place in ("cx", "cy"))
            if not any(_between(a, x, c) and _between(b, y, d) for (a, b), (c, d) in lines):
                dot.attrib.update(fill=FADED, stroke=FADED)


def _between(a: float, x: float, b: float) -> bool:
    return min(a, b) - 0.6 <= x <= max(a, b) + 0.6


def _height(element: ET.Element) -> int:
    """Return what is painted over what: frames, grey lines and dots, those that are lit, boxes."""
    if _is(element, "edge") or _is(element, "fork"):
        return 1 if _is_grey(element) else 2
    return 0 if _is(element, "cell") else 3


def _is(element: ET.Element, kind: str) -> bool:
    return kind in element.get("class", "").split()


def _is_grey(element: ET.Element) -> bool:
    return any(each.get("stroke") == FADED for each in element.iter())


def _scene(reading: Recorded, cell: CellRun, t: int) -> Scene:
    """Return the scene of one step, of one cell and what is next to it; other steps are but the names of states."""
    several = (cell.name,) if len(reading.cells) > 1 else ()
    scene = VIEWS["gates"].scene(reading.graph, Options(steps=(t, t + 1), shapes=False, expand=several))
    mine = set(cell.members)
    inside = {box.id for box in scene.boxes if box.role != "gap" and mine.intersection(box.shows)}
    scene.arrows = [arrow for arrow in scene.arrows if arrow.tail in inside or arrow.head in inside]
    scene.arrows = [made for arrow in scene.arrows for made in _without_gap(arrow, scene, reading)]
    near = inside.union(*((arrow.tail, arrow.head) for arrow in scene.arrows))
    scene.boxes = [box for box in scene.boxes if box.id in near]
    scene.drop_empty_columns()
    return scene


def _without_gap(arrow: Arrow, scene: Scene, reading: Recorded) -> list[Arrow]:
    """Return an arrow, or where it leads from or to steps that are left out, one for each state, with its name."""
    gaps = {box.id: box for box in scene.boxes if box.role == "gap"}
    gap = gaps.get(arrow.tail) or gaps.get(arrow.head)
    if gap is None:
        return [arrow]
    made: dict[Tensor, Arrow] = {}
    known = {box.id for box in scene.boxes}
    for x, node in arrow.uses:
        state = reading.timeline.moved(x)
        stub = f"{gap.id}.{reading.graph.ids[state]}"
        if stub not in known:
            known.add(stub)
            name = (state.name or "state") + subscript(reading.timeline.of.get(state, ""))
            scene.add(Box(stub, "stub", (Text(name),), gap.column, shows=[state] if gap.id == arrow.tail else []))
        tail, head = (stub if end == gap.id else end for end in (arrow.tail, arrow.head))
        made.setdefault(state, replace(arrow, tail=tail, head=head, uses=[], label="")).uses.append((x, node))
    return list(made.values())
