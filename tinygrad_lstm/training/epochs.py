"""Batches epoch after epoch, from data that is all there: a position, how many were taken, is all there is to save."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, Self, TypeVar

from ..nn.arguments import positive

Batch = TypeVar("Batch", covariant=True)


class Epochs(Iterator[Batch], Generic[Batch]):
    """An iterator over batches that goes on where it stopped, without end or for so many epochs.

    A class of this kind says how many batches are ``per_epoch``, and returns one by its epoch and number: ``batch``.

    Raises ValueError for a number of epochs that is not positive.

    >>> class Letters(Epochs):
    ...     per_epoch = 2
    ...     def batch(self, epoch, i):
    ...         return f"{epoch}{'ab'[i]}"
    >>> list(Letters(epochs=2))
    ['0a', '0b', '1a', '1b']
    """

    def __init__(self, epochs: int | None = None) -> None:
        if epochs is not None:
            positive(epochs=epochs)
        self.epochs, self.position = epochs, 0

    @property
    def per_epoch(self) -> int:
        """Return how many batches make an epoch."""
        raise NotImplementedError

    def batch(self, epoch: int, i: int) -> Batch:
        """Return batch i of an epoch, both counted from 0."""
        raise NotImplementedError

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        epoch, i = divmod(self.position, self.per_epoch)
        if self.epochs is not None and epoch >= self.epochs:
            raise StopIteration
        self.position += 1
        return self.batch(epoch, i)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"position": self.position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self.position = int(state["position"])
