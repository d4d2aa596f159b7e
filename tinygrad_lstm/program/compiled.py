"""A layer or a function behind its own signature, computed by its program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np

from ..engine.errors import short
from ..engine.scope import current
from ..engine.source import skip_file
from ..engine.tensor import Tensor
from .general import IN_PLACE, LEVELS, bound, of_function, signature_of
from .node import ProgramNode
from .recording import NotExpressible, parts_of

skip_file(__file__)  # what is compiled is called on a line of whoever calls it

MOST_KINDS = 64
"""Kinds of arguments, at most, that are looked at: who calls with ever other ones is not to wait each time."""

MOST_STATES = 8
"""States of the modules, at most, for each kind of arguments, such as those of ``train()`` and ``eval()``."""

CHANGING = "its modules, or the sizes of its arguments, change from call to call"


def compile(function: Callable[..., Any], *, optimize: int = 3) -> Compiled:
    """Return a layer or a function that computes the same by its program, faster, behind its own signature.

    The program is that of ``tl.source(function, x)``: made at the first call with arguments of a kind (which have
    gradients, how many axes, what sizes but those of steps and sequences, what type), once for all numbers of steps
    and sequences. In the graph it is one node. Weights are those of the moment: they may learn, be loaded, be frozen.
    What cannot be a program is computed as it always was; ``explain()`` says what and why.

    A function is run four times: to be recorded twice, and to try the program at one step and at 37. What it closes
    over is looked at then; attributes of modules that change later, as by ``train()``, are noticed, and so are weights
    that are replaced. A decision by the data that falls the same way in both recordings is not, nor is what begins at a
    later step: write them with ``tl.where``. Under ``tl.detect_nan()`` the graph that one sees is computed.

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
        self._others: Specialised | None = None
        self._compiling = Lock()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.function, name)

    def __repr__(self) -> str:
        return f"tl.compile({self.function!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self.function, self.optimize)  # programs are made anew

    def __call__(self, *args: Any, **named: Any) -> Any:
        try:
            given = bound(self._signature, args, named)
        except TypeError:
            return self.function(*args, **named)  # which says what is missing
        parts = list(parts_of(given))
        key, by_name = tuple(_kind(path, part) for path, part in parts), dict(parts)
        found = next((each for each in self._found.get(key, ()) if each.holds(by_name)), None)
        if found is None:
            found = self._specialised(key, given)
        if found.run is None or current().detecting_nan or not found.run.takes(by_name):
            return self.function(*args, **named)
        return found.run(given, by_name)

    def _specialised(self, key: Any, given: dict[str, Any]) -> Specialised:
        with self._compiling:
            known = self._found.get(key, [])
            if not known and len(self._found) >= MOST_KINDS:
                self._others = Specialised((), None, f"there were {MOST_KINDS} kinds of arguments before")
                return self._others
            made = self._compiled(given) if len(known) < MOST_STATES else Specialised((), None, CHANGING)
            self._found[key] = [*known, made]
            return made

    def _compiled(self, given: dict[str, Any]) -> Specialised:
        learning = {path for path, part in parts_of(given) if isinstance(part, Tensor) and part.requires_grad}
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
            return Specialised(seen, None, str(refusal), given)
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
        lines = [f"{', '.join(map(_said, key))}: {each.said}" for key, found in self._found.items() for each in found]
        return "\n".join([*lines, *([f"other arguments: {self._others.said}"] if self._others else [])])


class Specialised:
    """What was compiled for arguments of one kind, while modules are as they were."""

    def __init__(
        self,
        seen: Sequence[tuple[dict[str, Any], tuple[Any, ...]]],
        run: ProgramNode | None,
        why: str,
        refused: Mapping[str, Any] | None = None,
    ) -> None:
        self.seen, self.run = seen, run
        self.flags = [(x, x.requires_grad) for x in run.general.closure.values()] if run else []
        lines = len(str(run.general.source).splitlines()) if run else 0
        self.said = f"a program of {lines} lines" if run else f"not compiled: {why}"
        self.refused = None if refused is None else {path: _last_sizes(part) for path, part in parts_of(refused)}

    def holds(self, parts: Mapping[str, Any]) -> bool:
        """Tell whether it is for these arguments, all attributes of all modules are the same, and what learns is."""
        for attributes, before in self.seen:
            if len(attributes) != len(before) or any(a is not b for a, b in zip(attributes.values(), before)):  # noqa: B905
                return False
        if self.run is None:
            return self.refused is None or self.refused == {path: _last_sizes(part) for path, part in parts.items()}
        return all(x.requires_grad is flag for x, flag in self.flags) and self.run.takes(parts)


def _last_sizes(part: Any) -> Any:
    """Return the sizes of an argument but those that may be of steps and sequences."""
    shape = np.shape(part.value if isinstance(part, Tensor) else part)
    return shape[2:] if len(shape) > 2 else shape[-1:]


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
    """Return what a program depends on of an argument, but for sizes."""
    array = part.value if isinstance(part, Tensor) else part
    if isinstance(array, np.ndarray):
        learns = isinstance(part, Tensor) and part.requires_grad
        return path, array.ndim, array.dtype.char, learns
    return path, repr(part)


def _said(kind: Any) -> str:
    return f"{kind[0]}={kind[1]:.40}" if len(kind) == 2 else f"{kind[0]} with {kind[1]} axes of {np.dtype(kind[2])}"
