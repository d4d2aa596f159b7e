"""The same rules and forwards, read by the tracer, on numbers of 700 digits: is a mismatch a mistake, or rounding?

Digits that span the range of float64, so that even what saturates to the last bit keeps its derivative.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ...engine.graph import Graph
from ...engine.primitive import Primitive
from ...engine.tensor import Tensor
from ...symbolic.expressions import Name
from ...symbolic.tracer import TracedArray, UnknownToReader, cast, evaluate, read_forward, read_rule
from ..objective import Objective
from .question import Answer, Question
from .replicas import replicas

DIGITS = 700

LARGEST = 10_000
"""Numbers in a graph, at most. Those of an LSTM of 12 steps, 6,192 of them, took 0.8 s."""


TRIALS, MARGIN = 3, 8.0
"""How often constants are nudged, and how many times what that does may come of it: one in each of several places."""

_nudging: ContextVar[int | None] = ContextVar("nudging", default=None)


def precise_terms(
    objective: Objective, leaf: Tensor, direction: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return our terms ⟨g, u⟩ and the forwards' terms of the same derivative, both with 700 digits, rounded at the end.

    None if the graph is too large, or the numbers leave the reals; also, with a warning that gives the reason, if a
    forward or a rule cannot be read.
    """
    if not _is_possible(objective.graph):
        return None
    key = leaf, direction.tobytes()
    if key not in objective.precise:
        try:
            objective.precise[key] = _terms(objective, leaf, direction)
        except UnknownToReader as reason:
            objective.precise[key] = None
            with suppress(UnknownToReader):  # where warnings are errors the verdict still counts for more
                warnings.warn(reason, stacklevel=2)
    known: tuple[NDArray[Any], NDArray[Any]] | None = objective.precise[key]
    return known


def rounding_of_constants(objective: Objective, leaf: Tensor, direction: NDArray[Any], apart: float) -> float:
    """Return how far our derivative and the forwards' move apart where constants differ by their last bit.

    A forward and a rule that write 1/√2π each in its own way are a last bit apart, which no number of digits mends.
    Once is enough where it is far from explaining what is ``apart``.
    """
    moves = [0.0]
    for trial in range(TRIALS):
        token = _nudging.set(trial)
        try:
            terms = _terms(objective, leaf, direction)
        except UnknownToReader:
            return 0.0
        finally:
            _nudging.reset(token)
        here = precise_terms(objective, leaf, direction)
        if terms is not None and here is not None:
            moves.append(abs(float((terms[0].sum() - terms[1].sum()) - (here[0].sum() - here[1].sum()))))
        if 100 * MARGIN * max(moves) < apart:
            break
    return MARGIN * max(moves)


def applies(question: Question) -> bool:
    """Return whether the graph is small enough."""
    return _is_possible(question.objective.graph)


def ask(question: Question) -> Answer | None:
    """Compare to twelve digits; None where ``precise_terms`` has no answer."""
    terms = precise_terms(*question.line)
    if terms is None:
        return None
    ours, theirs = (float(each.sum()) for each in terms)
    agree = np.isclose(ours, theirs, rtol=1e-12, atol=0)
    return Answer(ours, theirs, "they agree" if agree else "they disagree")


def _is_possible(graph: Graph) -> bool:
    return sum(node.size for node in graph.nodes) <= LARGEST


