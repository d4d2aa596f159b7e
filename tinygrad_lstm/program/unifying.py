"""What is the same in two recordings of one function, and what differs as their sizes do, or as their arguments do."""

from __future__ import annotations

import math
from collections.abc import Iterator
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
from ..symbolic.tracer import cast
from .masks import Mask, masks_of
from .recording import NotExpressible, RecordedRun, array_of, derived
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
    sizes: dict[int, Size] = field(default_factory=dict)  # of arrays: what they are in terms of those of arguments
    met_by_chance: set[int] = field(default_factory=set)
    masks: dict[Given, Mask] = field(default_factory=dict)  # what says which steps are within lengths
    part: dict[int, str | int] = field(default_factory=dict)  # by id of what holds the numbers: see ``Job.data``


class _Unifying:
    def __init__(self, a: RecordedRun, b: RecordedRun) -> None:
        self.a, self.b = a, b
        self.found = Parameters()
        self.other: dict[Given | Made, Given | Made] = {}
        named = {(a.sizes[letter], b.sizes[letter]): Size.of(a.sizes[letter], letter) for letter in a.sizes}
        named.update({(int(size), size.where(b.sizes)): size for size in derived(a.sizes)})
        self.named = named
        self.lengths = [
            {name: x for name, x in run.arguments.items() if isinstance(x, np.ndarray) and x.ndim == 1}
            for run in (a, b)
        ]

    def run(self) -> tuple[Parameters, list[Reference]]:
        if self.a.structure != self.b.structure:
            raise NotExpressible("two runs of it return other numbers of tensors, or name them otherwise")
        ours: list[Any] = self.a.rolled.items
        theirs: list[Any] = self.b.rolled.items
        for x, y in zip_longest(ours, theirs):
            if type(x) is not type(y):
                raise self.unlike(
                    x or y,
                    "the number of operations depends on the data or on the sizes; decide by tl.where, and let each "
                    "step do the same",
                )
            if isinstance(x, Loop):
                self.loop(x, y)
            else:
                self.made(x, y)
        pairs = zip(self.a.outputs, self.b.outputs, strict=True)
        ends = [(self.a.rolled.reference(x), self.b.rolled.reference(y)) for x, y in pairs]
        self.found.sizes, self.found.met_by_chance = self._sizes()
        return self.found, [self.reference(x, y, x.of) for x, y in ends]

    def _sizes(self) -> tuple[dict[int, Size], set[int]]:
        """Return what sizes of arrays are that differ between the recordings, and those that are two things at once."""
        named = {m: {n: size} for (m, n), size in self.named.items()}
        for x, y in self.other.items():
            for m, n in zip(_shape(x), _shape(y), strict=False):
                sizes = named.setdefault(m, {})
                if n not in sizes:
                    sizes[n] = m if m == n else self._likeliest(m, n)
        alone = {m: next(iter(sizes.values())) for m, sizes in named.items() if len(sizes) == 1}
        return {m: size for m, size in alone.items() if isinstance(size, Size)}, named.keys() - alone.keys()

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
        size = self._likeliest(x, y)
        if size is None:
            raise self.unlike(at, f"{x} and {y}, which is no size of the arguments")
        return size

    def _likeliest(self, x: int, y: int) -> Size | None:
        """Return the simplest size that two numbers are; None if they are none."""
        found = [(times, abs(more), times * size + more) for times, more, size in self._in_sizes(x, y)]
        return min(found, key=lambda each: each[:2])[2] if found else None

    def _in_sizes(self, x: int, y: int) -> Iterator[tuple[int, int, Size]]:
        """Yield how many times which size two numbers are, and how many more; those are a few."""
        for (i, j), size in self.named.items():
            times = (x - y) // (i - j)
            if times > 0 and x - times * i == y - times * j and abs(x - times * i) <= 4:
                yield times, x - times * i, size

    def by_size(self, leaf: Tensor, other: Tensor, at: Any) -> Any:
        """Return a number that is some times a size or its root, or is divided by one, as an expression."""
        x, y = leaf.item(), other.item()
        for (i, j), size in self.named.items():
            for root in (False, True):
                m, n = (i**0.5, j**0.5) if root else (i, j)
                named = Apply(ops.pow, (Constant(size), Number(0.5)), {}, np.asarray(m)) if root else Constant(size)
                for product, p, q in ((ops.mul, m, n), (ops.div, 1 / m, 1 / n)):
                    factor = _shortest(x, y, p, q, 4 * float(np.finfo(leaf.dtype).eps))
                    if factor == 1 and product is ops.mul:
                        return named
                    if factor is not None:
                        return Apply(product, (Number(factor), named), {}, leaf.value)
        if round(x) == x and round(y) == y:
            return Constant(self.number(int(x), int(y), at))
        raise self.unlike(at, f"{x:g} and {y:g}, which is no size of the arguments, nor some times one or its root")

    def given(self, x: Given, y: Given, at: Any) -> None:
        if x in self.other:
            if self.other[x] is not y:
                raise self.unlike(at, "they read different tensors")
            return
        self.other[x] = y
        leaf, theirs = x.members[0], y.members[0]
        if self.is_mask(x, y):
            return
        if x.stacked:
            self.data(x, y, at)
        elif leaf in self.a.leaves:
            if self.b.leaves.get(theirs) != self.a.leaves[leaf]:
                raise self.unlike(at, "they read different arguments")
            self.found.argument[x] = self.a.leaves[leaf]
        elif is_number(leaf) and is_number(theirs) and leaf.item() != theirs.item():
            self.found.numbers[x] = self.by_size(leaf, theirs, at)
        elif leaf is theirs or (leaf.shape == theirs.shape and np.array_equal(leaf.value, theirs.value)):
            self.found.closure[x] = leaf
        elif _is_uniform(leaf.value, theirs.value):
            self.found.uniform.add(x)
        elif (triangle := self.triangle(leaf.value, theirs.value, at)) is not None:
            self.found.numbers[x] = triangle
        else:
            self.data(x, y, at)

    def is_mask(self, x: Given, y: Given) -> bool:
        """Note of numbers that say which steps are within lengths that they do."""
        runs = zip((x, y), self.lengths, (self.a, self.b), strict=True)
        ours, theirs = (masks_of(given, lengths, run.sizes) for given, lengths, run in runs)
        left = {letter: n - len(x.members) for letter, n in self.a.sizes.items()}  # of more steps than these
        same = {letter for letter, n in self.b.sizes.items() if n - len(y.members) == left[letter]}
        found = {mask for mask in ours & theirs if mask.steps in same or not x.stacked}
        if len(found) == 1:
            (self.found.masks[x],) = found
        return len(found) == 1

    def triangle(self, x: NDArray[Any], y: NDArray[Any], at: Any) -> Any:
        """Return an array that is one number below a diagonal and another one above, as a causal mask is; or None."""
        if x.ndim != 2 or y.ndim != 2 or not x.size or not y.size:
            return None
        below, above = x[-1, 0], x[0, -1]
        for k in (0, -1, 1):
            pair = [(array, np.tri(len(array), array.shape[1], k, dtype=bool)) for array in (x, y)]
            if below != above and all(np.array_equal(array, np.where(tri, below, above)) for array, tri in pair):
                sizes = [Constant(self.number(m, n, at)) for m, n in zip(x.shape, y.shape, strict=True)]
                tri: Any = Apply(np.tri, (*sizes, *([Number(k)] if k else [])), {}, np.tri(len(x), x.shape[1], k))
                chosen = Apply(ops.where, (tri, Number(float(below)), Number(float(above))), {}, x)
                plain = tri if (below, above) == (1, 0) else chosen
                return Apply(cast, (plain,), {"dtype": x.dtype}, x) if x.dtype != np.float64 else plain
        return None

    def data(self, x: Any, y: Any, at: Any) -> None:
        """Find numbers that came in from outside of the graph among the arguments."""
        names = list(self._sources(x, y))
        where = at if isinstance(at, Made) or not isinstance(x, Given) else x.members[0]
        if len(names) > 1:
            why = f"these numbers may be {names[0]} or {names[1]}, which are alike; call it first with others"
            raise self.unlike(where, why)
        if names:
            self.found.part[id(x.values[0] if isinstance(x, Stacked) else x)] = names[0]
            return
        if isinstance(x, np.ndarray):
            if np.array_equal(x, y):
                return  # the same numbers whatever the arguments are
            if x.ndim == y.ndim == 1 and np.array_equal(x, np.arange(len(x))) and np.array_equal(y, np.arange(len(y))):
                self.found.part[id(x)] = self.number(len(x), len(y), at)
                return
        stacked = isinstance(x, Given) and x.stacked and is_number(x.members[0])
        raise self.unlike(where, _BY_THE_STEP if stacked else _FROM_OUTSIDE)

    def _sources(self, x: Any, y: Any) -> Iterator[str]:
        """Yield which arguments numbers are, or which parts: all steps but the first, or the last; or in a row."""
        flat = isinstance(x, np.ndarray) and x.ndim == 1
        for name, argument in self.a.arguments.items():
            theirs = self.b.arguments[name]
            if self._is_in(x, argument) and self._is_in(y, theirs):
                yield name
            for part, steps in _PARTS.items() if isinstance(argument, np.ndarray) and not isinstance(x, Given) else ():
                ours, others = argument[steps], theirs[steps]
                new = part and not (isinstance(x, Stacked) and part == "[:-1]")  # whose steps are those of the whole
                if new and self._is_in(x, ours) and self._is_in(y, others):
                    yield f"{name}{part}"
                if flat and not part and ours.ndim == 1 and ours.dtype.kind in "iu":
                    yield from [f"{name} - 1"] * (self._is_in(x, ours - 1) and self._is_in(y, others - 1))
                if flat and ours.ndim > 1 and np.array_equal(x, ours.ravel()) and np.array_equal(y, others.ravel()):
                    yield f"{name}{part}.ravel()"

    def _is_in(self, data: Any, argument: Any) -> bool:
        """Tell whether data are an argument; of several steps, whether those are its entries."""
        array = array_of(argument)
        if isinstance(data, Given):
            values, first, direction = [leaf.value for leaf in data.members], data.first, data.direction
        elif isinstance(data, Stacked):
            values, first, direction = data.values, data.first, data.direction
        else:
            return bool(np.array_equal(data, array))
        if isinstance(data, Given) and not data.stacked:
            return bool(np.array_equal(values[0], array))
        places = [first + direction * k for k in range(len(values))]
        return all(
            0 <= t < len(array) and np.array_equal(value, array[t]) for t, value in zip(places, values, strict=True)
        )


