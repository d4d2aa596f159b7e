"""What a backward walk brought: the numbers that the pictures of the gradient's flow show."""

from __future__ import annotations

from collections import defaultdict

from ...engine.backprop import Contribution, backprop
from ...engine.tensor import Tensor
from ...structure.words import magnitude, short
from ..scene import Scene
from .options import Gradients


class Returned:
    """The contributions of a walk, and the norms of the gradients they add up to.

    ``known`` has the gradients of a walk that is shown half way; None if all of it is shown.
    """

    def __init__(self, output: Tensor, known: Gradients | None) -> None:
        steps = list(backprop(output))
        self._known = known
        self.complete = {output: magnitude(steps[0].upstream) if steps else 1.0}
        self.complete.update((step.input, magnitude(step.after)) for step in steps if step.arrived == step.expected)
        self.sent: dict[Tensor, list[Contribution]] = defaultdict(list)  # by what receives them
        self.steps: dict[Tensor, list[Contribution]] = defaultdict(list)  # by what sends them
        self.between: dict[tuple[Tensor, Tensor], list[Contribution]] = defaultdict(list)  # by input, and what sends
        for step in steps:
            self.sent[step.input].append(step)
            self.steps[step.node].append(step)
            self.between[step.input, step.node].append(step)

    def is_known(self, node: Tensor) -> bool:
        """Tell whether a walk that is shown half way has completed a node's gradient."""
        return self._known is None or self._known.get(node) is not None

    def entitle(self, scene: Scene) -> None:
        """Say of a picture that it shows the way back."""
        scene.title = scene.title.replace("was computed", "sends its gradient back")
        scene.description += " Arrows lead from the output to the inputs, against the computation; numbers are norms."


def norm(size: float) -> str:
    """Return a norm as pictures write it."""
    return f"‖{short(size)}‖"


def so_far(step: Contribution) -> str:
    """Return how many contributions have arrived with this one, and the norm of their sum; nothing of a single one."""
    if step.expected == 1:
        return ""
    count = f"all {step.expected}" if step.arrived == step.expected else f"{step.arrived} of {step.expected}"
    return f"{count}: {norm(magnitude(step.after))}"
