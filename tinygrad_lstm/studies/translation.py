"""One sequence of symbols into another: an encoder reads it, a decoder writes, and looks back at each step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..engine.functions import concat
from ..engine.ops import softmax, tanh, transpose
from ..engine.primitive import Array
from ..engine.scope import no_grad
from ..engine.tensor import Tensor
from ..nn import LSTM, Embedding, Linear, Module, cross_entropy
from ..nn.classification import IGNORED
from ..nn.creation import Seed, generator
from .fitting import learn_compiled

END = ""
"""The symbol that ends what is written, and that the decoder reads before the first."""

Pair = tuple[Sequence[str], Sequence[str]]
"""What is read, and what is to be written of it, symbol by symbol."""


class Batch(NamedTuple):
    """N pairs as numbers. All that is read has the same length, so that nothing is padded but what is written."""

    read: NDArray[np.intp]  # (T, N)
    before: NDArray[np.intp]  # (W, N), what the decoder reads at each step: END, and what came last
    wanted: NDArray[np.intp]  # (W, N), what it is to write: the symbols, END, and then IGNORED


class Translation(NamedTuple):
    """What was written of a sequence, and how much of each step looked at each symbol that was read: (W, T)."""

    symbols: list[str]
    looked: Array


class Translator(Module):
    """Symbols in, scores of symbols out: ``encoder`` reads both ways, ``decoder`` begins in the state it ends with.

    After each step of the decoder, of state s, each output h_t of the encoder is looked at by α = softmax(sᵀ h), and
    what is seen, Σ α_t h_t, is put beside s: tanh(W [Σ α_t h_t, s]) goes to a linear head. Nothing of it goes back
    into the decoder, so that all steps of a sequence that is known are looked at in one product.

    ``model(read, before)`` takes the numbers of symbols, (T, N), and of those written before each step, (W, N), the
    first END's; it returns the scores of the next, (W, N, V).

    Arguments:
        reads, writes: the symbols it can read, and can write; END is added to the latter, as the first.
        hidden: H of the decoder; the encoder has H/2 each way. It is even.
        embedding: how many numbers stand for a symbol.
        rng: a seed or a numpy Generator.
        dtype: float32 or float64.

    Raises ValueError for an H that is odd.

    Source: M.-T. Luong, H. Pham & C. D. Manning, "Effective Approaches to Attention-based Neural Machine Translation"
    (2015), equations 5 to 8, score "dot"; D. Bahdanau, K. Cho & Y. Bengio (2015), who read both ways.

    >>> model = Translator("abc", ["X", "Y"], hidden=4, rng=0)
    >>> model([[0, 1], [2, 2], [1, 0]], [[0, 0], [1, 2]]).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        reads: Sequence[str],
        writes: Sequence[str],
        hidden: int,
        *,
        embedding: int = 64,
        rng: Seed = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if hidden % 2:
            raise ValueError(f"half of the hidden units read each way; {hidden} are odd")
        rng = generator(rng)
        self.reads, self.writes = list(reads), [END, *writes]
        self.letters = Embedding(len(self.reads), embedding, rng=rng, dtype=dtype)
        self.encoder = LSTM(embedding, hidden // 2, bidirectional=True, rng=rng, dtype=dtype)
        self.symbols = Embedding(len(self.writes), embedding, rng=rng, dtype=dtype)
        self.decoder = LSTM(embedding, hidden, rng=rng, dtype=dtype)
        self.beside = Linear(2 * hidden, hidden, rng=rng, dtype=dtype)
        self.head = Linear(hidden, len(self.writes), rng=rng, dtype=dtype)

    @classmethod
    def of(cls, pairs: Sequence[Pair], hidden: int, *, rng: Seed = None) -> Translator:
        """Return one for the symbols of pairs.

        >>> Translator.of([("ab", "X"), ("cb", "YX")], 4, rng=0).reads
        ['a', 'b', 'c']
        """
        reads, writes = (sorted({symbol for pair in pairs for symbol in pair[n]}) for n in (0, 1))
        return cls(reads, writes, hidden, rng=rng)

    def forward(self, read: ArrayLike, before: ArrayLike) -> Tensor:
        """Return the scores of what comes after each symbol that was written."""
        seen, state = self.encode(read)
        output, _ = self.decoder(self.symbols(np.asarray(before)), state)
        scores, _ = self.look(output, seen)
        return scores

    def encode(self, read: ArrayLike) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return what the encoder says of each symbol, (T, N, H), and the state for the decoder, twice (1, N, H)."""
        seen, (h, c) = self.encoder(self.letters(np.asarray(read)))
        return seen, (concat([h[:1], h[1:]], axis=-1), concat([c[:1], c[1:]], axis=-1))

    def look(self, output: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores after steps of the decoder, (W, N, V), and how much each looked at what, (N, W, T)."""
        keys, queries = transpose(seen, axes=(1, 0, 2)), transpose(output, axes=(1, 0, 2))
        looked = softmax(queries @ transpose(keys, axes=(0, 2, 1)), axis=-1)  # (N, W, T)
        looked.name = "α"
        context = transpose(looked @ keys, axes=(1, 0, 2))  # (W, N, H)
        scores: Tensor = self.head(tanh(self.beside(concat([context, output], axis=-1))))
        return scores, looked

    def surprise(self, batch: Batch) -> Tensor:
        """Return how much what is to be written surprises, each symbol after those before it, in nats."""
        scores = self(batch.read, batch.before)
        loss: Tensor = cross_entropy(scores.reshape(-1, len(self.writes)), batch.wanted.ravel())
        return loss

    def batch(self, pairs: Sequence[Pair]) -> Batch:
        """Return pairs as numbers. Raises ValueError if what is read is not of one length, KeyError for new symbols.

        >>> read, before, wanted = Translator("ab", "XY", 4, rng=0).batch([("ab", "X"), ("bb", "YX")])
        >>> read.tolist(), before.tolist(), wanted.tolist()
        ([[0, 1], [1, 1]], [[0, 0], [1, 2], [0, 1]], [[1, 2], [0, 1], [-100, 0]])
        """
        number = {symbol: n for n, symbol in enumerate(self.writes)}
        before = np.zeros((max(len(wanted) for _, wanted in pairs) + 1, len(pairs)), np.intp)
        wanted = np.full(before.shape, IGNORED, np.intp)
        for n, (_, symbols) in enumerate(pairs):
            numbers = [number[symbol] for symbol in symbols]
            before[1 : len(numbers) + 1, n] = numbers
            wanted[: len(numbers) + 1, n] = [*numbers, 0]
        return Batch(self.numbers([each for each, _ in pairs]), before, wanted)

    def numbers(self, sequences: Sequence[Sequence[str]]) -> NDArray[np.intp]:
        """Return sequences of one length as numbers of what can be read, (T, N)."""
        number = {symbol: n for n, symbol in enumerate(self.reads)}
        if len({len(each) for each in sequences}) != 1:
            raise ValueError("what is read together has one length")
        return np.array([[number[symbol] for symbol in each] for each in sequences], np.intp).T

    def translate(self, sequences: Sequence[Sequence[str]], most: int = 30) -> list[Translation]:
        """Return what it writes of sequences, at each step the likeliest symbol, up to END or ``most``.

        >>> [(len(each.symbols), each.looked.shape) for each in Translator("ab", "X", 4, rng=0).translate(["a", "ba"])]
        [(..., (..., 1)), (..., (..., 2))]
        """
        found: list[Translation] = [Translation([], np.zeros((0, 0)))] * len(sequences)
        lengths = np.array([len(each) for each in sequences])
        with no_grad():
            for length in np.unique(lengths):
                for which in np.array_split(alike := np.flatnonzero(lengths == length), -(-len(alike) // 256)):
                    for n, each in zip(which, self._of_one_length([sequences[n] for n in which], most), strict=True):
                        found[n] = each
        return found

    def _of_one_length(self, sequences: Sequence[Sequence[str]], most: int) -> list[Translation]:
        seen, state = self.encode(self.numbers(sequences))
        said = np.zeros((1, len(sequences)), np.intp)
        written, looked, open_ = [], [], np.ones(len(sequences), bool)
        for _ in range(most):
            output, state = self.decoder(self.symbols(said), state)
            scores, at = self.look(output, seen)
            said = scores.value.argmax(axis=-1)
            written.append(said[0])
            looked.append(at.value[:, 0])
            open_ &= said[0] != 0
            if not open_.any():
                break
        steps = np.array(looked)  # (W, N, T)
        lengths = [int(np.append(column, 0).argmin()) for column in np.array(written).T]  # END has the number 0
        return [
            Translation([self.writes[step[n]] for step in written[:length]], steps[:length, n])
            for n, length in enumerate(lengths)
        ]


def of_one_length(pairs: Sequence[Pair], size: int, rng: np.random.Generator) -> Iterator[list[Pair]]:
    """Yield batches of pairs, endlessly, shuffled anew each time round; what is read in one batch has one length.

    >>> batches = of_one_length([("ab", "X"), ("c", "Y"), ("ba", "Z")], 2, np.random.default_rng(0))
    >>> sorted(len(next(batches)) for _ in range(2))
    [1, 2]
    """
    lengths = np.array([len(read) for read, _ in pairs])
    while True:
        order = rng.permutation(len(pairs))
        order = order[np.argsort(lengths[order], kind="stable")]
        alike = np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1)
        batches = [each[at : at + size] for each in alike for at in range(0, len(each), size)]
        for n in rng.permutation(len(batches)):
            yield [pairs[i] for i in batches[n]]


def learn_translation(
    model: Translator, pairs: Sequence[Pair], *, updates: int, seed: int, about: str, rate: float, size: int = 64
) -> tuple[list[tuple[int, float]], bool]:
    """Train a model, both LSTMs as compiled programs, by Adam and half a cosine; return the losses, and if to the end.

    Arguments:
        model: what learns.
        pairs: what is read, and what is to be written of it.
        updates: how many.
        seed: the order of the pairs follows from it.
        about: what stands before the bar.
        rate, size: the largest learning rate, and how many pairs make a batch at most.

    >>> model = Translator("ab", "XY", 4, rng=0)
    >>> how = {"updates": 2, "seed": 0, "rate": 0.01, "about": "two words"}
    >>> [update for update, _ in learn_translation(model, [("ab", "X"), ("b", "Y")], **how)[0]]
    two words: 2 updates; ... processor seconds until here
    [1, 2]
    """
    batches = of_one_length(pairs, size, np.random.default_rng([seed, 3]))
    loss = lambda model, some: model.surprise(model.batch(some))
    return learn_compiled(model, batches, "encoder", "decoder", rate=rate, steps=updates, loss=loss, about=about)


def decoder_cells(model: Translator, pairs: Sequence[Pair]) -> list[Array]:
    """Return the decoder's cell state before it writes each symbol of each pair, and END: (W + 1, H).

    >>> [each.shape for each in decoder_cells(Translator("ab", "XY", 4, rng=0), [("ab", "X"), ("b", "YX")])]
    [(2, 4), (3, 4)]
    """
    found = []
    with no_grad():
        for pair in pairs:
            read, before, _ = model.batch([pair])
            _, (h, c) = model.encode(read)
            state, cells = (h[0], c[0]), []
            for x in model.symbols(before):
                state = model.decoder.cells[0](x, state)
                cells.append(state[1].value[0])
            found.append(np.array(cells))
    return found


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many symbols must be put in, left out or changed, at least, to make one sequence of another.

    Source: V. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals" (1966).

    >>> distance("kitten", "sitting")
    3
    """
    row = list(range(len(other) + 1))
    for i, symbol in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, wanted in enumerate(other, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (symbol != wanted))
    return row[-1]


def error_rates(said: Sequence[Sequence[str]], wanted: Sequence[Sequence[Sequence[str]]]) -> tuple[float, float]:
    """Return how many symbols are wrong, as a share of those wanted, and which share of sequences is not all right.

    Of several that may be wanted, that counts which is nearest.

    >>> error_rates(["ab", "c"], [["abcd", "abc"], ["c"]])
    (0.25, 0.5)
    """
    nearest = [
        min((distance(one, each), len(each)) for each in several) for one, several in zip(said, wanted, strict=True)
    ]
    wrong, length = np.array(nearest).T
    return float(wrong.sum() / max(length.sum(), 1)), float((wrong > 0).mean())


def read_pairs(text: str) -> dict[str, list[list[str]]]:
    """Return of each word what may be written of it: a line has a word, and then the symbols, by blanks.

    As in CMU's dictionary, "word(2)" is another way to say a word, "#" and ";;;" begin a comment, and of symbols that
    are capitals with a digit behind, as AH0, the digit, which is the stress, is left out.

    >>> read_pairs(";;; letters\\na AH0\\na(2) EY1 # the letter\\na(3) EY2\\n")
    {'a': [['AH'], ['EY']]}
    """
    found: dict[str, list[list[str]]] = {}
    for line in text.splitlines():
        word, *symbols = re.split("#|;;;", line)[0].split() or [""]
        said = [re.sub(r"^([A-Z]+)\d$", r"\1", symbol) for symbol in symbols]
        several = found.setdefault(re.sub(r"(?<=.)\(\d+\)$", "", word).lower(), [])
        if said and said not in several:
            several.append(said)
    return {word: several for word, several in found.items() if several}
