"""The walk, gradients of gradients, and what a graph remembers."""

import copy
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl


def leaf(value, **how):
    return tl.tensor(value, requires_grad=True, **how)


def small_lstm(steps=3, rng=0):
    """A recurrent network, its input and a scalar loss."""
    layer = tl.LSTM(2, 3, rng=rng)
    xs = tl.tensor(np.random.default_rng(rng).normal(size=(steps, 2, 2)), name="xs")
    output, _ = layer(xs)
    return layer, (output * output).sum()


def test_the_walk_is_the_gradient():
    """Contributions, running totals and counts of a whole network; the last totals are what backward leaves."""
    layer, loss = small_lstm()
    totals, arrived = {}, {}
    for c in tl.backprop(loss):
        assert c.input is c.node.inputs[c.slot]
        assert c.contribution.shape == c.after.shape == c.input.shape
        before = np.zeros(c.input.shape) if c.before is None else c.before
        np.testing.assert_array_equal(before + c.contribution, c.after)
        assert c.before is totals.get(c.input)
        if c.node is not loss:
            assert c.upstream is totals[c.node]
        totals[c.input] = c.after
        arrived[c.input] = arrived.get(c.input, 0) + 1
        assert c.arrived == arrived[c.input] <= c.expected
    loss.backward()
    assert len(layer.parameters()) == 8
    for parameter in layer.parameters():
        np.testing.assert_array_equal(parameter.grad.value, totals[parameter])


def test_every_contribution_arrives_before_a_rule_is_applied():
    _, loss = small_lstm()
    counts = {}
    for c in tl.backprop(loss):
        assert c.node is loss or counts[c.node] == 0
        counts[c.input] = counts.get(c.input, c.expected) - 1
    assert set(counts.values()) == {0}


def test_the_walk_can_be_stopped_and_leaves_nothing_behind():
    layer, loss = small_lstm()
    walk = tl.backprop(loss)
    next(walk)
    walk.close()
    assert all(parameter.grad is None for parameter in layer.parameters())


def test_the_walks_arrays_are_locked():
    x = leaf(np.ones((2, 1)), dtype=np.float32)
    y = (x * np.ones((2, 3))).sum() * 1.0
    for c in tl.backprop(y, tl.tensor(1.0)):
        for array in (c.upstream, c.product, c.contribution, c.after):
            assert not array.flags.writeable


def test_backward_twice_adds_up_until_cleared():
    layer, loss = small_lstm()
    loss.backward()
    once = [parameter.grad.value for parameter in layer.parameters()]
    loss.backward()
    for parameter, gradient in zip(layer.parameters(), once, strict=True):
        np.testing.assert_array_equal(parameter.grad.value, 2 * gradient)
    layer.zero_grad()
    assert all(parameter.grad is None for parameter in layer.parameters())


def test_a_failing_backward_changes_no_gradient():
    x = leaf([1.0])
    bad = tl.primitive("bad", lambda x: x + 0, lambda g, y, x: 1 / 0)
    y = (x * 1.0 + bad(x)).sum()
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert x.grad is None


@given(st.integers(0, 99))
def test_a_seed_weighs_the_outputs(seed):
    weights = np.random.default_rng(seed).normal(size=3)
    x = leaf([1.0, 2.0, 3.0])
    (gradient,) = tl.grad(x * x, x, weights)
    np.testing.assert_allclose(gradient.value, 2 * x.value * weights)
    np.testing.assert_allclose(gradient.value, tl.grad((x * x * weights).sum(), x)[0].value)
    (x * x).backward(weights)
    np.testing.assert_allclose(x.grad.value, gradient.value)


def test_a_seed_tensor_can_be_differentiated():
    x, seed = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (gradient,) = tl.grad(x * x, x, seed, create_graph=True)
    np.testing.assert_array_equal(tl.grad(gradient.sum(), seed)[0].value, [2, 4])


def test_grad_leaves_grad_alone_and_takes_nodes_in_the_middle():
    x = leaf(2.0)
    middle = x * x
    y = tl.exp(middle) * x
    along_middle, along_x, along_itself = tl.grad(y, [middle, x, y])
    assert along_middle.item() == pytest.approx(2 * np.exp(4))
    assert along_x.item() == pytest.approx(np.exp(4) * (1 + 8))
    assert along_itself.item() == 1
    assert x.grad is None
    assert tl.grad(y, x)[0].item() == along_x.item()


def test_grad_walks_only_between_output_and_inputs():
    x, other = leaf(2.0), leaf(3.0)
    y = tl.exp(x) * tl.sin(other)
    assert {c.input for c in tl.backprop(y, inputs=[x])} == {x, y.inputs[0]}


def test_unused_inputs_are_none_when_asked_for():
    x, unused = leaf(2.0), leaf(3.0)
    gradient, none = tl.grad(x * x, [x, unused], allow_unused=True)
    assert (gradient.item(), none) == (4, None)


@given(st.floats(0.2, 3))
def test_derivatives_to_the_fourth_order(x):
    x = leaf(x)
    derivative = tl.sin(x) * x
    orders = [derivative.item()]
    for _ in range(4):
        (derivative,) = tl.grad(derivative, x, create_graph=True)
        orders.append(derivative.item())
    s, c, v = np.sin(x.item()), np.cos(x.item()), x.item()
    expected = [v * s, s + v * c, 2 * c - v * s, -3 * s - v * c, -4 * c + v * s]
    assert orders == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_gradients_of_gradients_of_an_lstm_agree_with_the_complex_step(rng):
    cell = tl.LSTMCell(2, 3, rng=0)
    seed = rng.normal(size=(1, 3))

    def gradient(x, h, c):
        output, _ = cell(x, cell(x, (h, c)))
        return tl.grad(output, [x, h, c], seed, create_graph=True)

    report = tl.testing.check_vjp(gradient, rng.normal(size=(1, 2)), rng.normal(size=(1, 3)), rng.normal(size=(1, 3)))
    assert len(report.errors) == 3 + len(cell.parameters())


