"""The command draw: any view, any file, and clear words about what cannot be drawn."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

import tinygrad_lstm as tl
from tests.cli.commands import command
from tinygrad_lstm.cli.draw import MEANINGS, Color, Direction, Format, View
from tinygrad_lstm.cli.options import AnyCell
from tinygrad_lstm.drawing import FIGURES, VIEWS
from tinygrad_lstm.drawing.picture import ENDINGS
from tinygrad_lstm.drawing.views.options import COLORS, DIRECTIONS
from tinygrad_lstm.interop.files import write_file
from tinygrad_lstm.nn.named import names

MODEL = """
import tinygrad_lstm as tl
from sizes import SIZE
print("hello from the file")
cell = tl.GRUCell(SIZE, 4, rng=0)

def loss():
    print("hello from the function")
    h = None
    for t in range(3):
        with tl.time_step(t):
            h = cell(tl.tensor([1.0] * SIZE, name="x"), h)
    return (h * h).sum()

scalar = loss()
timeless = tl.tensor([1.0], requires_grad=True, name="w").sum()
vector, _ = cell(tl.tensor([1.0] * SIZE)), None
number = 3
def needs(argument): ...
def broken():
    return 1 / 0
def leaves():
    raise SystemExit(0)
def _typed(argument: int): ...
assert _typed.__annotations__ == {"argument": int}, "it is not compiled as a part of ours"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "my_model.py").write_text(MODEL)
    (tmp_path / "sizes.py").write_text("SIZE = 2\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def draw(*arguments):
    return command("draw", *arguments, columns=300)


def test_the_choices_are_those_that_there_are():
    assert list(View) == [*VIEWS, *FIGURES]
    assert all(kind.meaning in MEANINGS for kind in FIGURES.values())
    assert all(view.meaning in MEANINGS and view.meaning in tl.draw.__doc__ for view in VIEWS.values())
    assert all(f'"{direction}"' in tl.draw.__doc__ for direction in DIRECTIONS)
    assert "<" not in tl.draw.__doc__
    assert list(Color) == list(COLORS)
    assert list(AnyCell) == names()
    assert list(Direction) == list(DIRECTIONS)
    assert set(Format) == set(ENDINGS)


def test_writes_every_format_in_one_call(here):
    done = draw("--view", "rolled", *(word for ending in ENDINGS for word in ("-o", f"loop.{ending}")))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph", "html": b"<!doctype html>"}
    for ending, start in starts.items():
        assert (here / f"loop.{ending}").read_bytes().startswith(start)
    assert done.stderr.count("wrote loop.") == len(ENDINGS)


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_drawn_by_its_name(figure, here):
    done = draw("--view", figure, "--cell", "gru", "--window", "2:10")
    assert done.returncode == 0, done.stderr
    assert (here / f"gru-{figure}.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_a_rainbow_of_one_weight_is_asked_for_by_its_name(here):
    done = draw("--view", "rainbow", "--highlight", "cell.forget_gate.weight", "-o", "-")
    assert "cell.forget_gate.weight" in done.stdout
    assert "cell.output_gate.weight" not in done.stdout


def test_takes_all_options_at_once(here):
    options = ["--cell", "gru", "--steps", "9", "--layers", "2", "--bidirectional", "--window", "2:4", "--values"]
    options += ["--gradients", "--no-shapes", "--color", "gradient", "--highlight", "xs", "--depth", "1", "--legend"]
    options += ["--expand", "t2", "--direction", "top-to-bottom", "--view", "cells", "-o", "-", "--format", "svg"]
    done = draw(*options)
    assert done.returncode == 0, done.stderr
    words = {"".join(e.itertext()) for e in ET.fromstring(done.stdout).iter("{http://www.w3.org/2000/svg}text")}
    assert {"… 2 steps …", "… 5 steps …", "size of the gradient, ‖∂L/∂·‖"} <= words


@pytest.mark.parametrize(("window", "shown"), [("all", 30), (":2", 2), ("28:", 2), ("3:5", 2)])
def test_a_window_may_be_open(window, shown, here):
    done = draw("--cell", "rnn", "--steps", "30", "--view", "cells", "--window", window, "-o", "-")
    assert done.stdout.count(">RNNCell</text>") == shown


@pytest.mark.parametrize("name", ["loss", "scalar"])
def test_draws_what_a_file_defines_and_keeps_what_it_prints_out_of_the_picture(name, here):
    done = draw(f"my_model.py:{name}", "-o", "-", "--format", "dot")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("digraph")
    assert "hello from the file" in done.stderr
    assert draw(f"my_model.py:{name}").returncode == 0
    assert (here / f"{name}-gates.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["my_model.py"], "write FILE.py:NAME, as in my_model.py:loss"),
        (["nowhere.py:loss"], "there is no file nowhere.py"),
        (
            ["my_model.py:lost"],
            "my_model.py defines no 'lost'; there is scalar, timeless, vector, loss(), needs(), broken()",
        ),
        (["my_model.py:number"], "number in my_model.py is no Tensor; its type is int"),
        (["my_model.py:needs"], "must be a function without arguments (missing a required argument: 'argument')"),
        (["my_model.py:broken"], "broken in my_model.py failed in line 21: ZeroDivisionError: division by zero"),
        (["my_model.py:leaves"], "leaves in my_model.py failed in line 23: SystemExit: 0"),
        (["my_model.py:loss", "--steps", "3"], "--cell, --steps, --layers and --bidirectional are for our own cells"),
        (["--window", "two"], "--window takes A:B, as in 10:15, or all, not 'two'"),
        (["--window", "7:9"], "steps=(7, 9) shows none of the time steps 0 to 3"),
        (["--expand", "attic"], "expand='attic' fits nothing in this picture; what can be opened: t0.cell"),
        (["--highlight", "y"], "no tensor here is called 'y'; there is cell.forget_gate.weight"),
        (["--highlight", "h"], "4 tensors are called 'h'; say which: t0.cell.mul_3, t1.cell.mul_3"),
        (["-o", "x.jpeg"], "cannot save a picture as 'x.jpeg': the name must end in .svg"),
        (["-o", "fine.svg", "-o", "x"], "cannot save a picture as 'x'"),
        (["-o", "x.svg", "--format", "png"], "x.svg is not where to write png"),
        (["--view", "openings", "--cell", "rnn"], "there are no gates in this network"),
        (["my_model.py:timeless", "--view", "rainbow"], "there are no time steps in this graph: run a recurrent layer"),
        (["my_model.py:vector", "--view", "rainbow"], "reduce it to one number first"),
        (["--view", "rainbow", "--values"], "values means nothing for the figure 'rainbow', which takes steps and"),
        (["--view", "openings", "--highlight", "xs"], "highlight means nothing for the figure 'openings'"),
        (["--view", "openings", "-o", "x.dot"], "cannot save a figure as 'dot': the name must end in .svg, .png"),
        (["--view", "rainbow", "--window", "40:50"], "steps=(40, 50) shows none of the time steps 0 to 11"),
        (["-o", "no/such/folder/x.svg"], "cannot write no/such/folder/x.svg: No such file or directory"),
        (
            ["--cell", "rnn", "--steps", "45", "--view", "ops", "--window", "all", "-o", "x.png"],
            "more than a PNG can hold",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(arguments, said, here):
    before = sorted(here.iterdir())
    done = draw(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in sorted(here.iterdir()) if path.suffix != ""] == [p for p in before if p.suffix != ""]


def test_a_mistake_in_another_file_is_not_blamed_on_a_line_of_this_one(here):
    (here / "sizes.py").write_text("SIZE = (\n")
    done = draw("my_model.py:loss")
    assert "my_model.py failed in line 3: SyntaxError" in done.stderr


def test_a_closed_output_is_one_line(here):
    run = [sys.executable, "-m", "tinygrad_lstm", "draw", "-o", "-"]
    done = subprocess.run(run, capture_output=True, encoding="utf-8", preexec_fn=lambda: os.close(1))
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_link_stays_one_and_permissions_stay_what_they_were(tmp_path):
    target, link = tmp_path / "target.svg", tmp_path / "link.svg"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    write_file(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o600


def test_what_is_no_regular_file_is_written_into(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen([sys.executable, "-c", f"print(open({json.dumps(str(pipe))}).read())"], stdout=-1)
    write_file(pipe, "through the pipe")
    assert b"through the pipe" in reader.communicate()[0]
    assert pipe.is_fifo()


def test_help_teaches_by_example():
    done = draw("--help")
    assert done.returncode == 0
    assert done.stdout.count("tinygrad-lstm draw ") >= 4


def test_a_story_is_a_view_by_one_word(here):
    assert draw("--story", "--cell", "gru", "-o", "story.svg").returncode == 0
    assert "forgotten" in (here / "story.svg").read_text(encoding="utf-8")
    assert "leave out --view ops" in draw("--story", "--view", "ops").stderr
    refused = draw("--story", "--cell", "rnn")
    assert refused.returncode == 2
    assert "no story of a cell without gates" in refused.stderr
