"""Painting: DOT to SVG, PNG or PDF, in process, by the Graphviz that comes with pygraphviz. No ``dot`` is needed."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

FORMATS = ("svg", "png", "pdf")


_one_at_a_time = Lock()  # Graphviz's library is not made for threads, and neither is silencing standard error


class RenderError(RuntimeError):
    """Graphviz could not draw the picture."""


def render(source: str, format: str) -> bytes:
    """The picture as bytes. Raises RenderError with what Graphviz said."""
    try:
        import pygraphviz
    except ImportError as error:
        raise RenderError(
            f"drawing needs the package pygraphviz, which brings Graphviz along; it does not import here ({error}); "
            "pip install --force-reinstall 'pygraphviz>=2.0', or save the picture as .dot"
        ) from error
    with _one_at_a_time, _silent_stderr() as said, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            drawn = pygraphviz.AGraph(string=source).draw(format=format, prog="dot")
        except Exception as error:
            raise RenderError(f"Graphviz could not draw this picture: {error} {said()}".strip()) from error
    if not drawn:
        raise RenderError(f"Graphviz drew nothing: {said()}")
    return bytes(drawn)


@contextmanager
def _silent_stderr() -> Iterator[Callable[[], str]]:
    """Keep what the C libraries print, such as remarks on fonts, off the terminal; give it back on request."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield lambda: _tail(log.fileno())
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _tail(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 2000).decode("utf-8", "replace").strip()
