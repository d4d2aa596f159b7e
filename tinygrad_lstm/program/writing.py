"""Writing a program down as one function, or as two: forwards, and backwards with what was saved on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engine.primitive import Primitive
from ..engine.source import Line as Place
from ..engine.tensor import Tensor
from ..structure.origin import origin
from ..structure.rolling import Fixed, Given, Loop, Made, Reference, Rolled, Stacked
from ..symbolic.expressions import Apply, Constant, applications
from ..symbolic.tracer import OpenedArray
from .building import Builder
from .carrying import CARRIED, Carrying
from .gathering import GATHERED, Gathering
from .inplace import IN_PLACE, InPlace
from .layout import Layout
from .names import Names
from .numpy_text import Line, NumpyText, _in_rows, listed, paired
from .sizes import Size, lifted
from .statements import Assign, Read, Statement, Variable, reads, statements


class SourceCode:
    """A program: ``print`` shows it, calling it runs it.

    ``arguments`` are what it was recorded with, by the names it gives them; ``operations`` what it cannot express.
    """

    def __init__(
        self,
        lines: Sequence[Line],
        names: Sequence[str],
        arguments: dict[str, Any],
        operations: dict[str, Primitive],
        seeds: Sequence[str],
    ) -> None:
        self.text = "\n".join(line for line, _ in lines) + "\n"
        self.arguments, self.operations, self.seeds = arguments, operations, seeds
        self._names = names
        self._nodes = [node for _, node in lines]
        self._functions: tuple[Callable[..., Any], ...] = ()

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def origin(self, line: int) -> Place | None:
        """Return from which line of the network's program a line of this one comes, the first being 1."""
        node = self._nodes[line - 1]
        return None if node is None else origin(node)

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """What the text says, as functions: the whole, or forwards and backwards."""
        if not self._functions:
            namespace: dict[str, Any] = {}
            exec(compile(self.text, f"<{self._names[0]}>", "exec"), namespace)
            self._functions = tuple(namespace[name] for name in self._names)
        return self._functions

    def __call__(self, **changed: Any) -> Any:
        """Run it with what it was recorded with, but for what is given by name."""
        given = {**self.arguments, **changed}
        if self.operations:
            given["operations"] = self.operations
        return self.functions[0](**given)


@dataclass
class Job:
    """What is to be written: of which outputs, with respect to what, and what is known of the leaves."""

    rolled: Rolled
    outputs: list[Reference]
    wrt: list[Reference]
    sizes: Sizes
    seeds: list[Any] = field(default_factory=list)  # what the gradients of the outputs begin with; or a name is given
    named: dict[Given, str] = field(default_factory=dict)  # arguments that have their name already
    zeros: set[Given] = field(default_factory=set)
    numbers: dict[Given, Any] = field(default_factory=dict)  # what stands for a number that is a size
    data: dict[int, str | int] = field(default_factory=dict)  # numbers within operations, by id: of which argument
    # they are; or of how many numbers they are the first, 0, 1, 2, ...
    gather: bool = False
    in_place: bool = False
    known: dict[Tensor, str] = field(default_factory=dict)  # names of leaves
    comments: list[str] = field(default_factory=list)  # by the passes
    general: bool = False  # whether sizes are those of the arguments


def write(job: Job, split: bool = False) -> tuple[SourceCode, dict[Given, str]]:
    """Write a job down; return what is given by which name, too."""
    writing = _Writing(job, split)
    source = writing.source()
    return source, {of: v.name for of, v in writing.builder.variables.items() if isinstance(of, Given) and v.name}