def _terms(objective: Objective, leaf: Tensor, direction: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]] | None:
    graph = objective.graph
    step = _context().mpf(10) ** -(DIGITS // 3)
    along = long_numbers(direction)
    try:
        values = {node: long_numbers(graph.values[node]) for node in graph.leaves}
        made = replicas(graph, values, _forward, _long_primitive)
        moved = replicas(graph, {**values, leaf: values[leaf] + step * along}, _forward)
        replica = Objective(Graph(*(made[o] for o in graph.outputs)), tuple(map(long_numbers, objective.cotangents)))
        (gradient,) = replica.gradients([made[leaf]])
        here, there = (objective.terms({o: replica[o].value for o in graph.outputs}) for replica in (made, moved))
        ours = np.ravel(gradient * along)
        theirs = np.ravel((there - here) / step)
        return np.array(ours, np.float64), np.array(theirs, np.float64)
    except (TypeError, ValueError, ArithmeticError):
        return None  # no real number, or none at all: the logarithm of 0 or less, a division by 0


def _forward(node: Tensor, inputs: tuple[Any, ...]) -> Any:
    assert node.primitive is not None
    made = read_forward(node.primitive, node.input_values, node.attrs)
    return _evaluated([made], {f"x{i}": x for i, x in enumerate(inputs)})[0]


def _long_primitive(node: Tensor) -> Primitive:
    """Return a primitive whose rule is read from the node's, and computes with such numbers."""
    primitive = node.primitive
    assert primitive is not None
    names = ["g", "y", *(f"x{i}" for i in range(len(node.inputs)))]

    def rule(*arrays: Any, **attrs: Any) -> tuple[Any, ...]:
        upstream = 1 + np.arange(node.size, dtype=node.dtype).reshape(node.shape) / 7
        given = [upstream, node.value, *node.input_values]
        contributions = read_rule(primitive, list(map(Name, names)), given, attrs, opened=True)
        return tuple(_evaluated(contributions, dict(zip(names, arrays, strict=True))))

    return Primitive(primitive.name, lambda *xs: None, None if primitive.rule is None else rule, None)


def _evaluated(traced: Sequence[TracedArray | None], arrays: Mapping[str, Any]) -> list[Any]:
    return evaluate(traced, arrays, _applied, _constant)


def _constant(value: Any) -> Any:
    """Return a constant as such numbers; off by a part of its last bit, where that is asked, if it is a rounded one."""
    trial, made = _nudging.get(), long_numbers(value)
    if trial is None:
        return made
    numbers = np.asarray(value, np.float64)
    rng = np.random.default_rng([trial, crc32(numbers.tobytes())])  # the same number is off by the same everywhere
    numbers = np.where(np.isfinite(numbers), numbers, 0.0)
    rounded = numbers * 2.0**20 % 1 != 0  # ¾ is exact, and so is 1000
    return made + long_numbers(np.where(rounded, np.spacing(numbers) * rng.uniform(-1, 1, numbers.shape), 0.0))


def _applied(function: Any, operands: Sequence[Any], attrs: Mapping[str, Any]) -> Any:
    """Compute a function of such numbers: as mpmath does if it knows it, else as numpy does with any objects."""
    if function is cast:  # to float64 is no loss that float64 knows of
        made = operands[0] if attrs["dtype"] == np.float64 else function(*operands, **attrs)
        return long_numbers(made)
    compute = function.forward if isinstance(function, Primitive) else function
    made = (_ufunc(compute) if isinstance(compute, np.ufunc) else compute)(*operands, **attrs)
    return np.asarray(made).view(LongNumbers)


def _ufunc(ufunc: np.ufunc) -> Any:
    """Return it by the name it has in mpmath, which says atan where numpy says arctan."""
    name = ufunc.__name__
    known = getattr(_context(), name.replace("arc", "a", 1) if name.startswith("arc") else name, None)
    if known is not None and name != "fmod":  # whose sign is another there
        return np.frompyfunc(known, ufunc.nin, 1)
    if name not in _ARITHMETIC:
        raise UnknownToReader(f"numbers of {DIGITS} digits have no {name}")
    return ufunc


_ARITHMETIC = """
add subtract multiply divide negative positive absolute square reciprocal maximum minimum fmax fmin matmul
greater greater_equal less less_equal equal not_equal logical_and logical_or logical_not logical_xor
bitwise_and bitwise_or invert
""".split()  # noqa: SIM905
"""What numpy does with any objects that Python's operators know."""


class LongNumbers(np.ndarray[Any, Any]):
    """An array of such numbers, which stays one where a single number is left."""

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array.view(LongNumbers)


def long_numbers(array: Any) -> LongNumbers:
    """Return an array of mpmath's numbers."""
    number = _context().mpf
    longer = np.frompyfunc(lambda x: x if isinstance(x, number) else number(float(x)), 1, 1)
    return np.asarray(longer(array), dtype=object).view(LongNumbers)


@cache
def _context() -> Any:
    import mpmath

    context = mpmath.mp.clone()
    context.dps = DIGITS
    return context
