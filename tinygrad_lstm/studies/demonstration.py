"""How an application shows itself: what it can be asked, its training with Ctrl-C, its scores, and a look inside.

These are plain functions, each of which an application may leave out; the order is that of its file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from ..engine.primitive import Array
from ..engine.tensor import Tensor, tensor
from ..interop.files import write_file
from ..program.compiled import compile as compiled
from ..structure.words import short
from ..training.fit import Callback, fit
from ..training.stopping import Stop, stoppable
from ..training.text import read_text
from .applications import APPLICATIONS, Unusable
from .series import SeriesOf, read_series
from .side_by_side import AnyModule, one_of
from .tasks import MemoryTask
from .trial import Reader, train_side_by_side


def say(words: str) -> None:
    """Print a line, now: whoever waits reads along."""
    print(words, flush=True)  # noqa: T201 - an application is a program that prints


@dataclass(frozen=True)
class DemoOptions:
    """What a person asked of an application."""

    data: Path | None  # a file of theirs instead of its own data
    seed: int
    small: bool  # a size that takes seconds, to see that all works
    out: Path  # the folder for pictures, page, model and scores


def asked(name: str, arguments: Sequence[str] | None = None) -> DemoOptions:
    """Return what the command line of an application says, or in a notebook the arguments; its folder is made.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     asked("grammar", ["--small", "--out", folder]).small
    True
    """
    application = APPLICATIONS[name]
    reader = argparse.ArgumentParser(description=f"{application.title}: {application.data}")
    if application.file:
        reader.add_argument("--data", type=Path, metavar="FILE", help=f"{application.file}, instead of its own data")
    reader.add_argument("--seed", type=int, default=0, help="all that is random follows from it")
    reader.add_argument("--small", action="store_true", help="a size that takes seconds")
    reader.add_argument("--out", type=Path, default=Path(f"demo-{name}"), metavar="FOLDER", help="what it writes")
    if arguments is None and "ipykernel" in Path(sys.argv[0]).stem:
        arguments = []  # the command line is the notebook's
    given = reader.parse_args(arguments)
    if given.seed < 0:
        reader.error(f"--seed is 0 or more, not {given.seed}")
    try:
        given.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reader.error(f"cannot make the folder {given.out}: {error.strerror}")
    return DemoOptions(getattr(given, "data", None), given.seed, given.small, given.out)


def text_of(path: Path, least: int = 20_000) -> str:
    """Return a text of a person's, of so many characters at least. Raises Unusable, in one line, for what is none."""
    try:
        text = read_text(path)
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Unusable(str(error)) from error
    if len(text) < least:
        raise Unusable(f"{path} has {len(text):,} characters; {least:,} are needed to learn anything from")
    return text


def series_of(path: Path, value: str = "value") -> SeriesOf:
    """Return a series of a CSV file. Raises Unusable, in one line, for a file that holds none."""
    try:
        return read_series(path, value)
    except (OSError, ValueError) as error:
        raise Unusable(str(error)) from error


def learn(
    model: Any, batches: Iterable[Any], *, steps: int, callbacks: Iterable[Callback] = (), about: str, **how: Any
) -> bool:
    """Train as ``tl.fit`` does and show how far it is; return whether it came to the end.

    Ctrl-C ends it after an update, and what follows is done with what was learned until then; twice ends all.

    Arguments:
        model, batches, callbacks: as for ``tl.fit``.
        steps: how many updates, of which the bar tells.
        about: what stands before the bar.
        how: whatever else ``tl.fit`` takes: loss, optimizer, clip, schedule.

    >>> import tinygrad_lstm as tl
    >>> model = tl.Linear(1, 1, rng=0)
    >>> loss, optimizer = (lambda model, x: tl.mse_loss(model([[x]]), [[2 * x]])), tl.Adam(model.parameters(), lr=0.1)
    >>> learn(model, [1.0, 2.0] * 40, steps=80, about="doubling", loss=loss, optimizer=optimizer)
    doubling: 80 updates; ... processor seconds until here
    True
    """
    with _watched(about, steps) as (show, stop):
        losses = fit(
            model,
            batches,
            steps=steps,
            callbacks=[*callbacks, lambda moment: show(moment.step, moment.loss), stop],
            **how,
        )
    return _ended(stop, f"{about}: {len(losses):,} updates")


