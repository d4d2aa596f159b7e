"""A column laid out from bottom to top: one box above another, opened cells in rows and columns, time straight across.

Nothing here asks Graphviz. A cell is drawn as Olah draws it: what is carried from step to step runs along a belt at the
top, layers stand in a row below, what they have in common comes in from a bus at the bottom.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import count, zip_longest
from math import ceil

from ...pages.theme import ROLES
from .. import labels
from ..scene import Scene
from .by_dot import by_dot
from .cell_layout import ROWS, across, cell_layout, even, lanes, upwards
from .geometry import Curve, End, Outline, Rect, Template
from .inner_labels import write_labels
from .model import Content, Inner
from .router import DOWN, LEFT, PITCH, RIGHT, UP, Cell, NoWay, Router, Side, Terminals, curve, on_grid, terminals

ACROSS = 36.0
ABOVE = 54.0
BETWEEN = 30.0
ASIDE = 24.0
"""Points: from column to column and from row to row in a cell, and from a box to the next above and to one beside it;
chosen by eye."""

ASTRAY = 8
"""How much longer a loop may be, in steps of the grid, to keep off the middle of its box; chosen by eye."""

DOT, TITLE, CAPTION = 5.0, 12.0, 11.0
"""Points: how large a fork is, and the names of a cell and of a time step."""

Line = tuple[str, list[Cell], Curve]
"""A line with the source it belongs to and its way over the grid."""

ROUND = ("ellipse", "circle")
"""Graphviz's shapes that a line can meet in the middles of their sides only."""


def upward_layout(content: Content, scene: Scene) -> Template:
    """Lay out the column from bottom to top; left to ``dot`` where something is too entangled for that."""
    if not content.title and _is_entangled(content):
        return by_dot(content, scene)
    for crowded in (False, True):
        try:
            return _Stack(content, scene, crowded=crowded).template
        except NoWay:
            continue
    return by_dot(content, scene)


def _is_entangled(content: Content) -> bool:
    """Tell whether there is more than one chain: lines that fork, or computed things that meet."""
    computed = {arrow.head for arrow in content.inner}
    met = Counter(arrow.head for arrow in set(content.inner) if arrow.tail in computed)
    return len(content.inner) >= len(content.boxes) > 1 or max(met.values(), default=0) > 1


@dataclass(eq=False)
class _Unit:
    """One box, or one opened cell."""

    block: str
    slots: list[int] = field(default_factory=list)
    rects: dict[int, Rect] = field(default_factory=dict)  # relative to the lower left of the unit
    width: float = 0.0
    height: float = 0.0
    low: float = 0.0
    left: float = 0.0
    beside: list[_Unit] = field(default_factory=list)  # in the same row, to the right and to the left in turn


def _in_a_row(units: list[_Unit]) -> list[_Unit]:
    """Return units as one, with the others beside it: from left to right, the one in the middle where one would be."""
    if not units:
        return []
    middle = (len(units) - 1) // 2
    sides = zip_longest(units[middle + 1 :], units[:middle][::-1])
    units[middle].beside += [unit for pair in sides for unit in pair if unit]
    return [units[middle]]


