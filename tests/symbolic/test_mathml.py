"""Formulas for a page: the same lines as the text, as well-formed MathML in which nothing of a user's is markup."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.recording.event import Event

CORE = set("mrow mi mn mo mtext mspace msub msup msubsup mfrac msqrt mtable mtr mtd".split())  # noqa: SIM905


def parsed(mathml):
    tree = ElementTree.fromstring(mathml)
    assert {element.tag for element in tree.iter()} <= CORE
    return tree


def written(events: list[Event]):
    for event in events:
        for formula in (event.rule, event.in_numbers):
            if formula is not None:
                yield formula


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "peephole", "coupled"])
def test_every_formula_of_a_walk_is_well_formed(cell):
    formulas = list(written(tl.step(small_loss(cell, 2)).events))
    assert len(formulas) > 40
    for formula in formulas:
        parsed(formula.mathml)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_name_is_never_markup(name):
    x = tl.tensor([1.0, 2.0], requires_grad=True, name=name)
    for formula in written(tl.step((x * x).sum()).events):
        tree = parsed(formula.mathml)
        assert not [element for element in tree.iter() if element.tag == "img"]


def test_fractions_powers_and_matrices_are_set_as_such():
    x = tl.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="x")
    event = tl.step(tl.tanh(x), np.ones((2, 2))).step()
    tree = parsed(event.in_numbers.mathml)
    assert len(tree.findall(".//mtable")) == 2  # the upstream gradient, and y
    assert tree.find(".//msup") is not None
    symbols = parsed(event.rule.mathml)
    assert ["".join(part.itertext()) for part in symbols.find("mfrac")] == ["∂L", "∂x"]
    assert "".join(symbols.itertext()) == "∂L∂x+=∂L∂y⊙(1−y2)"


def test_a_subscript_is_one():
    with tl.time_step(12):
        c = tl.tensor(1.0, requires_grad=True, name="c0") * 2.0
        c.name = "c"
    tree = parsed(tl.symbolic.forward(c).mathml)
    assert ["".join(part.itertext()) for part in tree.find("msub")] == ["c", "12"]


def test_a_quotient_of_sums_needs_no_parentheses_as_a_fraction():
    a, b = (tl.tensor([1.0, 2.0, 3.0, 4.0, 5.0], requires_grad=True, name=name) for name in "ab")
    formula = tl.symbolic.forward((a - b) / (a + b))
    assert "(" not in "".join(parsed(formula.mathml).itertext())


def test_a_formula_and_its_parts_show_themselves():
    """As text where one prints, typeset in a notebook."""
    line = tl.symbolic.forward(tl.tanh(tl.tensor(0.5, name="<x>")))
    assert repr(line) == str(line) == "y = tanh(<x>)"
    assert repr(line.right) == "tanh(<x>)"
    for shown in (line, line.left, line.right):
        assert ElementTree.fromstring(shown._repr_html_()).tag == "math"
    assert "<x>" not in line._repr_html_()
