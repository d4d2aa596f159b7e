"""Where the walk is: in which cell, gate and operation, and which line of the program made the node."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..engine.scope import Frame
from ..engine.source import Line
from ..engine.tensor import Tensor
from ..structure.words import clean
from ..symbolic.formulas import equation
from .recording.event import Event
from .recording.tape import Tape

GRANULARITIES = ("op", "gate", "cell")
"""What ``next`` steps over, from fine to coarse."""


class Level(NamedTuple):
    """One level of a place: what it is called, what that is, and the line of the program that entered it."""

    name: str
    what: str
    line: Line | None


class Places:
    """Divides the nodes of a walk among gates and cells.

    A cell is a module that hands its state on from step to step, a gate a module inside of one. What is in neither
    stands for itself.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def unit(self, event: Event, granularity: str) -> tuple[object, ...]:
        """What an event belongs to; events of one unit are passed together."""
        return event.phase, *self.of(event.node, granularity)

    def of(self, node: Tensor, granularity: str) -> tuple[str, int]:
        """The operation, or the call of the gate or cell, by a number that no other has."""
        calls = (None, None) if granularity == "op" or node.is_leaf else self._calls(node)
        call = calls[0 if granularity == "cell" else 1]
        return ("node", node.serial) if call is None else ("call", call.call)

    def _calls(self, node: Tensor) -> tuple[Frame | None, Frame | None]:
        """The call of a cell, and in it of a gate, in which a node was made."""
        timeline = self._tape.timeline
        levels = timeline.levels(node)
        cells = [i for i, (_, module) in enumerate(levels) if module in timeline.cells]
        if not cells:
            return (levels[0][0], levels[-1][0]) if levels else (None, None)
        inner = levels[cells[-1] + 1 :]
        return levels[cells[-1]][0], inner[-1][0] if inner else None

    def where(self, node: Tensor) -> list[Level]:
        """From the outermost module inwards to the operation."""
        levels = [
            Level(frame.name or frame.kind, frame.kind if frame.name else "", frame.line)
            for frame in node.context.frames
        ]
        name = node.primitive.name if node.primitive else "leaf"
        return [*levels, Level(name, equation(node, self._tape.names), node.line)]


def users_line(node: Tensor) -> Line | None:
    """The innermost line on the way to a node that is not ours; of a program that is all ours, the innermost."""
    lines = [line for line in (node.line, *(frame.line for frame in reversed(node.context.frames))) if line]
    return next((line for line in lines if not line.ours), lines[0] if lines else None)


def described(levels: list[Level], node: Tensor) -> str:
    """The levels as text, each with its line; above them the time, below them the line of the user's."""
    time = "" if node.time is None else f"t = {node.time}"
    own = users_line(node)
    rows = [(("  " * i) + clean(level.name, 60), clean(level.what, 120), level.line) for i, level in enumerate(levels)]
    names = max(len(name) for name, _, _ in rows)
    whats = max(len(what) for _, what, _ in rows)
    lines = [
        f"{name:<{names}}  {what:<{whats}}  {f'{_shown(line)}  {line.text}' if line else ''}".rstrip()
        for name, what, line in rows
    ]
    made = [f"made by {_shown(own)}  {own.text}".rstrip()] if own and not own.ours else []
    return "\n".join([*([time] if time else []), *lines, *made])


def _shown(line: Line) -> str:
    """The file as one would type it from here, or else its name."""
    try:
        return f"{Path(line.file).relative_to(Path.cwd())}:{line.number}"
    except ValueError:
        return str(line)
