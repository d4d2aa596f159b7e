"""Two recordings of one function, at other sizes and of other data, and what is the same in both.

What differs between them is a size, or it comes from an argument; what does neither cannot be told from one call, and
is refused with its place in the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, product, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.graph import Graph
from ..engine.scope import call_in, current
from ..engine.tensor import Tensor, tensor
from ..structure.loops import Rolled
from ..structure.rolling import roll
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


def what_and_where(x: Tensor) -> str:
    """Return what a tensor is called or made by, at which step and on which line."""
    made = x.name or (x.primitive.name if x.primitive else "what it returns")
    return f"{made}{x.context.place}{f' ({x.line})' if x.line else ''}"


class Counts:
    """A list of whole numbers, one for each sequence, that are data: others may be given in another call."""

    def __init__(self, numbers: list[int] | tuple[int, ...]) -> None:
        self.array = np.array(numbers)
        self.like = type(numbers)

    def nested(self, array: NDArray[Any]) -> Any:
        """Return other numbers as they were given: as a list, or a tuple."""
        return self.like(array.tolist())


def with_counts(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return arguments in which lists of as many whole numbers as there are sequences are data; None if none is."""
    lists = {name: x for name, x in given.items() if type(x) in (list, tuple) and all(type(n) is int for n in x)}
    if not lists:
        return None
    first = next((part for _, part in parts_of(given) if _is_array(part)), None)
    sizes = np.shape(array_of(first))[:2] if first is not None else ()
    found = {name: Counts(x) for name, x in lists.items() if len(x) in sizes}
    return {**given, **found} if found else None


class Unfit(Exception):
    """Sizes at which the function does not run."""

    def __init__(self, error: Exception) -> None:
        self.error = error


@dataclass
class OneRun:
    """What the function was given, by name, and what it returned: nested, and in a row."""

    arguments: dict[str, Any]
    returned: Any
    computed: list[Tensor]


@dataclass
class RecordedRun:
    """One run of the function: the arrays it was given, by name, what it returned, and the graph, rolled up."""

    arguments: dict[str, Any]  # a Tensor, or an array of whole numbers
    computed: list[Tensor]  # what it returned
    outputs: list[Tensor]  # the same, after the passes
    returned: Any  # those, nested
    rolled: Rolled
    sizes: dict[str, int]
    names: dict[Tensor, str]
    comments: list[str]  # of the passes
    counts: frozenset[str]  # which arguments were drawn as numbers of steps
    again: Callable[[dict[str, int], float], OneRun]  # runs it at other sizes, on numbers that are wobbled by a little

    @property
    def structure(self) -> Any:
        """How the outputs are nested."""
        return returned_like(self.returned, repeat(None))

    @property
    def leaves(self) -> dict[Tensor, str]:
        return {x: name for name, x in self.arguments.items() if isinstance(x, Tensor)}


def derived(sizes: Mapping[str, int]) -> list[Size]:
    """Return sizes that are made of others: a step less, as ``xs[1:]`` has, and rows of all steps of all sequences."""
    steps = [Size.of(n, letter) for letter, n in sizes.items() if letter != "N"]
    fewer = [n - 1 for n in steps]
    rows = [n * Size.of(sizes["N"], "N") for n in (*steps, *fewer)] if "N" in sizes else []
    return [*fewer, *rows]


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


def outputs_of(returned: Any) -> list[Any]:
    """Return what a function returned, in a row: of tuples, lists and dicts."""
    if isinstance(returned, tuple | list) or type(returned) is dict:
        parts = returned.values() if isinstance(returned, dict) else returned
        return [x for part in parts for x in outputs_of(part)]
    return [returned]


def returned_like(like: Any, outputs: Iterator[Any]) -> Any:
    """Return outputs as a function returns them, nested as it did before."""
    if type(like) is dict:
        return {key: returned_like(each, outputs) for key, each in like.items()}
    if isinstance(like, tuple | list):
        return nested_like(like, (returned_like(each, outputs) for each in like))
    return next(outputs)


def nested_like(like: Any, parts: Iterable[Any]) -> Any:
    """Return a tuple, a named one, or a list, of other parts."""
    return like._make(parts) if hasattr(like, "_make") else type(like)(parts)


def rebuilt(like: Any, parts: Iterator[Any]) -> Any:
    """Return the same nesting with other parts."""
    if isinstance(like, Counts):
        return like.nested(array_of(next(parts)))
    if isinstance(like, tuple | list):
        return nested_like(like, (rebuilt(each, parts) for each in like))
    return next(parts)


def nested(value: Any, name: str, parts: Mapping[str, Any]) -> Any:
    """Return an argument that is nested like a value, of parts by their paths."""
    return rebuilt(value, iter([parts[path] for path, _ in flattened(value, parameter(name))]))


def array_of(x: Any) -> Any:
    """Return the array that an argument is, or holds."""
    return x.value if isinstance(x, Tensor) else x.array if isinstance(x, Counts) else x


FEWEST = 4
"""One step less than there are in a recording, at least: the first, the last, and between them such as are alike."""


