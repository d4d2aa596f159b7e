"""Every view takes every option, any number and any name; what it cannot take it refuses in words."""

import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.drawing.test_draw import HOSTILE, visible
from tests.drawing.test_views import SPACE, assert_well_made, texts
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.drawing.scale import LAST, Scale
from tinygrad_lstm.drawing.scene import Box
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.structure import words
from tinygrad_lstm.structure.words import magnitude, statistics


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "rolled"])
def test_a_window_says_what_it_leaves_out(view):
    picture = tl.draw(small_loss("rnn", 9), view, steps=(3, 5))
    gaps = [box.texts[0].text for box in picture._scene.boxes if box.role == "gap"]
    assert gaps == ["… 3 steps …", "… 4 steps …"]
    assert "steps 0 to 2, 5 to 8 are left out" in picture.description


@pytest.mark.parametrize(("view", "longest"), [("ops", 12), ("gates", 5), ("cells", 16), ("backward", 5)])
def test_a_long_sequence_is_shown_by_its_ends_unless_all_of_it_is_wanted(view, longest):
    loss = small_loss("rnn", longest + 2)
    picture = tl.draw(loss, view)
    assert [text for text in texts(picture) if "step" in text] == ["… 2 steps …"]
    assert "left out" in picture.description
    whole = tl.draw(loss, view, steps="all")
    assert sum(column.id.startswith("t") for column in whole._scene.columns) == longest + 2
    assert "left out" not in whole.description
    assert "left out" not in tl.draw(small_loss("rnn", longest + 1), view).description


@pytest.mark.parametrize("view", ["ops", "gates", "cells", "rolled"])
def test_of_a_walk_under_way_every_view_shows_what_is_there_and_what_is_not(view):
    loss = small_loss("lstm", 2)
    stepper = tl.step(loss)
    stepper.step(2)
    shown = texts(tl.draw(loss, view, gradients=stepper.gradients))
    assert any("not computed yet" in text for text in shown)
    assert any(re.search(r"∂ \S*\d", text) for text in shown)
    assert not any("not computed yet" in text for text in texts(tl.draw(loss, view, gradients=True)))


@pytest.mark.parametrize("view", ["ops", "gates", "cells"])
def test_a_larger_gradient_never_has_a_lighter_shade(view):
    loss = small_loss("rnn", 5)
    gradients = {step.input: step.after for step in tl.backprop(loss)} | {loss: np.ones(())}
    scene = tl.draw(loss, view, color="gradient", loss=True)._scene
    ids = tl.Graph(loss).ids
    known = [
        (magnitude(gradients[node]), box.shade)
        for box in scene.boxes
        for node in gradients
        if box.id in (ids[node], f"{ids[node]}.out")
    ]
    assert [shade for _, shade in sorted(known)] == sorted(shade for _, shade in known)
    assert len({shade for _, shade in known}) > 1
    assert [sample.looks.role for sample in scene.key if isinstance(sample.looks, Box)] == ["scale", "swatch"]


@pytest.mark.parametrize("view", ["ops", "gates", "cells", "backward"])
def test_the_scale_is_that_of_the_steps_that_are_drawn(view):
    loss = small_loss("rnn", 30, last_step=True)
    whole = tl.draw(loss, view, color="gradient", steps="all")._scene
    part = tl.draw(loss, view, color="gradient", steps=(2, 14))._scene
    for scene in (whole, part):
        shown = [thing.size for thing in (*scene.boxes, *scene.arrows) if thing.size]
        assert 10 ** np.array([scene.scale.bottom, scene.scale.top]) == pytest.approx([min(shown), max(shown)])
        assert {0, LAST} <= {thing.shade for thing in (*scene.boxes, *scene.arrows)}
    assert part.scale.bottom > whole.scale.bottom


