"""What is the same in two recordings of one function, and what differs as their sizes do, or as their arguments do."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine import ops
from ..engine.tensor import Tensor
from ..structure.loops import Fixed, Given, Loop, Made, Moving, Reference, Stacked
from ..structure.words import is_number
from ..symbolic.expressions import Apply, Constant, Number
from .recording import NotExpressible, RecordedRun, array_of, products
from .sizes import Size


def unify(a: RecordedRun, b: RecordedRun) -> tuple[Parameters, list[Reference]]:
    """Write the sizes into the first recording wherever the two differ; return what its leaves are, and what
    it returns.

    Raises:
        NotExpressible: where they differ otherwise.
    """
    return _Unifying(a, b).run()


@dataclass
class Parameters:
    """What the leaves of a recording are: of arguments, of the function itself, one number throughout, or a part."""

    argument: dict[Given, str] = field(default_factory=dict)
    closure: dict[Given, Tensor] = field(default_factory=dict)
    uniform: set[Given] = field(default_factory=set)
    numbers: dict[Given, Any] = field(default_factory=dict)  # what stands for those that are sizes, or one by a size
    met_by_chance: set[int] = field(default_factory=set)
    part: dict[int, str | int] = field(default_factory=dict)  # by id of what holds the numbers: see ``Job.data``


class _Unifying:
    def __init__(self, a: RecordedRun, b: RecordedRun) -> None:
        self.a, self.b = a, b
        self.found = Parameters()
        self.other: dict[Given | Made, Given | Made] = {}
        named = {(a.sizes[letter], b.sizes[letter]): Size.of(a.sizes[letter], letter) for letter in a.sizes}
        for size in products(a.sizes):
            m, n = (letter for product in size.terms for letter in product)
            named[int(size), b.sizes[m] * b.sizes[n]] = size
        self.named = named

    def run(self) -> tuple[Parameters, list[Reference]]:
        ours: list[Any] = self.a.rolled.items
        theirs: list[Any] = self.b.rolled.items
        for x, y in zip_longest(ours, theirs):
            if type(x) is not type(y):
                raise self.unlike(x or y, "the number of operations depends on the data or on the sizes")
            if isinstance(x, Loop):
                self.loop(x, y)
            else:
                self.made(x, y)
        pairs = zip(self.a.outputs, self.b.outputs, strict=True)
        ends = [(self.a.rolled.reference(x), self.b.rolled.reference(y)) for x, y in pairs]
        self.found.met_by_chance = self._met_by_chance()
        return self.found, [self.reference(x, y, x.of) for x, y in ends]

    def _met_by_chance(self) -> set[int]:
        """Return sizes that are those of steps or sequences in one recording, and are not in the other."""
        named = dict(self.named.keys())
        pairs = [pair for x, y in self.other.items() for pair in zip(_shape(x), _shape(y), strict=False)]
        return {m for m, n in pairs if named.get(m, n) != n}

    def unlike(self, item: Any, why: str) -> NotExpressible:
        node = item.body[0].node if isinstance(item, Loop) else item.node if isinstance(item, Made) else item
        if not isinstance(node, Tensor):
            return NotExpressible(f"two runs of it differ: {why}")
        made = node.primitive.name if node.primitive else node.name or "a constant"
        where = f" ({node.line})" if node.line else ""
        return NotExpressible(f"two runs of it differ at {made}{node.context.place}{where}: {why}")

    def loop(self, x: Loop, y: Loop) -> None:
        if len(x.body) != len(y.body) or x.direction != y.direction:
            raise self.unlike(x, "its loops are not alike")
        low, high = self.number(x.low, y.low, x), self.number(x.high, y.high, x)
        for ours, theirs in zip(x.body, y.body, strict=True):
            self.made(ours, theirs, before=False)
        for ours, theirs in zip(x.body, y.body, strict=True):
            pairs = zip_longest(sorted(ours.before.items()), sorted(theirs.before.items()))
            ours.before = {
                self.number(i, j, ours): self.reference(p, q, ours)
                for (i, p), (j, q) in ((one or (0, None), other or (0, None)) for one, other in pairs)
            }
        x.low, x.high = low, high

    def made(self, x: Made, y: Made, before: bool = True) -> None:
        if x.primitive is not y.primitive or len(x.operands) != len(y.operands):
            raise self.unlike(x, f"one has {x.primitive.name} where the other has {y.primitive.name}")
        self.other[x] = y
        x.attrs = {name: self.value(value, y.attrs[name], x) for name, value in x.attrs.items()}
        x.operands = tuple(self.reference(p, q, x) for p, q in zip(x.operands, y.operands, strict=True))

    def reference(self, p: Any, q: Any, at: Any) -> Reference:
        if p is None or q is None or type(p.of) is not type(q.of) or type(p.index) is not type(q.index):
            raise self.unlike(at, "they read different things")
        if isinstance(p.of, Given):
            self.given(p.of, q.of, at)
        elif p.of in self.other and self.other[p.of] is not q.of:
            raise self.unlike(at, "they read different things")
        index = p.index
        if isinstance(index, Moving):
            if index.sign != q.index.sign:
                raise self.unlike(at, "they read different steps")
            index = Moving(index.sign, self.number(index.offset, q.index.offset, at))
        elif isinstance(index, Fixed):
            index = Fixed(self.number(index.at, q.index.at, at))
        elif index != q.index:
            raise self.unlike(at, "they read different steps")
        return Reference(p.of, index)

    def value(self, x: Any, y: Any, at: Any) -> Any:
        if isinstance(x, tuple) and isinstance(y, tuple) and len(x) == len(y):
            return tuple(self.value(p, q, at) for p, q in zip(x, y, strict=True))
        if isinstance(x, slice) and isinstance(y, slice):
            return slice(*(self.value(p, q, at) for p, q in ((x.start, y.start), (x.stop, y.stop), (x.step, y.step))))
        if isinstance(x, Moving) and isinstance(y, Moving) and x.sign == y.sign:
            return Moving(x.sign, self.number(x.offset, y.offset, at))
        if (isinstance(x, Stacked) and isinstance(y, Stacked)) or (
            isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
        ):
            self.data(x, y, at)
            return x
        if isinstance(x, int) and isinstance(y, int) and not isinstance(x, bool):
            return self.number(x, y, at)
        if type(x) is not type(y) or repr(x) != repr(y):
            raise self.unlike(at, f"{x!r:.40} and {y!r:.40}")
        return x

    def number(self, x: int, y: int, at: Any) -> int:
        """Return a whole number of both recordings, or the size that it is."""
        if x == y:
            return x
        if (x, y) in self.named:
            found: int = self.named[x, y]
            return found
        for (i, j), size in self.named.items():
            if x - i == y - j and abs(x - i) <= 4:
                moved: int = size + (x - i)
                return moved
        for (i, j), size in self.named.items():
            if i and x % i == 0 and y == x // i * j:
                times: int = x // i * size
                return times
        raise self.unlike(at, f"{x} and {y}, which is no size of the arguments")

    def whole(self, x: float, y: float, at: Any) -> tuple[int, bool]:
        """Return the size that a number is, or is one by."""
        for one_by in (False, True):
            m, n = (1 / x, 1 / y) if one_by and x and y else (x, y)
            if round(m) == m and round(n) == n:
                return self.number(int(m), int(n), at), one_by
        raise self.unlike(at, f"{x:g} and {y:g}, which is no size of the arguments")

    def given(self, x: Given, y: Given, at: Any) -> None:
        if x in self.other:
            if self.other[x] is not y:
                raise self.unlike(at, "they read different tensors")
            return
        self.other[x] = y
        leaf, theirs = x.members[0], y.members[0]
        if x.stacked:
            self.data(x, y, at)
        elif leaf in self.a.leaves:
            if self.b.leaves.get(theirs) != self.a.leaves[leaf]:
                raise self.unlike(at, "they read different arguments")
            self.found.argument[x] = self.a.leaves[leaf]
        elif is_number(leaf) and is_number(theirs) and leaf.item() != theirs.item():
            size, one_by = self.whole(leaf.item(), theirs.item(), at)
            whole = Constant(size)
            self.found.numbers[x] = Apply(ops.div, (Number(1.0), whole), {}, leaf.value) if one_by else whole
        elif leaf is theirs or (leaf.shape == theirs.shape and np.array_equal(leaf.value, theirs.value)):
            self.found.closure[x] = leaf
        elif _is_uniform(leaf.value, theirs.value):
            self.found.uniform.add(x)
        else:
            self.data(x, y, at)

    def data(self, x: Any, y: Any, at: Any) -> None:
        """Find numbers that came in from outside of the graph among the arguments."""
        name = self._source(x, y)
        if isinstance(x, np.ndarray) and name is None:
            if np.array_equal(x, y):
                return  # the same numbers whatever the arguments are
            if x.ndim == y.ndim == 1 and np.array_equal(x, np.arange(len(x))) and np.array_equal(y, np.arange(len(y))):
                self.found.part[id(x)] = self.number(len(x), len(y), at)
                return
        if name is None:
            what = x.members[0] if isinstance(x, Given) else at
            stacked = isinstance(x, Given) and x.stacked and is_number(x.members[0])
            why = (
                "it is computed from the number of the step, outside of the graph"
                if stacked
                else "these numbers are neither an argument nor the same in both: they come from outside of the graph"
            )
            raise self.unlike(at if isinstance(at, Made) else what, why)
        self.found.part[id(x.values[0] if isinstance(x, Stacked) else x)] = name

    def _source(self, x: Any, y: Any) -> str | None:
        for name, argument in self.a.arguments.items():
            theirs = self.b.arguments[name]
            if self._is_in(x, argument) and self._is_in(y, theirs):
                return name
            whole = isinstance(x, np.ndarray) and isinstance(argument, np.ndarray) and x.ndim == 1
            if whole and np.array_equal(x, argument.ravel()) and np.array_equal(y, theirs.ravel()):
                return f"{name}.ravel()"
        return None

    def _is_in(self, data: Any, argument: Any) -> bool:
        """Tell whether data are an argument; of several steps, whether those are its entries."""
        array = array_of(argument)
        if isinstance(data, Given):
            values, first, direction = [leaf.value for leaf in data.members], data.first, data.direction
        elif isinstance(data, Stacked):
            values, direction = data.values, data.index.sign
            first = -data.index.offset * direction
        else:
            return bool(np.array_equal(data, array))
        if isinstance(data, Given) and not data.stacked:
            return bool(np.array_equal(values[0], array))
        places = [first + direction * k for k in range(len(values))]
        return all(
            0 <= t < len(array) and np.array_equal(value, array[t]) for t, value in zip(places, values, strict=True)
        )


def _shape(of: Given | Made) -> tuple[int, ...]:
    return of.members[0].shape


def _is_uniform(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Tell whether two arrays hold one number throughout, as zeros do, and the same one."""
    return a.size > 0 and b.size > 0 and bool((a == a.flat[0]).all()) and bool((b == a.flat[0]).all())