def record_twice(
    f: Callable[..., Any],
    example: Mapping[str, Any],
    fixed: set[int],
    steps_axis: int = 0,
    optimize: int = 0,
    apart: int = 1,
) -> tuple[RecordedRun, RecordedRun]:
    """Run a function at two sizes.

    Arguments:
        f: takes the arguments by name, and returns tensors, nested as it likes.
        example: arguments such as it is called with; the first array is (T, N, ...) or (T, ...).
        fixed: sizes that are not to be met by chance.
        steps_axis: which axis of the first array the steps are.
        optimize: the level of ``tl.source``.
        apart: by how much sizes differ from those, at least, as ``xs[apart:]`` does.

    Raises:
        NotExpressible: for a function that returns no tensors, or cannot be run at other sizes.
    """
    arrays = [(path, array_of(part)) for path, part in parts_of(example) if _is_array(part)]
    if not arrays:
        raise NotExpressible("a program needs an array among its arguments")
    failed: Exception | None = None
    for letters, counts in _assignments(arrays, steps_axis):
        constant = fixed | {n for path, x in arrays for i, n in enumerate(np.shape(x)) if (path, i) not in letters}
        try:
            used = set(letters.values())
            sizes = [{letter: n for letter, n in each.items() if letter in used} for each in _sizes(constant, apart)]
            later = _record(
                f, example, letters, counts, sizes[1], 1, optimize
            )  # first, or a count of calls looks like T
            pair = [_record(f, example, letters, counts, sizes[0], 0, optimize), later]
            return pair[0], pair[1]
        except Unfit as unfit:
            failed = failed or unfit.error
    raise NotExpressible(f"the function does not run at other sizes than its example's: {failed}") from failed


def _is_array(x: Any) -> bool:
    return isinstance(x, Tensor | Counts) or (isinstance(x, np.ndarray) and x.ndim > 0)


Letters = Mapping[tuple[str, int], str]
"""Which axes of arguments are of which size: by the path of an argument, and the number of the axis."""

MOST_CHOICES = 64
"""Ways to understand the sizes of arguments that are tried, at most."""


def _assignments(
    arrays: Sequence[tuple[str, NDArray[Any]]], steps_axis: int
) -> Iterator[tuple[Letters, frozenset[str]]]:
    """Yield, likeliest first, which axes may be those of steps and sequences, and what may be numbers of steps."""
    for letters in islice(_letters(arrays, steps_axis), MOST_CHOICES):
        sizes = {letters[path, i]: x.shape[i] for path, x in arrays for i in range(x.ndim) if (path, i) in letters}
        rows = ((path, x) for path, x in arrays if x.ndim == 1 and (path, 0) in letters)
        counts = frozenset(path for path, x in rows if _is_count(x, _others(sizes, letters[path, 0])))
        yield from ((letters, which) for which in ([counts, frozenset()] if counts else [counts]))


def _is_count(x: NDArray[Any], sizes: Sequence[int]) -> bool:
    """Tell whether whole numbers may be how many steps there are in each sequence."""
    return x.dtype.kind in "iu" and x.size > 0 and bool(x.min() >= 1 and x.max() <= max(sizes, default=0))


def _others(sizes: Mapping[str, int], own: str) -> list[int]:
    """Return the sizes that may be those of steps, for what there is one of for each of another size."""
    return [n for letter, n in sizes.items() if letter != own]


def _letters(arrays: Sequence[tuple[str, NDArray[Any]]], steps_axis: int) -> Iterator[dict[tuple[str, int], str]]:
    first = np.shape(arrays[0][1])
    steps, batch = (first[steps_axis], None) if len(first) else (None, None)
    if len(first) >= (3 if arrays[0][1].dtype.kind == "f" else 2):
        batch = first[1 - steps_axis]
    sure: dict[tuple[str, int], str] = {(arrays[0][0], steps_axis): "T"} if len(first) > 0 else {}
    if batch is not None:
        sure[arrays[0][0], 1 - steps_axis] = "N"
    doubtful: list[list[tuple[tuple[str, int], str] | None]] = []
    others: list[tuple[tuple[str, int], int]] = []
    for path, x in arrays[1:]:
        for i, n in enumerate(np.shape(x)):
            if n == batch and i == 1:
                doubtful.append([((path, i), "N"), None])
            elif n in (steps, batch) and i == 0:
                either = [letter for letter, size in (("T", steps), ("N", batch)) if n == size]
                doubtful.append([*(((path, i), letter) for letter in either), None])
            elif i == 0 and n > 1 and np.ndim(x) > 1 and all(n == m for _, m in others):
                others.append(((path, i), n))
    doubtful += [[(axis, "S"), None] for axis, _ in others]
    for chosen in product(*doubtful[:6], *(each[:1] for each in doubtful[6:])):
        yield {**sure, **dict(each for each in chosen if each)}


