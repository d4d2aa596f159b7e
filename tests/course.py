"""The lessons of ``demos/README.md``, for their tests; ``python -m tests.course FOLDER`` writes them as notebooks.

So it does with the applications, whose files are prose, code and assertions, too.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from tinygrad_lstm.studies.applications import APPLICATIONS, path_of

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


def notebook(lesson: Lesson) -> dict[str, object]:
    """Return a lesson as a notebook, without the solutions."""
    cells = [_cell("markdown", f"# {lesson.number}. {lesson.title}\n\n{lesson.text}"), _cell("code", lesson.code)]
    for exercise in lesson.exercises:
        cells += [_cell("markdown", exercise.text), _cell("code", exercise.beginning), _cell("code", exercise.check)]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def demonstration(path: Path) -> dict[str, object]:
    """Return an application's file as a notebook: prose is what stands before its code, in comments with a number.

    Its first cell says what a command line would: ``--small``, to be left out for the whole.
    """
    source = path.read_text(encoding="utf-8")
    title = ast.get_docstring(ast.parse(source))
    opening, *sections = re.split(r"^(?=# \d+\. )", source.split('"""', 2)[2], flags=re.M)
    asks = f'import sys\n\nsys.argv = ["{path.name}", "--small"]'
    cells = [_cell("markdown", f"# {title}"), _cell("code", asks), _cell("code", opening)]
    for section in sections:
        prose = re.match(r"(# .*\n)+", section)[0]  # type: ignore[index]
        cells += [_cell("markdown", re.sub(r"^# ", "", prose, flags=re.M)), _cell("code", section[len(prose) :])]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, text: str) -> dict[str, object]:
    more = {"outputs": [], "execution_count": None} if kind == "code" else {}
    name = f"{zlib.crc32(text.encode()):x}"
    return {"cell_type": kind, "id": name, "metadata": {}, "source": text.strip(), **more}


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write(
            "python -m tests.course FOLDER writes the twelve lessons there, without solutions, and the applications\n"
        )
        return 2
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    written = {f"lesson_{lesson.number:02}": notebook(lesson) for lesson in lessons()}
    written |= {name: demonstration(path_of(each)) for name, each in APPLICATIONS.items()}
    for name, cells in written.items():
        path = folder / f"{name}.ipynb"
        path.write_text(json.dumps(cells, ensure_ascii=False, indent=1), encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
