"""Tasks that need a memory: what has to be kept comes early, and is asked for late.

Each is a generator of fresh sequences, so that what a network gets right it has not seen before. T steps, N sequences,
D numbers at each step, C outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.primitive import Array


class Sequences(NamedTuple):
    """N sequences, and what is wanted of them; past the end of a shorter one all is zero."""

    inputs: Array  # (T, N, D)
    targets: Array  # (T, N, C): what is to be said, as one class in C or as C numbers
    asked: Array  # (T, N): 1 where an answer is asked for
    legal: Array  # (T, N, C): the classes that are right answers; the target, where there is but one


@dataclass(frozen=True)
class MemoryTask:
    """A task at one length: ``draw(rng, N)`` returns sequences; ``counts`` says how an answer is judged.

    A network solves it when, over the last ``window`` sequences, each judged before it was learned from, the mean
    score is ``enough``: the share of sequences answered without a mistake where ``counts`` is "right" (0.99 or more),
    or the squared error where it is "squared error" (0.01 or less).
    """

    name: str
    inputs: int  # D
    outputs: int  # C
    draw: Callable[[np.random.Generator, int], Sequences]
    first: int = 0  # the first step at which an answer may be asked for
    counts: str = "right"
    enough: float = 0.99
    window: int = 1024
    symbols: Sequence[str] = ""  # of which the inputs are one at each step, where they are symbols

    def solved(self, score: float) -> bool:
        """Tell whether a mean score is enough."""
        return score >= self.enough if self.counts == "right" else score <= self.enough


SYMBOLS = "EBabcdXY"
"""Of temporal order: the first, the last, those that mean nothing, and the two that matter."""


def temporal_order(gap: int, relevant: int = 2) -> MemoryTask:
    """Return the task of telling in which order two (or three) symbols came, X or Y each, among others.

    E comes first and B last, and between them a, b, c or d by chance, but for the relevant ones. With gap = 100 it is
    task 6a: length 100 to 110, X or Y at 10 to 20 and at 50 to 60, four classes; with three relevant ones 6b, at 10 to
    20, 33 to 43 and 66 to 76, eight classes. Other gaps stretch all of these. Positions count from 0; the class is
    asked for at B. Raises ValueError for a gap below 10, where two of the places would meet.

    Source: S. Hochreiter & J. Schmidhuber, "LSTM can solve hard long time lag problems" (1997), experiment 2; and
    "Long Short-Term Memory" (1997), experiment 6.

    >>> drawn = temporal_order(10).draw(np.random.default_rng(0), 1)
    >>> "".join(SYMBOLS[int(step.argmax())] for step in drawn.inputs[:, 0]), drawn.targets[-1, 0]
    ('EcYbaaYadcB', array([0., 0., 0., 1.]))
    """
    if gap < 10 or relevant not in (2, 3):
        raise ValueError(f"temporal order has a gap of 10 or more and 2 or 3 relevant symbols, not {gap}, {relevant}")
    starts = (10, 50) if relevant == 2 else (10, 33, 66)
    places = [(gap * start // 100, gap * (start + 10) // 100) for start in starts]

    def draw(rng: np.random.Generator, count: int) -> Sequences:
        longest = gap + gap // 10
        ends = rng.integers(gap, longest + 1, count) - 1  # where B is
        symbols = rng.integers(2, 6, (longest, count))
        chosen = rng.integers(0, 2, (relevant, count))
        every = np.arange(count)
        symbols[0] = 0
        for (low, high), which in zip(places, chosen, strict=True):
            symbols[rng.integers(low, high + 1, count), every] = 6 + which
        symbols[ends, every] = 1
        inputs = np.eye(8)[symbols] * (np.arange(longest)[:, None] <= ends)[..., None]
        classes = np.eye(2**relevant)[(chosen.T @ (1 << np.arange(relevant))[::-1])]
        return _at_the_end(inputs, classes, ends)

    return MemoryTask("temporal order", 8, 2**relevant, draw, first=gap - 1, symbols=SYMBOLS)


def adding(gap: int) -> MemoryTask:
    """Return the task of adding two numbers that are marked, one in each half of a sequence of gap numbers from 0 to 1.

    Each step holds a number and its mark, 1 or 0; the sum is asked for at the last. Who says 1 whatever comes is wrong
    by 1/6 on average, squared. It is not the task of 1997, which draws from −1 to 1 and marks the two early.

    Source: Q. V. Le, N. Jaitly & G. E. Hinton, "A Simple Way to Initialize Recurrent Networks of Rectified Linear
    Units" (2015), section 4.1.

    >>> drawn = adding(4).draw(np.random.default_rng(0), 1)
    >>> drawn.inputs[:, 0].round(2).tolist(), drawn.targets[-1, 0].round(2).item()
    ([[0.64, 1.0], [0.27, 0.0], [0.04, 0.0], [0.02, 1.0]], 0.65)
    """
    if gap < 2:
        raise ValueError(f"adding has a gap of 2 or more, one number in each half, not {gap}")

    def draw(rng: np.random.Generator, count: int) -> Sequences:
        numbers = rng.uniform(size=(gap, count))
        marks = np.zeros((gap, count))
        every = np.arange(count)
        for low, high in ((0, gap // 2), (gap // 2, gap)):
            marks[rng.integers(low, high, count), every] = 1
        sums = (numbers * marks).sum(axis=0)
        return _at_the_end(np.stack([numbers, marks], axis=-1), sums[:, None], np.full(count, gap - 1))

    return MemoryTask("adding", 2, 1, draw, first=gap - 1, counts="squared error", enough=0.01)


REBER = "BTPSXVE"
"""The symbols of Reber's grammar."""

