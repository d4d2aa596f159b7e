"""The recipes of the contributing guide are executed as they stand, and leave nothing behind."""

import ast
import doctest
import io
import tokenize
from pathlib import Path

from tinygrad_lstm.cli.app import app
from tinygrad_lstm.drawing.views.registry import VIEWS
from tinygrad_lstm.testing.oracles.registry import ORACLES

GUIDE = Path(__file__).parents[2] / ".github" / "CONTRIBUTING.md"
OLD_NAMES = set(
    """to_shape put locked shares pass_over PASSED_OVER Charge guilty told telling twins Door shut handed_on lineup
    layered circuit looking Said grain GRAINS obey carry_out Follows Symbol Numbers Sketch LedgerRow Places Evidence
    Program spoken RESOLVERS LongNumber Precise""".split()  # noqa: SIM905
)
"""What identifiers and files were called before they had the field's words, or ours of the glossary."""

THEIRS = {"symbolic/algebra.py": {"Symbol"}}
"""What another library calls something so."""


def test_its_recipes_run():
    before = list(VIEWS), len(ORACLES), len(app.registered_commands)
    result = doctest.testfile(str(GUIDE), module_relative=False, encoding="utf-8")
    assert result.attempted >= 30
    assert not result.failed
    assert before == (list(VIEWS), len(ORACLES), len(app.registered_commands))


def test_every_room_has_a_line():
    text = GUIDE.read_text(encoding="utf-8")
    package = GUIDE.parents[1] / "tinygrad_lstm"
    for room in package.iterdir():
        if (room / "__init__.py").exists():
            assert f"`{room.name}/`" in text, room.name


def identifiers(file):
    tokens = tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME} | {file.stem}


def test_old_names_are_gone():
    package = GUIDE.parents[1] / "tinygrad_lstm"
    found = {file.relative_to(package).as_posix(): identifiers(file) & OLD_NAMES for file in package.rglob("*.py")}
    assert len(found) > 100
    assert not {file: names for file, names in found.items() if names - THEIRS.get(file, set())}


def test_no_name_means_two_classes():
    package = GUIDE.parents[1] / "tinygrad_lstm"
    homes = {}
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name.lstrip("_"), []).append(file.relative_to(package).as_posix())
    assert not {name: files for name, files in homes.items() if len(files) > 1}
