"""A cell of one's own is measured beside ours, and what is none is refused in a line."""

import pytest
from typer.testing import CliRunner

from tinygrad_lstm.cli.app import app
from tinygrad_lstm.studies import reach

CELL = """
import tinygrad_lstm as tl

class Mine(tl.GRUCell):
    pass

class Broken(tl.GRUCell):
    def __init__(self, D, H, *, rng=None):
        raise RuntimeError("not today")

number = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_model.py"
    path.write_text(CELL, encoding="utf-8")
    return str(path)


def test_it_stands_beside_ours(file, monkeypatch):
    small = reach.over_the_gap
    monkeypatch.setattr(reach, "over_the_gap", lambda make, gap, updates, seeds: small(make, gap, 1, 1))
    done = CliRunner().invoke(app, ["study", "gradients", "--only", "cell=GRU", "--cell", f"{file}:Mine"])
    assert done.exit_code == 0, done.output
    assert "Mine" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gradients", "--cell", "{}:number"], "must be a class, a tl.nn.Cell, made by number"),
        (["gradients", "--cell", "{}:Broken"], "RuntimeError: not today"),
        (["gradients", "--cell", "{}:none"], "defines no"),
        (["gradients", "--cell", "nowhere.py:Mine"], "there is no file"),
        (["memory", "--cell", "{}:Mine"], "memory takes no cell of yours; gradients does"),
    ],
)
def test_what_is_no_cell_is_refused_in_a_line(file, arguments, said):
    done = CliRunner().invoke(app, ["study", *(each.format(file) for each in arguments)])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert len(done.output.strip().splitlines()) == 1
