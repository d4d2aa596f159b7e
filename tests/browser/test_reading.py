"""Reading the stepper's page: terms, links, one unit's thread, data | grad, the map, what is left out of long lists."""

import numpy as np
import pytest
from test_stepper_page import at, button, panel, soon

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.web.page import page as page_of
from tinygrad_lstm.structure.terms import TERMS


def rows(page):
    """The numbers of the thread: of each step those of each name, above and below."""
    return [
        [cell.split() for cell in row.locator("td").all_inner_texts()]
        for row in page.locator("#thread tbody tr:not(.left-out)").all()
    ]


def place(stepper, node):
    """The number of a node on the page."""
    return next(i for i, other in enumerate(stepper.graph.nodes) if other is node)


def number(text):
    return None if text == "·" else float(text.replace("−", "-"))


def test_a_term_is_explained_on_hover_and_on_focus_until_one_leaves_it(open_page, text, stepper):
    page = open_page(text)
    at(page, stepper.events.backward[40].index)
    meaning = page.get_by_role("tooltip")
    terms = page.locator(".term")
    assert "upstream" in terms.all_inner_texts()
    for term in terms.all():
        term.hover()
        assert meaning.inner_text() == TERMS[term.get_attribute("data-term")]
        assert term.get_attribute("aria-describedby") == "meaning"
    page.mouse.move(5, 5)
    assert meaning.is_hidden()
    terms.first.focus()
    assert meaning.is_visible()
    page.keyboard.press("Escape")
    assert meaning.is_hidden()
    names = [term.get_attribute("data-term") for term in terms.all()]
    assert len(names) == len(set(names)), "each once, so that tab does not stop at every word"


def test_a_tap_explains_a_term_and_its_meaning_is_within_the_window(open_page, text, stepper):
    page = open_page(text, 390, 844, has_touch=True)
    at(page, stepper.events.backward[40].index)
    page.locator("#accumulator .term").first.tap()
    box = page.get_by_role("tooltip").bounding_box()
    assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    assert 0 <= box["y"] < box["y"] + box["height"] <= 844


def test_the_help_lists_every_term(open_page, text):
    page = open_page(text)
    page.keyboard.press("?")
    words = page.get_by_role("dialog").inner_text()
    assert all(term in words and meaning in words for term, meaning in TERMS.items())


def test_a_symbol_lights_its_box_and_its_number_and_each_of_those_the_symbol(open_page, text, stepper):
    page = open_page(text)
    event = next(
        e for e in stepper.events.backward if e.operation == "mul" and e.step.input.name == "i" and e.time == 1
    )
    at(page, event.index)
    number = place(stepper, event.node.inputs[1])  # the candidate, g₁
    lit = page.locator("#panels .lit")
    page.locator(f".rule [data-node='{number}']").hover()
    assert "g₁" in lit.all_inner_texts()
    assert page.locator("#picture .node.lit").get_attribute("data-id").startswith("t1.cell.candidate")
    everything = lit.all_inner_texts()
    assert len(everything) == 4, "the symbol, its numbers in the formula, and its name and numbers below"
    page.locator("#numbers dt", has_text="g₁").focus()
    assert lit.all_inner_texts() == everything
    page.mouse.move(5, 5)
    page.locator("#picture .node.lit").hover()
    assert lit.all_inner_texts() == everything
    page.mouse.move(640, 20)
    assert lit.all_inner_texts() == everything, "the name has the focus still"
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(640, 25)
    assert page.locator(".lit").count() == 0


def test_a_gradient_is_linked_to_what_has_arrived_and_a_weight_to_its_arrows(open_page, text, stepper):
    page = open_page(text)
    button(page, "Operations").click()
    weight = next(x for x in stepper.graph.nodes if x.name == "cell.forget_gate.weight")
    event = stepper.ledger(weight)[0]
    at(page, event.index)
    page.locator(f".rule [data-gradient='{place(stepper, weight)}']").hover()
    assert page.locator(".sum.lit").count() == 1
    assert page.locator("#picture .lit").count() >= 1
    button(page, "Gates").click()
    page.locator(f".rule [data-gradient='{place(stepper, event.node)}']").first.hover()
    assert page.locator("#numbers dt.lit").inner_text().startswith("upstream")


@pytest.mark.parametrize("unit", [0, 2])
def test_the_thread_of_a_unit_is_that_of_python(open_page, unit):
    xs = tl.tensor(np.random.default_rng(1).normal(size=(4, 2, 2)), name="xs")
    stepper = tl.step((tl.LSTM(2, 3, rng=0)(xs)[0] ** 2).sum())
    page = open_page(page_of(stepper))
    page.locator("#thread summary").click()
    page.locator(".unit input").fill(str(unit))
    page.locator(".sequence input").fill("1")
    for event in (stepper.events.start, stepper.events.start + 60, len(stepper) - 1):
        at(page, event)
        stepper.goto(event)
        names = page.locator("#thread thead th").all_inner_texts()[1:]
        for shown, row in zip(rows(page), stepper.thread(unit, 1), strict=True):
            assert [number(value) for value, _ in shown] == [float(f"{row.values[name]:.3g}") for name in names]
            wanted = [row.gradients[name] for name in names]
            assert [number(grown) for _, grown in shown] == [x if x is None else float(f"{x:.3g}") for x in wanted]
    page.locator("#thread tbody button").first.click()
    assert page.locator("#thread tr.now th").inner_text() == "0"


