"""A contest: cells of several kinds learn the same task, each with the same search and the same budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..nn import GRUCell, LSTMCell, RNNCell
from ..nn.cell import Cell
from ..nn.creation import Seed
from .tasks import TASKS, MemoryTask
from .trial import Reader, Trained, train_side_by_side

RATES = (0.01, 0.003, 0.001)
"""The learning rates that each is tried with. The norm to clip at is not searched for: it is a setting, 1 for all in
what was measured, and rows with several would be another contest. The study jsb searches for both."""

SEARCHED = (1000, 1001, 1002)
"""The seeds a learning rate is chosen by; no other number comes from them."""

SEARCH = 0.5
"""The share of the budget that is for choosing: a rate that is good is seen to be before the end."""


def _rnn(start: str, D: int, H: int, rng: np.random.Generator) -> Cell[Any]:
    """Return a plain RNN that begins with other recurrent weights.

    That of relu is the one of Q. Le, N. Jaitly & G. Hinton (2015), section 3, identity and no bias, but for the weights
    of its inputs: by theirs, of 0.001, adding over 50 steps was solved by 1 of 12 in this budget, by usual ones by 9.
    """
    if start == "orthogonal":
        cell = RNNCell(D, H, rng=rng)
        recurrent, _ = np.linalg.qr(rng.normal(size=(H, H)))
    else:
        cell = RNNCell(D, H, nonlinearity="relu", rng=rng)
        assert cell.layer.bias is not None
        cell.layer.bias.value = np.zeros(H)
        recurrent = np.eye(H)
    cell.layer.weight.value = np.concatenate([recurrent, cell.layer.weight.value[H:]])
    return cell


def lstm(forget_bias: float, D: int, H: int, rng: Seed) -> Cell[Any]:
    """Return an LSTM cell whose forget gate begins with a bias."""
    return LSTMCell(D, H, forget_bias=forget_bias, rng=rng)


CONTENDERS: dict[str, Callable[..., Cell[Any]]] = {
    "RNN": lambda D, H, rng: RNNCell(D, H, rng=rng),
    "RNN, orthogonal": partial(_rnn, "orthogonal"),
    "RNN, relu from the identity": partial(_rnn, "identity"),
    "LSTM, forget bias 0": partial(lstm, 0.0),
    "LSTM, forget bias 1": partial(lstm, 1.0),
    "LSTM, forget bias 3": partial(lstm, 3.0),
    "GRU": lambda D, H, rng: GRUCell(D, H, rng=rng),
}
"""How each is made, of D inputs and H hidden units. An RNN is tanh, and weights begin as in ``tl.RNNCell``, where
nothing else is said; orthogonal and identity are about its recurrent weights."""


def compete(
    task: str, gap: int, contender: str, hidden: int, batch: int, clip: float, seeds: int, budget: int
) -> dict[str, Any]:
    """Choose a learning rate on three seeds, then train ``seeds`` others with it; return what became of each.

    Arguments:
        task: a name in ``TASKS``.
        gap: how long what matters has to be kept.
        contender: a name in ``CONTENDERS``.
        hidden: H.
        batch: N, sequences of an update.
        clip: the largest norm of a gradient.
        seeds: how many networks, from seed 0 on.
        budget: sequences that each may see; half as many for choosing.

    Returns:
        ``rate``, the chosen one; ``search``, for each rate the sequences to success of the three; ``sequences`` to
        success of each seed, None where there was none; ``scores``, of the last window.

    >>> found = compete("adding", 4, "GRU", hidden=2, batch=4, clip=1.0, seeds=2, budget=16)
    >>> found["sequences"], found["search"]["0.01"]
    ([None, None], [None, None, None])
    """
    what, make = TASKS[task](gap), CONTENDERS[contender]
    how: dict[str, Any] = {"hidden": hidden, "batch": batch, "clip": clip}
    tried = [(rate, seed) for rate in RATES for seed in SEARCHED]
    rates, tries = zip(*tried, strict=True)
    searched = train_kind(make, what, seeds=tries, rates=rates, budget=int(SEARCH * budget), **how)
    rate = _best(what, searched)
    found = train_kind(make, what, seeds=range(seeds), rates=[rate] * seeds, budget=budget, **how)
    each = len(SEARCHED)
    search = {str(tried): searched.sequences[each * i : each * (i + 1)] for i, tried in enumerate(RATES)}
    return {"rate": rate, "search": search, **outcome(found)}


def train_kind(
    make: Callable[..., Cell[Any]], task: MemoryTask, *, hidden: int, seeds: Sequence[int], **how: Any
) -> Trained:
    """Train networks of one kind that differ in their seed, of weights and of sequences; see ``train_side_by_side``.

    ``make`` is called with D, H and a generator, ``rng``.

    >>> from tinygrad_lstm.studies.tasks import adding
    >>> how = {"seeds": [0, 1], "rates": [0.01, 0.01], "budget": 16, "batch": 4}
    >>> train_kind(CONTENDERS["GRU"], adding(4), hidden=2, **how).updates
    4
    """

    def reader(seed: int) -> Reader:
        rng = np.random.default_rng([seed, 0])
        return Reader(make(task.inputs, hidden, rng=rng), task.outputs, rng)

    return train_side_by_side(task, [reader(seed) for seed in seeds], seeds=seeds, **how)


def outcome(trained: Trained) -> dict[str, Any]:
    """Return what is kept of networks: the sequences to success of each, and the scores of the last window."""
    return {"sequences": trained.sequences, "scores": [_rounded(score) for score in trained.scores]}


def _best(task: MemoryTask, searched: Trained) -> float:
    """Return the rate by which the most succeed, of these the fastest, and where none do, the one that is nearest."""
    each = len(SEARCHED)

    def merit(i: int) -> tuple[int, float, float]:
        here = slice(each * i, each * (i + 1))
        solved = [seen for seen in searched.sequences[here] if seen is not None]
        scores = np.nan_to_num(searched.scores[here], nan=-np.inf if task.counts == "right" else np.inf)
        near = float(np.mean(scores)) if task.counts == "right" else -float(np.mean(scores))
        return len(solved), -sum(solved) / len(solved) if solved else 0.0, near

    return RATES[max(range(len(RATES)), key=merit)]


def _rounded(score: float) -> float | None:
    """Return a score with six digits; None for one that is no number, which JSON has not."""
    return float(f"{score:.6g}") if np.isfinite(score) else None


def rows(task: str, budgets: dict[int, int], contenders: Sequence[str] = tuple(CONTENDERS), **how: Any) -> list[Any]:
    """Return the settings of a contest: each contender at each gap, with the budget of that gap.

    >>> rows("adding", {50: 40_000}, ["GRU"])[0]["budget"]
    40000
    """
    usual = {"hidden": 16, "batch": 16, "clip": 1.0, "seeds": 10, **how}
    return [
        {"task": task, "gap": gap, "contender": contender, **usual, "budget": budget}
        for gap, budget in budgets.items()
        for contender in contenders
    ]
