"""Names and numbers are written in one way, wherever they are read."""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.structure import words


def test_a_name_bears_its_step_unless_it_was_given():
    x = tl.tensor(1.0, name="x")
    with tl.time_step(12):
        h = tl.tanh(x)
        given = tl.tensor(1.0, name="x")
    h.name = "h"
    assert words.display_name(h) == "h₁₂"
    assert words.display_name(given) == "x"
    assert words.display_name(tl.tanh(x)) is None


def test_a_number_in_a_formula_has_no_name_no_axes_and_no_gradient():
    assert words.is_number(tl.tensor(2.0))
    assert not words.is_number(tl.tensor([2.0]))
    assert not words.is_number(tl.tensor(2.0, name="two"))
    assert not words.is_number(tl.tensor(2.0, requires_grad=True))
    assert not words.is_number(tl.tanh(tl.tensor(2.0)))


def test_minus_is_minus_above_below_and_on_the_line():
    assert words.superscript(-123) == "⁻¹²³"
    assert words.subscript(-1) == "₋₁"
    assert words.shown(-0.12345) == "−0.1235"
    assert words.short(-1e-12) == "−1e−12"
    assert words.in_full(np.array([[-1.5, 2], [1e-9, 0]])) == "[[−1.5, 2], [1e−09, 0]]"


def test_no_character_turns_the_direction_of_a_name():
    """Overrides and isolates become spaces; joiners, which some languages write with, stay."""
    name = "a\u202egnp\u2066x\u200e"
    assert words.clean(name) == "a gnp x "
    assert words.clean("क्\u200dष") == "क्\u200dष"
    x = tl.tensor([1.0], requires_grad=True, name=name)
    loss = tl.tanh(x).sum()
    stepper = tl.step(loss)
    shown = [str(event) for event in stepper.events] + [stepper.where(), tl.draw(loss).svg, tl.draw(loss).source]
    assert not [text for text in shown if "\u202e" in text or "\u2066" in text]
