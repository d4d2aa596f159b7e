"""Cells by the names that commands use: those of ``CELLS``, then those of the atlas that are not among them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .atlas import ATLAS
from .cell import Cell
from .cells import CELLS


def names() -> list[str]:
    """Return the names of all cells.

    >>> names()[:6]
    ['rnn', 'lstm', 'gru', 'peephole', 'coupled', 'lstm-1997']
    """
    return [*CELLS, *(name for name in ATLAS if name not in CELLS)]


def cell_of(name: str) -> Callable[..., Cell[Any]]:
    """Return what makes the cell of this name, called with D, H and options. Raises ValueError for no such name.

    >>> cell_of("mgu")(3, 4, rng=0).state_names
    ('h',)
    """
    if name in CELLS:
        return CELLS[name]
    if name not in ATLAS:
        raise ValueError(f"there is no cell {name!r}; there are {', '.join(names())}")
    return ATLAS[name].make


def title_of(name: str) -> str:
    """Return what people call a cell: by its class, or as the atlas does.

    >>> title_of("lstm"), title_of("peephole"), title_of("mingru")
    ('LSTM', 'Peephole LSTM', 'minGRU')
    """
    if name in CELLS:
        return re.sub("(?<=[a-z])(?=[A-Z])", " ", CELLS[name].__name__.removesuffix("Cell"))
    return ATLAS[name].title
