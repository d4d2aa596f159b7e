"""Every figure can be read: words are large enough, in their place and in contrast, by day and by night, by anybody."""

import math
import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.drawing.figures.networks import GATED, LOSSES, plain_mgu
from tests.drawing.test_draw import HOSTILE
from tinygrad_lstm.drawing.figures.maps import ink_for, shade_of
from tinygrad_lstm.drawing.figures.paper import WIDTH, told_apart, width_of
from tinygrad_lstm.drawing.figures.registry import FIGURES
from tinygrad_lstm.drawing.figures.sweep import LOOKS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import (
    COOL_LEVELS,
    COOL_SHADES,
    IN_THE_DARK,
    INK,
    INKS,
    LEVELS,
    MUTED,
    ON_PAGES,
    PAPER,
    SHADES,
    TIME_SHADES,
)
from tinygrad_lstm.structure import words

MOVE = re.compile(r"(translate)\((\S+) (\S+)\)|scale\((\S+)\)")
SPACE = "{http://www.w3.org/2000/svg}"


def _difference(make):
    before = make()
    return tl.difference(before, make())


MAKERS = {
    **{name: lambda make, name=name: tl.draw(make(), name) for name in FIGURES},
    "difference": _difference,
    "compare": lambda make: tl.compare(make(), {"<b> another & one": make()}, rnn=small_loss("rnn", 8)),
    "sweep": lambda make: tl.sweep({f"network {n}": make() for n in range(5)}),
}

NEED_GATES = ("openings", "story", "belt")

CASES = [
    (figure, name)
    for figure in MAKERS
    for name in LOSSES
    if (figure not in NEED_GATES or name in GATED) and not (figure == "sweep" and name == "many steps")
]


def placed(element, x=0.0, y=0.0, scale=1.0):
    """The words of a figure, each with where its origin is and how large it is there: a picture may stand in it."""
    for move, along, down, factor in MOVE.findall(element.get("transform", "")) if element.tag == f"{SPACE}g" else ():
        if move == "translate":
            x, y = x + scale * float(along), y + scale * float(down)
        else:
            scale *= float(factor)
    for child in element:
        if child.tag == f"{SPACE}text":
            yield child, x, y, scale
        yield from placed(child, x, y, scale)


