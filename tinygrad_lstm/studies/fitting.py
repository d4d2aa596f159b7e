"""Training the network of an application, its layers as compiled programs meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..nn import Adam
from ..program.compiled import compile as compiled
from ..training.fit import Callback
from ..training.schedules import cosine
from .demonstration import learn


def learn_compiled(
    model: Any,
    batches: Iterable[Any],
    *parts: str,
    rate: float,
    steps: int,
    callbacks: Iterable[Callback] = (),
    **how: Any,
) -> tuple[list[tuple[int, float]], bool]:
    """Train as ``learn`` does, by Adam and half a cosine, with parts as compiled programs; return the losses, too.

    Arguments:
        model, batches, steps, callbacks: as for ``learn``.
        parts: the names of the model's layers that are compiled meanwhile.
        rate: the largest learning rate.
        how: whatever else ``learn`` takes: loss, about.

    Returns:
        The number of each update with its loss, and whether it came to the end.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> class Last(tl.nn.Module):
    ...     def __init__(self):
    ...         self.layer = tl.RNN(1, 2, rng=0)
    >>> loss = lambda model, xs: tl.mse_loss(model.layer(xs)[0][-1], np.ones((1, 2)))
    >>> xs = np.ones((3, 1, 1))
    >>> curve, whole = learn_compiled(Last(), [xs, -xs], "layer", rate=0.1, steps=2, loss=loss, about="ones")
    ones: 2 updates; ... processor seconds until here
    >>> [update for update, _ in curve], whole
    ([1, 2], True)
    """
    curve: list[tuple[int, float]] = []
    layers = {name: getattr(model, name) for name in parts}
    for name, layer in layers.items():
        setattr(model, name, compiled(layer))
    try:
        whole = learn(
            model,
            batches,
            optimizer=Adam(model.parameters(), lr=rate),
            schedule=cosine(rate, steps),
            clip=1.0,
            steps=steps,
            callbacks=[lambda moment: curve.append((moment.step, moment.loss)), *callbacks],
            **how,
        )
    finally:
        for name, layer in layers.items():
            setattr(model, name, layer)
    return curve, whole
