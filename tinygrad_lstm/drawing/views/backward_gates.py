"""The gradient's flow over the picture of the gates: the same boxes in the same places, the arrows led back."""

from __future__ import annotations

from math import inf, isfinite

from ...engine.backprop import Contribution
from ...engine.tensor import Tensor
from ...structure.words import magnitude
from ..scene import Arrow, Box, Scene, Text
from .describe import NOT_YET
from .gates import Gates
from .parts import Part, Parts
from .walked import Returned, norm, so_far


class OverGates(Gates):
    """Each arrow by which a gradient comes back is turned round; what no gradient reaches fades."""

    def __init__(self, parts: Parts, walked: Returned) -> None:
        super().__init__(parts, upwards=True)
        self._walked = walked
        walked.entitle(self.scene)

    def drawn(self) -> Scene:
        """Return the scene, with what each box receives and each arrow brings."""
        scene = super().drawn()
        boxes = {box.id: box for box in scene.boxes}
        parts = {part.id: part for part in self.parts.parts}
        for box in scene.boxes:
            self._receive(box, parts.get(box.id))
        for arrow in scene.arrows:
            self._turn(arrow, boxes)
        return scene

    def _stub(self, states: list[Tensor], part: Part) -> None:
        """Draw nothing: no gradient comes from where nothing leads."""

    def _receive(self, box: Box, part: Part | None) -> None:
        """Write the norm of the gradient that a box receives, and what it adds to its own weights."""
        if box.role in ("gap", "joint", "stub", "cut", "constant"):
            return
        node = (
            part.members[-1]
            if part and not part.closed
            else (part.outputs or part.members)[-1]
            if part
            else box.shows[0]
        )
        total = self._walked.complete.get(node)
        box.faded = total is None
        if total is None:
            return
        if not self._walked.is_known(node):
            box.texts, box.pending = (*box.texts, Text(NOT_YET, "pending")), True
            return
        word = "seed" if node is self.graph.output else "∂"
        box.texts = (*box.texts, Text(f"{word} {norm(total)}", "gradient"))
        box.size = total
        weighed = self._to_weights(part.members if part else [])
        for step in weighed:
            name = self.describe.symbol(step.input)
            box.texts = (*box.texts, Text(f"{name} += {norm(magnitude(step.contribution))}", "gradient"))
            box.tooltip += f"\n{self.describe.name(step.input)} += {norm(magnitude(step.contribution))}, {so_far(step)}"
        box.shows = list(dict.fromkeys([*box.shows, *(step.input for step in weighed)]))

    def _to_weights(self, members: list[Tensor]) -> list[Contribution]:
        """Return what operations add to the gradients of weights that are drawn with them."""
        known = filter(self._walked.is_known, members)
        return [step for node in known for step in self._walked.steps[node] if step.input in self.parts.weights]

    def _turn(self, arrow: Arrow, boxes: dict[str, Box]) -> None:
        """Lead an arrow back, as wide as what it brings is large."""
        if arrow.role == "cut":
            self._lead(arrow, [], "nothing flows on: detached")
            return
        uses = arrow.uses
        if not uses and boxes[arrow.head].role == "output":  # what is given out has its gradient from those who take it
            (x,) = boxes[arrow.head].shows
            uses = [(x, user) for user in self._users_outside(x)]
        known = [use for use in uses if self._walked.is_known(use[1])]
        found = [step for use in known for step in self._walked.between.get(use, ())]
        if not found:
            arrow.faded, arrow.label = True, ""
            return
        sizes = [magnitude(step.contribution) for step in found]
        words = " + ".join(map(norm, sizes[:3])) + (" …" if len(sizes) > 3 else "")
        self._lead(arrow, sizes, f"of norm {words}: {arrow.head} → {arrow.tail}")
        if boxes[arrow.tail].column != boxes[arrow.head].column:
            arrow.label = words

    def _lead(self, arrow: Arrow, sizes: list[float], tooltip: str) -> None:
        arrow.tail, arrow.head = arrow.head, arrow.tail
        arrow.role, arrow.label, arrow.tooltip = "gradient", "", tooltip
        arrow.size = max((size if isfinite(size) else inf for size in sizes), default=0.0)  # NaN is larger than nothing
