"""The page of the atlas: sorted by a heading, cells side by side, wide and narrow, light, dark and on paper."""

import pytest
from test_page import rgb

from tinygrad_lstm.nn.atlas import ATLAS
from tinygrad_lstm.pages.theme import IN_THE_DARK, PAPER
from tinygrad_lstm.studies.atlas.contents import contents, learned
from tinygrad_lstm.studies.atlas.page import page as page_of


@pytest.fixture(scope="module")
def text():
    return page_of(contents(learned()))


def titles(page):
    return page.locator("tbody th").all_inner_texts()


def test_a_heading_sorts_up_and_then_down(open_page, text):
    page = open_page(text)
    assert titles(page) == [each.title for each in ATLAS.values()]
    page.get_by_role("button", name="parameters").click()
    numbers = [int(cell.replace(",", "")) for cell in page.locator("tbody td:nth-child(4)").all_inner_texts()]
    assert numbers == sorted(numbers)
    assert page.get_by_role("columnheader", name="parameters").get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="parameters").click()
    assert titles(page)[0] == "LSTM with peepholes"
    page.get_by_role("button", name="cell", exact=False).first.click()
    assert titles(page) == sorted(titles(page), key=str.lower)


def test_those_that_learn_in_every_try_come_first(open_page, text):
    page = open_page(text)
    page.get_by_role("button", name="adding").click()
    assert titles(page)[-1] == "Elman network"


def test_those_that_were_not_tried_come_last(open_page, text):
    page = open_page(text)
    page.get_by_role("button", name="T = 100").click()
    solved = [words.split("/")[0] for words in page.locator("tbody td:nth-child(11)").all_inner_texts()]
    assert [each.strip() for each in solved] == ["10"] * 6 + ["9", "5", "1"] + ["—"] * 3


def test_two_are_set_side_by_side_and_a_fourth_takes_the_place_of_the_first(open_page, text):
    page = open_page(text)
    assert page.locator("article:visible").count() == len(ATLAS)
    for name in ("GRU", "MGU"):
        page.get_by_role("checkbox", name=f"Compare {name}", exact=True).check()
    assert page.locator("article:visible h2").all_inner_texts() == ["GRU 2014", "MGU 2016"]
    left, right = (page.locator("article:visible").nth(i).bounding_box() for i in range(2))
    assert left["y"] == right["y"]
    assert page.locator("article:visible .differing dt").first.inner_text() == "kept at first"
    for name in ("RAN", "JANET"):
        page.get_by_role("checkbox", name=f"Compare {name}", exact=True).check()
    assert page.locator("article:visible h2").all_inner_texts() == ["MGU 2016", "RAN 2017", "JANET 2018"]
    assert page.evaluate("location.hash") == "#compare=mgu,ran,janet"
    page.get_by_role("button", name="show all").click()
    assert page.locator("article:visible").count() == len(ATLAS)


def test_a_link_opens_a_comparison_and_nonsense_in_it_does_nothing(open_page, text):
    page = open_page(text)
    page.evaluate("location.hash = 'compare=lstm,<b>,gru'")
    page.wait_for_function("document.querySelectorAll('article.chosen').length === 2")
    assert page.locator("article:visible h2").all_inner_texts() == ["LSTM 2000", "GRU 2014"]


def test_a_picture_is_made_larger(open_page, text):
    page = open_page(text)
    picture = page.locator("#mgu .picture")
    before = picture.bounding_box()["width"]
    picture.click()
    assert picture.bounding_box()["width"] > 2 * before
    assert picture.get_attribute("aria-expanded") == "true"


def test_nothing_is_wider_than_the_screen(open_page, text):
    for width in (1280, 390):
        page = open_page(text, width=width, height=844)
        page.evaluate("location.hash = 'compare=lstm,gru'")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_dark_where_one_prefers_that(open_page, text):
    page = open_page(text, color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == rgb(IN_THE_DARK[PAPER])


def test_on_paper_there_is_nothing_to_click(open_page, text):
    page = open_page(text)
    page.emulate_media(media="print")
    assert page.locator(".tick:visible").count() == 0
    assert page.locator("article:visible").count() == len(ATLAS)
