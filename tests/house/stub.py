"""Writes what static editors read of the package's entrance: ``python -m tests.house.stub`` (a test compares).

At run time an operation shows its own signature and documentation. An editor that does not run it sees a Primitive,
whatever its name; so the stub gives each operation a class of its own, made of the entry. Everything else in it is the
table of ``__init__.py``. Why not a decorator on a ``def`` for each operation: this way the page of derivatives stays
one line a rule, and nothing is kept by hand.
"""

from __future__ import annotations

import textwrap
from inspect import Parameter
from pathlib import Path

import tinygrad_lstm as tl
from tinygrad_lstm.engine.primitive import Primitive
from tinygrad_lstm.engine.pytorch import NAMES

ENTRANCE = Path(tl.__file__)
STUB = ENTRANCE.with_suffix(".pyi")


def stub() -> str:
    """Return the text of the stub."""
    operations = [name for name in [*tl.__all__, *sorted(tl._HIDING)] if isinstance(getattr(tl, name), Primitive)]
    homes = [(home, name) for home, names in tl._HOMES.items() for name in names if name not in operations]
    imports = [f"from .{home} import {name} as {name}" for home, name in homes]
    imports += [f"from . import {room} as {room}" for room in tl._ROOMS]
    listed = "".join(f'    "{name}",\n' for name in tl.__all__)
    return "\n".join(
        [
            f'"""{tl.__doc__}"""',
            "# Written by: python -m tests.house.stub",
            "from typing import Any, overload",
            "from numpy.typing import ArrayLike",
            "from .engine.primitive import Primitive as _Primitive",
            *sorted(imports),
            "__version__: str",
            f"__all__ = [\n{listed}]",
            *map(_operation, operations),
            *(_spelling(name) for name in sorted(NAMES) if name[0] != "."),
            "",
        ]
    )


def _operation(name: str) -> str:
    primitive = getattr(tl, name)
    parameters = primitive.signature.parameters.values()
    inputs = [p.name for p in parameters if p.default is Parameter.empty]
    attrs = "".join(f", {p.name}: {_type(p.default)} = ..." for p in parameters if p.default is not Parameter.empty)
    calls = []
    for tensor in (*inputs, None):  # a Tensor in any place makes one
        types = ", ".join(f"{x}: {'Tensor' if x == tensor else 'Tensor | ArrayLike'}" for x in inputs)
        calls.append((f"self, {types}{attrs}", "Tensor" if tensor else "Any"))
    doc = textwrap.indent(f'"""{primitive.doc}"""', "        ")
    overloads = "\n".join(
        f"    @overload\n    def __call__({taken}) -> {made}:\n{doc}\n        ..." for taken, made in calls
    )
    # An operation of ours tells of Tensors, where any Primitive takes whatever says itself how it is applied to it.
    overloads = overloads.replace("@overload", "@overload  # type: ignore[override]", 1)
    return f"class _{name}(_Primitive):\n{overloads}\n\n{name}: _{name}"


def _spelling(theirs: str) -> str:
    """Write a name of PyTorch's: that of ours, or of an operation that is called by an operator here."""
    ours = NAMES[theirs]
    if ours not in dir(tl):
        return f"{theirs}: _Primitive"
    return f"{theirs}: _{ours}" if isinstance(getattr(tl, ours), Primitive) else f"{theirs} = {ours}"


def _type(default: object) -> str:
    return {bool: "bool", int: "int", tuple: "tuple[int, ...]"}.get(type(default), "Any")


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
