"""First sight and motion: hints, boxes and tanks that fill, small heat maps, openings; in Chromium."""

import numpy as np
import pytest
from test_stepper_page import at, button, number, soon

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import COOL_SHADES, IN_THE_DARK, SHADES, TIME_SHADES
from tinygrad_lstm.stepper.web.page import page as page_of

HINTS = ("picture", "begin", "sum")
ROOMY = ((1280, 720), (640, 360))  # the second is the first at 200 %


@pytest.fixture(scope="module")
def wide():
    """Eight units, whose arrays are heat maps."""
    xs = tl.tensor(np.random.default_rng(1).normal(size=(5, 1, 8)), name="xs")
    return tl.step(tl.LSTM(8, 8, rng=0)(xs)[0].sum())


@pytest.fixture(scope="module")
def wide_text(wide):
    return page_of(wide)


def hints(page):
    return [hint.get_attribute("data-hint") for hint in page.locator(".hint:visible").all()]


def overlap(one, other):
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )


def colours(hexes, scheme="light"):
    """As a style tells them."""
    shown = [hexed if scheme == "light" else IN_THE_DARK[hexed] for hexed in hexes]
    return [tuple(int(each[i : i + 2], 16) for i in (1, 3, 5)) for each in shown]


def levels(page):
    """By their ids, how far the boxes of the picture are full."""
    return page.evaluate("""Object.fromEntries([...document.querySelectorAll('#picture .level')].map((each) =>
        [each.closest('.node').dataset.id, Number(each.style.getPropertyValue('--level'))]))""")


def filled(page):
    """How full the tanks are."""
    return page.evaluate("""[...document.querySelectorAll('.liquid')].map((each) =>
        Number(each.style.getPropertyValue('--filled')))""")


# Hints


@pytest.mark.parametrize(("width", "height"), [*ROOMY, (390, 844)])
def test_three_hints_cover_neither_the_sentence_nor_the_button(open_page, text, width, height):
    page = open_page(text, width, height)
    seen = set()
    while hints(page):
        for name in hints(page):
            seen.add(name)
            hint = page.locator(f'[data-hint="{name}"]').bounding_box()
            assert 0 <= hint["x"] <= hint["x"] + hint["width"] <= width
            for other in ("#equation .body > p", ".begin", "#picture", "#timeline"):
                if page.locator(other).count() and (other != "#timeline" or width > 832):
                    assert not overlap(hint, page.locator(other).first.bounding_box()), (name, other)
        page.locator(f'[data-hint="{hints(page)[0]}"] .put-away').click()
        if not hints(page):
            page.keyboard.press("ArrowRight")
    assert seen == set(HINTS)


def test_on_a_phone_the_sentence_and_the_button_are_in_sight_beside_one_hint(open_page, text):
    page = open_page(text, 390, 844, has_touch=True)
    assert hints(page) == ["picture"]
    below = page.locator("#timeline").bounding_box()["y"]
    for each in ("#equation .body > p", ".begin"):
        box = page.locator(each).first.bounding_box()
        assert box["y"] + box["height"] <= below


def test_hints_are_put_away_one_by_one_or_all_and_stay_away(open_page, text):
    page = open_page(text)
    assert hints(page) == ["picture", "begin", "sum"]
    page.locator('[data-hint="sum"]').get_by_role("button", name="Hide this hint").click()
    assert hints(page) == ["picture", "begin"]
    page.reload()
    page.locator("body.ready").wait_for()
    assert hints(page) == ["picture", "begin"]
    button(page, "hide all").click()
    assert hints(page) == []
    page.reload()
    page.locator("body.ready").wait_for()
    assert hints(page) == []


