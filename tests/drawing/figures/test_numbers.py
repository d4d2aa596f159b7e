"""The numbers of a figure are those that anybody finds who computes them in another way."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.drawing.figures.networks import GATED, LOSSES, WORDS, plain_mgu, reader
from tinygrad_lstm.drawing.figures import difference as differences
from tinygrad_lstm.drawing.figures import influence, jacobian, openings, rainbow, saturation, sweep
from tinygrad_lstm.drawing.figures.reading import Recorded
from tinygrad_lstm.nn.cell import advance
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.structure.partners import partners
from tinygrad_lstm.structure.words import magnitude, shown


def tips(figure):
    """What the fields of a figure say when they are pointed at."""
    space = "{http://www.w3.org/2000/svg}"
    found = ET.fromstring(figure.svg).iter()
    return ["".join(e.itertext()) for e in found if e.tag == f"{space}title"][1:]


def test_openings_are_the_means_of_what_was_computed():
    loss = reader()
    graph = tl.Graph(loss)
    for symbol in "fio":
        values = [node.value for node in graph.nodes if node.name == symbol]
        shown = [tip for tip in tips(tl.draw(loss, "openings")) if tip.startswith(f"{symbol} ")]
        assert len(values) == len(shown) == len(WORDS)
        for t, (value, tip) in enumerate(zip(values, shown, strict=True)):
            assert f"step {t}, {WORDS[t]}: {value.mean():.3g}" in tip


@pytest.mark.parametrize("name", GATED)
def test_every_gate_of_every_cell_has_its_row(name):
    reading = Recorded(tl.Graph(LOSSES[name]()))
    for cell in reading.cells:
        for gate in cell.gates:
            means = openings.means(gate, reading.steps)
            assert ((means >= 0) & (means <= 1)).all()
            np.testing.assert_allclose(means, [gate.at[t].value.mean() for t in reading.steps])


@pytest.mark.parametrize("name", LOSSES)
def test_the_ribbons_add_up_to_the_gradient(name):
    loss = LOSSES[name]()
    reading = Recorded(tl.Graph(loss))
    weights = [weight for cell in reading.cells for weight in reading.weights_of(cell)]
    assert weights
    parts = rainbow.by_step(reading.graph, reading.timeline, weights)
    for weight, gradient in zip(weights, tl.grad(loss, weights), strict=True):
        assert set(parts[weight]) <= set(reading.all_steps)
        np.testing.assert_allclose(sum(parts[weight].values()), gradient.value, rtol=1e-10, atol=1e-13)


def test_a_ribbon_is_what_a_step_adds_as_the_ledger_has_it():
    loss = small_loss("lstm", 5)
    weight = next(leaf for leaf in tl.Graph(loss).leaves if leaf.name == "cell.forget_gate.weight")
    found = rainbow.by_step(tl.Graph(loss), Recorded(tl.Graph(loss)).timeline, [weight])[weight]
    for t, part in tl.step(loss).ledger(weight).by_time().items():
        np.testing.assert_allclose(found[t], part, rtol=1e-12)
    heights = [f"step {t} adds {magnitude(part):.2g}" for t, part in found.items()]
    one = tl.draw(loss, "rainbow", highlight=tl.path(loss, weight))
    assert tips(one) == [words.replace("e-0", "e−").replace("-", "−") for words in heights]


@pytest.mark.parametrize("name", CELLS)
def test_a_jacobian_of_h_is_that_by_complex_steps(name, rng):
    """Of a state that is given anew at step 1: what follows is replayed with a small imaginary change of h."""
    cell, xs = CELLS[name](2, 3, rng=0), rng.normal(size=(5, 2))

    def run(state, begin):
        for t, x in enumerate(xs[begin:], begin):
            with tl.time_step(t):
                state = advance(cell, tl.tensor(x), state)
        return state

    first = tuple(tl.tensor(rng.normal(size=3), name=f"{part}0") for part in cell.state_names)
    reading = Recorded(tl.Graph(run(first, 0)[0].sum()))
    states = {state.name: state for state in reading.states}
    found = jacobian.products(reading, states["h"])
    middle = tuple(tl.tensor(states[part].at[1].value) for part in cell.state_names)
    end, columns = run(middle, 2)[0], []
    for k in range(3):
        value = middle[0].value.astype(complex)
        value[k] += 1e-30j
        columns.append(tl.Graph(end).replay({middle[0]: value})[end].imag / 1e-30)
    np.testing.assert_allclose(found.jacobians[1], np.transpose(columns), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found.singular[1], np.linalg.svd(np.transpose(columns), compute_uv=False), rtol=1e-8)


@pytest.mark.parametrize("name", LOSSES)
def test_a_jacobian_of_any_state_has_the_gradients_of_its_last_value_as_rows(name):
    reading = Recorded(tl.Graph(LOSSES[name]()), "all" if name != "many steps" else (120, 150))
    for state in reading.states:
        found = jacobian.products(reading, state)
        t = sorted(found.jacobians)[len(found.jacobians) // 2]
        last = state.at[found.last]
        for k in range(last.shape[-1]):
            seed = np.zeros(last.shape)
            seed.reshape(-1, last.shape[-1])[0, k] = 1
            (gradient,) = tl.grad(last, [state.at[t]], seed)
            row = gradient.value.reshape(-1, last.shape[-1])[0]
            np.testing.assert_allclose(found.jacobians[t][k], row, rtol=1e-10, atol=1e-300)


def test_of_a_plain_network_the_jacobian_is_the_product_of_those_of_single_steps():
    reading = Recorded(tl.Graph(small_loss("rnn", 6)))
    (state,) = reading.states
    found = jacobian.products(reading, state)
    assert sorted(found.jacobians) == [0, 1, 2, 3, 4]
    singles = {}
    for t, after in pairwise(range(6)):
        pair = Recorded(reading.graph, (t, after + 1))
        singles[t] = jacobian.products(pair, pair.states[0]).jacobians[t]
    for t in range(5):
        product = np.linalg.multi_dot([*(singles[s] for s in reversed(range(t, 5))), np.eye(2), np.eye(2)])
        np.testing.assert_allclose(found.jacobians[t], product, rtol=1e-12)


def test_saturation_is_counted_over_all_values():
    reading = Recorded(tl.Graph(LOSSES["words"]()))
    for cell in reading.cells:
        for activation in (*cell.layers, *cell.others):
            values = np.array([node.value for node in activation.at.values()])
            margin = 0.05 * (activation.high - activation.low)
            near = (values < activation.low + margin) | (values > activation.high - margin)
            assert saturation.saturated(activation, reading.steps) == near.mean()
            ends = saturation.nearness(activation, reading.steps)
            np.testing.assert_allclose(ends, values if activation.low < 0 else 2 * values - 1)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_the_influence_of_inputs_on_losses_is_that_by_the_engine(name):
    cell = CELLS[name](2, 3, rng=0)
    xs = [tl.tensor(np.random.default_rng(t).normal(size=2), requires_grad=True, name="x") for t in range(5)]
    losses, state = [], None
    for t, x in enumerate(xs):
        with tl.time_step(t):
            state = cell(x, state)
            losses.append((state[0] if isinstance(state, tuple) else state).sum())
    reading = Recorded(tl.Graph(tl.stack(losses).mean()))
    entering = influence.losses(reading)
    assert sorted(entering) == [0, 1, 2, 3, 4]
    matrix = influence._of_losses(reading, entering)
    for t, loss in enumerate(losses):
        gradients = tl.grad(loss, xs, allow_unused=True)
        wanted = [magnitude(g.value) / 5 if g is not None else np.nan for g in gradients]
        np.testing.assert_allclose(matrix[t], wanted, rtol=1e-12)


def test_losses_that_are_added_up_on_the_way_enter_at_their_own_steps():
    reading = Recorded(tl.Graph(plain_mgu(4, per_step=True)))
    assert sorted(influence.losses(reading)) == [0, 1, 2, 3]


def test_without_a_loss_at_each_step_the_influence_is_that_on_outputs():
    loss = plain_mgu(4)
    reading = Recorded(tl.Graph(loss))
    matrix = influence.of_outputs(reading)
    assert np.isnan(matrix[np.triu_indices(4, 1)]).all()
    (state,) = reading.states
    for t in range(4):
        for s in range(t + 1):
            (x,) = reading.inputs[s]
            base = tl.Graph(state.at[t])
            columns = []
            for k in range(2):
                value = x.value.astype(complex)
                value[k] += 1e-30j
                columns.append(base.replay({x: value})[state.at[t]].imag / 1e-30)
            np.testing.assert_allclose(matrix[t, s], np.linalg.norm(columns), rtol=1e-10)


def test_a_difference_is_relative_to_what_was():
    lstm, xs = tl.LSTM(2, 3, rng=0), tl.tensor(np.random.default_rng(0).normal(size=(4, 2)))
    before = lstm(xs)[0].sum()
    kept = {path: p.value.copy() for path, p in lstm.named_parameters()}
    before.backward()
    tl.SGD(lstm.parameters(), lr=0.1).step()
    after = lstm(xs)[0].sum()
    first, second = tl.Graph(before), tl.Graph(after)
    partner, _ = partners(first, second)
    rows = {row.symbol: row.changes for row in differences.rows_of(Recorded(first), partner)}
    assert list(rows) == ["f", "i", "g", "o", "c", "h"]
    for symbol, changes in rows.items():
        old, new = ([n.value for n in g.nodes if n.name == symbol] for g in (first, second))
        wanted = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(old, new, strict=True)]
        np.testing.assert_allclose(changes, wanted, rtol=1e-12)
    weights = differences.weights_of(first, second, partner)
    for path, parameter in lstm.named_parameters():
        old, moved, new = next(found for name, found in weights.items() if path.endswith(name))
        np.testing.assert_allclose(moved, np.linalg.norm(parameter.value - kept[path]), rtol=1e-12)
        np.testing.assert_allclose((old, new), (np.linalg.norm(kept[path]), np.linalg.norm(parameter.value)))
    said = tl.difference(before, after).description
    assert f"The loss was {shown(before.item())} and is {shown(after.item())}." in said


CHANGES = {
    "a gate": ({"f": 1.0}, "Replaced: f at every step."),
    "a step": ({"t2.c": 0.0}, "Replaced: c at t = 2."),
    "functions": ({"f": lambda f: f * 0.5, "t3.i": 1.0}, "Replaced: f at every step, i at t = 3."),
    "a state": ({"h0": 1.0}, "Replaced: h0."),
    "a function of a state": ({"h0": lambda h: h + 0.5}, "Replaced: h0."),
    "what steps hand on": ({"h": lambda h: 0.5 * h}, "Replaced: h at every step."),
    "many": ({f"t1.{name}": 0.5 for name in ("h", "o")} | {"t3.f": 0, "t3.i": 0, "t3.g": 0}, "Replaced: h at t = 1, "),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_difference_of_what_was_replaced_says_so(what):
    changes, said = CHANGES[what]
    loss = small_loss("lstm", 5)
    changed = tl.what_if(loss, changes)
    one, other = tl.difference(loss, changed), tl.difference(changed, loss)
    assert one.description.startswith(said)
    assert other.description.startswith(said)
    assert "Weights" not in one.svg
    graphs = tl.Graph(loss), tl.Graph(changed)
    partner, _ = partners(*graphs)
    rows = {row.symbol: row.changes for row in differences.rows_of(Recorded(graphs[0]), partner)}
    for symbol, found in rows.items():
        old, new = ({node.time: node.value for node in graph.nodes if node.name == symbol} for graph in graphs)
        wanted = [differences.change(old[t], new[t]) if t in new else np.nan for t in old]
        np.testing.assert_array_equal(found, wanted)


def test_of_many_that_were_replaced_the_first_are_said():
    loss = small_loss("gru", 3, layers=2, bidirectional=True)
    changed = tl.what_if(loss, {node: 1.0 for node in tl.Graph(loss).nodes if node.name in ("z", "r")})
    said = tl.difference(loss, changed).description
    assert said.startswith("Replaced: layer0.update_gate.z at every step, layer0.reset_gate.r at every step, ")
    assert "5 others." in said
    moved = tl.what_if(loss, {next(leaf for leaf in tl.Graph(loss).leaves if leaf.requires_grad): 0.0})
    assert "Weights" in tl.difference(loss, moved).svg


def test_a_run_compared_with_itself_has_not_changed():
    loss = small_loss("gru", 4)
    figure = tl.difference(loss, loss)
    assert "No weight moved" in figure.description
    assert all(tip.endswith(": 0%") for tip in tips(figure))


def test_a_sweep_follows_the_gradient_as_the_flow_does():
    loss = small_loss("lstm", 5)
    found = sweep.panel("one", loss)
    rows = tl.step(loss).flow()
    for name in ("h", "c"):
        wanted = [row.norms[name] / rows[-1].norms[name] for row in rows]
        np.testing.assert_allclose(list(found.curves[name].values()), wanted, rtol=1e-12)
    graph = tl.Graph(loss)
    np.testing.assert_allclose(list(found.gates["f"].values()), [n.value.mean() for n in graph.nodes if n.name == "f"])
