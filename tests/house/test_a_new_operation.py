"""A new operation of ours is an entry, an export and a command for the stub: the generated tests find it by itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ENTRY = """
gudermannian = primitive(
    "gudermannian",
    lambda x: 2 * np.arctan(np.tanh(0.5 * x)),
    lambda g, y, x: (g * cos(y),),
    "gd",
    range=(-math.pi / 2, math.pi / 2),
    doc="Return the Gudermannian function of x, 2 arctan(tanh(x / 2)).",
)
"""


def planted(folder, entry):
    """Copy the package and its tests, and put an operation into them as one would by hand."""
    for name in ("tinygrad_lstm", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    page = folder / "tinygrad_lstm" / "engine" / "ops.py"
    marker = "\n# Choosing.\n"
    source = page.read_text(encoding="utf-8")
    assert source.count(marker) == 1
    page.write_text(source.replace(marker, f"{entry}{marker}"), encoding="utf-8")
    export = folder / "tinygrad_lstm" / "__init__.py"
    text = export.read_text(encoding="utf-8")
    assert text.count('"exp", ') == 1
    export.write_text(text.replace('"exp", ', '"exp", "gudermannian", '), encoding="utf-8")


def generated_tests(folder):
    """Run what is generated for every operation, of this one, in the copy."""
    files = [f"tests/engine/test_{name}.py" for name in ("primitives", "described_once", "documentation")]
    files += ["tests/symbolic/test_tracer.py", "tests/house/test_stub.py", "tests/testing/test_strategies.py"]
    named = "gudermannian or operation or stub or opinion"
    subprocess.run([sys.executable, "-m", "tests.house.stub"], cwd=folder, check=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", named]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")


@pytest.mark.slow
def test_a_new_operation_needs_its_entry_and_its_export_only(tmp_path):
    planted(tmp_path, ENTRY)
    done = generated_tests(tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    code = (
        "import tinygrad_lstm as tl, inspect;"
        "x = tl.tensor([0.5], requires_grad=True, name='x'); y = tl.gudermannian(x);"
        "from tinygrad_lstm.engine.ops import BUILTIN;"
        "from tinygrad_lstm.testing.report.code import as_code;"
        "print(tl.formula(y), 'gudermannian' in BUILTIN, 'tl.gudermannian(x)' in as_code(tl.Graph(y)),"
        " tl.testing.check_op(tl.gudermannian).verdict, 'gd' in tl.draw(y).source)"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert shown.stdout.split()[-4:] == ["True", "True", "PASS", "True"], shown.stderr[-2000:]


@pytest.mark.slow
def test_a_new_operation_with_a_wrong_rule_is_caught(tmp_path):
    planted(tmp_path, ENTRY.replace("g * cos(y)", "g * cos(x)"))
    done = generated_tests(tmp_path)
    assert done.returncode == 1
    assert "the rule of gudermannian is wrong" in done.stdout
