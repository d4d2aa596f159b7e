"""The pytest plugin: a fixture, a marker, and one report for each wrong gradient, as a person's own tests meet them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

TESTS = """
import numpy as np
import pytest
import tinygrad_lstm as tl
from hypothesis import given
from tinygrad_lstm.testing.profiles import chosen
from tinygrad_lstm.testing.generate.strategies import tensors

swish = tl.primitive("swish", lambda x: x / (1 + np.exp(-x)), lambda g, y, x: (g * tl.sigmoid(x) * (1 + x),))


def test_right(gradcheck):
    assert gradcheck(tl.tanh, [1.0, 2.0]).worst < 100
    assert gradcheck.op(tl.tanh).cases == 50
    assert gradcheck.cell("rnn").verdict == "PASS"
    assert gradcheck.jvp(tl.sigmoid, [0.5]).verdict == "PASS"
    assert gradcheck.second_order(tl.sin, [0.5]).verdict == "PASS"
    gradcheck.same(tl.softplus, lambda x: tl.log(1 + tl.exp(x)), [0.5, -1.0])
    gradcheck.detects(tl.tanh, lambda g, y, x: (g * (1 - y),), [0.5, -1.0])


def test_wrong(gradcheck):
    with tl.time_step(3), tl.scope("cell"):
        gradcheck(lambda x, w: tl.tanh(swish(x @ w)), [[0.5, -1.0]], [[1.0], [2.0]])


@given(x=tensors((2, 3), high=3.0))
def test_wrong_for_hypothesis(gradcheck, x):
    gradcheck(swish, x)


def test_wrong_at_draws(gradcheck):
    gradcheck.op(swish)


def test_breaks_a_law(gradcheck):
    gradcheck.same(tl.tanh, swish, [1.0])


def test_wrong_without_the_fixture():
    tl.testing.check_vjp(swish, [1.0])


def test_two_wrong_at_once():
    with pytest.raises(tl.testing.GradientError) as first:
        tl.testing.check_vjp(swish, [1.0])
    raise ExceptionGroup("both", [ValueError("no gradient"), first.value])


def test_fails_for_another_reason(gradcheck):
    assert False


def test_checks_nothing(gradcheck):
    gradcheck(lambda x: 0.0 * x, [1.0])


@given(x=tensors((2, 3)))
def test_checks_nothing_of_what_is_drawn(gradcheck, x):
    gradcheck(lambda x: 0.0 * x, x)


@given(x=tensors((3,)))
def test_draws_again_where_there_is_nothing_to_check(gradcheck, x):
    gradcheck(lambda x: tl.relu(x[0]), x)


@pytest.mark.gradcheck(profile="nightly", rng=3, directions=2)
def test_marked(gradcheck):
    assert chosen().profile == "nightly"
    seen = gradcheck(tl.tanh, [1.0, 2.0]).findings["input 0"].ours
    assert seen == tl.testing.check_vjp(tl.tanh, [1.0, 2.0], rng=3, directions=2).findings["input 0"].ours
    assert seen != gradcheck(tl.tanh, [1.0, 2.0], rng=4).findings["input 0"].ours
    gradcheck.cell("rnn", 2)


@pytest.mark.gradcheck(seed=3)
def test_marked_wrongly(gradcheck):
    pass


def test_chosen(gradcheck):
    print("chosen", chosen().profile)
