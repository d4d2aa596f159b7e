"""The cursor: a position on the tape, and the ways to move it."""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import Any

from numpy.typing import ArrayLike

from ..engine.tensor import Tensor
from .flow import FlowRow, flow
from .ledger import Ledger, ledger, paths
from .tape import Event, record


class Stepper:
    """A cursor over the backward walk of one output, starting at the seed. Moving past either end stops there.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True, name="x")
    >>> stepper = tl.step(x * x)
    >>> stepper.step(2).after, stepper.reverse_step().after
    (array(6.), array(3.))
    """

    def __init__(self, output: Tensor, seed: ArrayLike | Tensor | None = None) -> None:
        if not isinstance(output, Tensor):
            raise TypeError(f"step walks back from a tensor, such as a loss, not from {type(output).__name__}")
        self.events = record(output, seed)
        self.graph = self.events[0].graph
        self.position = 0

    def __len__(self) -> int:
        return len(self.events)

    @property
    def current(self) -> Event:
        return self.events[self.position]

    @property
    def at_end(self) -> bool:
        return self.position == len(self.events) - 1

    def step(self, count: int = 1) -> Event:
        """Forward by one contribution, or by ``count``."""
        return self._move_to(self.position + index(count))

    def reverse_step(self, count: int = 1) -> Event:
        """Back by one contribution, or by ``count``."""
        return self._move_to(self.position - index(count))

    def next(self) -> Event:
        """Forward to the first contribution of the next node, past what is left of this one."""
        here = self.current.node
        position = self.position + 1
        while position < len(self.events) - 1 and self.position and self.events[position].node is here:
            position += 1
        return self._move_to(position)

    def goto(self, number: int) -> Event:
        """To an event by its number. Raises IndexError outside 0 … len(stepper) − 1."""
        if not 0 <= index(number) < len(self.events):
            raise IndexError(f"the walk has events 0 to {len(self.events) - 1}; there is no {number}")
        return self._move_to(number)

    @property
    def gradients(self) -> Mapping[Tensor, Any]:
        """The running totals at the current position; ``tl.draw(loss, gradients=stepper.gradients)`` shows them."""
        return {event.target: event.after for event in self.events[: self.position + 1]}

    def ledger(self, tensor: Tensor) -> Ledger:
        """What each use of a tensor added to its gradient, in the order in which the engine added it up.

        Raises ValueError if the walk brings nothing to it.
        """
        return ledger(self.events, tensor)

    def paths(self, tensor: Tensor) -> dict[str, Any]:
        """∂L/∂tensor divided by the ways it came: through which gate of the next step, or along the belt."""
        return paths(self.events, tensor)

    def flow(self) -> tuple[FlowRow, ...]:
        """‖∂L/∂h_t‖ and the like for every step t, with the saturation of the gates beside it."""
        return flow(self.events)

    def terminal(self) -> None:
        """Walk in the terminal, or read commands from standard input."""
        from .terminal import walk

        walk(self)

    def __repr__(self) -> str:
        return f"<stepper at {self.position} of {len(self.events) - 1}: {self.current.formula}>"

    def _move_to(self, position: int) -> Event:
        self.position = min(max(position, 0), len(self.events) - 1)
        return self.current


def step(output: Tensor, seed: ArrayLike | Tensor | None = None) -> Stepper:
    """A stepper at the beginning of the backward walk from an output; ``seed`` as for ``backward``."""
    return Stepper(output, seed)
