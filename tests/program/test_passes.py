"""Each pass keeps the numbers, and does what it is for."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.program.agreement import to_rounding, unlike
from tests.program.networks import NETWORKS, drawn, weights
from tinygrad_lstm.program.factoring import factored
from tinygrad_lstm.program.statements import Read, Variable
from tinygrad_lstm.symbolic.rewriting import value_of
from tinygrad_lstm.symbolic.tracer import TracedArray

T, N, H = 5, 2, 4


def squashed_parts(normalise, count=3):
    """A recurrence of parts of one width, each normalised by itself before it is squashed."""
    z, w = drawn(T, N, 3, name="z"), weights(**{f"w{k}": (3 + H, H) for k in range(count)})
    scales = [drawn(H, name=f"s{k}", seed=k) for k in range(count)]
    h = tl.tensor(np.zeros((N, H)), name="h_init")
    for t in range(T):
        read = tl.concat([h, z[t]], axis=-1)
        parts = [normalise(read @ each) * scale for each, scale in zip(w, scales, strict=True)]
        h = tl.sigmoid(parts[0]) * h + tl.tanh(parts[1]) * tl.sigmoid(parts[-1])
    return (h * h).sum(), [z, *w, *scales]


def normal(x):
    apart = x - x.mean(axis=-1, keepdims=True)
    return apart / tl.sqrt((apart * apart).mean(axis=-1, keepdims=True) + 0.01)


def shared(x):
    powers = tl.exp(x)
    return powers / powers.sum(axis=-1, keepdims=True)


def below_the_largest(x):
    return x - x.max(axis=-1, keepdims=True)


@pytest.mark.parametrize("level", [2, 3])
@pytest.mark.parametrize("normalise", [normal, shared, below_the_largest])
@pytest.mark.parametrize("count", [2, 3])
def test_parts_that_are_summed_up_alike_have_an_axis_of_their_own(normalise, count, level):
    loss, wrt = squashed_parts(normalise, count)
    program = tl.source(loss, wrt=wrt, optimize=level)
    assert "have an axis of their own" in str(program)
    assert unlike(loss, wrt, program, to_rounding) == []


def test_parts_that_are_summed_up_otherwise_are_left_apart():
    kinds = iter([normal, shared, normal] * T)
    loss, wrt = squashed_parts(lambda x: next(kinds)(x))
    program = tl.source(loss, wrt=wrt, optimize=3)
    assert "have an axis of their own" not in str(program)
    assert unlike(loss, wrt, program, to_rounding) == []


def test_a_factor_from_outside_is_halved_before_the_loop():
    loss, wrt = squashed_parts(normal)
    program = tl.source(loss, wrt=wrt, optimize=3)
    assert "np.exp" not in str(program)
    assert unlike(loss, wrt, program, to_rounding) == []


def test_rows_are_divided_by_one_number_each_as_a_product():
    loss, wrt = squashed_parts(normal)
    program = str(tl.source(loss, wrt=wrt, optimize=2))
    assert "reciprocal" in program
    assert unlike(loss, wrt, tl.source(loss, wrt=wrt, optimize=2), to_rounding) == []


@pytest.mark.parametrize("level", [2, 3])
def test_what_is_the_same_in_a_row_is_computed_once_for_it(level):
    loss, wrt = squashed_parts(normal)
    program = str(tl.source(loss, wrt=wrt, optimize=level))
    assert "computed once for each row" in program
    assert "broadcast_to" not in program


def test_sums_over_rows_are_written_where_they_are_told_to():
    loss, wrt = squashed_parts(normal)
    program = str(tl.source(loss, wrt=wrt, optimize=3))
    forward = program.partition("\n    # backwards\n")[0]
    assert forward.count("np.vecdot(") == forward.count("np.add.reduce(") == 1  # for all three parts
    assert "np.einsum('tnk,tnk->k'" in program


@pytest.mark.parametrize(
    "product",
    [
        lambda g, y, s: (-g * y / s).sum(axis=1, keepdims=True),
        lambda g, y, s: (s * g * 3.0 / (2.0 * s)).sum(axis=1, keepdims=True) * 4.0,
        lambda g, y, s: (g / y).sum(axis=1, keepdims=True) / (0.5 * s) - g,
        lambda g, y, s: s + g - (-s * s).sum(axis=1, keepdims=True) + s,
        lambda g, y, s: -g * s - g * s + 1.0,
    ],
)
def test_factors_are_put_elsewhere_and_the_numbers_stay(product):
    rng = np.random.default_rng(0)
    shapes = {"g": (2, 3), "y": (2, 3), "s": (2, 1)}
    numbers = {Read(v): v.value for v in (Variable(name, rng.normal(size=shape)) for name, shape in shapes.items())}
    e = product(*(TracedArray(read, value) for read, value in numbers.items())).expression
    assert np.allclose(value_of(factored(e), numbers), value_of(e, numbers), rtol=1e-13)


@pytest.mark.parametrize("name", ["lstm", "gru", "peephole", "both directions"])
def test_what_is_little_work_is_not_kept_but_made_again(name):
    loss, wrt = NETWORKS[name]()
    program = tl.source(loss, wrt=wrt, optimize=3)
    assert "is made again backwards" in str(program)
    assert unlike(loss, wrt, program, to_rounding) == []


def test_what_is_read_elsewhere_is_kept():
    w, x = [*weights(w=(H, H)), drawn(T, N, H, name="x")]
    h, squashed = tl.tensor(np.zeros((N, H)), name="h_init"), []
    for t in range(T):
        y = tl.tanh(x[t] + h @ w)
        squashed.append(0.5 + 0.5 * y)
        h = squashed[-1] * y
    loss = (tl.stack(squashed) * drawn(T, N, H, name="u", seed=3)).sum() + (h * h).sum()
    program = tl.source(loss, wrt=[x, w], optimize=3)
    assert "is made again backwards" not in str(program)
    assert unlike(loss, [x, w], program, to_rounding) == []


def test_what_is_made_on_the_way_to_a_product_does_not_lie_where_the_product_goes():
    w, x = [*weights(w=(H, H)), drawn(T, N, H, name="x")]
    h = tl.tensor(np.zeros((N, H)), name="h_init")
    for t in range(T):
        h = tl.tanh((h * 2.0 + x[t]) @ w) * 0.5
    loss = (h * h).sum()
    assert unlike(loss, [x, w], tl.source(loss, wrt=[x, w], optimize=3), to_rounding) == []


def test_nothing_is_added_into_what_is_given():
    """A gradient of each step that begins as a row of an argument was added into it, in place."""
    w, x, u = (drawn(*shape, name=name) for shape, name in [((H, H), "w"), ((T, N, H), "x"), ((T, N, H), "u")])
    h, ys = tl.tensor(np.zeros((N, H)), name="h_init"), []
    for t in range(T):
        ys.append(tl.tanh(x[t] + h @ w))
        h = tl.sigmoid(ys[-1]) * ys[-1]
    loss = (tl.stack(ys) * u).sum() + (h * h).sum()
    program = tl.source(loss, wrt=[x, w], optimize=3)
    given = {name: np.array(array) for name, array in program.arguments.items()}
    program(**given)
    assert np.array_equal(given["u"], u.value)
    assert unlike(loss, [x, w], program, to_rounding) == []


@pytest.mark.parametrize("level", [2, 3])
def test_rows_that_are_all_of_a_gradient_are_written_not_added(level):
    loss, wrt = NETWORKS["lstm"]()
    program = str(tl.source(loss, wrt=wrt, optimize=level))
    assert "dW = np.empty(" in program
    assert "dW[" in program
    assert "zeros_like(W)" not in program


def test_rows_that_are_not_all_of_a_gradient_begin_with_zeros():
    x, w = drawn(T, N, H, name="x"), drawn(2 * H + 1, H, name="w")
    h = tl.tensor(np.zeros((N, H)), name="h_init")
    for t in range(T):
        h = tl.tanh(x[t] @ w[:H] + h @ w[H + 1 :])
    loss = (h * h).sum()
    for level in range(4):
        assert unlike(loss, [x, w], tl.source(loss, wrt=[x, w], optimize=level), to_rounding) == []


def test_numbers_in_loops_are_arrays_of_the_type_of_the_others():
    loss, wrt = NETWORKS["float32"]()
    program = tl.source(loss, wrt=wrt, optimize=3)
    assert "half = np.array(0.5, np.float32)" in str(program)
    assert unlike(loss, wrt, program, to_rounding) == []
