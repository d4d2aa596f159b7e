"""Weights in Keras' layout, as layer.get_weights() returns them, become ours and come back, without Keras."""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(kind, weights, xs, reset_after=True):
    """Keras' equations (keras/src/layers/rnn/{simple_rnn,lstm,gru}.py, version 3) on its arrays. xs: (T, N, D)."""
    kernel, recurrent, *rest = weights
    H = len(recurrent)
    bias = rest[0] if rest else np.zeros(kernel.shape[1])
    h = c = np.zeros((xs.shape[1], H))
    found = []
    for x in xs:
        if kind == "GRU":
            b, d = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
            x_z, x_r, x_h = np.split(x @ kernel + b, 3, axis=1)
            z = sigmoid(x_z + h @ recurrent[:, :H] + d[:H])
            r = sigmoid(x_r + h @ recurrent[:, H : 2 * H] + d[H : 2 * H])
            if reset_after:
                candidate = np.tanh(x_h + r * (h @ recurrent[:, 2 * H :] + d[2 * H :]))
            else:
                candidate = np.tanh(x_h + (r * h) @ recurrent[:, 2 * H :])
            h = z * h + (1 - z) * candidate
        else:
            z = x @ kernel + h @ recurrent + bias
            if kind == "LSTM":
                i, f, g, o = np.split(z, 4, axis=1)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = np.tanh(z) if kind == "RNN" else sigmoid(o) * np.tanh(c)
        found.append(h)
    return np.array(found)


GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


@given(st.sampled_from(["RNN", "LSTM", "GRU"]), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_layer_computes_what_keras_arrays_mean(kind, bias, both, reset_after, seed):
    rng, H, G = np.random.default_rng(seed), 3, GATES[kind]
    how = {"reset_after": reset_after} if kind == "GRU" else {}
    sides = []
    for _ in range(1 + both):
        b = [rng.normal(size=(2, G * H) if kind == "GRU" and reset_after else G * H)] * bias
        sides.append([rng.normal(size=(2, G * H)), rng.normal(size=(H, G * H)), *b])
    ours = getattr(tl, kind)(2, H, bias=bias, bidirectional=both, rng=0, **how)
    weights = [array for side in sides for array in side]
    assert tl.from_keras(weights, into=ours) is ours
    xs = rng.normal(size=(4, 2, 2))
    expected = by_hand(kind, sides[0], xs, reset_after)
    if both:
        expected = np.concatenate([expected, by_hand(kind, sides[1], xs[::-1], reset_after)[::-1]], axis=-1)
    np.testing.assert_allclose(ours(xs)[0].value, expected, rtol=0, atol=1e-12)
    back = tl.to_keras(ours)
    assert [array.shape for array in back] == [array.shape for array in weights]
    np.testing.assert_allclose(by_hand(kind, back[: len(sides[0])], xs, reset_after), expected[..., :H], atol=1e-12)


def model():
    return tl.nn.Sequential(tl.Embedding(5, 3, rng=0), tl.nn.LayerNorm(3), tl.LSTMCell(3, 2, rng=1), tl.Linear(2, 4))


def test_a_model_of_several_layers_has_its_weights_one_after_another():
    ours = model()
    weights = tl.to_keras(ours)
    assert [array.shape for array in weights] == [(5, 3), (3,), (3,), (3, 8), (2, 8), (8,), (2, 4), (4,)]
    other = tl.from_keras([array + 1 for array in weights], into=model())
    assert all(np.array_equal(one + 1, two) for one, two in zip(weights, tl.to_keras(other), strict=True))


def test_of_weights_that_do_not_fit_nothing_is_loaded_and_one_line_says_why():
    ours = model()
    weights, before = tl.to_keras(ours), deepcopy(ours.state_dict())
    for given_weights, words in (
        (weights[:-1], r"missing: weight 7 \(bias\)$"),
        ([*weights, np.zeros(1)], "surplus: weight 8"),
        ([*weights[:3], np.zeros((3, 6)), *weights[4:]], r"weight 3 \(kernel\) has shape \(3, 6\), not \(3, 8\)"),
        ([np.zeros((5, 3), np.float16), *weights[1:]], "weight 0 is float16, and weights are float32 or float64"),
        ([[["a"]], *weights[1:]], r"weight 0 \(embeddings\)"),
    ):
        with pytest.raises((ValueError, TypeError), match=words) as raised:
            tl.from_keras(given_weights, into=ours)
        assert str(raised.value).isprintable()
        assert all(np.array_equal(ours.state_dict()[name], array) for name, array in before.items())
    for wrong in ({}, None, np.zeros(3)):
        with pytest.raises(TypeError, match=r"weights are a list of arrays, as layer\.get_weights\(\) returns, not"):
            tl.from_keras(wrong, into=ours)
    with pytest.raises(TypeError, match="into must be a module of ours, not None"):
        tl.from_keras(weights, into=None)
    with pytest.raises(TypeError, match="to_keras takes a module of ours, not None"):
        tl.to_keras(None)


def test_what_keras_has_not_is_refused_by_its_path():
    odd = tl.GRUCell(1, 1, reset_after=False, activations=(tl.relu, tl.tanh))
    for part, words in (
        (tl.LSTM(2, 3, proj_size=1), r"encoder\.cell is made with projected=True, which Keras has not"),
        (tl.nn.Recurrent(tl.PeepholeLSTMCell(1, 1)), r"encoder\.cell is made with peephole='full'"),
        (odd, "encoder replaces by another function than σ, where Keras keeps by it"),
        (tl.nn.TiedLinear(tl.Embedding(2, 2)), "encoder is a TiedLinear, which Keras has not"),
    ):
        with pytest.raises(ValueError, match=words):
            tl.to_keras(tl.nn.Sequential({"encoder": part}))
