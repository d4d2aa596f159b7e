"""The one piece of global state: in which module, at which time step, and how the program is being recorded.

It lives in a context variable, so threads and tasks do not see each other's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from operator import index
from typing import NamedTuple

import numpy as np


class Context(NamedTuple):
    """Where the running program is. Each node keeps the context it was made in."""

    scope: tuple[str, ...] = ()
    time: int | None = None
    recording: bool = True
    detecting_nan: bool = False

    def inside(self, name: str) -> Context:
        return Context((*self.scope, name), self.time, self.recording, self.detecting_nan)

    @property
    def place(self) -> str:
        """For error messages: "in forget_gate at t=3", or nothing at the top level."""
        scope = f" in {'.'.join(self.scope)}" if self.scope else ""
        time = f" at t={self.time}" if self.time is not None else ""
        return scope + time


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
    return _changed(scope=(*CONTEXT.get().scope, name))


def time_step(t: int) -> AbstractContextManager[None]:
    """Say at which time step the enclosed nodes belong; the recurrent layers do this for each step."""
    return _changed(time=index(t))


def no_grad() -> AbstractContextManager[None]:
    """Compute without recording: results remember neither inputs nor gradients."""
    return _changed(recording=False)


@contextmanager
def detect_nan() -> Iterator[None]:
    """Stop at the first node that makes a NaN or an Inf, forward or backward, and name it.

    Raises FloatingPointError. Costs a pass over every value, so it is off unless asked for; numpy's own warnings are
    silent inside, since the error says more.
    """
    with _changed(detecting_nan=True), np.errstate(all="ignore"):
        yield


@contextmanager
def _changed(**changes: object) -> Iterator[None]:
    token = CONTEXT.set(CONTEXT.get()._replace(**changes))  # type: ignore[arg-type]
    try:
        yield
    finally:
        CONTEXT.reset(token)
