"""What every recurrent cell is, whatever its equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..engine.errors import ShapeError
from ..engine.scope import current
from ..engine.source import skip_file
from ..engine.tensor import Tensor, float_type, tensor
from .arguments import as_input, as_ours, positive
from .module import Module, arrow, described

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # type checkers know it without its being installed

    State = TypeVar("State", default=Any)
else:
    from typing import TypeVar

    State = TypeVar("State")

skip_file(__file__)


class Cell(Module, Generic[State], recurrent=True):
    """What all cells share, and what one of your own is built on: sizes, a zero state, clear words about a wrong shape.

    A cell of your own is a class with two methods:

    - ``__init__`` calls ``super().__init__(input_size, hidden_size, dtype=dtype)`` and assigns the parts: gates, which
      ``gate = tl.nn.gates_of(hidden_size, rng, dtype)`` makes as ``gate(size, activation, symbol, begin)``; modules;
      tensors that require gradients. They may have any name but those of methods and sizes.
    - ``forward(x, state)`` is the equations, and returns the new state. Nothing is kept on ``self``.

    ``state_names`` are ("h",) unless the class says otherwise, and then the state is h itself. With
    ``state_names = ("h", "c")`` it is the tuple (h, c), in and out. h, the first of it, is what the layer above reads.

    ``cell(x, state)`` takes x of shape (N, D) or (D), and a state of shape (N, H) or (H), or of ``state_sizes``;
    without one it starts from zeros. ``tl.nn.Recurrent(cell)`` unrolls it over a sequence; ``tl.draw``, ``tl.step`` and
    ``tl.testing.check_cell`` take it like ours.

    Arguments:
        input_size: D.
        hidden_size: H.
        state_sizes: the size of each part of the state, as (2, 4) for an h of 2 and a c of 4, where not all are H.
        dtype: float64 or float32, the type of the zero state; an x or a state of 64 bits is cast to one of 32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and for too few or too many of them.
        ShapeError: when called, for an x or a state of another shape, whether given or returned by ``forward``.
        TypeError: when called, for a state that is no tensor.

    The minimal gated unit (G.-B. Zhou, J. Wu, C.-L. Zhang & Z.-H. Zhou 2016), whole:

    >>> import numpy as np
    >>> import tinygrad_lstm as tl
    >>> class MGUCell(tl.nn.Cell):
    ...     def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float64):
    ...         super().__init__(input_size, hidden_size, dtype=dtype)
    ...         gate = tl.nn.gates_of(hidden_size, rng, dtype)
    ...         self.forget_gate = gate(hidden_size + input_size, tl.sigmoid, "f", 1.0)
    ...         self.candidate = gate(hidden_size + input_size, tl.tanh, "g")
    ...     def forward(self, x, h):
    ...         f = self.forget_gate(tl.concat([h, x], axis=-1))
    ...         g = self.candidate(tl.concat([f * h, x], axis=-1))
    ...         return (1 - f) * h + f * g
    >>> layer = tl.nn.Recurrent(MGUCell(3, 4, rng=0))
    >>> output, h_n = layer(np.ones((5, 2, 3)))
    >>> output.shape, h_n.shape
    ((5, 2, 4), (1, 2, 4))
    >>> tl.testing.check_cell(MGUCell(3, 4, rng=0), steps=3).verdict
    <Verdict.PASS: 'PASS'>
    """

    state_names: tuple[str, ...] = ("h",)
    input_size: int
    hidden_size: int
    state_sizes: tuple[int, ...]
    dtype: np.dtype[Any]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        state_sizes: Sequence[int] | None = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        positive(input_size=input_size, hidden_size=hidden_size)
        self.input_size = int(input_size)
        self.hidden_size = int(hidden_size)
        self.state_sizes = _sizes(self, state_sizes)
        self.dtype = float_type(dtype)

    def __call__(self, x: Tensor | ArrayLike, state: State | None = None) -> State:
        x = as_input(x, self.dtype)
        state = self.zero_state(x) if state is None else as_ours(state)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            D, got = self.input_size, said(x.shape, "ND")
            raise ShapeError(f"{_here(self)}: x has shape {got}; it must be (N, D={D}) or (D={D},)")
        parts = _fitting(self, x, state, "the state")
        new: State = super().__call__(x, as_state(tuple(as_input(part, self.dtype) for part in parts)))
        returned = _fitting(self, x, new, "what forward returns")
        for name, part in zip(self.state_names, returned, strict=True):
            if part.name is None and not part.is_leaf:
                part.name = name
        return as_state(returned) if len(returned) == 1 else new

    def __repr__(self) -> str:
        return described(self, arrow(self, "input_size", "hidden_size"))

    def zero_state(self, x: Tensor) -> State:
        """Return zeros in the state's shape for an input of shape (N, D) or (D): what a sequence begins with."""
        named = zip(self.state_names, self.state_sizes, strict=True)
        zeros = (tensor(np.zeros((*x.shape[:-1], size), self.dtype), name=f"{name}0") for name, size in named)
        state: State = as_state(tuple(zeros))
        return state


