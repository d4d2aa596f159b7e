"""What is written of a long walk by its structure is what is written of each of its steps."""

import json

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.conftest import few
from tests.pages.test_folding import unfolded
from tinygrad_lstm.nn.named import names
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.folding import EDGE, Alike, Folding
from tinygrad_lstm.stepper.web.record import Forms, Record

STEPS = 2 * EDGE + 6


def parts(loss):
    record = Record(tl.step(loss).events, Forms())
    return record.walk(), record.views()


def require_the_same(loss):
    """Require that what is folded unfolds to what is written in full."""
    for part in parts(loss):
        folding = Folding()
        folded = folding.folded(part)
        assert json.dumps(unfolded(folded, folding.texts)) == json.dumps(part, default=list)


@pytest.mark.slow
@pytest.mark.parametrize("cell", names())
def test_every_cell(cell):
    require_the_same(small_loss(cell, STEPS))


@pytest.mark.slow
def test_where_numbers_have_one_more_digit():
    require_the_same(small_loss("lstm", 115))


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"bidirectional": True}, {"layers": 2}, {"last_step": True}])
def test_two_directions_and_layers(how):
    require_the_same(small_loss("gru", STEPS, **how))


def test_most_of_a_long_walk_is_not_written():
    written = []
    walk = Record(tl.step(small_loss("lstm", 200)).events, Forms()).walk()
    for part in (walk["nodes"], walk["uses"]):
        assert isinstance(part, Alike)
        write = part._write
        Folding().folded(Alike(part.structure, lambda at, write=write: (written.append(at), write(at))[1]))
    assert len(written) < 0.2 * (len(walk["nodes"]) + len(walk["uses"]))


def recurrence(step, count=STEPS + 4):
    """A network of the user's own: ``step(t, x, states so far)`` returns the next state."""
    xs = tl.tensor(np.random.default_rng(0).normal(size=(count, 2)), name="xs", requires_grad=True)
    states = [tl.zeros(2)]
    for t in range(count):
        with tl.time_step(t):
            states.append(step(t, xs[t], states))
    return sum(states[1:], start=tl.tensor(0.0)).sum()


W, V = (tl.tensor(np.eye(2) * n, requires_grad=True, name=name) for n, name in ((0.5, "W"), (0.7, "V")))


def named(x, name):
    x.name = name
    return x


OWN = {
    "no names": lambda t, x, hs: tl.tanh(hs[-1] @ W + x),
    "a running sum without a name": lambda t, x, hs: hs[-1] + x,
    "names that count by squares": lambda t, x, hs: named(tl.tanh(hs[-1] @ W + x), f"h{t * t}"),
    "names that do not count": lambda t, x, hs: named(tl.tanh(hs[-1] @ W + x), "abc"[t * t % 3]),
    "another weight in the middle": lambda t, x, hs: tl.tanh(hs[-1] @ (V if t == 14 else W) + x),
    "another operation in the middle": lambda t, x, hs: (tl.relu if t == 15 else tl.tanh)(hs[-1] @ W + x),
    "a state of long ago": lambda t, x, hs: tl.tanh(hs[-1] @ W + hs[max(0, len(hs) - 15)] + x),
    "any state of before": lambda t, x, hs: tl.tanh(hs[-1] @ W + hs[(t * t) % len(hs)] + x),
    "all states of before": lambda t, x, hs: tl.tanh(tl.stack(hs).sum(axis=0) @ W + x),
    "all even states of before": lambda t, x, hs: tl.tanh(hs[-1] @ W + tl.stack(hs[::2]).mean(axis=0) + x),
    "entries that do not count": lambda t, x, hs: tl.tanh(hs[-1] @ W * x[t * t % 2]),
    "places in an array": lambda t, x, hs: tl.tanh(hs[-1][np.array([t % 2, t * t % 2])] @ W + x),
    "numbers": lambda t, x, hs: tl.tanh(hs[-1] @ W * (1 + t * t) + x),
    "now and then": lambda t, x, hs: tl.tanh(hs[-1] @ W + x) if t % 7 else tl.relu(hs[-1] + x) @ V,
}


@pytest.mark.parametrize("own", few(OWN, 3))
def test_networks_of_users(own):
    require_the_same(recurrence(OWN[own]))


def test_phases():
    h = tl.zeros(2)
    for t in range(STEPS):
        with tl.time_step(t, phase="encoder"):
            h = tl.tanh(h @ W)
    for t in range(STEPS):
        with tl.time_step(t, offset=STEPS, phase="decoder"):
            h = tl.tanh(h @ V)
    require_the_same(h.sum())
