"""Negative controls: wrong rules and faults of the engine must each be caught; right ones must pass."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.engine import backprop
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.testing import GradientError, Verdict, check_vjp, judge, objective
from tinygrad_lstm.testing.verdicts import Oracle


class Fault(NamedTuple):
    """A primitive, a wrong rule for it, a program that uses it, and the shapes of the program's inputs."""

    primitive: str
    wrong: object
    f: object
    shapes: tuple[tuple[int, ...], ...]


def recurrent(layer_type, **how):
    """A layer with D == H, from a non-zero state; scored at its last step."""
    layer = layer_type(3, 3, rng=0, **how)
    return lambda xs, *state: layer(xs, state if len(state) > 1 else state[0])[0][-1]


def put_without_adding(g, index, shape):
    out = np.zeros(shape)
    out[index] = g
    return out


def stale(first=[]):  # noqa: B006  (that it keeps its first value is the fault)
    def rule(g, y, x):
        first.append(y)
        return (g * (1 - first[0] * first[0]),)

    return rule


def cut_after(steps):
    """Truncated backpropagation: the path through h ends after so many steps."""
    calls = []

    def rule(g, y, h, x, axis=0):
        calls.append(1)
        size = h.shape[-1]
        return g[..., :size] if len(calls) <= steps else np.zeros(h.shape), g[..., size:]

    return rule


SEQUENCE = ((5, 2, 3), (1, 2, 3))
LSTM_SEQUENCE = (*SEQUENCE, (1, 2, 3))
lstm = recurrent(tl.LSTM)
rnn = recurrent(tl.RNN)
square_product = lambda a, b: a @ b

FAULTS = {
    "wrong sign": Fault("tanh", lambda g, y, x: (-g * (1 - y * y),), rnn, SEQUENCE),
    "dropped factor": Fault("sigmoid", lambda g, y, x: (g * y,), lstm, LSTM_SEQUENCE),
    "sigmoid of 2x": Fault("sigmoid", lambda g, y, x: (2 * g * y * (1 - y),), lstm, LSTM_SEQUENCE),
    "a scale of 1 + 1e-5": Fault("tanh", lambda g, y, x: ((1 + 1e-5) * g * (1 - y * y),), lstm, LSTM_SEQUENCE),
    "a scale of 1 + 1e-9": Fault("mul", lambda g, y, a, b: (g * b * (1 + 1e-9), g * a), tl.nn.mse_loss, ((3,), (3,))),
    "a leak of 1e-6": Fault("sigmoid", lambda g, y, x: (g * (y * (1 - y) + 1e-6),), lstm, LSTM_SEQUENCE),
    "a cast to float32": Fault(
        "mul", lambda g, y, a, b: ((g * b).astype(np.float32), (g * a).astype(np.float32)), lstm, LSTM_SEQUENCE
    ),
    "a hidden clip": Fault("tanh", lambda g, y, x: (np.clip(g * (1 - y * y), -0.1, 0.1),), rnn, SEQUENCE),
    "a missing transpose": Fault("matmul", lambda g, y, a, b: (g @ b, a.T @ g), square_product, ((3, 3), (3, 3))),
    "the other operand's": Fault("matmul", lambda g, y, a, b: (a.T @ g, g @ b.T), square_product, ((3, 3), (3, 3))),
    "swapped operands": Fault("mul", lambda g, y, a, b: (g * a, g * b), lambda a, b: a * b, ((4,), (4,))),
    "a subtrahend's sign": Fault("sub", lambda g, y, a, b: (g, g), lambda a, b: tl.sin(a - b), ((4,), (4,))),
    "one slot forgotten": Fault("mul", lambda g, y, a, b: (g * b, None), lambda a: a * a, ((4,),)),
    "duplicates lost": Fault(
        "getitem",
        lambda g, y, x, index=...: (put_without_adding(g, index, x.shape),),
        lambda x: x[[0, 2, 0]],
        ((3,),),
    ),
    "rows of an embedding lost": Fault(
        "take",
        lambda g, y, rows, indices=0: (put_without_adding(g, indices, rows.shape),),
        lambda x: tl.take(x, [1, 1, 0]),
        ((2, 3),),
    ),
    "a missing 1/N": Fault(
        "mean",
        lambda g, y, x, axis=None, keepdims=False: (g * np.ones(x.shape),),
        lambda x: tl.sin(x).mean(),
        ((3, 4),),
    ),
    "the wrong axis": Fault(
        "softmax",
        lambda g, y, x, axis=-1: (y * (g - (g * y).sum(axis=0, keepdims=True)),),
        lambda x: tl.softmax(x, axis=-1),
        ((3, 3),),
    ),
    "a lost normaliser": Fault("log_softmax", lambda g, y, x, axis=-1: (g,), lambda x: tl.log_softmax(x), ((2, 3),)),
    "an axis order not inverted": Fault(
        "transpose",
        lambda g, y, x, axes=None: (np.transpose(g, axes),),
        lambda x: tl.transpose(x, axes=(1, 2, 0)),
        ((2, 2, 2),),
    ),
    "pieces exchanged": Fault(
        "concat", lambda g, y, h, x, axis=0: (g[..., 3:], g[..., :3]), recurrent(tl.GRU), SEQUENCE
    ),
    "truncated after 3 of 5 steps": Fault("concat", cut_after(3), rnn, SEQUENCE),
    "truncated after 10 of 40 steps": Fault("concat", cut_after(10), lstm, ((40, 1, 3), (1, 1, 3), (1, 1, 3))),
    "a stale value": Fault("tanh", stale(), rnn, SEQUENCE),
    "nothing on the way back": Fault("exp", lambda g, y, x: (None,), lambda x: tl.exp(x), ((3,),)),
}


