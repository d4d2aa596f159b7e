"""A graph as the program that makes it, to paste into a file and run: what ``text.explain`` prints of a failure."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.graph import Graph
from ...engine.ops import BUILTIN
from ...engine.primitive import Kind, Primitive
from ...engine.tensor import Tensor


def as_code(graph: Graph) -> str:
    """Return the program: imports, the leaves that require a gradient, a function of them, and the check of it."""
    primitives = {node.primitive for node in graph.nodes if node.primitive is not None}
    modules = sorted({_module(primitive) for primitive in primitives if not is_ours(primitive)} - {""})
    spelt = [_spelt(primitive) for primitive in primitives]
    names = _names(graph, {module.partition(".")[0] for module in modules})
    leaves = {leaf: f"{names[leaf]} = tl.tensor({_literal(graph.values[leaf])}{_dtype(leaf)})" for leaf in graph.leaves}
    inputs = [leaf for leaf in graph.leaves if leaf.requires_grad]
    body = [line for leaf, line in leaves.items() if not leaf.requires_grad and leaf.ndim]
    body += [f"{names[node]} = {_expression(node, names, graph)}" for node in graph.nodes if not node.is_leaf]
    body.append(f"return {', '.join(names[output] for output in graph.outputs)}")
    lines = ["import tinygrad_lstm as tl"]
    if any(reached.startswith("ops.") for reached in spelt):
        lines.append("from tinygrad_lstm.engine import ops")
    lines += [f"import {module}" for module in modules]
    if any(reached.startswith("op[") for reached in spelt):
        lines.append("")
        lines.append("op = {primitive.name: primitive for primitive in tl.primitives()}  # once yours are registered")
    lines += ["", *(leaves[leaf] for leaf in inputs), "", ""]
    lines.append(f"def f({', '.join(names[leaf] for leaf in inputs)}):")
    lines += [f"    {line}" for line in body]
    lines += ["", "", f"tl.testing.check_vjp({', '.join(['f', *(names[leaf] for leaf in inputs)])})", ""]
    if any("np." in line for line in lines):
        lines = ["import numpy as np", "", *lines]
    return "\n".join(lines)


def _names(graph: Graph, modules: set[str]) -> dict[Tensor, str]:
    """Return a Python name for each node: its own, or x0, … of inputs, c0, … of constants, y0, … of results."""
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
    """Return how a program writes a node: with an operator, or as a call; constants of one number are written out."""
    primitive = node.primitive
    assert primitive is not None
    numbers = {x: _literal(graph.values[x]) for x in node.inputs if x.is_leaf and not x.requires_grad and not x.ndim}
    operands = [numbers.get(x) or names[x] for x in node.inputs]
    attrs = [f"{name}={_literal(value)}" for name, value in node.attrs.items()]
    operator = primitive.operator if is_ours(primitive) else None
    if operator and len(operands) == 1:
        return f"{operator}{operands[0]}"
    if operator and any(x not in numbers for x in node.inputs):
        first, second = operands
        return f"{f'({first})' if first.startswith('-') else first} {operator} {second}"
    if _takes_a_list(primitive):
        return f"{_spelt(primitive)}([{', '.join(operands)}], {', '.join(attrs) or 'axis=0'})"
    return f"{_spelt(primitive)}({', '.join([*operands, *attrs])})"


def is_ours(primitive: Primitive) -> bool:
    """Tell whether it stands on the page of derivatives, whatever its rule is at the moment."""
    return BUILTIN.get(primitive.name) is primitive


def _takes_a_list(primitive: Primitive) -> bool:
    """Tell whether the function of its name takes the operands as a list, as in ``tl.concat([a, b])``."""
    return primitive.variadic and is_ours(primitive) and primitive.kind is Kind.movement


def _spelt(primitive: Primitive) -> str:
    """Return how a program reaches a primitive."""
    if is_ours(primitive):
        other = primitive.variadic and not _takes_a_list(primitive)  # as tl.einsum, whose subscripts come first
        exported = primitive.name in sys.modules["tinygrad_lstm"].__all__ and not other
        return f"tl.{primitive.name}" if exported else f"ops.{primitive.name}"
    there = vars(sys.modules.get(_home(primitive), object))
    named = next((name for name, value in there.items() if value is primitive), None)
    module = _module(primitive)
    return f"{module}.{named}" if named and module else f"op[{primitive.name!r}]"


def _home(primitive: Primitive) -> str:
    """Return the name of the module that a primitive was registered in."""
    return str(getattr(primitive.rule or primitive.forward, "__module__", ""))


def _module(primitive: Primitive) -> str:
    """Return the name by which a program imports that module: of what is run as a script, that of its file."""
    home = _home(primitive)
    if home != "__main__":
        return home
    stem = Path(getattr(sys.modules["__main__"], "__file__", None) or "").stem
    return stem if stem.isidentifier() else ""


def _dtype(leaf: Tensor) -> str:
    return ", dtype=np.float32" if leaf.dtype == np.float32 else ""


def _literal(value: Any) -> str:
    """Return the value as Python reads it back, to the last digit."""
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
