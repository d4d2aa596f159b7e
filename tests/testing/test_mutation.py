"""The mutation score is measured by ``python -m tests.mutation``; here, that what it measures is what it says."""

from collections import Counter
from fractions import Fraction
from itertools import islice

import pytest

from tests.mutation import programs
from tests.mutation.__main__ import chosen
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.planted import all_mutants, of_programs
from tests.mutation.rewrites import mutants
from tinygrad_lstm.program import building
from tinygrad_lstm.structure import rolling

MUTANTS = all_mutants()
EVERY = [*MUTANTS, *of_programs()]


def test_mutants_are_many_and_everywhere():
    assert len(MUTANTS) > 1000
    groups = Counter(mutant.group for mutant in MUTANTS)
    assert {"engine", "classics", "layers in time", "lstm cell", "gru cell", "rule of tanh"} <= set(groups)


def test_no_two_are_the_same():
    names = Counter(mutant.name for mutant in MUTANTS)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("key", EQUIVALENT)
def test_each_explanation_is_of_a_mutant_that_there_is(key):
    assert any(mutant.name == key or (key.endswith("*") and mutant.name.startswith(key[:-1])) for mutant in EVERY)


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.group == "classics"][::3], ids=lambda mutant: mutant.name)
def test_the_checks_pass_what_is_right_and_catch_the_classics(mutant):
    mutant.caught()
    with mutant.planted(), pytest.raises(Exception):  # noqa: B017, PT011  (whoever catches it first)
        mutant.caught()
    mutant.caught()


def test_programs_have_groups_of_their_own():
    there_are = list(of_programs())
    assert {mutant.group for mutant in there_are} == {"rolling up", "programs", "passes"}
    assert len({mutant.name for mutant in there_are}) == len(there_are) > 1000
    assert len({mutant.caught for mutant in there_are}) == 2  # so that what is right is found out once


@pytest.fixture
def few_cases(monkeypatch):
    """Two programs and no test: what all of them catch, ``python -m tests.mutation`` finds out."""
    texts = list(islice(programs._texts(), 2))
    monkeypatch.setattr(programs, "_texts", lambda: texts)
    monkeypatch.setattr(programs, "_tests", lambda: ())
    programs.cases.cache_clear()
    yield
    programs.cases.cache_clear()


def test_the_check_of_programs_passes_what_is_right_and_asks_for_what_a_function_has_a_part_in(few_cases):
    before = [function.__code__ for module in (building, rolling) for function in programs.functions_of(module)]
    wrong = next(mutant for mutant in of_programs() if mutant.target == "building._BackwardPass.build")
    wrong.caught()
    with wrong.planted(), pytest.raises(Exception):  # noqa: B017, PT011
        wrong.caught()
    wrong.caught()
    assert all("building._BackwardPass.build" in case.ran for case in programs.cases())
    assert not any("compiled.compile" in case.ran for case in programs.cases())
    assert before == [function.__code__ for module in (building, rolling) for function in programs.functions_of(module)]


def test_another_text_is_caught(few_cases, monkeypatch):
    case = programs.cases()[0]
    monkeypatch.setattr(programs, "_told", lambda source: f"{source} and more")
    with pytest.raises(AssertionError):
        case.require_same()


def test_a_share_is_the_same_for_a_seed_and_the_next_days_bring_the_rest():
    thirds = [chosen(MUTANTS, [], Fraction("1/3"), seed) for seed in (740_000, 740_001, 740_002)]
    assert thirds[0] == chosen(MUTANTS, [], Fraction("1/3"), 740_000)
    assert sorted(mutant.name for third in thirds for mutant in third) == sorted(mutant.name for mutant in MUTANTS)
    assert chosen(MUTANTS, [], Fraction(1), 5) == MUTANTS
    assert {mutant.group for mutant in chosen(MUTANTS, ["lstm cell"], Fraction("1/10"), 5)} == {"lstm cell"}


def test_a_rewriting_makes_every_mistake_once():
    made = dict(mutants("lambda g, y, x: (g * (1 - y * y),)"))
    assert len(made) == len(set(made.values())) > 20
    assert "lambda g, y, x: (g * (1 + y * y),)" in made.values()
    assert "lambda g, y, x: (-1 * (g * (1 - y * y)),)" in made.values()
