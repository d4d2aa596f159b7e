"""These modules have no circles: every import counts, inside a function or for types alone too."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import tinygrad_lstm.testing

PACKAGE = "tinygrad_lstm.testing"
ROOM = Path(tinygrad_lstm.testing.__file__).parent


def modules():
    for path in ROOM.rglob("*.py"):
        if path.name != "__init__.py":
            yield ".".join((PACKAGE, *path.relative_to(ROOM).with_suffix("").parts)), path


def imported(module, path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = ".".join(module.split(".")[: -node.level]) + "." if node.level else ""
            source = (above + (node.module or "")).rstrip(".")
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def test_no_module_is_imported_by_what_it_imports():
    known = dict(modules())
    graph = {module: {name for name in imported(module, path) if name in known} for module, path in known.items()}
    assert sum(map(len, graph.values())) > 50
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_oracles_import_neither_reports_nor_pages():
    for module, path in modules():
        if ".oracles." in module:
            assert not [name for name in imported(module, path) if ".report" in name or ".pages" in name], module
