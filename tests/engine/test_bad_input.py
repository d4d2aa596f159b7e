"""One test per error: what was wrong, where in the user's network, the shapes, and what would be right."""

import re

import numpy as np
import pytest

import tinygrad_lstm as tl


def leaf(value, **how):
    return tl.tensor(value, requires_grad=True, **how)


def raises(error, *words):
    """The error, with these words in this order."""
    return pytest.raises(error, match="(?s)" + ".*".join(map(re.escape, words)))


# Shapes


def test_shape_mismatch_names_primitive_place_and_both_shapes():
    with (
        tl.scope("encoder"),
        tl.scope("gate"),
        tl.time_step(3),
        raises(tl.ShapeError, "add", "encoder.gate", "t=3", "(2, 3)", "(4,)", "equal or 1"),
    ):
        leaf(np.ones((2, 3))) + leaf(np.ones(4))


def test_matmul_mismatch_says_which_axes_must_agree():
    with tl.time_step(2), raises(tl.ShapeError, "matmul", "t=2", "(2, 3)", "(4, 5)", "last axis", "3", "4"):
        leaf(np.ones((2, 3))) @ np.ones((4, 5))
    with raises(tl.ShapeError, "matmul", "()", "(3,)"):
        leaf(1.0) @ np.ones(3)


def test_a_mismatch_inside_a_cell_names_gate_and_step():
    class Broken(tl.LSTMCell):
        def forward(self, x, state):
            self.forget_gate(x)

    layer = tl.nn.Recurrent(Broken(2, 3, rng=0))
    with raises(tl.ShapeError, "matmul", "cell.forget_gate", "t=0", "(4, 2)", "(5, 3)"):
        layer(tl.tensor(np.ones((5, 4, 2))))


def test_an_operation_without_its_shape_says_so():
    x = leaf(np.ones((2, 3)))
    for wrong, words in [
        (lambda: x.reshape(4, 2), ("reshape", "(2, 3)", "(4, 2)")),
        (lambda: x.sum(axis=5), ("sum", "(2, 3)", "axis=5")),
        (lambda: tl.concat([x, np.ones((3, 2))]), ("concat", "(2, 3)", "(3, 2)")),
        (lambda: tl.broadcast_to(x, (4, 4)), ("broadcast_to", "(2, 3)", "(4, 4)")),
    ]:
        with raises(ValueError, *words):
            wrong()


@pytest.mark.parametrize("cell_type", [tl.RNNCell, tl.LSTMCell, tl.GRUCell, tl.PeepholeLSTMCell, tl.CoupledLSTMCell])
def test_wrong_state_shape_for_a_cell(cell_type):
    cell = cell_type(2, 3, rng=0)
    wrong = [tl.tensor(np.ones((4, 5))) for _ in cell.state_names]
    with (
        tl.time_step(6),
        raises(tl.ShapeError, cell_type.__name__, "t=6", "h", "(N=4, H=5)", "(N=4, D=2)", "(N=4, H=3)"),
    ):
        cell(tl.tensor(np.ones((4, 2))), tuple(wrong) if len(wrong) > 1 else wrong[0])


def test_wrong_input_to_a_cell():
    with raises(tl.ShapeError, "LSTMCell", "x has shape (N=4, D=7)", "(N, D=2)", "(D=2,)"):
        tl.LSTMCell(2, 3, rng=0)(tl.tensor(np.ones((4, 7))))


