"""A page pans, zooms and tells what its boxes are: by mouse, by keyboard and by finger. No test may log an error."""

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import IN_THE_DARK, INK, MUTED, PAPER

HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "</title></svg><b onclick=alert(1)>x"]
NEAR = 1.5  # pixels: browsers scroll by whole ones


def zoom(page):
    return page.evaluate("document.querySelector('svg').getBoundingClientRect().width") / page.evaluate(
        "document.querySelector('svg').viewBox.baseVal.width * 96 / 72"
    )


def corner(page):
    return page.evaluate("(b => [b.x, b.y])(document.querySelector('svg').getBoundingClientRect())")


def size(page):
    return page.evaluate("(b => [b.width, b.height])(document.querySelector('svg').getBoundingClientRect())")


def window(page):
    """The part of the page the picture is seen in: x, y, width, height."""
    return page.evaluate(
        "(m => [m.getBoundingClientRect().x, m.getBoundingClientRect().y, m.clientWidth, m.clientHeight])"
        "(document.querySelector('main'))"
    )


def under(page, x, y):
    """Which point of the picture stands there, in its own coordinates."""
    left, top = corner(page)
    return (x - left) / zoom(page), (y - top) / zoom(page)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def shown(page):
    return page.get_by_role("status").inner_text()


def rgb(colour):
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


@pytest.fixture
def page(open_page, gates):
    return open_page(gates.render("html"))


def test_a_wide_chain_starts_at_its_left_end_and_as_high_as_the_window(page):
    x, y, width, height = window(page)
    assert corner(page) == pytest.approx([x, y], abs=NEAR)
    assert size(page)[1] == pytest.approx(height, abs=NEAR)
    assert size(page)[0] > width
    assert shown(page) == f"{100 * zoom(page):.0f} %"
    assert "Drag to pan" in page.locator("header").inner_text()


def test_what_fits_and_can_be_read_is_shown_whole(open_page):
    page = open_page(tl.draw(small_loss("lstm", 7), "cells").render("html"))
    _, y, width, height = window(page)
    assert size(page)[0] == pytest.approx(width, abs=NEAR)
    assert corner(page)[1] == pytest.approx(y + (height - size(page)[1]) / 2, abs=NEAR)


def test_a_small_picture_is_not_blown_up(open_page):
    page = open_page(tl.draw(tl.tensor(1.0, name="x")).render("html"))
    assert shown(page) == "100 %"


def test_every_button_does_what_it_says(page):
    start = zoom(page)
    button(page, "Zoom in").click()
    assert zoom(page) == pytest.approx(1.25 * start, rel=1e-3)
    button(page, "Zoom out").click()
    assert zoom(page) == pytest.approx(start, rel=1e-3)
    button(page, "Real size, 100 %").click()
    assert shown(page) == "100 %"
    assert zoom(page) == pytest.approx(1, rel=1e-3)
    button(page, "Fit width").click()
    assert size(page)[0] == pytest.approx(window(page)[2], abs=NEAR)
    button(
        page,
        "Fit",
    ).click()
    assert zoom(page) == pytest.approx(start, rel=1e-3)
    assert corner(page) == pytest.approx(window(page)[:2], abs=NEAR)


def test_zoom_buttons_keep_the_middle(page):
    x, y, width, height = window(page)
    middle = x + width / 2, y + height / 2
    before = under(page, *middle)
    button(page, "Zoom in").click()
    assert under(page, *middle) == pytest.approx(before, abs=NEAR / zoom(page))


@pytest.mark.parametrize("at", [(300, 400), (1200, 650), (20, 120)])
def test_the_wheel_keeps_the_point_under_the_pointer(page, at):
    page.mouse.move(*at)
    before, start = under(page, *at), zoom(page)
    for turn in [-100] * 6 + [100] * 14:
        page.mouse.wheel(0, turn)
        page.wait_for_function("new Promise(done => requestAnimationFrame(() => done(true)))")
        if zoom(page) > 0.4:
            assert under(page, *at) == pytest.approx(before, abs=NEAR / zoom(page))
    assert zoom(page) < start


def test_a_double_click_zooms_at_the_pointer(page):
    before, start = under(page, 640, 180), zoom(page)
    page.mouse.dblclick(640, 180)
    assert zoom(page) == pytest.approx(2 * start, rel=1e-3)
    assert under(page, 640, 180) == pytest.approx(before, abs=NEAR)


