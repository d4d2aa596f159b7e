"""The oracles against derivatives known from calculus, and against each other; none may need the rules."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.testing import GradientError, NothingCheckedError, check_vjp
from tinygrad_lstm.testing.generate import strategies
from tinygrad_lstm.testing.generate.cases import CASES
from tinygrad_lstm.testing.objective import Objective
from tinygrad_lstm.testing.oracles import complex_safe, precision, registry
from tinygrad_lstm.testing.oracles.complex_step import complex_step
from tinygrad_lstm.testing.oracles.convergence import convergence
from tinygrad_lstm.testing.oracles.differences import BARS, differences
from tinygrad_lstm.testing.oracles.kinks import short_of_a_kink
from tinygrad_lstm.testing.oracles.precision import precise_terms
from tinygrad_lstm.testing.oracles.question import Answer
from tinygrad_lstm.testing.verdicts import Oracle

KNOWN = {
    "tanh": (tl.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "exp": (tl.exp, np.exp),
    "sin": (tl.sin, np.cos),
    "softplus": (tl.softplus, lambda x: 1 / (1 + np.exp(-x))),
    "cube": (lambda x: x**3, lambda x: 3 * x**2),
    "log": (lambda x: tl.log(x * x + 1.0), lambda x: 2 * x / (x * x + 1)),
    "relu": (tl.relu, lambda x: (x > 0) * 1.0),
    "abs": (tl.abs, np.sign),
}
each = pytest.mark.parametrize("name", KNOWN)


def along(name, x, seed=0):
    """An objective of the function at x, with a wrong rule for nothing: oracles do not look at rules."""
    f, slope = KNOWN[name]
    leaf = tl.tensor(x, requires_grad=True)
    rng = np.random.default_rng(seed)
    objective = Objective.random(tl.Graph(f(leaf)), rng)
    direction = rng.normal(size=leaf.shape)
    expected = float((objective.cotangents[0] * slope(leaf.value) * direction).sum())
    return objective, leaf, direction, expected


points = st.lists(st.floats(0.1, 4), min_size=1, max_size=4).map(lambda xs: [x * (-1) ** i for i, x in enumerate(xs)])


@each
@given(points)
def test_the_complex_step_is_exact_to_rounding(name, x):
    objective, leaf, direction, expected = along(name, x)
    terms = complex_step(objective, leaf, direction)
    size = np.abs(objective.cotangents[0]).sum()  # 1 − tanh² is expected: of numbers near 1, rounded
    assert terms.sum() == pytest.approx(expected, rel=0, abs=1e-14 * (np.abs(terms).sum() + size))


@each
@given(points)
def test_differences_are_within_a_few_of_their_error_bars(name, x):
    objective, leaf, direction, expected = along(name, x)
    estimate = differences(objective, leaf, direction)
    assert abs(estimate.slope - expected) <= BARS * estimate.bar
    assert estimate.bar < 1e-7 * (estimate.scale + 1)


@each
@given(points)
def test_seven_hundred_digits_agree_with_calculus(name, x):
    objective, leaf, direction, expected = along(name, x)
    ours, theirs = precise_terms(objective, leaf, direction)
    assert ours.sum() == pytest.approx(theirs.sum(), rel=1e-15, abs=1e-300)
    assert ours.sum() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(program=strategies.expression_graphs(max_nodes=6), seed=st.integers(0, 99))
def test_every_operation_of_ours_computes_with_seven_hundred_digits(program, seed):
    graph = program.graph()
    objective = Objective.random(graph, np.random.default_rng(seed))
    for leaf in graph.leaves:
        if leaf.requires_grad and leaf.size:
            assert precise_terms(objective, leaf, np.ones(leaf.shape)) is not None


@pytest.mark.parametrize("name", ["tanh", "exp", "sin", "log"])
@pytest.mark.parametrize(("error", "order"), [(0.0, 3), (1e-3, 1), (1e-5, 1)])
def test_the_taylor_remainder_has_order_three_if_right_and_one_if_wrong(name, error, order):
    objective, leaf, direction, expected = along(name, [0.7, -1.2])
    found = convergence(objective, leaf, direction, expected * (1 + error))
    assert found.order == pytest.approx(order, abs=0.2)


def test_a_linear_function_has_no_order_of_convergence():
    leaf = tl.tensor([1.0, 2.0], requires_grad=True)
    objective = Objective(tl.Graph(2.0 * leaf), (np.ones(2),))
    assert convergence(objective, leaf, np.ones(2), 4.0).order is None


def test_differences_stop_short_of_a_kink():
    """relu at 1e-4, where a tenth of the input's size in the direction of the kink would be too far already."""
    x = tl.tensor([1e-4, 5.0], requires_grad=True)
    objective = Objective(tl.Graph(tl.relu(x)), (np.ones(2),))
    direction = np.array([-1.0, 1.0])
    assert differences(objective, x, direction).slope == pytest.approx(0.0, abs=1e-9)
    assert short_of_a_kink(objective.graph, x, direction, 0.5) < 1e-4
    at = tl.tensor([0.0], requires_grad=True)
    assert short_of_a_kink(tl.Graph(tl.relu(at)), at, np.ones(1), 0.5) == 0


