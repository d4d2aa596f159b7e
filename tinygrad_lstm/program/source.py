"""The program of a network: what it computes, and its backward pass, as plain numpy that a person can read and run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..engine import ops
from ..engine.graph import Graph
from ..engine.primitive import Primitive
from ..engine.tensor import Tensor
from ..structure.rolling import Every, Fixed, Given, Loop, Made, Moving, Reference, Rolled, roll
from ..structure.words import is_number
from ..symbolic.expressions import Apply, Number, applications
from ..symbolic.tracer import OpenedArray
from .building import HERE, Builder
from .names import Names
from .numpy_text import NumpyText, broken
from .sizes import Size, lifted, written
from .statements import Assign, Begin, For, Read, Statement, Variable, reads, statements


class Source:
    """A program: ``print`` shows it, calling it runs it.

    ``arguments`` are what it was recorded with, by the names it gives them; ``operations`` what it cannot express.
    """

    def __init__(self, text: str, name: str, arguments: dict[str, Any], operations: dict[str, Primitive]) -> None:
        self.text, self.name, self.arguments, self.operations = text, name, arguments, operations
        self._function: Callable[..., Any] | None = None

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    @property
    def function(self) -> Callable[..., Any]:
        if self._function is None:
            namespace: dict[str, Any] = {}
            exec(compile(self.text, f"<program {self.name}>", "exec"), namespace)
            self._function = namespace[self.name]
        return self._function

    def __call__(self, **changed: Any) -> Any:
        """Run it with what it was recorded with, but for what is given by name."""
        given = {**self.arguments, **changed}
        if self.operations:
            given["operations"] = self.operations
        return self.function(**given)


def source(loss: Tensor, wrt: Sequence[Tensor]) -> Source:
    rolled = roll(Graph(loss))
    output = rolled.reference(loss)
    asked = [rolled.reference(x) for x in wrt]
    sizes = _Sizes(rolled)
    traced = lifted(sizes.named)
    builder = Builder(rolled, traced)
    forward = builder.forward()
    backward, gradients = builder.backward([output], [Number(1.0)], asked)
    return _Writing(rolled, builder, sizes, forward, backward, output, asked, gradients).write()


class _Sizes:
    """What sizes are called: T steps, N sequences, D numbers of each, and others."""

    def __init__(self, rolled: Rolled) -> None:
        self.names: dict[int, str] = {}
        self.used: dict[str, int] = {}
        loops = [item for item in rolled.items if isinstance(item, Loop)]
        arrays = [given.members[0].value.shape for given in rolled.given.values()]
        for loop in loops:
            for shape in arrays:
                if len(shape) >= 2 and shape[0] == loop.high:
                    for size, letter in zip(shape, "TD" if len(shape) == 2 else "TND", strict=False):
                        self._call(size, letter)
        others = iter("HKMPQRSUVXYZ")
        for shape in arrays:
            for size in shape:
                if size > 1 and size not in self.names:
                    self._call(size, next(others, f"n{size}"))

    def _call(self, size: int, letter: str) -> None:
        if size > 1 and size not in self.names and letter not in self.names.values():
            self.names[size] = letter

    def named(self, size: int) -> int:
        if isinstance(size, Size) or size not in self.names:
            return size
        self.used[self.names[size]] = size
        return Size.of(size, self.names[size])


class _Writing:
    def __init__(
        self,
        rolled: Rolled,
        builder: Builder,
        sizes: _Sizes,
        forward: list[Statement],
        backward: list[Statement],
        output: Reference,
        asked: list[Reference],
        gradients: list[Any],
    ) -> None:
        self.rolled, self.builder, self.sizes = rolled, builder, sizes
        self.forward, self.backward = forward, backward
        self.output, self.asked, self.gradients = output, asked, gradients
        self.inlined: dict[Variable, Any] = {}
        self._decide()
        self.text = NumpyText(self.inlined, sizes.named, lifted(sizes.named, OpenedArray))

    def _decide(self) -> None:
        """Decide what has a name, and what is kept for each step."""
        variables = self.builder.variables
        made_of = {variable: of for of, variable in variables.items()}
        computed = {each.target.variable: each for each in statements(self.forward) if isinstance(each, Assign) and each.target.index in (None, HERE)}
        uses: dict[Variable, list[tuple[Loop | None, Read]]] = {}

        def note(read: Read, loop: Any) -> None:
            uses.setdefault(read.variable, []).append((loop, read))

        def walk(body: list[Statement], loop: Any) -> None:
            for each in body:
                if isinstance(each, For):
                    walk(each.body, each)
                elif isinstance(each, Assign):
                    for read in reads(each.expression):
                        note(read, loop)
                elif each.like is not None and each.how == "zeros":
                    pass

        walk(self.forward, None)
        walk(self.backward, None)
        loops = {id(each.loop): each for each in self.forward if isinstance(each, For)}
        views = {v for v, each in computed.items() if each.expression.function is ops.getitem and not _arrays(each.expression.attrs["index"])}
        for variable, each in computed.items():
            if variable in views:
                self.inlined[variable] = each.expression
        for variable in views:  # what is read of a view is read of what it is a view of
            for loop, _ in uses.get(variable, ()):
                for read in reads(self.inlined[variable]):
                    note(read, loop)
        outer = [self.builder.read(reference) for reference in (self.output,)]
        for read in outer:
            if isinstance(read, Read):
                note(read, None)
        for variable, each in computed.items():
            of = made_of[variable]
            if variable in self.inlined:
                continue
            home = loops.get(id(variable.loop)) if variable.loop else None
            elsewhere = [read for loop, read in uses.get(variable, ()) if loop is not home or (variable.loop and read.index != HERE)]
            single = len(uses.get(variable, ())) == 1
            if single and not elsewhere and of.node.name is None and not of.before:
                self.inlined[variable] = each.expression
            elif variable.loop:
                variable.kept = bool(elsewhere) or bool(of.before)

        self._join(self.backward)

    def _join(self, body: list[Statement]) -> None:
        """Write what is computed once and read once where it is read."""
        made = {each.target.variable: each for each in body if isinstance(each, Assign) and not each.adds and each.place is None}
        uses: dict[Variable, int] = {}
        for each in body:
            if isinstance(each, For):
                self._join(each.body)
            for one in statements([each]):
                if isinstance(one, Assign):
                    for read in reads(one.expression):
                        uses[read.variable] = uses.get(read.variable, 0) + (1 if not isinstance(each, For) else 2)
                    if one.adds:
                        uses[one.target.variable] = 2
        for read in self.gradients:
            if isinstance(read, Read):
                uses[read.variable] = 2
        for variable, each in made.items():
            if uses.get(variable) == 1 and self._length(each.expression) <= 3:
                self.inlined[variable] = each.expression

    def _length(self, expression: Any) -> int:
        if isinstance(expression, Read):
            inside = self.inlined.get(expression.variable)
            return 0 if inside is None else self._length(inside)
        if not isinstance(expression, Apply):
            return 0
        return 1 + sum(map(self._length, expression.operands))

    def write(self) -> Source:
        names = Names(self.rolled)
        given: dict[Given, None] = {}
        for each in (*statements(self.forward), *statements(self.backward)):
            if isinstance(each, Assign):
                for read in reads(each.expression):
                    owner = next((of for of, v in self.builder.variables.items() if v is read.variable), None)
                    if isinstance(owner, Given):
                        given[owner] = None
        for reference in self.asked:
            if isinstance(reference.of, Given):
                given[reference.of] = None
        arguments = {}
        order = sorted(given, key=lambda g: (g.members[0].requires_grad and g.members[0].name is not None and "." in (g.members[0].name or ""), g.members[0].serial))
        for each in order:
            variable = self.builder.variable(each)
            variable.name = names.of(each)
            arguments[variable.name] = [x.value for x in each.members] if each.stacked else each.members[0].value
        for of, variable in self.builder.variables.items():
            if not variable.name and variable not in self.inlined:
                variable.name = names.of(of)
        for of, variable in self.builder.gradients.items():
            if variable in self.inlined:
                continue
            base = self.builder.variable(of).name or names.of(of)
            variable.name = names.fresh(f"d{base}", variable.node)
        self.text.taken = names.taken
        kept = [v for of, v in self.builder.variables.items() if v.kept and isinstance(of, Made)]
        body = []
        before = {id(v): [] for v in kept}
        forward = []
        for each in self.forward:
            if isinstance(each, Assign) and isinstance(each.target.index, Fixed) and id(each.target.variable) in before:
                before[id(each.target.variable)].append(f"{self.text.place(each.target.index)}: {self.text.expression(each.expression)}")
            else:
                forward.append(each)
        lines = list(self.text.lines(forward, self._comment))
        starts = {id(v): f"{v.name} = {{{', '.join(before[id(v)])}}}" for v in kept}
        plain = [v.name for v in kept if not before[id(v)]]
        body += [starts[id(v)] for v in kept if before[id(v)]]
        for i in range(0, len(plain), 8):
            few = plain[i : i + 8]
            body.append(f"{', '.join(few)} = {', '.join('{}' for _ in few)}")
        body += lines
        backward = list(self.text.lines(self.backward, self._comment))
        output = self.text.expression(self.builder.read(self.output))
        results = [self.text.expression(g) if g is not None else "None" for g in self.gradients]
        head = [f"def loss_and_gradients({', '.join(arguments)}{', operations' if self.text.operations else ''}):"]
        if len(head[0]) > 100:
            import textwrap
            head = ["def loss_and_gradients(", *(f"    {line}" for line in textwrap.wrap(", ".join([*arguments, *(["operations"] if self.text.operations else [])]) + ",", 92)), "):"]
        consts = ", ".join(self.sizes.used)
        sizes = [f"{consts} = {', '.join(str(n) for n in self.sizes.used.values())}"] if consts else []
        returned = ", ".join(results)
        last = f"return {output}, ({returned}{',' if len(results) == 1 else ''})"
        whole = [*sizes, *body, "", "# backwards", *backward, last]
        functions = [text for _, text in self.text.functions.values()]
        text = "\n\n\n".join(["import numpy as np", *functions, "\n".join([*head, *(f"    {line}".rstrip() for line in whole)])]) + "\n"
        return Source(text, "loss_and_gradients", arguments, self.text.operations)

    def _comment(self, each: Any) -> str:
        return ""


def _arrays(index: Any) -> bool:
    return any(isinstance(part, np.ndarray) or hasattr(part, "values") for part in (index if isinstance(index, tuple) else (index,)))
