"""Two recordings of one function, at other sizes and of other data, and what is the same in both.

What differs between them is a size, or it comes from an argument; what does neither cannot be told from one call, and
is refused with its place in the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product, zip_longest
from typing import Any

import numpy as np

from ..engine import ops
from ..engine.graph import Graph
from ..engine.scope import call_in, current
from ..engine.tensor import Tensor, tensor
from ..structure.rolling import Fixed, Given, Loop, Made, Moving, Reference, Rolled, Stacked, roll
from ..structure.words import is_number
from ..symbolic.expressions import Apply, Constant, Number
from .names import of_leaves, parameter
from .passes import optimized
from .sizes import Size


class NotExpressible(ValueError):
    """What cannot become a program that is right for other sizes and other data, and where it stands.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> w = tl.tensor(1.0, requires_grad=True, name="w")
    >>> tl.source(lambda x: (x * w).sum() if x.value.mean() > 0 else (x - w).sum(), np.array([1.0, -1.0]))
    Traceback (most recent call last):
    tinygrad_lstm.program.recording.NotExpressible: two runs of it differ at ...
    """


class _Unfit(Exception):
    """Sizes at which the function does not run."""

    def __init__(self, error: Exception) -> None:
        self.error = error


@dataclass
class RecordedRun:
    """One run of the function: the arrays it was given, by name, what it returned, and the graph, rolled up."""

    arguments: dict[str, Any]  # a Tensor, or an array of whole numbers
    computed: list[Tensor]  # what it returned
    outputs: list[Tensor]  # the same, after the passes
    structure: Any  # how the outputs were nested
    rolled: Rolled
    sizes: dict[str, int]
    names: dict[Tensor, str]
    comments: list[str]  # of the passes

    @property
    def leaves(self) -> dict[Tensor, str]:
        return {x: name for name, x in self.arguments.items() if isinstance(x, Tensor)}


def products(sizes: Mapping[str, int]) -> list[Size]:
    """Return the numbers of rows that all steps of all sequences have."""
    N = sizes.get("N")
    steps = [letter for letter in sizes if letter != "N"]
    return [Size.of(sizes[letter], letter) * Size.of(N, "N") for letter in steps] if N else []


def flattened(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield arrays and tensors in nested tuples and lists, each with a name."""
    if isinstance(value, tuple | list):
        for i, part in enumerate(value):
            yield from flattened(part, f"{name}_{i}")
    else:
        yield name, value


