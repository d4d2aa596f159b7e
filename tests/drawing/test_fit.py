"""A picture made for a slide, a page or a column is as large as it has to be, and can be read there."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.conftest import few
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.drawing.fits import FITS
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss

SPACE = "{http://www.w3.org/2000/svg}"
FULL = 0.85
"""How much of the canvas the picture takes each way, at least."""

FITTING = [(view, fit) for view in ("gates", "cells", "rolled") for fit in FITS]


def fitted(cell, view, fit, steps=6):
    """A picture, or none where it is refused, as what is wide is in a column."""
    try:
        return tl.draw(small_loss(cell, steps), view, fit=fit)
    except ValueError as error:
        refusal = str(error)
    assert f"does not fit {fit!r}" in refusal
    return None


def in_pixels(picture):
    """The SVG's width and height, and how many of its own units are in a pixel."""
    root = ET.fromstring(picture.svg)
    width, height = float(root.get("width")), float(root.get("height"))
    return root, width, height, width / float(root.get("viewBox").split()[2])


@pytest.mark.parametrize(("view", "fit"), FITTING)
@pytest.mark.parametrize("cell", few(CELLS))
def test_no_words_are_below_ten_pixels_and_the_size_is_what_was_asked_for(cell, view, fit):
    picture = fitted(cell, view, fit)
    if picture is None:
        assert (fit, view) == ("column", "gates")
        return
    root, width, height, scale = in_pixels(picture)
    assert min(float(text.get("font-size")) * scale for text in root.iter(f"{SPACE}text")) >= 9.95
    if fit == "slide":
        assert (width, height) == (1280, 720)
    else:
        assert width <= FITS[fit].width
        assert height <= FITS[fit].height


@pytest.mark.parametrize(("view", "fit"), FITTING)
def test_a_png_has_so_many_pixels(view, fit):
    picture = fitted("gru", view, fit)
    pixels = opened(picture).size
    if fit == "slide":
        assert pixels == (1920, 1080)
    assert pixels == tuple(pytest.approx(side * FITS[fit].zoom, abs=2) for side in picture.size)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_layer_gate_and_state_keeps_its_label_in_each_step_shown(cell, fit):
    picture = fitted(cell, "gates", fit)
    if picture is None:
        return
    said = ["".join(text.itertext()) for text in ET.fromstring(picture.svg).iter(f"{SPACE}text")]
    whole = tl.draw(small_loss(cell, 6), "gates", steps="all")._scene
    steps = [column.id for column in picture._scene.columns if column.title.startswith("t = ")]
    assert len(steps) >= 2
    for box in (box for box in picture._scene.boxes if box.role != "joint"):
        assert all(text.text in said for text in box.texts)
    drawn = {box.id: tuple(text.text for text in box.texts) for box in picture._scene.boxes}
    for box in whole.boxes:
        if box.id.partition(".")[0] in steps and box.role != "stub":
            assert drawn[box.id] == tuple(text.text for text in box.texts)


@pytest.mark.parametrize(("view", "fit"), [("gates", "readme"), ("cells", "column"), ("gates", "slide")])
@pytest.mark.parametrize("shape", few([{}, {"bidirectional": True}], 1), ids=str)
def test_what_goes_on_in_the_next_row_says_its_name_on_both_sides_of_the_break(view, fit, shape):
    picture = tl.draw(small_loss("lstm", 7, **shape), view, fit=fit, steps="all" if not shape else None)
    said = ["".join(text.itertext()) for text in ET.fromstring(picture.svg).iter(f"{SPACE}text")]
    placed, broken = picture._placed, 0
    for column in placed.columns:
        for (arrow, line), crossing in zip(placed.crossing(column), column.content.crossing, strict=True):
            rows = [placed.columns[at].row for at in (crossing.tail_column, crossing.head_column)]
            if arrow.label and len(set(rows)) == 2:
                upper, lower = sorted((line.label, line.again), key=lambda at: -at.y)
                assert lower.y < upper.y
                assert lower.x < upper.x
                assert said.count(arrow.label) >= 2
                broken += 1
    assert broken or shape or max(column.row for column in placed.columns) == 0  # into a gap nothing is named


@pytest.mark.parametrize("fit", ["poster", "", 0, 830, "Slide"])
def test_a_place_that_there_is_not_is_refused_with_those_there_are(fit):
    with pytest.raises(ValueError, match=rf"unknown fit {fit!r}; choose None or 'slide' or 'readme' or 'column'"):
        tl.draw(small_loss("lstm", 2), fit=fit)


