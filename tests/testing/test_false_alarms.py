"""False alarms are counted by ``python -m tests.false_alarms``; here, that a few hundred give none."""

import pytest

import tinygrad_lstm as tl
from tests.false_alarms import KINDS, Portion, main, outcomes, portions
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.testing import Verdict


@pytest.mark.parametrize(("kind", "count"), list(zip(KINDS, (200, 30, 30), strict=True)))
@pytest.mark.slow
def test_right_gradients_alarm_nobody(kind, count):
    found, alarms = outcomes(Portion(kind, count, 7))
    assert not alarms
    assert found[Verdict.WRONG] == 0
    assert found.total() - found[Verdict.UNCHECKED] == count


def test_wrong_ones_are_counted(monkeypatch):
    monkeypatch.setattr(BUILTIN["tanh"], "rule", lambda g, y, x: (g * (1 - y),))
    found, alarms = outcomes(Portion("recurrent networks", 2, 0))
    assert found[Verdict.WRONG] == len(alarms) > 0
    assert "the rule of tanh is wrong" in alarms[0]


def test_a_tie_that_saturation_makes_passes():
    """Two tanh that are both 1 in float64, one of them by far: with 700 digits there is no tie, and no gradient."""

    def f(x, y):
        return tl.minimum(tl.tanh(y), tl.tanh(x)) ** tl.tanh(x)

    report = tl.testing.check_vjp(f, [1.0, 1.914601990814294, 46.370685672005536], 109.42069919718705)
    assert report.findings["input 1"].verdict is Verdict.UNCHECKED


def test_portions_add_up_and_have_a_seed_each():
    made = portions("random programs", 250, 3)
    assert [portion.count for portion in made] == [100, 100, 50]
    assert [portion.seed for portion in made] == [3, 4, 5]


@pytest.mark.slow
def test_the_command_prints_the_count(capsys):
    assert main(["--programs", "4", "--networks", "2", "--thorough", "2"]) == 0
    assert "0 false alarms" in capsys.readouterr().out
