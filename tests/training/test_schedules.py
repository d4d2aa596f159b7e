"""Schedules are their formulas, from the first update to the last and after."""

import numpy as np
import pytest

from tinygrad_lstm.training.schedules import Plateau, constant, cosine, step_decay, warm_up


def test_cosine_begins_with_lr_and_ends_with_the_least():
    rate = cosine(0.5, steps=100, least=0.1)
    steps = np.arange(1, 101)
    expected = 0.1 + 0.2 * (1 + np.cos(np.pi * (steps - 1) / 100))
    np.testing.assert_allclose([rate(int(step)) for step in steps], expected)
    assert rate(101) == rate(10_000) == pytest.approx(0.1)


def test_warm_up_is_a_share_of_what_follows():
    rate, after = warm_up(10, cosine(0.5, steps=100)), cosine(0.5, steps=100)
    assert [rate(step) / after(step) for step in (1, 5, 10, 11, 60)] == pytest.approx([0.1, 0.5, 1, 1, 1])


def test_step_decay_falls_after_every_so_many():
    rate = step_decay(1.0, every=3, factor=0.1)
    np.testing.assert_allclose([rate(step) for step in range(1, 8)], [1, 1, 1, 0.1, 0.1, 0.1, 0.01])


def test_a_plateau_goes_on_where_it_stopped():
    losses = [3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]
    whole = Plateau(0.1, patience=2, factor=0.5)
    rates = []
    for step, loss in enumerate(losses):
        whole.observe(step, loss)
        rates.append(whole(step))
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]
    first = Plateau(0.1, patience=2, factor=0.5)
    for step, loss in enumerate(losses[:3]):
        first.observe(step, loss)
    again = Plateau(0.7, patience=2, factor=0.5)
    again.load_state_dict(first.state_dict())
    for step, loss in enumerate(losses[3:]):
        again.observe(step, loss)
    assert again.state_dict() == whole.state_dict()


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda: constant(0), "lr"),
        (lambda: warm_up(0, constant(1)), "steps"),
        (lambda: step_decay(0.1, 0), "every"),
        (lambda: step_decay(0.1, 3, factor=-1), "factor"),
        (lambda: cosine(0.1, 0), "steps"),
        (lambda: cosine(0.1, 5, least=-1), "least"),
        (lambda: Plateau(0.1, patience=0), "patience"),
        (lambda: Plateau(np.nan), "lr"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(wrong, word):
    with pytest.raises(ValueError, match=f"{word} must be"):
        wrong()
