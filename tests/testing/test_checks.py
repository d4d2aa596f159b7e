"""Every check with what it must catch and what it must not: orders, laws, chunks, pairs; and what cannot be checked."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.mutation.checks import drawn
from tinygrad_lstm.engine import backprop
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.testing import (
    GradientError,
    NothingCheckedError,
    Verdict,
    assert_detects,
    check_cell,
    check_jvp,
    check_op,
    check_same,
    check_second_order,
    check_vjp,
)
from tinygrad_lstm.testing.checks import TIES
from tinygrad_lstm.testing.generate import strategies
from tinygrad_lstm.testing.profiles import Profile, drawing_by

X = [0.5, -1.0, 2.0]


def operation(forward, rule):
    return tl.primitive("mine", forward, rule)


def cube(rule):
    return operation(lambda x: x * x * x, rule)


# Orders


@pytest.mark.parametrize("check", [check_jvp, check_second_order])
@pytest.mark.parametrize("f", [tl.tanh, lambda x: x * x * x, lambda x: tl.softmax(x) * x, lambda x: 2.0 * x])
def test_right_derivatives_pass_at_both_orders(check, f):
    report = check(f, X)
    assert report.verdict is Verdict.PASS
    assert report.worst < 1000


def test_a_forward_derivative_is_wrong_if_the_rule_is():
    with pytest.raises(GradientError, match=r"the forward derivative of input 0 \(3,\) is wrong"):
        check_jvp(cube(lambda g, y, x: (2.9 * x * x * g,)), X)


def test_a_rule_that_is_right_but_leaves_the_graph_fails_at_second_order():
    """x² from a value that is not differentiated: the gradient is right, its gradient is not."""
    rule = lambda g, y, x: (3 * g * x * (x.detach() if isinstance(x, tl.Tensor) else x),)
    assert check_vjp(cube(rule), X).verdict is Verdict.PASS
    with pytest.raises(GradientError):
        check_second_order(cube(rule), X)
    with pytest.raises(GradientError):
        check_op(cube(rule), X)


def test_a_field_that_is_the_gradient_of_nothing_has_no_symmetric_hessian(monkeypatch):
    twisted = operation(
        lambda a, b: a * b,
        lambda g, y, a, b: (
            g * b * (1 + 0 * a),
            g * a * (1 + 1e-3 * (a - a.detach() if isinstance(a, tl.Tensor) else 0 * a)),
        ),
    )
    assert check_vjp(twisted, [2.0], [3.0]).verdict is Verdict.PASS
    with pytest.raises(GradientError):
        check_second_order(twisted, [2.0], [3.0])


def test_a_hessian_that_is_not_symmetric_is_called_so():
    half = operation(lambda a, b: a * b, lambda g, y, a, b: (g * b, 2 * g * a))
    with pytest.raises(GradientError, match=r"the Hessian is not symmetric: ⟨u, Hw⟩ = .*the gradient of no function"):
        check_second_order(half, [2.0], [3.0])


def test_second_order_names_cotangents_and_says_what_is_linear():
    report = check_second_order(lambda x, w: x * x + 0.0 * w + 3.0 * w, [1.0, 2.0], [0.5, 0.5])
    assert list(report.findings) == ["input 0", "cotangent 0", "input 1"]
    assert report.findings["input 1"].reason == "the function is linear in it"
    assert report.laws == ("the Hessian is symmetric",)


# Laws: each with a rule that breaks it and agrees with the oracle as far as that can see


SEED = 1


class Counting:
    def __init__(self):
        self.calls = 0


def remembering():
    """Right at first, and twice as large from the third call on."""
    seen = Counting()

    def rule(g, y, x):
        seen.calls += 1
        return (g * (1.0 if seen.calls < 3 else 2.0),)

    return rule


def aliasing(g, y, x):
    return (g,)


LAW_BREAKERS = {
    "two runs are identical": remembering(),
    "a zero cotangent gives zero": lambda g, y, x: (g + 1e-13,),
    "it scales with the cotangent": lambda g, y, x: (g if isinstance(g, tl.Tensor) else np.clip(g, -1e7, 1e7),),
    "it is linear in the cotangent": lambda g, y, x: (
        g if isinstance(g, tl.Tensor) or abs(g[0]) > abs(g[1]) else 1.001 * g,  # as SEED begins
    ),
}


@pytest.mark.parametrize("law", LAW_BREAKERS)
def test_a_broken_law_is_named(law):
    identity = operation(lambda x: x * 1.0, lambda g, y, x: (1.0 * g,))
    assert law in check_op(identity, X).laws
    with pytest.raises(GradientError, match=f"breaks a law that every gradient obeys, {law}"):
        check_op(operation(lambda x: x * 1.0, LAW_BREAKERS[law]), X, rng=SEED)


def test_a_gradient_that_shares_memory_is_named(monkeypatch):
    monkeypatch.setattr(backprop, "_owned", lambda step: step.after)
    with pytest.raises(GradientError, match=r"nothing is aliased: it shares memory with .* another gradient"):
        check_op(lambda a, b: a + b, X, X)


def test_a_rule_that_writes_into_its_operands_is_caught():
    def rule(g, y, x):
        if isinstance(x, np.ndarray) and x.dtype == np.float64:
            x.setflags(write=True)
            x += 1e-9
        return (g,)

    with pytest.raises(GradientError):
        check_op(operation(lambda x: x * 1.0, rule), X)


def test_a_rule_that_computes_in_float32_is_caught():
    def rule(g, y, x):
        if isinstance(g, tl.Tensor):
            return (g * x * 2.0,)
        return ((g.astype(np.float32) * x.astype(np.float32) * 2).astype(g.dtype),)

    with pytest.raises(GradientError, match="is wrong"):
        check_op(operation(lambda x: x * x, rule), X)


def test_a_rule_that_is_right_in_float64_alone_is_caught():
    def rule(g, y, x):
        if not isinstance(g, tl.Tensor) and g.dtype == np.float32:
            return (g * x * np.float32(2.02),)
        return (g * x * 2.0,)

    with pytest.raises(GradientError, match="in float32 is off by"):
        check_op(operation(lambda x: x * x, rule), X)


def test_what_check_op_tried_is_in_the_report():
    laws = check_op(tl.tanh, X).laws
    assert {*LAW_BREAKERS, "nothing is aliased", "nothing is mutated"} < set(laws)
    assert laws[-3:] == ("float32 agrees", "J u by two backward passes", "second order")


@pytest.mark.parametrize("seed", range(3))
def test_a_right_function_that_cancels_in_float32_passes(seed):
    def centred(x):
        return x - x.mean(axis=-1, keepdims=True)

    check_op(lambda x: centred(x) / tl.sqrt((centred(x) ** 2).mean(axis=-1, keepdims=True) + 1e-5), rng=seed)


def layer_norm(x):
    mean = x.mean(axis=-1, keepdims=True)
    return (x - mean) / tl.sqrt(((x - mean) ** 2).mean(axis=-1, keepdims=True) + 1e-5)


def test_a_layer_norm_is_right_wherever_it_is_drawn():
    assert check_op(layer_norm).verdict in (Verdict.PASS, Verdict.ROUNDOFF)
    assert check_op(layer_norm, [1.0, -2.0]).verdict in (Verdict.PASS, Verdict.ROUNDOFF)


@pytest.mark.parametrize("x", [0.0103, 0.010309422, 0.02])
def test_a_right_product_whose_inputs_move_against_each_other_passes(x):
    assert tl.testing.check_vjp(lambda x: tl.exp(-x * x), np.float32(x)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("f", "x"),
    [(lambda x: tl.exp(40 * x), [3.0]), (lambda x: x * 1e-30 * 1e-30, [1.0]), (lambda x: x**100, [0.1, 3.0])],
)
def test_what_float32_has_no_numbers_for_is_not_compared(f, x):
    report = check_op(f, x)
    assert report.verdict is Verdict.PASS
    assert "float32 agrees" not in report.laws


@pytest.mark.parametrize("f", [lambda x: tl.where(x > 0, x, 0.1 * x), lambda x: (x > 0) * x, lambda x: (x >= 0) * x])
def test_standing_on_a_comparison_is_no_computing_outside_the_graph(f):
    assert check_vjp(f, [0.0, 1.0]).verdict is Verdict.PASS
    with pytest.raises(GradientError, match="outside the graph"):
        check_vjp(lambda x: f(x) + x.detach(), [0.0, 1.0])


def test_a_rule_that_is_constant_where_it_should_not_be_fails_at_second_order():
    rule = lambda g, y, x: (3 * tl.tensor((x * x).value if isinstance(x, tl.Tensor) else x * x) * g,)
    with pytest.raises(GradientError, match="outside the graph"):
        check_second_order(cube(rule), [2.0])


def test_a_rule_written_in_numpy_is_answered_with_what_to_write_it_in():
    forward = lambda x: x * np.arcsinh(x) - np.sqrt(1 + x * x)
    with pytest.raises(GradientError, match=r"the rule cannot be differentiated again: .* such as tl.cos"):
        check_op(operation(forward, lambda g, y, x: (g * np.arcsinh(x),)))


COMPOSED = {
    "hard tanh": lambda x: tl.maximum(tl.minimum(x, 1.0), -1.0),
    "leaky relu": lambda x: tl.maximum(x, 0.01 * x),
    "gelu": lambda x: 0.5 * x * (1 + tl.tanh(0.79788456 * (x + 0.044715 * x**3))),
    "unit length": lambda x: x / tl.sqrt((x * x).sum() + 1e-12),
    "cancels": lambda x: (x + 1e8) - 1e8,
    "log of what is left": lambda x: tl.log(1 - tl.sigmoid(x)),
    "attention": lambda x: tl.softmax(30.0 * x.reshape((-1, 1)) @ x.reshape((1, -1))) @ x.reshape((-1, 1)),
    "two kinks": lambda x: tl.abs(tl.abs(x) - 1.0) + x,
}


@pytest.mark.parametrize("name", COMPOSED)
@pytest.mark.parametrize("x", [[0.5, -1.0, 2.0], [0.0, 1.0, -1.0], [1e-3, 20.0, -20.0]])
def test_right_compositions_pass_everything(name, x):
    assert check_op(COMPOSED[name], x).verdict in (Verdict.PASS, Verdict.ROUNDOFF)


# Drawn inputs


@pytest.mark.slow
def test_an_operation_is_tried_at_as_many_inputs_as_the_profile_says():
    assert check_op(tl.tanh).cases == 50
    with drawing_by(Profile.nightly):
        assert check_op(tl.relu).cases == 500


def test_what_fails_for_some_shapes_only_is_found_and_shrunk():
    """A mean whose rule forgets to divide is right for one number."""
    mean = operation(lambda x: np.add.reduce(x, axis=-1) / x.shape[-1], lambda g, y, x: (g[..., None] + 0 * x,))
    with pytest.raises(GradientError) as caught:
        check_op(mean)
    assert caught.value.failure.leaf.shape == (2,)


def test_what_is_drawn_for_two_inputs_broadcasts():
    unsummed = operation(
        lambda a, b: a * b, lambda g, y, a, b: (g * b, (g * a).sum(axis=0) if getattr(g, "ndim", 0) > 1 else g * a)
    )
    with pytest.raises(GradientError):
        check_op(unsummed)


def test_an_operation_that_takes_nothing_that_is_drawn_says_so():
    with pytest.raises(NothingCheckedError, match="none of the inputs that were drawn"):
        check_op(lambda x: x.reshape((7, 11)))
    with pytest.raises(TypeError, match="takes no tensors; check what it returns with check_vjp"):
        check_op(lambda: 1)


# Cells


@pytest.mark.parametrize("cell", ["lstm", tl.GRUCell, tl.RNNCell(2, 3, rng=0)])
def test_a_cell_is_checked_by_name_class_or_instance(cell):
    report = check_cell(cell, steps=3)
    assert {"xs", "h0"} < set(report.findings)
    assert report.laws[-2:] == ("two halves in time make the whole", "a batch is its sequences")
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("cell", "error", "said"),
    [
        ("lstmm", ValueError, "there is no cell 'lstmm'; there are rnn, lstm, gru"),
        (tl.Linear(2, 2), TypeError, "check_cell takes a tl.nn.Cell, its class or a name"),
        (3, TypeError, "check_cell takes a tl.nn.Cell"),
    ],
)
def test_what_is_no_cell_is_refused(cell, error, said):
    with pytest.raises(error, match=said):
        check_cell(cell)


def test_a_cell_that_keeps_something_outside_its_state_is_caught():
    class Secretive(tl.RNNCell):
        kept = 0.0

        def forward(self, x, h):
            self.kept = 0.5 * self.kept + x.sum()
            return super().forward(x, h) + tl.tanh(self.kept)

    with pytest.raises(GradientError):
        check_cell(Secretive, steps=4)


def test_a_cell_whose_batch_is_not_its_sequences_is_caught():
    class Averaging(tl.RNNCell):
        def forward(self, x, h):
            return super().forward(x, h) * (1.0 / x.shape[0])

    with pytest.raises(GradientError, match=r"taken apart along the batch, the sequence gives .* another gradient"):
        check_cell(Averaging, steps=2)


# Negative controls, and pairs


def test_assert_detects_gives_back_what_was_caught():
    caught = assert_detects(tl.tanh, lambda g, y, x: (g * (1 - y),), X)
    assert "the rule of tanh is wrong" in caught.failure.blame.sentence
    assert tl.tanh.rule is BUILTIN["tanh"].rule
    assert check_op(tl.tanh, X).verdict is Verdict.PASS


def test_assert_detects_complains_of_a_rule_that_gets_away_and_puts_the_right_one_back():
    right = tl.relu.rule
    with pytest.raises(AssertionError, match="a wrong rule of relu got away: the check passed with it"):
        assert_detects(tl.relu, lambda g, y, x: right(g, y, x), X)
    with pytest.raises(NothingCheckedError):
        assert_detects(tl.relu, lambda g, y, x: (g,), [-1.0, -2.0])
    assert tl.relu.rule is right


def test_assert_detects_refuses_a_rule_that_is_wrong_to_begin_with():
    with pytest.raises(GradientError, match="the rule of mine is wrong"):
        assert_detects(cube(lambda g, y, x: (x * g,)), lambda g, y, x: (x * x * g,), X)


FUSED = {
    "sigmoid": (tl.sigmoid, lambda x: 0.5 * (1 + tl.tanh(0.5 * x))),
    "softplus": (tl.softplus, lambda x: tl.log(1 + tl.exp(x))),
    "softmax": (tl.softmax, lambda x: tl.exp(x) / tl.exp(x).sum(axis=-1, keepdims=True)),
    "log_softmax": (tl.log_softmax, lambda x: tl.log(tl.softmax(x))),
    "logsumexp": (tl.logsumexp, lambda x: tl.log(tl.exp(x).sum())),
    "mean": (tl.mean, lambda x: x.sum() / 3),
    "matmul": (lambda x: x @ x, lambda x: (x * x).sum()),
    "cross entropy": (
        lambda x: tl.cross_entropy(x.reshape((1, 3)), [1]),
        lambda x: tl.logsumexp(x) - x[1],
    ),
}


@pytest.mark.parametrize("name", FUSED)
def test_fused_is_composed(name):
    check_same(*FUSED[name], X)


def test_what_differs_is_named():
    with pytest.raises(GradientError, match=r"output 0 \(3,\) is .* by one at \(\d,\), and .* by the other"):
        check_same(tl.tanh, lambda x: tl.tanh(x) * (1 + 1e-9), X)
    half = operation(np.tanh, lambda g, y, x: (g * (1 - y * y) * (1 + 1e-9),))
    with pytest.raises(GradientError, match=r"the gradient of input 0 \(3,\) is .* by one at \(\d,\)"):
        check_same(tl.tanh, half, X)
    with pytest.raises(GradientError, match=r"one returns shapes \[\(3,\)\], the other \[\(\)\]"):
        check_same(tl.tanh, tl.sum, X)


# What cannot be checked


def test_a_function_that_changes_an_argument_is_refused():
    def replacing(x):
        y = x * x
        x.value = x.value + 1.0
        return y

    def writing(x):
        x.value.setflags(write=True)
        x.value[...] = 7.0
        return x * x

    for f in (replacing, writing):
        with pytest.raises(GradientError, match="the function changed the value of input 0 while it ran"):
            check_vjp(f, X)


def test_a_function_that_changes_an_index_is_refused():
    def shifting(x, i):
        i += 1
        return x[i]

    with pytest.raises(GradientError, match="the function changed the value of input 1 while it ran"):
        check_vjp(shifting, X, np.array([0, 1]))


def test_an_error_of_the_function_comes_through_with_a_note():
    with pytest.raises(ZeroDivisionError) as caught:
        check_vjp(lambda x, y: x * (y.ndim // 0), X, 2.0)
    assert caught.value.__notes__ == ["raised by the function whose gradient was to be checked, given (3,), ()"]


def test_an_error_of_a_rule_is_a_wrong_gradient():
    with pytest.raises(GradientError, match=r"the backward pass failed with ZeroDivisionError.*mine"):
        check_vjp(cube(lambda g, y, x: (1 // 0,)), X)


@pytest.mark.parametrize(("f", "x"), [(tl.log, [-1.0, 1.0]), (tl.exp, [1e4]), (lambda x: x * np.nan, X)])
def test_a_function_that_returns_no_numbers_is_refused(f, x):
    with np.errstate(all="ignore"), pytest.raises(GradientError, match="returns NaN or Inf at these inputs"):
        check_vjp(f, x)


def test_integers_choose_and_are_named_unchecked():
    report = check_vjp(lambda x, i: x[i], X, np.array([0, 0, 2]))
    assert report.findings["input 1"].verdict is Verdict.UNCHECKED
    assert "integers and booleans choose" in report.findings["input 1"].reason
    assert report.verdict is Verdict.PASS
    with pytest.raises(NothingCheckedError, match="integers and booleans choose"):
        check_vjp(lambda i: tl.tensor(X)[i], np.array([0, 2]))


def test_what_is_empty_is_named_unchecked():
    report = check_vjp(lambda x, w: tl.concat([x, w]), X, np.zeros(0))
    assert report.findings["input 1"].reason == "it is empty, of shape (0,)"
    with pytest.raises(NothingCheckedError, match=r"input 0: it is empty, of shape \(0, 3\)"):
        check_vjp(tl.tanh, np.zeros((0, 3)))


def test_a_tensor_is_checked_in_its_leaves_and_takes_nothing_else():
    x, w = tl.tensor(X, requires_grad=True, name="x"), tl.tensor(X, requires_grad=True)
    assert set(check_vjp(tl.tanh(x * w)).findings) == {"x", "input 1"}
    with pytest.raises(TypeError, match="give no inputs or parameters besides"):
        check_vjp(tl.tanh(x), X)
    with pytest.raises(NothingCheckedError, match="it has no input"):
        check_vjp(tl.tensor(1.0))


def test_a_module_brings_its_parameters():
    assert set(check_vjp(tl.Linear(3, 2, rng=0), X).findings) == {"input 0", "weight", "bias"}


class TwoLayers(tl.nn.Module):
    def __init__(self):
        self.first, self.second = tl.Linear(3, 4, rng=0), tl.Linear(4, 2, rng=1)

    def forward(self, x):
        return self.second(tl.tanh(self.first(x)))


CALLED = [lambda x, model: model(x), lambda x, model: model.forward(x), lambda x, model: model.second(model.first(x))]


@pytest.mark.parametrize("call", CALLED)
@pytest.mark.parametrize("check", [check_vjp, check_jvp, check_second_order, check_op])
def test_weights_that_take_part_are_checked_whoever_owns_them(check, call, monkeypatch):
    """A closure over a model, or its bound method, brings no parameters; the recorded graph has them."""
    model = TwoLayers()
    report = check(lambda x: call(x, model), X)
    assert {"first.weight", "first.bias", "second.weight", "second.bias"} < set(report.findings)
    right = BUILTIN["matmul"].rule
    monkeypatch.setattr(
        BUILTIN["matmul"], "rule", lambda g, y, a, b: (right(g, y, a, b)[0], 1.01 * right(g, y, a, b)[1])
    )
    with pytest.raises(GradientError, match="is wrong"):
        check(lambda x: call(x, model), X)


def test_a_leaf_that_a_function_makes_anew_in_each_call_is_checked_too():
    report = check_vjp(lambda x: x * tl.tensor(2.0, requires_grad=True), X)
    assert (report.verdict, list(report.findings)) == (Verdict.PASS, ["input 0", "parameter 0"])


def test_functions_with_weights_of_their_own_are_one_where_inputs_and_common_weights_agree():
    one, other = tl.Linear(3, 3, rng=0), tl.Linear(3, 3, rng=0)
    check_same(lambda x: one(x), lambda x: other(x), X)
    scale = tl.tensor(2.0, requires_grad=True)
    check_same(lambda x: scale * x, lambda x: x + x, X)


def test_a_value_taken_inside_a_rule_is_the_fault_of_the_rule():
    rule = lambda g, y, x: (3 * tl.tensor(x.value * x.value if isinstance(x, tl.Tensor) else x * x) * g,)
    with pytest.raises(GradientError, match=r"the rule of mine computes something outside the graph, as with x\.value"):
        check_second_order(cube(rule), X)


@pytest.mark.parametrize("returned", [lambda h: h, lambda h: (h, 2.0 * h), lambda h: (h, tl.tanh(h))])
def test_several_kinks_at_once_pass_where_no_rule_is_wrong(returned):
    """relu − relu∘relu is 0, and has the slope ½ − ¼ at 0 by the rules: each lies between its sides, not their sum."""
    report = check_vjp(lambda x, w: returned(w * (tl.relu(x) - tl.relu(tl.relu(x)) + 0.3 * x)), [0.0, 1.0], X[:2])
    assert [report.findings[name].verdict for name in ("input 0", "input 1")] == [Verdict.PASS] * 2
    assert report.findings["input 0"].reason == TIES


SIZE = (np.abs, lambda g, y, x: (g * (tl.relu(x) - tl.relu(-x)) / tl.abs(x),))
"""A forward that loses complex numbers, and its rule."""


@pytest.mark.parametrize("large", [1e6, 1e10, 1e14])
def test_what_cancels_is_no_mistake_of_a_forward_that_loses_complex_numbers(large):
    report = check_vjp(lambda x, w: operation(*SIZE)(x) + large - large + w, [1.5, -2.0], [1.0, 1.0])
    assert report.findings["input 0"].reason == ("the differences are too coarse to decide" if large > 1e6 else "")
    wrong = operation(SIZE[0], lambda g, y, x: (1.001 * SIZE[1](g, y, x)[0],))
    with pytest.raises(GradientError, match=r"Blame: the rule of .* is wrong"):
        check_vjp(lambda x, w: wrong(x) + large - large + w, [1.5, -2.0], [1.0, 1.0])


def test_a_gradient_that_comes_in_another_type_than_its_input_is_caught(monkeypatch):
    monkeypatch.setattr(backprop, "_owned", lambda step: np.asarray(step.after, np.float64))
    with pytest.raises(GradientError, match="the gradient of input 0 is float64, of a float32 input"):
        check_op(tl.tanh, X)


def test_a_report_reads_as_a_table():
    report = check_vjp(lambda x, i: x[i], X, np.array([0, 2]))
    first, second = str(report).splitlines()
    assert first.startswith("input 0  PASS")
    assert second.startswith("input 1  UNCHECKED")
    assert report.unproved == {"input 1"}


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: check_vjp(3, X), TypeError, "must be a function of tensors, a module or a tensor, not 3"),
        (lambda: check_op("tanh"), TypeError, "check_op takes an operation, or a function of tensors, not 'tanh'"),
        (
            lambda: check_same(tl.tanh, None, X),
            TypeError,
            "must be a function of tensors, a module or a tensor, not None",
        ),
        (lambda: assert_detects(lambda x: x, lambda g, y, x: (g,), X), TypeError, "takes what tl.primitive"),
        (lambda: check_vjp(tl.tanh, X, directions=0), ValueError, "directions must be 1 or more, not 0"),
        (lambda: check_vjp(tl.tanh, "abc"), TypeError, "tensors hold real numbers"),
        (lambda: check_vjp(tl.tanh, [1j]), TypeError, "tensors hold real numbers"),
    ],
)
def test_wrong_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_an_infinite_derivative_is_unchecked_and_a_gradient_that_is_infinite_by_mistake_is_wrong():
    report = check_vjp(lambda x, w: tl.sqrt(x) * w, [0.0, 1.0], [1.0, 2.0])
    assert report.findings["input 0"].reason == "it is infinite, and so is the derivative"
    with np.errstate(all="ignore"), pytest.raises(GradientError, match="it is not finite"):
        check_vjp(operation(lambda x: x * x, lambda g, y, x: (2 * g * x * x / x,)), [0.0, 1.0])
    with np.errstate(all="ignore"), pytest.raises(GradientError, match="it is not finite"):
        check_vjp(operation(lambda x: x * x, lambda g, y, x: (g / (x * 0.0),)), [1.0])


def test_what_is_too_small_for_the_step_is_not_called_zero():
    with pytest.raises(NothingCheckedError, match="it is smaller than what the step leaves behind"):
        check_vjp(lambda x: x * x, [1e-200])


def test_an_operation_that_fails_once_is_reported_by_its_own_error():
    """Not by hypothesis, which says that it could not make it fail again."""
    failed = []

    def once(x):
        if x.size > 1 and not failed:
            failed.append(x)
            raise AttributeError("a slip of somebody's")
        return x * 1.0

    with pytest.raises(AttributeError, match="a slip of somebody's"):
        check_op(tl.primitive("once", once, lambda g, y, x: (g,)))


def fma(rule):
    return tl.primitive("fma", lambda a, b, c: a * b + c, rule, kind="activation")


def test_a_wrong_rule_of_three_inputs_is_caught_in_each_of_them():
    """Only what gets no gradient is taken for a condition."""
    right = check_op(fma(lambda g, y, a, b, c: (g * b, g * a, g)), order=1)
    assert (right.verdict, len(right.findings)) == (Verdict.PASS, 3)
    for wrong in (lambda g, y, a, b, c: (g * b * 3, g * a, g), lambda g, y, a, b, c: (g * b, g * a, g * 2)):
        with pytest.raises(GradientError, match="is wrong"):
            check_op(fma(wrong), order=1)


def test_programs_of_three_inputs_reach_each_of_them():
    wrong = fma(lambda g, y, a, b, c: (g * b * 3, g * a, g))
    programs, caught = drawn(strategies.expression_graphs([wrong], max_nodes=3, high=1.0), 60), 0
    for program in programs:
        try:
            check_vjp(program, *program.inputs)
        except GradientError:
            caught += 1
    assert caught > len(programs) / 2


def test_a_wrong_rule_that_cannot_be_read_is_wrong_all_the_same():
    """Also where warnings are errors, as here: the verdict counts for more than what could not be read."""
    doubled = tl.primitive("doubled", lambda x: np.asarray(x) * 2, lambda g, y, x: (np.asarray(g) * 2.001,))
    with pytest.raises(GradientError, match="is wrong"):
        check_vjp(doubled, [1.0, 2.0])


def test_a_cast_to_float64_in_a_forward_accuses_nobody():
    forward = lambda x: np.tanh(x if np.iscomplexobj(x) else x.astype(np.float64))
    far = tl.primitive("far", forward, lambda g, y, x: (g * (1 - y * y),))
    assert check_vjp(far, [15.0, 18.0]).verdict in (Verdict.PASS, Verdict.ROUNDOFF)


CHECKS = {
    "check_vjp": lambda **how: tl.testing.check_vjp(tl.tanh, [0.5], **how),
    "check_jvp": lambda **how: tl.testing.check_jvp(tl.tanh, [0.5], **how),
    "check_second_order": lambda **how: tl.testing.check_second_order(tl.tanh, [0.5], **how),
    "taylor_test": lambda **how: tl.testing.taylor_test(tl.tanh, [0.5], **how),
    "check_op": lambda **how: tl.testing.check_op(tl.tanh, [0.5], **how),
    "check_op at draws": lambda **how: tl.testing.check_op(tl.tanh, **how),
    "check_cell": lambda **how: tl.testing.check_cell("rnn", 2, **how),
    "check_same": lambda **how: tl.testing.check_same(tl.tanh, tl.tanh, [0.5], **how),
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_seed_is_a_number_or_a_generator(check):
    for rng, error in (("a", TypeError), (1.5, TypeError), (-1, ValueError)):
        with pytest.raises(error, match="rng must be a seed, a whole number from 0 on, or a generator"):
            check(rng=rng)


@pytest.mark.parametrize("check", list(CHECKS.values())[:4], ids=list(CHECKS)[:4])
@pytest.mark.parametrize("parameters", [3, [3], "w", None])
def test_parameters_are_tensors(check, parameters):
    with pytest.raises(TypeError, match=r"parameters are tensors, as module\.parameters\(\) gives, not"):
        check(parameters=parameters)
