"""One thread for everybody, other people's deprecations forgiven, and a table of ratios at the end of the run."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from surroundings import faults, kernel, minor_faults

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
if "numpy" in sys.modules and os.environ.get(_ONE_THREAD[0]) != "1":
    raise pytest.UsageError(
        "numpy was imported before the benchmarks could ask it for one thread; run "
        "OPENBLAS_NUM_THREADS=1 pytest tests/benchmarks"
    )
os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))

Row = tuple[str, ...]
_tables: dict[str, list[Row]] = {}
_faults: dict[str, list[str]] = {}
"""Title → for each test that wrote into the table, the minor page faults of its run."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "default")


@pytest.fixture(scope="session")
def tables() -> dict[str, list[Row]]:
    """Title → rows, the first of them the heading; printed when all benchmarks have run."""
    return _tables


@pytest.fixture(autouse=True)
def _faults_of_a_run() -> Iterator[None]:
    rows, before = {title: len(rows) for title, rows in _tables.items()}, minor_faults()
    yield
    for title in (title for title in _tables if len(_tables[title]) > rows.get(title, 0)):
        _faults.setdefault(title, []).append(faults(before, minor_faults(), 1))


@pytest.fixture(autouse=True)
def _imports_are_not_garbage() -> Iterator[None]:
    """Keep the collector from walking four frameworks' modules in the middle of a measurement."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for title, rows in _tables.items():
        terminalreporter.section(title)
        terminalreporter.write_line(f"BLAS {kernel()}; minor page faults in each run {', '.join(_faults[title])}")
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            terminalreporter.write_line("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
