"""Chorales: what sounds next? Piano rolls of real music, as papers have measured networks by since 2012."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.primitive import Array
from ..engine.scope import no_grad
from ..engine.tensor import Tensor, tensor
from ..nn import GRUCell, LSTMCell, RNNCell, binary_cross_entropy_with_logits
from ..nn.cell import Cell
from ..nn.classification import IGNORED
from ..structure import collector
from ..training.batches import Padded, Shuffled
from ..training.fit import Moment, fit
from .jsb_report import report
from .moment import CHORDS
from .rolls import KEYS, MUSIC21, Roll, by_name, marginal, nexts, read
from .side_by_side import AdamSideBySide, clip_each, side_by_side
from .study import Row, Study, rounded
from .trial import Reader

CONTENDERS: dict[str, Callable[..., Cell[Any]]] = {"RNN": RNNCell, "LSTM": LSTMCell, "GRU": GRUCell}
"""Who learns it: a tanh RNN, an LSTM whose forget bias begins at 1, a GRU."""

TRIED = tuple(product((0.01, 0.003), (1.0, 5.0)))
"""The learning rates and norms to clip at that each is tried with."""

SEARCHED = 1000
"""The seed they are chosen by; no other number comes from it."""


def rows(data: str = MUSIC21) -> list[Row]:
    """Return the rows: each contender on the rolls of this name; of music21, as the packaged default, a small study.

    >>> [row["contender"] for row in rows()]
    ['RNN', 'LSTM', 'GRU']
    """
    budget = {"epochs": 40, "seeds": 3} if data == MUSIC21 else {"epochs": 80, "seeds": 10}
    usual = {"hidden": 100, "batch": 16, **budget}
    return [{"data": data, "contender": contender, **usual} for contender in CONTENDERS]


def run(
    data: str, contender: str, hidden: int, batch: int, epochs: int, seeds: int, file: str | None = None
) -> dict[str, Any]:
    """Choose a learning rate and a norm to clip at, then train ``seeds`` networks with them; return how they did.

    The losses are those of the papers: of each step but the first of a piece, −t log σ(x) − (1 − t) log(1 − σ(x)),
    summed over the 88 keys, on average over all steps of all pieces, in nats.

    Arguments:
        data: the name of the rolls.
        contender: a name in ``CONTENDERS``.
        hidden: H.
        batch: N, pieces of an update.
        epochs: how often all pieces are gone through.
        seeds: how many networks, from seed 0 on; they differ in their first weights, and see the pieces in one order.
        file: where the rolls are, unless they are those of music21.

    Returns:
        ``rate`` and ``clip``, the chosen ones; ``search``, the validation loss of each; ``valid``, ``test`` and
        ``epoch``, of each seed, where its validation loss was smallest; ``curve``, the validation loss after each
        epoch, on average; ``marginal``, ``parameters``, and how many ``steps`` there are.

    Raises:
        NoRolls: for rolls that are not there, and a file of others.

    Source: N. Boulanger-Lewandowski, Y. Bengio & P. Vincent, "Modeling Temporal Dependencies in High-Dimensional
    Sequences" (2012), the task and its loss.
    """
    rolls = by_name(data, file)
    make = partial(_learn, rolls.train, rolls.valid, CONTENDERS[contender], hidden=hidden, batch=batch)
    searched = make(seeds=[SEARCHED] * len(TRIED), tried=TRIED, epochs=epochs)
    rate, clip = TRIED[int(np.argmin(searched.valid))]
    found = make(seeds=range(seeds), tried=[(rate, clip)] * seeds, epochs=epochs)
    names = [f"{rate:g}, clipped at {clip:g}" for rate, clip in TRIED]
    return {
        "rate": rate,
        "clip": clip,
        "search": dict(zip(names, rounded(searched.valid, 6), strict=True)),
        "valid": rounded(found.valid, 6),
        "test": rounded(losses(found.best, rolls.test, batch), 6),
        "epoch": found.epoch.tolist(),
        "curve": rounded(np.mean(found.curve, axis=1), 5),
        "marginal": rounded([marginal(rolls)], 6)[0],
        "parameters": sum(parameter.size for parameter in found.best.parameters()) // seeds,
        "steps": rolls.steps(),
    }


@dataclass
class Learned:
    """What became of S networks: the best of each, by its validation loss."""

    best: Reader  # side by side
    valid: Array  # (S)
    epoch: Array  # (S), counted from 1
    curve: list[Array]  # after each epoch, (S)


def _learn(
    train: Sequence[Roll],
    valid: Sequence[Roll],
    make: Callable[..., Cell[Any]],
    *,
    hidden: int,
    batch: int,
    seeds: Sequence[int],
    tried: Sequence[tuple[float, float]],
    epochs: int,
) -> Learned:
    """Train networks side by side, each with a rate and a norm to clip at, and keep each as it was best."""

    def reader(seed: int) -> Reader:
        rng = np.random.default_rng([seed, 0])
        return Reader(make(KEYS, hidden, rng=rng, dtype=np.float32), KEYS, rng)

    rates, clips = np.array(tried).T
    stacked = side_by_side([reader(seed) for seed in seeds])
    kept = stacked.state_dict()
    found = Learned(stacked, np.full(len(rates), np.inf), np.zeros(len(rates), int), [])
    batches = Shuffled(*nexts(train), batch, epochs=epochs, every_step=True)

    def look(moment: Moment) -> None:
        epoch, left = divmod(moment.step, batches.per_epoch)
        if not left:
            now = losses(stacked, valid, batch)
            better = now < found.valid
            found.valid[better], found.epoch[better] = now[better], epoch
            for path, value in stacked.state_dict().items():
                kept[path][better] = value[better]
            found.curve.append(now)

    optimiser = AdamSideBySide(stacked.parameters(), rates)
    with collector.paused():
        fit(
            stacked,
            batches,
            loss=lambda model, each: (_each(model, each) / (each.targets != IGNORED).any(-1).sum()).sum(),
            optimizer=optimiser,
            clip=lambda parameters: clip_each(parameters, clips),
            callbacks=[look],
        )
    stacked.load_state_dict(kept)
    return found


def losses(stacked: Reader, pieces: Sequence[Roll], batch: int) -> Array:
    """Return the loss of each network for a step, over all steps of all pieces, (S)."""
    with no_grad():
        sums = [_each(stacked, each).value for each in Shuffled(*nexts(pieces), batch, epochs=1, every_step=True)]
    total: Array = np.sum(sums, axis=0) / sum(len(roll) - 1 for roll in pieces)
    return total


def _each(stacked: Reader, batch: Padded) -> Tensor:
    """Return the loss of each network, summed over keys, steps and pieces, (S); past the end there is none."""
    S, dtype = len(stacked.head.weight.value), stacked.cell.dtype
    xs = [tensor(np.broadcast_to(x, (S, *x.shape)), dtype=dtype) for x in batch.xs]  # T times (S, N, 88)
    targets = batch.targets.reshape(-1, KEYS)  # (T · N, 88)
    within = targets != IGNORED
    answers = stacked(xs, 0)  # (S, T · N, 88)
    wanted = np.broadcast_to(np.where(within, targets, 0), answers.shape)
    each: Tensor = binary_cross_entropy_with_logits(answers, wanted, within, reduction="none").sum(axis=(1, 2))
    return each


def reading(path: Path) -> Study:
    """Return the study of the rolls in a file of the user's. Raises NoRolls for one that holds none."""
    name = read(str(path)).name
    return replace(STUDY, rows=partial(rows, name), run=partial(run, file=str(path.absolute())))


STUDY = Study(
    name="jsb",
    title="Chorales: what sounds next?",
    question="Of the 88 keys of a piano, which sound at the next step of a chorale by Bach? How much better than a "
    "tanh RNN are an LSTM and a GRU where nobody has built in a gap?",
    rows=rows,
    run=run,
    report=report,
    walk=CHORDS,
    reading=reading,
)
