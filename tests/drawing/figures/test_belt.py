"""The belt is as wide as the state's norm, and what stands beside it are the numbers of the run."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.drawing.figures.networks import LOSSES, WORDS, reader
from tests.drawing.figures.test_looks import contrast
from tests.drawing.figures.test_numbers import tips
from tinygrad_lstm.drawing.figures.belt_step import BLUE, WIDEST
from tinygrad_lstm.drawing.figures.carrying import belts
from tinygrad_lstm.drawing.figures.difference import share
from tinygrad_lstm.drawing.figures.reading import Recorded
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import IN_THE_DARK, INK, OPEN_CELL
from tinygrad_lstm.structure.words import short, shown

SPACE = "{http://www.w3.org/2000/svg}"


def states(loss, name):
    return [node.value for node in tl.Graph(loss).nodes if node.name == name and node.primitive]


def widths(figure):
    """How wide the belt is, from place to place: its pieces are those that say a norm."""
    pieces = [rect for rect in ET.fromstring(figure.svg).iter(f"{SPACE}rect") if rect.get("fill") == BLUE]
    return [float(rect.get("height")) for rect in pieces if "".join(rect.itertext()).startswith("norm")]


@pytest.mark.parametrize(("cell", "state"), [("lstm", "c"), ("gru", "h"), ("peephole", "c"), ("janet", "h")])
def test_the_belt_is_as_wide_as_the_norm_narrower_at_the_product_and_wider_at_the_sum(cell, state):
    loss = small_loss(cell, 5)
    (carried,) = belts(Recorded(tl.Graph(loss)))
    after = [np.linalg.norm(value) for value in states(loss, state)]
    passages = [carried.at[t] for t in range(5)]
    np.testing.assert_allclose([passage.norms[-1] for passage in passages], after)
    np.testing.assert_allclose([passage.norms[0] for passage in passages], [0, *after[:-1]])
    norms = np.array([norm for passage in passages for norm in passage.norms])
    np.testing.assert_allclose(widths(tl.draw(loss, "belt")), np.maximum(WIDEST * norms / norms.max(), 1.4), atol=0.006)
    assert all(passage.norms[1] < passage.norms[0] for passage in passages[1:])


def test_what_is_kept_is_what_the_forget_gate_leaves():
    loss = reader()
    svg = tl.draw(loss, "belt").svg
    forgets, cells = states(loss, "f"), states(loss, "c")
    for t in range(1, len(WORDS)):
        kept = np.linalg.norm(forgets[t] * cells[t - 1]) / np.linalg.norm(cells[t - 1])
        assert f"keeps {share(kept)}" in svg
        assert f"{short(np.linalg.norm(cells[t]))}<" in svg


def test_bars_are_the_units_of_a_gate():
    loss = reader(size=2)
    bars = [tip for tip in tips(tl.draw(loss, "belt", steps=(2, 3))) if re.fullmatch(r"−?[\d.e−]+", tip)]
    wanted = [states(loss, name)[2].mean(axis=0) for name in "figo"]
    assert bars == [shown(value, 3) for layer in wanted for value in layer]


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("rnn", "many steps")])
def test_every_gated_cell_has_a_belt(name):
    reading = Recorded(tl.Graph(LOSSES[name]()))
    assert [belt.cell for belt in belts(reading)] == reading.cells


def test_a_plain_rnn_has_no_belt():
    with pytest.raises(ValueError, match=r"no state of this network runs on a belt past the layers: .* plain RNN; an"):
        tl.draw(small_loss("rnn", 3), "belt")


def test_eight_steps_stand_in_a_row():
    loss = small_loss("lstm", 20)
    last, every = tl.draw(loss, "belt"), tl.draw(loss, "belt", steps="all")
    assert "Shown are steps 12 to 19 of 0 to 19" in last.description
    assert ">t = 12<" in last.svg
    assert ">t = 11<" not in last.svg
    assert [every.svg.count(f">t = {t}<") for t in range(20)] == [1] * 20
    assert every.size[1] > 2 * last.size[1]


def test_words_on_a_cell_stand_out_from_it_by_day_and_by_night():
    fill = OPEN_CELL["fillcolor"]
    for ink in (BLUE, INK):
        assert contrast(ink, fill) >= 4.5
        assert contrast(IN_THE_DARK[ink], IN_THE_DARK[fill]) >= 4.5


def test_of_many_units_the_outline_is_drawn_in_the_order_of_their_size():
    svg = tl.draw(reader(size=64), "belt", steps=(2, 3)).svg
    outlines = [area.get("points").split() for area in ET.fromstring(svg).iter(f"{SPACE}polygon")]
    assert [len(points) for points in outlines] == [64 + 4] * len(outlines)
    ups = [float(point.partition(",")[2]) for point in outlines[0][2:-2]]
    values = np.sort(states(reader(size=64), "f")[2].mean(axis=0))[::-1]
    np.testing.assert_allclose(np.diff(ups), -40 * np.diff(values), atol=0.11)
