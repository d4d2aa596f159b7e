"""A figure that is made for a place is as large as it can be there, or refused where its words were too small."""

import xml.etree.ElementTree as ET

import pytest

import tinygrad_lstm as tl
from tests.drawing.figures.networks import reader
from tests.drawing.test_fit import in_pixels, opened
from tinygrad_lstm.drawing import FIGURES
from tinygrad_lstm.drawing.fits import FITS
from tinygrad_lstm.nn.samples import small_loss

SPACE = "{http://www.w3.org/2000/svg}"
TOO_TALL = [("story", "slide"), ("story", "readme")]
FITTING = [(name, fit) for name in FIGURES for fit in ("slide", "readme") if (name, fit) not in TOO_TALL]


def sizes(element, scale):
    """How many pixels the words have, those of pictures in a figure too."""
    for part in element:
        words = part.get("transform", "") if part.tag == f"{SPACE}g" else ""
        own = float(words.rpartition("scale(")[2].partition(")")[0].split()[0]) if "scale(" in words else 1.0
        if part.tag == f"{SPACE}text":
            yield float(part.get("font-size")) * scale
        yield from sizes(part, scale * own)


@pytest.mark.parametrize(("name", "fit"), FITTING)
def test_no_words_are_below_ten_pixels_and_the_size_is_what_was_asked_for(name, fit):
    figure = tl.draw(reader(), name, fit=fit)
    root, width, height, scale = in_pixels(figure)
    assert min(sizes(root, scale)) >= 9.95
    assert figure.size == (pytest.approx(0.75 * width, abs=0.5), pytest.approx(0.75 * height, abs=0.5))
    if fit == "slide":
        assert (width, height) == (1280, 720)
    else:
        assert width <= FITS[fit].width
        assert height <= FITS[fit].height


def test_what_is_measured_is_what_is_drawn():
    """What a figure says of its smallest words is what the SVG has, where pictures stand in it too."""
    for name in FIGURES:
        figure = tl.draw(reader(), name)
        assert figure._canvas.smallest == pytest.approx(min(sizes(ET.fromstring(figure.svg), 1.0)), rel=1e-3)


def test_it_stands_in_the_middle_of_a_slide():
    plain, fitted = (tl.draw(reader(), "openings", fit=fit) for fit in (None, "slide"))
    assert plain.svg.startswith('<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<svg role="img" width="830"')
    left, top, wide, high = map(float, ET.fromstring(fitted.svg).get("viewBox").split())
    assert left + wide / 2 == pytest.approx(830 / 2)
    assert top + high / 2 == pytest.approx(plain.size[1] / 0.75 / 2)
    assert wide / high == pytest.approx(16 / 9)
    sheet = next(iter(ET.fromstring(fitted.svg).iter(f"{SPACE}rect")))
    assert (float(sheet.get("x")), float(sheet.get("y"))) == (left, top)


def test_a_png_of_a_slide_has_the_pixels_of_a_screen():
    assert opened(tl.draw(reader(), "belt", fit="slide")).size == (1920, 1080)


@pytest.mark.parametrize(("name", "fit"), [*TOO_TALL, *((name, "column") for name in FIGURES)])
def test_what_does_not_fit_is_refused_with_what_would_work(name, fit):
    with pytest.raises(ValueError, match=rf"does not fit '{fit}' .* 830 by \d+ pixels, .* less than 10; ") as refusal:
        tl.draw(reader(), name, fit=fit)
    instead = str(refusal.value).rpartition("; ")[2]
    others = [other for other in FITS if f"fit={other!r}" in instead]
    assert all(tl.draw(reader(), name, fit=other) for other in others)
    assert others or instead == "leave fit out, for a page that scrolls"


def test_those_of_several_networks_fit_too():
    losses = {name: small_loss(name, 6) for name in ("lstm", "gru")}
    for make in (tl.compare, tl.sweep):
        assert make(losses, fit="slide").size == (960, 540)
        with pytest.raises(ValueError, match="does not fit 'column'"):
            make(losses, fit="column")
        with pytest.raises(ValueError, match="unknown fit 'poster'; choose None or 'slide' or 'readme' or 'column'"):
            make(losses, fit="poster")
