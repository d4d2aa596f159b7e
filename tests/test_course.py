"""The course of ``demos/README.md`` runs: each solution passes its own check, and no beginning does."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from tests import course
from tinygrad_lstm.studies.applications import APPLICATIONS, path_of
from tinygrad_lstm.testing import GradientError

LESSONS = course.lessons()
EXERCISES = [(lesson, exercise) for lesson in LESSONS for exercise in lesson.exercises]


def run(lesson, *more):
    """Run the lines of a lesson, and more of them."""
    names: dict[str, object] = {}
    for code in (lesson.code, *more):
        exec(compile(code, f"<lesson {lesson.number}>", "exec"), names)


def test_there_are_twelve_with_two_exercises_each():
    assert [lesson.number for lesson in LESSONS] == list(range(1, 13))
    assert [exercise.name for _, exercise in EXERCISES] == [f"{n}{letter}" for n in range(1, 13) for letter in "ab"]


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES, ids=lambda each: getattr(each, "name", ""))
def test_a_solution_passes_and_a_beginning_does_not(lesson, exercise):
    run(lesson, exercise.solution, exercise.check)
    with pytest.raises((AssertionError, GradientError)):
        run(lesson, exercise.beginning, exercise.check)


def test_lessons_are_written_as_notebooks_without_solutions(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["course", str(tmp_path / "notebooks")])
    assert course.main() == 0
    assert {str(path) for path in (tmp_path / "notebooks").iterdir()} == set(capsys.readouterr().out.split())
    paths = sorted((tmp_path / "notebooks").glob("lesson_*.ipynb"))
    for path, lesson in zip(paths, LESSONS, strict=True):
        written = json.loads(path.read_text(encoding="utf-8"))
        text = "\n".join(cell["source"] for cell in written["cells"])
        assert lesson.code.strip() in text
        assert all(exercise.check.strip() in text for exercise in lesson.exercises)
        assert not any(exercise.solution.strip() in text for exercise in lesson.exercises)
        assert len({cell["id"] for cell in written["cells"]}) == len(written["cells"])


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_notebook_of_an_application_has_all_of_its_code_and_its_prose(name):
    source = path_of(APPLICATIONS[name]).read_text(encoding="utf-8")
    cells = course.demonstration(path_of(APPLICATIONS[name]))["cells"]
    code = "\n".join(cell["source"] for cell in cells[2:] if cell["cell_type"] == "code")
    assert ast.dump(ast.parse(code)) == ast.dump(ast.Module(ast.parse(source).body[1:], type_ignores=[]))
    assert cells[0]["source"].startswith(f"# {ast.get_docstring(ast.parse(source))[:40]}")
    prose = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"][1:]
    assert [int(each.split(".")[0]) for each in prose] == list(range(1, len(prose) + 1))
    assert len(prose) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, each in APPLICATIONS.items() if not each.packages])
def test_a_notebook_of_an_application_runs_cell_by_cell(name, tmp_path):
    cells = course.demonstration(path_of(APPLICATIONS[name]))["cells"]
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    (tmp_path / "cells.py").write_text(
        f"names = {{'__name__': '__main__'}}\nfor cell in {code!r}:\n    exec(cell, names)\n", encoding="utf-8"
    )
    done = subprocess.run([sys.executable, "cells.py"], capture_output=True, encoding="utf-8", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"demo-{name}" / "scores.json").is_file()
