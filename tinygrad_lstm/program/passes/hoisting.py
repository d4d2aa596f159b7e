"""What does not depend on the recurrence is computed for all steps at once, before the loop."""

from __future__ import annotations

import math
from itertools import groupby
from typing import Any

from ...engine import ops
from ...engine.primitive import Kind
from ...engine.tensor import Tensor
from ...structure.loops import Every, Loop, Made, Moving, Reference, is_here
from .rewriting import HERE, Rewriting, changed_by_steps, is_product


class SplitProducts(Rewriting):
    """[h, x] W becomes h W_h + x W_x, where one of the two can be had for all steps at once."""

    comment = "[h, x] W is h W_h + x W_x"

    def look(self) -> None:
        self.split: dict[Made, list[tuple[list[int], slice]]] = {}
        self.rows: dict[tuple[Tensor, int], Tensor] = {}
        for item in self.rolled.items:
            if isinstance(item, Loop):
                changed = changed_by_steps(item)
                for made in item.body:
                    if is_product(made) and self.outside(made.operands[1], item) is not None:
                        pieces = self._pieces(made, changed)
                        if pieces:
                            self.split[made] = pieces

    def _pieces(self, made: Made, changed: set[Made]) -> list[tuple[list[int], slice]]:
        joined = made.operands[0].of
        if not isinstance(joined, Made) or joined.primitive is not ops.concat or made.operands[0].index != HERE:
            return []
        if any(isinstance(ref.index, Every) for ref in joined.operands) or joined.attrs.get("axis", 0) not in (
            -1,
            joined.node.ndim - 1,
        ):
            return []
        moved = [not _free(ref, changed) for ref in joined.operands]
        if all(moved) or not any(moved):
            return []
        pieces, start = [], 0
        for _, group in groupby(range(len(moved)), key=lambda i: moved[i]):
            slots = list(group)
            stop = start + sum(joined.node.inputs[i].shape[-1] for i in slots)
            pieces.append((slots, slice(start, stop)))
            start = stop
        return pieces

    @property
    def finds(self) -> bool:
        return bool(self.split)

    def prepare(self, loop: Loop) -> None:
        for made in loop.body:
            for _, rows in self.split.get(made, ()):
                matrix = self.outside(made.operands[1], loop)
                assert matrix is not None
                if (matrix, rows.start) not in self.rows:
                    self.rows[matrix, rows.start] = self.like(made.node, ops.getitem, matrix, index=rows)

    def member(self, made: Made, node: Tensor) -> Tensor:
        if made not in self.split:
            return self.again(node)
        joined, matrix = self.of(node.inputs[0]), self.of(node.inputs[1])
        products = []
        for slots, rows in self.split[made]:
            parts = [joined.inputs[i] for i in slots]
            part = parts[0] if len(parts) == 1 else self.like(joined, ops.concat, *parts, axis=-1)
            products.append(self.like(node, node.primitive, part, self.rows[matrix, rows.start]))
        total = products[0]
        for product in products[1:]:
            total = self.like(node, ops.add, total, product)
        total.name = node.name
        return total


class Reassociated(Rewriting):
    """(a + b) + c becomes a + (b + c), where only a depends on earlier steps."""

    comment = "sums are bracketed so that what does not depend on earlier steps stands together"

    def look(self) -> None:
        self.turned: dict[Made, tuple[int, int]] = {}
        for item in self.rolled.items:
            if isinstance(item, Loop):
                changed = changed_by_steps(item)
                for made in item.body:
                    slots = self._slots(made, changed)
                    if slots is not None:
                        self.turned[made] = slots

    def _slots(self, made: Made, changed: set[Made]) -> tuple[int, int] | None:
        if made.primitive is not ops.add or made not in changed:
            return None
        for outer in (0, 1):
            inner = made.operands[outer].of
            free = made.operands[1 - outer]
            if not isinstance(inner, Made) or inner.primitive is not ops.add or made.operands[outer].index != HERE:
                continue
            if inner.node.name or len(self.users[inner]) != 1 or not _free(free, changed):
                continue
            loose = [_free(ref, changed) for ref in inner.operands]
            if loose.count(True) == 1:
                return outer, loose.index(True)
        return None

    @property
    def finds(self) -> bool:
        return bool(self.turned)

    def member(self, made: Made, node: Tensor) -> Tensor:
        if made not in self.turned:
            return self.again(node)
        outer, loose = self.turned[made]
        inner = self.of(node.inputs[outer])
        together = self.like(node, ops.add, inner.inputs[loose], self.of(node.inputs[1 - outer]))
        total = self.like(node, ops.add, inner.inputs[1 - loose], together)
        total.name = node.name
        return total


