"""Time goes on from call to call: an encoder and a decoder, windows, single steps; calls are kept apart everywhere."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.structure.timeline import Timeline
from tinygrad_lstm.structure.window import shown


def sequence(steps, size=2):
    return tl.tensor(np.random.default_rng(steps).normal(size=(steps, 1, size)), name="xs")


def steps(output):
    return Timeline(tl.Graph(output)).steps


LAYERS = [
    lambda size, **how: tl.LSTM(size, 3, rng=0, **how),
    lambda size, **how: tl.GRU(size, 3, rng=0, **how),
    lambda size, **how: tl.RNN(size, 3, rng=0, **how),
]
SHAPES = [{}, {"num_layers": 2}, {"bidirectional": True}, {"num_layers": 2, "bidirectional": True}]

every_layer = pytest.mark.parametrize("make", LAYERS, ids=["lstm", "gru", "rnn"])
every_shape = pytest.mark.parametrize("how", SHAPES, ids=["plain", "layers", "bidirectional", "both"])


@every_layer
@every_shape
def test_a_decoder_goes_on_where_the_encoder_stopped(make, how):
    encoder, decoder = make(2, **how), make(2, **how)
    _, state = encoder(sequence(4))
    output, _ = decoder(sequence(3), state)
    loss = output.sum()
    assert steps(loss) == [0, 1, 2, 3, 4, 5, 6]
    stepper = tl.step(loss)
    assert [row.time for row in stepper.flow()] == [0, 1, 2, 3, 4, 5, 6]
    weight, later = (layer.parameters()[0] for layer in (encoder, decoder))
    assert set(stepper.ledger(weight).by_time()) == {0, 1, 2, 3}
    assert set(stepper.ledger(later).by_time()) == {4, 5, 6}


@every_layer
@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("pick", [lambda part: part, lambda part: part[0].reshape(1, 1, 3), lambda part: part.detach()])
def test_windows_keep_apart_what_each_step_adds(make, length, pick):
    layer, state, total = make(2), None, 0
    for _ in range(3):
        output, state = layer(sequence(length), state)
        state = tuple(map(pick, state)) if isinstance(state, tuple) else pick(state)
        total = total + output.sum()
    assert steps(total) == list(range(3 * length))
    ledger = tl.step(total).ledger(layer.parameters()[0])
    assert set(ledger.by_time()) == set(range(3 * length))
    np.testing.assert_allclose(sum(ledger.by_time().values()), ledger.total)


def test_a_state_that_was_computed_further_or_not_recorded_still_knows_its_time():
    layer, bridge = tl.GRU(2, 3, rng=0), tl.Linear(3, 3, rng=1)
    _, state = layer(sequence(4))
    assert steps(layer(sequence(2), tl.tanh(bridge(state)))[0].sum())[-1] == 5
    output, _ = layer(sequence(4))
    assert steps(layer(sequence(2), output[-1:].detach())[0].sum()) == [4, 5]
    with tl.no_grad():
        _, state = layer(sequence(4))
    assert steps(layer(sequence(2), state)[0].sum()) == [4, 5]


def test_states_of_nobody_and_parallel_calls_begin_at_zero():
    layer = tl.GRU(2, 3, rng=0)
    given = tl.tensor(np.zeros((1, 1, 3)), requires_grad=True)
    assert steps(layer(sequence(3), given)[0].sum() + layer(sequence(3))[0].sum()) == [0, 1, 2]
    with tl.time_step(7):
        outer = tl.tensor(np.zeros((1, 1, 3)))
        assert steps(layer(sequence(2), outer)[0].sum())[:2] == [0, 1]


def test_an_offset_and_a_phase_are_said_and_shown():
    layer = tl.GRU(2, 3, rng=0)
    _output, state = layer(sequence(2))
    with tl.time_step(phase="answer"):
        named, _ = layer(sequence(2), state)
    with tl.time_step(offset=0):
        again, _ = layer(sequence(2), state)
    with tl.time_step(offset=10, phase="late"), tl.time_step(1):
        late = tl.tanh(state)
    assert steps(again.sum()) == [0, 1]
    assert (late.time, late.context.phase) == (11, "late")
    assert "at t=11 of late" in repr(late)
    loss = named.sum()
    source = tl.draw(loss, "cells").source
    assert "t = 1" in source
    assert "t = 2 · answer" in source
    stepper = tl.step(loss)
    assert [row.phase for row in stepper.flow()] == [None, None, "answer", "answer"]
    assert "2 answer" in str(stepper.flow())
    assert "3 answer" in str(stepper.ledger(layer.parameters()[0]))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "a step, an offset or a phase"),
        ({"phase": ""}, "a phase needs a name"),
        ({"phase": 3}, "not 3"),
        ({"t": 0.5}, "integer"),
    ],
)
def test_a_time_that_is_none_is_refused(wrong, words):
    with pytest.raises(TypeError, match=words):
        tl.time_step(**wrong)


@pytest.mark.parametrize("view", ["cells", "ops", "rolled", "gates", "backward"])
def test_every_view_shows_all_steps_of_both_calls(view):
    encoder, decoder = tl.LSTM(2, 3, rng=0), tl.LSTM(2, 3, rng=1)
    _, state = encoder(sequence(2))
    output, _ = decoder(sequence(2), state)
    tl.draw(output.sum(), view).source  # noqa: B018
    if view in ("cells", "ops"):
        source = tl.draw(output.sum(), view, steps=(1, 3)).source
        assert "t = 1" in source
        assert "t = 2" in source
        assert "t = 0" not in source


def test_between_cells_a_state_is_one_box_and_can_be_opened():
    layer = tl.LSTM(2, 3, rng=0)
    _, state = layer(sequence(2))
    output, _ = layer(sequence(2), state)
    assert "after1.state" in tl.draw(output, "cells").source
    assert ">reshape<" not in tl.draw(output, "cells").source
    assert ">reshape<" in tl.draw(output, "cells", expand="after1.state").source


@pytest.mark.parametrize("make", [tl.LSTMCell, tl.GRUCell, tl.RNNCell])
def test_loops_by_hand_that_say_no_time_go_on_too(make):
    encoder, decoder, x = make(2, 3, rng=0), make(2, 3, rng=1), tl.tensor([[1.0, 2.0]], name="x")
    state = encoder.zero_state(x)
    for cell in [encoder] * 4 + [decoder] * 3:
        state = cell(x, state)
    assert steps(state[0].sum()) == [0, 1, 2, 3, 4, 5, 6]


def test_a_layer_by_hand_on_top_of_another_runs_at_the_same_steps():
    below, above, x = tl.RNNCell(2, 3, rng=0), tl.RNNCell(3, 3, rng=1), tl.tensor([[1.0, 2.0]], name="x")
    h, hidden = below.zero_state(x), []
    for _ in range(4):
        h = below(x, h)
        hidden.append(h)
    h = above.zero_state(hidden[0])
    for each in hidden:
        h = above(each, h)
    assert steps(h.sum()) == [0, 1, 2, 3]


def windows(num_layers=1, detach=True):
    layer, state, total = tl.LSTM(2, 3, num_layers=num_layers, rng=0), None, 0
    for _ in range(3):
        output, state = layer(sequence(2), state)
        state = tuple(part.detach() for part in state) if detach else state
        total = total + output.sum()
    return total


def in_turn():
    """Two layers that are called step by step, the upper on what the lower made of the same step."""
    below, above, xs = tl.GRU(2, 3, rng=0), tl.GRU(3, 3, rng=1), sequence(3)
    lower = upper = None
    for t in range(3):
        output, lower = below(xs[t : t + 1], lower)
        output, upper = above(output, upper)
    return output.sum(), below, above


@pytest.mark.parametrize("view", ["cells", "gates"])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("detach", [True, False])
def test_windows_stand_in_one_row(view, num_layers, detach):
    placed = tl.draw(windows(num_layers, detach), view, steps="all")._placed
    rows = [
        min(rect.y for box, rect in column.boxes() if box.block or box.role == "cell")
        for column in placed.columns
        if column.content.title
    ]
    assert len(rows) == 6
    np.testing.assert_allclose(rows, rows[0])


def arrows_to(loss, view, tail):
    scene = tl.draw(loss, view)._scene
    ids = {box.id for box in scene.boxes if box.texts[0].text == tail}
    return {(arrow.role, arrow.label) for arrow in scene.arrows if arrow.tail in ids}


def test_the_loop_shows_the_delay_of_what_is_handed_over():
    encoder, decoder = tl.LSTM(2, 3, rng=0), tl.LSTM(2, 3, rng=1)
    _, state = encoder(sequence(3))
    assert arrows_to(decoder(sequence(2), state)[0].sum(), "rolled", "state") == {("state", "delay 1")}
    assert arrows_to(windows(detach=False), "rolled", "state") == {("state", "delay 1")}
    assert arrows_to(windows(), "rolled", "✂") == {("cut", "t = 2, 4")}  # nothing flows there


def test_layers_called_in_turn_run_at_the_same_steps():
    loss, below, above = in_turn()
    stepper = tl.step(loss)
    assert steps(loss) == [0, 1, 2]
    for layer in (below, above):
        assert set(stepper.ledger(layer.parameters()[0]).by_time()) == {0, 1, 2}
    scene = tl.draw(loss, "cells")._scene
    titles = [box.texts[0].text for box in scene.boxes]
    assert titles.count("state") == 4  # one for each layer, between each two steps
    assert "from after the steps" not in tl.draw(loss, "cells").source
    folded = [box.texts[0].text for box in tl.draw(loss, "rolled")._scene.boxes]
    assert (folded.count("state"), folded.count("stack")) == (
        2,
        1,
    )  # between the layers; of the last output it is the loss
    for box in scene.boxes:  # what a step reads of the sequence stands there, the first as the others
        if box.texts[0].text == "[ ]":
            assert scene.columns[box.column].title.startswith("t = ")


def test_far_things_say_their_step():
    layer, state = tl.GRU(2, 3, rng=0), None
    _output, state = layer(sequence(2), state)
    later, _ = layer(sequence(3), state)
    assert "from after1" not in tl.draw((later + state).sum(), "cells").source


def encoder_and_decoder():
    """Rows are picked of two tables, one for each half; the loss is added up from step to step."""
    draw = np.random.default_rng(0).normal
    words, sounds = (tl.tensor(draw(size=(9, 3)), requires_grad=True, name=name) for name in ("words", "sounds"))
    encoder, decoder, head = tl.GRUCell(3, 4, rng=0), tl.GRUCell(3, 4, rng=1), tl.Linear(4, 9, rng=2)
    h, loss = tl.zeros(1, 4), 0.0
    for t, word in enumerate([3, 4, 5]):
        with tl.time_step(t):
            h = encoder(tl.take(words, [word]), h)
    for t, sound in enumerate([1, 2, 5]):
        with tl.time_step(3 + t):
            h = decoder(tl.take(sounds, [sound]), h)
            loss = loss + tl.cross_entropy(head(h), [sound])
    return loss


def test_rows_picked_of_two_tables_are_two_boxes_in_the_loop():
    scene = tl.draw(encoder_and_decoder(), "rolled")._scene
    picks = [box for box in scene.boxes if any(text.text == "take" for text in box.texts)]
    assert len(picks) == 2
    assert {arrow.tail.partition("@")[0] for arrow in scene.arrows if arrow.head in {box.id for box in picks}} == {
        "words",
        "sounds",
    }


def test_a_loss_that_is_added_up_is_no_state_in_the_flow():
    flow = tl.step(encoder_and_decoder()).flow()
    assert {name for row in flow for name in row.norms} == {"h"}
    assert len(flow) == 6


def test_a_single_step_that_is_left_out_takes_no_more_room_than_a_sign():
    found = shown(list(range(6)), (1, 3), 3)
    assert [str(each) for each in found] == ["…", "1", "2", "… 3 steps …"]
