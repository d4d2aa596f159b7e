"""Which class a sequence is of: a network that reads it to its end, and what one does without a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..engine.primitive import Array
from ..engine.scope import no_grad
from ..engine.tensor import Tensor
from ..nn import LSTM, Linear, Module, cross_entropy
from ..nn.creation import Seed, generator
from ..structure.words import clean
from ..training.batches import Padded, Shuffled, pad
from .fitting import learn_compiled
from .jacobian import states_of


class Recogniser(Module):
    """Sequences in, scores of the classes out: an LSTM, ``layer``, and a linear head on its last hidden state.

    ``model(xs, lengths)`` takes xs of shape (T, N, D) and how long each sequence is, (N), or None where all have T
    steps; it returns scores, (N, C).

    Arguments:
        inputs: D, the numbers of a step.
        hidden: H.
        classes: C.
        rng: a seed or a numpy Generator.
        dtype: float32 or float64.

    >>> Recogniser(8, 16, classes=10, rng=0)(np.ones((5, 3, 8)), [5, 2, 4]).shape
    (3, 10)
    """

    def __init__(
        self, inputs: int, hidden: int, classes: int, *, rng: Seed = None, dtype: DTypeLike = np.float32
    ) -> None:
        rng = generator(rng)
        self.layer = LSTM(inputs, hidden, rng=rng, dtype=dtype)
        self.head = Linear(hidden, classes, rng=rng, dtype=dtype)

    def forward(self, xs: ArrayLike, lengths: ArrayLike | None = None) -> Tensor:
        """Return the scores of the classes."""
        _, (hidden, _) = self.layer(np.asarray(xs, self.head.weight.dtype), lengths=lengths)
        scores: Tensor = self.head(hidden[-1])  # (N, C)
        return scores


def said_classes(model: Recogniser, sequences: Sequence[ArrayLike]) -> NDArray[np.intp]:
    """Return which class a model finds most likely for each sequence, (T_i, D), of any lengths: (N).

    >>> said_classes(Recogniser(2, 4, classes=3, rng=0), [np.ones((5, 2)), np.zeros((1, 2))]).shape
    (2,)
    """
    with no_grad():
        scores = model(pad(sequences), [len(np.asarray(each)) for each in sequences]).value
    found: NDArray[np.intp] = scores.argmax(axis=-1)
    return found


def cells_of(model: Recogniser, sequences: Sequence[ArrayLike]) -> list[Array]:
    """Return the cell state after each step of each sequence, (T_i, H).

    >>> [each.shape for each in cells_of(Recogniser(2, 4, classes=3, rng=0), [np.ones((5, 2)), np.zeros((1, 2))])]
    [(5, 4), (1, 4)]
    """
    xs = np.asarray(pad(sequences), model.head.weight.dtype)
    cells = np.array([c for _, c in states_of(model.layer.cells[0], xs)])  # (T, N, H)
    return [cells[: len(np.asarray(each)), n] for n, each in enumerate(sequences)]


def learn_classes(
    model: Recogniser,
    sequences: Sequence[ArrayLike],
    classes: ArrayLike,
    *,
    noise: float,
    updates: int,
    seed: int,
    about: str,
    rate: float = 0.005,
    size: int = 32,
) -> tuple[list[tuple[int, float]], bool]:
    """Train a model, its layer as a compiled program, by Adam and half a cosine; return the losses, and if to the end.

    Arguments:
        model: what learns.
        sequences, classes: N sequences, (T_i, D), and the number of the class of each.
        noise: the standard deviation of what is added to them, anew each time, so that none is learned by heart.
        updates: how many.
        seed: their order, and the noise, follow from it.
        about: what stands before the bar.
        rate, size: the largest learning rate, and how many sequences make a batch.

    >>> model = Recogniser(1, 4, classes=2, rng=0)
    >>> how = {"noise": 0.1, "updates": 2, "seed": 0, "about": "signs"}
    >>> curve, whole = learn_classes(model, [[[1.0]], [[-1.0], [-1.0]]], [1, 0], **how)
    signs: 2 updates; ... processor seconds until here
    >>> [update for update, _ in curve], whole
    ([1, 2], True)
    """
    batches = noisy(
        Shuffled(sequences, np.asarray(classes).tolist(), size, seed=seed), noise, np.random.default_rng([seed, 2])
    )
    loss = lambda model, batch: cross_entropy(model(batch.xs, batch.lengths), batch.targets)
    return learn_compiled(model, batches, "layer", rate=rate, steps=updates, loss=loss, about=about)


def noisy(batches: Iterable[Padded], noise: float, rng: np.random.Generator) -> Iterator[Padded]:
    """Yield batches to which a random number is added everywhere, of this standard deviation; another each time.

    Source: K.-C. Jim, C. L. Giles & B. G. Horne, "An Analysis of Noise in Recurrent Neural Networks" (1996).
    """
    for batch in batches:
        yield batch._replace(xs=batch.xs + noise * rng.normal(size=batch.xs.shape))


def squared_distances(ones: ArrayLike, others: ArrayLike) -> Array:
    """Return ‖a − b‖² of each row a of one array and each row b of another, (A, B) of (A, D) and (B, D).

    >>> squared_distances([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]]).tolist()
    [[25.0, 1.0]]
    """
    a, b = np.asarray(ones, np.float64), np.asarray(others, np.float64)
    found: Array = np.maximum((a * a).sum(1)[:, None] - 2 * a @ b.T + (b * b).sum(1), 0.0)
    return found


def warped_distances(ones: Sequence[ArrayLike], others: Sequence[ArrayLike]) -> Array:
    """Return how far sequences lie from one another if each may wait for the other, (A, B): dynamic time warping.

    It is the least sum of ‖a_i − b_j‖² along a way from the first steps to the last on which i, j or both go on by one.

    Arguments:
        ones: A sequences, (T_a, D).
        others: B sequences, (T_b, D).

    Source: H. Sakoe & S. Chiba, "Dynamic programming algorithm optimization for spoken word recognition" (1978), with
    no slope constraint and without weights.

    >>> warped_distances([[[0.0], [1.0]]], [[[0.0], [0.0], [1.0]], [[0.0], [3.0]]]).tolist()
    [[0.0, 4.0]]
    """
    found = np.empty((len(ones), len(others)))
    lengths = np.array([len(np.asarray(each)) for each in others])
    padded = np.asarray(pad(others), np.float64)  # (T, B, D): all others at once, past their end unread
    for place, one in enumerate(ones):
        a = np.asarray(one, np.float64)
        steps = squared_distances(a, padded.reshape(-1, a.shape[1])).reshape(len(a), *padded.shape[:2])
        row = np.cumsum(steps[0], axis=0)  # (T, B): the way along the first step of a
        for near in steps[1:]:
            before = np.minimum(row, np.concatenate([np.full((1, len(others)), np.inf), row[:-1]]))
            row = near + before
            for j in range(1, len(near)):
                row[j] = near[j] + np.minimum(before[j], row[j - 1])
        found[place] = row[lengths - 1, np.arange(len(others))]
    return found


def nearest_class(distances: Array, classes: ArrayLike) -> NDArray[Any]:
    """Return the class of what is nearest to each, (A) of distances (A, B) and B classes: 1-NN.

    Source: T. Cover & P. Hart, "Nearest Neighbor Pattern Classification" (1967).

    >>> nearest_class(np.array([[2.0, 1.0], [0.0, 1.0]]), [7, 8]).tolist()
    [8, 7]
    """
    found: NDArray[Any] = np.asarray(classes)[distances.argmin(axis=1)]
    return found


def most_frequent(learned: ArrayLike, test: ArrayLike) -> float:
    """Return how often one is right who always says what was most frequent.

    >>> most_frequent([1, 1, 2], [1, 2, 2, 2])
    0.25
    """
    return float((np.asarray(test) == np.bincount(np.asarray(learned)).argmax()).mean())


class Labelled(NamedTuple):
    """Sequences, (T_i, D), the number of the class of each, and what the classes are called."""

    sequences: list[Array]
    classes: NDArray[np.intp]
    names: list[str]


def read_ts(path: Path) -> Labelled:
    """Return the sequences of a text file in the form of aeon's: one a line, ``1,2,3:4,5,6:name of its class``.

    Numbers of one dimension stand together, and dimensions apart by colons. What comes before ``@data`` is passed over,
    but for the names of the classes, after ``@classLabel true``.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: in one line, for one that is of another form, or has numbers that are missing.
    """
    sequences, labels, names = [], [], []
    begun = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.lower().startswith("@classlabel"):
            names = line.split()[2:]
        elif begun and line.strip():
            try:
                *dimensions, label = line.strip().split(":")
                sequence = np.array([np.array(each.split(","), np.float64) for each in dimensions]).T
                if sequence.ndim != 2 or not sequence.size or not np.isfinite(sequence).all():
                    raise ValueError("it has no numbers, or some are missing")
                labels.append(names.index(label))
            except ValueError as error:
                raise ValueError(f"{clean(path, 200)}, line {number}: {clean(error, 200)}") from None
            sequences.append(sequence)
        begun = begun or line.lower().startswith("@data")
    if len({sequence.shape[1] for sequence in sequences}) != 1:
        raise ValueError(f"{clean(path, 200)} has no sequences after @data, or not all of as many dimensions")
    return Labelled(sequences, np.array(labels), names)
