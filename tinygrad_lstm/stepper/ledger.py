"""The ledger: what each use of a tensor added to its gradient, and which ways the gradient came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.backprop import apply_vjp
from ..engine.primitive import Kind
from ..engine.source import Line
from ..engine.tensor import Tensor
from ..structure.origin import users_line
from ..structure.tables import html_table, text_table
from ..structure.words import LINE, clean, display_name, magnitude, numbers, short, span
from .recording.event import Event
from .recording.tape import Tape

Array = NDArray[Any]


Cuts = dict[Line, list[int]]
"""The steps that begin with a state without a history, by the line that detached it."""


def cuts_of(tape: Tape) -> Cuts:
    """Return where in a sequence no gradient flows, because a state was detached."""
    found: Cuts = {}
    for leaf, step in tape.timeline.cuts.items():
        if (line := users_line(leaf)) and step not in found.setdefault(line, []):
            found[line].append(step)
    return found


def cut_off(cuts: Cuts, shown: list[int]) -> list[str]:
    """Say what the cuts keep from the steps that are shown, or from there being any before."""
    said = []
    for line, steps in cuts.items():
        nothing = "nothing from before" if steps == shown[:1] else "nothing flows back over the beginning of"
        said.append(f"✂ {nothing} {span(steps)}: detached here, {line}")
    return said


class Ledger(tuple[Event, ...]):
    """Hold the events that use one tensor, in the order in which the engine added up their contributions.

    Of an event, ``contribution`` is what the use adds to the gradient, ``after`` the running total.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True, name="x")
    >>> print(tl.step(x * x + x).ledger(x))
    ∂L/∂x
    used by  t  adds  total
    ───────────────────────
    add      —     1      1
    mul      —     3      4
    mul      —     3      7
    """

    cuts: tuple[str, ...] = ()
    """What is said of states that were detached, and of what that keeps from here."""

    @property
    def total(self) -> Array:
        """Return the gradient: the last running total."""
        total: Array = self[-1].after
        return total

    def by_time(self) -> dict[int | None, Array]:
        """Return what each time step contributed, the latest first, as the gradient arrives."""
        return self._grouped(lambda event: event.time)

    def by_scope(self) -> dict[str, Array]:
        """Return what each module contributed, over all steps."""
        return self._grouped(lambda event: ".".join(event.scope))

    def _grouped(self, key: Callable[[Event], Any]) -> dict[Any, Array]:
        sums: dict[Any, Array] = {}
        for event in self:
            _add_up(sums, key(event), event.contribution)
        return sums

    @property
    def title(self) -> str:
        """Return what it is the ledger of: ∂L/∂w."""
        tensor = self[0].node.inputs[self[0].slot]
        return clean(f"∂L/∂{display_name(tensor) or self[0].graph.ids[tensor]}", LINE)

    def __repr__(self) -> str:
        return f"<ledger of {self.title}: {len(self)} contributions>"

    def __str__(self) -> str:
        table = text_table(self._cells(), head=_COLUMNS, align="lrrr")
        return "\n".join([self.title, table, *self.cuts])

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        return html_table(self._cells(), head=_COLUMNS, align="lrrr", caption="; ".join([repr(self), *self.cuts]))

    def _cells(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for event in self:
            time = "—" if event.time is None else f"{event.time} {event.node.context.phase or ''}".strip()
            added, total = (numbers(array, most=1) for array in (event.contribution, event.after))
            rows.append((event.graph.ids[event.node], time, added, total))
        return rows


_COLUMNS = ("used by", "t", "adds", "total")


class Paths(dict[str, Array]):
    """The parts of a gradient by the ways they came; prints as a table of their norms."""

    def __repr__(self) -> str:
        return f"<paths: {clean(', '.join(self), LINE) or 'none'}>"

    def __str__(self) -> str:
        return text_table(self._cells(), head=_WAYS, align="lrr")

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        return html_table(self._cells(), head=_WAYS, align="lrr", caption=repr(self))

    def _cells(self) -> list[tuple[str, str, str]]:
        norms = {way: magnitude(part) for way, part in self.items()}
        whole = sum(norms.values()) or 1.0
        return [(way, short(norm), f"{norm / whole:.0%}") for way, norm in norms.items()]


_WAYS = ("way", "norm", "share of the norms")


def ledger(tape: Tape, tensor: Tensor) -> Ledger:
    """Return every contribution to the tensor's gradient. Raises ValueError if none arrives."""
    if not tape.uses(tensor):
        what = "the output: its gradient is the seed" if tensor is tape.graph.output else "not reached by this walk"
        raise ValueError(f"{_called(tensor)} has no ledger; it is {what}")
    found = Ledger(tape[index] for index in tape.uses(tensor))
    found.cuts = tuple(cut_off(cuts_of(tape), tape.timeline.steps))
    return found


def paths(tape: Tape, tensor: Tensor) -> Paths:
    """Return ∂L/∂tensor, divided by the ways it came: through a gate of the next step, along the belt, or past both.

    A way is named by the first thing on it that computes outside of the tensor's own step: the gate it is in, "belt"
    for an operation of the cell itself, "output" for what belongs to no step. The parts add up to the gradient, up to
    rounding. Raises ValueError for a tensor without a time step, or one that the walk does not reach.
    """
    if tensor.time is None:
        raise ValueError(f"{_called(tensor)} belongs to no time step: ways lead from one step to the next")
    ledger(tape, tensor)  # refuses a tensor that has none
    near = {tensor}
    for node in tape.graph.nodes:  # what lies between the tensor and what computes elsewhere
        only_moves = node.primitive is not None and node.primitive.kind is Kind.movement
        if any(x in near for x in node.inputs) and (node.time == tensor.time or only_moves):
            near.add(node)
    ways: dict[str, dict[Tensor, Array]] = {}
    for index in sorted(index for x in near for index in tape.uses(x)):
        event = tape[index]
        if event.node not in near:
            seeds = ways.setdefault(_way(event.node, tensor), {})
            _add_up(seeds, event.node.inputs[event.slot], event.contribution)
    order = [node for node in reversed(tape.graph.nodes) if node in near]
    return Paths({name: _back_to(tensor, order, seeds) for name, seeds in ways.items()})


def _way(node: Tensor, tensor: Tensor) -> str:
    if node.time is None:
        return "output"
    deeper = [name for i, name in enumerate(node.scope, 1) if node.scope[:i] != tensor.scope[:i]]
    return deeper[-1] if deeper else "belt"


def _back_to(tensor: Tensor, order: list[Tensor], seeds: dict[Tensor, Array]) -> Array:
    """Return what gradients at some nodes mean for the tensor, by the rules of the nodes between."""
    gradients, between = dict(seeds), {node for node in order if node.requires_grad}
    for node in order:
        if node is not tensor and node in gradients:
            for slot, _, contribution in apply_vjp(node, gradients.pop(node), between):
                _add_up(gradients, node.inputs[slot], contribution)
    return gradients.get(tensor, np.zeros_like(tensor.value))


def _add_up(totals: dict[Any, Array], key: Any, contribution: Array) -> None:
    totals[key] = totals[key] + contribution if key in totals else contribution


def _called(tensor: Tensor) -> str:
    return display_name(tensor) or repr(tensor)
