"""Which step, which gate and which way gave a tensor its gradient; and where along the sequence it vanished."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cell import state_parts
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.recording.reasons import explaining


def unrolled(cell, steps=4, seed=0):
    """The loss of the last h only, and the states of every step."""
    rng = np.random.default_rng(seed)
    state, states = None, []
    for t in range(steps):
        with tl.time_step(t):
            state = cell(tl.tensor(rng.normal(size=(2, 3)), name="x"), state)
        states.append(state_parts(cell, state))
    return (states[-1][0] * states[-1][0]).sum(), states


@pytest.mark.parametrize("name", CELLS)
def test_the_rows_add_up_to_the_gradient_exactly_as_the_engine_added_them(name):
    cell = CELLS[name](3, 2, rng=0)
    loss, _ = unrolled(cell)
    stepper = tl.step(loss)
    loss.backward()
    for parameter in cell.parameters():
        ledger = stepper.ledger(parameter)
        total = ledger[0].contribution
        for row in ledger[1:]:
            total = total + row.contribution
            assert np.array_equal(total, row.after)
        assert np.array_equal(total, parameter.grad.value)
        assert np.array_equal(ledger.total, parameter.grad.value)


def test_which_step_gave_a_weight_most_of_its_gradient():
    cell = tl.LSTMCell(3, 2, rng=0)
    loss, _ = unrolled(cell)
    by_time = tl.step(loss).ledger(cell.forget_gate.weight).by_time()
    assert list(by_time) == [3, 2, 1, 0]
    cut = {}
    for t in by_time:  # the same by another route: a weight of its own for each step
        cells = [tl.LSTMCell(3, 2, rng=0) for _ in by_time]
        state = None
        rng = np.random.default_rng(0)
        for each in cells:
            state = each(tl.tensor(rng.normal(size=(2, 3))), state)
        (cut[t],) = tl.grad((state[0] * state[0]).sum(), [cells[t].forget_gate.weight])
    for t, part in by_time.items():
        assert np.allclose(part, cut[t].value, rtol=1e-12, atol=0)


def test_a_bias_is_summed_over_the_batch_in_each_row():
    cell = tl.RNNCell(3, 2, rng=0)
    loss, _ = unrolled(cell)
    stepper = tl.step(loss)
    for row in stepper.ledger(cell.layer.bias):
        assert row.contribution.shape == (2,)
        assert np.array_equal(row.contribution, stepper.events[row.index].step.product.sum(axis=0))


@pytest.mark.parametrize("name", ["lstm", "coupled", "peephole", "gru", "rnn"])
def test_the_ways_add_up_to_the_gradient(name):
    cell = CELLS[name](3, 2, rng=0)
    loss, states = unrolled(cell)
    stepper = tl.step(loss)
    for state in states[1]:
        ways = stepper.paths(state)
        (gradient,) = tl.grad(loss, [state])
        assert np.allclose(sum(ways.values()), gradient.value, rtol=1e-12, atol=1e-300)


def test_along_the_belt_comes_what_the_forget_gate_lets_through():
    cell = tl.LSTMCell(3, 2, rng=0)
    loss, states = unrolled(cell)
    ways = tl.step(loss).paths(states[1][1])
    assert set(ways) == {"belt", "forget_gate", "input_gate", "candidate", "output_gate"}
    forget = next(node for node in tl.Graph(loss).nodes if node.name == "f" and node.time == 2)
    (next_state,) = tl.grad(loss, [states[2][1]])
    assert np.allclose(ways["belt"], forget.value * next_state.value, rtol=1e-12, atol=0)


def test_a_state_that_the_loss_reads_itself_is_an_output():
    cell = tl.RNNCell(3, 2, rng=0)
    _, states = unrolled(cell, steps=2)
    ways = tl.step(states[0][0].sum()).paths(states[0][0])
    assert set(ways) == {"output"}
    assert np.array_equal(ways["output"], np.ones((2, 2)))


def test_what_has_no_ledger_or_no_ways_is_told_why():
    loss = small_loss("lstm", 2)
    stepper = tl.step(loss)
    with pytest.raises(ValueError, match="L has no ledger; it is the output: its gradient is the seed"):
        stepper.ledger(loss)
    with pytest.raises(ValueError, match="other has no ledger; it is not reached by this walk"):
        stepper.ledger(tl.tensor(1.0, name="other"))
    weight = next(leaf for leaf in tl.Graph(loss).leaves if leaf.requires_grad)
    with pytest.raises(ValueError, match="belongs to no time step"):
        stepper.paths(weight)


@pytest.mark.parametrize("name", CELLS)
def test_the_flow_has_the_norms_of_every_state(name):
    cell = CELLS[name](3, 2, rng=0)
    loss, states = unrolled(cell, steps=5)
    rows = tl.step(loss).flow()
    assert [row.time for row in rows] == list(range(5))
    for row, parts in zip(rows[:-1], states[:-1], strict=True):
        for label, state in zip(cell.state_names, parts, strict=True):
            (gradient,) = tl.grad(loss, [state])
            assert row.norms[label] == pytest.approx(float(np.linalg.norm(gradient.value)), rel=1e-12)


def test_a_saturated_gate_is_seen_beside_the_gradient_it_stops():
    cell = tl.LSTMCell(3, 2, rng=0)
    cell.forget_gate.bias.value = np.array([-50.0, 0.0])
    loss, _ = unrolled(cell)
    rows = tl.step(loss).flow()
    assert all(set(row.saturation) == {"f", "i", "g", "o"} for row in rows)
    assert all(row.saturation["f"] >= 0.5 for row in rows)


def test_the_ledger_prints_itself():
    x = tl.tensor([3.0, 4.0], requires_grad=True, name="x")
    text = str(tl.step((x * x).sum()).ledger(x))
    title, head, _, *rows = text.splitlines()
    assert title == "∂L/∂x"
    assert [line.split() for line in (head, *rows)] == [
        ["used", "by", "t", "adds", "total"],
        ["mul", "—", "‖5‖", "‖5‖"],
        ["mul", "—", "‖5‖", "‖10‖"],
    ]


def test_the_flow_prints_as_a_table():
    cell = tl.LSTMCell(3, 4, rng=0)
    cell.forget_gate.bias.value = np.full(4, -12.0)
    loss = tl.nn.Recurrent(cell)(tl.tensor(np.ones((3, 3)), name="xs"))[0].sum()
    head, _, *lines, told = str(tl.step(loss).flow()).splitlines()
    assert head.split() == ["t", "‖∂L/∂c‖", "‖∂L/∂h‖", "saturated"]
    assert [line.split()[0] for line in lines] == ["0", "1", "2"]
    assert all("f 100%" in line for line in lines)
    assert told == tl.step(loss).flow().summary


def test_the_flow_says_where_most_is_lost_and_by_which_gate():
    cell = tl.LSTMCell(2, 3, rng=0)
    layer = tl.nn.Recurrent(cell)
    cell.forget_gate.bias.value = np.full(3, -9.0)
    output, _ = layer(tl.tensor(np.ones((3, 2)), name="xs"))
    flow = tl.step(output[2].sum()).flow()
    norms = [row.norms["c"] for row in flow]
    at = int(np.argmin([norms[0] / norms[1], norms[1] / norms[2]]))
    gate = flow[at].through["c"]
    assert gate is flow[at + 1].gates["f"]
    assert flow.summary.startswith(f"‖∂L/∂c‖ falls from {norms[2]:.3g} at t = 2 to {norms[0]:.3g} at t = 0: ")
    assert f"Most is lost from t = {at + 1} to t = {at}, " in flow.summary
    said = f"a gate, is open {100 * gate.value.mean():.3g} % on average, and what is left comes back around it."
    assert flow.summary.endswith(said)


@pytest.mark.parametrize(
    ("share", "factor", "said"), [(1, 0.65, set()), (0.65, 0.7, {"shut"}), (0, 0.2, {"shut", "around"})]
)
def test_a_gate_that_is_open_is_not_told_to_lose_anything(share, factor, said):
    assert {name for name, is_so in explaining(share, factor).items() if is_so} == said


def test_the_flow_says_nothing_of_one_step_nor_of_numbers_that_are_none():
    layer = tl.RNN(1, 1, rng=0)
    assert tl.step(layer(tl.tensor([[1.0]]))[0].sum()).flow().summary == ""
    with np.errstate(invalid="ignore"):
        assert tl.step(layer(tl.tensor([[1.0], [np.nan]]))[0].sum()).flow().summary == ""


def test_ledger_flow_and_paths_are_short_lines_tables_and_html():
    cell, states = tl.LSTMCell(2, 3, rng=0), [None]
    for t in range(3):
        with tl.time_step(t):
            states.append(cell(tl.tensor([1.0, -1.0], name="<b>x"), states[-1]))
    stepper = tl.step(states[-1][0].sum())
    ledger, flow, paths = stepper.ledger(cell.forget_gate.weight), stepper.flow(), stepper.paths(states[1][1])
    assert repr(ledger) == "<ledger of ∂L/∂forget_gate.weight: 3 contributions>"
    assert repr(flow) == "<flow over 3 time steps: c, h>"
    assert repr(paths).startswith("<paths: belt")
    assert str(paths).splitlines()[0].split() == ["way", "norm", "share", "of", "the", "norms"]
    for shown in (ledger, flow, paths):
        assert shown._repr_html_().count("<tr>") == len(shown) + 1
    assert "<b>" not in stepper.ledger(states[1][1])._repr_html_()
