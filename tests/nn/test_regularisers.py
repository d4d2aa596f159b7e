"""Dropout and layer normalisation: what they are said to compute, seeded, and in words where they cannot."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.nn.regularisers import dropout, layer_norm


@given(st.floats(0, 0.99), st.integers(0, 99), st.sampled_from([(), (3,), (4, 5)]), st.sampled_from([4, 8]))
def test_dropout_drops_or_scales_and_lets_the_same_gradients_pass(p, seed, shape, size):
    x = tl.tensor(np.random.default_rng(seed).uniform(1, 2, shape), dtype=f"f{size}", requires_grad=True)
    y = tl.nn.Dropout(p, rng=seed)(x)
    scaled = (x.value / (1 - p)).astype(x.dtype)
    assert np.all((y.value == 0) | np.isclose(y.value, scaled, rtol=1e-6))
    assert y.dtype == x.dtype
    again = tl.nn.Dropout(p, rng=seed)(x)
    np.testing.assert_array_equal(y.value, again.value)
    if p:
        y.sum().backward()
        np.testing.assert_allclose(x.grad.value * x.value, y.value, rtol=1e-6)


def test_dropout_keeps_the_mean_and_each_call_draws_anew():
    drop, x = tl.nn.Dropout(0.25, rng=0), tl.tensor(np.ones(40_000))
    first, second = drop(x).value, drop(x).value
    assert abs(first.mean() - 1) < 0.02
    assert abs((first == 0).mean() - 0.25) < 0.02
    assert (first != second).any()


def test_dropout_in_evaluation_and_at_zero_is_nothing_at_all():
    x = tl.tensor([1.0, 2.0])
    assert tl.nn.Dropout(0.5, rng=0).eval()(x) is x
    assert tl.nn.Dropout(0.0, rng=0)(x) is x
    assert dropout(x, 0.5, training=False) is x


def test_dropouts_of_one_generator_differ_and_copies_go_on_alike():
    rng, x = np.random.default_rng(0), tl.tensor(np.ones(50))
    one, other = tl.nn.Dropout(rng=rng), tl.nn.Dropout(rng=rng)
    assert (one(x).value != other(x).value).any()
    twin = copy.deepcopy(one)
    np.testing.assert_array_equal(one(x).value, twin(x).value)
    assert tl.nn.Dropout()(x).shape == (50,)


@given(st.integers(0, 99), st.sampled_from([((3,), 3), ((2, 3), 3), ((4, 2, 3), (2, 3)), ((5, 1, 3), [3])]))
def test_layer_norm_is_its_formula(seed, shapes):
    shape, normalized = shapes
    rng = np.random.default_rng(seed)
    norm, x = tl.nn.LayerNorm(normalized, eps=0.1), rng.normal(size=shape)
    norm.weight.value, norm.bias.value = rng.normal(size=norm.weight.shape), rng.normal(size=norm.weight.shape)
    axes = tuple(range(-norm.weight.ndim, 0))
    scaled = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 0.1)
    expected = scaled * norm.weight.value + norm.bias.value
    np.testing.assert_allclose(norm(x).value, expected, rtol=1e-12, atol=1e-12)
    plain = tl.nn.LayerNorm(normalized, eps=0.1, elementwise_affine=False)
    np.testing.assert_allclose(plain(x).value, scaled, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(layer_norm(x, normalized, eps=0.1).value, plain(x).value)
    assert plain.parameters() == []


def test_layer_norm_agrees_with_the_complex_step(rng):
    norm = tl.nn.LayerNorm(4)
    norm.weight.value = rng.normal(size=4)
    assert tl.testing.check_vjp(norm, rng.normal(size=(2, 4)), parameters=norm.parameters()).worst < 1e4


def test_layer_norm_is_one_box_and_computes_in_its_type():
    norm = tl.nn.LayerNorm(3, dtype="float32")
    y = norm(tl.tensor(np.ones((2, 3)), name="x"))
    assert y.dtype == np.float32
    assert len({node.context.frames for node in tl.Graph(y).nodes if node.context.frames}) == 1


WRONG = {
    "p of 1": (lambda: tl.nn.Dropout(1), ValueError, r"p must be in \[0, 1\), not 1"),
    "p below": (lambda: tl.nn.Dropout(-0.1), ValueError, r"p must be in \[0, 1\), not -0.1"),
    "p of NaN": (lambda: dropout([1.0], float("nan")), ValueError, r"p must be in \[0, 1\), not nan"),
    "p in words": (lambda: tl.nn.Dropout("half"), TypeError, "p must be a number, not 'half'"),
    "rng": (lambda: tl.nn.Dropout(rng=-1), ValueError, "rng must be a seed"),
    "size": (lambda: tl.nn.LayerNorm(0), ValueError, "normalized_shape must be a positive whole number, not 0"),
    "no sizes": (lambda: tl.nn.LayerNorm(()), ValueError, "normalized_shape must be a positive whole number, not 0"),
    "eps": (lambda: tl.nn.LayerNorm(3, eps=-1.0), ValueError, "eps must be finite, and 0 or more, not -1.0"),
    "x": (lambda: tl.nn.LayerNorm((2, 3))(np.ones((3, 2))), tl.ShapeError, r"must be \(\.\.\., 2, 3\)"),
}


@pytest.mark.parametrize(("act", "error", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said(act, error, words):
    with pytest.raises(error, match=words):
        act()
