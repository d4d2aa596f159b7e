"""Cells against their equations written out in numpy, and recurrent layers over whole sequences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.nn import Recurrent

CELLS = [tl.RNNCell, tl.LSTMCell, tl.GRUCell, tl.PeepholeLSTMCell, tl.CoupledLSTMCell]
LAYERS = [tl.RNN, tl.LSTM, tl.GRU]
each_cell = pytest.mark.parametrize("cell_type", CELLS)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def weights(cell):
    return {name: parameter.value for name, parameter in cell.named_parameters()}


def rnn(p, x, h):
    return np.tanh(np.concatenate([h, x], -1) @ p["layer.weight"] + p["layer.bias"])


def lstm(p, x, h, c):
    z = np.concatenate([h, x], -1)
    f = sigmoid(z @ p["forget_gate.weight"] + p["forget_gate.bias"])
    i = sigmoid(z @ p["input_gate.weight"] + p["input_gate.bias"])
    g = np.tanh(z @ p["candidate.weight"] + p["candidate.bias"])
    o = sigmoid(z @ p["output_gate.weight"] + p["output_gate.bias"])
    c = f * c + i * g
    return o * np.tanh(c), c


def gru(p, x, h):
    u = np.concatenate([h, x], -1)
    z = sigmoid(u @ p["update_gate.weight"] + p["update_gate.bias"])
    r = sigmoid(u @ p["reset_gate.weight"] + p["reset_gate.bias"])
    g = np.tanh(np.concatenate([r * h, x], -1) @ p["candidate.weight"] + p["candidate.bias"])
    return (1 - z) * h + z * g


def peephole(p, x, h, c):
    u, z = np.concatenate([c, h, x], -1), np.concatenate([h, x], -1)
    f = sigmoid(u @ p["forget_gate.weight"] + p["forget_gate.bias"])
    i = sigmoid(u @ p["input_gate.weight"] + p["input_gate.bias"])
    g = np.tanh(z @ p["candidate.weight"] + p["candidate.bias"])
    c = f * c + i * g
    o = sigmoid(np.concatenate([c, h, x], -1) @ p["output_gate.weight"] + p["output_gate.bias"])
    return o * np.tanh(c), c


def coupled(p, x, h, c):
    z = np.concatenate([h, x], -1)
    i = sigmoid(z @ p["input_gate.weight"] + p["input_gate.bias"])
    g = np.tanh(z @ p["candidate.weight"] + p["candidate.bias"])
    o = sigmoid(z @ p["output_gate.weight"] + p["output_gate.bias"])
    c = (1 - i) * c + i * g
    return o * np.tanh(c), c


LONGHAND = dict(zip(CELLS, [rnn, lstm, gru, peephole, coupled], strict=True))


def states(cell, rng, *batch):
    return [rng.normal(size=(*batch, cell.hidden_size)) for _ in cell.state_names]


def as_state(parts):
    parts = tuple(part if isinstance(part, tl.Tensor) else tl.tensor(part) for part in parts)
    return parts if len(parts) > 1 else parts[0]


@each_cell
@given(d=st.integers(1, 4), h=st.integers(1, 4), n=st.none() | st.integers(1, 3), seed=st.integers(0, 99))
def test_a_cell_is_its_equations(cell_type, d, h, n, seed):
    """With a batch, and on a single vector."""
    rng = np.random.default_rng(seed)
    cell = cell_type(d, h, rng=rng)
    for parameter in cell.parameters():  # biases too
        parameter.value = rng.normal(size=parameter.shape)
    batch = () if n is None else (n,)
    x, state = rng.normal(size=(*batch, d)), states(cell, rng, *batch)
    expected = LONGHAND[cell_type](weights(cell), x, *state)
    for new, wanted in zip(
        cell.parts(cell(tl.tensor(x), as_state(state))),
        expected if isinstance(expected, tuple) else (expected,),
        strict=True,
    ):
        np.testing.assert_allclose(new.value, wanted, rtol=1e-12, atol=1e-14)


def test_the_relu_cell_is_its_equation(rng):
    cell = tl.RNNCell(2, 3, nonlinearity="relu", rng=0)
    x, h = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    p = weights(cell)
    expected = np.maximum(np.concatenate([h, x], -1) @ p["layer.weight"] + p["layer.bias"], 0)
    np.testing.assert_allclose(cell(tl.tensor(x), tl.tensor(h)).value, expected)


@each_cell
def test_a_cell_without_a_state_starts_from_zeros(cell_type, rng):
    cell = cell_type(2, 3, rng=0)
    for x in (rng.normal(size=2), rng.normal(size=(4, 2))):
        zeros = as_state([np.zeros((*x.shape[:-1], 3))] * len(cell.state_names))
        for given_none, given_zeros in zip(cell.parts(cell(x)), cell.parts(cell(tl.tensor(x), zeros)), strict=True):
            np.testing.assert_array_equal(given_none.value, given_zeros.value)


@each_cell
def test_a_cell_keeps_no_state(cell_type):
    cell = cell_type(2, 3, rng=0)
    first, second = (cell.parts(cell([1.0, 2.0]))[0].value for _ in range(2))
    np.testing.assert_array_equal(first, second)


@each_cell
@pytest.mark.parametrize("batch", [(), (2,)])
def test_gradients_through_time_agree_with_the_complex_step(cell_type, batch, rng):
    """Four steps, D == H, non-zero first state; inputs, state and every parameter; cotangents on every step."""
    cell = cell_type(3, 3, rng=0)
    layer = Recurrent(cell)
    xs, state = rng.normal(size=(4, *batch, 3)), states(cell, rng, 1, *batch)
    report = tl.testing.check_vjp(
        lambda xs, *state: layer(xs, as_state(state)), xs, *state, parameters=layer.parameters(), directions=3
    )
    assert len(report.errors) == 1 + len(state) + len(cell.parameters())
    assert report.worst < 1e4


@pytest.mark.parametrize("layer_type", LAYERS)
@pytest.mark.parametrize("batch", [(), (1,), (5,)])
def test_layers_have_pytorchs_shapes(layer_type, batch, rng):
    layer = layer_type(2, 3, rng=0)
    output, state = layer(tl.tensor(rng.normal(size=(4, *batch, 2))))
    assert output.shape == (4, *batch, 3)
    parts = layer.cell.parts(state)
    assert [part.shape for part in parts] == [(1, *batch, 3)] * len(parts)
    np.testing.assert_array_equal(output.value[-1], parts[0].value[0])


@pytest.mark.parametrize("layer_type", LAYERS)
def test_a_sequence_may_be_run_in_pieces(layer_type, rng):
    layer = layer_type(2, 3, rng=0)
    xs = rng.normal(size=(5, 2, 2))
    whole, last = layer(tl.tensor(xs))
    first, state = layer(tl.tensor(xs[:2]))
    second, end = layer(tl.tensor(xs[2:]), state)
    np.testing.assert_array_equal(np.concatenate([first.value, second.value]), whole.value)
    for one, other in zip(layer.cell.parts(end), layer.cell.parts(last), strict=True):
        np.testing.assert_array_equal(one.value, other.value)


@pytest.mark.parametrize("layer_type", LAYERS)
def test_batch_entries_do_not_see_each_other(layer_type, rng):
    layer = layer_type(2, 3, rng=0)
    xs = rng.normal(size=(3, 4, 2))
    output, _ = layer(tl.tensor(xs))
    for n in range(4):
        alone, _ = layer(tl.tensor(xs[:, n]))
        np.testing.assert_allclose(alone.value, output.value[:, n], rtol=1e-12)


@pytest.mark.parametrize("cell_type", [tl.LSTMCell, tl.PeepholeLSTMCell])
@pytest.mark.parametrize("bias", [None, 0.0, 2.5])
def test_forget_bias_is_the_forget_gates_first_bias(cell_type, bias):
    cell = cell_type(2, 3, rng=0) if bias is None else cell_type(2, 3, forget_bias=bias, rng=0)
    np.testing.assert_array_equal(cell.forget_gate.bias.value, [1.0 if bias is None else bias] * 3)
    np.testing.assert_array_equal(cell.input_gate.bias.value, np.zeros(3))


def test_forget_bias_of_the_coupled_cell_keeps_as_much_as_the_lstms():
    cell = tl.CoupledLSTMCell(2, 3, forget_bias=2.0, rng=0)
    np.testing.assert_allclose(1 - sigmoid(cell.input_gate.bias.value), sigmoid(2.0))


@pytest.mark.parametrize("make", [*CELLS, *LAYERS, tl.Linear, tl.Embedding])
def test_one_seed_gives_one_network(make):
    def drawn(rng):
        return [parameter.value for parameter in make(2, 3, rng=rng).parameters()]

    for one, other in zip(drawn(7), drawn(np.random.default_rng(7)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(drawn(7), drawn(8), strict=True))


@pytest.mark.parametrize("make", [*CELLS, *LAYERS])
def test_a_float32_network_computes_and_learns_in_float32(make):
    network = make(2, 3, rng=0, dtype=np.float32)
    result = network(tl.tensor(np.ones((4, 2)), dtype=np.float32))
    first = result[0] if isinstance(result, tuple) else result
    first.sum().backward()
    assert {p.dtype for p in network.parameters()} == {np.dtype(np.float32)} == {first.dtype}
    assert {p.grad.dtype for p in network.parameters()} == {np.dtype(np.float32)}
