"""Breakpoints stop the walk in both directions; what cannot be read is answered with what can be written."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.breakpoints import QUANTITIES, parse
from tinygrad_lstm.stepper.commands import run_command
from tinygrad_lstm.structure.words import magnitude

LOSS = small_loss("lstm", 3)

PLACES = {
    "op:tanh": lambda event: event.operation == "tanh",
    "t:1": lambda event: event.time == 1,
    "forget_gate": lambda event: "forget_gate" in event.scope,
    "cell.forget_gate": lambda event: event.scope[-2:] == ("cell", "forget_gate"),
    "node:t1.cell.add": lambda event: event.graph.ids[event.node] == "t1.cell.add",
    "forget_gate t:2": lambda event: "forget_gate" in event.scope and event.time == 2,
    "op:matmul if norm < 0.1": lambda e: e.step and e.operation == "matmul" and magnitude(e.contribution) < 0.1,
    "op:matmul if value < 2": lambda e: e.operation == "matmul" and magnitude(e.value) < 2,
    "if arrived >= 2": lambda event: event.step is not None and event.step.arrived >= 2,
    "if time == 0": lambda event: event.time == 0,
}


@pytest.mark.parametrize("place", PLACES)
def test_continue_stops_at_every_match_and_at_the_end(place):
    stepper = tl.step(LOSS)
    stepper.goto(0)
    breakpoint = stepper.break_(place)
    expected = [event.index for event in stepper.events[1:] if PLACES[place](event)]
    assert expected
    visited = []
    while not stepper.at_end:
        visited.append(stepper.continue_().index)
    last = len(stepper) - 1
    assert [i for i in visited if i in expected] == expected
    assert visited[-1] == last
    assert breakpoint.hits == len(expected)


@pytest.mark.parametrize("place", PLACES)
def test_reverse_continue_visits_the_same_the_other_way(place):
    stepper = tl.step(LOSS)
    stepper.break_(place)
    stepper.goto(len(stepper) - 1)
    visited = []
    while stepper.position:
        visited.append(stepper.reverse_continue().index)
    expected = [event.index for event in stepper.events[:-1] if parse(place)(event)]
    assert [i for i in visited if i in expected] == expected[::-1]
    assert visited[-1] == 0


def test_a_temporary_breakpoint_goes_when_it_is_hit():
    stepper = tl.step(LOSS)
    stepper.break_("t:1", temporary=True)
    assert stepper.continue_().time == 1
    assert stepper.breakpoints == []
    assert stepper.continue_().index == len(stepper) - 1


def test_watching_a_gradient_stops_at_each_of_its_writers_and_back_at_the_last():
    stepper = tl.step(LOSS)
    weight = next(leaf for leaf in tl.Graph(LOSS).leaves if leaf.name == "cell.forget_gate.weight")
    rows = stepper.ledger(weight)
    stepper.watch("cell.forget_gate.weight.grad")
    for row in rows:
        event = stepper.continue_()
        assert event.index == row.index
        assert np.array_equal(event.after, row.after)
    stepper.goto(len(stepper) - 1)
    last = rows[-1] if rows[-1].index != len(stepper) - 1 else rows[-2]
    assert stepper.reverse_continue().index == last.index
    other = tl.step(LOSS)
    assert str(other.watch(weight)) == "1  watch cell.forget_gate.weight.grad  hit 0 times"


def test_a_breakpoint_is_a_short_line_readable_text_and_a_table():
    stepper = tl.step(LOSS)
    made = stepper.break_("op:tanh t:1")
    stepper.continue_()
    assert repr(made) == "<breakpoint 1  break op:tanh t:1  hit 1 time>"
    assert str(made) == stepper.info() == "1  break op:tanh t:1  hit 1 time"
    assert made._repr_html_().count("<tr>") == 2
    elsewhere = stepper.tbreak("op:<nothing>")
    assert str(elsewhere) == "2  tbreak op:<nothing>  hit 0 times; nothing here is at that place"
    assert "op:&lt;nothing&gt;" in elsewhere._repr_html_()
    assert "nothing here is at that place" in elsewhere._repr_html_()


def test_until_goes_once_and_leaves_nothing_behind():
    stepper = tl.step(LOSS)
    assert stepper.until("op:sigmoid t:0").node.primitive.name == "sigmoid"
    assert stepper.breakpoints == []


def test_until_stays_where_the_place_does_not_come():
    stepper = tl.step(LOSS)
    with pytest.raises(ValueError, match="until op:nothing if norm < 1: nothing here is at that place"):
        stepper.until("op:nothing if norm < 1")
    stepper.goto(len(stepper) - 1)
    with pytest.raises(ValueError, match="it does not come after this event; reverse-step, or goto 0, goes back"):
        stepper.until("op:sigmoid t:0")
    assert stepper.at_end


def test_return_leaves_the_module_or_the_time_step():
    stepper = tl.step(LOSS)
    inside = stepper.until("forget_gate")
    left = stepper.return_()
    assert left.scope[: len(inside.scope)] != inside.scope or left.time != inside.time
    between = stepper.events[inside.index : left.index]
    assert all(event.scope == inside.scope and event.time == inside.time for event in between)


@given(st.integers(0, 200))
def test_reverse_next_undoes_next(position):
    stepper = tl.step(LOSS)
    stepper.goto(position % len(stepper))
    here = stepper.current.node
    phase = stepper.current.phase
    before = stepper.reverse_next()
    assert before.index == 0 or before.node is not here or before.phase != phase
    passed = stepper.events[before.index + 1 : position % len(stepper) + 1]
    assert before.index == 0 or all(event.node is here for event in passed)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("", "where to stop"),
        ("op:", "'op:' is no place to stop at"),
        ("t:two", "'t:two' is no place to stop at"),
        ("line:3", "'line:3' is no place to stop at"),
        ("t:3 if", "a condition must follow 'if'|where to stop|is no place"),
        ("if norm", "cannot read the condition 'norm'"),
        ("if __import__('os') < 1", "cannot read the condition"),
        ("if size < 1", "cannot read the condition 'size < 1'"),
        ("if norm < tiny", "'tiny' is no number"),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_can_be_written(place, said):
    stepper = tl.step(LOSS)
    with pytest.raises(ValueError, match=said):
        stepper.break_(place)
    assert stepper.breakpoints == []


@given(st.text(max_size=30))
def test_any_text_is_a_place_or_a_clear_error_and_is_never_run(text):
    try:
        condition = parse(text)
    except ValueError as error:
        said = str(error)
    else:
        said = f"write op:NAME {condition(tl.step(LOSS).current)}"
    assert "write op:NAME" in said


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_quantity_can_be_asked_of_every_event(quantity):
    condition = parse(f"if {quantity} >= 0")
    assert all(condition(event) in (True, False) for event in tl.step(LOSS).events)


def test_wrong_names_and_numbers_say_what_there_is():
    stepper = tl.step(LOSS)
    with pytest.raises(ValueError, match=r"watch takes the name of a gradient, as in w\.grad, not 'w'"):
        stepper.watch("w")
    with pytest.raises(ValueError, match=r"no tensor here is called 'w'; there is cell\.forget_gate\.weight"):
        stepper.watch("w.grad")
    with pytest.raises(ValueError, match="there is no breakpoint 7"):
        stepper.delete(7)
    first = stepper.break_("t:1")
    stepper.delete(first.number)
    assert stepper.break_("t:1").number == 2


def test_one_can_stop_at_the_first_nan():
    with np.errstate(all="ignore"):
        x = tl.tensor([1.0, -1.0], requires_grad=True, name="x")
        stepper = tl.step((tl.log(x) * 2.0).sum())
    stepper.goto(0)
    assert stepper.until("if value == nan").node.primitive.name == "log"
    stepper.goto(0)
    assert stepper.until("op:log if value != nan").index == len(stepper) - 1
    assert stepper.print("arrived") != "none here"
    stepper.goto(0)
    assert str(stepper.print("arrived")) == "none here"


def test_a_name_that_every_step_has_means_that_of_the_step_one_is_at():
    stepper = tl.step(small_loss("lstm", 3))
    shown = stepper.display("t0.f")
    assert shown
    for t in (2, 1, 0):
        stepper.until(f"op:sigmoid t:{t}")
        assert stepper.print("f") == stepper.print(f"t{t}.f")
        assert stepper.ledger("c").title == f"∂L/∂c{'₀₁₂'[t]}"
    assert str(stepper.watch("f.grad")).startswith("1  watch t0.cell.forget_gate.sigmoid.grad")
    stepper.goto(stepper.events.start)  # the loss belongs to no step
    with pytest.raises(ValueError, match="3 tensors are called 'f'; say which"):
        stepper.print("f")


def test_what_is_displayed_by_a_name_that_every_step_has_follows_the_steps():
    stepper = tl.step(small_loss("lstm", 3))
    stepper.until("t:2")
    stepper.display("f")
    for _ in range(30):
        stepper.next()
        if stepper.current.time is not None:
            assert stepper.displayed() == [f"1  f = {stepper.print(f't{stepper.current.time}.f')}"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("h0", "h0 never gets a gradient: it does not require one; tl.tensor(…, requires_grad=True) asks for it"),
        ("mask", "mask never gets a gradient: only through greater"),
        ("y", "y never gets a gradient: nothing it is computed of requires one"),
    ],
)
def test_a_gradient_that_never_comes_is_refused_with_the_reason(name, why):
    w, mask = (tl.tensor([1.0, 2.0], requires_grad=True, name=name) for name in ("w", "mask"))
    h0 = tl.tensor([0.5, 0.5], name="h0")
    y = tl.tanh(h0)
    y.name = "y"
    stepper = tl.step((w * y * tl.engine.ops.greater(mask, 0)).sum())
    for ask in (stepper.watch, stepper.print, stepper.display):
        with pytest.raises(ValueError, match=re.escape(why)):
            ask(f"{name}.grad")
    assert stepper.breakpoints == []
    assert stepper.displays == {}
    assert stepper.print(name)


def test_flow_and_paths_are_commands():
    stepper = tl.step(small_loss("lstm", 3))
    assert run_command("flow", stepper) == str(stepper.flow())
    assert run_command("paths t1.c", stepper) == str(stepper.paths("t1.c"))
    with pytest.raises(ValueError, match="paths needs the name of a tensor"):
        run_command("paths", stepper)


def test_info_health_names_what_is_wrong():
    assert run_command("info health", tl.step(small_loss("lstm", 3))).startswith("nothing found: ")
    cell = tl.LSTMCell(2, 3, rng=0)
    cell.forget_gate.bias.value = np.full(3, -20.0)
    h, _ = cell(tl.tensor([[1.0, 2.0]]), cell(tl.tensor([[1.0, 2.0]])))
    assert "forget_gate.f" in run_command("i health", tl.step(h.sum()))
    with pytest.raises(ValueError, match="info tells of breakpoints, or of health, not of 'wealth'"):
        run_command("info wealth", tl.step(h.sum()))


def test_a_minus_sign_as_it_is_printed_is_read():
    events = tl.step(LOSS).events
    copied, keyed = parse("if time > −1"), parse("if time > -1")
    assert [copied(event) for event in events] == [keyed(event) for event in events]
    assert any(map(copied, events))
    assert not any(map(parse("t:−1"), events))
