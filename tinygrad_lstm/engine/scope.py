"""The one piece of global state: in which module, at which time step, and how the program is being recorded.

It lives in a context variable, so threads and tasks do not see each other's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from operator import index
from types import CodeType
from typing import Any, NamedTuple

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

    def inside(
        self, name: str | None, kind: str = "", module: int = 0, code: CodeType | None = None, instruction: int = 0
    ) -> Context:
        scope = self.scope if name is None else (*self.scope, name)
        frames = (*self.frames, Frame(name, kind, module, next(_calls), code, instruction))
        return Context(scope, self.time, self.recording, self.detecting_nan, frames)

    def without_code(self) -> Context:
        """Return the same with lines of source instead of compiled code, which cannot be pickled."""
        return self._replace(frames=tuple(frame._replace(code=frame.line) for frame in self.frames))

    @property
    def place(self) -> str:
        """For error messages: "in forget_gate at t=3", or nothing at the top level."""
        scope = f" in {'.'.join(self.scope)}" if self.scope else ""
        time = f" at t={self.time}" if self.time is not None else ""
        return scope + time


_calls = itertools.count(1)

CONTEXT: ContextVar[Context] = ContextVar("tinygrad_lstm", default=Context())  # noqa: B039  (a tuple cannot change)


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
    return _entered(lambda context: context.inside(name))


def time_step(t: int) -> AbstractContextManager[None]:
    """Say at which time step the enclosed nodes belong: each keeps the context it is made in. Recurrent layers call
    their cells inside of this (``nn/recurrent.py``, ``_layer``).

    >>> import tinygrad_lstm as tl
    >>> with tl.time_step(3):
    ...     print(tl.tanh(tl.tensor(0.0)))
    tensor(0., made by tanh at t=3)
    """
    return _changed(time=index(t))


def no_grad() -> AbstractContextManager[None]:
    """Compute without recording: results remember neither inputs nor gradients.

    >>> import tinygrad_lstm as tl
    >>> with tl.no_grad():
    ...     print(tl.tanh(tl.tensor(0.0, requires_grad=True)).requires_grad)
    False
    """
    return _changed(recording=False)


@contextmanager
def detect_nan(*, nan: bool = True, inf: bool = True) -> Iterator[None]:
    """Stop at the first node that makes a NaN or an Inf, forward or backward, and name it.

    With ``inf=False`` an Inf is no fault, such as the −∞ of a mask; with ``nan=False`` a NaN is none.

    Raises FloatingPointError. Costs a pass over every value, so it is off unless asked for; numpy's own warnings are
    silent inside, since the error says more.

    >>> import tinygrad_lstm as tl
    >>> with tl.detect_nan():
    ...     tl.log(tl.tensor(-1.0))
    Traceback (most recent call last):
    FloatingPointError: log made the first NaN, from finite input () in [-1, -1]
    """
    fault = {(True, True): _not_finite, (True, False): np.isnan, (False, True): np.isinf}.get((nan, inf))
    with _changed(detecting_nan=fault), np.errstate(all="ignore"):
        yield


def _not_finite(x: Any) -> Any:
    return ~np.isfinite(x)


def _changed(**changes: object) -> AbstractContextManager[None]:
    return _entered(lambda context: context._replace(**changes))  # type: ignore[arg-type]


@contextmanager
def _entered(change: Callable[[Context], Context]) -> Iterator[None]:
    token = CONTEXT.set(change(CONTEXT.get()))
    try:
        yield
    finally:
        CONTEXT.reset(token)
