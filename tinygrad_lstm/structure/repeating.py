"""Where the order in which operations ran repeats itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from ..engine.source import Line
from ..engine.tensor import Tensor


def kinds_of(nodes: Sequence[Tensor]) -> np.ndarray[Any, Any]:
    """Return a number for each operation, the same for those that do the same in different steps.

    They run on the same line of the program, in the same modules, on operands of the same shapes, with the same
    parameters; where they take an entry of an array, or rows of a table, it may be another.
    """
    places = [(node.primitive, _position(node.code, node.instruction), _calls(node)) for node in nodes]
    uses = Counter(
        (x, place)
        for node, place in zip(nodes, places, strict=True)
        for x in node.inputs
        if x.requires_grad and x.is_leaf
    )
    lasting = {x for (x, _), count in uses.items() if count > 1}
    numbers: dict[Any, int] = {}
    found = []
    for node, place in zip(nodes, places, strict=True):
        operands = tuple((x.shape, x.dtype.char, x.serial if x in lasting else 0) for x in node.inputs[:8])
        moves = node.primitive is not None and node.primitive.style in ("element", "at")
        attrs = tuple((name, _general(value, moves)) for name, value in node.attrs.items())
        kind = (place, node.shape, len(node.inputs), operands, attrs)
        found.append(numbers.setdefault(kind, len(numbers)))
    return np.array(found, dtype=np.intp)


def _calls(node: Tensor) -> tuple[Any, ...]:
    return tuple((_position(frame.code, frame.instruction), frame.module, frame.name) for frame in node.context.frames)


def _position(code: CodeType | Line | None, instruction: int) -> Any:
    """Return where in the source an instruction stands: what Python made of it may move as it runs again and again."""
    return (code, _positions(code)[instruction // 2]) if isinstance(code, CodeType) else code


@lru_cache(maxsize=512)
def _positions(code: CodeType) -> list[Any]:
    return list(code.co_positions())


def _general(value: Any, moves: bool) -> Any:
    """Return an attribute without the numbers that may differ from step to step: which entry, and arrays."""
    if isinstance(value, np.ndarray):
        return "array", value.shape
    if isinstance(value, tuple) and any(isinstance(x, np.ndarray) for x in value):
        return tuple(_general(x, moves) for x in value)
    if not moves:
        return repr(value)
    if isinstance(value, tuple) and value and isinstance(value[0], int):
        return ("entry", *map(repr, value[1:])) if any(isinstance(x, slice) or x is Ellipsis for x in value) else value
    if isinstance(value, int) and not isinstance(value, bool):
        return "entry"
    return repr(value)


def longest_run(nodes: Sequence[Tensor], kinds: np.ndarray[Any, Any], start: int) -> tuple[int, int, int]:
    """Return where, soon, the order begins to repeat itself, after how many operations it does, and how often.

    Of several repetitions it is that of most operations; one that is none has the count 1.
    """
    rest = kinds[start:]
    best, slack = (1, 1), 0
    for period in np.flatnonzero(rest[1:] == rest[0])[:64] + 1:
        same = rest[: len(rest) - period] == rest[period:]
        stop = len(same) if same.all() else int(np.argmin(same))
        count = stop // int(period) + 1
        if count > 1 and count * period > best[0] * best[1]:
            best, slack = (int(period), count), stop % int(period)
    period, count = best
    shifts = range(slack + 1) if count > 1 else [0]
    shift = min(shifts, key=lambda shift: _tornness(nodes[start + shift : start + shift + 2 * period], period))
    return shift, period, count


def _tornness(two: Sequence[Tensor], period: int) -> tuple[Any, ...]:
    """Return how little a step begins here: how many values go from one to the next, and how late in the program."""
    first = {node: i for i, node in enumerate(two[:period])}
    crossing = {first[x] for node in two[period:] for x in node.inputs if x in first}
    begins = len(two) > period and two[period - 1].time == two[period].time
    return len(crossing), begins, [frame.instruction for frame in two[0].context.frames], two[0].instruction
