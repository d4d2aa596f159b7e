"""A log that programs read: a line of JSON for each update."""

from __future__ import annotations

import json
import os
import time
from math import inf, isfinite
from pathlib import Path

from ..interop.files import as_path, write_file
from ..structure.words import clean
from .fit import Moment


class Log:
    """A callback for ``fit`` that writes a line of JSON for each update into a file, and one for each validation.

    Where a run goes on from update ``start``, lines of updates after it are dropped before: they will come again. All
    but ``seconds``, which are counted from when the log was opened, is the same in every run from the same seed.
    What is not finite is null: JSON has no NaN.

    Raises OSError for what cannot be written, and ValueError for a file that is no such log: it stays as it is.

    >>> import tempfile
    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([1.0], requires_grad=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Log(f"{folder}/log.jsonl")
    ...     how = {"loss": lambda w, batch: (w * w).sum(), "optimizer": tl.SGD([w], lr=0.25)}
    ...     _ = tl.fit(w, [0, 0], **how, callbacks=[log])
    ...     log.validated(2, 0.125)
    ...     with open(f"{folder}/log.jsonl") as file:
    ...         print(file.read())
    {"step": 1, "loss": 1.0, "norm": 2.0, "lr": 0.25, "seconds": ...}
    {"step": 2, "loss": 0.25, "norm": 1.0, "lr": 0.25, "seconds": ...}
    {"step": 2, "validation": 0.125}
    """

    def __init__(self, path: str | os.PathLike[str], *, start: int = 0) -> None:
        self.path, self._began = as_path(path), time.monotonic()
        before = _lines(self.path) if self.path.is_file() else []
        write_file(self.path, "".join(line for line, step in before if step <= start))

    def __call__(self, moment: Moment) -> None:
        norm = moment.norm if isinstance(moment.norm, float | int) else None
        seconds = round(time.monotonic() - self._began, 3)
        self._write(step=moment.step, loss=moment.loss, norm=norm, lr=moment.optimizer.lr, seconds=seconds)

    def validated(self, step: int, loss: float) -> None:
        """Write down the loss of a validation."""
        self._write(step=step, validation=loss)

    def _write(self, **facts: float | None) -> None:
        finite = {name: fact if fact is not None and isfinite(fact) else None for name, fact in facts.items()}
        try:
            with self.path.open("a", encoding="utf-8") as file:  # opened for each line: what is written is there
                file.write(json.dumps(finite) + "\n")
        except OSError as error:  # that of a full disk names no file
            raise OSError(error.errno, error.strerror, str(self.path)) from error


def _lines(path: Path) -> list[tuple[str, float]]:
    """Return the lines of a log with the step of each; infinity, for the last one if it was half written."""
    found = []
    try:
        for line in path.read_bytes().decode().splitlines(keepends=True):
            half = not line.endswith("\n") and line[: len(_BEGIN)] == _BEGIN[: len(line)]
            found.append((line, inf if half else float(json.loads(line)["step"])))
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{clean(path, 200)} is no log of a training; it is left as it is") from None
    return found


_BEGIN = '{"step": '
