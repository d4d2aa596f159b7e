"""A rule prints the formula that computed, with the names of the user's tensors."""

import re

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.symbolic import equation, input_formulas


def named(name, *shape):
    return tl.tensor(np.ones(shape), name=name)


x, a, b, W = named("x", 2, 3), named("a", 3), named("b", 3), named("W", 3, 4)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (tl.tanh(x), "∂L/∂x += ∂L/∂y ⊙ (1 − y²)"),
        (tl.sigmoid(x), "∂L/∂x += ∂L/∂y ⊙ y ⊙ (1 − y)"),
        (a * b, "∂L/∂a += ∂L/∂y ⊙ b\n∂L/∂b += ∂L/∂y ⊙ a"),
        (a - b, "∂L/∂a += ∂L/∂y\n∂L/∂b += −∂L/∂y"),
        (a / b, "∂L/∂a += ∂L/∂y / b\n∂L/∂b += −∂L/∂y ⊙ y / b"),
        (x @ W, "∂L/∂x += ∂L/∂y Wᵀ\n∂L/∂W += xᵀ ∂L/∂y"),
        (x + b, "∂L/∂x += ∂L/∂y\n∂L/∂b += Σ₀ ∂L/∂y"),
        (x * x, "∂L/∂x += ∂L/∂y ⊙ x\n∂L/∂x += ∂L/∂y ⊙ x"),
        (x**3, "∂L/∂x += ∂L/∂y · 3 ⊙ x²"),
        (x[:, 1:], "∂L/∂x[:, 1:] += ∂L/∂y"),
        (x.sum(axis=1), "∂L/∂x += broadcast(∂L/∂y)"),
        (tl.softmax(a), "∂L/∂a += y ⊙ (∂L/∂y − Σ₋₁(∂L/∂y ⊙ y))"),
        (tl.relu(a), "∂L/∂a += ∂L/∂y ⊙ ([a > 0] + [a = 0] / 2)"),
        (tl.stack([a, b]), "∂L/∂a += ∂L/∂y[0]\n∂L/∂b += ∂L/∂y[1]"),
        (2.0 * x, "∂L/∂x += ∂L/∂y · 2"),
        (a @ W, "∂L/∂a += ∂L/∂y Wᵀ\n∂L/∂W += aᵀ ∂L/∂y"),  # a row before a matrix
        (x @ a, "∂L/∂x += ∂L/∂y aᵀ\n∂L/∂a += xᵀ ∂L/∂y"),  # a column after one
        (a @ b, "∂L/∂a += ∂L/∂y ⊙ b\n∂L/∂b += ∂L/∂y ⊙ a"),
    ],
)
def test_the_rule_prints_itself(node, expected):
    assert tl.formula(node) == expected


def test_names_carry_their_time_step():
    cell = tl.LSTMCell(3, 3, rng=0)
    with tl.time_step(1):
        state = cell(a)
    with tl.time_step(2):
        h, c = cell(a, state)
    assert tl.formula(c.inputs[0]) == "∂L/∂f₂ += ∂L/∂y ⊙ c₁\n∂L/∂c₁ += ∂L/∂y ⊙ f₂"
    assert equation(h).startswith("h₂ = o₂ ⊙ ")


def test_an_output_named_like_its_input_is_told_apart():
    y = tl.tanh(named("y", 1))
    assert tl.formula(y) == "∂L/∂y += ∂L/∂y′ ⊙ (1 − y′²)"


def test_every_primitive_writes_one_formula_per_input_and_an_equation():
    inputs = {
        "matmul": (x, W),
        "einsum": (x, W),
        "where": (x > 0, x, x),
        "take": (x,),
        "index_add": (a,),
        "concat": (x, x),
        "stack": (x, x),
    }
    attrs = {
        "reshape": {"shape": (6,)},
        "broadcast_to": {"shape": (2, 2, 3)},
        "getitem": {"index": 0},
        "take": {"indices": np.array([0, 0])},
        "index_add": {"index": (0,), "shape": (2, 3)},
    }
    for primitive in tl.primitives():
        given = inputs.get(primitive.name, (x,) * len(primitive.input_names))
        node = tl.Tensor.__primitive__(primitive, given, attrs.get(primitive.name, {}))
        lines = input_formulas(node)
        assert len(lines) == len(node.inputs)
        assert all(str(line).startswith("∂L/∂") for line in lines)
        assert " = " in equation(node)