class _Writing:
    def __init__(self, job: Job, split: bool) -> None:
        self.job, self.split = job, split
        self.builder = builder = Builder(job.rolled, lifted(job.sizes.named), job.numbers)
        self.forward = builder.forward()
        self.seeds = [Variable("", reference_value(ref), None, node=None) for ref in job.outputs]
        seeds = job.seeds or [Read(seed) for seed in self.seeds]
        self.backward, self.gradients = builder.backward(job.outputs, seeds, job.wrt)
        self.results = [builder.read(reference) for reference in job.outputs]
        inlined: dict[Variable, Any] = {}
        self.comments = [*job.comments]
        if job.gather:
            self.comments += [GATHERED, CARRIED]
            gathering = Gathering(builder, self.forward, self.backward)
            self.backward, inlined = gathering.backward, gathering.inlined
            self.backward = Carrying(builder, self.backward, self.gradients).backward
        self.layout = Layout(builder, self.forward, self.backward, [*self.results, *self.gradients], inlined)
        for given in job.zeros:
            variable = builder.variable(given)
            self.layout.inlined[variable] = Constant(np.zeros_like(variable.value))
        if job.in_place:
            self.comments.append(IN_PLACE)
            working = InPlace(builder, self.layout, lifted(job.sizes.named, OpenedArray), job.sizes.named)
            self.forward, self.backward = working.forward(self.forward, self.backward), working.backward(self.backward)
        self.text = NumpyText(self.layout.inlined, job.sizes.named, lifted(job.sizes.named, OpenedArray))
        self.text.data_names = job.data
        self.text.empty = "empty" if job.in_place else "np.empty"

    def source(self) -> SourceCode:
        given = self._given()
        for each in given:
            if each in self.job.named:
                variable = self.builder.variable(each)
                variable.name = self.job.named[each]
                variable.kept = variable.kept or each.stacked
        data = dict.fromkeys(_argument(text) for text in self.job.data.values() if isinstance(text, str))
        reserved = {*self.job.named.values(), *data, "saved"}
        self.text.taken = taken = self.layout.name(self.job.rolled, given, sorted(reserved), self.job.known)
        arguments: dict[str, Any] = {}
        for each in given:
            arguments.setdefault(self.builder.variable(each).name, _recorded(each))
        first, self.job.sizes.used = self._computing(), {}
        forward_sizes = dict(self.first_sizes)
        names = Names(self.job.rolled, taken)
        for seed, result in zip(self.seeds, self.results, strict=True):
            wanted = self.text.read(result) if isinstance(result, Read) and result.index is None else "output"
            seed.name = names.fresh(f"d{wanted}" if wanted.isidentifier() else "doutput")
        second = list(self.text.lines(self.backward, self.layout.equation))
        rows = [v for v in (*self.builder.gradients.values(), *self.builder.extra) if v.rows is not None]
        second = [*_plain(list(paired([(v.name, self.text.rows(v)) for v in rows]))), *second]
        returned = [self.text.expression(each) if each is not None else "None" for each in self.gradients]
        results = [self.text.expression(each) for each in self.results]
        arguments.update({name: _data(array) for name, array in self.text.given.values()})
        parameters = [*arguments, *data]
        parameters = list(dict.fromkeys(parameters))
        operations = ["operations"] if self.text.operations else []
        self.empty = ["empty=np.empty"] if self.job.in_place else []
        back_sizes = dict(self.job.sizes.used)
        if self.split:
            whole, names_of = self._two(
                parameters, operations, first, second, results, returned, forward_sizes, back_sizes
            )
        else:
            whole, names_of = self._one(
                parameters, operations, first, second, results, returned, {**forward_sizes, **back_sizes}
            )
        head: list[Line] = [("import numpy as np", None)]
        for _, text in self.text.functions.values():
            head += [("", None), ("", None), *((line, None) for line in text.splitlines())]
        seeds = [] if self.job.seeds else [seed.name for seed in self.seeds]
        return SourceCode([*head, *whole], names_of, arguments, self.text.operations, seeds)

    def _one(
        self,
        parameters: list[str],
        operations: list[str],
        first: list[Line],
        second: list[Line],
        results: list[str],
        returned: list[str],
        used: dict[str, int],
    ) -> tuple[list[Line], list[str]]:
        scalar = len(results) == 1 and not np.ndim(reference_value(self.job.outputs[0]))
        name = "loss_and_gradients" if scalar else "outputs_and_gradients"
        seeds = [] if self.job.seeds else [seed.name for seed in self.seeds]
        value = results[0] if len(results) == 1 else f"({', '.join(results)})"
        body = [
            *self._sizes(used),
            *first,
            ("", None),
            ("# backwards", None),
            *second,
            *_plain(listed(f"return {value}, (", _tuple(returned), ")", 92)),
        ]
        return _function(name, [*parameters, *seeds, *operations, *self.empty], body), [name]

    def _two(
        self,
        parameters: list[str],
        operations: list[str],
        first: list[Line],
        second: list[Line],
        results: list[str],
        returned: list[str],
        used: dict[str, int],
        back: dict[str, int],
    ) -> tuple[list[Line], list[str]]:
        saved = [*back, *self._saved(), *operations]
        used = {**used, **back}
        forward = [
            *self._sizes(used),
            *first,
            *_plain(listed("saved = (", _tuple(saved), ")", 92)),
            *_plain(listed("return (", _tuple(results), "), saved", 92)),
        ]
        seeds = [seed.name for seed in self.seeds]
        backward = [
            *(_plain(listed("(", _tuple(saved), ") = saved", 92)) if saved else []),
            *second,
            *_plain(listed("return (", _tuple(returned), ")", 92)),
        ]
        return [
            *_function("forward", [*parameters, *operations, *self.empty], forward),
            *_function("backward", ["saved", *seeds, *self.empty], backward),
        ], ["forward", "backward"]

    def _saved(self) -> list[str]:
        """Return the names of what the backward pass reads of the forward pass."""
        begun = {
            each.target.variable if isinstance(each, Assign) else each.variable for each in statements(self.backward)
        }
        own = {*self.builder.gradients.values(), *begun, *self.seeds}
        found: dict[str, None] = {}

        def note(variable: Variable) -> None:
            inside = self.layout.inlined.get(variable)
            if inside is not None:
                for read in reads(inside):
                    note(read.variable)
            elif variable not in own:
                found[variable.name] = None

        for each in statements(self.backward):
            if isinstance(each, Assign):
                for read in reads(each.expression):
                    note(read.variable)
                for part in _data_of(each):
                    text = self.text.data(part)
                    if not text.startswith("np."):
                        found[_argument(text)] = None
            elif each.like and each.steps is None and not each.empty and each.like not in self.layout.inlined:
                note(each.like)
        for each in self.gradients:
            if isinstance(each, Read):
                note(each.variable)
        return list(found)

    def _sizes(self, used: dict[str, int]) -> list[Line]:
        return [*((f"# {comment}", None) for comment in self.comments), *self._of_arrays(used)]

    def _of_arrays(self, used: dict[str, int]) -> list[Line]:
        if not used:
            return []
        if not self.job.general:
            return [(f"{', '.join(used)} = {', '.join(map(str, used.values()))}  # as recorded", None)]
        lines: list[Line] = []
        known: set[str | None] = set()
        for name, array in self._arrays():
            letters = [self.job.sizes.names.get(n) for n in array.shape]
            fresh = [letter for letter in letters if letter in used and letter not in known]
            if not fresh:
                continue
            if all(letters) and len(set(letters)) == len(letters) and len(letters) > 1 and len(fresh) > 1:
                lines.append((f"{', '.join(map(str, letters))} = {name}.shape", None))
                known.update(letters)
            else:
                for letter in dict.fromkeys(fresh):
                    lines.append((f"{letter} = {name}.shape[{letters.index(letter)}]", None))
                    known.add(letter)
        return lines

    def _arrays(self) -> list[tuple[str, Any]]:
        """Return the arguments that are arrays, largest first, by which a program tells the sizes."""
        found = {self.builder.variable(each).name: each.members[0].value for each in self._given() if not each.stacked}
        found.update(self.job.sizes.arguments)
        return sorted(found.items(), key=lambda pair: -pair[1].ndim)

    def _given(self) -> list[Given]:
        """Return what a program is given: data in the order it came up, states, then parameters."""
        owner = {variable: of for of, variable in self.builder.variables.items() if isinstance(of, Given)}
        found: dict[Given, None] = {}
        for each in statements([*self.forward, *self.backward]):
            if isinstance(each, Assign):
                found.update((owner[read.variable], None) for read in reads(each.expression) if read.variable in owner)
            elif each.like in owner:
                found[owner[each.like]] = None
        found.update((ref.of, None) for ref in (*self.job.wrt, *self.job.outputs) if isinstance(ref.of, Given))
        kept = [each for each in found if each not in self.job.zeros]
        states = {ref.of for made in self.job.rolled.made() for ref in made.before.values()}
        return sorted(kept, key=lambda each: _rank(each, states))

    def _computing(self) -> list[Line]:
        """Write the forward pass: first what is kept for each step begins, with what stands before the first one."""
        kept = [variable for of, variable in self.builder.variables.items() if variable.kept and isinstance(of, Made)]
        begins: dict[Variable, list[str]] = {variable: [] for variable in kept}
        known = {variable for of, variable in self.builder.variables.items() if isinstance(of, Given)}
        rest: list[Statement] = []
        for each in self.forward:
            if (
                isinstance(each, Assign)
                and isinstance(each.target.index, Fixed)
                and each.target.variable in begins
                and all(read.variable in known for read in reads(each.expression))
            ):
                place = self.text.place(_in_rows(each.target.index, each.target.variable))
                begins[each.target.variable].append(f"{place}: {self.text.expression(each.expression)}")
            else:
                rest.append(each)
        body = list(self.text.lines(rest, self.layout.equation))
        pairs = [(v.name, f"{{{', '.join(inside)}}}") for v, inside in begins.items() if v.rows is None]
        arrays = [(v.name, self.text.rows(v)) for v in begins if v.rows is not None and not v.over]
        firsts = [
            f"{v.name}[{inside.split(': ')[0]}] = {inside.split(': ', 1)[1]}"
            for v in begins
            if v.rows is not None
            for inside in begins[v]
        ]
        self.first_sizes = dict(self.job.sizes.used)
        return [*_plain([*paired(pairs), *paired(arrays), *firsts]), *body]


