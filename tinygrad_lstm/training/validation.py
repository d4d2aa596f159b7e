"""Validation: the loss on what was not learned from, the best weights so far, and when to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any

from ..engine.primitive import Array
from ..engine.scope import no_grad
from ..nn import Module
from ..nn.arguments import positive
from .fit import Moment

Listener = Callable[[int, float], object]
"""Called with the step and the loss of a validation."""


class Validation:
    """A callback for ``fit``: measure the model every so many updates, keep its best weights, and stop in time.

    ``validation.best`` is the state dict of the best so far, of which ``step`` and ``loss`` tell;
    ``model.load_state_dict(validation.best)`` goes back to it. Early stopping: with a ``patience``, training ends when
    so many measurements in a row were no better than the best.

    Arguments:
        measure: ``measure(model)`` returns a loss, to be small; it runs in evaluation and is not recorded.
        every: updates between measurements.
        patience: how many to wait for a better one; None for without end.
        listeners: each is called with the step and the loss, as ``Plateau.observe`` and ``Log.validated`` are.

    Raises:
        ValueError: for settings that are not positive.

    Source: early stopping, L. Prechelt, "Early Stopping — But When?" (1998).

    >>> import tinygrad_lstm as tl
    >>> w = tl.Linear(1, 1, rng=0)
    >>> losses = iter([0.5, 0.3, 0.4, 0.6, 0.1])
    >>> validation = Validation(lambda model: next(losses), every=1, patience=2)
    >>> _ = tl.fit(
    ...     w,
    ...     [1.0] * 9,
    ...     loss=lambda model, x: model([x]).sum(),
    ...     optimizer=tl.SGD(w.parameters(), lr=0.1),
    ...     callbacks=[validation],
    ... )
    >>> validation.step, validation.loss, validation.last, validation.finished
    (2, 0.3, 0.6, True)
    """

    def __init__(
        self,
        measure: Callable[[Any], float],
        every: int,
        *,
        patience: int | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        positive(every=every)
        if patience is not None:
            positive(patience=patience)
        self.measure, self.every, self.patience, self.listeners = measure, every, patience, list(listeners)
        self.best: dict[str, Array] | None = None
        self.step, self.waited = 0, 0
        self.loss: float | None = None
        self.last: float | None = None

    @property
    def finished(self) -> bool:
        """Return whether patience has come to its end."""
        return self.patience is not None and self.waited >= self.patience

    def __call__(self, moment: Moment) -> bool:
        if moment.step % self.every:
            return False
        self.last = float(measured(moment.model, self.measure))
        if isfinite(self.last) and (self.loss is None or self.last < self.loss):
            self.best, self.step, self.loss, self.waited = moment.model.state_dict(), moment.step, self.last, 0
        else:
            self.waited += 1
        for listen in self.listeners:
            listen(moment.step, self.last)
        return self.finished

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; the best weights as "best.PATH", and no last loss where it is not finite."""
        kept = {name: getattr(self, name) for name in ("step", "loss", "last", "waited")}
        kept["last"] = self.last if self.last is not None and isfinite(self.last) else None
        return {**kept, **{f"best.{path}": value for path, value in (self.best or {}).items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        for name in ("step", "loss", "last", "waited"):
            setattr(self, name, state[name])
        best = {name.removeprefix("best."): value for name, value in state.items() if name.startswith("best.")}
        self.best = best or None


def measured(model: Module, measure: Callable[[Any], float]) -> float:
    """Return what a function measures of a model in evaluation, without recording; then all is as it was."""
    training = {module: module.training for module in model.modules()}
    try:
        with no_grad():
            return measure(model.eval())
    finally:
        for module, mode in training.items():
            module.training = mode