def inputs_of(fault, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in fault.shapes]


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_wrong_rule_is_caught(name, monkeypatch):
    fault = FAULTS[name]
    check_vjp(fault.f, *inputs_of(fault, 0))  # the program itself is right
    monkeypatch.setattr(BUILTIN[fault.primitive], "rule", fault.wrong)
    with pytest.raises(GradientError, match=r"the gradient of input \d \(.*\) is wrong.*relative error"):
        check_vjp(fault.f, *inputs_of(fault, 0))


@pytest.mark.parametrize(
    "name",  # 40 steps on 50 inputs take seconds; on one, the test above sees that they are right
    [pytest.param(name, marks=pytest.mark.slow) if "of 40 steps" in name else name for name in FAULTS],
)
@given(seed=st.integers(0, 10**6))
def test_the_right_rule_passes(name, seed):
    """The same programs on other numbers and in other directions."""
    fault = FAULTS[name]
    report = check_vjp(fault.f, *inputs_of(fault, seed), rng=seed)
    assert {f"input {i}" for i in range(len(fault.shapes))} <= set(report.errors)


def only_the_last_contribution(output, inputs, seed, allow_unused):
    found = {c.input: tl.tensor(c.contribution) for c in tl.backprop(output, seed)}
    return [found.get(x) for x in inputs]


def only_the_first_steps_time(output, inputs, seed, allow_unused):
    found = {}
    for c in tl.backprop(output, seed):
        if c.node.time in (None, 0):
            found[c.input] = tl.tensor(c.contribution)
    return [found.get(x) for x in inputs]


@pytest.mark.parametrize("faulty", [only_the_last_contribution, only_the_first_steps_time])
def test_lost_accumulation_is_caught(faulty, monkeypatch):
    layer = tl.RNN(3, 3, rng=0)
    xs = np.random.default_rng(0).normal(size=(4, 2, 3))
    check_vjp(lambda xs: layer(xs)[0], xs, parameters=layer.parameters())
    monkeypatch.setattr(objective, "grad", faulty)
    with pytest.raises(GradientError, match="is wrong"):
        check_vjp(lambda xs: layer(xs)[0], xs, parameters=layer.parameters())


def averaged(gradient, shape):
    extra = gradient.ndim - len(shape)
    return np.broadcast_to(gradient.mean(axis=tuple(range(extra))), shape)


def first_row(gradient, shape):
    return gradient[(0,) * (gradient.ndim - len(shape))]


@pytest.mark.parametrize("faulty", [averaged, first_row])
def test_broadcasting_not_summed_back_is_caught(faulty, monkeypatch, rng):
    monkeypatch.setattr(backprop, "unbroadcast", faulty)
    with pytest.raises(GradientError, match=r"bias .*is wrong|input 1 .*is wrong"):
        check_vjp(lambda x, bias: tl.tanh(x + bias), rng.normal(size=(4, 3)), rng.normal(size=3))


def test_a_wrong_parameter_is_named(monkeypatch, rng):
    """The message says which of many."""
    layer = tl.Linear(2, 3, rng=0)
    model = tl.nn.Module()
    model.head = layer
    monkeypatch.setattr(BUILTIN["matmul"], "rule", lambda g, y, a, b: (g @ b.T, 2 * a.T @ g))
    with pytest.raises(GradientError, match=r"the gradient of head\.weight \(2, 3\) is wrong"):
        check_vjp(lambda x: layer(x), rng.normal(size=(4, 2)), parameters=layer.parameters())


