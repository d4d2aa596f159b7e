"""SymPy's own derivatives of what a graph computes are ours: for every operation on numbers, and through an LSTM."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine.primitive import Kind

sympy = pytest.importorskip("sympy", reason="the sympy extra brings it")

POINTS = {1: [(0.37,), (1.3,)], 2: [(0.37, 1.21), (1.4, 0.6)]}
SCALAR = [p for p in tl.primitives() if not p.variadic and not p.attr_names and p.kind is not Kind.product]


def agree(made, x, ours, **tolerance):
    derivatives = [made.expression.diff(symbol) for symbol in np.ravel(made.symbols[x])]
    compute = sympy.lambdify(list(made.values), derivatives, modules="mpmath", cse=True)
    theirs = [complex(each).real for each in compute(*made.values.values())]
    np.testing.assert_allclose(np.ravel(ours.value), theirs, **(tolerance or {"rtol": 1e-11, "atol": 1e-14}))


@pytest.mark.parametrize("primitive", SCALAR, ids=lambda primitive: primitive.name)
def test_every_operation_on_numbers(primitive):
    for point in POINTS.get(primitive.arity, [(1.0, 0.37, 1.21)]):
        inputs = [tl.tensor(value, requires_grad=True, name=f"x{i}") for i, value in enumerate(point)]
        y = primitive(*inputs)
        made = tl.to_sympy(y)
        assert float(made.expression.subs(made.values)) == pytest.approx(y.item(), rel=1e-13)
        if primitive.rule is not None:
            for x in inputs:
                if (
                    x in made.symbols
                    and primitive.rule(np.ones(()), y.value, *map(np.asarray, point))[inputs.index(x)] is not None
                ):
                    (ours,) = tl.grad(y, [x])
                    agree(made, x, ours)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x @ x.T).sum(),
        lambda x: tl.softmax(x, axis=1)[0, 1] + tl.logsumexp(x),
        lambda x: tl.log_softmax(x)[1].sum() * x.max(),
        lambda x: tl.einsum("ij,kj->ik", x, x).mean(),
        lambda x: tl.concat([x[:, :1], tl.cumsum(x, axis=1)], axis=1).sum() ** 2,
        lambda x: tl.where(x > 0.1, x * x, -x).sum(),
        lambda x: (x.reshape(3, 2) @ x).min() + tl.stack([x, x])[1, 0, 2],
    ],
)
def test_small_arrays(f):
    x = tl.tensor(np.random.default_rng(0).normal(size=(2, 3)), requires_grad=True, name="x")
    y = f(x)
    made = tl.to_sympy(tl.Graph(y))
    (ours,) = tl.grad(y, [x])
    agree(made, x, ours)


def test_an_array_of_expressions_in_the_shape_of_the_output():
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="x")
    made = tl.to_sympy(3 * x * x)
    assert [str(each) for each in made.expression] == ["3*x_0**2", "3*x_1**2"]
    assert str(tl.to_sympy(tl.tanh(tl.tensor(0.5, requires_grad=True, name="u"))).expression) == "tanh(u)"


@pytest.mark.parametrize(
    "cell", [tl.RNNCell, *(pytest.param(cell, marks=pytest.mark.slow) for cell in (tl.LSTMCell, tl.GRUCell))]
)
def test_a_cell_of_one_unit_over_several_steps(cell):
    layer = tl.nn.Recurrent(cell(1, 1, rng=0))
    output, _ = layer(tl.tensor(np.random.default_rng(1).normal(size=(3, 1)), name="xs"))
    loss = (output * output).sum()
    made = tl.to_sympy(loss)
    assert len(made.values) > 5
    for parameter, ours in zip(layer.parameters(), tl.grad(loss, list(layer.parameters())), strict=True):
        agree(made, parameter, ours, rtol=1e-10, atol=1e-13)


def test_symbols_are_called_as_in_formulas():
    output, _ = tl.nn.Recurrent(tl.LSTMCell(1, 1, rng=0))(tl.tensor(np.ones((1, 1)), name="xs"))
    names = {str(symbol) for symbol in tl.to_sympy(output.sum()).values}
    assert {"W_f_0_0", "W_f_1_0", "b_f", "xs"} <= names


def test_two_leaves_of_a_name_are_two_symbols():
    a, b = (tl.tensor(value, requires_grad=True, name="a") for value in (1.0, 2.0))
    assert len(tl.to_sympy(a * b).values) == 2


def test_what_sympy_has_no_function_for_is_said():
    x = tl.tensor(1.5, requires_grad=True)
    odd = tl.primitive("odd", lambda x: np.nextafter(x, 2.0), lambda g, y, x: (g,))
    with pytest.raises(tl.UnknownToReader, match="odd cannot be written for SymPy: SymPy has no nextafter"):
        tl.to_sympy(odd(x))
    opaque = tl.primitive("opaque", lambda x: np.asarray(x) * 2, lambda g, y, x: (2 * g,))
    with pytest.raises(tl.UnknownToReader, match="the forward of opaque cannot be read"):
        tl.to_sympy(opaque(x))


def test_a_function_of_the_same_name_that_is_another_is_not_taken():
    gamma = tl.primitive("gamma", lambda x: x * x, lambda g, y, x: (2 * g * x,))
    assert str(tl.to_sympy(gamma(tl.tensor(1.5, requires_grad=True, name="u"))).expression) == "u**2"


def test_large_graphs_are_refused():
    x = tl.tensor(np.ones(600), requires_grad=True)
    with pytest.raises(ValueError, match="this graph holds 1,200 numbers; SymPy would take hours"):
        tl.to_sympy(tl.exp(x))
