"""What if: one change of each kind, and every number on the screen beside a page of the changed run in Python."""

import base64
import json
import re
import zlib

import numpy as np
import pytest
from test_stepper_page import number

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.web.page import page as page_of


def network(hidden=2):
    lstm = tl.LSTM(2, hidden, rng=0)
    xs = tl.tensor(np.random.default_rng(1).normal(size=(3, 1, 2)), name="xs")
    output, _ = lstm(xs)
    loss = (output * output).sum()
    loss.name = "L"
    return lstm, xs, loss


def altered(text, change):
    """A page whose data were tampered with."""
    deflated = re.search(r'<script type="text/plain" id="data">(.*?)</script>', text, re.DOTALL)[1]
    data = zlib.decompress(base64.b64decode(deflated)).decode()
    assert change(data) != data
    return text.replace(deflated, base64.b64encode(zlib.compress(change(data).encode())).decode())


def opened(page):
    page.locator("#what-if").click()
    return page.locator("#change")


def on_screen(page, events):
    """All numbers that the page shows at some events, and in the strip."""
    told = [page.locator("#strip title").all_text_contents()]
    page.evaluate("document.querySelector('#change').hidden = true")
    for event in events:
        page.evaluate(f"location.hash = '#step={event}'")
        for _ in range(100):
            if number(page) == event:
                break
            page.wait_for_timeout(20)
        panels = page.locator("#panels section:visible, #narration")
        told.append([text.split("point at")[0] for text in panels.all_inner_texts()])
    return told


def choose(page, name):
    select = page.locator("#change .which select")
    values = select.locator("option").evaluate_all("all => all.map((each) => [each.value, each.textContent])")
    select.select_option(next(value for value, text in values if (text.startswith(name) if name else not value)))


def moved(page, name, value):
    page.locator(f"#change .{name} input").evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", str(value)
    )


def typed(page, lstm, xs):
    choose(page, "xs")
    page.locator(".fields input").nth(3).fill("2.5")
    other = xs.value.copy()
    other[1, 0, 1] = 2.5
    return {xs: other}


def dragged(page, lstm, xs):
    choose(page, "xs")
    box = page.locator(".fields input").first.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 10, steps=4)
    page.mouse.up()
    other = xs.value.copy()
    other[0, 0, 0] = float(page.locator(".fields input").first.input_value())
    assert other[0, 0, 0] > xs.value[0, 0, 0] + 0.8
    return {xs: other}


def scaled(page, lstm, xs):
    choose(page, "xs")
    moved(page, "by", 2)
    return {xs: xs.value * 2}


def forget_bias(page, lstm, xs):
    bias = lstm.cells[0].forget_gate.bias
    choose(page, "cell.forget_gate.bias")
    moved(page, "plus", 3)
    return {bias: bias.value + 3}


def every_weight(page, lstm, xs):
    choose(page, "")
    moved(page, "by", 0.5)
    return {x: x.value * 0.5 for x in lstm.parameters() if x.ndim > 1}


def the_first_state(page, lstm, xs):
    choose(page, "h0")
    page.locator(".fields input").first.fill("-0.5")
    return {"h0": np.array([[-0.5, 0.0]])}


@pytest.mark.parametrize("control", [typed, dragged, scaled, forget_bias, every_weight, the_first_state])
def test_every_number_is_that_of_a_run_in_python(open_page, control):
    lstm, xs, loss = network()
    page = open_page(page_of(tl.step(loss)))
    opened(page)
    begun = page.locator("#change .answer").inner_text()
    changes = control(page, lstm, xs)
    assert page.locator("#change .answer").inner_text() != begun
    fresh = tl.what_if(loss, changes)
    theirs = open_page(page_of(tl.step(fresh)))
    events = [*range(tl.step(loss).events.start, len(tl.step(loss)), 9), 12, 30]
    assert on_screen(page, events) == on_screen(theirs, events)
    assert f"{fresh.item():.4g}" in on_screen(page, [tl.step(loss).events.start])[1][0]


@pytest.mark.parametrize(
    ("layer", "end", "value"), [("forget_gate", 1, 1.0), ("input_gate", 0, 0.0), ("candidate", 0, -1.0)]
)
def test_a_layer_that_is_held(open_page, layer, end, value):
    """No error flows past it; all other gradients are those of a run with a constant there."""
    lstm, _, loss = network()
    stepper = tl.step(loss)
    page = open_page(page_of(stepper))
    section = opened(page)
    symbol = {"forget_gate": "f", "input_gate": "i", "candidate": "g"}[layer]
    section.locator("fieldset", has=page.locator("b", has_text=re.compile(f"^{symbol}$"))).get_by_role("radio").nth(
        1 + end
    ).click()
    cell = lstm.cells[0]
    fresh = tl.what_if(loss, {getattr(cell, layer): value})
    assert f"{fresh.item():.5g}" in section.locator(".answer").inner_text().replace("−", "-")
    mirror = tl.step(fresh)
    flow = page.locator("#strip title").all_text_contents()
    assert flow == open_page(page_of(mirror)).locator("#strip title").all_text_contents()
    page.keyboard.press("Escape")
    for name in ("output_gate.weight", "output_gate.bias", *["forget_gate.weight"] * (layer != "forget_gate")):
        arrived = [e.index for e in stepper.events.backward if e.target.name == f"cell.{name}"]
        page.evaluate(f"location.hash = '#step={arrived[-1]}'")
        page.locator("#timeline output", has_text=f"event {arrived[-1]} of").wait_for()
        theirs = open_page(page_of(mirror))
        last = [e.index for e in mirror.events.backward if e.target.name == f"cell.{name}"][-1]
        theirs.evaluate(f"location.hash = '#step={last}'")
        theirs.locator("#timeline output", has_text=f"event {last} of").wait_for()
        assert page.locator(".sum .after").inner_text() == theirs.locator(".sum .after").inner_text()
    event = next(e for e in stepper.events.backward if e.scope[-1:] == (layer,))
    page.evaluate(f"location.hash = '#step={event.index}'")
    page.locator("#equation", has_text="what is held fixed passes no error on").wait_for()
    assert page.locator("#equation math").count() == 0
    assert page.locator("#picture .edge.current").count() == 0