def _sizes(fixed: set[int], apart: int) -> Iterator[dict[str, int]]:
    """Yield two choices of sizes, unlike all that is fixed, and unlike each other."""

    def near(n: int) -> set[int]:
        return set(range(n - apart, n + apart + 1))

    steps = (t for t in range(FEWEST + apart, 10_000) if not near(t) & (fixed | {1}))
    T = [next(steps), next(steps)]
    more = (s for s in range(max(T) + 2 + apart, 10_000) if not near(s) & (fixed | {1}))
    S = [next(more)]
    S.append(next(s for s in more if not _alike([*S, s], T)))
    batches = (n for n in range(max(S) + 2 + apart, 10_000) if n % 2 and not (near(n) | {n * t for t in T}) & fixed)
    N = [next(batches)]
    N.append(next(n for n in batches if not _alike([*N, n], T) and not _alike([*N, n], S)))
    yield from ({"T": t, "N": n, "S": s} for t, n, s in zip(T, N, S, strict=True))


def _alike(a: Sequence[int], b: Sequence[int]) -> bool:
    """Tell whether a pair of sizes could be taken for another one, moved or some times as large."""
    return a[0] - b[0] == a[1] - b[1] or a[0] * b[1] == a[1] * b[0]


def _record(
    f: Callable[..., Any],
    example: Mapping[str, Any],
    letters: Letters,
    counts: frozenset[str],
    sizes: dict[str, int],
    seed: int,
    optimize: int,
) -> RecordedRun:
    """Run a function on data like its example's; the second time with the signs of all numbers turned, and whole
    numbers that are 0 besides, as the places of a padding are; or 1, where all are 0.

    A branch that is taken by the sign of something is then taken the other way, as a rule.
    """
    sign = -1 if seed else 1
    try:
        run = run_at(f, example, letters, counts, seed, sign, sizes)
    except Unfit:
        if sign > 0:
            raise
        sign = 1
        run = run_at(f, example, letters, counts, seed, sign, sizes)
    graph, _ = Graph(*run.computed).opened()  # of what is compiled in it, too
    run.computed = list(graph.outputs)
    rolled, outputs = roll(graph), run.computed
    names = of_leaves(rolled)
    comments: list[str] = []
    if optimize:
        outputs, comments = optimized(outputs, optimize)
        rolled = roll(Graph(*outputs))
    again = partial(run_at, f, example, letters, counts, 2, sign)
    return RecordedRun(
        run.arguments, run.computed, outputs, run.returned, rolled, sizes, names, comments, counts, again
    )


def run_at(
    f: Callable[..., Any],
    example: Mapping[str, Any],
    letters: Letters,
    counts: frozenset[str],
    seed: int,
    sign: int,
    sizes: Mapping[str, int],
    wobble: float = 0.0,
) -> OneRun:
    """Run the function at some sizes, on numbers drawn from its example's."""
    rng, noise = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    arguments: dict[str, Any] = {}

    def made(value: Any, name: str) -> Any:
        if isinstance(value, tuple | list):
            return nested_like(value, (made(part, f"{name}_{i}") for i, part in enumerate(value)))
        if not _is_array(value):
            return value
        array = array_of(value)
        shape = tuple(sizes[letters[name, i]] if (name, i) in letters else n for i, n in enumerate(array.shape))
        if name in counts:
            drawn = rng.integers(1, min(_others(sizes, letters[name, 0])), shape, array.dtype, endpoint=True)
            drawn[0] = 1  # not all of them are all steps
        else:
            drawn = rng.choice(array.ravel(), shape) if array.size else np.zeros(shape, array.dtype)
        if array.dtype.kind in "iub":
            drawn = _turned(drawn, rng) if name not in counts and sign < 0 and drawn.size else drawn
            drawn.setflags(write=False)
            arguments[name] = drawn
            return value.nested(drawn) if isinstance(value, Counts) else drawn
        mixed = (sign * drawn * (1 + 0.1 * rng.normal(size=shape))).astype(array.dtype)
        mixed += (wobble * mixed * noise.normal(size=shape)).astype(array.dtype)
        arguments[name] = tensor(mixed, requires_grad=True, name=name)
        return arguments[name]

    given = {name: made(value, parameter(name)) for name, value in example.items()}
    try:
        with np.errstate(all="ignore"):
            returned = call_in(current()._replace(recording=True, any_data=True), f, (), given)
    except Exception as error:  # whatever somebody's function raises where sizes are others
        raise Unfit(error) from error
    outputs = outputs_of(returned)
    if sign < 0 and not all(isinstance(x, Tensor) and np.isfinite(x.value).all() for x in outputs):
        raise Unfit(ValueError("turned signs make what is not finite"))
    if not outputs or not all(isinstance(x, Tensor) for x in outputs):
        raise NotExpressible(
            "what a program computes are tensors, in tuples, lists or dicts; the function returns "
            + ("nothing" if not outputs else next(type(x).__name__ for x in outputs if not isinstance(x, Tensor)))
        )
    return OneRun(arguments, returned, outputs)


def _turned(drawn: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Return whole numbers of which half are 0; or 1, where all are 0; or the other one of True and False."""
    other = ~drawn.flat[0] if drawn.dtype.kind == "b" else not drawn.any()
    half = rng.permutation(np.arange(drawn.size) % 2).reshape(drawn.shape)
    return np.where(half > 0, drawn, other).astype(drawn.dtype)
