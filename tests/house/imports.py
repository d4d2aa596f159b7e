"""Who imports whom: every import of a package, wherever in a module it stands, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple


class Import(NamedTuple):
    """One module imports another; ``when`` is "top", "function" or "types"."""

    importer: str
    imported: str
    when: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported} ({self.when})"


def modules(root: Path) -> dict[str, Path]:
    """The modules of a package by their full names, an ``__init__`` by that of its package."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path) -> list[Import]:
    """All imports by which a package's modules depend on each other."""
    there = modules(root)
    return [
        Import(name, imported, when, line)
        for name, path in there.items()
        for imported, when, line in _of(ast.parse(path.read_text(encoding="utf-8")), name, path, there, root.name)
    ]


def _of(
    tree: ast.Module, name: str, path: Path, there: dict[str, Path], package: str
) -> Iterator[tuple[str, str, int]]:
    home = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node, when in _statements(tree, "top"):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == package:
                    yield alias.name, when, node.lineno
            continue
        base = home[: len(home) - node.level + 1] if node.level else []
        source = ".".join([*base, *([node.module] if node.module else [])])
        if source.split(".")[0] != package:
            continue
        for alias in node.names:
            whole = f"{source}.{alias.name}"
            yield (whole if whole in there else source), when, node.lineno


def _statements(node: ast.AST, when: str) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, when
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _statements(child, "types" if when == "types" else "function")
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for part in child.body:
                yield from _statements(ast.Module([part], []), "types")
            for part in child.orelse:
                yield from _statements(ast.Module([part], []), when)
        else:
            yield from _statements(child, when)


def circle(found: list[Import]) -> list[str]:
    """Modules that import each other in a circle, the first one again at the end; empty if there is none."""
    graph: dict[str, set[str]] = {}
    for each in found:
        graph.setdefault(each.importer, set()).add(each.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []
