"""A layer or a function behind its own signature, computed by its program."""

from __future__ import annotations

import math
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
from .recording import NotExpressible, flattened, rebuilt
from .source import General, bound, of_function

skip_file(__file__)  # what is compiled is called on a line of whoever calls it


class Compiled:
    """A function that is computed by its program; what cannot be is computed as it always was, and told."""

    def __init__(self, function: Callable[..., Any], optimize: int = 2) -> None:
        self.function, self.optimize = function, optimize
        self._programs: dict[Any, _Run | str] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.function, name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        example = bound(self.function, args, named)
        parts = [(path, part) for name, value in example.items() for path, part in flattened(value, name)]
        key = tuple(_kind(path, part) for path, part in parts)
        run = self._programs.get(key)
        if run is None:
            run = self._programs[key] = self._compiled(example)
        if isinstance(run, str) or current().detecting_nan:
            return self.function(*args, **named)
        return run(dict(parts))

    def _compiled(self, example: dict[str, Any]) -> _Run | str:
        try:
            return _Run(self.function, of_function(self.function, example, split=True, optimize=self.optimize), example)
        except NotExpressible as refusal:
            return str(refusal)

    def explain(self) -> str:
        """Return what was compiled for which arguments, and what was not, and why."""
        if not self._programs:
            return "not called yet"
        lines = []
        for key, run in self._programs.items():
            kinds = ", ".join(_told(part) for part in key)
            what = (
                f"not compiled: {run}"
                if isinstance(run, str)
                else f"a program of {len(str(run.general.source).splitlines())} lines"
            )
            lines.append(f"{kinds}: {what}")
        return "\n".join(lines)


def _kind(path: str, part: Any) -> Any:
    array = part.value if isinstance(part, Tensor) else part
    if isinstance(array, np.ndarray):
        return path, array.ndim, array.dtype.char, array.shape[2:] if array.ndim > 2 else array.shape[-1:]
    return path, repr(part)


def _told(kind: Any) -> str:
    return f"{kind[0]} with {kind[1]} axes of {np.dtype(kind[2])}" if len(kind) == 4 else f"{kind[0]}={kind[1]}"


class _Run:
    def __init__(self, function: Callable[..., Any], general: General, example: dict[str, Any]) -> None:
        self.function, self.general, self.example = function, general, example
        self.forward, self.backward = general.source.functions
        self.operations = {"operations": general.source.operations} if general.source.operations else {}
        self.like = general.recordings[0].structure
        self.node = Primitive("program", lambda *inputs: None, lambda g, y, *inputs: (), "program")

    def __call__(self, given: dict[str, Any]) -> Any:
        outputs, saved = self.forward(**self._arrays(given), **self.operations)
        tensors = {name: given[name] if isinstance(given[name], Tensor) else None for name in self.general.arguments}
        inputs = [tensors.get(name) if name in tensors else self.general.closure[name] for name in self.general.wrt]
        if not current().recording or not any(x is not None and x.requires_grad for x in inputs):
            return rebuilt(self.like, iter([Tensor(_owned(x)) for x in outputs]))
        return rebuilt(self.like, iter(self._recorded(given, inputs, outputs, saved)))

    def _recorded(
        self, given: dict[str, Any], inputs: Sequence[Any], outputs: Sequence[Any], saved: Any
    ) -> list[Tensor]:
        """Return the outputs as parts of one node, whose rule is the program's way back."""
        called = [(x, name) for x, name in zip(inputs, self.general.wrt, strict=True) if x is not None]
        known, names = tuple(x for x, _ in called), tuple(name if name in given else None for _, name in called)
        names_of = [name for _, name in called]
        held = {leaf: leaf.value for leaf in self.general.closure.values() if leaf not in set(known)}
        call = Call(lambda given: self.function(**rebuilt_arguments(self.example, given)), given, known, names, held)
        recorded, shapes = [x.value for x in known], [x.shape for x in outputs]
        packed = _in_a_row(outputs)

        def forward(*operands: Any) -> Any:
            if all(x is value for x, value in zip(operands, recorded, strict=True)):
                return packed
            return _in_a_row(call.replay(operands))

        def rule(g: Any, y: Any, *operands: Any) -> tuple[Any, ...]:
            if isinstance(g, Tensor):
                return call.gradients_again(y, operands, g)
            kept = saved
            if any(x.dtype != value.dtype for x, value in zip(operands, recorded, strict=True)):
                return call.gradients(operands, g)  # a program is of one type
            if any(x is not value for x, value in zip(operands, recorded, strict=True)):
                others = dict(zip(names_of, operands, strict=True))
                _, kept = self.forward(**{**self._arrays(given), **others}, **self.operations)
            found = self.backward(kept, *(_pieces(g, shapes)))
            return tuple(gradient for gradient, x in zip(found, inputs, strict=True) if x is not None)

        node = Tensor.__primitive__(_standing_for(call, self.node, forward, rule), known, {})
        return [node] if len(outputs) == 1 else _parts(node, shapes)

    def _arrays(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return what the program is called with, by name."""
        closure = {name: leaf.value for name, leaf in self.general.closure.items()}
        return {**{name: _array(given[name]) for name in self.general.arguments}, **closure}


def _standing_for(call: Call, like: Primitive, forward: Any, rule: Any) -> Primitive:
    """Return a primitive for one call."""
    made = object.__new__(Primitive)
    made.__dict__.update(like.__dict__, forward=forward, rule=rule)

    def opens(node: Tensor, *inputs: Tensor) -> Any:
        composed = call.open(node, *inputs)
        return composed.output(0, node) if len(composed.outputs) == 1 else composed

    made.opens = opens
    return made


def _in_a_row(outputs: Sequence[Any]) -> Any:
    """Return the numbers of several outputs in one array, or the only output."""
    return outputs[0] if len(outputs) == 1 else np.concatenate([x.ravel() for x in outputs])


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


def _parts(packed: Tensor, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
    starts = accumulate((math.prod(shape) for shape in shapes), initial=0)
    return [
        part(packed, which=which, start=start, shape=shape)
        for which, (start, shape) in enumerate(zip(starts, shapes, strict=False))
    ]


def rebuilt_arguments(example: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments nested as they were."""

    def made(value: Any, name: str) -> Any:
        if isinstance(value, tuple | list):
            return type(value)(made(part, f"{name}_{i}") for i, part in enumerate(value))
        return given[name]

    return {name: made(value, name) for name, value in example.items()}


def _array(x: Any) -> Any:
    return x.value if isinstance(x, Tensor) else x


def _owned(x: Any) -> Any:
    array = np.asarray(x)
    array = array.copy() if array.base is not None and array.flags.writeable else array
    array.setflags(write=False)
    return array


def _pieces(packed: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """Return the outputs of which an array is the numbers in a row."""
    if len(shapes) == 1:
        return [packed]
    found, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape, dtype=int))
        found.append(packed[start : start + size].reshape(*shape))
        start += size
    return found


def compile(function: Callable[..., Any], *, optimize: int = 2) -> Compiled:
    """Return a layer or a function that computes the same by its program."""
    return Compiled(function, optimize)