def test_half_a_state():
    x, h = tl.tensor(np.ones((4, 2))), tl.tensor(np.ones((4, 3)))
    with raises(tl.ShapeError, "LSTMCell", "h, c", "got 1"):
        tl.LSTMCell(2, 3, rng=0)(x, h)
    with raises(TypeError, "GRUCell", "h must be a Tensor", "ndarray"):
        tl.GRUCell(2, 3, rng=0)(x, np.ones((4, 3)))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((5, 4, 7), "(T=5, N=4, D=7)"),
        ((5, 7), "(T=5, D=7)"),
        ((2,), "(2,)"),
        ((0, 4, 2), "(T=0, N=4, D=2)"),
        ((4, 0, 2), "(T=4, N=0, D=2)"),
        ((1, 5, 4, 2), "(1, 5, 4, 2)"),
    ],
)
def test_wrong_input_to_a_layer(shape, words):
    with raises(tl.ShapeError, "LSTM", f"xs has shape {words}", "(T, N, D=2)", "(T, D=2)", "T >= 1 and N >= 1"):
        tl.LSTM(2, 3, rng=0)(tl.tensor(np.ones(shape)))
    words = words.replace("T=5, N=4", "N=5, T=4").replace("T=0, N=4", "N=0, T=4").replace("T=4, N=0", "N=4, T=0")
    with raises(tl.ShapeError, "GRU", f"xs has shape {words}", "(N, T, D=2)", "(T, D=2)"):
        tl.GRU(2, 3, batch_first=True, rng=0)(tl.tensor(np.ones(shape)))


def test_wrong_initial_state_of_a_layer():
    layer, xs, right = tl.LSTM(2, 3, rng=0), tl.tensor(np.ones((5, 4, 2))), tl.tensor(np.ones((1, 4, 3)))
    wanted = [f"{name} of shape (layers·directions=1, N=4, H=3)" for name in ("h", "c")]
    for shape, words in {
        (4, 3): "(4, 3)",
        (2, 4, 3): "(layers·directions=2, N=4, H=3)",
        (1, 5, 3): "(layers·directions=1, N=5, H=3)",
        (1, 4, 5): "(layers·directions=1, N=4, H=5)",
    }.items():
        with raises(tl.ShapeError, "LSTM", *wanted, "(one layer)", "got", words, "xs of shape (T=5, N=4, D=2)"):
            layer(xs, (right, tl.tensor(np.ones(shape))))
    with raises(tl.ShapeError, *wanted, "got (layers·directions=1, N=4, H=3) for"):
        layer(xs, right)
    for state in ((None, None), (right, np.ones((1, 4, 3))), 3.0):
        with raises(TypeError, "LSTM", "must be Tensors", *wanted, "got"):
            layer(xs, state)


def test_wrong_initial_state_of_several_layers():
    layer, xs = tl.GRU(2, 3, num_layers=2, bidirectional=True, rng=0), tl.tensor(np.ones((5, 4, 2)))
    order = "(layer0, layer0_reverse, layer1, layer1_reverse)"
    for shape in ((1, 4, 3), (2, 4, 3), (4, 3), (4, 4, 6)):
        got = str(shape) if len(shape) == 2 else "(layers·directions={}, N={}, H={})".format(*shape)
        with raises(tl.ShapeError, "GRU", "h of shape (layers·directions=4, N=4, H=3)", order, "got", got):
            layer(xs, tl.tensor(np.ones(shape)))
    with raises(tl.ShapeError, "GRU", "(layers·directions=4, H=3)", order, "got (4, 4, 3)", "(T=5, D=2)"):
        layer(xs[:, 0], tl.tensor(np.ones((4, 4, 3))))
    with raises(TypeError, "GRU", "h of shape", order, "got ndarray"):
        layer(xs, np.ones((4, 4, 3)))


def test_wrong_input_to_several_layers():
    with raises(tl.ShapeError, "LSTM", "(T=5, N=4, D=7)", "(T, N, D=2)"):
        tl.LSTM(2, 3, num_layers=2, rng=0)(tl.tensor(np.ones((5, 4, 7))))


def test_a_mismatch_in_an_upper_layer_names_layer_and_step():
    class Broken(tl.RNNCell):
        def forward(self, x, h):
            return self.layer(x)

    layer = tl.nn.Recurrent(*(cell(3, 3, rng=0) for cell in (tl.RNNCell, Broken)))
    with raises(tl.ShapeError, "matmul", "layer1.layer", "t=0", "(4, 3)", "(6, 3)"):
        layer(tl.tensor(np.ones((5, 4, 3))))


