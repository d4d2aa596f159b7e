"""The composed LSTM against backpropagation through time written out by hand, in another layout and another order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl

GATES = ("forget_gate", "input_gate", "candidate", "output_gate")


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(w, b, xs, h, c):
    """w, b: one weight and bias per gate. Returns h of every step, the last c, and what the way back needs."""
    outputs, tape = [], []
    for x in xs:
        z = np.concatenate([h, x], axis=-1)
        f, i, g, o = (
            squash(z @ w[k] + b[k]) for k, squash in zip(range(4), (sigmoid, sigmoid, np.tanh, sigmoid), strict=True)
        )
        new_c = f * c + i * g
        tape.append((z, f, i, g, o, c, np.tanh(new_c)))
        h, c = o * np.tanh(new_c), new_c
        outputs.append(h)
    return np.stack(outputs), c, tape


def backward(w, tape, d_outputs, d_h_last, d_c_last):
    """From the gradients of every output and of the last state to those of everything that went in."""
    hidden = d_h_last.shape[-1]
    d_w, d_b = [np.zeros_like(each) for each in w], [np.zeros(hidden) for _ in w]
    d_xs = []
    d_h, d_c = d_h_last, d_c_last
    for (z, f, i, g, o, c_before, tanh_c), d_output in zip(reversed(tape), reversed(d_outputs), strict=True):
        d_h = d_h + d_output
        d_c = d_c + d_h * o * (1 - tanh_c**2)
        d_before = (
            d_c * c_before * f * (1 - f),
            d_c * g * i * (1 - i),
            d_c * i * (1 - g**2),
            d_h * tanh_c * o * (1 - o),
        )
        d_z = np.zeros_like(z)
        for k, d in enumerate(d_before):
            d_w[k] += z.T @ d
            d_b[k] += d.sum(axis=0)
            d_z += d @ w[k].T
        d_h, d_x = d_z[:, :hidden], d_z[:, hidden:]
        d_c = d_c * f
        d_xs.append(d_x)
    return d_w, d_b, np.stack(d_xs[::-1]), d_h, d_c


@pytest.mark.parametrize("through", ["backward", "grad", "create_graph"])
@given(steps=st.integers(3, 7), batch=st.integers(1, 3), size=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_the_lstm_is_backpropagated_as_by_hand(through, steps, batch, size, seed):
    """D == H, so that swapped blocks fit; non-zero h0 and c0; random gradients on every output and both last states."""
    rng = np.random.default_rng(seed)
    layer = tl.LSTM(size, size, rng=rng)
    for parameter in layer.parameters():
        parameter.value = rng.normal(size=parameter.shape)
    w = [getattr(layer.cell, gate).weight for gate in GATES]
    b = [getattr(layer.cell, gate).bias for gate in GATES]
    xs = tl.tensor(rng.normal(size=(steps, batch, size)), requires_grad=True)
    h0, c0 = (tl.tensor(rng.normal(size=(1, batch, size)), requires_grad=True) for _ in range(2))

    output, (h_n, c_n) = layer(xs, (h0, c0))
    hand = forward([p.value for p in w], [p.value for p in b], xs.value, h0.value[0], c0.value[0])
    np.testing.assert_allclose(output.value, hand[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(c_n.value[0], hand[1], rtol=1e-9, atol=1e-12)

    upstream = [rng.normal(size=y.shape) for y in (output, h_n, c_n)]
    loss = sum((y * u).sum() for y, u in zip((output, h_n, c_n), upstream, strict=True))
    everything = [*w, *b, xs, h0, c0]
    if through == "backward":
        loss.backward()
        gradients = [x.grad.value for x in everything]
    else:
        gradients = [g.value for g in tl.grad(loss, everything, create_graph=through == "create_graph")]

    d_w, d_b, d_xs, d_h, d_c = backward([p.value for p in w], hand[2], upstream[0], upstream[1][0], upstream[2][0])
    for ours, by_hand in zip(gradients, [*d_w, *d_b, d_xs, d_h[None], d_c[None]], strict=True):
        np.testing.assert_allclose(ours, by_hand, rtol=1e-8, atol=1e-10)


def test_a_gradient_reaches_back_over_a_hundred_steps(rng):
    """What truncation would lose: only the last step is scored, only the first input asked for."""
    layer = tl.LSTM(2, 2, forget_bias=5.0, rng=0)
    xs = tl.tensor(rng.normal(size=(100, 1, 2)), requires_grad=True)
    output, _ = layer(xs)
    (gradient,) = tl.grad(output[-1].sum(), xs)
    w, b = ([getattr(getattr(layer.cell, gate), part).value for gate in GATES] for part in ("weight", "bias"))
    hand = forward(w, b, xs.value, np.zeros((1, 2)), np.zeros((1, 2)))
    only_last = np.zeros_like(hand[0])
    only_last[-1] = 1
    d_xs = backward(w, hand[2], only_last, np.zeros((1, 2)), np.zeros((1, 2)))[2]
    assert np.abs(gradient.value[0]).max() > 1e-6
    np.testing.assert_allclose(gradient.value, d_xs, rtol=1e-9)
