"""Writing a program down as plain numpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine import backprop, ops
from ..engine.primitive import Primitive
from ..engine.tensor import Tensor
from ..structure.loops import Every, Fixed, Loop, Moving, Stacked
from ..symbolic.expressions import Apply, Constant, Name, Number
from ..symbolic.rewriting import applications, replaced
from ..symbolic.tracer import OpenedArray, UnknownToReader, cast
from ..symbolic.tracer import _read as read_with
from .building import RuleOf
from .literals import ATOM, PREFIX, PRODUCT, SUM, literal, number
from .names import identifier
from .recording import NotExpressible, what_and_where
from .sizes import Size, written
from .statements import Assign, Begin, For, Read, Statement, Variable, Whole
from .views import at_step, in_rows, is_read
from .width import fitted, paired

Line = tuple[str, Tensor | None]

_INFIX = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT}
_UFUNCS = {
    np.add: ("+", SUM), np.subtract: ("-", SUM), np.multiply: ("*", PRODUCT), np.divide: ("/", PRODUCT),
    np.matmul: ("@", PRODUCT), np.greater: (">", 0), np.less: ("<", 0), np.greater_equal: (">=", 0),
    np.less_equal: ("<=", 0), np.equal: ("==", 0), np.not_equal: ("!=", 0),
}  # fmt: skip
"""numpy's functions that Python has a sign for."""

_IN_PLACE = {np.add: "+=", np.subtract: "-=", np.multiply: "*=", np.divide: "/="}

_REDUCED = {np.add: "sum", np.maximum: "max", np.minimum: "min", np.multiply: "prod"}


class Unwritable(ValueError):
    """What cannot be written down."""


