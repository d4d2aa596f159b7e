"""The tasks are what their definitions say, and cannot be answered without a memory."""

import numpy as np
import pytest

from tinygrad_lstm.studies.tasks import (
    GRAMMAR,
    REBER,
    SYMBOLS,
    TASKS,
    adding,
    copying,
    counting,
    embedded_reber,
    joined,
    strings_of_counts,
    temporal_order,
)
from tinygrad_lstm.studies.trial import all_right

COUNT = 400


def drawn(task, count=COUNT, seed=0):
    return task.draw(np.random.default_rng(seed), count)


def strings(sequences, symbols):
    """What was said, one string for each sequence; zeros past the end are left out."""
    said = sequences.inputs.argmax(axis=-1)
    there = sequences.inputs.any(axis=-1)
    return ["".join(symbols[s] for s in said[there[:, n], n]) for n in range(said.shape[1])]


@pytest.mark.parametrize("gap", [10, 20, 50, 100, 130])
@pytest.mark.parametrize(("relevant", "windows"), [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (33, 43), (66, 76)])])
def test_temporal_order_is_that_of_the_paper_stretched(gap, relevant, windows):
    sequences = drawn(temporal_order(gap, relevant))
    lengths, places, classes = set(), [set() for _ in windows], set()
    for n, string in enumerate(strings(sequences, SYMBOLS)):
        lengths.add(len(string))
        assert string[0] == "E"
        assert string[-1] == "B"
        marked = [(t, s) for t, s in enumerate(string) if s in "XY"]
        assert set(string[1:-1]) - set("XY") <= set("abcd")
        assert len(marked) == relevant
        for (t, _), place in zip(marked, places, strict=True):
            place.add(t)
        number = int("".join("01"["XY".index(s)] for _, s in marked), 2)
        classes.add(number)
        assert sequences.targets[len(string) - 1, n].argmax() == number
        np.testing.assert_array_equal(np.flatnonzero(sequences.asked[:, n]), [len(string) - 1])
        np.testing.assert_array_equal(np.flatnonzero(sequences.targets[:, n].any(axis=-1)), [len(string) - 1])
    assert lengths == set(range(gap, gap + gap // 10 + 1))
    assert classes == set(range(2**relevant))
    for (low, high), place in zip(windows, places, strict=True):
        assert place == set(range(gap * low // 100, gap * high // 100 + 1))


def test_at_a_hundred_it_is_task_6a_and_6b():
    assert drawn(temporal_order(100)).inputs.shape == (110, COUNT, 8)
    assert drawn(temporal_order(100, 3)).targets.shape == (110, COUNT, 8)


@pytest.mark.parametrize("gap", [2, 3, 50, 101])
def test_adding_marks_one_number_in_each_half(gap):
    sequences = drawn(adding(gap))
    numbers, marks = sequences.inputs[..., 0], sequences.inputs[..., 1]
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert set(np.unique(marks)) <= {0.0, 1.0}
    np.testing.assert_array_equal(marks[: gap // 2].sum(axis=0), 1)
    np.testing.assert_array_equal(marks[gap // 2 :].sum(axis=0), 1)
    np.testing.assert_allclose(sequences.targets[-1, :, 0], (numbers * marks).sum(axis=0))
    assert (marks.sum(axis=1) > 0).all() or gap > 60  # any place can be marked
    assert not sequences.targets[:-1].any()
    np.testing.assert_array_equal(sequences.asked.sum(axis=0), sequences.asked[-1])


def test_who_says_one_whatever_comes_is_wrong_by_a_sixth():
    sums = drawn(adding(10), 40_000).targets[-1, :, 0]
    assert np.mean((sums - 1) ** 2) == pytest.approx(1 / 6, rel=0.03)
    assert sums.mean() == pytest.approx(1, abs=0.01)


def parsed(string):
    """Whether it is a string of Reber's grammar, and what is legal after each prefix, by a search of our own."""
    state, allowed = 0, []
    for symbol in string:
        if symbol not in GRAMMAR.get(state, {}):
            return False, allowed
        state = GRAMMAR[state][symbol]
        allowed.append(set(GRAMMAR.get(state, {})))
    return state == 7, allowed


def test_reber_strings_are_embedded_in_the_same_letter_on_both_sides():
    sequences = drawn(embedded_reber())
    seconds = set()
    for n, start in enumerate(strings(sequences, REBER)):
        asked = np.flatnonzero(sequences.asked[:, n])
        string = start + REBER[sequences.targets[asked[-1], n].argmax()]
        assert string[0] == "B"
        assert string[-1] == "E"
        assert string[1] == string[-2]
        assert string[1] in "TP"
        valid, allowed = parsed(string[2:-2])
        assert valid
        seconds.add(string[1])
        after = [set("TP"), set("B"), *allowed[:-1], {string[1]}, {"E"}]
        for t, legal in enumerate(after):
            assert {REBER[s] for s in np.flatnonzero(sequences.legal[t, n])} == legal
            assert REBER[sequences.targets[t, n].argmax()] == string[t + 1]
    assert seconds == {"T", "P"}
    assert min(map(len, strings(sequences, REBER))) == 8  # and the E that is only wanted


def test_a_known_string_is_of_the_grammar_and_others_are_not():
    assert parsed("BTXSE")[0]
    assert parsed("BPVPXVPXVPXVVE")[0]
    assert not parsed("BTXXE")[0]


@pytest.mark.parametrize(("gap", "length", "symbols"), [(1, 1, 2), (5, 3, 2), (20, 10, 8)])
def test_what_was_said_first_is_wanted_last(gap, length, symbols):
    sequences = drawn(copying(gap, length, symbols))
    said, wanted = sequences.inputs.argmax(axis=-1), sequences.targets.argmax(axis=-1)
    assert said.shape == (gap + 2 * length, COUNT)
    assert sequences.inputs.shape[-1] == symbols + 2
    assert sequences.targets.shape[-1] == symbols + 1
    np.testing.assert_array_equal(wanted[-length:], said[:length])
    assert (wanted[:-length] == symbols).all()
    assert set(np.unique(said[:length])) == set(range(symbols))
    assert (said[gap + length - 1] == symbols + 1).all()
    blanks = np.delete(said[length:], gap - 1, axis=0)
    assert (blanks == symbols).all()


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_drawn_again_from_its_seed_and_asks_from_its_first_step_on(name):
    task = TASKS[name](12)
    one, again, other = drawn(task, 20, 1), drawn(task, 20, 1), drawn(task, 20, 2)
    for part, same in zip(one, again, strict=True):
        np.testing.assert_array_equal(part, same)
    assert any(a.shape != b.shape or (a != b).any() for a, b in zip(one, other, strict=True))
    assert not one.asked[: task.first].any()
    assert (one.asked.sum(axis=0) > 0).all()
    assert one.inputs.shape[-1] == task.inputs
    assert one.targets.shape[-1] == task.outputs
    assert one.asked.shape == one.inputs.shape[:2]


def test_shorter_ones_are_filled_up_and_nothing_is_asked_there():
    task = embedded_reber()
    parts = [drawn(task, 1, seed) for seed in range(8)]
    together = joined(parts)
    assert len({len(part.inputs) for part in parts}) > 1
    for k, part in enumerate(parts):
        np.testing.assert_array_equal(together.inputs[: len(part.inputs), k], part.inputs)
        assert not together.inputs[len(part.inputs) :, k].any()
        assert not together.asked[len(part.inputs) :, k].any()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: temporal_order(9), "gap of 10 or more"),
        (lambda: temporal_order(20, 4), "2 or 3 relevant"),
        (lambda: adding(1), "gap of 2 or more"),
        (lambda: copying(0), "needs a gap"),
        (lambda: copying(3, 1, 1), "two symbols"),
    ],
)
def test_a_task_that_there_is_not_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_whoever_counts_is_right_on_strings_of_counts_and_whoever_does_not_is_wrong():
    drawn = strings_of_counts([2, 5])
    counter = np.zeros((1, *drawn.targets.shape))
    for column, n in enumerate([2, 5]):
        string = "S" + "a" * n + "b" * n + "c" * n
        for t, symbol in enumerate(string):
            seen = string[: t + 1]
            if symbol in "Sa":
                may = "ab" if symbol == "a" else "a"
            elif symbol == "b":
                may = "b" if seen.count("b") < n else "c"
            else:
                may = "c" if seen.count("c") < n else "S"
            counter[0, t, column, ["Sabc".index(each) for each in may]] = 1
    assert all_right(counter, drawn).all()
    counter[0, 4, 0] = [0, 0, 1, 0]  # after S aabb: another b
    assert all_right(counter, drawn).tolist() == [[False, True]]
    with pytest.raises(ValueError, match="n from 1 on"):
        counting(3, least=0)
