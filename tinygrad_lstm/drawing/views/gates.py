"""The repeating module, as Olah draws it: layers, pointwise operations, lines that merge and fork, and a belt.

It is read off the graph, so any cell comes out as its own picture, also one that its author made of plain operations:
a layer is an activation of products with weights; a belt is the way on which a state is carried past the layers.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Container, Iterable
from dataclasses import replace
from operator import attrgetter

from ...engine.graph import Graph
from ...engine.primitive import Kind
from ...engine.scope import Frame
from ...engine.tensor import Tensor
from ...structure.variables import variable
from ...structure.words import clean, is_number, short
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
    return Gates(parts, upwards=True).drawn()


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
        self._closed: dict[Tensor, Frame] = {}  # modules without layers, by what comes last in them
        self._modules = {cell: self._without_layers(cell) for cell in cells}
        self._fused = {cell: _layers(cell.members, self._modules[cell], parts) for cell in cells}
        self._layers = {cell: _proper(fused, parts.weights) for cell, fused in self._fused.items()}
        self._on_belts = self._belts(cells)
        opened = {cell: self._opened(cell) for cell in cells}
        parts.parts[:] = [each for part in parts.parts for each in opened.get(part, [part])]
        parts.find_outputs()

    def _opened(self, cell: Part) -> list[Part]:
        """Return the cell's own parts, to be put in its place."""
        fused = self._fused[cell] | self._modules[cell]
        made: dict[Tensor, Part] = {}
        for node in cell.members:
            last = fused.get(node, node)
            if last not in made:
                made[last] = self._part(last, cell)
            made[last].members.append(node)
            self._parts.of[node] = made[last]
        return [made[last] for last in sorted(made, key=attrgetter("serial"))]

    def _without_layers(self, cell: Part) -> dict[Tensor, Tensor]:
        """Map what is in a module without a matrix, such as a norm, to its last operation, if the cell has matrices."""
        if not _has_matrix(cell.members):
            return {}
        calls: dict[Frame, list[Tensor]] = defaultdict(list)
        for node in cell.members:
            levels = self._parts.timeline.levels(node)
            start = next((i for i, (_, module) in enumerate(levels, 1) if module == cell.module), 0)
            for frame, _ in levels[start:]:
                calls[frame].append(node)
        found: dict[Tensor, Tensor] = {}
        for frame, members in calls.items():  # the outer ones come first
            if len(members) > 1 and not _has_matrix(members) and members[0] not in found:
                found.update(dict.fromkeys(members, members[-1]))
                self._closed[members[-1]] = frame
        return found

    def _part(self, node: Tensor, cell: Part) -> Part:
        """Return a part of an opened cell, by the node that comes last in it."""
        part = Part(unused(self._parts.graph.ids[node], self._parts.taken), "pointwise", cell.column)
        if frame := self._closed.get(node):
            part.kind, part.title, part.name = "module", clean(frame.kind or frame.name or ""), clean(frame.name or "")
        elif node in self._layers[cell]:
            part.kind = "layer"
            part.title = made_by(node).symbol if role(node) == "layer" else "linear"
        elif _joins(node):
            part.kind = "joint"
        elif role(node) in ("movement", "reduction", "product"):
            part.kind = role(node)
        part.title = part.title or _sign(node, self._parts.weights)
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
        outside = all(self._parts.of.get(user) is not self._parts.of[node] for user in users)
        return node.name is not None and (outside or f"{node.name}0" in self._states)


class Gates(UnrolledScene):
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
        of, users = self.parts.of, self.parts.timeline.users[x]
        return [user for user in users if user in self.parts.head or not _carries(source, of[user])]

    def _has_pill(self, x: Tensor) -> bool:
        return self.parts.of[x].block != "" and self.parts.timeline.fold[x] in self._shown

    def _draw(self, part: Part) -> None:
        super()._draw(part)
        for x in filter(self._has_pill, part.outputs):
            self._pill(x, part)

    def _tail(self, x: Tensor, part: Part) -> str:
        source = self.parts.of[x]
        leads_on = source.column != part.column and self._in_time(part)  # what leads to another step starts on the belt
        pill = self._has_pill(x) and not _carries(source, part) and not leads_on
        return f"{source.id}.out" if pill else source.id

    def _arrow(self, tail: str, part: Part, x: Tensor, node: Tensor, role: str, label: str = "") -> Arrow:
        source = self.parts.of.get(x)
        if source and part.block and (source.column, source.block) == (part.column, part.block):
            role, label = ("state" if source.lane == part.lane == "belt" else "data"), ""
        arrow = super()._arrow(tail, part, x, node, role, label)
        if source and tail == f"{source.id}.out":
            arrow.port = ""  # leaves higher than the state it says the name of
        return arrow

    def _box(self, part: Part) -> Box:
        if not part.block:
            return super()._box(part)
        node = part.members[-1]
        texts = [Text(part.title, "sign" if len(part.title) <= 2 else "symbol")]
        if part.kind == "module" and part.name != part.title:
            texts.append(Text(part.name, "detail"))
        scaled = [own for x in node.inputs if (own := _own_name(x, self.parts.weights))]
        if part.kind == "pointwise" and scaled and len(scaled[0]) > 2:
            texts.append(Text(scaled[0], "detail"))
        if part.kind in ("layer", "movement") or role(node) == "layer":
            own = self.describe.name(node) if node.name else clean(variable(node), 18)
            texts += [Text(own, "detail")] if own else []
        return self.describe.group(part, tuple(texts), [node])


