"""One unit's thread: one coordinate of gates and states through time, with the gradients that have arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..structure.tables import html_table, text_table
from ..structure.words import LINE, clean, shown
from .flow import measured
from .recording.tape import Tape


@dataclass(frozen=True)
class ThreadRow:
    """One time step: by the names of gates and states, the unit's number and what has arrived at its gradient.

    A gradient is None where nothing has arrived yet; what has no such unit is left out.
    """

    time: int
    values: dict[str, float]
    gradients: dict[str, float | None]


class Thread(tuple[ThreadRow, ...]):
    """Hold a row for each time step, in the order of time; prints as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<thread over {len(self)} time steps: {clean(', '.join(self._names()), LINE) or 'no such unit'}>"

    def __str__(self) -> str:
        head, *rows = self._cells()
        return text_table(rows, head=head, align="r" * len(head))

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        head, *rows = self._cells()
        return html_table(rows, head=head, align="r" * len(head), caption=repr(self))

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for row in self for name in row.values))

    def _cells(self) -> list[list[str]]:
        """Return the words of the table, the head first."""
        names = self._names()
        lines = [["t", *(word for name in names for word in (name, f"∂L/∂{name}"))]]
        for row in self:
            pairs = ((row.values.get(name), row.gradients.get(name)) for name in names)
            lines.append([str(row.time), *("—" if x is None else shown(x, 3) for pair in pairs for x in pair)])
        return lines


def thread(tape: Tape, position: int, unit: int, sequence: int = 0) -> Thread:
    """Return the thread of a unit as far as the walk has come by an event.

    Raises IndexError for a unit, or a sequence of the batch, that nothing here has.
    """
    states, gates = measured(tape)
    by_time = {t: gates[t] | states[t] for t in tape.timeline.steps}
    shapes = [np.shape(node.value) for nodes in by_time.values() for node in nodes.values()]
    units = max((shape[-1] for shape in shapes if shape), default=0)
    batch = max((int(np.prod(shape[:-1])) for shape in shapes if shape), default=0)
    for what, number, count in (("unit", unit, units), ("sequence", sequence, batch)):
        if not 0 <= number < count:
            known = f"they are counted from 0 to {count - 1}" if count else "nothing here goes on from step to step"
            raise IndexError(f"there is no {what} {number}: {known}")
    made = []
    for t, nodes in by_time.items():
        found = {name: node for name, node in nodes.items() if _has(node.value, unit, sequence)}
        values = {name: _coordinate(node.value, unit, sequence) for name, node in found.items()}
        arrived = {name: tape.gradient_at(node, position) for name, node in found.items() if node in tape.gradients}
        grown = {name: None if total is None else _coordinate(total, unit, sequence) for name, total in arrived.items()}
        made.append(ThreadRow(t, values, {name: grown.get(name) for name in found}))
    return Thread(made)


def _has(array: Any, unit: int, sequence: int) -> bool:
    shape = np.shape(array)
    return bool(shape) and unit < shape[-1] and sequence < np.prod(shape[:-1])


def _coordinate(array: Any, unit: int, sequence: int) -> float:
    return float(np.reshape(array, (-1, np.shape(array)[-1]))[sequence, unit])
