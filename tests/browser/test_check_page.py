"""The page of a check: right and wrong, wide and narrow, light and dark; hostile names do nothing. No test may log."""

import pytest
from test_page import HOSTILE, rgb

import tinygrad_lstm as tl
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.pages.theme import IN_THE_DARK, INK, PAPER
from tinygrad_lstm.testing.report.page import page as page_of
from tinygrad_lstm.testing.report.survey import of_cell, of_operation, of_thing

RIGHT = ("tanh", "where", "greater")


@pytest.fixture
def right(open_page):
    rows = [*(of_operation(BUILTIN[name], name).run() for name in RIGHT), of_cell("gru", "gru cell", 3).run()]
    return open_page(page_of(rows))


@pytest.fixture
def wrong_rows(monkeypatch):
    monkeypatch.setattr(BUILTIN["tanh"], "rule", lambda g, y, x: (g * (1 - y),))
    x = tl.tensor([0.5, -1.0], requires_grad=True, name=HOSTILE[0])
    return [of_thing(tl.sin(tl.tanh(x)), HOSTILE[1], [], 3).run()]


def cells(page, row):
    return (
        page.locator("tbody tr", has=page.get_by_role("rowheader", name=row, exact=True))
        .locator("td")
        .all_inner_texts()
    )


def test_each_row_has_its_verdict_and_each_order_its_plot(right):
    assert right.locator(".summary").inner_text() == "3 PASS, 1 UNCHECKED"
    assert cells(right, "tanh")[0] == "PASS"
    assert cells(right, "tanh")[-1] == "3.00"
    assert cells(right, "greater") == ["UNCHECKED", "a step: its derivative is zero wherever there is one"]
    assert right.locator(".plots figcaption").all_inner_texts() == ["tanh", "gru cell"]
    assert "Of where, straight or quadratic" in " ".join(right.locator("main").inner_text().split())
    assert right.locator(".failure").count() == 0


def test_a_failure_comes_first_with_sentence_evidence_program_and_picture(open_page, wrong_rows):
    page = open_page(page_of(wrong_rows))
    failure = page.locator(".failure")
    assert failure.locator(".blame").inner_text().startswith("the rule of tanh is wrong: it gives")
    assert failure.locator("tbody th").all_inner_texts() == [
        "complex step",
        "differences",
        "700 digits",
        "order of convergence",
    ]
    assert "tl.testing.check_vjp" in failure.locator("pre").inner_text()
    assert failure.locator("svg text", has_text="wrong").count() == 1
    assert "order 1.0: wrong" in page.locator(".plots svg text").all_text_contents()
    assert failure.bounding_box()["y"] < page.locator("main > .wide").bounding_box()["y"]


def test_hostile_names_are_words(open_page, wrong_rows):
    page = open_page(page_of(wrong_rows))
    assert page.locator("img").count() == 0
    assert page.locator(".failure h2").inner_text() == HOSTILE[1]


@pytest.mark.parametrize("width", [320, 800, 1600])
def test_the_page_never_scrolls_sideways(open_page, wrong_rows, width):
    page = open_page(page_of(wrong_rows), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("scheme", "paper", "ink"), [("light", PAPER, INK), ("dark", IN_THE_DARK[PAPER], IN_THE_DARK[INK])]
)
def test_page_and_plots_are_light_or_dark(open_page, wrong_rows, scheme, paper, ink):
    page = open_page(page_of(wrong_rows), color_scheme=scheme)
    style = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    assert page.locator("body").evaluate(style) == [rgb(paper), rgb(ink)]
    assert page.locator(".plots svg rect").first.evaluate("e => getComputedStyle(e).fill") == rgb(paper)
