"""The training loop, to be read in a minute: five lines, and what may be hung onto them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import Any

import numpy as np

from ..engine.primitive import Array
from ..engine.tensor import Tensor
from ..nn import Optimizer, clip_grad_norm
from ..nn.arguments import within
from ..structure.words import clean
from .fault import Fault, of_gradients, of_loss, of_update


@dataclass(frozen=True, eq=False)
class Moment:
    """What a callback is called with: the moment after an update, its gradients still in place.

    >>> Moment(1, 0.5, 2.0, None, None, None, None, ())
    Moment(step=1, loss=0.5, norm=2.0)
    """

    step: int  # the update, counted from 1
    loss: float  # before the update
    norm: Any  # ‖g‖ of all gradients before they were clipped, or what a clip of your own returned
    model: Any
    optimizer: Optimizer
    batch: Any
    graph: Tensor  # the loss, with all that it was computed of; whoever keeps it, keeps that
    before: tuple[Array, ...]  # the values of optimizer.parameters before the update, in their order

    def __repr__(self) -> str:
        return f"Moment(step={self.step}, loss={self.loss:.6g}, norm={clean(self.norm)})"


Callback = Callable[[Moment], object]
"""Called after every update; training stops when one returns True, Python's or numpy's."""


@np.errstate(all="ignore")  # what overflows is told by Fault, which says who and where
def fit(
    model: Any,
    batches: Iterable[Any],
    *,
    loss: Callable[[Any, Any], Tensor],
    optimizer: Optimizer,
    steps: int | None = None,
    clip: float | Callable[[list[Tensor]], Any] | None = None,
    schedule: Callable[[int], float] | None = None,
    callbacks: Iterable[Callback] = (),
    start: int = 0,
) -> list[float]:
    """Train a model: one update of its parameters for each batch; return the loss of each, before the update.

    Without it, the loop is::

        for batch in batches:
            optimizer.zero_grad()
            L = loss(model, batch)
            L.backward()
            tl.clip_grad_norm(model.parameters(), clip)
            optimizer.step()

    It ends with the batches, after so many steps, or when a callback returns True. All callbacks are called after every
    update, in their order, also when one of them has said that this is the end.

    Arguments:
        model: a module, or whatever ``loss`` takes.
        batches: anything to go through, one batch for each update, of whatever ``loss`` takes; it may be endless.
        loss: ``loss(model, batch)`` returns a Tensor of one number, to be made small.
        optimizer: one that was made with the parameters that shall learn.
        steps: how many updates to make, at most; None for as many as there are batches.
        clip: the largest ‖g‖ of all gradients together, as for ``tl.clip_grad_norm``; None for any; or a function that
            is called with the optimiser's parameters, clips their gradients itself, and returns the norm before.
        schedule: ``schedule(step)`` returns the learning rate of an update, counted from 1; None leaves it alone.
        callbacks: each is called with the ``Moment`` after an update.
        start: how many updates were made before, where a run goes on: steps are counted from there, and ``steps``
            contains them.

    Raises:
        Fault: a FloatingPointError, for NaN or Inf in the loss, in a gradient or in an updated parameter; it names the
            first node that made it. The parameters are those before the update, and no callback was called.
        TypeError, ValueError: for a loss that is no Tensor of one number, or of none of the optimiser's parameters,
            and settings and rates out of their range.

    Source: H. Robbins & S. Monro, "A Stochastic Approximation Method" (1951), a step for each sample; clipping,
    R. Pascanu, T. Mikolov & Y. Bengio (2013).

    >>> import tinygrad_lstm as tl
    >>> model = tl.Linear(1, 1, rng=0)
    >>> batches = [([[x]], [[2 * x]]) for x in (1.0, 2.0, 3.0)] * 20
    >>> losses = tl.fit(
    ...     model,
    ...     batches,
    ...     loss=lambda model, batch: tl.mse_loss(model(batch[0]), batch[1]),
    ...     optimizer=tl.SGD(model.parameters(), lr=0.1),
    ...     callbacks=[lambda moment: moment.loss < 1e-4],
    ... )
    >>> len(losses) < 60, losses[-1] < 1e-4, f"{model.weight.item():.1f}"
    (True, True, '2.0')
    """
    watchers = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    _require(batches, loss, optimizer, clip, schedule, watchers, steps, start)
    losses: list[float] = []
    for step, batch in enumerate(islice(batches, None if steps is None else max(steps - start, 0)), start + 1):
        if schedule is not None:
            optimizer.lr = _rate(schedule, step)
        optimizer.zero_grad()
        L = _one_number(loss(model, batch))
        L.backward()
        _require_felt(optimizer.parameters)
        norm = _clipped(optimizer.parameters, clip, L)
        before = tuple(parameter.value for parameter in optimizer.parameters)
        optimizer.step()
        _keep_finite(optimizer, before, step)

        losses.append(L.item())
        moment = Moment(step, losses[-1], norm, model, optimizer, batch, L, before)
        answers = [watch(moment) for watch in watchers]
        if any(isinstance(answer, bool | np.bool_) and answer for answer in answers):
            break
    return losses


def _require(
    batches: Any, loss: Any, optimizer: Any, clip: Any, schedule: Any, watchers: list[Any], steps: Any, start: Any
) -> None:
    """Refuse, before anything runs, what the loop could not go through, call, or count."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be one, as in tl.Adam(model.parameters()), not {clean(repr(optimizer), 60)}")
    if not isinstance(batches, Iterable):
        raise TypeError(f"batches are to be gone through, as a list is, not {clean(repr(batches), 60)}")
    called = {"loss(model, batch)": loss, **{f"callback {i}": watch for i, watch in enumerate(watchers)}}
    called |= {} if schedule is None else {"schedule(step)": schedule}
    for what, function in called.items():
        if not callable(function):
            raise TypeError(f"{what} must be a function, not {clean(repr(function), 60)}")
    for name, number in {"start": start, **({} if steps is None else {"steps": steps})}.items():
        if not isinstance(number, int | np.integer) or isinstance(number, bool) or not 0 <= number < 2**53:
            raise ValueError(f"{name} must be a whole number, 0 or more, not {clean(repr(number), 60)}")
    if clip is not None and not callable(clip):
        clip_grad_norm([], clip)  # refuses what is no norm


