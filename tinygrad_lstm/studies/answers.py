"""Answering questions on a story: a network that reads it to the question, and what one does by counting words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..engine.primitive import Array
from ..engine.scope import no_grad
from ..engine.tensor import Tensor
from ..nn import LSTM, Linear, Module, cross_entropy
from ..nn.classification import IGNORED
from ..nn.creation import Seed, generator
from ..pages.heat import Grid, heat_map
from ..training.batches import Padded, Shuffled, pad
from .fitting import learn_compiled
from .stories import Story, StoryLine


class Encoded(NamedTuple):
    """A story as a network reads it: xs, (T, D), and at each step the number of the answer, or IGNORED, (T)."""

    xs: Array
    targets: NDArray[np.intp]


class StoryEncoder:
    """How stories become numbers: a step is a sentence, or a word, and an answer is one of C.

    A word is a place among V. A sentence is read at once, as two sums of its words: in one each counts the more, the
    earlier it stands, and in the other, the later. So mice that are afraid of wolves differ from wolves afraid of mice.

    Arguments:
        stories: whose words and answers there are.
        by: "sentence" or "word".

    Source: the sums, S. Sukhbaatar, A. Szlam, J. Weston & R. Fergus, "End-To-End Memory Networks" (2015), section 4.1.

    >>> reading = StoryEncoder([[StoryLine(("mary", "fell")), StoryLine(("who", "fell"), "mary")]], by="sentence")
    >>> reading.words, reading.answers
    (['fell', 'mary', 'who'], ['mary'])
    >>> reading([StoryLine(("mary", "fell")), StoryLine(("who", "fell"), "mary")]).xs.tolist()
    [[0.0, 1.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]]
    """

    def __init__(self, stories: Iterable[Story], by: str) -> None:
        lines = [line for story in stories for line in story]
        self.words = sorted({word for line in lines for word in line.words})
        self.answers = sorted({line.answer for line in lines if line.answer})
        self.by = by
        self._place = {word: n for n, word in enumerate(self.words)}
        self._number = {answer: n for n, answer in enumerate(self.answers)}

    @property
    def size(self) -> int:
        """Return D: how many numbers a step has."""
        return len(self.words) * (2 if self.by == "sentence" else 1)

    def __call__(self, story: Story) -> Encoded:
        """Return a story as numbers. Raises KeyError for a word, or an answer, that there is not."""
        steps = [self._sentence(line.words) if self.by == "sentence" else self._each(line.words) for line in story]
        ends = np.cumsum([len(each) for each in steps]) - 1
        targets = np.full(ends[-1] + 1, IGNORED, np.intp)
        for end, line in zip(ends, story, strict=True):
            if line.answer:
                targets[end] = self._number[line.answer]
        return Encoded(np.concatenate(steps), targets)

    def _each(self, words: Sequence[str]) -> Array:
        return np.eye(len(self.words), dtype=np.float32)[[self._place[word] for word in words]]

    def _sentence(self, words: Sequence[str]) -> Array:
        late = np.linspace(0.0, 1.0, len(words), dtype=np.float32)
        each = self._each(words)
        return np.concatenate([(1 - late) @ each, late @ each])[None]  # (1, 2 V)


class Answerer(Module):
    """Steps in, scores of the answers out, at every step: an LSTM, ``layer``, and a linear head.

    Arguments:
        inputs: D, the numbers of a step.
        hidden: H.
        answers: C.
        forget_bias: of the LSTM, to begin with; the larger it is, the longer it remembers.
        rng: a seed or a numpy Generator.
        dtype: float32 or float64.

    >>> Answerer(8, 16, answers=6, rng=0)(np.ones((5, 3, 8))).shape
    (5, 3, 6)
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        answers: int,
        *,
        forget_bias: float = 1.0,
        rng: Seed = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        rng = generator(rng)
        self.layer = LSTM(inputs, hidden, forget_bias=forget_bias, rng=rng, dtype=dtype)
        self.head = Linear(hidden, answers, rng=rng, dtype=dtype)

    def forward(self, xs: ArrayLike) -> Tensor:
        """Return the scores of the answers after each step, (T, N, C) for xs (T, N, D)."""
        output, _ = self.layer(np.asarray(xs, self.head.weight.dtype))
        scores: Tensor = self.head(output)
        return scores

    def surprise(self, xs: ArrayLike, targets: NDArray[np.intp]) -> Tensor:
        """Return how much right answers surprise, on average, where any are asked for."""
        scores = self(xs)
        loss: Tensor = cross_entropy(scores.reshape(-1, scores.shape[-1]), targets.ravel())
        return loss


def learn_answers(
    model: Answerer, stories: Sequence[Encoded], *, updates: int, seed: int, about: str, rate: float = 0.01
) -> tuple[list[tuple[int, float]], bool]:
    """Train a model, its layer as a compiled program, by Adam and half a cosine; return the losses, and if to the end.

    Arguments:
        model: what learns.
        stories: what it learns from, 32 at a time.
        updates: how many.
        seed: the order of the stories follows from it.
        about: what stands before the bar.
        rate: the largest learning rate.

    >>> story = Encoded(np.ones((2, 1)), np.array([IGNORED, 0]))
    >>> len(learn_answers(Answerer(1, 4, answers=2, rng=0), [story], updates=3, seed=0, about="yes")[0])
    yes: 3 updates; ... processor seconds until here
    3
    """
    xs, targets = zip(*stories, strict=True)
    batches: Iterator[Padded] = iter(Shuffled(xs, targets, 32, seed=seed, every_step=True))
    loss = lambda model, batch: model.surprise(batch.xs, batch.targets)
    return learn_compiled(model, batches, "layer", rate=rate, steps=updates, loss=loss, about=about)


