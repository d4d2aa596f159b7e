"""A gap: networks learn to say at the end what they read at the beginning, with more and more in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..nn import LSTMCell, RNNCell
from ..nn.cell import Cell
from ..studies.tasks import MemoryTask, Sequences
from ..studies.trial import Reader, train_side_by_side

GAPS = (2, 4, 8, 16, 32)
"""Steps from the letter to the question; chosen: an RNN learns the first at once, and the last rarely."""

HIDDEN, BUDGET, BATCH, RATE, SEEDS = 8, 3200, 16, 0.01, (0, 1, 2, 3)
"""H, sequences that a network may see, and of an update, Adam's rate, and the networks of a kind; chosen: seconds."""

OPEN = 3.0
"""What the LSTM's forget bias begins with; chosen: σ(3) = 0.95, so that half is left after 14 steps."""

LETTERS = "AB·:"
"""The two that are asked for, and the two that come in between."""

KINDS: dict[str, Callable[..., Cell[Any]]] = {"RNN": RNNCell, "LSTM": partial(LSTMCell, forget_bias=OPEN)}


@dataclass(frozen=True)
class GapScores:
    """What became of the networks of each kind at one gap: the share of right answers of each, near the end."""

    gap: int
    example: str
    scores: dict[str, list[float]]
    read: dict[str, list[int | None]]  # how many sequences each had read when it was right 99 times in 100

    def mean(self, kind: str) -> float:
        """Return the share of right answers, on average over the networks of a kind."""
        return float(np.mean(self.scores[kind]))

    def learned(self, kind: str) -> int:
        """Return how many of the networks of a kind were right 99 times in 100."""
        return sum(each is not None for each in self.read[kind])


def recall(gap: int) -> MemoryTask:
    """Return the task of saying after ``gap`` steps which of two letters came first; what comes between is chance.

    Who remembers nothing is right half the time.

    >>> drawn = recall(4).draw(np.random.default_rng(0), 1)
    >>> "".join(LETTERS[int(step.argmax())] for step in drawn.inputs[:, 0]), drawn.targets[-1, 0]
    ('A::··', array([1., 0.]))
    """

    def draw(rng: np.random.Generator, count: int) -> Sequences:
        symbols = rng.integers(2, 4, (gap + 1, count))
        symbols[0] = rng.integers(0, 2, count)
        targets = np.zeros((gap + 1, count, 2))
        asked = np.zeros((gap + 1, count))
        targets[-1], asked[-1] = np.eye(2)[symbols[0]], 1
        return Sequences(np.eye(4)[symbols], targets, asked, targets)

    return MemoryTask("recall", 4, 2, draw, first=gap, window=256, symbols=LETTERS)


def measured(report: Callable[[str, int, int], None] = lambda *_: None) -> list[GapScores]:
    """Train networks of each kind at each gap and return how well they answered.

    ``report`` is called with the kind, how many gaps are done, and how many there are.
    """
    found = []
    for done, gap in enumerate(GAPS, 1):
        task = recall(gap)
        scores, read = {}, {}
        for kind, cell in KINDS.items():
            models = [_reader(cell, task, seed) for seed in SEEDS]
            rates = [RATE] * len(SEEDS)
            trained = train_side_by_side(task, models, seeds=SEEDS, rates=rates, budget=BUDGET, batch=BATCH)
            scores[kind], read[kind] = [float(score) for score in trained.scores], trained.sequences
            report(f"{len(SEEDS)} {kind}s over gaps", done, len(GAPS))
        example = task.draw(np.random.default_rng(0), 1).inputs[:, 0].argmax(axis=-1)
        found.append(GapScores(gap, "".join(LETTERS[i] for i in example), scores, read))
    return found


def _reader(cell: Callable[..., Cell[Any]], task: MemoryTask, seed: int) -> Reader:
    rng = np.random.default_rng([seed, 0])
    return Reader(cell(task.inputs, HIDDEN, rng=rng), task.outputs, rng)
