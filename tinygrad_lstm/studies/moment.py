"""The moments of a backward pass that tell most, one for each study: pages of the live walk that open there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..engine.backprop import gradients
from ..engine.ops import log_softmax
from ..engine.primitive import Array
from ..engine.scope import time_step
from ..engine.tensor import Tensor, tensor
from ..nn import Linear, LSTMCell, RNNCell, binary_cross_entropy_with_logits
from ..nn.cell import Cell, state_parts
from ..stepper import Stepper, step
from ..stepper.web.page import page
from ..structure.words import magnitude
from .hand_set import by_hand_head, by_hand_rnn
from .rolls import KEYS, LOWEST
from .study import Walk
from .tasks import SYMBOLS, TASKS

LITTLE = 0.01
"""The share of the gradient that reached the last state below which it is called dead; chosen: one sees it fade."""

GAP, HIDDEN = 20, 4
"""Steps and hidden units of the network that is walked through; chosen: the page is small, and the gradient dies."""

SHORT = 10
"""The gap of an LSTM's walk, which has four times as many events for each step."""

CADENCE = ((48, 64, 67, 72), (53, 65, 69, 72), (55, 62, 67, 71), (45, 64, 69, 72))
"""Four chords of four voices as MIDI numbers, C F G a, which are gone through again and again."""


class Reading(NamedTuple):
    """A network that read one sequence: its loss, and its states at each step, by their names."""

    loss: Tensor
    states: list[dict[str, Tensor]]


def reading(cell: Cell[Any], head: Linear, inputs: Array, loss: Callable[[Tensor], Tensor]) -> Reading:
    """Return what a network makes of a sequence, (T, D), whose loss is of its answer at the end."""
    state: Any = cell.zero_state(tensor(inputs[0]))
    states = []
    for t, x in enumerate(inputs):
        with time_step(t):
            state = cell(tensor(x, name="x"), state)
        states.append(dict(zip(cell.state_names, state_parts(cell, state), strict=True)))
    found = loss(head(states[-1]["h"]))
    found.name = "L"
    return Reading(found, states)


def of_task(task: str, gap: int = GAP, cell: Cell[Any] | None = None, head: Linear | None = None) -> Reading:
    """Return what a network makes of one sequence of a task, up to where what it had to keep is asked for.

    Of an RNN as it begins, unless another cell is given; in Reber's grammar, that is the last step but one.
    """
    learned = TASKS[task](gap)
    drawn = learned.draw(np.random.default_rng(0), 1)
    end = int(np.flatnonzero(drawn.asked[:, 0])[-2 if task == "reber" else -1])
    wanted = tensor(drawn.targets[end, 0], name="target")

    def loss(answer: Tensor) -> Tensor:
        errors = -log_softmax(answer) * wanted if learned.counts == "right" else (answer - wanted) ** 2
        total: Tensor = errors.sum()
        return total

    cell = RNNCell(learned.inputs, HIDDEN, rng=0) if cell is None else cell
    return reading(cell, head or Linear(HIDDEN, learned.outputs, rng=1), drawn.inputs[: end + 1, 0], loss)


def of_chords() -> Reading:
    """Return what an RNN as it begins makes of a cadence, over and over: the loss is that of the last chord."""
    roll = np.zeros((3 * len(CADENCE), KEYS))
    for t, chord in enumerate(CADENCE * 3):
        roll[t, np.array(chord) - LOWEST] = 1
    wanted = tensor(roll[-1], name="target")
    loss = partial(binary_cross_entropy_with_logits, targets=wanted, reduction="sum")
    return reading(RNNCell(KEYS, HIDDEN, rng=0), Linear(HIDDEN, KEYS, rng=1), roll[:-1], loss)


def dying(read: Reading) -> Stepper:
    """Return the walk back from a loss, at the first step where little is left.

    That is the first at which the norm of ∂L/∂h_t, complete, is below a hundredth of what it is at the last step.

    >>> dying(of_task("adding")).current.time < 19
    True
    """
    complete = gradients(read.loss)
    norms = [magnitude(complete[state["h"]]) for state in read.states]
    little = [t for t, norm in enumerate(norms) if norm < LITTLE * norms[-1]]
    return arriving(read, max(little), "h") if little else step(read.loss)


