"""Reading a recorded graph for figures: its cells, the steps to show, and what these are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure.cells import Cells
from ...structure.timeline import Timeline
from ...structure.window import Window, shown
from ...structure.words import clean
from . import fault
from .figure import NoFigure

LONG = 100
"""Steps: of a longer sequence the last are shown; chosen: a column of a map is still wide enough to see."""


class Recorded(Cells):
    """A graph as figures read it. ``steps`` are those to show.

    Raises NoFigure for a graph without time steps, and ValueError for a window that shows none.

    >>> from tinygrad_lstm.nn.samples import small_loss
    >>> Recorded(Graph(small_loss("lstm", 3)), (0, 2)).note
    ' Shown are steps 0 to 1 of 0 to 2.'
    """

    def __init__(self, graph: Graph, window: Window = None) -> None:
        self.graph = graph
        timeline = Timeline(graph)
        if not timeline.steps:
            raise NoFigure(
                "there are no time steps in this graph: run a recurrent layer or cell, or say the steps yourself, with "
                "tl.time_step(t): ...; of one call of a cell, name the state that it is given, as h0"
            )
        super().__init__(timeline)
        self.steps = in_window(self.all_steps, window)

    @property
    def note(self) -> str:
        """Say which steps are left out, if any are."""
        return left_out(self.steps, self.all_steps)

    def warning(self, nodes: Iterable[Tensor]) -> str:
        """Say, at the end of a sentence, where the first NaN or Inf behind some nodes came from, if there is any."""
        found = fault.of_values(self.timeline, nodes)
        return f" Not all are numbers: {found}." if found else ""

    @cached_property
    def columns(self) -> list[str]:
        """Return what the steps are called: by the words that are read, if they have names, or else by numbers."""
        names = {t: next((x.name for x in given if x.name), None) for t, given in self.inputs.items()}
        if len({name for name in names.values() if name}) < 2:
            return [str(t) for t in self.steps]
        return [clean(names.get(t) or t, 18) for t in self.steps]

    @cached_property
    def has_words(self) -> bool:
        """Tell whether the columns are words rather than numbers."""
        return self.columns != [str(t) for t in self.steps]


def in_window(steps: list[int], window: Window) -> list[int]:
    """Return those of the steps that a window shows; without one the last."""
    wanted = steps[-LONG:] if window is None else shown(steps, window, LONG)
    return [t for t in wanted if isinstance(t, int)]


def left_out(steps: Sequence[int], all_steps: Sequence[int]) -> str:
    """Say, at the end of a sentence, which steps are shown, if not all are."""
    if len(steps) == len(all_steps):
        return ""
    return f" Shown are steps {steps[0]} to {steps[-1]} of {all_steps[0]} to {all_steps[-1]}."
