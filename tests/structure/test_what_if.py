"""What would have been: a graph with some of its numbers replaced is the graph of a run that had them."""

import copy
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cell import Cell
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.structure.path import find
from tinygrad_lstm.structure.timeline import Timeline
from tinygrad_lstm.testing.generate import strategies

T, N, D, H = 5, 2, 3, 4


class OpenLSTM(Cell):
    """An LSTM written by hand whose forget gate is a constant 1."""

    state_names = ("h", "c")

    def __init__(self, cell):
        super().__init__(cell.input_size, cell.hidden_size, dtype=cell.dtype)
        self.input_gate, self.candidate, self.output_gate = cell.input_gate, cell.candidate, cell.output_gate

    def forward(self, x, state):
        h, c = state
        z = tl.concat([h, x], axis=-1)
        f = tl.tensor(np.ones(c.shape), dtype=c.dtype)
        i, g, o = self.input_gate(z), self.candidate(z), self.output_gate(z)
        c = f * c + i * g
        return o * tl.tanh(c), c


def inputs(dtype=np.float64):
    rng = np.random.default_rng(1)
    xs = tl.tensor(rng.normal(size=(T, N, D)), name="xs", requires_grad=True, dtype=dtype)
    h0, c0 = (
        tl.tensor(rng.normal(size=(N, H)), name=name, requires_grad=True, dtype=dtype) for name in ("h_init", "c_init")
    )
    return xs, h0, c0


def unrolled(cell, xs, *state):
    """The loss of a cell over a sequence; of the outputs of every step."""
    state = state if len(cell.state_names) > 1 else state[0]
    total = 0.0
    for t in range(T):
        with tl.time_step(t):
            state = cell(xs[t], state)
            total = total + (state[0] if isinstance(state, tuple) else state).sum()
    return total


def same_graphs(one, other, leaves=()):
    """Two outputs are the same bits, and so is each gradient; leaves are given as pairs."""
    np.testing.assert_array_equal(one.value, other.value)
    assert one.dtype == other.dtype
    mine, theirs = zip(*leaves, strict=True)
    for g, wanted in zip(tl.grad(one, mine), tl.grad(other, theirs), strict=True):
        np.testing.assert_array_equal(g.value, wanted.value)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_open_gate_is_an_lstm_written_with_a_constant(dtype):
    cell = tl.LSTMCell(D, H, rng=0, dtype=dtype)
    xs, h0, c0 = inputs(dtype)
    loss = unrolled(cell, xs, h0, c0)
    before = loss.value
    opened, by_hand = tl.what_if(loss, {cell.forget_gate: 1.0}), unrolled(OpenLSTM(cell), xs, h0, c0)
    learned = [p for p in cell.parameters() if not p.name.startswith("forget_gate")]
    same_graphs(opened, by_hand, [(x, x) for x in (xs, h0, c0, *learned)])
    assert loss.value is before
    assert all(node.dtype == dtype for node in tl.Graph(opened).nodes if node.name)
    assert opened.dtype == loss.dtype


def test_the_names_of_a_gate_mean_what_the_gate_means():
    cell = tl.LSTMCell(D, H, rng=0)
    loss = unrolled(cell, *inputs())
    wanted = tl.what_if(loss, {cell.forget_gate: 0.5}).item()
    for name in ("f", "forget_gate", "forget_gate.f"):
        assert tl.what_if(loss, {name: 0.5}).item() == wanted
    gates = [node for node in tl.Graph(loss).nodes if node.name == "f"]
    assert tl.what_if(loss, dict.fromkeys(gates, 0.5)).item() == wanted
    assert tl.what_if(loss, {f"t{t}.forget_gate": np.full(H, 0.5) for t in range(T)}).item() == wanted


