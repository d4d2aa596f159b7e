"""A run of the command ``train``: a language model on a text, which can be stopped anywhere and goes on from its file.

All that the run does follows from its settings and its text. Its one file has the weights for whoever uses them, and
everything else for whoever goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..interop.saved import Opened, built, opened
from ..nn import Adam, LanguageModel
from ..nn.arguments import above_zero, positive, within
from ..structure.words import clean
from .checkpoint import Checkpoint, facts_of
from .fit import Callback, fit
from .log import Log
from .schedules import Plateau, Schedule, constant, cosine, step_decay, warm_up
from .streams import Streams, TruncatedLoss, stream_loss
from .text import Unit, Vocabulary, read_text
from .validation import Validation

SCHEDULES = ("constant", "cosine", "step", "plateau")
"""Their names: step halves the rate after each quarter of the run, plateau when validation gets no better."""

MOST_HELD_OUT = 50_000
"""Symbols to measure on, at most; chosen: of so many the loss is known to a hundredth of a nat."""


@dataclass(frozen=True)
class Settings:
    """All that a run follows from, but for the text itself.

    >>> Settings(text="x.txt", hidden=0)
    Traceback (most recent call last):
    ValueError: hidden must be a positive whole number, not 0
    """

    text: str
    encoding: str | None = None
    unit: Unit = "character"
    cell: str = "lstm"
    hidden: int = 128
    layers: int = 1
    embedding: int | None = 64  # None: one-hot
    dropout: float = 0.0
    dtype: str = "float32"
    streams: int = 32
    window: int = 50
    steps: int = 2_000
    lr: float = 0.002
    schedule: str = "constant"
    warm_up: int = 0
    clip: float | None = 1.0
    seed: int = 0
    validate: float = 0.1  # the share of the text that is held out, at its end
    every: int = 100  # updates between validations
    patience: int | None = None
    save_every: int = 100

    def __post_init__(self) -> None:
        whole = {name: getattr(self, name) for name in ("hidden", "layers", "streams", "window", "steps", "every")}
        positive(**whole, save_every=self.save_every)
        for name in ("embedding", "patience"):
            if getattr(self, name) is not None:
                positive(**{name: getattr(self, name)})
        above_zero(lr=self.lr, **({} if self.clip is None else {"clip": self.clip}))
        within(0, 1, dropout=self.dropout, validate=self.validate)
        within(0, np.inf, seed=self.seed, warm_up=self.warm_up)
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, not {clean(repr(self.schedule), 60)}")
        if self.dropout and self.layers == 1:
            raise ValueError("dropout acts between layers, and there is one: give more layers, or no dropout")
        if self.warm_up > self.steps:
            raise ValueError(f"warm-up takes {self.warm_up:,} steps, and the run has {self.steps:,}")
        by_validation = "patience" if self.patience else "the schedule plateau" if self.schedule == "plateau" else ""
        if by_validation and not self.validate:
            raise ValueError(f"{by_validation} goes by validation, and nothing is held out for it: validate is 0")
        if by_validation and self.every > self.steps:
            first = f"of which there is none in {self.steps:,} steps: the first would be after {self.every:,}"
            raise ValueError(f"{by_validation} goes by validation, {first}")


@dataclass
class Run:
    """A model, its text, and how far it is."""

    settings: Settings
    vocabulary: Vocabulary
    model: LanguageModel
    checkpoint: Checkpoint
    batches: Streams
    loss: TruncatedLoss
    validation: Validation | None
    schedule: Schedule
    optimizer: Adam
    start: int = 0

    @property
    def finished(self) -> bool:
        """Return whether there is nothing more to do."""
        stopped = self.validation is not None and self.validation.finished
        return stopped or self.start >= self.settings.steps

    @property
    def tokens(self) -> int:
        """Return how many symbols an update learns from, in a whole window."""
        return self.batches.count * self.batches.window

    def train(self, callbacks: Iterable[Callback] = (), *, log: Log | None = None) -> list[float]:
        """Go on until the end, and return the losses; the file is written on the way, and at the end.

        Whatever ends it early, be it a callback or an error, the file is a whole checkpoint to go on from.
        """
        watchers: list[Callback] = [] if self.validation is None else [self.validation]
        if log is not None:
            watchers.append(log)
            if self.validation is not None:
                self.validation.listeners.append(log.validated)
        losses = fit(
            self.model,
            self.batches,
            loss=self.loss,
            optimizer=self.optimizer,
            steps=self.settings.steps,
            clip=self.settings.clip,
            schedule=self.schedule,
            callbacks=[*watchers, self.checkpoint, *callbacks],
            start=self.start,
        )
        self.start += len(losses)
        if self.checkpoint.step != self.start:
            self.checkpoint.write(self.start)
        return losses


def begin(settings: Settings, out: str | os.PathLike[str]) -> Run:
    """Return a new run. Raises ValueError or OSError, in one line, for a text that cannot be learned from, or kept."""
    text = read_text(settings.text, settings.encoding)
    vocabulary = Vocabulary.of(text, settings.unit)
    settings = replace(settings, text=str(Path(settings.text).resolve()))
    if str(Path(out).resolve()) == settings.text:
        raise ValueError(f"{clean(out, 200)} is the text itself: the model needs another file")
    return _made(settings, vocabulary, vocabulary.numbers(text), _digest(text), out)


def resume(path: str | os.PathLike[str], *, text: str | None = None, steps: int | None = None) -> Run:
    """Return the run of a file, to go on from where it stopped.

    Arguments:
        path: what ``train`` wrote.
        text: where the text is now, if it has moved.
        steps: how many there shall be, if others than were asked for; then patience begins anew.

    Raises:
        ValueError: in one line, for a file that is no checkpoint, or damaged, and a text that is not the same.
        OSError: for what cannot be read.
    """
    facts = _facts(opened(path), path)
    known = {field.name for field in fields(Settings)}
    try:
        settings = Settings(**{name: value for name, value in facts["settings"].items() if name in known})
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{clean(path, 200)}: it tells no settings that there are: {clean(error, 100)}") from error
    where = settings.text if text is None else str(Path(text).resolve())
    settings = replace(settings, text=where, steps=settings.steps if steps is None else steps)
    said = read_text(settings.text, settings.encoding)
    if _digest(said) != facts["digest"]:
        raise ValueError(f"{clean(settings.text, 200)} is not the text that {clean(path, 200)} was trained on")
    vocabulary = _vocabulary(facts, path)
    run = _made(settings, vocabulary, vocabulary.numbers(said), facts["digest"], path)
    run.start = run.checkpoint.restore()
    if run.validation is not None and steps is not None and steps > run.start:
        run.validation.waited = 0  # whoever asks for more has patience again
    return run


def load(path: str | os.PathLike[str]) -> tuple[LanguageModel, Vocabulary, str]:
    """Return the model of a file, in evaluation, its vocabulary, and the symbol that its text begins with.

    Raises ValueError, in one line, for a file that is damaged or was not written by ``train``; OSError.
    """
    file = opened(path)
    facts, model = _facts(file, path), built(file)
    if not isinstance(model, LanguageModel):
        raise ValueError(f"{clean(path, 200)} holds a {type(model).__name__}, and no language model")
    vocabulary = _vocabulary(facts, path)
    if len(vocabulary) != model.vocabulary_size:
        raise ValueError(f"{clean(path, 200)}: {len(vocabulary)} symbols, and a model of {model.vocabulary_size}")
    model.eval()
    return model, vocabulary, facts["first"]


def _facts(file: Opened, path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what the file of a run tells. Raises ValueError for a file that was not written by ``train``."""
    try:
        facts = facts_of(file)
    except ValueError as error:
        raise ValueError(f"{clean(path, 200)}: {error}") from error
    settings, symbols = facts.get("settings"), facts.get("symbols")
    if "digest" in facts and isinstance(settings, dict) and isinstance(symbols, list) and facts.get("first") in symbols:
        return facts
    raise ValueError(f"{clean(path, 200)}: it is a checkpoint, and not one of the command train")


