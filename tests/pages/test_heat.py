"""Grids of shades show every number, tell signs without colour, and follow light and dark."""

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tests.pages.test_plot import numbers, texts
from tinygrad_lstm.pages.heat import Grid, heat_map
from tinygrad_lstm.pages.theme import COOL_SHADES, IN_THE_DARK, SHADES

NAMES = {"title": "title", "across": "across", "upwards": "upwards", "label": "label"}


def fills(svg):
    return [
        e.get("fill") for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect") if e.get("fill") != "none"
    ]


def cells(svg, count):
    return fills(svg)[1 : 1 + count]


def test_a_magnitude_has_its_shade_and_the_largest_the_strongest():
    svg = heat_map([Grid("g", [[0.0, 0.49, 0.51, 1.0]])], **NAMES)
    assert cells(svg, 4) == [SHADES[0], SHADES[3], SHADES[4], SHADES[7]]
    assert cells(heat_map([Grid("g", [[0.5]])], most=1.0, **NAMES), 1) == [SHADES[4]]
    assert cells(heat_map([Grid("g", [[9.0]])], most=1.0, **NAMES), 1) == [SHADES[7]]
    assert cells(heat_map([Grid("g", [[0.0]])], **NAMES), 1) == [SHADES[0]]


def test_negative_numbers_have_a_mark_as_well():
    plain, signed = (heat_map([Grid("g", [[1.0, sign * 0.9]])], **NAMES) for sign in (1, -1))
    assert cells(signed, 2)[1] == COOL_SHADES[7]
    assert 'height="0.8"' in signed
    assert 'height="0.8"' not in plain
    assert "−1" in texts(signed)
    assert "−1" not in texts(plain)


def test_all_grids_share_one_scale_and_stay_on_the_paper():
    grids = [Grid(f"t = {t}", np.full((7, 4), 2.0**-t)) for t in range(5)]
    svg = heat_map(grids, per_row=3, **NAMES)
    numbers(svg)
    assert cells(svg, 7 * 4)[0] == SHADES[7]
    assert fills(svg).count(SHADES[0]) >= 28
    assert {f"t = {t}" for t in range(5)} <= set(texts(svg))


@pytest.mark.parametrize("count", [1, 9, 40, pytest.param(300, marks=pytest.mark.slow)])
def test_names_that_find_no_room_are_left_out(count):
    svg = heat_map([Grid("g", np.ones((count, count)))], **NAMES)
    numbers(svg)
    places = [(e.get("x"), e.get("y")) for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert len(set(places)) == len(places) < 70
    named = texts(heat_map([Grid("g", np.ones((1, 3)), columns=["E", "a", "<b>"])], **NAMES))
    assert {"E", "a", "<b>"} <= set(named)


def test_what_is_not_finite_is_left_white():
    svg = heat_map([Grid("g", [[1.0, math.nan, math.inf, 0.5]])], **NAMES)
    assert len(fills(svg)) == 1 + 2 + 8
    numbers(svg)


@pytest.mark.parametrize("values", [[], [1.0], [[]], [[[1.0]]]])
def test_what_is_no_grid_is_refused(values):
    with pytest.raises(ValueError, match=r"rows of numbers, \(R, C\), not an array of shape"):
        heat_map([Grid("g", values)], **NAMES)


def test_all_its_colours_have_a_dark_one():
    svg = heat_map([Grid("g", np.linspace(-1, 1, 40).reshape(4, 10))], standalone=False, **NAMES)
    assert "<style>" not in svg
    assert set(re.findall(r'"(#\w+)"', svg)) <= IN_THE_DARK.keys()
