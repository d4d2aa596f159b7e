"""Unrolling: the same cell applied step after step, each in its time step's scope; layers on layers, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic

import numpy as np
from numpy.typing import ArrayLike

from ..engine.errors import ShapeError
from ..engine.functions import concat, stack
from ..engine.ops import transpose
from ..engine.primitive import Array
from ..engine.scope import current, scope, time_step
from ..engine.tensor import Tensor, following
from ..structure import collector
from .arguments import as_input, as_ours, true_or_false, within
from .cell import Cell, State, as_state, said, state_parts
from .creation import Seed
from .lengths import Steps, advance_within, steps_within, without_padding
from .module import Module, described
from .packed import in_order, is_packed, packed_like, padded
from .regularisers import Dropout


class Recurrent(Module, Generic[State]):
    """Any cells, unrolled over a sequence: the same cell applied step after step.

    One cell is one layer, called ``cell``. Several are layers, bottom first, called ``layer0``, ``layer1``, ...; each
    reads h of the layer below. With ``bidirectional=True`` they come in pairs: ``layer0`` runs from the first step to
    the last, ``layer0_reverse`` from the last to the first, and the layer above reads both, [h, h of the reverse
    direction]. Time steps count from the left in both directions; a call that is given the state of another, detached
    or not, goes on counting where that stopped, unless ``tl.time_step(offset=...)`` says otherwise.

    ``layer(xs, state)`` takes xs of shape (T, N, D), T steps of N sequences, or (T, D), one sequence without a batch,
    and returns ``(output, state)`` as PyTorch does: output (T, N, directions · H) holds h of the top layer at every
    step, state the last one of each cell, in the order of ``cells``: h_n, or (h_n, c_n), of shape
    (layers · directions, N, H); without a batch, N is missing from all of them. The same shape is expected of an
    initial state; without one, it is zeros. H is the size of each part of the state, ``state_sizes`` of the cells.

    ``layer(xs, state, lengths=[5, 2, 3])`` says how long each of the N sequences is, in any order: what xs holds past
    their ends is not seen, be it NaN, and gets a gradient of 0. There, output is 0, the state stays that of the last
    step within, and the reverse direction begins at that step. NaN within a sequence goes where the equations carry it;
    under ``tl.detect_nan()`` it is refused. A PackedSequence of PyTorch's is such a batch too, and the output is one.

    Arguments:
        cells: one for each layer and direction: layer 0, layer 0 reverse, layer 1, ...
        bidirectional: whether they come in pairs.
        batch_first: whether xs is (N, T, D) and output (N, T, directions · H); states stay as they are.
        dropout: the chance, 0 <= p < 1, to drop each number between one layer and the next while ``training``; see
            ``tl.nn.Dropout``. Above 0 it is a part of the layer, called ``dropout``.
        rng: a seed or a numpy Generator for that.

    Raises:
        TypeError: for anything but cells, or too few of them; when called, for lengths that are no numbers.
        ValueError: for cells that do not fit each other: states must have the same names and sizes in all, and a layer
            must read as many numbers as the one below writes; for a dropout out of its range, or with one layer only;
            when called, for lengths that are not whole numbers from 1 to T.
        ShapeError: when called, for an xs or a state of another shape, T or N of 0, and lengths that are not N.
        FloatingPointError: when called under ``tl.detect_nan()``, for NaN or Inf in xs.

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
    input_size: int
    hidden_size: int
    bidirectional: bool
    batch_first: bool
    __names: tuple[str, ...] = ()
    __drops = False

    def __init__(
        self,
        *cells: Cell[State],
        bidirectional: bool = False,
        batch_first: bool = False,
        dropout: float = 0.0,
        rng: Seed = None,
    ) -> None:
        true_or_false(bidirectional=bidirectional, batch_first=batch_first)
        within(0, 1, dropout=dropout)
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
        self.input_size, self.hidden_size = cells[0].input_size, cells[0].hidden_size
        self.bidirectional, self.batch_first = bool(bidirectional), bool(batch_first)
        names = _names(self.num_layers, directions)
        _require_alike(cells, names, directions)
        if dropout and self.num_layers == 1:
            raise ValueError(f"dropout={dropout} acts between layers, and there is one; num_layers=2, or no dropout")
        parts: dict[str, Module] = dict(zip(names, cells, strict=True))
        if dropout:
            parts["dropout"] = Dropout(dropout, rng=rng)
        for name, part in parts.items():
            if vars(self).get(name, part) is not part:
                raise TypeError(f"{type(self).__name__}.{name}: {_RESERVED}")
            setattr(self, name, part)
        self.__names, self.__drops = names, bool(dropout)

    def __setattr__(self, name: str, value: Any) -> None:
        taken = name in self.__names and not isinstance(value, Cell)
        if taken or (self.__drops and name == "dropout" and not isinstance(value, Dropout)):
            raise TypeError(f"{type(self).__name__}.{name}: {_RESERVED}")
        super().__setattr__(name, value)

    @property
    def cells(self) -> tuple[Cell[State], ...]:
        """Return the cells in PyTorch's order: layer 0 forward, layer 0 reverse, layer 1 forward, ..."""
        return tuple(getattr(self, name) for name in self.__names)

    def __repr__(self) -> str:
        cells = self.cells
        sizes = f"{cells[0].input_size} → {cells[0].state_sizes[0]}" if cells else "? → ?"
        said = {f"layers={self.num_layers}": self.num_layers > 1} if cells else {}
        said |= {word: bool(vars(self).get(word)) for word in ("bidirectional", "batch_first")}
        dropout = [f"dropout={vars(self)['dropout'].p}"] if self.__drops else []
        return described(self, sizes, *(word for word, holds in said.items() if holds), *dropout)

    if TYPE_CHECKING:

        def __call__(
            self, xs: Tensor | ArrayLike, state: State | None = None, *, lengths: ArrayLike | None = None
        ) -> tuple[Tensor, State]: ...

    @collector.paused()
    def forward(
        self, xs: Tensor, state: State | None = None, *, lengths: ArrayLike | None = None
    ) -> tuple[Tensor, State]:
        """Return h of the top layer at every step, and the last state of each cell."""
        cells, directions = self.cells, 2 if self.bidirectional else 1
        if is_packed(xs):
            packed: tuple[Any, State] = self._packed(packed=xs, state=state)
            return packed
        xs = as_input(xs, cells[0].dtype)
        here = f"{type(self).__name__}{current().place}"
        _require_sequence(xs, cells[0].input_size, here, self.batch_first)
        batch_first = self.batch_first and xs.ndim == 3
        steps = None if lengths is None else steps_within(lengths, xs, here, batch_first)
        if steps is not None and steps.all() and not current().any_data:
            steps = None  # no sequence ends before the others
        if steps is not None:
            xs = without_padding(xs, steps.T if batch_first else steps)
        _require_finite(xs.value.swapaxes(0, 1) if batch_first else xs.value, here)
        if batch_first:
            xs = transpose(xs, axes=(1, 0, 2))  # (T, N, D)
        start = current().offset
        if start is None:
            start = 0 if state is None else _after(state)
        with time_step(offset=start):
            given = None if state is None else _initial(as_ours(state), xs, cells, self.__names, here)
        hidden: list[Tensor] = []  # h of the layer below, T times (N, directions * H)
        ends: list[tuple[Tensor, ...]] = []
        for first in range(0, len(cells), directions):
            side, below = slice(first, first + directions), hidden or xs
            states = given[side] if given else [state_parts(cell, cell.zero_state(below[0])) for cell in cells[side]]
            if self.__drops and first:
                below = _dropped(vars(self)["dropout"], hidden, start)
            hidden, last = _layer(cells[side], below, states, start, steps)
            ends += last
        with time_step(offset=start + len(xs)):  # where time goes on from this state
            state_n: State = as_state(tuple(_along_new_axis(parts) for parts in zip(*ends, strict=True)))
            output = stack(hidden, axis=1 if batch_first else 0)
            if steps is not None:
                with scope("lengths"):
                    output = without_padding(output, steps.T if batch_first else steps)
            return output, state_n

    def _packed(self, packed: Any, state: Any) -> Any:
        """Return the output of PyTorch's packed sequences, packed too, and the last states in the order of before."""
        xs, lengths = padded(packed, self.cells[0].dtype)
        xs = transpose(xs, axes=(1, 0, 2)) if self.batch_first else xs
        output, state_n = self.forward(xs, in_order(state, packed.sorted_indices), lengths=lengths)
        output = transpose(output, axes=(1, 0, 2)) if self.batch_first else output
        return packed_like(packed, output), in_order(state_n, packed.unsorted_indices)

    def flatten_parameters(self) -> None:
        """Do nothing: PyTorch's way to lay out weights for a graphics processor."""


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
        if cell.state_names != bottom.state_names or cell.state_sizes != bottom.state_sizes:
            raise ValueError(
                f"{name} keeps {_kept(cell)}, {names[0]} keeps {_kept(bottom)}; the layers' states are stacked, so "
                "they must be alike"
            )
        size = directions * bottom.state_sizes[0] if k >= directions else bottom.input_size
        if cell.input_size != size:
            below = " and ".join(names[k - k % directions - directions : k - k % directions])
            reads = f"reads h of {below}" if below else f"reads the same sequence as {names[0]}"
            raise ValueError(f"{name} {reads}, so its input_size must be {size}, not {cell.input_size}")


