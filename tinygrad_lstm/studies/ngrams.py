"""What comes next by counting: n-grams, as language was modelled before networks, and mostly still well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import log2

import numpy as np

from ..engine.primitive import Array
from .tasks import Sequences

Gram = tuple[int, ...]


class KneserNey:
    """An n-gram model, smoothed as by Kneser and Ney, interpolated, with three discounts.

    With c the count of an n-gram, the chance of symbol w after a context u of n − 1 symbols is
    ``(c(uw) − D(c)) / c(u) + γ(u) P(w | u without its first)``, where γ hands on what the discounts D took. Lower
    orders count in how many different places an n-gram stands, not how often; below the unigram all symbols are
    alike. A context that never came is passed over.

    Arguments:
        numbers: the symbols of the text that it counts, by their numbers.
        order: n.
        symbols: V, how many there are.

    Raises:
        ValueError: for an order below 1, and a text that is shorter than that.

    Source: R. Kneser & H. Ney, "Improved backing-off for m-gram language modeling" (1995); interpolated and with
    discounts for counts of 1, 2, and 3 or more, S. Chen & J. Goodman, "An Empirical Study of Smoothing Techniques for
    Language Modeling" (1998), equations 26 and 27.

    >>> model = KneserNey([0, 1, 2] * 9, order=3, symbols=3)
    >>> round(sum(model.chance((0, 1), w) for w in range(3)), 9), model.chance((0, 1), 2) > 0.9
    (1.0, True)
    """

    def __init__(self, numbers: Sequence[int], order: int, symbols: int) -> None:
        text = [int(number) for number in numbers]
        if not 1 <= order <= len(text):
            raise ValueError(f"the order of n-grams is 1 or more, and {len(text)} symbols have none of {order}")
        self.order, self.symbols = order, symbols
        counts = Counter(zip(*(text[start:] for start in range(order)), strict=False))
        self._levels: list[tuple[Counter[Gram], dict[Gram, tuple[int, float]], tuple[float, ...]]] = []
        while True:
            discounts = _discounts(counts)
            self._levels.insert(0, (counts, _contexts(counts, discounts), discounts))
            if len(self._levels) == order:
                break
            counts = Counter(gram[1:] for gram in counts)  # each different n-gram once: in how many places

    def chance(self, context: Sequence[int], symbol: int) -> float:
        """Return the chance that a symbol comes after a context, of which the last n − 1 matter."""
        last = tuple(context)[max(0, len(context) - self.order + 1) :]
        chance = 1.0 / self.symbols
        for n in range(len(last) + 1):
            counts, contexts, discounts = self._levels[n]
            before = last[len(last) - n :]
            if before not in contexts:
                break  # nor did any longer one
            total, left_over = contexts[before]
            count = counts.get((*before, symbol), 0)
            chance = max(count - discounts[min(count, 3)], 0.0) / total + left_over * chance
        return chance

    def bits(self, numbers: Sequence[int], before: Sequence[int] = ()) -> float:
        """Return the mean of −log₂ of the chance of each symbol of a text, in bits, after what stood before it.

        >>> round(KneserNey([0, 1] * 50, order=2, symbols=2).bits([0, 1] * 4), 2) < 0.2
        True
        """
        whole = [*(int(n) for n in before), *(int(n) for n in numbers)]
        start, reach = len(before), self.order - 1
        chances = (self.chance(whole[max(0, at - reach) : at], whole[at]) for at in range(start, len(whole)))
        return -sum(map(log2, chances)) / max(len(numbers), 1)

    def draws(self, before: Sequence[int], rng: np.random.Generator) -> Iterator[int]:
        """Draw symbols one after the other, without an end, after what stood before, each by its chance.

        >>> from itertools import islice
        >>> list(islice(KneserNey([0, 1] * 5000, order=3, symbols=2).draws([0, 1], np.random.default_rng(0)), 4))
        [0, 1, 0, 1]
        """
        last = list(before)
        while True:
            chances = np.array([self.chance(last, symbol) for symbol in range(self.symbols)])
            last = [*last, int(rng.choice(self.symbols, p=chances / chances.sum()))][-self.order :]
            yield last[-1]


def answers_by_counting(drawn: Sequences, learned: Sequences, order: int) -> Array:
    """Return the chances of each symbol at every step of sequences, (1, T, N, C), as networks' answers stand.

    Arguments:
        drawn: what is to be guessed.
        learned: what is counted, one sequence after the other, each with what comes last; a guess goes on from there.
        order: n of the n-grams.

    >>> from tinygrad_lstm.studies.tasks import strings_of_counts
    >>> answers_by_counting(strings_of_counts([2]), strings_of_counts([1, 2, 3]), order=3).shape
    (1, 7, 1, 4)
    """
    text: list[int] = []
    for n, length in enumerate(learned.asked.sum(axis=0).astype(int)):
        text += learned.inputs[:length, n].argmax(axis=-1).tolist()
        text.append(int(learned.targets[length - 1, n].argmax()))
    model = KneserNey(text, order, drawn.inputs.shape[-1])
    answers = np.zeros((1, *drawn.targets.shape))
    for t, n in zip(*np.nonzero(drawn.asked), strict=True):
        context = text[-order:] + drawn.inputs[: t + 1, n].argmax(axis=-1).tolist()
        answers[0, t, n] = [model.chance(context, symbol) for symbol in range(answers.shape[-1])]
    return answers


def _discounts(counts: Counter[Gram]) -> tuple[float, ...]:
    """Return what is taken off a count of 0, 1, 2, and 3 or more (Chen & Goodman 1998, equation 26)."""
    often = Counter(counts.values())
    one, two, three, four = (often[count] or 1 for count in (1, 2, 3, 4))
    y = one / (one + 2 * two)
    taken = (1 - 2 * y * two / one, 2 - 3 * y * three / two, 3 - 4 * y * four / three)
    return 0.0, *(min(max(each, 0.1), most - 0.1) for each, most in zip(taken, (1, 2, 3), strict=True))


def _contexts(counts: Counter[Gram], discounts: tuple[float, ...]) -> dict[Gram, tuple[int, float]]:
    """Return of each context how often it came, and which share the discounts leave to lower orders."""
    found: dict[Gram, list[float]] = {}
    for gram, count in counts.items():
        each = found.setdefault(gram[:-1], [0, 0.0])
        each[0] += count
        each[1] += discounts[min(count, 3)]
    return {context: (int(total), taken / total) for context, (total, taken) in found.items()}
