"""The command compare: networks by one word each, on one clock and one scale, and clear words about what is none."""

import re
import shlex

import pytest
from typer.testing import CliRunner

import tinygrad_lstm as tl
from tinygrad_lstm.cli import app, compare
from tinygrad_lstm.drawing import Figure
from tinygrad_lstm.nn.named import names
from tinygrad_lstm.nn.samples import small_loss

MODEL = """
import tinygrad_lstm as tl
loss = tl.RNN(2, 3, rng=0)(tl.ones(5, 2))[0].sum()
single = tl.RNN(2, 3, rng=0)(tl.ones(1, 2))[0].sum()
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    (tmp_path / "my_model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app.app, ["compare", *arguments], env={"COLUMNS": "300"})


def test_it_draws_what_the_function_draws(here):
    done = run("lstm", "GRU", "rnn", "-o", "one.svg", "-o", "two.html")
    assert done.exit_code == 0, done.output
    wanted = tl.compare({name: small_loss(name, compare.STEPS, last_step=True) for name in ("lstm", "gru", "rnn")})
    assert (here / "one.svg").read_text(encoding="utf-8") == wanted.svg
    assert (here / "two.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "wrote one.svg: How far back each state carries the gradient" in done.stderr


def test_a_file_is_compared_with_ours_in_a_window(here):
    done = run("lstm", "my_model.py:loss", "--steps", "7", "--layers", "2", "--bidirectional", "--window", "2:6")
    assert done.exit_code == 0, done.output
    svg = (here / "compare.svg").read_text(encoding="utf-8")
    assert ">my_model.py:loss<" in svg
    assert "Shown are steps 2 to 5 of 0 to 6" in svg
    assert svg.count(">∂L/∂") == 7


def test_its_examples_run(here):
    examples = [line for line in compare.__doc__.splitlines() if line.startswith("tinygrad-lstm")]
    assert len(examples) == 3
    for example in examples:
        words = [word for word in shlex.split(example)[2:] if not word.endswith(".png")]
        words = words[:-1] if words[-1] == "-o" else words
        done = run(*words)
        assert done.exit_code == 0, done.output
    assert "Examples of tinygrad-lstm compare" in run("--help").output


def test_it_fits_a_slide_or_says_where_it_does(here):
    assert run("lstm", "rnn", "--fit", "slide").exit_code == 0
    assert '<svg role="img" width="1280" height="720"' in (here / "compare.svg").read_text(encoding="utf-8")
    done = run("lstm", "rnn", "--fit", "column")
    assert done.exit_code == 2
    assert "does not fit 'column'" in done.stderr
    assert "fit='slide' or fit='readme' would work" in done.stderr


def test_its_help_names_the_cells_and_the_endings():
    assert all(name in compare.NETWORKS_HELP for name in names())
    assert all(f".{ending}" in compare.OUTPUT_HELP for ending in Figure.endings)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lstm", "grru"], r"there is no cell 'grru'; choose rnn, lstm, .*, or FILE\.py:NAME for a loss of yours"),
        (["lstm", "LSTM"], "lstm is named 2 times; a network is compared with others"),
        (["my_model.py:loss", "--steps", "3"], "files say what to compare; --steps, --layers and --bidirectional are"),
        (["lstm", "my_model.py"], "names nothing in a file; write FILE.py:NAME"),
        (["lstm", "my_model.py:single"], "'my_model.py:single' hands no state from one time step to the next"),
        (["lstm", "no.py:loss"], "there is no file no.py"),
        (["lstm", "--window", "40:50"], r"steps=\(40, 50\) shows none of the time steps 0 to 11"),
        (["lstm", "--window", "x"], "--window takes A:B, as in 10:15, or all, not 'x'"),
        (
            ["lstm", "-o", "a.dot"],
            r"cannot save a picture as 'a\.dot': the name must end in \.svg, \.png, \.pdf, \.html",
        ),
        (["lstm", "--steps", "1"], "Invalid value for '--steps'"),
        ([], "Missing argument 'NETWORK...'; see .*compare --help"),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(arguments, words, here):
    done = run(*arguments)
    assert done.exit_code == 2
    assert re.search(words, done.stderr), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [file.name for file in here.iterdir() if file.suffix != ".py" and file.is_file()] == []