@given(st.floats(5, 150))
def test_where_float64_has_no_digits_left_seven_hundred_tell_right_from_wrong(x):
    """1 − tanh² is all rounding from 20 on: a right rule passes, a wrong one is still caught."""
    assert check_vjp(tl.tanh, [x, 1.1 * x]).verdict in ("PASS", "ROUNDOFF")
    wrong = tl.primitive("wrong", np.tanh, lambda g, y, z: (1.001 * g * (1 - y * y),))
    with pytest.raises(GradientError, match="the rule of wrong is wrong"):
        check_vjp(wrong, [x, 1.1 * x])


def test_a_derivative_smaller_than_any_number_is_unchecked():
    with pytest.raises(NothingCheckedError, match=r"smaller than any number|the gradient is zero"):
        check_vjp(tl.tanh, [400.0])


@pytest.mark.parametrize("name", [name for name in CASES if BUILTIN[name].rule is not None])
@given(data=st.data())
def test_every_forward_of_ours_computes_with_complex_numbers(name, data):
    """So that only those of others are asked at each use."""
    case = data.draw(CASES[name])
    with np.errstate(all="ignore"):
        node = case.f(*(tl.tensor(np.asarray(x, np.float64), requires_grad=True) for x in case.inputs))
    assume(np.isfinite(node.value).all())
    with np.errstate(all="ignore"):
        assert complex_safe._alone(node, np.random.default_rng(0)).believed


@pytest.mark.parametrize(
    ("forward", "oracle"),
    [
        (lambda x: x * x, Oracle.COMPLEX_STEP),
        (lambda x: x * np.abs(x) * np.sign(x.real), Oracle.DIFFERENCES),  # loses some of what it carries
        (lambda x: np.asarray(x, float) ** 2, Oracle.DIFFERENCES),  # loses all, with a warning
        (lambda x: np.square(x) if x.dtype == np.float64 else 1 / 0, Oracle.DIFFERENCES),
    ],
)
def test_a_forward_that_loses_complex_numbers_is_judged_by_differences(forward, oracle):
    square = tl.primitive("square", forward, lambda g, y, x: (2 * x * g,))
    report = check_vjp(square, [1.5, -2.0])
    assert report.findings["input 0"].oracle is oracle
    assert report.worst < 1e4
    wrong = tl.primitive("square", forward, lambda g, y, x: (2.00002 * x * g,))
    with pytest.raises(GradientError, match="the rule of square is wrong"):
        check_vjp(wrong, [1.5, -2.0])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_random_last_bits_alone_find_no_network_wrong(scale, monkeypatch):
    """What is left to go by where a graph is too large for digits."""
    monkeypatch.setattr("tinygrad_lstm.testing.judge.precise_terms", lambda *of: None)
    for seed in range(5):
        layer = tl.LSTM(3, 3, rng=seed)
        xs = scale * np.random.default_rng(seed).normal(size=(4, 3))
        try:
            check_vjp(layer, xs, rng=seed)
        except NothingCheckedError:
            assert scale > 1


def wrong_cube():
    cube = tl.primitive("cube", lambda x: x * x * x, lambda g, y, x: (2 * x * x * g,))
    with pytest.raises(GradientError) as caught:
        check_vjp(cube, [1.0, 2.0])
    return caught.value.failure


def test_every_oracle_that_applies_is_asked_in_the_order_of_the_registry(monkeypatch):
    expected = [Oracle.COMPLEX_STEP, Oracle.DIFFERENCES, Oracle.DIGITS, Oracle.ORDER]
    assert [it.oracle for it in wrong_cube().evidence] == expected
    assert f"{precision.DIGITS} digits" == Oracle.DIGITS
    monkeypatch.setattr(precision, "LARGEST", 1)
    assert [it.oracle for it in wrong_cube().evidence] == [o for o in expected if o is not Oracle.DIGITS]


@pytest.mark.parametrize(("applies", "answers"), [(True, True), (True, False), (False, True)])
def test_an_oracle_added_to_the_registry_is_in_the_evidence_where_it_applies_and_answers(applies, answers, monkeypatch):
    guess = registry.Entry(
        "a guess", lambda question: applies, lambda question: Answer(question.ours, 7.0, "far") if answers else None
    )
    monkeypatch.setattr(registry, "ORACLES", [guess, *registry.ORACLES])
    failure = wrong_cube()
    assert [it.theirs for it in failure.evidence if it.oracle == "a guess"] == [7.0] * (applies and answers)
    assert ("a guess" in tl.testing.explain(failure, None)) is (applies and answers)