"""


def run(folder, *arguments, **environment):
    without = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS")}
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "test_ops.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", env={**without, **environment})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("theirs")
    (made / "test_ops.py").write_text(TESTS, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def output(folder):
    return run(folder, "-q").stdout


def report_on(test, output):
    """What pytest says of one failed test."""
    found = re.search(
        rf"^_+ (ERROR at setup of )?{test} _+$(.*?)(?=^_+ \w+ _+$|^=+ )", output, re.MULTILINE | re.DOTALL
    )
    assert found, output
    return found[2]


@pytest.mark.slow
def test_who_passes_and_who_does_not(output):
    failed = set(re.findall(r"^FAILED test_ops.py::(\w+)", output, re.MULTILINE))
    assert failed == {
        "test_wrong",
        "test_wrong_for_hypothesis",
        "test_wrong_at_draws",
        "test_breaks_a_law",
        "test_wrong_without_the_fixture",
        "test_two_wrong_at_once",
        "test_fails_for_another_reason",
        "test_checks_nothing",
        "test_checks_nothing_of_what_is_drawn",
    }
    assert re.findall(r"^ERROR test_ops.py::(\w+)", output, re.MULTILINE) == ["test_marked_wrongly"]
    assert "9 failed, 4 passed, 1 error" in output


@pytest.mark.parametrize(
    "test", ["test_wrong", "test_wrong_for_hypothesis", "test_wrong_without_the_fixture", "test_two_wrong_at_once"]
)
@pytest.mark.slow
def test_a_wrong_gradient_has_one_report(test, output, folder):
    said = report_on(test, output)
    assert said.count("- gradient check -") == 1
    assert "The rule of swish is wrong" in said
    assert ("wrong in cell at t=3" in said) == (test == "test_wrong")
    for line in (r"complex step +-?\d", r"differences +-?\d", r"700 digits +-?\d", "order of convergence +1 +3"):
        assert re.search(line, said)
    picture = Path(re.search(r"Its picture: (.*\.svg)", said)[1])
    assert picture.parent == folder / ".pytest_cache" / "d" / "gradcheck"
    words = {"".join(element.itertext()) for element in ET.parse(picture).iter("{http://www.w3.org/2000/svg}text")}
    assert {"swish", "wrong"} <= words


@pytest.mark.slow
def test_the_smallest_program_of_the_report_runs_and_fails_again(output, folder):
    said = report_on("test_wrong", output)
    program = re.search(r"shows it:\n\n(.*?)\n\nIts picture", said, re.DOTALL)[1]
    lines = [line[4:] for line in program.splitlines()]
    assert "    y0 = test_ops.swish(x0)" in lines
    assert sum("swish" in line or "tanh" in line for line in lines) == 1
    (folder / "smallest.py").write_text("\n".join(lines), encoding="utf-8")
    again = subprocess.run([sys.executable, "smallest.py"], cwd=folder, capture_output=True, encoding="utf-8")
    assert "the rule of swish is wrong" in again.stderr


@pytest.mark.slow
def test_the_traceback_ends_where_the_person_asked(output):
    for test in ("test_wrong", "test_wrong_for_hypothesis", "test_wrong_without_the_fixture"):
        assert "tinygrad_lstm/testing" not in report_on(test, output)


@pytest.mark.slow
def test_what_is_no_wrong_gradient_has_no_report(output):
    for test in ("test_fails_for_another_reason", "test_checks_nothing"):
        assert "- gradient check -" not in report_on(test, output)
    assert "nothing was checked" in report_on("test_checks_nothing", output)


@pytest.mark.slow
def test_a_wrong_mark_says_what_a_right_one_takes(output):
    said = report_on("test_marked_wrongly", output)
    assert (
        "pytest.mark.gradcheck takes, by name, rng, directions, order, rtol, and profile, one of dev, ci, nightly"
        in said
    )
    assert "{'seed': 3}" in said


def test_the_marker_selects_what_uses_the_fixture(folder):
    done = run(folder, "--collect-only", "-q", "-m", "not gradcheck", "--strict-markers")
    assert set(re.findall(r"::(\w+)", done.stdout)) == {"test_wrong_without_the_fixture", "test_two_wrong_at_once"}


@pytest.mark.parametrize(
    ("arguments", "environment", "profile"),
    [([], {}, "dev"), ([], {"CI": "true"}, "ci"), (["--gradcheck-profile", "nightly"], {"CI": "true"}, "nightly")],
)
@pytest.mark.slow
def test_profiles(arguments, environment, profile, folder):
    done = run(folder, "-q", "-s", "-k", "test_chosen", *arguments, **environment)
    assert f"chosen {profile}" in done.stdout


@pytest.mark.slow
def test_without_a_cache_or_graphviz_no_dot_fills_the_log(folder):
    said = run(folder, "-q", "-p", "no:cacheprovider", "-k", "without_the_fixture").stdout
    assert "Its picture: failure.picture(), of the error" in said
    assert "digraph" not in said
    (folder / "pygraphviz.py").write_text("raise ImportError('not here')", encoding="utf-8")
    try:
        said = run(folder, "-q", "-k", "without_the_fixture", PATH="").stdout
    finally:
        (folder / "pygraphviz.py").unlink()
    assert re.search(r"Its picture could not be drawn \(.*\); its DOT is failure.picture\(\).source", said)
    assert "digraph" not in said


@pytest.mark.slow
def test_a_failure_says_its_seed_and_the_line_that_repeats_it(folder):
    """To the last digit; also of what is no wrong rule, but a law that is broken."""
    said = run(folder, "-q", "-k", "test_wrong_at_draws or test_breaks_a_law").stdout
    for test in ("test_wrong_at_draws", "test_breaks_a_law"):
        line = re.search(
            rf"to see it again: pytest (test_ops.py::{test} --gradcheck-profile=dev --gradcheck-seed=\d+)", said
        )
        again = run(folder, "-q", *line[1].split()[1:], "-k", test).stdout
        assert numbers_of(test, again) == numbers_of(test, said)
    other = run(folder, "-q", "-k", "test_wrong_at_draws", "--gradcheck-seed=1").stdout
    assert "--gradcheck-seed=1\n" in other
    assert numbers_of("test_wrong_at_draws", other) != numbers_of("test_wrong_at_draws", said)


def numbers_of(test, output):
    return re.findall(r"GradientError: .*", report_on(test, output))


@pytest.mark.slow
def test_junit_xml_carries_the_report(folder):
    run(folder, "-q", "--junitxml=junit.xml", "-k", "without_the_fixture")
    (failure,) = ET.parse(folder / "junit.xml").iter("failure")
    assert "The smallest program that shows it" in failure.text


def test_the_plugin_costs_a_project_nothing_that_does_not_use_it():
    code = (
        "import sys, pytest; before = set(sys.modules); import tinygrad_lstm.testing.pytest_plugin.plugin;"
        "new = set(sys.modules) - before; print(*new - set(sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("tinygrad_lstm")}
    assert "numpy" not in done.stdout
    assert loaded == {
        "tinygrad_lstm",
        "tinygrad_lstm.testing",
        "tinygrad_lstm.testing.profiles",
        "tinygrad_lstm.testing.pytest_plugin",
        "tinygrad_lstm.testing.pytest_plugin.plugin",
    }
