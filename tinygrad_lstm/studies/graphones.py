"""From spelling to sound by counting: which letter stands for what, and n-grams of letters with their sounds."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from ..engine.primitive import Array
from .ngrams import KneserNey

Graphone = tuple[str, tuple[str, ...]]
"""A letter and what is said for it: nothing, one phoneme, or two."""

AROUND = 0
"""The number of what stands between words."""


def align(pairs: Sequence[tuple[str, Sequence[str]]], rounds: int = 5) -> list[list[Graphone]]:
    """Return words letter by letter, each with what is said for it: 0, 1 or 2 phonemes, whatever is likeliest.

    How likely each graphone is, is learned from the words themselves by expectation–maximisation, beginning with all
    alignments alike. A word with more than two phonemes for each letter cannot be aligned, and is left out.

    Arguments:
        pairs: words, and their phonemes.
        rounds: how often expectations are taken.

    Source: M. Bisani & H. Ney, "Joint-sequence models for grapheme-to-phoneme conversion" (2008), sections 2 and 3;
    the algorithm, A. Dempster, N. Laird & D. Rubin (1977).

    >>> align([("ax", ["A", "K", "S"]), ("a", ["A"]), ("aha", ["A", "A"])])[0]
    [('a', ('A',)), ('x', ('K', 'S'))]
    """
    letters = sorted({letter for word, _ in pairs for letter in word})
    phonemes = sorted({phoneme for _, said in pairs for phoneme in said})
    groups: dict[tuple[int, int], list[tuple[list[int], list[int]]]] = {}
    of_letter, of_phoneme = ({each: n for n, each in enumerate(names)} for names in (letters, phonemes))
    for word, said in pairs:
        if len(said) <= 2 * len(word):
            numbers = [of_letter[letter] for letter in word], [of_phoneme[phoneme] for phoneme in said]
            groups.setdefault((len(word), len(said)), []).append(numbers)
    V = max(len(phonemes), 1)
    likely = np.tile(np.repeat([1.0, 1 / V, 1 / V**2], [1, V, V * V]), (len(letters), 1))  # (letters, 1 + V + V²)
    tables = [_Alignments(len(letters), V, *zip(*group, strict=True)) for group in groups.values()]
    for _ in range(rounds if tables else 0):
        counts: Array = sum((each.expected(likely) for each in tables), np.zeros(1))
        likely = counts / counts.sum()
    found = []
    for table in tables:
        for read, sounds, ends in zip(table.words, table.said, table.best(likely), strict=True):
            parts = [tuple(phonemes[n] for n in part) for part in np.split(sounds, ends[:-1])]
            found.append(list(zip((letters[n] for n in read), parts, strict=True)))
    return found


class _Alignments:
    """K words of n letters and m phonemes, and where in a table of likelihoods each way to say a letter stands."""

    def __init__(self, letters: int, V: int, words: Sequence[list[int]], said: Sequence[list[int]]) -> None:
        self.words, self.said = np.array(words, np.intp), np.array(said, np.intp)  # (K, n), (K, m)
        self.shape = letters, 1 + V + V * V
        each, m = self.said[:, None, :], self.said.shape[1]
        first = self.words[:, :, None] * self.shape[1]  # (K, n, 1)
        none = np.broadcast_to(first, (*self.words.shape, m + 1))
        self.places = none, first + 1 + each, first + 1 + V + V * each[..., :-1] + each[..., 1:]  # by 0, 1, 2 phonemes

    def expected(self, likely: Array) -> Array:
        """Return how often each graphone is expected in these words."""
        ways = [likely.ravel()[places] for places in self.places]
        n, m = self.words.shape[1], self.said.shape[1]
        ahead = np.zeros((n + 1, len(self.words), m + 1))  # the chance of i letters with j phonemes, and of the others
        behind = np.zeros_like(ahead)
        ahead[0, :, 0] = behind[n, :, m] = 1
        for i in range(n):
            for k, way in enumerate(ways):
                ahead[i + 1, :, k:] += ahead[i, :, : m + 1 - k] * way[:, i]
        for i in reversed(range(n)):
            for k, way in enumerate(ways):
                behind[i, :, : m + 1 - k] += way[:, i] * behind[i + 1, :, k:]
        whole = ahead[n, :, m]
        counts = np.zeros(likely.size)
        for k, (way, places) in enumerate(zip(ways, self.places, strict=True)):
            share = ahead[:n, :, : m + 1 - k] * behind[1:, :, k:] / whole[:, None]  # (n, K, m + 1 − k)
            counts += np.bincount(places.ravel(), (share.transpose(1, 0, 2) * way).ravel(), likely.size)
        return counts.reshape(self.shape)

    def best(self, likely: Array) -> NDArray[np.intp]:
        """Return after how many phonemes each letter of each word ends, (K, n), in the likeliest alignment."""
        ways = [likely.ravel()[places] for places in self.places]
        (K, n), m = self.words.shape, self.said.shape[1]
        chance, taken = np.zeros((K, m + 1)), np.zeros((n, K, m + 1), np.intp)
        chance[:, 0] = 1
        for i in range(n):
            each = np.zeros((3, K, m + 1))
            for k, way in enumerate(ways):
                each[k, :, k:] = chance[:, : m + 1 - k] * way[:, i]
            chance, taken[i] = each.max(axis=0), each.argmax(axis=0)
        ends = np.full((K, n), m, np.intp)
        for i in reversed(range(1, n)):
            ends[:, i - 1] = ends[:, i] - taken[i, np.arange(K), ends[:, i]]
        return ends


class JointNgrams:
    """Says words that it never saw by n-grams of graphones, as Kneser and Ney smooth them.

    Arguments:
        words: letter by letter, as ``align`` returns them, to be counted.
        order: n; of 1, what a letter stands for depends on nothing but it.

    Source: M. Bisani & H. Ney (2008), as for ``align``.

    >>> model = JointNgrams(align([("ab", ["A", "B"]), ("abba", ["A", "B", "A"])] * 5), order=3)
    >>> model.say("aba")
    ['A', 'B', 'A']
    """

    def __init__(self, words: Sequence[Sequence[Graphone]], order: int) -> None:
        self.order = order
        self.graphones = sorted({each for word in words for each in word})
        number = {each: n for n, each in enumerate(self.graphones, start=AROUND + 1)}
        text = [AROUND] * order
        for word in words:
            text += [number[each] for each in word] + [AROUND] * (order - 1)
        self.counted = KneserNey(text, order, len(number) + 1)
        often = np.bincount(text, minlength=len(number) + 1)
        self.of_letter: dict[str, list[int]] = {}
        for n in np.argsort(-often[1:], kind="stable") + 1:
            self.of_letter.setdefault(self.graphones[n - 1][0], []).append(int(n))

    def say(self, word: str, beam: int = 8, ways: int = 12) -> list[str]:
        """Return the likeliest phonemes of a word that a search finds, letter by letter.

        Arguments:
            word: of letters that were counted; others are not said.
            beam: how many beginnings are gone on with.
            ways: how many ways to say a letter are tried, the most frequent ones.
        """
        kept: list[tuple[float, list[int]]] = [(0.0, [AROUND] * (self.order - 1))]
        for letter in word:
            if letter in self.of_letter:
                going_on = [
                    (sofar + log(self.counted.chance(numbers, n)), [*numbers, n])
                    for sofar, numbers in kept
                    for n in self.of_letter[letter][:ways]
                ]
                kept = sorted(going_on, reverse=True)[:beam]
        _, best = max((sofar + log(self.counted.chance(numbers, AROUND)), numbers) for sofar, numbers in kept)
        return [phoneme for n in best if n != AROUND for phoneme in self.graphones[n - 1][1]]
