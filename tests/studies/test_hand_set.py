"""Weights that a person sets solve temporal order over any gap: capable is not the same as able to learn."""

import itertools

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.studies.hand_set import by_hand_head, by_hand_lstm, by_hand_rnn
from tinygrad_lstm.studies.jacobian import jacobians, states_of

E, X, Y, LAST = 6, 4, 5, 7


def sequences(gap, rng):
    """All four orders, with distractors between: (T, 4, 8)."""
    orders = list(itertools.product((X, Y), repeat=2))
    words = [
        [E, *rng.integers(0, 4, 3), a, *rng.integers(0, 4, gap), b, *rng.integers(0, 4, 3), LAST] for a, b in orders
    ]
    return np.eye(8)[np.array(words).T]


def networks(gain):
    rnn, lstm = by_hand_rnn(8, E, X, Y, gain=gain), by_hand_lstm(8, X, Y, gain=gain)
    shown = np.tanh(gain / 2)
    return {
        "rnn": (rnn, by_hand_head(on=shown, off=-shown, gain=10.0)),
        "lstm": (lstm, by_hand_head(on=np.tanh(1.0), off=0.0, gain=10.0)),
    }


@pytest.mark.parametrize("gap", [0, 1, 7, 500])
@pytest.mark.parametrize("name", ["rnn", "lstm"])
def test_they_answer_rightly_over_any_gap(name, gap, rng):
    for gain in (6.0, 10.0, 40.0):
        cell, head = networks(gain)[name]
        scores = head(tl.tensor(states_of(cell, sequences(gap, rng))[-1][0])).value
        assert scores.argmax(1).tolist() == [0, 1, 2, 3]
        if gain == 40:
            np.testing.assert_allclose(np.sort(scores, 1)[:, -2:], [[10, 20]] * 4, rtol=1e-12)


def test_an_rnn_that_is_sure_to_the_last_bit_has_no_gradient_at_all(rng):
    cell, _ = networks(40.0)["rnn"]
    xs = sequences(20, rng)[:, 0]
    assert set(np.unique(np.array(states_of(cell, xs)))) == {-1.0, 1.0}
    assert not jacobians(cell, xs).any()


def test_the_memory_of_the_lstm_is_kept_to_the_last_bit_and_so_is_its_gradient(rng):
    cell, _ = networks(40.0)["lstm"]
    xs = sequences(20, rng)[:, 1]
    c = np.array([c for _, c in states_of(cell, xs)])
    assert c[-1].round(12).tolist() == [1, 0, 0, 1]
    assert [np.flatnonzero(np.diff(c[:, unit]) > 0.5).size for unit in range(4)] == [1, 0, 0, 1]  # i opened once
    belt = jacobians(cell, xs)[:, 4:, 4:]
    product = np.linalg.multi_dot(list(belt[::-1]))
    np.testing.assert_allclose(product, np.eye(4), atol=1e-6)
    assert np.diagonal(product).min() == 1.0