def test_losses_want_equal_shapes():
    x = leaf(np.ones((2, 3)))
    for loss in (tl.mse_loss, tl.binary_cross_entropy_with_logits):
        with raises(tl.ShapeError, loss.__name__, "(2, 3)", "(3,)"):
            loss(x, np.ones(3))


def test_cross_entropy_wants_class_numbers():
    x = leaf(np.ones((2, 3)))
    for targets, error, words in [
        ([0.0, 1.0], TypeError, ("integers", "float64")),
        ([0, 1, 2], tl.ShapeError, ("(2, 3)", "(2,)", "(3,)")),
        ([0, 3], ValueError, ("0 … 2",)),
        ([-1, 0], ValueError, ("0 … 2",)),
    ]:
        with raises(error, "cross_entropy", *words):
            tl.cross_entropy(x, targets)
    with raises(tl.ShapeError, "cross_entropy", "need an axis"):
        tl.cross_entropy(leaf(1.0), 0)


# Backward


def test_backward_from_a_tensor_that_needs_no_gradient():
    for y in (tl.tensor(1.0) * 2, leaf(2.0).detach() * 2):
        for start in (y.backward, lambda y=y: tl.grad(y, leaf(1.0)), lambda y=y: tl.backprop(y)):
            with raises(ValueError, "requires no gradient", "requires_grad=True"):
                start()


def test_backward_of_a_non_scalar():
    with raises(ValueError, "(2, 3)", "seed", "y.sum().backward()"):
        (leaf(np.ones((2, 3))) * 2).backward()


def test_a_seed_of_another_shape():
    with raises(tl.ShapeError, "seed", "(3,)", "(2,)"):
        (leaf([1.0, 2.0]) * 2).backward(np.ones(3))


def test_backprop_starts_from_a_tensor():
    with raises(TypeError, "starts from a tensor", "3.0"):
        tl.backprop(3.0)
    with raises(TypeError, "Graph"):
        tl.Graph()


def test_grad_of_an_input_on_no_path():
    x, other = leaf(1.0), leaf(1.0, name="other")
    with raises(ValueError, "does not depend on input 1", "(other)", "allow_unused=True"):
        tl.grad(x * x, [x, other])
    with raises(ValueError, "input 0", "(plain)", "requires_grad=True"):
        tl.grad(x * x, tl.tensor(1.0, name="plain"))


# Values


def test_values_cannot_be_written_into():
    x = leaf([1.0, 2.0])
    y = x * 2
    (y * y).sum().backward()
    for tensor in (x, y, x.grad):
        with raises(TypeError, "cannot be written into", "tl.where", "x.value = new"):
            tensor[0] = 3.0
        for array in (tensor.value, tensor.numpy(), np.asarray(tensor.detach())):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 3.0


def test_only_leaves_take_a_new_value_and_only_of_their_shape():
    x = leaf([1.0, 2.0], name="w")
    with raises(ValueError, "only a leaf"):
        (x * 2).value = [1.0, 2.0]
    with raises(tl.ShapeError, "value of w", "(2,)", "(3,)"):
        x.value = np.ones(3)
    with raises(tl.ShapeError, "gradient of w", "(2,)", "(3,)"):
        x.grad = np.ones(3)


@pytest.mark.parametrize("data", [1j, [1, 2j], "text", ["a"], None, [None], object(), {1: 2}, np.datetime64("2020")])
def test_data_that_is_no_real_number(data):
    with raises(TypeError, "tensors hold real numbers"):
        tl.tensor(data)


def test_complex_data_is_refused_in_an_operation_too():
    with raises(TypeError, "real numbers", "complex128"):
        leaf(1.0) * 1j


