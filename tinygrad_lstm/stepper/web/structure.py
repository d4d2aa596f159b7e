"""The structure of a walk: what its words are written of, as rows that repeat where the words do.

A word about a node tells of the node, of its operands and of what it is used for, up to some operations away. Where all
of that comes again and again, with places that count on, the words do too, and need not be written to be known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...pages.folding import Row, runs
from ...structure.repeating import kinds_of
from ..recording.tape import Tape


class Structure:
    """Rows for the nodes of a tape, for the events of its way back, and for marks that stand for them in pictures.

    The text of a row is the number of a kind; its numbers are places and time steps, which may count on.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._at = {node: i for i, node in enumerate(tape.graph.nodes)}
        self._numbers: dict[Any, int] = {}

    @cached_property
    def nodes(self) -> list[Row]:
        """Return a row for each node: what it is, its step, its operands and its uses."""
        nodes = self._tape.graph.nodes
        operations = [node for node in nodes if node.primitive is not None]
        kinds = dict(zip(operations, kinds_of(operations).tolist(), strict=True))
        users: dict[Tensor, list[int]] = defaultdict(list)
        for node in operations:
            for x in dict.fromkeys(node.inputs):
                users[x].append(self._at[node])
        return [self._node(node, kinds.get(node), users[node]) for node in nodes]

    @cached_property
    def events(self) -> list[Row]:
        """Return a row for each event of the way back: whose rule it applies, and for which operand."""
        tape = self._tape
        made = [(self._at[tape.nodes[index]], tape.slots[index]) for index in range(tape.start + 1, len(tape))]
        return [self._row(("event", slot, self.nodes[at][0]), [at, *self.nodes[at][1]]) for at, slot in made]

    def mark(self, look: Any, stands: Sequence[int] | Sequence[Sequence[int]]) -> Row:
        """Return a row for a mark that looks so, and stands for nodes at some places, or for uses: pairs of those."""
        places = [at for each in stands for at in (each if isinstance(each, Sequence) else [each])]
        return self._row(("mark", repr(look), *(self._round_of[at] for at in places)), places)

    @cached_property
    def _round_of(self) -> list[int]:
        """Return for each node a number that it shares with those that are the same in other rounds of a run."""
        found = list(range(len(self.nodes)))
        for start, period, often in runs(self.nodes):
            found[start : start + period * often] = list(range(start, start + period)) * often
        return found

    def _row(self, kind: Any, numbers: Sequence[int]) -> Row:
        """Return a row for what is of a kind; of another kind is also what has more numbers, or any below zero."""
        key = (kind, tuple(numbers) if min(numbers, default=0) < 0 else len(numbers))
        return self._numbers.setdefault(key, len(self._numbers)), tuple(numbers)

    def _node(self, node: Tensor, does: int | None, users: Sequence[int]) -> Row:
        own = node.serial if any(map(_is_array, node.attrs.values())) else None
        kind = (
            does,
            own,
            node.name,
            node.shape,
            node.dtype.char,
            node.requires_grad,
            node.time is None,
            node.context.phase,
            len(node.inputs),
            _given(node) if node.is_leaf else None,
        )
        places = [*map(self._at.__getitem__, node.inputs), *users]
        return self._row(kind, [node.time or 0, *_entries(node), *places])


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (isinstance(value, tuple) and any(map(_is_array, value)))


def _entries(node: Tensor) -> Iterator[int]:
    """Yield which entries of an array an operation takes: kinds do not tell these apart."""
    if node.primitive is None or node.primitive.style not in ("element", "at"):
        return
    for value in node.attrs.values():
        first = value[0] if isinstance(value, tuple) and value else value
        if isinstance(first, int | np.integer):
            yield int(first)


def _given(leaf: Tensor) -> tuple[Any, ...]:
    """Return what words tell of a leaf beside its name: its number, and where it comes from."""
    calls = tuple(frame._replace(call=0) for frame in leaf.context.frames)
    return None if leaf.ndim else leaf.item(), leaf.detached, leaf.code, leaf.instruction, calls
