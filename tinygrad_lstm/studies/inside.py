"""Trained networks from the inside: what is left of small changes, what saturates, which inputs each loss feels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.figures.registry import FIGURES
from ..engine.graph import Graph
from ..engine.ops import log_softmax
from ..engine.scope import time_step
from ..engine.tensor import Tensor, tensor
from ..nn.cell import state_parts
from .contest import CONTENDERS
from .study import Result, Section, rounded
from .tasks import SYMBOLS, temporal_order
from .trial import Reader, train_side_by_side
from .watched import of_one_length, right

HIDDEN, SEQUENCES = 16, 200
"""H, and over how many sequences it is counted how often a network is right."""

SHOWN = ("jacobian", "saturation", "influence")
"""The figures, in the order of the page."""

ABOUT = {
    "jacobian": (
        "Small changes",
        "Each map is the Jacobian of the last state by an earlier one, for all pairs of units: what becomes of a small "
        "change. It is on its own scale, which stands below it. Stripes mean that few directions are left: then the "
        "largest singular value is far above the smallest.",
    ),
    "saturation": (
        "Saturation",
        "Units by time. A tanh at its end hardly passes a gradient on; a gate at its end keeps, or shuts out, all.",
    ),
    "influence": (
        "Influence",
        "Row t is the loss if the answer were asked for at step t already, column s the symbol of step s: the norm "
        "of ∂loss_t/∂x_s. Compare within a row: how dark it is as a whole depends on how sure the answer is by then, "
        "since the gradient of a loss near 0 is small.",
    ),
}
"""What each is called on the page, and what one sees there."""


def trained(cell: str, gap: int, updates: int, rate: float) -> dict[str, Any]:
    """Return the weights of a network that has learned temporal order, with four digits, and how often it is right.

    >>> found = trained("RNN", 10, updates=1, rate=0.003)
    >>> sorted(found), len(found["weights"]["head.bias"])
    (['right', 'solved', 'weights'], 4)
    """
    task = temporal_order(gap)
    model = _made(cell)
    done = train_side_by_side(task, [model], seeds=[0], rates=[rate], budget=16 * updates, batch=16)
    (model,) = done.models
    weights = {
        path: np.reshape(rounded(parameter.value.ravel(), 4), parameter.shape).tolist()
        for path, parameter in model.named_parameters()
    }
    return {
        "weights": weights,
        "solved": done.sequences[0],
        "right": round(right(model, of_one_length(task, SEQUENCES, seed=0)), 3),
    }


def _made(cell: str) -> Reader:
    return Reader(CONTENDERS[cell](len(SYMBOLS), HIDDEN, 0), 4, rng=0)


def loss_at_every_step(result: Result) -> Tensor:
    """Return what a network of the results makes of one sequence: the sum of its losses, if it were asked at each step.

    The inputs are named by their symbols.
    """
    model = _made(result.row["cell"])
    model.load_state_dict({path: np.array(weight) for path, weight in result.values["weights"].items()})
    drawn = of_one_length(temporal_order(result.row["gap"]), 1, seed=0)
    state: Any = None
    total: Tensor | None = None
    for t, x in enumerate(drawn.inputs[:, 0]):
        with time_step(t):
            state = model.cell(tensor(x, name=SYMBOLS[int(x.argmax())]), state)
            answer = log_softmax(model.head(state_parts(model.cell, state)[0]))
            loss = -(answer * tensor(drawn.targets[-1, 0], name="target")).sum()
            total = loss if total is None else total + loss
    assert total is not None
    total.name = "L"
    return total


def sections(results: list[Result]) -> list[Section]:
    """Return a section for each figure of each network; what it tells of all stands in that of the first."""
    graphs = [Graph(loss_at_every_step(each)) for each in results]
    found = []
    for name in SHOWN:
        title, about = ABOUT[name]
        for number, (each, graph) in enumerate(zip(results, graphs, strict=True)):
            figure = FIGURES[name].figure(graph)
            after = f"{'solved' if each.values['solved'] else 'failed'}, right {each.values['right']:.0%} of the time"
            prose = f"{each.row['cell']}, trained over a gap of {each.row['gap']}: {after}."
            whole = f"{about}\n\n{prose}" if not number else prose
            found.append(Section(f"{title}: {each.row['cell']}", whole, figure.piece))
    return found
