"""What one sees, said in words: an LSTM reads vectors, another goes on from its state and writes a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..engine.scope import no_grad
from ..engine.tensor import Tensor
from ..nn import LSTM, Embedding, Linear, Module, cross_entropy
from ..nn.creation import Seed, generator
from .fitting import learn_compiled

END = "."
"""The word that ends a sentence, and that the writer reads before the first."""


class Captioner(Module):
    """Vectors in, scores of words out: ``eye``, an LSTM, hands its last state to ``pen``, a second one, and a head.

    ``model(xs, words)`` takes xs of shape (T, N, D) and the numbers of the words written before, (W, N), of which the
    first is that of END; it returns the scores of the next, (W, N, V).

    Arguments:
        inputs: D.
        hidden: H of both.
        words: the vocabulary, V words, of which the first is END.
        rng: a seed or a numpy Generator.
        dtype: float32 or float64.

    Source: I. Sutskever, O. Vinyals & Q. V. Le, "Sequence to Sequence Learning with Neural Networks" (2014); from
    pictures, O. Vinyals et al., "Show and Tell" (2015).

    >>> model = Captioner(6, 4, [END, "left", "right"], rng=0)
    >>> model(np.ones((5, 2, 6)), [[0, 0], [1, 2]]).shape
    (2, 2, 3)
    """

    def __init__(
        self, inputs: int, hidden: int, words: Sequence[str], *, rng: Seed = None, dtype: DTypeLike = np.float32
    ) -> None:
        rng = generator(rng)
        self.words = list(words)
        self.eye = LSTM(inputs, hidden, rng=rng, dtype=dtype)
        self.embedding = Embedding(len(self.words), 16, rng=rng, dtype=dtype)
        self.pen = LSTM(16, hidden, rng=rng, dtype=dtype)
        self.head = Linear(hidden, len(self.words), rng=rng, dtype=dtype)

    def forward(self, xs: ArrayLike, words: ArrayLike) -> Tensor:
        """Return the scores of the next word after each."""
        _, state = self.eye(np.asarray(xs, self.head.weight.dtype))
        output, _ = self.pen(self.embedding(np.asarray(words)), state)
        scores: Tensor = self.head(output)
        return scores

    def surprise(self, xs: ArrayLike, numbers: NDArray[np.intp], before: NDArray[np.intp] | None = None) -> Tensor:
        """Return how much the words of sentences, as ``numbers`` returns them, surprise, each after those before.

        What stands in ``before``, (W, N), is read instead of the right words, if it is given.
        """
        scores = self(xs, numbers[:-1] if before is None else before)
        loss: Tensor = cross_entropy(scores.reshape(-1, len(self.words)), numbers[1:].ravel())
        return loss

    def numbers(self, sentences: Sequence[Sequence[str]]) -> NDArray[np.intp]:
        """Return sentences as numbers, (W + 1, N): END, the words, and END until the longest ends.

        >>> Captioner(6, 4, [END, "go", "left"], rng=0).numbers([["go"], ["go", "left"]]).tolist()
        [[0, 0], [1, 1], [0, 2], [0, 0]]
        """
        number = {word: n for n, word in enumerate(self.words)}
        found = np.zeros((max(map(len, sentences)) + 2, len(sentences)), np.intp)
        for n, sentence in enumerate(sentences):
            found[1 : len(sentence) + 1, n] = [number[word] for word in sentence]
        return found

    def write(self, xs: ArrayLike, most: int = 20) -> list[list[str]]:
        """Return the sentences that it writes of xs, (T, N, D), word by word: at each place the likeliest."""
        with no_grad():
            _, state = self.eye(np.asarray(xs, self.head.weight.dtype))
            said = np.zeros((1, state[0].shape[1]), np.intp)
            written = []
            for _ in range(most):
                output, state = self.pen(self.embedding(said), state)
                said = self.head(output).value.argmax(axis=-1)
                written.append(said[0])
                if not said.any():
                    break
        return [_until_end([self.words[word] for word in column]) for column in np.array(written).T]


def _until_end(words: list[str]) -> list[str]:
    return words[: words.index(END)] if END in words else words


def learn_captions(
    model: Captioner,
    batches: Iterable[tuple[ArrayLike, Sequence[Sequence[str]]]],
    *,
    updates: int,
    about: str,
    rate: float = 0.01,
    hide: float = 0.0,
    rng: Seed = None,
) -> tuple[list[tuple[int, float]], bool]:
    """Train a model, both LSTMs as compiled programs, by Adam and half a cosine; return the losses, and if to the end.

    Arguments:
        model: what learns.
        batches: what is seen, (T, N, D), and what is to be said of it, N sentences; one pair for each update.
        updates: how many.
        about: what stands before the bar.
        rate: the largest learning rate.
        hide: which share of the words before is not read, but END, other ones each time: so that it has to look, and
            does not go on as it did before.
        rng: a seed or a numpy Generator, by which they are chosen.

    Source: hidden words, S. Bowman et al., "Generating Sentences from a Continuous Space" (2016), section 3.1.

    >>> model, batch = Captioner(1, 4, [END, "up"], rng=0), (np.ones((2, 1, 1)), [["up"]])
    >>> len(learn_captions(model, [batch] * 3, updates=3, about="one word")[0])
    one word: 3 updates; ... processor seconds until here
    3
    """
    chosen = generator(rng)

    def loss(model: Captioner, batch: tuple[ArrayLike, Sequence[Sequence[str]]]) -> Tensor:
        numbers = model.numbers(batch[1])
        hidden = chosen.random(numbers[:-1].shape) < hide
        return model.surprise(batch[0], numbers, np.where(hidden, 0, numbers[:-1]))

    return learn_compiled(model, batches, "eye", "pen", rate=rate, steps=updates, loss=loss, about=about)


def most_frequent_words(sentences: Sequence[Sequence[str]]) -> list[str]:
    """Return the word that is most frequent at each place of sentences; of two as frequent the first by name.

    >>> most_frequent_words([["go", "left"], ["go", "right"], ["go"]])
    ['go', 'left']
    """
    places = [[each[n] for each in sentences if n < len(each)] for n in range(max(map(len, sentences)))]
    return [max(sorted(set(words)), key=words.count) for words in places]


def words_right(said: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Return which share of sentences is right as a whole, and of their words, place by place.

    >>> words_right([["go", "left"], ["go"]], [["go", "right"], ["go"]])
    (0.5, 0.6666666666666666)
    """
    exact = np.mean([list(one) == list(other) for one, other in zip(said, wanted, strict=True)])
    pairs: list[Any] = [
        n < len(one) and one[n] == word for one, other in zip(said, wanted, strict=True) for n, word in enumerate(other)
    ]
    return float(exact), float(np.mean(pairs))


def word_f1(said: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]]) -> float:
    """Return the mean F1 of the words of sentences, wherever they stand: 2 · common / (said + wanted).

    >>> word_f1([["go", "left"], ["go"]], [["left", "go"], ["stop"]])
    0.5
    """
    common = [(Counter(one) & Counter(other)).total() for one, other in zip(said, wanted, strict=True)]
    sizes = [len(one) + len(other) for one, other in zip(said, wanted, strict=True)]
    return float(np.mean([2 * both / size if size else 1.0 for both, size in zip(common, sizes, strict=True)]))
