"""The cursor moves both ways over the one walk, and every position says what happens there."""

import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import tinygrad_lstm as tl
from tests.conftest import few
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.commands import run_command
from tinygrad_lstm.stepper.terminal import session as terminal
from tinygrad_lstm.stepper.terminal.panes import headline


def test_before_plus_contribution_is_after_at_every_position():
    for event in tl.step(small_loss("peephole", 3)).events.backward:
        before = 0 if event.before is None else event.before
        assert np.array_equal(before + event.contribution, event.after)


def test_the_walk_ends_with_the_gradients_of_backward():
    cell = tl.GRUCell(2, 3, rng=0)
    h = cell(tl.tensor([1.0, 2.0]))
    loss = (cell(tl.tensor([0.5, -1.0]), h) * 3.0).sum()
    stepper = tl.step(loss)
    stepper.goto(len(stepper) - 1)
    loss.backward()
    for parameter in cell.parameters():
        assert np.array_equal(stepper.gradients[parameter], parameter.grad.value)


@given(moves=st.lists(st.tuples(st.sampled_from(["step", "next", "reverse_step"]), st.integers(1, 3)), max_size=30))
def test_any_walk_back_and_forth_shows_the_same_tape(moves):
    stepper = tl.step(small_loss("rnn", 2))
    for move, count in moves:
        event = stepper.next() if move == "next" else getattr(stepper, move)(count)
        assert event == stepper.current == stepper.events[stepper.position]
        assert event.index == stepper.position


def test_next_goes_to_another_node():
    x = tl.tensor(2.0, requires_grad=True)
    stepper = tl.step(tl.tanh(x * x) * x)
    visited = []
    while not stepper.at_end:
        event = stepper.next()
        visited.append(event.node.primitive.name)
    assert visited == ["mul", "tanh", "mul", "mul"]  # and at last the end of the tape
    assert stepper.position == len(stepper) - 1


def test_moving_past_an_end_stops_there():
    stepper = tl.step(small_loss("rnn", 1))
    assert stepper.reverse_step(10_000).index == 0
    assert stepper.step(10_000).index == len(stepper) - 1
    assert stepper.next().index == len(stepper) - 1


@pytest.mark.parametrize("number", ["a", 1.5, None, [1]])
def test_events_are_counted_by_whole_numbers(number):
    stepper = tl.step(small_loss("rnn", 1))
    before = stepper.position
    for move in (stepper.step, stepper.reverse_step, stepper.goto):
        with pytest.raises(TypeError, match="events are counted by whole numbers, not by"):
            move(number)
    assert stepper.position == before


def test_goto_outside_the_walk_says_what_there_is():
    stepper = tl.step(small_loss("rnn", 1))
    with pytest.raises(IndexError, match=rf"events 0 to {len(stepper) - 1}; there is no 99"):
        stepper.goto(99)


def test_a_position_prints_node_scope_time_formula_and_sum():
    stepper = tl.step(small_loss("lstm", 2))
    event = next(e for e in stepper.events.backward if e.node.primitive.name == "sigmoid" and e.time == 1)
    text = str(event)
    for expected in (
        "t1.cell.output_gate.sigmoid",
        "cell.output_gate",
        "t = 1",
        "δ_o₁ += ∂L/∂o₁ ⊙ o₁ ⊙ (1 − o₁)",
        "+ contribution",
        "1 of 1",
    ):
        assert expected in text


HOSTILE = "<script>alert(1)</script>\x1b[31m\nforged"


def test_an_event_is_a_short_line_readable_text_and_a_table():
    x = tl.tensor([1.0, -2.0], requires_grad=True, name="x")
    event = tl.step((x * x).sum()).step(2)
    assert repr(event) == f"<event {event.index}, backward: ∂L/∂x += ∂L/∂(x²) ⊙ x>"
    assert str(event).splitlines()[0] == f"[{event.index}] backward"
    table = event._repr_html_()
    assert table.count("<tr>") == len(list(event.facts())) == len(str(event).splitlines()) - 1
    assert "<table>" in table
    assert "[1, −2]" in table


