"""What is drawn is special too: rules and cells that are wrong only there are caught, right ones are not accused."""

import itertools
import re

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.conftest import few
from tinygrad_lstm.testing import GradientError, Verdict, check_cell, check_op
from tinygrad_lstm.testing.generate import strategies


def operation(forward, rule):
    return tl.primitive("mine", forward, rule)


def wrong_where(there, forward=np.sin, slope=tl.cos):
    """Return an operation whose rule is off by a hundredth where something holds of the numbers of its input."""
    return operation(forward, lambda g, y, x: (slope(x) * g * (1 + 0.01 * there(np.asarray(x))),))


SPECIAL = {
    "zero": lambda x: x == 0,
    "minus zero": lambda x: (x == 0) & np.signbit(x),
    "whole": lambda x: x == np.round(x),
    "thirty": lambda x: abs(x) > 20,
    "beyond 100": lambda x: x > 100,
    "beyond −100": lambda x: x < -100,
    "tiny": lambda x: (x != 0) & (abs(x) < 1e-6),
    "all equal": lambda x: x.size > 1 and (x == x.flat[0]).all(),
    "17": lambda x: 17 in x.shape,
    "65": lambda x: 65 in x.shape,
    "four axes": lambda x: x.ndim == 4,
    "Fortran": lambda x: x.flags.f_contiguous and not x.flags.c_contiguous,
    "strides": lambda x: not x.flags.f_contiguous and not x.flags.c_contiguous,
}


@pytest.mark.parametrize("there", few(SPECIAL, 6))
def test_a_rule_that_is_wrong_only_at_special_inputs_is_caught(there):
    with pytest.raises(GradientError, match="the rule of mine is wrong"):
        check_op(wrong_where(SPECIAL[there]), order=1)


PLANTED = {
    "memory order": lambda g, y, a, b: (g * b, (np.ravel(g) * np.ravel(a, order="K")).reshape(np.shape(a))),
    "one tensor twice": lambda g, y, a, b: (g * b, 0 * g * a if a is b else g * a),
    "equal operands": lambda g, y, a, b: (g * b, g * a * (1 + 0.01 * np.array_equal(a, b))),
    "a clip": lambda g, y, a, b: (g * b, np.clip(g, -1e12, 1e12) * a),
    "a flush": lambda g, y, a, b: (g * b, np.where(abs(g) < 1e-10, 0, g) * a),
    "a sum over the wrong axis": lambda g, y, a, b: (
        g * b,
        (g * a).sum(axis=0).reshape(b.shape) if g.ndim == b.ndim == 3 and g.size == 2 * b.size else g * a,
    ),
    "an empty side": lambda g, y, a, b: (g * b, g * a if a.size else g.sum() * a[0]),
}


@pytest.mark.parametrize("rule", PLANTED.values(), ids=PLANTED)
def test_a_rule_of_two_that_is_wrong_only_at_special_inputs_is_caught(rule):
    with pytest.raises(GradientError):
        check_op(operation(lambda a, b: a * b, rule), order=1)


def test_a_gradient_that_is_no_number_where_the_function_only_curves_is_caught():
    with pytest.raises(GradientError, match="not finite"):
        check_op(operation(lambda x: x * x, lambda g, y, x: (g * 2 * x * x / x,)))


def test_a_rule_that_keeps_something_from_one_run_to_the_next_is_caught():
    runs = itertools.count()
    with pytest.raises(GradientError):
        check_op(operation(np.sin, lambda g, y, x: (g * tl.cos(x) * (1 + 0.01 * (next(runs) % 2)),)), order=1)


def test_attributes_are_drawn_and_the_report_says_at_which():
    right = operation(lambda x, n=2: x**n, lambda g, y, x, n=2: (g * n * x ** (n - 1),))
    wrong = operation(lambda x, n=2: x**n, lambda g, y, x, n=2: (g * n * x ** (n - 1) * (1 + 0.01 * (n == 3)),))
    assert check_op(right, order=1).covered.endswith("; at n = 2 only")
    assert check_op(right, order=1, n=4).covered.endswith("; at n = 4 only")
    assert check_op(right, order=1, n=strategies.integers(1, 3)).covered.endswith("; at n = 1, 2, 3")
    assert check_op(wrong, order=1).verdict is Verdict.PASS
    with pytest.raises(GradientError, match="the rule of mine is wrong"):
        check_op(wrong, order=1, n=strategies.integers(1, 4))


def test_the_report_says_how_much_was_special_and_how_much_of_it_outside_the_domain():
    assert check_op(tl.tanh, order=1).covered == "drawn: 25 ordinary, 25 special"
    report = check_op(operation(np.log, lambda g, y, x: (g / x,)), order=1)
    assert re.fullmatch(r"drawn: 25 ordinary, 25 special \([1-9]\d* outside the domain\)", report.covered)
    assert str(report).splitlines()[-1] == report.covered
    assert report.covered in report._repr_html_()


