"""Graphviz: DOT to SVG, PNG, PDF, or to a layout.

The library that pygraphviz brings along does it in process, so that no ``dot`` is needed. Where pygraphviz does not
import, a ``dot`` on the PATH does the same with the same DOT.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

FORMATS = ("svg", "png", "pdf")
"""What Graphviz paints, by the endings of files."""

LONGEST = 120.0
"""Seconds that a program of its own may take at most; chosen: longer than anyone waits for a picture."""

_one_at_a_time = RLock()  # Graphviz's library is not made for threads, and neither is silencing standard error

if hasattr(os, "register_at_fork"):  # a child that is forked while another thread draws would wait for it for ever
    os.register_at_fork(
        before=_one_at_a_time.acquire,
        after_in_parent=_one_at_a_time.release,
        after_in_child=_one_at_a_time.release,
    )


class RenderError(RuntimeError):
    """Graphviz could not draw the picture."""


class OutOfTime(RenderError):
    """Graphviz was stopped before it was done."""


def render(source: str, format: str, engine: str = "dot", *, limit: float | None = None) -> bytes:
    """Return what Graphviz makes of the DOT; with a limit in seconds it runs beside us and is stopped at the limit.

    Raises RenderError with what Graphviz printed, OutOfTime at the limit.
    """
    try:
        import pygraphviz
    except (ImportError, OSError) as error:  # the latter if a library it needs is missing
        dot = shutil.which("dot")
        if dot is None:
            raise RenderError(
                "drawing needs the package pygraphviz, which brings Graphviz along; it does not import here "
                f"({error}); pip install --force-reinstall 'pygraphviz>=2.0', or put Graphviz's dot on the PATH, or "
                "save the picture as .dot"
            ) from error
        return _by_process([dot, f"-K{engine}", f"-T{format}"], source, limit or LONGEST, dot)
    if limit is not None:
        worker = [sys.executable, "-P", str(Path(__file__).with_name("worker.py")), engine, format]
        return _by_process(worker, source, limit, "Graphviz")
    with _one_at_a_time, _silent_stderr() as printed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            drawn = pygraphviz.AGraph(string=source).draw(format=format, prog=engine)
        except Exception as error:
            raise RenderError(f"Graphviz could not draw this picture: {error} {printed()}".strip()) from error
        if not drawn:
            raise RenderError(f"Graphviz drew nothing: {printed()}")
    return bytes(drawn)


def _by_process(command: list[str], source: str, limit: float, name: str) -> bytes:
    try:
        done = subprocess.run(command, input=source.encode("utf-8"), capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise OutOfTime(f"{name} was stopped after {limit:.0f} seconds") from error
    except OSError as error:
        raise RenderError(f"{name} does not start ({error.strerror}); {MEND}") from error
    if done.returncode or not done.stdout:
        printed = done.stderr.decode("utf-8", "replace").strip()[:500] or f"exit status {done.returncode}"
        raise RenderError(f"{name} could not draw this picture: {printed}; {MEND}")
    return done.stdout


MEND = "pip install 'pygraphviz>=2.0' brings a Graphviz that works"
"""What helps where Graphviz fails."""


@contextmanager
def _silent_stderr() -> Iterator[Callable[[], str]]:
    """Keep what the C libraries print, such as remarks on fonts, off the terminal; give it back on request."""
    if sys.stderr is not None:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)

        def printed() -> str:
            log.seek(0)
            return log.read(2000).decode("utf-8", "replace").strip()

        try:
            yield printed
        finally:
            os.dup2(kept, 2)
            os.close(kept)
