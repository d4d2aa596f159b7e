"""Gradients that hide: small beside large, flat beside kinked, seldom complex; wrong ones are seen, right ones pass."""

import itertools

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.testing import GradientError, Verdict, check_jvp, check_vjp
from tinygrad_lstm.testing.verdicts import Oracle

SINGLE = np.random.default_rng(0).normal(size=(100, 200)).astype(np.float32)


def mine(forward, rule, **described):
    return tl.primitive("mine", forward, rule, **described)


def caught(f, *inputs):
    with pytest.raises(GradientError, match="is wrong"):
        check_vjp(f, *inputs)


def huber(outside):
    forward = lambda x: np.where(np.abs(x) <= 1, 0.5 * x * x, np.abs(x) - 0.5)
    return mine(forward, lambda g, y, x: (g * np.where(np.abs(x) <= 1, x, outside(x)),))


def test_a_forward_is_asked_for_complex_numbers_wherever_it_is_used():
    """|x| loses them, and a Huber loss shows none of it near 0."""
    for outside in (np.zeros_like, np.ones_like):
        wrong = huber(outside)
        assert check_vjp(wrong, [0.3, -0.2]).findings["input 0"].oracle is Oracle.COMPLEX_STEP
        caught(wrong, [-3.0, 0.3])
    assert check_vjp(huber(np.sign), [-3.0, 0.3]).verdict is Verdict.PASS


BELIEVED = (Verdict.PASS, Verdict.ROUNDOFF)


@pytest.mark.parametrize("f", [tl.log_softmax, tl.logsumexp])
def test_imaginary_parts_cancel_where_real_ones_do(f):
    """Shifted by real parts alone, the complex step of what is 0 was not, and it was not believed for all the rest."""
    x = [[[800.0, -800.0]] * 3] * 2
    assert check_vjp(lambda x: f(x, axis=-1), x).verdict in BELIEVED


FAR = np.array([0.007, 9.7, 416.0, -6e-3, -0.002, -11.3, -0.43, -58.8, -94.4])


def gudermannian(slope, tanh=np.tanh):
    return mine(lambda x: np.arctan(tanh(x / 4)) * (2 / np.pi) + 0.5, lambda g, y, x: (g * 0.5 / np.pi * slope(x),))


def of_tanh(x):
    t = tl.tanh(x / 4) ** 2
    return (1 - t) / (1 + t)


def test_what_loses_its_digits_far_out_is_not_called_wrong():
    """1 − tanh² is 0 or of few digits there; where the forward is too, it is made of stairs."""
    losing = lambda x: np.tanh(np.real(x))
    exact = lambda x: 2 * tl.exp(-tl.abs(x) / 2) / (1 + tl.exp(-tl.abs(x)))
    for slope, tanh, at, seed in itertools.product((of_tanh, exact), (np.tanh, losing), (FAR, FAR[-3:]), range(5)):
        assert check_vjp(gudermannian(slope, tanh), at, rng=np.random.default_rng(seed)).verdict in BELIEVED
    for alone in (FAR[-1:], FAR[2:3]):
        assert check_vjp(gudermannian(exact, losing), alone).verdict in BELIEVED


def test_what_loses_its_digits_far_out_hides_no_mistake():
    for wrong in (lambda x: of_tanh(x) * tl.where(x < -20, 1.5, 1.0), lambda x: of_tanh(x) * (1 + 1e-9)):
        caught(gudermannian(wrong), FAR)
    caught(gudermannian(lambda x: of_tanh(x) * tl.where(x < -20, 1.0, 1 + 1e-5), np.real), FAR)
    caught(mine(np.floor, lambda g, y, x: (g,)), FAR)


def test_a_forward_is_asked_with_the_attributes_it_is_used_with():
    forward = lambda x, p=2: np.abs(x) ** p if p % 2 else x**p
    odd = mine(forward, lambda g, y, x, p=2: (g * p * x ** (p - 1),))
    assert check_vjp(odd, [1.0, -2.0]).verdict is Verdict.PASS
    caught(lambda x: odd(x, p=3), [1.0, -2.0])


def test_a_forward_that_computes_something_else_with_complex_numbers_is_not_believed():
    forward = lambda x: np.sin(x) * (1.5 if np.iscomplexobj(x) else 1.0)
    assert check_vjp(mine(forward, lambda g, y, x: (g * np.cos(x),)), [0.3, 0.4]).verdict is Verdict.PASS
    caught(mine(forward, lambda g, y, x: (1.5 * g * np.cos(x),)), [0.3, 0.4])