def test_undo_reset_and_the_address(open_page):
    _, _, loss = network()
    page = open_page(page_of(tl.step(loss)))
    section = opened(page)
    answer = section.locator(".answer")
    begun = answer.inner_text()
    choose(page, "xs")
    moved(page, "by", 2)
    moved(page, "by", 3)  # one slider, moved on: one change
    page.locator("#change .by input").dispatch_event("change")
    scaled_by_3 = answer.inner_text()
    section.get_by_role("radio").nth(1).click()
    both = answer.inner_text()
    assert len({begun, scaled_by_3, both}) == 3
    page.wait_for_timeout(300)
    address = page.url
    again = open_page(page_of(tl.step(loss)))
    again.evaluate(f"location.hash = {json.dumps(address.split('#')[1])}")
    again.wait_for_timeout(300)
    assert again.locator("#change .answer").text_content() == both
    section.locator(".undo").click()
    assert answer.inner_text() == scaled_by_3
    section.locator(".undo").click()
    assert answer.inner_text() == begun
    section.get_by_role("radio").nth(1).click()
    section.locator(".reset").click()
    assert answer.inner_text() == begun
    page.wait_for_timeout(300)
    assert "change" not in page.url


@pytest.mark.parametrize(
    "hostile",
    [
        *("%7B", "[1]", "null", '{"weights":"x"}', '{"leaves":3}', '{"leaves":{"nobody":{}}}'),
        *('{"layers":{"99":1}}', '{"layers":{"length":0}}', '{"leaves":{"xs":{"numbers":{"length":1}}}}'),
    ],
)
def test_an_address_that_says_nonsense_is_refused(open_page, hostile):
    page = open_page(page_of(tl.step(small_loss("lstm", 2))))
    before = page.locator("#strip title").all_text_contents()
    page.evaluate(f"location.hash = '#step=3&change=' + encodeURIComponent({json.dumps(hostile)})")
    page.wait_for_timeout(200)
    assert page.locator("#told").is_visible()
    assert page.locator("#strip title").all_text_contents() == before


def test_a_page_that_computes_other_numbers_shows_none(open_page):
    text = page_of(tl.step(small_loss("lstm", 2)))
    page = open_page(altered(text, lambda data: data.replace('\\"tanh\\"', '\\"sin\\"')))
    assert "computes other numbers than Python" in page.locator("#agreement").inner_text()
    assert page.locator("main").is_hidden()


def test_large_networks_have_a_field_for_the_number_that_is_chosen(open_page):
    _, _, loss = network(hidden=20)
    page = open_page(page_of(tl.step(loss)))
    section = opened(page)
    begun = section.locator(".answer").inner_text()
    choose(page, "cell.forget_gate.weight")
    section.locator(".fields input").first.fill("43")
    assert "[2, 3]" in section.locator(".fields").inner_text()
    section.locator(".fields input").nth(1).fill("7")
    assert section.locator(".answer").inner_text() != begun


def test_what_was_typed_is_in_force_whatever_the_factor(open_page):
    _, _, loss = network()
    page = open_page(page_of(tl.step(loss)))
    section = opened(page)
    choose(page, "xs")
    moved(page, "by", 0)
    nothing = section.locator(".answer").inner_text()
    field = section.locator(".fields input").first
    field.fill("3")
    assert section.locator(".answer").inner_text() != nothing
    field.fill("")
    field.blur()
    assert field.input_value() == "3"


def test_what_could_not_be_read_is_said_wherever_one_looks(open_page):
    own = tl.primitive("own", lambda x: np.array([float(v) ** 2 for v in x]), lambda g, y, x: (2 * x * g,))
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="x")
    page = open_page(page_of(tl.step(own(x * 3.0).sum())))
    section = opened(page)
    assert page.locator("#unread").text_content() == ""
    section.locator(".fields input").first.fill("5")
    assert "not known here" in section.locator(".answer").inner_text()
    page.locator("#what-if").click()
    assert "own could not be read" in page.locator("#unread").inner_text()


def test_undo_and_redo_by_keys(open_page):
    _, _, loss = network()
    page = open_page(page_of(tl.step(loss)))
    section = opened(page)
    choose(page, "xs")
    field = section.locator(".fields input").first
    before = field.input_value()
    for typed_in in ("1.5", "2.5"):
        field.fill(typed_in)
        field.blur()
    for keys, shown in (("Control+z", "1.5"), ("Control+z", before), ("Control+Shift+Z", "1.5"), ("Control+y", "2.5")):
        page.keyboard.press(keys)
        assert field.input_value() == shown
    assert section.locator(".redo").is_disabled()
    section.locator(".undo").click()
    field.fill("3")
    assert section.locator(".redo").is_disabled(), "what was undone is gone where something else is done"


def test_a_link_is_undone_like_any_change(open_page):
    _, _, loss = network()
    page = open_page(page_of(tl.step(loss)))
    section = opened(page)
    choose(page, "xs")
    section.locator(".fields input").first.fill("2")
    typed = section.locator(".answer").inner_text()
    page.evaluate("""location.hash = '#step=80&change=' + encodeURIComponent('{"weights": 0.5}')""")
    page.wait_for_timeout(200)
    assert section.locator(".answer").inner_text() != typed
    section.locator(".undo").click()
    assert section.locator(".answer").inner_text() == typed
