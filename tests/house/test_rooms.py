"""The house stands as it was designed: a room imports only from floors below, and nothing goes in circles."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_lstm
from tests.house.imports import Import, circle, imports, modules

ROOT = Path(tinygrad_lstm.__file__).parent
PACKAGE = "tinygrad_lstm"

ROOMS = (
    "engine",
    "structure",
    "symbolic",
    "nn",
    "program",
    "interop",
    "training",
    "pages",
    "drawing",
    "stepper",
    "testing",
    "studies",
    "tour",
    "cli",
)
"""Ground floor first."""

ENTRANCES = ("", "__main__")
"""What stands above all rooms."""

PLUGIN = f"{PACKAGE}.testing.pytest_plugin"
"""What pytest imports, and nobody else may."""

ALLOWED = {("engine.tensor", "engine.backprop", "function")}
"""A tensor knows its backward pass, which is made of tensors."""


def short(name: str) -> str:
    return name.removeprefix(PACKAGE).removeprefix(".")


def misplaced(found: list[Import]) -> list[str]:
    """Imports from a floor above, or from the entrance."""
    return [str(each) for each in found if _floor(each.imported) > _floor(each.importer)]


def _floor(name: str) -> int:
    room = short(name).split(".")[0]
    return len(ROOMS) if room in ENTRANCES else ROOMS.index(room)


def circles(found: list[Import], *whens: str) -> list[str]:
    """A circle among the imports made then, of those that are not allowed."""
    allowed = [(short(each.importer), short(each.imported), each.when) in ALLOWED for each in found]
    return circle([each for each, fine in zip(found, allowed, strict=True) if each.when in whens and not fine])


@pytest.fixture(scope="module")
def found():
    return imports(ROOT)


def test_every_module_is_in_a_room_of_the_table():
    assert {short(name).split(".")[0] for name in modules(ROOT)} <= {*ROOMS, *ENTRANCES}


def test_a_room_imports_from_floors_below_only(found):
    assert len(found) > 300
    assert misplaced([each for each in found if each.when != "types"]) == []


def test_types_too_come_from_floors_below(found):
    assert misplaced([each for each in found if each.when == "types"]) == []


def test_nothing_imports_the_pytest_plugin(found):
    outside = [each for each in found if each.imported.startswith(PLUGIN) and not each.importer.startswith(PLUGIN)]
    assert [str(each) for each in outside] == []


def test_no_modules_import_each_other(found):
    assert circles(found, "top") == []


def test_no_circle_hides_in_functions(found):
    assert circles(found, "top", "function") == []


def test_no_circle_is_made_for_types(found):
    assert circles(found, "top", "types") == []
    assert circles(found, "top", "function", "types") == []


def test_the_only_import_that_closes_a_circle_is_that_of_the_backward_pass(found):
    happened = {(short(each.importer), short(each.imported), each.when) for each in found}
    assert happened >= ALLOWED


def test_no_module_is_hidden_by_a_name_of_its_package():
    """Importing a package and getting a module of it by name gives the module."""
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    module = importlib.import_module(name)\n"
        "    parent, _, last = name.rpartition('.')\n"
        "    if parent and getattr(sys.modules[parent], last) is not module: print(name)\n"
    )
    names = [name for name in modules(ROOT) if not name.endswith("__main__")]
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == []


def test_views_are_imported_by_their_name():
    assert importlib.import_module(f"{PACKAGE}.drawing.views").__name__ == f"{PACKAGE}.drawing.views"


PLANTED = {
    "a floor above": ("engine/graph.py", "from ..drawing import scene"),
    "above, in a function": ("nn/cell.py", "def f():\n    from ..testing.verdicts import Verdict"),
    "above, for types": ("symbolic/notation/plain.py", "if TYPE_CHECKING:\n    from ...nn.cell import Cell"),
    "the entrance": ("stepper/cursor.py", "from .. import tensor"),
    "by its full name": ("structure/words.py", "import tinygrad_lstm.cli.app"),
}


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(ROOT, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__")))


def plant(copy: Path, file: str, line: str) -> list[Import]:
    path = copy / file
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    return imports(copy)


@pytest.mark.parametrize("case", PLANTED)
@pytest.mark.slow
def test_a_planted_import_from_above_is_found(case, copy):
    (complaint,) = set(misplaced(plant(copy, *PLANTED[case]))) - set(misplaced(imports(ROOT)))
    assert PLANTED[case][0].removesuffix(".py").replace("/", ".") in complaint


@pytest.mark.slow
def test_a_planted_circle_is_found_at_the_top_and_in_a_function(copy):
    assert circles(plant(copy, "structure/words.py", "from .timeline import Timeline"), "top") == []
    planted = plant(copy, "structure/timeline.py", "def f():\n    from .words import clean")
    assert circles(planted, "top") == []
    assert {"tinygrad_lstm.structure.timeline", "tinygrad_lstm.structure.words"} <= set(
        circles(planted, "top", "function")
    )


def test_a_module_that_is_hidden_would_be_noticed(copy):
    path = copy / "drawing" / "__init__.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nfrom . import scene as scene, entry\nscene = 1\n")
    code = "import tinygrad_lstm.drawing.scene as s, sys; print(s is sys.modules['tinygrad_lstm.drawing.scene'])"
    environment = {**os.environ, "PYTHONPATH": str(copy.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=environment, cwd=copy.parent
    )
    assert done.stdout.strip() == "False", done.stderr
