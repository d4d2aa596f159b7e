"""Words stay in their boxes and off each other, in every view of every network, as a browser sets them in two fonts.

What a picture's layout takes words to be wide is an estimate; here it is Chromium that measures them.
"""

import re
from html import escape

import pytest

import tinygrad_lstm as tl
from tests.drawing.published import NETWORKS
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.drawing.fits import FITS
from tinygrad_lstm.nn.named import names
from tinygrad_lstm.nn.samples import small_loss

FONTS = ("DejaVu Sans", "Liberation Sans")
"""Which stand in for Helvetica: the widest of those that do, and one that is as wide as it is."""

CELLS = {name: lambda name=name: small_loss(name, 3) for name in names()}
SHAPES = {
    "two layers": lambda: small_loss("lstm", 3, layers=2),
    "both directions": lambda: small_loss("gru", 3, bidirectional=True),
    "a long sequence": lambda: small_loss("lstm", 20),
}

OPTIONS = [
    {"expand": "t1"},
    {"loss": True},
    {"direction": "top-to-bottom"},
    {"values": True},
    {"values": True, "gradients": True, "color": "gradient", "legend": True, "loss": True},
    {"values": True, "color": "gradient", "legend": True, "direction": "top-to-bottom"},
]

FOUND = r"""(fonts) => {
    const NEAR = 0.5; // of a pixel
    const box = (element, paper, part) => {  // part: how much of its height, in the middle
        const {left, right, top, bottom} = element.getBoundingClientRect(), spare = (bottom - top) * (1 - part) / 2;
        return {left: left - paper.left, right: right - paper.left,
                top: top - paper.top + spare, bottom: bottom - paper.top - spare};
    };
    const meet = (a, b) => a.left < b.right - NEAR && b.left < a.right - NEAR
                        && a.top < b.bottom - NEAR && b.top < a.bottom - NEAR;
    const inside = (a, b) => b.left <= a.left + NEAR && a.right <= b.right + NEAR
                          && b.top <= a.top + NEAR && a.bottom <= b.bottom + NEAR;
    const rounded = (a, b) => [a.left, a.right].every(x => [a.top, a.bottom].every(y =>
        Math.hypot((2 * x - b.left - b.right) / (b.right - b.left + 2 * NEAR),
                   (2 * y - b.top - b.bottom) / (b.bottom - b.top + 2 * NEAR)) <= 1));
    const found = [];
    for (const font of fonts) {
        for (const section of document.querySelectorAll("section")) {
            const svg = section.querySelector("svg"), paper = svg.getBoundingClientRect();
            const whole = {left: 0, top: 0, right: paper.width, bottom: paper.height};
            const words = [], shapes = [];
            const say = (...what) => found.push([section.id, font, ...what]);
            svg.querySelectorAll("text").forEach(text => text.removeAttribute("font-family"));
            svg.style.fontFamily = font;
            for (const group of svg.querySelectorAll("g.column > g")) {
                const kinds = group.classList;
                const said = [...group.querySelectorAll("text")].filter(text => text.textContent.trim());
                const shape = kinds.contains("edge") ? null : group.querySelector("polygon, path, ellipse");
                const outline = shape && {...box(shape, paper, 1), round: shape.tagName === "ellipse", group};
                const frame = ["step", "group", "time"].some(kind => kinds.contains(kind));
                if (outline && said.length && !frame) { shapes.push(outline); }
                for (const text of said) {
                    const own = {...box(text, paper, 0.7), text: text.textContent, group}; // as high as its letters
                    words.push(own);
                    if (!inside(own, whole)) { say(own.text, "is not on the paper"); }
                    if (outline && !(outline.round ? rounded : inside)(own, outline)) {
                        say(own.text, "is not in its box", group.id);
                    }
                }
            }
            words.sort((a, b) => a.left - b.left);
            words.forEach((one, number) => {
                for (const other of words.slice(number + 1)) {
                    if (other.left >= one.right) { break; }
                    if (meet(one, other)) { say(one.text, "stands on", other.text); }
                }
                for (const shape of shapes) {
                    if (shape.group !== one.group && meet(one, shape)) { say(one.text, "stands on", shape.group.id); }
                }
            });
        }
    }
    return found;
}"""


def page_of(pictures):
    """Pictures one below the other, without what shows when one points at them."""
    drawn = {said: re.sub("<title>.*?</title>", "", svg[svg.index("<svg") :], flags=re.S) for said, svg in pictures}
    sections = (f'<section id="{escape(said)}">{svg}</section>' for said, svg in drawn.items())
    return f'<!doctype html><meta charset="utf-8">{"".join(sections)}'


def found(open_page, pictures):
    return open_page(page_of(pictures)).evaluate(FOUND, FONTS)


@pytest.mark.parametrize("networks", [CELLS, SHAPES, NETWORKS], ids=["cells", "shapes", "published"])
def test_words_stay_in_their_boxes_and_off_each_other_in_every_view(open_page, networks):
    pictures = []
    for name, make in networks.items():
        loss = make()
        pictures += [(f"{name}, {view}", tl.draw(loss, view).svg) for view in VIEWS]
    assert found(open_page, pictures) == []


@pytest.mark.parametrize("name", ["two layers", "both directions"])
def test_words_stay_in_their_boxes_and_off_each_other_with_every_option(open_page, name):
    loss = SHAPES[name]()
    asked = [(view, how) for view in VIEWS for how in OPTIONS if view != "ops" or "expand" not in how]
    assert found(open_page, [(f"{view}, {how}", tl.draw(loss, view, **how).svg) for view, how in asked]) == []


def test_words_stay_in_their_boxes_and_off_each_other_where_a_picture_is_fitted(open_page):
    loss = small_loss("gru", 6)
    asked = [(view, fit) for view in ("gates", "cells", "rolled") for fit in FITS]
    assert found(open_page, [(f"{view}, {fit}", tl.draw(loss, view, fit=fit).svg) for view, fit in asked]) == []


def test_words_that_collide_are_found(open_page):
    """What finds nothing above finds words that were made too long, and labels that were moved."""
    svg = tl.draw(small_loss("lstm", 2), "gates").svg
    for what, changed in {
        "is not in its box": svg.replace(">tanh<", ">tanhtanhtanh<"),
        "is not on the paper": svg.replace(">t = 1<", f">{'t = 1 ' * 200}<"),
        "stands on": svg.replace(">LSTMCell<", ">an LSTMCell with a name as long as all of it is wide<"),
    }.items():
        assert what in {each[3] for each in found(open_page, [("changed", changed)])}
