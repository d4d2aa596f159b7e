"""Hypothesis strategies for everything a gradient can be asked of: arrays, indices, programs, cells and networks.

Arrays come from a drawn seed with a few drawn entries laid over it, which is several times faster than drawing every
entry, and shrinks as well. Shapes shrink to scalars and single numbers, programs to the fewest operations.

>>> from hypothesis import given
>>> from tinygrad_lstm.testing import strategies
>>> @given(strategies.expression_graphs(ops=["mul", "tanh"]))
... def test_gradients(gradcheck, program):
...     gradcheck(program, *program.inputs)
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import DTypeLike, NDArray

from ...engine.graph import Graph
from ...engine.ops import BUILTIN
from ...engine.primitive import Primitive
from ...engine.tensor import Tensor, tensor
from ...nn import Recurrent
from ...nn.cell import Cell
from ...nn.cells import CELLS
from ..oracles.kinks import branches
from .expression_graphs import ExpressionGraph, resolve

Shape = tuple[int, ...]
Strategy = st.SearchStrategy

integers = st.integers  # for attributes, as in check_op(op, n=strategies.integers(1, 4))
seeds = st.integers(0, 2**32 - 1)
overrides = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 11)), max_size=6)
"""Places and what to lay over them, both modulo what there is: made once, which is most of what a draw takes."""

dtypes = st.sampled_from([np.float64, np.float64, np.float32])


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 4) -> Strategy[Shape]:
    """Draw one shape; sides of 0 too with ``min_side=0``."""
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcastable(n: int, min_side: int = 1) -> Strategy[tuple[Shape, ...]]:
    """Draw ``n`` shapes that broadcast with each other, 1 and missing axes included; empty ones with ``min_side=0``."""
    return hnp.mutually_broadcastable_shapes(num_shapes=n, min_dims=0, max_dims=3, min_side=min_side, max_side=4).map(
        lambda drawn: drawn.input_shapes
    )


@st.composite
def values(
    draw: st.DrawFn,
    shape: Shape,
    low: float = 1e-3,
    high: float = 1e3,
    *,
    positive: bool = False,
    special: Sequence[float] = (),
    dtype: DTypeLike | None = None,
) -> NDArray[Any]:
    """Draw magnitudes spread evenly over the decades from low to high, with signs unless positive; some ``special``."""
    rng = np.random.default_rng(draw(seeds))
    where = rng.uniform(0.0 if positive else -1.0, 1.0, size=shape)  # on the scale from low to high, and the sign
    array: NDArray[Any] = np.copysign(low * np.exp(np.abs(where) * np.log(high / low)), where)
    if array.size and special:
        for position, which in draw(overrides):
            array.flat[position % array.size] = special[which % len(special)]
    return array.astype(draw(dtypes) if dtype is None else dtype)


@st.composite
def tensors(
    draw: st.DrawFn,
    shape: Strategy[Shape] | Shape | None = None,
    low: float = 1e-3,
    high: float = 1e3,
    *,
    positive: bool = False,
    dtype: DTypeLike = np.float64,
) -> Tensor:
    """Draw leaves that require a gradient: of any small shape, sides of 0 and 1 included, unless one is given.

    Some of them hold ±0.0 or the same number twice, some lie in memory the other way round. A large one costs as little
    as a small one: its numbers come from one drawn seed.
    """
    given = shapes(min_side=0) if shape is None else st.just(shape) if isinstance(shape, tuple) else shape
    special = () if positive else (0.0, -0.0, 1.0, -1.0)
    array = draw(values(draw(given), low, high, positive=positive, special=special, dtype=dtype))
    if draw(st.booleans()):
        array = np.asfortranarray(array)
    return tensor(array, requires_grad=True)


@st.composite
def axes(draw: st.DrawFn, ndim: int) -> Any:
    """Draw None, one axis or several, counted from either end."""
    if ndim == 0:
        return draw(st.sampled_from([None, ()]))
    one = st.integers(-ndim, ndim - 1)
    several = st.lists(st.integers(0, ndim - 1), unique=True).map(tuple)
    return draw(st.none() | one | several)


def indices(shape: Shape) -> Strategy[Any]:
    """Draw slices, integers, None and Ellipsis; integer arrays with repeats; boolean arrays."""
    basic = hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
    masks = hnp.arrays(bool, shape)
    if not shape or 0 in shape:
        return basic
    repeated = hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=4))
    first = st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=5)
    mixed = st.tuples(first, st.just(...), st.none())
    return basic | repeated | masks | first | mixed


@st.composite
def matmul_shapes(draw: st.DrawFn) -> tuple[Shape, Shape]:
    """Draw all of numpy's: vectors, matrices, batches, batches that broadcast; any side may be empty."""
    m, k, n = (draw(st.integers(0, 4)) for _ in range(3))
    left, right = draw(broadcastable(2, min_side=0).filter(lambda pair: max(map(len, pair)) <= 2))
    a = draw(st.sampled_from([(k,), (m, k), (*left, m, k)]))
    b = draw(st.sampled_from([(k,), (k, n), (*right, k, n)]))
    return a, b


