"""Checkpoints: all that a run is made of, in one file, written whole or not at all. Nothing in it is executed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from ..engine.primitive import Array
from ..interop.files import as_path, write_file
from ..interop.saved import Opened, opened, packed
from ..nn import Module, Optimizer
from ..nn.arguments import positive
from ..structure.words import clean
from .fit import Moment
from .randomness import random_state, set_random_state


class Kept(Protocol):
    """What a run has besides its model: whatever says its state as arrays and JSON by name, and takes it over."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any], /) -> Any: ...


class Checkpoint:
    """A callback for ``fit`` that writes all that a run is made of into one file, every so many updates.

    That is: the weights, the state of the optimiser and of all random numbers, the step, and whatever ``parts`` say of
    themselves, such as where in the data one is. Whoever makes the same objects anew and calls ``restore()`` goes on,
    and comes to the same bits as without an interruption. The file is a safetensors file that ``tl.load`` reads as the
    model: with the best weights, if one of the parts is a ``Validation`` that has found some, else with the last.

    Arguments:
        path: the file. While it is written, the one before stays as it is.
        model: a module.
        optimizer: of its parameters.
        every: updates between two writes.
        facts: what else is to be known, as JSON: settings, a vocabulary.
        parts: by name, ``batches=batches`` and so on; each has a ``state_dict()`` of arrays and JSON by name, and a
            ``load_state_dict``.

    Raises:
        OSError: for what cannot be written, or read.
        ValueError: for facts called "step", "parts" or "random", and, when written, for what JSON has not, as a NaN.

    >>> import tempfile
    >>> import tinygrad_lstm as tl
    >>> from tinygrad_lstm.training.streams import Streams, TruncatedLoss
    >>> def run(steps):
    ...     model = tl.nn.LanguageModel(3, 4, rng=0)
    ...     batches, loss = Streams([0, 1, 2] * 9, streams=2, window=5), TruncatedLoss()
    ...     optimizer = tl.Adam(model.parameters(), lr=0.01)
    ...     checkpoint = Checkpoint(path, model, optimizer, every=4, batches=batches, loss=loss)
    ...     start = checkpoint.restore()
    ...     tl.fit(
    ...         model, batches, loss=loss, optimizer=optimizer, steps=steps, callbacks=[checkpoint], start=start
    ...     )
    ...     return start, model.head.bias.value
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/run.safetensors"
    ...     (_, stopped), (start, went_on) = run(steps=7), run(steps=8)
    ...     path = f"{folder}/other.safetensors"
    ...     start, (run(steps=8)[1] == went_on).all()
    (4, np.True_)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        model: Module,
        optimizer: Optimizer,
        *,
        every: int = 100,
        facts: Mapping[str, Any] | None = None,
        **parts: Kept,
    ) -> None:
        positive(every=every)
        taken = sorted({"step", "parts", "random"} & {*(facts or {})})
        if taken:
            raise ValueError(f"a checkpoint tells its {taken[0]} itself; call that fact something else")
        self.path, self.model, self.every, self.facts = as_path(path), model, every, dict(facts or {})
        self.parts: dict[str, Kept] = {"optimizer": optimizer, **parts}
        self.step: int | None = None  # of the last good one

    def __call__(self, moment: Moment) -> None:
        if moment.step % self.every == 0:
            self.write(moment.step)

    def write(self, step: int) -> None:
        """Write what there is now, after so many updates; if that fails, the file stays as it was."""
        weights = self.model.state_dict()
        beside: dict[str, Array] = {}
        said: dict[str, dict[str, Any]] = {}
        for name, part in self.parts.items():
            state = part.state_dict()
            beside |= {f"{name}: {key}": value for key, value in state.items() if isinstance(value, np.ndarray)}
            said[name] = {key: value for key, value in state.items() if not isinstance(value, np.ndarray)}
        best = next((part.best for part in self.parts.values() if getattr(part, "best", None)), None)  # type: ignore[attr-defined]
        if best is not None:
            beside |= {f"model: {path}": value for path, value in weights.items()}
        facts = {"step": step, "parts": said, "random": random_state(self.model), **self.facts}
        write_file(self.path, packed(self.model, state=best or weights, beside=beside, facts=facts))
        self.step = step

    def restore(self) -> int:
        """Take over what the file holds, and return its step; 0, if there is no file. On any error, nothing changes.

        Raises:
            ValueError: for a file that is damaged, no checkpoint, or one of another model or of other parts.
        """
        if not self.path.exists():
            return 0
        file = opened(self.path)
        before = {name: part.state_dict() for name, part in self.parts.items()}
        values, random = self.model.state_dict(), random_state(self.model)
        try:
            facts = facts_of(file)
            self.model.load_state_dict(_of("model", file.beside) or file.state)
            for name, part in self.parts.items():
                part.load_state_dict(_of(name, file.beside) | facts["parts"].get(name, {}))
            set_random_state(self.model, facts["random"])
        except _UNFIT as error:
            self.model.load_state_dict(values)
            for name, part in self.parts.items():
                with suppress(*_UNFIT):
                    part.load_state_dict(before[name])
            set_random_state(self.model, random)
            why = f"it tells no {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{clean(self.path, 200)} is no checkpoint of this run: {clean(why, 300)}") from error
        self.step = step = int(facts["step"])
        return step


_UNFIT = (ValueError, TypeError, KeyError, AttributeError)
"""What is raised by those who are given a state that is not theirs."""


def facts_of(file: Opened) -> dict[str, Any]:
    """Return what the header of a checkpoint tells. Raises ValueError for a file that is none."""
    facts = file.header.get("facts")
    if not isinstance(facts, dict) or not {"step", "parts", "random"} <= facts.keys():
        raise ValueError("it holds a model, and nothing of how it was trained")
    if type(facts["step"]) is not int or facts["step"] < 0:
        raise ValueError(f"its step is {facts['step']!r:.60}, and not a whole number from 0 on")
    return facts


def _of(name: str, beside: Mapping[str, Array]) -> dict[str, Any]:
    return {key.removeprefix(f"{name}: "): value for key, value in beside.items() if key.startswith(f"{name}: ")}
