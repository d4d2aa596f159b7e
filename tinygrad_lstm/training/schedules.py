"""Schedules: the learning rate of each update, as a function of its number, counted from 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..nn.arguments import above_zero, positive, within

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """Return η(n) = lr.

    >>> constant(0.1)(1_000)
    0.1
    """
    above_zero(lr=lr)
    return lambda step: lr


def warm_up(steps: int, schedule: Schedule) -> Schedule:
    """Return another schedule, times n / steps until update n = steps: large steps are taken when something is known.

    Source: P. Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 2.2.

    >>> rate = warm_up(4, constant(0.1))
    >>> [rate(step) for step in (1, 2, 4, 5)]
    [0.025, 0.05, 0.1, 0.1]
    """
    positive(steps=steps)
    return lambda step: schedule(step) * min(step / steps, 1.0)


def step_decay(lr: float, every: int, factor: float = 0.5) -> Schedule:
    """Return η(n) = lr · factor^⌊(n − 1) / every⌋.

    >>> rate = step_decay(0.1, every=2)
    >>> [rate(step) for step in (1, 2, 3, 4, 5)]
    [0.1, 0.1, 0.05, 0.05, 0.025]
    """
    above_zero(lr=lr, factor=factor)
    positive(every=every)
    return lambda step: lr * factor ** ((step - 1) // every)


def cosine(lr: float, steps: int, least: float = 0.0) -> Schedule:
    """Return half a cosine wave, from lr at the first update to ``least`` after the last of ``steps``.

    η(n) = least + ½ (lr − least) (1 + cos(π (n − 1) / steps)), and least from there on.

    Source: I. Loshchilov & F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), equation 5.

    >>> rate = cosine(0.1, steps=4)
    >>> [round(rate(step), 4) for step in (1, 2, 3, 4, 5, 6)]
    [0.1, 0.0854, 0.05, 0.0146, 0.0, 0.0]
    """
    above_zero(lr=lr)
    positive(steps=steps)
    within(0, math.inf, least=least)
    return lambda step: least + (lr - least) * (1 + math.cos(math.pi * min((step - 1) / steps, 1.0))) / 2


class Plateau:
    """Multiply the learning rate by a factor whenever validation has not found less for ``patience`` times.

    Give ``plateau.observe`` to ``Validation`` as a listener, and the plateau to ``fit`` as its schedule.

    Raises:
        ValueError: for settings out of their range.

    >>> plateau = Plateau(0.1, patience=2)
    >>> for step, loss in enumerate([3.0, 2.0, 2.0, 2.5, 2.0, 1.0]):
    ...     plateau.observe(step, loss)
    ...     print(plateau(step + 1), end=" ")
    0.1 0.1 0.1 0.05 0.05 0.05
    """

    def __init__(self, lr: float, *, factor: float = 0.5, patience: int = 3) -> None:
        above_zero(lr=lr, factor=factor)
        positive(patience=patience)
        self.lr, self.factor, self.patience = lr, factor, patience
        self.least: float | None = None
        self.waited = 0

    def __call__(self, step: int) -> float:
        return self.lr

    def observe(self, step: int, loss: float) -> None:
        """Take note of a loss of validation; NaN and Inf are none that is less."""
        if math.isfinite(loss) and (self.least is None or loss < self.least):
            self.least, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.lr, self.waited = self.lr * self.factor, 0

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"lr": self.lr, "least": self.least, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self.lr, self.least, self.waited = state["lr"], state["least"], state["waited"]