@pytest.mark.parametrize("at", [1e-6, 1e-8, 1e-12])
def test_curvature_is_no_kink(at):
    caught(mine(lambda x: x * x, lambda g, y, x: (-2 * x * g,)), [at])
    caught(mine(np.cos, lambda g, y, x: (g * np.sin(x),)), [at])


def test_a_kink_is_where_it_is():
    half = mine(lambda x: np.where(np.real(x) > 0, x, 0), lambda g, y, x: (g * np.where(np.abs(x) < 1e-8, 0.5, x > 0),))
    assert check_vjp(half, [0.0, 1.0]).verdict is Verdict.PASS
    caught(half, [1e-9, 1.0])


@pytest.mark.parametrize("size", [1e8, 1e12])
def test_small_outputs_do_not_hide_behind_large_ones(size):
    wrong = mine(np.sin, lambda g, y, x: (g * np.sin(x),))
    caught(lambda x: (size * tl.sin(x), wrong(x) / size), [0.3, 0.4])
    caught(lambda x: tl.stack([size * tl.sin(x), wrong(x) / size]), [0.3, 0.4])
    assert check_vjp(lambda x: (size * tl.sin(x), tl.sin(x) / size), [0.3, 0.4]).verdict is Verdict.PASS


def test_small_numbers_of_a_gradient_do_not_hide_behind_large_ones():
    caught(mine(np.exp, lambda g, y, x: (g * np.where(x < 0, 2 * y, y),)), [30.0, -30.0])
    caught(mine(lambda x: x**3, lambda g, y, x: (g * np.where(x < 1, 6, 3) * x * x,)), [1e-5, 1e4])
    caught(mine(lambda x: x * x + 1e-3 * np.abs(x), lambda g, y, x: (2 * g * x,)), [100.0, -200.0, 0.1])


def test_zeros_of_a_gradient_do_not_hide_behind_the_others():
    leak = lambda x: np.where(np.real(x) > 0, x, 1e-10 * x)
    caught(mine(leak, lambda g, y, x: (g * (x > 0),)), [1.0, -2.0, 3.0])
    assert check_vjp(mine(leak, lambda g, y, x: (g * np.where(x > 0, 1, 1e-10),)), [1.0, -2.0]).verdict is Verdict.PASS


@pytest.mark.parametrize("size", [1, 12, 20_000])
def test_a_relative_error_of_1e_11_is_caught(size):
    caught(mine(np.tanh, lambda g, y, x: (g * (1 - y * y) * (1 + 1e-11),)), np.linspace(-2, 2.1, size))


@pytest.mark.parametrize("error", [1e-3, 1e-5, 1e-9])
def test_float32_is_judged_in_float64_too(error):
    caught(mine(np.tanh, lambda g, y, x: (g * (1 - y * y) * (1 + error),)), SINGLE)


def test_a_rule_that_is_wrong_in_float32_alone_is_caught():
    caught(mine(lambda x: x * x, lambda g, y, x: (g * x * g.dtype.type(2.02 if g.dtype == np.float32 else 2),)), SINGLE)


@pytest.mark.parametrize("forward", [np.abs, lambda x: np.linalg.norm(x, axis=-1)])
def test_float32_through_a_forward_without_complex_numbers_passes(forward):
    spread = lambda g, x: g if g.ndim == x.ndim else g[..., None]
    size = mine(forward, lambda g, y, x: (spread(g, x) * x / spread(y, x),))
    assert check_vjp(size, SINGLE[:3, :4]).verdict is Verdict.PASS


LARGEST = lambda x: np.max(x, axis=-1)
CHOICE = lambda a, b: np.maximum(a, b)


def test_ties_are_counted_once():
    caught(mine(LARGEST, lambda g, y, x: (g[..., None] * (x == y[..., None]),)), [[1.0, 1.0, 0.0]])
    caught(mine(CHOICE, lambda g, y, a, b: (g * (a >= b), g * (b >= a))), [1.0, 2.0], [1.0, 1.0])
    caught(mine(CHOICE, lambda g, y, a, b: (g * (a > b), g * (b > a))), [1.0, 2.0], [1.0, 1.0])
    first = lambda g, y, x: (g[..., None] * (np.arange(3) == x.argmax(axis=-1)[..., None]),)
    assert check_vjp(mine(LARGEST, first), [[1.0, 1.0, 0.0]]).verdict is Verdict.PASS
    one = mine(CHOICE, lambda g, y, a, b: (g * (a >= b), g * (b > a)))
    assert check_vjp(one, [1.0, 2.0], [1.0, 3.0]).verdict is Verdict.PASS


