"""Truncated backpropagation through time: a long text, read by several readers at once, a window of it at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.tensor import Tensor, tensor
from ..nn import cross_entropy, detach
from ..nn.arguments import positive
from .epochs import Epochs


class Window(NamedTuple):
    """K steps of N streams, what comes after each, and whether the streams begin here."""

    inputs: NDArray[Any]  # (K, N)
    targets: NDArray[Any]  # (K, N): targets[t] is what follows inputs[t]
    first: bool


class Streams(Epochs[Window]):
    """A text cut into N streams that are read side by side, window after window of K steps; endless, or some epochs.

    Stream n is the n-th of N equal stretches, (len(ids) − 1) // N steps each. Where a window ends the next one begins,
    so that a state can be handed on; after the last window, which may be shorter, comes the first again. A position,
    which is how many windows were taken, is all there is to save. Iterating goes on where it stopped.

    Arguments:
        ids: the numbers of the symbols, (M).
        streams: N; fewer, if the text is too short for a step of each.
        window: K.
        epochs: how often to read all of it; None for without end.

    Raises:
        ValueError: for a text of fewer than two symbols, and sizes that are not positive.

    >>> for window in Streams([0, 1, 2, 3, 4, 5, 6, 7, 8], streams=2, window=3, epochs=1):
    ...     print(window.inputs.T.tolist(), window.targets.T.tolist(), window.first)
    [[0, 1, 2], [4, 5, 6]] [[1, 2, 3], [5, 6, 7]] True
    [[3], [7]] [[4], [8]] False
    """

    def __init__(self, ids: ArrayLike, streams: int, window: int, *, epochs: int | None = None) -> None:
        super().__init__(epochs)
        positive(streams=streams, window=window)
        numbers = np.array(ids)
        if numbers.ndim != 1 or len(numbers) < 2:
            raise ValueError(f"a stream needs two symbols or more, one after another, not shape {numbers.shape}")
        N = min(streams, len(numbers) - 1)
        steps = (len(numbers) - 1) // N * N
        self._inputs, self._targets = (each.reshape(N, -1).T for each in (numbers[:steps], numbers[1 : steps + 1]))
        self.window = window

    @property
    def per_epoch(self) -> int:
        """Return how many windows make an epoch."""
        return -(-len(self._inputs) // self.window)

    @property
    def count(self) -> int:
        """Return N, how many streams there are."""
        return int(self._inputs.shape[1])

    def batch(self, epoch: int, i: int) -> Window:
        """Return window i of an epoch."""
        steps = slice(i * self.window, (i + 1) * self.window)
        return Window(self._inputs[steps], self._targets[steps], i == 0)


class TruncatedLoss:
    """The loss of a ``Window``, in nats for each symbol, which hands the state on to the next window, detached.

    No gradient flows back over the beginning of a window, and what came before it is still known: truncated
    backpropagation through time. ``loss(model, window)`` is what ``fit`` takes; the model is a
    ``tl.nn.LanguageModel``, or any that returns scores (K, N, V) and a state.

    Source: R. J. Williams & J. Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network
    Trajectories" (1990), BPTT(h; h′) with h = h′ = K.

    >>> import tinygrad_lstm as tl
    >>> model = tl.nn.LanguageModel(3, 8, rng=0)
    >>> losses = tl.fit(
    ...     model,
    ...     Streams([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], streams=1, window=3),
    ...     loss=TruncatedLoss(),
    ...     optimizer=tl.Adam(model.parameters(), lr=0.05),
    ...     steps=40,
    ... )
    >>> losses[0] > 1, losses[-1] < 0.1
    (True, True)
    """

    def __init__(self) -> None:
        self.state: Any = None

    def __call__(self, model: Any, window: Window) -> Tensor:
        scores, state = model(window.inputs, None if window.first else self.state)
        self.state = detach(state)
        return cross_entropy(scores.reshape(-1, scores.shape[-1]), window.targets.ravel())

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: the parts of the state, of which there may be none yet."""
        parts = self.state if isinstance(self.state, tuple) else () if self.state is None else (self.state,)
        return {
            "alone": not isinstance(self.state, tuple),
            **{f"part.{i}": part.value.copy() for i, part in enumerate(parts)},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        parts = tuple(tensor(state[f"part.{i}"]) for i in range(len(state) - 1))
        self.state = (parts[0] if parts else None) if state["alone"] else parts


def stream_loss(model: Any, ids: ArrayLike, *, streams: int, window: int) -> float:
    """Return the mean loss over a text in nats for each symbol, read as ``Streams`` does, the state handed on.

    Give it a model in evaluation, under ``tl.no_grad()``, as ``Validation`` does.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> model = tl.nn.LanguageModel(3, 8, rng=0)
    >>> model.head.weight.value = np.zeros((8, 3)); model.head.bias.value = np.zeros(3)
    >>> round(stream_loss(model, [0, 1, 2, 0, 1], streams=1, window=3), 4)  # log 3
    1.0986
    """
    loss, total, count = TruncatedLoss(), 0.0, 0
    for each in Streams(ids, streams, window, epochs=1):
        total += loss(model, each).item() * each.targets.size
        count += each.targets.size
    return total / count
