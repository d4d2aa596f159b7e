"""Stories with questions: who went where, who carried what, who is afraid of whom; our own, and files in bAbI's form.

A story is a list of lines. A line is a sentence, or a question, which has an answer, one word, that follows from the
lines before it. Tasks 1, 2 and 15 of J. Weston, A. Bordes, S. Chopra & T. Mikolov, "Towards AI-Complete Question
Answering: A Set of Prerequisite Toy Tasks" (2015): the sentences are of their kind, drawn by a generator of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from ..structure.words import clean
from ..training.text import read_text

PEOPLE = ("mary", "john", "sandra", "daniel")
PLACES = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")
THINGS = ("apple", "football", "milk")
KINDS = {"mouse": "mice", "wolf": "wolves", "cat": "cats", "sheep": "sheep"}
NAMES = ("gertrude", "winona", "emily", "jessica")
GOES = ("moved to", "went to", "journeyed to", "travelled to", "went back to")
TAKES = ("got", "took", "grabbed", "picked up")
DROPS = ("dropped", "discarded", "left", "put down")
LONGEST = 10
"""The sentences of a story in which somebody moves; chosen: as in bAbI's first task."""


class StoryLine(NamedTuple):
    """A sentence, or a question with its answer."""

    words: tuple[str, ...]
    answer: str = ""


Story: TypeAlias = list[StoryLine]


def one_fact(rng: np.random.Generator, every: int) -> Story:
    """Return a story in which people move and are asked for, after every so many sentences: one sentence tells.

    >>> for line in one_fact(np.random.default_rng(0), every=5)[3:6]:
    ...     print(*line.words, line.answer)
    daniel moved to the kitchen
    daniel travelled to the bathroom
    where is sandra kitchen
    """
    lines: Story = []
    now: dict[str, str] = {}
    for count in range(1, LONGEST + 1):
        who, where = _one(rng, PEOPLE), _one(rng, PLACES)
        now[who] = where
        lines.append(_moves(rng, who, where))
        if count % every == 0:
            asked = _one(rng, tuple(now))
            lines.append(StoryLine(("where", "is", asked), now[asked]))
    return lines


def two_facts(rng: np.random.Generator, every: int) -> Story:
    """Return a story in which people move, take things and drop them, and things are asked for.

    Who took it tells where it is, with where that one went, or where that one was when it was dropped.

    >>> for line in two_facts(np.random.default_rng(1), every=5)[8:]:
    ...     print(*line.words, line.answer)
    daniel travelled to the bathroom
    daniel moved to the office
    sandra left the milk
    where is the milk bedroom
    """
    lines: Story = []
    now: dict[str, str] = {}  # of people, and of things once somebody took them
    holders: dict[str, str] = {}
    for count in range(1, LONGEST + 1):
        who, act = _one(rng, PEOPLE), rng.random()
        held = tuple(thing for thing in THINGS if holders.get(thing) == who)
        near = tuple(thing for thing in THINGS if thing not in holders and now.get(thing, now.get(who)) == now.get(who))
        if act < 0.35 and near and who in now:
            thing = _one(rng, near)
            holders[thing] = who
            lines.append(StoryLine((who, *_one(rng, TAKES).split(), "the", thing)))
        elif act < 0.5 and held:
            thing = _one(rng, held)
            del holders[thing]
            lines.append(StoryLine((who, *_one(rng, DROPS).split(), "the", thing)))
        else:
            now[who] = _one(rng, PLACES)
            lines.append(_moves(rng, who, now[who]))
        now.update({thing: now[holder] for thing, holder in holders.items()})
        known = tuple(thing for thing in THINGS if thing in now)
        if count % every == 0 and known:
            asked = _one(rng, known)
            lines.append(StoryLine(("where", "is", "the", asked), now[asked]))
    return lines


def deduction(rng: np.random.Generator, every: int = 1) -> Story:
    """Return a story that tells which kind is afraid of which, who is of which kind, in any order; then who is asked.

    >>> for line in deduction(np.random.default_rng(0))[5:9]:
    ...     print(*line.words, line.answer)
    mice are afraid of wolves
    gertrude is a cat
    emily is a cat
    what is emily afraid of sheep
    """
    kinds, names = tuple(KINDS), [str(name) for name in rng.permutation(NAMES)]
    afraid = {kind: _one(rng, tuple(other for other in kinds if other != kind)) for kind in kinds}
    of = {name: _one(rng, kinds) for name in names}
    rules = [StoryLine((KINDS[kind], "are", "afraid", "of", KINDS[other])) for kind, other in afraid.items()]
    sentences = [*rules, *(StoryLine((name, "is", "a", kind)) for name, kind in of.items())]
    asked = [StoryLine(("what", "is", name, "afraid", "of"), afraid[of[name]]) for name in names]
    return [sentences[n] for n in rng.permutation(len(sentences))] + asked


