"""Errors about what a user defines: primitives, modules, sizes and optimisers."""

import re

import numpy as np
import pytest

import tinygrad_lstm as tl


def leaf(value, **how):
    return tl.tensor(value, requires_grad=True, **how)


def raises(error, *words):
    return pytest.raises(error, match="(?s)" + ".*".join(map(re.escape, words)))


@pytest.mark.parametrize(
    ("rule", "returned"),
    [
        (lambda g, y, a, b: (g,), "a tuple of 1"),
        (lambda g, y, a, b: (g, g, g), "a tuple of 3"),
        (lambda g, y, a, b: g, "ndarray"),
        (lambda g, y, a, b: [g, g], "list"),
        (lambda g, y, a, b: None, "NoneType"),
    ],
)
def test_a_rule_returning_the_wrong_count(rule, returned):
    pair = tl.primitive("pair", lambda a, b: a + b, rule)
    with raises(TypeError, "rule of pair", "tuple of 2", "one contribution per input", returned):
        pair(leaf(np.ones(2)), leaf(np.ones(2))).sum().backward()


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("shape", [(2, 5), (2,), (), (3, 2)])
def test_a_rule_returning_the_wrong_shape(shape, create_graph):
    skewed = tl.primitive("skewed", lambda x: x + 0, lambda g, y, x: (tl.broadcast_to(g[0, 0], shape=shape),))
    x = leaf(np.ones((2, 3)), name="x")
    with tl.scope("model"), tl.time_step(2):
        y = skewed(x).sum()
    with raises(tl.ShapeError, "rule of skewed", "model", "t=2", "input 0 (x)", "(2, 3)"):
        tl.grad(y, x, create_graph=create_graph)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("returned", ["a", {}, object(), [[1.0], [1.0, 2.0]], np.array(["a", "b"]), lambda: b"x"])
def test_a_rule_that_returns_no_numbers(returned, create_graph):
    worded = tl.primitive("worded", lambda x: x + 0, lambda g, y, x: (returned,))
    x = leaf([1.0, 2.0], name="x")
    with (
        tl.time_step(3),
        raises(TypeError, "the rule of worded at t=3 returned", "input 0 (x)", "array of real numbers"),
    ):
        tl.grad(worded(x).sum(), x, create_graph=create_graph)


def test_a_rule_does_not_lose_an_imaginary_part():
    imaginary = tl.primitive("imaginary", lambda x: x + 0, lambda g, y, x: (g * 1j,))
    with raises(TypeError, "the rule of imaginary returned", "array of real numbers"):
        imaginary(leaf([1.0])).sum().backward()


def test_a_primitive_is_described_by_words_that_somebody_reads():
    with raises(TypeError, "odd is described by 'bogus'", "there are kind, range"):
        tl.primitive("odd", lambda x: x, lambda g, y, x: (g,), bogus=1)


@pytest.mark.parametrize(("forward", "returned"), [(lambda x: (x, x), "tuple of 2"), (lambda x: [x], "list of 1")])
def test_a_forward_returns_one_array(forward, returned):
    several = tl.primitive("several", forward, None)
    with tl.scope("part"), raises(TypeError, f"several in part returned a {returned}", "one array"):
        several(leaf([1.0]))


@pytest.mark.parametrize("text", ["s", b"s"])
def test_an_operation_on_text_is_refused_also_where_python_could(text):
    doubled = tl.primitive("doubled", lambda x: x + x, lambda g, y, x: (2 * g,))
    with raises(TypeError, "doubled takes tensors, or arrays of numbers, not", repr(text)):
        doubled(text)


def test_a_rule_must_take_upstream_and_output():
    with raises(TypeError, "rule of short", "(g, y, *inputs, **attrs)", "(g)"):
        tl.primitive("short", lambda x: x, lambda g: (g,))


@pytest.mark.parametrize("name", ["", "two words", "1st", 3, None])
def test_a_primitives_name_is_an_identifier(name):
    with raises(ValueError, "identifier", repr(name)):
        tl.primitive(name, lambda x: x, lambda g, y, x: (g,))


def test_a_forward_must_return_real_numbers():
    for forward, returned in [(lambda x: x + 1j, "complex128"), (lambda x: x > 0, "bool"), (lambda x: "a", "<U1")]:
        odd = tl.primitive("odd", forward, None)
        with tl.time_step(1), raises(TypeError, "odd", "t=1", returned, "float64 or float32"):
            odd(leaf([1.0]))


def test_calling_a_primitive_with_too_many_or_too_few():
    with raises(TypeError, "tanh(x)", "2 positional"):
        tl.tanh(leaf(1.0), leaf(1.0))
    with raises(TypeError, "maximum(a, b)", "1 positional"):
        tl.maximum(leaf(1.0))
    with raises(TypeError, "sum got 'axis' twice"):
        tl.sum(leaf([1.0]), 0, axis=0)


@pytest.mark.parametrize("join", [tl.concat, tl.stack])
@pytest.mark.parametrize("parts", [[], (), tl.tensor([1.0])])
def test_joining_wants_a_list(join, parts):
    with raises(TypeError, "takes a list of at least one tensor"):
        join(parts)


@pytest.mark.parametrize("size", [0, -1, 1.5, "3", None, True])
@pytest.mark.parametrize("make", [tl.LSTMCell, tl.RNN, tl.LSTM, tl.GRU, tl.Linear, tl.Embedding])
def test_sizes_are_positive_whole_numbers(make, size):
    for sizes in ((size, 3), (3, size)):
        with raises(ValueError, "must be a positive whole number", repr(size)):
            make(*sizes)


