"""A log that programs read: a line of JSON for each update."""

from __future__ import annotations

import json
import os
import time

from ..interop.files import as_path, write_file
from .fit import Moment


class Log:
    """A callback for ``fit`` that writes a line of JSON for each update into a file, and one for each validation.

    Where a run goes on from update ``start``, lines of updates after it are dropped before: they will come again. All
    but ``seconds``, which are counted from when the log was opened, is the same in every run from the same seed.

    Raises OSError for what cannot be written.

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
        kept = ""
        if start and self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = "".join(line for line in lines if _step_of(line) <= start)
        write_file(self.path, kept)

    def __call__(self, moment: Moment) -> None:
        norm = moment.norm if isinstance(moment.norm, float | int) else None
        seconds = round(time.monotonic() - self._began, 3)
        self._write(step=moment.step, loss=moment.loss, norm=norm, lr=moment.optimizer.lr, seconds=seconds)

    def validated(self, step: int, loss: float) -> None:
        """Write down the loss of a validation."""
        self._write(step=step, validation=loss)

    def _write(self, **facts: float | None) -> None:
        with self.path.open("a", encoding="utf-8") as file:  # opened for each line: what is written is there
            file.write(json.dumps(facts) + "\n")


def _step_of(line: str) -> float:
    """Return the step of a line; of what is none, such as one that was half written, infinity."""
    try:
        return float(json.loads(line)["step"]) if line.endswith("\n") else float("inf")
    except (ValueError, KeyError, TypeError):
        return float("inf")
