"""The cursor: a position on the tape, and the ways to move it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from operator import index
from typing import Any

from numpy.typing import ArrayLike

from ..draw.path import find
from ..engine.tensor import Tensor
from .breakpoints import Breakpoint, Condition, parse, watching
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
        self.breakpoints: list[Breakpoint] = []
        self._numbers = count(1)

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

    def reverse_next(self) -> Event:
        """Back to the last contribution of the node before, past what is left of this one."""
        here = self.current.node
        position = self.position - 1
        while position > 0 and self.events[position].node is here:
            position -= 1
        return self._move_to(position)

    def return_(self) -> Event:
        """Forward until the walk leaves the module, and the time step, that it is in."""
        scope, time = self.current.scope, self.current.time
        return self._forward(lambda event: event.time != time or event.scope[: len(scope)] != scope)

    def until(self, place: str) -> Event:
        """Forward to a place, as ``break_`` takes it, or to the end if it does not come."""
        return self._forward(parse(place))

    def continue_(self) -> Event:
        """Forward to the next breakpoint, or to the end."""
        return self._to_breakpoint(range(self.position + 1, len(self.events)), len(self.events) - 1)

    def reverse_continue(self) -> Event:
        """Back to the breakpoint before, such as the last writer of a watched gradient, or to the beginning."""
        return self._to_breakpoint(range(self.position - 1, -1, -1), 0)

    def break_(self, place: str, *, temporary: bool = False) -> Breakpoint:
        """Stop at a place: ``"op:tanh"``, ``"t:3"``, ``"node:t3.cell.add"``, ``"forget_gate if norm < 1e-3"``.

        Raises ValueError, saying what can be written, for a place that cannot be read.
        """
        return self._add(place, parse(place), temporary)

    def watch(self, name: str | Tensor) -> Breakpoint:
        """Stop at each ``+=`` to a gradient: ``"w.grad"``, or the tensor. Raises ValueError if there is no such one."""
        if isinstance(name, Tensor):
            return self._add(f"{self.graph.ids[name]}.grad", watching(name), False)
        if not name.endswith(".grad"):
            raise ValueError(f"watch takes the name of a gradient, as in w.grad, not {name!r}")
        return self._add(name, watching(find(self.graph.output, name.removesuffix(".grad"))), False)

    def delete(self, number: int) -> None:
        """Forget a breakpoint. Raises ValueError if there is none of that number."""
        kept = [breakpoint for breakpoint in self.breakpoints if breakpoint.number != number]
        if len(kept) == len(self.breakpoints):
            raise ValueError(f"there is no breakpoint {number}; info lists those there are")
        self.breakpoints = kept

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

    def _add(self, text: str, matches: Condition, temporary: bool) -> Breakpoint:
        made = Breakpoint(next(self._numbers), text, matches, temporary)
        self.breakpoints.append(made)
        return made

    def _forward(self, matches: Condition) -> Event:
        found = (i for i in range(self.position + 1, len(self.events)) if matches(self.events[i]))
        return self._move_to(next(found, len(self.events) - 1))

    def _to_breakpoint(self, positions: range, otherwise: int) -> Event:
        for position in positions:
            hit = [breakpoint for breakpoint in self.breakpoints if breakpoint.matches(self.events[position])]
            for breakpoint in hit:
                breakpoint.hits += 1
            if hit:
                self.breakpoints = [b for b in self.breakpoints if not (b in hit and b.temporary)]
                return self._move_to(position)
        return self._move_to(otherwise)

    def _move_to(self, position: int) -> Event:
        self.position = min(max(position, 0), len(self.events) - 1)
        return self.current


def step(output: Tensor, seed: ArrayLike | Tensor | None = None) -> Stepper:
    """A stepper at the beginning of the backward walk from an output; ``seed`` as for ``backward``."""
    return Stepper(output, seed)