@pytest.mark.parametrize("number", [0, -1, 1.5, "3", None, True])
@pytest.mark.parametrize("make", [tl.RNN, tl.LSTM, tl.GRU])
def test_the_number_of_layers_is_a_positive_whole_number(make, number):
    with raises(ValueError, "num_layers must be a positive whole number", repr(number)):
        make(2, 3, num_layers=number)


def test_recurrent_needs_cells():
    with raises(TypeError, "at least one cell", "got 0"):
        tl.nn.Recurrent()
    with raises(TypeError, "two cells, forward and reverse, for each layer", "got 0"):
        tl.nn.Recurrent(bidirectional=True)
    with raises(TypeError, "two cells, forward and reverse, for each layer", "got 3"):
        tl.nn.Recurrent(*(tl.GRUCell(3, 3, rng=0) for _ in range(3)), bidirectional=True)
    for wrong in ([tl.GRUCell(3, 3, rng=0)], tl.Linear(3, 3, rng=0), True):
        with raises(TypeError, "Recurrent unrolls a tl.nn.Cell", repr(wrong)):
            tl.nn.Recurrent(tl.GRUCell(3, 3, rng=0), wrong)


@pytest.mark.parametrize(
    ("sizes", "bidirectional", "words"),
    [
        ([(2, 3), (2, 3)], False, ["layer1 reads h of layer0,", "input_size must be 3, not 2"]),
        ([(2, 3), (4, 3)], True, ["layer0_reverse reads the same sequence as layer0,", "must be 2, not 4"]),
        ([(2, 3)] * 2 + [(3, 3)] * 2, True, ["layer1 reads h of layer0 and layer0_reverse,", "must be 6, not 3"]),
        (
            [(2, 3)] * 2 + [(6, 3), (3, 3)],
            True,
            ["layer1_reverse reads h of layer0 and layer0_reverse,", "must be 6, not 3"],
        ),
        ([(2, 3), (3, 4)], False, ["layer1 keeps h of size 4, layer0 keeps h of size 3", "stacked", "alike"]),
    ],
)
def test_cells_must_fit_each_other(sizes, bidirectional, words):
    with raises(ValueError, *words):
        tl.nn.Recurrent(*(tl.GRUCell(*size, rng=0) for size in sizes), bidirectional=bidirectional)


def test_cells_must_keep_the_same_kind_of_state():
    with raises(ValueError, "layer0_reverse keeps h, c of size 3, layer0 keeps h of size 3", "alike"):
        tl.nn.Recurrent(tl.GRUCell(3, 3, rng=0), tl.LSTMCell(3, 3, rng=0), bidirectional=True)


def test_an_unknown_nonlinearity():
    with raises(ValueError, "'tanh' or 'relu', or a function of a tensor", "'gelu'"):
        tl.RNN(2, 3, nonlinearity="gelu")


def test_a_module_without_forward():
    class Empty(tl.nn.Module):
        pass

    with raises(NotImplementedError, "Empty", "forward"):
        Empty()()


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_scope_needs_a_name(name):
    with raises(TypeError, "a scope needs a name", repr(name)):
        tl.scope(name)


@pytest.mark.parametrize("optimiser", [tl.SGD, tl.Adam])
@pytest.mark.parametrize("parameters", [[], [tl.tensor(1.0)], [1.0], [leaf(1.0) * 2]])
def test_optimisers_want_parameters(optimiser, parameters):
    with raises(ValueError, "needs parameters", "model.parameters()"):
        optimiser(parameters, lr=0.1)


def test_optimisers_want_sensible_rates():
    parameters = [leaf(1.0)]
    for wrong, words in [
        (lambda: tl.SGD(parameters, lr=0), ("learning rate must be positive", "0")),
        (lambda: tl.SGD(parameters, lr=float("nan")), ("learning rate must be positive", "nan")),
        (lambda: tl.SGD(parameters, lr=0.1, momentum=1.0), ("momentum", "[0, 1)")),
        (lambda: tl.Adam(parameters, betas=(0.9, 1.0)), ("betas", "[0, 1)")),
        (lambda: tl.clip_grad_norm(parameters, 0.0), ("max_norm must be positive",)),
    ]:
        with raises(ValueError, *words):
            wrong()


def test_a_primitive_of_ours_cannot_be_replaced_but_your_own_can():
    with pytest.raises(ValueError, match="a primitive 'tanh' already"):
        tl.primitive("tanh", np.tanh, lambda g, y, x: (g,))
    for factor in (2, 3):
        scaled = tl.primitive("scaled", lambda x, k=factor: k * x, lambda g, y, x, k=factor: (k * g,))
        x = tl.tensor(1.0, requires_grad=True)
        scaled(x).backward()
        assert x.grad.item() == factor


def test_a_rule_that_leaves_the_graph_is_told_so_when_the_graph_is_wanted():
    numpyish = tl.primitive("numpyish", lambda x: 2 * x, lambda g, y, x: (np.asarray(g) * 2,))
    x = leaf(np.ones(3))
    numpyish(x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]
    with raises(TypeError, "rule of numpyish left the graph"):
        tl.grad(numpyish(x).sum(), x, create_graph=True)


def test_forward_and_rule_must_agree_on_their_attributes():
    with raises(TypeError, "forward and rule of power", "'k': 3", "'k': 1"):
        tl.primitive("power", lambda x, k=3: x**k, lambda g, y, x, k=1: (k * g * x ** (k - 1),))


def test_a_tensor_cannot_be_subclassed():
    with raises(TypeError, "cannot be subclassed", "tl.nn.Module"):
        type("MyTensor", (tl.Tensor,), {})