def test_escape_puts_hints_away_and_the_help_brings_them_back(open_page, text):
    page = open_page(text)
    page.locator('[data-hint="begin"] .put-away').focus()
    page.keyboard.press("Escape")
    assert hints(page) == ["picture", "sum"]
    assert page.evaluate("document.activeElement.closest('.hint')?.dataset.hint") == "picture"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert hints(page) == []
    assert page.evaluate("document.activeElement.id") == "picture"
    page.keyboard.press("?")
    button(page, "Show the hints of the beginning again").click()
    assert not page.get_by_role("dialog").is_visible()
    assert hints(page) == ["picture", "begin", "sum"]
    assert page.evaluate("document.activeElement.closest('.hint')?.dataset.hint") == "picture"


def test_the_hint_of_the_button_goes_once_it_was_used(open_page, text):
    page = open_page(text)
    button(page, "→ send the error back").click()
    page.keyboard.press("ArrowLeft")
    assert hints(page) == ["sum"]


def test_a_page_that_may_keep_nothing_has_its_hints_all_the_same(open_page, text):
    html = (
        f"<!doctype html><meta charset='utf-8'><body>{tl.step(small_loss('rnn', 2))._repr_mimebundle_()['text/html']}"
    )
    inner = open_page(html).frame_locator("iframe")  # of a notebook: without storage
    inner.locator("body.ready").wait_for()
    inner.get_by_role("button", name="hide all", exact=True).click()
    assert inner.locator(".hint:visible").count() == 0


@pytest.mark.parametrize("kept", ["[", "{}", "null", '["nobody", 3]'])
def test_nonsense_that_was_kept_is_no_harm(open_page, text, kept):
    page = open_page(text)
    page.evaluate("kept => localStorage.setItem('tinygrad_lstm: hints that were put away', kept)", kept)
    page.reload()
    page.locator("body.ready").wait_for()
    assert hints(page) == ["picture", "begin", "sum"]


def test_hints_are_said_and_reached_by_tab_and_not_printed(open_page, text):
    page = open_page(text)
    assert page.get_by_role("group", name="Hint: The one sum, here: before + contribution = after.").count() == 1
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('.hint')?.dataset.hint"))
    assert set(HINTS) <= reached
    page.emulate_media(media="print")
    assert hints(page) == []
    assert page.locator("#tanks").is_hidden()


# Boxes that fill


def test_pending_is_an_outline_at_full_ink(open_page, text, stepper):
    page = open_page(text)
    at(page, stepper.events.start + 8)
    pending = page.locator("#picture .node.pending")
    assert pending.count() > 5
    looks = pending.evaluate_all("""all => all.map((each) => [getComputedStyle(each).opacity,
        each.querySelector('.outline') && getComputedStyle(each.querySelector('.outline')).strokeOpacity,
        each.querySelector('.level')?.style.getPropertyValue('--level')])""")
    assert all(opacity == "1" and stroke in ("1", None) and level in ("0", None) for opacity, stroke, level in looks)
    edges = page.locator("#picture .edge").evaluate_all("all => all.map((each) => getComputedStyle(each).opacity)")
    assert set(edges) == {"1"}


def test_forward_values_are_at_full_ink_at_first_sight(open_page, text):
    found = levels(open_page(text))
    assert len(found) > 20
    assert set(found.values()) == {1}


def test_boxes_fill_as_their_gradient_arrives(open_page, text, stepper):
    """In each view by the part of the contributions that have come."""
    page = open_page(text)
    events = stepper.events
    for view in ("Cells", "Operations"):
        button(page, view).click()
        for event in (events.backward[20], events.backward[60], events[-1]):
            at(page, event.index)
            shows = tl.draw(stepper.graph.output, view.lower().replace("operations", "ops"), steps="all", loss=True)
            boxes, _ = shows.elements()
            for id, level in levels(page).items():
                uses = [use for node in boxes[id] for use in events.uses(node)]
                come = sum(use <= event.index for use in uses)
                seed = any(node is stepper.graph.output for node in boxes[id])
                assert level == pytest.approx((come + seed) / (len(uses) + seed) if uses or seed else 0), id


# Tanks


