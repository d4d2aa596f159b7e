"""What the README says is what happens."""

import doctest
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.false_alarms import NETWORKS, PROGRAMS
from tests.mutation.planted import all_mutants

HERE = Path(__file__).parent.parent
README = (HERE / "README.md").read_text(encoding="utf-8")


def run(*arguments, **how):
    return subprocess.run([sys.executable, *arguments], capture_output=True, encoding="utf-8", check=True, **how)


def test_its_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(str(HERE / "README.md"), module_relative=False, optionflags=flags, encoding="utf-8")
    assert result.attempted > 15
    assert not result.failed


def test_the_tour_prints_what_it_says(tmp_path):
    printed = run("-m", "tinygrad_lstm", "tour", cwd=tmp_path).stdout
    shown = re.search(r"```text\n(.*?)```", README, re.DOTALL)[1]
    digits = re.compile(r"\d+(\.\d+)?")  # rounding may differ between machines, words may not
    happened = [digits.sub("#", line).rstrip() for line in printed.splitlines()]
    for said in shown.splitlines():
        assert digits.sub("#", said) in happened


@pytest.mark.slow
def test_its_commands_run(tmp_path):
    shutil.copytree(HERE / "demos", tmp_path / "demos")
    shutil.copy(HERE / "demos" / "vanishing.py", tmp_path / "my_model.py")
    commands = re.findall(r"`tinygrad-lstm ([^`]+)`", README)
    assert len(commands) >= 8
    assert "check" in commands  # all of ours take a while: .ci/run
    for command in set(commands) - {"check"}:
        run("-m", "tinygrad_lstm", *command.split(), cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert "`python demos/check_your_own_gradient.py`" in README
    run("check_your_own_gradient.py", cwd=tmp_path / "demos")
    shown = re.findall(r"\]\((demos/\w+\.svg)\)", README)
    assert len(shown) == 8
    for picture in shown:
        assert words(tmp_path / picture) == words(HERE / picture)
    by_command = [picture for picture in shown if f"-o {picture}`" in README]
    assert len(by_command) == 5, "each of these stands beside the command that makes it"


@pytest.mark.slow
def test_its_commands_train(tmp_path):
    shutil.copy(HERE / "README.md", tmp_path)
    (block,) = re.findall(r"```sh\n(tinygrad-lstm train .*?)```", README, re.DOTALL)
    said = [
        run("-m", *shlex.split(line.replace("-lstm", "_lstm", 1)), cwd=tmp_path).stdout for line in block.splitlines()
    ]
    assert "50 steps" in said[0]
    assert said[1].startswith("The gra")
    assert "60 steps" in said[2]


@pytest.mark.slow
def test_its_tests_pass(tmp_path):
    (block,) = re.findall(r"```python\n(def .*?)```", README, re.DOTALL)
    (tmp_path / "test_it.py").write_text(BEFORE_ITS_TESTS + block, encoding="utf-8")
    done = run("-m", "pytest", "-q", "-p", "no:xdist", "test_it.py", cwd=tmp_path)
    assert "2 passed" in done.stdout


BEFORE_ITS_TESTS = """
import numpy as np
from hypothesis import given

import tinygrad_lstm as tl
from tinygrad_lstm.testing import strategies

my_layer, xs = tl.GRU(2, 3, rng=0), np.ones((4, 1, 2))
my_op = tl.primitive("my_op", lambda x: x * x, lambda g, y, x: (2 * x * g,))


"""


def test_it_counts_the_mistakes_that_are_planted():
    assert f"plants {len(all_mutants()):,} mistakes" in README
    assert f"{PROGRAMS:,} random programs and {NETWORKS:,} random" in " ".join(README.split())


def words(path):
    """All one can read in a picture; digits may differ between machines in the last place."""
    texts = ["".join(e.itertext()) for e in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")]
    return sorted(re.sub(r"\d+(\.\d+)?", "#", text) for text in texts)
