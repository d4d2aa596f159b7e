"""The repeating module, as Olah draws it: layers, pointwise operations, lines that merge and fork, and a belt.

It is read off the graph, so any cell comes out as its own picture, also one that its author made of plain operations:
a layer is an activation of products with weights; a belt is the way on which a state is carried past the layers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter

from ...engine.graph import Graph
from ...engine.primitive import Kind
from ...engine.tensor import Tensor
from ...structure.words import is_number
from ..scene import Arrow, Box, Scene, Text, unused
from .describe import made_by, role
from .options import Options
from .parts import Part, Parts, without_step
from .unrolled import UnrolledScene

LONG_GATES = 5
"""Steps: longer sequences are shown by their first and last ones; chosen: what a screen is wide."""


def gates(graph: Graph, options: Options) -> Scene:
    """Draw cells opened into their layers and pointwise operations, everything else closed."""
    parts = Parts(graph, replace(options, depth=None), cells_closed=True, longest=LONG_GATES, keep_closed=True)
    open_cells(parts, options)
    return _Gates(parts, upwards=True).drawn()


def open_cells(parts: Parts, options: Options) -> None:
    """Put layers, joints and pointwise operations in the places of all cells, or of those that ``expand`` names."""
    if options.depth != 0:
        closed = [part for part in parts.parts if part.kind == "cell"]
        _Opening(parts, [cell for cell in closed if parts.opens(cell.id) or not options.expand])


class _Opening:
    """Divides each cell into layers, joints and pointwise operations, and finds its belt."""

    def __init__(self, parts: Parts, cells: list[Part]) -> None:
        self._parts = parts
        self._users = parts.timeline.users
        self._states = {node.inputs[slot].name for node, slot in parts.initial}
        self._fused = {cell: _layers(cell.members, parts) for cell in cells}
        self._on_belts = self._belts(cells)
        for cell in cells:
            self._open(cell)
        parts.find_outputs()

    def _open(self, cell: Part) -> None:
        """Put the cell's own parts in its place."""
        fused = self._fused[cell]
        made: dict[Tensor, Part] = {}
        for node in cell.members:
            last = fused.get(node, node)
            if last not in made:
                made[last] = self._part(last, cell)
            made[last].members.append(node)
            self._parts.of[node] = made[last]
        position = self._parts.parts.index(cell)
        self._parts.parts[position : position + 1] = [made[last] for last in sorted(made, key=attrgetter("serial"))]

    def _part(self, node: Tensor, cell: Part) -> Part:
        """Return a part of an opened cell, by the node that comes last in it."""
        part = Part(unused(self._parts.graph.ids[node], self._parts.taken), "pointwise", cell.column, _sign(node))
        if node in self._fused[cell]:
            part.kind = "layer"
            part.title = made_by(node).symbol if role(node) == "layer" else "linear"
        elif _joins(node):
            part.kind = "joint"
        elif role(node) in ("movement", "reduction", "product"):
            part.kind = role(node)
        part.block = f"{without_step(cell.id)}\n{cell.caption}"  # the same in every step
        on_belt = self._parts.timeline.fold[node] in self._on_belts
        part.lane = "belt" if on_belt else {"layer": "layer", "joint": "bus"}.get(part.kind, "point")
        return part

    def _belts(self, cells: Iterable[Part]) -> set[object]:
        """Return the operations on which a state is carried through a cell, in any step, by what their steps share.

        ``cell_layout`` puts their lane on top, and ``upward_layout`` lets arrows cross to the next cell at its height,
        so that the belt is a straight line.

        The way leads past all layers if there is such a way; if no state has one, as in a plain RNN, it leads through.
        """
        past_layers: dict[object, list[Tensor]] = {}
        through: dict[object, list[Tensor]] = {}
        for cell in cells:
            inside, fused = set(cell.members), self._fused[cell]
            exits = {node for node in cell.members if self._carried_on(node)}
            plain = {n for n in inside if n not in fused and not _joins(n) and role(n) != "layer"}
            module = tuple(module for _, module in self._parts.timeline.levels(cell.members[0])[:1])
            for found, allowed, choose in ((past_layers, plain, max), (through, inside, min)):
                starts = [node for node in cell.members if node in allowed and self._is_entry(node)]
                ways = [way for start in starts if (way := _way(start, exits, allowed, self._users))]
                if ways:
                    found.setdefault(module, choose(ways, key=len))
        fold = self._parts.timeline.fold
        return {fold[node] for way in (through | past_layers).values() for node in way}

    def _is_entry(self, node: Tensor) -> bool:
        """Tell whether a state comes into the cell here."""
        initial, crosses = self._parts.initial, self._parts.timeline.crosses
        return any((node, slot) in initial or crosses(x, node) for slot, x in enumerate(node.inputs))

    def _carried_on(self, node: Tensor) -> bool:
        """Tell whether a state leaves the cell here: used at another step, or named as one at the end."""
        users = self._users[node]
        if any(self._parts.timeline.crosses(node, user) for user in users):
            return True
        outside = all(self._parts.of[user] is not self._parts.of[node] for user in users)
        return node.name is not None and (outside or f"{node.name}0" in self._states)


