"""A notebook shows a picture as wide as its cell, or half as large in a box that scrolls, and the rest as it was."""

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import IN_THE_DARK, PAPER

NOTEBOOK = """<!doctype html><meta charset="utf-8"><style>svg, img {{ max-width: 100%; height: auto }}</style>
<div style="width: 800px"><svg class="foreign" width="20" height="20"><rect fill="#ffffff" stroke="#222222" width="9"
height="9"/></svg><p id="t0" style="color: rgb(1, 2, 3)">before</p>{}<p class="after">after</p></div>"""


@pytest.fixture
def pictures():
    return [tl.draw(small_loss("lstm", 4), view)._repr_mimebundle_()["text/html"] for view in ("gates", "ops", "gates")]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("steps", [1, 2, 6])
def test_it_fits_the_cell_and_starts_on_the_network(open_page, view, steps):
    page = open_page(NOTEBOOK.format(tl.draw(small_loss("lstm", steps), view)._repr_mimebundle_()["text/html"]))
    box = page.get_by_role("region")
    real = box.locator("svg").evaluate("s => s.viewBox.baseVal.width * 96 / 72")
    room = box.evaluate("b => b.clientWidth")  # 800, without the bar of what is higher than a window
    assert 780 <= room <= 800 or real < 800
    assert box.locator("svg").bounding_box()["width"] == pytest.approx(min(real, max(room, real / 2)), abs=2)
    frame = box.bounding_box()
    right, bottom = frame["x"] + frame["width"] + 1, frame["y"] + frame["height"] + 1
    nodes = [node.bounding_box() for node in box.locator(".column .node").all()[:60]]
    across = [n for n in nodes if frame["x"] - 1 <= n["x"] and n["x"] + n["width"] <= right]
    seen = [n for n in across if frame["y"] - 1 <= n["y"] and n["y"] + n["height"] <= bottom]
    assert len(seen) >= 3
    assert min(n["x"] for n in seen) < frame["x"] + frame["width"] / 3


def test_a_large_picture_scrolls_and_can_be_read(open_page, pictures):
    page = open_page(NOTEBOOK.format("".join(pictures)))
    for box in page.get_by_role("region").all():
        wide, seen, high, space = box.evaluate("b => [b.scrollWidth, b.clientWidth, b.scrollHeight, b.clientHeight]")
        assert seen <= 800 < wide
        assert space <= 720
        svg = box.locator("svg")
        real = svg.evaluate("s => s.viewBox.baseVal.width * 96 / 72")
        assert svg.bounding_box()["width"] == pytest.approx(max(800, real / 2), abs=2)
        assert high >= svg.bounding_box()["height"] - 1
        box.evaluate("b => b.scrollTo(b.scrollWidth, b.scrollHeight)")
        frame, picture = box.bounding_box(), svg.bounding_box()
        assert picture["x"] + picture["width"] <= frame["x"] + frame["width"] + 1
        assert picture["y"] + picture["height"] <= frame["y"] + frame["height"] + 1


def test_the_keyboard_scrolls_it(open_page, pictures):
    page = open_page(NOTEBOOK.format(pictures[0]))
    box = page.get_by_role("region")
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('[role=region]').scrollLeft > 0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_rest_of_the_notebook_is_not_restyled(open_page, pictures, scheme):
    page = open_page(NOTEBOOK.format("".join(pictures)), color_scheme=scheme)
    foreign = page.locator(".foreign rect").evaluate("r => [getComputedStyle(r).fill, getComputedStyle(r).stroke]")
    assert foreign == ["rgb(255, 255, 255)", "rgb(34, 34, 34)"]
    paper = IN_THE_DARK[PAPER] if scheme == "dark" else PAPER
    red, green, blue = (int(paper[i : i + 2], 16) for i in (1, 3, 5))
    for rect in page.locator(".paper").all():
        assert rect.evaluate("r => getComputedStyle(r).fill") == f"rgb({red}, {green}, {blue})"


def test_a_notebook_with_several_pictures_has_no_identifier_twice(open_page, pictures):
    page = open_page(NOTEBOOK.format("".join(pictures)))
    assert page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)") == ["t0"]
    assert page.locator("#t0").inner_text() == "before"
    assert page.locator("div > .after").inner_text() == "after"
