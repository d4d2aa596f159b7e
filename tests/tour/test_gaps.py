"""Near and far: the task asks for the letter that came first, and what is told of the networks is what they did."""

import numpy as np
import pytest

from tinygrad_lstm.tour import gaps
from tinygrad_lstm.tour.gaps import GAPS, KINDS, SEEDS, GapScores, measured, recall


@pytest.mark.parametrize("gap", [1, 2, 17])
def test_the_answer_is_the_first_letter_and_nothing_in_between_tells_it(gap):
    drawn = recall(gap).draw(np.random.default_rng(0), 500)
    assert drawn.inputs.shape == (gap + 1, 500, 4)
    assert (drawn.inputs[0, :, :2] == drawn.targets[-1]).all()
    assert not drawn.inputs[1:, :, :2].any()
    assert (drawn.asked.sum(axis=0) == 1).all()
    assert drawn.asked[-1].all()
    assert 0.4 < drawn.targets[-1, :, 0].mean() < 0.6


def test_a_short_gap_is_learned_by_both_kinds_and_a_long_one_by_those_that_begin_open(clouds):
    near, far = clouds.gaps[0], clouds.gaps[-1]
    assert [each.gap for each in clouds.gaps] == list(GAPS)
    assert near.learned("RNN") == near.learned("LSTM") == len(SEEDS)
    assert far.mean("LSTM") > far.mean("RNN") + 0.2
    assert all(0 <= score <= 1 for each in clouds.gaps for kind in KINDS for score in each.scores[kind])


def test_the_mean_and_the_count_are_those_of_the_networks():
    gap = GapScores(2, "A:.", {"RNN": [0.5, 1.0]}, {"RNN": [None, 320]})
    assert gap.mean("RNN") == 0.75
    assert gap.learned("RNN") == 1


def test_it_is_the_same_twice_and_says_how_far_it_is(monkeypatch):
    monkeypatch.setattr(gaps, "BUDGET", 64)
    said = []
    assert measured(lambda *each: said.append(each)) == measured()
    assert said[-1] == ("4 LSTMs over gaps", len(GAPS), len(GAPS))
