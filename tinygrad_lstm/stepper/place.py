"""Where the walk is: in which cell, gate and operation, and which line of the program made the node."""

from __future__ import annotations

from pathlib import Path

from ..engine.scope import Frame
from ..engine.source import Line
from ..engine.tensor import Tensor
from ..structure.origin import users_line
from ..structure.timeline import Timeline
from ..structure.words import clean
from ..symbolic.formulas import equation
from .recording.tape import Tape

GRANULARITIES = ("op", "gate", "cell")
"""What ``next`` steps over, from fine to coarse."""


def unit(tape: Tape, node: Tensor, granularity: str) -> tuple[str, float]:
    """Return what ``next`` passes over together with a node, by a number that no other has.

    That is the operation, or the call of the gate or the cell it was made in. A cell is a module that hands its state
    on from step to step, a gate a module inside of one. What is in neither stands for itself.
    """
    call = None if granularity == "op" or node.is_leaf else _call(tape.timeline, node, granularity)
    return ("node", node.serial) if call is None else ("call", call.call)


def _call(timeline: Timeline, node: Tensor, granularity: str) -> Frame | None:
    """Return the call of the cell a node was made in, or of the gate in it; outside of cells, the nearest to it."""
    levels = timeline.levels(node)
    cells = [i for i, (_, module) in enumerate(levels) if module in timeline.cells]
    if cells:
        levels = levels[cells[0] :] if granularity == "cell" else levels[cells[0] + 1 :]
    if not levels:
        return None
    return levels[0 if granularity == "cell" else -1][0]


Level = tuple[str, str, str]
"""Of a way inwards: the name, what it is or computes, and its line."""


def way_to(node: Tensor, written: str) -> list[Level]:
    """Return the way to a node, from the outermost module inwards to the operation, each with its line.

    ``written`` is the equation that computed the node.
    """
    frames = [(frame.name or frame.kind, frame.kind if frame.name else "", frame.line) for frame in node.context.frames]
    made = node.primitive.name if node.primitive else "leaf"
    levels = [*frames, (made, written, node.line)]
    return [(clean(name, 60), clean(what, 120), _shown(line)) for name, what, line in levels]


def made_by(node: Tensor) -> str:
    """Return the line of the user's behind a node; nothing where that is its own."""
    own = users_line(node)
    return _shown(own).rstrip() if own and not own.ours else ""


def described(tape: Tape, node: Tensor) -> str:
    """Return the way to a node, a line each, with the time step above and the line of the user's below."""
    way = way_to(node, equation(node, tape.symbols))
    rows = [("  " * depth + name, what, line) for depth, (name, what, line) in enumerate(way)]
    names = max(len(name) for name, _, _ in rows)
    whats = max(len(what) for _, what, _ in rows)
    lines = [] if node.time is None else [f"t = {node.time}"]
    lines += [f"{name:<{names}}  {what:<{whats}}  {line}".rstrip() for name, what, line in rows]
    own = made_by(node)
    return "\n".join([*lines, f"made by {own}"] if own else lines)


def _shown(line: Line | None) -> str:
    """Return the file of a line as one would type it from here, or else its name; its number and its text."""
    if line is None:
        return ""
    try:
        return f"{Path(line.file).relative_to(Path.cwd())}:{line.number}  {line.text}"
    except ValueError:
        return f"{line}  {line.text}"
