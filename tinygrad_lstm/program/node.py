"""A call of a program as nodes of the graph: they go back by the program, and open as the graph they stand for."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np

from ..engine import ops
from ..engine.primitive import Primitive
from ..engine.scope import current
from ..engine.source import skip_file
from ..engine.tensor import Tensor
from .expand import Call
from .general import General, called_by_names
from .pool import Pool
from .recording import array_of, nested, returned_like
from .trying import Tried, has_room, sizes_of

skip_file(__file__)  # what is compiled is called on a line of whoever calls it


class ProgramNode:
    """A program that is called as the function is, and is a node of the graph; of several outputs, two."""

    def __init__(self, function: Callable[..., Any], general: General, in_place: bool) -> None:
        self.called, self.general = called_by_names(function), general
        self.forward, self.backward = general.source.functions
        self.operations = {"operations": general.source.operations} if general.source.operations else {}
        learned = [general.closure[name] for name in general.wrt if name in general.closure]
        self.held = [leaf for leaf in general.closure.values() if not any(leaf is x for x in learned)]
        self.pool = Pool()
        self.pooled = {"empty": self.pool.empty} if in_place else {}
        self.tried = Tried(general.trial, general.shapes, general.counts, self.called) if general.trial else None
        self.like = Primitive("program", lambda *inputs: None, lambda g, y, *inputs: (), "program")

    def takes(self, parts: Mapping[str, Any]) -> bool:
        """Tell whether the arguments have the shapes that it was made for, and something in them."""
        sizes = sizes_of(self.general.shapes, parts)
        return sizes is not None and 0 not in sizes.values()

    def fits(self, parts: Mapping[str, Any]) -> bool:
        """Tell whether there are steps enough, and lengths are of so many; what others do, the function says."""
        needed = self.general.needed
        if needed and not has_room(needed, sizes_of(self.general.shapes, parts) or {}):
            return False
        return all(
            array_of(parts[name]).min() >= 1 and array_of(parts[name]).max() <= self._steps(parts, letter)
            for name, letter in self.general.counts.items()
        )

    def _steps(self, parts: Mapping[str, Any], letter: str) -> int:
        return (sizes_of(self.general.shapes, parts) or {})[letter]

    def __call__(self, given: dict[str, Any], parts: Mapping[str, Any]) -> Any:
        general = self.general
        if current().recording:  # a batch may be written over before it goes back
            parts = {name: x.copy() if isinstance(x, np.ndarray) else x for name, x in parts.items()}
        outputs, saved = self._ran(parts, {})
        outputs = [np.array(float(x)) if isinstance(x, int | float) else x for x in outputs]  # that nothing is read for
        inputs = [general.closure[name] if name in general.closure else parts[name] for name in general.wrt]
        if not current().recording or not any(x.requires_grad for x in inputs):
            return returned_like(general.structure, iter([Tensor(_owned(x)) for x in outputs]))
        return returned_like(general.structure, iter(self._recorded(given, parts, inputs, outputs, saved)))

    def _ran(self, parts: Mapping[str, Any], others: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return outputs and what is saved; with other numbers for some of what it is given, by name."""
        general = self.general
        arrays = {name: array_of(parts[name]) for name in general.arguments}
        arrays.update((name, leaf.value) for name, leaf in general.closure.items())
        made: tuple[Any, Any] = self.forward(
            **{**arrays, **others}, **general.constants, **self.operations, **self.pooled
        )
        return made

    def _recorded(
        self,
        given: Mapping[str, Any],
        parts: Mapping[str, Any],
        inputs: Sequence[Tensor],
        outputs: Sequence[Any],
        saved: Any,
    ) -> list[Tensor]:
        """Return the outputs: the first is a node, whose rule is the program's way back; the others are parts of one.

        Who asks for gradients of both goes back twice; most ask for those of the first alone.
        """
        wrt, own = self.general.wrt, self.general.closure
        held = {leaf: leaf.value for leaf in self.held if not any(leaf is x for x in inputs)}
        call = Call(
            lambda parts: self.called(**{name: nested(value, name, parts) for name, value in given.items()}),
            parts,
            tuple(inputs),
            tuple(None if name in own else name for name in wrt),
            held,
        )
        if len(outputs) == 1 or not (self.general.trial and self.general.trial.goes_back):
            return self._node(call, inputs, outputs, saved, slice(0, None))
        pieces = (self._node(call, inputs, outputs, saved, mine) for mine in (slice(0, 1), slice(1, None)))
        return [x for piece in pieces for x in piece]

    def _node(
        self, call: Call, inputs: Sequence[Tensor], outputs: Sequence[Any], saved: Any, mine: slice
    ) -> list[Tensor]:
        recorded, shapes = [x.value for x in inputs], [x.shape for x in outputs[mine]]
        packed = _in_a_row(outputs[mine])
        packed.setflags(write=False)
        start = mine.start

        def forward(*operands: Any) -> Any:
            if all(x is value for x, value in zip(operands, recorded, strict=True)):
                return packed
            return _in_a_row(call.replay(operands)[mine])

        def rule(g: Any, y: Any, *operands: Any) -> tuple[Any, ...]:
            if isinstance(g, Tensor):
                return call.gradients_again(y, operands, g, mine)
            if any(x.dtype != value.dtype for x, value in zip(operands, recorded, strict=True)):
                return call.gradients(operands, g, mine)  # a program is of one type
            kept = saved
            if any(x is not value for x, value in zip(operands, recorded, strict=True)):
                _, kept = self._ran(call.given, dict(zip(self.general.wrt, operands, strict=True)))
            seeds: list[Any] = [np.zeros_like(x) for x in outputs]
            seeds[mine] = _pieces(g, shapes)
            return _unshared(self.backward(kept, *seeds, **self.pooled))

        def opens(node: Tensor, *inputs: Tensor) -> Any:
            composed = call.open(node, *inputs)
            return composed.output(start, node) if len(shapes) == 1 else composed

        made = object.__new__(Primitive)
        made.__dict__.update(self.like.__dict__, forward=forward, rule=rule)
        made.opens, made.fresh = opens, True
        node = Tensor.__primitive__(made, tuple(inputs), {})
        return [node] if len(shapes) == 1 else _parts(node, shapes, start)


