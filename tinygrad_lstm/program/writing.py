"""Writing a program down as one function, or as two: forwards, and backwards with what was saved on the way."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..structure.loops import Every, Fixed, Given, Made, Reference, Rolled, Stacked
from ..symbolic.expressions import Apply, Constant, Number
from ..symbolic.rewriting import applications
from ..symbolic.tracer import OpenedArray
from .arguments import given_to, recorded, recorded_numbers
from .beginning import begun_by_rows, begun_by_step
from .building import Builder
from .carrying import CARRIED, Carrying
from .factoring import FACTORED, Factoring
from .gathering import GATHERED, Gathering
from .inplace import IN_PLACE, InPlace
from .layout import Layout
from .letters import Sizes
from .masks import Mask, only_conditions
from .names import Names
from .numpy_text import Line, NumpyText
from .remaking import REMADE, Remaking
from .sizes import lifted
from .source_code import SourceCode
from .statements import Assign, Begin, For, Read, Statement, Variable, reads, statements
from .views import in_rows
from .width import WIDTH, broken, listed, paired

ROOM = WIDTH - 8
"""How long a line of a function may be, before it is put at its place."""


@dataclass
class Job:
    """What is to be written: of which outputs, with respect to what, and what is known of the leaves."""

    rolled: Rolled
    outputs: list[Reference]
    wrt: list[Reference]
    sizes: Sizes
    seeds: list[Any] = field(default_factory=list)  # what the gradients of the outputs begin with; or a name is given
    named: dict[Given, str] = field(default_factory=dict)  # arguments that have their name already
    uniform: set[Given] = field(default_factory=set)  # arrays that hold one number throughout
    numbers: dict[Given, Any] = field(default_factory=dict)  # what stands for a number that is a size
    data: dict[int, str | int] = field(default_factory=dict)  # numbers within operations, by id: of which argument
    # they are; or of how many numbers they are the first, 0, 1, 2, ...
    masks: dict[Given, Mask] = field(default_factory=dict)  # what is computed from lengths
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
        self.masks = self._masks()
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
            begun_by_rows(self.backward)
            if Factoring(self.backward).finds:
                self.comments.append(FACTORED)
        if job.in_place:
            remaking = Remaking(builder, self.forward, self.backward, [*self.results, *self.gradients])
            inlined = {**inlined, **remaking.inlined}
            self.comments += [REMADE] if remaking.finds else []
        else:
            self.backward = begun_by_step(self.backward)
        results = [*self.results, *self.gradients]
        self.layout = Layout(builder, self.forward, self.backward, results, inlined, recompute=not job.gather)
        for given in job.uniform:
            variable = builder.variable(given)
            self.layout.inlined[variable] = Constant(variable.value)
        if job.in_place:
            self.comments.append(IN_PLACE)
            working = InPlace(builder, self.layout, lifted(job.sizes.named, OpenedArray), job.sizes.named)
            self.forward, self.backward = working.forward(self.forward, self.backward), working.backward(self.backward)
        self._drop_what_nobody_reads()
        self.text = NumpyText(self.layout.inlined, job.sizes.named, lifted(job.sizes.named, OpenedArray))
        self.text.data_names, self.text.once = job.data, not job.general
        self.text.empty = "empty" if job.in_place else "np.empty"

    def _masks(self) -> dict[Given, Any]:
        """Return how what says which steps are within lengths is made of these: True or False, where that will do."""
        decides, found = only_conditions(self.job.rolled), {}
        for given, mask in self.job.masks.items():
            variable = self.builder.variable(given)
            variable.kept = given.stacked
            if decides(given):
                variable.value = variable.value.astype(bool)
            lengths, steps = self.job.sizes.arguments[mask.lengths], self.job.sizes.values[mask.steps]
            found[given] = mask.expression(lengths, steps, variable.value.dtype)
        return found

    def _drop_what_nobody_reads(self) -> None:
        """Drop what is written once and read nowhere."""
        writers: Counter[Variable] = Counter()
        read: set[Variable] = set()
        expressions = [*self.results, *(each for each in self.gradients if each is not None)]
        for each in statements([*self.forward, *self.backward]):
            if isinstance(each, Assign) and each.target.variable in self.layout.inlined:
                continue
            writers[each.target.variable if isinstance(each, Assign) else each.variable] += 1
            expressions.append(each.expression if isinstance(each, Assign) else each.each)
            if isinstance(each, Begin) and each.like:
                read.add(each.like)
        waiting = [*read, *(one.variable for each in expressions for one in reads(each))]
        while waiting:
            variable = waiting.pop()
            read.add(variable)
            waiting += [
                x.variable for x in reads(self.layout.inlined.get(variable, Number(0.0))) if x.variable not in read
            ]
        dead = {variable for variable, count in writers.items() if count == 1 and variable not in read}
        self.forward, self.backward = _without(self.forward, dead), _without(self.backward, dead)

    def source(self) -> SourceCode:
        read = [_argument(text) for text in self.job.data.values() if isinstance(text, str)]
        self.data = list(dict.fromkeys([*read, *(mask.lengths for mask in self.job.masks.values())]))
        self._name()
        self.forwards, self.backwards = self._forwards(), self._backwards()
        self.returned = [self.text.expression(each) if each is not None else "None" for each in self.gradients]
        self.outputs = [self.text.expression(each) for each in self.results]
        self.arguments.update({name: recorded_numbers(array) for name, array in self.text.given.values()})
        known = self.job.sizes.arguments
        order = list(self.job.sizes.taken)  # of the arguments of a function
        found = dict.fromkeys([*self.arguments, *self.data])
        self.parameters = sorted(found, key=lambda name: order.index(name) if name in order else len(order))
        self.arguments.update({name: known[name] for name in self.data if name in known})
        self.operations = ["operations"] if self.text.operations else []
        self.empty = ["empty=np.empty"] if self.job.in_place else []
        self.given_seeds = [] if self.job.seeds else [seed.name for seed in self.seeds]
        whole, names = self._two() if self.split else self._one()
        head: list[Line] = [("import numpy as np", None)]
        for _, text in self.text.functions.values():
            head += [("", None), ("", None), *((line, None) for line in text.splitlines())]
        return SourceCode([*head, *whole], names, self.arguments, self.text.operations, self.given_seeds)

    def _name(self) -> None:
        """Name everything: what is given, what is computed, and the gradients that come from outside."""
        besides = (*self.job.wrt, *self.job.outputs)
        given = given_to(self.builder, [*self.forward, *self.backward], besides, self.job.named)
        self.given = [each for each in given if each not in self.job.uniform and each not in self.masks]
        for each in self.given:
            if each in self.job.named:
                variable = self.builder.variable(each)
                variable.name = self.job.named[each]
                variable.kept = variable.kept or each.stacked
        reserved = {*self.job.named.values(), *self.data, *self.job.sizes.names.values(), "saved"}
        of_masks = {leaf: mask.name for each, mask in self.job.masks.items() for leaf in each.members}
        taken = self.layout.name(self.job.rolled, self.given, sorted(reserved), {**self.job.known, **of_masks})
        self._name_masks(given)
        self.text.taken = taken
        self.layout.index, self.layout.shape = self.text.index, self.text.shape
        self.arguments: dict[str, Any] = {}
        for each in self.given:
            self.arguments.setdefault(self.builder.variable(each).name, recorded(each, self._steps_of(each)))
        names = Names(self.job.rolled, taken)
        for seed, result in zip(self.seeds, self.results, strict=True):
            seed.name = names.fresh(f"d{self._called(result)}")

    def _steps_of(self, given: Given) -> int:
        """Return how many steps there are in the longest loop that reads it."""
        readers = (made for made in self.job.rolled.made() if any(each.of is given for each in made.operands))
        return max((made.loop.count for made in readers if made.loop), default=0)

    def _name_masks(self, given: Sequence[Given]) -> None:
        """Let masks that are the same have one name; each layer and direction made one of its own."""
        named = {self.builder.variable(each): each for each in given if each in self.masks}
        first: dict[Any, str] = {}
        self.within: dict[str, Any] = {}
        for variable, each in sorted(named.items(), key=lambda pair: len(pair[0].name)):
            variable.name = first.setdefault((self.job.masks[each], variable.value.dtype), variable.name)
            self.within.setdefault(variable.name, self.masks[each])

    def _called(self, result: Any) -> str:
        """Return what an output may be called: h_last, or hs for all steps of h."""
        while isinstance(result, Read) and result.variable in self.layout.inlined:
            result = self.layout.inlined[result.variable]
        found = list(reads(result))
        if len(found) != 1 or not found[0].variable.name:
            return "output"
        index, name = found[0].index, found[0].variable.name
        return f"{name}s" if isinstance(index, Every) else f"{name}_last" if isinstance(index, Fixed) else name

    def _one(self) -> tuple[list[Line], list[str]]:
        """Write one function, which returns the outputs and the gradients."""
        scalar = len(self.outputs) == 1 and not np.ndim(reference_value(self.job.outputs[0]))
        name = "loss_and_gradients" if scalar else "outputs_and_gradients"
        forwards = self.forwards
        if scalar:
            loss = Names(self.job.rolled, self.text.taken).fresh("loss")
            if not self.outputs[0].isidentifier():
                forwards = [*forwards, *_plain(broken(f"{loss} = {self.outputs[0]}", ROOM))]
                self.outputs = [loss]
            start = [f"return {self.outputs[0]}, ("]
        else:
            start = listed("return (", _tuple(self.outputs), "), (", ROOM)
        lines = [*forwards, ("", None), ("# backwards", None), *self.backwards]
        end = _plain([*start[:-1], *listed(start[-1], _tuple(self.returned), ")", ROOM)])
        sizes = self._sizes(self._said([*lines, *end]))
        parameters = [*self.parameters, *self.given_seeds, *self.operations, *self.empty]
        return _function(name, parameters, [*self._comments(), *sizes, *lines, *end]), [name]

    def _two(self) -> tuple[list[Line], list[str]]:
        """Write a function forwards, which returns the outputs and what it saves, and one backwards."""
        end = _plain(listed("return (", _tuple(self.returned), ")", ROOM))
        back = self._said([*self.backwards, *end])
        saved = [*back, *self._saved(), *self.operations]
        lines = [*self.forwards, *_plain(listed("saved = (", _tuple(saved), ")", ROOM))]
        lines += _plain(listed("return (", _tuple(self.outputs), "), saved", ROOM))
        forward = [*self._comments(), *self._sizes(dict.fromkeys([*self._said(lines), *back])), *lines]
        opening = _plain(listed("(", _tuple(saved), ") = saved", ROOM)) if saved else []
        return [
            *_function("forward", [*self.parameters, *self.operations, *self.empty], forward),
            *_function("backward", ["saved", *self.given_seeds, *self.empty], [*opening, *self.backwards, *end]),
        ], ["forward", "backward"]

    # What is said before the first line

    def _comments(self) -> list[Line]:
        """Say what must be given besides arrays, what the names stand for, and what the passes did."""
        said = []
        if self.text.operations:
            said.append("operations: by name, what numpy does not have: " + ", ".join(sorted(self.text.operations)))
        said += [*self._paths(), *self.comments]
        return [(f"# {line}", None) for each in said for line in textwrap.wrap(each, ROOM - 2)]

    def _paths(self) -> list[str]:
        """Say which names stand for which parameters of the network, where those have longer ones."""
        owners: dict[str, list[tuple[str, str]]] = {}
        for each in self.given:
            path, name = each.members[0].name or "", self.builder.variable(each).name
            if "." in path and path.isprintable():
                owner, _, last = path.rpartition(".")
                owners.setdefault(owner, []).append((name, last))
        said = []
        for owner, pairs in owners.items():
            names, parts = map(", ".join, zip(*pairs, strict=True))
            said.append(f"{names}: {parts} of {owner}")
        return ["; ".join(said)] if said else []

    def _said(self, lines: Iterable[Line]) -> list[str]:
        """Return the sizes that lines name."""
        code = (line.partition("  # ")[0] for line, _ in lines if not line.lstrip().startswith("#"))
        words = {word for line in code for word in re.findall(r"\b[A-Za-z]\w*", line)}
        return [letter for letter in self.job.sizes.values if letter in words]

    def _sizes(self, said: Iterable[str]) -> list[Line]:
        """Write where the sizes come from."""
        wanted = list(said)
        if not wanted:
            return []
        if not self.job.general:
            values = self.job.sizes.values
            return [(f"{', '.join(wanted)} = {', '.join(str(values[x]) for x in wanted)}  # as recorded", None)]
        lines: list[Line] = []
        for name, array in self._arrays():
            letters = [self.job.sizes.names.get(n) for n in array.shape]
            fresh = [letter for letter in dict.fromkeys(letters) if letter in wanted]
            if len(fresh) > 1 and len({*letters} - {None}) == len(letters):
                unpacked = map(str, letters)
                lines.append((f"{', '.join(unpacked)} = {name}.shape", None))
            else:
                lines += [(f"{letter} = {name}.shape[{letters.index(letter)}]", None) for letter in fresh]
            wanted = [letter for letter in wanted if letter not in fresh]
        return [*lines, *((f"{letter} = {self.job.sizes.values[letter]}", None) for letter in wanted)]

    def _arrays(self) -> list[tuple[str, Any]]:
        """Return the arguments that are arrays, largest first, by which a program tells the sizes."""
        found = {self.builder.variable(each).name: each.members[0].value for each in self.given if not each.stacked}
        found.update(self.job.sizes.arguments)
        return sorted(found.items(), key=lambda pair: -pair[1].ndim)

    # Forwards and backwards

    def _forwards(self) -> list[Line]:
        """Write the forward pass: first what is kept for each step begins, with what stands before the first one."""
        kept = [variable for of, variable in self.builder.variables.items() if variable.kept and isinstance(of, Made)]
        begins: dict[Variable, list[tuple[str, str]]] = {variable: [] for variable in kept}
        known = {variable for of, variable in self.builder.variables.items() if isinstance(of, Given)}
        rest: list[Statement] = []
        for each in self.forward:
            if (
                isinstance(each, Assign)
                and isinstance(each.target.index, Fixed)
                and each.target.variable in begins
                and all(read.variable in known for read in reads(each.expression))
            ):
                place = self.text.place(in_rows(each.target.index, each.target.variable))
                begins[each.target.variable].append((place, self.text.expression(each.expression)))
            else:
                rest.append(each)
        steps = [(v.name, _dict(first)) for v, first in begins.items() if v.rows is None]
        arrays = [(v.name, self.text.rows(v)) for v in begins if v.rows is not None and not v.over]
        firsts = [f"{v.name}[{place}] = {value}" for v in begins if v.rows is not None for place, value in begins[v]]
        masks = [f"{name} = {self.text.expression(mask)}" for name, mask in self.within.items()]
        return [
            *_plain([*masks, *paired(steps), *paired(arrays), *firsts]),
            *self.text.lines(rest, self.layout.equation_with_shape),
        ]

    def _backwards(self) -> list[Line]:
        rows = [v for v in (*self.builder.gradients.values(), *self.builder.extra) if v.rows is not None]
        order = {self.builder.variable(each): i for i, each in enumerate(self.given)}
        body = _in_order(self.backward, order)
        return [
            *_plain(list(paired([(v.name, self.text.rows(v)) for v in rows]))),
            *self.text.lines(body, self.layout.equation),
        ]

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
            if isinstance(each, Assign) and each.target.variable in self.layout.inlined:
                continue
            if isinstance(each, Assign):
                for read in reads(each.expression):
                    note(read.variable)
                for part in _data_of(each):
                    text = self.text.data(part)
                    if not text.startswith("np."):
                        found[_argument(text)] = None
            elif (
                each.like
                and each.steps is None
                and not each.empty
                and not {each.like, each.variable} & self.layout.inlined.keys()
            ):
                note(each.like)
        for each in self.gradients:
            if isinstance(each, Read):
                note(each.variable)
        return list(found)


def reference_value(reference: Reference) -> Any:
    """Return an array like what is read."""
    of = reference.of
    return of.members[0].value if isinstance(of, Given) else of.node.value


def _without(body: list[Statement], dead: set[Variable]) -> list[Statement]:
    found: list[Statement] = []
    for each in body:
        if isinstance(each, For):
            found.append(For(each.loop, _without(each.body, dead), each.backwards))
        elif not (isinstance(each, Assign) and each.target.variable in dead and not (each.into or each.adds)):
            found.append(each)
    return found


def _in_order(body: list[Statement], order: dict[Variable, int]) -> list[Statement]:
    """Let gradients begin in the order of the arguments whose they are."""
    found: list[Statement] = []
    for begins, group in groupby(body, key=lambda each: isinstance(each, Begin)):
        each = list(group)
        found += sorted(each, key=lambda begin: order.get(getattr(begin, "like", None), -1)) if begins else each  # type: ignore[arg-type]
    return found


def _dict(pairs: Sequence[tuple[str, str]]) -> str:
    return f"{{{', '.join(f'{place}: {value}' for place, value in pairs)}}}"


def _argument(text: str) -> str:
    """Return of which argument some numbers are."""
    return text.partition(" ")[0].partition(".")[0].partition("[")[0]


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