GRAMMAR: dict[int, dict[str, int]] = {
    0: {"B": 1},
    1: {"T": 2, "P": 3},
    2: {"S": 2, "X": 4},
    3: {"T": 3, "V": 5},
    4: {"X": 3, "S": 6},
    5: {"P": 4, "V": 6},
    6: {"E": 7},
}
"""Which symbols each state of Reber's grammar allows, and where they lead; 7 is the end."""


def embedded_reber() -> MemoryTask:
    """Return the task of guessing what comes next in a string of the embedded Reber grammar.

    B, then T or P, then a string of Reber's grammar, then the same T or P, then E: the last but one is known only to
    who remembers the second. A string is right if at every step all symbols that may come next are guessed above all
    that may not. It is learned from one string after the other.

    Source: A. S. Reber, "Implicit learning of artificial grammars" (1967); embedded, A. Cleeremans, D. Servan-Schreiber
    & J. L. McClelland, "Finite State Automata and Simple Recurrent Networks" (1989); Hochreiter & Schmidhuber, "Long
    Short-Term Memory" (1997), experiment 1.

    >>> drawn = embedded_reber().draw(np.random.default_rng(0), 1)
    >>> "".join(REBER[int(step.argmax())] for step in drawn.inputs[:, 0])
    'BPBPVPXTTTTVVEP'
    """

    def draw(rng: np.random.Generator, count: int) -> Sequences:
        drawn = [_reber_string(rng) for _ in range(count)]
        longest = max(len(string) for string, _ in drawn) - 1
        inputs, targets, legal = (np.zeros((longest, count, 7)) for _ in range(3))
        asked = np.zeros((longest, count))
        for n, (string, allowed) in enumerate(drawn):
            numbers = [REBER.index(symbol) for symbol in string]
            steps = np.arange(len(string) - 1)
            inputs[steps, n, numbers[:-1]] = 1
            targets[steps, n, numbers[1:]] = 1
            asked[steps, n] = 1
            for t, symbols in enumerate(allowed):
                legal[t, n, [REBER.index(symbol) for symbol in symbols]] = 1
        return Sequences(inputs, targets, asked, legal)

    return MemoryTask("embedded Reber", 7, 7, draw, window=256)


def _reber_string(rng: np.random.Generator) -> tuple[str, list[str]]:
    """Return a string of the embedded grammar, and which symbols may come after each of its symbols but the last."""
    first = "TP"[int(rng.integers(2))]
    string, allowed, state = f"B{first}", ["TP", "B"], 0
    while state != 7:
        choices = "".join(GRAMMAR[state])
        symbol = choices[int(rng.integers(len(choices)))] if len(choices) > 1 else choices
        string, state = string + symbol, GRAMMAR[state][symbol]
        allowed.append("".join(GRAMMAR[state]) if state != 7 else first)
    return f"{string}{first}E", [*allowed, "E"]


COUNTED = "Sabc"
"""The symbols of aⁿbⁿcⁿ: its first, which comes again after the last c, and those that are counted."""


def counting(most: int, least: int = 1) -> MemoryTask:
    """Return the task of guessing what comes next in S aⁿbⁿcⁿ, n from least to most, and S again after the last c.

    After an a may come another one, or a b; from then on all is told by who has counted. A string is right as in
    Reber's grammar. Nobody has solved it while learning: how far it goes beyond what was learned is asked afterwards.
    Raises ValueError for an n below 1, or none.

    Source: F. Gers & J. Schmidhuber, "LSTM Recurrent Networks Learn Simple Context-Free and Context-Sensitive
    Languages" (2001), section II.

    >>> drawn = counting(2, least=2).draw(np.random.default_rng(0), 1)
    >>> "".join(COUNTED[int(step.argmax())] for step in drawn.inputs[:, 0]), drawn.legal[2, 0].tolist()
    ('Saabbcc', [0.0, 1.0, 1.0, 0.0])
    """
    if not 1 <= least <= most:
        raise ValueError(f"aⁿbⁿcⁿ has n from 1 on, and from least to most, not from {least} to {most}")

    def draw(rng: np.random.Generator, count: int) -> Sequences:
        return strings_of_counts(rng.integers(least, most + 1, count))

    return MemoryTask("counting", 4, 4, draw, enough=1.1, symbols=COUNTED)