# A cell's forward takes and gives h itself where that is all of its state, and a tuple otherwise. Everywhere else the
# state is a tuple. These are functions and not methods, so that the names are free for a cell's own parts.


def state_parts(cell: Cell[Any], state: Any) -> tuple[Tensor, ...]:
    """Return the state of a cell as a tuple, also where it is a single tensor."""
    return (state,) if len(cell.state_names) == 1 else tuple(state)


def as_state(parts: tuple[Tensor, ...]) -> Any:
    """Return the state as a cell's forward takes it: the tensor itself where there is only one."""
    return parts if len(parts) > 1 else parts[0]


def advance(cell: Cell[Any], x: Tensor, parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Call a cell from one tuple to the next."""
    return state_parts(cell, cell(x, as_state(parts)))


def detach(state: State) -> State:
    """Cut a state off from what made it: the same numbers, from which no gradient goes further back.

    Between the windows of a long sequence it keeps backward, and what must be remembered for it, to one window. The
    names stay, and time goes on: the window that is given the state begins where the last one ended.

    Arguments:
        state: a tensor, or a tuple or list of them, such as (h_n, c_n), at any depth.

    Raises:
        TypeError: for what is neither.

    Source: R. J. Williams & J. Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network
    Trajectories" (1990): truncated backpropagation through time.

    >>> import tinygrad_lstm as tl
    >>> lstm, state = tl.LSTM(3, 4, rng=0), None
    >>> for window in (tl.tensor([[1, 2, 3]]), tl.tensor([[4, 5, 6]])):
    ...     output, state = lstm(window, state)
    ...     output.sum().backward()
    ...     state = tl.nn.detach(state)
    >>> [part.is_leaf for part in state]
    [True, True]
    """
    if not isinstance(state, Tensor | tuple | list):
        raise TypeError(f"detach takes a state, a tensor or a tuple of them, not {type(state).__name__}")
    cut: Any = state.detach() if isinstance(state, Tensor) else type(state)(map(detach, state))
    detached: State = cut
    return detached


def said(shape: Sequence[int], axes: Sequence[str]) -> str:
    """Return a shape with its axes by name, where it has those axes.

    >>> said((32, 5, 3), "TND"), said((3,), "ND")
    ('(T=32, N=5, D=3)', '(3,)')
    """
    if len(shape) != len(axes):
        return str(tuple(shape))
    return f"({', '.join(f'{axis}={size}' for axis, size in zip(axes, shape, strict=True))})"


def _sizes(cell: Cell[Any], given: Any) -> tuple[int, ...]:
    """Return the size of each part of the state: H, unless others are given."""
    if given is None:
        return (cell.hidden_size,) * len(cell.state_names)
    if not isinstance(given, tuple | list) or len(given) != len(cell.state_names):
        raise ValueError(f"state_sizes must be a size for each of {', '.join(cell.state_names)}, not {given!r:.60}")
    positive(**{f"the size of {name}": size for name, size in zip(cell.state_names, given, strict=True)})
    return tuple(map(int, given))


def _fitting(cell: Cell[Any], x: Tensor, state: Any, what: str) -> tuple[Tensor, ...]:
    """Return the parts of a state; refuse what is none, or does not fit the cell and its x."""
    parts = tuple(state) if isinstance(state, tuple | list) else (state,)
    wanted, batch = cell.state_names, x.shape[:-1]
    if state is None and len(wanted) > 1:
        raise TypeError(f"{_here(cell)}: {what} must be {', '.join(wanted)}; got None, as without a return")
    if len(parts) != len(wanted):
        raise ShapeError(f"{_here(cell)}: {what} must be {', '.join(wanted)}; got {len(parts)} tensor(s)")
    for name, size, part in zip(wanted, cell.state_sizes, parts, strict=True):
        if not isinstance(part, Tensor):
            kind = f"{type(part).__name__}{', which keeps no gradient' if isinstance(part, np.ndarray) else ''}"
            raise TypeError(f"{_here(cell)}: {what} must be {', '.join(wanted)}; {name} must be a Tensor, not {kind}")
        if part.shape != (*batch, size):
            axes = "NH" if batch else "H"
            raise ShapeError(
                f"{_here(cell)}: {what}: {name} has shape {said(part.shape, axes)}; for x of shape "
                f"{said(x.shape, axes[:-1] + 'D')} it must be {said((*batch, size), axes)}"
            )
    return parts


def _here(cell: Cell[Any]) -> str:
    return f"{type(cell).__name__}{current().place}"
