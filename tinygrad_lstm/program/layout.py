"""What has a name in a program, what it is called, and what is kept for each step."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine import ops
from ..engine.primitive import Kind, Primitive
from ..engine.tensor import Tensor
from ..structure.loops import Every, Fixed, Given, Made, Moving, Rolled, Stacked
from ..symbolic.expressions import Apply, Name, Number
from ..symbolic.tracer import UnknownToReader
from ..symbolic.written import text
from .beginning import HERE
from .building import Builder
from .names import Names, singular
from .simplifying import VIEWS
from .sizes import Size
from .statements import Assign, Begin, For, Read, Statement, Variable, reads, statements
from .views import at_step

LONGEST = 3
"""Operations that are written where they are read, at most, though they had a line of their own."""


class Layout:
    """Decides what is written where it is read, since nothing else reads it, and names what is left.

    ``inlined`` says what stands for variables without a name.
    """

    def __init__(
        self,
        builder: Builder,
        forward: list[Statement],
        backward: list[Statement],
        results: Sequence[Any],
        inlined: dict[Variable, Any],
        recompute: bool = False,
    ) -> None:
        self.builder, self.forward, self.backward = builder, forward, backward
        self.results = [each for each in results if isinstance(each, Read)]
        self.inlined, self.recompute = inlined, recompute
        self.index: Callable[..., str] = str  # writes an index, and a shape
        self.shape: Callable[..., str] = str
        self.last: tuple[int, ...] | None = None
        surrogates = [made.node for made in builder.rolled.made() if made.primitive.surrogate]
        self.marked = {x for node in surrogates for x in (node, *node.inputs)}
        self._of = {variable: of for of, variable in builder.variables.items()}
        self._decide_forward()
        self._join(backward)

    def _decide_forward(self) -> None:
        computed = {
            each.target.variable: each
            for each in statements(self.forward)
            if isinstance(each, Assign) and each.target.index in (None, HERE)
        }
        for variable, each in computed.items():
            of = self._of[variable]
            if isinstance(of, Made) and not of.before:
                view = _is_view(each.expression) and (variable.loop or not self._read_in_loops(variable))
                little = self.recompute and variable.loop and of.node.name is None and _is_little(each.expression)
                if view or little:
                    self.inlined[variable] = each.expression
        uses = self._uses(computed)
        for variable, each in computed.items():
            if variable in self.inlined:
                continue
            of, found = self._of[variable], uses.get(variable, [])
            elsewhere = [read for home, read in found if home is not variable.loop or (home and read.index != HERE)]
            assert isinstance(of, Made)
            if len(found) == 1 and not elsewhere and of.node.name is None and not of.before:
                self.inlined[variable] = each.expression
            elif variable.loop and variable.rows is None:
                variable.kept = bool(elsewhere) or bool(of.before)

    def _read_in_loops(self, variable: Variable) -> bool:
        loops = [each for each in (*self.forward, *self.backward) if isinstance(each, For)]
        inside = (one for loop in loops for one in statements(loop.body) if isinstance(one, Assign))
        return any(read.variable is variable for one in inside for read in reads(one.expression))

    def _uses(self, computed: dict[Variable, Assign]) -> dict[Variable, list[tuple[Any, Read]]]:
        """Return where each variable is read: in which loop, forwards; what is read of a view is read of its array."""
        uses: dict[Variable, list[tuple[Any, Read]]] = {}

        def note(read: Read, home: Any) -> None:
            view = self.inlined.get(read.variable)
            if view is not None:
                for inner in reads(view):
                    note(Read(inner.variable, inner.index if read.index in (None, HERE) else read.index), home)
            uses.setdefault(read.variable, []).append((home, read))

        def walk(body: list[Statement], home: Any, backwards: bool) -> None:
            for each in body:
                if isinstance(each, For):
                    walk(each.body, ("backwards", each.loop) if backwards else each.loop, backwards)
                elif isinstance(each, Assign) and each.target.variable not in self.inlined:
                    for read in reads(each.expression):
                        note(read, home)
                elif isinstance(each, Begin) and each.like and each.steps is None and each.like.loop and not each.empty:
                    note(Read(each.like, HERE), home)

        walk(self.forward, None, False)
        walk(self.backward, None, True)
        for read in self.results:
            note(read, None)
        return uses

    def _join(self, body: list[Statement]) -> None:
        """Write a gradient that is computed once and read once where it is read, if it is short."""
        uses: dict[Variable, int] = {}
        readers: dict[Variable, Assign] = {}
        for each in body:
            if isinstance(each, For):
                self._join(each.body)
            for one in statements([each]):
                if isinstance(one, Assign):
                    for read in reads(one.expression):
                        readers[read.variable] = one
                        uses[read.variable] = uses.get(read.variable, 0) + (2 if isinstance(each, For) else 1)
                    if one.adds:
                        uses[one.target.variable] = 2
        for read in self.results:
            uses[read.variable] = 2
        for each in body:
            if isinstance(each, Assign) and not each.adds and each.place is None:
                variable = each.target.variable
                if variable.node in self.marked:  # what is done to its gradient is to be seen
                    continue
                last = readers[variable].target.variable.carries if variable in readers else False
                moves = variable.carries or (last and any(read.variable.carries for read in reads(each.expression)))
                if (
                    not variable.kept
                    and not moves
                    and uses.get(variable) == 1
                    and self._length(each.expression) <= LONGEST
                ):
                    self.inlined[variable] = each.expression

    def _length(self, expression: Any) -> int:
        if isinstance(expression, Read):
            inside = self.inlined.get(expression.variable)
            return 0 if inside is None else self._length(inside)
        if not isinstance(expression, Apply):
            return 0
        own = 0 if expression.function in VIEWS and not self.recompute else 1
        return own + sum(map(self._length, expression.operands))

    # Names

    def name(
        self, rolled: Rolled, given: Sequence[Given], reserved: Sequence[str], known: dict[Tensor, str]
    ) -> set[str]:
        """Name everything, what is given first; return all names."""
        names = Names(rolled, reserved, known)
        for each in given:
            variable = self.builder.variable(each)
            variable.name = variable.name or names.of(each)
        for of, variable in self.builder.variables.items():
            if not variable.name and variable not in self.inlined:
                variable.name = names.of(of)
        computed = {x.target.variable if isinstance(x, Assign) else x.variable for x in statements(self.backward)}
        for of, variable in self.builder.gradients.items():
            if variable in computed and variable not in self.inlined:
                base = self.builder.variable(of).name or names.of(of)
                variable.name = names.fresh(f"d{base}", variable.node)
        owners = {gradient: of for of, gradient in self.builder.gradients.items()}
        for carry, variable in self.builder.carried:
            carry.name = names.fresh(f"{variable.name or f'd{names.of(owners[variable])}'}_next")
        for variable, forwards in self.builder.again:
            variable.name = names.fresh(forwards.name or "again")
        for variable in self.builder.buffers:
            variable.name = names.fresh("buffer")
        for variable in self.builder.extra:
            variable.name = names.fresh("rows")
        for variable, whole, wanted in self.builder.cuts:
            flipped = variable.value.shape == whole.value.shape[::-1] and wanted is None
            word = "T" if flipped else "view" if np.size(variable.value) == np.size(whole.value) else "part"
            variable.name = names.fresh(wanted or f"{whole.name}_{word}")
        return names.taken

    def equation_with_shape(self, each: Assign) -> str:
        """Return a statement as an equation; where the shape is another than before, with it."""
        equation, shape = self.equation(each), np.shape(each.target.value)
        if not equation or shape == self.last or not shape:
            return equation
        self.last = shape
        sizes = list(map(self._size, shape))
        e = each.expression
        if isinstance(e, Apply) and e.function is ops.concat and len(e.operands) > 1:
            axis, parts = e.attrs.get("axis", 0), [x for x in e.operands if isinstance(x, Read)]
            if len(parts) == len(e.operands) and not any(isinstance(x.index, Every) for x in parts):
                sizes[axis] = " + ".join(self._size(x.value.shape[axis]) for x in parts)
        return f"{equation}  ({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    def _size(self, n: int) -> str:
        return self.shape((n,))[1:-2]

    def equation(self, each: Assign) -> str:
        """Return a statement as an equation."""
        if each.place is not None or each.into or isinstance(each.target.index, Fixed):
            return ""
        try:
            left, right = (text(self._symbols(e)) for e in (each.target, each.expression))
        except Exception:  # what no formula is written of has no equation beside it
            return ""
        return _ALONE.sub(r"\1", f"{left} {'+=' if each.adds else '='} {right}")

    def _symbols(self, e: Any) -> Any:
        """Return an expression of names with the step below them; of shapes it says nothing."""
        if isinstance(e, Read):
            inside = self.inlined.get(e.variable)
            if inside is not None:
                return self._symbols(at_step(inside, e.index))
            variable = e.variable
            if isinstance(e.index, Every):
                raise UnknownToReader("all steps at once")
            return Name(f"{variable.name}{_subscript(e.index) if variable.kept else ''}")
        if not isinstance(e, Apply):
            return e
        if e.function is np.array:
            raise UnknownToReader("a number as an array")
        operands = tuple(map(self._symbols, e.operands))
        if e.function is np.einsum:  # of rows with rows, over all of them
            product = Apply(ops.mul, operands, {}, e.value)
            return Apply(ops.sum, (product,), {"axis": (0, 1)}, e.value)
        if e.function is ops.getitem and isinstance(operands[0], Name):
            index = e.attrs["index"]
            if isinstance(index, Moving):
                return Name(f"{singular(operands[0].text)}{_subscript(index)}")
            of: Any = e.operands[0]
            return Name(f"{operands[0].text}[{self.index(index, of=np.asarray(of.value))}]")
        if e.function in (ops.reshape, ops.broadcast_to):
            return operands[0]
        if e.function is ops.concat and all(isinstance(x, Name) for x in operands):
            return Name(f"[{', '.join(map(text, operands))}]")
        return Apply(e.function, operands, e.attrs, e.value)


_ALONE = re.compile(r"(?<!\w)\((\w+(?:ₜ[₊₋][₀-₉]+)?(?:\[[^\]()]*\])?)\)")
"""A name with the step below it, or a part of what it names, in brackets that it does not need."""


def _subscript(index: Any) -> str:
    """Return the step that is read, to stand below a name."""
    if isinstance(index, Fixed):
        return ""
    if not isinstance(index, Moving) or isinstance(index.offset, Size):
        return "" if index is None else "[…]"
    if index.sign != 1:
        return f"[{index.offset} − t]"
    offset = f"{'₊' if index.offset > 0 else '₋'}{_digits(abs(index.offset))}" if index.offset else ""
    return f"ₜ{offset}"


def _digits(n: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(d)] for d in str(int(n)))


def _is_little(expression: Any) -> bool:
    """Tell whether it is a number and what is read, as 1 − z: written again wherever it is used."""
    if not isinstance(expression, Apply) or not isinstance(expression.function, Primitive):
        return False
    numbers = [isinstance(x, Number) for x in expression.operands]
    return expression.function.kind is Kind.pointwise and len(numbers) == 2 and numbers.count(True) == 1


def _is_view(expression: Any) -> bool:
    """Tell whether it only says which part of an array is read."""
    if not isinstance(expression, Apply) or expression.function is not ops.getitem:
        return False
    index = expression.attrs["index"]
    return not any(isinstance(part, np.ndarray | Stacked) for part in (index if isinstance(index, tuple) else (index,)))
