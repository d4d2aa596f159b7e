"""Folding: what was folded comes back as it was. ``tests/browser/test_unfold.py`` has the page unfold it."""

import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import few
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.folding import FEWEST, Folding
from tinygrad_lstm.stepper import step
from tinygrad_lstm.stepper.web.record import Forms, Record


def unfolded(value, texts):
    """Read what was folded, by what the docstring of the module says alone."""

    def part(row, growth, k):
        numbers = iter([n + k * by for n, by in zip(row[1:], [*growth, *[0] * len(row)], strict=False)])
        subscripts = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
        write = {"0": lambda: str(next(numbers)), "₀": lambda: str(next(numbers)).translate(subscripts)}
        return json.loads(re.sub("[0-9]+|[₀-₉]+", lambda run: write.get(run[0], lambda: run[0])(), texts[row[0]]))

    if isinstance(value, list):
        return [unfolded(each, texts) for each in value]
    if not isinstance(value, dict):
        return value
    if "~" not in value:
        return {key: unfolded(each, texts) for key, each in value.items()}
    made = []
    for item in value["~"]:
        often, rows, grows = item if len(item) == 3 and isinstance(item[1], list) else (1, [item], [[]])
        made += [part(row, by, k) for k in range(often) for row, by in zip(rows, grows, strict=True)]
    return [unfolded(each, texts) for each in made]


WORDS = st.text(st.sampled_from('0123456789₀₁₉.x-"\\ é'), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=40,
)


@given(VALUES)
def test_what_was_folded_comes_back(value):
    folding = Folding()
    assert unfolded(folding.folded(value), folding.texts) == value


@pytest.mark.parametrize("seed", range(30))
def test_so_does_what_repeats_with_numbers_that_count_on_and_now_and_then_does_not(seed):
    rng = random.Random(seed)
    period, often = rng.randint(1, 9), rng.randint(1, 40)
    by = [rng.randint(-3, 50) for _ in range(period)]
    rows = [f"t{k}.h{'₁' * (i % 2)} {1000 + by[i] * k}" for k in range(often) for i in range(period)]
    for _ in range(rng.randint(0, 3)):
        rows.insert(rng.randrange(len(rows) + 1), f"0{rng.randint(0, 9)}")
    folding = Folding()
    assert unfolded(folding.folded(rows), folding.texts) == rows


def test_a_long_list_takes_as_much_as_a_short_one():
    sizes = []
    for often in (20, 2000):
        folding = Folding()
        made = folding.folded([f"{word}{k}" for k in range(often) for word in ("f", "i", "g", "o")])
        sizes.append(len(json.dumps([made, folding.texts])))
    assert sizes[1] <= sizes[0] + 2


def test_a_short_list_stays_as_it_is():
    assert Folding().folded(list(range(FEWEST - 1))) == list(range(FEWEST - 1))


@pytest.mark.parametrize("cell", few(["rnn", "lstm", "gru"], 1))
def test_a_walk_comes_back_and_takes_as_much_at_any_length(cell):
    sizes = []
    for steps in (9, 29):
        record = Record(step(small_loss(cell, steps)).events, Forms())
        folding = Folding()
        for part in (record.walk(), record.views()):
            folded = folding.folded(part)
            assert json.dumps(unfolded(folded, folding.texts)) == json.dumps(part, default=list)
            sizes.append(len(json.dumps(folded)))
    assert max(sizes[::2]) < 1.1 * min(sizes[::2])
