"""The gallery: a grid of thumbnails that fits any screen; each opens at its full size, in the colours one chose."""

import runpy
from pathlib import Path

import pytest

from tinygrad_lstm.pages.theme import IN_THE_DARK, PAPER

DEMO = Path(__file__).parents[2] / "demos" / "gallery.py"


@pytest.fixture(scope="module")
def gallery():
    return runpy.run_path(str(DEMO))["gallery"]()


@pytest.mark.parametrize(("width", "height", "across"), [(1280, 720, 3), (390, 844, 1)])
def test_thumbnails_fit_the_screen_and_each_other(open_page, gallery, width, height, across):
    page = open_page(gallery, width, height)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = [picture.bounding_box() for picture in page.locator("#gates ~ .grid").first.locator(".picture").all()]
    assert len({round(box["x"]) for box in boxes}) == across
    assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1
    assert min(box["width"] for box in boxes) > 250
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


@pytest.mark.parametrize("system", ["light", "dark"])
def test_colours_are_those_one_chose_or_the_systems(open_page, gallery, system):
    page = open_page(gallery, color_scheme=system)
    colours = {"light": PAPER, "dark": IN_THE_DARK[PAPER]}
    for choice, scheme in (("as the system", system), ("dark", "dark"), ("light", "light"), ("as the system", system)):
        page.get_by_label(choice, exact=True).check()
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        red, green, blue = (int(colours[scheme][i : i + 2], 16) for i in (1, 3, 5))
        assert paper == f"rgb({red}, {green}, {blue})"
        pixel = pixel_of(page.locator(".picture img").first.screenshot())  # the picture's own paper
        assert max(abs(a - b) for a, b in zip(pixel, (red, green, blue), strict=True)) <= 2


def pixel_of(png):
    image = pytest.importorskip("PIL.Image")
    from io import BytesIO

    with image.open(BytesIO(png)) as opened:
        return opened.convert("RGB").getpixel((12, 12))


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_a_thumbnail_opens_at_full_size_and_closes_where_one_was(open_page, gallery, width, height):
    page = open_page(gallery, width, height)
    thumbnail = page.locator("#gates-lstm .picture")
    thumbnail.scroll_into_view_if_needed()
    image = page.locator("#gates-lstm img")
    thumbnail.press("Enter")
    natural = image.evaluate("i => i.naturalWidth")
    frame = thumbnail.bounding_box()
    assert (frame["x"], frame["y"], frame["width"], frame["height"]) == (0, 0, width, height)
    assert image.bounding_box()["width"] >= natural > width
    assert thumbnail.evaluate("b => (b.scrollTo(b.scrollWidth, 0), b.scrollLeft)") > 0
    page.get_by_role("link", name="Close").click()
    assert thumbnail.bounding_box()["width"] < width
    assert 0 <= thumbnail.bounding_box()["y"] < height