def test_no_name_in_an_event_or_a_breakpoint_is_markup_or_reaches_the_terminal():
    x = tl.tensor([1.0, 2.0], requires_grad=True, name=HOSTILE)
    with tl.scope(HOSTILE.replace("\n", "")):
        stepper = tl.step((x * x).sum())
    shown = [*stepper.events, stepper, stepper.watch(x), stepper.ledger(x)]
    for each in (*shown, stepper.break_("node:<b>\x1b[31m"), stepper.break_("op:mul\nforged")):
        assert "\n" not in repr(each)
        assert "\x1b" not in repr(each) + str(each)
        assert "\nforged" not in str(each)
        if each is not stepper:
            assert not any(tag in each._repr_html_() for tag in ("<script", "<b>", "\x1b"))
    assert "\x1b" not in stepper.info()


def test_no_name_reaches_the_terminal_through_the_panes():
    x = tl.tensor([1.0, 2.0], requires_grad=True, name=HOSTILE)
    with tl.scope("\x1b[31mred"):
        y = tl.tanh(x)
        y.name = HOSTILE
        stepper = tl.step((y * x).sum())
    for event in stepper.events:
        stepper.goto(event.index)
        out = io.StringIO()
        terminal.show(stepper, Console(file=out, width=120, color_system=None, force_terminal=True))
        assert "\x1b" not in out.getvalue()


def test_a_sum_over_broadcast_axes_is_said():
    b = tl.tensor([1.0, 2.0], requires_grad=True, name="b")
    event = tl.step(tl.tensor(np.ones((3, 2))) + b, np.ones((3, 2))).step()
    assert "from (3, 2) to (2,)" in str(event)
    assert event.formula == "∂L/∂b += Σ₀ ∂L/∂y"


def test_the_tape_survives_an_optimiser_step():
    w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    loss = (w * w).sum()
    stepper = tl.step(loss)
    before = [str(event) for event in stepper.events]
    loss.backward()
    tl.SGD([w], lr=0.5).step()
    assert [str(event) for event in stepper.events] == before == [str(event) for event in tl.step(loss).events]


def test_the_gradient_of_a_gradient_can_be_walked():
    x = tl.tensor(0.5, requires_grad=True, name="x")
    (slope,) = tl.grad(tl.tanh(x), [x], create_graph=True)
    stepper = tl.step(slope)
    stepper.step(len(stepper))
    y = np.tanh(0.5)
    assert np.isclose(stepper.gradients[x], -2 * y * (1 - y * y), rtol=1e-12)


def test_a_leaf_alone_has_only_its_seed():
    stepper = tl.step(tl.tensor(1.0, requires_grad=True, name="x"))
    assert [event.phase for event in stepper.events] == ["forward", "seed"]
    assert stepper.at_end
    assert "seed" in str(stepper.current)


def test_only_a_tensor_that_needs_a_gradient_can_be_walked():
    with pytest.raises(TypeError, match="not from float"):
        tl.step(1.0)
    with pytest.raises(ValueError, match="requires no gradient"):
        tl.step(tl.tensor(1.0))


def test_every_event_says_why_on_one_line_and_no_name_in_it_is_markup():
    whys = [event.why for event in tl.step(small_loss("lstm", 3)).events]
    assert all(why.endswith(".") and "\n" not in why for why in whys)
    b = tl.tensor([1.0, 2.0], requires_grad=True, name=HOSTILE)
    stepper = tl.step(tl.tensor(np.ones((3, 2))) + b, np.ones((3, 2)))
    assert stepper.current.why.startswith("The walk begins here")
    why = stepper.step().why
    assert "was used 3 times at once, as by every row of a batch: " in why
    assert "\x1b" not in why
    assert stepper.print("why") == why


def screen(stepper, width, height, *lines):
    """What a terminal of that size shows of a position, or of what commands answer; and the lines that are left."""
    out, rest = io.StringIO(), []
    console = Console(file=out, width=width, height=height, color_system=None, force_terminal=True)
    if not lines:
        terminal.show(stepper, console)
    for line in lines:
        assert terminal.run_line(line, stepper, console, rest)
    return [row.rstrip() for row in out.getvalue().splitlines()], rest


