"""Graphviz in process, beside us, or on the PATH: the same DOT, nothing printed, and clear words when it fails."""

import os
import re
import shutil
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.drawing.layout import by_dot
from tinygrad_lstm.drawing.paint import svg as paint
from tinygrad_lstm.drawing.paint.render import OutOfTime, RenderError, render
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import LEVELS

SYSTEM_DOT = shutil.which("dot")
needs_dot = pytest.mark.skipif(SYSTEM_DOT is None and not os.environ.get("NEEDS_DOT"), reason="no dot on the PATH")


@pytest.fixture
def without_pygraphviz(monkeypatch):
    """A machine on which the package that brings Graphviz along does not import."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


@pytest.fixture
def a_dot(tmp_path, monkeypatch, without_pygraphviz):
    """Puts a dot of our own making on the PATH."""

    def make(script):
        dot = tmp_path / "dot"
        dot.write_text(f"#!{sys.executable}\n{script}")
        dot.chmod(dot.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path))

    return make


def words(svg):
    """Everything one can read, however the fonts of a machine place it."""
    return sorted("".join(e.itertext()) for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))


@needs_dot
@pytest.mark.parametrize("view", VIEWS)
def test_a_system_graphviz_draws_the_same_dot(view, monkeypatch):
    loss = small_loss("lstm", 3)
    ours = tl.draw(loss, view)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "pygraphviz", None)
        theirs = tl.draw(loss, view)
        assert words(theirs.svg) == words(ours.svg)
        assert theirs.source == ours.source
        assert theirs.render("png").startswith(b"\x89PNG")
        assert theirs.render("pdf").startswith(b"%PDF")


@needs_dot
@pytest.mark.parametrize("view", ["gates", "cells"])
def test_what_is_placed_by_us_is_placed_alike_by_any_graphviz(view, monkeypatch):
    h, _ = tl.LSTMCell(2, 2, rng=0)(tl.tensor([1.0, 2.0], name="x"))
    ours = tl.draw(h, view).positioned
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert tl.draw(h, view).positioned == ours


def test_nothing_is_printed(capfd):
    for view in VIEWS:
        picture = tl.draw(small_loss("gru", 2), view, values=True, legend=True)
        assert picture.svg
        assert picture.render("png")
        assert picture.render("pdf")
    assert capfd.readouterr() == ("", "")


def test_without_any_graphviz_it_says_what_to_install(without_pygraphviz, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderError, match=r"pip install .*pygraphviz.* or put Graphviz's dot on the PATH"):
        assert tl.draw(small_loss("rnn", 1)).svg


def test_dot_text_needs_no_graphviz(without_pygraphviz, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tl.draw(small_loss("rnn", 1)).save(tmp_path / "rnn.dot").read_text(encoding="utf-8").startswith("digraph")


def test_a_very_old_dot_says_what_to_do(a_dot):
    a_dot("import sys; sys.exit('Format: \"json\" not recognized. Use one of: canon dot svg')")
    with pytest.raises(RenderError, match=r'"json" not recognized.*; pip install .pygraphviz'):
        assert tl.draw(small_loss("rnn", 1)).svg


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import sys; sys.exit(3)", "exit status 3"),
        ("pass", "could not draw this picture"),
        ("print('this is not what was asked for')", "made no sense"),
    ],
)
def test_a_broken_dot_says_what_to_do(script, said, a_dot):
    a_dot(script)
    with pytest.raises(RenderError, match=rf"{said}.*pip install"):
        assert tl.draw(small_loss("rnn", 1)).svg


def test_a_dot_that_does_not_start_says_so(a_dot, tmp_path):
    a_dot("")
    (tmp_path / "dot").write_text("#!/nowhere/at/all\n")
    with pytest.raises(RenderError, match="does not start"):
        assert tl.draw(small_loss("rnn", 1)).svg


def test_nothing_is_executed_through_a_shell(a_dot, tmp_path, monkeypatch):
    called = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **how: called.append((command, how)) or run(command, **how))
    a_dot("import sys; sys.exit(1)")
    x = tl.tensor(1.0, name="$(touch hacked); `touch hacked`")
    with pytest.raises(RenderError):
        assert tl.draw(tl.tanh(x)).svg
    ((command, how),) = called
    assert isinstance(command, list)
    assert not how.get("shell")
    assert not list(tmp_path.glob("hacked"))


def test_a_graph_that_does_not_repeat_is_given_up_in_time(monkeypatch):
    monkeypatch.setattr(by_dot, "LARGE", 10)

    def too_slow(source, kind, limit):
        assert limit == by_dot.SECONDS
        raise OutOfTime("stopped")

    monkeypatch.setattr(by_dot, "render", too_slow)
    x = tl.tensor(0.5, requires_grad=True, name="x")
    y = x
    for _ in range(20):
        y = tl.tanh(y * x)
    with pytest.raises(OutOfTime, match=r"\d+ boxes and arrows.*only a part of the graph"):
        assert tl.draw(y).svg


def test_a_large_graph_that_does_not_repeat_is_drawn_beside_us(monkeypatch):
    x = tl.tensor(0.5, requires_grad=True, name="x")
    y = tl.tanh(tl.tanh(x) * x)
    ours = tl.draw(y).svg
    monkeypatch.setattr(by_dot, "LARGE", 1)
    assert tl.draw(y).svg == ours


def test_what_graphviz_refuses_is_said_in_its_own_words():
    with pytest.raises(RenderError, match="Graphviz could not draw"):
        render("digraph { a -> ", "svg")


def test_when_graphviz_draws_nothing_it_says_what_it_printed(monkeypatch):
    pygraphviz = pytest.importorskip("pygraphviz")

    def draw(self, **how):
        os.write(2, b"no such plugin")
        return b""

    monkeypatch.setattr(pygraphviz.AGraph, "draw", draw)
    with pytest.raises(RenderError, match="Graphviz drew nothing: no such plugin"):
        render("digraph {}", "svg")


def test_the_layout_is_asked_for_once_per_kind_of_step(monkeypatch):
    asked = []
    monkeypatch.setattr(by_dot, "render", lambda *args, **how: asked.append(args) or render(*args, **how))
    counts = []
    for steps in (6, 60):
        asked.clear()
        svg = tl.draw(small_loss("lstm", steps), steps="all").svg
        counts.append(len(asked))
        assert len(re.findall(r'class="column"', svg)) == steps + 2
    assert counts[0] == counts[1] <= 6


@pytest.mark.parametrize("color", [None, "gradient"])
@pytest.mark.parametrize("view", [view for view in VIEWS if view != "rolled"])
def test_what_looks_alike_is_painted_once(view, color, monkeypatch):
    """Whatever its words, its numbers and its shades: twice the steps are no more for Graphviz to paint."""
    painted = []
    monkeypatch.setattr(paint, "render", lambda source, *args: painted.append(source) or render(source, *args))
    for steps in (10, 20):
        picture = tl.draw(small_loss("gru", steps, layers=2), view, color=color, steps="all")
        picture._scene.key = ()  # a longer scale has other ticks
        assert picture.svg
    short, long = (source.count("\n") for source in painted)
    assert short == long


def test_a_shade_is_the_same_whether_painted_or_stamped():
    """Each step is painted by itself in one picture, and stamped from another in the next."""
    loss = small_loss("rnn", 8)
    stamped = tl.draw(loss, "cells", color="gradient")
    painted = render(stamped.positioned, "svg", "nop2").decode("utf-8")
    bodies = (stamped.svg.partition("</style>")[2], painted)
    colours = [Counter(re.findall(r'(?:fill|stroke)="#[0-9a-f]{6}"', body)) for body in bodies]
    assert colours[0] == colours[1]
    assert sum(f'fill="{level}"' in colours[0] for level in LEVELS) > 2