def boxes(svg):
    """The words of a figure with the corners of the boxes they stand in: generous ones, for any font."""
    found = []
    for text, right, down, scale in placed(ET.fromstring(svg)):
        written, size = "".join(text.itertext()), float(text.get("font-size")) * scale
        assert size >= 10, written
        x, y = right + scale * float(text.get("x")), down + scale * float(text.get("y"))
        wide = width_of(written, size, bool(text.get("font-weight")))
        left = {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor", "start")]
        corners = [(-left + a, b) for a in (0, wide) for b in (-0.8 * size, 0.2 * size)]
        angle = math.radians(-40 if text.get("transform") else 0)
        turned = [
            (x + a * math.cos(angle) - b * math.sin(angle), y + a * math.sin(angle) + b * math.cos(angle))
            for a, b in corners
        ]
        found.append((written, turned, bool(text.get("transform"))))
    return found


@pytest.mark.parametrize(("figure", "name"), CASES)
def test_words_are_large_enough_on_the_paper_and_not_on_each_other_and_colours_have_a_night(figure, name):
    """Promises of every figure of every network, in one test, since making it takes most of the time."""
    svg = MAKERS[figure](LOSSES[name]).svg
    root = ET.fromstring(svg)
    width, height = (float(root.get(side)) for side in ("width", "height"))
    assert width == WIDTH == 830
    written = boxes(svg)
    for said, corners, _ in written:
        assert all(0 <= x <= width and 0 <= y <= height for x, y in corners), said
    rects = [(said, *corners[0], *corners[3]) for said, corners, tilted in written if said and not tilted]
    for (mine, a, b, c, d), (theirs, e, f, g, h) in combinations(rects, 2):
        assert c <= e + 2 or g <= a + 2 or d <= f + 1 or h <= b + 1, (mine, theirs)
    used = {element.get(kind) for element in root.iter() for kind in ("fill", "stroke")} - {None, "none"}
    assert used <= {*IN_THE_DARK, *INKS}  # some inks read as well by night


@pytest.mark.parametrize("figure", MAKERS)
def test_a_figure_can_be_read_aloud_and_says_a_number(figure):
    made = MAKERS[figure](LOSSES["words"])
    root = ET.fromstring(made.svg)
    assert root.get("role") == "img"
    assert root.find(f"{SPACE}title").text == made.title
    assert root.find(f"{SPACE}desc").text == made.description
    assert re.search(r"\d", made.description)
    assert made.title in repr(made)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(ink, paper):
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("value", [-1.0, -0.7, -0.4, -0.1, 0.0, 0.2, 0.5, 0.6, 0.8, 1.0])
def test_numbers_stand_out_from_their_field_by_day_and_by_night(value):
    level, cool = shade_of(value, 1.0)
    fill, ink = (COOL_LEVELS if cool else LEVELS)[level], ink_for(value, 1.0)
    assert contrast(ink, fill) >= 4.5
    assert contrast(IN_THE_DARK.get(ink, ink), IN_THE_DARK[fill]) >= 4.5


def test_shades_are_as_good_as_continuous():
    openings = tl.draw(small_loss("lstm", 12), "openings").svg
    assert sum(f'fill="{level}"' in openings for level in LEVELS) == 64
    assert {shade_of(n / 63.5, 1.0)[0] for n in range(64)} == set(range(64))


@pytest.mark.parametrize("ink", [INK, MUTED, *(ON_PAGES[colour] for colour, _ in LOOKS)])
def test_words_and_lines_stand_out_from_the_paper_by_day_and_by_night(ink):
    assert contrast(ink, PAPER) >= 4.5
    assert contrast(IN_THE_DARK[ink], IN_THE_DARK[PAPER]) >= 4.5


@pytest.mark.parametrize("shades", [SHADES, COOL_SHADES, TIME_SHADES])
def test_shades_are_in_order_without_colour_too(shades):
    for theme in (shades, [IN_THE_DARK[shade] for shade in shades]):
        levels = [luminance(shade) for shade in theme]
        assert levels in (sorted(levels), sorted(levels, reverse=True))


@pytest.mark.parametrize("figure", MAKERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_and_do_no_harm(figure, name):
    made = MAKERS[figure](lambda: plain_mgu(3, words=(name, name + "!", "x"), per_step=True))
    root = ET.fromstring(made.svg)
    assert {e.tag.removeprefix(SPACE) for e in root.iter()} <= {
        *("svg", "title", "desc", "style", "rect", "text", "polyline", "polygon", "circle"),
        *(("g", "path", "ellipse") if figure == "story" else ()),
    }
    assert "<script" not in made.svg


@given(name=st.text(min_size=1, max_size=40))
def test_any_word_gives_a_well_formed_figure(name):
    ET.fromstring(tl.draw(plain_mgu(3, words=(name, "b", "c")), "openings").svg)


def test_panels_of_a_deep_network_have_names_that_differ():
    made = tl.draw(LOSSES["two layers, both ways"](), "rainbow").svg
    names = re.findall(r'font-weight="bold">([^<]+)', made)[1:]
    assert len(set(names)) == len(names) == 12
    assert "layer1_reverse.reset_gate" in names


@given(names=st.lists(st.text("ab._", min_size=1, max_size=40), min_size=1, max_size=6), room=st.integers(60, 300))
def test_names_that_are_cut_fit_and_differ_as_they_did(names, room):
    cut = told_apart(names, 13, room)
    assert all(width_of(name, 13) <= room for name in cut)
    assert len(set(cut)) >= len({words.clean(name, 300) for name in names})


def test_a_word_too_long_for_its_place_is_cut():
    made = tl.draw(plain_mgu(3, words=("x" * 300, "b", "c")), "openings")
    assert all(len(written) < 120 for written, _, _ in boxes(made.svg))


def test_the_same_graph_gives_the_same_figure():
    for name in FIGURES:
        assert tl.draw(small_loss("lstm", 4), name).svg == tl.draw(small_loss("lstm", 4), name).svg


def test_long_maps_stay_small():
    """A hundred units over all of a long sequence: neighbours of one shade are one rectangle."""
    lstm = tl.LSTM(2, 100, rng=0)
    made = tl.draw(lstm(tl.ones(150, 2))[0][-1].sum(), "saturation", steps="all")
    assert len(made.svg) < 3_000_000
    assert words.clean(made.title) == made.title
