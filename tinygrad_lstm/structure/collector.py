"""The garbage collector, paused while many objects are made that all stay: an unrolled network, a picture of one.

It would walk over all of them again and again as they grow in number, and find nothing, for a graph has no cycles: why
time grew faster than the number of steps.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Collect nothing inside, unless somebody else asks for it; on again afterwards, if it was on, also on errors.

    It is one for all threads: the one that paused it resumes it, so that others at work may find it on a little early,
    which costs time and nothing else; never does it stay off.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