def _rate(schedule: Callable[[int], float], step: int) -> float:
    lr = schedule(step)
    within(0, inf, **{f"schedule({step})": lr})
    return lr


def _one_number(L: Any) -> Tensor:
    """Return the loss if it can be learned from; what it is instead, or who made it infinite, is told."""
    if not isinstance(L, Tensor):
        raise TypeError(f"loss(model, batch) must return a Tensor of one number, not {clean(repr(L), 60)}")
    if L.size != 1:
        raise ValueError(f"loss(model, batch) must return one number, not shape {L.shape}; take its mean, or sum")
    if not np.isfinite(L.value).all():
        raise Fault(of_loss(L))
    return L


def _require_felt(parameters: list[Tensor]) -> None:
    """Refuse a loss of which no gradient reaches what shall learn: the optimiser is that of another model."""
    if all(parameter.grad is None for parameter in parameters):
        raise ValueError(
            "the loss depends on none of the optimiser's parameters; give it those of the model that the loss is of, "
            "as in tl.Adam(model.parameters())"
        )


def _clipped(parameters: list[Tensor], clip: Any, L: Tensor) -> Any:
    """Clip the gradients of a loss and return their norm before; where that is not finite, say whose rule made it."""
    try:
        norm = clip(parameters) if callable(clip) else clip_grad_norm(parameters, inf if clip is None else clip)
    except FloatingPointError:
        norm = inf
    if norm is not None and not np.isfinite(norm).all():
        raise Fault(of_gradients(L, parameters))
    return norm


def _keep_finite(optimizer: Optimizer, before: tuple[Array, ...], step: int) -> None:
    """Put the values before an update back if it has made a NaN or Inf, so that nobody keeps it; and tell."""
    said = of_update(optimizer, before, step)
    if said:
        for parameter, value in zip(optimizer.parameters, before, strict=True):
            parameter.value = value
        raise Fault(said)