class _Stack:
    """Places boxes and cells above one another, and then lays the lines between them."""

    def __init__(self, content: Content, scene: Scene, *, crowded: bool) -> None:
        self.content = content
        self.crowded = crowded  # lines meet boxes wherever they can
        self.downwards = scene.downwards
        self.small, self.title = scene.small, max(TITLE, scene.small)
        self.sizes = [self._size(slot) for slot in range(len(content.boxes))]
        self.unit_of: dict[int, _Unit] = {}
        units = self._units()
        for unit in units:
            self._arrange(unit)
        self.units = self._rows(units)
        self.template = self._assemble()
        passed_by = self.downwards and not crowded
        titles = [frame.rect for frame in self.template.frames if frame.kind == "name" and passed_by]
        self.router = Router(self.template.width, self.template.height, [*self.template.boxes, *titles])
        self.heights = self._port_heights()
        self._route()
        write_labels(self.template, content.inner, self.small, downwards=self.downwards)

    def _size(self, slot: int) -> tuple[float, float]:
        """Return the size of the words; steps that are left out stand as high as all that passes them."""
        box = self.content.boxes[slot]
        width, height = labels.size(box, self.downwards, self.small)
        if box.role == "gap":
            ports = Counter(port[:1] for port in {end.port for end in self.content.ends if end.slot == slot})
            height = max(height, 2 * PITCH * (max(ports.values(), default=0) + 1))
        return width, height

    def _units(self) -> list[_Unit]:
        """Return boxes and cells from bottom to top, in the order in which they ran."""
        units: dict[object, _Unit] = {}
        for slot, box in enumerate(self.content.boxes):
            self.unit_of[slot] = units.setdefault(box.block or slot, _Unit(box.block))
            self.unit_of[slot].slots.append(slot)
        below: dict[_Unit, set[_Unit]] = defaultdict(set)
        for arrow in self.content.inner:
            if self.unit_of[arrow.tail] is not self.unit_of[arrow.head]:
                below[self.unit_of[arrow.head]].add(self.unit_of[arrow.tail])
        ordered: dict[_Unit, None] = {}
        waiting = list(units.values())
        while waiting:
            ready = next((unit for unit in waiting if below[unit] <= ordered.keys()), waiting[0])
            waiting.remove(ready)
            ordered[ready] = None
        return list(ordered)

    def _rows(self, units: list[_Unit]) -> list[_Unit]:
        """Put what only feeds something, such as data, beside that or what is below, where no state passes."""
        fed = {arrow.head for arrow in self.content.inner} | {end.slot for end in self.content.ends}
        sources = [unit for unit in units if not unit.block and unit.slots[0] not in fed]
        rows = [unit for unit in units if unit not in sources]
        if not rows:
            return units
        passed = {self.unit_of[end.slot] for end in self.content.ends}
        own: dict[_Unit, list[_Unit]] = {row: [] for row in rows}  # rows of nothing else, below these
        for source in sources:
            takers = [self.unit_of[arrow.head] for arrow in self.content.inner if arrow.tail in source.slots]
            above = min(map(rows.index, takers), default=len(rows) - 1)
            free = [row for row in rows[above - 1 : above + 1] if row not in passed] if above else []
            (free[0].beside if free else own[rows[above]]).append(source)
        return [unit for row in rows for unit in (*_in_a_row(own[row]), row)]

    def _arrange(self, unit: _Unit) -> None:
        if not unit.block:
            (slot,) = unit.slots
            width, height = self.sizes[slot]
            unit.width, unit.height = even(width), even(height)
            unit.rects[slot] = Rect(unit.width / 2, unit.height / 2, width, height)
            return
        places = cell_layout(self.content, unit.slots)
        columns = sorted({column for column, _ in places.values()})
        levels = self.content.levels[unit.block]
        rows = [row for row in ROWS if row in levels]
        wide = [max(self.sizes[slot][0] for slot, at in places.items() if at[0] == column) for column in columns]
        middles, unit.width = across(wide, ACROSS, lanes(self.content, places))
        heights, top = upwards([levels[row] for row in rows], ABOVE)
        xs, ys = dict(zip(columns, middles, strict=True)), dict(zip(rows, heights, strict=True))
        unit.height = top + 2 * PITCH  # room for the title
        title = even(labels.width(unit.block.partition("\n")[2], self.title) + 8 * PITCH)
        if title > unit.width and not self.downwards:
            xs = {column: x + (title - unit.width) / 2 for column, x in xs.items()}
            unit.width = title
        for slot, (column, row) in places.items():
            x = unit.width - xs[column] if self._mirrored(unit) else xs[column]
            unit.rects[slot] = Rect(x, ys[row], *self.sizes[slot])
        if self.downwards:  # the title stands before the first column
            room = even(self.title + 2 * PITCH)
            unit.width += room
            unit.rects = {slot: rect.moved(room, 0) for slot, rect in unit.rects.items()}

    def _mirrored(self, unit: _Unit) -> bool:
        """Tell whether a cell reads the sequence backwards: its state comes in from the right."""
        sides = [end.forward for end in self.content.ends if not end.outgoing and end.slot in unit.slots]
        return bool(sides) and all(sides)

    def _assemble(self) -> Template:
        lines = any(not self.unit_of[end.slot].block for end in self.content.ends)  # from the border to a box
        room = 2 * PITCH * (min(self._detours(), 3) + lines)
        sides = [sum(each.width + ASIDE for each in unit.beside[i::2]) for unit in self.units for i in (0, 1)]
        half = [max(sides[2 * i : 2 * i + 2]) for i in range(len(self.units))]
        width = even(max(unit.width + 2 * side for unit, side in zip(self.units, half, strict=True)) + 2 * room)
        words = labels.width(self.content.title, max(CAPTION, self.small))
        caption = even(words + PITCH if self.downwards else 2 * PITCH) if self.content.title else 0.0
        y = 2 * PITCH + caption
        rects: dict[int, Rect] = {}
        frames = []
        for unit in self.units:
            unit.low, unit.left = y, (width - unit.width) / 2
            self._align(unit, rects, width)
            rects |= {slot: rect.moved(unit.left, unit.low) for slot, rect in unit.rects.items()}
            if unit.block:
                whole = Rect(unit.width / 2, unit.height / 2, unit.width, unit.height).moved(unit.left, unit.low)
                frames += [Outline("cell", ("", unit.block), "", whole), self._title(unit)]
            edges = [unit.left + unit.width, unit.left]
            for number, each in enumerate(unit.beside):
                edges[number % 2] += ASIDE if number % 2 == 0 else -ASIDE - each.width
                each.left, each.low = edges[number % 2], unit.low + (unit.height - each.height) / 2
                rects |= {slot: rect.moved(each.left, each.low) for slot, rect in each.rects.items()}
                edges[0] += each.width if number % 2 == 0 else 0
            high = max(each.height for each in (unit, *unit.beside))
            y = even(y + high + BETWEEN + self._room_for_labels(unit))
        if caption:
            frames.append(
                Outline("time", ("time",), "", Rect(width / 2, caption / 2 + 2, width, max(caption, 1.2 * self.small)))
            )
        placed = [rects[slot] for slot in range(len(rects))]
        bound = [placed[end.slot] for end in self.content.ends if not self.unit_of[end.slot].block]
        left = even(max(0.0, *(2 * PITCH - (rect.x - rect.width / 2) for rect in bound), 0.0))
        right = even(max(0.0, *(rect.x + rect.width / 2 + 2 * PITCH - width for rect in bound), 0.0))
        if not self.downwards and any(end.forward for end in self.content.ends):  # else they may stand out
            said = [labels.width(label, self.small) + 12 for unit in self.units for label in self._loops(unit)]
            right += even(max(said, default=0.0))
        template = Template(width + left + right, even(y - BETWEEN + 2 * PITCH), placed, frames)
        return replace(template.moved(left, 0), width=template.width)

    def _title(self, unit: _Unit) -> Outline:
        """Return the name of an opened cell, in its upper left corner as one reads it."""
        title = unit.block.partition("\n")[2]
        return Outline("name", ("", unit.block, "name"), title, self._title_of(unit).moved(unit.left, unit.low))

    def _title_of(self, unit: _Unit) -> Rect:
        wide, high = labels.width(unit.block.partition("\n")[2], self.title) + 8, self.title + 4
        if self.downwards:
            return Rect(high / 2 + 4, wide / 2 + 4, high, wide)
        return Rect(wide / 2 + 4, unit.height - high / 2 - 4, wide, high)

    def _detours(self) -> int:
        """Return how many arrows have to pass a box on their way up."""
        level = {slot: n for n, unit in enumerate(self.units) for each in (unit, *unit.beside) for slot in each.slots}
        return sum(
            level[arrow.head] - level[arrow.tail] != 1
            for arrow in self.content.inner
            if arrow.tail == arrow.head or self.unit_of[arrow.tail] is not self.unit_of[arrow.head]
        )

    def _room_for_labels(self, unit: _Unit) -> float:
        """Return the room between this unit and the next one, where labels stand beside a loop."""
        words = [labels.width(label, self.small) for label in self._loops(unit)]
        return max(words, default=0.0) if self.downwards else 0.0

    def _loops(self, unit: _Unit) -> list[str]:
        """Return the labels of the loops around a unit."""
        return [arrow.label for arrow in self.content.inner if arrow.tail == arrow.head and arrow.tail in unit.slots]

    def _align(self, unit: _Unit, rects: dict[int, Rect], width: float) -> None:
        """Place a single box straight above or below the one it belongs to."""
        if unit.block:
            return
        (slot,) = unit.slots
        for arrow in self.content.inner:
            own, above = self.unit_of[arrow.tail], self.unit_of[arrow.head]
            if above is unit and own.block and arrow.tail in rects and self.content.boxes[slot].role == "output":
                unit.left = rects[arrow.tail].x + self._aside(arrow.tail, own) - unit.width / 2
            if own is unit and above.block:
                unit.left = (width - above.width) / 2 + above.rects[arrow.head].x - unit.width / 2

    def _aside(self, slot: int, unit: _Unit) -> float:
        """Return how far beside a box its way up is: none if nothing in the cell stands above it."""
        own = unit.rects[slot]
        widths = [rect.width for rect in unit.rects.values() if rect.x == own.x and rect.y >= own.y]
        if len(widths) == 1:
            return 0.0
        return (-PITCH if self._mirrored(unit) else PITCH) * (ceil(max(widths) / 2 / PITCH) + 1)

    def _route(self) -> None:
        jobs: list[Inner | End] = list(dict.fromkeys((*self.content.inner, *self.content.ends)))
        curves = {}
        for end in self.content.ends:
            box = self.content.boxes[end.slot]
            if not end.outgoing and box.lane == "point" and self.template.boxes[end.slot].y != self.heights[end]:
                side = {RIGHT if end.forward else LEFT: 0}
                self.router.expect_tip(terminals(self.template.boxes[end.slot], side, round_=self._is_round(end.slot)))
        for job in sorted(jobs, key=self._priority):
            curves[job] = self._between(job) if isinstance(job, Inner) else self._to_border(job)
        strong = {source for job, (source, *_) in curves.items() if isinstance(job, End) or job.role == "state"}
        lines = {
            job: line._replace(gaps=tuple(map(on_grid, self.router.gaps(source, cells, strong))))
            for job, (source, cells, line) in curves.items()
        }
        self.template.inner = [lines[arrow] for arrow in self.content.inner]
        self.template.ends = {end: lines[end] for end in self.content.ends}
        for number, (x, y) in enumerate(sorted(map(on_grid, self.router.forks()))):
            self.template.frames.append(Outline("fork", (f"fork{number}",), "", Rect(x, y, DOT, DOT)))

    def _priority(self, job: Inner | End) -> tuple[int, float]:
        """Return a key to sort by: first what is straight, then what is short; a bus in full."""
        boxes = self.template.boxes
        if isinstance(job, End):
            return (0 if boxes[job.slot].y == self.heights[job] else 1 if self._has_loop(job.slot) else 2), -1.0
        if job.tail == job.head:
            return 1, 0.0  # after what comes in straight
        a, b = boxes[job.tail], boxes[job.head]
        far = abs(a.x - b.x) + abs(a.y - b.y)
        if self.content.boxes[job.tail].lane == self.content.boxes[job.head].lane == "belt":
            return -1, far
        straight = a.y == b.y or a.x == b.x
        if straight and self.unit_of[job.tail] is not self.unit_of[job.head]:
            return -1, far
        from_bus = self.content.boxes[job.tail].lane == "bus"
        return (0 if straight else 1), (-far if from_bus else far)

    def _between(self, arrow: Inner) -> Line:
        a, b = self.template.boxes[arrow.tail], self.template.boxes[arrow.head]
        exits, entries = self._terminals(arrow.tail, outgoing=True), self._terminals(arrow.head, outgoing=False)
        source = f"b{arrow.tail}"
        if arrow.tail == arrow.head:  # a loop leads around the box, and each on its own way
            loops = [other for other in self.content.inner if other.tail == other.head == arrow.tail]
            source += f" loop {loops.index(arrow)}"
            right, left = (self._above_the_middle(a, side) for side in (RIGHT, LEFT))
            exits, entries = (left, right) if arrow.role == "back" else (right, left)
        cells = self.router.line(source, exits, entries)
        round_ = self._is_round(arrow.tail), self._is_round(arrow.head)
        return source, cells, curve(cells, a, b, tip=self.content.boxes[arrow.head].role != "joint", round_=round_)

    def _above_the_middle(self, rect: Rect, side: Side) -> Terminals:
        """Return where a loop may meet a side of its box: above what comes in straight from other columns."""
        found = terminals(rect, {side: 0}, crowded=self.crowded)
        middle = round(rect.y / PITCH)
        return {(cell, side): cost + (0 if cell[1] > middle else ASTRAY) for (cell, side), cost in found.items()}

    def _to_border(self, end: End) -> Line:
        x, side = (self.router.columns, LEFT) if end.forward else (0, RIGHT)
        port = {((x, round(self.heights[end] / PITCH)), side): 0}
        inside = self._terminals(end.slot, outgoing=end.outgoing)
        rect, role = self.template.boxes[end.slot], self.content.boxes[end.slot].role
        round_ = self._is_round(end.slot)
        if end.outgoing:
            source = f"b{end.slot} {end.key}" if role == "gap" else f"b{end.slot}"
            cells = self.router.line(source, inside, port)
            return source, cells, curve(cells, rect, None, round_=(round_, False))
        source = f"{end.key} from {end.forward}"
        cells = self.router.line(source, port, inside)
        return source, cells, curve(cells, None, rect, tip=role != "joint", round_=(False, round_))

    def _port_heights(self) -> dict[End, float]:
        """Return where each state crosses the border: on its belt, or along the bus by which it comes in."""
        heights: dict[tuple[bool, bool, str], float] = {}
        taken: dict[bool, set[float]] = {True: set(), False: set()}
        boxes = self.content.boxes
        looped = [end for end in reversed(self.content.ends) if not end.outgoing and self._has_loop(end.slot)]
        ends = [*looped, *(end for end in self.content.ends if end not in looped)]
        for end in sorted(ends, key=lambda end: (end.outgoing, boxes[end.slot].lane != "belt")):
            if end.port not in heights:
                middle = self._natural_height(end, heights)
                ways = (1, -1) if boxes[end.slot].role == "gap" else (-1,) if end in looped else (1,)  # below a loop
                near = (middle + way * away * 2 * PITCH for away in count() for way in ways)
                heights[end.port] = next(y for y in near if y not in taken[end.forward])
                taken[end.forward].add(heights[end.port])
        return {end: heights[end.port] for end in self.content.ends}

    def _natural_height(self, end: End, heights: dict[tuple[bool, bool, str], float]) -> float:
        own, boxes = self.template.boxes[end.slot].y, self.content.boxes
        if not end.outgoing or boxes[end.slot].lane in ("", "belt"):
            return own
        same_key = heights.get((not end.forward, False, end.key))
        if same_key is not None:
            return same_key
        outer = {y for (forward, outgoing, _), y in heights.items() if outgoing and forward is end.forward}
        for other in self.content.ends:
            enters_here = not other.outgoing and self.unit_of[other.slot] is self.unit_of[end.slot]
            across = enters_here and other.forward is not end.forward and boxes[other.slot].lane != "belt"
            if across and heights[other.port] not in outer:
                return heights[other.port]
        return own

    def _terminals(self, slot: int, *, outgoing: bool) -> Terminals:
        """Return where lines may leave or enter a box, and what it costs to choose a side."""
        box = self.content.boxes[slot]
        ahead = UP if outgoing else DOWN
        sides = {ahead: 0, LEFT: 2, RIGHT: 2}
        if box.lane == "layer":
            sides = {ahead: 0, LEFT: 4, RIGHT: 4}
        elif box.lane:
            sides = {UP: 2, RIGHT: 0, DOWN: 1, LEFT: 2} if outgoing else {DOWN: 0, LEFT: 0, UP: 1, RIGHT: 2}
        return terminals(self.template.boxes[slot], sides, round_=self._is_round(slot), crowded=self.crowded)

    def _has_loop(self, slot: int) -> bool:
        return any(arrow.tail == arrow.head == slot for arrow in self.content.inner)

    def _is_round(self, slot: int) -> bool:
        return ROLES[self.content.boxes[slot].role]["shape"] in ROUND
