"""Ties and kinks: the equal candidates share equally, which always lies between the one-sided derivatives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.engine.ops import BUILTIN

zeros = st.sampled_from([0.0, -0.0])


def slope(f, x):
    x = tl.tensor(x, requires_grad=True)
    (gradient,) = tl.grad(f(x), x, np.ones(f(x).shape))
    return gradient.value


@given(zeros)
def test_relu_at_zero_has_slope_one_half(zero):
    assert slope(tl.relu, zero) == 0.5


@given(zeros)
def test_abs_at_zero_has_slope_zero(zero):
    assert slope(tl.abs, zero) == 0


@given(st.integers(1, 6), st.integers(0, 4), st.floats(-10, 10))
def test_max_of_k_ties_gives_each_its_share(k, below, top):
    x = np.array([top] * k + [top - 1 - i for i in range(below)])
    np.testing.assert_allclose(slope(tl.max, x), [1 / k] * k + [0] * below)


@given(st.floats(-1e3, 1e3), st.sampled_from([tl.maximum, tl.minimum]))
def test_equal_candidates_get_half_each(value, choose):
    a, b = (tl.tensor(value, requires_grad=True) for _ in range(2))
    assert [gradient.item() for gradient in tl.grad(choose(a, b), [a, b])] == [0.5, 0.5]


@pytest.mark.parametrize("choose", [tl.maximum, tl.minimum])
def test_choosing_between_a_tensor_and_itself_is_the_identity(choose):
    assert slope(lambda x: choose(x, x), 3.0) == 1


def test_minus_zero_ties_with_zero():
    assert slope(lambda x: tl.maximum(x, 0.0), -0.0) == 0.5
    np.testing.assert_array_equal(slope(tl.max, [0.0, -0.0]), [0.5, 0.5])


@pytest.mark.parametrize("name", ["relu", "abs"])
@given(x=st.floats(-5, 5), h=st.floats(1e-6, 1e-3))
def test_slope_lies_between_the_one_sided_differences(name, x, h):
    """Finite differences, which need no analytic function; true at the kink and away from it."""
    f = BUILTIN[name]
    before, here, after = (f(np.array(x + d)) for d in (-h, 0.0, h))
    rounding = 1e-9
    assert (here - before) / h - rounding <= slope(f, x) <= (after - here) / h + rounding


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=6))
def test_directional_slope_of_max_lies_between_the_one_sided_differences(numbers):
    """On small integers ties are the rule."""
    x, h = np.array(numbers, float), 1e-6
    direction = np.random.default_rng(len(numbers)).normal(size=x.shape)
    before, here, after = (np.max(x + d * direction) for d in (-h, 0.0, h))
    assert (here - before) / h - 1e-8 <= slope(tl.max, x) @ direction <= (after - here) / h + 1e-8


@pytest.mark.parametrize(("exponent", "expected"), [(0, 0.0), (1, 1.0), (2, 0.0), (3, 0.0)])
def test_powers_of_zero_have_their_slope(exponent, expected):
    assert slope(lambda x: x**exponent, 0.0) == expected


def test_zero_squared_has_curvature_two():
    x = tl.tensor(0.0, requires_grad=True)
    (first,) = tl.grad(x**2, x, create_graph=True)
    assert tl.grad(first, x)[0].item() == 2


@pytest.mark.parametrize("base", [-2.0, 0.0])
def test_an_exponent_over_a_base_without_logarithm_gets_no_gradient(base):
    n = tl.tensor(3.0, requires_grad=True)
    assert tl.grad(tl.tensor(base) ** n, n)[0].item() == 0


@given(st.floats(0.1, 10))
def test_mixed_derivative_of_a_power_is_right_where_the_exponent_is_zero(base):
    """∂²(aᵇ)/∂a∂b = aᵇ⁻¹ (1 + b log a), from whichever side."""
    a, b = tl.tensor(base, requires_grad=True), tl.tensor(0.0, requires_grad=True)
    along_a, along_b = tl.grad(a**b, [a, b], create_graph=True)
    assert tl.grad(along_a, b)[0].item() == pytest.approx(1 / base)
    assert tl.grad(along_b, a)[0].item() == pytest.approx(1 / base)
