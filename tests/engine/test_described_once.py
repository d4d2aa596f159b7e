"""An operation is described once: whatever reads graphs learns what it needs from the entry, also of one's own."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

import tinygrad_lstm as tl
from tinygrad_lstm.engine import ops
from tinygrad_lstm.engine.primitive import Kind, Primitive
from tinygrad_lstm.nn.cells import LSTMCell
from tinygrad_lstm.testing import Verdict, strategies

PACKAGE = Path(tl.__file__).parent
NAMES = {primitive.name for primitive in tl.primitives()}


def tables_by_name(source):
    """The dicts, sets, tuples, lists and comparisons in a source that name two or more primitives as strings.

    What a module exports is no table.
    """
    found, tree = [], ast.parse(source)
    exported = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    for node in ast.walk(tree):
        if node in exported:
            continue
        parts = []
        if isinstance(node, ast.Dict):
            parts = node.keys
        elif isinstance(node, ast.Set | ast.Tuple | ast.List):
            parts = node.elts
        elif isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        named = {part.value for part in parts if isinstance(part, ast.Constant) and part.value in NAMES}
        if len(named) > 1:
            found.append((node.lineno, named))
    return found


def test_no_table_elsewhere_names_operations():
    for file in PACKAGE.rglob("*.py"):
        path = file.relative_to(PACKAGE).as_posix()
        if path == "engine/ops.py" or file.name == "__init__.py":
            continue
        found = tables_by_name(file.read_text("utf-8"))
        assert not found, f"{path}: {found}"


def test_a_table_of_names_would_be_found():
    assert tables_by_name('RANGES = {"tanh": (-1, 1), "sigmoid": (0, 1)}')
    assert tables_by_name('x = name in ("add", "sub")')
    assert not tables_by_name('x = name == "add"')
    assert not tables_by_name('__all__ = ["tanh", "sigmoid"]')


@pytest.mark.parametrize("primitive", list(tl.primitives()), ids=lambda primitive: primitive.name)
def test_every_operation_says_what_it_computes(primitive):
    assert primitive.doc.startswith("Return ")
    assert inspect.getdoc(primitive) == primitive.doc
    assert list(inspect.signature(primitive).parameters)


def test_help_shows_how_an_operation_is_called_and_what_it_does(capsys):
    help(tl.softmax)
    shown = capsys.readouterr().out
    assert "softmax(x, axis=-1)" in shown
    assert "add up to 1" in shown
    assert inspect.getdoc(Primitive).startswith("One elementary operation")


def test_values_lie_in_the_range_that_is_declared(rng):
    x = rng.normal(size=1000) * 20
    for primitive in tl.primitives():
        if primitive.arity == 1 and not primitive.variadic and primitive.kind in (Kind.pointwise, Kind.activation):
            low, high = primitive.range
            value = primitive(x[x > primitive.domains[0][0]])
            assert low <= value.min() and value.max() <= high, primitive.name  # noqa: PT018


def test_what_is_exact_returns_numbers_of_its_inputs(rng):
    a, b = rng.normal(size=(2, 3, 4))
    for primitive in tl.primitives():
        if primitive.exact and primitive.kind is not Kind.comparison and not primitive.attr_names:
            inputs = [a, b, a][: primitive.arity]
            known = np.abs(np.concatenate([np.ravel(x) for x in (*inputs, np.zeros(1))]))
            assert np.isin(np.abs(primitive(*inputs)), known).all(), primitive.name


def squash():
    """The Gudermannian function, scaled to lie between 0 and 1: nothing of ours knows it."""
    return tl.primitive(
        "squash",
        lambda x: np.arctan(np.tanh(x / 4)) * (2 / np.pi) + 0.5,
        lambda g, y, x: (g * 0.5 / np.pi * (1 - tl.tanh(x / 4) ** 2) / (1 + tl.tanh(x / 4) ** 2),),
        "σ",
        kind="activation",
        range=(0, 1),
        doc="Return the Gudermannian function of x, scaled to lie between 0 and 1.",
    )


class Squashed(LSTMCell):
    def __init__(self, activation):
        super().__init__(2, 2, rng=0)
        for gate in (self.forget_gate, self.input_gate, self.output_gate):
            gate.activation = activation


def loss_of(cell, scale=1.0):
    state = None
    for t in range(2):
        with tl.time_step(t):
            state = cell(tl.tensor([scale, -scale], name="x"), state)
    return state[0].sum()


def test_an_activation_of_ones_own_draws_the_same_picture():
    ours, theirs = loss_of(Squashed(tl.sigmoid)), loss_of(Squashed(squash()))
    one, other = (tl.draw(loss, "gates").source.replace("squash", "sigmoid") for loss in (ours, theirs))
    roles = [line for line in one.splitlines() if "class=" in line]
    assert roles == [line for line in other.splitlines() if "class=" in line]
    assert sum("class=layer" in line for line in roles) == 8


def test_its_saturation_is_reported():
    flow = tl.step(loss_of(Squashed(squash()), scale=100.0)).flow()
    assert {"f", "i", "o", "g"} <= set(flow[0].saturation)
    assert max(flow[0].saturation.values()) == 1.0


def test_a_plain_rnn_reports_the_saturation_of_its_state():
    cell, h = tl.RNNCell(2, 3, rng=0), None
    for t in range(2):
        with tl.time_step(t):
            h = cell(tl.tensor([100.0, -100.0], name="x"), h)
    assert tl.step(h.sum()).flow()[0].saturation == {"h": 1.0}


def test_it_is_checked_at_drawn_inputs_and_with_many_digits():
    assert tl.testing.check_op(squash()).verdict is Verdict.PASS
    from tinygrad_lstm.testing.objective import Objective
    from tinygrad_lstm.testing.oracles.precision import precise_terms

    x = tl.tensor([0.5, -1.0], requires_grad=True)
    objective = Objective.random(tl.Graph(squash()(x)), np.random.default_rng(0))
    ours, theirs = precise_terms(objective, x, np.ones(2))
    np.testing.assert_allclose(ours.sum(), theirs.sum(), rtol=1e-14)


@given(program=strategies.expression_graphs(["tanh", squash()], max_nodes=4))
def test_random_programs_use_it_and_print_it(gradcheck, program):
    gradcheck(program, *program.inputs)
    assert "tl.tanh" in program.code or "squash" in program.code


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="of kind 'layer'; there are pointwise, activation"):
        tl.primitive("odd", lambda x: x, lambda g, y, x: (g,), kind="layer")


def test_a_style_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="style 'gothic'; there are infix"):
        tl.primitive("odd", lambda x: x * 1.0, lambda g, y, x: (g,), style="gothic")


def test_an_entry_that_says_only_the_least_is_drawn_written_and_proved():
    gudermannian = Primitive("gd", lambda x: 2 * np.arctan(np.tanh(x / 2)), lambda g, y, x: (g * ops.cos(y),), None)
    x = tl.tensor([0.5], requires_grad=True, name="x")
    assert ">gd<" in tl.draw(gudermannian(x)).source
    assert tl.formula(gudermannian(x)) == "∂L/∂x += ∂L/∂y ⊙ cos(y)"
    assert tl.testing.check_op(gudermannian).verdict is Verdict.PASS