@pytest.mark.parametrize("x", [[0.0, 1.0, 0.5], [1.0, 1.0, 0.0], [-2.0, 1.0, 0.0, 1.0, 0.5]])
def test_several_ties_at_once_pass(x):
    composed = lambda x: tl.max(tl.relu(x) - tl.abs(x - 1.0))
    forward = lambda x: np.maximum(x, 0) - np.abs(x - 1)
    chosen = lambda x: np.arange(x.size) == forward(x).argmax()
    one = mine(lambda x: np.max(forward(x)), lambda g, y, x: (g * chosen(x) * ((x > 0) - np.sign(x - 1)),))
    for f in (composed, one):
        assert check_vjp(lambda x, f=f: f(x) + 0.1 * x.sum(), x).verdict is Verdict.PASS


def detached(x):
    z = tl.exp(x - tl.max(x, axis=-1, keepdims=True).detach())
    return z / z.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_detached_and_does_not_count_passes(seed):
    assert check_vjp(detached, 3 * np.random.default_rng(seed).normal(size=(3, 4))).verdict is Verdict.PASS
    with pytest.raises(GradientError, match="outside the graph"):
        check_vjp(lambda x: detached(x) + 1e-6 * x.detach(), np.random.default_rng(seed).normal(size=(3, 4)))


def test_a_cast_to_float32_inside_a_forward_is_no_mistake():
    forward = lambda x: np.tanh(np.real(x).astype(np.float32)).astype(np.float64)
    right = mine(forward, lambda g, y, x: (g * (1 - y * y),))
    assert check_vjp(lambda x, w: right(x) + w, [0.3, -0.7], [1.0, 2.0]).verdict is Verdict.PASS
    caught(mine(forward, lambda g, y, x: (1.05 * g * (1 - y * y),)), [0.3, -0.7])


def test_the_last_bit_of_a_constant_is_no_mistake():
    left = mine(lambda x: x * (0.1 + 0.2 - 0.3), lambda g, y, x: (g * 0.1 + g * 0.2 - g * 0.3,))
    assert "the last bit of a constant" in check_vjp(left, [0.5, 2.0]).findings["input 0"].reason


@pytest.mark.parametrize("x", [[0.5, 1.5], [1.0, 0.3], [1 + 1e-9, 0.3], [1 + 1e-4, 3.0], [1 + 1e-12]])
def test_interpolation_near_a_knot_passes(x):
    at, values = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 2.0, 1.0, 5.0])
    slope = lambda x: (np.diff(values) / np.diff(at))[np.searchsorted(at, x, side="right") - 1]
    assert (
        check_vjp(mine(lambda x: np.interp(x, at, values), lambda g, y, x: (g * slope(x),)), x).verdict is Verdict.PASS
    )


@pytest.mark.parametrize("x", [1e-300, 1e-200, 1e-120])
def test_a_complex_step_is_small_beside_its_number(x):
    assert check_vjp(tl.sqrt, [x, 1.0]).verdict is Verdict.PASS
    caught(mine(np.sqrt, lambda g, y, x: (np.where(x < 1e-100, 1.5, 1) * g / (2 * y),)), [x, 1.0])


def test_a_rule_that_compares_does_not_pass_for_rounding():
    records = mine(lambda x: np.maximum.accumulate(x), lambda g, y, x: (g * (x == y),))
    caught(records, [1.0, 3.0, 2.0, 5.0, 4.0])


def test_a_layer_norm_by_hand_has_a_right_forward_derivative():
    def forward(x):
        d = x - x.mean(-1, keepdims=True)
        return d / np.sqrt((d * d).mean(-1, keepdims=True) + 1e-5)

    def rule(g, y, x):
        d = x - x.mean(axis=-1, keepdims=True)
        s = ((d * d).mean(axis=-1, keepdims=True) + 1e-5) ** 0.5
        return ((g - g.mean(axis=-1, keepdims=True) - y * (g * y).mean(axis=-1, keepdims=True)) / s,)

    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=(3, 2 + seed))
        assert check_jvp(mine(forward, rule), x, rng=seed).verdict in (Verdict.PASS, Verdict.ROUNDOFF)