def test_of_a_network_of_the_command_line_the_gradient_fades_on_its_way_back():
    scene = tl.draw(small_loss("lstm", 40, last_step=True), "cells", color="gradient", steps="all")._scene
    shades = [box.shade for box in scene.boxes if box.role == "cell"]
    assert len(shades) == 40
    assert shades[0] < 10 < LAST / 2 < shades[-1]


@pytest.mark.parametrize(
    ("magnitudes", "ticks"),
    [
        ([1e-4, 1.0], ["10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1"]),
        ([0.03, 2.0], ["0.05", "0.1", "0.2", "0.5", "1", "2"]),
        ([3.0, 4.0], ["0.5", "1", "2"]),
        ([], ["0.1", "0.2", "0.5", "1"]),
        ([0.0, math.nan, math.inf, 7e-30], ["1e−30", "2e−30", "5e−30"]),
        ([1e-300, 1e300], [f"10{words.superscript(power)}" for power in range(284, 301, 3)]),
    ],
)
def test_a_scale_has_ticks_at_round_numbers(magnitudes, ticks):
    scale = Scale(magnitudes)
    found = list(scale.ticks())
    assert [tick.text for tick in found] == ticks
    assert all(0 <= tick.share <= 1 for tick in found)
    assert min(np.diff([tick.share for tick in found])) > 0.04
    assert scale.level(0.0) == -1
    assert scale.level(math.nan) == scale.level(math.inf) == LAST
    assert all(0 <= scale.level(m) <= LAST for m in magnitudes if m)


def test_zero_and_no_gradient_at_all_are_not_the_smallest_shade():
    x, dead = tl.tensor(1.0, requires_grad=True, name="x"), tl.tensor(1.0, requires_grad=True, name="dead")
    loss = x * 1e-9 + x * 1e-3 + dead * 0.0 + tl.tensor(3.0, name="given")
    shade = {box.texts[0].text: box.shade for box in tl.draw(loss, color="gradient")._scene.boxes}
    assert shade["dead"] == shade["given"] == -1
    assert shade["x"] >= 0


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_on_no_route_of_a_highlighted_path_is_faded(view):
    loss = small_loss("lstm", 3)
    graph = tl.Graph(loss)
    h0 = next(leaf for leaf in graph.leaves if leaf.name == "h0")
    path = tl.path(loss, h0)
    scene = tl.draw(loss, view, highlight=path)._scene
    faded = {box.id: box.faded for box in scene.boxes}
    on_path = {graph.ids[node] for node in path.nodes}
    for node in graph.nodes:
        if graph.ids[node] in faded:
            assert faded[graph.ids[node]] == (graph.ids[node] not in on_path)
    if view != "backward":
        assert not next(box.faded for box in scene.boxes if box.texts[0].text == "h₋₁")
        assert next(box.faded for box in scene.boxes if box.texts[0].text in ("x₀", "xs", "xₜ"))
        assert any(arrow.thick for arrow in scene.arrows)
    assert all(arrow.thick is not arrow.faded for arrow in scene.arrows)
    assert all(arrow.faded for arrow in scene.arrows if faded[arrow.tail] or faded[arrow.head])


@pytest.mark.parametrize("view", VIEWS)
def test_a_closed_cell_on_a_highlighted_path_is_not_faded(view):
    loss = small_loss("lstm", 3)
    h0 = next(leaf for leaf in tl.Graph(loss).leaves if leaf.name == "h0")
    scene = tl.draw(loss, view, highlight=tl.path(loss, h0), depth=0)._scene
    cells = [box for box in scene.boxes if box.role == "cell"]
    assert cells
    assert not any(box.faded for box in cells)


def test_depth_and_names_open_modules():
    loss = small_loss("lstm", 3)

    def closed(view, **options):
        return [box.id for box in tl.draw(loss, view, **options)._scene.boxes if box.role in ("cell", "module")]

    assert closed("cells") == closed("ops", depth=0) == closed("gates", depth=0) == ["t0.cell", "t1.cell", "t2.cell"]
    assert closed("cells", expand="t1") == closed("cells", expand=("t1.cell",)) == ["t0.cell", "t2.cell"]
    assert closed("gates", expand="t1.cell") == ["t0.cell", "t2.cell"]
    assert closed("cells", expand="cell") == closed("ops") == closed("gates") == []
    assert closed("cells", depth=1) == closed("ops", depth=1)
    assert len(closed("cells", depth=1)) == 12
    assert closed("cells", depth=2) == []


