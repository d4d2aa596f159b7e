"""Sampling: a language model goes on from a prompt, one symbol after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.scope import no_grad
from ..nn.arguments import within
from ..nn.creation import Seed, generator


def sample(
    model: Any,
    prompt: Sequence[int] | NDArray[np.integer[Any]],
    *,
    temperature: float = 1.0,
    rng: Seed = 0,
    never: Sequence[int] = (),
) -> Iterator[int]:
    """Yield symbol after symbol, without end, each drawn by the model's scores for what comes next.

    The chance of symbol i is softmax(s / T)_i for scores s and temperature T: at 1 it is what the model says, below it
    is bolder, and at 0 the likeliest symbol comes always.

    Arguments:
        model: a ``tl.nn.LanguageModel``, or any that returns scores and a state.
        prompt: the numbers of the symbols to go on from, one at least.
        temperature: T, 0 or more.
        rng: a seed or a numpy Generator.
        never: symbols that shall not come.

    Raises:
        ValueError: for a temperature out of its range, and a prompt without a symbol.

    Source: the temperature of a softmax is that of D. Ackley, G. Hinton & T. Sejnowski, "A Learning Algorithm for
    Boltzmann Machines" (1985).

    >>> from itertools import islice
    >>> import tinygrad_lstm as tl
    >>> model = tl.nn.LanguageModel(4, 3, rng=0)
    >>> model.head.bias.value = [0.0, 0.0, 9.0, 0.0]
    >>> list(islice(sample(model, [1], temperature=0), 3))
    [2, 2, 2]
    """
    within(0, np.inf, temperature=temperature)
    numbers = np.asarray(prompt)
    if numbers.ndim != 1 or not len(numbers):
        raise ValueError("a prompt is one symbol or more")
    return _drawn(model, numbers, float(temperature), generator(rng), list(never))


def _drawn(
    model: Any, numbers: NDArray[Any], temperature: float, rng: np.random.Generator, never: list[int]
) -> Iterator[int]:
    state: Any = None
    while True:
        with no_grad():
            scores, state = model(numbers, state)
        last = scores.value[-1].astype(np.float64)
        last[never] = -np.inf
        if temperature:
            chances = np.exp((last - last.max()) / temperature)
            edges = np.cumsum(chances)
            drawn = int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))
        else:
            drawn = int(last.argmax())
        yield drawn
        numbers = np.array([drawn])
