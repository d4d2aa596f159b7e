"""What is compiled is checked against what is composed, at levels and sizes; a mistake in either is seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from typer.testing import CliRunner

import tinygrad_lstm as tl
from tinygrad_lstm.cli.app import app
from tinygrad_lstm.engine import ops
from tinygrad_lstm.nn.named import names
from tinygrad_lstm.program import writing
from tinygrad_lstm.program.gathering import Gathering
from tinygrad_lstm.program.statements import Assign
from tinygrad_lstm.symbolic.expressions import Apply
from tinygrad_lstm.testing import NothingCheckedError, check_cell, check_compiled

XS = np.random.default_rng(0).normal(size=(4, 2, 3))
SIX = np.random.default_rng(1).normal(size=(4, 6, 3))


@pytest.mark.parametrize("name", names())
def test_every_cell_is_the_same_compiled_and_composed(name):
    laws = check_cell(name, steps=3, compiled=True).laws
    assert laws[-2:] == ("compiled at 0: the same", "compiled at 2: the same")


def test_it_is_not_looked_at_unless_asked_for():
    assert not any("compiled" in law for law in check_cell("rnn", steps=2).laws)


def test_states_in_tuples_and_other_sizes_are_taken():
    state = tuple(np.ones((1, 2, 4)) for _ in "hc")
    other = np.ones((1, 5, 3)), tuple(np.ones((1, 5, 4)) for _ in "hc")
    assert len(check_compiled(tl.LSTM(3, 4, rng=0), XS, state, others=[other], levels=(0, 1, 2, 3))) == 4


class Doubling(Gathering):
    """Counts the last sum that it gathers twice."""

    def __init__(self, *how):
        super().__init__(*how)
        last = [each for each in self.backward if isinstance(each, Assign)][-1]
        last.expression = Apply(ops.add, (last.expression, last.expression), {}, last.target.value)


class Failing(Gathering):
    """Forgets the sums that it gathers."""

    def __init__(self, *how):
        super().__init__(*how)
        self.backward = [each for each in self.backward if not isinstance(each, Assign)]


def test_a_mistake_in_a_pass_is_seen_at_its_level(monkeypatch):
    monkeypatch.setattr(writing, "Gathering", Doubling)
    with pytest.raises(NothingCheckedError, match=r"at level 2: .*the program has another gradient of"):
        check_compiled(tl.RNN(3, 4, rng=0), XS)
    check_compiled(tl.RNN(3, 4, rng=0), XS, levels=(0,))


def test_a_program_that_fails_is_seen(monkeypatch):
    monkeypatch.setattr(writing, "Gathering", Failing)
    with pytest.raises(NothingCheckedError, match=r"at level 2: .*the program does not run at other sizes"):
        check_compiled(tl.RNN(3, 4, rng=0), XS)


def test_what_fails_in_any_case_is_no_fault_of_the_program():
    with pytest.raises(tl.ShapeError):
        check_compiled(tl.RNN(2, 4, rng=0), XS)


def test_a_program_that_is_wrong_at_other_sizes_is_seen(monkeypatch):
    right = writing.SourceCode.functions.fget

    def wrong_at_six(self):  # sequences: more than a program is tried at before it is relied on
        forward, backward = right(self)
        return forward, lambda saved, *g, **how: tuple(
            x * (1 + (g[0].shape[1] == 6)) for x in backward(saved, *g, **how)
        )

    monkeypatch.setattr(writing.SourceCode, "functions", property(wrong_at_six))
    check_compiled(tl.RNN(3, 4, rng=0), XS)
    with pytest.raises(NothingCheckedError, match="the program has another gradient of"):
        check_compiled(tl.RNN(3, 4, rng=0), XS, others=[[SIX]])


def test_what_cannot_be_compiled_is_not_passed():
    def scaled(xs):
        return xs.sum() * math.log(1 + len(xs))

    with pytest.raises(NothingCheckedError, match=r"nothing was checked of the program at level 0: .*not compiled"):
        check_compiled(scaled, XS)


def test_a_branch_that_no_recording_took_is_seen():
    with pytest.raises(NothingCheckedError, match="computes another value than the graph"):
        check_compiled(lambda xs: xs.sum() if xs.shape[1] == 6 else (xs * 2).sum(), SIX)


def check(*arguments):
    return CliRunner().invoke(app, ["check", *arguments])


def test_the_command_checks_programs_when_asked_to(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert check("--cell", "rnn", "--steps", "2", "--compiled").exit_code == 0
    monkeypatch.setattr(writing, "Gathering", Doubling)
    done = check("--cell", "rnn", "--steps", "2", "--compiled")
    assert done.exit_code == 1
    assert "the program has another gradient of" in " ".join(done.stderr.split())


def test_the_command_refuses_what_has_no_program(tmp_path):
    (tmp_path / "my_ops.py").write_text("import tinygrad_lstm as tl\ndef f(x): return tl.tanh(x)\n")
    for arguments in (["--op", "tanh", "--compiled"], [f"{tmp_path / 'my_ops.py'}:f", "--compiled"]):
        done = check(*arguments)
        assert done.exit_code == 2
        assert "--compiled is for cells" in done.stderr