def said_answers(model: Answerer, reading: StoryEncoder, stories: Sequence[Story]) -> list[str]:
    """Return what a model answers to each question of stories, one story after the other.

    >>> told = [StoryLine(("mary", "fell")), StoryLine(("who",), "mary")]
    >>> reading = StoryEncoder([told], by="word")
    >>> said_answers(Answerer(reading.size, 4, answers=1, rng=0), reading, [told])
    ['mary']
    """
    encoded = [reading(story) for story in stories]
    asked = pad([each.targets for each in encoded], IGNORED) != IGNORED  # (T, N)
    with no_grad():
        said = model(pad([each.xs for each in encoded])).value.argmax(axis=-1)
    return [reading.answers[n] for n in said.T[asked.T]]


def right_answers(stories: Iterable[Story]) -> list[str]:
    """Return the answer to each question of stories, one story after the other.

    >>> right_answers([[StoryLine(("mary", "fell")), StoryLine(("who",), "mary")]])
    ['mary']
    """
    return [line.answer for story in stories for line in story if line.answer]


def beliefs(model: Answerer, reading: StoryEncoder, sentences: Story, question: StoryLine) -> Array:
    """Return how likely a model finds each answer to a question after each sentence of a story, (C, S).

    >>> fell, asked = StoryLine(("mary", "fell")), StoryLine(("who",), "mary")
    >>> reading = StoryEncoder([[fell, asked]], by="word")
    >>> beliefs(Answerer(reading.size, 4, answers=1, rng=0), reading, [fell, fell], asked).tolist()
    [[1.0, 1.0]]
    """
    with no_grad():
        asked = [reading([*sentences[: n + 1], question]).xs for n in range(len(sentences))]
        scores = np.array([model(xs[:, None]).value[-1, 0] for xs in asked])
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Array = (likely / likely.sum(axis=1, keepdims=True)).T
    return found


def asked_throughout(model: Answerer, reading: StoryEncoder, story: Story) -> str:
    """Return, as SVG, which answers a story names, and what a model would answer after each to its last question.

    >>> told = [StoryLine(("mary", "fell")), StoryLine(("who",), "mary")]
    >>> reading = StoryEncoder([told], by="word")
    >>> asked_throughout(Answerer(reading.size, 4, answers=1, rng=0), reading, told)[:4]
    '<svg'
    """
    sentences = [line for line in story if not line.answer]
    question = next(line for line in reversed(story) if line.answer)
    named = np.array([[answer in line.words for line in sentences] for answer in reading.answers], float)
    values = {"named in the sentence": named, "its answer": beliefs(model, reading, sentences, question)}
    columns = [line.words[0] for line in sentences]
    return heat_map(
        [Grid(name, each, reading.answers, columns) for name, each in values.items()],
        title=f"{' '.join(question.words)}? Asked after each sentence",
        across="sentences, by their first word",
        upwards="",
        label=f"Which answers each sentence names, and what it would answer to: {' '.join(question.words)}?",
        size=(680, 400),
    )


class CountedWords:
    """Answers by the words that were told, whatever their order: naive Bayes, each word and answer counted.

    Told are the words of the question, and those of sentences before it that share a word with it.

    Source: Weston et al. (2015), section 5, who give such words to a linear classifier.

    >>> first, second = StoryLine(("mary", "fell")), StoryLine(("john", "stood"))
    >>> story = [first, StoryLine(("who", "fell"), "mary"), second, StoryLine(("who",), "john")]
    >>> CountedWords([story]).says(story)
    ['mary', 'john']
    """

    def __init__(self, stories: Iterable[Story]) -> None:
        counts: dict[str, Counter[str]] = {}
        often: Counter[str] = Counter()
        for words, answer in (pair for story in stories for pair in _told(story)):
            often[answer] += 1
            counts.setdefault(answer, Counter()).update(words)
        self.answers = sorted(often)
        self._often = np.log([often[answer] for answer in self.answers])
        self._words = {word: n for n, word in enumerate(sorted({word for each in counts.values() for word in each}))}
        table = np.ones((len(self.answers), len(self._words)))  # nothing is impossible: each counts once more
        for row, answer in zip(table, self.answers, strict=True):
            for word, count in counts[answer].items():
                row[self._words[word]] += count
        self._log = np.log(table / table.sum(axis=1, keepdims=True))

    def says(self, story: Story) -> list[str]:
        """Return the likeliest answer to each question of a story."""
        found = []
        for words, _ in _told(story):
            known = [self._words[word] for word in words if word in self._words]
            found.append(self.answers[int((self._often + self._log[:, known].sum(axis=1)).argmax())])
        return found


def _told(story: Story) -> Iterator[tuple[list[str], str]]:
    """Yield for each question the words that are told of it, and its answer."""
    for at, line in enumerate(story):
        if line.answer:
            before = (each.words for each in story[:at] if not each.answer)
            yield [*line.words, *(word for words in before if {*words} & {*line.words} for word in words)], line.answer
