"""``tinygrad-lstm atlas``: a page and JSON, of all or some cells, and of a person's own; and what is refused."""

import json

import pytest
from typer.testing import CliRunner

from tinygrad_lstm.cli.app import app

MINE = """
import tinygrad_lstm as tl

class Mine(tl.nn.Cell):
    "Adds up what it sees."
    def __init__(self, input_size, hidden_size, *, rng=None):
        super().__init__(input_size, hidden_size)
        self.gate = tl.nn.gates_of(hidden_size, rng)(input_size, tl.tanh, "g")
    def forward(self, x, h):
        return h + 0.1 * self.gate(x)

class Broken(Mine):
    def __init__(self, input_size):
        pass

class Wrong(Mine):
    def forward(self, x, h):
        return wrong(super().forward(x, h))

wrong = tl.primitive("wrong", lambda x: x * x, lambda g, y, x: (x * g,))
class NotANumber(Mine):
    def forward(self, x, h):
        return tl.log(super().forward(x, h) - 9)

number = 3
lstm = Mine
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    return tmp_path


def atlas(*arguments):
    return CliRunner().invoke(app, ["atlas", *arguments])


def test_writes_the_page_and_json_of_some_cells_and_of_ones_own(here):
    done = atlas("mine.py:Mine", "--cell", "gru", "--cell", "gru", "--json", "a.json", "-o", "a.html")
    assert done.exit_code == 0, done.output
    assert [cell["name"] for cell in json.loads((here / "a.json").read_text(encoding="utf-8"))] == ["gru", "Mine"]
    assert '<article id="Mine"' in (here / "a.html").read_text(encoding="utf-8")
    assert "2 cells" in done.output


def test_json_alone_writes_no_page(here):
    assert atlas("--cell", "mgu", "--json", "a.json").exit_code == 0
    assert sorted(path.name for path in here.glob("*.*")) == ["a.json", "mine.py"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cell", "lstn"], "the atlas has no 'lstn'; it has rnn, lstm-1997,"),
        (["--train"], "--train is for a cell of yours"),
        (["mine.py:number"], "number in mine.py must be a class, a tl.nn.Cell, not 3"),
        (["mine.py:Broken"], "Broken(2, 2, rng=0) failed with TypeError"),
        (["mine.py:nothing"], "mine.py defines no 'nothing'"),
        (["mine.py:lstm"], "the atlas has a lstm already"),
        (["mine.py:Wrong", "--cell", "mgu"], "the rule of wrong is wrong"),
        (["--cell", "mgu", "-o", "a", "--json", "./a"], "a cannot be both the page and the JSON"),
        (["mine.py:NotANumber", "--cell", "mgu", "--train"], "the function returns NaN or Inf at these inputs"),
        (["--cell", "mgu", "-o", "no/where.html"], "cannot write no/where.html: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(arguments, said, here):
    done = atlas(*arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert done.output.count("\n") == 1


@pytest.mark.slow
def test_ones_own_cell_learns_what_the_others_learned(here, monkeypatch):
    from tinygrad_lstm.studies.atlas import contents, success

    short = tuple(trial._replace(budget=32, gap=20) for trial in success.TRIALS[:2])
    for part in (contents, success):
        monkeypatch.setattr(part, "TRIALS", short)
    done = atlas("mine.py:Mine", "--cell", "mgu", "--train", "--json", "a.json")
    assert done.exit_code == 0, done.output
    (_, mine) = json.loads((here / "a.json").read_text(encoding="utf-8"))
    assert [each["of"] for each in mine["success"]] == [10, 10]
