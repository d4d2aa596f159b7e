"""The gradient's flow over all operations: only where a gradient arrives, a circle wherever contributions add up."""

from __future__ import annotations

from math import inf, isfinite
from operator import attrgetter

from ...engine.backprop import Contribution
from ...engine.tensor import Tensor
from ...structure.words import magnitude
from ..scene import Arrow, Box, Text
from .describe import NOT_YET
from .parts import Part, Parts
from .unrolled import UnrolledScene
from .walked import Returned, norm, so_far


class OverOperations(UnrolledScene):
    """Boxes as in the forward picture, but only where a gradient arrives."""

    def __init__(self, parts: Parts, walked: Returned) -> None:
        super().__init__(parts)
        self._walked = walked
        self.meetings = self._find_meetings()
        self.cut: set[tuple[Tensor, Tensor]] = set()  # uses of what no gradient comes to that were looked through
        walked.entitle(self.scene)

    def _alone(self) -> Box:
        """Return the box of a leaf from which nothing was computed: what it is given is all its gradient."""
        node, box = self.graph.output, super()._alone()
        box.texts = (*box.texts, Text(f"seed {norm(self._walked.complete[node])}", "gradient"))
        box.size = self._walked.complete[node]
        return box

    def _draw(self, part: Part) -> None:
        """Draw the part, what it sends to its inputs, and before it the circle where what it receives adds up."""
        received = [node for node in part.members if node in self._walked.complete]
        if not received:
            return
        box = self._box(part)
        if part.kind != "gap":
            self._add_gradient(box, part, received)
        self.scene.add(box)
        for node in part.members:
            self._meeting(node, part)
        for node in filter(self._walked.is_known, part.members):
            for step in sorted(self._walked.steps[node], key=attrgetter("slot")):
                if step.input.is_leaf:
                    self._to_leaf(step, part)
                elif self.parts.of[step.input] is not part:
                    self._to_part(step, part)
            self._to_cuts(node, part)

    def _add_gradient(self, box: Box, part: Part, received: list[Tensor]) -> None:
        """Write the norm of the gradient that a part received; of many, the largest."""
        if not any(self._walked.is_known(node) for node in received):
            box.texts, box.pending = (*box.texts, Text(NOT_YET, "pending")), True
            return
        total = max(self._walked.complete[node] for node in received)
        word = "seed" if part.members[-1] is self.graph.output else "∂"
        box.texts = (*box.texts, Text(f"{word} {norm(total)}", "gradient"))
        box.size = total

    def _meeting(self, node: Tensor, part: Part) -> None:
        """Add a circle where several contributions to an operation's result add up."""
        if node not in self.meetings:
            return
        texts = (Text("+", "sign"), Text(f"{len(self._walked.sent[node])} meet", "detail"))
        tooltip = f"{len(self._walked.sent[node])} contributions to {self.describe.name(node)} add up here"
        circle = Box(self._circle(node), "meeting", texts, part.column, part.place, tooltip=tooltip, shows=[node])
        self.scene.add(circle)
        arrow = self._flow(circle.id, part.id, self._walked.complete[node], node, node)
        arrow.tooltip = f"{self.describe.name(node)}: the sum"

    def _circle(self, node: Tensor) -> str:
        return f"{self.graph.ids[node]}+"

    def _find_meetings(self) -> set[Tensor]:
        """Find operations to whose results several contributions come, not all of them from within one closed box."""
        of = self.parts.of
        return {
            x
            for x, steps in self._walked.sent.items()
            if len(steps) > 1 and not x.is_leaf and of[x].kind != "gap" and {of[step.node] for step in steps} != {of[x]}
        }

    def _to_leaf(self, step: Contribution, part: Part) -> None:
        """Add a copy of the leaf beside what it was used by, with what this use adds to its gradient."""
        if part.kind == "gap":
            return
        side = self.parts.initial.get((step.node, step.slot), 0)
        id = f"{self.graph.ids[step.input]}@{self.graph.ids[step.node]}.{step.slot}"
        box = self.describe.node(step.input, id, part.column - side, () if side else part.place)
        size = magnitude(step.contribution)
        box.texts = (*box.texts, Text(f"+= {norm(size)}", "gradient"))
        if total := so_far(step):
            box.texts = (*box.texts, Text(total, "gradient"))
        box.size = size
        self.scene.add(box)
        self._flow(part.id, box.id, size, step.node, step.input)

    def _to_cuts(self, node: Tensor, part: Part) -> None:
        """Add a pair of scissors where a gradient would flow on if what it comes to had not been detached."""
        behind = [] if part.kind == "gap" else [node]
        while behind:
            user = behind.pop()
            for slot, x in enumerate(user.inputs):
                if x.requires_grad or (x, user) in self.cut:
                    continue
                self.cut.add((x, user))
                behind.append(x)
                if x.detached:
                    side = self.parts.initial.get((user, slot), 0)
                    column = part.column - side if user.time == node.time else self.parts.of[user].column
                    id = f"{self.graph.ids[x]}@{self.graph.ids[user]}.{slot}"
                    box = self.describe.node(x, id, column, part.place if column == part.column else ())
                    self.scene.add(box)
                    arrow = Arrow(part.id, box.id, "gradient", "", "nothing flows on: detached", size=0.0)
                    arrow.uses.append((x, user))
                    self.scene.arrows.append(arrow)

    def _to_part(self, step: Contribution, part: Part) -> None:
        target = self.parts.of[step.input]
        head = self._circle(step.input) if step.input in self.meetings else target.id
        tail = part.id
        if abs(target.column - part.column) > 1:
            if target.kind == "gap" or part.kind == "gap":
                return
            when = self.parts.columns[part.column]
            text = "from the end" if when.id == "after" else f"from {when.title or 'before'}"
            texts = (Text(self.describe.name(step.node)), Text(text, "detail"))
            id = f"{part.id}@{head}.{step.slot}"
            echo = Box(id, "echo", texts, target.column, target.place, shows=[step.node])
            echo.tooltip = f"the gradient of {part.id}"
            tail = self.scene.add(echo)
        self._flow(tail, head, magnitude(step.contribution), step.node, step.input)

    def _flow(self, tail: str, head: str, size: float, node: Tensor, x: Tensor) -> Arrow:
        """Add an arrow for a contribution; between two boxes, one for all of them."""
        largest = size if isfinite(size) else inf  # NaN is larger than nothing
        arrow = self._bundles.get((tail, head))
        if arrow is None:
            arrow = self._bundles[tail, head] = Arrow(tail, head, "gradient", norm(size), size=largest)
            self.scene.arrows.append(arrow)
        elif arrow.label.count("+") < 2:
            arrow.label += f" + {norm(size)}"
        else:
            arrow.label = f"{arrow.label.removesuffix(' …')} …"
        arrow.size = max(arrow.size or 0.0, largest)
        arrow.tooltip = f"of norm {arrow.label}: {tail} → {head}"
        arrow.uses.append((x, node))
        return arrow