def test_a_users_primitive_prints_itself_too():
    softsign = tl.primitive("softsign", lambda x: x / (1 + abs(x)), lambda g, y, x: (g / (1 + tl.abs(x)) ** 2,))
    assert tl.formula(softsign(a)) == "∂L/∂a += ∂L/∂y / (1 + |a|)²"


def test_formulas_use_the_values_the_graph_ran_with():
    w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    y = w * w
    w.value = np.zeros(2)
    assert tl.formula(y) == "∂L/∂w += ∂L/∂y ⊙ w\n∂L/∂w += ∂L/∂y ⊙ w"


def test_a_leaf_has_no_rule():
    assert tl.formula(a) == "a was given, not computed"


def test_different_tensors_never_share_a_name_in_a_formula():
    unnamed, b, other = tl.tensor(np.ones(3)), named("b", 3), named("b", 3)
    assert tl.formula(b * other) == "∂L/∂b += ∂L/∂y ⊙ b′\n∂L/∂b′ += ∂L/∂y ⊙ b"
    assert tl.formula(b * unnamed) == "∂L/∂b += ∂L/∂y ⊙ b′\n∂L/∂b′ += ∂L/∂y ⊙ b"


def test_names_that_are_sums_and_negative_numbers_stand_in_parentheses():
    assert tl.formula(tl.exp(named("u + v", 1)) * 1.0).startswith("∂L/∂exp(u + v)")
    assert equation(tl.tanh(named("u + v", 1)) + 0.0) == "y = tanh(u + v) + 0"
    assert equation(named("u + v", 1) * named("w", 1)) == "y = (u + v) ⊙ w"
    assert equation(x - -2.0) == "y = x − (−2)"
    assert equation(tl.concat([a, b], axis=-1)) == "y = [a, b]"


@pytest.mark.parametrize("op", ["tanh", "sigmoid", "exp", "log", "sqrt", "mul", "div", "sub"])
@pytest.mark.parametrize("value", [0.5, 1.25])
def test_a_formula_in_numbers_says_what_the_rule_gives(op, value):
    x, z = tl.tensor(value, requires_grad=True, name="x"), tl.tensor(3.0, requires_grad=True, name="z")
    binary = {"mul": lambda: x * z, "div": lambda: x / z, "sub": lambda: x - z}
    y = binary[op]() if op in binary else getattr(tl, op)(x)
    y.name = "y"
    for event in tl.step(y, 2.0).events.backward:
        python = event.numbers.partition("+= ")[2]
        for sign, word in (("⊙", "*"), ("·", "*"), ("²", "**2"), ("−", "-"), ("√", "")):
            python = python.replace(sign, word)
        assert eval(python, {}) == pytest.approx(event.contribution.item(), rel=2e-3)  # it says four digits


def test_large_tensors_keep_their_names_where_small_ones_become_numbers():
    x = tl.tensor(np.ones(9), requires_grad=True, name="x")
    (event,) = tl.step(x * 2.0, np.full(9, 3.0)).events.backward
    assert event.numbers == ""
    small = tl.tensor(-2.0, requires_grad=True, name="s")
    first, second = tl.step((x * small), np.ones(9)).events.backward
    assert first.numbers == "∂L/∂x += ∂L/∂y ⊙ (−2)"
    assert second.numbers == ""


def test_a_formula_in_numbers_has_a_place_for_each_and_steps_differ_in_nothing_else():
    x, w = tl.tensor(-2.0, requires_grad=True, name="x"), tl.tensor(3.0, requires_grad=True, name="w")
    y = x * w
    line = tl.symbolic.forward(y, numbers=True)
    assert str(line) == "y = (−2) ⊙ 3 = −6"
    assert re.findall(r"data-of='(\w+)'", line.to_fill) == ["0", "1", "y"]
    assert "6" not in line.to_fill
    assert re.findall(r"data-of='(\w+)' data-bracketed", line.to_fill) == ["0", "1"]
    to_x, _ = tl.symbolic.input_formulas(y, upstream=np.float64(0.5))
    assert re.findall(r"data-of='(\w+)'", to_x.to_fill) == ["g", "1"]
    large = tl.tanh(tl.tensor(np.ones(9), name="x"))
    assert "data-of" not in tl.symbolic.forward(large, numbers=True).to_fill