def _free(ref: Reference, changed: set[Made]) -> bool:
    """Tell whether something in a step does not depend on the steps before, nor is that of another step."""
    return ref.of not in changed and not (isinstance(ref.index, Moving) and ref.index != HERE)


class Hoisted(Rewriting):
    """x_t W becomes (X W)_t: a product of all steps at once."""

    comment = "what does not depend on earlier steps is computed for all steps at once, before the loop"

    def look(self) -> None:
        self.lifted: dict[Made, Any] = {}
        self.whole: dict[Made, Tensor] = {}
        self.sequences: dict[Any, Tensor] = {}
        for item in self.rolled.items:
            if isinstance(item, Loop):
                changed = changed_by_steps(item)
                for made in item.body:
                    if made not in changed and not made.before and self._can(made, item):
                        self.lifted[made] = True
        self._drop_what_gains_nothing()

    def _can(self, made: Made, loop: Loop) -> bool:
        if is_product(made):
            return (
                self._sequence_of(made.operands[0], loop) is not None
                and self.outside(made.operands[1], loop) is not None
            )
        if made.primitive.kind is Kind.pointwise and made.primitive.combines == "sum":
            lifted = [ref.of in self.lifted for ref in made.operands]
            return any(lifted) and all(
                x.ndim == made.node.ndim if is_lifted else self.outside(ref, loop) is not None
                for is_lifted, ref, x in zip(lifted, made.operands, made.node.inputs, strict=True)
            )
        return False

    def _sequence_of(self, reference: Reference, loop: Loop) -> Any:
        """Return what all steps read their part of: an array, or a family of another loop; None if it is neither."""
        of = reference.of
        if not isinstance(of, Made) or reference.index != HERE:
            return None
        assert of.loop is not None  # what has no steps is not read by them
        if of.loop is not loop:
            return of if (of.loop.low, of.loop.high) == (loop.low, loop.high) else None
        if of.primitive is ops.getitem and is_here(of.attrs["index"]):
            source = self.outside(of.operands[0], loop)
            if source is not None and loop.low == 0 and source.shape[0] == loop.high:
                return of.operands[0]
        return None

    def _drop_what_gains_nothing(self) -> None:
        if not any(is_product(made) for made in self.lifted):
            self.lifted.clear()

    @property
    def finds(self) -> bool:
        return bool(self.lifted)

    def prepare(self, loop: Loop) -> None:
        for made in loop.body:
            if made in self.lifted:
                self.whole[made] = self._product(made, loop) if is_product(made) else self._pointwise(made, loop)

    def _product(self, made: Made, loop: Loop) -> Tensor:
        found = self._sequence_of(made.operands[0], loop)
        sequence = self._array(found, loop, made.node)
        matrix = self.outside(made.operands[1], loop)
        if sequence.ndim == 2:
            return self.like(made.node, made.primitive, sequence, matrix)
        rows = math.prod(sequence.shape[:-1])
        flat = self.like(made.node, ops.reshape, sequence, shape=(rows, sequence.shape[-1]))
        product = self.like(made.node, made.primitive, flat, matrix)
        return self.like(made.node, ops.reshape, product, shape=(*sequence.shape[:-1], product.shape[-1]))

    def _array(self, found: Any, loop: Loop, node: Tensor) -> Tensor:
        if isinstance(found, Reference):
            source = self.outside(found, loop)
            assert source is not None
            return source
        if found not in self.sequences:
            members = found.members if found.loop.direction > 0 else found.members[::-1]
            self.sequences[found] = self.like(found.node, ops.stack, *map(self.of, members), axis=0)
        return self.sequences[found]

    def _pointwise(self, made: Made, loop: Loop) -> Tensor:
        operands = [self.whole[ref.of] if ref.of in self.whole else self.outside(ref, loop) for ref in made.operands]
        return self.like(made.node, made.primitive, *operands)

    def member(self, made: Made, node: Tensor) -> Tensor:
        if made not in self.lifted:
            return self.again(node)
        assert made.loop is not None
        k = next(k for k, member in enumerate(made.members) if member is node)
        piece = self.like(node, ops.getitem, self.whole[made], index=made.loop.at(k) - made.loop.low)
        piece.name = node.name
        return piece
