"""Gates are found by what they compute, whoever wrote the cell."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.drawing.figures.networks import LOSSES, WORDS, plain_mgu, reader
from tinygrad_lstm.drawing.figures.figure import NoFigure
from tinygrad_lstm.drawing.figures.reading import Recorded
from tinygrad_lstm.drawing.figures.walk import BackwardWalk
from tinygrad_lstm.nn.samples import small_loss


def layers(loss):
    return [[(layer.symbol, layer.words) for layer in cell.layers] for cell in Recorded(tl.Graph(loss)).cells]


@pytest.mark.parametrize("cell", ["lstm", "peephole", "peephole-2000"])
def test_an_lstm_has_its_gates_in_the_order_f_i_g_o_with_what_they_do(cell):
    wanted = [("f", "forget (reset)"), ("i", "input (write)"), ("g", "candidate"), ("o", "output (read)")]
    assert layers(small_loss(cell, 3)) == [wanted]
    assert layers(small_loss(cell, 3, layers=2)) == [wanted, wanted]


def test_options_of_a_cell_change_nothing():
    cell = tl.LSTM(2, 3, rng=0, layer_norm=True, proj_size=2)
    assert [symbol for symbol, _ in layers(cell(tl.ones(4, 2))[0].sum())[0]] == ["f", "i", "g", "o"]


def test_a_gru_resets_before_or_after_the_product():
    for after in (True, False):
        found = layers(tl.GRU(2, 3, rng=0, reset_after=after)(tl.ones(4, 2))[0].sum())
        assert dict(found[0]) == {"z": "update (reset, write)", "r": "reset", "g": "candidate"}


def test_a_cell_of_plain_equations_has_its_gate_too():
    assert layers(plain_mgu()) == [[("keep", "reset, write"), ("new", "candidate")]]


def test_what_has_no_gates_has_none():
    assert [cell.gates for cell in Recorded(tl.Graph(small_loss("rnn", 3))).cells] == [[]]


def test_the_words_that_are_read_name_the_columns():
    reading = Recorded(tl.Graph(reader()))
    assert reading.columns == list(WORDS)
    assert Recorded(tl.Graph(small_loss("lstm", 3))).columns == ["0", "1", "2"]


@pytest.mark.parametrize("name", LOSSES)
def test_each_step_has_its_input(name):
    reading = Recorded(tl.Graph(LOSSES[name]()))
    assert list(reading.inputs) == reading.all_steps


def test_of_a_long_sequence_the_last_steps_are_shown_unless_others_are_wanted():
    graph = tl.Graph(LOSSES["many steps"]())
    assert Recorded(graph).steps == list(range(50, 150))
    assert "Shown are steps 50 to 149 of 0 to 149" in Recorded(graph).note
    assert Recorded(graph, "all").steps == list(range(150))
    assert Recorded(graph, (3, 5)).steps == [3, 4]
    with pytest.raises(ValueError, match="shows none of the time steps"):
        Recorded(graph, (200, 300))


def test_a_graph_without_time_steps_says_how_to_get_some():
    with pytest.raises(NoFigure, match=r"no time steps .* tl\.time_step"):
        Recorded(tl.Graph(tl.tanh(tl.tensor(1.0))))


def test_the_walk_brings_what_the_engine_brings(rng):
    x, w = (tl.tensor(rng.normal(size=(3, 3)), requires_grad=True) for _ in "xw")
    y = tl.tanh(x @ w + x).sum()
    found = BackwardWalk(tl.Graph(y), [x, w])({y: np.ones(())})
    for leaf, gradient in zip((x, w), tl.grad(y, [x, w]), strict=True):
        np.testing.assert_allclose(found[leaf], gradient.value, rtol=1e-14)
