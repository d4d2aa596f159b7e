"""Where a state was detached nothing flows back, and the flow and the ledger say so, with the line that did it."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lstm as tl


def windows(lengths, layer=None):
    layer, state, total = layer or tl.LSTM(2, 3, rng=0), None, 0
    for number, length in enumerate(lengths):
        output, state = layer(tl.tensor(np.full((length, 1, 2), 1.0 + number), name="xs"), state)
        state = tuple(part.detach() for part in state)  # here
        total = total + output.sum()
    return total, output.sum(), layer


def here():
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    return f"test_cuts.py:{next(n for n, line in enumerate(source, 1) if line.endswith('# here'))}"


def test_a_detached_leaf_knows_its_name_its_time_and_the_line_that_cut_it():
    layer = tl.LSTM(2, 3, rng=0)
    _, (h_n, _) = layer(tl.tensor(np.ones((4, 1, 2))))
    cut = h_n.detach()
    assert (cut.detached, cut.name, cut.context.offset, h_n.detached) == (True, "h", 4, False)
    assert cut.line.text == "cut = h_n.detach()"
    for copied in (copy.deepcopy(cut), pickle.loads(pickle.dumps(cut))):
        assert (copied.detached, copied.line) == (True, cut.line)
    with tl.no_grad():
        assert not tl.tanh(h_n).detached
    assert not tl.tensor(1.0).detached


def test_the_ledger_says_what_is_kept_from_it():
    total, last, layer = windows([3, 2])
    ledgers = [str(tl.step(loss).ledger(layer.parameters()[0])) for loss in (last, total)]
    assert ledgers[0].splitlines()[-1] == f"✂ nothing from before t = 3: detached here, {here()}"
    assert ledgers[1].splitlines()[-1] == f"✂ nothing flows back over the beginning of t = 3: detached here, {here()}"
    assert "nothing from before" in tl.step(last).ledger(layer.parameters()[0])._repr_html_()


def test_the_flow_marks_the_steps_that_begin_without_a_history():
    total, _, _ = windows([2, 2, 1, 2])
    flow = tl.step(total).flow()
    assert [row.time for row in flow if row.cut] == [2, 4, 5]
    lines = str(flow).splitlines()
    assert [line.split()[1] for line in lines if line.startswith("✂")] == ["2", "4", "5", "nothing"]
    assert lines[-2] == f"✂ nothing flows back over the beginning of t = 2, 4 … 5: detached here, {here()}"


def test_without_a_cut_nothing_is_said():
    output, _ = tl.LSTM(2, 3, rng=0)(tl.tensor(np.ones((3, 1, 2))))
    stepper = tl.step(output.sum())
    assert "✂" not in str(stepper.flow())
    assert not stepper.ledger("forget_gate.bias").cuts


def test_what_is_detached_within_a_step_cuts_no_chain():
    cell, h = tl.GRUCell(2, 3, rng=0), None
    for t in range(3):
        with tl.time_step(t):
            h = cell(tl.tensor([1.0, 2.0], name="x"), h)
            loss = ((h - h.detach() * 0.5) * h).sum()
    assert not any(row.cut for row in tl.step(loss).flow())
    assert "✂" in tl.draw(loss, "ops").source


@pytest.mark.parametrize("made", [tl.LSTMCell, tl.GRUCell])
def test_a_loop_that_says_no_time_is_cut_too(made):
    cell, x = made(2, 3, rng=0), tl.tensor([1.0, 2.0], name="x")
    state, loss = None, 0
    for t in range(4):
        if t == 2:
            state = tl.nn.detach(state)
        state = cell(x, state)
        loss = loss + (state[0] if isinstance(state, tuple) else state).sum()
    flow = tl.step(loss).flow()
    assert [(row.time, row.cut is not None) for row in flow] == [(0, False), (1, False), (2, True), (3, False)]
    assert flow[2].cut.text == "state = tl.nn.detach(state)"


def test_gradients_are_those_of_the_windows_alone():
    """The picture says what is: nothing flows back over the cut."""
    _, last, layer = windows([3, 2])
    by_time = tl.step(last).ledger(layer.parameters()[0]).by_time()
    assert set(by_time) == {3, 4}
