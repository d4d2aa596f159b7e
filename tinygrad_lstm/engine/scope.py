"""The one piece of global state: in which module, at which time step, and how the program is being recorded.

Where a program is lives in a context variable, so threads and tasks do not see each other's. What a generator enters
belongs to the generator: it holds while the generator runs, and nobody sees it while it is suspended.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ContextDecorator
from contextvars import ContextVar
from operator import index
from types import CodeType, FrameType
from typing import Any, NamedTuple, Self, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from .source import Line, line_of


class Frame(NamedTuple):
    """One call on the way to a node: of a module, or a named scope."""

    name: str | None  # how the path calls it; None for a module that belongs to no other
    kind: str  # the module's class; "" for a scope
    module: int  # which module, by a number of its own; 0 for a scope
    call: int  # which call
    code: CodeType | Line | None = None  # where the module was called from; see `line`
    instruction: int = 0
    recurrent: bool = False  # whether the module is a cell, which takes what it made a step before

    @property
    def line(self) -> Line | None:
        """The line of source that called the module."""
        return line_of(self.code, self.instruction)


class Context(NamedTuple):
    """Where the running program is. Each node keeps the context it was made in."""

    scope: tuple[str, ...] = ()
    time: int | None = None
    recording: bool = True
    detecting_nan: Callable[[Any], Any] | None = None  # tells which numbers of an array are faults
    frames: tuple[Frame, ...] = ()
    offset: int | None = None  # where the steps that are said in here begin; None where nobody said so
    phase: str | None = None
    any_data: bool = False  # recorded for a program that is to be right for other data: these decide nothing

    def inside(
        self,
        name: str | None,
        kind: str = "",
        module: int = 0,
        code: CodeType | None = None,
        instruction: int = 0,
        recurrent: bool = False,
    ) -> Context:
        scope = self.scope if name is None else (*self.scope, name)
        frames = (*self.frames, Frame(name, kind, module, next(_calls), code, instruction, recurrent))
        found = (scope, self.time, self.recording, self.detecting_nan, frames, self.offset, self.phase, self.any_data)
        return Context(*found)

    def at(self, t: int | None, offset: int | None, phase: str | None) -> Context:
        offset = self.offset if offset is None else offset
        time = self.time if t is None else t + (offset or 0)
        phase = self.phase if phase is None else phase
        found = (self.scope, time, self.recording, self.detecting_nan, self.frames, offset, phase, self.any_data)
        return Context(*found)

    def without_code(self) -> Context:
        """Return the same with lines of source instead of compiled code, which cannot be pickled."""
        return self._replace(frames=tuple(frame._replace(code=frame.line) for frame in self.frames))

    @property
    def place(self) -> str:
        """For error messages: "in forget_gate at t=3", or nothing at the top level."""
        scope = f" in {repr('.'.join(self.scope))[1:-1]}" if self.scope else ""
        time = f" at t={self.time}" if self.time is not None else ""
        return scope + time + (f" of {self.phase}" if self.phase else "")


_calls = itertools.count(1)

MODULES: WeakValueDictionary[int, Any] = WeakValueDictionary()
"""The modules that are alive, by the numbers that frames know them by."""


Change = Callable[[Context], Context]
_LATER = (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Entered(NamedTuple):
    """What a ``with`` or a call entered, and what it was entered in."""

    context: Context = Context()
    outer: Entered | None = None
    key: object = None  # who will leave it
    change: Change | None = None  # None for a call, whose context is what it was when it began


INNERMOST: ContextVar[Entered] = ContextVar("tinygrad_lstm", default=Entered())  # noqa: B039  (a tuple cannot change)

_of_generators: dict[FrameType, list[Change]] = {}
"""What generators have entered and not left, running or suspended."""


def current() -> Context:
    """Return where the running program is: what was entered, last by the generators through which it runs."""
    context = INNERMOST.get()[0]  # by position: every node comes by here
    if _of_generators:
        running = []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code is not _CALL:
            running.append(_of_generators.get(frame, ()))
            frame = frame.f_back
        for change in (change for changes in reversed(running) for change in changes):
            context = change(context)
    return context


def call_in(context: Context, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call the function in a context, whatever is entered around the call."""
    outer = INNERMOST.get()
    entry = tuple.__new__(Entered, (context, outer, context, None))  # what Entered(...) comes to, in half the time
    INNERMOST.set(entry)
    try:
        return function(*args, **kwargs)
    finally:
        now = INNERMOST.get()
        INNERMOST.set(outer if now is entry else _without(now, context))


_CALL = call_in.__code__


def _without(entry: Entered, key: object) -> Entered:
    """Return what stays entered when one leaves, be it the innermost or not; what this thread never entered, stays."""
    if entry.outer is None:
        return entry
    if entry.key is key:
        return entry.outer
    outer = _without(entry.outer, key)
    if outer is entry.outer:
        return entry
    return entry._replace(outer=outer, context=entry.change(outer.context) if entry.change else entry.context)


