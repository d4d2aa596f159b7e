"""Text to learn from, without what would be read twice, and what one may ask about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.primitive import Array
from ..engine.scope import no_grad
from ..nn import LanguageModel
from .jacobian import states_of


def split_by_topic(topics: Mapping[str, str], every: int = 12, held: int = 5) -> tuple[str, str]:
    """Return what is to be learned from, and what is held out: whole topics, no paragraph on both sides, or twice.

    Python's help repeats a fifth of itself from one topic to the next, which whoever counts would know by heart.

    Arguments:
        topics: texts by name; they are taken in the order of their names, paragraphs apart by an empty line.
        every, held: of so many topics, this one is held out, counted from 0.

    >>> split_by_topic({"a": "one\\n\\ntwo", "b": "two\\n\\nthree", "c": "one"}, every=3, held=1)
    ('one', 'two\\n\\nthree')
    """
    seen: set[str] = set()
    parts: dict[bool, list[str]] = {True: [], False: []}
    names = [(number % every == held, name) for number, name in enumerate(sorted(topics))]
    for is_held, name in sorted(names, key=lambda each: not each[0]):  # those held out first: they keep all they have
        kept = []
        for paragraph in topics[name].split("\n\n"):
            key = " ".join(paragraph.split())
            if key and key not in seen:
                seen.add(key)
                kept.append(paragraph.strip("\n"))
        if kept:
            parts[is_held].append("\n\n".join(kept))
    return "\n\n\n".join(parts[False]), "\n\n\n".join(parts[True])


def quoted(text: str) -> NDArray[np.int64]:
    """Return for each character whether it stands in "quotation marks": from the first to before the second.

    A paragraph begins outside of them.

    >>> "".join(map(str, quoted('a "bc" d')))
    '00111000'
    """
    found, inside = [], 0
    for at, character in enumerate(text):
        if character == '"':
            inside = 1 - inside
        elif text.startswith("\n\n", at):
            inside = 0
        found.append(inside)
    return np.array(found)


def worth_asking(*texts: str) -> tuple[str, Callable[[str], NDArray[np.int64]]]:
    """Return what one may ask of each character of these texts: what is quoted, or, if nothing is, where words end.

    >>> worth_asking('a "b" c', "no quotes")[0]
    'where words end'
    """
    if all(0 < quoted(text).mean() < 1 for text in texts):
        return "what is quoted", quoted
    return "where words end", lambda text: np.array([int(character.isspace()) for character in text])


def cell_states(model: LanguageModel, ids: ArrayLike) -> Array:
    """Return the cell state of the first layer after each symbol of a text, (T, H) for ids (T).

    >>> cell_states(LanguageModel(3, 4, embedding_size=2, rng=0), [0, 1, 2, 0, 1]).shape
    (5, 4)
    """
    if model.embedding is None:
        raise ValueError("the model has no embedding to read symbols by")
    with no_grad():
        states = states_of(model.recurrent.cells[0], model.embedding(ids).value)
    return np.array([parts[-1] for parts in states])
