"""The repeating module, as Olah draws it: layers, pointwise operations, lines that merge and fork, and a belt.

It is read off the graph, so any cell comes out as its own picture, also one that its author made of plain operations:
a layer is an activation of products with weights; a belt is the way on which a state is carried past the layers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from ...engine.graph import Graph
from ...engine.primitive import Kind
from ...engine.tensor import Tensor
from ...structure.words import is_number
from ..scene import Arrow, Box, Scene, Text
from .describe import made_by, role
from .options import Options
from .parts import Part, Parts, without_step
from .unrolled import UnrolledScene

LONG_GATES = 5


def gates(graph: Graph, options: Options) -> Scene:
    """Draw cells opened into their layers and pointwise operations, everything else closed."""
    parts = Parts(graph, replace(options, depth=None), cells_closed=True, longest=LONG_GATES, keep_closed=True)
    opened = _Opened(parts, [part for part in parts.parts if _is_open(part, parts, options)])
    return _Gates(graph, parts, options, opened).drawn()


def _is_open(part: Part, parts: Parts, options: Options) -> bool:
    """All cells are, unless some are named, or none is wanted."""
    if part.kind != "cell" or options.depth == 0:
        return False
    return parts.opens(part.id) or not options.expand


class _Opened:
    """Divides each cell into layers, joints and pointwise operations, and finds its belt."""

    def __init__(self, parts: Parts, cells: list[Part]) -> None:
        self._parts = parts
        self.block: dict[Part, str] = {}
        self.lane: dict[Part, str] = {}
        self.users = parts.timeline.users
        self._states = {node.inputs[slot].name for node, slot in parts.initial}
        self._fused = {cell: _layers(cell.members, parts, self.users) for cell in cells}
        belts = self._belts(cells)
        for cell in cells:
            self._open(cell, belts)
        parts.find_outputs()

    def _open(self, cell: Part, belts: set[object]) -> None:
        """Put the cell's own parts in its place."""
        fused = self._fused[cell]
        made: dict[Tensor, Part] = {}
        fresh: list[Part] = []
        for node in cell.members:
            last = fused.get(node, node)
            if last not in made:
                kind = "layer" if node in fused else "joint" if _joins(node) else "pointwise"
                made[last] = Part(self._parts.unique(self._parts.graph.ids[last]), kind, cell.column)
                fresh.append(made[last])
            part = made[last]
            part.members.append(node)
            self._parts.of[node] = part
        fresh.sort(key=lambda part: part.members[-1].serial)
        for part in fresh:
            node = part.members[-1]
            part.title = _layer_title(node) if part.kind == "layer" else _sign(node)
            if part.kind == "pointwise" and role(node) in ("movement", "reduction", "product"):
                part.kind = role(node)
            self.block[part] = f"{without_step(cell.id)}\n{cell.caption}"  # the same in every step
            on_belt = self._parts.timeline.fold[node] in belts
            self.lane[part] = "belt" if on_belt else {"layer": "layer", "joint": "bus"}.get(part.kind, "point")
        position = self._parts.parts.index(cell)
        self._parts.parts[position : position + 1] = fresh

    def _belts(self, cells: Iterable[Part]) -> set[object]:
        """Return the operations on which a state is carried through a cell, in any step, by what their steps share.

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
                ways = [way for start in starts if (way := _way(start, exits, allowed, self.users))]
                if ways:
                    found.setdefault(module, choose(ways, key=len))
        fold = self._parts.timeline.fold
        return {fold[node] for way in (through | past_layers).values() for node in way}

    def _is_entry(self, node: Tensor) -> bool:
        """Tell whether a state comes into the cell here."""
        of = self._parts.timeline.of
        return any(
            (node, slot) in self._parts.initial or (x in of and self._apart(x, node))
            for slot, x in enumerate(node.inputs)
        )

    def _apart(self, x: Tensor, node: Tensor) -> bool:
        return self._parts.timeline.of[x] != self._parts.timeline.of.get(node)

    def _carried_on(self, node: Tensor) -> bool:
        """Tell whether a state leaves the cell here: used at another step, or named as one at the end."""
        users, of = self.users[node], self._parts.timeline.of
        if any(self._apart(node, user) for user in users if user in of):
            return True
        outside = all(self._parts.of[user] is not self._parts.of[node] for user in users)
        return node.name is not None and (outside or f"{node.name}0" in self._states)


class _Gates(UnrolledScene):
    """Draws opened cells; of each cell's output a pill above it, which says what it is."""

    def __init__(self, graph: Graph, parts: Parts, options: Options, opened: _Opened) -> None:
        self._opened = opened
        fold = parts.timeline.fold
        self._shown = {fold[x] for part in opened.block for x in part.outputs if self._leaves(x, part, opened, parts)}
        super().__init__(graph, parts, options, upwards=True)

    def _leaves(self, x: Tensor, part: Part, opened: _Opened, parts: Parts) -> bool:
        """Tell whether something besides the cell itself uses x: it is an output, and not only a state."""
        users = [parts.of[user] for user in opened.users[x]]
        return x is parts.graph.output or any(not self._carries(part, user, opened) for user in users)

    def _carries(self, source: Part, part: Part, opened: _Opened) -> bool:
        """Tell whether an arrow between two parts stays in a cell, or leads from one step of it to the next."""
        home = opened.block.get(part) or (without_step(part.id) if part.kind == "cell" else "")
        return part.kind == "gap" or (home != "" and _cell(home) == _cell(opened.block[source]))

    def _draw(self, part: Part) -> None:
        super()._draw(part)
        if part not in self._opened.block:
            return
        for x in part.outputs:
            if self.parts.timeline.fold[x] in self._shown:
                pill = Part(f"{part.id}.out", "output", part.column, members=[x])
                box = self.describe.group(pill, (Text(self.describe.own_name(x) or "out"),), [x])
                self.scene.add(box)
                arrow = Arrow(part.id, box.id, "data", tooltip=box.tooltip)
                if (path := self.options.highlight) is not None:
                    users = [user for user in self._opened.users[x] if user in path]
                    leaves = [user for user in users if not self._carries(part, self.parts.of[user], self._opened)]
                    arrow.thick = x in path and (x is path.end or bool(leaves))
                    arrow.faded = not arrow.thick
                self.scene.arrows.append(arrow)

    def _tail(self, x: Tensor, part: Part) -> str:
        source = self.parts.of[x]
        shown = source in self._opened.block and self.parts.timeline.fold[x] in self._shown
        return f"{source.id}.out" if shown and not self._carries(source, part, self._opened) else source.id

    def _arrow(self, tail: str, part: Part, x: Tensor, node: Tensor, role: str, label: str = "") -> Arrow:
        lanes, blocks = self._opened.lane, self._opened.block
        source = self.parts.of.get(x)
        if source and source.column == part.column and source in blocks and blocks[source] == blocks.get(part):
            role, label = ("state" if lanes[source] == lanes[part] == "belt" else "data"), ""
        return super()._arrow(tail, part, x, node, role, label)

    def _box(self, part: Part) -> Box:
        if part not in self._opened.block:
            return super()._box(part)
        node = part.members[-1]
        texts = [Text(part.title, "sign" if len(part.title) <= 2 else "symbol")]
        if part.kind == "layer" and node.name:
            texts.append(Text(self.describe.name(node), "detail"))
        box = self.describe.group(part, tuple(texts), [node])
        box.block, box.lane = self._opened.block[part], self._opened.lane[part]
        return box


def _cell(block: str) -> str:
    """Return which cell a block shows."""
    return block.partition("\n")[0]


def _layers(members: list[Tensor], parts: Parts, users: dict[Tensor, list[Tensor]]) -> dict[Tensor, Tensor]:
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
        group = [node, *(x for x in below if all(user is node for user in users[x]))]
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


def _layer_title(node: Tensor) -> str:
    """Return its activation; without one, a layer is linear."""
    return made_by(node).symbol if role(node) == "layer" else "linear"


def _sign(node: Tensor) -> str:
    """Return an operation's sign, with a constant operand in it: 1−, ×2."""
    numbers = [f"{x.item():.3g}" if is_number(x) else "" for x in node.inputs]
    sign = made_by(node).sign
    return f"{numbers[0]}{sign}{numbers[1]}" if len(numbers) == 2 and any(numbers) else sign
