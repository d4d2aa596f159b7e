"""Pages and notebooks show the picture without a network, and take any name without harm; see ``tests/browser``."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import tinygrad_lstm
import tinygrad_lstm as tl
from tinygrad_lstm.drawing import page as pages
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import IN_THE_DARK, INK, PAPER

NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'
HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "</title></svg><b>", "{{ 7 * 7 }}"]


class Elements(HTMLParser):
    """Every start tag in a page, with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def named(name):
    x = tl.tensor([1.0], requires_grad=True, name=name)
    y = tl.tanh(x)
    y.name = name
    return tl.draw(y)


@pytest.fixture(scope="module")
def picture():
    return tl.draw(small_loss("lstm", 2))


def test_a_page_is_saved_under_its_ending(picture, tmp_path):
    path = picture.save(tmp_path / "picture.HTML")
    assert path.read_text(encoding="utf-8") == picture.render("html")
    assert picture.render("html").startswith("<!doctype html>")
    assert ".html" in repr(picture)


def test_a_page_asks_the_network_for_nothing(picture):
    page = picture.render("html")
    assert not re.search(r"\w:?//\w|@import|url\(", page.replace(NAMESPACE, ""))
    assert not [a for _, attributes in Elements(page).found for a in attributes if a in ("src", "xlink:href", "srcset")]
    assert [a["href"] for _, a in Elements(page).found if "href" in a] == ["data:,"]
    assert "default-src 'none'" in page


def test_a_page_holds_the_whole_picture_but_not_its_declaration(picture):
    page = picture.render("html")
    assert "<?xml" not in page
    assert picture.svg[picture.svg.index("<svg") :] in page


def test_a_page_says_title_and_description(picture):
    page = picture.render("html")
    assert f'<h1 dir="auto">{picture.title}</h1>' in page
    assert f'<p dir="auto">{picture.description}</p>' in page


def test_a_page_has_the_colours_of_the_theme(picture):
    page = picture.render("html")
    assert f"--paper: {PAPER}" in page
    assert f"--ink: {IN_THE_DARK[INK]}" in page
    for room in ("draw", "stepper"):
        for file in Path(tinygrad_lstm.__file__).parent.joinpath(room, "templates").rglob("*.*"):
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_add_no_element(name):
    tame, hostile = named("tame"), named(name)
    for text in (lambda picture: picture.render("html"), lambda picture: picture._repr_mimebundle_()["text/html"]):
        assert [tag for tag, _ in Elements(text(hostile)).found] == [tag for tag, _ in Elements(text(tame)).found]
    assert "49" not in hostile.title


def test_a_notebook_gets_html_and_what_it_got_before(picture):
    bundle = picture._repr_mimebundle_()
    assert list(bundle) == ["text/html", "image/svg+xml", "text/plain"]
    assert bundle["image/svg+xml"] == picture.svg


def test_a_picture_in_a_notebook_knows_its_size_and_has_no_identifiers(picture):
    bundle = picture._repr_mimebundle_()
    elements = Elements(bundle["text/html"]).found
    size = re.search(r'width="(\d+pt)" height="(\d+pt)"', picture.svg).groups()
    (svg,) = [attributes for tag, attributes in elements if tag == "svg"]
    assert (svg["width"], svg["height"]) == size
    assert not [attributes for _, attributes in elements if "id" in attributes]
    assert "overflow: auto" in elements[0][1]["style"]


def test_a_picture_in_a_notebook_fits_its_cell_unless_it_could_not_be_read(picture):
    elements = Elements(picture._repr_mimebundle_()["text/html"]).found
    (wide,) = [
        attributes["style"] for tag, attributes in elements if tag == "div" and "relative" in attributes["style"]
    ]
    width = round(picture.size[0])
    assert f"min({width}pt, max(100%, {width * pages.LEAST}pt))" in wide
    (svg,) = [attributes["style"] for tag, attributes in elements if tag == "svg"]
    assert "width: 100%; height: auto" in svg


@pytest.mark.parametrize("view", ["ops", "gates", "cells", "rolled", "backward"])
def test_a_picture_in_a_notebook_starts_on_a_box(view):
    picture = tl.draw(small_loss("lstm", 4), view, legend=True)
    assert all(0 <= share < 1 for share in picture.start)
    (mark,) = [
        attributes["style"]
        for tag, attributes in Elements(picture._repr_mimebundle_()["text/html"]).found
        if tag == "span"
    ]
    assert f"left: {100 * picture.start[0]:.1f}%; top: {100 * picture.start[1]:.1f}%" in mark
    assert "scroll-initial-target: nearest" in mark


def test_a_picture_styles_itself_alone(picture):
    style = re.search(r"<style>(.*?)</style>", picture.svg).group(1)
    rules = re.fullmatch(r"@media \(prefers-color-scheme: dark\)\{(.*)\}", style).group(1)
    selectors = re.findall(r"([^{}]+)\{[^{}]*\}", rules)
    assert len(set(selectors)) == len(selectors) > len(set(re.findall(r"#\w{6}", "".join(selectors)))) > 9
    assert all(selector.startswith("svg.tinygrad_lstm ") for selector in selectors)