def test_a_drag_pans_and_chooses_no_box(page):
    box = page.locator(".node.layer").first.bounding_box()
    before = corner(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y + 25, steps=4)
    page.mouse.move(x - 120, y + 50, steps=4)
    page.mouse.up()
    assert corner(page) == pytest.approx([before[0] - 120, before[1] + 50], abs=NEAR)
    assert page.locator("aside").is_hidden()
    page.mouse.move(x, y)
    assert corner(page) == pytest.approx([before[0] - 120, before[1] + 50], abs=NEAR)


def test_the_picture_cannot_be_lost(page):
    x, _, width, _ = window(page)
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    assert corner(page)[0] + size(page)[0] >= x + 40
    for _ in range(90):
        page.keyboard.press("ArrowLeft")
    assert corner(page)[0] <= x + width - 40


def test_scroll_bars_and_keys_agree(page):
    page.evaluate("document.querySelector('main').scrollLeft = 500")
    page.wait_for_function("new Promise(done => requestAnimationFrame(() => done(true)))")
    x = window(page)[0]
    assert corner(page)[0] == pytest.approx(x - 500, abs=NEAR)
    page.keyboard.press("ArrowLeft")
    assert corner(page)[0] == pytest.approx(x - 420, abs=NEAR)


def test_keys_pan_and_zoom(page):
    start, (x, y) = zoom(page), corner(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert corner(page) == pytest.approx([x - 80, y + 80], abs=NEAR)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert corner(page) == pytest.approx([x, y], abs=NEAR)
    page.keyboard.press("+")
    assert zoom(page) == pytest.approx(1.25 * start, rel=1e-3)
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert zoom(page) == pytest.approx(start / 1.25, rel=1e-3)
    page.keyboard.press("1")
    assert shown(page) == "100 %"
    page.keyboard.press("End")
    left, _, width, _ = window(page)
    assert corner(page)[0] + size(page)[0] == pytest.approx(left + width, abs=NEAR)
    page.keyboard.press("Home")
    assert corner(page)[0] == pytest.approx(left, abs=NEAR)
    page.keyboard.press("0")
    assert zoom(page) == pytest.approx(start, rel=1e-3)


def test_the_keys_of_the_browser_stay_its_own(page):
    start = zoom(page)
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Control+1")
    assert zoom(page) == start


def test_keyboard_alone_reaches_every_button_and_every_box(page):
    titles = [title for title in page.locator(".node > title").all_text_contents() if title.strip()]
    reached = []
    for _ in range(7 + len(titles)):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(e => e.getAttribute('aria-label') ?? e.querySelector(':scope > title')?.textContent ?? e.textContent)"
                "(document.activeElement)"
            )
        )
        if page.evaluate("document.activeElement.matches('.node')"):
            left, right = page.evaluate("(b => [b.left, b.right])(document.activeElement.getBoundingClientRect())")
            assert left < window(page)[2]
            assert right > 0
    assert reached[:6] == ["Zoom out", "Zoom in", "Fit", "Fit width", "All", "Real size, 100 %"]
    assert reached[6:] == ["Picture", *titles]


def test_enter_tells_about_a_box_and_escape_closes(page):
    box = page.locator(".node.layer").first
    title = box.locator("> title").text_content()
    box.focus()
    page.keyboard.press("Enter")
    told = page.locator("aside")
    assert [line for line in told.inner_text().splitlines() if line][1:] == title.splitlines()
    page.keyboard.press("Escape")
    assert told.is_hidden()
    assert page.evaluate("document.activeElement.matches('.node.layer')")


def test_a_click_tells_about_a_box_and_the_button_closes(page):
    boxes = page.locator(".node.pointwise")
    for box in (boxes.nth(0), boxes.nth(4)):
        box.click()
        assert box.locator("> title").text_content().splitlines()[0] in page.locator("aside").inner_text()
    assert page.locator(".chosen").count() == 1
    button(page, "Close").click()
    assert page.locator("aside").is_hidden()
    assert page.locator(".chosen").count() == 0