@pytest.mark.parametrize(("width", "height"), few([(80, 24), (60, 16), (120, 24), (160, 40)]))
def test_no_position_is_higher_or_wider_than_the_screen_and_its_equation_is_first(width, height):
    stepper = tl.step(small_loss("lstm", 4))
    stepper.display("t1.c")
    for event in stepper.events:
        stepper.goto(event.index)
        shown, _ = screen(stepper, width, height)
        assert len(shown) <= height - 3, "the prompt and the headline stand below"
        assert max(map(len, shown)) <= width
        assert shown[0].startswith(f"[{event.index}]")
        assert "equation" in "".join(shown[:4])


@pytest.mark.parametrize("command", ["help", "list", "info health", "flow", "print cell.forget_gate.weight"])
def test_an_answer_longer_than_the_screen_is_shown_a_page_at_a_time(command):
    stepper = tl.step(small_loss("lstm", 40))
    whole, nothing = screen(stepper, 80, 500, command)
    assert nothing == []
    out, rest = io.StringIO(), []
    console = Console(file=out, width=80, height=10, color_system=None, force_terminal=True)
    assert terminal.run_line(command, stepper, console, rest)
    pages = [out.getvalue().splitlines()]
    while rest:
        before = len(rest)
        assert pages[-1].pop() == f"… {before} more lines; an empty line shows them"
        out.seek(0)
        out.truncate()
        terminal._page(console, rest)
        assert len(rest) < before
        pages.append(out.getvalue().splitlines())
    assert [row.rstrip() for page in pages for row in page] == whole
    assert all(len(page) <= 6 for page in pages)


def test_the_headline_says_where_one_is_and_the_equation():
    stepper = tl.step(small_loss("lstm", 3))
    event = stepper.until("op:sigmoid t:1")
    place, equation = headline(stepper, 80).splitlines()
    assert place == f"[{event.index}] backward, t1.cell.output_gate.sigmoid, event {event.index} of {len(stepper) - 1}"
    assert equation == event.formula
    assert all(len(line) < 30 for line in headline(stepper, 30).splitlines())


def test_a_wide_terminal_shows_belt_and_flow_beside_and_the_flow_as_it_arrives():
    stepper = tl.step(small_loss("lstm", 4))
    stepper.until("op:sigmoid t:2")
    shown = "\n".join(screen(stepper, 160, 40)[0])
    flow = stepper.flow()
    for t in range(4):
        gates, state = flow[t].gates, flow[t].states["c"].value
        opening = " ".join(f"{gates[name].value.mean():.2g}".ljust(4) for name in "fio")
        assert f"{'→' if t == 2 else ' '} {t} {opening} {np.linalg.norm(state):.2g}" in shown
    assert "  1 ·       ·" in shown
    assert f"  3 {flow[3].norms['c']:.2g}    {flow[3].norms['h']:.2g}" in shown
    stepper.goto(len(stepper) - 1)
    assert "·" not in "\n".join(screen(stepper, 160, 40)[0])
    assert "belt" not in "\n".join(screen(stepper, 100, 40)[0])


HYPHEN = re.compile(r"(?<![\w.−-])-\d|\de-\d")
"""A number below 0 with a hyphen, or a power of ten."""


@pytest.mark.parametrize("cell", few(["lstm", "gru", "rnn"], 1))
def test_every_number_that_is_printed_has_a_proper_minus_sign(cell):
    stepper = tl.step(small_loss(cell, 3) * -1e-7)
    words = ["print", "print value", "print norm", "print upstream", "flow", "list", "paths t1.h", "info health"]
    for event in stepper.events:
        stepper.goto(event.index)
        printed = [str(event), *("\n".join(screen(stepper, width, 80)[0]) for width in (60, 160))]
        printed += [run_command(word, stepper) for word in words]
        for text in printed:
            assert not HYPHEN.search(text), HYPHEN.search(text)


def test_the_terminal_reads_commands_from_standard_input_and_leaves_at_its_end(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("step\n\n\n"))
    stepper = tl.step(small_loss("rnn", 2))
    start = stepper.position
    stepper.terminal()
    assert stepper.position == start + 3
    assert f"[{start + 3}] backward" in capsys.readouterr().out