@pytest.mark.parametrize("view", VIEWS)
def test_shapes_values_and_legend_appear_on_request(view):
    loss = small_loss("rnn", 2)
    assert "2×2" in texts(tl.draw(loss, view, shapes=True, loss=True))
    assert "2×2" not in texts(tl.draw(loss, view, shapes=False, loss=True))
    number = words.numbers(loss.value)
    assert any(number in text for text in texts(tl.draw(loss, view, values=True, loss=True)))
    assert not any(number in text for text in texts(tl.draw(loss, view, loss=True)))
    explained = set(visible(tl.draw(loss, view, legend=True, loss=True).svg)) - set(
        visible(tl.draw(loss, view, loss=True).svg)
    )
    assert "sum, mean or maximum" in explained


ELSEWHERE = small_loss("rnn", 1)
WRONG = [
    ({"view": ["ops"]}, ValueError, r"unknown view \['ops'\]; choose 'ops' or 'gates' or 'cells' or 'rolled' or 'back"),
    ({"color": "red"}, ValueError, "unknown color 'red'; choose None or 'gradient'"),
    ({"direction": "up"}, ValueError, "unknown direction 'up'; choose 'left-to-right' or 'top-to-bottom'"),
    ({"depth": -1}, ValueError, "depth must be a whole number of levels to open, not -1"),
    ({"depth": True}, ValueError, "depth must be a whole number of levels to open, not True"),
    ({"highlight": "h0"}, TypeError, r"highlight takes a path, as from tl.path\(loss, h0\), not str"),
    ({"highlight": tl.path(ELSEWHERE, ELSEWHERE)}, ValueError, "nothing to highlight: .* is not in the graph of"),
    ({"steps": (5, 9)}, ValueError, r"steps=\(5, 9\) shows none of the time steps 0 to 2; as with range\(\)"),
    ({"steps": "some"}, TypeError, r"steps must be \(first, end\) as in range\(first, end\), or 'all', not 'some'"),
    ({"steps": (0.0, 2)}, TypeError, r"steps must be \(first, end\)"),
    ({"gradients": 3}, TypeError, "gradients must be True, or a mapping from tensors to gradients, not 3"),
    ({"expand": 3}, TypeError, "expand takes the name of a module, such as 't1.cell', or several, not 3"),
    ({"expand": "t7"}, ValueError, "expand='t7' fits nothing in this picture; everything is open already"),
    (
        {"view": "cells", "expand": "x"},
        ValueError,
        "fits nothing in this picture; what can be opened: t0.cell, t1.cell",
    ),
]


@pytest.mark.parametrize(("options", "error", "message"), WRONG, ids=[str(list(wrong[0])) for wrong in WRONG])
def test_a_wrong_option_is_refused_with_what_would_be_right(options, error, message):
    with pytest.raises(error, match=message):
        tl.draw(small_loss("lstm", 3), **options)


@pytest.mark.parametrize("options", [{"gradients": True}, {"color": "gradient"}, {"view": "backward"}])
def test_gradients_of_what_is_not_a_number_are_refused(options):
    with pytest.raises(ValueError, match=r"needs a seed of that shape.*or reduce it to one number first"):
        tl.draw(tl.tensor([1.0, 2.0], requires_grad=True) * 2.0, **options)


@pytest.mark.parametrize(
    ("output", "x", "error", "message"),
    [
        (
            ELSEWHERE,
            small_loss("rnn", 1),
            ValueError,
            "no path leads from .* to .*: it was computed from other tensors",
        ),
        (ELSEWHERE, 3, TypeError, "a path leads from a tensor to a tensor; got int"),
    ],
)
def test_a_path_that_is_not_there_is_refused(output, x, error, message):
    with pytest.raises(error, match=message):
        tl.path(output, x)