def _unshared(gradients: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return gradients in arrays of their own: copies of those that something else holds, too; None is a zero."""
    return tuple(
        x if x is None or count == (_ALONE if x.base is None else _ALONE_BELOW) else x.copy()
        for x, count in zip(gradients, _holders(gradients), strict=True)
    )


def _holders(arrays: tuple[Any, ...]) -> list[int]:
    """Count the references to each array, or to the one of which it is a view."""
    found = []
    for x in arrays:
        base = None if x is None else x.base
        found.append(sys.getrefcount(x) if base is None else sys.getrefcount(base))
    return found


_ALONE, _ALONE_BELOW = _holders((np.empty(1), np.empty(2)[:1]))


def _in_a_row(outputs: Sequence[Any]) -> Any:
    """Return the numbers of several outputs in one array, or the only output."""
    return outputs[0] if len(outputs) == 1 else np.concatenate([x.ravel() for x in outputs])


def _pieces(packed: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """Return the outputs of which an array is the numbers in a row."""
    if len(shapes) == 1:
        return [packed]
    starts = accumulate((math.prod(shape) for shape in shapes), initial=0)
    return [
        packed[start : start + math.prod(shape)].reshape(shape) for start, shape in zip(starts, shapes, strict=False)
    ]


part = Primitive(
    "part",
    lambda packed, which=0, start=0, shape=(): packed[start : start + math.prod(shape)].reshape(shape),
    lambda g, y, packed, which=0, start=0, shape=(): (
        partial(ops.index_add, g.reshape(g.size), index=slice(start, start + math.prod(shape)), shape=packed.shape),
    ),
    "part",
    kind="movement",
)
"""One of several outputs, of which an array is the numbers in a row."""

part.opens = lambda node, composed: composed.output(node.attrs["which"], node)


def _parts(packed: Tensor, shapes: Sequence[tuple[int, ...]], first: int) -> list[Tensor]:
    starts = accumulate((math.prod(shape) for shape in shapes), initial=0)
    return [
        part(packed, which=which, start=start, shape=shape)
        for which, (start, shape) in enumerate(zip(starts, shapes, strict=False), start=first)
    ]


def _owned(x: Any) -> Any:
    array = np.asarray(x)
    array = array.copy() if array.base is not None and array.flags.writeable else array
    array.setflags(write=False)
    return array
