"""The views there are. A new one is a file beside this one, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...engine.graph import Graph
from ..scene import Scene
from .backward import backward
from .gates import gates
from .options import Options
from .rolled import rolled
from .unrolled import cells, ops


class View(NamedTuple):
    """One way to look at a graph."""

    name: str
    meaning: str  # on one line, for the help of the command line and the docstring of draw
    scene: Callable[[Graph, Options], Scene]
    shapes: bool = True  # whether shapes are shown unless one says otherwise
    walks_back: bool = False  # whether it finds the gradients it shows by itself


_VIEWS = (
    View("ops", "every operation, in a frame for each time step; weights copied to where they act", ops),
    View("gates", "each cell opened: layers, pointwise operations, and the state on its belt", gates, shapes=False),
    View("cells", "one box per cell and step, layers upwards", cells),
    View("rolled", "the loop: time folded, the state on the loop with its delay", rolled),
    View(
        "backward",
        "the flow of the gradient: how large each contribution is, and where they meet",
        backward,
        shapes=False,
        walks_back=True,
    ),
)

VIEWS = {view.name: view for view in _VIEWS}
"""The views by name, in the order in which they are listed."""