def test_a_state_that_is_replaced_gives_what_a_run_from_there_gives():
    cell = tl.LSTMCell(D, H, rng=0)
    xs, h0, c0 = inputs()
    loss, other = unrolled(cell, xs, h0, c0), tl.tensor(np.zeros((N, H)), requires_grad=True)
    fresh = unrolled(cell, xs, other, c0)
    changed = tl.what_if(loss, {h0: np.zeros((N, H))})
    same_graphs(changed, fresh, [(h0, other), *((x, x) for x in (xs, c0, *cell.parameters()))])
    graph = tl.Graph(changed)
    assert h0 in set(graph.leaves)
    assert h0.value.any()
    assert not graph.values[h0].any()


def test_backward_adds_to_the_same_leaves():
    cell = tl.LSTMCell(D, H, rng=0)
    xs, h0, c0 = inputs()
    loss = unrolled(cell, xs, h0, c0)
    changed = tl.what_if(loss, {"h_init": 0.0, "t2.f": 1.0})
    loss.backward()
    first = h0.grad.value
    changed.backward()
    np.testing.assert_allclose(h0.grad.value, first + tl.grad(changed, [h0])[0].value)


def test_one_step_alone_is_replaced():
    cell = tl.LSTMCell(D, H, rng=0)
    xs, h0, c0 = inputs()
    loss = unrolled(cell, xs, h0, c0)
    changed = tl.what_if(loss, {"t3.c": 0.25})
    state = (h0, c0)
    total = 0.0
    for t in range(T):
        h, c = cell(xs[t], state)
        if t == 3:
            c = tl.tensor(np.full((N, H), 0.25))
            h = [n for n in tl.Graph(h).nodes if n.name == "o"][-1] * tl.tanh(c)
        total = total + h.sum()
        state = h, c
    same_graphs(changed, total, [(x, x) for x in (xs, h0, c0, *cell.parameters())])
    names = {node.name: node for node in tl.Graph(changed).nodes if node.time == 3 and node.name}
    assert names["c"].is_leaf
    assert "f" not in names  # nothing is computed of it any more
    assert tl.Graph(changed).ids[names["c"]] == "t3.c"


def test_a_function_replaces_a_value_and_the_gradient_flows_through():
    cell = tl.LSTMCell(D, H, rng=0)
    xs, h0, c0 = inputs()
    loss = unrolled(cell, xs, h0, c0)
    bias = cell.forget_gate.bias
    gain = tl.tensor(0.5, requires_grad=True, name="gain")  # newer than all that the loss is made of
    changed = tl.what_if(loss, {cell.forget_gate: lambda f: f * gain})
    g_gain, g_bias = tl.grad(changed, [gain, bias])
    assert g_gain.value.any()
    assert g_bias.value.any()
    order = {node: place for place, node in enumerate(tl.Graph(changed).nodes)}
    assert all(order[x] < order[node] for node in order for x in node.inputs)
    lower = tl.what_if(loss, {cell.forget_gate: lambda f: f * (0.5 - 1e-6)}).item()
    higher = tl.what_if(loss, {cell.forget_gate: lambda f: f * (0.5 + 1e-6)}).item()
    np.testing.assert_allclose(g_gain.item(), (higher - lower) / 2e-6, rtol=1e-7)
    made = find(changed, "t2.f")
    assert made.primitive.name == "mul"
    assert (made.scope, made.time) == (("forget_gate",), 2)
    again = tl.what_if(changed, {"f": lambda f: f * 2.0})  # the name is that of what goes on
    np.testing.assert_allclose(again.item(), loss.item(), rtol=1e-15)


def test_a_function_may_return_numbers_and_sees_what_came_before():
    cell = tl.LSTMCell(D, H, rng=0)
    loss, seen = unrolled(cell, *inputs()), []

    def held(c):
        seen.append(c)
        return c.value.round(1)

    changed = tl.what_if(loss, {"xs": lambda xs: 0 * xs.value, "t1.c": held})
    zero = unrolled(cell, 0 * inputs()[0], *inputs()[1:])
    (c,) = seen
    np.testing.assert_array_equal(c.value, find(zero, "t1.c").value)
    np.testing.assert_array_equal(find(changed, "t1.c").value, c.value.round(1))