def median(g, x):
    """Send the gradient to the number in the middle; of equal ones, to one of them."""
    order = np.argsort(x, axis=-1, kind="stable")
    n = x.shape[-1]
    weights = np.isin(np.arange(n), [(n - 1) // 2, n // 2]) / (2 - n % 2)
    return np.take_along_axis(weights * np.ones_like(x), np.argsort(order, axis=-1), -1) * g[..., None]


RIGHT = {
    "a norm, at zero": (lambda a, b: np.sqrt(a * a + b * b), lambda g, y, a, b: (g * a / y, g * b / y)),
    "softplus, where it is infinite": (lambda x: np.log(1 + np.exp(x)), lambda g, y, x: (g * tl.sigmoid(x),)),
    "a logarithm": (np.log, lambda g, y, x: (g / x,)),
    "a steep root": (np.cbrt, lambda g, y, x: (g / (3 * y * y),)),
    "a median of equal numbers": (lambda x: np.median(x, axis=-1), lambda g, y, x: (median(g, np.asarray(x)),)),
    "a jump at whole numbers": (lambda x: x - np.floor(x), lambda g, y, x: (g * np.ones_like(x),)),
    "digits that cancel": (
        np.sinc,
        lambda g, y, x: (g * np.where(x == 0, 0, (np.cos(np.pi * x) - np.sinc(x)) / np.where(x == 0, 1, x)),),
    ),
}


def test_what_is_cast_to_float32_within_is_not_accused_of_its_rounding():
    assert check_op(operation(lambda x: x.astype(np.float32), lambda g, y, x: (g,)), [0.3, 1.1], order=1)
    tanh = operation(lambda x: np.tanh(x.astype(np.float32)), lambda g, y, x: (g * (1 - y * y),))
    assert check_op(tanh, [0.3, 1.1], order=1)


@pytest.mark.parametrize("size", ["steps", "batch"])
@pytest.mark.parametrize("wrong", [0, -1, 1.5])
def test_a_cell_is_unrolled_over_whole_numbers_above_zero(size, wrong):
    with pytest.raises(ValueError, match=f"{size} must be a positive whole number"):
        tl.testing.check_cell("rnn", **{size: wrong})


@pytest.mark.parametrize("name", RIGHT)
def test_right_operations_are_not_accused_at_special_inputs(name):
    assert check_op(operation(*RIGHT[name]), order=1).verdict in (Verdict.PASS, Verdict.ROUNDOFF)


def test_an_error_in_the_eleventh_digit_is_caught_at_all_that_is_drawn():
    with pytest.raises(GradientError, match="the rule of mine is wrong"):
        check_op(operation(np.sin, lambda g, y, x: (tl.cos(x) * g * (1 + 1e-11),)), order=1)


# Cells


def mine(there):
    """Return a cell that counts its steps beside its state, and whose rule is off where something holds of its sizes.

    ``there`` is asked about the number of the step, the batch N, whether D = H, and the type.
    """

    def rule(g, y, x, t, same=False):
        return g * (1 - y * y) * (1.01 if there(np.min(t), x.shape[0], same, x.dtype) else 1.0), 0 * g

    op = operation(lambda x, t, same=False: np.tanh(x) + 0 * t, rule)

    class Mine(tl.nn.Cell):
        state_names = ("h", "t")

        def __init__(self, input_size, hidden_size, *, rng=None):
            super().__init__(input_size, hidden_size)
            self.layer = tl.Linear(input_size + hidden_size, hidden_size, rng=rng)

        def forward(self, x, state):
            h, t = state
            return op(self.layer(tl.concat([h, x], -1)), t, same=self.input_size == self.hidden_size), t + 1.0

    return Mine


CELLS = {
    "D ≠ H": lambda t, n, same, dtype: not same,
    "N = 3": lambda t, n, same, dtype: n == 3,
    "float32": lambda t, n, same, dtype: dtype == np.float32,
    "after t = 50": lambda t, n, same, dtype: t > 50,
}


@pytest.mark.parametrize("there", CELLS.values(), ids=CELLS)
def test_a_cell_that_is_wrong_only_for_some_sizes_is_caught(there):
    with pytest.raises(GradientError, match="is wrong"):
        check_cell(mine(there))


def test_a_cell_is_tried_in_several_sizes_and_the_report_says_in_which():
    said = "unrolled, T×N×D×H: 5×2×4×4 in float64, 3×3×3×2 in float32, 60×1×4×4 in float64"
    assert check_cell(mine(lambda *sizes: False)).covered == said
    cell = tl.GRUCell(3, 2, rng=0)
    assert check_cell(cell, 4, batch=1).covered == "unrolled, T×N×D×H: 4×1×3×2 in float64, 4×1×3×2 in float32"
    assert {p.dtype for p in cell.parameters()} == {np.dtype(np.float64)}


def test_a_cell_for_some_sizes_only_is_tried_in_those():
    class Square(tl.RNNCell):
        def forward(self, x, h):
            return super().forward(x, h) + x

    assert check_cell(Square).covered.split(", ")[2:4] == ["not 3×3", "which it does not take"]


def test_a_cell_with_an_error_in_the_eleventh_digit_is_caught():
    op = operation(np.tanh, lambda g, y, x: (g * (1 - y * y) * (1 + 1e-11),))

    class Nearly(tl.RNNCell):
        def forward(self, x, h):
            return op(super().forward(x, h))

    with pytest.raises(GradientError, match="the rule of mine is wrong"):
        check_cell(Nearly)