def reference_value(reference: Reference) -> Any:
    """Return an array like what is read."""
    of = reference.of
    return of.members[0].value if isinstance(of, Given) else of.node.value


def _rank(given: Given, states: set[Any]) -> tuple[int, float]:
    leaf = given.members[0]
    if leaf.requires_grad and "." in (leaf.name or ""):
        return 2, leaf.serial
    return (1 if given in states else 0), leaf.serial


def _argument(text: str) -> str:
    """Return of which argument some numbers are."""
    return text.partition(".")[0]


def _data_of(each: Assign) -> list[Any]:
    """Return the arrays that stand in the indices of a statement."""
    indices = [each.place]
    if isinstance(each.expression, Apply):
        indices += [value for one in applications(each.expression) for value in one.attrs.values()]
    parts = [part for index in indices for part in (index if isinstance(index, tuple) else (index,))]
    return [part for part in parts if isinstance(part, np.ndarray | Stacked)]


def _tuple(parts: Sequence[str]) -> list[str]:
    return [*parts, *([""] if len(parts) == 1 else [])]


def _plain(lines: Sequence[str]) -> list[Line]:
    found: list[Line] = [(line, None) for line in lines]
    return found


def _function(name: str, parameters: list[str], body: list[Line]) -> list[Line]:
    head = _plain(listed(f"def {name}(", parameters, "):"))
    return [("", None), ("", None), *head, *((f"    {line}".rstrip(), node) for line, node in body)]


