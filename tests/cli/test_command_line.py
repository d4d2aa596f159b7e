"""The commands, run as a newcomer runs them, with wrong input too."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import tinygrad_lstm as tl
from tests.cli.commands import command, newly_started
from tests.conftest import few
from tinygrad_lstm.cli.app import app
from tinygrad_lstm.cli.check import STYLES
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.named import title_of
from tinygrad_lstm.testing.verdicts import Verdict
from tinygrad_lstm.tour import TourError, run


class Links(HTMLParser):
    """What a page points to, which tags it holds, and its visible text."""

    def __init__(self, page):
        super().__init__()
        self.links, self.tags, self.text = [], [], ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ("href", "src")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def quick(monkeypatch):
    """A tour with little training."""
    monkeypatch.setattr("tinygrad_lstm.tour.guide.UPDATES", 3)
    monkeypatch.setattr("tinygrad_lstm.tour.gaps.BUDGET", 32)


def test_the_tour_writes_everything_and_links_it_from_one_page(tmp_path):
    done = newly_started("tour", "--out", str(tmp_path / "tour"), PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "index.html" in done.stdout.replace("\n", "")
    page = Links(tmp_path / "tour" / "index.html")
    assert {"network.svg", "walk.html", "check.html", "gradients.svg", "network.dot"} <= set(page.links)
    for name in ("index.html", "walk.html", "check.html"):
        for link in Links(tmp_path / "tour" / name).links:
            if link == "data:," or link.startswith("https:"):  # no icon; what one may read on
                continue
            file, _, anchor = link.partition("#")
            target = tmp_path / "tour" / (file or name)
            assert target.exists()
            assert not anchor or f'id="{anchor}"' in target.read_text(encoding="utf-8")
    assert "sky" in page.text
    assert "Yes." in page.text


@pytest.mark.parametrize("cell", few(["mingru", "lstm-1997", *CELLS]))
def test_the_tour_takes_every_cell(cell, quick, tmp_path):
    tour = run("a b a c", tmp_path, cell=cell)
    assert tour.failure is None
    name = title_of(cell)
    assert list(tour.norms) == [name, "LSTM" if cell == "rnn" else "RNN"]
    article = "an" if cell in ("rnn", "lstm", "lstm-1997") else "a"
    assert f"<h1>How {article} {name} learned" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_cell_that_is_added_is_a_choice_of_every_command(tmp_path):
    code = (
        "from tinygrad_lstm.nn import cells\n"
        "class WiderCell(cells.GRUCell): pass\n"
        "cells.CELLS['wider'] = WiderCell\n"
        "from tinygrad_lstm.cli import main; main()\n"
    )
    for arguments in (
        ["draw", "--help"],
        ["step", "--help"],
        ["source", "--help"],
        ["check", "--help"],
        ["tour", "--help"],
    ):
        environment = {**os.environ, "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, encoding="utf-8", env=environment
        )
        assert ", ".join([*CELLS, "wider"]) in " ".join(done.stdout.split()), arguments
    done = subprocess.run(
        [sys.executable, "-c", code, "step", "--cell", "wider"], input="q\n", capture_output=True, encoding="utf-8"
    )
    assert "seed" in done.stdout, done.stderr


def test_every_verdict_has_a_colour():
    assert STYLES.keys() == set(Verdict)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "🙂 🙃 🙂",
        "שלום עולם",
        "a <script>alert(1)</script> b",
        '"quoted" \\N {x} %s {{ 7*7 }}',
        "é" * 500,
        "\x00 \x1b[31m",
    ],
)
@pytest.mark.parametrize("chars", few([False, True], 1))
def test_the_tour_reads_any_text(text, chars, quick, tmp_path):
    tour = run(text, tmp_path, chars=chars)
    assert tour.failure is None
    for name, scripts in {"index.html": 2, "walk.html": 2, "check.html": 0}.items():  # data and program
        assert Links(tmp_path / name).tags.count("script") == scripts


def test_the_tour_reads_ten_thousand_words(quick, tmp_path):
    tour = run(" ".join(f"word{i % 9973}" for i in range(10_000)), tmp_path)
    assert len(tour.corpus) == 10_002
    assert tour.failure is None


@pytest.mark.slow
def test_the_tour_is_the_same_twice(quick, tmp_path):
    for name in ("one", "two"):
        run("to be or not to be", tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


@pytest.mark.parametrize("text", ["", "   \n "])
def test_an_empty_text_is_one_clear_line(text, tmp_path):
    done = command("tour", "--text", text, "--out", str(tmp_path / "tour"))
    assert done.returncode == 2
    assert done.stderr.startswith("tinygrad-lstm: the text is empty")
    assert done.stderr.count("\n") == 1


def test_a_directory_that_cannot_be_written_is_said_before_training(tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = command("tour", "--out", str(tmp_path / "file" / "tour"))
    assert done.returncode == 2
    assert "cannot write to" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "training" not in done.stdout


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot read"), (b"\xff\xfe\x00caf\xe9", "is not UTF-8"), (b" \n", "text is empty")]
)
def test_a_bad_file_is_one_clear_line(content, said, tmp_path):
    file = tmp_path / "text.txt"
    if content is not None:
        file.write_bytes(content)
    done = command("tour", "--file", str(file), "--out", str(tmp_path / "tour"))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_text_and_file_together_are_refused(tmp_path):
    done = command("tour", "--text", "a", "--file", "b")
    assert done.returncode == 2
    assert "not both" in done.stderr


def test_the_tour_fails_when_a_gradient_does(quick, tmp_path, monkeypatch):
    monkeypatch.setattr(tl.tanh, "rule", lambda g, y, x: (g * (1 - y),))
    tour = run("a b c", tmp_path)
    assert "is wrong" in tour.failure
    assert "WRONG" in Links(tmp_path / "check.html").text


@pytest.mark.slow
def test_the_command_exits_non_zero_when_a_gradient_fails(tmp_path):
    code = (
        "import tinygrad_lstm as tl; tl.tanh.rule = lambda g, y, x: (g * (1 - y),);"
        "from tinygrad_lstm.cli import main; import sys; sys.argv[1:] = sys.argv[1:]; main()"
    )
    for arguments in (["tour", "--out", str(tmp_path)], ["check", "--cell", "lstm"]):
        ran = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(ran, capture_output=True, encoding="utf-8", cwd=tmp_path)
        assert done.returncode == 1
        assert "is wrong" in (done.stdout + done.stderr).replace("\n", " ")


def test_step_walks_a_small_network_from_standard_input():
    done = command("step", "--cell", "gru", "--steps", "2", stdin="next\n\nreverse-step\nquit\n")
    assert done.returncode == 0
    assert "] seed\n" in done.stdout
    assert done.stdout.count("] backward\n") == 3
    assert "\x1b" not in done.stdout


MODEL = """
import tinygrad_lstm as tl
x = tl.tensor(2.0, requires_grad=True, name="x")
loss = x * x
"""


def test_step_walks_a_file_of_ones_own(tmp_path):
    (tmp_path / "my_model.py").write_text(MODEL)
    done = command("step", str(tmp_path / "my_model.py:loss"), stdin="c\nprint x.grad\nwhere\n")
    assert "∂L/∂x += ∂L/∂y ⊙ x" in done.stdout
    assert "\n4\n" in done.stdout
    assert "my_model.py:4" in done.stdout


def test_step_writes_a_page(tmp_path):
    page = tmp_path / "step.html"
    done = command("step", "--cell", "rnn", "--steps", "2", "--html", str(page), "--fixed")
    assert done.returncode == 0
    assert f"wrote {page}" in done.stderr
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.slow
def test_a_page_can_be_set_to_other_steps_unless_it_is_fixed(tmp_path):
    sizes = []
    for more in ([], ["--fixed"]):
        page = tmp_path / f"{len(more)}.html"
        assert command("step", "--cell", "rnn", "--html", str(page), *more).returncode == 0
        sizes.append(page.stat().st_size)
    assert sizes[1] + 50_000 < sizes[0] < 800_000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.py:loss"], "there is no file nowhere.py"),
        (["loss"], "my_model.py:loss"),
        (["my_model.py:loss", "--cell", "rnn"], "are for our own cells"),
        (["--html", "step.pdf"], "must end in .html"),
        (["--html", "no/such/step.html"], "cannot write"),
        (["--film", "film", "--window", "9:12"], "shows none of the time steps 0 to 2"),
        (["--film", "film", "--window", "x"], "--window takes A:B"),
        (["--window", "0:2"], "a page holds every step"),
        (["--every", "cell"], "--every says what a frame of a film shows; give its name with --film"),
        (["--html", "step.html", "--film", "film"], "ask for one of them at a time"),
        (["--film", "film.mp4"], "a film is a .gif, or a folder of SVGs"),
        (["--film", "/dev/null/film"], "cannot write /dev/null/film"),
        (["--film", "film", "--every", "frame"], "Invalid value for '--every'"),
    ],
)
def test_step_refuses_in_one_line(tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    done = command("step", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["draww"], ["step", "--cell", "lsmt"], ["step", "--steps", "0"], ["check", "--steps", "x"]]
)
def test_wrong_usage_is_explained_without_a_traceback(arguments):
    done = command(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("tinygrad-lstm: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["tour", "step", "check", "source"])
def test_help_teaches_by_example(name):
    done = command(name, "--help")
    assert done.returncode == 0
    assert f"tinygrad-lstm {name}" in " ".join(done.stdout.split())


def test_an_unreadable_directory_raises_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TourError, match="cannot write to"):
        run("a b", tmp_path / "file")


def test_a_text_that_is_not_unicode_is_one_clear_line(tmp_path):
    arguments = ["tour", "--text", b"\xff\xfe", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "tinygrad_lstm", *arguments], capture_output=True)
    assert done.returncode == 2
    assert b"not valid Unicode" in done.stderr


@pytest.mark.slow
def test_a_terminal_without_unicode_gets_question_marks(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for arguments in (["tour", "--out", str(tmp_path)], ["step"], ["check", "--op", "tanh"]):
        done = subprocess.run(
            [sys.executable, "-m", "tinygrad_lstm", *arguments], input=b"step\n", capture_output=True, env=environment
        )
        assert done.returncode == 0, done.stderr


def test_escape_codes_in_a_text_do_not_reach_the_terminal(tmp_path):
    done = command("tour", "--text", "a \x1b[31m b", "--out", str(tmp_path))
    assert "\x1b" not in done.stdout
    assert "\x1b" not in (tmp_path / "walk.html").read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_output_is_one_clear_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tinygrad_lstm", "check", "--op", "tanh"], stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 1
    assert b"cannot print" in done.stderr
    assert b"Traceback" not in done.stderr


def words_of_help(name, width):
    """The words of a command's help, as wide as that."""
    done = CliRunner().invoke(app, [*filter(None, [name]), "--help"], env={"COLUMNS": str(width)})
    assert done.exit_code == 0
    return [word for line in done.output.splitlines() for word in line.strip("│╭╮╰╯─ ").split() if word.strip("─╮╯")]


@pytest.mark.parametrize(
    "name",
    ["", "atlas", "check", "compare", "derive", "draw", "resume", "sample", "source", "step", "study", "tour", "train"],
)
def test_help_breaks_no_word(name):
    whole = set(words_of_help(name, 500))
    assert "--help" in whole
    for width in (72 if name == "draw" else 60, 80):  # --no-shapes leaves 60 columns too few for what is said of it
        assert [word for word in words_of_help(name, width) if word not in whole] == []