_BY_THE_STEP = (
    "it is computed from the number of the step, outside of the graph; give it as an argument, an array of all steps"
)

_FROM_OUTSIDE = (
    "these numbers are neither an argument nor the same in both: they come from outside of the graph; make them an "
    "argument, or compute them of tensors"
)

_PARTS = {"": slice(None), "[1:]": slice(1, None), "[:-1]": slice(-1), "[::-1]": slice(None, None, -1)}
"""Parts of arrays that are found again, as they are written: what a model of sequences is asked, and what is right."""


def _shortest(x: float, y: float, p: float, q: float, eps: float) -> float | None:
    """Return the shortest number that is x if it is multiplied by p, and y by q, but for rounding; None if none is."""
    if not math.isclose(x * q, y * p, rel_tol=2 * eps):
        return None
    tried = (float(f"{x / p:.{digits}g}") for digits in range(1, 18))
    return next((f for f in tried if math.isclose(f * p, x, rel_tol=eps) and math.isclose(f * q, y, rel_tol=eps)), None)


def _shape(of: Given | Made) -> tuple[int, ...]:
    return of.members[0].shape


def _is_uniform(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Tell whether two arrays hold one number throughout, as zeros do, and the same one."""
    return a.size > 0 and b.size > 0 and bool((a == a.flat[0]).all()) and bool((b == a.flat[0]).all())
