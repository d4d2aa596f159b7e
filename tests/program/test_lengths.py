"""Padded batches: which steps are within each sequence is data, in layers and in what people write themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.nn.test_options import OPTIONS as EVERY
from tests.program.agreement import exactly, to_rounding, unlike_compiled
from tests.program.networks import D, H, drawn
from tinygrad_lstm.program import NotExpressible

W, U = drawn(D, H, name="W"), drawn(H, H, name="U", seed=1)
OPTIONS = {
    "one": {},
    "two layers": {"num_layers": 2},
    "both directions": {"bidirectional": True},
    "two layers, both directions": {"num_layers": 2, "bidirectional": True},
    "batch first": {"batch_first": True},
    "float32": {"dtype": "float32"},
}
LAYERS = {
    f"{kind.__name__}, {options}": kind(D, H, rng=0, **OPTIONS[options])
    for kind in (tl.LSTM, tl.GRU, tl.RNN)
    for options in OPTIONS
}
COMPILED = {(name, level): tl.compile(layer, optimize=level) for name, layer in LAYERS.items() for level in (0, 3)}


@st.composite
def padded_batches(draw):
    steps, batch = draw(st.integers(1, 9)), draw(st.integers(1, 5))
    lengths = draw(st.lists(st.integers(1, steps), min_size=batch, max_size=batch))
    return steps, batch, draw(st.sampled_from([list, np.array]))(lengths), draw(st.integers(0, 99))


def differing(name, level, steps, batch, lengths, seed):
    layer, fast = LAYERS[name], COMPILED[name, level]
    xs = drawn(steps, batch, D, name="xs", seed=seed, dtype=layer.parameters()[0].dtype).value
    xs = tl.tensor(xs.swapaxes(0, 1) if layer.batch_first else xs, requires_grad=True, name="xs")
    calls = (lambda x, f=f: f(x, lengths=lengths) for f in (fast, layer))
    found = unlike_compiled(*calls, [xs], [xs, *layer.parameters()], to_rounding)
    assert "not compiled" not in fast.explain(), fast.explain()
    return found


@pytest.mark.parametrize("name", ["LSTM, one", "GRU, batch first", "RNN, two layers, both directions"])
@settings(max_examples=8)
@given(padded_batches())
def test_a_layer_with_lengths_is_the_composed_one(name, batch):
    assert differing(name, 3, *batch) == []


@pytest.mark.slow
@pytest.mark.parametrize("level", [0, 3])
@pytest.mark.parametrize("name", LAYERS)
@given(padded_batches())
def test_every_layer_with_lengths_is_the_composed_one(name, level, batch):
    assert differing(name, level, *batch) == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "option"), [(kind, option) for kind, options in EVERY.items() for option in options])
def test_there_is_no_option_of_a_layer_that_is_not_compiled(kind, option):
    layer = kind(D, H, rng=0, **EVERY[kind][option]).eval()  # dropout draws other numbers in each call
    fast, x = tl.compile(layer), tl.tensor(drawn(2, 2, D).value, requires_grad=True)
    for how in ({}, {"lengths": [1, 2]}):
        calls = (lambda x, f=f, how=how: f(x, **how) for f in (fast, layer))
        assert unlike_compiled(*calls, [x], [x, *layer.parameters()], to_rounding) == []
    assert "not compiled" not in fast.explain()


@pytest.mark.parametrize("kind", [tuple, np.int32, np.uint8])
def test_lengths_are_whole_numbers_of_any_kind(kind):
    assert differing("RNN, one", 3, 4, 2, kind([3, 4]), 0) == []


def test_padding_that_is_nan_is_not_seen():
    fast, x = tl.compile(LAYERS["LSTM, one"]), drawn(5, 2, D).value.copy()
    clean = fast(x, lengths=[2, 5])[0]
    x[2:, 0] = np.nan
    assert np.array_equal(fast(x, lengths=[2, 5])[0].value, clean.value)


def test_its_program_says_what_is_within():
    program = tl.source(LAYERS["GRU, one"], drawn(5, 2, D), lengths=[2, 5])
    assert str(program).count("np.arange") == 1
    assert "within = np.arange(T)[:, None, None] < lengths[:, None]\n" in str(program)
    assert "h[t] = np.where(within[t], " in str(program)
    assert str(tl.source(LAYERS["GRU, one"], drawn(5, 2, D), lengths=np.array([1, 1]))) == str(program)


@pytest.mark.parametrize("lengths", [[0, 3], [6, 1], [2.5, 1], [1], [1, 2, 3], "ab"])
def test_lengths_that_are_none_are_refused_by_the_layer(lengths):
    layer, x = LAYERS["LSTM, one"], drawn(5, 2, D)
    fast = tl.compile(layer)
    fast(x, lengths=[3, 5])
    fast(x, lengths=np.array([3, 5]))
    with pytest.raises((ValueError, TypeError)) as ours:
        fast(x, lengths=lengths)
    with pytest.raises((ValueError, TypeError)) as theirs:
        layer(x, lengths=lengths)
    assert str(ours.value) == str(theirs.value)
    with pytest.raises(ValueError, match=r"lengths\[1\] is 6"):
        fast(x, lengths=np.array([3, 6]))


def test_it_goes_back_twice_and_opens_as_the_layer_with_those_lengths():
    layer, x = LAYERS["RNN, one"], drawn(4, 2, D)
    output, _ = tl.compile(layer)(x, lengths=[4, 2])
    composed, _ = layer(x, lengths=[4, 2])
    assert tl.draw(output.sum(), "cells").source.count(">lengths<") == tl.draw(composed.sum(), "cells").source.count(
        ">lengths<"
    )
    found = []
    for y in (output, composed):
        (slope,) = tl.grad((y * y).sum(), [x], create_graph=True)
        found.append(tl.grad((slope * slope).sum(), [x, *layer.parameters()]))
    for ours, theirs in zip(*found, strict=True):
        assert to_rounding(ours.value, theirs.value)


def recurrent(x, lengths, within):
    h = tl.tensor(np.zeros((x.shape[1], H)))
    for t in range(len(x)):
        h = within(tl.tanh(x[t] @ W + h @ U), h, t, lengths)
    return h


def chosen_in_each_step(x, lengths):
    return recurrent(x, lengths, lambda new, old, t, lengths: tl.where((t < np.asarray(lengths))[:, None], new, old))


def weighed_in_each_step(x, lengths):
    def weighed(new, old, t, lengths):
        mask = (t < np.asarray(lengths))[:, None] * 1.0
        return mask * new + (1 - mask) * old

    return recurrent(x, lengths, weighed)


def within(x, lengths):
    return np.arange(len(x))[:, None] < np.asarray(lengths)


def a_loss_of_what_is_within(x, lengths):
    output, _ = LAYERS["GRU, one"](x, lengths=lengths)
    mask = tl.tensor(within(x, lengths).astype(float))
    return ((output**2).sum(axis=-1) * mask).sum() / mask.sum()


def the_last_output_of_each(x, lengths):
    output, _ = LAYERS["GRU, one"](x)
    return output[np.asarray(lengths) - 1, np.arange(x.shape[1])]


def past_the_ends(x, lengths):
    return tl.max(tl.where(~within(x, lengths)[..., None], -1e9, x @ W), axis=0)


def attention_to_what_is_within(x, lengths):
    scores = x.transpose(1, 0, 2) @ x.transpose(1, 2, 0)
    mask = np.arange(len(x)) < np.asarray(lengths)[:, None, None]
    return tl.softmax(tl.where(mask, scores, -1e9)) @ x.transpose(1, 0, 2)


def a_layer_that_takes_the_batch_first(x, lengths):
    return LAYERS["GRU, batch first"](x.transpose(1, 0, 2), lengths=lengths)


FUNCTIONS = [
    chosen_in_each_step, weighed_in_each_step, a_loss_of_what_is_within, the_last_output_of_each, past_the_ends,
    attention_to_what_is_within, a_layer_that_takes_the_batch_first,
]  # fmt: skip
SIZES = [(5, 2), (4, 4), (1, 3), (3, 1), (40, 6)]


def batch(steps, batch, seed=0):
    lengths = np.random.default_rng([seed, steps, batch]).integers(1, steps, batch, endpoint=True)
    return drawn(steps, batch, D, name="x", seed=seed), lengths


@pytest.mark.parametrize("optimize", [0, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_masks_that_people_make_of_lengths_are_data(f, optimize):
    fast = tl.compile(f, optimize=optimize)
    learned = [W, U, *LAYERS["GRU, one"].parameters(), *LAYERS["GRU, batch first"].parameters()]
    for number, size in enumerate(SIZES):
        x, lengths = batch(*size)
        given = lengths.tolist() if number % 2 else lengths
        assert unlike_compiled(fast, f, [x, given], [x, *learned], to_rounding) == []
    assert "not compiled" not in fast.explain(), fast.explain()


def test_sequences_and_others_have_lengths_of_their_own():
    layer = LAYERS["LSTM, one"]

    def f(x, z, lengths, others):
        return layer(x, lengths=lengths)[0].sum(axis=0) * layer(z, lengths=others)[0].sum(axis=0)

    fast = tl.compile(f)
    for steps, more, count in [(5, 4, 2), (2, 7, 3), (4, 4, 4), (9, 1, 5)]:
        (x, lengths), (z, others) = batch(steps, count), batch(more, count, seed=1)
        wrt = [x, z, *layer.parameters()]
        assert unlike_compiled(fast, f, [x, z, lengths, others], wrt, to_rounding) == []
    assert "not compiled" not in fast.explain(), fast.explain()


def test_what_is_made_of_lengths_otherwise_is_refused():
    with pytest.raises(NotExpressible, match="two runs of it differ at div"):
        tl.source(lambda x, lengths: x.sum() / lengths.sum(), *batch(5, 2))


def test_numbers_in_a_list_that_say_what_is_computed_are_no_data():
    def chosen(x, rows):
        return x[:, :, rows[0]] * rows[1] if rows[0] < rows[1] else tl.tanh(x)

    fast, x = tl.compile(chosen), drawn(5, 2, D)
    for rows in ([0, 1], [1, 2], [2, 0], [0, 1]):
        assert unlike_compiled(fast, chosen, [x, rows], [x], exactly) == []
    said = fast.explain().splitlines()
    assert [line.partition(":")[0] for line in said] == [
        f"x with 3 axes of float64, rows_0={a}, rows_1={b}" for a, b in ([0, 1], [1, 2], [2, 0])
    ]
    assert all(line.endswith("lines") for line in said)
