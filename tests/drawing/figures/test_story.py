"""A story tells what a step did: its stages by what the gates do, its numbers by those of the run."""

import re
import xml.etree.ElementTree as ET
from contextlib import nullcontext

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.conftest import few
from tests.drawing.figures.networks import LOSSES, plain_mgu, reader
from tests.drawing.figures.test_numbers import tips
from tinygrad_lstm.drawing.figures.difference import share
from tinygrad_lstm.drawing.figures.in_numbers import some
from tinygrad_lstm.nn.named import names
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.structure.words import short

SPACE = "{http://www.w3.org/2000/svg}"
SEES, FORGETS, WRITES, NEW, READS, ALL = (
    *("What the candidate sees", "What is forgotten", "What is written", "The new state", "What is read", "All of it"),
)
STAGES = {
    "lstm": [FORGETS, WRITES, NEW, READS, ALL],
    "peephole": [FORGETS, WRITES, NEW, READS, ALL],
    "peephole-2000": [FORGETS, WRITES, NEW, READS, ALL],
    "coupled": [FORGETS, WRITES, NEW, READS, ALL],
    "ran": [FORGETS, WRITES, NEW, READS, ALL],
    "words": [FORGETS, WRITES, NEW, READS, ALL],
    "lstm-1997": [WRITES, NEW, READS, ALL],
    "gru": [SEES, FORGETS, WRITES, NEW, ALL],
    "mgu": [SEES, FORGETS, WRITES, NEW, ALL],
    "plain": [SEES, FORGETS, WRITES, NEW, ALL],
    "two layers, both ways": [SEES, FORGETS, WRITES, NEW, ALL],
    "ugrnn": [FORGETS, WRITES, NEW, ALL],
    "janet": [FORGETS, WRITES, NEW, ALL],
    "mingru": [FORGETS, WRITES, NEW, ALL],
    "minlstm": [FORGETS, WRITES, NEW, ALL],
}


def lines(figure):
    """What is written in a figure besides the words of pictures in it."""
    return [text.text for text in ET.fromstring(figure.svg) if text.tag == f"{SPACE}text"]


def told(figure):
    return " ".join(lines(figure))


def values(loss, t):
    return {node.name: node.value for node in tl.Graph(loss).nodes if node.time == t and node.name}


@pytest.mark.parametrize("name", STAGES)
def test_a_cell_has_the_stages_that_its_gates_have(name):
    titles = [line[3:] for line in lines(tl.draw(LOSSES[name](), "story")) if re.match(r"\d  ", line)]
    assert titles == STAGES[name]


@pytest.mark.parametrize("size", [2, 64])
def test_the_numbers_of_an_lstm_are_those_of_its_equations(size):
    loss = reader(size=size)
    figure = tl.draw(loss, "story", steps=(3, 4))
    before, now = values(loss, 2), values(loss, 3)
    kept, written, norm = now["f"] * before["c"], now["i"] * now["g"], np.linalg.norm
    np.testing.assert_allclose(kept + written, now["c"])
    said = told(figure)
    assert f"f₃ keeps {share(norm(kept) / norm(before['c']))} of c₂." in said
    assert (
        f"i₃ lets {share(norm(written) / norm(now['g']))} of g₃ in: a norm of {short(norm(written))} is added." in said
    )
    read = np.tanh(now["c"])
    assert f"o₃ shows {share(norm(now['h']) / norm(read))} of tanh(c₃): ‖h₃‖ = {short(norm(now['h']))}." in said
    assert f"Of ‖c₂‖ = {short(norm(before['c']))}, {short(norm(kept))} is kept" in said
    for name in "figoch":
        assert f"= {some(now[name])}" in said
    assert "f₃ = σ([h₂, in] W_f + b_f)" in said


