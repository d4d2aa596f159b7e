"""What stands at the ends of a range: infinite, masked throughout, empty, vanishing; and sums that nobody watches."""

import gc

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine import backprop
from tinygrad_lstm.engine.primitive import Kind

inf = np.inf
ENDS = [s * v for v in (0, 5e-324, 1e-308, 1e-8, 0.5, 30, 104, 709, 746, 800, 1e308, inf) for s in (1.0, -1.0)]


@pytest.mark.parametrize("f", [tl.sigmoid, tl.softplus, tl.tanh, tl.relu, tl.abs])
@pytest.mark.parametrize("end", ENDS)
def test_a_stable_function_and_its_rule_are_silent_everywhere(f, end):
    x = tl.tensor(end, requires_grad=True)
    with np.errstate(all="raise"):
        y = f(x)
        (slope,) = tl.grad(y, x)
        (watched,) = tl.backprop(y)
    assert np.isfinite(slope.item())
    assert slope.item() == watched.after


def test_softplus_rises_with_slope_1_for_ever():
    x = tl.tensor(inf, requires_grad=True)
    assert tl.grad(tl.softplus(x), x)[0].item() == 1


@pytest.mark.parametrize(("f", "value"), [(tl.logsumexp, -inf), (tl.softmax, 0.0), (tl.log_softmax, -inf)])
def test_a_row_that_is_masked_throughout_has_no_nan(f, value):
    x = tl.tensor([-inf] * 3, requires_grad=True)
    with np.errstate(all="raise"):
        y = f(x)
        (slope,) = tl.grad(y, x, np.zeros(y.shape))
    assert (y.numpy() == value).all()
    assert (slope.numpy() == 0).all()


@pytest.mark.parametrize("f", [tl.sum, tl.logsumexp, tl.softmax, tl.log_softmax])
def test_what_is_empty_is_reduced(f):
    x = tl.tensor(np.ones((2, 0)), requires_grad=True)
    y = f(x, axis=-1)
    assert tl.grad(y, x, np.ones(y.shape))[0].shape == (2, 0)


def test_an_inf_that_is_meant_is_told_from_a_nan():
    mask = tl.tensor([-inf, 0.0])
    with tl.detect_nan(inf=False):
        assert (mask + 1.0).numpy()[0] == -inf
        with pytest.raises(FloatingPointError, match="first NaN"):
            mask - mask
    with tl.detect_nan(nan=False), pytest.raises(FloatingPointError, match="already holds"):
        mask + 1.0


@pytest.mark.parametrize("index", [0, slice(1), [0, 0, 2], (slice(None), [1, 1])], ids=str)
def test_unwatched_the_gradient_is_that_of_the_walk(index, rng):
    x = tl.tensor(rng.normal(size=(3, 2)), requires_grad=True)
    y = tl.sin(x).sum() + sum((tl.tanh(x[index]) * k).sum() for k in range(3))
    watched = [step.after for step in tl.backprop(y) if step.input is x][-1]
    (found,) = tl.grad(y, x)
    np.testing.assert_allclose(found.numpy(), watched, rtol=1e-14)
    assert not found.numpy().flags.writeable


def test_unwatched_no_slice_makes_an_array_of_zeros(monkeypatch):
    made, zeros_like = [], np.zeros_like
    monkeypatch.setattr(backprop.np, "zeros_like", lambda *args, **how: made.append(1) or zeros_like(*args, **how))
    x = tl.tensor(np.ones((50, 2)), requires_grad=True)
    sum((x[t] * t).sum() for t in range(50)).backward()
    assert len(made) == 1


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_as_it_was_after_a_layer_also_when_it_failed(on):
    lstm, was_on = tl.LSTM(2, 3, rng=0), gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        lstm(np.ones((4, 2)))
        assert gc.isenabled() == on
        with pytest.raises(ValueError, match="xs has shape"):
            lstm(np.ones((4, 5)))
        assert gc.isenabled() == on
    finally:
        (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("make", [tl.LSTM, tl.GRU, tl.RNN, tl.LSTMCell, tl.GRUCell, tl.RNNCell, tl.Linear])
def test_a_layer_of_32_bits_computes_in_32_whatever_it_is_given(make, rng):
    layer = make(2, 2, rng=0, dtype=np.float32)
    xs = rng.normal(size=(1, 2))
    for given in (xs, xs.tolist(), tl.tensor(xs), tl.tensor(xs, dtype=np.float32)):
        out = layer(given)
        assert {part.dtype for part in (out if isinstance(out, tuple) else (out,)) if isinstance(part, tl.Tensor)} == {
            np.dtype(np.float32)
        }
    x = tl.tensor(xs, requires_grad=True)
    out = layer(x)
    while isinstance(out, tuple):
        out = out[0]
    assert tl.grad(out.sum(), x)[0].dtype == np.float64
    if make is not tl.Linear:
        tl.testing.check_vjp(lambda x: layer(x), x)


def test_a_state_of_64_bits_is_cast_too():
    state = tl.LSTM(2, 2, rng=0)(np.ones((3, 2)))[1]
    output, (h_n, c_n) = tl.LSTM(2, 2, rng=0, dtype=np.float32)(np.ones((3, 2)), state)
    assert output.dtype == h_n.dtype == c_n.dtype == np.float32


def test_everything_is_silent_where_it_is_stable_also_to_who_asked_numpy_to_raise():
    """Of numbers that lie well within the range; a logarithm of 0 is not."""
    x = np.array([[-300.0, -30.0, 1e-200, 0.5, 300.0]])
    with np.errstate(all="raise"):
        for primitive in tl.primitives():
            if primitive.kind in (Kind.pointwise, Kind.activation, Kind.reduction) and primitive.arity == 1:
                leaf = tl.tensor(np.abs(x) if primitive.domains[0][0] > -np.inf else x, requires_grad=True)
                y = primitive(leaf)
                if primitive.rule is not None:
                    tl.grad(y, leaf, np.ones(y.shape))


def test_a_mask_is_not_dropped_and_other_arrays_are_taken():
    with pytest.raises(TypeError, match="no mask"):
        tl.tensor(np.ma.masked_array([1.0, 2.0], [True, False]))
    x, hidden = tl.tensor([[1.0, 2.0]], requires_grad=True), np.ma.masked_array([0.0, 1.0], [True, False])
    whole = hidden.astype(int)
    for take in (
        lambda: x + hidden,
        lambda: hidden * x,
        lambda: hidden @ x.T,
        lambda: tl.tanh(hidden),
        lambda: tl.tensor([hidden]),
        lambda: x[:, whole],
        lambda: tl.take(x.T, whole),
        lambda: tl.Embedding(2, 2, rng=0)(whole),
        lambda: tl.cross_entropy(np.ones((2, 2)), whole),
        lambda: tl.grad(tl.tanh(x), x, hidden),
        lambda: tl.Graph(tl.tanh(x)).replay({x: hidden}),
        lambda: tl.LSTM(2, 2, rng=0)([hidden]),
    ):
        with pytest.raises(TypeError, match="no mask"):
            take()
    swapped = np.arange(3, dtype=">f8")
    swapped.setflags(write=False)
    assert tl.tensor(swapped).dtype == np.float64
    assert tl.tensor(swapped).tolist() == [0, 1, 2]