class NumpyText:
    """Writes expressions and statements.

    Arguments:
        inlined: what stands for variables that have no name.
        named: what a size is called.
        opened: traced arrays that look into primitives.
    """

    def __init__(self, inlined: Mapping[Variable, Any], named: Callable[[int], int], opened: type[OpenedArray]) -> None:
        self.inlined, self.named, self.opened = inlined, named, opened
        self.functions: dict[Any, tuple[str, str]] = {}
        self.operations: dict[str, Primitive] = {}
        self.taken: set[str] = set()
        self.empty = "np.empty"
        self.once = False  # whether sizes are those of one recording
        self.given: dict[int, tuple[str, Any]] = {}
        self.letters: set[str] = set()  # sizes that were said by name
        self.data_names: dict[int, str | int] = {}

    # Statements: each line with the operation of the network that it belongs to

    def lines(self, body: Sequence[Statement], comment: Callable[[Assign], str]) -> Iterator[Line]:
        waiting: list[Begin] = []
        for each in body:
            if isinstance(each, Begin):
                if each.variable.rows is None:
                    waiting.append(each)
                elif not each.empty:
                    yield f"{self.read(Read(each.variable, Moving(1, 0)))} = 0", each.variable.node
                continue
            yield from self.beginnings(waiting)
            waiting = []
            if isinstance(each, For):
                inner = list(self.lines(each.body, comment))
                if inner:
                    yield f"for t in {self.steps(each.loop, each.backwards)}:", None
                    yield from ((f"    {line}", node) for line, node in inner)
            elif each.target.variable not in self.inlined:
                try:
                    yield from ((line, each.node) for line in self.assignment(each, comment(each)))
                except Unwritable as fault:
                    where = f" of {what_and_where(each.node)}" if each.node is not None else ""
                    raise NotExpressible(f"a program cannot say {fault}{where}") from None
        yield from self.beginnings(waiting)

    def steps(self, loop: Loop, backwards: bool = False) -> str:
        steps = f"range({self.span(loop.low, loop.high)})"
        return steps if (loop.direction > 0) is not backwards else f"reversed({steps})"

    def span(self, low: int, high: int) -> str:
        return f"{self.step(low)}, {self.step(high)}" if low else self.step(high)

    def step(self, n: int) -> str:
        """Write how far a loop goes: another size may be the same by chance."""
        return self.size(n) if isinstance(n, Size) or (self.once and written(self.named(n)) == "T") else str(int(n))

    def size(self, n: int) -> str:
        named = self.named(n)
        self.letters |= named.letters if isinstance(named, Size) else set()
        return written(named)

    def beginnings(self, begins: Sequence[Begin]) -> Iterator[Line]:
        """Write what begins with zeros, several in a line."""
        kept = [(each.variable.name, self.of_each_step(each)) for each in begins if each.steps]
        plain = [
            (each.variable.name, self.zeros(each))
            for each in begins
            if not each.steps and each.variable not in self.inlined
        ]
        yield from ((line, None) for line in paired([*kept, *plain]))

    def of_each_step(self, begin: Begin) -> str:
        assert begin.steps is not None
        low, high = begin.steps
        if begin.arrays:
            return f"{{t: {self.filled('zeros', begin.variable.value)} for t in range({self.span(low, high)})}}"
        if begin.each is None:
            return f"dict.fromkeys(range({self.span(low, high)}), 0.0)"
        loop = begin.variable.loop
        assert loop is not None
        own = "" if begin.variable.shared or not is_read(begin.each) else ".copy()"
        inside = f"{{t: {self.expression(begin.each)}{own} for t in range({self.span(loop.low, loop.high)})}}"
        others = [at for at in range(int(low), int(high)) if not loop.low <= at < loop.high]
        named = [self.said(low + (at - int(low)) if at < loop.low else high + (at - int(high))) for at in others]
        return f"{{{', '.join(f'{at}: 0.0' for at in named)}}} | {inside}" if others else inside

    def rows(self, variable: Variable) -> str:
        """Write an array for what is kept of all steps."""
        assert variable.rows is not None
        low, high = variable.rows
        sizes = ", ".join([self.step(high - low), *map(self.size, variable.value.shape)])
        kind = "" if variable.value.dtype == np.float64 else f", np.{variable.value.dtype}"
        return f"{self.empty}(({sizes}{'' if variable.value.ndim else ','}){kind})"

    def zeros(self, begin: Begin) -> str:
        like, value = begin.like, begin.variable.value
        if begin.empty and like is not None and begin.variable.loop is None:  # a gradient that is returned
            return self.filled("empty", value).replace(self.empty, "np.empty", 1)
        if begin.empty:
            return self.filled("empty", value)
        if like is not None and like not in self.inlined:
            return f"np.zeros_like({self.read(Read(like, Moving(1, 0) if like.loop else None))})"
        return self.filled("zeros", value)

    def filled(self, function: str, value: NDArray[Any], *arguments: str) -> str:
        kind = () if value.dtype == np.float64 else (f"np.{value.dtype}",)
        name = self.empty if function == "empty" else f"np.{function}"
        return f"{name}({', '.join([self.shape(tuple(map(self.named, value.shape))), *arguments, *kind])})"

    def full(self, like: NDArray[Any], value: float) -> str:
        """Write an array that holds one number throughout."""
        if value in (0, 1):
            return self.filled("ones" if value else "zeros", like)
        return self.filled("full", like, repr(float(value)) if np.isfinite(value) else number(value)[0])

    def assignment(self, each: Assign, comment: str) -> Iterator[str]:
        if each.into:
            yield from fitted(self.into(each), comment)
            return
        target, place = self.read(each.target), each.place
        right = self.expression(each.expression)
        if place is not None and any(isinstance(part, np.ndarray | Stacked) for part in _parts(place)):
            line = f"np.add.at({target}, {self.index(place, alone=True)}, {right})"
        else:
            at = "" if place is None else f"[{self.index(place, of=each.target.value)}]"
            if each.adds and each.target.variable.shared and not at:
                line = f"{target} = {target} + {self.expression(each.expression, PRODUCT)}"
            else:
                line = f"{target}{at} {'+=' if each.adds else '='} {right}"
        if line != f"{target} = {target}":
            yield from fitted(line, comment)

    def into(self, each: Assign) -> str:
        """Write an operation that puts its result where it is told to."""
        e, target = each.expression, self.read(each.target)
        if each.place is not None:
            place = self.index(each.place, of=each.target.value)
            rows = each.target.variable.rows and isinstance(each.target.index, Moving | Fixed)
            target = f"{target[:-1]}, {place}]" if rows else f"{target}[{place}]"
        a = e.operands[0]
        if len(e.operands) == 2 and self.expression(a) == target and e.function in _IN_PLACE:
            return f"{target} {_IN_PLACE[e.function]} {self.expression(e.operands[1])}"
        name, owner, details = e.function.__name__, "", ""
        if name == "reduce":
            axis = e.attrs["axis"][0] if np.size(e.attrs["axis"]) == 1 and np.ndim(e.attrs["axis"]) else e.attrs["axis"]
            owner, details = f"{e.function.__self__.__name__}.", f", axis={literal(axis)}"
            details += ", keepdims=True" if e.attrs.get("keepdims") else ""
        return f"np.{owner}{name}({self.listed(e.operands)}{details}, out={target})"

    # Expressions

    def read(self, read: Read) -> str:
        variable = read.variable
        if variable in self.inlined and isinstance(read.index, Every):
            assert variable.loop is not None
            steps = f"range({self.span(variable.loop.low, variable.loop.high)})"
            each = self.expression(self.inlined[variable], ATOM)
            return f"*({each} for t in {f'reversed({steps})' if read.index.descending else steps})"
        if variable in self.inlined:
            return self.expression(at_step(self.inlined[variable], read.index), ATOM)
        if variable.rows is not None and isinstance(read.index, Every) and not read.index.descending:
            assert variable.loop is not None
            return f"*{self.whole(variable, Whole(variable.loop.low, variable.loop.high))}"
        if isinstance(read.index, Whole):
            return self.whole(variable, read.index)
        if not variable.kept:
            return variable.name
        if isinstance(read.index, Every):
            loop = variable.loop
            assert loop is not None
            steps = f"range({self.span(loop.low, loop.high)})"
            row = self.place(in_rows(Moving(1, 0), variable))
            return f"*({variable.name}[{row}] for t in {f'reversed({steps})' if read.index.descending else steps})"
        return f"{variable.name}[{self.place(in_rows(read.index, variable))}]"

    def whole(self, variable: Variable, index: Whole) -> str:
        assert variable.rows is not None
        low, high = variable.rows
        start, stop = index.low - low, index.high - low
        if not start and index.high == high:
            return variable.name
        ends = f"{self.said(start) if start else ''}:{self.said(stop) if index.high != high else ''}"
        return f"{variable.name}[{ends}]"

    def place(self, index: Any) -> str:
        if isinstance(index, Fixed):
            return self.said(index.at)
        if isinstance(index, Moving):
            if index.sign == -1:
                return f"{self.said(index.offset)} - t" if index.offset else "-t"
            t = Size.of(1_000_003, "t")
            return self.said(t * index.sign + index.offset)
        return self.said(index)

    def said(self, n: int) -> str:
        """Write a whole number that stands in the program: with its name only where that is known of itself."""
        return self.size(n) if isinstance(n, Size) else str(int(n))

    def expression(self, e: Any, place: float = 0) -> str:
        text, binds = self.write(e)
        return text if binds >= place else f"({text})"

    def write(self, e: Any) -> tuple[str, float]:
        if isinstance(e, Read):
            inside = self.inlined.get(e.variable)
            if inside is None or isinstance(e.index, Every):
                return self.read(e), ATOM
            return self.write(at_step(inside, e.index))
        if isinstance(e, Number):
            return number(e.value)
        if isinstance(e, Name):
            return e.text, ATOM
        if isinstance(e, Constant):
            return self.constant(e)
        if e.function in (np.dot, np.ascontiguousarray, np.tri, np.arange):
            return f"np.{e.function.__name__}({self.listed(e.operands)})", ATOM
        if e.function is np.array:
            (x,) = e.operands
            kind = f"np.{e.value.dtype}" if e.value.dtype != np.float64 else "" if isinstance(x, Number) else "float"
            text = repr(float(x.value)) if isinstance(x, Number) and np.isfinite(x.value) else self.expression(x)
            return f"np.array({', '.join(filter(None, (text, kind)))})", ATOM
        if e.function is np.einsum:
            return f"np.einsum({e.attrs['subscripts']!r}, {self.listed(e.operands)})", ATOM
        if isinstance(e.function, RuleOf):
            return self.opaque(
                e.function.primitive, f".rule({self.listed(e.operands)}{self.attrs(e.attrs)})[{e.function.slot}]"
            )
        if isinstance(e.function, Primitive):
            return self.primitive(e)
        return self.numpys(e)

    def constant(self, e: Constant) -> tuple[str, float]:
        value = e.value
        if isinstance(value, Size):
            return self.size(value), (SUM, PRODUCT, ATOM)[value.binds]
        array = np.asarray(value)
        if array.dtype == np.float32 and array.ndim == 0:
            return f"np.float32({number(array.item())[0]})", ATOM
        if array.ndim == 0:
            return number(array.item()) if array.dtype.kind in "fiub" else (repr(array.item()), ATOM)
        if array.size and (array == array.flat[0]).all():
            return self.full(array, array.flat[0].item()), ATOM
        if array.ndim == 2 and np.array_equal(array, np.eye(len(array))):
            kind = "" if array.dtype == np.float64 else f", dtype=np.{array.dtype}"
            return f"np.eye({self.size(array.shape[0])}{kind})", ATOM
        raise Unwritable("an array that stands in a rule or a forward")

    def listed(self, operands: Sequence[Any]) -> str:
        return ", ".join(self.expression(x) for x in operands)

    def primitive(self, e: Apply) -> tuple[str, float]:
        primitive = e.primitive
        shaped = _SHAPED.get(primitive)
        if shaped is not None:
            return shaped(self, e)
        sign = primitive.operator
        if sign in _INFIX and len(e.operands) == 2:
            return self.infix(sign, _INFIX[sign], *e.operands)
        if sign == "-" and len(e.operands) == 1:
            return f"-{self.expression(e.operands[0], PREFIX)}", PREFIX
        if sign == "**":
            return f"{self.expression(e.operands[0], ATOM)} ** {self.expression(e.operands[1], ATOM)}", PREFIX + 0.5
        if isinstance(primitive.forward, np.ufunc):
            return f"np.{primitive.forward.__name__}({self.listed(e.operands)})", ATOM
        return self.by_forward(e)

    def infix(self, sign: str, binds: int, a: Any, b: Any) -> tuple[str, float]:
        if sign == "*" and (one := [x for x in (a, b) if isinstance(x, Number) and x.value == 1]):
            return self.write(b if a is one[0] else a)
        if sign == "*" and isinstance(a, Read) and isinstance(b, Read) and np.ndim(a.value) and a == b:
            return f"{self.expression(a, ATOM)} ** 2", PREFIX + 0.5
        return f"{self.expression(a, binds)} {sign} {self.expression(b, binds + 1)}", binds

    def by_forward(self, e: Apply) -> tuple[str, float]:
        """Write an operation as what its forward does: in place if that is little, or else as a function."""
        primitive = e.primitive
        values = [getattr(x, "value", 0.0) for x in e.operands]
        names = [Name(f"x{i}" if len(values) > 1 else "x") for i in range(len(values))]
        try:
            if not all(isinstance(x, Read | Number | Apply | Constant) for x in e.operands) or self._unrolled(e):
                raise UnknownToReader("it takes as many inputs as there are steps")
            (made,) = read_with("forward", primitive, primitive, names, values, e.attrs, self.opened)
            assert made is not None
            return self.opened_forward(e, made.expression, names)
        except (UnknownToReader, Unwritable):
            return self.opaque(primitive, f"({self.listed(e.operands)}{self.attrs(e.attrs)})")

    def attrs(self, attrs: Mapping[str, Any]) -> str:
        """Write the attributes of a call."""
        arrays = {name: self.part(x) for name, x in attrs.items() if isinstance(x, np.ndarray | Stacked)}
        return "".join(f", {name}={arrays.get(name) or literal(x)}" for name, x in attrs.items())

    def _unrolled(self, e: Apply) -> bool:
        return any(isinstance(x, Read) and isinstance(x.index, Every) for x in e.operands)

    def opened_forward(self, e: Apply, made: Any, names: list[Name]) -> tuple[str, float]:
        found = applications(made)
        uses = Counter(x.text for each in found for x in each.operands if isinstance(x, Name))
        sized = any(isinstance(x, Constant) and isinstance(x.value, Size) for each in found for x in each.operands)
        if (len(found) <= 2 or sized) and all(uses[name.text] <= 1 for name in names):
            return self.write(replaced(made, dict(zip(names, e.operands, strict=True))))
        key = (
            e.primitive,
            repr(sorted(e.attrs.items())),
            tuple(np.ndim(getattr(x, "value", 0)) for x in e.operands),
            str(e.value.dtype),
        )
        if key not in self.functions:
            name = self.fresh(e.primitive.name)
            before, self.letters = self.letters, set()
            text = self.function(name, names, made)
            letters, self.letters = sorted(self.letters), before | self.letters
            more = "".join(f", {letter}" for letter in letters)
            self.functions[key] = f"{name}(%s{more})", text.replace("):", f"{more}):", 1)
        return self.functions[key][0] % self.listed(e.operands), ATOM

    def function(self, name: str, names: list[Name], made: Any) -> str:
        """Write a function of its own: a line for each thing that is used twice."""
        found = applications(made)
        uses = Counter(id(x) for each in found for x in each.operands if isinstance(x, Apply))
        known: dict[int, Name] = {}
        body = []
        letters = iter("abcdefghijklmnopqrstuvw")
        for each in found:
            if uses[id(each)] > 1:
                shown = _replaced(each, known)
                letter = Name(next(letters))
                body.append(f"    {letter.text} = {self.expression(shown)}")
                known[id(each)] = letter
        body.append(f"    return {self.expression(_replaced(made, known))}")
        return "\n".join([f"def {name}({', '.join(n.text for n in names)}):", *body])

    def fresh(self, wanted: str) -> str:
        word, number = identifier(wanted), 2
        tried = word
        while tried in self.taken:
            tried, number = f"{word}_{number}", number + 1
        self.taken.add(tried)
        return tried

    def opaque(self, primitive: Primitive, call: str) -> tuple[str, float]:
        name, count = primitive.name, 1
        while self.operations.setdefault(name, primitive) is not primitive:
            name, count = f"{primitive.name}_{count + 1}", count + 1
        return f"operations[{name!r}]{call}", ATOM

    def as_type(self, e: Apply) -> tuple[str, float]:
        return f"{self.expression(e.operands[0], ATOM)}.astype(np.{np.dtype(e.attrs['dtype'])})", ATOM

    def numpys(self, e: Apply) -> tuple[str, float]:
        function: Any = e.function
        if function is cast:
            return self.as_type(e)
        if isinstance(function, np.ufunc):
            if function in _UFUNCS and len(e.operands) == 2:
                return self.infix(*_UFUNCS[function], *e.operands)
            if function is np.negative:
                return f"-{self.expression(e.operands[0], PREFIX)}", PREFIX
            return f"np.{function.__name__}({self.listed(e.operands)})", ATOM
        owner = function.__self__
        attrs = {key: value for key, value in e.attrs.items() if not (key == "keepdims" and not value)}
        if isinstance(attrs.get("axis"), tuple) and len(attrs["axis"]) == 1:
            attrs["axis"] = attrs["axis"][0]
        if function.__name__ == "reduce" and owner in _REDUCED:
            details = "".join(
                f", {key}={literal(value)}" for key, value in attrs.items() if not (key == "axis" and value is None)
            )
            return f"np.{_REDUCED[owner]}({self.listed(e.operands)}{details})", ATOM
        details = "".join(f", {key}={literal(value)}" for key, value in attrs.items())
        return f"np.{owner.__name__}.{function.__name__}({self.listed(e.operands)}{details})", ATOM

    # Operations on shapes

    def index(self, index: Any, alone: bool = False, of: Any = None) -> str:
        """Write an index; ``of`` is what it is of, whose ends need not be said."""
        if isinstance(index, tuple):
            whole = of is not None and all(isinstance(part, slice | int) for part in index)
            sizes = [of.shape[i] if whole else None for i in range(len(index))]
            text = ", ".join(self.part(part, n) for part, n in zip(index, sizes, strict=True))
            if alone and any(isinstance(part, slice) for part in index):
                return f"np.s_[{text}]"
            return f"({text}{',' if len(index) == 1 else ''})" if alone or not index else text
        return self.part(index, alone=alone)

    def part(self, index: Any, size: int | None = None, alone: bool = False) -> str:
        if isinstance(index, slice):
            start, stop = index.start or None, None if index.stop == size and index.step is None else index.stop
            bounds = ["" if bound is None else self.place(bound) for bound in (start, stop)]
            text = ":".join(bounds if index.step is None else [*bounds, self.place(index.step)])
            return f"np.s_[{text}]" if alone else text
        if isinstance(index, EllipsisType):
            return "..."
        if index is None:
            return "None"
        if isinstance(index, Stacked):
            return f"{self.data(index)}[t]"
        if isinstance(index, np.ndarray):
            return self.data(index)
        return self.place(index)

    def data(self, array: Any) -> str:
        """Return the name of numbers that stand in an operation, which the program is given."""
        key = id(array.values[0] if isinstance(array, Stacked) else array)
        if key in self.data_names:
            known = self.data_names[key]
            return known if isinstance(known, str) else f"np.arange({self.size(known)})"
        if key not in self.given:
            self.given[key] = self.fresh("indices"), array
        return self.given[key][0]

    def shape(self, shape: Any) -> str:
        text = ", ".join(map(self.size, shape))
        return f"({text}{',' if len(shape) == 1 else ''})"


