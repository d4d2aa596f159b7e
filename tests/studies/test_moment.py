"""Each study's walk opens where its link says."""

import numpy as np
import pytest

from tinygrad_lstm.engine.backprop import gradients
from tinygrad_lstm.nn import LSTMCell, RNNCell
from tinygrad_lstm.structure.words import magnitude
from tinygrad_lstm.studies import STUDIES, ablation, by_name, moment
from tinygrad_lstm.studies.moment import LITTLE, SHORT, adding_to, arriving, dying, of_chords, of_task, writing

DYING = {
    "temporal-order": lambda: of_task("temporal-order"),
    "adding": lambda: of_task("adding"),
    "reber": lambda: of_task("reber"),
    "copy": lambda: of_task("copy"),
    "jsb": of_chords,
    "by-hand": moment._by_hand,
}


@pytest.mark.parametrize("name", DYING)
def test_the_walk_stops_where_the_gradient_is_almost_gone(name):
    stepper = dying(DYING[name]())
    norms = {}
    for event in stepper.events:
        if event.target is not None and event.target.name == "h":
            norms[event.target.time] = magnitude(event.after)
    last = max(norms)
    here = stepper.current.target.time
    assert norms[here] < LITTLE * norms[last]
    assert all(norms[t] >= LITTLE * norms[last] for t in range(here + 1, last + 1))


def test_an_lstm_that_keeps_has_let_the_gradient_through_by_its_memory():
    read = moment._lstm(3.0)
    complete = gradients(read.loss)
    first, last = (magnitude(complete[state["c"]]) for state in (read.states[0], read.states[-1]))
    assert 0.35 < first / last < 0.45, "two fifths"
    stepper = arriving(read, 0, "c")
    np.testing.assert_array_equal(stepper.current.after, complete[read.states[0]["c"]])


def test_without_a_forget_gate_the_next_memory_gives_its_gradient_whole():
    read = of_task("temporal-order", SHORT, ablation.AblatedLSTMCell(8, 4, without="forget gate", rng=0))
    c, later = read.states[0]["c"], read.states[1]["c"]
    given = [event.contribution for event in arriving(read, 0, "c").ledger(c)]
    assert any(np.array_equal(part, gradients(read.loss)[later]) for part in given)


def test_what_is_written_is_computed_where_the_first_symbol_that_matters_is_read():
    t = moment._first_relevant()
    read = of_task("temporal-order", SHORT, LSTMCell(8, 4, rng=0))
    event = writing(read, t, "c").current
    assert (event.phase, event.node.name, event.time) == ("forward", "c", t)
    assert t in (1, 2), "at a tenth to a fifth of the gap"


def test_a_weight_gets_a_contribution_for_each_step_the_earliest_last():
    cell = RNNCell(8, 4, rng=0)
    read = of_task("temporal-order", SHORT, cell)
    weight = cell.layer.weight
    second, earliest = (adding_to(read, weight, use).current for use in (1, -1))
    assert (second.time, earliest.time) == (len(read.states) - 2, 0)
    norms = [magnitude(event.contribution) for event in adding_to(read, weight, -1).ledger(weight)]
    assert len(norms) == len(read.states)
    assert norms[-1] == min(norms)


@pytest.mark.parametrize("name", [name for name in STUDIES if by_name(name).walk])
def test_every_walk_is_a_page_that_its_link_tells_of(name):
    walk = by_name(name).walk
    assert walk.make().startswith("<!doctype html>")
    assert walk.link.startswith("Walk to ")
    assert walk.about.endswith(".")


def test_only_the_atlas_has_none_since_its_page_is_another():
    assert [name for name in STUDIES if by_name(name).walk is None] == ["atlas"]