# Tooltips, and numbers and names of all kinds


def test_a_tooltip_tells_name_equation_shape_dtype_and_statistics():
    x = tl.tensor([0.0, -1.0, np.nan], requires_grad=True, name="x", dtype=np.float32)
    y = tl.exp(x)
    y.name = "y"
    svg = ET.fromstring(tl.draw(y.sum(), gradients=True).svg)
    (said,) = [g.find(f"{SPACE}title").text for g in svg.iter(f"{SPACE}g") if g.get("id") == "exp"]
    assert said.splitlines() == [
        "exp",
        "y = exp(x)",
        "shape 3, float32",
        f"value: {statistics(y.value)}",
        "gradient: min 1, mean 1, max 1, norm 1.73, 0 zero, 0 NaN",
    ]
    assert statistics(x.value) == "min nan, mean nan, max nan, norm nan, 1 zero, 1 NaN"
    assert statistics(np.array([3.0, 0.0, -4.0])) == "min -4, mean -0.333, max 3, norm 5, 1 zero, 0 NaN"


@given(st.floats(1e-300, 1e300), st.floats(0, 1), st.integers(1, 5))
def test_norms_are_right_also_where_squares_are_not(scale, other, count):
    assert magnitude(np.full(count, scale)) == pytest.approx(scale * math.sqrt(count))
    assert magnitude(np.float32([3e-30, 4e-30])) == pytest.approx(5e-30)
    assert magnitude([scale, other * scale]) == pytest.approx(scale * math.hypot(1, other))


def loop(value, dtype=np.float64):
    x = tl.tensor(np.array(value, dtype), requires_grad=True, name="x", dtype=dtype)
    h = tl.tensor(np.zeros_like(x.value), name="h0", dtype=dtype)
    with np.errstate(all="ignore"):
        for t in range(3):
            with tl.time_step(t):
                h = tl.tanh(h * x + x)
                h.name = "h"
        return (h * x).sum()


def second_derivative():
    loss = small_loss("lstm", 2)
    (slope,) = tl.grad(loss, [tl.Graph(loss).leaves[2]], create_graph=True)
    return (slope * slope).sum()


def skipping():
    """A state that is used one step and two steps later."""
    w = tl.tensor([0.5, 0.25], requires_grad=True, name="w")
    before = h = tl.tensor([0.0, 0.0], name="h0")
    for t in range(-1, 4):
        with tl.time_step(t):
            before, h = h, tl.tanh(h * w + before)
    return h.sum()


