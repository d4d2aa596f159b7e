"""The program of a network: what it computes, and its backward pass, as plain numpy that a person can read and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.graph import Graph
from ..engine.primitive import Primitive
from ..engine.source import Line as Place
from ..engine.tensor import Tensor
from ..structure.rolling import Every, Fixed, Given, Loop, Made, Moving, Reference, Rolled, Stacked, roll
from ..symbolic.expressions import Constant, Number
from ..symbolic.tracer import OpenedArray
from .building import HERE, Builder
from .layout import Layout
from .numpy_text import Line, NumpyText, listed
from .sizes import Size, lifted
from .statements import Assign, Begin, For, Read, Statement, reads, statements

NAME = "loss_and_gradients"


class Source:
    """A program: ``print`` shows it, calling it runs it.

    ``arguments`` are what it was recorded with, by the names it gives them; ``operations`` what it cannot express.
    """

    def __init__(
        self, lines: Sequence[Line], name: str, arguments: dict[str, Any], operations: dict[str, Primitive]
    ) -> None:
        self.text = "\n".join(line for line, _ in lines) + "\n"
        self.name, self.arguments, self.operations = name, arguments, operations
        self._nodes = [node for _, node in lines]
        self._function: Callable[..., Any] | None = None

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def origin(self, line: int) -> Place | None:
        """Return from which line of the network's program a line of this one comes, the first being 1."""
        node = self._nodes[line - 1]
        return None if node is None else node.line

    @property
    def function(self) -> Callable[..., Any]:
        """What the text says, as a function."""
        if self._function is None:
            namespace: dict[str, Any] = {}
            exec(compile(self.text, f"<{self.name}>", "exec"), namespace)
            made: Callable[..., Any] = namespace[self.name]
            self._function = made
        return self._function

    def __call__(self, **changed: Any) -> Any:
        """Run it with what it was recorded with, but for what is given by name."""
        given = {**self.arguments, **changed}
        if self.operations:
            given["operations"] = self.operations
        return self.function(**given)


def source(loss: Tensor, wrt: Sequence[Tensor]) -> Source:
    """Return the program that computes a loss and its gradient with respect to tensors."""
    rolled = roll(Graph(loss))
    output, asked = rolled.reference(loss), [rolled.reference(x) for x in wrt]
    sizes = Sizes(rolled)
    builder = Builder(rolled, lifted(sizes.named))
    forward = builder.forward()
    seed = Number(1.0) if loss.dtype == np.float64 else Constant(np.ones((), loss.dtype))
    backward, gradients = builder.backward([output], [seed], asked)
    result = builder.read(output)
    layout = Layout(builder, forward, backward, [result, *gradients])
    write = NumpyText(layout.inlined, sizes.named, lifted(sizes.named, OpenedArray))
    given = _given(builder, [*forward, *backward], [*(reference.of for reference in asked)])
    write.taken = layout.name(rolled, given)
    computing = list(_computing(builder, forward, layout, write))
    going_back = list(write.lines(backward, layout.equation))
    returned = [write.expression(each) if each is not None else "None" for each in gradients]
    value = write.expression(result)
    arguments = {builder.variable(each).name: _recorded(each) for each in given}
    arguments.update({name: _data(array) for name, array in write.given.values()})
    parameters = [*arguments, *(["operations"] if write.operations else [])]
    constants = [f"{', '.join(sizes.used)} = {', '.join(map(str, sizes.used.values()))}  # as recorded"] if sizes.used else []
    last = listed(f"return {value}, (", [*returned, *([""] if len(returned) == 1 else [])], ")", 92)
    body: list[Line] = [
        *((line, None) for line in constants),
        *computing,
        ("", None),
        ("# backwards", None),
        *going_back,
        *((line, None) for line in last),
    ]
    whole: list[Line] = [("import numpy as np", None)]
    for _, text in write.functions.values():
        whole += [("", None), ("", None), *((line, None) for line in text.splitlines())]
    whole += [("", None), ("", None), *((line, None) for line in listed(f"def {NAME}(", parameters, "):"))]
    whole += [(f"    {line}".rstrip(), node) for line, node in body]
    return Source(whole, NAME, arguments, write.operations)