def parts_of(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the arrays and tensors that a function is given, each with what its program calls it."""
    for name, value in given.items():
        yield from flattened(value, parameter(name))


def skeleton(value: Any) -> Any:
    """Return how something is nested, without the tensors and arrays in it."""
    if isinstance(value, tuple | list):
        return nested_like(value, map(skeleton, value))
    return None if _is_array(value) or isinstance(value, Tensor) else value


def nested_like(like: Any, parts: Iterable[Any]) -> Any:
    """Return a tuple, a named one, or a list, of other parts."""
    return like._make(parts) if hasattr(like, "_make") else type(like)(parts)


def rebuilt(like: Any, parts: Iterator[Any]) -> Any:
    """Return the same nesting with other parts."""
    if isinstance(like, tuple | list):
        return nested_like(like, (rebuilt(each, parts) for each in like))
    return next(parts)


def nested(value: Any, name: str, parts: Mapping[str, Any]) -> Any:
    """Return an argument that is nested like a value, of parts by their paths."""
    return rebuilt(value, iter([parts[path] for path, _ in flattened(value, parameter(name))]))


def record_twice(
    f: Callable[..., Any], example: Mapping[str, Any], fixed: set[int], steps_axis: int = 0, optimize: int = 0
) -> tuple[RecordedRun, RecordedRun]:
    """Run a function at two sizes.

    Arguments:
        f: takes the arguments by name, and returns tensors, nested as it likes.
        example: arguments such as it is called with; the first array is (T, N, ...) or (T, ...).
        fixed: sizes that are not to be met by chance.
        steps_axis: which axis of the first array the steps are.

    Raises:
        NotExpressible: for a function that returns no tensors, or cannot be run at other sizes.
    """
    arrays = [(path, part) for path, part in parts_of(example) if _is_array(part)]
    if not arrays:
        raise NotExpressible("a program needs an array among its arguments")
    failed: Exception | None = None
    for letters in _assignments(arrays, steps_axis):
        constant = fixed | {n for path, x in arrays for i, n in enumerate(np.shape(x)) if (path, i) not in letters}
        try:
            used = set(letters.values())
            sizes = [{letter: n for letter, n in each.items() if letter in used} for each in _sizes(constant)]
            later = _record(f, example, letters, sizes[1], 1, optimize)  # first, or a count of calls looks like T
            pair = [_record(f, example, letters, sizes[0], 0, optimize), later]
            return pair[0], pair[1]
        except _Unfit as unfit:
            failed = failed or unfit.error
    raise NotExpressible(f"the function does not run at other sizes than its example's: {failed}") from failed


def _is_float(x: Any) -> bool:
    return isinstance(x, Tensor) or x.dtype.kind == "f"


def _is_array(x: Any) -> bool:
    return isinstance(x, Tensor) or (isinstance(x, np.ndarray) and x.ndim > 0)


def _assignments(arrays: Sequence[tuple[str, Any]], steps_axis: int) -> Iterator[dict[tuple[str, int], str]]:
    """Yield, likeliest first, which axes may be those of steps and sequences."""
    first = np.shape(arrays[0][1])
    steps, batch = (first[steps_axis], None) if len(first) else (None, None)
    if len(first) >= (3 if _is_float(arrays[0][1]) else 2):
        batch = first[1 - steps_axis]
    sure: dict[tuple[str, int], str] = {(arrays[0][0], steps_axis): "T"} if len(first) > 0 else {}
    if batch is not None:
        sure[arrays[0][0], 1 - steps_axis] = "N"
    doubtful: list[tuple[tuple[str, int], str]] = []
    others: list[tuple[tuple[str, int], int]] = []
    for path, x in arrays[1:]:
        for i, n in enumerate(np.shape(x)):
            if n == batch and i == 1:
                doubtful.append(((path, i), "N"))
            elif n in (steps, batch) and i == 0:
                doubtful.append(((path, i), "T" if n == steps else "N"))
            elif i == 0 and n > 1 and np.ndim(x) > 1 and all(n == m for _, m in others):
                others.append(((path, i), n))
    doubtful += [(axis, "S") for axis, _ in others]
    for chosen in product([True, False], repeat=min(len(doubtful), 6)):
        few = [each for each, yes in zip(doubtful, chosen, strict=False) if yes]
        yield {**sure, **dict(few), **dict(doubtful[len(chosen) :])}


def _sizes(fixed: set[int]) -> Iterator[dict[str, int]]:
    """Yield two choices of sizes, unlike all that is fixed, and unlike each other."""
    steps = (t for t in range(3, 10_000) if not {t - 1, t, t + 1} & (fixed | {1}))
    T = [next(steps), next(steps)]
    more = (s for s in range(max(T) + 3, 10_000) if not {s - 1, s, s + 1} & (fixed | {1}))
    S = [next(more)]
    S.append(next(s for s in more if not _alike([*S, s], T)))
    batches = (n for n in range(max(S) + 3, 10_000) if n % 2 and not {n - 1, n, n + 1, n * T[0], n * T[1]} & fixed)
    N = [next(batches)]
    N.append(next(n for n in batches if not _alike([*N, n], T) and not _alike([*N, n], S)))
    yield from ({"T": t, "N": n, "S": s} for t, n, s in zip(T, N, S, strict=True))


def _alike(a: Sequence[int], b: Sequence[int]) -> bool:
    """Tell whether a pair of sizes could be taken for another one, moved or some times as large."""
    return a[0] - b[0] == a[1] - b[1] or a[0] * b[1] == a[1] * b[0]


def _record(
    f: Callable[..., Any],
    example: Mapping[str, Any],
    letters: Mapping[tuple[str, int], str],
    sizes: dict[str, int],
    seed: int,
    optimize: int,
) -> RecordedRun:
    """Run a function on data like its example's; the second time with the signs of all numbers turned, and whole
    numbers that are 0 besides, as the places of a padding are.

    A branch that is taken by the sign of something is then taken the other way, as a rule.
    """
    try:
        return _recorded(f, example, letters, sizes, seed, optimize, -1 if seed else 1)
    except _Unfit:
        return _recorded(f, example, letters, sizes, seed, optimize, 1)


def _recorded(
    f: Callable[..., Any],
    example: Mapping[str, Any],
    letters: Mapping[tuple[str, int], str],
    sizes: dict[str, int],
    seed: int,
    optimize: int,
    sign: int,
) -> RecordedRun:
    rng = np.random.default_rng(seed)
    arguments: dict[str, Any] = {}

    def made(value: Any, name: str) -> Any:
        if isinstance(value, tuple | list):
            return nested_like(value, (made(part, f"{name}_{i}") for i, part in enumerate(value)))
        if not _is_array(value):
            return value
        array = value.value if isinstance(value, Tensor) else value
        shape = tuple(sizes[letters[name, i]] if (name, i) in letters else n for i, n in enumerate(array.shape))
        drawn = rng.choice(array.ravel(), shape) if array.size else np.zeros(shape, array.dtype)
        if array.dtype.kind in "iub":
            if sign < 0 and drawn.size:
                other = ~drawn.flat[0] if array.dtype.kind == "b" else 0
                drawn = np.where(np.arange(drawn.size).reshape(shape) % 2 > 0, drawn, other).astype(array.dtype)
            drawn.setflags(write=False)
            arguments[name] = drawn
        else:
            mixed = (sign * drawn * (1 + 0.1 * rng.normal(size=shape))).astype(array.dtype)
            arguments[name] = tensor(mixed, requires_grad=True, name=name)
        return arguments[name]

    given = {name: made(value, parameter(name)) for name, value in example.items()}
    try:
        with np.errstate(all="ignore"):
            returned = call_in(current()._replace(recording=True), f, (), given)
    except Exception as error:  # whatever somebody's function raises where sizes are others
        raise _Unfit(error) from error
    outputs = [x for _, x in flattened(returned, "output")]
    if sign < 0 and not all(isinstance(x, Tensor) and np.isfinite(x.value).all() for x in outputs):
        raise _Unfit(ValueError("turned signs make what is not finite"))
    if not outputs or not all(isinstance(x, Tensor) for x in outputs):
        raise NotExpressible(
            "what a program computes are tensors, in tuples or lists; the function returns something else"
        )
    graph, _ = Graph(*outputs).opened()  # of what is compiled in it, too
    outputs = list(graph.outputs)
    rolled, computed = roll(graph), outputs
    names = of_leaves(rolled)
    comments: list[str] = []
    if optimize:
        outputs, comments = optimized(outputs, optimize)
        rolled = roll(Graph(*outputs))
    return RecordedRun(arguments, computed, outputs, skeleton(returned), rolled, sizes, names, comments)


def unify(a: RecordedRun, b: RecordedRun) -> tuple[Parameters, list[Reference]]:
    """Write the sizes into the first recording wherever the two differ; return what its leaves are, and what
    it returns.

    Raises:
        NotExpressible: where they differ otherwise.
    """
    return _Unifying(a, b).run()


@dataclass
class Parameters:
    """What the leaves of a recording are: of arguments, of the function itself, zeros, or a part of an argument."""

    argument: dict[Given, str] = field(default_factory=dict)
    closure: dict[Given, Tensor] = field(default_factory=dict)
    zeros: set[Given] = field(default_factory=set)
    numbers: dict[Given, Any] = field(default_factory=dict)  # what stands for those that are sizes, or one by a size
    met_by_chance: set[int] = field(default_factory=set)
    part: dict[int, str | int] = field(default_factory=dict)  # by id of what holds the numbers: see ``Job.data``


def _shape(of: Given | Made) -> tuple[int, ...]:
    return of.members[0].shape


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
        elif not leaf.value.any() and not theirs.value.any():
            self.found.zeros.add(x)
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
        array = argument.value if isinstance(argument, Tensor) else argument
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
