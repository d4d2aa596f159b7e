"""Whoever knows PyTorch types what they know: it works, or one line says what to write instead."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.spellings import FUNCTIONS, METHODS, NUMPYS, evaluated
from tinygrad_lstm import nn
from tinygrad_lstm.engine.pytorch import REFUSED
from tinygrad_lstm.nn import functional, module

ARRAYS = {
    "x": np.cos(np.arange(12.0)).reshape(3, 4) * 1.5,
    "y": np.sin(1 + np.arange(12.0)).reshape(3, 4),
    "z": 1 + np.cos(np.arange(24.0)).reshape(2, 3, 4) / 2,
    "v": np.arange(4.0) - 1,
    "w": np.arange(8.0).reshape(4, 2),
    "s": np.arange(16.0).reshape(4, 4),
}

GOLDEN = {
    "x.max(dim=0)": 12.876635052545575,
    "x.min(dim=1, keepdim=True)": 3.210727628659847,
    "x.std()": 1.1063798477514608,
    "x.std(dim=0, keepdim=True)": 7.98239061815762,
    "x.var(dim=1, unbiased=False)": 3.2471655756887308,
    "x.split([1, 3], dim=1)": -3.558199181964651,
    "x.chunk(3, dim=1)": -4.143010286683659,
    "z.transpose(0, 1)": 76.60373125726639,
    "x.cumsum(1)": -12.341590080482085,
    "x.prod(dim=1)": 0.1616534379749208,
    "x.norm(3, dim=1)": 7.311720551988037,
    "x.logaddexp(y)": 17.61383032559404,
    "z.flatten(1)": 78.07961510852623,
    "x.repeat(2, 1)": -8.906944751906476,
    "T.cat([x, y], dim=1)": -10.208267030409448,
    'T.einsum("bij,bij->b", z, z)': 32.09950836919093,
    "T.clamp(x, min=0)": 10.720486365508055,
    "T.argmax(x, dim=1)": 8.024579547452822,
    "F.gelu(x)": 7.395084851227978,
    "F.elu(x, alpha=0.5)": 6.186844978848545,
    "F.hardsigmoid(x)": 13.845500914652495,
    "F.logsigmoid(x)": -26.27206074959311,
    "x.erf()": -3.44902841141116,
    "x.erfc()": 32.69803300310842,
    "x.tril(1)": -3.821385979300245,
}
"""Of all that torch 2.13 returns, the sum with the roots of 1, 2, 3, … as weights."""


def tensors():
    return {name: tl.tensor(array, requires_grad=True, name=name) for name, array in ARRAYS.items()}


def numbers(made):
    parts = made if isinstance(made, tuple | list) else [made]
    return np.concatenate([np.ravel(part.value if isinstance(part, tl.Tensor) else part) for part in parts])


@pytest.mark.parametrize("line", GOLDEN)
def test_what_is_typed_is_what_torch_returned(line):
    found = numbers(evaluated(line, tl, np.array, tensors()))
    assert found @ np.sqrt(1 + np.arange(found.size)) == pytest.approx(GOLDEN[line], rel=1e-13)


def test_every_line_runs_and_what_carries_a_gradient_gets_one():
    for line in [*METHODS, *FUNCTIONS]:
        given_ = tensors()
        made = evaluated(line, tl, np.array, given_)
        for part in made if isinstance(made, tuple | list) else [made]:
            if isinstance(part, tl.Tensor) and part.requires_grad and not part.is_leaf:
                part.sum().backward()
                assert any(leaf.grad is not None for leaf in given_.values()), line


@pytest.mark.parametrize("line", NUMPYS)
def test_the_words_of_numpy_mean_what_numpy_means(line):
    expected = NUMPYS[line](**ARRAYS)
    np.testing.assert_allclose(numbers(evaluated(line, tl, np.array, tensors())), numbers(expected), rtol=1e-13)


SUBSCRIPTS = [
    "ij,jk->ik",
    "ii",
    "ii->i",
    "ij->ji",
    "ij,j,jk->k",
    "...ij,...jk->...ik",
    "...i,...i",
    "iij,jk",
    "i,j",
    "ij->",
]


@given(subscripts=st.sampled_from(SUBSCRIPTS), sides=st.lists(st.integers(1, 3), min_size=5, max_size=5))
def test_einsum_is_numpys_and_its_rule_is_einsum(gradcheck, subscripts, sides):
    side = dict(zip("ijk.", sides, strict=False))
    terms = subscripts.partition("->")[0].split(",")
    rng = np.random.default_rng(0)
    shapes = [tuple(side[letter] for letter in term.replace("...", "."[: 1 - i])) for i, term in enumerate(terms)]
    arrays = [rng.normal(size=shape) for shape in shapes]
    made = tl.einsum(subscripts, *(tl.tensor(array, requires_grad=True) for array in arrays))
    np.testing.assert_allclose(made.value, np.einsum(subscripts, *arrays), rtol=1e-12, atol=1e-14)
    assert made.primitive.name == "einsum"
    gradcheck(lambda *xs: tl.einsum(subscripts, *xs), *arrays)


@pytest.mark.parametrize("subscripts", ["ab,ab->a", "ab,ab->", "ab,ab->b"])
def test_einsum_broadcasts_sides_of_one(subscripts):
    rng = np.random.default_rng(0)
    arrays = rng.normal(size=(1, 3)), rng.normal(size=(4, 3))
    np.testing.assert_allclose(tl.einsum(subscripts, *arrays), np.einsum(subscripts, *arrays))
    tl.testing.check_vjp(lambda *xs: tl.einsum(subscripts, *xs), *arrays)


COMPOSED = {
    "prod": (lambda x: tl.prod(x, axis=1, keepdims=True) * tl.prod(x), (2, 3)),
    "cumsum": (lambda x: tl.cumsum(x, axis=0) * tl.cumsum(x), (6,)),
    "std": (lambda x: tl.std(x, 1) + x.var(), (2, 3)),
    "norm": (lambda x: tl.norm(x, 3, axis=0) + x.norm(), (2, 3)),
    "logaddexp": (lambda x: tl.logaddexp(x[0], x[1]) + tl.logaddexp(x, x), (2, 3)),
    "gelu": (lambda x: tl.gelu(x) * tl.silu(x) + tl.sinh(x) * tl.cosh(x) + tl.tan(x) + tl.logsigmoid(x), (5,)),
    "take_along_axis": (lambda x: tl.take_along_axis(x * x, [[1, 1], [0, 2]], axis=1), (2, 3)),
    "pad, tile, flip": (lambda x: tl.flip(tl.tile(tl.pad(x * x, ((1, 0), (0, 2)), 1.5), (2, 1)), 0), (2, 3)),
    "tril of a product": (lambda x: tl.tril(x @ x.T, -1) + tl.triu(tl.outer(x[:, 0], x[:, 1])), (3, 2)),
    "split, chunk, squeeze": (
        lambda x: x.split(2, 1)[0] * tl.chunk(x, 2, 1)[1] + tl.squeeze(x[None, :, :1], 0),
        (2, 4),
    ),
    "tensordot, dot": (lambda x: tl.tensordot(x, x, ([0], [0])) + tl.dot(x.T, x), (3, 2)),
}


@pytest.mark.parametrize("what", COMPOSED)
def test_what_is_composed_has_exact_first_and_second_derivatives(what):
    function, shape = COMPOSED[what]
    x = np.random.default_rng(1).normal(size=shape)
    assert tl.testing.check_vjp(function, x).verdict == "PASS"
    assert tl.testing.check_second_order(function, x).verdict == "PASS"


@pytest.mark.parametrize("x", [[0.0, 2.0, 3.0], [0.0, 2.0, 0.0, 4.0, 5.0]])
def test_a_product_with_zeros_in_it_has_all_its_derivatives(x):
    tl.testing.check_second_order(lambda x: tl.prod(x) + x.sum(), x)
    leaf = tl.tensor(x, requires_grad=True)
    (slopes,) = tl.grad(tl.prod(leaf), leaf, create_graph=True)
    assert slopes.tolist() == [np.prod(np.delete(x, i)) for i in range(len(x))]
    assert tl.grad(slopes[0], leaf)[0].tolist()[2] == np.prod(np.delete(x, [0, 2]))
    assert tl.prod(np.ones((0, 2)), axis=0).tolist() == [1.0, 1.0]


def test_at_a_tie_a_clip_shares_and_a_length_of_nothing_stays_where_it_is():
    x = tl.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    assert tl.grad(tl.clip(x, -1, 1).sum(), x)[0].tolist() == [0.5, 1.0, 0.5]
    assert tl.grad(tl.elu(x).sum(), x)[0].tolist() == [np.exp(-1), 1.0, 1.0]
    zero = tl.zeros(3, requires_grad=True)
    for length in (tl.norm(zero), tl.norm(zero, 3), tl.std(zero), zero.std()):
        assert length.item() == 0
        assert tl.grad(length, zero)[0].tolist() == [0.0, 0.0, 0.0]
    assert tl.logaddexp([-np.inf, 0.0], [-np.inf, -np.inf]).tolist() == [-np.inf, 0.0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("x.std(dim=0, axis=1)", "dim and axis are one argument"),
        ("x.var(axis=0, ddof=1, unbiased=True)", "unbiased and ddof are one argument"),
        ("T.softmax(x, dim=0, axis=1)", "two of these words are the same argument, axis"),
        ("x.sum(dim=0, axis=1)", "dim and axis: two of these words"),
        ("T.softmax(x, 0, dim=1)", "softmax got 'axis' twice"),
        ("T.relu(x, inplace=True)", r"relu takes no 'inplace'; it is relu\(x\)"),
        ("x.permute(foo=(1, 0))", "unexpected keyword argument 'foo'"),
        ("T.expand(x, (3,))", r"of shape \(3, 4\) there is no \(3,\)"),
        ("T.tril(v)", r"a triangle is part of a matrix, and shape \(4,\) is none"),
        ("x.split(0)", "from 1 on, or of a list of sizes, not 0"),
        ("x.split(-1)", "from 1 on, or of a list of sizes, not -1"),
        ("T.pad(x, -1)", "nothing is padded by less than 0"),
    ],
)
def test_two_words_for_one_argument_and_sizes_that_are_none_are_refused(line, words):
    with pytest.raises((TypeError, ValueError), match=words):
        evaluated(line, tl, np.array, tensors())


@pytest.mark.parametrize("size", [300.0, 600.0])
def test_the_slopes_of_hyperbolic_functions_are_finite_where_they_are(size):
    for function, slope in ((tl.sinh, np.cosh), (tl.cosh, np.sinh)):
        x = tl.tensor([-size, size], requires_grad=True)
        (found,) = tl.grad(function(x).sum(), [x])
        np.testing.assert_allclose(found.value, slope(x.value), rtol=1e-13)


def test_the_sum_of_two_infinite_powers_is_infinite():
    assert tl.logaddexp([np.inf, np.inf, -np.inf], [np.inf, 0.0, -np.inf]).tolist() == [np.inf, np.inf, -np.inf]


# A name that there is not.


def of_functional():
    """The table that nn.functional asks, which is in its ``__getattr__``."""
    asked = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(functional, "advice", lambda name, table, *_: asked.append(table) or "")
        assert not hasattr(functional, "what is nowhere")
    return asked[0]


TABLES = {
    "tl": (tl, tl._REFUSED, "module 'tinygrad_lstm' has no attribute"),
    "x": (tl.tensor([1.0]), REFUSED, "a tensor has no"),
    "nn": (nn, nn._REFUSED, "module 'tinygrad_lstm.nn' has no attribute"),
    "module": (tl.Linear(1, 1, rng=0), module._REFUSED, "'Linear' has no attribute"),
    "functional": (functional, of_functional(), "module 'tinygrad_lstm.nn.functional' has no attribute"),
}
"""Whom one asks: an owner, its hints, and how an answer begins."""

HINTS = [(owner, *line.split(": ", 1)) for owner in TABLES for line in TABLES[owner][1].strip().splitlines()]


def said(thing, name):
    with pytest.raises(AttributeError) as raised:
        getattr(thing, name)
    return str(raised.value)


def test_hints_are_forty_at_most():
    of_what_ends_in_an_underscore = 1
    assert len(HINTS) + of_what_ends_in_an_underscore <= 40


@pytest.mark.parametrize(("owner", "names", "words"), HINTS, ids=[f"{owner} {names}" for owner, names, _ in HINTS])
def test_each_hint_is_given_for_each_of_its_names_which_are_not_there(owner, names, words):
    thing, _, begin = TABLES[owner]
    for name in names.split():
        assert said(thing, name) == f"{begin} {name!r}; {words}"


@pytest.mark.parametrize("name", ["zero_", "add_", "mul_", "fill_", "copy_", "clamp_", "relu_"])
def test_what_would_change_a_tensor_in_place_is_refused_with_what_to_write(name):
    words = said(tl.tensor([1.0]), name)
    assert "no tensor is changed in place" in words
    assert "x.value = new" in words
    assert ("y = x.add(…)" in words) == (name == "add_")


def test_what_numpy_has_is_numpys():
    assert said(tl, "allclose").endswith(
        "'allclose'; np.allclose(x.value) computes with the numbers, without a gradient"
    )
    assert said(tl.tensor(1.0), "round").endswith("; np.round(x.value) computes with the numbers, without a gradient")


@pytest.mark.parametrize(
    ("thing", "name", "near"),
    [
        (tl.tensor(1.0), "softmx", "x.softmax"),
        (tl.tensor(1.0), "transpos", "x.transpose"),
        (tl.tensor(1.0), "requires_gard", "x.requires_grad"),
        (tl, "sofmax", "tl.softmax"),
        (tl, "LTSM", "tl.LSTM"),
        (tl, "cross_entrpy", "tl.cross_entropy"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(thing, name, near):
    words = said(thing, name)
    assert words.endswith(f"; did you mean {near}?")
    assert "\n" not in words


def test_a_name_like_no_other_is_only_said_not_to_be_there():
    assert said(tl.tensor(1.0), "qqqq") == "a tensor has no 'qqqq'"
    assert said(tl, "qqqq") == "module 'tinygrad_lstm' has no attribute 'qqqq'"
    assert not hasattr(tl.tensor(1.0), "__array_interface__")
    assert not any(hasattr(tl, name) for name in ("itertools", "view", "repeat"))


def test_a_size_is_a_number_as_in_numpy_and_called_is_the_shape_as_in_pytorch():
    x = tl.zeros(2, 3)
    assert (x.size, x.shape[0], x.numel(), x.dim()) == (6, 2, 6, 2)
    assert type(x.size + 1) is int
    assert (x.size(), x.size(0), x.size(-1)) == ((2, 3), 2, 3)
    with pytest.raises(IndexError, match=r"x\.size\(2\): the shape is \(2, 3\)"):
        x.size(2)
    with pytest.raises(TypeError, match=r"x\.size\('a'\): the shape is \(2, 3\)"):
        x.size("a")


def test_a_tensor_by_its_class_holds_data():
    assert tl.Tensor([1, 2]).tolist() == [1.0, 2.0]
    array = np.array([1, 2])
    held = tl.Tensor(array)
    array[0] = 7
    assert (held.tolist(), held.dtype) == ([1.0, 2.0], np.float64)
    with pytest.raises(
        TypeError, match=r"tl.Tensor holds data, as in tl.Tensor\(\[1, 2\]\); of a shape there is tl.zeros"
    ):
        tl.Tensor(2, 3)


def test_a_copy_does_not_follow_its_original():
    w = tl.tensor([1.0, 2.0], requires_grad=True)
    best, bare = w.clone(), w.detach().clone()
    w.value = [3.0, 4.0]
    assert best.tolist() == bare.tolist() == [1.0, 2.0]
    assert tl.grad(best.sum(), w)[0].tolist() == [1.0, 1.0]
    assert copy.copy(w).tolist() == [3.0, 4.0]


def test_a_leaf_is_told_whether_it_learns_and_nothing_else():
    x = tl.tensor([1.0])
    assert x.requires_grad_() is x
    assert x.requires_grad
    assert not x.requires_grad_(False).requires_grad
    with pytest.raises(ValueError, match="only a leaf is told whether it learns"):
        (x.requires_grad_() * 2).requires_grad_()
    (x * x).sum().backward(retain_graph=True)
    assert x.grad.item() == 2.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: x.flip(5), r"flip in gate: there is no axis 5 in shape \(2, 3\)"),
        (lambda x: x.split([1, 1], 1), r"split in gate: the parts \[1, 1\] are not the whole of 3"),
        (lambda x: tl.split(x, 2, axis=1), "split in gate: 3 does not divide into 2 equal parts"),
        (lambda x: x.clip(), "clip in gate: give it a least number, a largest, or both"),
        (lambda x: tl.einsum("ij,jk", x), "einsum in gate: subscripts are a text such as 'ij,jk->ik', for 1 operands"),
        (
            lambda x: tl.tensordot(x, x, 1),
            r"tensordot in gate: the axes \[1\] of \(2, 3\) and \[0\] of \(2, 3\) differ",
        ),
        (lambda x: x.std(axis=0, ddof=2), r"var in gate: of so few numbers there is no variance with ddof=2"),
        (lambda x: tl.take_along_axis(x, [0.5], 1), r"take_along_axis in gate: indices must be integers with 2 axes"),
        (lambda x: tl.norm(x, -1), "norm in gate: ord must be above 0, or inf, not -1"),
        (lambda x: tl.elu(x, "a"), "elu in gate: alpha must be a number, not 'a'"),
        (lambda x: x.chunk(0), "chunk in gate: there must be one chunk at least"),
        (lambda x: x.flatten(1, 0), "flatten in gate: the axes from 1 to 0 of shape .* are none"),
        (lambda x: tl.gelu("x"), "gelu in gate: it takes tensors, or arrays of numbers, not 'x'"),
        (lambda x: tl.zeros(2.5), "zeros in gate: 'float' object cannot be interpreted as an integer"),
    ],
)
def test_what_does_not_fit_is_said_with_its_name_and_place(call, words):
    with tl.scope("gate"), pytest.raises((TypeError, ValueError, IndexError), match=words):
        call(tl.tensor(np.ones((2, 3))))


def test_an_operation_of_ones_own_may_have_words_of_pytorch():
    mine = tl.primitive("mine", lambda x, dim=0: x * (dim + 1), lambda g, y, x, dim=0: (g * (dim + 1),))
    assert mine(tl.tensor([1.0]), dim=2).tolist() == [3.0]
    with pytest.raises(TypeError, match="keepdim"):
        tl.softmax(tl.tensor([1.0]), keepdim=True)


def test_a_tensor_is_where_pytorch_would_have_it_and_stays_so():
    x = tl.tensor([[1.0, 2.0]])
    assert (x.device, x.to("cpu"), x.to(x.device, non_blocking=True), x.to(dtype=x.dtype)) == ("cpu", x, x, x)
    for asked in ("cuda:0", np.float32, "meta"):
        with pytest.raises(TypeError, match="in the memory of the processor and keeps its type, float64; make"):
            x.to(asked)
    made = tl.tensor([1.0], dtype="float32").new_zeros(2, 3)
    assert (made.shape, made.dtype, made.is_leaf, made.value.any()) == ((2, 3), np.float32, True, False)
    assert x.new_ones((2,), device="cpu", requires_grad=True).tolist() == [1.0, 1.0]
    assert x.index_select(1, [1, 1, 0]).tolist() == [[2.0, 2.0, 1.0]]
    with pytest.raises(TypeError, match="keeps its type"):
        x.new_zeros(2, dtype="float32")
