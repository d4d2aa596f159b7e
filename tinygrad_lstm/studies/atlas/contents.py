"""The contents of the atlas as plain data, what its page shows and its JSON holds: of each cell all that is known."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...nn.atlas import ATLAS, Published
from ...nn.cell import Cell
from ..runs import load, packaged
from ..study import Result
from .measures import D, H, cost, felt, proof
from .study import STUDY
from .success import TRIALS, success


def learned() -> list[Result]:
    """Return what became of training, as it was measured once and comes with the package: the results of the study.

    >>> learned()[0].row["cell"]
    'rnn'
    """
    return load(packaged(STUDY), STUDY)[1]


def contents(
    results: Sequence[Result],
    names: Sequence[str] = tuple(ATLAS),
    own: Mapping[str, type[Cell[Any]]] | None = None,
    *,
    report: Callable[[str], object] = lambda name: None,
) -> list[dict[str, Any]]:
    """Return what is known of cells of the atlas, and after them of a person's own.

    Arguments:
        results: what became of training; of a cell that is not in them, nothing is told.
        names: of cells in the atlas.
        own: classes by the names they are to have.
        report: called with the name of each as it is measured.

    Raises:
        ValueError: for a name that the atlas has not.
        GradientError: for a cell whose gradient is wrong.

    >>> (gru,) = contents([], ["gru"])
    >>> gru["year"], gru["parameters"], gru["proof"]["verdict"]
    (2014, 1200, 'PASS')
    """
    unknown = [name for name in names if name not in ATLAS]
    if unknown:
        raise ValueError(f"the atlas has no {unknown[0]!r:.60}; it has {', '.join(ATLAS)}")
    found = []
    for name, entry in {**{name: ATLAS[name] for name in names}, **_entries(own or {})}.items():
        report(name)
        found.append(_measured(name, entry, results))
    return found


def _entries(own: Mapping[str, type[Cell[Any]]]) -> dict[str, Published]:
    """Return entries for a person's own classes: what their docstrings say."""
    return {
        name: Published(
            title=cell.__name__,
            year=0,
            authors="",
            paper="",
            where="",
            equations="",
            begins="",
            differs=_first_paragraph(cell),
            cell=cell,
        )
        for name, cell in own.items()
    }


def _first_paragraph(cell: type[Cell[Any]]) -> str:
    """Return what the docstring of a class says first; nothing if it has none of its own."""
    said = inspect.cleandoc(cell.__doc__ or "") if "__doc__" in vars(cell) else ""
    return " ".join(said.split("\n\n")[0].split())


@np.errstate(all="ignore")  # a NaN is told by the check, in words
def _measured(name: str, entry: Published, results: Sequence[Result]) -> dict[str, Any]:
    said = {key: value for key, value in vars(entry).items() if key not in ("cell", "options")}
    numbers = cost(entry.make(D, H, rng=0))._asdict()
    learned = [success(results, name, trial) for trial in TRIALS]
    return {
        "name": name,
        "class": entry.cell.__name__,
        **said,
        **numbers,
        "gradient": felt(entry.make),
        "proof": proof(entry.make)._asdict(),
        "success": [each for each in learned if each],
    }
