"""The command derive: a gradient on paper, or one line that says which weights there are."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

import tinygrad_lstm as tl
from tinygrad_lstm.cli import derive
from tinygrad_lstm.cli.app import app
from tinygrad_lstm.nn.samples import small_loss


def run(*arguments):
    return CliRunner().invoke(app, ["derive", *arguments], env={"COLUMNS": "200"})


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "my_model.py").write_text(
        "import tinygrad_lstm as tl\n"
        "x, W = tl.tensor([[1.0, 2.0]], name='x'), tl.tensor([[3.0], [4.0]], requires_grad=True, name='W')\n"
        "def loss():\n    return tl.tanh(x @ W).sum()\n"
    )
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("my_model", None)


def test_it_prints_the_derivation():
    done = run("--cell", "lstm", "--wrt", "forget_gate.weight")
    loss = small_loss("lstm", 4)
    (weight,) = [x for x in tl.Graph(loss).leaves if x.name == "cell.forget_gate.weight"]
    assert done.exit_code == 0
    assert done.output.rstrip("\n") == str(tl.derive(loss, weight))
    assert "δ_{c,t} = δ_{h,t} ⊙ o_t ⊙ (1 − tanh²(c_t)) + δ_{c,t+1} ⊙ f_{t+1}" in done.output


def test_the_lstm_is_derived_if_no_cell_is_named_and_any_cell_can_be():
    assert run("--wrt", "cell.candidate.bias").output.startswith("∂L/∂b_g, where b_g is cell.candidate.bias, 2;")
    layered = run("--cell", "mgu", "--steps", "3", "--layers", "2", "--bidirectional", "--wrt", "0.gate.weight")
    assert "t = 0 … 2" in layered.output or "no weight is called" in layered.output


def test_latex_and_html_to_standard_output_or_a_file(here):
    assert run("--cell", "rnn", "--wrt", "layer.weight", "--latex", "-").output.startswith(
        r"\begin{gathered} \delta_{t} = "
    )
    done = run("my_model.py:loss", "--wrt", "W", "--latex", "w.tex", "--html", "w.html")
    assert done.exit_code == 0
    assert "∂L/∂W" not in done.output.replace("wrote", "")
    assert r"\frac{\partial L}{\partial W} = " in Path("w.tex").read_text(encoding="utf-8")
    page = Path("w.html").read_text(encoding="utf-8")
    main = re.search(r"<main>.*</main>", page, re.DOTALL)[0]
    assert ElementTree.fromstring(main).findall(".//math")
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_a_tensor_of_a_file_of_the_users(here):
    assert "∂L/∂W = xᵀ (1 − tanh²(x W))" in run("my_model.py:loss", "--wrt", "W").output


LEARNED = "there is cell.layer.weight, cell.layer.bias"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cell", "rnn"], f"tinygrad-lstm: --wrt says of which weight; {LEARNED}\n"),
        (["--cell", "rnn", "--wrt", "banana"], f"tinygrad-lstm: no weight is called 'banana'; {LEARNED}\n"),
        (["--cell", "rnn", "--wrt", "h0"], "requires no gradient; make it with requires_grad=True\n"),
        (
            ["--cell", "gru", "--layers", "2", "--wrt", "reset_gate.bias"],
            "2 tensors are called 'reset_gate.bias'; say which",
        ),
        (["my_model.py:loss", "--cell", "rnn"], "my_model.py:loss says what to derive; --cell, --steps"),
        (["my_model.py:nothing", "--wrt", "W"], "my_model.py defines no 'nothing'; there is x, W, loss()"),
        (["my_model.py:x", "--wrt", "W"], "no weight is called 'W'; there is none"),
    ],
)
def test_what_cannot_be_derived_is_said_in_one_line(arguments, said, here):
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert done.output.count("\n") == 1


def test_a_file_that_cannot_be_written(here):
    done = run("--cell", "rnn", "--wrt", "layer.bias", "--latex", "no/such/folder.tex")
    assert done.exit_code == 2
    assert "cannot write no/such/folder.tex" in done.output


def test_the_help_teaches():
    done = run("--help")
    assert "tinygrad-lstm derive --cell lstm --wrt forget_gate.weight" in done.output
    assert "--latex" in done.output


@pytest.mark.parametrize(
    "example", [line.split()[2:] for line in derive.__doc__.split("\n\n")[1:] if "my_model" not in line]
)
def test_its_examples_run(example, here):
    arguments = example[: example.index("|")] if "|" in example else example
    assert run(*arguments).exit_code == 0
