"""A layer or a function behind its own signature, computed by its program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np

from ..engine.backprop import grad
from ..engine.errors import called, short
from ..engine.functions import concat
from ..engine.primitive import Primitive
from ..engine.scope import current
from ..engine.tensor import Tensor
from .entry import LEVELS
from .general import IN_PLACE, General, bound, of_function, signature_of
from .pool import Pool
from .recording import NotExpressible, flattened, rebuilt

MOST_KINDS = 64
"""Kinds of arguments, at most, that are looked at: who calls with ever other ones is not to wait each time."""

MOST_STATES = 8
"""States of the modules, at most, for each kind of arguments, such as those of ``train()`` and ``eval()``."""


def compile(function: Callable[..., Any], *, optimize: int = 3) -> Compiled:
    """Return a layer or a function that computes the same by its program, faster, behind its own signature.

    The program is that of ``tl.source(function, x)``: made at the first call with arguments of a kind (which have
    gradients, how many axes, what sizes but those of steps and sequences, what type), once for all numbers of steps
    and sequences. In the graph it is one node. Weights are those of the moment: they may learn, be loaded, be frozen.
    What cannot be a program is computed as it always was; ``explain()`` says what and why.

    A function is run twice to be recorded. What it closes over is looked at then; attributes of modules that change
    later, as by ``train()``, are noticed, and so are weights that are replaced. A decision by the data that falls the
    same way in both recordings is not: write it with ``tl.where``.

    Arguments:
        function: a module, or a function of tensors and arrays that returns tensors, in tuples and lists. The first
            array it takes is (T, N, ·) or (T, ·), by ``batch_first`` (N, T, ·).
        optimize: the level of ``tl.source``: 0, 1, 2 or 3.

    Raises:
        TypeError: for what cannot be called.
        ValueError: for another level; and by a second derivative, if a weight was given another value since.

    Source: A. Griewank & A. Walther, "Evaluating Derivatives" (2008), chapter 6: adjoints by transforming the source.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> lstm = tl.LSTM(3, 4, rng=0)
    >>> fast = tl.compile(lstm)
    >>> output, (h_n, c_n) = fast(np.ones((6, 2, 3)))
    >>> np.allclose(output.value, lstm(np.ones((6, 2, 3)))[0].value)
    True
    >>> print(fast.explain())
    xs with 3 axes of float64: a program of ... lines
    """
    if not callable(function) or isinstance(function, type | Tensor):
        raise TypeError(f"tl.compile takes a layer or a function, not {short(function)}")
    if optimize not in LEVELS or isinstance(optimize, bool):
        raise ValueError(f"optimize must be 0, 1, 2 or 3, not {short(optimize)}")
    return Compiled(function, optimize)


class Compiled:
    """A function that is computed by its program, or where there is none as it always was. Made by ``tl.compile``.

    It has the attributes of the function, or of the layer: ``parameters()``, ``state_dict()`` and all others.
    """

    def __init__(self, function: Callable[..., Any], optimize: int = 3) -> None:
        self.function, self.optimize = function, optimize
        self._signature = signature_of(function)
        self._modules = [module for root in _roots(function) for module in root.modules()]
        self._found: dict[Any, list[Specialised]] = {}
        self._compiling = Lock()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.function, name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        try:
            given = bound(self._signature, args, named)
        except TypeError:
            return self.function(*args, **named)  # which says what is missing
        parts = [(path, part) for name, value in given.items() for path, part in flattened(value, name)]
        key = tuple(_kind(path, part) for path, part in parts)
        found = next((each for each in self._found.get(key, ()) if each.holds()), None)
        if found is None:
            found = self._specialised(key, given)
        if found.run is None or current().detecting_nan or not found.run.takes(dict(parts)):
            return self.function(*args, **named)
        return found.run(given, dict(parts))

    def _specialised(self, key: Any, given: dict[str, Any]) -> Specialised:
        with self._compiling:
            known = self._found.get(key, [])
            if len(known) >= MOST_STATES:
                return Specialised((), None, "its modules change from call to call")
            if not known and len(self._found) >= MOST_KINDS:
                return Specialised((), None, f"it was called with more than {MOST_KINDS} kinds of arguments")
            made = self._compiled(given)
            self._found[key] = [*known, made]
            return made

    def _compiled(self, given: dict[str, Any]) -> Specialised:
        learning = {
            path
            for name, value in given.items()
            for path, part in flattened(value, name)
            if isinstance(part, Tensor) and part.requires_grad
        }
        seen = [(vars(module), tuple(vars(module).values())) for module in self._modules]
        try:
            general = of_function(
                self.function,
                given,
                split=True,
                optimize=self.optimize,
                learns=lambda name, leaf: leaf is not None or name in learning,
            )
        except NotExpressible as refusal:
            return Specialised(seen, None, str(refusal))
        return Specialised(seen, ProgramNode(self.function, general, self.optimize >= IN_PLACE), "")

    def explain(self) -> str:
        """Return a line for each kind of arguments it was called with: the length of its program, or why it has none.

        >>> import numpy as np, tinygrad_lstm as tl
        >>> fast = tl.compile(lambda x: x.sum() if x.value.sum() > 0 else -x.sum())
        >>> fast.explain()
        'not called yet'
        """
        if not self._found:
            return "not called yet"
        return "\n".join(
            f"{', '.join(map(_said, key))}: {each.said}" for key, found in self._found.items() for each in found
        )


class Specialised:
    """What was compiled for arguments of one kind, while modules are as they were."""

    def __init__(
        self, seen: Sequence[tuple[dict[str, Any], tuple[Any, ...]]], run: ProgramNode | None, why: str
    ) -> None:
        self.seen, self.run = seen, run
        self.flags = [(x, x.requires_grad) for x in run.general.closure.values()] if run else []
        lines = len(str(run.general.source).splitlines()) if run else 0
        self.said = f"a program of {lines} lines" if run else f"not compiled: {why}"

    def holds(self) -> bool:
        """Tell whether all attributes of all modules are still the same, and the same weights learn."""
        for attributes, before in self.seen:
            if len(attributes) != len(before) or any(a is not b for a, b in zip(attributes.values(), before)):  # noqa: B905
                return False
        return all(x.requires_grad is flag for x, flag in self.flags)


class ProgramNode:
    """A program that is called as the function is, and is a node of the graph."""

    def __init__(self, function: Callable[..., Any], general: General, in_place: bool) -> None:
        self.function, self.general = function, general
        self.forward, self.backward = general.source.functions
        self.operations = {"operations": general.source.operations} if general.source.operations else {}
        self.pool = Pool()
        self.pooled = {"empty": self.pool.empty} if in_place else {}
        self.node = Primitive("program", lambda *inputs: None, lambda g, y, *inputs: (), "program")

    def takes(self, parts: Mapping[str, Any]) -> bool:
        """Tell whether the arguments have the shapes that it was made for, and something in them."""
        sizes: dict[str, int] = {}
        for name, shape in self.general.shapes.items():
            for size, n in zip(np.shape(_array(parts[name])), shape, strict=True):
                if size != (sizes.setdefault(n, size) if isinstance(n, str) else n):
                    return False
        return 0 not in sizes.values()

    def __call__(self, given: dict[str, Any], parts: Mapping[str, Any]) -> Any:
        general = self.general
        arrays = {name: _array(parts[name]) for name in general.arguments}
        closure = {name: leaf.value for name, leaf in general.closure.items()}
        outputs, saved = self.forward(**arrays, **closure, **general.constants, **self.operations, **self.pooled)
        inputs = [general.closure[name] if name in closure else parts[name] for name in general.wrt]
        if not current().recording or not any(x.requires_grad for x in inputs):
            return rebuilt(general.structure, iter([Tensor(_owned(x)) for x in outputs]))
        return rebuilt(general.structure, iter(self._recorded(given, inputs, outputs, saved)))

    def _recorded(
        self, given: dict[str, Any], inputs: Sequence[Tensor], outputs: Sequence[Any], saved: Any
    ) -> list[Tensor]:
        """Return the outputs: the first is a node, whose rule is the program's way back; the others are parts of one.

        Who asks for gradients of both goes back twice; most ask for those of the first alone.
        """
        first = self._node(given, inputs, outputs, saved, slice(0, 1))
        return first if len(outputs) == 1 else first + self._node(given, inputs, outputs, saved, slice(1, None))

    def _node(
        self, given: dict[str, Any], inputs: Sequence[Tensor], outputs: Sequence[Any], saved: Any, mine: slice
    ) -> list[Tensor]:
        call = object.__new__(Primitive)
        call.__dict__.update(self.node.__dict__)
        shapes = [x.shape for x in outputs[mine]]
        packed = outputs[mine][0] if len(shapes) == 1 else np.concatenate([x.ravel() for x in outputs[mine]])
        packed.setflags(write=False)
        values = [x.value for x in inputs]

        def rule(g: Any, y: Any, *operands: Any) -> tuple[Any, ...]:
            if isinstance(g, Tensor):
                return self._composed(given, inputs, values, g, mine)
            seeds: list[Any] = [np.zeros_like(x) for x in outputs]
            seeds[mine] = _pieces(g, shapes)
            return tuple(self.backward(saved, *seeds, **self.pooled))

        call.forward, call.rule = lambda *operands, **attrs: packed, rule
        node = Tensor.__primitive__(call, tuple(inputs), {})
        return _pieces(node, shapes)

    def _composed(
        self, given: dict[str, Any], inputs: Sequence[Tensor], values: Sequence[Any], g: Tensor, mine: slice
    ) -> tuple[Any, ...]:
        """Return what the composed graph makes of a gradient that is to be differentiated again."""
        for x, value in zip(inputs, values, strict=True):
            if x.value is not value:
                raise ValueError(
                    f"the value{called(x)} was replaced after the compiled call that read it; take second derivatives "
                    "before the step of the optimiser"
                )
        outputs = [x for _, x in flattened(self.function(**given), "output")][mine]
        packed = outputs[0] if len(outputs) == 1 else concat([x.reshape(x.size) for x in outputs])
        wanted = [x for x in inputs if x.requires_grad]
        found = dict(zip(wanted, grad(packed, wanted, seed=g, create_graph=True, allow_unused=True), strict=True))
        return tuple(found.get(x) for x in inputs)


def _roots(function: Any) -> Iterator[Any]:
    """Yield the modules that a function calls, as far as one can see: itself, its owner, what it closes over."""
    code = getattr(function, "__code__", None)
    names = code.co_names if code else ()
    cells = getattr(function, "__closure__", None) or ()
    around = [each.cell_contents for each in cells if _is_filled(each)]
    seen = [function, getattr(function, "__self__", None), *around]
    seen += [function.__globals__[name] for name in names if name in function.__globals__]
    yield from (each for each in seen if hasattr(each, "named_modules") and hasattr(each, "modules"))


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _kind(path: str, part: Any) -> Any:
    """Return what a program depends on of an argument: all but its numbers, and its first sizes."""
    array = part.value if isinstance(part, Tensor) else part
    if isinstance(array, np.ndarray):
        learns = isinstance(part, Tensor) and part.requires_grad
        return path, array.ndim, array.dtype.char, array.shape[2:] if array.ndim > 2 else array.shape[-1:], learns
    return path, repr(part)


def _said(kind: Any) -> str:
    return f"{kind[0]}={kind[1]:.40}" if len(kind) == 2 else f"{kind[0]} with {kind[1]} axes of {np.dtype(kind[2])}"


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
