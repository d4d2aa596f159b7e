"""Kneser and Ney's n-grams: chances that add up, the discounts of the paper, and a count by hand."""

from collections import Counter
from itertools import pairwise
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lstm.studies.ngrams import KneserNey, _discounts

texts = st.lists(st.integers(0, 3), min_size=4, max_size=60)


@given(texts, st.integers(1, 4), st.lists(st.integers(0, 3), max_size=5))
def test_the_chances_after_any_context_add_up_to_one(text, order, context):
    model = KneserNey(text, order, symbols=5)
    chances = [model.chance(context, symbol) for symbol in range(5)]
    assert sum(chances) == pytest.approx(1)
    assert min(chances) > 0


def test_a_lower_order_counts_in_how_many_places_and_not_how_often():
    """'San Francisco': 1 follows 0 only, however often; 2 follows three symbols. After what is new, 2 is likelier."""
    text = [0, 1] * 8 + [3, 2, 4, 2, 0, 2, 5]
    model = KneserNey(text, 2, symbols=7)
    assert text.count(1) > 2 * text.count(2)
    assert model.chance([6], 2) > model.chance([6], 1)


def test_a_bigram_by_hand():
    text = [0, 0, 1, 0, 0, 1, 0, 2, 2, 0, 3]
    counts = Counter(pairwise(text))
    d = _discounts(counts)
    places = Counter(gram[1:] for gram in counts)
    e = _discounts(places)
    unigram = (places[1,] - e[places[1,]]) / 7 + sum(e[min(c, 3)] for c in places.values()) / 7 / 4
    after_zero = [counts[0, w] for w in (0, 1, 2, 3)]
    assert (sum(places.values()), after_zero) == (7, [2, 2, 1, 1])
    expected = (2 - d[2]) / 6 + (2 * d[2] + 2 * d[1]) / 6 * unigram
    assert KneserNey(text, 2, symbols=4).chance([0], 1) == pytest.approx(expected)


def test_the_discounts_are_those_of_the_paper():
    counts = Counter({(n,): count for n, count in enumerate([1] * 10 + [2] * 5 + [3] * 3 + [4] * 2 + [9])})
    y = 10 / 20
    assert _discounts(counts) == pytest.approx((0, 1 - 2 * y * 5 / 10, 2 - 3 * y * 3 / 5, 3 - 4 * y * 2 / 3))


def test_bits_are_the_mean_of_what_each_symbol_costs_after_what_stood_before_it():
    model = KneserNey([0, 1, 2, 0, 1, 1, 2, 0, 0, 1], 3, symbols=3)
    chances = [model.chance([2, 0], 1), model.chance([0, 1], 2)]
    assert model.bits([1, 2], before=[2, 0]) == pytest.approx(-sum(map(log2, chances)) / 2)


def test_more_context_tells_more_of_a_text_that_has_some():
    text = [0, 1, 1, 2, 0, 2] * 40
    bits = [KneserNey(text[:180], order, symbols=3).bits(text[180:]) for order in (1, 2, 4)]
    assert bits[0] > bits[1] > bits[2]
    assert bits[2] < 0.1


@pytest.mark.parametrize("order", [0, 4])
def test_an_order_that_no_text_has_is_refused(order):
    with pytest.raises(ValueError, match="is 1 or more"):
        KneserNey([0, 1, 2], order, symbols=3)