class _Gates(UnrolledScene):
    """Draws opened cells; of each cell's output a pill above it, which says what it is."""

    def drawn(self) -> Scene:
        """Return the scene; a pill is drawn in every step if it is in one."""
        fold = self.parts.timeline.fold
        made_in_cells = [x for part in self.parts.parts if part.block for x in part.outputs]
        self._shown = {fold[x] for x in made_in_cells if x is self.graph.output or self._users_outside(x)}
        return super().drawn()

    def _users_outside(self, x: Tensor) -> list[Tensor]:
        """Return what uses x besides the cell itself: if anything does, x is an output, and not only a state."""
        source = self.parts.of[x]
        return [user for user in self.parts.timeline.users[x] if not _carries(source, self.parts.of[user])]

    def _has_pill(self, x: Tensor) -> bool:
        return self.parts.of[x].block != "" and self.parts.timeline.fold[x] in self._shown

    def _draw(self, part: Part) -> None:
        super()._draw(part)
        for x in filter(self._has_pill, part.outputs):
            pill = Part(f"{part.id}.out", "output", part.column, members=[x])
            box = self.describe.group(pill, (Text(self.describe.own_name(x) or "out"),), [x])
            self.scene.add(box)
            arrow = Arrow(part.id, box.id, tooltip=box.tooltip)
            if (path := self.parts.options.highlight) is not None:
                arrow.thick = x in path and (x is path.end or any(user in path for user in self._users_outside(x)))
                arrow.faded = not arrow.thick
            self.scene.arrows.append(arrow)

    def _tail(self, x: Tensor, part: Part) -> str:
        source = self.parts.of[x]
        return f"{source.id}.out" if self._has_pill(x) and not _carries(source, part) else source.id

    def _arrow(self, tail: str, part: Part, x: Tensor, node: Tensor, role: str, label: str = "") -> Arrow:
        source = self.parts.of.get(x)
        if source and part.block and (source.column, source.block) == (part.column, part.block):
            role, label = ("state" if source.lane == part.lane == "belt" else "data"), ""
        return super()._arrow(tail, part, x, node, role, label)

    def _box(self, part: Part) -> Box:
        if not part.block:
            return super()._box(part)
        node = part.members[-1]
        texts = [Text(part.title, "sign" if len(part.title) <= 2 else "symbol")]
        if part.kind == "layer" and node.name:
            texts.append(Text(self.describe.name(node), "detail"))
        return self.describe.group(part, tuple(texts), [node])


def _carries(source: Part, part: Part) -> bool:
    """Tell whether an arrow between two parts stays in a cell, or leads from one step of it to the next."""
    return part.kind == "gap" or _cell(part) == _cell(source) != ""


def _cell(part: Part) -> str:
    """Return which cell, in any step, a part is or belongs to; nothing if it is in none."""
    return without_step(part.id) if part.kind == "cell" else part.block.partition("\n")[0]


def _layers(members: list[Tensor], parts: Parts) -> dict[Tensor, Tensor]:
    """Find which nodes are one layer: an activation, the products with weights under it, and the biases between.

    Maps each to the last of its layer.
    """
    last: dict[Tensor, Tensor] = {}
    weighted: set[Tensor] = set()
    for node in members:
        below = [x for x in node.inputs if x in weighted]
        if _is_affine(node, weighted, parts):
            weighted.add(node)
        elif not below or role(node) not in ("layer", "movement") or _joins(node):
            continue
        elif role(node) == "movement":
            weighted.add(node)
        group = [node, *(x for x in below if all(user is node for user in parts.timeline.users[x]))]
        roots = {last.get(x, x) for x in group}
        for each in [each for each, root in last.items() if root in roots]:
            last[each] = node
        last.update((x, node) for x in group)
    return last


def _is_affine(node: Tensor, weighted: set[Tensor], parts: Parts) -> bool:
    """Tell whether a node is a product with weights, or a sum of such products and biases."""
    has_weight = any(x in parts.weights for x in node.inputs)
    if made_by(node).combines == "sum":
        summands = any(x in weighted for x in node.inputs) and all(x in weighted or x.is_leaf for x in node.inputs)
        return has_weight or summands
    return made_by(node).combines == "product" and has_weight


def _way(
    start: Tensor, exits: set[Tensor], allowed: set[Tensor], users: dict[Tensor, list[Tensor]]
) -> list[Tensor] | None:
    """Return the shortest way from an operation to an exit, over allowed ones."""
    queue = deque([[start]])
    seen = {start}
    while queue:
        way = queue.popleft()
        if way[-1] in exits:
            return way
        for user in users[way[-1]]:
            if user in allowed and user not in seen:
                seen.add(user)
                queue.append([*way, user])
    return None


def _joins(node: Tensor) -> bool:
    """Tell whether an operation puts several tensors into one, as where lines merge."""
    return made_by(node).variadic and made_by(node).kind is Kind.movement


def _sign(node: Tensor) -> str:
    """Return an operation's sign, with a constant operand in it: 1−, ×2."""
    numbers = [f"{x.item():.3g}" if is_number(x) else "" for x in node.inputs]
    sign = made_by(node).sign
    return f"{numbers[0]}{sign}{numbers[1]}" if len(numbers) == 2 and any(numbers) else sign