def _getitem(w: NumpyText, e: Any) -> tuple[str, float]:
    inside = e.operands[0]
    if (
        isinstance(inside, Read)
        and inside.variable.rows
        and isinstance(inside.index, Moving | Fixed)
        and inside.variable not in w.inlined
    ):
        return f"{w.read(inside)[:-1]}, {w.index(e.attrs['index'], of=np.asarray(inside.value))}]", ATOM
    array = _as_array(w, e.operands[0])
    return f"{array}[{w.index(e.attrs['index'], of=np.asarray(e.operands[0].value))}]", ATOM


def _as_array(w: NumpyText, e: Any) -> str:
    text = w.expression(e, ATOM)
    return f"np.asarray({text})" if isinstance(e, Number) else text


def _take(w: NumpyText, e: Apply) -> tuple[str, float]:
    return f"{_as_array(w, e.operands[0])}[{w.index(e.attrs['indices'])}]", ATOM


def _reshape(w: NumpyText, e: Apply) -> tuple[str, float]:
    inside: Any = e.operands[0]
    if isinstance(inside, Number):
        return w.write(inside)
    if not np.ndim(inside.value):  # which may be a number of Python
        return f"np.reshape({w.expression(inside)}, {w.shape(e.attrs['shape'])})", ATOM
    return f"{w.expression(inside, ATOM)}.reshape({w.shape(e.attrs['shape'])})", ATOM


