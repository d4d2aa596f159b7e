"""The gradient's own flow: every contribution of the backward walk, against the arrows of the computation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from ...engine.backprop import Contribution, backprop
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure.words import magnitude, short
from ..scale import Scale
from ..scene import Arrow, Box, Scene, Text
from .describe import NOT_YET, Describer
from .options import Options
from .parts import Part, Parts
from .unrolled import LONG_OPS, title


def backward(graph: Graph, options: Options) -> Scene:
    """Draw which contributions flow where, how large they are, where they meet and add up."""
    walk = list(backprop(graph.output))
    complete = {graph.output: magnitude(walk[0].upstream) if walk else 1.0}
    complete.update((step.input, magnitude(step.after)) for step in walk if step.arrived == step.expected)
    parts = Parts(graph, options, cells_closed=False, longest=LONG_OPS)
    return _Backward(graph, parts, options, walk, complete).scene


class _Backward:
    """Boxes as in the forward picture, but only where a gradient arrives; a circle wherever contributions add up."""

    def __init__(
        self, graph: Graph, parts: Parts, options: Options, walk: list[Contribution], complete: dict[Tensor, float]
    ) -> None:
        self.graph = graph
        self.parts = parts
        self.options = options
        self.walk = walk
        self.complete = complete
        self.describe = Describer(graph, replace(options, gradients=None, colored=False))
        self.scale = Scale([*complete.values(), *(magnitude(step.contribution) for step in walk)])
        parts.refuse_unknown_names()
        name, description = title(graph, parts)
        self.scene = Scene(
            name.replace("was computed", "sends its gradient back"),
            f"{description} Arrows lead from the output to the inputs, against the computation; numbers are norms.",
            columns=parts.columns,
            downwards=options.downwards,
            scale=self.scale if options.colored else None,
        )
        self.steps: dict[tuple[Tensor, int], Contribution] = {(step.node, step.slot): step for step in walk}
        self.sent: dict[Tensor, list[Contribution]] = defaultdict(list)
        for step in walk:
            self.sent[step.input].append(step)
        self.meetings = self._find_meetings()
        self._drawn: dict[tuple[str, str], Arrow] = {}
        for part in parts.parts:
            self._draw(part)
        if not self.scene.boxes:
            self.scene.add(self._alone())

    def _alone(self) -> Box:
        """Draw a leaf from which nothing was computed: what it is given is all its gradient."""
        node = self.graph.output
        box = self.describe.node(node, self.graph.ids[node])
        box.texts = (*box.texts, Text(f"seed {_norm(self.complete[node])}", "gradient"))
        return self._shaded(box, self.complete[node])

    def _draw(self, part: Part) -> None:
        """Draw the part, what it sends to its inputs, and before it the circle where what it receives adds up."""
        received = [node for node in part.members if node in self.complete]
        if not received:
            return
        if part.kind == "gap":
            self.scene.add(Box(part.id, "gap", (Text(part.title, "symbol"),), part.column, tooltip=part.title))
        else:
            self.scene.add(self._box(part, received))
        for node in part.members:
            self._meeting(node, part)
        for node in part.members:
            for slot, x in enumerate(node.inputs):
                step = self.steps.get((node, slot))
                if step is None or not self._is_known(node):
                    continue
                if x.is_leaf:
                    self._to_leaf(step, part)
                elif self.parts.of[x] is not part:
                    self._to_part(step, part)

    def _box(self, part: Part, received: list[Tensor]) -> Box:
        if part.kind == "op":
            box = self.describe.node(part.members[0], part.id, part.column, part.members[0].scope)
            total = self.complete[part.members[0]]
        else:
            box = self.describe.group(part.id, part.kind, part.texts, [], len(part.members), part.column)
            total = max(self.complete[node] for node in received)
        word = "seed" if part.members[-1] is self.graph.output else "∂"
        if not any(self._is_known(node) for node in received):
            box.texts, box.pending = (*box.texts, Text(NOT_YET, "pending")), True
            return box
        box.texts = (*box.texts, Text(f"{word} {_norm(total)}", "gradient"))
        return self._shaded(box, total)

    def _is_known(self, node: Tensor) -> bool:
        """Tell whether a walk that is shown half way has completed a node's gradient."""
        return self.options.gradients is None or self.options.gradients.get(node) is not None

    def _meeting(self, node: Tensor, part: Part) -> None:
        """Add a circle where several contributions to an operation's result add up."""
        if node not in self.meetings:
            return
        texts = (Text("+", "sign"), Text(f"{len(self.sent[node])} meet", "detail"))
        id = f"{self.graph.ids[node]}+"
        tooltip = f"{len(self.sent[node])} contributions to {self.describe.name(node)} add up here"
        place = node.scope if part.kind == "op" else ()
        self.scene.add(Box(id, "meeting", texts, part.column, place, tooltip=tooltip))
        self._arrow(id, part.id, self.complete[node], f"{self.describe.name(node)}: the sum", node, node)

    def _find_meetings(self) -> set[Tensor]:
        """Find operations to whose results several contributions come, not all of them from within one closed box."""
        found = set()
        for x, steps in self.sent.items():
            if len(steps) > 1 and not x.is_leaf and self.parts.of[x].kind != "gap":
                sources = {self.parts.of[step.node] for step in steps}
                if sources != {self.parts.of[x]}:
                    found.add(x)
        return found

    def _to_leaf(self, step: Contribution, part: Part) -> None:
        """Add a copy of the leaf beside what it was used by, with what this use adds to its gradient."""
        if part.kind == "gap":
            return
        side = self.parts.initial.get((step.node, step.slot), 0)
        place = () if side or part.kind != "op" else step.node.scope
        id = f"{self.graph.ids[step.input]}@{self.graph.ids[step.node]}.{step.slot}"
        box = self.describe.node(step.input, id, part.column - side, place)
        now = _norm(magnitude(step.after))
        sums = [Text(f"{step.arrived} of {step.expected}: {now}", "gradient")] if step.expected > 1 else []
        if step.arrived == step.expected > 1:
            sums = [Text(f"all {step.expected}: {now}", "gradient")]
        box.texts = (*box.texts, Text(f"+= {_norm(magnitude(step.contribution))}", "gradient"), *sums)
        id = self.scene.add(self._shaded(box, magnitude(step.contribution)))
        self._arrow(part.id, id, magnitude(step.contribution), "", step.node, step.input)

    def _to_part(self, step: Contribution, part: Part) -> None:
        target = self.parts.of[step.input]
        head = f"{self.graph.ids[step.input]}+" if step.input in self.meetings else target.id
        tail = part.id
        if abs(target.column - part.column) > 1:
            if target.kind == "gap" or part.kind == "gap":
                return
            tail = f"{part.id}@{head}.{step.slot}"
            when = self.parts.columns[part.column]
            text = "from the end" if when.id == "after" else f"from {when.title or 'before'}"
            name = Text(self.describe.name(step.node))
            place = step.input.scope if target.kind == "op" else ()
            tooltip = f"the gradient of {part.id}"
            tail = self.scene.add(
                Box(tail, "echo", (name, Text(text, "detail")), target.column, place, tooltip=tooltip)
            )
        self._arrow(tail, head, magnitude(step.contribution), "", step.node, step.input)

    def _arrow(self, tail: str, head: str, size: float, tooltip: str, node: Tensor, x: Tensor) -> None:
        path = self.options.highlight
        on_path = path is not None and node in path and x in path
        shade = self.scale.shade(size)
        arrow = self._drawn.get((tail, head))
        if arrow is None:
            arrow = Arrow(tail, head, "gradient", _norm(size), shade=shade, faded=path is not None, thick=False)
            self._drawn[tail, head] = arrow
            self.scene.arrows.append(arrow)
        elif arrow.label.count("+") < 2:
            arrow.label += f" + {_norm(size)}"
        else:
            arrow.label = f"{arrow.label.removesuffix(' …')} …"
        arrow.shade = max(arrow.shade or 0, shade) if arrow.shade != -1 else shade
        arrow.faded, arrow.thick = arrow.faded and not on_path, arrow.thick or on_path
        arrow.tooltip = tooltip or f"of norm {arrow.label}: {tail} → {head}"

    def _shaded(self, box: Box, total: float) -> Box:
        if self.options.colored:
            box.shade = self.scale.shade(total)
        return box


def _norm(size: float) -> str:
    return f"‖{short(size)}‖"