def test_the_thread_marks_what_is_saturated_and_tells_nothing_that_is_to_be_guessed(open_page):
    cell = tl.RNN(1, 1, rng=0)
    stepper = tl.step(cell(tl.tensor([[[0.1]], [[90.0]]], name="xs"))[0].sum())
    page = open_page(page_of(stepper))
    page.locator("#thread summary").click()
    assert page.locator("#thread td .saturated").count() == 1
    state = next(x for x in stepper.graph.nodes if x.name == "h" and x.time == 0)
    page.keyboard.press("p")
    at(page, stepper.events.uses(state)[0])
    assert "?" in page.locator("#thread td .gradient").all_inner_texts()


@pytest.mark.parametrize("view", ["Gates", "Operations"])
def test_of_one_unit_each_box_shows_its_number_and_its_gradient(open_page, view):
    stepper = tl.step(small(1))
    page = open_page(page_of(stepper))
    button(page, view).click()
    page.keyboard.press("End")
    told = dict(
        page.locator("#picture .node:has(.pair)").evaluate_all(
            """all => all.map((box) => [box.dataset.id,
                [...box.querySelectorAll('.pair tspan')].map((part) => part.textContent)])"""
        )
    )
    assert len(told) > 20
    for node in stepper.graph.nodes:
        if node.is_leaf or (parts := told.get(stepper.graph.ids[node])) is None:
            continue
        value, _, grown = parts
        assert np.isclose(number(value), node.value.item(), rtol=0.05)
        if node in stepper.events.gradients:
            assert np.isclose(number(grown), stepper.events.gradients[node].item(), rtol=0.05)
    assert page.locator(".paired").is_visible()


def test_of_more_units_no_box_does(open_page, text):
    page = open_page(text)
    assert page.locator(".pair").count() == 0
    assert page.locator(".paired").is_hidden()


def small(hidden):
    xs = tl.tensor(np.array([[[0.5]], [[-1.0]], [[2.0]]]), name="xs")
    output, _ = tl.LSTM(1, hidden, rng=0)(xs)
    return (output * output).sum()


def test_a_map_of_what_is_wider_than_its_window_leads_anywhere(open_page, text):
    assert open_page(text).locator("#map").is_hidden()
    page = open_page(page_of(tl.step(small_loss("lstm", 40))))
    frame = page.locator("#map").bounding_box()
    page.mouse.click(frame["x"] + 0.9 * frame["width"], frame["y"] + 8)
    share = page.evaluate("(p => p.scrollLeft / p.scrollWidth)(document.querySelector('#picture'))")
    soon(page, lambda: page.locator("#map .window").bounding_box()["x"] > 0.7 * frame["width"])
    assert 0.7 < share < 0.95
    page.mouse.move(frame["x"] + 0.9 * frame["width"], frame["y"] + 8)
    page.mouse.down()
    page.mouse.move(frame["x"] + 2, frame["y"] + 8, steps=3)
    page.mouse.up()
    assert page.evaluate("document.querySelector('#picture').scrollLeft") == 0
    page.keyboard.press("9")
    assert page.locator("#picture svg").bounding_box()["width"] <= page.locator("#picture").bounding_box()["width"]
    page.keyboard.press("0")
    assert page.locator("#picture svg").bounding_box()["width"] > 2000


def test_a_mouse_drags_the_picture_and_its_wheel_zooms_where_it_points(open_page):
    page = open_page(page_of(tl.step(small_loss("lstm", 12))))
    scrolled = "(p => p.scrollLeft)(document.querySelector('#picture'))"
    frame = page.locator("#picture").bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    position, before = page.locator("#timeline output").inner_text(), page.evaluate(scrolled)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=4)
    page.mouse.up()
    assert page.evaluate(scrolled) == pytest.approx(before - 100, abs=2)
    assert page.locator("#timeline output").inner_text() == position, "what was dragged is not clicked"
    node = page.locator("#picture .node").filter(has_text="tanh").nth(4)
    node.hover()
    seen = node.bounding_box()
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(100)
    zoomed = node.bounding_box()
    assert zoomed["width"] > 1.5 * seen["width"]
    middle = [each["x"] + each["width"] / 2 for each in (seen, zoomed)]
    assert middle[1] == pytest.approx(middle[0], abs=seen["width"] / 2)


def test_of_a_thousand_steps_lists_leave_out_the_middle_and_ticks_are_thinned(open_page):
    stepper = tl.step(small_loss("rnn", 1000))
    page = open_page(page_of(stepper))
    weight = next(x for x in stepper.graph.nodes if x.name == "cell.layer.weight")
    page.locator("#thread summary").click()
    at(page, stepper.events.uses(weight)[700])
    assert page.locator("#ledger tr.now").count() == 1
    assert "⋮ 951 of 1000 are left out" in panel(page, "ledger")
    assert page.locator("#ledger tr").count() == 51
    steps = page.locator("#thread tbody th").all_inner_texts()
    assert steps[:2] == ["0", "1"]
    assert steps[-2:] == ["998", "999"]
    assert len(steps) == 13
    assert page.locator(".marks .time").count() < 400
    assert page.locator("#strip .dot").count() < 500
    page.keyboard.press("9")
    assert page.locator("#picture .column").count() < 400