def _transpose(w: NumpyText, e: Apply) -> tuple[str, float]:
    axes = e.attrs.get("axes")
    inner = w.expression(e.operands[0], ATOM)
    return (f"{inner}.T", ATOM) if axes is None or tuple(axes) == (1, 0) else (f"{inner}.transpose({axes})", ATOM)


def _broadcast(w: NumpyText, e: Any) -> tuple[str, float]:
    inner = e.operands[0]
    while isinstance(inner, Apply) and inner.function is ops.reshape and np.size(inner.value) == 1:
        inner = inner.operands[0]
    if isinstance(inner, Number | Constant):
        return w.full(e.value, np.asarray(inner.value).item()), ATOM
    return f"np.broadcast_to({w.expression(inner)}, {w.shape(e.attrs['shape'])})", ATOM


def _joined(w: NumpyText, e: Any) -> tuple[str, float]:
    name = "stack" if e.function is ops.stack else "concatenate"
    axis = e.attrs.get("axis", 0)
    one = e.operands[0] if len(e.operands) == 1 else None
    if isinstance(one, Read) and isinstance(one.index, Every):
        text = w.read(one)
        if e.function is ops.stack and not text.startswith("*("):
            return _moved_axis(text[1:], axis, e.value.ndim), ATOM
        parts = "[" + (text[2:-1] if text.startswith("*(") else text) + "]"
    else:
        parts = f"[{w.listed(e.operands)}]"
    return f"np.{name}({parts}{f', axis={axis}' if axis else ''})", ATOM


