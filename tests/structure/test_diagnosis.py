"""What is planted is named, with its cause and its place in one line; of healthy networks nothing is said."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.named import cell_of, names


def unrolled(cell, steps=6, batch=4, size=3, cut=None):
    """The last h of a cell over random inputs; ``cut`` detaches the state before that step."""
    rng, state = np.random.default_rng(0), None
    for t in range(steps):
        if t == cut:
            state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        with tl.time_step(t):
            state = cell(tl.tensor(rng.normal(size=(batch, size)), name="x"), state)
    return state[0] if isinstance(state, tuple) else state


def scaled(cell, factor):
    for parameter in cell.parameters():
        parameter.value = parameter.value * factor
    return cell


def with_bias(cell, gate, number):
    layer = getattr(cell, gate)
    layer.bias.value = np.full(layer.bias.shape, number)
    return cell


def perceptron(activation=tl.relu, bias=0.0, rows=16):
    """A loss of a hidden layer of 8 units, one of which has a bias of its own."""
    layer, head = tl.Linear(3, 8, rng=0), tl.Linear(8, 1, rng=1)
    layer.bias.value = np.where(np.arange(8) == 2, bias, 0.0)
    return (head(activation(layer(np.random.default_rng(0).normal(size=(rows, 3))))) ** 2).mean()


def of_kind(diagnosis, kind):
    """The one symptom of a kind; its line is one, and says where."""
    (found,) = [each for each in diagnosis if each.kind == kind]
    assert "\n" not in str(found)
    assert str(found) == f"{kind}, {found.where}: {found.text}"
    assert str(found) in str(diagnosis)
    return found


@pytest.mark.parametrize("factor", [10, 30, 1000])
def test_a_saturated_rnn_is_named_by_what_its_weights_make_of_its_inputs(factor):
    h = unrolled(scaled(tl.RNNCell(3, 5, rng=0), factor))
    found = of_kind(tl.diagnose(h.sum()), "saturated")
    assert found.where.startswith("layer.h, t = 0 … 5 (test_diagnosis.py:")
    values = np.concatenate([node.value for node in found.nodes])
    assert f"{np.mean(np.abs(values) > 0.995):.0%} of its values are at −1 or 1" in found.text
    assert "smaller weights" in found.text


@pytest.mark.parametrize("gate", ["forget_gate", "input_gate", "output_gate"])
@pytest.mark.parametrize(("bias", "end"), [(-12.0, "0"), (-200.0, "0"), (12.0, "1"), (60.0, "1")])
def test_a_saturated_gate_is_named_by_its_bias(gate, bias, end):
    found = of_kind(tl.diagnose(unrolled(with_bias(tl.LSTMCell(3, 5, rng=0), gate, bias)).sum()), "saturated")
    assert found.where.startswith(f"{gate}.{gate[0]}, t = 0 … 5")
    assert f"are at {end}, " in found.text
    assert f"its bias is {bias:g} on average".replace("-", "−") in found.text


def test_a_saturated_hidden_layer_needs_no_time():
    assert of_kind(tl.diagnose(perceptron(tl.tanh, 0.0) + perceptron(lambda x: tl.tanh(40 * x))), "saturated")


def test_the_probabilities_that_a_network_ends_with_may_be_as_sure_as_they_like():
    x, w = tl.tensor(np.eye(6)), tl.tensor(60 * (2 * np.eye(6) - 1), requires_grad=True, name="w")
    for sure in (tl.sigmoid, tl.softmax):
        assert tl.diagnose(-tl.log(sure(x @ w) + 1e-9).mean()) == ()


@pytest.mark.parametrize("cell", [tl.RNNCell, tl.GRUCell, tl.LSTMCell])
@pytest.mark.parametrize("cut", [1, 3, 5])
def test_a_detached_state_is_named_with_its_step_and_its_line(cell, cut):
    found = of_kind(tl.diagnose(unrolled(cell(3, 5, rng=0), cut=cut).sum()), "detached")
    assert found.where.startswith(f"h, before t = {cut} (test_diagnosis.py:")
    assert all(leaf.detached for leaf in found.nodes)


def test_a_state_that_is_detached_after_the_last_step_leaves_the_cell_unused():
    cell, head = tl.GRUCell(3, 5, rng=0), tl.Linear(5, 1, rng=0)
    found = tl.diagnose(head(unrolled(cell).detach()).sum(), [*cell.parameters(), *head.parameters()])
    assert of_kind(found, "detached").where.startswith("h, before t = 6")
    assert set(of_kind(found, "unused").nodes) == set(cell.parameters())


class Spare(tl.nn.Module):
    def __init__(self):
        self.used, self.spare = tl.Linear(2, 2, rng=0), tl.Linear(2, 2, rng=0)

    def forward(self, x):
        return self.used(x)


def test_an_unused_parameter_of_a_module_that_ran_is_named_by_its_path():
    model = Spare()
    found = of_kind(tl.diagnose(model(np.ones((1, 2))).sum()), "unused")
    assert found.where == "spare.weight, spare.bias"
    assert "the loss does not depend on it" in found.text


def test_an_unused_tensor_is_named_if_it_is_asked_for_and_a_frozen_one_is_not():
    w, spare = (tl.tensor([1.0, 2.0], requires_grad=True, name=name) for name in ("w", "spare"))
    assert tl.diagnose(w.sum(), [w]) == ()
    assert of_kind(tl.diagnose(w.sum(), [w, spare]), "unused").where == "spare"
    spare.requires_grad = False
    assert tl.diagnose(w.sum(), [w, spare]) == ()


def test_what_only_chooses_is_unused_with_the_reason():
    x, w = (tl.tensor([1.0, 2.0], requires_grad=True, name=name) for name in ("x", "w"))
    assert of_kind(tl.diagnose((tl.floor(x) * w).sum()), "unused").text.startswith("only through floor")


def test_a_loss_that_nothing_learns_from_is_named():
    x = tl.tensor([1.0, 2.0], name="x")
    assert "nothing it is computed of requires one" in of_kind(tl.diagnose(x.sum()), "constant").text
    w = tl.tensor([1.0, 2.0], requires_grad=True)
    assert "was detached (test_diagnosis.py:" in of_kind(tl.diagnose(w.detach().sum()), "constant").text


@pytest.mark.parametrize("batch", [2, 5, 64])
@pytest.mark.parametrize("swap", [False, True])
def test_a_column_against_a_row_is_named_with_its_shapes(batch, swap):
    head, y = tl.Linear(5, 1, rng=0), tl.tensor(np.ones(batch), name="y")
    prediction = head(unrolled(tl.RNNCell(3, 5, rng=0), batch=batch))
    error = y - prediction if swap else prediction - y
    found = of_kind(tl.diagnose((error**2).mean()), "broadcast")
    assert found.where.startswith("sub (test_diagnosis.py:")
    assert f"({batch}, 1) against ({batch},) gives ({batch}, {batch})" in found.text
    right = prediction.reshape(batch) - y
    assert tl.diagnose((right**2).mean()) == ()


def test_what_spreads_on_purpose_is_no_mistake():
    x, w, b = (tl.tensor(np.ones(shape), requires_grad=True) for shape in ((4, 1), (4,), (4,)))
    assert tl.diagnose((tl.tensor(np.ones((4, 1))) * w + b).sum()) == ()
    assert tl.diagnose((x - x.reshape(1, 4)).sum()) == ()  # of each pair, the difference


@pytest.mark.parametrize("activation", [tl.relu, lambda x: tl.maximum(x, 0.0), lambda x: tl.maximum(0.0, x)])
def test_a_dead_relu_is_named_by_its_unit_and_by_what_comes_in(activation):
    found = of_kind(tl.diagnose(perceptron(activation, -20.0)), "dead")
    incoming = found.nodes[0].input_values[0 if found.nodes[0].inputs[0].ndim else 1]
    nearest = incoming[:, 2].max()
    assert f"1 of 8 units (2): what comes in is {nearest:.2g} or farther".replace("-", "−") in found.text


def test_a_relu_that_is_off_for_some_is_alive():
    for bias in (0.0, -1.0, 1.0, 20.0):
        assert tl.diagnose(perceptron(tl.relu, bias)) == ()


def test_a_dead_relu_over_time_is_named_with_its_steps():
    cell = tl.RNNCell(3, 5, rng=0, nonlinearity="relu")
    cell.layer.bias.value = np.full(5, -30.0)
    assert "all 5 units" in of_kind(tl.diagnose(unrolled(cell).sum()), "dead").text


def test_a_learning_rate_is_tried_on_the_graph_and_a_better_one_is_named():
    w = tl.tensor([3.0, -1.0], requires_grad=True, name="w")
    loss = (w * w * np.array([1.0, 10.0])).sum()  # 2/λ = 0.1
    assert tl.diagnose(loss, lr=0.09) == ()
    found = of_kind(tl.diagnose(loss, lr=1.0), "step too large")
    assert found.where == "w"
    before, after, better = (
        ((w.value * (1 - lr * 2 * np.array([1.0, 10.0]))) ** 2 * [1, 10]).sum() for lr in (0, 1, 1 / 16)
    )
    assert found.text == (
        f"one step of lr = 1 along −gradient takes this loss from {before:.4g} to {after:.4g}; "
        f"lr = 0.0625 lowers it to {better:.4g}"
    )
    assert np.array_equal(w.value, [3.0, -1.0]), "nothing is changed"


def test_an_update_that_went_too_far_is_seen_afterwards():
    w = tl.tensor(3.0, requires_grad=True, name="w")
    for lr, named in ((0.1, False), (2.0, True)):
        loss = w * w
        w.grad = None
        loss.backward()
        before = w.item()
        tl.SGD([w], lr=lr).step()
        found = tl.diagnose(loss)
        assert bool(found) is named
    assert f"from {before**2:.4g} to {w.item() ** 2:.4g}" in of_kind(found, "step too large").text


def test_the_first_nan_is_named_with_its_maker():
    x = tl.tensor([-1.0, 4.0], requires_grad=True, name="x")
    with np.errstate(all="ignore"), tl.scope("distance"):
        loss = (tl.sqrt(x) * 2).sum()
    found = of_kind(tl.diagnose(loss), "not finite")
    assert found.where.startswith("distance.sqrt (test_diagnosis.py:")
    assert "sqrt in distance made the first NaN, from input x (2,) in [−1, 4]" in found.text


def test_a_gradient_that_is_infinite_is_named_by_its_rule():
    x = tl.tensor([0.0, 4.0], requires_grad=True, name="x")
    assert "the rule of sqrt made the first Inf" in of_kind(tl.diagnose(tl.sqrt(x).sum()), "not finite").text


def test_a_gradient_that_vanishes_over_time_is_named_with_its_ends_and_the_gate():
    cell = with_bias(tl.LSTMCell(3, 5, rng=0), "forget_gate", -4.0)
    loss = unrolled(cell, steps=12).sum()
    found = of_kind(tl.diagnose(loss), "vanishing")
    flow = tl.step(loss).flow()
    first, last = (max(flow[t].norms.values()) for t in (0, 11))
    assert f"{last:.2g} at t = 11, " in found.text
    assert f"e−{int(-np.floor(np.log10(first)))} at t = 0" in found.text
    mean = np.mean([flow[t].gates["f"].value for t in range(12)])
    assert f"f, the forget gate, lets {mean:.2g} of it pass" in found.text
    assert tl.diagnose(unrolled(tl.LSTMCell(3, 5, rng=0), steps=12).sum()) == ()


def test_a_gradient_that_explodes_is_named_with_what_clipping_would_do():
    cell = scaled(tl.RNNCell(3, 5, rng=0, nonlinearity="relu"), 3)
    loss = unrolled(cell, steps=40).sum()
    found = of_kind(tl.diagnose(loss), "exploding")
    loss.backward()
    norm = tl.clip_grad_norm(cell.parameters(), 1.0)
    assert f"would scale ‖∂L/∂w‖ = {float(norm) / 1e6:.2g}e6" in found.text


# Healthy ones

SIZES = [(5, 4, 3, 4), (1, 1, 2, 3), (10, 1, 1, 1), (8, 16, 2, 8)]  # T, N, D, H


@pytest.mark.parametrize("name", names())
def test_of_a_cell_that_was_just_made_nothing_is_said(name):
    rng = np.random.default_rng(3)
    for steps, batch, size, hidden in SIZES:
        for dtype in (tl.float64, tl.float32):
            layer = tl.nn.Recurrent(cell_of(name)(size, hidden, rng=0, dtype=dtype))
            output, _ = layer(tl.tensor(rng.normal(size=(steps, batch, size)), dtype=dtype, name="xs"))
            assert tl.diagnose((output**2).mean()) == ()
            assert tl.diagnose(output[-1].sum(), layer) == ()


@pytest.mark.parametrize(
    "layer",
    [
        tl.LSTM(3, 4, num_layers=2, bidirectional=True, rng=0),
        tl.GRU(3, 4, num_layers=2, rng=0),
        tl.RNN(3, 4, bidirectional=True, rng=0),
        tl.LSTM(3, 4, bias=False, rng=0),
    ],
)
def test_of_stacks_in_both_directions_nothing_is_said(layer):
    output, _ = layer(np.random.default_rng(0).normal(size=(7, 2, 3)))
    found = tl.diagnose((output**2).mean(), layer, lr=0.01)
    assert found == ()
    assert repr(found).startswith("nothing found: ")
    assert "7 time steps" in repr(found)


def chrono(steps):
    cell = tl.LSTMCell(1, 8, rng=0)
    times = np.random.default_rng(0).uniform(1, steps - 1, size=8)
    cell.forget_gate.bias.value, cell.input_gate.bias.value = np.log(times), -np.log(times)
    return cell


def test_of_gates_that_begin_nearly_open_nothing_is_said():
    """Tallec & Ollivier, "Can recurrent neural networks warp time?" (2018), for sequences of up to 1,000 steps."""
    for steps in (10, 100, 1000):
        assert tl.diagnose(unrolled(chrono(steps), steps=10, size=1).sum()) == ()


class Reader(tl.nn.Module):
    def __init__(self, layer, sizes, activation=tl.tanh):
        self.layer, self.head, self.activation = layer, tl.Linear(*sizes, rng=1), activation

    def forward(self, xs):
        if isinstance(self.layer, tl.Linear):
            return self.head(self.activation(self.layer(xs)))
        return self.head(self.layer(xs)[0][-1])


TRAINED = {
    "rnn": (lambda: Reader(tl.RNN(1, 8, rng=0), (8, 1)), (6, 16, 1)),
    "lstm": (lambda: Reader(tl.LSTM(1, 8, rng=0), (8, 1)), (6, 16, 1)),
    "gru": (lambda: Reader(tl.GRU(1, 8, rng=0), (8, 1)), (6, 16, 1)),
    "relu": (lambda: Reader(tl.Linear(2, 16, rng=0), (16, 1), tl.relu), (32, 2)),
    "tanh": (lambda: Reader(tl.Linear(2, 8, rng=0), (8, 1)), (32, 2)),
}


@pytest.mark.parametrize("name", TRAINED)
def test_of_a_trained_network_nothing_is_said(name):
    make, shape = TRAINED[name]
    model, rng = make(), np.random.default_rng(0)
    optimizer = tl.Adam(model.parameters(), lr=0.01)
    first = last = None
    for _ in range(100):
        xs = rng.normal(size=shape)
        y = xs.sum(axis=0) if len(shape) == 3 else xs[:, :1] * xs[:, 1:]
        loss = ((model(tl.tensor(xs)) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert tl.diagnose(loss) == ()  # the update since, too
        first, last = first or loss.item(), loss.item()
    assert last < first


# How it is told


def test_it_is_a_table_in_a_notebook_and_no_name_is_markup():
    w = tl.tensor([1.0], requires_grad=True, name="<script>\x1b[31m\nforged")
    found = tl.diagnose(tl.tensor([1.0], requires_grad=True).sum(), [w])
    assert "<script" not in found._repr_html_()
    assert "\x1b" not in repr(found) + found._repr_html_()
    assert len(repr(found).splitlines()) == 1
    assert "<table>" in tl.diagnose(w.sum())._repr_html_()


def test_a_compiled_layer_is_looked_into():
    cell = with_bias(tl.LSTMCell(3, 5, rng=0), "forget_gate", -60.0)
    layer = tl.compile(tl.nn.Recurrent(cell))
    output, _ = layer(tl.tensor(np.random.default_rng(0).normal(size=(4, 2, 3))))
    assert "forget_gate.f" in of_kind(tl.diagnose(output.sum()), "saturated").where


@pytest.mark.parametrize(
    ("wrong", "kind", "said"),
    [
        (lambda: tl.diagnose(3.0), TypeError, "diagnose takes a tensor that was computed"),
        (lambda: tl.diagnose(tl.tensor(1.0), 3), TypeError, "parameters are a module, or a list of tensors, not 3"),
        (lambda: tl.diagnose(tl.tensor(1.0), tl.tensor(1.0)), TypeError, "a list of tensors"),
        (lambda: tl.diagnose(tl.tensor(1.0), lr="big"), TypeError, "lr is a number, the learning rate"),
        (lambda: tl.diagnose(tl.tensor(1.0), lr=0.0), ValueError, "lr is above 0, not 0.0"),
        (lambda: tl.diagnose(tl.tensor(1.0), lr=float("nan")), ValueError, "lr is above 0"),
    ],
)
def test_what_cannot_be_diagnosed_is_refused_in_one_line(wrong, kind, said):
    with pytest.raises(kind, match=said):
        wrong()
