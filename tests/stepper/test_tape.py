"""The tape keeps little, and yet says of every event what the walk said, bit for bit."""

from collections import Counter

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine.backprop import apply_vjp, gradients
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.recording import tape as recording
from tinygrad_lstm.stepper.recording.tape import Tape


def chain(length):
    x = tl.tensor([0.3, -0.2], requires_grad=True, name="x")
    y = x
    for _ in range(length):
        y = tl.tanh(y)
    return y.sum()


LOSSES = {
    **{cell: (lambda cell=cell: small_loss(cell, 4)) for cell in CELLS},
    "two layers": lambda: small_loss("lstm", 3, layers=2, bidirectional=True),
    "a chain": lambda: chain(40),
    "forty steps": lambda: small_loss("rnn", 40),
    "a batch": lambda: tl.LSTM(3, 4, rng=0)(tl.tensor(np.ones((3, 2, 3))))[0].sum(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_event_is_what_the_walk_said(name):
    loss = LOSSES[name]()
    steps = list(tl.backprop(loss))
    events = Tape(loss).backward
    assert len(events) == len(steps)
    for event, step in zip(events, steps, strict=True):
        again = event.step
        assert (again.node, again.slot, again.input) == (step.node, step.slot, step.input)
        assert (again.arrived, again.expected) == (step.arrived, step.expected)
        for part in ("upstream", "product", "contribution", "before", "after"):
            ours, theirs = getattr(again, part), getattr(step, part)
            assert (ours is None) == (theirs is None)
            assert ours is None or (ours.dtype == theirs.dtype and ours.tobytes() == theirs.tobytes()), part


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradients_are_all_there(name):
    loss = LOSSES[name]()
    kept, whole = Tape(loss).gradients, gradients(loss)
    assert list(kept) == list(whole)
    assert len(kept) == len(whole)
    assert all(kept[node].tobytes() == whole[node].tobytes() for node in whole)
    assert tl.tensor(1.0) not in kept
    with pytest.raises(KeyError):
        kept[tl.tensor(1.0)]


def test_what_is_looked_at_cannot_be_changed():
    tape = Tape(LOSSES["lstm"]())
    for event in tape.backward:
        for array in (event.contribution, event.after, event.upstream):
            assert not array.flags.writeable


def test_totals_are_the_same_in_whatever_order_one_looks():
    loss = LOSSES["forty steps"]()
    steps, tape = list(tl.backprop(loss)), Tape(loss)
    for i in np.random.default_rng(3).permutation(len(steps)):
        event = tape[tape.start + 1 + i]
        assert event.after.tobytes() == steps[i].after.tobytes()
        assert tape.total(steps[i].input, steps[i].arrived).tobytes() == steps[i].after.tobytes()


def test_reading_a_long_walk_applies_the_rule_of_many_inputs_a_few_times_only(monkeypatch):
    """Between two of its events come those of other nodes, and its rule makes what all of its inputs get at once."""
    applied = Counter()

    def counting(node, *rest):
        applied[node] += 1
        return apply_vjp(node, *rest)

    monkeypatch.setattr(recording, "apply_vjp", counting)
    output, _ = tl.LSTM(2, 2, rng=0)(tl.tensor(np.ones((40, 2)), name="xs"))
    tape = Tape(output.sum())
    read = [event.contribution for event in tape]
    (joined,) = [node for node in tape.graph.nodes if node.primitive and len(node.inputs) == 40]
    assert len(read) == len(tape)
    assert 1 <= applied[joined] <= 3