def test_a_function_of_a_leaf_is_given_what_it_was():
    w = tl.tensor([2.0, 3.0], requires_grad=True, name="w")
    loss = (w * w).sum()
    w.value = np.zeros(2)
    changed = tl.what_if(loss, {w: lambda w: w + 1.0})
    assert changed.item() == 25.0
    np.testing.assert_array_equal(tl.grad(changed, [w])[0].value, [6.0, 8.0])
    assert tl.what_if(loss, {"w": lambda w: w}).item() == 13.0


def test_a_function_keeps_shape_and_dtype():
    x = tl.tensor([[1.0, 2.0]], dtype=np.float32, requires_grad=True, name="x")
    loss = tl.tanh(x * x).sum()
    changed = tl.what_if(loss, {"mul": lambda y: y.sum() * tl.tensor(2.0)})
    assert changed.dtype == np.float32
    assert [node.shape for node in tl.Graph(changed).nodes if node.name is None][-2:] == [(1, 2), ()]
    assert tl.grad(changed, [x])[0].dtype == np.float32


def test_what_comes_before_a_change_is_shared():
    cell = tl.LSTMCell(D, H, rng=0)
    loss = unrolled(cell, *inputs())
    old, new = set(tl.Graph(loss).nodes), tl.Graph(tl.what_if(loss, {"t2.f": lambda f: f * 0.5}))
    operations = [node for node in new.nodes if not node.is_leaf]
    assert {node.time for node in operations if node in old} == {0, 1, 2}
    assert {node.name for node in operations if node in old and node.time == 2} == {
        None,
    }
    assert set(new.leaves) & old == set(tl.Graph(loss).leaves)
    place = lambda node: (node.scope, node.time, node.line)
    cells = [[place(node) for node in graph.nodes if node.name == "c"] for graph in (tl.Graph(loss), new)]
    assert cells[0] == cells[1]


def test_what_is_downstream_of_a_change_is_replaced_too():
    x = tl.tensor(1.0, name="x")
    with tl.scope("first"):
        y = x * 2.0
    with tl.scope("second"):
        z = y + x
    assert tl.what_if(z, {x: 5.0, "first": lambda y: y + 1.0}).item() == 16.0
    assert tl.what_if(z, {x: 5.0, y: 1.0, z: lambda z: z * 10.0}).item() == 60.0
    assert tl.what_if(z, {x: 5.0, "second": 7.0}).item() == 7.0  # what led there matters no more


def test_the_output_itself_is_replaced():
    x = tl.tensor(2.0, requires_grad=True, name="x")
    y = x * x
    constant = tl.what_if(y, {y: 3.0})
    assert (constant.item(), constant.requires_grad) == (3.0, False)
    assert tl.grad(tl.what_if(y, {y: lambda y: y * y}), [x])[0].item() == 32.0
    leaf = tl.what_if(x, {x: 3.0})
    assert (leaf.item(), x.item(), tl.grad(leaf, [x])[0].item()) == (3.0, 2.0, 1.0)


@pytest.mark.parametrize("cell", ["gru", "rnn", "peephole", "coupled"])
def test_every_cell_starts_from_another_state(cell):
    made = {"gru": tl.GRUCell, "rnn": tl.RNNCell, "peephole": tl.PeepholeLSTMCell, "coupled": tl.CoupledLSTMCell}[cell]
    cell = made(D, H, rng=0)
    xs, h0, c0 = inputs()
    other = tl.tensor(np.full((N, H), 0.5), requires_grad=True)
    loss, fresh = unrolled(cell, xs, h0, c0), unrolled(cell, xs, other, c0)
    same_graphs(tl.what_if(loss, {h0: 0.5}), fresh, [(h0, other), *((x, x) for x in (xs, *cell.parameters()))])


