"""``tinygrad-lstm source``: the program of a cell of ours, or of what a file of yours defines."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import tinygrad_lstm as tl
from tinygrad_lstm.cli.app import app

MY_MODEL = """
import numpy as np
import tinygrad_lstm as tl


class Leaky(tl.nn.Cell):
    def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float64):
        super().__init__(input_size, hidden_size, dtype=dtype)
        self.candidate = tl.nn.gates_of(hidden_size, rng, dtype)(hidden_size + input_size, tl.tanh, "g")

    def forward(self, x, h):
        g = self.candidate(tl.concat([h, x], axis=-1))
        return 0.9 * h + 0.1 * g


layer = tl.nn.Recurrent(Leaky(2, 3, rng=0))
constant = tl.tensor([1.0]) * 2
number = 3


def loss():
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="x")
    return (tl.tanh(x) * x).sum()
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delitem(sys.modules, "my_model", raising=False)
    (tmp_path / "my_model.py").write_text(MY_MODEL, encoding="utf-8")
    return tmp_path


def source(*arguments):
    return CliRunner().invoke(app, ["source", *arguments])


def run(text, name):
    namespace = {}
    exec(compile(text, "<printed>", "exec"), namespace)
    return namespace[name]


@pytest.mark.parametrize("level", range(4))
def test_what_it_prints_runs_and_is_the_network(level, here):
    done = source("--cell", "rnn", "--optimize", str(level))
    assert done.exit_code == 0, done.stderr
    program = run(done.stdout, "outputs_and_gradients")
    layer, rng = tl.RNN(3, 4, rng=1), np.random.default_rng(0)
    xs, W, b = rng.normal(size=(6, 5, 3)), *layer.parameters()
    output, h_n = layer(xs)
    seeds = rng.normal(size=output.shape), rng.normal(size=h_n.shape)
    found, (_, dW, db) = program(xs, W.value, b.value, *seeds)
    np.testing.assert_allclose(found[0], output.value, rtol=1e-12)
    expected = tl.grad((output * seeds[0]).sum() + (h_n * seeds[1]).sum(), [W, b])
    np.testing.assert_allclose(dW, expected[0].value, rtol=1e-9)
    np.testing.assert_allclose(db, expected[1].value, rtol=1e-9)


def test_layers_and_directions_are_those_asked_for(here):
    done = source("--cell", "gru", "--layers", "2", "--bidirectional")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("for t in reversed(range(T)):") >= 2
    assert "layer1_reverse" in done.stdout


def test_it_writes_a_file(here):
    done = source("--out", "lstm.py")
    assert (done.exit_code, done.stdout) == (0, "")
    assert re.search(r"wrote lstm\.py: \d+ lines; it needs numpy alone", done.stderr)
    assert run((here / "lstm.py").read_text(encoding="utf-8"), "outputs_and_gradients")


def test_a_loss_of_yours_is_printed_with_the_sizes_it_was_recorded_with(here):
    done = source("my_model.py:loss")
    value, (slope,) = run(done.stdout, "loss_and_gradients")(np.array([1.0, 2.0]))
    np.testing.assert_allclose(value, (np.tanh([1, 2]) * [1, 2]).sum())
    np.testing.assert_allclose(slope, np.tanh([1, 2]) + (1 - np.tanh([1, 2]) ** 2) * [1, 2])


def test_where_shows_beside_each_line_yours_that_it_comes_from(here):
    lines = source("my_model.py:layer", "--where").stdout.splitlines()
    places = {line.partition("│")[2].strip().partition(" ")[0]: line.partition("│")[0].strip() for line in lines}
    numbers = {line.strip(): number for number, line in enumerate(MY_MODEL.splitlines(), 1)}
    gate = f"my_model.py:{numbers['g = self.candidate(tl.concat([h, x], axis=-1))']}"
    assert places["g[t]"] == places["dW_g"] == gate
    assert places["h[t]"] == f"my_model.py:{numbers['return 0.9 * h + 0.1 * g']}"
    ours = [line.partition("│")[0].strip() for line in source("--cell", "lstm", "--where").stdout.splitlines()]
    assert {"", "lstm_cells.py", "cells.py"} >= {place.partition(":")[0] for place in ours[:20]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["my_model.py:loss", "--cell", "gru"], "my_model.py:loss says what to print"),
        (["--where", "--out", "x.py"], "--where is for reading, and no program"),
        (["nowhere.py:x"], "there is no file nowhere.py"),
        (["my_model.py:nothing"], "my_model.py defines no 'nothing'"),
        (["my_model.py:number"], "number in my_model.py must be a loss, or a recurrent layer; its type is int"),
        (["my_model.py:constant"], "my_model.py:constant requires no gradient"),
        (["--out", "missing/x.py"], "cannot write missing/x.py"),
    ],
)
def test_wrong_input_is_refused_in_one_line(arguments, said, here):
    done = source(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_level_that_there_is_not_is_refused(here):
    done = source("--optimize", "4")
    assert done.exit_code == 2
    assert "--optimize" in done.stderr
