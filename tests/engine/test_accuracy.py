"""Forwards are accurate to a few units in the last place over their whole range, against a truth of their own."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests import accuracy
from tests.accuracy import (
    ABOVE_NUMPY,
    ALLOWED,
    ALLOWED_OF,
    ALLOWED_OF_ROWS,
    ALLOWED_OF_SUMS,
    BINARY,
    COMPOSED,
    ELEMENTWISE,
    NUMPYS,
    ROWS,
    SUMS,
)
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.engine.primitive import Kind

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])
EACH = [
    *((name, 8) for name in [*ELEMENTWISE, *COMPOSED]),
    *(pytest.param(name, 1, marks=pytest.mark.slow) for name in ELEMENTWISE),
]
"""The truth takes 60 digits: at an eighth of the points each time, and at all of them in .ci/run."""

OF_NUMPY = {"abs": np.absolute, "neg": np.negative, "relu": lambda x: np.maximum(x, 0)}
"""What numpy calls otherwise."""

NOT_OF_NUMPY = {"erf", "erfc"}


def test_every_function_that_rounds_has_a_truth():
    rounds = {
        name
        for name, p in BUILTIN.items()
        if p.kind in (Kind.pointwise, Kind.activation, Kind.reduction, Kind.product) and not p.exact
    }
    assert rounds <= {*ELEMENTWISE, *BINARY, *ROWS, *SUMS, "gudermannian"}


@both
@pytest.mark.parametrize(("name", "every"), EACH)
def test_a_function_of_one_number_is_accurate(name, dtype, every):
    worst, where = accuracy.of_elementwise(name, dtype, every=every)
    assert worst <= max(ALLOWED[dtype], ALLOWED_OF.get(name, 0)), where


@both
@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NUMPYS)
def test_what_numpy_is_made_into_is_hardly_less_accurate(name, dtype, every):
    ours = accuracy.of_elementwise(name, dtype, every=every)[0]
    assert ours <= accuracy.of_numpy(name, dtype, every) + ABOVE_NUMPY


@both
@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if name not in {*NUMPYS, *NOT_OF_NUMPY}])
def test_what_numpy_has_is_numpys(name, dtype):
    x = accuracy.points(dtype, positive=True)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(BUILTIN[name].forward(x), (OF_NUMPY.get(name) or getattr(np, name))(x))


@both
@pytest.mark.parametrize("name", SUMS)
def test_a_sum_is_as_accurate_as_any_order_of_summing(name, dtype):
    assert accuracy.of_sums(name, dtype)[0] <= ALLOWED_OF_SUMS


@both
@pytest.mark.parametrize("name", BINARY)
def test_arithmetic_is_accurate(name, dtype):
    assert accuracy.of_binary(name, dtype)[0] <= 1.0


@both
@pytest.mark.parametrize("name", ROWS)
def test_what_works_on_a_row_is_accurate_wherever_it_lies(name, dtype):
    worst, where = accuracy.of_rows(name, dtype)
    assert worst <= ALLOWED_OF_ROWS, where


PLANTED = {
    "σ(2x)": ("sigmoid", lambda x: BUILTIN["sigmoid"].forward(2 * x)),
    "σ by tanh": ("sigmoid", lambda x: 0.5 * np.tanh(0.5 * x) + 0.5),
    "softplus cut at 20": (
        "softplus",
        lambda x: np.where(x > 20, x, np.log1p(np.exp(np.minimum(x, 20)))).astype(x.dtype),
    ),
    "logsumexp without shift": ("logsumexp", lambda x: np.log(np.sum(np.exp(x)))),
    "log of softmax": ("log_softmax", lambda x: np.log(BUILTIN["softmax"].forward(x))),
    "a sum in 32 bits": ("sum", lambda x, **how: np.add.reduce(x.astype(np.float32), **how).astype(x.dtype)),
    "a mean of one more": ("mean", lambda x, **how: np.add.reduce(x, **how) / (len(x) + 1)),
    "log_softmax shifted late": ("log_softmax", lambda x: x - BUILTIN["logsumexp"].forward(x)),
}


@pytest.mark.parametrize("what", PLANTED)
def test_an_inaccurate_forward_is_noticed(what):
    name, forward = PLANTED[what]
    measure, allowed = accuracy.of_elementwise, ALLOWED[np.float64]
    if name in ROWS:
        measure, allowed = accuracy.of_rows, ALLOWED_OF_ROWS
    if name in SUMS:
        measure, allowed = accuracy.of_sums, ALLOWED_OF_SUMS
    how = {"every": 8} if name in ELEMENTWISE else {}
    assert measure(name, np.float64, forward, **how)[0] > allowed


@both
def test_the_logarithm_of_a_sum_is_accurate_where_it_is_small(dtype):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 500)).astype(dtype) * 20
    a[:100], b[:50] = 0, -50
    truth = [accuracy.CONTEXT.log(accuracy.CONTEXT.exp(x) + accuracy.CONTEXT.exp(y)) for x, y in zip(a, b, strict=True)]
    for value in (tl.logaddexp(a, b), tl.logaddexp(b, a)):
        assert value.dtype == dtype
        unit = [float(min(abs(t), abs(max(x, y))) or abs(t)) for t, x, y in zip(truth, a, b, strict=True)]
        assert accuracy.ulps(value, truth, dtype, unit)[0] <= ALLOWED[dtype]


def test_a_variance_far_from_zero_does_not_cancel():
    x = np.random.default_rng(0).normal(size=1000)
    near, far = (tl.std(tl.tensor(x + shift), axis=0).item() for shift in (0.0, 2.0**30))
    assert far == pytest.approx(near, rel=1e-7)  # of x + 2³⁰ no more digits are there
    assert tl.var(tl.tensor([1e8, 1e8 + 1, 1e8 + 2]), axis=0, ddof=1).item() == 1.0


def test_the_left_tail_of_sigmoid_is_there():
    x = tl.tensor(-40.0, requires_grad=True)
    loss = -tl.log(tl.sigmoid(x))
    assert loss.item() == 40.0
    (slope,) = tl.grad(loss, x)
    assert slope.item() == pytest.approx(-1.0, rel=1e-15)
    assert tl.sigmoid(-740.0) > 0


@both
def test_a_shift_changes_nothing(dtype):
    logits = np.array([[1.0, 2.0, 0.5]], dtype)
    near, far = (tl.cross_entropy(tl.tensor(logits + dtype(shift), dtype=dtype), [1]) for shift in (0, 1024))
    assert near.item() == far.item()