def strings_of_counts(ns: ArrayLike) -> Sequences:
    """Return S aⁿbⁿcⁿ for each of these n, as sequences, (3n + 1, N, 4) for the largest.

    >>> strings_of_counts([1, 3]).asked.sum(axis=0).tolist()
    [4.0, 10.0]
    """
    numbers = np.asarray(ns)
    longest, count = 3 * int(numbers.max()) + 1, len(numbers)
    inputs, targets = (np.zeros((longest, count, 4)) for _ in range(2))
    asked = np.zeros((longest, count))
    for column, n in enumerate(numbers):
        string, steps = np.repeat(np.arange(4), [1, n, n, n]), np.arange(3 * n + 1)
        inputs[steps, column, string] = targets[steps, column, np.roll(string, -1)] = asked[steps, column] = 1
    legal = targets + (inputs[..., 1] > 0)[..., None] * np.eye(4)[1] + (inputs[..., 1] > 0)[..., None] * np.eye(4)[2]
    return Sequences(inputs, targets, asked, np.minimum(legal, 1))


def copying(gap: int, length: int = 10, symbols: int = 8) -> MemoryTask:
    """Return the task of repeating what was said at first: so many of a few symbols, a blank gap, a sign, the answer.

    The inputs are ``length`` symbols, gap − 1 blanks, the sign, and ``length`` blanks: gap + 2 length steps; wanted are
    gap + length blanks and then the symbols. Who remembers nothing can lose length · log(symbols) / (gap + 2 length)
    nats a step. A sequence is right if it is right at all steps.

    Source: Hochreiter & Schmidhuber (1997) asked for the like; in this form M. Arjovsky, A. Shah & Y. Bengio, "Unitary
    Evolution Recurrent Neural Networks" (2016), section 4.1, with 10 of 8 symbols.

    >>> drawn = copying(3, length=2, symbols=2).draw(np.random.default_rng(0), 1)
    >>> "".join("ab·!"[int(step.argmax())] for step in drawn.inputs[:, 0])
    'bb··!··'
    >>> "".join("ab·!"[int(step.argmax())] for step in drawn.targets[:, 0])
    '·····bb'
    """
    if min(gap, length) < 1 or symbols < 2:
        raise ValueError(f"copying needs a gap, a length and two symbols, not {gap}, {length}, {symbols}")

    def draw(rng: np.random.Generator, count: int) -> Sequences:
        early = rng.integers(0, symbols, (length, count))
        steps = gap + 2 * length
        said, wanted = (np.full((steps, count), symbols) for _ in range(2))
        said[:length], said[gap + length - 1], wanted[gap + length :] = early, symbols + 1, early
        targets = np.eye(symbols + 1)[wanted]
        return Sequences(np.eye(symbols + 2)[said], targets, np.ones((steps, count)), targets)

    return MemoryTask("copying", symbols + 2, symbols + 1, draw)


def one_sentence(symbols: Sequence[str]) -> MemoryTask:
    """Return the task of memorising a sentence: to say after each of its words, or letters, the next.

    There is no other sequence, and nothing to be kept but the place in it. It is solved when all is right 64 times.

    >>> drawn = one_sentence("aba").draw(np.random.default_rng(0), 1)
    >>> drawn.inputs[:, 0].tolist(), drawn.targets[:, 0].tolist()
    ([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]])
    """
    known = tuple(dict.fromkeys(symbols))
    said = np.eye(len(known))[[known.index(symbol) for symbol in symbols]][:, None]  # (T + 1, 1, D)

    def draw(rng: np.random.Generator, count: int) -> Sequences:
        inputs, targets = (np.repeat(part, count, axis=1) for part in (said[:-1], said[1:]))
        return Sequences(inputs, targets, np.ones(inputs.shape[:2]), targets)

    return MemoryTask("one sentence", len(known), len(known), draw, enough=1.0, window=64, symbols=known)


TASKS: dict[str, Callable[[int], MemoryTask]] = {
    "temporal-order": temporal_order,
    "temporal-order-3": lambda gap: temporal_order(gap, relevant=3),
    "adding": adding,
    "reber": lambda gap: embedded_reber(),
    "copy": lambda gap: copying(gap, length=3, symbols=2),
}
"""The tasks by name, each at a gap."""


def _at_the_end(inputs: Array, answers: Array, ends: NDArray[np.int64]) -> Sequences:
    """Return sequences whose one answer, (N, C), is asked for at their last step."""
    every = np.arange(len(ends))
    targets = np.zeros((*inputs.shape[:2], answers.shape[-1]))
    asked = np.zeros(inputs.shape[:2])
    targets[ends, every], asked[ends, every] = answers, 1
    return Sequences(inputs, targets, asked, targets)


def joined(parts: Sequence[Sequences]) -> Sequences:
    """Return sequences of several, (T, S, N, ·) from S times (T, N, ·), shorter ones filled up with zeros.

    >>> rng = np.random.default_rng(0)
    >>> joined([embedded_reber().draw(rng, 2) for _ in range(3)]).inputs.shape[1:]
    (3, 2, 7)
    """
    longest = max(len(part.inputs) for part in parts)

    def filled(array: Array) -> Array:
        missing = longest - len(array)
        return np.concatenate([array, np.zeros((missing, *array.shape[1:]))]) if missing else array

    return Sequences(*(np.stack([filled(array) for array in column], axis=1) for column in zip(*parts, strict=True)))