def _given(builder: Builder, body: list[Statement], also: Sequence[Any]) -> list[Given]:
    """Return what a program is given: data in the order it came up, then parameters."""
    owner = {variable: of for of, variable in builder.variables.items() if isinstance(of, Given)}
    found: dict[Given, None] = {}
    for each in statements(body):
        if isinstance(each, Assign):
            found.update((owner[read.variable], None) for read in reads(each.expression) if read.variable in owner)
        elif each.like in owner:
            found[owner[each.like]] = None
    found.update((each, None) for each in also if isinstance(each, Given))
    return sorted(found, key=lambda each: (_is_parameter(each.members[0]), each.members[0].serial if _is_parameter(each.members[0]) else 0))


def _is_parameter(leaf: Tensor) -> bool:
    return leaf.requires_grad and "." in (leaf.name or "")


def _recorded(given: Given) -> Any:
    values = [leaf.value for leaf in given.members]
    return _by_step(values, given.first, given.direction) if given.stacked else values[0]


def _data(array: Any) -> Any:
    if not isinstance(array, Stacked):
        return array
    return _by_step(array.values, -array.index.offset * array.index.sign, array.index.sign)


def _by_step(values: Sequence[Any], first: int, direction: int) -> Any:
    """Return what each step is given: a list, unless its steps do not begin with 0."""
    pairs = sorted((first + direction * k, value) for k, value in enumerate(values)) if False else [
        (first + direction * k, value) for k, value in enumerate(values)
    ]
    by_step = dict(pairs)
    return [by_step[t] for t in range(len(by_step))] if 0 in by_step and len(by_step) - 1 in by_step else by_step


def _computing(builder: Builder, forward: list[Statement], layout: Layout, write: NumpyText) -> list[Line]:
    """Write the forward pass: first what is kept for each step begins, with what stands before the first one."""
    kept = [variable for of, variable in builder.variables.items() if variable.kept and isinstance(of, Made)]
    begins: dict[Any, list[str]] = {variable: [] for variable in kept}
    known = {variable for of, variable in builder.variables.items() if isinstance(of, Given)}
    rest: list[Statement] = []
    for each in forward:
        early = isinstance(each, Assign) and isinstance(each.target.index, Fixed) and all(read.variable in known for read in reads(each.expression))
        if early and each.target.variable in begins:
            begins[each.target.variable].append(f"{write.place(each.target.index)}: {write.expression(each.expression)}")
        else:
            rest.append(each)
    body = list(write.lines(rest, layout.equation))
    pairs = [(v.name, f"{{{', '.join(inside)}}}") for v, inside in begins.items()]
    from .numpy_text import paired

    return [*((line, None) for line in paired(pairs)), *body]


class Sizes:
    """What sizes are called: T steps, N sequences, D numbers of each; H numbers of a state; and others."""

    def __init__(self, rolled: Rolled) -> None:
        self.names: dict[int, str] = {}
        self.used: dict[str, int] = {}
        loops = [item for item in rolled.items if isinstance(item, Loop)]
        arrays = [given.members[0].value.shape for given in dict.fromkeys(rolled.given.values())]
        for loop in loops:
            for shape in arrays:
                if len(shape) >= 2 and shape[0] == loop.high:
                    for size, letter in zip(shape, "TD" if len(shape) == 2 else "TND", strict=False):
                        self._call(size, letter)
            if loop.low == 0:
                self._call(int(loop.high), "T")
        others = iter("HKMPQRSUVXYZ")
        states = [ref.of.members[0].value.shape[-1:] for loop in loops for made in loop.body for ref in made.before.values()]
        for shape in (*states, *sorted(arrays, key=len)):
            for size in shape:
                if size > 1 and size not in self.names:
                    self._call(size, next(others, f"n{size}"))

    def _call(self, size: int, letter: str) -> None:
        if size > 1 and size not in self.names and letter not in self.names.values():
            self.names[size] = letter

    def named(self, size: int) -> int:
        """Return the size with its name, if it has one."""
        if isinstance(size, Size) or size not in self.names:
            return size
        self.used[self.names[size]] = size
        return Size.of(size, self.names[size])
