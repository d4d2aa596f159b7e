"""Pictures show the graph that ran, and take any name without harm."""

import re
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.drawing.paint.render import render
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import IN_THE_DARK
from tinygrad_lstm.structure import words

HOSTILE = [
    '<b>"\\N}',
    "a\nb\tc",
    "]]>&amp;<script>alert(1)</script>",
    "x" * 300,
    "🙂 שלום",
    "->{|}",
    "<i>",
    "</script><script>alert(1)</script>",
    "<>",
    "\\",
    "%s",
    "\x00\x1b[31m",
    "cluster_a:n",
]


def visible(svg: str) -> list[str]:
    """All texts a person can read in the picture."""
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_every_operation_of_the_graph_is_in_the_picture_once():
    loss = small_loss("lstm", 3)
    source = tl.draw(loss).source
    for node, id in tl.Graph(loss).ids.items():
        if node.primitive:
            assert len(re.findall(rf"^\t*\"?{re.escape(id)}\"? \[", source, re.MULTILINE)) == 1


def test_each_edge_of_the_graph_is_an_arrow():
    loss = small_loss("gru", 2)
    edges = sum(len(node.inputs) for node in tl.Graph(loss).nodes)
    arrows = [line for line in tl.draw(loss).source.splitlines() if "->" in line and "style=invis" not in line]
    assert len(arrows) == edges


@pytest.mark.parametrize("cell", CELLS)
def test_time_steps_are_clusters_with_their_gates_inside(cell):
    source = tl.draw(small_loss(cell, 3)).source
    assert [source.index(f'label="t = {t}"') for t in range(3)] == sorted(
        source.index(f'label="t = {t}"') for t in range(3)
    )
    gate = "layer" if cell == "rnn" else "candidate"
    assert source.count(f"label={gate} ") == 3


def test_a_shared_weight_is_copied_into_each_step_and_says_which_it_is():
    texts = visible(tl.draw(small_loss("lstm", 3)).svg)
    assert texts.count("cell.forget_gate.weight") == 3


def test_values_appear_on_request_only():
    x = tl.tensor(0.123, name="x")
    assert "0.123" not in tl.draw(tl.exp(x)).source
    assert "0.123" in tl.draw(tl.exp(x), values=True).source


def test_a_gradient_not_computed_yet_looks_different_from_zero():
    x = tl.tensor(1.0, requires_grad=True, name="x")
    loss = x * 0.0
    stepper = tl.step(loss)
    assert "not computed yet" in tl.draw(loss, gradients=stepper.gradients).source
    stepper.step()
    arrived = tl.draw(loss, gradients=stepper.gradients).source
    assert "not computed yet" not in arrived
    assert "∂ 0" in arrived
    assert arrived == tl.draw(loss, gradients=True).source


def test_drawing_gradients_leaves_grad_alone():
    x = tl.tensor(1.0, requires_grad=True)
    tl.draw(x * x, gradients=True)
    assert x.grad is None


def test_a_second_derivative_can_be_drawn():
    x = tl.tensor(0.5, requires_grad=True, name="x")
    (slope,) = tl.grad(tl.tanh(x), [x], create_graph=True)
    assert "tanh" in visible(tl.draw(slope, gradients=True).svg)


def test_a_leaf_alone_is_a_picture_of_one_box():
    assert visible(tl.draw(tl.tensor([1.0, 2.0], name="lonely")).svg) == ["lonely", "2"]


def test_an_old_graph_is_drawn_with_the_values_it_ran_with():
    w = tl.tensor(0.25, requires_grad=True, name="w")
    loss = w * 2.0
    before = tl.draw(loss, values=True, gradients=True).source
    w.value = np.array(8.0)
    assert tl.draw(loss, values=True, gradients=True).source == before


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_and_do_no_harm(name):
    x = tl.tensor([1.0], requires_grad=True, name=name)
    with tl.scope(name), tl.time_step(0):
        y = tl.tanh(x)
    y.name = name
    svg = tl.draw(y, gradients=True).svg
    shown = words.clean(name)
    texts = [text.replace("\u200b", "") for text in visible(svg)]
    assert sum(text.replace("\xa0", " ").split() == shown.split() for text in texts) >= 2
    assert "<script>" not in svg


@given(name=st.text(min_size=1, max_size=50))
def test_any_name_gives_a_well_formed_picture(name):
    x = tl.tensor([1.0], requires_grad=True, name=name)
    with tl.scope(name):
        y = x * x
    ET.fromstring(tl.draw(y).svg)


@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digraph")]
)
def test_saves_in_every_format_without_a_dot_on_the_path(ending, start, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tl.draw(small_loss("rnn", 2), values=True).save(tmp_path / f"picture.{ending}")
    assert path.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [f"picture.{ending}"]


def test_rendering_prints_nothing(capfd):
    assert tl.draw(small_loss("lstm", 2)).svg
    assert capfd.readouterr() == ("", "")


def test_a_notebook_shows_the_picture_itself():
    bundle = tl.draw(small_loss("rnn", 1))._repr_mimebundle_()
    assert "<svg" in bundle["image/svg+xml"]


def test_the_picture_can_be_read_aloud():
    root = ET.fromstring(tl.draw(small_loss("rnn", 2)).svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.find(f"{space}title").text == "How L was computed"
    assert "over time steps 0 to 1" in root.find(f"{space}desc").text


@pytest.mark.parametrize("cell", CELLS)
def test_every_colour_has_its_counterpart_in_the_dark(cell):
    root = ET.fromstring(tl.draw(small_loss(cell, 2), values=True, gradients=True).svg)
    used = {element.get(kind) for element in root.iter() for kind in ("fill", "stroke")} - {None, "none", "transparent"}
    assert used <= set(IN_THE_DARK)


def test_an_unknown_view_names_those_there_are():
    with pytest.raises(ValueError, match=r"unknown view 'opps'; choose 'ops'"):
        tl.draw(tl.tensor(1.0), view="opps")


def test_an_unknown_format_names_those_there_are(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.svg, \.png, \.pdf, \.dot"):
        tl.draw(tl.tensor(1.0)).save(tmp_path / "picture.jpeg")
    assert not list(tmp_path.iterdir())


def test_only_tensors_can_be_drawn():
    with pytest.raises(TypeError, match="got ndarray"):
        tl.draw(np.ones(3))


def test_what_comes_from_far_away_is_an_echo_that_says_from_where():
    texts = visible(tl.draw(small_loss("rnn", 8)).svg)
    assert "from t = 0 … 6, 7 in all" in texts
    assert not any("from t = 7" in text for text in texts)


def test_threads_can_draw_at_the_same_time():
    source = tl.draw(small_loss("rnn", 2)).source
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(render, [source] * 8, ["svg"] * 8))) == 1


@pytest.mark.parametrize("view", ["ops", "cells", "gates", "backward"])
def test_steps_that_nothing_connects_are_drawn(view):
    """A gap that no arrow touches: once an error about an empty sequence."""
    parts = []
    for t in range(20):
        with tl.time_step(t):
            parts.append(tl.tanh(tl.tensor(0.1 * t, requires_grad=True)))
    assert "<svg" in tl.draw(tl.stack(parts).sum(), view).svg
