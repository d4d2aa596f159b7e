"""Parts of arrays are cut out once, before a loop, instead of in each of its steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import ops
from ..structure.loops import Fixed, Moving
from ..symbolic.expressions import Apply, Constant, Number
from .building import Builder
from .layout import Layout
from .sizes import Size
from .statements import Assign, Begin, Read, Statement, Variable, Whole

_WORDS = {0.0: "zero", 0.5: "half", 1.0: "one", 2.0: "two"}
"""What numbers are called that often stand in loops."""


class Cuts:
    """Finds parts that stay where they are while a loop runs, and gives each a name."""

    def __init__(self, builder: Builder, layout: Layout) -> None:
        self.builder, self.layout = builder, layout
        self.known: dict[Any, Variable] = {}
        self.names = {
            (e.operands[0].variable, repr(e.attrs["index"])): variable.node.name
            for variable, e in layout.inlined.items()
            if _is_part(e) and variable.node is not None
        }
        self.gradients = {gradient: builder.variable(of) for of, gradient in builder.gradients.items()}
        self.columns: set[Variable] = set()  # parts whose numbers do not lie side by side
        self.before: list[Statement] = []
        self.numbers: dict[Any, Variable] = {}

    def begin(self) -> None:
        """Begin with another loop."""
        self.before = []

    def of_loop(self, body: list[Statement], begun: list[Statement]) -> list[Statement]:
        """Rewrite the statements of a loop; return what is to stand before it."""
        moving = {
            each.target.variable for each in body if isinstance(each, Assign) and not each.into and each.place is None
        }
        self.still = {each.variable for each in begun if isinstance(each, Begin)} - moving
        self.anew = {
            each.target.variable
            for each in body
            if isinstance(each, Assign) and not each.into and not each.adds and each.place is None
        }
        self.written = {each.target.variable for each in body if isinstance(each, Assign)}
        for each in body:
            if isinstance(each, Assign):
                if isinstance(each.expression, Apply):
                    operands = tuple(map(self._cut, each.expression.operands))
                    each.expression = Apply(
                        each.expression.function, operands, each.expression.attrs, each.expression.value
                    )
                if each.place is not None and each.into:
                    part = self._part(each.target, each.place, _value(each.target, each.place))
                    if part is not None:
                        each.target, each.place = part, None
        return self.before

    def _cut(self, e: Any) -> Any:
        if not isinstance(e, Apply):
            return e
        inner = e.operands[0] if e.operands else None
        if e.function is ops.getitem and isinstance(inner, Read):
            found = self._part(inner, e.attrs["index"], e.value)
            if found is not None:
                return found
        if e.function is ops.transpose and isinstance(inner, Read) and self._is_the_same(inner):
            operands: Any = (inner,)
            turned: Any = (Apply(e.function, operands, e.attrs, e.value),)
            return self._named(inner.variable, "T", Apply(np.ascontiguousarray, turned, {}, e.value), None)
        operands = tuple(map(self._cut, e.operands))
        if e.function is ops.reshape and isinstance(operands[0], Read):
            shaped = self.reshaped(operands[0], e.value)
            if shaped is not None:
                return shaped
        return Apply(e.function, operands, e.attrs, e.value)

    def number(self, x: Any, dtype: Any) -> Any:
        """Return a number as an array, made before the loop: numpy takes that in half the time."""
        size = isinstance(x, Constant) and isinstance(x.value, Size)
        if not isinstance(x, Number) and not size:
            return x
        key = repr(x.value), np.dtype(dtype)
        if key not in self.numbers:
            value = np.asarray(float(x.value), dtype)
            made = self.numbers[key] = Variable("", value)
            self.builder.cuts.append((made, made, _WORDS.get(float(x.value), "number") if not size else "size"))
            operands: Any = (x,)
            self.before.append(Assign(Read(made), Apply(np.array, operands, {}, value)))
        return Read(self.numbers[key])

    def reshaped(self, whole: Read, value: Any) -> Read | None:
        """Return what stays, or the rows of all steps, in the shape of a value; None if it cannot be had before."""
        variable = whole.variable
        if variable in self.layout.inlined or variable in self.columns:
            return None
        key = f"as {value.shape}"
        operands: Any = (whole,)
        if variable.rows is not None and isinstance(whole.index, Moving | Fixed):
            operands = (Read(variable, Whole(*variable.rows)),)
            shaped = Apply(ops.reshape, operands, {"shape": (-1, *value.shape)}, value)
            return Read(self._named(variable, key, shaped, None, True).variable, whole.index)
        if self._stays(whole):
            return self._named(variable, key, Apply(ops.reshape, operands, {"shape": value.shape}, value), None)
        return None

    def _part(self, whole: Read, index: Any, value: Any) -> Read | None:
        """Return a part of what stays, or of the rows of all steps, by its name; None if it can have none."""
        variable = whole.variable
        if variable in self.layout.inlined or not _last_axis(index):
            return None
        wanted = self.names.get((variable, repr(index)))
        forward = self.gradients.get(variable)
        if wanted is None and forward is not None and (named := self.names.get((forward, repr(index)))):
            wanted = f"d{named}"
        operands: Any
        if variable.rows is not None and isinstance(whole.index, Moving | Fixed):
            operands = (Read(variable, Whole(*variable.rows)),)
            cut = Apply(ops.getitem, operands, {"index": index}, value)
            part = Read(self._named(variable, repr(index), cut, wanted, True).variable, whole.index)
        elif self._stays(whole):
            operands = (whole,)
            part = self._named(variable, repr(index), Apply(ops.getitem, operands, {"index": index}, value), wanted)
        else:
            return None
        self.columns.add(part.variable)
        return part

    def _stays(self, read: Read) -> bool:
        """Tell whether something is the same array in all steps."""
        variable = read.variable
        if variable in self.layout.inlined or variable.rows is not None or variable.kept:
            return False
        elsewhere = variable.loop is None and not variable.carries and variable not in self.anew
        return variable in self.still or elsewhere

    def _is_the_same(self, read: Read) -> bool:
        """Tell whether its numbers are the same in all steps: a copy would not be reached by what is written later."""
        return read.variable not in self.written and self._stays(read)

    def _named(self, whole: Variable, key: str, part: Any, wanted: str | None, rows: bool = False) -> Read:
        if (whole, key) not in self.known:
            made = self.known[whole, key] = Variable(
                "", part.value, whole.loop, rows, rows=whole.rows if rows else None
            )
            self.builder.cuts.append((made, whole, wanted))
            self.before.append(Assign(Read(made, Whole(*whole.rows)) if rows and whole.rows else Read(made), part))
        return Read(self.known[whole, key])


def _is_part(e: Any) -> bool:
    return isinstance(e, Apply) and e.function is ops.getitem and isinstance(e.operands[0], Read)


def _last_axis(index: Any) -> bool:
    return isinstance(index, tuple) and len(index) == 2 and index[0] is Ellipsis and isinstance(index[1], slice)


def _value(target: Read, place: Any) -> Any:
    return target.value[place] if _last_axis(place) else target.value
