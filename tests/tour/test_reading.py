"""What a reading says a network did is what the network did."""

import json

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine.graph import Graph
from tinygrad_lstm.nn.named import names
from tinygrad_lstm.tour.model import NextToken
from tinygrad_lstm.tour.reading import LEAST, MOST, TextReading, forgotten, positions
from tinygrad_lstm.tour.text import KNOWN, OTHER, read, shown


def reading(cell="lstm", text="the clouds are in the sky"):
    corpus = read(text)
    return TextReading(cell, NextToken(cell, len(corpus.vocabulary)), corpus)


def test_words_past_those_it_can_know_are_one():
    corpus = read(" ".join(f"w{i}" for i in range(KNOWN + 5)))
    assert corpus.tokens.count(OTHER) == 5
    assert len(corpus.vocabulary) == KNOWN + 3  # and the marks, and the others
    assert corpus.tokens[1] == "w0"


def test_what_is_written_of_a_token_is_short_visible_and_on_one_line():
    assert shown(" ") == "␣"
    assert shown("a\u202eb") == "a b"
    assert len(shown("w" * 500)) <= 24


@pytest.mark.parametrize("length", range(3, 60))
def test_it_reads_long_enough_and_a_short_text_is_asked_for_its_last_word(length):
    asked = positions(length)
    assert LEAST <= asked <= MOST
    assert asked == MOST or asked % length == length - 2


def test_the_words_are_the_text_over_and_over():
    found = reading()
    assert found.words[:8] == ["⟨start⟩", "the", "clouds", "are", "in", "the", "sky", "⟨end⟩"]
    assert found.words[8:16] == found.words[:8]
    assert (len(found.words), found.target, found.once) == (30, "sky", 7)


@pytest.mark.parametrize("cell", names())
def test_the_states_are_those_of_the_cell_and_what_is_felt_is_their_gradient(cell):
    found = reading(cell)
    assert len(found.states) == len(found.words)
    theirs = tl.grad(found.loss, found.states)
    assert np.allclose(found.felt, [np.linalg.norm(g.value) for g in theirs], rtol=1e-9)
    values = [x.value for x in found.states]
    assert found.changes[4] == pytest.approx(np.linalg.norm(values[5] - values[4]) / np.linalg.norm(values[4]))
    assert found.probability == pytest.approx(np.exp(-found.loss.item()))


@pytest.mark.parametrize("cell", names())
def test_the_bias_of_a_gate_moves_that_gate_and_is_added_to_what_it_reads(cell):
    found = reading(cell)
    assert (found.held is None) == (cell == "rnn")
    if found.held is None:
        return
    bias = found.bias(found.held)
    gate = found.held.at[0]
    opened = Graph(tl.what_if(gate, {bias: bias.value + 50.0})).output
    assert np.abs(opened.value - gate.value).max() > 0.01
    assert bias.shape == gate.shape


def test_the_gate_that_is_asked_about_is_the_one_that_forgets():
    assert [reading(cell).held.symbol for cell in ("lstm", "gru", "coupled", "lstm-1997")] == ["f", "z", "i", "i"]


def test_forgotten_is_where_less_than_a_hundredth_is_left():
    assert forgotten([0.5, 0.009, 1.0]) == 1
    assert forgotten([0.011, 1.0]) is None
    assert forgotten([0.0]) is None


@pytest.mark.parametrize("cell", ["rnn", "lstm", "janet"])
def test_what_the_page_is_given_names_the_nodes(cell):
    found = reading(cell)
    data = json.loads(json.dumps(found.data(), allow_nan=False))
    nodes = data["network"]["nodes"]
    assert len(data["at"]) == len(found.words)
    for t, number in enumerate(data["at"]):
        assert nodes[number][0] == list(found.states[t].shape)
        assert found.graph.nodes[number] is found.states[t]
    for layer, ours in zip(data["layers"], found.layers, strict=True):
        assert [found.graph.nodes[number] for number in layer["at"]] == [ours.at[t] for t in sorted(ours.at)]