def learn_side_by_side(
    task: MemoryTask,
    readers: Sequence[Reader],
    *,
    seeds: Sequence[int],
    rate: float,
    budget: int,
    about: str,
    choose: Callable[[Reader], Array] | None = None,
) -> tuple[list[Reader], bool]:
    """Train networks as ``train_side_by_side`` does and show how far they are; return them, and whether all is done.

    With ``choose``, a function of networks side by side that returns a number for each, (S), to be small, each is kept
    as it was when its number was least, of every 25th update. It is for a task that nobody leaves before the end.

    >>> import tinygrad_lstm as tl
    >>> from tinygrad_lstm.studies.tasks import counting
    >>> readers = [Reader(tl.LSTMCell(4, 3, rng=seed), 4, rng=seed) for seed in (0, 1)]
    >>> _, whole = learn_side_by_side(counting(2), readers, seeds=[0, 1], rate=0.01, budget=32, about="counting")
    counting: 2 updates of 2 networks; ... processor seconds until here
    >>> whole
    True
    """
    least, best = np.full(len(readers), np.inf), list(readers)
    with _watched(about, budget // 16) as (show, stop):

        def look(update: int, stacked: Reader) -> bool:
            show(update)
            if choose is not None and update % 25 == 0:
                numbers = choose(stacked)
                for k in np.flatnonzero(numbers < least).tolist():
                    least[k], best[k] = numbers[k], one_of(stacked, k, like=readers[k])
            return bool(stop.signal)

        trained = train_side_by_side(
            task, readers, seeds=seeds, rates=[rate] * len(readers), budget=budget, report=look
        )
    whole = _ended(stop, f"{about}: {trained.updates:,} updates of {len(readers)} networks")
    return [last if np.isinf(least[k]) else best[k] for k, last in enumerate(trained.models)], whole


@contextmanager
def _watched(about: str, steps: int) -> Iterator[tuple[Callable[..., None], Stop]]:
    """Give what shows how far a training is, where a person is looking, and what tells that it shall end."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[note]}"))
    bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with stoppable() as stop, bars:
        bar = bars.add_task(about, total=steps, note="")

        def show(step: int, loss: float | None = None) -> None:
            bars.update(bar, completed=step, note="" if loss is None else f"loss {loss:.3f}")

        yield show, stop


def _ended(stop: Stop, what: str) -> bool:
    """Say what was done until now, and return whether it was all."""
    say(f"{what}; {process_time():.0f} processor seconds until here")
    if stop.signal:
        say("stopped; what follows is by what was learned until here, and asserts nothing of it")
    return not stop.signal


@dataclass(frozen=True)
class Score:
    """What a network came to at one task, and beside it what others do with the same split; each computed, or cited."""

    task: str  # with its unit: "characters, bits each"
    lstm: float
    trivial: tuple[str, float]
    classical: tuple[str, float]
    known: str  # the published figure, or the best that is known, in words
    better: str = "low"  # or "high"
    weak: str = ""  # where it fails

    @property
    def wins(self) -> bool:
        """Return whether the network is better than both others."""
        others = (self.trivial[1], self.classical[1])
        return self.lstm < min(others) if self.better == "low" else self.lstm > max(others)


def tell(scores: Sequence[Score], out: Path) -> None:
    """Print scores, each beside what else there is, say where it is weak, and keep them in ``scores.json``.

    >>> import tempfile
    >>> score = Score("bits", 2.1, ("unigrams", 4.6), ("6-grams", 2.0), "none", weak="counts lose to it")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tell([score], Path(folder))
    bits: LSTM 2.1 · unigrams 4.6 · 6-grams 2 · known: none
      loses: counts lose to it
    """
    for score in scores:
        beside = " · ".join(f"{name} {value:.4g}" for name, value in (score.trivial, score.classical))
        say(f"{score.task}: LSTM {score.lstm:.4g} · {beside} · known: {score.known}")
        if score.weak:
            say(f"  {'weak' if score.wins else 'loses'}: {score.weak}")
    kept = {"scores": [asdict(score) for score in scores], "seconds": round(process_time(), 1)}
    write_file(out / "scores.json", json.dumps(kept, indent=1) + "\n")


def look_inside(loss: Tensor, out: Path) -> None:
    """Check the gradients of one prediction's loss, and write the page that steps through it.

    Every parameter is checked along a random direction by complex step, through the very graph that the page shows.
    Raises GradientError for a wrong one.
    """
    from ..stepper import step
    from ..testing import check_vjp

    report = check_vjp(loss, directions=1)
    page = step(loss).page(out / "step.html")
    say(f"gradients: {len(report.findings)} parameters agree with the complex step; {page} steps through them")


def in_float64(model: AnyModule) -> AnyModule:
    """Return a copy of a model with the same weights in double precision, so that a check is not lost in rounding.

    >>> import tinygrad_lstm as tl
    >>> in_float64(tl.Linear(3, 2, rng=0, dtype=np.float32)).weight.dtype
    dtype('float64')
    """
    copied = deepcopy(model)
    for path, old in list(copied.named_parameters()):
        owner, _, name = path.rpartition(".")
        setattr(
            copied.get_submodule(owner), name, tensor(old.value, requires_grad=True, name=old.name, dtype=np.float64)
        )
    for module in copied.modules():
        if "dtype" in vars(module):  # a cell casts to it what it reads
            setattr(module, "dtype", np.dtype(np.float64))  # noqa: B010 - not every module has one
    return copied


def picture(out: Path, **svgs: str) -> None:
    """Write pictures by their names, and say where they are."""
    for name, svg in svgs.items():
        say(f"picture: {write_file(out / f'{name}.svg', svg)}")


def compare_speed(layer: Any, xs: Any) -> float:
    """Print how long forward and backward take, node by node and as ``tl.compile``'s program; return the ratio.

    Arguments:
        layer: a recurrent layer.
        xs: what it reads, (T, N, D).
    """
    fast = compiled(layer)
    plain, program = (_milliseconds(way, xs) for way in (layer, fast))
    for parameter in layer.parameters():
        parameter.grad = None
    say(f"speed: the graph {plain:.1f} ms, its program {program:.1f} ms, {short(plain / program)} times as fast")
    return plain / program


def _milliseconds(layer: Any, xs: Any) -> float:
    """Return what forward and backward take, the least of three times after one to begin with."""
    times = []
    for _ in range(4):
        times.append(perf_counter())
        layer(xs)[0].sum().backward()
    return 1e3 * float(np.diff([*times, perf_counter()])[1:].min())
