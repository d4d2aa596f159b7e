"""What tests and benchmarks import is there: those that only .ci/run collects would tell so last of all."""

from __future__ import annotations

import ast
import functools
import importlib
import operator
from fractions import Fraction
from pathlib import Path

import pytest

from tests.conftest import in_share
from tests.house.imports import modules

TESTS = Path(__file__).parents[1]
THERE = modules(TESTS)


def defined(path: Path) -> set[str]:
    """The names that a module has at its top level."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        else:
            stored = (each for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store))
            names |= {each.id for each in stored}
    return names


def missing(source: str) -> list[str]:
    """What a module of tests imports from the package, or from other tests, and is not there."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom) or node.level:
            continue
        module = str(node.module)
        names = {alias.name for alias in node.names}
        if module.split(".")[0] == "tinygrad_lstm":
            home = importlib.import_module(module)
            found += [f"{module}.{name}" for name in names if not hasattr(home, name) and not _is_module(module, name)]
        elif module.split(".")[0] == "tests":
            known = defined(THERE[module]) if module in THERE else set()
            found += [f"{module}.{name}" for name in names - known if f"{module}.{name}" not in THERE]
    return sorted(found)


def _is_module(package: str, name: str) -> bool:
    try:
        importlib.import_module(f"{package}.{name}")
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("room", sorted({name.split(".")[1] for name in THERE if "." in name}))
def test_what_tests_import_is_there(room):
    paths = [path for name, path in THERE.items() if f"{name}.".startswith(f"tests.{room}.")]
    assert {str(path.relative_to(TESTS)): lost for path in paths if (lost := missing(path.read_text("utf-8")))} == {}


def test_what_is_not_there_would_be_noticed():
    assert missing("from tests.nn.onnx_node import FUNCTIONS, GATES") == ["tests.nn.onnx_node.GATES"]
    assert missing("from tests.nn import onnx_nodes") == ["tests.nn.onnx_nodes"]
    assert missing("def f():\n    from tinygrad_lstm.nn import LSTM, LSMT") == ["tinygrad_lstm.nn.LSMT"]
    assert missing("from tinygrad_lstm.structure import path, words") == []


def test_shares_of_the_tests_are_all_of_them_and_none_twice():
    """.ci/run runs a share of what takes long, another one each day."""
    names = [f"tests/test_{k}.py::test_{k % 7}" for k in range(60)]
    shares = [[name for name in names if in_share(name, Fraction(1, 3), day)] for day in (7, 8, 9)]
    assert sorted(functools.reduce(operator.iadd, shares, [])) == sorted(names)
    assert all(shares)
    assert [name for name in names if in_share(name, Fraction(1), 7)] == names
