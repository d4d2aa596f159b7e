"""What its author declares: a gradient right to some digits only, a rule meant to be another one; and orders."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.testing import (
    GradientError,
    Verdict,
    check_cell,
    check_jvp,
    check_op,
    check_second_order,
    check_vjp,
    explain,
)
from tinygrad_lstm.testing.checks import SURROGATE
from tinygrad_lstm.testing.verdicts import Finding, Oracle, Report, worse

X = [0.5, -1.0, 2.0]
CHECKS = [check_vjp, check_jvp, check_second_order, check_op]


def sine(error):
    """An operation whose rule, and that of its rule, is off by a relative error."""
    return tl.primitive("sine", np.sin, lambda g, y, x: (g * tl.cos(x) * (1 + error),))


def kepler(tolerance):
    """E = M + ½ sin E, a fixed point; the rule is the adjoint equation, iterated until it changes no more than so."""

    def forward(m):
        e = m
        for _ in range(200):
            e = m + 0.5 * np.sin(e)
        return e

    def rule(g, y, m):
        slope, adjoint = 0.5 * tl.cos(y), g
        for _ in range(int(np.ceil(np.log(tolerance) / np.log(0.5)))):
            adjoint = g + slope * adjoint
        return (adjoint,)

    return tl.primitive("kepler", forward, rule)


class Nearly(tl.nn.Cell):
    """A cell whose activation has a rule right to eight digits."""

    def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float64):
        super().__init__(input_size, hidden_size, dtype=dtype)
        self.linear = tl.Linear(input_size + hidden_size, hidden_size, rng=rng)
        self.activation = sine(1e-8)

    def forward(self, x, h):
        return self.activation(self.linear(tl.concat([h, x], axis=-1)))


@pytest.mark.parametrize("check", CHECKS)
def test_a_gradient_right_to_some_digits_passes_where_that_is_declared(check):
    op = sine(1e-8)
    if check in (check_vjp, check_op):  # the derivatives of the rule, by itself, are those of the rule
        with pytest.raises(GradientError):
            check(op, X)
        with pytest.raises(GradientError, match="where rtol=1e-10 was declared"):
            check(op, X, rtol=1e-10)
    report = check(op, X, rtol=1e-6)
    assert report.verdict is Verdict.PASS
    assert "rtol=1e-06, as declared" in str(report)
    assert "rtol=1e-06" in repr(report)
    assert "rtol=1e-06, as declared" in report._repr_html_()


def test_what_needed_the_declaration_says_so_and_what_did_not_does_not():
    report = check_vjp(lambda x, z: sine(1e-8)(x) * tl.cos(z), X, X, rtol=1e-6)
    assert report.findings["input 0"].reason == "within rtol=1e-06, as declared"
    assert report.findings["input 0"].error > 1e4  # in units of rounding, all the same
    assert report.findings["input 1"].reason == ""
    assert report.findings["input 1"].error < 100


@pytest.mark.parametrize("rtol", [1e-6, 1e-4])
def test_a_mistake_larger_than_what_is_declared_is_caught(rtol):
    for check in (check_vjp, check_op):
        with pytest.raises(GradientError, match=f"where rtol={rtol:g} was declared, of the sum of absolute terms"):
            check(sine(10 * rtol), X, rtol=rtol)


def test_a_fixed_point_is_declared_at_all_that_is_drawn():
    with pytest.raises(GradientError, match="the rule of kepler is wrong"):
        check_op(kepler(1e-8), [0.01])
    report = check_op(kepler(1e-8), order=1, rtol=1e-6)
    assert (report.verdict, report.cases, report.rtol) == (Verdict.PASS, 50, 1e-6)


def test_a_declared_rule_is_not_blamed_for_the_mistake_of_another():
    wrong = tl.primitive("wrong", np.exp, lambda g, y, x: (1.5 * g * y,))
    with pytest.raises(GradientError, match="Blame: the rule of wrong is wrong") as caught:
        check_vjp(lambda x: wrong(sine(1e-8)(x)), X, rtol=1e-6)
    assert "sine" not in str(caught.value)
    assert "sine" not in explain(caught.value.failure.smallest)


def test_what_is_declared_counts_by_differences_too():
    def rule(g, y, x):
        return (g * np.exp(x) * (1 + 1e-5),)

    op = tl.primitive("by_differences", lambda x: np.exp(np.real(x)), rule)
    with pytest.raises(GradientError):
        check_vjp(op, X)
    report = check_vjp(op, X, rtol=1e-4)
    assert report.findings["input 0"].oracle is Oracle.DIFFERENCES
    assert report.findings["input 0"].reason == "within rtol=0.0001, as declared"


def test_two_runs_may_differ_by_what_is_declared():
    runs = iter(range(10**6))
    op = tl.primitive("warm", np.sin, lambda g, y, x: (g * tl.cos(x) * (1 + 1e-9 * (next(runs) % 2)),))
    with pytest.raises(GradientError):
        check_op(op, X)
    assert check_op(op, X, order=1, rtol=1e-7).verdict is Verdict.PASS


def test_float32_is_held_to_what_is_declared():
    forward = lambda x: np.sin(x)
    rule = lambda g, y, x: (g * tl.cos(x) * (1 + (0.3 if x.dtype == np.float32 else 0)),)
    op = tl.primitive("coarse", forward, rule)
    with pytest.raises(GradientError, match="more than float32 explains"):
        check_op(op, X, order=1)
    assert check_op(op, X, order=1, rtol=0.5).verdict is Verdict.PASS


def test_symmetry_is_held_to_what_is_declared():
    twisted = tl.primitive("twisted", lambda x, y: x * y * y, lambda g, z, x, y: (g * y * y, 2.02 * g * x * y))
    with pytest.raises(GradientError):
        check_second_order(twisted, [2.0], [3.0])
    assert check_second_order(twisted, [2.0], [3.0], rtol=0.1).verdict is Verdict.PASS


@pytest.mark.parametrize("order", [1, 2])
def test_a_cell_is_declared_too(order):
    with pytest.raises(GradientError):
        check_cell(Nearly, 3)
    report = check_cell(Nearly, 3, order=order, rtol=1e-6)
    assert (report.verdict, report.rtol) == (Verdict.PASS, 1e-6)
    assert ("second order" in report.laws) is (order == 2)


@pytest.mark.parametrize("rtol", [-1e-6, 1, float("nan"), "1e-6", None])
def test_what_is_no_relative_error_is_refused(rtol):
    for check in (check_vjp, check_op):
        with pytest.raises(ValueError, match="rtol is the relative error that is right, such as 1e-6"):
            check(tl.tanh, X, rtol=rtol)
    with pytest.raises(ValueError, match="rtol is the relative error"):
        check_op(tl.tanh, rtol=rtol)


# Surrogates


def straight_through():
    """Round, with the gradient of the identity (Bengio, Léonard & Courville 2013)."""
    return tl.primitive("straight_through", lambda x: np.round(x), lambda g, y, x: (g,), surrogate=True)


def reversal():
    """Return what is given, and the gradient reversed (Ganin & Lempitsky 2015)."""
    return tl.primitive("reversal", lambda x: x, lambda g, y, x: (-0.5 * g,), surrogate=True)


@pytest.mark.parametrize("make", [straight_through, reversal])
@pytest.mark.parametrize("check", CHECKS)
def test_a_surrogate_is_declared_and_all_else_is_checked(make, check):
    surrogate, rng = make(), np.random.default_rng(0)
    w, v = (tl.tensor(rng.normal(size=(3, 3)), requires_grad=True, name=name) for name in "wv")
    report = check(lambda x: tl.tanh(surrogate(tl.sin(x @ w)) @ v), [X])
    assert report.verdict is Verdict.DECLARED
    assert {name: report.findings[name].verdict for name in ("input 0", "w", "v")} == {
        "input 0": Verdict.DECLARED,
        "w": Verdict.DECLARED,
        "v": Verdict.PASS,
    }
    assert report.findings["w"].reason == SURROGATE
    assert any(name.startswith("output of ") and surrogate.name in name for name in report.findings)


@pytest.mark.parametrize("make", [straight_through, reversal])
@pytest.mark.parametrize("where", ["before", "after", "beside"])
def test_a_mistake_beside_a_surrogate_is_caught(make, where):
    surrogate, wrong = make(), tl.primitive("wrong", np.sin, lambda g, y, x: (1.01 * g * tl.cos(x),))
    f = {
        "before": lambda x: surrogate(wrong(x)),
        "after": lambda x: wrong(surrogate(x)),
        "beside": lambda x: surrogate(x) + wrong(x),
    }[where]
    with pytest.raises(GradientError, match="the rule of wrong is wrong") as caught:
        check_vjp(f, X)
    assert "wrong" in explain(caught.value.failure)


def test_what_reaches_no_surrogate_is_checked_as_ever_and_one_by_itself_is_declared():
    surrogate = straight_through()
    assert check_op(surrogate).verdict is Verdict.DECLARED
    report = check_op(lambda x, z: surrogate(x) * tl.exp(z), X, X)
    assert [report.findings[f"input {i}"].verdict for i in range(2)] == [Verdict.DECLARED, Verdict.PASS]
    assert "it is linear in the cotangent" in report.laws


def test_without_the_declaration_it_is_wrong():
    op = tl.primitive("undeclared", lambda x: 1 * x, lambda g, y, x: (-0.5 * g,))
    with pytest.raises(GradientError, match="the rule of undeclared is wrong"):
        check_vjp(op, X)


def test_surrogates_after_each_other_and_in_every_step_are_cut_each():
    surrogate = reversal()

    def f(x, w):
        h = x
        for t in range(3):
            with tl.time_step(t):
                h = tl.tanh(surrogate(h * w))
        return h

    report = check_vjp(f, X, X)
    assert {name: found.verdict for name, found in report.findings.items()} == {
        "input 0": Verdict.DECLARED,
        "input 1": Verdict.DECLARED,
        "output of t0.reversal": Verdict.PASS,
        "output of t1.reversal": Verdict.PASS,
        "output of t2.reversal": Verdict.PASS,
    }


def test_a_surrogate_in_float32_is_cut_in_float64_too():
    surrogate = reversal()
    report = check_vjp(lambda x: tl.sin(surrogate(tl.exp(x))), np.array(X, np.float32))
    assert report.verdict is Verdict.DECLARED


def test_wrong_counts_more_than_declared_and_declared_more_than_the_rest():
    assert list(Verdict)[:2] == [Verdict.WRONG, Verdict.DECLARED]
    declared, right = (Finding(verdict, Oracle.COMPLEX_STEP) for verdict in (Verdict.DECLARED, Verdict.PASS))
    assert worse(right, declared) is declared
    assert Report({"x": right, "y": declared}).verdict is Verdict.DECLARED


# Orders


def in_numpy():
    return tl.primitive("in_numpy", np.sin, lambda g, y, x: (g * np.cos(getattr(x, "value", x)),))


def test_a_rule_that_cannot_be_differentiated_again_passes_at_the_first_order():
    with pytest.raises(GradientError):
        check_op(in_numpy())
    for report in (check_op(in_numpy(), order=1), check_op(in_numpy(), X, order=1)):
        assert report.verdict is Verdict.PASS
        assert "second order" not in report.laws
        assert "two runs are identical" in report.laws


def test_the_first_order_is_checked_at_all_that_is_drawn_before_the_second():
    """A rule that cannot be differentiated again, and is wrong where x is large: what is said is that it is wrong."""

    def rule(g, y, x):
        at = getattr(x, "value", x)
        return (g * np.cos(at) * (1 + (np.abs(at) > 2.5)),)

    with pytest.raises(GradientError, match="the rule of late is wrong"):
        check_op(tl.primitive("late", np.sin, rule))


@pytest.mark.parametrize("order", [0, 3, "1"])
def test_what_is_no_order_is_refused(order):
    for check in (lambda: check_op(tl.tanh, order=order), lambda: check_cell("rnn", order=order)):
        with pytest.raises(ValueError, match="order is 1, for gradients, or 2, for their derivatives as well"):
            check()


def test_an_operation_is_checked_at_draws_of_its_own_inside_a_given():
    @settings(max_examples=1, deadline=None, database=None)
    @given(st.just(1))
    def nested(n):
        assert check_op(tl.tanh, order=n).cases == 50

    nested()
