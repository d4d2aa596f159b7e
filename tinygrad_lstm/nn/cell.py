"""What every recurrent cell is, whatever its equations."""

from __future__ import annotations

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


class Cell(Module, Generic[State]):
    """What all cells share: sizes, a zero state, and clear words about a wrong shape.

    A cell of your own assigns its parts and writes its equations in ``forward(x, state)``, which returns the new state:
    h where ``state_names`` are ("h",), which they are unless it says otherwise, or a tuple such as (h, c). All of the
    state is of one shape; h, the first of it, is what the layer above reads. ``cell(x, state)`` takes x of shape (N, D)
    or (D), and a state of shape (N, H) or (H); without one it starts from zeros. Its attributes may have any name but
    those of methods and sizes.

    Arguments:
        input_size: D.
        hidden_size: H.
        dtype: float64 or float32, the type of the zero state; an x or a state of 64 bits is cast to one of 32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero.
        ShapeError: when called, for an x or a state of another shape.
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

    _Module__recurrent = True  # so pictures know it for a cell, whatever it is made of; a module's own name, see there
    state_names: tuple[str, ...] = ("h",)
    input_size: int
    hidden_size: int
    dtype: np.dtype[Any]

    def __init__(self, input_size: int, hidden_size: int, *, dtype: DTypeLike = np.float64) -> None:
        positive(input_size=input_size, hidden_size=hidden_size)
        self.input_size = int(input_size)
        self.hidden_size = int(hidden_size)
        self.dtype = float_type(dtype)

    def __call__(self, x: Tensor | ArrayLike, state: State | None = None) -> State:
        x = as_input(x, self.dtype)
        state = self.zero_state(x) if state is None else state
        _require_fit(self, x, state)
        state = as_state(tuple(as_input(part, self.dtype) for part in state_parts(self, state)))
        new: State = super().__call__(x, state)
        for name, part in zip(self.state_names, state_parts(self, new), strict=True):
            if part.name is None and not part.is_leaf:
                part.name = name
        return new

    def __repr__(self) -> str:
        return described(self, arrow(self, "input_size", "hidden_size"))

    def zero_state(self, x: Tensor) -> State:
        """Return zeros in the state's shape for an input of shape (N, D) or (D): what a sequence begins with."""
        zeros = np.zeros((*x.shape[:-1], self.hidden_size), self.dtype)
        state: State = as_state(tuple(tensor(zeros, name=f"{name}0") for name in self.state_names))
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


def _require_fit(cell: Cell[Any], x: Tensor, state: Any) -> None:
    """Refuse an x or a state of another shape."""
    here = f"{type(cell).__name__}{current().place}"
    if x.ndim not in (1, 2) or x.shape[-1] != cell.input_size:
        raise ShapeError(f"{here}: x has shape {x.shape}; it must be (N, {cell.input_size}) or ({cell.input_size},)")
    expected = (*x.shape[:-1], cell.hidden_size)
    wanted = ", ".join(cell.state_names)
    parts = state_parts(cell, state) if isinstance(state, tuple | list) else (state,)
    if len(parts) != len(cell.state_names):
        raise ShapeError(f"{here}: the state must be {wanted}; got {len(parts)} tensor(s)")
    for name, part in zip(cell.state_names, parts, strict=True):
        if not isinstance(part, Tensor):
            raise TypeError(f"{here}: {name} must be a Tensor, not {type(part).__name__}")
        if part.shape != expected:
            raise ShapeError(
                f"{here}: {name} has shape {part.shape}; for x of shape {x.shape} and hidden size "
                f"{cell.hidden_size} it must be {expected}"
            )
