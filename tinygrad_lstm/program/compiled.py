"""A layer or a function behind its own signature, computed by its program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.backprop import grad
from ..engine.functions import concat
from ..engine.primitive import Primitive
from ..engine.scope import current
from ..engine.tensor import Tensor
from .pool import Pool
from .recording import NotExpressible, flattened, rebuilt, skeleton
from .source import General, bound, of_function, signature_of

IN_PLACE = 3
"""The level from which programs work in place, in arrays that are used again."""


class Compiled:
    """A function that is computed by its program; what cannot be is computed as it always was, and told."""

    def __init__(self, function: Callable[..., Any], optimize: int = 3) -> None:
        self.function, self.optimize = function, optimize
        self._signature = signature_of(function)
        self._programs: dict[Any, list[_Run | str]] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.function, name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        example = bound(self._signature, args, named)
        parts = [(path, part) for name, value in example.items() for path, part in flattened(value, name)]
        key = tuple(_kind(path, part) for path, part in parts)
        known = self._programs.setdefault(key, [])
        run = next((run for run in known if isinstance(run, str) or run.fits(parts)), None)
        if run is None:
            run = self._compiled(example)
            known.append(run)
        if isinstance(run, str) or current().detecting_nan:
            return self.function(*args, **named)
        return run(dict(parts))

    def _compiled(self, example: dict[str, Any]) -> _Run | str:
        try:
            return _Run(
                self.function,
                of_function(self.function, example, split=True, optimize=self.optimize),
                example,
                self.optimize,
            )
        except NotExpressible as refusal:
            return str(refusal)

    def explain(self) -> str:
        """Return what was compiled for which arguments, and what was not, and why."""
        if not self._programs:
            return "not called yet"
        lines = []
        for key, run in ((key, run) for key, runs in self._programs.items() for run in runs):
            kinds = ", ".join(_told(part) for part in key)
            lines.append(f"{kinds}: {f'not compiled: {run}' if isinstance(run, str) else run.told}")
        return "\n".join(lines)


def _kind(path: str, part: Any) -> Any:
    array = part.value if isinstance(part, Tensor) else part
    if isinstance(array, np.ndarray):
        return path, array.ndim, array.dtype.char
    return path, repr(part)


def _told(kind: Any) -> str:
    return f"{kind[0]} with {kind[1]} axes of {np.dtype(kind[2])}" if len(kind) == 3 else f"{kind[0]}={kind[1]}"


class _Run:
    def __init__(self, function: Callable[..., Any], general: General, example: dict[str, Any], optimize: int) -> None:
        self.function, self.general = function, general
        self.example = {name: skeleton(value) for name, value in example.items()}
        self.forward, self.backward = general.source.functions
        self.operations = {"operations": general.source.operations} if general.source.operations else {}
        self.like = general.structure
        self.pool = Pool()
        self.pooled = {"empty": self.pool.empty} if optimize >= IN_PLACE else {}
        self.node = Primitive("program", lambda *inputs: None, lambda g, y, *inputs: (), "program")

        arrays = {
            path: np.shape(_array(part)) for name, value in example.items() for path, part in flattened(value, name)
        }
        self.shapes = {path: arrays[path] for path in general.arguments}

    @property
    def told(self) -> str:
        return f"a program of {len(str(self.general.source).splitlines())} lines"

    def fits(self, parts: Sequence[tuple[str, Any]]) -> bool:
        """Tell whether arguments have the sizes that the program has, but for steps and sequences."""
        letters, found = self.general.letters, dict[str, int]()
        for path, part in parts:
            for i, (n, ours) in enumerate(zip(np.shape(_array(part)), self.shapes.get(path, ()), strict=False)):
                letter = letters.get((path, i))
                if n != (ours if letter is None else found.setdefault(letter, n)):
                    return False
        return True

    def __call__(self, given: dict[str, Any]) -> Any:
        arrays = {name: _array(given[name]) for name in self.general.arguments}
        closure = {name: leaf.value for name, leaf in self.general.closure.items()} | self.general.constants
        outputs, saved = self.forward(**arrays, **closure, **self.operations, **self.pooled)
        tensors = {name: given[name] if isinstance(given[name], Tensor) else None for name in self.general.arguments}
        inputs = [tensors.get(name) if name in tensors else self.general.closure[name] for name in self.general.wrt]
        if not current().recording or not any(x is not None and x.requires_grad for x in inputs):
            return rebuilt(self.like, iter([Tensor(_owned(x)) for x in outputs]))
        return rebuilt(self.like, iter(self._recorded(given, inputs, outputs, saved)))

    def _recorded(
        self, given: dict[str, Any], inputs: Sequence[Any], outputs: Sequence[Any], saved: Any
    ) -> list[Tensor]:
        """Return the outputs: the first is a node, whose rule is the program's way back; the others are parts of one.

        Who asks for gradients of both goes back twice; most ask for those of the first alone.
        """
        first = self._node(given, inputs, outputs, saved, slice(0, 1))
        return first if len(outputs) == 1 else first + self._node(given, inputs, outputs, saved, slice(1, None))

    def _node(
        self, given: dict[str, Any], inputs: Sequence[Any], outputs: Sequence[Any], saved: Any, mine: slice
    ) -> list[Tensor]:
        known = [x for x in inputs if x is not None]
        call = object.__new__(Primitive)
        call.__dict__.update(self.node.__dict__)
        shapes = [x.shape for x in outputs[mine]]
        packed = outputs[mine][0] if len(shapes) == 1 else np.concatenate([x.ravel() for x in outputs[mine]])
        packed.setflags(write=False)

        def rule(g: Any, y: Any, *operands: Any) -> tuple[Any, ...]:
            if isinstance(g, Tensor):
                return self._composed(given, inputs, g, mine)
            seeds: list[Any] = [np.zeros_like(x) for x in outputs]
            seeds[mine] = _pieces(g, shapes)
            found = self.backward(saved, *seeds, **self.pooled)
            return tuple(gradient for gradient, x in zip(found, inputs, strict=True) if x is not None)

        call.forward, call.rule = lambda *operands, **attrs: packed, rule
        node = Tensor.__primitive__(call, tuple(known), {})
        return _pieces(node, shapes)

    def _composed(self, given: dict[str, Any], inputs: Sequence[Any], g: Tensor, mine: slice) -> tuple[Any, ...]:
        """Return what the composed graph makes of a gradient that is to be differentiated again."""
        values = rebuilt_arguments(self.example, given)
        outputs = [x for _, x in flattened(self.function(**values), "output")][mine]
        packed = outputs[0] if len(outputs) == 1 else concat([x.reshape(x.size) for x in outputs])
        wanted = [x for x in inputs if x is not None and x.requires_grad]
        found = dict(zip(wanted, grad(packed, wanted, seed=g, create_graph=True, allow_unused=True), strict=True))
        return tuple(found.get(x) for x in inputs if x is not None)


def rebuilt_arguments(example: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
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


def compile(function: Callable[..., Any], *, optimize: int = 3) -> Compiled:
    """Return a layer or a function that computes the same by its program."""
    return Compiled(function, optimize)
