"""How other small engines went wrong: one test for each, by the number and name of the notes on pitfalls."""

import gc
import sys
import weakref

import numpy as np
import pytest

import tinygrad_lstm as tl


def leaf(value, **how):
    return tl.tensor(value, requires_grad=True, **how)


def doubled(x, times):
    for _ in range(times):
        x = x + x
    return x


def test_01_recursion_in_the_sort_does_not_limit_the_depth():
    x = y = leaf(1.0)
    for _ in range(5 * sys.getrecursionlimit()):
        y = y * 1.0
    y.backward()
    assert x.grad.item() == 1
    assert len(tl.Graph(y).nodes) == 2 * 5 * sys.getrecursionlimit() + 1


def test_02_shared_parts_are_walked_once():
    """60 doublings are 60 nodes and 120 contributions, not 2⁶⁰."""
    x = leaf(1.0)
    y = doubled(x, 60)
    assert len(tl.Graph(y)) == 61
    assert sum(1 for _ in tl.backprop(y)) == 120
    assert tl.grad(y, x)[0].item() == 2.0**60


def test_03_the_work_of_the_walk_grows_with_the_edges():
    """Counted, not timed: every edge once, every rule once."""
    calls = []
    noted = tl.primitive("noted", lambda x: x + 0, lambda g, y, x: calls.append(1) or (g,))
    for steps in (100, 400):
        calls.clear()
        y = leaf(1.0)
        for _ in range(steps):
            y = noted(y)
        assert len(list(tl.backprop(y))) == len(calls) == steps


def test_04_both_operands_are_kept_in_order():
    a = leaf(3.0)
    square = a * a
    assert square.inputs == (a, a)
    assert [(c.slot, c.arrived, c.expected) for c in tl.backprop(square)] == [(0, 1, 2), (1, 2, 2)]
    assert tl.grad(square, a)[0].item() == 6
    b = leaf(2.0)
    assert all(one is other for one, other in zip((a - b).inputs, (a, b), strict=True))


def test_05_gradients_are_no_shared_objects():
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    seed = np.ones(2)
    (a + b).backward(seed)
    arrays = [a.grad.value, b.grad.value, seed]
    assert not any(np.shares_memory(x, y) for i, x in enumerate(arrays) for y in arrays[:i])
    b.backward(seed)
    np.testing.assert_array_equal(a.grad.value, [1, 1])
    np.testing.assert_array_equal(b.grad.value, [2, 2])


def test_06_backward_twice_adds_up_and_no_more():
    x = leaf(3.0)
    y = (x * x) * 1.0
    seen = []
    for _ in range(3):
        y.backward()
        seen.append(x.grad.item())
    assert seen == [6, 12, 18]


def test_07_values_changed_after_the_forward_pass_do_not_falsify_gradients():
    data, rows, picked = np.array([1.0, 2.0]), np.array([0, 0]), np.array([0, 1])
    mask = np.array([True, False])
    x, w = leaf(data), leaf([[1.0], [2.0]])
    y = (x * data).sum() + tl.take(w, rows).sum() + x[picked].sum() + tl.where(mask, x, 0.0).sum()
    for array in (data, rows, picked):
        array[:] = 1
    mask[:] = False
    old = x.value
    x.value = [100.0, 100.0]
    y.backward()
    np.testing.assert_array_equal(x.grad.value, [1 + 1 + 1, 2 + 1])
    np.testing.assert_array_equal(w.grad.value, [[2], [0]])
    np.testing.assert_array_equal(old, [1, 2])


def test_08_graphs_die_with_their_last_name():
    gc.disable()
    try:
        watched = []
        for _ in range(100):
            x = leaf(np.ones(3))
            y = (tl.tanh(x) * x + x.sum()).sum()
            y.backward()
            (slope,) = tl.grad(y, x, create_graph=True)
            graph = tl.Graph(slope.sum())
            assert graph.ids
            watched += map(weakref.ref, [*graph.nodes, graph])
            del x, y, slope, graph
        assert len(watched) > 500
        assert not any(reference() is not None for reference in watched)
    finally:
        gc.enable()


def test_09_the_graph_survives_backward():
    x = leaf(2.0)
    y = tl.exp(x * x)
    before = tl.Graph(y).nodes
    walk = [(c.node, c.slot, float(c.contribution)) for c in tl.backprop(y)]
    y.backward()
    assert all(one is other for one, other in zip(tl.Graph(y).nodes, before, strict=True))
    assert [(c.node, c.slot, float(c.contribution)) for c in tl.backprop(y)] == walk


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (2, 1), (1, 1), (2, 3), (4, 1, 1), (1, 2, 1), (4, 2, 3)])
def test_10_broadcasting_is_summed_back_to_the_leafs_shape(shape):
    x = leaf(np.ones(shape))
    (x * np.ones((4, 2, 3))).sum().backward()
    assert x.grad.shape == shape
    np.testing.assert_array_equal(x.grad.value, np.full(shape, 24 / x.size))


@pytest.mark.parametrize("left", [np.ones(3), np.float64(1), np.float32(1), np.ones(3, int), [1.0, 1.0, 1.0]])
def test_11_an_array_on_the_left_gives_a_tensor(left):
    x = leaf([1.0, 2.0, 3.0])
    for result in (left * x, left + x, left - x, left / x, left @ x if np.ndim(left) else left * x):
        assert isinstance(result, tl.Tensor)
        assert result.dtype == np.float64
        assert result.requires_grad


