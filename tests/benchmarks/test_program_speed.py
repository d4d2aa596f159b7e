"""Compiled layers beside the same by hand, composed, and PyTorch's: a few lines of ``python -m tests.benchmarks``.

    pip install -e ".[test,bench]" && pytest tests/benchmarks

Nothing fails for being slow. What fails is a program that fell back to the graph, and anything that was computed
otherwise. All of it, at all sizes, is what ``python -m tests.benchmarks`` prints, as .ci/nightly does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.benchmarks import ours, passes, theirs
from tests.benchmarks.cells import LAYERS
from tests.benchmarks.jobs import SIZES, Contender, Job, Missing, differences, given
from tests.benchmarks.lines import Line, compared, soak_of, title
from tests.benchmarks.turns import in_turns

AT_ONCE = [*ours.CONTENDERS, *(name for name in theirs.CONTENDERS if name not in ("torch.compile", "JAX scan"))]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cell", LAYERS)
def test_all_contenders_compute_the_same(cell: str, dtype: str) -> None:
    numbers = given(Job(cell, (6, 3, 4, 5), dtype))
    right = results(ours.CONTENDERS["composed"](numbers))
    for name in AT_ONCE:
        try:
            contender = {**ours.CONTENDERS, **theirs.CONTENDERS}[name](numbers)
        except Missing:
            continue
        found = results(contender)
        assert not found or differences(right, found) == [], name
        assert contender.note() == "", name


@pytest.mark.parametrize("name", passes.PASSES)
def test_without_a_pass_another_program_computes_the_same(name: str) -> None:
    cell = next(cell for cell in passes.CELLS if passes.program_without(name, cell) != passes.program(cell))
    numbers = given(Job(cell, (6, 3, 4, 5), "float64"))
    contender = passes.CONTENDERS[f"without {name}"](numbers)
    assert differences(results(ours.CONTENDERS["composed"](numbers)), results(contender)) == []
    assert contender.note() == ""


def results(contender: Contender) -> dict[str, Any]:
    """What is found by the second run, in which arrays are used again."""
    contender.run()
    contender.run()
    return {name: np.array(array) for name, array in contender.results().items()}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_compiled_lstm(dtype: str, tables: dict[str, list[tuple[str, ...]]]) -> None:
    job = Job("LSTM", SIZES[0], dtype)
    measured = in_turns(job, ["composed", "compiled 3", "by hand", "torch.nn"], spend=0.3)
    shown(list(compared(job, measured)), tables)
    assert not measured["composed"].missing, title(job)


def test_a_thousand_steps_of_training_leave_nothing_behind(tables: dict[str, list[tuple[str, ...]]]) -> None:
    found = list(soak_of(1000))
    shown(found, tables)
    assert all(line.met is not False for line in found)


def shown(lines: list[Line], tables: dict[str, list[tuple[str, ...]]]) -> None:
    rows = tables.setdefault("Compiled layers, forward and backward", [("what", "value", "budget", "", "beside")])
    rows += [line.told() for line in lines]
    assert [problem for line in lines for problem in line.faults] == []
