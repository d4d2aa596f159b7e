"""The tour itself: train, read, draw, walk, prove, and write it all down as an article."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..drawing import draw
from ..drawing.paint.render import RenderError
from ..engine.scope import no_grad
from ..interop.files import write_file
from ..nn.named import title_of
from ..stepper import step
from ..stepper.web.page import page as walk_page
from ..testing import GradientError, check_vjp
from . import gaps, pages
from .article import article, expectations
from .findings import Tour
from .model import NextToken, train
from .notes import write_notes
from .plot import gradient_plot
from .reading import TextReading
from .text import Corpus, read, windows

WINDOW, BATCH, UPDATES = 24, 8, 150
"""Tokens of a training window, windows of an update, and updates; chosen: a sentence is learned well within SECONDS."""

SECONDS = 5.0
"""The time, at most, for training each of the two models; chosen: a long text stays a tour too."""

ENOUGH = 0.1
"""The loss, in nats, at which training ends; chosen: further on, nothing of the gradients would be left to look at."""

DRAWN = 7
"""Tokens in the picture and the walk; chosen: what one can take in at once."""

Report = Callable[[str, int, int, float | None], None]
"""Called with what is being trained, the update, how many there will be, and the loss, where there is but one."""


class TourError(Exception):
    """Something the person who started the tour can mend; the message is one line."""


def run(
    text: str,
    directory: str | os.PathLike[str] = "tour",
    *,
    cell: str = "lstm",
    chars: bool = False,
    notes: str | os.PathLike[str] | None = None,
    report: Report = lambda *_: None,
) -> Tour:
    """Train a next-token model on the text and write an article about it, ``index.html``, which links all the rest.

    ``notes`` is a Markdown file to write the same article to, with its pictures in a folder named like it.

    Raises TourError for an empty text and for a directory or a file that cannot be written. A gradient that fails its
    check does not raise: it is in ``failure``, and on the page.
    """
    if notes is not None and Path(notes).suffix != ".md":
        raise TourError(f"notes are Markdown, and their file ends in .md, as in notes.md; not {notes}")
    target = _writable(Path(directory))
    try:
        corpus = read(text, chars=chars)
    except ValueError as error:
        raise TourError(str(error)) from error
    other = "lstm" if cell == "rnn" else "rnn"
    trained = {name: _trained(name, corpus, report) for name in (cell, other)}
    model, loss = trained[cell]

    ids = corpus.ids[: min(DRAWN, len(corpus) - 1)]
    words = corpus.tokens[: len(ids)]
    readings = {name: TextReading(name, network, corpus) for name, (network, _) in trained.items()}
    plain, gated = readings["rnn"], next(reading for name, reading in readings.items() if name != "rnn")
    objective = model.last_loss(ids, words)
    stepper = step(objective)
    tour = Tour(
        directory=target,
        corpus=corpus,
        cell=cell,
        loss=loss,
        guesses=_best(model, ids[:-1], corpus),
        expected=words[-1],
        prompt=words[:-1],
        events=len(stepper) - stepper.events.start,
        objective=objective,
        weights=model.parameters(),
        gated=gated,
        plain=plain,
        gaps=gaps.measured(lambda what, done, total: report(what, done, total, None)),
        expects=expectations(model, corpus.ids[: gated.once], corpus.vocabulary),
        norms={reading.title: reading.felt for reading in readings.values()},
    )
    try:
        tour.proof = check_vjp(lambda: model.last_guess(ids[:-1]), parameters=model.parameters())
    except GradientError as error:
        tour.failure = str(error)

    picture = draw(objective, values=True, gradients=True)
    try:
        drawn = {"network.svg": picture.svg}
    except RenderError as error:  # what was learned is told without it
        drawn, tour.undrawn = {}, str(error)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the same
        walk = walk_page(stepper, home="index.html")
    contents = {
        **drawn,
        "network.dot": picture.source,
        "gradients.svg": gradient_plot(tour.norms),
        "walk.html": walk,
        "check.html": pages.check(tour),
        "index.html": article(tour),
    }
    try:
        for name, content in contents.items():
            write_file(target / name, content)
    except OSError as error:
        raise TourError(f"cannot write to {target}: {error.strerror}") from error
    if notes is not None:
        try:
            write_notes(tour, contents["index.html"], Path(notes))
        except OSError as error:
            raise TourError(f"cannot write the notes to {notes}: {error.strerror}") from error
    return tour


def _writable(directory: Path) -> Path:
    """Return the directory, made and tried out before minutes of work depend on it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_file(directory / ".writable", "").unlink()
    except OSError as error:
        raise TourError(f"cannot write to {directory}: {error.strerror}; choose another with --out") from error
    return directory


def _trained(cell: str, corpus: Corpus, report: Report) -> tuple[NextToken, float]:
    model = NextToken(cell, len(corpus.vocabulary))
    rng = np.random.default_rng(0)
    batches = (windows(corpus, WINDOW, BATCH, rng) for _ in range(UPDATES))
    deadline = time.monotonic() + SECONDS
    for done, loss in enumerate(train(model, batches), 1):
        report(f"the {title_of(cell)}", done, UPDATES, loss)
        if loss <= ENOUGH or time.monotonic() >= deadline:
            break
    report(f"the {title_of(cell)}", done, done, loss)  # it may have learned enough before the last update
    return model, loss


def _best(model: NextToken, ids: NDArray[np.intp], corpus: Corpus, count: int = 5) -> list[tuple[str, float]]:
    """Return the likeliest next tokens with their probabilities, the likeliest first."""
    with no_grad():
        probabilities = np.exp(model.last_guess(ids).value)
    best = np.argsort(-probabilities, kind="stable")[:count]
    return [(corpus.vocabulary[i], float(probabilities[i])) for i in best]