def arriving(read: Reading, t: int, name: str) -> Stepper:
    """Return the walk back from a loss, where the gradient of a state at step t has become complete.

    >>> arriving(of_task("adding"), 0, "h").current.target.name
    'h'
    """
    return _at(read, lambda event: event.target is read.states[t][name], -1)


def adding_to(read: Reading, weight: Tensor, use: int) -> Stepper:
    """Return the walk back from a loss, at the contribution to a weight of one of its uses, counted from the loss."""
    return _at(read, lambda event: event.target is weight, use)


def writing(read: Reading, t: int, name: str) -> Stepper:
    """Return the walk on its way forward, where a state of step t is computed."""
    return _at(read, lambda event: event.phase == "forward" and event.node is read.states[t][name], 0)


def _at(read: Reading, is_there: Callable[[Any], bool], which: int) -> Stepper:
    """Return the walk at one of the events of a kind."""
    stepper = step(read.loss)
    stepper.goto([number for number, event in enumerate(stepper.events) if is_there(event)][which])
    return stepper


def walk(task: str) -> Walk:
    """Return the walk of a task: to the step where the gradient dies in an RNN as it begins.

    >>> walk("adding").make().splitlines()[0]
    '<!doctype html>'
    """
    return Walk(
        "Walk to the step where the gradient dies",
        "the backward pass of an untrained RNN over one of these sequences, stopped where less than a hundredth of "
        "what reached its last state is left.",
        lambda: page(dying(of_task(task))),
    )


def _first_relevant() -> int:
    """Return when the sequence of ``of_task("temporal-order", SHORT)`` has its first X or Y."""
    drawn = TASKS["temporal-order"](SHORT).draw(np.random.default_rng(0), 1).inputs[:, 0]
    return next(t for t, x in enumerate(drawn) if SYMBOLS[int(x.argmax())] in "XY")


def _lstm(forget_bias: float) -> Reading:
    return of_task("temporal-order", SHORT, LSTMCell(len(SYMBOLS), HIDDEN, forget_bias=forget_bias, rng=0))


def _by_hand() -> Reading:
    E, X, Y = (SYMBOLS.index(symbol) for symbol in "EXY")
    cell = by_hand_rnn(len(SYMBOLS), E, X, Y, gain=6.0)
    return of_task("temporal-order", SHORT, cell, by_hand_head(on=1.0, off=-1.0, gain=6.0))


def _added(use: int) -> str:
    cell = RNNCell(len(SYMBOLS), HIDDEN, rng=0)
    return page(adding_to(of_task("temporal-order", SHORT, cell), cell.layer.weight, use))


KEPT = Walk(
    "Walk to where the gradient has come through",
    "the backward pass of an untrained LSTM with forget bias 3, stopped at its first memory c: f close to 1 has let "
    "the gradient pass step by step, and two fifths of what its last c had are left.",
    lambda: page(arriving(_lstm(3.0), 0, "c")),
)
"""Of gradients."""

WRITTEN = Walk(
    "Walk to where something is written",
    "an untrained LSTM with forget bias 1 on its way forward, stopped at the c of the step that reads the first X or "
    "Y: beside it stand what is kept, a = f ⊙ c, and what is added, b = i ⊙ g.",
    lambda: page(writing(_lstm(1.0), _first_relevant(), "c")),
)
"""Of memory."""

LATCHED = Walk(
    "Walk to where a gradient dies in a network that is right",
    "the backward pass of the RNN whose weights a person set, stopped where less than a hundredth is left: its units "
    "stand where tanh is flat, and what makes them sure takes the gradient.",
    lambda: page(dying(_by_hand())),
)
"""Of weights set by hand."""

ADDED = Walk(
    "Walk to where the second copy adds to the gradient of W",
    "the backward pass of an untrained RNN, stopped where a weight that has a gradient already gets more: the ledger "
    "has a line for each copy, with the running sum.",
    lambda: _added(1),
)
"""Of copies untied."""

EARLIEST = Walk(
    "Walk to the smallest part of an update",
    "the backward pass of an untrained RNN, stopped where the first step in time, the last that the walk meets, adds "
    "to the gradient of W: compare it in the ledger with what the last steps added.",
    lambda: _added(-1),
)
"""Of updates."""

CHORDS = Walk(
    "Walk to the chord that the loss no longer feels",
    "the backward pass of an untrained RNN over a cadence, from the loss of its last chord, stopped where less than a "
    "hundredth of what reached the last state is left.",
    lambda: page(dying(of_chords())),
)
"""Of chorales."""
