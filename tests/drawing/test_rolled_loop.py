"""In the loop, what comes in straight stays straight, and what a loop says stands on no other line."""

from itertools import pairwise

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.drawing import labels
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss

SHAPES = [{}, {"bidirectional": True}, {"bidirectional": True, "layers": 2}, {"bidirectional": True, "last_step": True}]


def lines_of(picture):
    """All arrows with their lines, as they are painted."""
    placed = picture._placed
    return [each for column in placed.columns for each in placed.arrows(column)]


def on_label(at, half, line):
    """Whether a straight piece of a line runs through a label."""
    return any(
        min(a.x, b.x) < at.x + half
        and at.x - half < max(a.x, b.x)
        and min(a.y, b.y) < at.y + 4
        and at.y - 4 < max(a.y, b.y)
        for a, b in pairwise(line.points[::3])
        if a.x == b.x or a.y == b.y
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("loss", [False, True])
def test_labels_stand_on_no_line(cell, shape, loss):
    picture = tl.draw(small_loss(cell, 3, **shape), "rolled", loss=loss)
    found = lines_of(picture)
    for arrow, line in found:
        half = labels.width(arrow.label, picture._placed.small) / 2
        if line.label and "delay" in arrow.label:
            assert [other.tail for other, each in found if on_label(line.label, half, each)] == []


@pytest.mark.parametrize("cell", CELLS)
def test_a_first_state_comes_in_below_the_loop_and_straight(cell):
    picture = tl.draw(small_loss(cell, 3), "rolled")
    found = [(arrow, line) for arrow, line in lines_of(picture) if arrow.label == "first step"]
    (loop,) = (line for arrow, line in lines_of(picture) if "delay" in arrow.label)
    for _, line in found:
        assert line.gaps == ()
        assert line.tip.y < loop.tip.y
        last = [point.y for point in line.points[-4:]]
        assert max(last) - min(last) < 1e-9
    if len(found) == 1:
        assert len({round(point.y, 6) for point in found[0][1].points}) == 1


@pytest.mark.parametrize(("cell", "names"), [("lstm", {"h_T", "c_T"}), ("gru", {"h_T"})])
def test_a_direction_that_ran_once_begins_with_a_first_state_too(cell, names):
    picture = tl.draw(small_loss(cell, 3, bidirectional=True, last_step=True), "rolled")
    said = {text.text for box in picture._scene.boxes for text in box.texts}
    assert names <= said
    assert not {"h0ₜ", "c0ₜ"} & said