def test_an_update_gate_that_keeps_all_keeps_the_state():
    cell = tl.GRUCell(D, H, rng=0)
    xs, h0, _ = inputs()
    loss = unrolled(cell, xs, h0)
    kept = tl.what_if(loss, {cell.update_gate: 1.0})
    np.testing.assert_array_equal(find(kept, f"t{T - 1}.h").value, h0.value)
    np.testing.assert_array_equal(tl.grad(kept, [h0])[0].value, np.full((N, H), float(T)))


def test_two_layers_in_two_directions_have_gates_of_their_own():
    lstm = tl.LSTM(D, H, num_layers=2, bidirectional=True, rng=0)
    xs, _, _ = inputs()
    loss = lstm(xs)[0].sum()
    gates = {path: module for path, module in lstm.named_modules() if path.endswith("forget_gate")}
    assert len(gates) == 4
    found = {path: tl.what_if(loss, {gate: 1.0}).item() for path, gate in gates.items()}
    assert len({loss.item(), *found.values()}) == 5
    scopes = list(dict.fromkeys(n.scope[0] for n in tl.Graph(loss).nodes if n.name == "f"))
    assert {tl.what_if(loss, {f"{scope}.f": 1.0}).item() for scope in scopes} == set(found.values())
    assert {tl.what_if(loss, {f"{scope}.forget_gate": 1.0}).item() for scope in scopes} == set(found.values())
    with pytest.raises(ValueError, match=r"4 tensors are called 'f' at t=0; say which: t0\.layer0\.forget_gate\.sig"):
        tl.what_if(loss, {"f": 1.0})
    assert tl.what_if(loss, {"t1.layer1.f": 1.0}).item() not in found.values()


def test_steps_are_those_that_a_program_took_if_it_names_none():
    cell = tl.LSTMCell(D, H, rng=0)
    xs, h0, c0 = inputs()
    state = h0, c0
    for t in range(T):
        state = cell(xs[t], state)
    loss = state[0].sum()
    (third,) = [node for node in tl.Graph(loss).nodes if node.name == "f"][2:3]
    assert tl.what_if(loss, {"t2.f": 1.0}).item() == tl.what_if(loss, {third: 1.0}).item()
    assert tl.what_if(loss, {"f": 1.0}).item() == tl.what_if(loss, {cell.forget_gate: 1.0}).item()


def test_a_name_of_each_step_leaves_an_input_of_that_name_alone():
    cell = tl.RNNCell(D, H, rng=0)
    xs, _, _ = inputs()
    h = tl.tensor(np.ones((N, H)), name="h", requires_grad=True)
    changed = tl.what_if(unrolled(cell, xs, h), {"h": 0.0})
    assert changed.item() == 0.0


def test_a_compiled_layer_is_looked_into():
    cell_of = lambda layer: next(module for path, module in layer.named_modules() if path.endswith("forget_gate"))
    layer = tl.LSTM(D, H, rng=0)
    xs, _, _ = inputs()
    wanted = tl.what_if(layer(xs)[0].sum(), {cell_of(layer): 1.0})
    loss = tl.compile(layer)(xs)[0].sum()
    found = tl.what_if(loss, {"forget_gate": 1.0})
    np.testing.assert_allclose(found.item(), wanted.item(), rtol=1e-14)
    np.testing.assert_allclose(tl.what_if(loss, {cell_of(layer): 1.0}).item(), wanted.item(), rtol=1e-14)
    for g, w in zip(tl.grad(found, [xs]), tl.grad(wanted, [xs]), strict=True):
        np.testing.assert_allclose(g.value, w.value, rtol=1e-12, atol=1e-15)