def _moves(rng: np.random.Generator, who: str, where: str) -> StoryLine:
    return StoryLine((who, *_one(rng, GOES).split(), "the", where))


def _one(rng: np.random.Generator, of: Sequence[str]) -> str:
    return of[int(rng.random() * len(of))]


TASKS: dict[str, Callable[[np.random.Generator, int], Story]] = {
    "one fact": one_fact,
    "deduction": deduction,
    "two facts": two_facts,
}
"""The tasks by their names: 1, 15 and 2 of bAbI's."""


def draw_stories(task: str, count: int, rng: np.random.Generator, every: int) -> list[Story]:
    """Return stories of a task, each with a question at least, asked after every so many sentences.

    >>> len(draw_stories("two facts", 5, np.random.default_rng(0), every=2))
    5
    """
    found: list[Story] = []
    while len(found) < count:
        story = TASKS[task](rng, every)
        if any(line.answer for line in story):
            found.append(story)
    return found


def unseen(stories: Iterable[Story], learned: Iterable[Story]) -> list[Story]:
    """Return those stories whose sentences are not, all and in this order, those of one that is learned from.

    >>> mary, john = StoryLine(("mary", "left")), StoryLine(("john", "left"))
    >>> unseen([[mary, john], [john, mary]], [[mary, StoryLine(("who", "left"), "mary"), john]]) == [[john, mary]]
    True
    """
    known = set(map(_told, learned))
    return [story for story in stories if _told(story) not in known]


def _told(story: Story) -> tuple[tuple[str, ...], ...]:
    return tuple(line.words for line in story if not line.answer)


def read_stories(path: Path) -> list[Story]:
    """Return the stories of a file in bAbI's form: lines with numbers, which begin again with every story.

    After a question and a tab stands its answer, and after another tab the lines that it follows from, which are
    passed over. A story without a question is left out.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: in one line, for one that is of another form.
    """
    stories: list[Story] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        count, _, rest = line.strip().partition(" ")
        sentence, *after = rest.split("\t")
        words = tuple(word for word in (each.strip(".,;:?!") for each in sentence.lower().split()) if word)
        if not count.isdecimal() or not words or (after and not after[0].strip()):
            form = "a number and a sentence, or a number, a question, a tab and its answer"
            raise ValueError(f"{clean(path, 200)}, line {number} is not {form}")
        if int(count) == 1 or not stories:
            stories.append([])
        stories[-1].append(StoryLine(words, after[0].strip().lower() if after else ""))
    return [story for story in stories if any(line.answer for line in story)]


def last_named(story: Story, who: str, among: Sequence[str]) -> list[str]:
    """Return after each line which of some words stood in the last sentence that named somebody; nothing, if none did.

    >>> sentences = "mary left home", "john left school", "mary left school"
    >>> last_named([StoryLine(tuple(each.split())) for each in sentences], "mary", ["home", "school"])
    ['home', 'home', 'school']
    """
    found: list[str] = []
    last = ""
    for line in story:
        if not line.answer and who in line.words:
            last = next((word for word in line.words if word in among and word != who), last)
        found.append(last)
    return found


def by_rule(story: Story, among: Sequence[str]) -> list[str]:
    """Return what a rule of one line answers to each question: what was last named with the question's last word.

    >>> by_rule([StoryLine(("mary", "left", "home")), StoryLine(("where", "is", "mary"), "home")], ["home"])
    ['home']
    """
    return [last_named(story[: n + 1], line.words[-1], among)[-1] for n, line in enumerate(story) if line.answer]


def subjects(stories: Iterable[Story], among: Sequence[str]) -> list[str]:
    """Return, by name, the words that begin sentences which name one of some words: of whom something is told.

    >>> subjects([one_fact(np.random.default_rng(0), every=2)], PLACES)
    ['daniel', 'john', 'mary', 'sandra']
    """
    sentences = (line.words for story in stories for line in story if not line.answer)
    return sorted({words[0] for words in sentences if not {*among}.isdisjoint(words[1:])})
