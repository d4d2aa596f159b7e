"""The walk as a page: every control, both directions, by mouse and by keyboard alone. No test may log an error."""

import json
import os
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.commands import run_command
from tinygrad_lstm.stepper.web.page import page as page_of

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"


@pytest.fixture
def page(open_page, text):
    return open_page(text)


def number(page):
    return int(page.locator("#timeline output").inner_text().split()[1])


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def panel(page, name):
    return page.locator(f"#{name}").inner_text()


def run_to(page, matches, stepper):
    """Go to the next event in Python's walk that matches, and there on the page."""
    event = next(event for event in stepper.events if matches(event))
    at(page, event.index)
    return event


def at(page, event):
    page.evaluate(f"location.hash = '#step={event}'")
    soon(page, lambda: number(page) == event)


def beyond(page, event):
    soon(page, lambda: number(page) > event)


def numbers_in(text):
    return [float(found) for found in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text.replace("−", "-"))]


def soon(page, happens):
    """Wait for something; the page itself lets no text be evaluated."""
    for _ in range(100):
        if happens():
            return
        page.wait_for_timeout(30)
    pytest.fail("it did not happen")


def in_sight(page):
    """Whether the halo is within the picture's window."""
    a, b = (page.locator(each).bounding_box() for each in ("#picture", ".halo"))
    return all(
        b[start] + b[size] > a[start] and b[start] < a[start] + a[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


def test_it_opens_at_the_seed_and_says_so(page, stepper):
    assert number(page) == stepper.events.start
    assert panel(page, "narration").startswith("The seed: the gradient of L with respect to itself is 1.")


def test_it_opens_where_the_stepper_is_with_its_breakpoints(open_page):
    stepper = tl.step(small_loss("lstm", 2))
    stepper.break_("op:tanh if norm < 10")
    stepper.step(5)
    page = open_page(page_of(stepper))
    assert number(page) == stepper.position
    assert "op:tanh if norm < 10" in panel(page, "stops")
    for key, word in (("c", "continue"), ("c", "continue"), ("C", "reverse-continue")):
        page.keyboard.press(key)
        run_command(word, stepper)
        assert number(page) == stepper.position
    button(page, "stop no longer at op:tanh if norm < 10").click()
    page.keyboard.press("c")
    assert number(page) == len(stepper) - 1


def test_buttons_walk_in_both_directions(page, stepper):
    start = stepper.events.start
    button(page, "On by one contribution").click()
    assert number(page) == start + 1
    button(page, "Back one contribution").click()
    assert number(page) == start
    button(page, "To the end").click()
    assert number(page) == len(stepper) - 1
    button(page, "To the beginning").click()
    assert number(page) == 0
    button(page, "On by one box").click()
    assert number(page) == 9  # the first box that the view has: weights are not drawn there
    button(page, "Back one box").click()
    assert number(page) == 0


@pytest.mark.parametrize(("view", "fewest", "most"), [("Cells", 8, 12), ("Gates", 25, 60), ("Operations", 88, 88)])
def test_a_step_is_a_box_of_the_view_and_each_changes_what_one_sees(page, stepper, view, fewest, most):
    button(page, view).click()
    states = "[...document.querySelectorAll('#picture :is(.node, .edge)')].map((e) => e.getAttribute('class')).join()"
    looks = [page.evaluate(states)]
    while number(page) < len(stepper) - 1:
        page.keyboard.press("ArrowRight")
        looks.append(page.evaluate(states))
    assert fewest <= len(looks) - 1 <= most
    assert all(before != after for before, after in pairwise(looks[:-1]))  # the last may end within a box


def test_keys_alone(page, stepper):
    page.keyboard.press("4")
    page.keyboard.press("ArrowRight")
    assert number(page) == stepper.events.start + 1
    page.keyboard.press("b")
    page.keyboard.press("End")
    assert number(page) == len(stepper) - 1
    page.keyboard.press("C")
    assert number(page) == stepper.events.start + 1
    page.keyboard.press("Home")
    assert number(page) == 0
    page.keyboard.press("c")
    assert number(page) == stepper.events.start + 1
    page.keyboard.press("b")
    page.keyboard.press("c")
    assert number(page) == len(stepper) - 1
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


def test_space_plays_whatever_has_the_focus(page, stepper):
    button(page, "To the end").focus()
    page.keyboard.press("Space")
    beyond(page, stepper.events.start + 1)
    assert number(page) < len(stepper) - 1


def test_stopping_at_each_use_of_a_tensor(page, stepper):
    weight = next(x for x in stepper.graph.nodes if x.name == "cell.forget_gate.weight")
    uses = [row.index for row in stepper.ledger(weight)]
    at(page, uses[0])
    button(page, "stop at each += of this").click()
    assert page.locator(".marks .stop").count() == len(uses)
    for use in uses[1:]:
        button(page, "Run to the next stop").click()
        assert number(page) == use
    button(page, "Back to the stop before").click()
    assert number(page) == uses[-2]
    button(page, "stop here no longer").click()
    assert page.locator(".marks .stop").count() == 0


def test_the_lines_that_made_a_node_are_a_click_away(page, stepper):
    at(page, stepper.events.backward[40].index)
    page.locator("summary", has_text="where in the program").click()
    assert "LSTMCell" in panel(page, "equation")
    assert "lstm_cells.py" in panel(page, "equation")
    page.keyboard.press(".")
    assert "lstm_cells.py" in panel(page, "equation")  # it stays open


def test_every_control_is_reached_by_tab(page):
    reached = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"))
    wanted = ("To the beginning", "Play", "On by one box", "To the end", "Event", "Events a second", "Fit the picture")
    assert set(wanted) | {"predict", "Keys"} <= reached


def test_deep_links(page, stepper):
    at(page, 37)
    assert page.locator("#equation code").first.inner_text() == stepper.graph.ids[stepper.events[37].node]
    page.evaluate("location.hash = '#step=99999'")
    soon(page, lambda: "there is no 99999" in panel(page, "told"))
    assert number(page) == 37
    button(page, "On by one contribution").click()
    soon(page, lambda: page.evaluate("location.hash") == "#step=38")
    page.reload()
    assert number(page) == 38


def test_the_panels_show_the_numbers_of_the_event(page, stepper):
    for event in stepper.events.backward[::7]:
        at(page, event.index)
        shown = page.locator(".sum > div > :last-child").all_inner_texts()
        wanted = [[f"{x:.4g}" for x in np.ravel(array)] for array in (event.contribution, event.after)]
        for text, numbers in zip(shown[1:], wanted, strict=True):
            assert [float(x) for x in text.replace("−", "-").split()] == pytest.approx([float(x) for x in numbers])
        assert f"{event.step.arrived} of {event.step.expected} arrived" in panel(page, "accumulator")
        assert page.locator("#equation math").count() >= 1


def test_the_ledger_has_a_row_for_each_use_and_leads_to_it(page, stepper):
    weight = next(x for x in stepper.graph.nodes if x.name == "cell.forget_gate.weight")
    rows = stepper.ledger(weight)
    at(page, rows[1].index)
    shown = page.locator("#ledger tr")
    assert shown.count() == len(rows)
    assert [row.get_attribute("class") for row in shown.all()] == ["", "now", "later"]
    assert f"‖{np.linalg.norm(rows[0].contribution):.4g}‖" in shown.nth(0).inner_text()
    shown.nth(2).get_by_role("button").click()
    assert number(page) == rows[2].index


def test_the_strip_seeks_the_step_that_was_chosen(page, stepper):
    page.locator("#strip circle").nth(0).dispatch_event("click")
    state = next(x for x in stepper.graph.nodes if x.name == "c" and x.time == 0)
    assert number(page) == stepper.events.uses(state)[-1]
    assert f"{stepper.flow()[0].norms['c']:.3g}" in page.locator("#strip circle title").nth(0).text_content()


def test_the_slider_seeks_and_marks_say_where_breakpoints_are(page):
    assert page.locator(".marks .stop").count() == 0
    at(page, 20)
    page.keyboard.press("b")
    assert page.locator(".marks .stop").count() > 0
    page.locator("#timeline input").fill("12")
    assert number(page) == 12
    assert {"t0", "t1", "t2"} <= set(page.locator(".marks .time").all_inner_texts())


def test_it_plays_and_pauses_at_the_speed_chosen(page):
    page.get_by_label("Events a second").select_option("30")
    before = number(page)
    button(page, "Play").click()
    beyond(page, before + 5)
    button(page, "Pause").click()
    held = number(page)
    page.wait_for_timeout(200)
    assert number(page) == held
    page.locator("#picture").focus()
    page.keyboard.press("Space")
    beyond(page, held)


def test_predict_hides_the_contribution_until_it_was_said(page, stepper):
    event = next(e for e in stepper.events.backward if e.operation == "tanh")
    button(page, "Predict").click()
    at(page, event.index)
    wanted = float(event.contribution.flat[np.argmax(np.abs(event.contribution))])
    assert page.locator(".sum > div > :last-child").all_inner_texts()[1:] == ["?", "?"]
    assert page.locator("#equation .in-numbers").count() == 0
    guess = page.locator("#guessed")
    tries = {"": "Type a number", str(-wanted): "sign", str(wanted * 3): "too large", str(wanted / 3): "small"}
    for wrong, verdict in tries.items():
        guess.fill(wrong)
        guess.press("Enter")
        assert verdict in page.locator(".verdict").inner_text()
    guess.fill(f"{wanted:.4f}")
    guess.press("Enter")
    assert page.locator("#guess").is_hidden()
    assert "Right" in panel(page, "told")
    assert page.locator(".sum > div > :last-child").all_inner_texts()[1] != "?"
    button(page, "On by one contribution").click()
    button(page, "Show it").click()
    assert page.locator("#guess").is_hidden()


@pytest.mark.parametrize("view", ["Loop", "Cells", "Gates", "Operations"])
def test_the_picture_follows_in_every_view_and_never_moves_its_parts(page, stepper, view):
    button(page, view).click()
    places = """Object.fromEntries([...document.querySelectorAll('#picture .column .node')].map((node) =>
        [node.dataset.id, (({ x, y, width, height }) => [x, y, width, height])(node.getBBox())]))"""
    at(page, stepper.events.backward[0].index)  # the hints that go now make room: words are as large as they stay
    before = page.evaluate(places)
    for event in stepper.events.backward[::11]:
        at(page, event.index)
        page.wait_for_timeout(30)
        if page.locator("#picture .halo").count():
            soon(page, lambda: in_sight(page))
        assert page.locator("#picture .node.current").count() >= 1
    after = page.evaluate(places)  # others may have come into sight
    assert len(before.keys() & after.keys()) >= 1
    assert all(after[id] == before[id] for id in before.keys() & after.keys())


def test_the_edge_that_carries_the_contribution_is_thick(page, stepper):
    button(page, "Operations").click()
    for event in stepper.events.backward[::9]:
        at(page, event.index)
        current = page.locator("#picture .edge.current")
        assert current.count() == 1
        assert current.locator("path").evaluate("p => getComputedStyle(p).strokeWidth") == "5px"
        name = stepper.graph.ids[event.node]
        assert current.get_attribute("data-id").split("→")[1].split("_2")[0].startswith(name.split("_2")[0])


def test_choosing_a_box_seeks_it(page):
    page.locator('#picture [data-id="t1.cell.tanh"]').evaluate("box => box.dispatchEvent(new MouseEvent('click'))")
    assert page.locator("#equation code").first.inner_text() == "t1.cell.tanh"


def test_pending_current_and_done_differ_by_more_than_colour(page, stepper):
    at(page, stepper.events.backward[40].index)
    looks = {}
    for state in ("pending", "done", "current"):
        shape = page.locator(f"#picture .node.{state} > :is(ellipse, polygon, path)").first
        looks[state] = shape.evaluate("s => [getComputedStyle(s).strokeDasharray, getComputedStyle(s).strokeWidth]")
    assert len({json.dumps(look) for look in looks.values()}) == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_it_fits_the_window(open_page, text, scheme, width, height):
    page = open_page(text, width, height, color_scheme=scheme)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("(e => e.scrollWidth <= e.clientWidth)(document.documentElement)")
    for id in ("picture", "equation", "accumulator", "strip", "timeline"):
        box = page.locator(f"#{id}").bounding_box()
        assert box["width"] > 100, id
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width + 1, id
    footer = page.locator("#timeline").bounding_box()
    assert footer["y"] + footer["height"] <= height + 1
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


def test_on_a_phone_the_sum_is_in_sight_and_a_finger_meets_each_button(open_page, text):
    page = open_page(text, 390, 844, has_touch=True)
    for _ in range(6):
        page.keyboard.press("ArrowRight")
        parts = page.locator(".sum > div")
        below = page.locator("#timeline").bounding_box()["y"]
        assert parts.count() == 3
        assert all(part.bounding_box()["y"] + part.bounding_box()["height"] <= below for part in parts.all())
    sizes = [button.bounding_box() for button in page.locator("button:visible").all()]
    assert min(min(each["width"], each["height"]) for each in sizes) >= 44


def test_in_print_stand_the_figure_the_equation_and_the_sum(open_page, text):
    page = open_page(text)
    page.keyboard.press("End")
    page.emulate_media(media="print")
    for id in ("picture", "equation", "accumulator", "ledger", "strip"):
        assert page.locator(f"#{id}").is_visible()
    assert page.locator(":is(header, #timeline) button:visible").count() == 0
    assert page.evaluate("document.documentElement.scrollHeight") < 1500


def test_a_program_without_time_steps_has_the_whole_width_for_its_timeline(open_page):
    x = tl.tensor(0.5, requires_grad=True, name="x")
    page = open_page(page_of(tl.step(tl.tanh(x * x))))
    assert page.locator("#strip").is_hidden()
    assert page.locator("#timeline").bounding_box()["width"] > 1200
    assert page.locator("footer").bounding_box()["height"] < 200


def test_nothing_moves_for_those_who_want_no_motion(open_page, text):
    page = open_page(text, reduced_motion="reduce")
    page.keyboard.press("ArrowRight")
    assert page.locator(".halo").evaluate("h => getComputedStyle(h).animationName") == "none"


def test_narration_is_announced(page):
    assert page.locator("#narration").get_attribute("aria-live") == "polite"
    page.keyboard.press("ArrowRight")
    assert "sends a contribution to the gradient of" in panel(page, "narration")


def test_hostile_names_are_inert(open_page):
    x = tl.tensor([1.0, 2.0], requires_grad=True, name=HOSTILE)
    with tl.time_step(0):
        y = tl.tanh(x * x)
    y.name = HOSTILE
    stepper = tl.step(y.sum())
    stepper.break_("node:<img/src=x>")
    page = open_page(page_of(stepper))
    for _ in range(len(stepper)):
        page.keyboard.press(".")
        page.keyboard.press("w")
    page.locator("summary", has_text="where in the program").click()
    assert page.locator("img").count() == 0
    assert HOSTILE[:20] in page.locator("body").inner_text()


def test_large_tensors_are_heat_maps_with_statistics_and_hover(open_page):
    rng = np.random.default_rng(0)
    w = tl.tensor(rng.normal(size=(40, 30)), requires_grad=True, name="w")
    page = open_page(page_of(tl.step(tl.tanh(tl.tensor(rng.normal(size=(3, 40)), name="x") @ w).sum())))
    page.keyboard.press("End")
    heat = page.locator("#accumulator canvas").last
    assert "shape (40, 30)" in heat.get_attribute("aria-label")
    assert "norm" in heat.get_attribute("aria-label")
    heat.hover(position={"x": 20, "y": 20})
    assert "] = " in page.locator("#accumulator .readout").last.inner_text()


def test_numbers_that_are_not_finite_are_shown(open_page):
    with np.errstate(all="ignore"):
        x = tl.tensor([0.0, -1.0, 4.0], requires_grad=True, name="x")
        page = open_page(page_of(tl.step(tl.log(x).sum())))
    page.keyboard.press("End")
    assert "∞" in panel(page, "accumulator")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert "NaN" in panel(page, "numbers")


def test_thirty_steps_are_small_and_the_page_holds_all_of_them(open_page):
    stepper = tl.step(small_loss("lstm", 30))
    text = page_of(stepper)
    assert len(text.encode()) < 300e3
    page = open_page(text)
    assert page.get_by_role("note").count() == 0
    page.keyboard.press("End")
    assert number(page) == len(stepper) - 1


def test_a_long_walk_is_there_as_a_whole_and_what_is_in_sight_is_in_the_document(open_page):
    stepper = tl.step(small_loss("lstm", 120))
    text = page_of(stepper)
    assert len(text.encode()) < 300e3
    page = open_page(text)
    assert page.get_by_role("note").count() == 0
    for event in (stepper.events[-1], stepper.events.backward[2000], stepper.events.backward[5]):
        at(page, event.index)
        assert page.locator("#equation code").first.inner_text() == stepper.graph.ids[event.node]
        soon(page, lambda: page.locator("#picture .node.current").count() >= 1)
        assert 3 < page.locator("#picture .column").count() < 30


def test_a_gradient_of_a_gradient(open_page):
    x = tl.tensor([0.3, -0.5], requires_grad=True, name="x")
    (g,) = tl.grad(tl.tanh(x * x).sum(), [x], create_graph=True)
    stepper = tl.step((g * g).sum())
    page = open_page(page_of(stepper))
    page.keyboard.press("End")
    assert number(page) == len(stepper) - 1
    shown = page.locator(".sum > div > :last-child").all_inner_texts()[2]
    after = stepper.events[-1].after.tolist()
    assert [float(v) for v in shown.replace("−", "-").split()] == pytest.approx(after, rel=1e-3)


def test_the_picture_in_the_readme_is_this_page(open_page, tmp_path):
    """``README_PICTURE=demos/step.png pytest tests/browser`` takes it anew."""
    stepper = tl.step(small_loss("lstm", 4))
    weight = next(x for x in stepper.graph.nodes if x.name == "cell.forget_gate.weight")
    stepper.goto(stepper.ledger(weight)[2].index)
    stepper.up()
    page = open_page(page_of(stepper), device_scale_factor=1.5)
    page.locator(".hint:visible .put-away").click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(600)
    path = Path(os.environ.get("README_PICTURE", tmp_path / "step.png"))
    page.screenshot(path=path)
    theirs = (Path(__file__).parents[2] / "demos" / "step.png").read_bytes()
    assert path.read_bytes()[:24] == theirs[:24], "the header of a PNG holds its size"
    assert "Ledger" in panel(page, "ledger")


def test_a_notebook_has_working_controls(open_page, stepper):
    html = stepper._repr_mimebundle_()["text/html"]
    outer = open_page(f"<!doctype html><meta charset='utf-8'><body>{html}</body>")
    inner = outer.frame_locator("iframe")
    inner.locator("body.ready").wait_for()
    inner.get_by_role("button", name="On by one contribution", exact=True).click()
    assert f"event {stepper.events.start + 1} of" in inner.locator("#timeline output").inner_text()
    inner.get_by_role("button", name="Operations", exact=True).click()
    assert inner.locator("#picture .node.current").count() >= 1


def test_names_in_the_strip_cover_no_point_where_a_state_ends_before_others(open_page):
    encoder, decoder = tl.GRU(2, 3, rng=0), tl.GRU(2, 3, rng=1)
    _, state = tl.nn.Sequential({"encoder_of_letters": encoder})(np.ones((5, 1, 2)))
    with tl.time_step(offset=5):
        output, _ = tl.nn.ModuleDict({"decoder": decoder})["decoder"](np.ones((2, 1, 2)), state)
    page = open_page(page_of(tl.step(output.sum())))
    names = [text for text in page.locator("#strip svg text").all() if text.text_content().endswith(".h")]
    dots = [dot.bounding_box() for dot in page.locator("#strip .dot").all()]
    assert (len(names), len(dots)) == (2, 7)
    for box in (name.bounding_box() for name in names):
        for dot in dots:
            sides = (("x", "width"), ("y", "height"))
            assert any(box[a] >= dot[a] + dot[b] or dot[a] >= box[a] + box[b] for a, b in sides)


def test_the_axis_says_offsets_and_phases(open_page):
    encoder, decoder = tl.GRU(2, 3, rng=0), tl.GRU(2, 3, rng=1)
    _, state = encoder(np.ones((2, 1, 2)))
    with tl.time_step(offset=10, phase="answer"):
        output, _ = decoder(np.ones((2, 1, 2)), state)
    stepper = tl.step(output.sum())
    page = open_page(page_of(stepper))
    assert page.locator("#strip svg text").all_text_contents().count("answer") == 1
    assert [mark for mark in page.locator(".marks .time").all_inner_texts() if mark] == [
        "t11 answer",
        "t10",
        "t1",
        "t0",
    ]
    run_to(page, lambda event: event.phase == "backward" and event.time == 10, stepper)
    assert "t = 10 · answer" in page.locator("#timeline input").get_attribute("aria-valuetext")