def _require_sequence(xs: Tensor, size: int, here: str, batch_first: bool) -> None:
    """Refuse what is not a sequence of vectors of this size, with one step and one sequence at least."""
    axes = "NTD" if batch_first else "TND"
    if xs.ndim not in (2, 3) or xs.shape[-1] != size or 0 in xs.shape:
        raise ShapeError(
            f"{here}: xs has shape {said(xs.shape, axes if xs.ndim == 3 else 'TD')}; it must be "
            f"({axes[0]}, {axes[1]}, D={size}) or (T, D={size}) with T >= 1 and N >= 1"
        )


def _require_finite(xs: Array, here: str) -> None:
    """Refuse, where faults are looked for, what holds one: xs is (T, N, D) or (T, D)."""
    is_fault = current().detecting_nan
    faults = np.argwhere(is_fault(xs)).tolist() if is_fault else ()
    if faults:
        t, *n, d = faults[0]
        step = f"step {t} of sequence {n[0]}" if n else f"step {t}"
        raise FloatingPointError(f"{here}: xs holds {xs[(t, *n, d)]} at {step}, in entry {d}")


def _initial(
    state: Any, xs: Tensor, cells: Sequence[Cell[Any]], names: Sequence[str], here: str
) -> list[tuple[Tensor, ...]]:
    """Return the given state, a piece for each cell."""
    bottom = cells[0]
    parts = tuple(state) if isinstance(state, tuple | list) else (state,)
    expected = [(len(cells), *xs.shape[1:-1], size) for size in bottom.state_sizes]
    tensors = all(isinstance(part, Tensor) for part in parts)
    if not tensors or [part.shape for part in parts] != expected:
        axes = ("layers·directions", "N", "H") if xs.ndim == 3 else ("layers·directions", "H")
        got = ", ".join(said(part.shape, axes) if isinstance(part, Tensor) else type(part).__name__ for part in parts)
        each = zip(bottom.state_names, expected, strict=True)
        wanted = ", ".join(f"{name} of shape {said(shape, axes)}" for name, shape in each)
        layers = "one layer" if len(cells) == 1 else ", ".join(names)
        of = said(xs.shape, "TND" if xs.ndim == 3 else "TD")
        raise (ShapeError if tensors else TypeError)(
            f"{here}: the initial state must be Tensors: {wanted} ({layers}); got {got} for xs of shape {of}"
        )
    return [tuple(part[k] for part in parts) for k in range(len(cells))]