ODD = {
    "NaN": lambda: loop([1.0, np.nan]),
    "infinite": lambda: loop(-np.inf),
    "empty": lambda: loop(np.zeros((0, 3))),
    "0-d": lambda: loop(0.5),
    "float32": lambda: loop([1e30, 1e-30, 1.0], np.float32),
    "huge": lambda: loop([1e300, 1e-300]),
    "all zero": lambda: loop([0.0, 0.0]),
    "a leaf": lambda: tl.tensor(1.0, requires_grad=True, name="before"),
    "used twice": lambda: (lambda x: (x * x * x).sum())(tl.tensor([2.0], requires_grad=True)),
    "a gradient": second_derivative,
    "two delays": skipping,
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.slow
def test_no_numbers_and_no_graph_break_a_view(odd, view):
    x = ODD[odd]()
    with np.errstate(all="ignore"):
        assert_well_made(tl.draw(x, view))
        assert_well_made(tl.draw(x, view, values=True, color="gradient", legend=True))


class Named(tl.nn.Module):
    """A cell whose parts are all called the same."""

    def __init__(self, name):
        self.called = name
        setattr(self, name, tl.Linear(2, 2, rng=0))

    def forward(self, x, h):
        h = tl.tanh(getattr(self, self.called)(x) + h)
        h.name = self.called
        return h


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_no_harm_in_any_view(name, view):
    cell, x = Named(name), tl.tensor(np.ones((1, 2)), name=name)
    h = tl.tensor(np.zeros((1, 2)), name=f"{name}0")
    with tl.scope(name):
        for t in range(3):
            with tl.time_step(t):
                h = cell(x, h)
    loss = h.sum()
    loss.name = name
    picture = tl.draw(loss, view, values=True, color="gradient")
    assert_well_made(picture)
    assert "<script>" not in picture.svg
    assert words.clean(name).split()[0][:10] in "".join(visible(picture.svg)).replace("\u200b", "").replace("\xa0", " ")


def test_a_note_stands_at_its_node_and_on_its_edge_as_it_was_written():
    x = tl.tensor([1.0], requires_grad=True, name="x")
    y = tl.tanh(x * x)
    (product,) = y.inputs
    svg = tl.draw(y, notes={y: "<b>&look", (product, y): "0.5 \x1b[31m"}).svg
    words = ["".join(element.itertext()) for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert "<b>&look" in words
    assert "0.5  [31m" in words
    assert "noted" not in words


@pytest.mark.parametrize("view", VIEWS)
def test_a_note_stands_in_every_view(view):
    loss = small_loss("rnn", 3)
    (output,) = loss.inputs
    svg = tl.draw(loss, view, notes={loss: "at the loss", (output, loss): "on its way"}).svg
    words = " ".join(visible(svg))
    assert "at the loss" in words
    assert "on its way" in words


def test_a_note_about_nothing_in_the_picture_is_refused():
    x = tl.tensor([1.0], name="x")
    y = tl.tanh(x * x)
    for about in (tl.tensor(1.0), (x, y), (y, x), "y"):
        with pytest.raises(ValueError, match=r"a note is about a node of the graph, or a pair \(x, y\) where y uses x"):
            tl.draw(y, notes={about: "here"})


@pytest.mark.parametrize("fit", ["slide", "readme", "column"])
def test_a_fitted_picture_has_its_scale_within_it(fit):
    picture = tl.draw(small_loss("lstm", 40, last_step=True), "cells", color="gradient", fit=fit)
    placed = picture._placed
    (legend,) = [column for column in placed.columns if column.is_legend]
    lowest = min(rect.y for column in placed.columns if column is not legend for _, rect in column.boxes())
    for box, rect in legend.boxes():
        assert placed.low.x <= rect.x - rect.width / 2 <= rect.x + rect.width / 2 <= placed.high.x, box
        assert placed.low.y <= rect.y - rect.height / 2 <= rect.y < lowest, box
    ticks = [rect for box, rect in legend.boxes() if box.role == "tick"]
    numbers = [rect for box, rect in legend.boxes() if box.role == "gap" and box.texts][-len(ticks) - 1 :]
    assert len(ticks) > 2
    assert all(a.x + a.width / 2 <= b.x - b.width / 2 + 8 for a, b in pairwise(numbers))


def test_hints_of_a_long_picture_are_short_and_say_so():
    long, short = (
        next(box for box in tl.draw(small_loss("rnn", 300), steps=steps)._scene.boxes if box.id == "t9.cell.layer.tanh")
        for steps in ("all", (9, 11))
    )
    assert long.tooltip == "t9.cell.layer.tanh\nshape 2; of fewer steps the hints say more"
    assert "tanh(" in short.tooltip
    assert long.statistics == "" != short.statistics


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("lstm", ["forget (reset)", "input (write)", "candidate", "output (read)"]),
        ("gru", ["update (reset, write)", "reset"]),
    ],
)
def test_a_legend_says_what_each_gate_does(cell, words):
    shown = visible(tl.draw(small_loss(cell, 2), "gates", legend=True).svg)
    assert set(words) <= set(shown)
    assert not set(words) & set(visible(tl.draw(small_loss(cell, 2), "gates").svg))
