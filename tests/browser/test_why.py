"""Why an event happens: Python has the sentences, and the page says of every event what Python says."""

import re

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.recording.why import ENDING, FELT, HERE, WHEN
from tinygrad_lstm.stepper.web.page import page as page_of


def square():
    x = tl.tensor([0.5, -1.0], requires_grad=True, name="x")
    return (tl.relu(x - 3.0) + x * x).sum()


def broadcast():
    b = tl.tensor([1.0, 2.0], requires_grad=True, name="{name}")
    return (tl.tanh(tl.tensor(np.ones((3, 2)), name="a") + b) * 2).sum()


def lstm():
    xs = tl.tensor(np.random.default_rng(1).normal(size=(3, 2, 2)), requires_grad=True, name="xs")
    return (tl.LSTM(2, 2, rng=0)(xs)[0] ** 2).sum()


def detached():
    """A state that was cut off, and an input that nobody asks about."""
    h = tl.tensor([0.1, 0.2], requires_grad=True, name="h")
    with tl.time_step(1):
        other = tl.tanh(h.detach() * tl.tensor([3.0, 1.0], requires_grad=True, name="w"))
    return (other * tl.tensor([1.0, 2.0], name="x")).sum()


def saturated():
    x = tl.tensor([9.0, -9.0], requires_grad=True, name="x")
    return (tl.sigmoid(x) * tl.tensor([0.0, 0.0], requires_grad=True, name="c") + 3.0).sum()


def broken():
    with np.errstate(invalid="ignore"):
        return tl.sqrt(tl.tensor([-1.0, 4.0], requires_grad=True, name="x")).sum()


def twice():
    a = tl.tensor(1.5, requires_grad=True, name="a")
    b = a + a
    return b * b


NETWORKS = {
    "twice": twice,
    "detached": detached,
    "saturated": saturated,
    "broken": broken,
    "square": square,
    "broadcast": broadcast,
    "lstm": lstm,
    "gru": lambda: small_loss("gru", 3),
    "rnn": lambda: small_loss("rnn", 1),
}


def told(page, events):
    """What the page says of each event, one after another."""
    page.keyboard.press("Home")
    sentences = [said(page)]
    for _ in range(events - 1):
        page.keyboard.press(".")
        sentences.append(said(page))
    return sentences


def said(page):
    """Why, and at the end of the walk what that means."""
    return " ".join(page.locator(".why, .end").all_inner_texts())


@pytest.mark.parametrize("name", NETWORKS)
def test_page_and_python_say_the_same_of_every_event(open_page, name):
    stepper = tl.step(NETWORKS[name]())
    assert told(open_page(page_of(stepper)), len(stepper)) == [event.why for event in stepper.events]


def test_those_networks_bring_up_every_sentence_but_that_of_what_is_held():
    said = {event.why for make in NETWORKS.values() for event in tl.step(make()).events}
    reasons = [reason for group in (*HERE, *ENDING) for reason in group]
    unsaid = {reason.needs for reason in reasons if not any(fits(reason.sentence, why) for why in said)}
    assert unsaid == {("held",), ("forward", "fixed")}
    assert {need for group in (*HERE, *ENDING, *FELT) for reason in group for need in reason.needs} == set(WHEN)


def fits(sentence, why):
    """Whether a text holds a sentence, whatever stands in its places."""
    return re.search(".+?".join(map(re.escape, re.split(r"\{\w+\}", sentence))), why) is not None


def test_what_is_changed_may_change_the_reason(open_page):
    x = tl.tensor([-2.0, -1.0], requires_grad=True, name="x")
    stepper = tl.step(tl.relu(x).sum())
    page = open_page(page_of(stepper))
    page.keyboard.press("End")
    assert page.locator(".why").inner_text().startswith("Nothing passes: the slope of relu to x is 0")
    page.keyboard.press("p")
    assert said(page) == ("x is used here alone, so ∂L/∂x is what comes from above times the slope of relu."), (
        "more would tell what is to be guessed"
    )
    page.locator("#predict").click()
    page.locator("#what-if").click()
    page.locator(".fields input").first.fill("3")
    other = tl.step(tl.relu(tl.tensor([3.0, -1.0], requires_grad=True, name="x")).sum()).events[-1]
    assert said(page) == other.why
    assert "Nothing passes" not in other.why


def test_what_is_held_is_said_forwards_and_backwards(open_page):
    stepper = tl.step(small_loss("lstm", 2))
    page = open_page(page_of(stepper))
    page.locator("#what-if").click()
    page.locator("fieldset", has_text="f forget").get_by_label("held at 1").click()
    gate = next(event for event in stepper.events if event.node.name == "f")
    page.evaluate(f"location.hash = '#step={gate.index}'")
    page.wait_for_function("document.querySelector('.why').textContent.includes('held')")
    assert page.locator(".why").inner_text() == "f₀ is held at 1 here, whatever comes in."
    assert page.locator("#narration").inner_text() == f"Forward at t = 0: {page.locator('.why').inner_text()}"
    back = next(event for event in stepper.events.backward if event.node.name == "f")
    page.evaluate(f"location.hash = '#step={back.index}'")
    page.wait_for_function("document.querySelector('.why').textContent.includes('passes no error')")
    assert page.locator("#narration").inner_text().endswith(page.locator(".why").inner_text())


@pytest.mark.parametrize("bias", [-12.0, 0.0, 9.0])
@pytest.mark.parametrize("cell", [tl.LSTMCell, tl.RNNCell, tl.GRUCell])
def test_page_and_python_say_the_same_of_how_far_back_it_is_felt(open_page, cell, bias):
    layer = cell(2, 2, rng=0)
    if cell is tl.LSTMCell:
        layer.forget_gate.bias.value = np.full(2, bias)
    state = None
    for t in range(4):
        with tl.time_step(t):
            state = layer(tl.tensor([[0.5, -1.0]], name="x"), state)
    stepper = tl.step((state[0] if cell is tl.LSTMCell else state).sum())
    said = open_page(page_of(stepper)).locator("#felt").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert said == stepper.flow().summary
    assert str(stepper.flow()).endswith(said)
    assert said
