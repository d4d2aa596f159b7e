"""The engine against a twin so naive that it cannot share its mistakes: forward-mode dual numbers on Python floats,
no graph, no order, no accumulation. Programs are lists of (operation, earlier values), so that they shrink."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl

pytestmark = pytest.mark.filterwarnings("ignore:backward keeps the gradients of leaves")  # each is asked for its own


@dataclass(frozen=True)
class Dual:
    """A number and its derivative with respect to one chosen leaf."""

    v: float
    d: float


TWIN = {
    "add": lambda a, b: Dual(a.v + b.v, a.d + b.d),
    "sub": lambda a, b: Dual(a.v - b.v, a.d - b.d),
    "mul": lambda a, b: Dual(a.v * b.v, a.d * b.v + a.v * b.d),
    "div1": lambda a, b: Dual(a.v / (2 + b.v * b.v), (a.d - a.v / (2 + b.v**2) * 2 * b.v * b.d) / (2 + b.v**2)),
    "larger": lambda a, b: a if a.v > b.v else b if b.v > a.v else Dual(a.v, (a.d + b.d) / 2),
    "tanh": lambda a, b: Dual(math.tanh(a.v), a.d / math.cosh(a.v) ** 2 if abs(a.v) < 300 else 0.0),
    "sin": lambda a, b: Dual(math.sin(a.v), math.cos(a.v) * a.d),
    "neg": lambda a, b: Dual(-a.v, -a.d),
    "half": lambda a, b: Dual(a.v / 2, a.d / 2),
}
ENGINE = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div1": lambda a, b: a / (2 + b * b),
    "larger": tl.maximum,
    "tanh": lambda a, b: tl.tanh(a),
    "sin": lambda a, b: tl.sin(a),
    "neg": lambda a, b: -a,
    "half": lambda a, b: 0.5 * a,
}

numbers = st.integers(-8, 8).map(lambda n: n / 4)
leaves_drawn = st.lists(numbers, min_size=1, max_size=3)
programs = st.lists(st.tuples(st.sampled_from(sorted(TWIN)), st.integers(0, 30), st.integers(0, 30)), max_size=12)


def run(program, operations, leaves):
    """Each line uses any two earlier values, itself twice included; what nobody uses is a dead branch."""
    values = list(leaves)
    for operation, i, j in program:
        values.append(operations[operation](values[i % len(values)], values[j % len(values)]))
    return values


def twins_slope(program, numbers, which):
    leaves = [Dual(number, float(position == which)) for position, number in enumerate(numbers)]
    return run(program, TWIN, leaves)[-1]


@given(programs, leaves_drawn)
def test_random_programs_have_the_twins_gradients(program, numbers):
    leaves = [tl.tensor(number, requires_grad=True) for number in numbers]
    output = run(program, ENGINE, leaves)[-1]
    gradients = tl.grad(output, leaves, allow_unused=True)
    for position, gradient in enumerate(gradients):
        twin = twins_slope(program, numbers, position)
        assert output.item() == pytest.approx(twin.v, rel=1e-9, abs=1e-9, nan_ok=True)
        assert (0.0 if gradient is None else gradient.item()) == pytest.approx(twin.d, rel=1e-6, abs=1e-6)


@given(programs, leaves_drawn)
def test_a_vector_of_programs_is_the_programs_one_by_one(program, numbers):
    """The same line of code on arrays: entry by entry what the twin says of the numbers."""
    scales = np.array([1.0, -0.5, 0.25])
    leaves = [tl.tensor(number * scales, requires_grad=True) for number in numbers]
    output = run(program, ENGINE, leaves)[-1]
    gradients = tl.grad(output, leaves, [1.0, 1.0, 1.0], allow_unused=True)
    for position, gradient in enumerate(gradients):
        expected = [twins_slope(program, [n * s for n in numbers], position).d for s in scales]
        np.testing.assert_allclose(0 if gradient is None else gradient.value, expected, rtol=1e-6, atol=1e-6)


@given(programs, leaves_drawn)
def test_the_walk_of_a_random_program_is_consistent(program, numbers):
    """before + contribution == after; as many arrive as expected; a node's rule runs once all have arrived."""
    leaves = [tl.tensor(number, requires_grad=True) for number in numbers]
    output = run(program, ENGINE, leaves)[-1]
    totals, complete = {}, {output}
    for c in tl.backprop(output):
        assert c.node in complete
        assert c.input is c.node.inputs[c.slot]
        assert c.after == (0 if c.before is None else c.before) + c.contribution
        assert c.before is totals.get(c.input)
        assert (c.before is None) == (c.arrived == 1)
        totals[c.input] = c.after
        if c.arrived == c.expected:
            complete.add(c.input)
    assert set(totals) <= complete


@given(programs, leaves_drawn)
def test_a_random_program_has_the_same_gradient_recorded_and_replayed(program, numbers):
    leaves = [tl.tensor(number, requires_grad=True) for number in numbers]
    output = run(program, ENGINE, leaves)[-1]
    plain = tl.grad(output, leaves, allow_unused=True)
    recorded = tl.grad(output, leaves, allow_unused=True, create_graph=True)
    for one, other in zip(plain, recorded, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert one.item() == pytest.approx(other.item(), rel=1e-9)
            assert tl.Graph(other).replay()[other] == pytest.approx(one.item(), rel=1e-9)


@given(st.integers(1, 40), numbers)
def test_fan_out_adds_up(uses, number):
    x = tl.tensor(number, requires_grad=True)
    output = sum([tl.sin(x) * k for k in range(uses)], start=x)
    expected = 1 + math.cos(number) * sum(range(uses))
    assert tl.grad(output, x)[0].item() == pytest.approx(expected)


@given(numbers)
def test_a_diamond_of_doublings_is_four(number):
    a = tl.tensor(number, requires_grad=True)
    b = a + a
    c = b + b
    assert [gradient.item() for gradient in tl.grad(c, [a, b])] == [4, 2]


@given(numbers)
def test_fan_out_under_double_differentiation(number):
    """y = (x²)², with x² used twice and x twice in it: y″ = 12 x²."""
    x = tl.tensor(number, requires_grad=True)
    square = x * x
    (first,) = tl.grad(square * square, x, create_graph=True)
    (second,) = tl.grad(first, x, allow_unused=True)
    assert first.item() == pytest.approx(4 * number**3)
    assert second.item() == pytest.approx(12 * number**2)


def test_a_dead_branch_gets_nothing():
    x, unused = (tl.tensor(2.0, requires_grad=True) for _ in range(2))
    dead = tl.exp(x * unused)
    (x * x).backward()
    assert x.grad.item() == 4
    assert unused.grad is None
    assert dead.grad is None
