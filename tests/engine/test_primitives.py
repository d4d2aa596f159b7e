"""Each primitive of the registry: its value against numpy, its rule against the complex step, to second order."""

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.conftest import half
from tests.opinions import OPINIONS, expected
from tinygrad_lstm.engine.ops import BUILTIN, equal, greater
from tinygrad_lstm.testing.generate.cases import CASES

NAMES = sorted(BUILTIN)
WITH_RULE = [name for name in NAMES if BUILTIN[name].rule is not None]
each_primitive = pytest.mark.parametrize("name", NAMES)
each_rule = pytest.mark.parametrize("name", WITH_RULE)


def test_numpy_has_an_opinion_of_the_operations_of_the_page():
    """Of one that is not listed, ``expected`` asks its own forward in longer numbers."""
    assert len(OPINIONS) >= 45
    assert set(OPINIONS) <= set(BUILTIN)


def drawn_case(data, name):
    return data.draw(CASES[name], label=name)


def check(f, *inputs, **how):
    """check_vjp, drawing again where the derivative is zero throughout: relu of negative numbers, cos at 0."""
    try:
        return tl.testing.check_vjp(f, *inputs, **how)
    except tl.testing.GradientError as error:
        if "nothing was checked" in str(error):
            reject()
        raise


def leaves_of(case):
    return [tl.tensor(x, requires_grad=True) for x in case.inputs]


@each_primitive
@given(data=st.data())
def test_forward_is_numpys(name, data):
    case = drawn_case(data, name)
    result = case.f(*map(tl.tensor, case.inputs))
    single = any(x.dtype == np.float32 for x in case.inputs)
    assert result.shape == expected(case).shape
    np.testing.assert_allclose(
        result.value, expected(case), rtol=1e-4 if single else 1e-11, atol=1e-3 if single else 1e-11
    )


@each_primitive
@half
@given(data=st.data())
def test_forward_accepts_complex_arrays_and_keeps_their_real_part(name, data):
    case = drawn_case(data, name)
    leaves = [tl.tensor(x, dtype=np.float64) for x in case.inputs]
    output = case.f(*leaves)
    replayed = tl.Graph(output).replay({leaf: leaf.value + 1e-100j for leaf in leaves})[output]
    np.testing.assert_allclose(replayed.real, output.value, rtol=1e-12, atol=1e-14)


@each_rule
@given(data=st.data())
def test_rule_agrees_with_the_complex_step(name, data):
    case = drawn_case(data, name)
    assume(expected(case).size and all(x.size for x in case.inputs))
    report = check(case.f, *case.inputs, rng=data.draw(st.integers(0, 99)))
    assert len(report.errors) == len(case.inputs)


@each_rule
@half
@given(data=st.data())
def test_rule_can_be_differentiated_again(name, data):
    require_second_order(data, name)


@pytest.mark.slow
@each_rule
@half
@given(data=st.data())
def test_rule_can_be_differentiated_again_at_other_inputs(name, data):
    require_second_order(data, name)


def require_second_order(data, name):
    """The gradient of Σ s y³ / 3 is the rule applied to s y²: it depends on the inputs also where f is linear."""
    case = drawn_case(data, name)
    assume(expected(case).size and all(x.size for x in case.inputs))
    seed = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=expected(case).shape)

    def gradient(*xs):
        y = case.f(*xs)
        return tl.grad(y * y * y / 3, xs, seed, create_graph=True)

    report = check(gradient, *case.inputs)
    assert len(report.errors) == len(case.inputs)


@each_rule
@half
@given(data=st.data())
def test_gradient_has_the_leafs_shape_and_dtype(name, data):
    """Also for empty arrays, which no difference can check, and where float32 meets float64."""
    case = drawn_case(data, name)
    leaves = leaves_of(case)
    output = case.f(*leaves)
    seed = np.ones(output.shape)
    for create_graph in (False, True):
        for leaf, gradient in zip(leaves, tl.grad(output, leaves, seed, create_graph=create_graph), strict=True):
            assert gradient.shape == leaf.shape
            assert gradient.dtype == leaf.dtype
    output.backward(seed)
    for leaf in leaves:
        assert leaf.grad.shape == leaf.shape
        assert leaf.grad.dtype == leaf.dtype


@each_primitive
@half
@given(data=st.data())
def test_float32_stays_float32(name, data):
    case = drawn_case(data, name)
    output = case.f(*(tl.tensor(x, dtype=np.float32, requires_grad=True) for x in case.inputs))
    assert output.dtype == np.float32


@each_rule
@half
@given(data=st.data())
def test_both_readings_of_a_rule_agree(name, data):
    """The fast backward pass and the recorded one give the same numbers."""
    case = drawn_case(data, name)
    leaves = leaves_of(case)
    output = case.f(*leaves)
    seed = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=output.shape)
    plain = tl.grad(output, leaves, seed)
    recorded = tl.grad(output, leaves, seed, create_graph=True)
    for one, other in zip(plain, recorded, strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-5 if one.dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("comparison", [greater, equal])
def test_comparisons_carry_no_gradient(comparison):
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    result = comparison(x, [1.0, 1.0])
    assert comparison.rule is None
    assert not result.requires_grad
    (gradient,) = tl.grad((result * x).sum(), x)
    np.testing.assert_array_equal(gradient.value, result.value)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "relu", "abs", "softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_stable_far_out(name, dtype):
    """At ±1000 nothing overflows (warnings are errors here), forward, backward or twice backward."""
    x = tl.tensor([1000.0, -1000.0, 0.0], requires_grad=True, dtype=dtype)
    y = BUILTIN[name](x)
    (gradient,) = tl.grad(y, x, np.ones(y.shape), create_graph=True)
    assert np.isfinite(y.value).all()
    assert np.isfinite(gradient.value).all()
    if gradient.requires_grad:
        (curvature,) = tl.grad(gradient, x, np.ones(3), allow_unused=True)
        assert curvature is None or np.isfinite(curvature.value).all()


def test_far_out_values_are_the_limits():
    x = [1000.0, -1000.0]
    limits = {"tanh": [1, -1], "sigmoid": [1, 0], "softplus": [1000, 0], "softmax": [1, 0], "log_softmax": [0, -2000]}
    for name, limit in limits.items():
        np.testing.assert_allclose(BUILTIN[name](tl.tensor(x)).value, limit, atol=1e-12)
    assert tl.logsumexp(tl.tensor([1000.0, 1000.0])).item() == pytest.approx(1000 + np.log(2))


@each_rule
def test_empty_arrays_pass_through(name):
    """Nothing in, nothing out, and an empty gradient."""
    attrs = {"reshape": {"shape": (3, 0)}, "broadcast_to": {"shape": (2, 0, 3)}, "index_add": {"shape": (0, 3)}}
    attrs |= {"take": {"indices": np.zeros(0, int)}}
    attrs |= {reduction: {"axis": 1} for reduction in ("sum", "mean", "max", "min", "logsumexp")}
    primitive = BUILTIN[name]
    shapes = [(0, 3)] * (primitive.arity or 2)
    if name in ("matmul", "einsum"):
        shapes = [(0, 3), (3, 2)]
    leaves = [tl.tensor(np.zeros(shape), requires_grad=True) for shape in shapes]
    output = primitive(*leaves, **attrs.get(name, {}))
    output.backward(np.ones(output.shape))
    assert leaves[-1].grad.shape == shapes[-1]
    assert output.size == 0