def test_a_gate_that_forgets_by_what_it_does_not_write_is_told_so():
    loss = small_loss("gru", 4)
    before, now = values(loss, 1), values(loss, 2)
    said = told(tl.draw(loss, "story", steps=(2, 3)))
    norm = np.linalg.norm
    assert f"1 − z₂ keeps {share(norm((1 - now['z']) * before['h']) / norm(before['h']))} of h₁." in said
    assert f"r₂ lets the candidate see {share(norm(now['r'] * before['h']) / norm(before['h']))} of h₁." in said


def test_the_first_step_with_a_state_is_told_unless_another_is_wanted():
    loss = small_loss("lstm", 4)
    assert tl.draw(loss, "story").title == "One step of LSTMCell: t = 1"
    assert tl.draw(loss, "story", steps=(3, 4)).title == "One step of LSTMCell: t = 3"
    assert "c₋₁ is zero: all of ‖c₀‖" in told(tl.draw(loss, "story", steps=(0, 1)))


@pytest.mark.parametrize("named", ["{}0", "{}_init", ""])
@pytest.mark.parametrize("timed", [True, False])
def test_one_step_that_is_given_a_state_is_told(named, timed):
    rng = np.random.default_rng(0)
    x, *state = (tl.tensor(rng.normal(size=4), name=name) for name in ("x", *(named and named.format(s) for s in "hc")))
    step = tl.time_step(0) if timed else nullcontext()
    with step:
        h, c = tl.LSTMCell(4, 4, rng=0)(x, state)
    loss, f = (h * h).sum(), next(node for node in tl.Graph(h).nodes if node.name == "f")
    if not timed and named != "{}0":
        with pytest.raises(ValueError, match="of one call of a cell, name the state that it is given, as h"):
            tl.draw(loss, "story")
        return
    kept = np.linalg.norm(f.value * state[1].value)
    for figure in ("story", "belt"):
        made = tl.draw(loss, figure)
        assert f"keeps {share(kept / np.linalg.norm(state[1].value))}" in told(made)
        assert short(np.linalg.norm(c.value)) in told(made)
    titles = [line[3:] for line in lines(tl.draw(loss, "story")) if re.match(r"\d  ", line)]
    assert titles == STAGES["lstm"]


@pytest.mark.parametrize("name", few([name for name in names() if name != "rnn"], 4))
def test_one_step_is_told_as_the_first_of_several(name):
    many, one = (tl.draw(small_loss(name, steps), "story", steps=(0, 1)) for steps in (3, 1))
    several, alone = (" ".join(lines(each)[1:]) for each in (many, one))
    assert several == alone.replace("A next step would be given", "The next step is given")
    assert "The next step" not in alone  # there is none
    many, one = (tl.draw(small_loss(name, steps), "belt", steps=(0, 1)) for steps in (3, 1))
    assert tips(many) == tips(one)


def test_what_is_not_told_is_grey_and_nothing_has_an_id_twice():
    svg = tl.draw(small_loss("lstm", 4), "story").svg
    assert not re.search(r'\sid="', svg)
    pictures = [part for part in ET.fromstring(svg) if part.tag == f"{SPACE}g"]
    lit = [
        [box for box in picture.iter(f"{SPACE}g") if "layer" in box.get("class", "").split()] for picture in pictures
    ]
    coloured = [
        ["".join(box.itertext()).split()[-1] for box in boxes if "#fff3b8" in ET.tostring(box, "unicode")]
        for boxes in lit
    ]
    assert coloured == [["f₁"], ["i₁", "g₁"], [], ["o₁"], ["f₁", "i₁", "g₁", "o₁"]]


def test_gates_have_the_words_reset_write_and_read_beside_them():
    said = told(tl.draw(small_loss("lstm", 4), "story"))
    assert all(words in said for words in ("forget (reset)", "input (write)", "output (read)"))


def test_a_cell_without_gates_has_no_story():
    with pytest.raises(ValueError, match=r"there is no story of a cell without gates: .* 'gates' shows what it does"):
        tl.draw(small_loss("rnn", 3), "story")


def test_a_cell_of_plain_equations_has_a_story_with_its_own_names():
    assert "1 − keep₁ keeps" in told(tl.draw(plain_mgu(), "story"))
