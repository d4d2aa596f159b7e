"""From text to numbers: tokens, their vocabulary, and the sequence a model is trained to continue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..structure.words import clean

START, END, OTHER = "⟨start⟩", "⟨end⟩", "⟨other⟩"

LONGEST = 24
"""Characters of a word in a figure or an equation; longer ones are cut in the middle."""

KNOWN = 1000
"""The words that a network can tell apart, by first appearance; chosen: its page is small, whatever the text."""


@dataclass(frozen=True)
class Corpus:
    """Tokens of a text between a start and an end mark; ``ids`` numbers them by first appearance."""

    tokens: tuple[str, ...]
    vocabulary: tuple[str, ...]
    ids: NDArray[np.intp]
    unit: str

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def size(self) -> str:
        """Return how much there was to read: "6 words"."""
        count = len(self.tokens) - 2
        return f"{count} {self.unit}{'' if count == 1 else 's'}"


def shown(token: str) -> str:
    """Return a token as it is written in figures and equations: on one line, cut if it is long, a space as ␣."""
    return clean(token, LONGEST).strip() or "␣"


def read(text: str, *, chars: bool = False) -> Corpus:
    """Split a text into words at white space, or into characters; those past the first KNOWN are one, ⟨other⟩.

    Raises ValueError if nothing is left.
    """
    pieces = list(" ".join(text.split())) if chars else text.split()
    if not pieces:
        raise ValueError("the text is empty: give at least one word, as in --text 'the clouds are in the sky'")
    known = set(list(dict.fromkeys(pieces))[:KNOWN])
    tokens = (START, *(piece if piece in known else OTHER for piece in pieces), END)
    vocabulary = tuple(dict.fromkeys(tokens))
    number = {token: i for i, token in enumerate(vocabulary)}
    return Corpus(tokens, vocabulary, np.array([number[token] for token in tokens]), "character" if chars else "word")


def windows(corpus: Corpus, length: int, batch: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return a random batch of stretches of the text: ids, (length + 1, N); all of the text if it is shorter."""
    size = min(length + 1, len(corpus))
    starts = rng.integers(0, len(corpus) - size + 1, size=1 if size == len(corpus) else batch)
    picked: NDArray[np.intp] = corpus.ids[starts + np.arange(size)[:, None]]
    return picked
