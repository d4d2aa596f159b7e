"""A trial: networks that differ in their seed alone learn a task, side by side, until they solve it or may no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engine.functions import concat
from ..engine.ops import log_softmax
from ..engine.primitive import Array
from ..engine.scope import no_grad
from ..engine.tensor import Tensor, tensor
from ..nn import Linear, Module
from ..nn.cell import Cell, state_parts
from ..structure import collector
from .side_by_side import AdamSideBySide, clip_each, one_of, side_by_side, some_of
from .tasks import MemoryTask, Sequences, joined

AHEAD = 512
"""Sequences drawn at a time for each network; chosen: drawing them costs little beside learning, and little memory."""


class Reader(Module):
    """A recurrent cell that reads a sequence, and a linear head that answers where it is asked.

    Arguments:
        cell: any ``tl.nn.Cell``.
        outputs: C, how many numbers an answer has.
        rng: a seed or a numpy Generator, for the head.

    >>> import tinygrad_lstm as tl
    >>> reader = Reader(tl.LSTMCell(2, 4, rng=0), 1, rng=1)
    >>> reader([tl.tensor([[[0.5, 1.0]]])] * 3).shape
    (1, 1, 1)
    """

    def __init__(self, cell: Cell[Any], outputs: int, rng: Any = None) -> None:
        self.cell = cell
        self.head = Linear(cell.state_sizes[0], outputs, rng=rng, dtype=cell.dtype)

    def forward(self, xs: Sequence[Tensor], first: int = -1) -> Tensor:
        """Return the answers from step ``first`` on, one step after the other: (S, R · N, C) from T times (S, N, D)."""
        cell, hidden = self.cell, []
        state = cell.zero_state(xs[0])
        for x in xs:
            state = cell.forward(x, state)  # not called: a cell proper has no axis for several networks
            hidden.append(state_parts(cell, state)[0])
        asked = hidden[first:]
        answers: Tensor = self.head(concat(asked, axis=-2) if len(asked) > 1 else asked[0])
        return answers


@dataclass
class Trained:
    """What became of networks that were trained side by side."""

    sequences: list[int | None]  # of each, how many it had seen when it solved the task; None if it did not
    scores: list[float]  # of each, the mean score over the last window
    updates: int  # how many there were
    models: list[Reader] = field(default_factory=list)  # each as it ended


def train_side_by_side(
    task: MemoryTask,
    models: Sequence[Reader],
    *,
    seeds: Sequence[int],
    rates: Sequence[float],
    budget: int,
    batch: int = 16,
    clip: float = 1.0,
    report: Callable[[int, Reader], object] = lambda *_: None,
) -> Trained:
    """Train networks on fresh sequences by Adam until each has solved the task, or has seen ``budget`` sequences.

    Each network draws its sequences by its own seed, learns at its own rate, has its gradient clipped by itself, and
    leaves when it has solved the task: what becomes of it does not depend on the others.

    Arguments:
        task: what is learned, and when it is solved.
        models: S readers of one kind.
        seeds: S seeds of their sequences.
        rates: S learning rates.
        budget: the largest number of sequences for each.
        batch: N, sequences of an update.
        clip: the largest norm of a gradient.
        report: called after each update with its number and the networks that are left; ends all if it returns True.

    >>> from tinygrad_lstm.studies.tasks import temporal_order
    >>> import tinygrad_lstm as tl
    >>> readers = [Reader(tl.GRUCell(8, 4, rng=seed), 4, rng=seed) for seed in (0, 1)]
    >>> found = train_side_by_side(temporal_order(10), readers, seeds=[0, 1], rates=[0.01, 0.001], budget=64)
    >>> found.sequences, found.updates
    ([None, None], 4)
    """
    stacked = side_by_side(models)
    dtype = models[0].cell.dtype
    optimiser = AdamSideBySide(stacked.parameters(), rates)
    sources = [_Supply(task, seed, batch) for seed in seeds]
    left = np.arange(len(models))
    window = max(1, task.window // batch)
    recent = np.full((len(models), window), np.nan)
    done = Trained([None] * len(models), [float("nan")] * len(models), 0, list(models))
    updates = max(1, budget // batch)
    with collector.paused(), np.errstate(all="ignore"):
        for update in range(1, updates + 1):
            drawn = joined([sources[k].next() for k in left])
            scores = _learn(task, stacked, optimiser, drawn, clip, dtype)
            recent[left, (update - 1) % window] = scores
            last = report(update, stacked) is True or update == updates
            means = recent[left].mean(axis=1)  # NaN until the window is full
            finished = np.array([task.solved(mean) for mean in means])
            if finished.any() or last:
                done.updates = update
                for place in np.flatnonzero(finished | last):
                    k = left[place]
                    done.scores[k] = float(recent[k, : min(update, window)].mean())
                    done.sequences[k] = update * batch if finished[place] else None
                    done.models[k] = one_of(stacked, int(place), like=models[k])
                staying = np.flatnonzero(~finished)
                left = left[staying]
                if last or not len(left):
                    break
                stacked = some_of(stacked, staying)
                optimiser = optimiser.keep(staying, stacked.parameters())
    return done


def answers_of(stacked: Reader, drawn: Sequences) -> Array:
    """Return what networks side by side answer at every step of the same sequences, (S, T, N, C), without a graph.

    >>> import tinygrad_lstm as tl
    >>> from tinygrad_lstm.studies.tasks import strings_of_counts
    >>> readers = side_by_side([Reader(tl.GRUCell(4, 3, rng=seed), 4, rng=seed) for seed in (0, 1)])
    >>> drawn = strings_of_counts([1, 2, 3])
    >>> answers_of(readers, drawn).shape, all_right(answers_of(readers, drawn), drawn).shape
    ((2, 10, 3, 4), (2, 3))
    """
    S, (T, N, C) = stacked.head.weight.shape[0], drawn.targets.shape
    with no_grad():
        xs = [tensor(np.broadcast_to(x, (S, *x.shape)), dtype=stacked.cell.dtype) for x in drawn.inputs]
        said: Array = stacked.forward(xs, 0).value  # (S, T · N, C)
    return said.reshape(S, T, N, C)


def all_right(answers: Array, drawn: Sequences) -> Array:
    """Return which sequences are answered without a mistake: whatever may come above all that may not, (S, N)."""
    worst = np.where(drawn.legal > 0, answers, np.inf).min(axis=-1)
    best = np.where(drawn.legal > 0, -np.inf, answers).max(axis=-1)
    right: Array = ((worst > best) | (drawn.asked == 0)).all(axis=1)
    return right


def _learn(
    task: MemoryTask, model: Reader, optimiser: AdamSideBySide, drawn: Sequences, clip: float, dtype: Any
) -> Array:
    """Make one update; return the mean score of each network before it, (S)."""
    first = task.first
    xs = [tensor(x, dtype=dtype) for x in drawn.inputs]  # T times (S, N, D)
    targets, asked, legal = (_in_a_row(part[first:]) for part in (drawn.targets, drawn.asked[..., None], drawn.legal))
    answers = model(xs, first)  # (S, R · N, C)
    weights = asked / asked.sum(axis=1, keepdims=True)  # of each network, they add up to 1
    if task.counts == "right":
        loss = -(log_softmax(answers) * tensor(targets * weights, dtype=dtype)).sum()
    else:
        error = answers - tensor(targets, dtype=dtype)
        loss = (error * error * tensor(weights, dtype=dtype)).sum()
    optimiser.zero_grad()
    loss.backward()
    clip_each(optimiser.parameters, clip)
    optimiser.step()
    return _scores(task, answers.value, targets, asked, legal, drawn.asked.shape[2])


def _in_a_row(part: Array) -> Array:
    """Return (S, R · N, C) of (R, S, N, C), as the answers stand."""
    R, S, N, C = part.shape
    return np.ascontiguousarray(part.transpose(1, 0, 2, 3)).reshape(S, R * N, C)


def _scores(task: MemoryTask, answers: Array, targets: Array, asked: Array, legal: Array, batch: int) -> Array:
    """Return the mean score of each network over its sequences, (S)."""
    if task.counts == "right":
        worst = np.where(legal > 0, answers, np.inf).min(axis=-1)  # of what may be said
        best = np.where(legal > 0, -np.inf, answers).max(axis=-1)  # of what may not
        right = (worst > best) | (asked[..., 0] == 0)
        share: Array = right.reshape(len(right), -1, batch).all(axis=1).mean(axis=1)
        return share
    errors = np.square(answers - targets).sum(axis=-1) * asked[..., 0]
    mean: Array = errors.sum(axis=1) / asked.sum(axis=(1, 2))
    return mean


class _Supply:
    """Fresh sequences by a seed of their own, drawn many at a time and given out a batch at a time."""

    def __init__(self, task: MemoryTask, seed: int, batch: int) -> None:
        self.task, self.batch = task, batch
        self.rng = np.random.default_rng([seed, 1])  # the networks' weights are drawn by [seed, 0]
        self.ahead, self.used = max(batch, AHEAD // batch * batch), 0
        self.drawn: Sequences | None = None

    def next(self) -> Sequences:
        """Return the next batch, (T, N, ·)."""
        if self.drawn is None or self.used == self.ahead:
            self.drawn, self.used = self.task.draw(self.rng, self.ahead), 0
        here = slice(self.used, self.used + self.batch)
        self.used += self.batch
        return _shortened(Sequences(*(part[:, here] for part in self.drawn)))


def _shortened(drawn: Sequences) -> Sequences:
    """Return the sequences without the steps at the end in which nothing more is asked of any of them."""
    steps = 1 + int(np.flatnonzero(drawn.asked.any(axis=1))[-1])
    return Sequences(*(part[:steps] for part in drawn))
