"""Lines between boxes: right angles only, no line upon another's, and forks where one value goes to several places.

A maze router (Lee 1961): each line takes the cheapest way over a grid, where turning and crossing cost extra. Lines of
one source may share their way, which is what makes them fork.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Set
from itertools import pairwise
from math import ceil, dist, sqrt

from .geometry import ARROWHEAD, Curve, Point, Rect

PITCH = 6.0
"""Points between two lines of the grid; chosen by eye, so that parallel lines keep apart."""

TURN, CROSS, TIP = 3, 10, 8
"""What a turn, a crossing, and a place where the tip of another arrow will lie cost, in steps of the grid: how much
longer a way may be to avoid one; chosen by eye."""

RADIUS = 6.0
"""Points of a rounded corner; chosen by eye."""

MOST = 400_000
"""So many states are examined for the lines of a column; what comes then is drawn plainly, over whatever is there.

Measured: they take three seconds, and three layers of LSTMs in both directions, opened, need 68,487.
"""

Cell = tuple[int, int]
Side = tuple[int, int]

LEFT, RIGHT, DOWN, UP = (-1, 0), (1, 0), (0, -1), (0, 1)
SIDES: tuple[Side, ...] = (LEFT, RIGHT, DOWN, UP)

State = tuple[Cell, Side]
"""Where a line is, and in which direction it leads."""

Terminals = Mapping[State, int]
"""Cells where a line may start or end, with the direction from the box outwards, and what choosing it costs."""


class NoWay(Exception):
    """The maze has no way through; the boxes stand too close."""


class Router:
    """A grid with obstacles, on which lines are laid one after the other."""

    def __init__(self, width: float, height: float, obstacles: Iterable[Rect]) -> None:
        self.columns, self.rows = round(width / PITCH), round(height / PITCH)
        self._blocked = {cell for rect in obstacles for cell in _covered(rect)}
        self._used: dict[Cell, dict[str, set[int]]] = {}  # along which axes which source's lines run
        self._tips: set[Cell] = set()
        self._heads: set[Cell] = set()  # where lines end, which is no place to fork
        self.examined = 0  # how many states of lines were looked at: what the routes have cost
        self._trees: dict[str, dict[Cell, Cell | None]] = {}  # of each source's lines, whence they came

    def expect_tip(self, entries: Iterable[State]) -> None:
        """Let lines rather keep away from where another one will come in later: from the last two cells of its way."""
        self._tips.update(cell for at, side in entries for cell in (at, _moved(at, side)))

    def line(self, source: str, starts: Terminals, ends: Terminals) -> list[Cell]:
        """Return the cells of a new line from one of the starts to one of the ends. Raises NoWay if there is none."""
        tree = self._trees.setdefault(source, {})
        found = self._cheapest(source, starts, ends)
        tree.setdefault(found[0], None)
        for a, b in pairwise(found):
            tree.setdefault(b, a)
            for cell in (a, b):
                self._used.setdefault(cell, {}).setdefault(source, set()).add(0 if a[1] == b[1] else 1)
        self._heads.add(found[-1])
        while (before := tree[found[0]]) is not None:
            found.insert(0, before)
        return found

    def forks(self) -> set[Cell]:
        """Return where lines of one source part."""
        parted = (Counter(tree.values()) for tree in self._trees.values())
        return {cell for counted in parted for cell, number in counted.items() if cell is not None and number > 1}

    def gaps(self, source: str, cells: list[Cell], strong: Container[str]) -> list[Cell]:
        """Return where a line lets others cross over it: a weak one a strong one, of two alike the upright one."""
        found = []
        for before, cell in pairwise(cells):
            others = [other in strong for other in self._used.get(cell, {}) if other != source]
            own, upright = source in strong, before[0] == cell[0]
            if others and (own < any(others) or (own == any(others) and upright)):
                found.append(cell)
        return found

    def _cheapest(self, source: str, starts: Terminals, ends: Terminals) -> list[Cell]:
        """Return the cheapest way from a start, or from a line of the source (A*; Hart, Nilsson and Raphael 1968)."""
        entries = {(cell, _back(side)): cost for (cell, side), cost in ends.items()}
        goals = {cell for cell, _ in entries}
        best: dict[State, int] = {}
        came: dict[State, State | None] = {}
        queue: list[tuple[int, int, State, bool]] = []

        def offer(cost: int, state: State, before: State | None) -> None:
            self.examined += 1
            if cost < best.get(state, 1 << 30):
                best[state] = cost
                came[state] = before
                ahead = min(abs(state[0][0] - x) + abs(state[0][1] - y) for x, y in goals)
                heapq.heappush(queue, (cost + ahead, cost, state, False))

        for state, cost in starts.items():
            if not self._others(state[0], source):
                offer(cost, state, None)
        for cell, before in self._trees[source].items() if self.examined <= MOST else ():
            for side in SIDES:
                if before is None or _moved(cell, side) != before:
                    offer(2 + (TIP if cell in self._heads else 0), (cell, side), None)
        while queue and self.examined <= MOST:
            _, cost, state, there = heapq.heappop(queue)
            if there:
                return _trace(state, came)
            if cost > best[state]:
                continue
            if state in entries:
                arrived = cost + entries[state]
                heapq.heappush(queue, (arrived, arrived, state, True))
                continue
            cell, side = state
            turns = [side] if self._others(cell, source) else [turn for turn in SIDES if turn != _back(side)]
            for turn in turns:
                to = _moved(cell, turn)
                if self._may_enter(to, turn, source, goals):
                    crossing = CROSS if self._others(to, source) else 0
                    near = TIP if to in self._tips and to not in goals else 0
                    offer(cost + 1 + (TURN if turn != side else 0) + crossing + near, (to, turn), state)
        if self.examined > MOST:
            return _plain(starts, ends)
        raise NoWay(source)

    def _others(self, cell: Cell, source: str) -> list[set[int]]:
        """Return along which axes lines of other sources run through a cell."""
        return [axes for other, axes in self._used.get(cell, {}).items() if other != source]

    def _may_enter(self, cell: Cell, side: Side, source: str, goals: Set[Cell]) -> bool:
        x, y = cell
        if not (0 <= x <= self.columns and 0 <= y <= self.rows) or (cell in self._blocked and cell not in goals):
            return False
        across = {1 if side[1] == 0 else 0}
        return all(axes == across and cell not in goals for axes in self._others(cell, source))


def _plain(starts: Terminals, ends: Terminals) -> list[Cell]:
    """Return the ends of a line that turns once at most, and no more is asked of."""
    (start, _), (end, _) = min(starts, key=starts.__getitem__), min(ends, key=ends.__getitem__)
    return list(dict.fromkeys((start, (start[0], end[1]), end)))


def _moved(cell: Cell, side: Side) -> Cell:
    return cell[0] + side[0], cell[1] + side[1]


def _back(side: Side) -> Side:
    return -side[0], -side[1]


def terminals(
    rect: Rect, costs: Mapping[Side, int], *, round_: bool = False, crowded: bool = False
) -> dict[tuple[Cell, Side], int]:
    """Return the cells just outside the sides of a box centred on the grid: their middles and, dearer, those beside.

    A round one is met in its middles only, beside which its outline recedes, unless there is no other way.
    """
    x, y = round(rect.x / PITCH), round(rect.y / PITCH)
    found = {}
    for side, cost in costs.items():
        upright = side[0] == 0
        half = (rect.width if upright else rect.height) / 2 / PITCH
        beside = range(int(half - 0.25) + 1) if crowded else range(0, 1 if round_ else int(half - 0.75) + 1, 2)
        out = _reach(rect.height if upright else rect.width)
        for away in beside:
            for offset in {away, -away}:
                cell = (x + offset, y + side[1] * out) if upright else (x + side[0] * out, y + offset)
                found[cell, side] = cost + 2 * away
    return found


def curve(
    cells: list[Cell],
    start: Rect | None,
    end: Rect | None,
    *,
    tip: bool = True,
    round_: tuple[bool, bool] = (False, False),
) -> Curve:
    """Return the line as a spline with round corners, from the border of one box to the border of another."""
    corners = [Point(x * PITCH, y * PITCH) for x, y in _corners(cells)]
    if start is not None:
        corners[0] = _border(start, corners[0], round_[0])
    point = None
    if end is not None:
        point = _border(end, corners[-1], round_[1])
        if tip:
            corners[-1] = _before(point, corners[-1] if corners[-1] != point else corners[-2], ARROWHEAD)
        else:
            corners[-1] = Point(end.x, end.y)
    if len(corners) == 1:
        corners.insert(0, _border(start, corners[0], round_[0]) if start else corners[0])
    return Curve(_rounded(corners), point if tip else None)


def on_grid(cell: Cell) -> Point:
    """Return where a cell of the grid is."""
    return Point(cell[0] * PITCH, cell[1] * PITCH)


def _covered(rect: Rect) -> Iterable[Cell]:
    x, y = round(rect.x / PITCH), round(rect.y / PITCH)
    reach_x, reach_y = _reach(rect.width), _reach(rect.height)
    for dx in range(-reach_x, reach_x + 1):
        for dy in range(-reach_y, reach_y + 1):
            yield x + dx, y + dy


def _reach(size: float) -> int:
    """Return how many cells from the middle of a box its outside is."""
    return ceil(size / 2 / PITCH)


def _trace(state: State | None, came: Mapping[State, State | None]) -> list[Cell]:
    cells: list[Cell] = []
    while state is not None:
        cells.append(state[0])
        state = came[state]
    return cells[::-1]


def _corners(cells: list[Cell]) -> list[Cell]:
    """Return where a line begins, turns and ends."""
    kept = cells[:1]
    for before, here, after in zip(cells, cells[1:], cells[2:], strict=False):
        if (after[0] - here[0], after[1] - here[1]) != (here[0] - before[0], here[1] - before[1]):
            kept.append(here)
    return kept + cells[-1:] if len(cells) > 1 else kept


def _border(rect: Rect, near: Point, round_: bool = False) -> Point:
    """Return where the straight way from a point beside a box, or an ellipse in it, meets it."""
    dx, dy = near.x - rect.x, near.y - rect.y
    a, b = rect.width / 2, rect.height / 2
    if abs(dx) * rect.height > abs(dy) * rect.width:
        reach = a * sqrt(max(1 - (dy / b) ** 2, 0)) if round_ else a
        return Point(rect.x + (reach if dx > 0 else -reach), near.y)
    reach = b * sqrt(max(1 - (dx / a) ** 2, 0)) if round_ else b
    return Point(near.x, rect.y + (reach if dy > 0 else -reach))


def _before(end: Point, start: Point, distance: float) -> Point:
    """Return a point on the way to the end, that far before it."""
    part = distance / (dist(start, end) or 1.0)
    return end.moved((start.x - end.x) * part, (start.y - end.y) * part)


def _rounded(corners: list[Point]) -> tuple[Point, ...]:
    """Return straight pieces, joined by bends."""
    points = [corners[0]]

    def straight(to: Point) -> None:
        points.extend((points[-1], to, to))

    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        room = min(RADIUS, dist(before, corner) / 2, dist(corner, after) / 2)
        straight(_before(corner, before, room))
        points.extend((corner, corner, _before(corner, after, room)))
    straight(corners[-1])
    return tuple(points)