def test_12_numbers_keep_their_type():
    assert leaf([1, 2]).dtype == leaf(3).dtype == leaf([True]).dtype == np.float64
    x = leaf([1.0, 2.0], dtype=np.float32)
    bools = np.array([True, False])
    for y in (2 * x, x / 3, x**2, 1 - x, tl.maximum(x, 0), tl.where(bools, x, 0), tl.where(x > 1, 1.0, x), x.mean()):
        assert y.dtype == np.float32
    mixed = (x * leaf([1.0, 2.0])).sum()
    assert mixed.dtype == np.float64
    for create_graph in (False, True):
        assert tl.grad(mixed, x, create_graph=create_graph)[0].dtype == np.float32
    mixed.backward()
    assert x.grad.dtype == np.float32


def test_13_nothing_overflows_and_the_branch_not_taken_leaks_nothing():
    x = leaf([1000.0, -1000.0])
    for f in (tl.sigmoid, tl.softplus, tl.tanh, tl.softmax, tl.log_softmax):
        assert np.isfinite(tl.grad(f(x), x, [1.0, 2.0])[0].value).all()
    poisoned, good = leaf([np.nan, np.inf]), leaf([1.0, 2.0])
    y = tl.where([False, False], poisoned, good * 3)
    away, taken = tl.grad(y.sum(), [poisoned, good])
    np.testing.assert_array_equal(away.value, [0, 0])
    np.testing.assert_array_equal(taken.value, [3, 3])


def test_13_a_safe_argument_keeps_the_other_branch_safe():
    x = leaf([0.0, 4.0])
    positive = x > 0
    root = tl.where(positive, tl.sqrt(tl.where(positive, x, 1.0)), 0.0)
    np.testing.assert_array_equal(tl.grad(root.sum(), x)[0].value, [0, 0.25])


def test_14_nested_derivatives_are_not_confused():
    """d/dx [x · d/dy (x + y)] = 1; an engine that confuses the two levels says 2."""
    x = leaf(1.0)
    y = leaf(1.0)
    (inner,) = tl.grad(x + y, y, create_graph=True)
    assert tl.grad(x * inner, x)[0].item() == 1
    (inner,) = tl.grad(x * y * y, y, create_graph=True)  # 2xy
    assert tl.grad(x * inner, x)[0].item() == 4  # d/dx 2x²y


def test_15_the_checker_can_fail():
    wrong = tl.primitive("wrong", lambda x: x * x, lambda g, y, x: (600 * g * x,))
    with pytest.raises(tl.testing.GradientError, match="wrong"):
        tl.testing.check_vjp(wrong, [1.0, 2.0])


def test_16_per_step_jacobians_are_multiplied_in_backward_order(rng):
    """h ← tanh(h W) four times with a W that commutes with nothing, against the product written out."""
    w, h0 = rng.normal(size=(3, 3)), rng.normal(size=3)
    start = h = leaf(h0)
    jacobian = np.eye(3)
    for _ in range(4):
        h = tl.tanh(h @ w)
        jacobian = (w * (1 - h.value**2)).T @ jacobian  # ∂h_t/∂h_0 = diag(1 − h²) Wᵀ · ∂h_{t−1}/∂h_0
    seed = rng.normal(size=3)
    np.testing.assert_allclose(tl.grad(h, start, seed)[0].value, seed @ jacobian, rtol=1e-12)


def test_17_the_sigmoid_is_the_sigmoid():
    x = np.linspace(-6, 6, 25)
    np.testing.assert_allclose(tl.sigmoid(tl.tensor(x)).value, 1 / (1 + np.exp(-x)), rtol=1e-12)
    assert tl.grad(tl.sigmoid(z := leaf(0.0)), z)[0].item() == 0.25


def test_zero_to_a_negative_power_falls_without_end():
    """In the base and in the exponent, both to −∞; never NaN."""
    a, b = tl.tensor([0.0, 2.0], requires_grad=True), tl.tensor([-1.0, -1.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        ga, gb = tl.grad(a**b, [a, b], [1.0, 1.0])
    np.testing.assert_array_equal(ga.value, [-np.inf, -0.25])
    np.testing.assert_allclose(gb.value, [-np.inf, 0.5 * np.log(2)])


def test_the_gradient_of_a_constant_exponent_is_not_computed(monkeypatch):
    from tinygrad_lstm.engine import ops

    monkeypatch.setattr(ops, "_log_of_base", lambda *of: pytest.fail("it is thrown away"))
    x = tl.tensor([1.0, 3.0], requires_grad=True)
    for create_graph in (False, True):
        (g,) = tl.grad((x**2).sum(), [x], create_graph=create_graph)
        np.testing.assert_array_equal(g.value, [2, 6])


def test_a_contribution_may_be_computed_when_it_is_wanted():
    lazy = tl.primitive("lazy", lambda a, b: a * b, lambda g, y, a, b: (lambda: g * b, lambda: g * a))
    x, w = tl.tensor([1.0, 2.0], requires_grad=True, name="x"), tl.tensor([3.0, 4.0], requires_grad=True, name="w")
    assert tl.testing.check_op(lazy, x, w).verdict == "PASS"
    assert tl.formula(lazy(x, w)) == "∂L/∂x += ∂L/∂y ⊙ w\n∂L/∂w += ∂L/∂y ⊙ x"
