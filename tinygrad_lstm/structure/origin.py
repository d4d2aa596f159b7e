"""Where an operation comes from: the line of a network that a person would look up."""

from __future__ import annotations

from ..engine.source import Line
from ..engine.tensor import Tensor


def origin(node: Tensor) -> Line | None:
    """Return the line that an operation comes from: in a cell the line of the cell, and else one of yours if there is.

    >>> import tinygrad_lstm as tl
    >>> origin(tl.tensor(1.0)) is None
    True
    """
    frames = node.context.frames
    inner = max((i + 1 for i, frame in enumerate(frames) if frame.recurrent), default=0)
    if inner:
        return frames[inner].line if inner < len(frames) else node.line
    return users_line(node)


def users_line(node: Tensor) -> Line | None:
    """Return the innermost line on the way to a node that is not ours; if the program is all ours, the innermost."""
    lines = [line for line in (node.line, *(frame.line for frame in reversed(node.context.frames))) if line]
    return next((line for line in lines if not line.ours), lines[0] if lines else None)
