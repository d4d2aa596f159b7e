"""Hypothesis draws for us; what it raises is said in our words, and an error of somebody else's is not."""

import itertools

import pytest
from hypothesis import errors, given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.testing import GradientError, NothingCheckedError
from tinygrad_lstm.testing.generate import drawn


def test_what_failed_once_is_what_counts():
    """And not that hypothesis could not see it again (FlakyFailure)."""
    calls = itertools.count()
    once = tl.primitive("once", lambda x: x * x, lambda g, y, x: ((2 if next(calls) > 1 else 3) * x * g,))
    with pytest.warns(tl.UnknownToReader), pytest.raises(GradientError, match="the gradient of input 0") as caught:
        tl.testing.check_op(once)
    assert caught.value.failure is not None


@pytest.mark.parametrize(
    "flaky",
    [errors.FlakyStrategyDefinition("other"), errors.FlakyFailure("once", [errors.FlakyStrategyDefinition("other")])],
    ids=lambda error: type(error).__name__,
)
def test_what_is_drawn_otherwise_the_second_time_is_said_to_differ(flaky, monkeypatch):
    """As where the attributes that fit depend on how often a forward was called."""

    def moody():
        raise flaky

    monkeypatch.setattr(drawn, "_given", lambda strategy: lambda test: moody)
    with pytest.raises(GradientError, match=r"tanh is not the same in two runs .*: it is random, or keeps") as caught:
        tl.testing.check_op(tl.tanh)
    assert caught.value.__cause__ is flaky


def test_what_takes_nothing_that_is_drawn_says_so():
    """Unsatisfiable."""
    picky = tl.primitive("picky", lambda x: x.reshape((7, 11)), lambda g, y, x: (g.reshape(x.shape),))
    with pytest.raises(NothingCheckedError, match="picky takes none of the inputs that were drawn") as caught:
        tl.testing.check_op(picky)
    assert not isinstance(caught.value.__cause__, errors.HypothesisException)


@pytest.mark.slow
def test_a_given_may_hold_a_check_that_draws_and_hold_a_function_that_is_given():
    seen = []

    def draws_too(x):
        @settings(max_examples=2, database=None)
        @given(st.integers())
        def inside(i):
            seen.append(i)

        inside()
        return tl.tanh(x)

    @given(st.just(1))
    def one(x):
        assert tl.testing.check_op(draws_too).verdict == "PASS"

    one()
    assert seen


def test_an_error_of_the_functions_own_is_passed_on():
    """It is no sign of being random that a function has a test in it that hypothesis does not like."""

    def misused(x):
        raise errors.FailedHealthCheck("it filters out too much")

    with pytest.raises(errors.FailedHealthCheck, match="filters out"):
        tl.testing.check_op(misused)
