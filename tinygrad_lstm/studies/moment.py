"""The moment in a backward pass at which next to nothing is left of the gradient: where one should look."""

from __future__ import annotations

import numpy as np

from ..engine.backprop import gradients
from ..engine.ops import log_softmax
from ..engine.scope import time_step
from ..engine.tensor import Tensor, tensor
from ..nn import Linear, RNNCell
from ..stepper import Stepper, step
from ..stepper.web.page import page
from ..structure.words import magnitude
from .tasks import TASKS

LITTLE = 0.01
"""The share of the gradient that reached the last state below which it is called dead; chosen: one sees it fade."""

GAP, HIDDEN = 20, 4
"""Steps and hidden units of the network that is walked through; chosen: the page is small, and the gradient dies."""


def walk(task: str) -> str:
    """Return the live walk of a task's backward pass, through an RNN as it begins, opened where the gradient dies.

    >>> walk("adding").splitlines()[0]
    '<!doctype html>'
    """
    return page(dying(task))


def dying(task: str) -> Stepper:
    """Return the walk back from the loss of one sequence of a task, at the first step where little is left.

    That is the first at which the norm of ∂L/∂h_t, complete, is below a hundredth of what it is at the last step.

    >>> dying("adding").current.time < 19
    True
    """
    loss, hidden = _loss(task)
    complete = gradients(loss)
    norms = [magnitude(complete[h]) for h in hidden]
    little = [t for t, norm in enumerate(norms) if norm < LITTLE * norms[-1]]
    stepper = step(loss)
    if little:
        target = hidden[max(little)]
        stepper.goto(max(number for number, event in enumerate(stepper.events) if event.target is target))
    return stepper


def _loss(task: str) -> tuple[Tensor, list[Tensor]]:
    """Return the loss of one sequence and h at each step, (H)."""
    learned = TASKS[task](GAP)
    drawn = learned.draw(np.random.default_rng(0), 1)
    end = int(np.flatnonzero(drawn.asked[:, 0])[-1])
    cell = RNNCell(learned.inputs, HIDDEN, rng=0)
    head = Linear(HIDDEN, learned.outputs, rng=1)
    h = cell.zero_state(tensor(drawn.inputs[0, 0]))
    hidden = []
    for t in range(end + 1):
        with time_step(t):
            h = cell(tensor(drawn.inputs[t, 0], name="x"), h)
        hidden.append(h)
    answer, wanted = head(h), tensor(drawn.targets[end, 0], name="target")
    loss = -(log_softmax(answer) * wanted).sum() if learned.counts == "right" else ((answer - wanted) ** 2).sum()
    loss.name = "L"
    return loss, hidden
