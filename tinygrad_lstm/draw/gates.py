"""The repeating module, as Olah draws it: layers, pointwise operations, lines that merge and fork, and a belt.

It is read off the graph, so any cell comes out as its own picture, also one that its author made of plain operations:
a layer is an activation of products with weights; a belt is the way on which a state is carried past the layers.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import replace

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .describe import role
from .options import Options
from .parts import Part, Parts
from .scene import Arrow, Box, Scene, Text
from .unrolled import Unrolled

LONG_GATES = 5

SIGNS = {"mul": "×", "add": "+", "sub": "−", "neg": "−", "div": "÷"}


def gates(graph: Graph, options: Options) -> Scene:
    """Cells opened into their layers and pointwise operations, everything else shut."""
    parts = Parts(graph, replace(options, depth=None), cells_shut=True, longest=LONG_GATES, keep_shut=True)
    opened = _Opened(parts, [part for part in parts.parts if _is_open(part, parts, options)])
    parts.refuse_unknown_names()
    return _Gates(graph, parts, options, opened).scene


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
        self.users = _users(parts)
        self._states = {node.inputs[slot].name for node, slot in parts.initial}
        belts = self._belts(cells)
        for cell in cells:
            self._open(cell, belts)
        parts.find_outputs()

    def _open(self, cell: Part, belts: set[object]) -> None:
        """Put the cell's own parts in its place."""
        inside = set(cell.members)
        fused = _layers(cell.members, inside, self.users)
        made: dict[Tensor, Part] = {}
        fresh: list[Part] = []
        for node in cell.members:
            last = fused.get(node, node)
            if last not in made:
                kind = "layer" if node in fused else "joint" if _name(node) == "concat" else "pointwise"
                made[last] = Part(self._parts.graph.ids[last], kind, cell.column)
                fresh.append(made[last])
            part = made[last]
            part.members.append(node)
            self._parts.of[node] = part
        fresh.sort(key=lambda part: part.members[-1].serial)
        for part in fresh:
            node = part.members[-1]
            part.title = _sign(node) if part.kind != "layer" else node.primitive.symbol  # type: ignore[union-attr]
            self.block[part] = f"{cell.id}\n{cell.caption}"
            on_belt = self._parts.timeline.fold[node] in belts
            self.lane[part] = "belt" if on_belt else {"layer": "layer", "joint": "bus"}.get(part.kind, "point")
        position = self._parts.parts.index(cell)
        self._parts.parts[position : position + 1] = fresh

    def _belts(self, cells: Iterable[Part]) -> set[object]:
        """The operations on which a state is carried through a cell, in any step, by what their steps share.

        The way leads past all layers if there is such a way; if no state has one, as in a plain RNN, it leads through.
        """
        fold = self._parts.timeline.fold
        found: dict[object, list[Tensor]] = {}
        for cell in cells:
            inside = set(cell.members)
            fused = _layers(cell.members, inside, self.users)
            entries = [
                node
                for node in cell.members
                for slot, x in enumerate(node.inputs)
                if (node, slot) in self._parts.initial or (x in self._parts.timeline.of and self._apart(x, node))
            ]
            exits = {node for node in cell.members if self._carried_on(node)}
            plain = {node for node in inside if node not in fused and _name(node) != "concat"}
            for allowed in (plain - {n for n in plain if role(n) == "layer"}, inside):
                ways = [way for start in entries if (way := _way(start, exits, allowed, self.users))]
                if ways:
                    kind = tuple(module for _, module in self._parts.timeline.levels(cell.members[0])[:1])
                    best = max(ways, key=len) if allowed is not inside else min(ways, key=len)
                    if len(best) >= len(found.get(kind, ())) or allowed is not inside:
                        found.setdefault(kind, best)
                    break
        return {fold[node] for way in found.values() for node in way}

    def _apart(self, x: Tensor, node: Tensor) -> bool:
        return self._parts.timeline.of[x] != self._parts.timeline.of.get(node)

    def _carried_on(self, node: Tensor) -> bool:
        """Whether a state leaves the cell here: used at another step, or named as one at the end."""
        users, of = self.users[node], self._parts.timeline.of
        if any(self._apart(node, user) for user in users if user in of):
            return True
        outside = all(self._parts.of[user] is not self._parts.of[node] for user in users)
        return node.name is not None and (outside or f"{node.name}0" in self._states)