def test_a_vacuous_check_raises():
    with pytest.raises(GradientError, match="nothing was checked"):
        check_vjp(lambda x: 0 * x, [1.0, 2.0])
    with pytest.raises(GradientError, match="nothing was checked"):
        check_vjp(lambda x: x + 1, np.zeros((0, 3)))
    with pytest.raises(GradientError, match="nothing was checked"):
        check_vjp(lambda: tl.tensor(1.0))


def test_a_constant_sum_is_no_hiding_place(monkeypatch):
    """Σ softmax is constant; random cotangents see the fault all the same."""
    monkeypatch.setattr(BUILTIN["softmax"], "rule", lambda g, y, x, axis=-1: (0 * g,))
    with pytest.raises(GradientError, match="is wrong"):
        check_vjp(tl.softmax, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("f", [lambda a, b: a * a, lambda a, b: a * tl.sin(b.detach())])
def test_an_unused_input_raises(f):
    with pytest.raises(GradientError, match=r"does not depend on input 1.*detach"):
        check_vjp(f, [1.0], [2.0])


def test_an_unused_parameter_raises():
    with pytest.raises(GradientError, match="does not depend on w"):
        check_vjp(lambda a: a * a, [1.0], parameters=[tl.tensor(1.0, requires_grad=True, name="w")])


def test_a_derivative_of_exactly_zero_passes():
    """x³ at 0: the complex step leaves h² behind."""
    assert check_vjp(lambda x: x * x * x + tl.exp(x) * [0, 1], [0.0, 1.0]).worst < 100


def test_a_gradient_that_is_not_finite_is_not_passed(monkeypatch):
    monkeypatch.setattr(BUILTIN["exp"], "rule", lambda g, y, x: (g * np.nan,))
    with pytest.raises(GradientError, match=r"input 0 \(2,\).*not finite"):
        check_vjp(tl.exp, [1.0, 2.0])


def test_float32_is_checked_to_float32s_rounding(monkeypatch, rng):
    x = rng.normal(size=(3,)).astype(np.float32)
    check_vjp(lambda x: tl.tanh(x) * x, x)
    monkeypatch.setattr(BUILTIN["tanh"], "rule", lambda g, y, x: (g * (1 - y * y) * 1.01,))
    with pytest.raises(GradientError, match="is wrong"):
        check_vjp(lambda x: tl.tanh(x) * x, x)


def test_the_report_names_every_input(rng):
    report = check_vjp(lambda x, b: x * b, tl.tensor(rng.normal(size=3), name="x"), rng.normal(size=3))
    assert list(report.errors) == ["x", "input 1"]
    assert report.worst == max(report.errors.values())


def test_inputs_and_parameters_of_one_name_are_numbered():
    report = check_vjp(lambda a, b: a * b, tl.tensor(1.0, name="x"), tl.tensor(2.0, name="x"))
    assert list(report.findings) == ["x", "x (2)"]
    first, second = tl.Linear(3, 3, rng=0), tl.Linear(3, 3, rng=1)
    report = check_vjp(lambda x: second(first(x)), [1.0, 2.0, 3.0])
    assert list(report.findings) == ["input 0", "weight", "bias", "weight (2)", "bias (2)"]


def test_a_function_must_return_tensors():
    with pytest.raises(TypeError, match=r"must return a Tensor.*not float"):
        check_vjp(lambda a: 1.0, 2.0)


@pytest.mark.parametrize("f", [lambda x: x * np.exp(x.numpy()), lambda x: x * x.detach()])
def test_a_value_taken_outside_the_graph_is_noticed(f):
    with pytest.raises(tl.testing.GradientError, match="outside the graph"):
        tl.testing.check_vjp(f, [1.0, 2.0])


def test_a_random_function_is_called_random():
    dice = np.random.default_rng(0)
    with pytest.raises(tl.testing.GradientError, match=r"not the same in two runs .*: it is random, or keeps"):
        tl.testing.check_vjp(lambda x: x * dice.normal(), [1.0, 2.0])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e2, 1e3])
@pytest.mark.slow
def test_saturated_networks_pass(scale):
    rng = np.random.default_rng(0)
    proved = 0
    for seed, kind in enumerate([tl.RNNCell, tl.LSTMCell, tl.GRUCell, tl.PeepholeLSTMCell, tl.CoupledLSTMCell] * 2):
        layer = tl.nn.Recurrent(kind(3, 3, rng=seed))
        xs = rng.normal(size=(4, 3)) * scale
        try:
            tl.testing.check_vjp(lambda xs, layer=layer: layer(xs)[0], xs, parameters=layer.parameters(), rng=seed)
            proved += 1
        except tl.testing.NothingCheckedError:
            assert scale > 100
    assert proved >= 5


