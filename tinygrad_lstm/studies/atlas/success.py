"""Which cells of the atlas learn what needs a memory: each the same tasks, ten seeds side by side, one budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from inspect import signature
from statistics import median
from typing import Any, NamedTuple

from ...nn.atlas import ATLAS
from ...nn.cell import Cell
from ...nn.lstm_cells import LSTMCell
from ..contest import outcome, train_kind
from ..study import Result, Row
from ..tasks import TASKS


class Trial(NamedTuple):
    """What cells are tried at: a task and its gap, what they begin to keep by, and how many sequences each may see."""

    task: str
    gap: int
    forget_bias: float | None  # None for what the class begins with
    budget: int


TRIALS = (
    Trial("temporal-order", 20, None, 24_000),
    Trial("adding", 50, None, 32_000),
    Trial("temporal-order", 50, None, 48_000),
    Trial("temporal-order", 50, 3.0, 48_000),
    Trial("temporal-order", 100, 3.0, 48_000),
)
"""The cheapest first. Chosen: all cells together take less than half an hour of one core."""

NAMES = {"temporal-order": "temporal order", "adding": "adding"}
"""What people call the tasks."""

RATES = {"rnn": 0.003}
"""Adam's learning rate for each cell: 0.01, but for the Elman network, which falls apart at that."""


def rows() -> list[Row]:
    """Return the settings of all runs: each cell at each task, the cheapest task first.

    >>> rows()[0]["cell"], len(rows())
    ('rnn', 54)
    """
    return [row(name, trial) for trial in TRIALS for name in ATLAS if takes(ATLAS[name].cell, trial)]


def takes(cell: type[Cell[Any]], trial: Trial) -> bool:
    """Tell whether a class can begin as the trial says: a GRU, say, has no forget bias to set.

    >>> takes(ATLAS["lstm"].cell, TRIALS[-1]), takes(ATLAS["gru"].cell, TRIALS[-1])
    (True, False)
    """
    return trial.forget_bias is None or "forget_bias" in signature(cell).parameters or issubclass(cell, LSTMCell)


def row(cell: str, trial: Trial) -> Row:
    """Return the settings of one run."""
    what = {"cell": cell, "task": trial.task, "gap": trial.gap, "forget_bias": trial.forget_bias}
    how = {"hidden": 16, "batch": 16, "clip": 1.0, "rate": RATES.get(cell, 0.01), "seeds": 10}
    return {**what, **how, "budget": trial.budget}


def learn(cell: str, **settings: Any) -> dict[str, Any]:
    """Train a cell of the atlas: a run of the study, ``trained`` with a name for the cell.

    >>> how = {"hidden": 2, "batch": 4, "clip": 1.0, "rate": 0.01, "seeds": 2, "budget": 16}
    >>> learn("mgu", task="adding", gap=4, **how)["sequences"]
    [None, None]
    """
    return trained(ATLAS[cell].make, **settings)


def trained(
    make: Callable[..., Cell[Any]],
    task: str,
    gap: int,
    hidden: int,
    batch: int,
    clip: float,
    rate: float,
    seeds: int,
    budget: int,
    forget_bias: float | None = None,
) -> dict[str, Any]:
    """Train networks with a cell on fresh sequences, side by side, until they solve the task or may see no more.

    Arguments:
        make: what returns the cell, called with D, H and ``rng``.
        task: a name in ``TASKS``.
        gap: how long what matters has to be kept, in steps.
        hidden: H.
        batch: N, sequences of an update.
        clip: the largest norm of a gradient.
        rate: Adam's learning rate.
        seeds: how many networks, from seed 0 on.
        budget: sequences that each may see.
        forget_bias: the argument of that name for the cell; None for what it begins with by itself.

    Returns:
        ``sequences`` to success of each seed, None where there was none; ``scores``, the means of the last window.

    >>> import tinygrad_lstm as tl
    >>> how = {"hidden": 2, "batch": 4, "clip": 1.0, "rate": 0.01, "seeds": 2, "budget": 16}
    >>> trained(tl.GRUCell, "adding", 4, **how)["sequences"]
    [None, None]
    """
    begin = {} if forget_bias is None else {"forget_bias": forget_bias}
    how: dict[str, Any] = {"hidden": hidden, "batch": batch, "clip": clip, "budget": budget}
    return outcome(
        train_kind(partial(make, **begin), TASKS[task](gap), seeds=range(seeds), rates=[rate] * seeds, **how)
    )


def trained_at_all(name: str, cell: type[Cell[Any]]) -> list[Result]:
    """Train a person's own cell at every trial that it takes, as those of the atlas were; return a result for each."""
    runs = [row(name, trial) for trial in TRIALS if takes(cell, trial)]
    return [Result(run, trained(cell, **{key: run[key] for key in run if key != "cell"}), 0.0) for run in runs]


def said(trial: Trial) -> str:
    """Return a trial in words.

    >>> said(TRIALS[3])
    'temporal order, T = 50, forget bias 3'
    """
    begin = "" if trial.forget_bias is None else f", forget bias {trial.forget_bias:g}"
    return f"{NAMES[trial.task]}, T = {trial.gap}{begin}"


def success(results: Sequence[Result], name: str, trial: Trial) -> dict[str, Any] | None:
    """Return how many networks with a cell learned a task, and the median of the sequences they took; None if untried.

    >>> run = Result(row("gru", TRIALS[1]), {"sequences": [900, None, 700], "scores": [0.0, 0.2, 0.0]}, 1.0)
    >>> found = success([run], "gru", TRIALS[1])
    >>> found["solved"], found["of"], found["median"]
    (2, 3, 800)
    """
    asked = {"cell": name, "task": trial.task, "gap": trial.gap, "forget_bias": trial.forget_bias}
    runs = [each for each in results if asked.items() <= each.row.items()]
    if not runs:
        return None
    sequences = runs[-1].values["sequences"]
    solved = sorted(seen for seen in sequences if seen is not None)
    return {
        "task": trial.task,
        "gap": trial.gap,
        "forget_bias": trial.forget_bias,
        "solved": len(solved),
        "of": len(sequences),
        "median": round(median(solved)) if solved else None,
        "sequences": sequences,
        "rate": runs[-1].row["rate"],
        "budget": runs[-1].row["budget"],
    }