def test_each_weight_has_a_tank_in_which_its_parts_lie_by_their_norms(open_page, text, stepper):
    page = open_page(text)
    weights = [x for x in stepper.graph.leaves if x.requires_grad]
    assert page.locator(".tank .letters").all_text_contents() == ["Wf", "bf", "Wi", "bi", "Wg", "bg", "Wo", "bo"]
    assert filled(page) == [0] * 8
    for event in (*stepper.events.backward[::9], stepper.events[-1]):
        at(page, event.index)
        for level, weight in zip(filled(page), weights, strict=True):
            sizes = [np.linalg.norm(row.contribution) for row in stepper.ledger(weight)]
            come = [np.linalg.norm(row.contribution) for row in stepper.ledger(weight) if row.index <= event.index]
            assert level == pytest.approx(sum(come) / sum(sizes))
    assert filled(page) == pytest.approx([1] * 8)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_layers_have_the_colours_of_their_time_steps(open_page, text, stepper, scheme):
    page = open_page(text, color_scheme=scheme)
    weight = next(x for x in stepper.graph.leaves if x.name == "cell.forget_gate.weight")
    rows = stepper.ledger(weight)
    shades = colours([TIME_SHADES[row.time * 8 // 3] for row in rows], scheme)
    look = page.locator(".liquid").first.evaluate("each => getComputedStyle(each).backgroundImage")
    assert all(f"rgb({r}, {g}, {b})" in look for r, g, b in shades)
    assert look.index(f"rgb{shades[0]}") < look.index(f"rgb{shades[1]}") < look.index(f"rgb{shades[2]}")
    at(page, rows[0].index)
    swatches = page.locator("#ledger .swatch").evaluate_all(
        "all => all.map((e) => getComputedStyle(e).backgroundColor)"
    )
    assert swatches == [f"rgb{shade}" for shade in shades]


def test_a_change_changes_what_is_in_the_tanks(open_page):
    loss = small_loss("lstm", 3)
    page = open_page(page_of(tl.step(loss)))
    weight = next(x for x in tl.Graph(loss).leaves if x.name == "cell.forget_gate.weight")
    xs = next(x for x in tl.Graph(loss).leaves if x.name == "xs")
    page.keyboard.press("e")
    page.locator("#change .fields input").first.fill("3")
    other = xs.value.copy()
    other[0, 0] = 3
    rows = tl.step(tl.what_if(loss, {xs: other})).ledger(weight)
    sizes = [np.linalg.norm(row.contribution) for row in rows]
    at(page, rows[1].index)
    assert filled(page)[0] == pytest.approx(sum(sizes[:2]) / sum(sizes))


def test_a_tank_says_what_it_holds_and_leads_to_its_next_part(open_page, text, stepper):
    page = open_page(text)
    weight = next(x for x in stepper.graph.leaves if x.name == "cell.forget_gate.weight")
    rows = stepper.ledger(weight)
    said = page.locator(".explained")
    assert "norm's share of the sum of all norms" in said.inner_text()
    tank = page.locator(".tank").first
    for row in (*rows, rows[0]):
        tank.click()
        assert number(page) == row.index
    tank.focus()
    share = np.linalg.norm(rows[0].contribution) / sum(np.linalg.norm(row.contribution) for row in rows)
    words = f"1 of 3 parts of ∂L/∂cell.forget_gate.weight have arrived, {share:.0%} of".replace("%", " %")
    assert words in said.inner_text()
    assert words in tank.get_attribute("aria-label")
    assert f"t2 ‖{np.linalg.norm(rows[0].contribution):.3g}‖" in said.inner_text()


def test_what_is_added_falls_from_its_box_and_the_numbers_do_not_wait(open_page, text, stepper):
    page = open_page(text)
    weight = next(x for x in stepper.graph.leaves if x.name == "cell.forget_gate.weight")
    row = stepper.ledger(weight)[0]
    at(page, row.index - 1)
    told = page.evaluate("""() => { document.querySelector('[data-do="one-on"]').click();
        return [document.querySelectorAll('.drop').length, document.querySelector('#timeline output').textContent,
            Number(document.querySelector('.liquid').style.getPropertyValue('--filled')) > 0]; }""")
    assert told == [1, f"event {row.index} of {len(stepper) - 1}", True]
    soon(page, lambda: page.locator(".drop").count() == 0)
    button(page, "Back one contribution").click()
    assert page.locator(".drop").count() == 0


def test_nothing_falls_for_those_who_want_no_motion(open_page, text, stepper):
    page = open_page(text, reduced_motion="reduce")
    for _ in range(30):
        page.keyboard.press(".")
        assert page.locator(".drop").count() == 0
    assert max(filled(page)) > 0
    for each in (".liquid", "#picture .level"):
        assert page.locator(each).first.evaluate("e => getComputedStyle(e).transitionDuration") == "0s"


# Heat maps and openings


def pixel(canvas, i, j):
    """What a square is painted with, away from its mark."""
    return tuple(
        canvas.evaluate(
            """(c, [i, j]) => { const copy = document.createElement('canvas').getContext('2d',
            { willReadFrequently: true }); copy.drawImage(c, 0, 0);
            return [...copy.getImageData(j * c.width / c.dataset.columns + 1,
            i * c.height / c.dataset.rows + 1, 1, 1).data].slice(0, 3); }""",
            [i, j],
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_heat_maps_have_the_colours_of_the_house_on_one_scale_for_the_sum(open_page, wide, wide_text, scheme):
    page = open_page(wide_text, color_scheme=scheme)
    weight = next(x for x in wide.graph.leaves if x.name == "cell.forget_gate.weight")
    event = wide.ledger(weight)[2]
    at(page, event.index)
    top = max(np.abs(each).max() for each in (event.before, event.contribution, event.after))
    for name, array in (("before", event.before), ("added", event.contribution), ("after", event.after)):
        canvas = page.locator(f".sum .{name} canvas")
        for i, j in ((0, 0), (9, 3), (15, 7)):
            scale = colours(COOL_SHADES if array[i, j] < 0 else SHADES, scheme)
            assert pixel(canvas, i, j) == scale[min(7, int(abs(array[i, j]) / top * 8))]


def test_the_numbers_of_a_heat_map_are_shown_where_one_points_and_when_it_is_pressed(open_page, wide, wide_text):
    page = open_page(wide_text)
    weight = next(x for x in wide.graph.leaves if x.name == "cell.forget_gate.weight")
    event = wide.ledger(weight)[2]
    at(page, event.index)
    chip = page.locator(".sum .after .chip")
    readout = chip.locator(".readout")
    assert readout.inner_text() == f"(16, 8) · ‖{np.linalg.norm(event.after):.4g}‖"
    box = chip.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 2.5 / 8, box["y"] + box["height"] * 3.5 / 16)
    wanted = f"{float(f'{event.after[3, 2]:.4g}'):g}".replace("-", "−")
    assert readout.inner_text() == f"[3, 2] = {wanted}"
    page.mouse.move(0, 0)
    chip.focus()
    assert "mean" in readout.inner_text()
    page.keyboard.press("Enter")
    numbers = page.locator(".sum .after .all td:not(:empty)")
    assert numbers.count() == 128
    assert numbers.nth(3 * 8 + 2).inner_text() == wanted
    page.keyboard.press(".")
    page.keyboard.press(",")
    assert page.locator(".sum .after .all").count() == 1  # it stays open
    page.locator(".sum .after .chip").click()
    assert page.locator(".all").count() == 0


def test_gates_are_openings_and_have_no_norm(open_page, wide, wide_text):
    page = open_page(wide_text)
    gates = [e for e in wide.events.backward if e.node.primitive.name in ("sigmoid", "tanh")]
    for event in gates[:5]:
        at(page, event.index)
        bars = page.locator("#numbers .bars-of").first
        low, high = event.node.primitive.range
        for i, value in enumerate(event.node.value[0]):
            share = (
                bars.locator(".well i").nth(i).evaluate("e => [parseFloat(e.style.bottom), parseFloat(e.style.height)]")
            )
            zero = -low / (high - low)
            level = (value - low) / (high - low)
            assert share == pytest.approx([100 * min(zero, level), 100 * abs(level - zero)], abs=0.01)
        assert f"from {low:g} to {high:g}".replace("-", "−") in bars.get_attribute("aria-label")
        assert "‖" not in bars.inner_text()


def test_many_units_are_a_heat_map_from_end_to_end_of_their_range(open_page):
    xs = tl.tensor(np.random.default_rng(1).normal(size=(2, 1, 8)), name="xs")
    stepper = tl.step(tl.LSTM(8, 40, rng=0)(xs)[0].sum())
    page = open_page(page_of(stepper))
    event = next(e for e in stepper.events.backward if e.node.primitive.name == "sigmoid")
    at(page, event.index)
    readout = page.locator("#numbers dd").nth(1).locator(".readout")
    assert f"mean {event.node.value.mean():.4g}" in readout.inner_text()
    assert "‖" not in readout.inner_text()


def test_few_numbers_stay_numbers(open_page, text, stepper):
    page = open_page(text)
    at(page, len(stepper) - 1)
    assert page.locator("#panels canvas").count() == 0
    assert page.locator(".sum .array").count() >= 2


# What one looks at


def place_of(page, selector):
    frame, box = page.locator("#picture").bounding_box(), page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2 - frame["x"], box["y"] + box["height"] / 2 - frame["y"]


@pytest.mark.parametrize("view", ["Cells", "Operations"])
def test_another_view_has_the_box_at_work_where_it_was(open_page, view):
    stepper = tl.step(small_loss("lstm", 30))
    page = open_page(page_of(stepper), reduced_motion="reduce")
    event = next(e for e in stepper.events.backward if e.time == 15)
    at(page, event.index)
    page.wait_for_timeout(100)
    before, (x, _) = number(page), place_of(page, ".halo")
    button(page, view).click()
    assert place_of(page, ".halo")[0] == pytest.approx(x, abs=3)
    assert number(page) == before
    button(page, "Gates").click()
    assert place_of(page, ".halo")[0] == pytest.approx(x, abs=3)


def test_another_view_of_a_place_away_from_the_work_is_of_that_place(open_page):
    stepper = tl.step(small_loss("lstm", 30))
    page = open_page(page_of(stepper), reduced_motion="reduce")
    at(page, next(e for e in stepper.events.backward if e.time == 27).index)
    page.locator("#picture").evaluate("box => { box.scrollLeft = 900; }")
    page.wait_for_timeout(100)
    seen = """() => { const frame = document.querySelector('#picture').getBoundingClientRect();
        const middle = frame.left + frame.width / 2;
        const columns = [...document.querySelectorAll('#picture .column')].map((each) => [each.dataset.id,
            each.getBoundingClientRect()]);
        return columns.filter(([, { left, right }]) => left < middle && right > middle).map(([id]) => id); }"""
    before = page.evaluate(seen)
    assert before
    for view in ("Cells", "Operations", "Gates"):
        button(page, view).click()
        times = {id.split(".")[0] for id in page.evaluate(seen)}
        assert times & {id.split(".")[0] for id in before}, view


def test_nearer_keeps_what_one_looks_at(open_page, stepper, text):
    page = open_page(text, reduced_motion="reduce")
    at(page, stepper.events.backward[40].index)
    page.wait_for_timeout(100)
    for _ in range(4):
        button(page, "Nearer").click()
    x, y = place_of(page, ".halo")
    button(page, "Nearer").click()
    assert place_of(page, ".halo") == pytest.approx((x, y), abs=4)