def _vocabulary(facts: Mapping[str, Any], path: str | os.PathLike[str]) -> Vocabulary:
    """Return the vocabulary that a file tells. Raises ValueError for what is none."""
    try:
        return Vocabulary(tuple(facts["symbols"]), facts["settings"].get("unit", "character"))
    except ValueError as error:
        raise ValueError(f"{clean(path, 200)}: {error}") from error


def _made(
    settings: Settings, vocabulary: Vocabulary, ids: NDArray[np.int32], digest: str, path: str | os.PathLike[str]
) -> Run:
    learned, held_out = _split(ids, settings)
    model = LanguageModel(
        len(vocabulary),
        settings.hidden,
        cell=settings.cell,
        num_layers=settings.layers,
        embedding_size=settings.embedding,
        dropout=settings.dropout,
        rng=settings.seed,
        dtype=settings.dtype,
    )
    optimizer = Adam(model.parameters(), lr=settings.lr)
    window = min(settings.window, len(learned) - 1)
    streams: Callable[[NDArray[np.int32]], int] = lambda ids: max(1, min(settings.streams, (len(ids) - 1) // window))
    batches = Streams(learned, streams(learned), window)
    loss, schedule = TruncatedLoss(), _schedule(settings)
    parts: dict[str, Any] = {"batches": batches, "loss": loss}
    if isinstance(schedule, Plateau):
        parts["schedule"] = schedule
    validation = None
    if len(held_out):
        measure: Callable[[Any], float] = lambda model: stream_loss(
            model, held_out, streams=streams(held_out), window=window
        )
        listeners = [schedule.observe] if isinstance(schedule, Plateau) else []
        validation = Validation(measure, settings.every, patience=settings.patience, listeners=listeners)
        parts["validation"] = validation
    facts = {
        "settings": asdict(settings),
        "symbols": list(vocabulary.symbols),
        "digest": digest,
        "first": vocabulary.symbols[int(ids[0])],
    }
    checkpoint = Checkpoint(path, model, optimizer, every=settings.save_every, facts=facts, **parts)
    rate = warm_up(settings.warm_up, schedule) if settings.warm_up else schedule
    return Run(settings, vocabulary, model, checkpoint, batches, loss, validation, rate, optimizer)


def _split(ids: NDArray[np.int32], settings: Settings) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return what is learned from and what is held out; of a text that is too short for that, nothing."""
    count = min(int(len(ids) * settings.validate), MOST_HELD_OUT)
    if len(ids) < 2:
        raise ValueError(f"the text has one {settings.unit}; there is nothing that could come next")
    if count < 2 or len(ids) - count < 2:
        if settings.patience or settings.schedule == "plateau":
            raise ValueError(f"the text has {len(ids)} {settings.unit}s, too few to hold some out for validation")
        return ids, ids[:0]
    return ids[:-count], ids[-count:]


def _schedule(settings: Settings) -> Schedule:
    match settings.schedule:
        case "cosine":
            return cosine(settings.lr, settings.steps)
        case "step":
            return step_decay(settings.lr, max(1, settings.steps // 4))
        case "plateau":
            return Plateau(settings.lr)
    return constant(settings.lr)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
