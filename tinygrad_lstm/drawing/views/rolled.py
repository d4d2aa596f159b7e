"""The loop: the same graph with time folded, so that what one step hands to the next comes back to where it left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure import words
from ...structure.words import is_number, magnitude
from ..scene import Arrow, Box, Column, Scene, Text
from .describe import NOT_YET, Describer, role
from .options import Options
from .parts import Part, Parts
from .unrolled import is_input, title

EVER = "ₜ"
"""The subscript of what is different in every step."""


def rolled(graph: Graph, options: Options) -> Scene:
    """Draw one box for all steps of a cell, the state on the loop with its delay."""
    everything = replace(options, steps="all" if options.steps is None else options.steps)
    parts = Parts(graph, everything, cells_closed=True, longest=0)
    return _Rolled(graph, parts, everything).scene


@dataclass
class _Fold:
    """What becomes one box: the same part of every step."""

    id: str
    parts: list[Part] = field(default_factory=list)

    @property
    def first(self) -> Part:
        return self.parts[0]


@dataclass
class _FoldedArrow:
    """What flows between two folds in one direction of time: the names, the delays, and when."""

    names: dict[str, None] = field(default_factory=dict)
    delays: set[int] = field(default_factory=set)
    times: set[int] = field(default_factory=set)  # of states that are used after the last step
    firsts: int = 0  # how many of its uses are by the first step only
    uses: int = 0
    thick: bool = False
    carried: list[tuple[Tensor, Tensor]] = field(default_factory=list)


class _Rolled:
    def __init__(self, graph: Graph, parts: Parts, options: Options) -> None:
        self.graph = graph
        self.parts = parts
        self.options = options
        self.describe = Describer(graph, options)
        parts.refuse_unknown_names()
        name, description = title(graph, parts)
        self.scene = Scene(
            name,
            f"{description} Time is folded.",
            columns=(Column("before"), Column("t", self._when()), Column("after")),
            downwards=options.downwards,
            upwards=not options.depth and not options.expand,
        )
        self.scene.scale = self.describe.scale
        self._of: dict[Part, _Fold] = {}
        self._flows: dict[tuple[str, str, int], _FoldedArrow] = {}
        self._leaves: dict[tuple[object, ...], Box] = {}
        for fold in self._folds():
            self._draw(fold)
        self._connect()
        if not self.scene.boxes:
            self.scene.add(self.describe.node(graph.output, graph.ids[graph.output]))

    def _when(self) -> str:
        """Return which steps are folded."""
        steps = [step for step in self.parts.steps if isinstance(step, int)]
        every = len(steps) == len(self.parts.timeline.steps)
        return "every time step" if every or not steps else f"t = {steps[0]} … {steps[-1]}"

    def _folds(self) -> list[_Fold]:
        folds: dict[object, _Fold] = {}
        taken: set[str] = set()
        for part in self.parts.parts:
            if part.kind == "gap":
                continue
            timeless = part.id.partition(".")[2] if self.parts.is_step(part.column) else part.id
            key = self.parts.timeline.fold[part.members[0]] if part.kind == "op" else (part.module, timeless)
            if key not in folds:
                while timeless in taken:
                    timeless += "′"
                taken.add(timeless)
                folds[key] = _Fold(timeless)
            folds[key].parts.append(part)
            self._of[part] = folds[key]
        return list(folds.values())

    def _draw(self, fold: _Fold) -> None:
        part = fold.first
        for each in fold.parts:
            for node in each.members:
                for slot, x in enumerate(node.inputs):
                    if x.is_leaf and not is_input(each):
                        self._from_leaf(x, node, slot, each)
                    elif not x.is_leaf and self.parts.of[x] in self._of and self.parts.of[x] is not each:
                        self._flow(self._of[self.parts.of[x]].id, fold.id, x, node)
        outputs = self._outputs(fold)
        texts = self._texts(fold, outputs)
        node = part.members[-1]
        kind = "input" if is_input(part) else role(node) if part.kind == "op" else part.kind
        place = node.scope if part.kind == "op" and not is_input(part) else ()
        box = self.describe.group(fold.id, kind, texts, [], sum(len(p.members) for p in fold.parts), self._column(part))
        box.place = place
        times = [t for p in fold.parts for m in p.members[:1] if (t := self.parts.timeline.of.get(m)) is not None]
        when = f"{len(times)} time steps, t = {min(times)} … {max(times)}" if times else "once"
        example = self.describe.tooltip(outputs[0] if outputs else node)
        box.tooltip = f"{fold.id}: {when}\nfor example {example}"
        box.shows += [node for each in fold.parts for node in each.members]
        self.scene.add(self._shaded(box, fold))

    def _column(self, part: Part) -> int:
        """Before, in every step, or after."""
        return {"before": 0, "after": 2}.get(self.parts.columns[part.column].id, 1)

    def _outputs(self, fold: _Fold) -> list[Tensor]:
        return [x for part in fold.parts for x in part.outputs]

    def _texts(self, fold: _Fold, outputs: list[Tensor]) -> tuple[Text, ...]:
        part = fold.first
        node = part.members[-1]
        often = len(fold.parts) > 1 or self.parts.is_step(part.column)
        if part.closed:
            texts = list(part.texts)
        elif is_input(part):
            texts = [Text(self._name(node, often), "symbol")]
        else:
            assert node.primitive is not None
            symbol = words.clean(node.primitive.symbol)
            texts = [Text(symbol, "sign" if len(symbol) <= 2 else "symbol")]
            if node.name:
                texts.append(Text(self._name(node, often)))
        if self.options.shapes and not part.closed:
            texts.append(Text(words.shape(self.graph.values[node]), "detail"))
        if self.options.values:
            values = [self.graph.values[x] for x in outputs]
            alone = len(values) == 1 and values[0].size == 1
            shown = words.numbers(values[0]) if alone else _range([magnitude(value) for value in values])
            texts.append(Text(shown, "value"))
        wanted = [x for x in outputs or [node] if x.requires_grad]
        if self.options.gradients is not None and wanted:
            found = [magnitude(g) for x in wanted if (g := self.options.gradients.get(x)) is not None]
            if found:
                texts.append(Text(f"∂ {_range(found)}", "gradient"))
            if len(found) < len(wanted):
                some = f"{len(wanted) - len(found)} of {len(wanted)} "
                texts.append(Text(NOT_YET.replace("∂ ", f"∂ {some}") if found else NOT_YET, "pending"))
        return tuple(texts)

    def _shaded(self, box: Box, fold: _Fold) -> Box:
        members = [node for part in fold.parts for node in part.members]
        path = self.options.highlight
        box.faded = path is not None and not any(node in path for node in members)
        if self.describe.scale is not None:
            assert self.options.gradients is not None
            found = [magnitude(g) for x in self._outputs(fold) if (g := self.options.gradients.get(x)) is not None]
            box.shade = self.describe.scale.shade(max(found, default=0.0))
        return box

    def _from_leaf(self, x: Tensor, node: Tensor, slot: int, part: Part) -> None:
        first, weight = self.parts.initial.get((node, slot), 0), x in self.parts.weights
        if part.closed and not first and (weight or is_number(x)):
            return
        place = () if part.closed or first else node.scope
        # a weight is the same in every step; an input is another one, but in the same place
        key = (x if weight or first else self.parts.timeline.fold[node], 0 if weight or first else slot, place)
        if key not in self._leaves:
            often = not weight and not first and self.parts.is_step(part.column) and x.name is not None
            box = self.describe.node(x, f"{self.graph.ids[x]}@{self._of[part].id}", self._column(part) - first, place)
            if often:
                box.texts = (Text(self._name(x, True), "symbol"), *box.texts[1:])
            self.scene.add(box)
            self._leaves[key] = box
        self._leaves[key].shows.append(x)
        self._flow(self._leaves[key].id, self._of[part].id, x, node).firsts += bool(first)

    def _flow(self, tail: str, head: str, x: Tensor, node: Tensor) -> _FoldedArrow:
        of = self.parts.timeline.of
        delay = of[node] - of[x] if x in of and node in of else 0
        flow = self._flows.setdefault((tail, head, int(np.sign(delay))), _FoldedArrow())
        flow.delays.add(delay)
        flow.uses += 1
        flow.carried.append((x, node))
        if not x.is_leaf:
            flow.names[words.clean(x.name or "")] = None
            if x in of and node not in of:
                flow.times.add(of[x])
        path = self.options.highlight
        flow.thick |= path is not None and x in path and node in path
        return flow

    def _connect(self) -> None:
        boxes = {box.id: box for box in self.scene.boxes}
        for (tail, head, direction), flow in self._flows.items():
            names = ", ".join(name for name in flow.names if name)
            kind, label = "data", ""
            if direction:
                kind = "state" if direction > 0 else "back"
                delays = ", ".join(f"{delay}" if delay > 0 else f"−{-delay}" for delay in sorted(flow.delays, key=abs))
                label = f"{names} · delay {delays}"
                label = label.removeprefix(" · ")
            elif flow.firsts:
                only = flow.firsts == flow.uses
                kind, label = ("first", "first step") if only else ("data", "")
            elif flow.times:
                every = len(flow.times) > 1 and len(flow.times) == len(self.parts.timeline.steps)
                times = sorted(flow.times)
                when = "every t" if every else f"t = {times[0]}" + (f" … {times[-1]}" if len(times) > 1 else "")
                label = f"{names}, {when}".removeprefix(", ")
            if kind == "data" and boxes[tail].role == "parameter":
                kind = "weight"
            faded = self.options.highlight is not None and not flow.thick
            tooltip = f"{tail} → {head}"
            arrow = Arrow(tail, head, kind, label, tooltip, faded=faded, thick=flow.thick, uses=flow.carried)
            self.scene.arrows.append(arrow)

    def _name(self, node: Tensor, often: bool) -> str:
        return words.clean(node.name or "data") + (EVER if often else "")


def _range(magnitudes: list[float]) -> str:
    """Sum up the norms of many tensors."""
    if not magnitudes:
        return "none"
    low, high = np.min(magnitudes), np.max(magnitudes)
    return f"‖{low:.3g}‖" if low == high else f"‖{low:.3g}‖ … ‖{high:.3g}‖"