def test_create_graph_records_everything_whatever_the_caller_is_doing():
    """Running totals and sums over broadcast axes too: under no_grad, and in the scope of the node they belong to."""
    x = leaf([1.0, 2.0])
    with tl.scope("model"), tl.time_step(3):
        y = (x * x * x + x * np.ones((2, 2))).sum()
    with tl.no_grad(), tl.scope("elsewhere"):
        (slope,) = tl.grad(y, x, create_graph=True)
    np.testing.assert_array_equal(slope.value, 6 * x.value**2 + 2)
    np.testing.assert_array_equal(tl.grad(slope.sum(), x)[0].value, 12 * x.value)
    made = [node for node in tl.Graph(slope).nodes if not node.is_leaf]
    assert {(node.scope, node.time) for node in made} == {(("model",), 3), ((), None)}  # x was made outside


def test_no_grad_remembers_nothing():
    x = leaf(2.0)
    with tl.no_grad():
        y = x * x
    assert (y.is_leaf, y.requires_grad, y.inputs, y.item()) == (True, False, (), 4.0)
    assert (x * x).requires_grad
    assert not x.detach().requires_grad


def test_an_older_graph_keeps_the_values_it_ran_with():
    """Walk, grad, recorded grad, Graph.values and replay, unchanged by an optimiser step."""
    layer, loss = small_lstm()
    parameters = layer.parameters()

    def everything():
        walk = [c.after for c in tl.backprop(loss)]
        plain = [g.value for g in tl.grad(loss, parameters)]
        recorded = tl.grad(loss, parameters, create_graph=True)
        graph = tl.Graph(loss)
        squares = sum((g * g).sum() for g in recorded)
        second = [g.value for g in tl.grad(squares, parameters)]
        remembered = [graph.values[parameter] for parameter in parameters]
        replayed = [graph.replay()[loss], graph.replay(dtype=np.float64)[loss]]
        return [*walk, *plain, *(g.value for g in recorded), *second, *remembered, *replayed]

    before = everything()
    loss.backward()
    olds = [parameter.value for parameter in parameters]
    for optimiser in (tl.SGD(parameters, 0.5), tl.Adam(parameters, 0.5)):
        optimiser.step()
    assert all((new.value != old).any() for new, old in zip(parameters, olds, strict=True))
    after = everything()
    assert len(before) == len(after) > 100
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@given(st.sampled_from([np.float64, np.float32]))
def test_copies_are_equal_locked_and_their_own(dtype):
    x = leaf([1.0, 2.0], name="x", dtype=dtype)
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), tl.tensor(x)):
        np.testing.assert_array_equal(twin.value, x.value)
        assert not np.shares_memory(twin.value, x.value)
        assert not twin.value.flags.writeable
        assert twin.dtype == dtype


def test_users_primitives_are_first_class():
    """Recorded, differentiated twice, replayed and listed like any other."""
    square = tl.primitive("square", lambda x: x * x, lambda g, y, x: (2 * x * g,))
    x = leaf([1.0, 3.0])
    (slope,) = tl.grad(square(x).sum(), x, create_graph=True)
    np.testing.assert_array_equal(slope.value, [2, 6])
    np.testing.assert_array_equal(tl.grad(slope.sum(), x)[0].value, [2, 2])
    assert tl.testing.check_vjp(square, [1.0, 3.0]).worst < 100
    assert square in tl.primitives()
    np.testing.assert_array_equal(square(np.array([2.0])), [4])


@pytest.mark.parametrize("index", [((0, 0),), ([0, 0],), np.array([0, 0]), [0, 0], (np.array([0, 0]),)])
def test_repeated_indices_add_up_however_they_are_written(index):
    x = leaf([1.0, 2.0])
    np.testing.assert_array_equal(tl.grad(x[index].sum(), x)[0].value, [2, 0])


def test_an_attribute_is_copied_and_read_only():
    mask = np.array([1.0, 0.0, 1.0])
    masked = tl.primitive("masked", lambda x, mask=None: x * mask, lambda g, y, x, mask=None: (g * mask,))
    x = tl.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = masked(x, mask=mask).sum()
    mask[:] = 7.0
    assert tl.grad(y, x)[0].tolist() == [1.0, 0.0, 1.0]
    with pytest.raises(TypeError):
        y.attrs["axis"] = 1


def test_two_inputs_of_a_sum_get_gradients_of_their_own():
    x, y = tl.tensor(1.0, requires_grad=True), tl.tensor(2.0, requires_grad=True)
    gx, gy = tl.grad(x + y, [x, y], create_graph=True)
    gx.name = "gx"
    assert gy.name is None


@pytest.mark.parametrize("use", [tl.tensor, tl.sum, lambda parts: tl.maximum(parts[0], parts)])
def test_tensors_in_a_list_are_not_silently_detached(use):
    x = tl.tensor(1.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"tl\.stack"):
        use([x, x])


def test_numpy_scalars_do_not_widen_float32():
    x = tl.tensor([1.0], dtype=np.float32)
    for y in (x * np.int64(2), x / np.prod((2, 3)), np.float64(2) * x, tl.where(np.array([1]), x, 0.0)):
        assert y.dtype == np.float32


def test_threads_add_up_in_a_shared_leaf():
    x = tl.tensor(0.0, requires_grad=True)

    def many():
        for _ in range(200):
            (x * 1.0).backward()

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.item() == 800.0
