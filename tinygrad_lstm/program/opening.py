"""Expressions of numpy's own functions, each of which can write its result where it is told to.

Forwards are read; what stands for a variable is put in its place; Σ a ⊙ b along rows is a product of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..engine import ops
from ..engine.primitive import Primitive
from ..structure.loops import Every
from ..symbolic.expressions import Apply, Name
from ..symbolic.rewriting import applications
from ..symbolic.tracer import OpenedArray, UnknownToReader
from ..symbolic.tracer import _read as read_with
from .beginning import HERE
from .building import RuleOf
from .simplifying import VIEWS
from .statements import Read, Variable
from .views import at_step


class Opener:
    """Opens expressions; ``inlined`` says what stands for variables that have no name."""

    def __init__(self, inlined: Mapping[Variable, Any], traced: type[OpenedArray]) -> None:
        self.inlined, self.traced = inlined, traced

    def __call__(self, e: Any) -> Any:
        """Return an expression of numpy's functions, with nothing in it that stands for something else."""
        known: dict[int, Any] = {}

        def opened(e: Any) -> Any:
            if isinstance(e, Read):
                inside = self.inlined.get(e.variable)
                if inside is None or isinstance(e.index, Every):
                    return e
                key = id(inside)
                if e.index not in (None, HERE):
                    return opened(at_step(inside, e.index))
                if key not in known:
                    known[key] = opened(inside)
                return known[key]
            if not isinstance(e, Apply):
                return e
            if id(e) in known:
                return known[id(e)]
            made = self._of_numpy(Apply(e.function, tuple(map(opened, e.operands)), e.attrs, e.value))
            known[id(e)] = made
            return made

        return opened(e)

    def _of_numpy(self, e: Any) -> Any:
        function = e.function
        if not isinstance(function, Primitive) or isinstance(function, RuleOf) or function in VIEWS:
            return e
        if isinstance(function.forward, np.ufunc):
            return Apply(function.forward, e.operands, e.attrs, e.value)
        if function.operator == "@" and all(x.value.ndim <= 2 for x in e.operands):
            return Apply(np.dot, e.operands, e.attrs, e.value)
        values = [getattr(x, "value", 0.0) for x in e.operands]
        names = [Name(f"x{i}") for i in range(len(values))]
        try:
            (made,) = read_with("forward", function, function, names, values, e.attrs, self.traced)
        except UnknownToReader:
            return e
        if made is None or not all(is_elementwise(each) or _reduces(each) for each in applications(made.expression)):
            return e
        known: dict[Any, Any] = dict(zip(names, e.operands, strict=True))
        for one in applications(made.expression):
            operands = tuple(known.get(x, x) for x in one.operands)
            known[one] = _with_dots(Apply(one.function, operands, one.attrs, one.value))
        return known.get(made.expression, made.expression)


def is_elementwise(e: Apply) -> bool:
    return isinstance(e.function, np.ufunc) and e.function.signature is None and e.function.nout == 1


def _reduces(e: Apply) -> bool:
    """Tell whether it is a sum, or the like, of what stays an array."""
    return getattr(e.function, "__name__", "") == "reduce" and e.value.ndim > 0


def can_write(e: Any) -> bool:
    """Tell whether numpy can write the result of an operation where it is told to."""
    return isinstance(e, Apply) and (is_elementwise(e) or _reduces(e) or e.function in (np.dot, np.vecdot))


def _with_dots(e: Any) -> Any:
    """Return Σ a ⊙ b along rows as a product of rows, which makes no array a ⊙ b."""
    inner = e.operands[0] if isinstance(e, Apply) and e.function == np.add.reduce else None
    if not isinstance(inner, Apply) or inner.function is not np.multiply or not e.attrs.get("keepdims"):
        return e
    factors: Any = inner.operands
    a, b = factors
    axis = e.attrs.get("axis")
    axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
    if axis not in (-1, e.value.ndim - 1) or e.value.dtype.kind != "f" or np.shape(a.value) != np.shape(b.value):
        return e
    dots: Any = (Apply(np.vecdot, (a, b), {}, e.value[..., 0]),)
    return Apply(ops.reshape, dots, {"shape": e.value.shape}, e.value)
