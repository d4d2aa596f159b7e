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
from .module import Module, arrow, as_input, described, positive

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # type checkers know it without its being installed

    State = TypeVar("State", default=Any)
else:
    from typing import TypeVar

    State = TypeVar("State")

skip_file(__file__)


class Cell(Module, Generic[State], recurrent=True):
    """What all cells share: sizes, a zero state, and clear words about a wrong shape.

    A cell of your own assigns its parts and writes its equations in ``forward(x, state)``, which returns the new state:
    h where ``state_names`` are ("h",), which they are unless it says otherwise, or a tuple such as (h, c). h, the first
    of the state, is what the layer above reads. ``cell(x, state)`` takes x of shape (N, D) or (D), and a state of shape
    (N, H) or (H); without one it starts from zeros. Its attributes may have any name but those of methods and sizes.

    Arguments:
        input_size: D.
        hidden_size: H.
        state_sizes: the size of each part of the state, as (2, 4) for an h of 2 and a c of 4, where not all are H.
        dtype: float64 or float32, the type of the zero state; an x or a state of 64 bits is cast to one of 32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and for too few or too many of them.
        ShapeError: when called, for an x or a state of another shape, whether given or returned by ``forward``.
        TypeError: when called, for a state that is no tensor.

    >>> import tinygrad_lstm as tl
    >>> class Smoothing(tl.nn.Cell):
    ...     def __init__(self, size):
    ...         super().__init__(size, size)
    ...         self.rate = tl.tensor(0.5, requires_grad=True)
    ...     def forward(self, x, h):
    ...         return h + self.rate * (x - h)
    >>> output, h_n = tl.nn.Recurrent(Smoothing(1))([[4.0], [4.0]])
    >>> output.tolist()
    [[2.0], [3.0]]
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
        state = self.zero_state(x) if state is None else state
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            D, got = self.input_size, said(x.shape, "ND")
            raise ShapeError(f"{_here(self)}: x has shape {got}; it must be (N, D={D}) or (D={D},)")
        parts = _fitting(self, x, state, "the state")
        new: State = super().__call__(x, as_state(tuple(as_input(part, self.dtype) for part in parts)))
        parts = _fitting(self, x, new, "what forward returns, the state of which state_names tells,")
        for name, part in zip(self.state_names, parts, strict=True):
            if part.name is None and not part.is_leaf:
                part.name = name
        return new

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
    if state is None:
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
