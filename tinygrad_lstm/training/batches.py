"""Batches of sequences of different length: shuffled by a seed, padded, and each knows how long its sequences are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ShapeError
from ..nn.arguments import positive, within
from ..nn.classification import IGNORED
from .epochs import Epochs


class Padded(NamedTuple):
    """A batch of N sequences: ``layer(batch.xs, lengths=batch.lengths)`` sees none of the padding."""

    xs: NDArray[Any]  # (T, N, ...), T being the longest
    lengths: NDArray[np.intp]  # (N)
    targets: NDArray[Any]  # (N, ...), or (T, N, ...) where there is one for each step


def pad(sequences: Sequence[ArrayLike], value: float = 0) -> NDArray[Any]:
    """Return sequences side by side, (T, N, ...), with a value past the end of each.

    Raises ShapeError for none, for one without a step, and for steps of different shapes.

    >>> pad([[1, 2, 3], [4]], value=-1).tolist()
    [[1, 4], [2, -1], [3, -1]]
    """
    arrays = [np.asarray(sequence) for sequence in sequences]
    lengths = [len(array) if array.ndim else 0 for array in arrays]
    if not arrays or not all(lengths):
        raise ShapeError("what is padded is one sequence or more, each of one step at least")
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) > 1:
        raise ShapeError(f"the steps of all sequences must have one shape, not {', '.join(map(str, sorted(shapes)))}")
    padded = np.full((max(lengths), len(arrays), *shapes.pop()), value, dtype=np.result_type(*arrays))
    for n, array in enumerate(arrays):
        padded[: len(array), n] = array
    return padded


class Shuffled(Epochs[Padded]):
    """Batches of sequences and their targets, in another order in each epoch; endless, unless ``epochs`` says when.

    The order of an epoch is drawn from the seed and the number of the epoch, so that a position, which is how many
    batches were taken, is all there is to save. Iterating goes on where it stopped.

    Arguments:
        sequences: M of them, each (T_i, ...).
        targets: one for each sequence, or, with ``every_step``, (T_i, ...) for each.
        size: N, how many make a batch; the last of an epoch may be smaller.
        seed: a whole number from 0 on.
        epochs: how often to go through all of them.
        every_step: whether there is a target for each step; these are padded with −100, which ``tl.cross_entropy``
            ignores.

    Raises:
        ValueError: for a size that is not positive, sequences and targets that are not as many, and, when taken,
            for targets that are not one for each step, or, without ``every_step``, not all of one shape.

    >>> batches = Shuffled([[1], [2, 3], [4, 5, 6]], [0, 1, 0], size=2, seed=1, epochs=1)
    >>> for batch in batches:
    ...     print(batch.xs.tolist(), batch.lengths, batch.targets)
    [[1, 2], [0, 3]] [1 2] [0 1]
    [[4], [5], [6]] [3] [0]
    """

    def __init__(
        self,
        sequences: Sequence[ArrayLike],
        targets: Sequence[ArrayLike],
        size: int,
        *,
        seed: int = 0,
        epochs: int | None = None,
        every_step: bool = False,
    ) -> None:
        super().__init__(epochs)
        positive(size=size)
        within(0, np.inf, seed=seed)
        if not len(sequences) or len(sequences) != len(targets):
            raise ValueError(f"{len(sequences)} sequences and {len(targets)} targets; there must be one for each")
        self.sequences, self.targets, self.size = sequences, targets, size
        self.seed, self.every_step = seed, every_step
        self._order: tuple[int, NDArray[np.intp]] = (-1, np.empty(0, np.intp))

    @property
    def per_epoch(self) -> int:
        """Return how many batches make an epoch."""
        return -(-len(self.sequences) // self.size)

    def batch(self, epoch: int, i: int) -> Padded:
        """Return batch i of an epoch."""
        if self._order[0] != epoch:
            self._order = epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.sequences))
        chosen = self._order[1][i * self.size : (i + 1) * self.size]
        xs, targets = ([each[n] for n in chosen] for each in (self.sequences, self.targets))
        padded, lengths = pad(xs), np.array([len(np.asarray(x)) for x in xs])
        if not self.every_step:
            return Padded(padded, lengths, _stacked(targets))
        for n, length, target in zip(chosen, lengths, targets, strict=True):
            if len(np.atleast_1d(target)) != length:
                raise ValueError(f"sequence {n} has {length} steps, and {len(np.atleast_1d(target))} targets")
        return Padded(padded, lengths, pad(targets, IGNORED))


def _stacked(targets: list[ArrayLike]) -> NDArray[Any]:
    """Return targets of one shape as one array."""
    shapes = {np.shape(target) for target in targets}
    if len(shapes) > 1:
        named = ", ".join(map(str, sorted(shapes)))
        raise ValueError(f"targets have shapes {named}; where there is one for each step, say every_step=True")
    return np.asarray(targets)
