"""One unit's thread: its numbers are those of the gates and states, as far as the walk has come."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.commands import run_command


def batch():
    lstm = tl.LSTM(2, 3, rng=0)
    xs = tl.tensor(np.random.default_rng(1).normal(size=(4, 2, 2)), name="xs")
    return tl.step((lstm(xs)[0] ** 2).sum())


def test_at_the_end_it_holds_each_value_and_each_gradient():
    stepper = batch()
    stepper.goto(len(stepper) - 1)
    rows = stepper.thread(2, sequence=1)
    assert [row.time for row in rows] == [0, 1, 2, 3]
    for row, flow in zip(rows, stepper.flow(), strict=True):
        named = flow.gates | flow.states
        assert set(row.values) == {"f", "i", "g", "o", "c", "h"} == set(named)
        for name, node in named.items():
            assert row.values[name] == node.value[1, 2]
            assert row.gradients[name] == stepper.events.gradients[node][1, 2]


def test_a_gradient_is_there_when_it_has_arrived():
    stepper = batch()
    assert all(x is None for row in stepper.thread() for x in row.gradients.values())
    cell = stepper.flow()[3].states["c"]
    stepper.goto(stepper.events.uses(cell)[-1])
    assert stepper.thread()[3].gradients["c"] == stepper.gradients[cell][0, 0]
    assert stepper.thread()[0].gradients["c"] is None
    assert "—" in str(stepper.thread())


def test_the_terminal_shows_it_and_says_which_units_there_are():
    stepper = tl.step(small_loss("gru", 2))
    assert run_command("thread 1", stepper).splitlines()[0].split()[:3] == ["t", "z", "∂L/∂z"]
    with pytest.raises(IndexError, match="there is no unit 2: they are counted from 0 to 1"):
        run_command("thread 2", stepper)
    with pytest.raises(IndexError, match="there is no sequence 1"):
        stepper.thread(0, 1)
    with pytest.raises(IndexError, match="nothing here goes on from step to step"):
        tl.step(tl.tanh(tl.tensor(0.5, requires_grad=True))).thread()
    with pytest.raises(TypeError, match="whole numbers"):
        stepper.thread("f")
    assert "<table" in stepper.thread()._repr_html_()
    assert repr(stepper.thread()) == "<thread over 2 time steps: z, r, g, h>"
