"""Multiple copies of the same network: T weights get T gradients, and the shared weight gets their sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing import draw
from ..engine.backprop import grad
from ..engine.tensor import tensor
from ..nn import Linear, RNNCell
from ..pages.heat import Grid, heat_map
from ..pages.offline import inline
from ..structure.words import magnitude, short
from .copies import Chain, copies
from .moment import ADDED
from .study import Result, Section, Study, Table, rounded
from .tasks import temporal_order
from .watched import of_one_length

HIDDEN = 4
"""H; chosen: a gradient is seen number by number."""


def run(gap: int) -> dict[str, Any]:
    """Return the gradient of each copy's weight, (T, H + D, H), that of the shared one, and what = would leave of it.

    ``difference`` is the largest difference between the sum and the shared weight's gradient; ``overwritten`` the
    cosine between that and the gradient of the copy that the walk meets last, the first in time, which is all that
    would be left if each contribution took the place of the one before instead of being added.

    >>> run(10)["difference"]
    0.0
    """
    task = temporal_order(gap)
    drawn = of_one_length(task, 1, seed=0)
    cell, head = RNNCell(task.inputs, HIDDEN, rng=0), Linear(HIDDEN, task.outputs, rng=1)
    times, classes = len(drawn.inputs), drawn.targets[-1].argmax(-1)
    tied, untied = Chain([cell] * times, head), Chain(copies(cell, times), head)
    (shared,) = (each.value for each in grad(tied.loss(drawn.inputs, classes), [cell.layer.weight]) if each is not None)
    weights = [parameter for path, parameter in untied.named_parameters() if path.endswith("layer.weight")]
    own = [each.value for each in grad(untied.loss(drawn.inputs, classes), weights) if each is not None]
    total = own[-1]
    for each in own[-2::-1]:  # the last step first, as the walk meets them
        total = total + each
    norms = magnitude(shared) * magnitude(own[0])
    return {
        "own": [[rounded(row, 4) for row in each] for each in own],
        "shared": [rounded(row, 4) for row in shared],
        "difference": float(np.abs(total - shared).max()),
        "overwritten": round(float((shared * own[0]).sum() / norms), 4) if norms else 0.0,
    }


def report(results: list[Result]) -> list[Section]:
    """Return the sections: the two networks, and the gradients whose sum is one."""
    if not results:
        return []
    values = results[0].values
    own, shared = np.array(values["own"]), np.array(values["shared"])
    norms = [magnitude(each) for each in own]
    names = [f"h{n}" for n in range(HIDDEN)] + ["E", "B", *"abcdXY"]
    figure = heat_map(
        [
            *(Grid(f"t = {t}", each, names) for t, each in enumerate(own)),
            Grid("their sum", own.sum(axis=0), names),
            Grid("shared", shared, names),
        ],
        title="∂L/∂W of each copy, their sum, and ∂L/∂W of the one they share",
        across="unit of h",
        upwards="what the weight is met by",
        label="Gradients of the weights of all copies, which add up to the gradient of the shared weight",
        size=(720, 520),
        per_row=7,
        standalone=False,
    )
    rows = [[f"t = {t}", short(norm), f"{norm / sum(norms):.1%}"] for t, norm in enumerate(norms)]
    prose = (
        "Each grid is the gradient of one copy's weight: a row for each entry of [h, x], a column for each unit. Of x "
        "only the symbol that was read has any, and of the earlier copies next to nothing is left: here one sees the "
        "gradient vanish, weight by weight. Added up they are the gradient of the weight that an RNN uses T times, to "
        f"the last bit (largest difference {short(values['difference'])}).\n\n"
        "That is why a gradient is added to, ∂L/∂W += …, and not set: each use of W is a copy with a gradient of its "
        "own. If each took the place of the one before, only the first step's would be left, the last that the walk "
        f"comes to: its norm is {norms[0] / magnitude(shared):.1%} of the true one, and its cosine "
        f"with it {values['overwritten']:g}."
        "\n\nIf the copies learned by their own gradients, they would be one network no longer, and a sequence one "
        "step longer would have no weights."
    )
    return [
        Section(
            "One network, or copies of it",
            "Both pictures are drawn from the graphs that ran, three steps long, and show the gradient on its way "
            "back, from right to left. Above, the three cylinders are one weight: each use adds to its gradient, and "
            "below the name stands the sum so far, 1 of 3, 2 of 3, all 3. In the other picture each step has a weight "
            "of its own, which gets what that step adds, and nothing more. The arrows bear the same numbers.",
            _two_networks(),
        ),
        Section("T gradients and their sum", prose, figure, Table(["copy", "‖∂L/∂W‖", "share"], rows, "lrr")),
    ]


def _two_networks() -> str:
    """Return the pictures of an RNN and of its copies, one above the other."""
    cell, head = RNNCell(2, 2, bias=False, rng=0), Linear(2, 1, bias=False, rng=1)
    xs = [tensor(x, name="x") for x in np.ones((3, 1, 2))]
    pictures = []
    for model in (Chain([cell] * 3, head), Chain(copies(cell, 3), head)):
        pictures.append(inline(draw(model(xs).sum(), "backward").svg))
    return "".join(pictures)


STUDY = Study(
    name="untied",
    title="Multiple copies of the same network",
    question="A recurrent network is multiple copies of the same network: what if each had weights of its own? What "
    "has the gradient of each copy to do with that of the shared weight, and why is it added up?",
    rows=lambda: [{"gap": 10}],
    run=run,
    report=report,
    walk=ADDED,
)
