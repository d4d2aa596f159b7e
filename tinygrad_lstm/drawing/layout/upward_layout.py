"""A column laid out from bottom to top: one box above another, opened cells in rows and columns, time straight across.

Nothing here asks Graphviz. A cell is drawn as Olah draws it: what is carried from step to step runs along a belt at the
top, layers stand in a row below, what they have in common comes in from a bus at the bottom.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from ...pages.theme import ROLES
from .. import labels
from ..scene import Box, Scene
from .by_dot import by_dot
from .cell_layout import ROWS, cell_layout, even, spread
from .geometry import Curve, Outline, Point, Rect, Template
from .model import Content, End, Inner
from .router import DOWN, LEFT, PITCH, RIGHT, UP, NoWay, Router, Side, Terminals, curve, terminals
from .sizes import at_corner, beside, size

ACROSS = 64.0
ABOVE = 56.0
BETWEEN = 40.0
"""From column to column and from row to row in a cell, and between one box and the next above it."""

ROUND = ("ellipse", "circle")


def upward_layout(content: Content, scene: Scene) -> Template:
    """Lay out the column from bottom to top; left to ``dot`` where something is too entangled for that."""
    if not content.title and len(content.inner) >= len(content.boxes) > 1:
        return by_dot(content, scene)
    try:
        return _Stack(content, scene).template
    except NoWay:
        return by_dot(content, scene)


@dataclass
class _Unit:
    """One box, or one opened cell."""

    slots: list[int]
    block: str
    rects: dict[int, Rect] = field(default_factory=dict)  # relative to the lower left of the unit
    width: float = 0.0
    height: float = 0.0
    low: float = 0.0
    left: float = 0.0


class _Stack:
    def __init__(self, content: Content, scene: Scene) -> None:
        self.content = content
        self.scene = scene
        self.sizes = [self._size(slot) for slot in range(len(content.boxes))]
        self.units = self._units()
        for unit in self.units:
            self._arrange(unit)
        self.template = self._assemble()
        if scene.downwards:
            _transpose(self.template)
        for number, arrow in enumerate(content.inner):
            line = self.template.inner[number]
            loop = arrow.tail == arrow.head
            label = (at_corner if loop else beside)(line, arrow.label) if arrow.label else None
            self.template.inner[number] = line._replace(label=label)

    def _size(self, slot: int) -> tuple[float, float]:
        """Return the size of the words; steps that are left out stand as high as all that passes them."""
        box = self.content.boxes[slot]
        width, height = size(box, self.scene.downwards)
        if box.role == "gap":
            ports = Counter(port[:1] for port in {end.port for end in self.content.ends if end.slot == slot})
            height = max(height, 2 * PITCH * (max(ports.values(), default=0) + 1))
        return width, height

    def _units(self) -> list[_Unit]:
        """Return boxes and cells from bottom to top, in the order in which they ran."""
        units: dict[object, _Unit] = {}
        for slot, box in enumerate(self.content.boxes):
            key = box.block or slot
            units.setdefault(key, _Unit([], box.block)).slots.append(slot)
        ordered: list[_Unit] = []
        waiting = list(units.values())
        of = {slot: unit for unit in waiting for slot in unit.slots}
        below: dict[int, set[int]] = defaultdict(set)
        for arrow in self.content.inner:
            if of[arrow.tail] is not of[arrow.head]:
                below[id(of[arrow.head])].add(id(of[arrow.tail]))
        while waiting:
            done = {id(unit) for unit in ordered}
            ready = next((unit for unit in waiting if below[id(unit)] <= done), waiting[0])
            waiting.remove(ready)
            ordered.append(ready)
        return ordered

    def _arrange(self, unit: _Unit) -> None:
        if not unit.block:
            (slot,) = unit.slots
            width, height = self.sizes[slot]
            unit.width, unit.height = even(width), even(height)
            unit.rects[slot] = Rect(unit.width / 2, unit.height / 2, width, height)
            return
        places = cell_layout(self.content, unit.slots)
        columns = sorted({column for column, _ in places.values()})
        rows = [row for row in ROWS if any(found == row for _, found in places.values())]
        wide = [max(self.sizes[slot][0] for slot, at in places.items() if at[0] == column) for column in columns]
        high = [max(self.sizes[slot][1] for slot, at in places.items() if at[1] == row) for row in rows]
        xs, unit.width = spread(columns, wide, ACROSS)
        ys, top = spread(rows, high, ABOVE)
        unit.height = top + 2 * PITCH  # room for the title
        title = even(labels.width(unit.block.partition("\n")[2], 12) + 8 * PITCH)
        if title > unit.width and not self.scene.downwards:
            xs = {column: x + (title - unit.width) / 2 for column, x in xs.items()}
            unit.width = title
        for slot, (column, row) in places.items():
            x = unit.width - xs[column] if self._mirrored(unit) else xs[column]
            unit.rects[slot] = Rect(x, ys[row], *self.sizes[slot])

    def _mirrored(self, unit: _Unit) -> bool:
        """Tell whether a cell reads the sequence backwards: its state comes in from the right."""
        inside = set(unit.slots)
        sides = [end.forward for end in self.content.ends if not end.outgoing and end.slot in inside]
        return bool(sides) and all(sides)

    def _assemble(self) -> Template:
        room = 2 * PITCH * min(self._detours() + 1, 4)
        width = even(max(unit.width for unit in self.units) + 2 * room)
        caption = (5 if self.scene.downwards else 2) * PITCH if self.content.title else 0.0
        y = 2 * PITCH + even(caption)
        rects: dict[int, Rect] = {}
        for unit in self.units:
            unit.low, unit.left = y, (width - unit.width) / 2
            self._align(unit, rects, width)
            for slot, rect in unit.rects.items():
                rects[slot] = rect.moved(unit.left, unit.low)
            y = even(y + unit.height + BETWEEN + self._room_for_labels(unit))
        height = even(y - BETWEEN + 2 * PITCH)
        template = Template(width, height, [rects[slot] for slot in range(len(rects))])
        for unit in self.units:
            if unit.block:
                centre = (unit.left + unit.width / 2, unit.low + unit.height / 2)
                title = unit.block.partition("\n")[2]
                template.frames.append(Outline(("", unit.block), title, Rect(*centre, unit.width, unit.height), 1))
        if caption:
            template.frames.append(Outline(("time",), "", Rect(width / 2, caption / 2 + 2, width, caption), 1))
        self._route(template)
        return template

    def _detours(self) -> int:
        """Return how many arrows have to pass a box on their way up."""
        level = {slot: number for number, unit in enumerate(self.units) for slot in unit.slots}
        return sum(level[arrow.head] - level[arrow.tail] != 1 for arrow in self.content.inner)

    def _room_for_labels(self, unit: _Unit) -> float:
        """Return the room between this unit and the next one, where labels stand beside a loop."""
        loops = [arrow.label for arrow in self.content.inner if arrow.tail == arrow.head and arrow.tail in unit.slots]
        return max((labels.width(label, 9) for label in loops), default=0.0) if self.scene.downwards else 0.0

    def _align(self, unit: _Unit, rects: dict[int, Rect], width: float) -> None:
        """Place a single box straight above or below the one it belongs to."""
        if unit.block:
            return
        (slot,) = unit.slots
        for arrow in self.content.inner:
            if arrow.head == slot and arrow.tail in rects and self.content.boxes[slot].role == "output":
                own = self._owner(arrow.tail)
                if own.block:
                    edge = own.left + (PITCH * 3 if self._mirrored(own) else own.width - PITCH * 3)
                    unit.left = edge - unit.width / 2
            if arrow.tail == slot:
                above = self._owner(arrow.head)
                if above.block:
                    unit.left = (width - above.width) / 2 + above.rects[arrow.head].x - unit.width / 2

    def _owner(self, slot: int) -> _Unit:
        return next(unit for unit in self.units if slot in unit.slots)

    def _route(self, template: Template) -> None:
        router = Router(template.width, template.height, template.boxes)
        heights = self._port_heights(template)
        boxes = self.content.boxes
        jobs: list[tuple[int, float, Inner | End]] = []  # first what is straight, then what is short; a bus in full
        for arrow in self.content.inner:
            a, b = template.boxes[arrow.tail], template.boxes[arrow.head]
            straight = a.y == b.y or a.x == b.x
            far = abs(a.x - b.x) + abs(a.y - b.y)
            jobs.append((0 if straight else 1, -far if boxes[arrow.tail].lane == "bus" else far, arrow))
        for end in self.content.ends:
            straight = template.boxes[end.slot].y == heights[end]
            jobs.append((0 if straight else 2, 0.0, end))
        curves: dict[Inner | End, Curve] = {}
        for _, _, job in sorted(jobs, key=lambda job: job[:2]):
            if isinstance(job, Inner):
                curves[job] = self._between(router, template, job)
            else:
                curves[job] = self._to_border(router, template, job, heights)
        template.inner = [curves[arrow] for arrow in self.content.inner]
        template.ends = [curves[end] for end in self.content.ends]

    def _between(self, router: Router, template: Template, arrow: Inner) -> Curve:
        a, b = template.boxes[arrow.tail], template.boxes[arrow.head]
        exits, entries = self._exits(arrow.tail, a), self._entries(arrow.head, b)
        source = f"b{arrow.tail}"
        if arrow.tail == arrow.head:  # a loop leads around the box, and each on its own way
            loops = [other for other in self.content.inner if other.tail == other.head == arrow.tail]
            source += f" loop {loops.index(arrow)}" if loops.index(arrow) else ""
            right, left = terminals(a, {RIGHT: 0}), terminals(a, {LEFT: 0})
            exits, entries = (left, right) if arrow.role == "back" else (right, left)
        cells = router.line(source, exits, entries)
        return curve(cells, a, b, tip=self.content.boxes[arrow.head].role != "joint")

    def _to_border(self, router: Router, template: Template, end: End, heights: dict[End, float]) -> Curve:
        x = router.columns if end.forward else 0
        side = LEFT if end.forward else RIGHT
        port = {((x, round(heights[end] / PITCH)), side): 0}
        rect = template.boxes[end.slot]
        if end.outgoing:
            apart = f" {end.key}" if self.content.boxes[end.slot].role == "gap" else ""
            cells = router.line(f"b{end.slot}{apart}", self._exits(end.slot, rect), port)
            return curve(cells, rect, None)
        cells = router.line(f"{end.key} from {end.forward}", port, self._entries(end.slot, rect))
        return curve(cells, None, rect, tip=self.content.boxes[end.slot].role != "joint")

    def _port_heights(self, template: Template) -> dict[End, float]:
        """Return where each state crosses the border: on its belt, or along the bus by which it comes in."""
        heights: dict[End, float] = {}
        ports: dict[tuple[object, ...], float] = {}
        taken: dict[bool, set[float]] = {True: set(), False: set()}
        straight = sorted(self.content.ends, key=lambda end: self.content.boxes[end.slot].lane != "belt")
        for end in (*(e for e in straight if not e.outgoing), *(e for e in straight if e.outgoing)):
            if end.port not in ports:
                y = middle = self._natural_height(end, template, ports)
                both_ways = self.content.boxes[end.slot].role == "gap"
                while y in taken[end.forward]:
                    y = 2 * middle - y if both_ways and y > middle else (2 * middle - y if both_ways else y) + 2 * PITCH
                taken[end.forward].add(y)
                ports[end.port] = y
            heights[end] = ports[end.port]
        return heights

    def _natural_height(self, end: End, template: Template, ports: dict[tuple[object, ...], float]) -> float:
        own = template.boxes[end.slot].y
        if not end.outgoing or self.content.boxes[end.slot].lane == "belt":
            return own
        if not self.content.boxes[end.slot].lane:
            return own
        same_key = ports.get((not end.forward, False, end.key))
        if same_key is not None:
            return same_key
        unit = self._owner(end.slot)
        outer = {y for (forward, outgoing, _), y in ports.items() if outgoing and forward is end.forward}
        for other in self.content.ends:
            enters_here = not other.outgoing and other.slot in unit.slots and other.forward is not end.forward
            if enters_here and self.content.boxes[other.slot].lane != "belt" and ports[other.port] not in outer:
                return ports[other.port]
        return own

    def _exits(self, slot: int, rect: Rect) -> Terminals:
        return self._terminals(slot, rect, outgoing=True)

    def _entries(self, slot: int, rect: Rect) -> Terminals:
        return self._terminals(slot, rect, outgoing=False)

    def _terminals(self, slot: int, rect: Rect, *, outgoing: bool) -> Terminals:
        box = self.content.boxes[slot]
        return terminals(rect, self._sides(box, outgoing=outgoing), round_=ROLES[box.role]["shape"] in ROUND)

    def _sides(self, box: Box, *, outgoing: bool) -> dict[Side, int]:
        """Return on which sides lines may leave or enter a box, and what it costs to choose one."""
        if box.lane == "layer":
            return {UP: 0, LEFT: 8, RIGHT: 8} if outgoing else {DOWN: 0, LEFT: 8, RIGHT: 8}
        if box.lane:
            return {UP: 2, RIGHT: 0, DOWN: 1, LEFT: 2} if outgoing else {DOWN: 0, LEFT: 0, UP: 1, RIGHT: 2}
        return {UP: 0, RIGHT: 2, LEFT: 2} if outgoing else {DOWN: 0, LEFT: 2, RIGHT: 2}


def _transpose(template: Template) -> None:
    """Time from top to bottom instead of from left to right."""
    height = template.width

    def point(p: Point) -> Point:
        return Point(p.y, height - p.x)

    def rect(r: Rect) -> Rect:
        return Rect(r.y, height - r.x, r.height, r.width)

    def turned(c: Curve) -> Curve:
        return Curve(tuple(map(point, c.points)), c.tip and point(c.tip), c.label and point(c.label))

    template.width, template.height = template.height, template.width
    template.boxes = [rect(r) for r in template.boxes]
    template.frames = [frame._replace(rect=rect(frame.rect)) for frame in template.frames]
    template.inner = [turned(c) for c in template.inner]
    template.ends = [turned(c) for c in template.ends]
