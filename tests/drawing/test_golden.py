"""Golden texts stay what they were; ``python -m tests.golden`` regenerates them."""

import os
import subprocess
import sys

import pytest

from tests.golden import GOLDENS, HERE, cell_dot


@pytest.mark.parametrize("name", GOLDENS)
def test_text_is_what_it_was(name):
    assert GOLDENS[name]() == (HERE / name).read_text(encoding="utf-8")


def test_no_golden_text_is_left_over():
    kept = {path.name for path in HERE.iterdir() if path.suffix in (".dot", ".txt")}
    assert kept == set(GOLDENS)


def test_dot_is_the_same_in_another_process_with_another_hash_seed():
    code = "from tests.golden import cell_dot; print(cell_dot('lstm'), end='')"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
        assert run.stdout.decode("utf-8") == cell_dot("lstm")
