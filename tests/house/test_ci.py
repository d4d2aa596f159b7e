"""The scripts of ``.ci``: they share their steps, end with a table of seconds, and run what there is."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).parents[2] / ".ci"
SCRIPTS = ("run", "nightly")

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is missing")


def bash(*arguments):
    return subprocess.run(["bash", *arguments], capture_output=True, encoding="utf-8")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_one_for_bash_and_ends_with_the_table(script):
    text = (CI / script).read_text(encoding="utf-8")
    assert bash("-n", str(CI / script)).stderr == ""
    assert 'source "$(dirname "$0")/steps"\n' in text
    assert text.endswith("\nfinish\n")
    assert "took" not in text


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_a_script_runs_is_there(script):
    text = (CI / script).read_text(encoding="utf-8")
    modules = re.findall(r"-m (tests\.\w+)", text)
    assert modules
    assert all(importlib.util.find_spec(module) for module in modules)
    paths = re.findall(r"pytest\"? (tests/[\w/.]+)", text)
    assert paths
    assert all((CI.parent / path).exists() for path in paths)


def test_every_step_is_in_the_table_and_a_failure_ends_it():
    steps = f"source '{CI / 'steps'}'; step one; step two;"
    said = bash("-c", f"{steps} finish").stdout
    assert re.search(r"All is well\n +\d+ s  one\n +\d+ s  two\n +\d+ s  in all\n$", said)
    failed = bash("-c", f"{steps} false; finish")
    assert failed.returncode == 1
    assert "All is well" not in failed.stdout
