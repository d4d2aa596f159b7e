"""Ctrl-C while a network learns: the update is finished, then training ends, and what was learned is kept."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """A callback that ends training when a signal has come; when it comes again, everything ends at once.

    ``signal`` is its number, and 0 until then.
    """

    def __init__(self) -> None:
        self.signal = 0

    def __call__(self, moment: object) -> bool:
        return bool(self.signal)

    def came(self, number: int, frame: FrameType | None) -> None:
        """Note a signal. Raises KeyboardInterrupt for a second one."""
        if self.signal:
            raise KeyboardInterrupt
        self.signal = number


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Let Ctrl-C, and whoever asks a process to end, wait for the end of an update.

    >>> import signal
    >>> with stoppable() as stop:
    ...     signal.raise_signal(signal.SIGINT)
    ...     stop(None)
    True
    """
    stop = Stop()
    before = {number: signal.signal(number, stop.came) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
