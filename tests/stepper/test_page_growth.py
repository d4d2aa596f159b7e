"""Long walks: the work of a page grows as the walk does. Calls are counted, not seconds."""

import cProfile
import pstats

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.drawing.layout import router
from tinygrad_lstm.stepper.web import record
from tinygrad_lstm.stepper.web.page import page


def sequence(steps):
    return tl.RNN(2, 2, rng=0)(np.ones((steps, 1, 2)))[0].sum()


def chain(length):
    """A program that says no time and repeats nothing."""
    x = tl.tensor(0.5, requires_grad=True, name="x")
    y = x
    for _ in range(length):
        y = tl.tanh(y * x) + y
    return y


def in_one_step(length):
    with tl.time_step(0):
        return chain(length)


def work(make, size):
    stepper = tl.step(make(size))
    profile = cProfile.Profile()
    profile.runcall(page, stepper)
    return pstats.Stats(profile).total_calls


@pytest.mark.parametrize(("make", "small"), [(sequence, 25), (chain, 200)])
@pytest.mark.slow
def test_four_times_the_walk_is_at_most_five_times_the_work(make, small, monkeypatch):
    if make is chain:  # its pictures are Graphviz's, which is given so many seconds and no more
        monkeypatch.setattr(record, "MOST_OPERATIONS", 0)
    assert work(make, 4 * small) <= 5 * work(make, small)


def test_a_route_that_costs_too_much_is_drawn_plainly(monkeypatch):
    monkeypatch.setattr(router, "MOST", 500)
    made, build = [], router.Router.__init__
    monkeypatch.setattr(router.Router, "__init__", lambda self, *how: (made.append(self), build(self, *how))[1])
    picture = tl.draw(in_one_step(12), "cells")
    assert picture.positioned.count("->") == len(picture._scene.arrows)  # every one is there
    assert 500 < max(each.examined for each in made) < 1000
    plain = made[-1].line("one more", {((0, 0), router.UP): 0}, {((5, 9), router.DOWN): 3, ((4, 9), router.DOWN): 1})
    assert plain == [(0, 0), (0, 9), (4, 9)]