def test_the_chosen_box_is_not_hidden_by_what_is_said_about_it(page):
    right = next(b for b in page.locator(".node.pointwise").all() if 1000 < b.bounding_box()["x"] < 1200)
    right.click()
    box, (x, _, width, _) = right.bounding_box(), window(page)
    assert width < 1000
    assert x <= box["x"] <= box["x"] + box["width"] <= x + width


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_words_and_nothing_else(open_page, name):
    x = tl.tensor([1.0], requires_grad=True, name=name)
    with tl.scope(name):
        y = tl.tanh(x)
    y.name = name
    page = open_page(tl.draw(y).render("html"))
    assert name in page.locator("h1").inner_text()
    assert name in page.title()
    page.locator(".node.input, .node.parameter").first.click()
    assert name in page.locator("aside").inner_text()
    assert page.locator("img, b[onclick], main script").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_the_colours_of_the_picture(open_page, gates, scheme):
    page = open_page(gates.render("html"), color_scheme=scheme)
    colour = IN_THE_DARK if scheme == "dark" else {c: c for c in IN_THE_DARK}
    style = "getComputedStyle(document.querySelector('{}')).{}"
    assert page.evaluate(style.format("body", "backgroundColor")) == rgb(colour[PAPER])
    assert page.evaluate(style.format(".paper", "fill")) == rgb(colour[PAPER])
    assert page.evaluate(style.format("h1", "color")) == rgb(colour[INK])
    assert page.evaluate(style.format("header p", "color")) == rgb(colour[MUTED])


@pytest.mark.parametrize(("width", "height"), [(375, 667), (667, 375), (1280, 720)])
def test_nothing_sticks_out_and_the_picture_has_most_of_the_room(open_page, gates, width, height):
    page = open_page(gates.render("html"), width, height, has_touch=True, is_mobile=width < 1000)
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        height,
    ]
    for each in page.locator("header button").all():
        box = each.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert min(box["width"], box["height"]) >= 32
    assert window(page)[3] > 0.6 * height
    assert zoom(page) >= 0.6 - 1e-4  # the layout rounds
    page.locator(".node.input").first.tap()
    assert page.locator("aside").is_visible()
    assert window(page)[3] > 0.3 * height


def test_fingers_pan_and_pinch(open_page, gates):
    page = open_page(gates.render("html"), 375, 667, has_touch=True, is_mobile=True)
    touch = page.context.new_cdp_session(page)

    def fingers(kind, *points):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = corner(page)
    fingers("touchStart", (200, 400))
    fingers("touchMove", (180, 410))
    fingers("touchMove", (100, 430))
    fingers("touchEnd")
    assert corner(page) == pytest.approx([before[0] - 100, before[1] + 30], abs=NEAR)

    start, held = zoom(page), under(page, 150, 400)
    fingers("touchStart", (100, 400), (200, 400))
    fingers("touchMove", (75, 400), (225, 400))
    fingers("touchMove", (50, 400), (250, 400))
    fingers("touchEnd")
    assert zoom(page) == pytest.approx(2 * start, rel=0.01)
    assert under(page, 150, 400) == pytest.approx(held, abs=3 * NEAR)
    assert page.locator("aside").is_hidden()
    assert page.evaluate("visualViewport.scale") == 1


def test_a_fitted_picture_follows_the_window_and_a_moved_one_stays(page):
    page.set_viewport_size({"width": 1000, "height": 770})
    page.wait_for_function("document.querySelector('main').clientHeight > 610")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")  # fitted by then
    assert size(page)[1] == pytest.approx(window(page)[3], abs=NEAR)
    page.keyboard.press("+")
    moved = zoom(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    assert zoom(page) == moved


def test_nothing_moves_by_itself(open_page, gates):
    page = open_page(gates.render("html"), reduced_motion="reduce")
    page.keyboard.press("+")
    assert page.evaluate("document.getAnimations().length") == 0


def test_without_scripts_the_picture_is_there_to_scroll(open_page, gates):
    page = open_page(gates.render("html"), java_script_enabled=False)
    assert page.locator(".sheet svg").bounding_box()["width"] > 3000
    assert page.locator("header button").first.is_hidden()


def test_a_map_of_a_long_picture_shows_where_one_is_and_leads_anywhere(open_page):
    page = open_page(tl.draw(small_loss("lstm", 12), "gates", steps="all").render("html"))
    share = "(m => (m.scrollLeft + m.clientWidth / 2) / m.scrollWidth)(document.querySelector('main'))"
    box = page.locator(".map").bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    assert page.evaluate(share) == pytest.approx(0.75, abs=0.02)
    frame = page.locator(".map .window").bounding_box()
    assert frame["x"] + frame["width"] / 2 == pytest.approx(box["x"] + 0.75 * box["width"], abs=4)
    page.keyboard.press("Home")
    assert page.locator(".map .window").bounding_box()["x"] == pytest.approx(box["x"], abs=4)
    page.get_by_role("button", name="All", exact=True).click()
    picture = page.locator(".sheet svg").bounding_box()
    assert picture["width"] <= 1280
    assert picture["height"] <= 720
    assert page.locator(".map").is_hidden()
