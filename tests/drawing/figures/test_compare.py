"""Networks on one clock: each ribbon is as wide as the gradient that the engine brings to that state."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.drawing.figures.networks import plain_mgu, reader
from tests.drawing.figures.test_numbers import tips
from tinygrad_lstm.drawing.figures.compare import PALEST, THINNEST, WIDEST, Span, chain
from tinygrad_lstm.drawing.figures.maps import WRONG
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import SHADES
from tinygrad_lstm.structure.words import magnitude, short

SPACE = "{http://www.w3.org/2000/svg}"


def gradients(loss, name):
    """What the engine brings to a state, at each step."""
    states = [node for node in tl.Graph(loss).nodes if node.name == name and node.primitive]
    return [magnitude(gradient.value) for gradient in tl.grad(loss, states)]


def pieces(figure):
    """How wide and of which shade each ribbon is behind each cell, which is what has a tip."""
    found = []
    for area in ET.fromstring(figure.svg).iter(f"{SPACE}polygon"):
        if "".join(area.itertext()):
            ups = [float(point.partition(",")[2]) for point in area.get("points").split()]
            found.append((max(ups) - min(ups), area.get("fill")))
    return found


def test_a_ribbon_is_as_wide_and_as_dark_as_the_gradient_on_a_scale_that_all_share():
    losses = {name: small_loss(name, 6) for name in ("lstm", "gru", "rnn")}
    figure = tl.compare(losses)
    norms = [*gradients(losses["lstm"], "c"), *gradients(losses["lstm"], "h")]
    norms += [*gradients(losses["gru"], "h"), *gradients(losses["rnn"], "h")]
    assert tips(figure) == [tip for k, norm in enumerate(norms) for tip in _tips(k % 6, norm)]
    wanted = np.maximum(WIDEST * np.array(norms) / max(norms), THINNEST)
    np.testing.assert_allclose([wide for wide, _ in pieces(figure)], wanted, atol=0.11)
    span = Span(min(norms), max(norms))
    assert [fill for _, fill in pieces(figure)] == [span.shade(norm) for norm in norms]
    assert all(f">{short(norm)}<" in figure.svg for norm in norms)


def _tips(step, norm):
    """Where a cell is entered the ribbon changes, and says nothing."""
    return [*([""] if step else []), f"step {step}: {short(norm)}"]


def test_shades_are_in_order_and_the_ends_are_the_ends():
    span = Span(1e-6, 1.0)
    shades = [span.shade(norm) for norm in np.logspace(-6, 0, 30)]
    assert list(dict.fromkeys(shades)) == list(SHADES[PALEST:])
    assert span.shade(0.0) == SHADES[PALEST]
    assert span.shade(np.nan) == span.shade(np.inf) == WRONG
    assert span.thick(0.0) == THINNEST
    assert span.thick(np.inf) == WIDEST / 2


def test_networks_are_called_as_one_says_or_by_their_cells():
    loss = small_loss("lstm", 3)
    said = tl.compare(loss, {"a": loss}, b=plain_mgu()).description
    assert re.search(r" of LSTM, .* of a, .* of b", said)
    assert chain("", plain_mgu()).label == "a network of plain equations"


def test_words_stand_below_where_all_read_the_same():
    assert ">clouds<" in tl.compare(lstm=reader(), gru=reader("gru")).svg
    assert ">clouds<" not in tl.compare(lstm=reader(), rnn=small_loss("rnn", 4)).svg


def test_a_network_of_fewer_steps_stands_on_the_same_clock():
    figure = tl.compare(long=small_loss("rnn", 8), short=small_loss("rnn", 3))
    assert len(pieces(figure)) == 11
    starts = [area.get("points").partition(",")[0] for area in ET.fromstring(figure.svg).iter(f"{SPACE}polygon")]
    assert starts[0] == starts[-5]


def test_the_clock_shows_the_last_steps_of_the_longest():
    figure = tl.compare(long=small_loss("rnn", 150), short=small_loss("gru", 60), first=small_loss("gru", 20))
    assert "Shown are steps 50 to 149 of 0 to 149." in figure.description
    assert len(pieces(figure)) == 100 + 10
    assert "first (of which no step is shown: it has steps 0 to 19)" in figure.svg


def test_what_cannot_be_compared_is_said():
    with pytest.raises(ValueError, match=r"there is nothing to compare: give at least one loss, as in tl.compare\("):
        tl.compare()
    with pytest.raises(TypeError, match=r"the loss of 'one' must be a tensor, or several in a mapping .* not 1"):
        tl.compare(one=1)
    with pytest.raises(TypeError, match=r"a loss to compare must be a tensor, or several in a mapping .* not \[1\]"):
        tl.compare([1])
    with pytest.raises(ValueError, match="'one' hands no state from one time step to the next"):
        tl.compare(one=small_loss("lstm", 1))
    with pytest.raises(ValueError, match="reduce it to one number first"):
        tl.compare(tl.LSTM(2, 3, rng=0)(tl.ones(4, 2))[0])
