"""What our plugin costs every other project at the start of pytest: its import, beside pytest without it.

    pip install -e ".[test,bench]" && pytest tests/benchmarks

Fresh processes in turns, the best of each counts. The import is timed inside of one that has imported pytest, as those
of the whole start differ by more than it takes. Nothing fails for being slow; a star marks a target that was missed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from surroundings import starred

ROUNDS = 5
BOUND = 0.02
"""Seconds that the import may take."""

IMPORT = (
    "import pytest, time; before = time.perf_counter(); import tinygrad_lstm.testing.pytest_plugin.plugin;"
    "print(time.perf_counter() - before)"
)


def test_the_plugin_is_imported_at_once(tmp_path: Path, tables: dict[str, list[tuple[str, ...]]]) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_nothing(): pass", encoding="utf-8")
    imported, bare, whole = [], [], []
    for _ in range(ROUNDS):
        imported.append(float(python(tmp_path, "-c", IMPORT)))
        for times, without in ((bare, ("-p", "no:gradcheck")), (whole, ())):
            started = time.perf_counter()
            python(tmp_path, "-m", "pytest", "-q", "test_theirs.py", *without)
            times.append(time.perf_counter() - started)
    imports = starred(f"{min(imported):.4f} s", min(imported) > BOUND)
    row = (imports, f"{BOUND} s", f"{min(bare):.2f} s", f"{min(whole):.2f} s")
    heading = ("import", "limit", "pytest without it", "with it", "ratio")
    tables["What the plugin costs at the start"] = [heading, (*row, f"{min(whole) / min(bare):.3f}")]


def python(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=True)
    return done.stdout
