"""Letters are aligned with their sounds as enumerating all alignments would do, and words are said by the likeliest."""

from collections import Counter
from itertools import product
from math import log, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lstm.studies.graphones import AROUND, JointNgrams, align

pairs = st.lists(st.tuples(st.text("abc", min_size=1, max_size=4), st.text("XYZ", max_size=6)), min_size=1, max_size=6)


def alignments(word, said):
    """All ways to cut what is said into 0, 1 or 2 for each letter."""
    for sizes in product(range(3), repeat=len(word)):
        if sum(sizes) == len(said):
            ends = np.cumsum((0, *sizes))
            yield tuple((letter, tuple(said[ends[i] : ends[i + 1]])) for i, letter in enumerate(word))


def naive(pairs, rounds):
    """How likely each graphone is, by counting over all alignments."""
    V = len({phoneme for _, said in pairs for phoneme in said}) or 1
    likely = {each: V ** -float(len(each[1])) for pair in pairs for way in alignments(*pair) for each in way}
    for _ in range(rounds):
        counts = Counter()
        for pair in pairs:
            ways = {way: prod(likely[each] for each in way) for way in set(alignments(*pair))}
            for way, chance in ways.items():
                for each in way:
                    counts[each] += chance / sum(ways.values())
        likely = {each: count / sum(counts.values()) for each, count in counts.items()}
    return likely


@given(pairs=pairs, rounds=st.integers(0, 4))
@settings(deadline=None)
def test_alignments_are_the_likeliest_of_all(pairs, rounds):
    possible = [(word, said) for word, said in pairs if len(said) <= 2 * len(word)]
    likely = naive(possible, rounds)
    best = Counter((word, said) for word, said in possible)
    found = align(pairs, rounds)
    for way in found:
        word, said = "".join(letter for letter, _ in way), "".join("".join(each) for _, each in way)
        best[word, said] -= 1
        most = max(prod(likely[each] for each in other) for other in alignments(word, said))
        assert prod(likely[each] for each in way) == pytest.approx(most, rel=1e-9)
    assert not any(best.values())


def test_a_silent_letter_and_one_for_two_sounds_are_found():
    said = {"bake": "BAK", "rare": "RAR", "bar": "BAR", "kab": "KAB", "ax": "AKS", "bax": "BAKS", "rab": "RAB"}
    found = {"".join(letter for letter, _ in word): word for word in align(list(said.items()) * 3)}
    assert found["bake"][-1] == ("e", ())
    assert found["ax"][-1] == ("x", ("K", "S"))


def test_a_word_is_said_by_the_likeliest_graphones():
    rng = np.random.default_rng(0)
    ways = {"a": ["", "A", "AE"], "b": ["B", "P"]}
    words = ["".join(rng.choice(["a", "b"], 4)) for _ in range(40)]
    model = JointNgrams(align([(word, "".join(rng.choice(ways[letter]) for letter in word)) for word in words]), 3)
    for word in ("ab", "bab"):
        chances = {}
        for numbers in product(*(model.of_letter[letter] for letter in word)):
            line = [AROUND, AROUND, *numbers, AROUND]
            chances[numbers] = sum(log(model.counted.chance(line[:at], line[at])) for at in range(2, len(line)))
        best = max(chances, key=chances.get)
        wanted = [phoneme for n in best for phoneme in model.graphones[n - 1][1]]
        assert model.say(word, beam=200, ways=20) == wanted


def test_a_letter_that_was_never_counted_is_not_said():
    model = JointNgrams(align([("ab", "AB"), ("ba", "BA")] * 4), 2)
    assert model.say("a?b") == model.say("ab") == ["A", "B"]


def test_by_single_letters_each_is_said_as_it_mostly_is():
    model = JointNgrams(align([("ab", "AB"), ("ab", "AB"), ("cb", "CP"), ("c", "C"), ("a", "A")] * 20), 1)
    assert model.say("bac") == ["B", "A", "C"]
