"""The gradient's own flow: over the picture of the gates where there are cells, else over that of all operations."""

from __future__ import annotations

from dataclasses import replace

from ...engine.graph import Graph
from ..scene import Scene
from .backward_gates import OverGates
from .backward_ops import OverOperations
from .gates import LONG_GATES, open_cells
from .options import Options
from .parts import Parts
from .unrolled import LONG_OPS
from .walked import Returned


def backward(graph: Graph, options: Options) -> Scene:
    """Draw which contributions flow where, how large they are, where they meet and add up."""
    plain = replace(options, gradients=None, loss=True)
    walked = Returned(graph.output, options.gradients)
    parts = Parts(graph, replace(plain, depth=None), cells_closed=True, longest=LONG_GATES, keep_closed=True)
    if parts.timeline.cells or parts.timeline.free:
        open_cells(parts, plain)
        return OverGates(parts, walked).drawn()
    parts = Parts(graph, plain, cells_closed=False, longest=LONG_OPS)
    return OverOperations(parts, walked).drawn()
