"""The flow of sequences of different lengths is that of each of them alone: what is past an end is no state of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.nn import longhand
from tinygrad_lstm.nn.cell import as_state

T = 5
SHAPES = [{}, {"num_layers": 2}, {"bidirectional": True}, {"num_layers": 2, "bidirectional": True}]


def loss_of(layer, xs, state, weights, ends, **how):
    output, last = layer(tl.tensor(xs, name="xs"), as_state(tuple(map(tl.tensor, state))), **how)
    parts = last if isinstance(last, tuple) else (last,)
    return (output * output * weights).sum() + sum((part * ends).sum() for part in parts)


def norms_of(loss):
    """The norms of each state by step, and by its place among the columns."""
    rows = tl.step(loss).flow()
    names = list(dict.fromkeys(name for row in rows for name in row.norms))
    return {(row.time, names.index(name)): norm for row in rows for name, norm in row.norms.items()}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("how", SHAPES, ids=["plain", "layers", "bidirectional", "both"])
@pytest.mark.parametrize("layer_type", [tl.RNN, tl.GRU, tl.LSTM])
@settings(max_examples=max(1, settings().max_examples // 10))  # of each of 24 networks
@given(lengths=st.lists(st.integers(2, T), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_the_flow_with_lengths_is_that_of_each_sequence_alone(layer_type, how, compiled, lengths, seed):
    rng, N = np.random.default_rng(seed), len(lengths)
    layer = layer_type(2, 3, rng=seed, **how)
    directions = 1 + layer.bidirectional
    xs, weights = rng.normal(size=(T, N, 2)), rng.normal(size=(T, N, 3 * directions))
    ends = rng.normal(size=(directions * layer.num_layers, N, 3))
    state = [rng.normal(size=ends.shape) for _ in layer.cells[0].state_names]
    called = tl.compile(layer) if compiled else layer
    found = norms_of(loss_of(called, xs, state, weights, ends, lengths=lengths))
    assert not compiled or "not compiled" not in called.explain()
    squares = dict.fromkeys(found, 0.0)
    for n, length in enumerate(lengths):
        one = (slice(None), slice(n, n + 1))
        alone = loss_of(layer, xs[:length][one], [part[one] for part in state], weights[:length][one], ends[one])
        for place, norm in norms_of(alone).items():
            squares[place] += norm**2
    assert found == pytest.approx({place: np.sqrt(square) for place, square in squares.items()}, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("new_first", [True, False])
def test_a_state_behind_a_mask_of_ones_own_is_what_the_step_made(new_first, rng):
    """As in loops written by hand; the gate that it is multiplied with in the next step is found behind it, too."""
    cell, xs, mask = tl.GRUCell(2, 3, rng=0), rng.normal(size=(4, 2, 2)), np.array([[1, 1], [1, 1], [1, 0], [1, 0]])
    h, states = tl.tensor(np.zeros((2, 3))), []
    for t in range(4):
        with tl.time_step(t):
            new = cell(tl.tensor(xs[t]), h)
            within = mask[t, :, None]
            h = tl.where(within, new, h) if new_first else tl.where(1 - within, h, new)
            states.append(new)
    loss = (h * h).sum()
    flow = tl.step(loss).flow()
    exact = [np.linalg.norm(gradient.value) for gradient in tl.grad(loss, states)]
    assert [list(row.norms.values()) for row in flow] == [[pytest.approx(norm)] for norm in exact]
    assert [len(row.through) for row in flow] == [1, 1, 1, 0]


def test_a_state_that_an_episode_begins_anew_is_what_is_handed_on(rng):
    """Where a mask puts something else in the place of a state, nothing is kept: the next step gets that."""
    cell, h, handed = tl.RNNCell(2, 3, rng=0), tl.tensor(np.zeros((2, 3))), []
    for t in range(3):
        with tl.time_step(t):
            h = tl.where(np.array([[1.0], [t != 1]]), cell(tl.tensor(rng.normal(size=(2, 2))), h), 0)
            handed.append(h)
    loss = (h * h).sum()
    exact = [np.linalg.norm(gradient.value) for gradient in tl.grad(loss, handed)]
    assert [list(row.norms.values()) for row in tl.step(loss).flow()] == [[pytest.approx(norm)] for norm in exact]


def test_the_flow_is_that_of_finite_differences(rng):
    """Of a loop in numpy over each sequence, one of them a single step long, in which one number of one state moves."""
    layer, xs, weights, lengths = tl.LSTM(2, 3, rng=0), rng.normal(size=(4, 2, 2)), rng.normal(size=(4, 2, 3)), [1, 4]

    def loss(moved=None, by=0.0):
        total, p = 0.0, longhand.weights(layer.cell)
        for n, length in enumerate(lengths):
            h = c = np.zeros(3)
            for t in range(length):
                h, c = longhand.lstm(p, xs[t, n], h, c)
                if moved and moved[:2] == (t, n):
                    h = h + by * np.eye(3)[moved[2]]
                total += (h * h * weights[t, n]).sum()
        return total

    output, _ = layer(tl.tensor(xs), lengths=lengths)
    for row in tl.step((output * output * weights).sum()).flow():
        places = [(row.time, n, k) for n in range(2) for k in range(3)]
        slopes = [(loss(place, 1e-6) - loss(place, -1e-6)) / 2e-6 for place in places]
        assert row.norms["h"] == pytest.approx(np.linalg.norm(slopes), rel=1e-6)
