"""A graph as the program that makes it: text to paste into a file and run."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.graph import Graph
from ...engine.primitive import Primitive
from ...engine.tensor import Tensor

_OURS = "tinygrad_lstm.engine.ops"


def as_code(graph: Graph, check: str = "check_vjp") -> str:
    """The imports, the leaves that require a gradient, a function of them, and the call that checks it."""
    theirs = sorted({_imported_as(node.primitive) for node in graph.nodes if node.primitive} - {_OURS})
    names = _names(graph, {home.partition(".")[0] for home in theirs})
    inputs = [leaf for leaf in graph.leaves if leaf.requires_grad]
    made = [node for node in graph.nodes if not node.is_leaf]
    imports = ["import tinygrad_lstm as tl"]
    primitives = {node.primitive for node in made if node.primitive is not None}
    if any(_spelt(primitive) == f"ops.{primitive.name}" for primitive in primitives):
        imports.append("from tinygrad_lstm.engine import ops")
    imports += [f"import {home}" for home in theirs if home]
    if any(_spelt(primitive).startswith("op[") for primitive in primitives):
        imports += [
            "",
            "op = {primitive.name: primitive for primitive in tl.primitives()}  # once yours are registered",
        ]
    leaves = [f"{names[leaf]} = tl.tensor({_literal(graph.values[leaf])}{_dtype(leaf)})" for leaf in inputs]
    constants = [
        f"    {names[leaf]} = tl.tensor({_literal(graph.values[leaf])}{_dtype(leaf)})"
        for leaf in graph.leaves
        if not leaf.requires_grad and leaf.ndim
    ]
    body = [f"    {names[node]} = {_expression(node, names, graph)}" for node in made]
    arguments = ", ".join(names[leaf] for leaf in inputs)
    returned = ", ".join(names[output] for output in graph.outputs)
    lines = [*imports, "", *leaves, "", "", f"def f({arguments}):", *constants, *body, f"    return {returned}", "", ""]
    lines += [f"tl.testing.{check}({', '.join(['f', *(names[leaf] for leaf in inputs)])})", ""]
    if any("np." in line for line in lines):
        lines = ["import numpy as np", "", *lines]
    return "\n".join(lines)


def _names(graph: Graph, modules: set[str]) -> dict[Tensor, str]:
    """A Python name for each node: its own if it has one, else x0, ... for inputs, c0, ... for constants, y0, ..."""
    names: dict[Tensor, str] = {}
    taken = {"f", "np", "tl", "op", "ops", *modules}
    counts = {"x": 0, "c": 0, "y": 0}
    for node in graph.nodes:
        name = re.sub(r"\W", "_", node.name) if node.name and node.is_leaf else ""
        while not name.isidentifier() or not name.isascii() or keyword.iskeyword(name) or name in taken:
            kind = "y" if not node.is_leaf else "x" if node.requires_grad else "c"
            name = f"{kind}{counts[kind]}"
            counts[kind] += 1
        taken.add(name)
        names[node] = name
    return names


def _expression(node: Tensor, names: dict[Tensor, str], graph: Graph) -> str:
    primitive = node.primitive
    assert primitive is not None
    operands = [
        _literal(graph.values[x]) if x.is_leaf and not x.requires_grad and not x.ndim else names[x] for x in node.inputs
    ]
    bare = not any(x in names and (x.ndim or x.requires_grad or not x.is_leaf) for x in node.inputs)
    attrs = {name: _literal(value) for name, value in node.attrs.items()}
    home = _spelt(primitive)
    given = ", ".join([*operands, *(f"{name}={value}" for name, value in attrs.items())])
    if _home(primitive) != _OURS:
        return f"{home}({given})"
    if primitive.operator and len(operands) == 1:
        return f"{primitive.operator}{operands[0]}"
    if primitive.operator and not bare:
        return f" {primitive.operator} ".join(operands)
    if primitive.variadic:
        given = ", ".join(f"{name}={value}" for name, value in attrs.items())
        return f"tl.{primitive.name}([{', '.join(operands)}], {given or 'axis=0'})"
    return f"{home}({given})"


def _spelt(primitive: Primitive) -> str:
    """How a program reaches a primitive."""
    exported = sys.modules[_OURS.partition(".")[0]].__all__
    home = _home(primitive)
    if home != _OURS:
        there = vars(sys.modules[home]) if home in sys.modules else {}
        named = next((name for name, value in there.items() if value is primitive), None)
        module = _imported_as(primitive)
        return f"{module}.{named}" if named and module else f"op[{primitive.name!r}]"
    if primitive.operator or primitive.variadic:
        return primitive.name
    return f"tl.{primitive.name}" if primitive.name in exported else f"ops.{primitive.name}"


def _home(primitive: Primitive) -> str:
    """The module that a primitive was registered in; of ours too, should a test have changed its rule."""
    for function in (primitive.forward, primitive.rule):
        module = getattr(function, "__module__", None)
        if module == _OURS:
            return _OURS
    from ...engine import ops

    if any(value is primitive for value in vars(ops).values()):
        return _OURS
    return str(getattr(primitive.rule or primitive.forward, "__module__", ""))


def _imported_as(primitive: Primitive) -> str:
    """The name by which a program imports its module: of what is run as a script, that of its file."""
    home = _home(primitive)
    if home != "__main__":
        return home
    stem = Path(getattr(sys.modules["__main__"], "__file__", None) or "").stem
    return stem if stem.isidentifier() else ""


def _dtype(leaf: Tensor) -> str:
    return ", dtype=np.float32" if leaf.dtype == np.float32 else ""


def _literal(value: Any) -> str:
    """The value as Python reads it back, to the last digit."""
    if isinstance(value, np.ndarray):
        if not value.size:
            kind = {"f": "", "b": ", bool"}.get(value.dtype.kind, ", int")
            return f"np.zeros({value.shape}{kind})"
        if value.dtype.kind == "f":
            listed = value.astype(np.float64).tolist()
            return str(listed) if np.isfinite(value).all() else re.sub(r"\b(nan|inf)\b", r"np.\1", str(listed))
        return f"np.array({value.tolist()})"
    if isinstance(value, tuple):
        inner = ", ".join(map(_literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return "..." if value is Ellipsis else repr(value)
