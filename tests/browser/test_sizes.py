"""A page that is set to other numbers of steps, or to another cell, is the page that Python writes for them."""

import re
import xml.etree.ElementTree as ET
from functools import partial

import numpy as np
import pytest
from test_what_if import number, on_screen, opened

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.web.page import page as page_of
from tinygrad_lstm.stepper.web.record import VIEWS

CELLS = ("rnn", "gru", "lstm")
DRAWN = """() => {
  const places = (part) => ["d", "points", "cx", "cy", "x", "y"].map((name) => part.getAttribute(name) ?? "");
  const words = (element) => [...element.querySelectorAll("title, text")].map((each) => each.textContent);
  const mark = (element) => [element.dataset.id, words(element),
    [...element.querySelectorAll(":not(.gauge, .gauge *, .level)")].flatMap(places).join(" ")];
  return [...document.querySelectorAll("#picture svg .column")].map((column) => [column.dataset.id,
    column.getAttribute("transform"), ...[...column.children].filter((each) => !each.matches(".halo")).map(mark)]);
}"""


@pytest.fixture(scope="module")
def text():
    makers = {cell: partial(small_loss, cell) for cell in CELLS}
    return page_of(tl.step(small_loss("lstm", 3)), makers, "lstm")


def set_to(page, steps):
    typed = page.locator("#change .lengths input[type=number]")
    typed.fill(str(steps))
    typed.dispatch_event("change")


def numbers(text):
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", text or "")]


def drawn(page, view):
    page.get_by_role("button", name=view, exact=True).click()
    return page.evaluate(DRAWN)


def longer(steps):
    """The same network over more steps, which repeat the last input, or over fewer."""
    loss = small_loss("lstm", steps)
    three = next(x for x in tl.Graph(small_loss("lstm", 3)).leaves if x.name == "xs").value
    return tl.what_if(loss, {"xs": three[np.minimum(np.arange(steps), 2)]})


@pytest.mark.parametrize("steps", [1, 2, 7, 12, 30])
def test_set_to_other_steps_it_is_the_page_of_those(open_page, text, steps):
    ours, theirs = open_page(text, width=40_000), open_page(page_of(tl.step(longer(steps))), width=40_000)
    opened(ours)
    set_to(ours, steps)
    total = len(tl.step(longer(steps)))
    assert f"of {total - 1}" in ours.locator("#timeline output").inner_text()
    for _, view, _ in VIEWS:
        assert drawn(ours, view) == drawn(theirs, view)
    events = [*range(0, total, total // 7), total - 1]
    assert on_screen(ours, events) == on_screen(theirs, events)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_set_to_another_cell_it_is_the_page_of_that(open_page, text, cell):
    ours, theirs = open_page(text), open_page(page_of(tl.step(small_loss(cell, 3))))
    opened(ours).get_by_label(cell.upper(), exact=True).check()
    for _, view, _ in VIEWS:
        assert drawn(ours, view) == drawn(theirs, view)
    total = len(tl.step(small_loss(cell, 3)))
    events = [*range(0, total, total // 7), total - 1]
    assert on_screen(ours, events) == on_screen(theirs, events)


def test_new_steps_are_marked_and_can_be_typed(open_page, text):
    page = open_page(text, width=3000)
    section = opened(page)
    set_to(page, 5)
    assert page.locator("#picture .column.added").count() == 2
    assert "repeat the last input" in section.locator(".added").inner_text()
    section.locator(".which select").select_option(label="xs  (5, 2)")
    before = section.locator(".answer").inner_text()
    section.locator(".fields input").last.fill("9")
    assert section.locator(".answer").inner_text() != before
    page.wait_for_timeout(300)
    again = open_page(text)
    again.evaluate(f"location.hash = {page.url.split('#')[1]!r}")
    again.wait_for_timeout(300)
    assert again.locator("#change .answer").text_content() == section.locator(".answer").text_content()
    section.locator(".undo").click()
    section.locator(".undo").click()
    assert number(page) < len(tl.step(small_loss("lstm", 3)))
    assert page.locator("#picture .column.added").count() == 0


@pytest.mark.parametrize("time", [0, 2])
def test_the_error_of_one_step_alone(open_page, time):
    """Its gradients are those of a loss that sees the other steps as constants."""
    lstm = tl.LSTM(2, 2, rng=0)
    xs = tl.tensor(np.random.default_rng(1).normal(size=(3, 1, 2)), name="xs")
    output, _ = lstm(xs)
    loss = (output * output).sum()
    page = open_page(page_of(tl.step(loss)))
    opened(page).locator(".from select").select_option(f"step {time} alone")
    assert f"the error of step {time} alone" in page.locator("#change .answer").inner_text()
    alone = (output[time] * output[time]).sum()
    flow = {row.time: row.norms for row in tl.step(alone).flow()}
    titles = page.locator("#strip title").all_text_contents()
    for step in range(3):
        shown = next(title for title in titles if title.startswith(f"t = {step}") and "∂h" in title)
        wanted = flow.get(step, {}).get("h", 0.0)
        assert float(shown.split(" = ")[2].split(";")[0].replace("−", "-")) == pytest.approx(
            wanted, rel=1e-3, abs=1e-12
        )


@pytest.mark.parametrize("steps", [1, 2, 3, 30])
@pytest.mark.parametrize("cell", CELLS)
def test_the_picture_is_that_of_draw(open_page, cell, steps):
    """Ids, words, and every coordinate."""
    loss = small_loss(cell, steps)
    page = open_page(page_of(tl.step(loss)), width=30_000)
    for view, title, _ in VIEWS:
        ours = drawn(page, title)
        svg = ET.fromstring(tl.draw(loss, view, steps="all", loss=True).svg)
        columns = [each for each in svg.iter() if each.get("class") == "column"]
        assert [each[0] for each in ours] == [each.get("id") for each in columns]
        for mine, theirs in zip(ours, columns, strict=True):
            assert numbers(mine[1]) == pytest.approx(numbers(theirs.get("transform")), abs=0.011)  # rounded twice
            for mark, element in zip(mine[2:], theirs, strict=True):
                id, words, places = mark
                assert id == element.get("id")
                parts = list(element.iter())[1:]
                texts = [part.text or "" for part in parts if part.tag.endswith(("title", "text"))]
                texts[0] = "\n".join(line for line in texts[0].splitlines() if not line.startswith("value: "))
                assert words == texts
                wanted = [part.get(name) for part in parts for name in ("d", "points", "cx", "cy", "x", "y")]
                assert numbers(places) == numbers(" ".join(filter(None, wanted)))