def _after(state: Any) -> int:
    """Return the step at which time goes on from a state."""
    parts = state if isinstance(state, tuple | list) else (state,)
    return following(*(part for part in parts if isinstance(part, Tensor))) or 0


def _dropped(dropout: Dropout, hidden: list[Tensor], start: int) -> list[Tensor]:
    """Return h of every step with some of its numbers dropped, others at each step."""
    dropped = []
    for t, h in enumerate(hidden):
        with time_step(t, offset=start):
            dropped.append(dropout(h))
    return dropped


def _layer(
    cells: Sequence[Cell[Any]],
    below: Tensor | list[Tensor],
    states: Sequence[tuple[Tensor, ...]],
    start: int,
    steps: Steps | None,
) -> tuple[list[Tensor], list[tuple[Tensor, ...]]]:
    """Return h of every step, (N, directions * H), and the last state of each cell; below: T times (N, D).

    steps: which are within their sequences, (T, N); None if all are.
    """
    forward, *reverse = cells
    now = states[0]
    xs: list[Tensor] = []
    hidden: list[Tensor] = []
    for t in range(len(below)):
        with time_step(t, offset=start):
            x = below[t]  # a slice is made here, once, for both directions
            if x.name is None and not x.is_leaf:
                x.name = "x"
            now = advance_within(forward, x, now, None if steps is None else steps[t])  # (h,) or (h, c), each (N, H)
        xs.append(x)
        hidden.append(now[0])
    ends = [now]
    for cell, now in zip(reverse, states[1:], strict=True):
        for t in reversed(range(len(xs))):
            with time_step(t, offset=start):
                now = advance_within(cell, xs[t], now, None if steps is None else steps[t])
                hidden[t] = concat([hidden[t], now[0]], axis=-1)  # (N, 2H)
                hidden[t].name = "h"
        ends.append(now)
    return hidden, ends


def _along_new_axis(parts: tuple[Tensor, ...]) -> Tensor:
    """Join (N, H) of each cell to (layers * directions, N, H)."""
    joined: Tensor = stack(parts) if len(parts) > 1 else parts[0].reshape(1, *parts[0].shape)
    return joined


def _kept(cell: Cell[Any]) -> str:
    sizes = sorted(set(cell.state_sizes))
    return f"{', '.join(cell.state_names)} of size {' and '.join(map(str, cell.state_sizes if sizes[1:] else sizes))}"
