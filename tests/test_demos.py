"""The lessons are as short as they say, right, and would notice if they were not."""

import importlib.util
import re
from pathlib import Path

import pytest

DEMOS = Path(__file__).parent.parent / "demos"
RETOLD, READ = DEMOS / "backprop_in_forty_lines.py", DEMOS / "read_the_backward_pass.py"


def execute(source, path=RETOLD):
    exec(compile(source, path, "exec"), {"__name__": "retold"})


def test_the_engine_retold_agrees_with_the_engine(capsys):
    execute(RETOLD.read_text(encoding="utf-8"))
    assert "the same gradients" in capsys.readouterr().out


def test_it_has_forty_lines():
    source = RETOLD.read_text(encoding="utf-8")
    idea = source[source.index("PRIMITIVES = ") : source.index("# 6. An LSTM")]
    lines = [line for line in idea.splitlines() if line.strip() and not re.match("#|assert", line)]
    assert 38 <= len(lines) <= 44


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("a, b: (g, g)", "a, b: (g, g + g)"),
        ("(g * b, g * a)", "(g * a, g * b)"),
        ("a.T @ g)", "a.T @ (g * g))"),
        ("g * (1 - y * y)", "g * (1 - y)"),
        ("g * y * (1 - y)", "g * y * (1 + y)"),
        ("np.split(g, [a.shape[1]], axis=1)", "np.split(g * 2, [a.shape[1]], axis=1)"),
        ("np.broadcast_to(g, x.shape)", "np.broadcast_to(-g, x.shape)"),
        ("gradients.get(x, 0) + ", ""),
        ("node.serial, reverse=True", "node.serial"),
    ],
)
def test_a_mistake_in_it_is_noticed(right, wrong):
    source = RETOLD.read_text(encoding="utf-8")
    assert source.count(right) == 1
    with pytest.raises((AssertionError, KeyError)):
        execute(source.replace(right, wrong))


def test_the_backward_pass_is_read_from_the_equations_to_the_speed(capsys):
    source = READ.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 120
    execute(source, READ)
    printed = capsys.readouterr().out
    assert "comes from read_the_backward_pass.py:" in printed
    assert "(7)  ∂L/∂W_f = Σ_t z_tᵀ δ_{f,t}" in printed
    assert "tl.compile " in printed
    assert "The line that clips: dh = np.maximum(" in printed
    assert "spare: the loss does not depend on it" in printed


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("scale=0, ", "scale=0.5, "),
        ("h.detach() if t == 12", "h.detach() if t == 13"),
        ("tl.floor(rounded)", "tl.sin(rounded)"),
        ("value, found = program()", "value, found = program(W_f=W_i.value)"),
    ],
)
def test_a_mistake_in_reading_it_is_noticed(right, wrong, capsys):
    source = READ.read_text(encoding="utf-8")
    assert source.count(right) == 1
    with pytest.raises(AssertionError):
        execute(source.replace(right, wrong), READ)


def test_without_the_network_that_it_reads_a_demo_says_which_extra_brings_it(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    path = DEMOS / "why_though_ends_so.py"
    names = {"__name__": "asked"}
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), names)
    names["main"]()
    assert capsys.readouterr().out == "this demo reads the network of g2p-en: pip install 'tinygrad-lstm[demos]'\n"