def _recorded(given: Given) -> Any:
    values = [leaf.value for leaf in given.members]
    return _by_step(values, given.first, given.direction) if given.stacked else values[0]


def _data(array: Any) -> Any:
    if not isinstance(array, Stacked):
        return array
    return _by_step(array.values, -array.index.offset * array.index.sign, array.index.sign)


def _by_step(values: Sequence[Any], first: int, direction: int) -> Any:
    """Return what each step is given: a list, unless its steps do not begin with 0."""
    by_step = {first + direction * k: value for k, value in enumerate(values)}
    return [by_step[t] for t in range(len(by_step))] if all(t in by_step for t in range(len(by_step))) else by_step


class Sizes:
    """What sizes are called: T steps, N sequences, D numbers of each; H numbers of a state; and others.

    Arguments:
        rolled: a graph, of whose arrays they are.
        names: those that are known already.
        arguments: arrays, by name, that are no tensors.
    """

    def __init__(
        self, rolled: Rolled, names: dict[int, str] | None = None, arguments: dict[str, Any] | None = None
    ) -> None:
        self.names: dict[int, str] = dict(names or {})
        self.arguments = arguments or {}
        self.used: dict[str, int] = {}
        self.known: dict[int, Size] = {}  # sizes that are made of others
        loops = [item for item in rolled.items if isinstance(item, Loop)]
        arrays = [given.members[0].value.shape for given in dict.fromkeys(rolled.given.values())]
        for loop in loops:
            for shape in arrays:
                if len(shape) >= 2 and shape[0] == loop.high:
                    for size, letter in zip(shape, "TD" if len(shape) == 2 else "TND", strict=False):
                        self._call(size, letter)
            if loop.low == 0 and names is None:
                self._call(int(loop.high), "T")
        others = iter("HKMPQRSUVXYZ")
        before = [reference.of for loop in loops for made in loop.body for reference in made.before.values()]
        states = [of.members[0].value.shape[-1:] for of in before]
        for shape in (*states, *sorted(arrays, key=len)):
            for size in shape:
                if size > 1 and size not in self.names:
                    self._call(size, next(others, f"n{size}"))

    def _call(self, size: int, letter: str) -> None:
        if size > 1 and size not in self.names and letter not in self.names.values():
            self.names[size] = letter

    def named(self, size: int) -> int:
        """Return the size with its name, if it has one."""
        found = size if isinstance(size, Size) else self.known.get(size)
        if found is None:
            if size not in self.names:
                return size
            found = Size.of(size, self.names[size])
        for letter in found.letters:
            if letter in self.values:
                self.used[letter] = self.values[letter]
        return found

    @property
    def values(self) -> dict[str, int]:
        return {letter: size for size, letter in self.names.items()}