def _carries(source: Part, part: Part) -> bool:
    """Tell whether an arrow between two parts stays in a cell, or leads from one step of it to the next."""
    return part.kind == "gap" or _cell(part) == _cell(source) != ""


def _cell(part: Part) -> str:
    """Return which cell, in any step, a part is or belongs to; nothing if it is in none."""
    return without_step(part.id) if part.kind == "cell" else part.block.partition("\n")[0]


def _has_matrix(members: list[Tensor]) -> bool:
    return any(made_by(node).kind is Kind.product for node in members)


def _proper(fused: dict[Tensor, Tensor], weights: set[Tensor]) -> set[Tensor]:
    """Return which are layers: where there are matrices, not what has only a bias, as after a norm."""
    matrices = {last for node, last in fused.items() if _has_matrix([node])}
    biased = {last for node, last in fused.items() if matrices and any(x in weights for x in node.inputs)}
    return set(fused.values()) - (biased - matrices)


def _layers(members: list[Tensor], elsewhere: Container[Tensor], parts: Parts) -> dict[Tensor, Tensor]:
    """Find which nodes are one layer: an activation, the products with weights under it, and the biases between.

    Maps each to the last of its layer, but for what is drawn as something else.
    """
    last: dict[Tensor, Tensor] = {}
    weighted: set[Tensor] = set()
    matrices = _has_matrix(members)
    for node in members:
        if node in elsewhere:
            continue
        below = [x for x in node.inputs if x in weighted]
        if _is_affine(node, weighted, parts) and not (matrices and _scales(node)):
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
    return _with_weights(last, parts.weights) if matrices else last


def _with_weights(last: dict[Tensor, Tensor], weights: set[Tensor]) -> dict[Tensor, Tensor]:
    """Leave out what has neither weights of its own nor a slice of a product, as σ in σ(s) and σ(s − 1): no layer."""
    own = {
        root
        for node, root in last.items()
        if made_by(node).kind in (Kind.product, Kind.movement) or any(x in weights for x in node.inputs)
    }
    return {node: root for node, root in last.items() if root in own}


def _is_affine(node: Tensor, weighted: set[Tensor], parts: Parts) -> bool:
    """Tell whether a node is a product with weights, or a sum of such products and biases."""
    has_weight = any(x in parts.weights for x in node.inputs)
    if made_by(node).combines == "sum":
        summands = any(x in weighted for x in node.inputs) and all(x in weighted or x.is_leaf for x in node.inputs)
        return has_weight or summands
    return made_by(node).combines == "product" and has_weight


def _scales(node: Tensor) -> bool:
    """Tell whether a node multiplies number by number, as u ⊙ h: where there are matrices too one wants to see it."""
    return made_by(node).combines == "product" and made_by(node).kind is not Kind.product


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


def _sign(node: Tensor, weights: set[Tensor]) -> str:
    """Return an operation's sign, with a constant or a weight in it: 1−, ×2, u×."""
    sign, operands = made_by(node).sign, []
    for x in node.inputs:
        own = _own_name(x, weights)
        operands.append(short(x.item()) if is_number(x) else own if len(own) <= 2 else "")
    between = f" {sign} " if sign.isalpha() else sign
    return f"{operands[0]}{between}{operands[1]}".strip() if len(operands) == 2 and any(operands) else sign


def _own_name(x: Tensor, weights: set[Tensor]) -> str:
    """Return what a weight's owner calls it: u, of cell.u."""
    return clean((x.name or "").rpartition(".")[2], 12) if x in weights else ""