def test_two_graphs_of_one_run_are_opened_and_copied_apart():
    x = tl.tensor([0.5, 1.0], requires_grad=True, name="x")
    doubled = tl.compile(lambda y: y + y)
    loss = tl.tanh(x * x).sum()
    one, other = (tl.what_if(loss, {"mul": lambda y, k=k: doubled(y * k)}) for k in (1.0, 2.0))
    values = [tl.Graph(each).opened()[0].output.item() for each in (one, other)]
    np.testing.assert_allclose(values, [np.tanh(2 * x.value**2).sum(), np.tanh(4 * x.value**2).sum()])
    copies = copy.deepcopy((loss, tl.what_if(loss, {"x": 0.0})))
    assert [tl.Graph(each).replay()[each].item() for each in copies] == [loss.item(), 0.0]


def test_the_walk_and_the_picture_are_those_of_the_change():
    loss = small_loss("lstm", 3)
    changed = tl.what_if(loss, {"t1.f": 1.0, "h0": 0.5})
    for view in ("ops", "gates", "cells", "rolled", "backward"):
        assert tl.draw(changed, view).source
    contributions = list(tl.backprop(changed))
    assert len(contributions) < len(list(tl.backprop(loss)))
    (h0,) = [leaf for leaf in tl.Graph(changed).leaves if leaf.name == "h0"]
    np.testing.assert_array_equal(tl.Graph(changed).values[h0], np.full(2, 0.5))
    assert tl.step(changed).ledger("candidate.weight")
    assert tl.source(changed)


def test_what_was_not_recorded_is_a_leaf_like_others():
    gate = tl.nn.Gate(2, tl.sigmoid, "f", hidden_size=2, rng=0)
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="x")
    with tl.no_grad():
        f = gate(x)
    loss = (f * x).sum()
    with tl.no_grad():
        changed = tl.what_if(loss, {gate: 2.0})
        assert tl.what_if(loss, {"x": lambda x: x * 2.0}).requires_grad
    assert changed.item() == 6.0
    np.testing.assert_array_equal(tl.grad(changed, [x])[0].value, [2.0, 2.0])


def test_whether_it_learns_is_asked_of_what_it_is_computed_of():
    x, w = tl.tensor(1.0, name="x"), tl.tensor(2.0, requires_grad=True, name="w")
    y = x * w
    loss = y + x
    assert not tl.what_if(loss, {y: 1.0}).requires_grad
    assert tl.what_if(x * 2.0, {x: lambda x: x * w}).requires_grad
    assert tl.what_if(loss, {x: 3.0, w: 0.0}).requires_grad
    assert not tl.what_if(tl.floor(y), {y: lambda y: y * tl.tensor(1.0, requires_grad=True)}).requires_grad


