"""The figures there are. A new one is a file beside this one, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .belt import belt
from .figure import Figure
from .influence import influence
from .jacobian import jacobian
from .openings import openings
from .rainbow import rainbow
from .saturation import saturation
from .story import story


class FigureKind(NamedTuple):
    """One figure of a graph."""

    name: str
    meaning: str  # on one line, for the help of the command line and the docstring of draw
    figure: Callable[..., Figure]  # of a graph, and of the options it takes
    takes: tuple[str, ...] = ("steps",)  # which options of draw it understands


_FIGURES = (
    FigureKind("openings", "how open each gate is at every step, and each of its units where they are few", openings),
    FigureKind(
        "rainbow",
        "the gradient of each weight as ribbons, one for each time step that adds to it",
        rainbow,
        takes=("steps", "highlight"),
    ),
    FigureKind("jacobian", "∂h_T/∂h_t as maps, and its singular values: what is left of a small change", jacobian),
    FigureKind(
        "saturation", "how near each unit of each activation is to an end of its range, step by step", saturation
    ),
    FigureKind("influence", "how much the loss of each step, or each output, depends on each input", influence),
    FigureKind(
        "story", "one step in as many pictures as its gates do things, each with its equation and numbers", story
    ),
    FigureKind("belt", "the state that cells carry on, as wide as its norm, and how open the gates are", belt),
)

FIGURES = {kind.name: kind for kind in _FIGURES}
"""The figures by name, in the order in which they are listed."""
