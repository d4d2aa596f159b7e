"""Several voices at once: an LSTM hears which keys sound at each step, and says of each how likely it sounds next."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine.ops import sigmoid
from ..engine.primitive import Array
from ..engine.scope import no_grad
from ..engine.tensor import Tensor
from ..nn import LSTM, Linear, Module, binary_cross_entropy_with_logits
from ..nn.classification import IGNORED
from ..nn.creation import Seed, generator
from ..training.batches import Padded, Shuffled
from ..training.fit import Moment
from .fitting import learn_compiled
from .jacobian import states_of
from .rolls import KEYS, LOWEST, Roll, Rolls, nexts
from .tunes import Note

TONES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
"""The keys of an octave."""


class Polyphony(Module):
    """Keys that sound in, scores of those that sound next out: an LSTM, ``layer``, and a linear head.

    ``model(xs)`` takes and returns (T, N, 88). Given what sounds now and before, the keys of the next step are taken to
    be independent of each other.

    Arguments:
        hidden: H.
        rng: a seed or a numpy Generator.
        dtype: float32 or float64.

    Source: N. Boulanger-Lewandowski, Y. Bengio & P. Vincent (2012), the task; S. Bai, J. Z. Kolter & V. Koltun, "An
    Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling" (2018), with an LSTM.

    >>> Polyphony(4, rng=0)(np.zeros((5, 2, 88))).shape
    (5, 2, 88)
    """

    def __init__(self, hidden: int, *, rng: Seed = None, dtype: DTypeLike = np.float32) -> None:
        rng = generator(rng)
        self.layer = LSTM(KEYS, hidden, rng=rng, dtype=dtype)
        self.head = Linear(hidden, KEYS, rng=rng, dtype=dtype)

    def forward(self, xs: ArrayLike) -> Tensor:
        """Return the scores of the keys at the next step."""
        output, _ = self.layer(np.asarray(xs, self.head.weight.dtype))
        scores: Tensor = self.head(output)
        return scores

    def surprise(self, batch: Padded) -> Tensor:
        """Return how much the next steps of pieces surprise, summed over the keys, on average over steps, in nats."""
        within = batch.targets != IGNORED
        wanted = np.where(within, batch.targets, 0).astype(self.head.weight.dtype)
        each = binary_cross_entropy_with_logits(self(batch.xs), wanted, within, reduction="sum")
        loss: Tensor = each / int(within.any(axis=-1).sum())
        return loss


def loss_by_step(model: Polyphony, pieces: Sequence[Roll]) -> float:
    """Return the loss of a step, on average over all steps of all pieces but the first of each, in nats."""
    steps = sum(len(roll) - 1 for roll in pieces)
    total = 0.0
    with no_grad():
        for batch in Shuffled(*nexts(pieces), 16, epochs=1, every_step=True):
            total += model.surprise(batch).item() * int((batch.targets != IGNORED).any(axis=-1).sum())
    return total / steps


def learn_polyphony(
    model: Polyphony, rolls: Rolls, *, epochs: int, seed: int, about: str, rate: float, size: int = 8
) -> tuple[list[tuple[int, float]], bool]:
    """Train a model, its layer as a compiled program, and keep it as it was best on the pieces to choose by.

    Arguments:
        model: what learns.
        rolls: the pieces.
        epochs: how often those to learn from are gone through; after each, those to choose by are asked.
        seed: the order of the pieces follows from it.
        about: what stands before the bar.
        rate, size: the largest learning rate, and how many pieces make a batch.

    Returns:
        The number of the last update of each epoch with the loss on the pieces to choose by, and if it came to the end.
    """
    batches = Shuffled(*nexts(rolls.train), size, seed=seed, every_step=True)
    curve: list[tuple[int, float]] = []
    kept = model.state_dict()

    def look(moment: Moment) -> None:
        if moment.step % batches.per_epoch == 0:
            now = loss_by_step(model, rolls.valid)
            if now < min((loss for _, loss in curve), default=np.inf):
                kept.update(model.state_dict())
            curve.append((moment.step, now))

    loss = lambda model, batch: model.surprise(batch)
    steps = epochs * batches.per_epoch
    learned, whole = learn_compiled(
        model, batches, "layer", rate=rate, steps=steps, loss=loss, about=about, callbacks=[look]
    )
    if curve:
        model.load_state_dict(kept)
    else:  # stopped within the first epoch
        curve.append((len(learned), loss_by_step(model, rolls.valid)))
    return curve, whole


def cells_after(model: Polyphony, pieces: Sequence[Roll]) -> list[Array]:
    """Return the cell state after each step of each piece, (T, H).

    >>> [each.shape for each in cells_after(Polyphony(4, rng=0), [np.zeros((3, 88), np.uint8)])]
    [(3, 4)]
    """
    dtype = model.head.weight.dtype
    return [np.array([c for _, c in states_of(model.layer.cells[0], roll.astype(dtype))]) for roll in pieces]


def compose(model: Polyphony, begun: Roll, steps: int, rng: np.random.Generator) -> Roll:
    """Return how a piece might go on, (steps, 88): each key is drawn by its chance, after what sounded before.

    >>> compose(Polyphony(4, rng=0), np.zeros((2, 88), np.uint8), 3, np.random.default_rng(0)).shape
    (3, 88)
    """
    drawn, state, xs = [], None, begun
    dtype = model.head.weight.dtype
    with no_grad():
        for _ in range(steps):
            output, state = model.layer(xs[:, None].astype(dtype), state)
            chances = sigmoid(model.head(output[-1:])).value[:, 0]  # (1, 88)
            xs = (rng.random(chances.shape) < chances).astype(np.uint8)
            drawn.append(xs[0])
    return np.array(drawn)


def notes_of(roll: Roll, step: Fraction = Fraction(1, 8)) -> list[Note]:
    """Return the notes of a roll; a key that sounds at steps in a row is one note. A step is so much of a whole note.

    >>> roll = np.zeros((3, 88), np.uint8)
    >>> roll[1:, 39] = 1
    >>> notes_of(roll)
    [Note(start=Fraction(1, 8), length=Fraction(1, 4), pitch=60)]
    """
    found = []
    for key in np.flatnonzero(roll.any(axis=0)).tolist():
        changes = np.flatnonzero(np.diff(roll[:, key].astype(np.int8), prepend=0, append=0)).tolist()
        for start, end in zip(changes[::2], changes[1::2], strict=True):
            found.append(Note(start * step, (end - start) * step, key + LOWEST))
    return found


def share_of(roll: Roll, tone: int) -> Array:
    """Return for each step which share of what sounds in the whole piece is a tone, in any octave, 0 being C: (T).

    >>> roll = np.zeros((3, 88), np.uint8)
    >>> roll[:, 66 - LOWEST] = roll[0, 62 - LOWEST] = 1  # F sharp, and D
    >>> share_of(roll, 6)
    array([0.75, 0.75, 0.75])
    """
    of_tone = (np.arange(KEYS) + LOWEST) % 12 == tone
    return np.full(len(roll), roll[:, of_tone].sum() / max(int(roll.sum()), 1))


def name_of(key: int) -> str:
    """Return what a key is called, counted from 0.

    >>> name_of(0), name_of(39), name_of(40)
    ('A0', 'C4', 'C♯4')
    """
    return f"{TONES[(key + LOWEST) % 12]}{(key + LOWEST) // 12 - 1}"
