"""The course of ``demos/README.md`` runs: each solution passes its own check, and no beginning does."""

from __future__ import annotations

import json

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


@pytest.mark.parametrize("solved", [False, True])
def test_lessons_are_written_as_notebooks_with_solutions_if_asked(tmp_path, capsys, solved):
    assert course.main([str(tmp_path / "notebooks"), *(["--solved"] if solved else [])]) == 0
    paths = sorted((tmp_path / "notebooks").iterdir())
    assert [str(path) for path in paths] == capsys.readouterr().out.split()
    for path, lesson in zip(paths, LESSONS, strict=True):
        written = json.loads(path.read_text(encoding="utf-8"))
        text = "\n".join(cell["source"] for cell in written["cells"])
        assert lesson.code.strip() in text
        assert all(exercise.check.strip() in text for exercise in lesson.exercises)
        assert all((exercise.solution.strip() in text) is solved for exercise in lesson.exercises)
        assert len({cell["id"] for cell in written["cells"]}) == len(written["cells"])


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_is_a_notebook_of_prose_and_code_at_a_small_size(name):
    pytest.importorskip("jupytext")
    cells = json.loads(course.of_demo(path_of(APPLICATIONS[name]), small=True))["cells"]
    code = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert f'asked("{name}", ["--small"])' in code
    prose = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert sum(text[0].isdigit() for text in prose) >= 3


@pytest.mark.parametrize(
    ("words", "says"),
    [(["nb", "--demos", "nope.py"], "there is no file nope.py"), (["file/nb"], "cannot make the folder file/nb")],
)
def test_what_cannot_be_written_is_one_line(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit):
        course.main(words)
    assert says in capsys.readouterr().err