def test_ragged_data_and_other_number_types():
    with raises(TypeError, "rows differ in shape"):
        tl.tensor([[1, 2], [3]])
    with raises(TypeError, "float64 or float32, not float16"):
        tl.tensor([1.0], dtype=np.float16)
    with raises(TypeError, "name must be a string"):
        tl.tensor(1.0, name=3)


@pytest.mark.parametrize("index", [1.0, np.float64(1), [0.5], np.array([1.0]), (0, 1.0), "a"])
def test_a_float_given_as_an_index(index):
    with raises(IndexError, "index must be made of integers", "x["):
        leaf(np.ones((2, 3)))[index]


def test_a_tensor_is_no_index():
    with raises(IndexError, "index must be made of integers", "float64"):
        leaf(np.ones(3))[tl.tensor([0, 1])]
    with raises(IndexError, "take"):
        tl.take(leaf(np.ones((3, 2))), [0.5])
    for indices in ([0.5], [True, False]):
        with raises(TypeError, "Embedding", "integers"):
            tl.Embedding(3, 2, rng=0)(indices)


def test_an_index_out_of_range_says_where():
    with tl.scope("model"), tl.time_step(1), raises(IndexError, "getitem", "model", "t=1", "5", "(2, 3)"):
        leaf(np.ones((2, 3)))[5]
    with raises(IndexError, "take", "9", "(3, 2)"):
        tl.take(leaf(np.ones((3, 2))), [9])
    for symbol in (9, -1):
        with tl.time_step(2), raises(IndexError, "Embedding", "t=2", "0 … 2"):
            tl.Embedding(3, 2, rng=0)([symbol])


def test_numbers_of_a_0_d_tensor_and_truth_of_a_large_one():
    with raises(TypeError, "0-d", ".item()"):
        len(leaf(1.0))
    with raises(ValueError, "truth", "(2,)", "ambiguous"):
        bool(leaf([1.0, 2.0]))


# NaN and Inf


def test_detect_nan_names_the_first_node_forward():
    with tl.detect_nan(), tl.scope("model"), tl.time_step(4):
        x = leaf([1.0, -1.0], name="x")
        with raises(FloatingPointError, "log", "model", "t=4", "first NaN", "(2,)", "[-1, 1]"):
            tl.exp(tl.log(x) + 1)
        with raises(FloatingPointError, "div", "first Inf"):
            1 / (x - x)


def test_detect_nan_names_the_first_node_backward():
    x = leaf([0.0, 1.0], name="x")
    with tl.scope("model"), tl.time_step(4):
        y = tl.sqrt(x).sum()
    for start in (y.backward, lambda: tl.grad(y, x), lambda: tl.grad(y, x, create_graph=True)):
        with (
            tl.detect_nan(),
            raises(FloatingPointError, "rule of sqrt", "model", "t=4", "first Inf", "backward", "(x)", "(2,)"),
        ):
            start()
    assert x.grad is None


def test_detect_nan_says_when_the_input_or_the_seed_was_to_blame():
    x = leaf([1.0, 2.0], name="x")
    with tl.detect_nan():
        with raises(FloatingPointError, "input 'poison'", "mul", "already"):
            x * tl.tensor([np.nan, 1.0], name="poison")
        with raises(FloatingPointError, "seed", "already"):
            (x * 2).backward([np.inf, 1.0])


def test_nan_is_not_looked_for_unless_asked():
    with np.errstate(invalid="ignore"):
        assert np.isnan(tl.log(tl.tensor(-1.0)).item())
        with pytest.raises(FloatingPointError), tl.detect_nan():
            tl.log(tl.tensor(-1.0))
        assert np.isnan(tl.log(tl.tensor(-1.0)).item())


def test_clip_grad_norm_refuses_nan():
    x = leaf([1.0])
    x.grad = [np.nan]
    with raises(FloatingPointError, "NaN or Inf", "detect_nan"):
        tl.clip_grad_norm([x], 1.0)
