"""What a mutation tool could change in the engine without the other tests noticing: small promises, one by one."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine.ops import greater

RAGGED = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


@pytest.fixture
def x():
    return tl.tensor(RAGGED, requires_grad=True, name="x")


# The walk


def test_a_leaf_that_was_made_in_the_middle_does_not_end_the_walk(x):
    y = tl.tanh(x)
    late = tl.tensor(2.0, requires_grad=True)
    (y * late).sum().backward()
    np.testing.assert_allclose(x.grad.value, 2 * (1 - np.tanh(x.value) ** 2))


def test_sums_of_contributions_are_locked_too(x):
    for step in tl.backprop((x * x + tl.sin(x)).sum()):
        for array in (step.product, step.contribution, step.after):
            assert not array.flags.writeable


def test_a_sum_of_contributions_that_overflows_is_placed():
    x = tl.tensor([1e-10], requires_grad=True)
    with tl.scope("cell"), tl.time_step(2):
        y = x * 1e308 + x * 1e308
    with tl.detect_nan(), np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=r"in cell at t=2"):
        y.sum().backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_rule_may_return_none_or_a_plain_number(create_graph):
    half = tl.primitive("half", lambda a, b: a / 2, lambda g, y, a, b: (0.5, None))
    a, b = tl.tensor(3.0, requires_grad=True), tl.tensor([1.0], requires_grad=True, dtype=np.float32)
    one, other = tl.grad(half(a, b), [a, b], create_graph=create_graph)
    assert (one.item(), other.shape, other.dtype) == (0.5, (1,), np.float32)
    assert not other.value.any()


def test_the_gradient_of_the_output_itself_is_a_copy_of_the_seed(x):
    seed = np.ones((3, 2))
    y = x * 2.0
    (same,) = tl.grad(y, [y], seed)
    assert not np.shares_memory(same.value, seed)
    np.testing.assert_array_equal(same.value, seed)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("seed", [[2.0, 3.0], tl.tensor([2.0, 3.0]), tl.tensor([2.0, 3.0], dtype=np.float32)])
def test_a_seed_takes_the_type_of_the_output(seed, create_graph):
    x = tl.tensor([1.0, 4.0], requires_grad=True, dtype=np.float32)
    (gradient,) = tl.grad(x * x, [x], seed, create_graph=create_graph)
    assert gradient.dtype == np.float32
    np.testing.assert_array_equal(gradient.value, [4, 24])


class Matrix(np.ndarray):
    """An array whose product is another, as np.matrix has it."""

    def __mul__(self, other):
        return np.asarray(self) @ np.asarray(other)

    __rmul__ = __mul__


def test_a_rule_that_returns_an_array_of_another_kind_gives_a_plain_one():
    made = tl.primitive("made", lambda x: x * 1.0, lambda g, y, x: (g.view(Matrix),))
    z = tl.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    made(z * z).sum().backward()
    assert type(z.grad.value) is np.ndarray
    np.testing.assert_array_equal(z.grad.value, 2 * z.value)


def test_a_single_number_needs_no_seed_whatever_its_type():
    x = tl.tensor([1.0, 4.0], requires_grad=True, dtype=np.float32)
    assert next(iter(tl.backprop((x * x).sum()))).upstream.dtype == np.float32


def test_gradients_belong_to_no_scope_whoever_asks_for_them(x):
    with tl.scope("trainer"), tl.time_step(7):
        y = (x * x).sum()
        y.backward()
        (gradient,) = tl.grad(y, [x])
    assert x.grad.context.place == gradient.context.place == ""


def test_a_leaf_that_was_replaced_keeps_its_name_in_what_is_recorded(x):
    y = (x * x * x).sum()
    x.value = 2 * x.value
    (slope,) = tl.grad(y, [x], create_graph=True)
    assert "x" in {node.name for node in tl.Graph(slope).nodes if node is not x}


# Operators


@pytest.mark.parametrize(
    ("ours", "numpys"),
    [
        (lambda x: 2.0**x, lambda x: 2.0**x),
        (lambda x: abs(x - 3.0), lambda x: abs(x - 3.0)),
        (lambda x: x.max(axis=0, keepdims=True), lambda x: x.max(axis=0, keepdims=True)),
        (lambda x: x.max(), lambda x: x.max()),
        (lambda x: x.max(axis=1), lambda x: x.max(axis=1)),
        (lambda x: x.mean(axis=1), lambda x: x.mean(axis=1)),
        (lambda x: x.reshape(2, 3), lambda x: x.reshape(2, 3)),
        (lambda x: x.reshape((2, 3)), lambda x: x.reshape(2, 3)),
        (lambda x: x.reshape([6]), lambda x: x.reshape(6)),
        (lambda x: x.reshape(6), lambda x: x.reshape(6)),
        (lambda x: x.transpose(1, 0), lambda x: x.T),
        (lambda x: x.transpose((1, 0)), lambda x: x.T),
        (lambda x: tl.stack([x, x], axis=1), lambda x: np.stack([x, x], axis=1)),
        (lambda x: tl.stack([x, x]), lambda x: np.stack([x, x])),
        (lambda x: tl.concat([x, x]), lambda x: np.concatenate([x, x])),
        (lambda x: tl.take(x, []), lambda x: x[[]]),
        (lambda x: x[[]], lambda x: x[[]]),
        (lambda x: x[np.int32(1)], lambda x: x[1]),
        (lambda x: x[np.array([True, False, True])], lambda x: x[[0, 2]]),
        (lambda x: tl.softplus(0.0 * x), lambda x: np.log(2) + 0 * x),
    ],
)
def test_methods_and_operators_are_numpys(ours, numpys, x):
    result = ours(x)
    expected = numpys(x.value)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result.value, expected, rtol=1e-15)
    assert result.requires_grad


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ((2, 3), (4, 5), r"the last axis of the first \(3\) must equal the first matrix axis of the second \(4\)"),
        ((2, 3), (4,), r"the last axis of the first \(3\) must equal .* of the second \(4\)"),
        ((3,), (2, 4, 5), r"the last axis of the first \(3\) must equal .* of the second \(4\)"),
    ],
)
def test_a_product_that_does_not_fit_says_which_axes_should(left, right, said):
    with pytest.raises(tl.ShapeError, match=said):
        tl.tensor(np.ones(left)) @ tl.tensor(np.ones(right))


@pytest.mark.parametrize("join", [tl.stack, tl.concat])
def test_joining_nothing_names_who_was_asked(join):
    with pytest.raises(TypeError, match=f"{join.__name__} takes a list of at least one"):
        join([])


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (1.0, r"x\[2\].*got 1\.0 of type float"),
        ([0.5], r"x\[\[0, 2\]\].*got \[0\.5\] of type float64"),
        (np.zeros(0), r"of type float64"),
    ],
)
def test_an_index_that_is_none_is_refused_with_one_that_is(index, said, x):
    with pytest.raises((TypeError, IndexError), match=said):
        x[index]


def test_a_tensor_is_no_index(x):
    with pytest.raises((TypeError, IndexError)):
        x[tl.tensor([0.0, 1.0])]


@pytest.mark.parametrize("use", [lambda x, rows: x[rows], tl.take])
def test_an_index_is_copied_and_locked(use, x):
    rows = np.array([0, 0, 2])
    y = use(x, rows)
    rows[:] = 1
    (gradient,) = tl.grad(y.sum(), [x])
    np.testing.assert_array_equal(gradient.value, [[2, 2], [0, 0], [1, 1]])
    (kept,) = y.attrs.values()
    assert not kept.flags.writeable


@pytest.mark.parametrize(
    ("one", "other", "both"), [("f4", "f4", "f4"), ("f4", "f8", "f8"), ("f8", "f4", "f8"), ("f8", "f8", "f8")]
)
def test_a_comparison_is_as_precise_as_what_it_compares(one, other, both):
    assert greater(np.ones(2, one), np.zeros(2, other)).dtype == np.dtype(both)


# Primitives and graphs


def test_a_primitive_keeps_its_symbol_and_its_kink():
    kink = lambda x: x - 1
    made = tl.primitive("made", lambda x: x, lambda g, y, x: (g,), symbol="⊛", kink=kink)
    assert (made.symbol, made.kink) == ("⊛", kink)
    assert tl.primitive("plain", lambda x: x, lambda g, y, x: (g,)).symbol == "plain"


def test_inputs_attributes_and_open_ends_are_read_from_the_rule():
    made = tl.primitive("made", lambda a, b, k=1: a * b * k, lambda g, y, a, b, k=1: (g * b * k, g * a * k))
    assert (made.input_names, made.attr_names, made.variadic) == (("a", "b"), ("k",), False)
    joined = tl.primitive("joined", lambda *xs, axis=0: sum(xs), lambda g, y, *xs, axis=0: (g,) * len(xs))
    assert (joined.input_names, joined.attr_names, joined.variadic) == ((), ("axis",), True)
    assert made(tl.tensor(2.0), tl.tensor(3.0), 4).item() == 24


def test_a_replay_computes_with_integers_as_with_floats_and_with_the_type_asked_for(x):
    graph = tl.Graph(x / 2)
    assert graph.replay({x: [[1, 2], [3, 4], [5, 6]]})[graph.output].dtype == np.float64
    assert graph.replay({x: np.ones((3, 2), bool)})[graph.output].max() == 0.5
    assert graph.replay()[x] is x.value
    assert graph.replay(dtype=np.float32)[graph.output].dtype == np.float32
    with pytest.raises(KeyError, match=r"tensor.*is not a leaf of this graph"):
        graph.replay({graph.output: 1.0})


def test_nodes_without_a_name_and_with_a_strange_one_have_one_in_the_graph():
    with tl.scope("my cell!"):
        y = tl.tensor([1.0, 2.0]) * tl.tensor([1.0], name="w & <b>")
    assert set(tl.Graph(y).ids.values()) == {"constant", "w_b_", "my_cell_.mul"}


# Tensors


def test_what_is_compared_counted_and_formatted_is_the_value(x):
    one, two = tl.tensor(1.0), tl.tensor(2.0)
    assert [bool(v) for v in (one < two, one < one, one <= one, two <= one, one == one, one == two, one != two)] == [
        True, False, True, False, True, False, True,
    ]  # fmt: skip
    assert (one > two).item() is (one >= two).item() is False
    assert [row.shape for row in x] == [(2,)] * 3
    assert (int(two), bool(two), f"{two:.3f}", f"{two}") == (2, True, "2.000", repr(two))


def test_numpy_gets_the_type_it_asks_for_and_a_copy_if_it_wants_one(x):
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    assert np.shares_memory(np.asarray(x), x.value)
    assert not np.shares_memory(np.array(x, copy=True), x.value)


def test_a_detached_tensor_keeps_its_name(x):
    assert x.detach().name == "x"


def test_a_gradient_takes_the_type_of_its_tensor():
    single = tl.tensor([1.0], requires_grad=True, dtype=np.float32)
    single.grad = [2.0]
    assert single.grad.dtype == np.float32
    with pytest.raises(tl.ShapeError) as unnamed:
        single.grad = [1.0, 2.0]
    assert "of None" not in str(unnamed.value)


def test_numbers_beside_float32_stay_float32_and_arrays_do_not():
    single = tl.tensor([1.0], dtype=np.float32)
    assert (single * 2.0).dtype == (2.0 * single).dtype == np.float32
    assert (single * np.array([2.0])).dtype == np.float64
    assert tl.concat([tl.tensor([1.0]), tl.tensor([2.0])]).dtype == np.float64


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_can_be_computed_with_after_what_it_was_copied_from(duplicate, x):
    other = duplicate(x)
    (x * other).sum().backward()
    np.testing.assert_array_equal(other.grad.value, x.value)


def test_a_value_computed_by_a_view_cannot_be_changed_behind_a_graph(x):
    for y in (x.T, x[1:], tl.broadcast_to(x, (2, 3, 2)), x.reshape(6), x + 1.0):
        assert not y.value.flags.writeable


def test_what_is_computed_belongs_to_the_scope_it_is_computed_in(x):
    with tl.scope("cell"), tl.time_step(1):
        y = tl.tanh(x)
        with tl.no_grad():
            z = tl.tanh(x)
    assert y.context.place == z.context.place == " in cell at t=1"
