"""A NaN or an Inf in a run is never drawn as a number: the figure names the tensor and the step where it began."""

import re
import xml.etree.ElementTree as ET
from functools import cache

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.drawing.figures.maps import WRONG

BEGAN = "the first NaN is in xs, read at step 3"
SPACE = "{http://www.w3.org/2000/svg}"
OF_VALUES = ("openings", "saturation", "belt")


@cache
def run(layer=tl.LSTM, sequence=0, bad=np.nan, size=4):
    """Return the loss of a network that reads two sequences of six steps, one of which is broken at step 3."""
    xs = np.random.default_rng(0).normal(size=(6, 2, 3))
    xs[3, sequence, 1] = bad
    return layer(3, size, rng=0)(tl.tensor(xs, name="xs"))[0].sum()


@cache
def broken_backwards():
    """Return a loss that is a number, whose gradient is infinite from its part of step 2 on."""
    output = tl.LSTM(3, 4, rng=0)(tl.ones(6, 3))[0]
    with tl.time_step(2):
        part = tl.sqrt((output[2] * 0.0).sum())
    return part + output.sum()


def marks(figure):
    return [rect for rect in ET.fromstring(figure.svg).iter(f"{SPACE}rect") if rect.get("fill") == WRONG]


@pytest.mark.parametrize("figure", OF_VALUES)
@pytest.mark.parametrize("size", [4, 40])
def test_what_is_no_number_is_marked_and_said(figure, size):
    made = tl.draw(run(size=size), figure)
    assert made.description.endswith(f"Not all are numbers: {BEGAN}.")
    assert not any("nan" in (text.text or "") for text in ET.fromstring(made.svg).iter(f"{SPACE}text"))
    assert len(marks(made)) > 3
    assert not marks(tl.draw(run(bad=0.0), figure))


def test_a_state_that_overflows_has_no_width():
    made = tl.draw(run(tl.GRU), "belt", steps=(4, 6))
    assert "The state h is no number at any of these steps" in made.description
    assert BEGAN in made.description


def test_an_operation_that_made_it_is_named_with_its_step():
    h = tl.tensor(np.ones((1, 2)), name="h0")
    W = tl.tensor(np.ones((2, 2)), requires_grad=True, name="W")
    for t in range(4):
        with tl.time_step(t):
            h = tl.tanh(h @ W)
            with np.errstate(invalid="ignore"):
                h = tl.log(h - 1.9 * t)
    said = tl.draw(h.sum(), "saturation").description
    assert "Not all are numbers: the first NaN was made by log at t=1." in said


@pytest.mark.parametrize("sequence", [0, 1])
def test_a_gradient_that_is_no_number_has_no_ribbons(sequence):
    with pytest.raises(
        ValueError, match=rf"the gradient of cell\.forget_gate\.weight is not a number: what step 5 .*; {BEGAN}"
    ):
        tl.draw(run(sequence=sequence), "rainbow")
    with pytest.raises(
        ValueError, match=r"what step 2 .* the first Inf of the backward walk was made by the rule of sqrt"
    ):
        tl.draw(broken_backwards(), "rainbow")


def test_influence_that_is_no_number_is_marked_in_its_field_and_said():
    made = tl.draw(run(), "influence")
    assert made.description.startswith("What the loss at step 5 feels of the inputs is not a number.")
    assert f"first in the row of step 3: {BEGAN}" in made.description
    assert len(marks(made)) == 4  # three rows, and the key
    made = tl.draw(broken_backwards(), "influence")
    assert "first in the row of step 2: the first Inf of the backward walk was made by the rule of sqrt at t=2" in (
        made.description
    )
    assert made.description.startswith("The loss at step 5 feels the input of step 5 most")


@pytest.mark.parametrize("make", [tl.compare, tl.sweep])
def test_of_several_networks_those_with_a_fault_are_named(make):
    made = make({"whole": run(bad=0.0), "nan": run(), "back": broken_backwards()})
    assert made.description.endswith(
        f"Not all are numbers. nan: {BEGAN}; back: the first Inf of the backward walk was made by the rule of sqrt at "
        "t=2, for its input 0."
    )
    assert "nan of nan" not in made.description
    assert f'fill="{WRONG}"' in made.svg
    assert "NaN or Inf" in made.svg
    assert WRONG not in make({"whole": run(bad=0.0)}).svg
    assert not re.search("no gradient is left|Nothing arrives", made.description)
    assert re.search("no gradient is left|Nothing arrives", make({"nan": run()}).description)


def test_a_jacobian_that_is_no_number_says_why():
    with pytest.raises(ValueError, match=rf"no ∂c_T/∂c_t is a number: {BEGAN}"):
        tl.draw(run(), "jacobian")
    assert "NaN" not in tl.draw(run(sequence=1), "jacobian").description  # the first sequence is shown, which is whole


def test_part_of_a_jacobian_is_marked():
    """The way from step 0 to the end leads over a rule that makes NaN; that from later ones does not."""
    W = tl.tensor(np.eye(2), requires_grad=True, name="W")
    h = tl.tensor(np.ones((1, 2)), name="h0")
    for t in range(4):
        with tl.time_step(t):
            h = tl.tanh((tl.sqrt(h * 0.0) * 0.0 + h) @ W if t == 1 else h @ W)
            h.name = "h"
    made = tl.draw((h * h).sum(), "jacobian")
    assert "was made by the rule of" in made.description
    assert len(marks(made)) > 1
