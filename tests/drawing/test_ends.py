"""What comes in at the first step and what leaves the last one stands where its line leads, in the same order."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss

SHAPES = [{}, {"layers": 2}, {"last_step": True}, {"layers": 2, "last_step": True}]


def stubs(picture):
    """The lines to what the last step leaves."""
    placed = picture._placed
    ends = {box.id for box in picture._scene.boxes if box.role == "stub"}
    return [line for column in placed.columns for arrow, line in placed.crossing(column) if arrow.head in ends]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("view", ["gates", "cells"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_what_the_last_step_leaves_does_not_cross_beside_the_loss(cell, view, shape):
    lines = stubs(tl.draw(small_loss(cell, 3, **shape), view, loss=True))
    assert lines
    by_start = sorted(lines, key=lambda line: line.points[-7].y)
    assert by_start == sorted(lines, key=lambda line: line.points[-1].y)


def test_a_last_step_that_needs_less_of_its_cell_has_the_belt_where_the_others_have_it():
    _, (_, c_n) = tl.LSTM(2, 3, rng=0)(tl.tensor(np.ones((3, 1, 2)), name="xs"))
    picture = tl.draw(c_n, "gates", loss=True)
    scene, placed = picture._scene, picture._placed
    belt = {box.id for box in scene.boxes if box.lane == "belt"}
    heights = {round(rect.y, 6) for column in placed.columns for box, rect in column.boxes() if box.id in belt}
    assert len(heights) == 1
    assert all(abs(line.points[0].y - line.points[-1].y) < 1e-6 for line in stubs(picture))


@pytest.mark.parametrize("how", [{}, {"num_layers": 2}, {"bidirectional": True}], ids=str)
@pytest.mark.parametrize("make", [tl.LSTM, tl.GRU])
def test_between_an_encoder_and_a_decoder_nothing_stands_on_something_else(make, how):
    encoder, decoder = make(2, 3, rng=0, **how), make(2, 3, rng=1, **how)
    _, state = encoder(tl.tensor(np.ones((3, 1, 2)), name="xs"))
    picture = tl.draw(decoder(tl.tensor(np.ones((3, 1, 2)), name="ys"), state)[0].sum(), "cells")
    for column in picture._placed.columns:
        rects = sorted((rect for _, rect in column.boxes()), key=lambda rect: rect.y)
        for number, low in enumerate(rects):
            for high in rects[number + 1 :]:
                apart = high.y - low.y - (high.height + low.height) / 2
                assert apart > 5 or abs(high.x - low.x) > (high.width + low.width) / 2
