"""Why an event happens: Python has the sentences, and the page says of every event what Python says."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.recording.why import WHEN, WHY
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


NETWORKS = {
    "square": square,
    "broadcast": broadcast,
    "lstm": lstm,
    "gru": lambda: small_loss("gru", 3),
    "rnn": lambda: small_loss("rnn", 1),
}


def told(page, events):
    """What the page says of each event, one after another."""
    page.keyboard.press("Home")
    sentences = [page.locator(".why").inner_text()]
    for _ in range(events - 1):
        page.keyboard.press(".")
        sentences.append(page.locator(".why").inner_text())
    return sentences


@pytest.mark.parametrize("name", NETWORKS)
def test_page_and_python_say_the_same_of_every_event(open_page, name):
    stepper = tl.step(NETWORKS[name]())
    assert told(open_page(page_of(stepper)), len(stepper)) == [event.why for event in stepper.events]


def test_those_networks_bring_up_every_sentence_but_that_of_what_is_held():
    said = {event.why for make in NETWORKS.values() for event in tl.step(make()).events}
    beginnings = {reason.sentence.split("}")[-1] for reason in WHY if "held" not in reason.needs}
    assert len(beginnings) == 8
    assert all(any(each.endswith(end) for each in said) for end in beginnings)
    assert {need for reason in WHY for need in reason.needs} == set(WHEN)


def test_what_is_changed_may_change_the_reason(open_page):
    x = tl.tensor([-2.0, -1.0], requires_grad=True, name="x")
    stepper = tl.step(tl.relu(x).sum())
    page = open_page(page_of(stepper))
    page.keyboard.press("End")
    assert page.locator(".why").inner_text().startswith("Nothing passes: the slope of relu to x is 0")
    page.keyboard.press("p")
    assert "Nothing passes" not in page.locator(".why").inner_text(), "it would tell what is to be guessed"
    page.keyboard.press("p")
    page.locator("#what-if").click()
    page.locator(".fields input").first.fill("3")
    other = tl.step(tl.relu(tl.tensor([3.0, -1.0], requires_grad=True, name="x")).sum()).events[-1]
    assert page.locator(".why").inner_text() == other.why
    assert "Nothing passes" not in other.why
