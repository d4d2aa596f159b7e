"""A figure has the face of a picture; and what it cannot show it says in clear words."""

import sys

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.drawing.figures.networks import plain_mgu
from tinygrad_lstm.drawing import FIGURES, VIEWS, Figure, Picture
from tinygrad_lstm.drawing.entry import FigureName
from tinygrad_lstm.drawing.paint.render import RenderError
from tinygrad_lstm.drawing.shown import Shown
from tinygrad_lstm.nn.samples import small_loss


@pytest.fixture(scope="module")
def figure():
    return tl.draw(small_loss("lstm", 4), "openings")


def test_one_door_leads_to_pictures_and_figures(figure):
    assert isinstance(figure, Figure)
    assert isinstance(tl.draw(small_loss("lstm", 2)), Picture)
    assert issubclass(Figure, Shown)
    assert issubclass(Picture, Shown)
    assert FigureName.__args__ == tuple(FIGURES)
    assert not FIGURES.keys() & VIEWS.keys()


def test_the_docstring_tells_each_figure():
    assert all(f'"{kind.name}"' in tl.draw.__doc__ and kind.meaning in tl.draw.__doc__ for kind in FIGURES.values())


@pytest.mark.parametrize(("ending", "start"), [("svg", "<?xml"), ("html", "<!doctype html>")])
def test_saves_without_any_library(ending, start, figure, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    path = figure.save(tmp_path / f"figure.{ending}")
    assert path.read_text(encoding="utf-8").startswith(start)


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_saves_as_an_image(ending, start, figure, tmp_path):
    pytest.importorskip("vl_convert")
    assert figure.save(tmp_path / f"figure.{ending}").read_bytes().startswith(start)


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_without_the_library_it_says_which_extra(ending, figure, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(RenderError, match=r"vl-convert-python: pip install 'tinygrad-lstm\[images\]', or save it as"):
        figure.save(tmp_path / f"figure.{ending}")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_painted_is_said(figure, monkeypatch):
    vl_convert = pytest.importorskip("vl_convert")

    def broken(*args, **how):
        raise ValueError("no memory")

    monkeypatch.setattr(vl_convert, "svg_to_png", broken)
    with pytest.raises(RenderError, match=r"could not be painted as \.png: no memory"):
        figure.render("png")


def test_a_figure_is_no_dot(figure, tmp_path):
    with pytest.raises(ValueError, match=r"cannot save a figure as .*: the name must end in \.svg, \.png"):
        figure.save(tmp_path / "figure.dot")


def test_a_notebook_shows_the_figure_itself(figure):
    bundle = figure._repr_mimebundle_()
    assert bundle["image/svg+xml"] == figure.svg
    assert "How open the gates are" in bundle["text/plain"]
    assert "<svg" in bundle["text/html"]


def test_a_piece_for_a_page_has_no_style_of_its_own(figure):
    assert "<style>" not in figure.piece
    assert figure.piece.startswith("<svg")


OPTIONS = {
    "values": True,
    "gradients": True,
    "shapes": False,
    "color": "gradient",
    "depth": 0,
    "expand": "cell",
    "direction": "top-to-bottom",
    "legend": True,
    "loss": True,
}


@pytest.mark.parametrize("option", OPTIONS)
def test_options_that_mean_nothing_for_a_figure_are_refused(option):
    with pytest.raises(
        ValueError, match=rf"{option} means nothing for the figure 'openings', which takes steps and fit; the"
    ):
        tl.draw(small_loss("lstm", 2), "openings", **{option: OPTIONS[option]})


def test_several_are_refused_together():
    with pytest.raises(
        ValueError, match="values and legend mean nothing for the figure 'rainbow', which takes steps and"
    ):
        tl.draw(small_loss("lstm", 2), "rainbow", values=True, legend=True)


def test_only_the_rainbow_can_show_one_weight():
    loss = small_loss("lstm", 2)
    path = tl.path(loss, next(leaf for leaf in tl.Graph(loss).leaves if leaf.requires_grad))
    assert "cell.forget_gate.weight" in tl.draw(loss, "rainbow", highlight=path).svg
    with pytest.raises(ValueError, match="highlight means nothing for the figure 'jacobian'"):
        tl.draw(loss, "jacobian", highlight=path)


def test_what_a_compiled_program_ran_is_drawn_as_the_graph_it_stands_for():
    lstm = tl.LSTM(2, 3, rng=0)
    xs = tl.ones(4, 2)
    ours, theirs = (tl.draw(layer(xs)[0].sum(), "openings") for layer in (lstm, tl.compile(lstm)))
    assert theirs.description == ours.description


@pytest.mark.parametrize("name", FIGURES)
def test_what_has_no_time_steps_is_said(name):
    x = tl.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match="there are no time steps in this graph: run a recurrent layer"):
        tl.draw((x * x).sum(), name)


def test_a_network_without_gates_is_told_which_figure_it_has():
    with pytest.raises(ValueError, match=r"no gates in this network: .* 'saturation' shows its activations"):
        tl.draw(small_loss("rnn", 3), "openings")


def test_a_cell_without_ends_does_not_saturate():
    h = tl.tensor([0.5], requires_grad=True, name="h0")
    for t in range(3):
        with tl.time_step(t):
            h = tl.relu(h * 0.5)
    with pytest.raises(ValueError, match="two ends to be near to"):
        tl.draw(h.sum(), "saturation")


def test_one_step_hands_nothing_on():
    with pytest.raises(ValueError, match=r"no state is handed .* unroll more steps"):
        tl.draw(small_loss("lstm", 1), "jacobian")


@pytest.mark.parametrize("name", ["story", "belt"])
def test_a_step_that_is_given_no_state_has_none_to_tell(name):
    with tl.time_step(0), tl.scope("cell"):
        y = tl.sigmoid(tl.ones(2) @ tl.ones(2, 3)) * tl.tanh(tl.ones(2) @ tl.ones(2, 3))
    with pytest.raises(ValueError, match=r"no state is handed .* name what a single step is given .* as h_init and h"):
        tl.draw(y.sum(), name)


def test_a_network_that_is_given_nothing_has_no_influence():
    h = tl.tensor([0.5], requires_grad=True, name="h0")
    w = tl.tensor([[0.5]], requires_grad=True, name="w")
    for t in range(3):
        with tl.time_step(t):
            h = tl.tanh(h @ w)
    with pytest.raises(ValueError, match="nothing comes into this network from outside"):
        tl.draw(h.sum(), "influence")


def test_too_many_walks_are_refused(monkeypatch):
    from tinygrad_lstm.drawing.figures import influence

    monkeypatch.setattr(influence, "MOST_WALKS", 5)
    with pytest.raises(ValueError, match=r"outputs takes as many backward walks, more than 5: show fewer steps"):
        tl.draw(plain_mgu(4), "influence")


def test_a_gradient_needs_a_number():
    output, _ = tl.LSTM(2, 3, rng=0)(tl.ones(4, 2))
    with pytest.raises(ValueError, match="reduce it to one number first"):
        tl.draw(output, "rainbow")
    assert "output" in tl.draw(output, "influence").title


def test_weights_that_learn_nothing_have_no_rainbow():
    x = tl.tensor([1.0], requires_grad=True)
    with tl.time_step(0):
        y = tl.tanh(x)
    with pytest.raises(ValueError, match="does not depend on any weight of a recurrent cell"):
        tl.draw(y.sum(), "rainbow")


def test_a_difference_is_of_two_runs_of_one_network():
    one = small_loss("lstm", 3)
    with pytest.raises(TypeError, match="tensors, not float"):
        tl.difference(one, 3.0)
    with pytest.raises(ValueError, match=r"graphs have 2 and 3 nodes; run it twice on sequences of one length"):
        tl.difference(tl.tanh(tl.tensor(1.0)), tl.tanh(tl.tanh(tl.tensor(1.0))))
    with pytest.raises(ValueError, match=r"not two runs of one network: at .*, there are .* of shape .* and "):
        tl.difference(one, small_loss("gru", 3))
    lstm = tl.LSTM(2, 2, rng=0)  # the same weights in another network
    short, long = (lstm(tl.tensor(np.ones((steps, 2))))[1][0].sum() for steps in (3, 5))
    with pytest.raises(ValueError, match="not two runs of one network"):
        tl.difference(short, long)


def test_a_sweep_takes_losses_by_name():
    with pytest.raises(TypeError, match=r'losses by name, as in \{"bias 0": loss\}, not'):
        tl.sweep([small_loss("lstm", 3)])
    with pytest.raises(TypeError, match="the loss of 'one' must be a tensor, not int"):
        tl.sweep({"one": 1})
    with pytest.raises(ValueError, match="nothing to sweep over"):
        tl.sweep({})
    with pytest.raises(ValueError, match="'one' hands no state from one time step to the next"):
        tl.sweep({"one": small_loss("lstm", 1)})


def test_an_unknown_figure_names_those_there_are():
    with pytest.raises(ValueError, match=r"unknown view 'rainbows'; choose 'ops' or .* or 'rainbow'"):
        tl.draw(small_loss("lstm", 2), "rainbows")
