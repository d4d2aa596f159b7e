"""A readable unit is found where there is one, and worth nothing where it told the truth by chance."""

import numpy as np
import pytest

from tinygrad_lstm.studies.units import most_readable


def test_the_unit_that_counts_is_found_whatever_its_sign_and_scale(rng):
    count, later = np.arange(60.0), np.arange(60.0, 80.0)
    states, others = rng.normal(size=(60, 9)), rng.normal(size=(20, 9))
    states[:, 5], others[:, 5] = 3 - 0.01 * count, 3 - 0.01 * later
    found = most_readable(states, count, others, later)
    assert found.unit == 5
    assert found.held_out == pytest.approx(1)
    np.testing.assert_allclose(found.read(others), later)


def test_the_best_of_many_units_that_know_nothing_is_worth_nothing_on_what_is_held_out(rng):
    truth, other = rng.integers(0, 2, 40), rng.integers(0, 2, 40)
    found = most_readable(rng.normal(size=(40, 200)), truth, rng.normal(size=(40, 200)), other)
    assert found.chosen > 0.15
    assert found.held_out < 0.1


def test_a_dead_unit_is_not_chosen(rng):
    states = np.zeros((20, 2))
    states[:, 1] = truth = rng.normal(size=20)
    assert most_readable(states, truth, states, truth).unit == 1


@pytest.mark.parametrize(
    ("truth", "message"), [(np.ones(4), "always the same"), (np.arange(3), r"not \(4, 2\) with \(3,\)")]
)
def test_what_tells_nothing_is_refused(truth, message, rng):
    with pytest.raises(ValueError, match=message):
        most_readable(rng.normal(size=(4, 2)), truth, rng.normal(size=(4, 2)), np.arange(4))
