"""Plots show what can be shown, name each line once, and follow light and dark."""

import math
import re
import xml.etree.ElementTree as ET

import pytest

from tinygrad_lstm.pages.plot import Beside, Series, log_plot, share_plot, slope
from tinygrad_lstm.pages.theme import IN_THE_DARK
from tinygrad_lstm.tour.plot import gradient_plot

SVG = "{http://www.w3.org/2000/svg}"
NAMES = {"title": "title", "across": "across", "upwards": "upwards", "label": "label"}


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]


def numbers(svg):
    """All coordinates, each of which must lie on the paper."""
    root = ET.fromstring(svg)
    width, height = float(root.get("width")), float(root.get("height"))
    for element in root.iter():
        for x in (element.get("x"), element.get("cx")):
            assert x is None or 0 <= float(x) <= width
        for y in (element.get("y"), element.get("cy")):
            assert y is None or 0 <= float(y) <= height
        for point in (element.get("points") or "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
    return root


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 40, 41, 200])
@pytest.mark.parametrize("falls", [0.0, 0.05, 1.0, 1.6])
def test_any_number_of_points_stays_on_the_paper(count, falls):
    root = numbers(gradient_plot({"LSTM": [10.0 ** (-falls * t) for t in range(count)], "RNN": [0.5] * count}))
    ticks = [element.text for element in root.iter(f"{SVG}text") if element.text.startswith("10")]
    assert 2 <= len(ticks) <= 8
    assert len(set(ticks)) == len(ticks)


@pytest.mark.parametrize("bad", [0.0, math.inf, math.nan])
def test_what_a_logarithm_does_not_have_breaks_the_line_and_is_told(bad):
    svg = gradient_plot({"LSTM": [0.1, bad, 0.3, 0.4], "RNN": [bad] * 4})
    assert len(numbers(svg).findall(f"{SVG}circle")) == 3 + 1  # one is in the legend
    what = "not finite" if bad else "0"
    assert f"LSTM ({what} at 1 step)" in texts(svg)
    assert f"RNN ({what} at 4 steps)" in texts(svg)


def test_the_smallest_and_largest_numbers_have_a_place():
    numbers(log_plot([Series([(5e-324, 5e-324), (1.7e308, 1.7e308)])], **NAMES))


def test_lines_are_told_apart_without_colour():
    root = ET.fromstring(gradient_plot({"LSTM": [0.1, 0.2], "RNN": [0.1, 0.2]}))
    lines = [line for line in root.iter(f"{SVG}polyline") if float(line.get("stroke-width")) > 1]
    assert len({line.get("stroke-dasharray") for line in lines}) == 2
    assert root.findall(f"{SVG}circle")
    assert len(root.findall(f"{SVG}rect")) > 1


def test_names_in_the_legend_do_not_collide_and_the_frame_makes_room():
    names = [f"a model with quite a long name, number {n}" for n in range(6)] + ["x" * 500]
    svg = log_plot([Series([(1, 1), (2, 2)], name) for name in names], **NAMES)
    root = numbers(svg)
    places = [(element.get("x"), element.get("y")) for element in root.iter(f"{SVG}text")]
    assert len(set(places)) == len(places)
    frame = min(float(y) for line in root.iter(f"{SVG}polyline") for y in re.findall(r",(\S+)", line.get("points")))
    legend = [float(element.get("y")) for element in root.iter(f"{SVG}text") if "model" in element.text]
    assert frame >= 30
    assert len(legend) == 6
    grid = [line for line in root.iter(f"{SVG}polyline") if line.get("stroke-width") == "0.6"]
    top = min(float(y) for line in grid for y in re.findall(r",(\S+)", line.get("points")))
    assert top > max(legend)


def test_all_its_colours_have_a_dark_one_and_the_page_may_bring_the_style():
    for svg in (gradient_plot({"A": [1.0, 2.0], "B": [1.0]}), log_plot([Series([(1, 1)])], standalone=False, **NAMES)):
        used = set(re.findall(r'"(#\w+)"', re.sub("<style>.*?</style>", "", svg)))
        assert used <= IN_THE_DARK.keys()
    assert "<style>" in gradient_plot({})
    assert "<style>" not in svg


def test_what_is_written_is_escaped_and_said_to_screen_readers():
    rude = '<script>"&\x00'
    svg = log_plot([Series([(1, 1)], rude)], title=rude, across=rude, upwards=rude, label=rude)
    root = ET.fromstring(svg)
    assert texts(svg).count('<script>"& ') == 4
    assert root.get("role") == "img"
    assert root.get("aria-label") == '<script>"& '


def test_a_slope_is_straight_and_drawn_within_the_axes_only():
    xs = [10.0**-n for n in range(9)]
    line = Series(slope(3, (1.0, 1.0), xs), "h³", reference=True, beside=Beside(2 / 3))
    svg = log_plot([line, Series([(x, x) for x in xs])], **NAMES)
    numbers(svg)
    drawn = [
        e.get("points").split() for e in ET.fromstring(svg).iter(f"{SVG}polyline") if e.get("stroke-width") == "1.4"
    ]
    assert len(drawn[0]) == 3
    assert len(drawn[1]) == 9
    assert texts(svg).count("h³") == 1


def test_steps_are_whole_numbers_on_a_straight_axis():
    for count in (1, 2, 5, 40, 200):
        ticks = [
            text for text in texts(gradient_plot({"A": [1.0] * count})) if re.fullmatch(r"−?\d+(\.\d+)?", text or "")
        ]
        assert "0" in ticks
        assert all("." not in tick for tick in ticks)
        assert len(ticks) <= 10


def test_shares_keep_their_places_and_their_spreads():
    line = Series(
        [(10, 1.0), (20, 0.5), (100, 0.0)], name="one", marker="circle", spreads=[(0.7, 1), (0.2, 0.8), (0, 0.3)]
    )
    svg = share_plot([line], places=[10, 20, 100], **NAMES)
    root = numbers(svg)
    written = texts(svg)
    assert [text for text in written if text.endswith("%")] == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert [text for text in written if text.isdigit()] == ["10", "20", "100"]
    marks = [(float(c.get("cx")), float(c.get("cy"))) for c in root.iter(f"{SVG}circle")][1:]  # the first: the legend's
    assert len(marks) == 3  # a share of 0 has a place
    heights = [up for _, up in marks]
    assert heights == sorted(heights)
    assert heights[1] == pytest.approx((heights[0] + heights[2]) / 2, abs=0.2)
    upright = [line for line in root.iter(f"{SVG}polyline") if line.get("stroke-width") == "0.8"]
    assert len(upright) == 3
    for spread, (across, up) in zip(upright, marks, strict=True):
        (x0, low), (x1, high) = (map(float, point.split(",")) for point in spread.get("points").split())
        assert x0 == x1 == pytest.approx(across, abs=0.1)
        assert high - 0.1 <= up <= low + 0.1


def test_one_place_is_enough():
    numbers(share_plot([Series([(0.5, 0.5)], name="one")], places=[0.5], **NAMES))