@st.composite
def expression_graphs(
    draw: st.DrawFn, ops: Iterable[str | Primitive] | None = None, max_nodes: int = 12, high: float = 1e3
) -> ExpressionGraph:
    """Draw random programs of the given operations, all of ours by default: callable, with ``inputs`` to call it on.

    Each line uses any two earlier values, itself twice included, so that there are fan-outs and diamonds; what nobody
    uses is a dead branch. Inputs have up to three axes, sides of 0 and 1 among them, magnitudes from 1e-3 to ``high``,
    zeros of both signs, and ties. A line that does not fit its operands becomes one that does: a logarithm is taken of
    something positive, a product of matrices whose sides agree. ``program.code`` is the program as one would write it.
    """
    asked = list(BUILTIN) if ops is None else list(ops)
    for op in asked:
        if isinstance(op, str) and op not in BUILTIN:
            raise ValueError(f"there is no operation {op!r} to build graphs of; there are {', '.join(BUILTIN)}")
    known = [BUILTIN[op] if isinstance(op, str) else op for op in asked]
    numbers = st.integers(0, 30)
    count = draw(st.integers(1, 3))
    common = draw(broadcastable(count, min_side=draw(st.sampled_from([1, 1, 1, 0]))))
    special = (0.0, -0.0, 1.0, 1.0)
    leaves = [draw(values(shape, high=high, special=special, dtype=np.float64)) for shape in common]
    lines = draw(
        st.lists(st.tuples(st.sampled_from(known), numbers, numbers, st.integers(0, 7)), min_size=1, max_size=max_nodes)
    )
    return resolve(leaves, lines)


@st.composite
def cells(draw: st.DrawFn, kinds: Sequence[str] = tuple(CELLS), max_size: int = 4) -> Cell:
    """Draw a recurrent cell of ours, with sizes up to ``max_size``: D == H as often as not."""
    kind = draw(st.sampled_from(list(kinds)))
    hidden = draw(st.integers(1, max_size))
    size = hidden if draw(st.booleans()) else draw(st.integers(1, max_size))
    return CELLS[kind](size, hidden, rng=draw(seeds))


@st.composite
def sequences(
    draw: st.DrawFn, input_size: int, max_steps: int = 6, max_batch: int = 3, low: float = 1e-3, high: float = 1e3
) -> NDArray[Any]:
    """Draw an input (T, N, D) to a recurrent layer, all of it scaled by something between ``low`` and ``high``."""
    steps, batch = draw(st.integers(1, max_steps)), draw(st.integers(1, max_batch))
    scale = float(np.exp(draw(st.floats(np.log(low), np.log(high)))))
    return scale * np.random.default_rng(draw(seeds)).normal(size=(steps, batch, input_size))


@dataclass(frozen=True, eq=False)
class Network:
    """A recurrent layer and a sequence for it; calling it gives the outputs at all steps."""

    layer: Recurrent
    xs: NDArray[Any]

    def __call__(self, xs: Any) -> Tensor:
        output: Tensor = self.layer(xs)[0]
        return output


@st.composite
def recurrent_networks(draw: st.DrawFn, max_layers: int = 2, max_steps: int = 6, high: float = 1e3) -> Network:
    """Draw layers of cells on one another, in one direction or both, over a sequence of any scale up to ``high``."""
    first = draw(cells(max_size=3))
    kind = next(name for name, made in CELLS.items() if type(first) is made)
    directions = 2 if draw(st.booleans()) else 1
    rng = np.random.default_rng(draw(seeds))
    size, hidden = first.input_size, first.hidden_size
    sizes = [size, *[hidden * directions] * (draw(st.integers(1, max_layers)) - 1)]
    stacked = [CELLS[kind](d, hidden, rng=rng) for d in sizes for _ in range(directions)]
    layer: Recurrent = Recurrent(*stacked, bidirectional=directions == 2)
    return Network(layer, draw(sequences(size, max_steps=max_steps, high=high)))


def away_from_kinks(
    f: Callable[..., Any], inputs: Strategy[Sequence[NDArray[Any]]], margin: float = 1e-3
) -> Strategy[Sequence[NDArray[Any]]]:
    """Keep only those inputs of f that stay on their side of every kink when moved at random by ``margin``, relatively.

    Kinks are what the primitives declare: see ``kink`` of ``tl.primitive``.
    """

    def is_away(arrays: Sequence[NDArray[Any]]) -> bool:
        rng = np.random.default_rng(0)
        leaves = [tensor(array, requires_grad=True) for array in arrays]
        graph = Graph(f(*leaves))
        with np.errstate(all="ignore"):
            here = list(branches(graph, graph.replay()))
            for _ in range(4):
                moved = {
                    x: x.value + margin * np.maximum(np.abs(x.value), margin) * rng.choice([-1, 1], x.shape)
                    for x in leaves
                    if x in set(graph.leaves)
                }
                if any(
                    not np.array_equal(a, b) for a, b in zip(here, branches(graph, graph.replay(moved)), strict=True)
                ):
                    return False
        return all(not (kink == 0).all() or not kink.size for kink in here)

    return inputs.filter(is_away)