class _Entering(ContextDecorator):
    """Changes the context of what is enclosed; also in a generator, in a task, and left in any order."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._owners: list[FrameType | None] = []

    def _recreate_cm(self) -> Self:
        return type(self)(self._change)

    def __call__(self, function: Decorated) -> Decorated:
        """Enter whenever the function runs, unless it runs later than it is called."""
        if any(later(function) for later in _LATER):
            raise TypeError(f"{function.__name__} runs later than it is called: enter within it, by a with statement")
        return super().__call__(function)

    def __enter__(self) -> None:
        owner = _owner(sys._getframe(1))
        self._owners.append(owner)
        if owner is None:
            outer = INNERMOST.get()
            INNERMOST.set(Entered(self._change(outer.context), outer, self, self._change))
        else:
            _of_generators.setdefault(owner, []).append(self._change)

    def __exit__(self, *_: object) -> None:
        owner = self._owners.pop()
        if owner is None:
            INNERMOST.set(_without(INNERMOST.get(), self))
        else:
            _of_generators[owner].remove(self._change)
            if not _of_generators[owner]:
                del _of_generators[owner]


def _owner(frame: FrameType | None) -> FrameType | None:
    """Return the generator that is running in this call, if one is: it may be suspended before it leaves.

    A generator that contextlib runs is none: what it enters is for the block of its ``with``. Nor is a coroutine in an
    event loop, since each task has context variables of its own, and those it starts shall inherit them.
    """
    while frame is not None and frame.f_code is not _CALL:
        if frame.f_code.co_flags & _SUSPENDABLE:
            awaited = (
                frame.f_code.co_flags & inspect.CO_COROUTINE and sys.get_asyncgen_hooks().firstiter
            )  # a loop sets these
            files = {each.f_code.co_filename for each in (frame, frame.f_back) if each}
            if not awaited and contextlib.__file__ not in files:
                return frame
        frame = frame.f_back
    return None


_SUSPENDABLE = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR | inspect.CO_COROUTINE


def scope(name: str) -> AbstractContextManager[None]:
    """Name a part of the program: nodes made inside carry it in their scope path. Modules do this when called.

    >>> import tinygrad_lstm as tl
    >>> with tl.scope("attention"):
    ...     y = tl.tanh(tl.tensor(1.0))
    >>> y.scope
    ('attention',)
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"a scope needs a name, a non-empty string, not {name!r}")
    return _Entering(lambda context: context.inside(name))


def time_step(
    t: int | None = None, *, offset: int | None = None, phase: str | None = None
) -> AbstractContextManager[None]:
    """Say at which time step the enclosed nodes belong: each keeps the context it is made in. Recurrent layers call
    their cells inside of this (``nn/recurrent.py``, ``_layer``).

    Arguments:
        t: the step, counted from the offset.
        offset: at which step what is enclosed begins. Without it, a layer that is given the state of another goes on
            where that stopped, and all else begins at 0.
        phase: what this part of time is called, such as "decoder".

    Raises:
        TypeError: for steps that are not whole numbers, a phase that is no name, and nothing said.

    >>> import tinygrad_lstm as tl
    >>> with tl.time_step(3):
    ...     print(tl.tanh(tl.tensor(0.0)))
    tensor(0., made by tanh at t=3)
    >>> with tl.time_step(offset=4, phase="decoder"), tl.time_step(0):
    ...     print(tl.tanh(tl.tensor(0.0)))
    tensor(0., made by tanh at t=4 of decoder)
    """
    if t is None and offset is None and phase is None:
        raise TypeError("time_step needs a step, an offset or a phase, as in tl.time_step(3) or phase='decoder'")
    if phase is not None and (not isinstance(phase, str) or not phase):
        raise TypeError(f"a phase needs a name, a non-empty string, not {phase!r}")
    step, first = _whole(t), _whole(offset)
    return _Entering(lambda context: context.at(step, first, phase))


def _whole(t: Any) -> int | None:
    try:
        return None if t is None else index(t)
    except TypeError:
        raise TypeError(f"a time step must be an integer, not {t!r:.60}") from None


def no_grad() -> AbstractContextManager[None]:
    """Compute without recording: results remember neither inputs nor gradients.

    >>> import tinygrad_lstm as tl
    >>> with tl.no_grad():
    ...     print(tl.tanh(tl.tensor(0.0, requires_grad=True)).requires_grad)
    False
    """
    return _changed(recording=False)


def detect_nan(*, nan: bool = True, inf: bool = True) -> AbstractContextManager[None]:
    """Stop at the first node that makes a NaN or an Inf, forward or backward, and name it.

    With ``inf=False`` an Inf is no fault, such as the −∞ of a mask; with ``nan=False`` a NaN is none.

    Raises FloatingPointError. Costs a pass over every value, so it is off unless asked for; operations do not warn as
    numpy does, since the error says more.

    >>> import tinygrad_lstm as tl
    >>> with tl.detect_nan():
    ...     tl.log(tl.tensor(-1.0))
    Traceback (most recent call last):
    FloatingPointError: log made the first NaN, from finite input () in [-1, -1]
    """
    fault = {(True, True): _not_finite, (True, False): np.isnan, (False, True): np.isinf}.get((bool(nan), bool(inf)))
    return _changed(detecting_nan=fault)


def _not_finite(x: Any) -> Any:
    return ~np.isfinite(x)


def _changed(**changes: Any) -> AbstractContextManager[None]:
    return _Entering(lambda context: context._replace(**changes))
