"""Cells against their equations written out in numpy, and recurrent layers over whole sequences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.nn.longhand import LONGHAND, sigmoid, weights
from tinygrad_lstm.nn import Recurrent
from tinygrad_lstm.nn.cell import as_state, state_parts

CELLS = [tl.RNNCell, tl.LSTMCell, tl.GRUCell, tl.PeepholeLSTMCell, tl.CoupledLSTMCell]
LAYERS = [tl.RNN, tl.LSTM, tl.GRU]
STACKS = [(1, True), (2, False), (2, True), (3, True)]
each_cell = pytest.mark.parametrize("cell_type", CELLS)


def states(cell, rng, *batch):
    return [rng.normal(size=(*batch, cell.hidden_size)) for _ in cell.state_names]


@each_cell
@given(d=st.integers(1, 4), h=st.integers(1, 4), n=st.none() | st.integers(1, 3), seed=st.integers(0, 99))
def test_a_cell_is_its_equations(cell_type, d, h, n, seed):
    """With a batch, and on a single vector."""
    rng = np.random.default_rng(seed)
    cell = cell_type(d, h, rng=rng)
    for parameter in cell.parameters():  # biases too
        parameter.value = rng.normal(size=parameter.shape)
    batch = () if n is None else (n,)
    x, state = rng.normal(size=(*batch, d)), states(cell, rng, *batch)
    expected = LONGHAND[cell_type](weights(cell), x, *state)
    for new, wanted in zip(
        state_parts(cell, cell(tl.tensor(x), as_state(tuple(map(tl.tensor, state))))),
        expected if isinstance(expected, tuple) else (expected,),
        strict=True,
    ):
        np.testing.assert_allclose(new.value, wanted, rtol=1e-12, atol=1e-14)


def test_the_relu_cell_is_its_equation(rng):
    cell = tl.RNNCell(2, 3, nonlinearity="relu", rng=0)
    x, h = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    p = weights(cell)
    expected = np.maximum(np.concatenate([h, x], -1) @ p["layer.weight"] + p["layer.bias"], 0)
    np.testing.assert_allclose(cell(tl.tensor(x), tl.tensor(h)).value, expected)


@each_cell
def test_a_cell_without_a_state_starts_from_zeros(cell_type, rng):
    cell = cell_type(2, 3, rng=0)
    for x in (rng.normal(size=2), rng.normal(size=(4, 2))):
        zeros = as_state((tl.tensor(np.zeros((*x.shape[:-1], 3))),) * len(cell.state_names))
        for given_none, given_zeros in zip(
            state_parts(cell, cell(x)), state_parts(cell, cell(tl.tensor(x), zeros)), strict=True
        ):
            np.testing.assert_array_equal(given_none.value, given_zeros.value)


@each_cell
def test_a_cell_keeps_no_state(cell_type):
    cell = cell_type(2, 3, rng=0)
    first, second = (state_parts(cell, cell([1.0, 2.0]))[0].value for _ in range(2))
    np.testing.assert_array_equal(first, second)


@each_cell
@pytest.mark.parametrize("batch", [(), (2,)])
def test_gradients_through_time_agree_with_the_complex_step(cell_type, batch, rng):
    """Four steps, D == H, non-zero first state; inputs, state and every parameter; cotangents on every step."""
    cell = cell_type(3, 3, rng=0)
    layer = Recurrent(cell)
    xs, state = rng.normal(size=(4, *batch, 3)), states(cell, rng, 1, *batch)
    report = tl.testing.check_vjp(
        lambda xs, *state: layer(xs, as_state(state)), xs, *state, parameters=layer.parameters(), directions=3
    )
    assert len(report.errors) == 1 + len(state) + len(cell.parameters())
    assert report.worst < 1e4


@pytest.mark.parametrize("layer_type", LAYERS)
@pytest.mark.parametrize("batch", [(), (1,), (5,)])
def test_layers_have_pytorchs_shapes(layer_type, batch, rng):
    layer = layer_type(2, 3, rng=0)
    output, state = layer(tl.tensor(rng.normal(size=(4, *batch, 2))))
    assert output.shape == (4, *batch, 3)
    parts = state_parts(layer.cell, state)
    assert [part.shape for part in parts] == [(1, *batch, 3)] * len(parts)
    np.testing.assert_array_equal(output.value[-1], parts[0].value[0])


@pytest.mark.parametrize("layer_type", LAYERS)
@pytest.mark.parametrize(("num_layers", "bidirectional"), STACKS)
@pytest.mark.parametrize("batch", [(), (1,), (5,)])
def test_several_layers_have_pytorchs_shapes(layer_type, num_layers, bidirectional, batch, rng):
    layer = layer_type(2, 3, num_layers=num_layers, bidirectional=bidirectional, rng=0)
    directions = 1 + bidirectional
    output, state = layer(tl.tensor(rng.normal(size=(4, *batch, 2))))
    assert output.shape == (4, *batch, directions * 3)
    parts = state_parts(layer.cells[0], state)
    assert [part.shape for part in parts] == [(num_layers * directions, *batch, 3)] * len(parts)
    last = [output.value[-1, ..., :3], output.value[0, ..., 3:]]  # the reverse direction ends at the first step
    np.testing.assert_array_equal(parts[0].value[-directions:], last[:directions])


def by_hand(cell, xs, state):
    """h after each of the xs, in their order, and the last state."""
    hidden = []
    for x in xs:
        state = cell(x, state)
        hidden.append(state_parts(cell, state)[0])
    return hidden, state_parts(cell, state)


@pytest.mark.parametrize("layer_type", LAYERS)
@pytest.mark.parametrize("batch", [(), (2,)])
def test_layers_are_their_cells_run_one_after_another(layer_type, batch, rng):
    """Two layers, both directions, from a given state: the unrolling written out, equal to the last bit."""
    layer = layer_type(2, 3, num_layers=2, bidirectional=True, rng=0)
    xs = tl.tensor(rng.normal(size=(5, *batch, 2)))
    given = states(layer.cells[0], rng, 4, *batch)
    pieces = [as_state(tuple(tl.tensor(part[k]) for part in given)) for k in range(4)]

    ahead, end0 = by_hand(layer.layer0, list(xs), pieces[0])
    back, end1 = by_hand(layer.layer0_reverse, list(xs)[::-1], pieces[1])
    middle = [tl.concat([h, r], axis=-1) for h, r in zip(ahead, back[::-1], strict=True)]
    ahead, end2 = by_hand(layer.layer1, middle, pieces[2])
    back, end3 = by_hand(layer.layer1_reverse, middle[::-1], pieces[3])
    expected = [tl.concat([h, r], axis=-1) for h, r in zip(ahead, back[::-1], strict=True)]

    output, state = layer(xs, as_state(tuple(map(tl.tensor, given))))
    np.testing.assert_array_equal(output.value, tl.stack(expected).value)
    for part, ends in zip(state_parts(layer.cells[0], state), zip(end0, end1, end2, end3, strict=True), strict=True):
        np.testing.assert_array_equal(part.value, tl.stack(ends).value)


def test_layers_in_one_direction_are_their_cells_run_one_after_another(rng):
    """Of different kinds, as long as their states are alike."""
    layer = Recurrent(tl.LSTMCell(2, 3, rng=0), tl.PeepholeLSTMCell(3, 3, rng=1), tl.CoupledLSTMCell(3, 3, rng=2))
    xs = tl.tensor(rng.normal(size=(4, 2, 2)))
    hidden, ends = list(xs), []
    for cell in (layer.layer0, layer.layer1, layer.layer2):
        hidden, end = by_hand(cell, hidden, None)
        ends.append(end)
    output, (h_n, c_n) = layer(xs)
    np.testing.assert_array_equal(output.value, tl.stack(hidden).value)
    np.testing.assert_array_equal(h_n.value, tl.stack([h for h, _ in ends]).value)
    np.testing.assert_array_equal(c_n.value, tl.stack([c for _, c in ends]).value)


@pytest.mark.parametrize("layer_type", LAYERS)
@pytest.mark.parametrize(("num_layers", "bidirectional"), STACKS)
def test_layers_without_a_state_start_from_zeros(layer_type, num_layers, bidirectional, rng):
    layer = layer_type(2, 3, num_layers=num_layers, bidirectional=bidirectional, rng=0)
    for xs in (rng.normal(size=(4, 2)), rng.normal(size=(4, 5, 2))):
        zeros = tl.tensor(np.zeros((num_layers * (1 + bidirectional), *xs.shape[1:-1], 3)))
        state = as_state((zeros,) * len(layer.cells[0].state_names))
        np.testing.assert_array_equal(layer(tl.tensor(xs))[0].value, layer(tl.tensor(xs), state)[0].value)


@pytest.mark.parametrize("layer_type", LAYERS)
@given(steps=st.integers(1, 5), n=st.none() | st.integers(1, 3), num_layers=st.integers(1, 3), seed=st.integers(0, 99))
def test_backwards_through_exchanged_directions_is_the_same_backwards(layer_type, steps, n, num_layers, seed):
    """A reversed sequence, read by exchanged cells, gives the reversed output with its halves exchanged."""
    rng = np.random.default_rng(seed)
    how = {"num_layers": num_layers, "bidirectional": True, "rng": seed}
    layer, exchanged = layer_type(2, 3, **how), layer_type(2, 3, **how)
    halves = {9: np.r_[0:3, 6:9, 3:6], 6: np.r_[3:6, 0:3]}  # of x, the other way round, after h where h is read too
    for k, cell in enumerate(exchanged.cells):
        for mine, other in zip(cell.parameters(), layer.cells[k ^ 1].parameters(), strict=True):
            mine.value = other.value[halves.get(len(other.value), ...)] if k > 1 else other.value
    xs = rng.normal(size=(steps, *(() if n is None else (n,)), 2))
    there, state = layer(tl.tensor(xs))
    back, state_back = exchanged(tl.tensor(xs[::-1]))
    halves_exchanged = np.concatenate([there.value[..., 3:], there.value[..., :3]], axis=-1)
    np.testing.assert_allclose(back.value[::-1], halves_exchanged, rtol=1e-11, atol=1e-13)
    for one, other in zip(state_parts(layer.cells[0], state), state_parts(layer.cells[0], state_back), strict=True):
        pairs = [k ^ 1 for k in range(2 * num_layers)]
        np.testing.assert_allclose(one.value, other.value[pairs], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("layer_type", LAYERS)
@pytest.mark.parametrize("batch", [(), (2,)])
def test_gradients_through_layers_and_directions_agree_with_the_complex_step(layer_type, batch, rng):
    layer = layer_type(2, 3, num_layers=2, bidirectional=True, rng=0)
    xs, state = rng.normal(size=(3, *batch, 2)), states(layer.cells[0], rng, 4, *batch)
    report = tl.testing.check_vjp(
        lambda xs, *state: layer(xs, as_state(state)), xs, *state, parameters=layer.parameters(), directions=2
    )
    assert len(report.errors) == 1 + len(state) + len(layer.parameters())
    assert report.worst < 1e4


def test_one_cell_is_called_cell_and_several_by_layer_and_direction():
    for how, names in [
        ({}, ["cell"]),
        ({"bidirectional": True}, ["layer0", "layer0_reverse"]),
        ({"num_layers": 2}, ["layer0", "layer1"]),
        ({"num_layers": 2, "bidirectional": True}, ["layer0", "layer0_reverse", "layer1", "layer1_reverse"]),
    ]:
        layer = tl.RNN(2, 3, rng=0, **how)
        parameters = [f"{name}.layer.{part}" for name in names for part in ("weight", "bias")]
        assert [name for name, _ in layer.named_parameters()] == parameters
        assert [parameter.name for parameter in layer.parameters()] == parameters
        assert layer.cells == tuple(getattr(layer, name) for name in names)


def test_every_step_of_every_layer_is_recorded_at_its_time():
    """From the left also in the reverse direction; each slice made once; no stack between the layers."""
    layer = tl.RNN(2, 3, num_layers=2, bidirectional=True, rng=0)
    output, _ = layer(tl.tensor(np.ones((3, 2)), name="xs"))
    nodes = [node for node in tl.Graph(output).nodes if not node.is_leaf and node is not output]
    for t in range(3):
        slices = [node for node in nodes if node.time == t and node.primitive.name == "getitem"]
        assert [(x.name, x.attrs["index"], x.scope) for x in slices] == [("x", t, ())]
        joins = [node for node in nodes if node.time == t and node.primitive.name == "concat" and not node.scope]
        assert [(join.name, [h.time for h in join.inputs]) for join in joins] == [("h", [t, t])] * 2
        assert [[h.scope[0] for h in join.inputs] for join in joins] == [
            ["layer0", "layer0_reverse"],
            ["layer1", "layer1_reverse"],
        ]
    assert all(node.time is not None for node in nodes)
    assert {h.time for node in nodes if node.scope[:1] == ("layer0_reverse",) for h in node.inputs} == {0, 1, 2, None}


@pytest.mark.parametrize("layer_type", LAYERS)
def test_a_sequence_may_be_run_in_pieces(layer_type, rng):
    layer = layer_type(2, 3, rng=0)
    xs = rng.normal(size=(5, 2, 2))
    whole, last = layer(tl.tensor(xs))
    first, state = layer(tl.tensor(xs[:2]))
    second, end = layer(tl.tensor(xs[2:]), state)
    np.testing.assert_array_equal(np.concatenate([first.value, second.value]), whole.value)
    for one, other in zip(state_parts(layer.cell, end), state_parts(layer.cell, last), strict=True):
        np.testing.assert_array_equal(one.value, other.value)


@pytest.mark.parametrize("layer_type", LAYERS)
def test_batch_entries_do_not_see_each_other(layer_type, rng):
    layer = layer_type(2, 3, rng=0)
    xs = rng.normal(size=(3, 4, 2))
    output, _ = layer(tl.tensor(xs))
    for n in range(4):
        alone, _ = layer(tl.tensor(xs[:, n]))
        np.testing.assert_allclose(alone.value, output.value[:, n], rtol=1e-12)


@pytest.mark.parametrize("cell_type", [tl.LSTMCell, tl.PeepholeLSTMCell])
@pytest.mark.parametrize("bias", [None, 0.0, 2.5])
def test_forget_bias_is_the_forget_gates_first_bias(cell_type, bias):
    cell = cell_type(2, 3, rng=0) if bias is None else cell_type(2, 3, forget_bias=bias, rng=0)
    np.testing.assert_array_equal(cell.forget_gate.bias.value, [1.0 if bias is None else bias] * 3)
    np.testing.assert_array_equal(cell.input_gate.bias.value, np.zeros(3))


def test_forget_bias_of_the_coupled_cell_keeps_as_much_as_the_lstms():
    cell = tl.CoupledLSTMCell(2, 3, forget_bias=2.0, rng=0)
    np.testing.assert_allclose(1 - sigmoid(cell.input_gate.bias.value), sigmoid(2.0))


def deep_lstm(*sizes, **how):
    return tl.LSTM(*sizes, num_layers=2, bidirectional=True, **how)


@pytest.mark.parametrize("make", [*CELLS, *LAYERS, deep_lstm, tl.Linear, tl.Embedding])
def test_one_seed_gives_one_network(make):
    def drawn(rng):
        return [parameter.value for parameter in make(2, 3, rng=rng).parameters()]

    for one, other in zip(drawn(7), drawn(np.random.default_rng(7)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(drawn(7), drawn(8), strict=True))


def test_layers_draw_from_one_generator_in_order():
    rng = np.random.default_rng(7)
    cells = [tl.GRUCell(size, 3, rng=rng) for size in (2, 2, 6, 6)]
    layer = tl.GRU(2, 3, num_layers=2, bidirectional=True, rng=7)
    for one, other in zip(layer.parameters(), Recurrent(*cells, bidirectional=True).parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)


@pytest.mark.parametrize("make", [*CELLS, *LAYERS, deep_lstm])
def test_a_float32_network_computes_and_learns_in_float32(make):
    network = make(2, 3, rng=0, dtype=np.float32)
    result = network(tl.tensor(np.ones((4, 2)), dtype=np.float32))
    first = result[0] if isinstance(result, tuple) else result
    first.sum().backward()
    assert {p.dtype for p in network.parameters()} == {np.dtype(np.float32)} == {first.dtype}
    assert {p.grad.dtype for p in network.parameters()} == {np.dtype(np.float32)}


# Names of a user's parts

NEEDED = sorted({*dir(tl.nn.Cell), *dir(tl.nn.Recurrent), *vars(tl.LSTM(2, 2, rng=0)), *vars(tl.RNNCell(2, 2, rng=0))})
FORMER = [
    "parts",
    "check",
    "gate",
    "gate_x",
    "_check",
    "_check_fit",
    "_directions",
    "_here",
    "_initial",
    "_names",
    "_rng",
]
FORMER += ["_name", "_number", "_walk", "_belong_to", "state", "step", "name", "cells0", "reverse", "h", "c", "hidden"]


def a_part(name):
    return [tl.Linear(5, 3, rng=1)] if name.startswith("list of ") else tl.Linear(5, 3, rng=1)


def own_cell(name, early=False):
    """A cell with one part of this name, or several, assigned before or after the sizes."""

    class Own(tl.nn.Cell):
        def __init__(self):
            if early:
                setattr(self, attribute, a_part(name))
            super().__init__(2, 3)
            if not early:
                setattr(self, attribute, a_part(name))

        def forward(self, x, h):
            part = getattr(self, attribute)
            return tl.tanh((part[0] if isinstance(part, tuple) else part)(tl.concat([h, x], axis=-1)))

    attribute = name.removeprefix("list of ")
    return Own()


def own_layer(name, early=False):
    """A recurrent layer with a head of this name."""

    class Own(Recurrent):
        def __init__(self):
            if early:
                setattr(self, attribute, a_part(name))
            super().__init__(tl.RNNCell(2, 5, rng=0))
            if not early:
                setattr(self, attribute, a_part(name))

        def forward(self, xs, state=None):
            output, state = super().forward(xs, state)
            part = getattr(self, attribute)
            return (part[0] if isinstance(part, tuple) else part)(output), state

    attribute = name.removeprefix("list of ")
    return Own()


def run(module):
    layer = module if isinstance(module, Recurrent) else Recurrent(module)
    output, state = layer(tl.tensor(np.ones((3, 2)), name="xs"))
    (output.sum() + state.sum()).backward()
    found = [output.value, state.value, *(parameter.grad.value for parameter in layer.parameters())]
    module.zero_grad()
    assert all(parameter.grad is None for parameter in module.parameters())
    return found


@pytest.mark.parametrize("early", [False, True], ids=["late", "early"])
@pytest.mark.parametrize("own", [own_cell, own_layer])
@pytest.mark.parametrize("several", ["", "list of "], ids=["one", "several"])
def test_a_part_of_any_name_works_or_is_refused_in_words(own, several, early):
    expected, refused = run(own("fine")), {}
    for name in {*NEEDED, *FORMER}:
        try:
            module = own(several + name, early)
        except TypeError as error:
            refused[name] = str(error)
            continue
        found = sorted(run(module), key=lambda array: (array.shape, array.sum()))
        for one, other in zip(found, sorted(expected, key=lambda array: (array.shape, array.sum())), strict=True):
            np.testing.assert_array_equal(one, other)
    assert all(f"Own.{name}: " in words and "give the " in words for name, words in refused.items())
    assert {"forward", "parameters", "named_parameters", "zero_grad", "__call__"} <= set(refused)
    if own is own_cell:
        assert {"zero_state", "input_size", "hidden_size", "dtype", "state_names"} <= set(refused)
    else:
        assert {"cell", "cells", "num_layers", "bidirectional"} <= set(refused)
    assert not {*FORMER, "layer"} & set(refused)


def test_numbers_and_functions_may_have_any_name_that_python_allows():
    cell = own_cell("fine")
    cell.zero_grad, cell.parts, cell.check, cell._name, cell._number = (lambda: None), 3, True, "mine", "mine"
    model = tl.nn.Recurrent(cell)
    assert [name for name, _ in model.named_parameters()] == ["cell.fine.weight", "cell.fine.bias"]
    output, _ = model(tl.tensor(np.ones((3, 2))))
    assert {node.scope[:1] for node in tl.Graph(output).nodes if node.scope} == {("cell",)}


def test_a_cell_that_is_unrolled_can_be_replaced_by_another_cell():
    layer = tl.GRU(2, 3, rng=0)
    layer.cell = tl.GRUCell(2, 3, rng=1)
    assert layer.cells == (layer.cell,)
    with pytest.raises(TypeError, match=r"GRU\.cell: this is the name of a cell that is unrolled"):
        layer.cell = tl.Linear(2, 3, rng=0)
    with pytest.raises(TypeError, match=r"GRU\.cell: "):
        layer.cell = None
