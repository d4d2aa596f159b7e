"""Unrolling: the same cell applied step after step, each in its time step's scope; layers on layers, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine import collector
from ..engine.errors import ShapeError
from ..engine.functions import concat, stack
from ..engine.scope import current, time_step
from ..engine.tensor import Tensor, following
from .cell import Cell, State, advance, as_state, state_parts
from .cells import GRUCell, LSTMCell, RNNCell
from .module import Module, Seed, as_input, described, generator, positive


class Recurrent(Module, Generic[State]):
    """Any cells, unrolled over a sequence: the same cell applied step after step.

    One cell is one layer, called ``cell``. Several are layers, bottom first, called ``layer0``, ``layer1``, ...; each
    reads h of the layer below. With ``bidirectional=True`` they come in pairs: ``layer0`` runs from the first step to
    the last, ``layer0_reverse`` from the last to the first, and the layer above reads both, [h, h of the reverse
    direction]. Time steps count from the left in both directions; a call that is given the state of another, detached
    or not, goes on counting where that stopped, unless ``tl.time_step(offset=...)`` says otherwise.

    ``layer(xs, state)`` takes xs of shape (T, N, D), or (T, D) without a batch, and returns ``(output, state)`` as
    PyTorch does: output (T, N, directions · H) holds h of the top layer at every step, state the last one of each cell,
    in the order of ``cells``: h_n, or (h_n, c_n), of shape (layers · directions, N, H); without a batch, N is missing
    from all of them. The same shape is expected of an initial state; without one, it is zeros.

    Arguments:
        cells: one for each layer and direction: layer 0, layer 0 reverse, layer 1, ...
        bidirectional: whether they come in pairs.

    Raises:
        TypeError: for anything but cells, or too few of them.
        ValueError: for cells that do not fit each other: states must have the same names and size in all, and a layer
            must read as many numbers as the one below writes.
        ShapeError: when called, for an xs or a state of another shape.

    Source: P. J. Werbos, "Backpropagation Through Time: What It Does and How to Do It" (1990); both directions,
    M. Schuster & K. K. Paliwal, "Bidirectional Recurrent Neural Networks" (1997).

    >>> import tinygrad_lstm as tl
    >>> layers = tl.nn.Recurrent(tl.LSTMCell(3, 4, rng=0), tl.PeepholeLSTMCell(4, 4, rng=1))
    >>> layers.layer1.forget_gate.weight.name
    'layer1.forget_gate.weight'
    >>> output, (h_n, c_n) = layers(tl.tensor([[[1, 2, 3]], [[4, 5, 6]]]))
    >>> output.shape, h_n.shape, c_n.shape
    ((2, 1, 4), (2, 1, 4), (2, 1, 4))
    """

    num_layers: int
    bidirectional: bool
    __names: tuple[str, ...] = ()

    def __init__(self, *cells: Cell[State], bidirectional: bool = False) -> None:
        for cell in cells:
            if not isinstance(cell, Cell):
                raise TypeError(
                    f"Recurrent unrolls a tl.nn.Cell, which knows its sizes and its zero state, not {cell!r}"
                )
        directions = 2 if bidirectional else 1
        if not cells or len(cells) % directions:
            wanted = "two cells, forward and reverse, for each layer" if bidirectional else "at least one cell"
            raise TypeError(f"Recurrent needs {wanted}; got {len(cells)}")
        self.num_layers = len(cells) // directions
        self.bidirectional = bool(bidirectional)
        names = _names(self.num_layers, directions)
        _require_alike(cells, names, directions)
        for name, cell in zip(names, cells, strict=True):
            if vars(self).get(name, cell) is not cell:
                raise TypeError(f"{type(self).__name__}.{name}: {_RESERVED}")
            setattr(self, name, cell)
        self.__names = names

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__names and not isinstance(value, Cell):
            raise TypeError(f"{type(self).__name__}.{name}: {_RESERVED}")
        super().__setattr__(name, value)

    @property
    def cells(self) -> tuple[Cell[State], ...]:
        """Return the cells in PyTorch's order: layer 0 forward, layer 0 reverse, layer 1 forward, ..."""
        return tuple(getattr(self, name) for name in self.__names)

    def __repr__(self) -> str:
        cells = self.cells
        sizes = f"{cells[0].input_size} → {cells[0].hidden_size}" if cells else "? → ?"
        layers = [f"layers={self.num_layers}"] if cells and self.num_layers > 1 else []
        return described(self, sizes, *layers, *(["bidirectional"] if cells and self.bidirectional else []))

    if TYPE_CHECKING:

        def __call__(self, xs: Tensor | ArrayLike, state: State | None = None) -> tuple[Tensor, State]: ...

    @collector.paused()
    def forward(self, xs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return h of the top layer at every step, and the last state of each cell."""
        cells, directions = self.cells, 2 if self.bidirectional else 1
        xs = as_input(xs, cells[0].dtype)
        here = f"{type(self).__name__}{current().place}"
        _require_sequence(xs, cells[0].input_size, here)
        start = current().offset
        if start is None:
            start = 0 if state is None else _after(state)
        with time_step(offset=start):
            given = None if state is None else _initial(state, xs, cells, self.__names, here)
        hidden: list[Tensor] = []  # h of the layer below, T times (N, directions * H)
        ends: list[tuple[Tensor, ...]] = []
        for first in range(0, len(cells), directions):
            side, below = slice(first, first + directions), hidden or xs
            states = given[side] if given else [state_parts(cell, cell.zero_state(below[0])) for cell in cells[side]]
            hidden, last = _layer(cells[side], below, states, start)
            ends += last
        with time_step(offset=start + len(xs)):  # where time goes on from this state
            state_n: State = as_state(tuple(_along_new_axis(parts) for parts in zip(*ends, strict=True)))
            return stack(hidden), state_n


_RESERVED = "this is the name of a cell that is unrolled; give the other part another one"


def _names(num_layers: int, directions: int) -> tuple[str, ...]:
    """Return what the cells are called, in their order."""
    if num_layers == directions == 1:
        return ("cell",)
    sides = ["", "_reverse"][:directions]
    return tuple(f"layer{k}{side}" for k in range(num_layers) for side in sides)


def _require_alike(cells: Sequence[Cell[Any]], names: Sequence[str], directions: int) -> None:
    """Refuse cells whose states cannot be stacked, or that cannot read what the layer below writes."""
    bottom = cells[0]
    for k, (name, cell) in enumerate(zip(names, cells, strict=True)):
        if cell.state_names != bottom.state_names or cell.hidden_size != bottom.hidden_size:
            raise ValueError(
                f"{name} keeps {_kept(cell)}, {names[0]} keeps {_kept(bottom)}; the layers' states are stacked, so "
                "they must be alike"
            )
        size = directions * bottom.hidden_size if k >= directions else bottom.input_size
        if cell.input_size != size:
            below = " and ".join(names[k - k % directions - directions : k - k % directions])
            reads = f"reads h of {below}" if below else f"reads the same sequence as {names[0]}"
            raise ValueError(f"{name} {reads}, so its input_size must be {size}, not {cell.input_size}")


def _require_sequence(xs: Tensor, size: int, here: str) -> None:
    """Refuse what is not a sequence of vectors of this size, with one step at least."""
    if xs.ndim not in (2, 3) or xs.shape[-1] != size or not len(xs):
        raise ShapeError(f"{here}: xs has shape {xs.shape}; it must be (T, N, {size}) or (T, {size}) with T >= 1")


def _initial(
    state: Any, xs: Tensor, cells: Sequence[Cell[Any]], names: Sequence[str], here: str
) -> list[tuple[Tensor, ...]]:
    """Return the given state, a piece for each cell."""
    wanted = cells[0].state_names
    parts = tuple(state) if isinstance(state, tuple | list) else (state,)
    expected = (len(cells), *xs.shape[1:-1], cells[0].hidden_size)
    tensors = all(isinstance(part, Tensor) for part in parts)
    if not tensors or len(parts) != len(wanted) or any(part.shape != expected for part in parts):
        got = ", ".join(str(part.shape) if isinstance(part, Tensor) else type(part).__name__ for part in parts)
        layers = "one layer" if len(cells) == 1 else ", ".join(names)
        raise (ShapeError if tensors else TypeError)(
            f"{here}: the initial state must be {', '.join(wanted)}, each a Tensor of shape {expected} "
            f"({layers}); got {got}"
        )
    return [tuple(part[k] for part in parts) for k in range(len(cells))]


def _after(state: Any) -> int:
    """Return the step at which time goes on from a state."""
    parts = state if isinstance(state, tuple | list) else (state,)
    return following(*(part for part in parts if isinstance(part, Tensor))) or 0


def _layer(
    cells: Sequence[Cell[Any]], below: Tensor | list[Tensor], states: Sequence[tuple[Tensor, ...]], start: int
) -> tuple[list[Tensor], list[tuple[Tensor, ...]]]:
    """Return h of every step, (N, directions * H), and the last state of each cell; below: T times (N, D)."""
    forward, *reverse = cells
    now = states[0]
    xs: list[Tensor] = []
    hidden: list[Tensor] = []
    for t in range(len(below)):
        with time_step(t, offset=start):
            x = below[t]  # a slice is made here, once, for both directions
            if x.name is None and not x.is_leaf:
                x.name = "x"
            now = advance(forward, x, now)  # (h,) or (h, c), each (N, H)
        xs.append(x)
        hidden.append(now[0])
    ends = [now]
    for cell, now in zip(reverse, states[1:], strict=True):
        for t in reversed(range(len(xs))):
            with time_step(t, offset=start):
                now = advance(cell, xs[t], now)
                hidden[t] = concat([hidden[t], now[0]], axis=-1)  # (N, 2H)
                hidden[t].name = "h"
        ends.append(now)
    return hidden, ends


def _along_new_axis(parts: tuple[Tensor, ...]) -> Tensor:
    """Join (N, H) of each cell to (layers * directions, N, H)."""
    joined: Tensor = stack(parts) if len(parts) > 1 else parts[0].reshape(1, *parts[0].shape)
    return joined


def _kept(cell: Cell[Any]) -> str:
    return f"{', '.join(cell.state_names)} of size {cell.hidden_size}"


class RNN(Recurrent[Tensor]):
    """Plain recurrent layers: ``RNNCell`` unrolled over a sequence, h′ = tanh([h, x] W + b).

    ``layer(xs, h)`` takes xs of shape (T, N, D) or (T, D) and returns ``(output, h_n)``: output of shape
    (T, N, directions · H), the rest of shape (layers · directions, N, H); N is missing from all where xs lacks it.

    Arguments:
        input_size: D.
        hidden_size: H.
        num_layers: layers on one another; each reads the output of the one below.
        bidirectional: whether each layer also runs from the last step to the first.
        nonlinearity: "tanh" or "relu".
        rng: a seed or a numpy Generator, from which the cells draw in the order of ``cells``.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and for another nonlinearity.
        ShapeError: when called, for an xs or a state of another shape.

    Source: J. L. Elman (1990); both directions, M. Schuster & K. K. Paliwal (1997).

    >>> import tinygrad_lstm as tl
    >>> output, h_n = tl.RNN(3, 4, rng=0)(tl.tensor([[1, 2, 3], [4, 5, 6]]))
    >>> output.shape, h_n.shape
    ((2, 4), (1, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        nonlinearity: str = "tanh",
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        rng = generator(rng)
        sizes = _input_sizes(input_size, hidden_size, num_layers, bidirectional)
        cells = [RNNCell(size, hidden_size, nonlinearity=nonlinearity, rng=rng, dtype=dtype) for size in sizes]
        super().__init__(*cells, bidirectional=bidirectional)


class LSTM(Recurrent[tuple[Tensor, Tensor]]):
    """LSTM layers: ``LSTMCell`` unrolled over a sequence; its equations stand there.

    ``layer(xs, (h, c))`` takes xs of shape (T, N, D) or (T, D) and returns ``(output, (h_n, c_n))``: output of shape
    (T, N, directions · H), the rest of shape (layers · directions, N, H); N is missing from all where xs lacks it.

    Arguments:
        input_size: D.
        hidden_size: H.
        num_layers: layers on one another; each reads the output of the one below.
        bidirectional: whether each layer also runs from the last step to the first.
        forget_bias: what the biases of the forget gates begin with.
        rng: a seed or a numpy Generator, from which the cells draw in the order of ``cells``.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        ShapeError: when called, for an xs or a state of another shape.

    Source: S. Hochreiter & J. Schmidhuber (1997); F. A. Gers, J. Schmidhuber & F. Cummins (2000); both directions,
    M. Schuster & K. K. Paliwal (1997).

    >>> import tinygrad_lstm as tl
    >>> lstm = tl.LSTM(3, 4, num_layers=2, bidirectional=True, rng=0)
    >>> output, (h_n, c_n) = lstm(tl.tensor([[[1, 2, 3]], [[4, 5, 6]]]))
    >>> output.shape, h_n.shape, c_n.shape
    ((2, 1, 8), (4, 1, 4), (4, 1, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        forget_bias: float = 1.0,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        rng = generator(rng)
        sizes = _input_sizes(input_size, hidden_size, num_layers, bidirectional)
        cells = [LSTMCell(size, hidden_size, forget_bias=forget_bias, rng=rng, dtype=dtype) for size in sizes]
        super().__init__(*cells, bidirectional=bidirectional)


class GRU(Recurrent[Tensor]):
    """GRU layers: ``GRUCell`` unrolled over a sequence; its equations stand there.

    ``layer(xs, h)`` takes xs of shape (T, N, D) or (T, D) and returns ``(output, h_n)``: output of shape
    (T, N, directions · H), the rest of shape (layers · directions, N, H); N is missing from all where xs lacks it.

    Arguments:
        input_size: D.
        hidden_size: H.
        num_layers: layers on one another; each reads the output of the one below.
        bidirectional: whether each layer also runs from the last step to the first.
        rng: a seed or a numpy Generator, from which the cells draw in the order of ``cells``.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        ShapeError: when called, for an xs or a state of another shape.

    Source: K. Cho et al. (2014); both directions, M. Schuster & K. K. Paliwal (1997).

    >>> import tinygrad_lstm as tl
    >>> gru = tl.GRU(3, 4, num_layers=2, rng=0)
    >>> gru
    GRU(3 → 4, layers=2)
    >>> output, h_n = gru(tl.tensor([[1, 2, 3], [4, 5, 6]]))
    >>> output.shape, h_n.shape
    ((2, 4), (2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        rng = generator(rng)
        sizes = _input_sizes(input_size, hidden_size, num_layers, bidirectional)
        cells = [GRUCell(size, hidden_size, rng=rng, dtype=dtype) for size in sizes]
        super().__init__(*cells, bidirectional=bidirectional)


def _input_sizes(input_size: int, hidden_size: int, num_layers: int, bidirectional: bool) -> list[int]:
    """Return what each cell reads, in the order of ``Recurrent.cells``."""
    positive(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
    directions = 2 if bidirectional else 1
    return [input_size] * directions + [directions * hidden_size] * directions * (num_layers - 1)