def _where(w: NumpyText, e: Any) -> tuple[str, float]:
    condition, a, b = e.operands
    asked = condition
    is_comparison = (
        isinstance(asked, Apply)
        and isinstance(asked.function, np.ufunc)
        and _UFUNCS.get(asked.function, ("", 9))[1] == 0
    )
    known = is_comparison or (isinstance(asked, Read) and asked.value.dtype == bool)
    text = w.expression(asked) if known else f"{w.expression(asked, PRODUCT)} != 0"
    return f"np.where({text}, {w.expression(a)}, {w.expression(b)})", ATOM


def _index_add(w: NumpyText, e: Apply) -> tuple[str, float]:
    name = w.functions.setdefault(ops.index_add, ("among_zeros", AMONG_ZEROS))[0]
    index, shape = w.index(e.attrs["index"], alone=True), w.shape(e.attrs["shape"])
    return f"{name}({_as_array(w, e.operands[0])}, {index}, {shape})", ATOM


AMONG_ZEROS = """def among_zeros(x, index, shape):
    zeros = np.zeros(shape, x.dtype)
    np.add.at(zeros, index, x)
    return zeros"""


def _einsum(w: NumpyText, e: Apply) -> tuple[str, float]:
    subscripts = e.attrs.get("subscripts", ops.einsum.signature.parameters["subscripts"].default)
    return f"np.einsum({subscripts!r}, {w.listed(e.operands)}, optimize=True)", ATOM


_SHAPED: dict[Any, Callable[[NumpyText, Apply], tuple[str, float]]] = {
    ops.getitem: _getitem,
    ops.take: _take,
    ops.reshape: _reshape,
    ops.transpose: _transpose,
    ops.broadcast_to: _broadcast,
    ops.stack: _joined,
    ops.concat: _joined,
    ops.where: _where,
    ops.index_add: _index_add,
    ops.einsum: _einsum,
    backprop.cast: lambda to, e: to.as_type(e),
}
"""Operations on shapes, which the tracer leaves as they are, too."""


def _moved_axis(array: str, axis: int, ndim: int) -> str:
    return array if axis % ndim == 0 else f"np.moveaxis({array}, 0, {axis})"


def _parts(place: Any) -> tuple[Any, ...]:
    return place if isinstance(place, tuple) else (place,)


def _replaced(e: Any, known: Mapping[int, Name]) -> Any:
    if not isinstance(e, Apply):
        return e
    operands = tuple(known.get(id(x), None) or _replaced(x, known) for x in e.operands)
    return Apply(e.function, operands, e.attrs, e.value)
