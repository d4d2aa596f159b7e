"""Products that share an operand become one, and what is done alike to their parts is done to all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from ...engine import ops
from ...engine.primitive import Kind
from ...engine.tensor import Tensor
from ...structure.loops import Loop, Made, Reference
from ...structure.words import is_number
from .rewriting import HERE, Rewriting, columns_of, is_product


@dataclass(eq=False)
class _Columns:
    """Families that are made at once: each the columns ``start`` to ``stop`` of the whole."""

    parts: list[Made]
    bounds: dict[Made, tuple[int, int]]

    def piece(self, made: Made) -> tuple[Any, slice]:
        start, stop = self.bounds[made]
        return Ellipsis, slice(start, stop)


def _group(parts: list[Made]) -> _Columns:
    bounds, start = {}, 0
    for part in parts:
        bounds[part] = start, start + part.node.shape[-1]
        start = bounds[part][1]
    return _Columns(parts, bounds)


class MergedProducts(Rewriting):
    """z W_f, z W_i, ... become z [W_f W_i ...]."""

    comment = "products that share an operand are one product: z [W_f W_i …]"

    def look(self) -> None:
        self.groups: dict[Made, _Columns] = {}
        self.matrices: dict[_Columns, Tensor] = {}
        self.whole: dict[tuple[_Columns, Tensor], Tensor] = {}
        for item in self.rolled.items:
            if isinstance(item, Loop):
                sharing: dict[Any, list[Made]] = defaultdict(list)
                for made in item.body:
                    if is_product(made) and self.outside(made.operands[1], item) is not None:
                        sharing[made.operands[0], made.node.dtype].append(made)
                for parts in sharing.values():
                    if len(parts) > 1:
                        group = _group(self._by_what_follows(parts))
                        self.groups.update(dict.fromkeys(parts, group))

    def _by_what_follows(self, parts: list[Made]) -> list[Made]:
        """Return them with those side by side that the same is done to."""
        after = [self._chain(part) for part in parts]
        first = {chain: after.index(chain) for chain in after}
        return [part for _, part in sorted(zip(after, parts, strict=True), key=lambda pair: first[pair[0]])]

    def _chain(self, made: Made) -> tuple[str, ...]:
        """Say what is done to it alone, with all that is made of it on the way, until it meets another part."""
        assert made.loop is not None
        mine, chain = {made: ""}, []
        for each in made.loop.body:
            if any(ref.of in mine for ref in each.operands) and all(
                self._is_own(ref, each, mine, made.loop) for ref in each.operands
            ):
                numbers = [x.item() for x in each.node.inputs if is_number(x)]
                mine[each] = f"{each.primitive.name}{numbers}"
        for each, said in mine.items():
            chain.append(said)
            if any(user not in mine for user in self.all_use(each)):
                break
        return tuple(chain)

    def _is_own(self, reference: Reference, user: Made, mine: Container[Any], loop: Loop) -> bool:
        """Tell whether nobody else has to do with what an operation reads."""
        of = reference.of
        if of in mine or self.outside(reference, loop) is not None:
            return reference.index in (None, HERE)
        alone = isinstance(of, Made) and self.all_use(of) == [user]
        return user.primitive.combines == "sum" and reference.index == HERE and alone

    @property
    def finds(self) -> bool:
        return bool(self.groups)

    def prepare(self, loop: Loop) -> None:
        for made in loop.body:
            group = self.groups.get(made)
            if group is not None and group not in self.matrices:
                matrices = [self.outside(part.operands[1], loop) for part in group.parts]
                self.matrices[group] = self.like(made.node, ops.concat, *matrices, axis=1)

    def member(self, made: Made, node: Tensor) -> Tensor:
        group = self.groups.get(made)
        if group is None:
            return self.again(node)
        rows = self.of(node.inputs[0])
        if (group, rows) not in self.whole:
            self.whole[group, rows] = self.like(node, node.primitive, rows, self.matrices[group])
        piece = self.like(node, ops.getitem, self.whole[group, rows], index=group.piece(made))
        piece.name = node.name
        return piece


class MergedPointwise(Rewriting):
    """What is done number by number to neighbouring columns of one array is done to all of them at once."""

    comment = "what is done alike to neighbouring columns is done to all of them at once"
    repeats = True

    def look(self) -> None:
        self.groups: dict[Made, _Columns] = {}
        self.constants: dict[tuple[_Columns, int], Tensor] = {}
        self.whole: dict[tuple[_Columns, Any], Tensor] = {}
        for item in self.rolled.items:
            if isinstance(item, Loop):
                alike: dict[Any, list[Made]] = defaultdict(list)
                for made in item.body:
                    kind = self._kind(made, item)
                    if kind is not None:
                        alike[kind].append(made)
                for parts in alike.values():
                    self._take_neighbours(parts)

    def _kind(self, made: Made, loop: Loop) -> Any:
        """Return what those share that can be made at once: the function, and of what its operands are columns."""
        primitive = made.primitive
        if primitive.kind not in (Kind.pointwise, Kind.activation) or made.attrs:
            return None
        slots: list[Any] = []
        sliced = False
        for reference, x in zip(made.operands, made.node.inputs, strict=True):
            base = self._columns_of(reference)
            if base is not None and x.shape == made.node.shape:
                slots.append(base[0])
                sliced = True
            elif self.outside(reference, loop) is not None and x.ndim == 0:
                slots.append(x.item() if is_number(x) else ("same", reference))
            elif self.outside(reference, loop) is not None and x.ndim == 1 and x.shape == made.node.shape[-1:]:
                slots.append(("columns", x.ndim))
            else:
                return None
        return (primitive, made.node.dtype, made.node.ndim, *slots) if sliced else None

    def _columns_of(self, reference: Reference) -> tuple[Any, int, int] | None:
        """Return of which array something is columns, and which."""
        of = reference.of
        place = columns_of(of) if isinstance(of, Made) and reference.index == HERE else None
        return None if place is None else (of.operands[0].of, *place)  # type: ignore[union-attr]

    def _place(self, made: Made) -> tuple[int, int]:
        for reference in made.operands:
            found = self._columns_of(reference)
            if found is not None:
                return found[1], found[2]
        raise AssertionError

    def _take_neighbours(self, parts: list[Made]) -> None:
        row: list[Made] = []
        for made in sorted(parts, key=self._place):
            if row and not self._are_neighbours(row[-1], made):
                self._take(row)
                row = []
            row.append(made)
        self._take(row)

    def _are_neighbours(self, one: Made, other: Made) -> bool:
        """Tell whether the columns that one takes begin where those of the other end."""
        pairs = [tuple(map(self._columns_of, both)) for both in zip(one.operands, other.operands, strict=True)]
        return all(a is None or (b is not None and a[2] == b[1]) for a, b in pairs)

    def _take(self, row: list[Made]) -> None:
        if len(row) > 1:
            self.groups.update(dict.fromkeys(row, _group(row)))

    @property
    def finds(self) -> bool:
        return bool(self.groups)

    def prepare(self, loop: Loop) -> None:
        for made in loop.body:
            group = self.groups.get(made)
            if group is None:
                continue
            for slot, reference in enumerate(made.operands):
                if self._columns_of(reference) is None and (group, slot) not in self.constants:
                    parts = [self._outside(part.operands[slot], loop) for part in group.parts]
                    joined = self.like(made.node, ops.concat, *parts, axis=0) if parts[0].ndim else parts[0]
                    self.constants[group, slot] = joined

    def _outside(self, reference: Reference, loop: Loop) -> Tensor:
        found = self.outside(reference, loop)
        assert found is not None
        return found

    def member(self, made: Made, node: Tensor) -> Tensor:
        group = self.groups.get(made)
        if group is None:
            return self.again(node)
        bases: list[Tensor] = []
        start, stop = self._place(group.parts[0])[0], self._place(group.parts[-1])[1]
        for slot, reference in enumerate(made.operands):
            if self._columns_of(reference) is None:
                bases.append(self.constants[group, slot])
            else:
                bases.append(self.of(node.inputs[slot]).inputs[0])
        key = group, tuple(bases)
        if key not in self.whole:
            operands = [
                self.like(node, ops.getitem, base, index=(Ellipsis, slice(start, stop)))
                if self._columns_of(reference) is not None and base.shape[-1] != stop - start
                else base
                for base, reference in zip(bases, made.operands, strict=True)
            ]
            whole = self.whole[key] = self.like(node, node.primitive, *operands)
            names = [part.node.name for part in group.parts]
            whole.name = "".join(filter(None, names)) if all(names) else None
        piece = self.like(node, ops.getitem, self.whole[key], index=group.piece(made))
        piece.name = node.name
        return piece
