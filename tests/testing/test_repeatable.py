"""A failing check says its seed, and giving it again gives the same failure, to the last digit."""

import re

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine.primitive import Primitive
from tinygrad_lstm.testing import GradientError
from tinygrad_lstm.testing.profiles import Profile, drawing_by, fresh


class WrongCell(tl.RNNCell):
    def forward(self, x, h):
        return wrong(super().forward(x, h))


wrong = Primitive("wrong", lambda x: x * x * x, lambda g, y, x: (2 * x * x * g,), None)
crooked = Primitive("crooked", lambda x: x * x * x, lambda g, y, x: (3 * x * tl.tensor(x).value * g,), None)

CHECKS = {
    "check_vjp": lambda **rng: tl.testing.check_vjp(wrong, [1.0, 2.0], **rng),
    "check_jvp": lambda **rng: tl.testing.check_jvp(wrong, [1.0, 2.0], **rng),
    "check_second_order": lambda **rng: tl.testing.check_second_order(crooked, [1.0, 2.0], **rng),
    "check_op": lambda **rng: tl.testing.check_op(wrong, [1.0, 2.0], **rng),
    "check_op at draws": lambda **rng: tl.testing.check_op(wrong, **rng),
    "check_cell": lambda **rng: tl.testing.check_cell(WrongCell, steps=2, **rng),
    "check_same": lambda **rng: tl.testing.check_same(tl.tanh, wrong, [1.0], **rng),
    "nothing to check": lambda **rng: tl.testing.check_vjp(lambda x: 0.0 * x, [1.0], **rng),
}


def failure(check, **rng):
    with pytest.raises(GradientError) as caught:
        check(**rng)
    return caught.value


def seed_of(error):
    (note,) = error.__notes__
    assert note == error.again
    return int(re.fullmatch(r"to see it again: rng=(\d+)", note)[1])


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", CHECKS)
def test_the_seed_of_a_failure_repeats_it(name, profile):
    with drawing_by(profile):
        first = failure(CHECKS[name])
        again = failure(CHECKS[name], rng=seed_of(first))
    assert str(again) == str(first)
    assert seed_of(again) == seed_of(first)
    with drawing_by(profile, seed_of(first)):
        assert str(failure(CHECKS[name])) == str(first)


@pytest.mark.parametrize("name", CHECKS)
def test_only_what_is_drawn_differs_between_runs(name):
    with drawing_by(Profile.dev):
        assert seed_of(failure(CHECKS[name])) == (fresh() if name == "check_op at draws" else 0)
    assert seed_of(failure(CHECKS[name])) == 0


def test_another_seed_draws_others():
    with drawing_by(Profile.dev):
        found = {str(failure(CHECKS["check_op at draws"], rng=seed)) for seed in range(4)}
    assert len(found) == 4


def test_what_a_generator_has_drawn_is_repeated_by_whoever_made_it():
    first = failure(CHECKS["check_vjp"], rng=np.random.default_rng(3))
    assert not first.again
    assert str(first) == str(failure(CHECKS["check_vjp"], rng=3))