def test_a_width_is_no_option():
    with pytest.raises(TypeError, match="width"):
        tl.draw(small_loss("lstm", 2), width=0)


@pytest.mark.slow
@pytest.mark.parametrize("fit", FITS)
def test_what_is_too_large_is_refused_and_what_the_refusal_says_does_fit(fit):
    loss = small_loss("lstm", 3, layers=2)
    with pytest.raises(ValueError, match=f"does not fit '{fit}'.*; it does with .*view='cells'") as refused:
        tl.draw(loss, "ops", fit=fit)
    views = [view for view in VIEWS if f"view={view!r}" in str(refused.value)]
    larger = [other for other in FITS if f"fit={other!r}" in str(refused.value)]
    assert all(tl.draw(loss, view, fit=fit).svg for view in views)
    assert all(tl.draw(loss, "ops", fit=other).svg for other in larger)


def test_a_refusal_from_top_to_bottom_says_that_time_does_not_wrap_and_what_does():
    loss, down = small_loss("lstm", 3), "top-to-bottom"
    with pytest.raises(ValueError, match=r"in another row\); it does with .*direction='left-to-right'") as refused:
        tl.draw(loss, "gates", fit="slide", direction=down)
    assert ("view='cells'" in str(refused.value)) is (fitted_or_none(loss, "cells", direction=down) is not None)
    assert fitted_or_none(loss, "gates") is not None


def fitted_or_none(loss, view, **how):
    try:
        return tl.draw(loss, view, fit="slide", **how)
    except ValueError:
        return None


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "view"), [("lstm", "backward"), ("gru", "backward"), ("lstm", "ops")])
@pytest.mark.parametrize("fit", FITS)
def test_what_is_too_large_is_refused_in_words_and_not_by_accident(cell, view, fit):
    for steps in (2, 3, 4):
        fitted(cell, view, fit, steps)


def opened(picture):
    """The PNG, by the library that reads it where the extra for images is installed."""
    return pytest.importorskip("PIL.Image").open(io.BytesIO(picture.render("png")))


def ink(picture):
    """The part of the canvas, each way, of the box around all that is not paper."""
    pixels = np.asarray(opened(picture).convert("L")) < 250
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return (rows[-1] - rows[0] + 1) / pixels.shape[0], (columns[-1] - columns[0] + 1) / pixels.shape[1]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_picture_fills_its_canvas(cell, view):
    assert min(ink(tl.draw(small_loss(cell, 3), view))) >= FULL


@pytest.mark.parametrize(("view", "fit"), FITTING)
def test_a_fitted_picture_fills_its_canvas(view, fit):
    assert min(ink(fitted("gru", view, fit))) >= FULL


@pytest.mark.slow
@pytest.mark.parametrize("view", ["gates", "cells", "rolled"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_slide_is_filled_however_few_steps_there_are(cell, view):
    """Found from where everything is, without exceptions."""
    for steps in (1, 2, 3, 6):
        picture = fitted(cell, view, "slide", steps)
        placed, (width, height) = picture._placed, picture._fitted.canvas
        assert FULL <= (placed.high.x - placed.low.x) / width <= 1
        assert FULL <= (placed.high.y - placed.low.y) / height <= 1
        assert picture.size == (pytest.approx(1280), pytest.approx(720))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("view", ["gates", "cells"])
def test_what_is_spread_over_a_slide_keeps_its_boxes_and_its_straight_lines(cell, view):
    loss = small_loss(cell, 3)
    alone, spread = tl.draw(loss, view, steps="all")._placed, tl.draw(loss, view, fit="slide")._placed
    for before, after in zip(alone.columns, spread.columns, strict=True):
        for (box, rect), (_, moved) in zip(before.boxes(), after.boxes(), strict=True):
            assert moved.width / rect.width == pytest.approx(moved.height / rect.height, rel=0.5), box.id
        for (arrow, line), (_, there) in zip(alone.crossing(before), spread.crossing(after), strict=True):
            if len({round(point.y, 3) for point in line.points}) == 1:
                assert len({round(point.y, 3) for point in there.points}) == 1, arrow
    heights = {frame.rect.height for column in spread.columns for frame in column.frames() if frame.kind == "cell"}
    assert len({round(height, 3) for height in heights}) == (view == "gates")


def test_from_top_to_bottom_cells_stay_below_each_other_on_a_slide():
    placed = tl.draw(small_loss("lstm", 3), "cells", fit="slide", direction="top-to-bottom")._placed
    assert (
        len({round(rect.x, 3) for column in placed.columns for box, rect in column.boxes() if box.role == "cell"}) == 1
    )
