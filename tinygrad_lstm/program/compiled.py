"""A layer or a function behind its own signature, computed by its program."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from threading import RLock
from typing import Any

import numpy as np

from ..engine.errors import short
from ..engine.scope import current
from ..engine.source import skip_file
from ..engine.tensor import Tensor
from ..engine.torchs import as_array
from .general import IN_PLACE, LEVELS, General, bound, of_function, plain_names, signature_of
from .node import ProgramNode
from .recording import Counts, NotExpressible, array_of, parts_of, with_counts
from .surroundings import MOST_PLACES, PLAIN, Surroundings

skip_file(__file__)  # what is compiled is called on a line of whoever calls it

MOST_KINDS = 64
"""Kinds of arguments, at most, that are looked at: who calls with ever other ones is not to wait each time."""

MOST_STATES = 8
"""States of what is read besides, at most, for each kind of arguments: such as by ``train()`` and ``eval()``."""

CHANGING = "what it reads, or the sizes of its arguments, change from call to call"


def compile(function: Callable[..., Any], *, optimize: int = 3) -> Compiled:
    """Return a layer or a function that computes the same by its program, faster, behind its own signature.

    The program is that of ``tl.source(function, x)``: made at the first call with arguments of a kind (which have
    gradients, how many axes, what sizes but those of steps and sequences, what type), once for all numbers of steps
    and sequences. In the graph it is one node. Weights are those of the moment: they may learn, be loaded, be frozen.
    What cannot be a program is computed as it always was; ``explain()`` says what and why. ``lengths=`` of a padded
    batch, a list or an array, are data: other ones may be given in each call, also to masks of one's own, such as
    ``np.arange(len(x))[:, None] < lengths``.

    A function is run to be recorded twice, and to try the program at one step, at 37, and at sizes beyond those before:
    at up to 1000 steps of 4 sequences, and at 4 steps of all sequences; and, of what it is given, on a few steps of a
    few sequences each time there were twice as many calls. What it reads besides its arguments is noticed
    when it changes: attributes of modules, as by ``train()``, weights that are replaced, what it closes over, globals;
    what changes in each call is not compiled. Numbers of an array that it closes over are read through in each call:
    make a large one a tensor, or read-only. A decision by the data that falls the same way in both recordings, and
    whenever it is tried, is not noticed, nor is what begins at more steps, or for one size between others: write them
    with ``tl.where``. Under ``tl.detect_nan()`` the graph that one sees is computed.

    Arguments:
        function: a module, or a function of tensors and arrays that returns tensors, in tuples, lists and dicts. The
            first array it takes is (T, N, ·) or (T, ·), by ``batch_first`` (N, T, ·).
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
    if type(function).__module__.partition(".")[0] == "torch":
        raise TypeError(f"tl.compile is given a {type(function).__name__} of torch's; bring it in first: tl.from_torch")
    if optimize not in LEVELS or isinstance(optimize, bool):
        raise ValueError(f"optimize must be 0, 1, 2 or 3, not {short(optimize)}")
    return Compiled(function, optimize)