def test_a_nan_may_be_put_in():
    x = tl.tensor([1.0, 2.0], name="x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(tl.what_if(tl.tanh(x).sum(), {"tanh": [np.nan, 1.0]}).item())


@given(strategies.expression_graphs(), st.data())
def test_a_leaf_replaced_is_a_fresh_run(program, data):
    given_ = [tl.tensor(x.value if isinstance(x, tl.Tensor) else x, requires_grad=True) for x in program.inputs]
    output = program(*given_)
    there = set(tl.Graph(output).leaves) if output.requires_grad else ()
    which = data.draw(st.lists(st.sampled_from(range(len(given_))), min_size=1, unique=True))
    changes = {given_[i]: given_[i].value * 0.75 for i in which if given_[i] in there}
    if not changes:
        return
    fresh = [tl.tensor(changes.get(x, x.value), requires_grad=True) for x in given_]
    with np.errstate(all="ignore"):
        wanted, found = program(*fresh), tl.what_if(output, changes)
        np.testing.assert_array_equal(found.value, wanted.value)
        seed = np.ones(output.shape)
        for g, w in zip(
            tl.grad(found, given_, seed=seed, allow_unused=True),
            tl.grad(wanted, fresh, seed=seed, allow_unused=True),
            strict=True,
        ):
            assert (g is None) == (w is None)
            if g is not None:
                np.testing.assert_array_equal(g.value, w.value)


WRONG = [
    (3.0, {}, TypeError, r"what_if takes a tensor that was computed, such as a loss, not 3\.0"),
    (None, [1.0], TypeError, r"a mapping of what is replaced, as in \{'t3\.f': 1\.0\}, not \[1\.0\]"),
    (None, {}, ValueError, "told nothing to replace"),
    (None, {3: 1.0}, TypeError, "a tensor, a module or a name, not 3"),
    (None, {tl.nn.Gate: 1.0}, TypeError, "a tensor, a module or a name, not <class"),
    (None, {"q": 1.0}, ValueError, "no tensor here is called 'q'; there is .*forget_gate.weight"),
    (None, {"t7.f": 1.0}, ValueError, r"no tensor here is called 't7\.f'"),
    (None, {"t1.mul": 1.0, "t1.mul_2": 1.0, "t1.mu": 0.0}, ValueError, "no tensor here is called 't1.mu'"),
    (
        None,
        {"f": 1.0, "t1.f": 0.0},
        ValueError,
        r"t1\.cell\.forget_gate\.sigmoid is replaced twice, by 'f' and 't1\.f'",
    ),
    (None, {tl.tensor(1.0): 1.0}, ValueError, "no path leads from .* cut by detach"),
    (None, {tl.Linear(2, 2, rng=0): 1.0}, ValueError, r"Linear\(2 → 2\) returned nothing that"),
    (None, {"f": "open"}, TypeError, r"t0\.cell\.forget_gate\.sigmoid is replaced by numbers, an array, or a function"),
    (None, {"f": 1j}, TypeError, "tensors hold real numbers"),
    (None, {"f": lambda f: None}, TypeError, r"t0\.cell\.forget_gate\.sigmoid is replaced by numbers"),
    (
        None,
        {"f": [1.0, 2.0, 3.0]},
        tl.ShapeError,
        r"t0\.cell\.forget_gate\.sigmoid has shape \(2,\), and shape \(3,\) does",
    ),
    (None, {"f": np.ones((1, 2))}, tl.ShapeError, r"and shape \(1, 2\) does not broadcast"),
    (None, {"f": lambda f: f.reshape(1, 2)}, tl.ShapeError, r"and shape \(1, 2\) does not broadcast"),
    (None, {"f": tl.tensor(1.0, requires_grad=True)}, TypeError, "whose gradient would be cut"),
    (None, {"cell": 1.0}, ValueError, r"2 tensors are called 'cell' at t=0; say which: t0\.cell\.add, t0\.cell\.mul"),
]


@pytest.mark.parametrize(("output", "changes", "kind", "words"), WRONG)
def test_what_is_wrong_is_said(output, changes, kind, words):
    output = small_loss("lstm", 2) if output is None else output
    with pytest.raises(kind, match=words):
        tl.what_if(output, changes)


def test_a_module_that_returns_several_has_to_be_asked_for_one():
    cell = tl.LSTMCell(D, H, rng=0)
    with pytest.raises(
        ValueError, match=r"LSTMCell\(3 → 4\) returned 2 tensors in one call; say which: t0\.add, t0\.m"
    ):
        tl.what_if(unrolled(cell, *inputs()), {cell: 0.0})
    rnn = tl.RNNCell(D, H, rng=0)
    assert tl.what_if(unrolled(rnn, *inputs()), {rnn: 1.0}).item() == T * N * H


def test_a_step_that_lacks_operations_is_still_a_step_like_the_others():
    changed = tl.what_if(small_loss("lstm", 4), {"t2.c": 0.0})
    fold = Timeline(tl.Graph(changed)).fold
    for name, steps in {"h": 4, "c": 3, "o": 4}.items():
        assert Counter(fold[node] for node in fold if node.name == name).most_common() == [
            (fold[find(changed, f"t1.{name}")], steps)
        ]
