"""Rewrites keep the numbers: each on what it is for, and all of them on what every rule makes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.engine import ops
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.symbolic import rewriting
from tinygrad_lstm.symbolic.expressions import Apply, Constant, Name, Number
from tinygrad_lstm.symbolic.rewriting import REWRITES, replaced, simplified, value_of
from tinygrad_lstm.symbolic.tracer import TracedArray, read_rule
from tinygrad_lstm.symbolic.written import text
from tinygrad_lstm.testing.generate.cases import CASES


def traced(letter, *shape):
    array = np.random.default_rng(sum(map(ord, letter))).normal(size=shape)
    return TracedArray(Name(letter, shape=shape), array)


ONE, ZERO = (TracedArray(Number(value), np.float64(value)) for value in (1.0, 0.0))
ROWS = {letter: traced(letter, 3) for letter in "ag"}
x, y, A, B = traced("x", 2, 3), traced("y", 2, 3), traced("A", 2, 3), traced("B", 3, 2)
c, D = traced("c", 2, 3, 4), traced("D", 5, 3)
a, g = ROWS["a"], ROWS["g"]

EACH = [
    ("computed", lambda: ONE + ONE, "2"),
    ("vanished", lambda: x * ZERO, "0"),
    ("chosen", lambda: ops.where(ONE, x, y), "x"),
    ("chosen", lambda: ops.where(ZERO, x, y), "y"),
    ("neutral", lambda: x + ZERO, "x"),
    ("neutral", lambda: ONE * x, "x"),
    ("neutral", lambda: x / ONE, "x"),
    ("neutral", lambda: x - ZERO, "x"),
    ("subtracted", lambda: x + -y, "x − y"),
    ("subtracted", lambda: x - -y, "x + y"),
    ("subtracted", lambda: -x + y, "y − x"),
    ("sign_in_front", lambda: -x * y, "−x ⊙ y"),
    ("sign_in_front", lambda: x / -y, "−x / y"),
    ("sign_in_front", lambda: ops.matmul(-A, B), "−A B"),
    ("subtracted", lambda: ops.neg(-x), "x"),
    ("turned_back", lambda: x.T.T, "x"),
    ("turned_back", lambda: ops.transpose(ops.transpose(c, axes=(1, 2, 0)), axes=(-1, 0, 1)), "c"),
    ("outer_product", lambda: a[:, None] * g[..., None, :], "aᵀ g"),
    ("outer_product", lambda: a[..., None] * g, "a gᵀ"),
    ("vector_product", lambda: ops.matmul(A, g[..., None])[..., 0], "g Aᵀ"),
    ("vector_product", lambda: ops.matmul(B.mT, g[..., None])[..., 0], "Bᵀ g"),
]
EACH += [
    ("part_of_sum", lambda: (x + y)[:, 0:2], "x[:, 0:2] + y[:, 0:2]"),
    ("part_of_sum", lambda: (-x)[0], "−x[0]"),
    ("part_of_product", lambda: ops.matmul(A, D.T)[:, 1:3], "A D[1:3]ᵀ"),
    ("part_of_product", lambda: ops.matmul(g, D.T)[1:3], "g D[1:3]ᵀ"),
    ("part_of_part", lambda: x[:, 1:3][:, 0:1], "x[:, 1:2]"),
    ("part_of_part", lambda: a[1:3][1:2], "a[2:3]"),
    ("part_of_placed", lambda: ops.index_add(a, index=(-1,), shape=(4, 3))[3], "a"),
    ("part_of_placed", lambda: ops.index_add(a, index=1, shape=(4, 3))[0], "0"),
]
NAMED = {each.expression: each.value for each in (x, y, A, B, D, a, g, c)}


def test_every_rewrite_has_an_example():
    assert {name for name, _, _ in EACH} == {rewrite.__name__ for rewrite in REWRITES}


@pytest.mark.parametrize(("name", "make", "expected"), EACH)
def test_each_rewrite_keeps_the_numbers(name, make, expected):
    before = make()
    made = getattr(rewriting, name)(before.expression)
    assert text(made) == expected
    np.testing.assert_allclose(np.broadcast_to(value_of(made, NAMED), before.shape), before.value, rtol=1e-14)


UNTOUCHED = [
    lambda: (x + a)[0],  # a has no such part
    lambda: ops.matmul(A, B)[:, 0:1],
    lambda: ops.matmul(A, D.T)[0:1],
    lambda: a[2:0:-1][0:1],
    lambda: ops.index_add(x, index=slice(0, 2), shape=(4, 3))[0],
    lambda: ops.transpose(ops.transpose(c, axes=(1, 2, 0)), axes=(1, 2, 0)),
    lambda: a + TracedArray(Constant(np.zeros((2, 3))), np.zeros((2, 3))),  # it has another shape then
    lambda: TracedArray(Number(1.0, (2, 3)), np.ones((2, 3))) * a,
    lambda: ZERO - x,
    lambda: ONE / x,
    lambda: x[:, None] * g[..., None, :],
    lambda: a[None, :] * g,
    lambda: ops.matmul(A, g[..., None])[..., :1],
    lambda: x[..., 0],
    lambda: x[np.array([0, 1])],
    lambda: ops.where(ONE, a, x),
]


@pytest.mark.parametrize("make", UNTOUCHED)
def test_what_would_change_the_numbers_or_the_shape_stays(make):
    before = make()
    after = simplified(before.expression)
    assert isinstance(after, Apply)
    assert after.value.shape == before.shape
    np.testing.assert_array_equal(value_of(after, NAMED), before.value)


@pytest.mark.parametrize("name", [name for name in CASES if BUILTIN[name].rule])
@settings(max_examples=8)
@given(data=st.data())
def test_what_every_rule_makes_is_the_same_after_all_rewrites(name, data):
    case = data.draw(CASES[name])
    node = tl.Graph(case.f(*[tl.tensor(np.asarray(each), requires_grad=True) for each in case.inputs])).output
    seed = np.random.default_rng(0).normal(size=node.shape).astype(node.dtype)
    values = [seed, node.value, *node.input_values]
    names = [Name(f"x{i}", shape=np.shape(each)) for i, each in enumerate(values)]
    with np.errstate(all="ignore"):
        for made in read_rule(node.primitive, names, values, node.attrs):
            if made is not None:
                after = value_of(simplified(made.expression), dict(zip(names, values, strict=True)))
                finite = np.isfinite(made.value)  # 0 times what has overflown is 0
                scale = np.abs(made.value[finite]).max(initial=0.0)
                after = np.broadcast_to(after, made.shape)
                slack = 8 * max(np.finfo(each.dtype).eps for each in (made.value, *values)) * scale
                np.testing.assert_allclose(after[finite], made.value[finite], rtol=0, atol=slack)


def test_a_name_is_replaced_wherever_it_stands():
    made = replaced((x * y + x).expression, {Name("x"): Name("z")})
    assert text(made) == "z ⊙ y + z"