class Compiled:
    """A function that is computed by its program, or where there is none as it always was. Made by ``tl.compile``.

    It has the attributes of the function, or of the layer: ``parameters()``, ``state_dict()`` and all others. As a part
    of a module it is that layer: its weights are weights of the whole.
    """

    def __init__(self, function: Callable[..., Any], optimize: int = 3) -> None:
        self.function, self.optimize = function, optimize
        self._signature = signature_of(function)
        self._names = plain_names(self._signature)
        self._found: dict[Any, list[Specialised]] = {}
        self._data: dict[Any, bool] = {}  # whether lists of numbers are data, by kinds of arguments
        self._others: Specialised | None = None
        self._compiling, self._busy = RLock(), False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.function, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or name in ("function", "optimize"):
            object.__setattr__(self, name, value)
        else:
            setattr(self.function, name, value)

    def __repr__(self) -> str:
        return f"tl.compile({self.function!r}, optimize={self.optimize})"

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return self.function

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self.function, self.optimize)  # a copy compiles anew: its weights are others

    def __watched__(self) -> tuple[Any, ...]:
        return (self.function,)

    def __call__(self, *args: Any, **named: Any) -> Any:
        if "torch" in sys.modules:
            args, named = tuple(map(as_array, args)), {name: as_array(value) for name, value in named.items()}
        try:
            if not named and args and len(args) in self._names:
                given = dict(zip(self._names[len(args)], args, strict=True))
            else:
                given = bound(self._signature, args, named)
        except TypeError:
            return self.function(*args, **named)  # which says what is missing
        parts = list(parts_of(given))
        if any(isinstance(part, np.ma.MaskedArray | np.matrix) for _, part in parts):
            return self.function(*args, **named)  # which says what it does with them
        counted = with_counts(given)
        if counted is not None and self._takes_data(counted, given):
            given, parts = counted, list(parts_of(counted))
        key, by_name = _kinds(parts), dict(parts)
        found = next((each for each in self._found.get(key, ()) if each.holds(by_name)), None)
        if found is None:
            found = self._specialised(key, given)
            if found.run is not None and not found.run.takes(by_name):
                return self.function(*args, **named)
        if found.run is None or current().detecting_nan or not found.run.fits(by_name):
            return self.function(*args, **named)
        if found.run.tried is not None:
            try:
                found.run.tried.require(given, by_name)
            except NotExpressible as refusal:
                found.refuse(str(refusal), given)
                return self.function(*args, **named)
        return found.run(given, by_name)

    def _takes_data(self, counted: dict[str, Any], given: dict[str, Any]) -> bool:
        """Tell whether lists of numbers are data, as lengths are, rather than say what is computed, as sizes do."""
        key = _kinds(parts_of(counted))
        if key not in self._data:
            other = _kinds(parts_of(given))
            refused = self._specialised(key, counted).run is None
            self._data[key] = not refused or self._specialised(other, given).run is None
            if refused:  # of the two refusals the first one says more
                self._found.pop(other if self._data[key] else key, None)
        return self._data[key]

    def _specialised(self, key: Any, given: dict[str, Any]) -> Specialised:
        with self._compiling:
            if self._busy:  # it calls itself, while it is recorded
                return Specialised(None, None, "it calls itself")
            known = self._found.get(key, [])
            if not known and len(self._found) >= MOST_KINDS:
                self._others = Specialised(None, None, f"there were {MOST_KINDS} kinds of arguments before")
                return self._others
            self._busy = True
            try:
                made = self._compiled(given) if len(known) < MOST_STATES else Specialised(None, None, CHANGING)
            finally:
                self._busy = False
            self._found[key] = [*known, made]
            return made

    def _compiled(self, given: dict[str, Any]) -> Specialised:
        parts = list(parts_of(given))
        learning = {path for path, part in parts if isinstance(part, Tensor) and part.requires_grad}
        given_tensors = [part for _, part in parts if isinstance(part, Tensor)]
        objects = [part for _, part in parts if not isinstance(part, Tensor | np.ndarray | Counts)]
        first = Surroundings(self.function, *objects)
        for again in range(2):  # what it makes once, as when it is called first, is there the second time
            around = Surroundings(self.function, *objects) if again else first
            if around.too_many:
                return Specialised(None, None, f"it reads more than {MOST_PLACES} objects, too many to be watched")
            try:
                general = of_function(
                    self.function,
                    given,
                    split=True,
                    optimize=self.optimize,
                    learns=lambda name, leaf: leaf is not None or name in learning,
                )
            except NotExpressible as refusal:
                around.restore()
                return Specialised(around, None, str(refusal), given)
            around.watch_numbers(but=[*general.closure.values(), *given_tensors])
            if around.hold():
                return Specialised(around, ProgramNode(self.function, general, self.optimize >= IN_PLACE), "")
        first.restore()
        return Specialised(None, None, "it changes what it reads, such as an attribute or a list, in each call")

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
    """What was compiled for arguments of one kind, while what is read besides is as it was."""

    def __init__(
        self, around: Surroundings | None, run: ProgramNode | None, why: str, refused: Mapping[str, Any] | None = None
    ) -> None:
        self.around, self.run = around, run
        self.flags = [(x, x.requires_grad) for x in run.general.closure.values()] if run else []
        self.said = f"not compiled: {why}" if run is None else _of_lines(run.general)
        self.refused = None if refused is None else _all_last_sizes(dict(parts_of(refused)))

    def refuse(self, why: str, given: Mapping[str, Any]) -> None:
        """Let it be computed as it always was from now on."""
        self.run, self.said = None, f"not compiled: {why}"
        self.refused = _all_last_sizes(dict(parts_of(given)))

    def holds(self, parts: Mapping[str, Any]) -> bool:
        """Tell whether it is for these arguments, all that is read besides is the same, and what learns is."""
        if self.around and not self.around.hold():
            return False
        if self.run is None:
            return self.refused is None or self.refused == _all_last_sizes(parts)
        return all(x.requires_grad is flag for x, flag in self.flags) and self.run.takes(parts)


def _of_lines(general: General) -> str:
    lines = f"a program of {len(str(general.source).splitlines())} lines"
    return lines + "".join(f", for {name} from 1 to the number of steps" for name in general.counts)


def _all_last_sizes(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {path: _last_sizes(part) for path, part in parts.items()}


def _last_sizes(part: Any) -> Any:
    """Return the sizes of an argument but those that may be of steps and sequences."""
    shape = np.shape(array_of(part))
    if len(shape) and array_of(part).dtype.kind in "iub":  # words, or lengths
        return shape[2:]
    return shape[2:] if len(shape) > 2 else shape[-1:]


def _kinds(parts: Iterable[tuple[str, Any]]) -> tuple[Any, ...]:
    return tuple(_kind(path, part) for path, part in parts)


def _kind(path: str, part: Any) -> Any:
    """Return what a program depends on of an argument, but for sizes."""
    if isinstance(part, Counts):
        return path, 1, part.array.dtype.char, part.like
    array = array_of(part)
    if isinstance(array, np.ndarray) and (array.ndim or array is not part):
        learns = isinstance(part, Tensor) and part.requires_grad
        return path, array.ndim, array.dtype.char, learns
    return path, part if isinstance(part, str) else _told_apart(part), short(part)


def _told_apart(x: Any) -> Any:
    """Return what is equal only of objects that a function cannot tell apart, or that are the same one."""
    if isinstance(x, np.ndarray) and not x.ndim:
        return type(x), x.dtype.str, x.tobytes()
    if isinstance(x, dict):
        return type(x), *((_told_apart(key), _told_apart(value)) for key, value in x.items())
    return type(x), repr(x) if isinstance(x, PLAIN) else id(x)


def _said(kind: Any) -> str:
    if kind[-1] in (list, tuple):
        return f"{kind[0]}, a {kind[-1].__name__} of numbers"
    return f"{kind[0]}={kind[2]:.40}" if len(kind) == 3 else f"{kind[0]} with {kind[1]} axes of {np.dtype(kind[2])}"