class _Gates(Unrolled):
    """Draws opened cells; of each cell's output a pill above it, which says what it is."""

    def __init__(self, graph: Graph, parts: Parts, options: Options, opened: _Opened) -> None:
        self._opened = opened
        fold = parts.timeline.fold
        self._shown = {fold[x] for part in opened.block for x in part.outputs if self._leaves(x, part, opened, parts)}
        super().__init__(graph, parts, options, upwards=True)

    def _leaves(self, x: Tensor, part: Part, opened: _Opened, parts: Parts) -> bool:
        """Whether something besides the cell itself uses x: it is an output, and not only a state."""
        users = [parts.of[user] for user in opened.users[x]]
        return x is parts.graph.output or any(not self._carries(part, user, opened) for user in users)

    def _carries(self, source: Part, part: Part, opened: _Opened) -> bool:
        """Whether an arrow between two parts stays in a cell, or leads from one step of it to the next."""
        home = opened.block.get(part) or (part.id if part.kind == "cell" else "")
        return part.kind == "gap" or (home != "" and _cell(home) == _cell(opened.block[source]))

    def _draw(self, part: Part) -> None:
        super()._draw(part)
        if part not in self._opened.block:
            return
        for x in part.outputs:
            if self.parts.timeline.fold[x] in self._shown:
                box = self.describe.group(
                    f"{part.id}.out", "output", (Text(self.describe.own_name(x) or "out"),), [x], 1, part.column
                )
                self.scene.boxes.append(box)
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

    def _arrow(self, tail: str, part: Part, x: Tensor, node: Tensor, role: str, label: str = "") -> None:
        lanes = self._opened.lane
        inside = x in self.parts.of and self._opened.block.get(self.parts.of[x]) == self._opened.block.get(part, "")
        if inside:
            role, label = ("state" if lanes[self.parts.of[x]] == lanes[part] == "belt" else "data"), ""
        super()._arrow(tail, part, x, node, role, label)

    def _box(self, part: Part) -> Box:
        if part not in self._opened.block:
            return super()._box(part)
        node = part.members[-1]
        texts = [Text(part.title, "sign" if len(part.title) <= 2 else "symbol")]
        if part.kind == "layer" and node.name:
            texts.append(Text(self.describe.name(node), "detail"))
        box = self.describe.group(part.id, part.kind, tuple(texts), [node], len(part.members), part.column)
        block = self._opened.block[part]
        box.block = "\n".join((_cell(block), block.partition("\n")[2]))  # the same in all steps: they share a layout
        box.lane = self._opened.lane[part]
        return box


def _cell(block: str) -> str:
    """Which cell a block shows, at whatever step."""
    id = block.partition("\n")[0]
    return id.partition(".")[2] or id


def _layers(members: list[Tensor], inside: set[Tensor], users: dict[Tensor, list[Tensor]]) -> dict[Tensor, Tensor]:
    """Which nodes are one layer: an activation, the products with weights under it, and the biases between.

    Maps each to the last of its layer.
    """
    last: dict[Tensor, Tensor] = {}
    weighted: set[Tensor] = set()
    for node in members:
        name, sources = _name(node), node.inputs
        weight = any(x.requires_grad and x.is_leaf for x in sources)
        below = [x for x in sources if x in weighted]
        if (name == "matmul" and weight) or (name in ("add", "sub", "mul") and (weight or len(below) == len(sources))):
            weighted.add(node)
            group = [node, *(x for x in below if all(user is node for user in users[x]))]
        elif below and (role(node) == "layer" or role(node) == "movement") and _name(node) != "concat":
            group = [node, *(x for x in below if all(user is node for user in users[x]))]
            if role(node) == "movement":
                weighted.add(node)
        else:
            continue
        roots = {last.get(x, x) for x in group}
        for each in list(last):
            if last[each] in roots:
                last[each] = node
        last.update((x, node) for x in group)
    return {node: end for node, end in last.items() if node in inside}


def _way(
    start: Tensor, exits: set[Tensor], allowed: set[Tensor], users: dict[Tensor, list[Tensor]]
) -> list[Tensor] | None:
    """The shortest way from an operation to an exit, over allowed ones."""
    if start not in allowed:
        return None
    came: dict[Tensor, Tensor | None] = {start: None}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if node in exits:
            way = []
            step: Tensor | None = node
            while step is not None:
                way.append(step)
                step = came[step]
            return way[::-1]
        for user in users[node]:
            if user in allowed and user not in came:
                came[user] = node
                queue.append(user)
    return None


def _users(parts: Parts) -> dict[Tensor, list[Tensor]]:
    users: dict[Tensor, list[Tensor]] = defaultdict(list)
    for node in parts.timeline.operations:
        for x in node.inputs:
            if not x.is_leaf:
                users[x].append(node)
    return users


def _name(node: Tensor) -> str:
    assert node.primitive is not None
    return node.primitive.name


def _sign(node: Tensor) -> str:
    """An operation's sign, with a constant operand in it: 1−, ×2."""
    assert node.primitive is not None
    sign = SIGNS.get(_name(node), node.primitive.symbol)
    numbers = [f"{x.item():.3g}" if _is_number(x) else "" for x in node.inputs]
    if len(node.inputs) == 2 and any(numbers):
        return f"{numbers[0]}{sign}{numbers[1]}"
    return sign


def _is_number(x: Tensor) -> bool:
    return x.is_leaf and x.name is None and x.ndim == 0 and not x.requires_grad
