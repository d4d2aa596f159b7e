"""The tour itself: train, draw, walk, prove, and write it all down."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..drawing import draw
from ..engine.scope import no_grad
from ..pages.files import write_file
from ..stepper import step
from ..stepper.web.page import page as walk_page
from ..testing import GradientError, check_vjp
from . import model as models
from . import pages
from .findings import Tour
from .plot import gradient_plot
from .text import Corpus, read, windows

WINDOW = 24  # tokens per training window
BATCH = 8  # windows per update
UPDATES = 150
SECONDS = 5.0  # at most, for each of the two models
ENOUGH = 0.1  # nats: training further would leave nothing of the gradients to look at
DRAWN = 7  # tokens in the picture and the walk: what one can take in
PLOTTED = 40  # steps of the gradient plot

Report = Callable[[str, int, int, float], None]
"""Called with what is being trained, the update, how many there will be, and the loss."""


class TourError(Exception):
    """Something the person who started the tour can mend; the message is one line."""


def run(
    text: str,
    directory: str | os.PathLike[str] = "tour",
    *,
    cell: str = "lstm",
    chars: bool = False,
    report: Report | None = None,
) -> Tour:
    """Train a next-token model on the text and write pictures, walk, checks and plot, linked from ``index.html``.

    Raises TourError for an empty text and for a directory that cannot be written. A gradient that fails its check does
    not raise: it is in ``failure``, and on the page.
    """
    target = _writable(Path(directory))
    try:
        corpus = read(text, chars=chars)
    except ValueError as error:
        raise TourError(str(error)) from error
    other = "lstm" if cell == "rnn" else "rnn"
    model, loss = _trained(cell, corpus, report)
    rival, _ = _trained(other, corpus, report)

    ids = corpus.ids[: min(DRAWN, len(corpus) - 1)]
    words = corpus.tokens[: len(ids)]
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
        norms={
            models.title(name): models.gradient_norms(trained, _long(corpus))
            for name, trained in ((cell, model), (other, rival))
        },
    )
    try:
        tour.proof = check_vjp(lambda: model.last_guess(ids[:-1]), parameters=model.parameters())
    except GradientError as error:
        tour.failure = str(error)

    picture = draw(objective, values=True, gradients=True)
    contents = {
        "network.svg": picture.svg,
        "network.dot": picture.source,
        "gradients.svg": gradient_plot(tour.norms),
        "walk.html": walk_page(stepper),
        "check.html": pages.check(tour),
        "index.html": pages.index(tour),
    }
    try:
        for name, content in contents.items():
            write_file(target / name, content)
    except OSError as error:
        raise TourError(f"cannot write to {target}: {error.strerror}") from error
    return tour


def _writable(directory: Path) -> Path:
    """The directory, made and tried out before minutes of work depend on it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_file(directory / ".writable", "").unlink()
    except OSError as error:
        raise TourError(f"cannot write to {directory}: {error.strerror}; choose another with --out") from error
    return directory


def _trained(cell: str, corpus: Corpus, report: Report | None) -> tuple[models.NextToken, float]:
    model = models.NextToken(cell, len(corpus.vocabulary))
    rng = np.random.default_rng(0)
    deadline = time.monotonic() + SECONDS
    done = 0

    def progress(loss: float) -> bool:
        nonlocal done
        done += 1
        if report:
            report(models.title(cell), done, UPDATES, loss)
        return loss > ENOUGH and time.monotonic() < deadline

    loss = models.train(model, lambda: windows(corpus, WINDOW, BATCH, rng), UPDATES, progress)
    if report:
        report(models.title(cell), done, done, loss)  # it may have learned enough before the last update
    return model, loss


def _best(model: models.NextToken, ids: NDArray[np.intp], corpus: Corpus, count: int = 5) -> list[tuple[str, float]]:
    with no_grad():
        probabilities = np.exp(model.last_guess(ids).value)
    best = np.argsort(-probabilities, kind="stable")[:count]
    return [(corpus.vocabulary[i], float(probabilities[i])) for i in best]


def _long(corpus: Corpus) -> NDArray[np.intp]:
    """Enough of the text for the plot, read over and over if it is short."""
    return np.resize(corpus.ids, PLOTTED + 1)
