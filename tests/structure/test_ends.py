"""Where a network ends: the states that its last step leaves, and the loss that is computed of what it gave out."""

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.structure.ends import final_states, head
from tinygrad_lstm.structure.timeline import Timeline


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("cell", CELLS)
def test_the_last_step_leaves_each_state_once(cell, steps):
    timeline = Timeline(tl.Graph(small_loss(cell, steps)))
    found = final_states(timeline, head(timeline))
    assert sorted(x.name for x in found) == sorted(CELLS[cell].state_names)
    assert set(found.values()) == {1}
    assert {timeline.of[x] for x in found} == {steps - 1}


def test_where_time_leads_back_states_leave_to_the_left_at_the_first_step():
    timeline = Timeline(tl.Graph(small_loss("lstm", 3, bidirectional=True)))
    found = final_states(timeline, head(timeline))
    assert sorted((x.name, side, timeline.of[x]) for x, side in found.items()) == [
        ("c", -1, 0),
        ("c", 1, 2),
        ("h", -1, 0),
        ("h", 1, 2),
    ]


def test_a_state_that_a_decoder_takes_is_not_left():
    encoder, decoder = tl.GRUCell(2, 3, rng=0), tl.GRUCell(3, 3, rng=1)
    h = tl.tensor([0.0] * 3, name="h0")
    for t in range(3):
        with tl.time_step(t):
            h = encoder(tl.tensor([1.0, 2.0], name="x"), h)
    last_read = h
    for t in range(3, 6):
        with tl.time_step(t):
            h = decoder(h, h)
    timeline = Timeline(tl.Graph(h.sum()))
    assert last_read not in final_states(timeline, head(timeline))


def test_the_head_is_what_needs_no_weight_any_more():
    lstm, readout = tl.LSTM(2, 3, rng=0), tl.Linear(3, 4, rng=0)
    output, _ = lstm(tl.tensor([[1.0, 2.0]] * 3, name="xs"))
    scores = readout(output)
    loss = tl.cross_entropy(scores, [0, 1, 2])
    timeline = Timeline(tl.Graph(loss))
    found = head(timeline)
    assert loss in found
    assert scores not in found
    assert not any(x in timeline.weights for node in found for x in node.inputs)


def test_a_loss_added_up_step_by_step_is_the_head_and_no_state_of_the_network():
    cell, readout, state, loss = tl.GRUCell(2, 3, rng=0), tl.Linear(3, 4, rng=0), None, 0
    for t in range(3):
        with tl.time_step(t):
            h = state = cell(tl.tensor([1.0, 2.0], name="x"), state)
            loss = loss + (readout(h) ** 2).sum()
    timeline = Timeline(tl.Graph(loss))
    assert loss in head(timeline)
    assert h not in head(timeline)
    assert [x.name for x in final_states(timeline, head(timeline))] == ["h"]


def test_what_has_no_steps_has_no_head():
    x = tl.tensor([1.0, 2.0], name="x", requires_grad=True)
    assert head(Timeline(tl.Graph((x * x).sum()))) == set()