@pytest.mark.parametrize("x", [-10.0, 8.0, 11.0])
@pytest.mark.parametrize("f", [tl.tanh, tl.sigmoid, tl.softplus])
def test_a_saturated_function_passes(f, x):
    assert not tl.testing.check_vjp(f, [x, 1.05 * x]).unproved


@pytest.mark.parametrize("f", [tl.tanh, lambda x: 2.0 * tl.tanh(x), lambda x: tl.max(tl.tanh(x))])
def test_what_drowns_in_rounding_is_called_so(f, monkeypatch):
    """With enough digits the rules are seen to be right; without, as in a large graph, nothing can be said."""
    assert tl.testing.check_vjp(f, [25.0, 26.0, 27.0]).verdict is Verdict.ROUNDOFF
    monkeypatch.setattr(judge, "precise_terms", lambda *of: None)
    with pytest.raises(tl.testing.NothingCheckedError, match="drowns in rounding"):
        tl.testing.check_vjp(f, [25.0, 26.0, 27.0])


@pytest.mark.parametrize("x", [-8.0, -3.0, 3.0, 8.0])
def test_a_wrong_rule_is_caught_where_the_function_saturates(x, monkeypatch):
    monkeypatch.setattr(tl.tanh, "rule", lambda g, y, x: (g * (1 - y * y) * (1 + 1e-5),))
    with pytest.raises(tl.testing.GradientError, match="is wrong"):
        tl.testing.check_vjp(tl.tanh, [x, 1.05 * x])


@pytest.mark.parametrize("reduce", [tl.max, lambda x: tl.max(x, axis=0), lambda x: tl.maximum(x, x[::-1])])
def test_a_wrong_rule_is_caught_under_a_choice(reduce):
    bad = tl.primitive("bad", lambda x: x * x, lambda g, y, x: (1200 * x * g,))
    for seed in range(20):
        with pytest.raises(tl.testing.GradientError, match="is wrong"):
            tl.testing.check_vjp(lambda x: reduce(bad(x)), np.random.default_rng(seed).normal(size=(4, 3)), rng=seed)


def test_a_detach_is_noticed_behind_parameters_and_at_zero():
    w = tl.tensor([0.5, 1.0], requires_grad=True, name="w")
    before = w.value.copy()
    with pytest.raises(tl.testing.GradientError, match="outside the graph"):
        tl.testing.check_vjp(lambda: tl.tanh(w) * w.detach(), parameters=[w])
    assert np.array_equal(w.value, before)
    with pytest.raises(tl.testing.GradientError, match="outside the graph"):
        tl.testing.check_vjp(lambda x: x + x.detach(), np.zeros(3))


def test_truncated_backpropagation_is_noticed_in_a_network_without_inputs():
    cell = tl.LSTMCell(2, 3, rng=0)

    def truncated():
        state = None
        for t in range(6):
            h, c = cell(tl.tensor([1.0, t]), state)
            state = (h.detach(), c.detach()) if t == 3 else (h, c)
        return state

    with pytest.raises(tl.testing.GradientError, match="outside the graph"):
        tl.testing.check_vjp(truncated, parameters=cell.parameters())


@pytest.mark.parametrize("f", [tl.relu, tl.abs, lambda x: tl.maximum(x, 0.0), lambda x: tl.max(x * 0.0 + 1.0)])
def test_our_convention_at_kinks_passes(f):
    tl.testing.check_vjp(lambda x: f(x) + x, [0.0, 1.0, -2.0])


def test_a_rule_outside_the_two_sides_of_a_kink_is_caught(monkeypatch):
    monkeypatch.setattr(tl.relu, "rule", lambda g, y, x: (1.5 * g,))
    with pytest.raises(tl.testing.GradientError, match="is wrong"):
        tl.testing.check_vjp(tl.relu, [0.0])


def test_a_forward_that_is_not_complex_safe_is_checked_by_differences():
    right = lambda g, y, x: (g * (tl.relu(x) - tl.relu(-x)) / tl.abs(x),)
    size = tl.primitive("size", np.abs, right)
    report = tl.testing.check_vjp(size, [1.0, -2.0])
    assert report.findings["input 0"].oracle is Oracle.DIFFERENCES
    with pytest.raises(tl.testing.GradientError, match=r"by differences it should.*the rule of size is wrong"):
        tl.testing.check_vjp(tl.primitive("size", np.abs, lambda g, y, x: (g * 1.00001,)), [1.0, 2.0])
    lae = tl.primitive("lae", lambda x: np.logaddexp(x, 0), lambda g, y, x: (g * tl.sigmoid(x),))
    assert tl.testing.check_vjp(lae, [1.0]).findings["input 0"].oracle is Oracle.DIFFERENCES
