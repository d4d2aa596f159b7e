"""Columns of one array that are summed up alike, each for themselves, are given an axis of their own.

Four products that are normalised one by one, say, are one array (N, 4, H), normalised once over its last axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engine import ops
from ...engine.primitive import Kind
from ...engine.tensor import Tensor
from ...structure.loops import Loop, Made, Reference
from ...structure.words import is_number
from .rewriting import HERE, Rewriting, columns, pieces_of

Row = tuple[Made, ...]
"""What is done to the first piece, to the second, and so on: the same operation of the same things."""


class Stacking(Rewriting):
    """mean(a[:, :H]), mean(a[:, H:]), ... become mean(a.reshape(N, pieces, H))."""

    comment = "columns that are summed up alike, each for themselves, have an axis of their own: (N, pieces, H)"

    def look(self) -> None:
        self.rows: dict[Made, tuple[Row, int]] = {}
        self.constants: dict[tuple[Row, int], Tensor] = {}
        self.whole: dict[Any, Tensor] = {}
        self.stacked: dict[Tensor, Tensor] = {}  # of a piece, the array in which all of them are
        for item in self.rolled.items:
            if isinstance(item, Loop):
                for pieces in pieces_of(item):
                    self._follow(pieces, item)

    def _follow(self, pieces: Row, loop: Loop) -> None:
        """Find what is done to all pieces alike, as far as it takes sums over one, or what such a sum has made."""
        rows = {made: (pieces, k) for k, made in enumerate(pieces)}
        chain: list[Row] = []
        while found := self._next(rows, len(pieces), loop):
            chain += found
            rows.update((made, (row, k)) for row in found for k, made in enumerate(row))
        wanted: set[Row] = set()
        for row in reversed(chain):
            made = row[0]
            read = {rows[each.of][0] for each in made.operands if each.of in rows}
            sums = made.primitive.kind is Kind.reduction or any(_is_summed(x) for x in (made.node, *made.node.inputs))
            if sums or row in wanted:
                wanted |= {row, *read}
        self.rows.update((made, place) for made, place in rows.items() if place[0] in wanted)

    def _next(self, rows: dict[Made, tuple[Row, int]], count: int, loop: Loop) -> list[Row]:
        alike: dict[Any, dict[int, Made]] = {}
        for made in loop.body:
            found = None if made in rows or made.before else self._kind(made, rows, loop)
            if found is not None:
                kind, k = found
                alike.setdefault(kind, {}).setdefault(k, made)
        return [tuple(row[k] for k in range(count)) for row in alike.values() if len(row) == count]

    def _kind(self, made: Made, rows: dict[Made, tuple[Row, int]], loop: Loop) -> tuple[Any, int] | None:
        """Return what operations of a row share, and of which piece this is one; None if it is in no row."""
        kind = made.primitive.kind
        if kind is Kind.reduction:
            if not _over_columns(made):
                return None
        elif kind not in (Kind.pointwise, Kind.activation) or made.attrs:
            return None
        pieces: set[int] = set()
        slots: list[Any] = []
        for reference, x in zip(made.operands, made.node.inputs, strict=True):
            if isinstance(reference.of, Made) and reference.of in rows and reference.index == HERE:
                row, k = rows[reference.of]
                pieces.add(k)
                slots.append(row)
            elif self.outside(reference, loop) is None or x.ndim > 1:
                return None
            else:
                slots.append("columns" if x.ndim else x.item() if is_number(x) else reference)
        if len(pieces) != 1:
            return None
        return (made.primitive, made.node.shape, made.node.dtype, *slots), pieces.pop()

    @property
    def finds(self) -> bool:
        return bool(self.rows)

    def prepare(self, loop: Loop) -> None:
        for made in loop.body:
            if made in self.rows:
                row, _ = self.rows[made]
                for slot, x in enumerate(made.node.inputs):
                    if (row, slot) not in self.constants and self.outside(made.operands[slot], loop) is not None:
                        parts = [self._outside(each.operands[slot], loop) for each in row]
                        self.constants[row, slot] = (
                            self.like(made.node, ops.stack, *parts, axis=0) if x.ndim else parts[0]
                        )

    def _outside(self, reference: Reference, loop: Loop) -> Tensor:
        found = self.outside(reference, loop)
        assert found is not None
        return found

    def member(self, made: Made, node: Tensor) -> Tensor:
        if made not in self.rows:
            return self.again(node)
        row, k = self.rows[made]
        if made.primitive is ops.getitem:
            piece = self.again(node)
            self.stacked[piece] = self._reshaped(piece.inputs[0], row)
            return piece
        now = [self.of(x) for x in node.inputs]
        operands = [self.constants.get((row, slot), self.stacked.get(x, x)) for slot, x in enumerate(now)]
        key = row, *operands
        if key not in self.whole:
            attrs = {**node.attrs, "axis": -1} if node.attrs else {}
            self.whole[key] = self.like(node, node.primitive, *operands, **attrs)
            self.whole[key].name = _joined([each.node.name for each in row])
        piece = self._piece(self.whole[key], k, node)
        self.stacked[piece] = self.whole[key]
        return piece

    def _reshaped(self, x: Tensor, row: Row) -> Tensor:
        """Return an array with an axis for the pieces."""
        if x not in self.whole:
            width = columns(row[0].node)
            self.whole[x] = self.like(row[0].node, ops.reshape, x, shape=(*x.shape[:-1], len(row), width))
        return self.whole[x]

    def _piece(self, whole: Tensor, k: int, node: Tensor) -> Tensor:
        """Return one of the pieces, as columns of an array without their axis, for whatever else is done to it."""
        width = whole.shape[-1]
        flat = whole, "flat"
        if flat not in self.whole:
            shape = (*whole.shape[:-2], whole.shape[-2] * width)
            self.whole[flat] = self.like(node, ops.reshape, whole, shape=shape)
            self.whole[flat].name = whole.name
        piece = self.like(node, ops.getitem, self.whole[flat], index=(Ellipsis, slice(k * width, (k + 1) * width)))
        piece.name = node.name
        return piece


def _over_columns(made: Made) -> bool:
    attrs, last = made.attrs, made.node.ndim - 1
    axis = attrs.get("axis")
    axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
    return bool(attrs.get("keepdims")) and axis in (-1, last) and set(attrs) == {"axis", "keepdims"}


def _is_summed(x: Tensor) -> bool:
    """Tell whether it has one number for all columns."""
    return x.ndim > 0 and columns(x) == 1


def _joined(names: Sequence[str | None]) -> str | None:
    known = [name for name in names if name]
    return "".join(known) if len(known) == len(names) else None
