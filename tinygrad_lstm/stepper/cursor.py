"""The cursor: a position on the tape, and the ways to move it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from operator import index
from typing import Any

from numpy.typing import ArrayLike

from ..engine.errors import kind_of
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from ..nn import unowned
from ..structure.diagnosis.diagnose import diagnose
from ..structure.path import find
from ..structure.words import LINE, clean
from .breakpoints import NOWHERE, Breakpoint, Condition, parse, parse_places, watching
from .commands import helped
from .flow import Flow, flow
from .inspection import Inspection, PlainText, inspection, never
from .ledger import Ledger, Paths, ledger, paths
from .place import GRANULARITIES, described, unit
from .recording.event import Event
from .recording.tape import Tape
from .thread import Thread, thread


class Cursor:
    """A cursor over the program and its backward walk, starting at the seed. Moving past either end stops there.

    The methods are the commands of the terminal and of the page. Every move returns the event it leads to; what
    answers a question reads well when printed.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True, name="x")
    >>> cursor = Cursor(x * x)
    >>> cursor.step(2).after, cursor.reverse_step().after
    (array(6.), array(3.))
    """

    def __init__(self, output: Tensor, seed: ArrayLike | Tensor | None = None) -> None:
        if not isinstance(output, Tensor):
            raise TypeError(f"step walks back from a tensor, such as a loss, not from {kind_of(output)}")
        graph, self._taken = Graph(output).opened()
        self.events = Tape(graph.output, seed)
        self.graph = self.events.graph
        self.position = self.events.start
        self.granularity = GRANULARITIES[0]
        self.breakpoints: list[Breakpoint] = []
        self.displays: dict[int, Inspection] = {}
        self.last_breakpoint = self.last_display = 0

    def __len__(self) -> int:
        return len(self.events)

    @property
    def current(self) -> Event:
        """Return the event at the position."""
        return self.events[self.position]

    def unowned(self) -> list[Tensor]:
        """Return the leaves that learn though they belong to no module that ran: an optimiser would not find them."""
        return unowned(self.graph.output)

    @cached_property
    def note(self) -> str:
        """Return a line about the leaves that belong to no module though some ran; empty if there are none."""
        if not any(frame.module for node in self.graph.nodes for frame in node.context.frames):
            return ""
        names = [clean(self.graph.ids[leaf], LINE) for leaf in self.unowned()]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        verb = "learn, but are" if len(names) > 1 else "learns, but is"
        return f"{', '.join(names[:3])}{more} {verb} in no module's parameters()." if names else ""

    @property
    def at_end(self) -> bool:
        """Tell whether the position is the last one."""
        return self.position == len(self) - 1

    # Moving

    def step(self, count: int = 1) -> Event:
        """Move forward by one event, or by ``count``."""
        return self._move_to(self.position + _whole(count))

    def reverse_step(self, count: int = 1) -> Event:
        """Move back by one event, or by ``count``."""
        return self._move_to(self.position - _whole(count))

    def next(self) -> Event:
        """Move forward to the next node, past what is left of this one; or gate, or cell: see ``up``."""
        return self._seek(self._elsewhere())

    def reverse_next(self) -> Event:
        """Move back to the last event of the node before, past the rest of this one; or gate, or cell: see ``up``."""
        return self._seek(self._elsewhere(), by=-1)

    def up(self) -> str:
        """Let ``next`` pass over more: a gate instead of an operation, a cell instead of a gate."""
        return self._coarser(1)

    def down(self) -> str:
        """Let ``next`` pass over less: a gate instead of a cell, an operation instead of a gate."""
        return self._coarser(-1)

    def return_(self) -> Event:
        """Move forward until the walk leaves the module, and the time step, that it is in."""
        scope, time = self.current.scope, self.current.time
        return self._seek(lambda event: event.time != time or event.scope[: len(scope)] != scope)

    def until(self, place: str) -> Event:
        """Move forward to a place, as ``break_`` takes it, or to the end if its condition is not met.

        Raises ValueError, and stays, if the place does not come any more.
        """
        stops = parse(place)
        there = parse_places(place)
        if not any(there(self.events[i]) for i in range(self.position + 1, len(self))):
            behind = any(map(there, self.events))
            why = "it does not come after this event; reverse-step, or goto 0, goes back" if behind else NOWHERE
            raise ValueError(f"until {place}: {why}")
        return self._seek(stops)

    def continue_(self) -> Event:
        """Move forward to the next breakpoint, or to the end."""
        return self._seek(self._hits)

    def reverse_continue(self) -> Event:
        """Move back to the breakpoint before, such as the last writer of a watched gradient, or to the beginning."""
        return self._seek(self._hits, by=-1)

    def goto(self, number: int) -> Event:
        """Move to an event by its number. Raises IndexError outside 0 … len(stepper) − 1."""
        return self._move_to(self._checked(number))

    # Stopping

    def break_(self, place: str, *, temporary: bool = False) -> Breakpoint:
        """Stop at a place: ``"op:tanh"``, ``"t:3"``, ``"node:t3.cell.add"``, ``"forget_gate if norm < 1e-3"``.

        Raises ValueError, naming what can be written, for a place that cannot be read.
        """
        made = self._add(place, parse(place), "tbreak" if temporary else "break")
        there = parse_places(place)
        made.nowhere = not any(there(event) for event in self.events)
        return made

    def tbreak(self, place: str) -> Breakpoint:
        """Stop at a place once."""
        return self.break_(place, temporary=True)

    def watch(self, name: str | Tensor) -> Breakpoint:
        """Stop at each ``+=`` to a gradient: ``"w.grad"``, or the tensor. Raises ValueError if none ever comes."""
        if not isinstance(name, str):
            tensor = self._tensor(name)
            if tensor not in self.graph.ids:
                raise ValueError(f"{tensor!r} is not in the graph of this walk")
            return self._add(f"{self.graph.ids[tensor]}.grad", watching(self._with_gradient(tensor)), "watch")
        if not name.endswith(".grad"):
            raise ValueError(f"watch takes the name of a gradient, as in w.grad, not {name!r}")
        tensor = self._with_gradient(self._tensor(name.removesuffix(".grad")))
        try:
            find(self.graph.output, name.removesuffix(".grad"))
        except ValueError:  # several steps have one: it is that of this step
            name = f"{self.graph.ids[tensor]}.grad"
        return self._add(name, watching(tensor), "watch")

    def delete(self, number: int) -> str:
        """Forget a breakpoint. Raises ValueError if there is none of that number."""
        kept = [breakpoint for breakpoint in self.breakpoints if breakpoint.number != number]
        if len(kept) == len(self.breakpoints):
            raise ValueError(f"there is no breakpoint {number}; info breakpoints lists those there are")
        self.breakpoints = kept
        return PlainText(f"breakpoint {number} is forgotten")

    def info(self, about: str = "breakpoints") -> str:
        """Return the breakpoints there are, with their hits; or of ``"health"``, what is wrong with the network.

        Raises ValueError for anything else.
        """
        if about and "health".startswith(about):
            return PlainText(diagnose(self.graph.output))
        if not "breakpoints".startswith(about):
            raise ValueError(f"info tells of breakpoints, or of health, not of {about!r}")
        return PlainText("\n".join(map(str, self.breakpoints)) or "no breakpoints; break PLACE sets one")

    # Looking

    def print(self, what: str = "contribution") -> str:
        """Return the numbers of ``"upstream"``, ``"norm"``, a tensor by its name, or its gradient: ``"w.grad"``.

        A gradient is what has arrived so far. Raises ValueError, naming what there is, for anything else.
        """
        return PlainText(inspection(what, self.graph, self.current.time).of(self.current))

    def display(self, what: str | None = None) -> str:
        """Show something, as ``print`` does, at every stop from now on; return all that is shown."""
        if what is not None:
            shown = inspection(what, self.graph, self.current.time)
            shown.of(self.current)  # refuses what has no gradient
            self.last_display += 1
            self.displays[self.last_display] = shown
        return PlainText(
            "\n".join(self.displayed()) or "nothing is displayed; display NAME shows something at every stop"
        )

    def undisplay(self, number: int) -> str:
        """Show something no longer. Raises ValueError if nothing has that number."""
        if self.displays.pop(number, None) is None:
            raise ValueError(f"there is no display {number}; display lists those there are")
        return PlainText(f"display {number} is no longer shown")

    def displayed(self) -> list[str]:
        """Return a line for everything that is to be shown at every stop."""
        return [f"{number}  {shown.text} = {shown.of(self.current)}" for number, shown in self.displays.items()]

    def where(self) -> str:
        """Return the way in: module, cell, gate and operation, each with its line, and the line of yours."""
        return PlainText(described(self.events, self.current.node))

    def list(self, around: int | None = None, lines: int = 11) -> str:
        """Return the events around the current one, or around another. Raises IndexError if there is no such one."""
        middle = self.position if around is None else self._checked(around)
        first = max(0, min(middle - lines // 2, len(self) - lines))
        rows = []
        for event in self.events[first : first + lines]:
            arrow = "→" if event.index == self.position else " "
            time = "" if event.time is None else f"t = {event.time}"
            rows.append(f"{arrow} {event.index:>5}  {event.phase:<8}  {time:<7}  {clean(event.formula, 90)}")
        return PlainText("\n".join(rows))

    def help(self, command: str = "") -> str:
        """Return what the words of the terminal and the page do, or one of them; each is a method here."""
        return PlainText(helped(command))

    @property
    def gradients(self) -> Mapping[Tensor, Any]:
        """Return the running totals at the position; ``tl.draw(loss, gradients=stepper.gradients)`` shows them."""
        return self.events.gradients_at(self.position)

    def ledger(self, tensor: str | Tensor) -> Ledger:
        """Return what each use of a tensor added to its gradient, in the order in which the engine added it up.

        Raises ValueError if the walk brings nothing to it.
        """
        return ledger(self.events, self._tensor(tensor))

    def paths(self, output: str | Tensor, tensor: str | Tensor | None = None) -> Paths:
        """Return ∂L/∂tensor divided by the ways it came: through which gate of the next step, or along the belt.

        ``paths(c1)``, or ``paths(loss, c1)``. Raises ValueError for an output that this is not the walk from.
        """
        if tensor is not None and self._tensor(output) is not self.graph.output:
            raise ValueError(f"this is the walk from {self.graph.output!r}, not from {output!r}")
        return paths(self.events, self._tensor(output if tensor is None else tensor))

    def flow(self) -> Flow:
        """Return ‖∂L/∂h_t‖ and the like for every step t, with the saturation of the gates beside it."""
        return self._flow

    def thread(self, unit: int = 0, sequence: int = 0) -> Thread:
        """Return one unit's numbers at every step: of each gate and state its value, and the gradient so far.

        ``sequence`` is which of the batch. Raises IndexError for a unit or a sequence that there is not.

        >>> from tinygrad_lstm.nn.samples import small_loss
        >>> stepper = Cursor(small_loss("rnn", 2))
        >>> stepper.goto(len(stepper) - 1).phase
        'backward'
        >>> [sorted(row.values) for row in stepper.thread(0)]
        [['h'], ['h']]
        """
        return thread(self.events, self.position, _whole(unit), _whole(sequence))

    @cached_property
    def _flow(self) -> Flow:
        return flow(self.events)

    def __repr__(self) -> str:
        where = f"<stepper at {self.position} of {len(self) - 1}: {clean(self.current.formula, LINE)}>"
        return f"{where} {self.note}".rstrip()

    def _tensor(self, named: str | Tensor) -> Tensor:
        """Return a tensor of this graph, itself or by its name."""
        if isinstance(named, str):
            return find(self.graph.output, named, self.current.time)
        if not isinstance(named, Tensor):
            raise TypeError(f"a tensor is needed, or the name of one, not {type(named).__name__}")
        return self._taken.get(named, named)

    def _with_gradient(self, tensor: Tensor) -> Tensor:
        """Return a tensor. Raises ValueError, with the reason, if it never gets a gradient."""
        if tensor not in self.events.gradients:
            raise ValueError(never(tensor, self.graph))
        return tensor

    def _add(self, text: str, matches: Condition, kind: str) -> Breakpoint:
        self.last_breakpoint += 1
        made = Breakpoint(self.last_breakpoint, text, matches, kind)
        self.breakpoints.append(made)
        return made

    def _coarser(self, by: int) -> str:
        position = GRANULARITIES.index(self.granularity) + by
        self.granularity = GRANULARITIES[min(max(position, 0), len(GRANULARITIES) - 1)]
        return PlainText(f"next passes over one {self.granularity} at a time")

    def _checked(self, number: int) -> int:
        """Return the number of an event. Raises IndexError if there is none of that number."""
        if not 0 <= _whole(number) < len(self):
            raise IndexError(f"the walk has events 0 to {len(self) - 1}; there is no {number}")
        return number

    def _elsewhere(self) -> Condition:
        """Return the condition that an event is not of the node, gate or cell of the current one, in its phase."""

        def place(event: Event) -> object:
            return event.phase, unit(self.events, event.node, self.granularity)

        here = place(self.current)
        return lambda event: place(event) != here

    def _hits(self, event: Event) -> bool:
        """Tell whether a breakpoint stops at an event, and count it there."""
        hit = [breakpoint for breakpoint in self.breakpoints if breakpoint.matches(event)]
        for breakpoint in hit:
            breakpoint.hits += 1
            if breakpoint.kind == "tbreak":
                self.breakpoints.remove(breakpoint)
        return bool(hit)

    def _seek(self, stops: Condition, by: int = 1) -> Event:
        """Move on, forward or back, to the first event that meets a condition, or else to the last there is."""
        position = self.position + by
        while 0 <= position < len(self) and not stops(self.events[position]):
            position += by
        return self._move_to(position)

    def _move_to(self, position: int) -> Event:
        self.position = min(max(position, 0), len(self) - 1)
        return self.current


def _whole(number: Any) -> int:
    try:
        return index(number)
    except TypeError:
        raise TypeError(f"events are counted by whole numbers, not by {number!r:.60}") from None
