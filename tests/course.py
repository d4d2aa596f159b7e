"""The lessons of ``demos/README.md``, for their tests; ``python -m tests.course FOLDER`` writes them as notebooks."""

from __future__ import annotations

import argparse
import json
import re
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinygrad_lstm.studies.applications import APPLICATIONS

COURSE = Path(__file__).parents[1] / "demos" / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.M | re.S)


@dataclass(frozen=True)
class Exercise:
    """What is asked, a beginning that does not do it, lines that tell, and a solution."""

    name: str
    text: str
    beginning: str
    check: str
    solution: str


@dataclass(frozen=True)
class Lesson:
    number: int
    title: str
    text: str
    code: str
    exercises: tuple[Exercise, ...]


def lessons() -> list[Lesson]:
    """Read the course; a lesson or an exercise that lacks a part is an error."""
    found = []
    for section in re.split(r"^## (?=\d)", COURSE.read_text(encoding="utf-8"), flags=re.M)[1:]:
        head, _, rest = section.partition("\n")
        number, title = re.fullmatch(r"(\d+)\. (.+)", head).groups()  # type: ignore[union-attr]
        opening, *parts = re.split(r"^\*\*(?=\d+[ab]\. )", rest.partition("\n## ")[0], flags=re.M)
        (code,) = BLOCK.findall(opening)
        exercises = []
        for part in parts:
            beginning, check, solution = BLOCK.findall(part)
            asked = f"**{part.partition('```')[0].strip()}"
            exercises.append(Exercise(part.partition(".")[0], asked, beginning, check, solution))
        found.append(Lesson(int(number), title, opening.partition("```")[0].strip(), code, tuple(exercises)))
    return found


def notebook(lesson: Lesson, solved: bool = False) -> dict[str, object]:
    """Return a lesson as a notebook: with what each exercise begins with, or with its solution."""
    cells = [_cell("markdown", f"# {lesson.number}. {lesson.title}\n\n{lesson.text}"), _cell("code", lesson.code)]
    for exercise in lesson.exercises:
        own = exercise.solution if solved else exercise.beginning
        cells += [_cell("markdown", exercise.text), _cell("code", own), _cell("code", exercise.check)]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, text: str) -> dict[str, object]:
    more = {"outputs": [], "execution_count": None} if kind == "code" else {}
    name = f"{zlib.crc32(text.encode()):x}"
    return {"cell_type": kind, "id": name, "metadata": {}, "source": text.strip(), **more}


def of_demo(path: Path, small: bool = False) -> str:
    """Return a demo as a notebook: its prose as text, its lines as cells; an application in seconds, if it is small."""
    import jupytext  # the extra notebooks

    code = path.read_text(encoding="utf-8")
    if small:
        code, count = re.subn(r'^(given = (?:\w+\.)?asked\(".*?")\)$', r'\1, ["--small"])', code, flags=re.M)
        assert count == 1 or path.stem not in APPLICATIONS, f"{path} asks for nothing"
    text: str = jupytext.writes(jupytext.reads(code, fmt="py:light"), fmt="ipynb")
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    reader = argparse.ArgumentParser(prog="python -m tests.course", description=__doc__)
    reader.add_argument("folder", type=Path, metavar="FOLDER", help="where the notebooks are written")
    reader.add_argument("--solved", action="store_true", help="with the solutions, instead of what one begins with")
    reader.add_argument("--demos", nargs="*", type=Path, default=(), metavar="FILE", help="files of demos/, too")
    reader.add_argument("--small", action="store_true", help="those of applications at a size that takes seconds")
    asked = reader.parse_args(arguments)
    if missing := [str(path) for path in asked.demos if not path.is_file()]:
        reader.error(f"there is no file {missing[0]}")
    try:
        asked.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reader.error(f"cannot make the folder {asked.folder}: {error.strerror}")
    written = {
        f"lesson_{lesson.number:02}": json.dumps(notebook(lesson, asked.solved), ensure_ascii=False, indent=1)
        for lesson in lessons()
    }
    written.update({path.stem: of_demo(path, asked.small) for path in asked.demos})
    for name, text in written.items():
        path = asked.folder / f"{name}.ipynb"
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
