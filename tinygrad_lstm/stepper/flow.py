"""The flow: how large the gradient of each state is at every step, and how saturated the gates are beside it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..engine.source import Line
from ..engine.tensor import Tensor
from ..structure.cells import Cells, ends_of, gates_in, two_ended
from ..structure.ends import head
from ..structure.saturation import at_ends
from ..structure.tables import html_table, text_table
from ..structure.timeline import Timeline
from ..structure.variables import called
from ..structure.words import LINE, clean, display_name, magnitude, shown
from .ledger import Cuts, cut_off, cuts_of
from .recording.reasons import explaining, factor_of, is_gate, percent
from .recording.tape import Tape
from .recording.why import FELT, tell


@dataclass(frozen=True)
class FlowRow:
    """One time step: the norm of ∂L/∂state by the state's name, and the share of each gate's units that saturate.

    ``complete`` holds the number of the event that completes each gradient; ``cut`` the line that detached the state
    with which the step begins, so that nothing flows back over it; ``states`` and ``gates`` whose numbers these are;
    ``through`` the gates that states are multiplied by on their way to the next step.
    """

    time: int
    norms: dict[str, float]
    saturation: dict[str, float]
    complete: dict[str, int]
    phase: str | None = None
    cut: Line | None = None
    states: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    gates: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    through: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)


class Flow(tuple[FlowRow, ...]):
    """Hold a row for each time step, in the order of time; prints as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        states = ", ".join(dict.fromkeys(name for row in self for name in row.norms))
        return f"<flow over {len(self)} time steps: {clean(states, LINE) or 'no states'}>"

    def __str__(self) -> str:
        if not self:
            return "no time steps: layers and cells have them; in a loop of your own, with tl.time_step(t): says them"
        head, *rows = self._cells()
        words = filter(None, [*self._cut(), self.summary])
        return "\n".join([text_table(rows, head=head, align="r" * len(head)), *words])

    @property
    def summary(self) -> str:
        """Return in words how far back the gradient of the first state is felt, and where most of it is lost.

        Empty where there is nothing to compare: of less than two steps, or of numbers that are not finite.
        """
        state = next((name for row in self for name in row.norms), "")
        rows = [row for row in self if state in row.norms]
        norms = [row.norms[state] for row in rows]
        if len(rows) < 2 or not norms[-1] or not np.isfinite(norms).all():
            return ""
        factors = [early / late if late else 1.0 for early, late in pairwise(norms)]
        at = factors.index(min(factors))
        gate = rows[at].through.get(state)
        left = norms[0] / norms[-1]
        places = {"state": state, "late": rows[-1].time, "at_late": shown(norms[-1], 3)}
        places |= {"early": rows[0].time, "at_early": shown(norms[0], 3)}
        places |= {"left": percent(left), "rate": shown(left ** (1 / (len(rows) - 1)), 3)}
        places |= {"after": rows[at + 1].time, "before": rows[at].time, "factor": shown(factors[at], 3)}
        holds = {"fading"} if left < 1 else set()
        if gate is not None:
            share = float(np.mean(gate.value))
            places |= {"gate": clean(display_name(gate) or "it"), "open": percent(share)}
            holds |= {name for name, is_so in explaining(share, factors[at]).items() if is_so}
        return tell(FELT, holds, places)

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        head, *rows = self._cells()
        return html_table(rows, head=head, align="r" * len(head), caption="; ".join([repr(self), *self._cut()]))

    def _cut(self) -> list[str]:
        cuts: Cuts = {}
        for row in self:
            if row.cut is not None:
                cuts.setdefault(row.cut, []).append(row.time)
        return cut_off(cuts, [row.time for row in self])

    def _cells(self) -> list[list[str]]:
        """Return the words of the table, the head first."""
        names = dict.fromkeys(name for row in self for name in row.norms)
        lines = [["t", *(f"‖∂L/∂{name}‖" for name in names), "saturated"]]
        for row in self:
            norms = (shown(row.norms[name], 3) if name in row.norms else "—" for name in names)
            gates = ", ".join(f"{gate} {share:.0%}" for gate, share in row.saturation.items() if share)
            lines.append([f"{'✂ ' if row.cut else ''}{row.time} {row.phase or ''}".strip(), *norms, gates or "—"])
        return lines


class Measured(NamedTuple):
    """What the flow is read of, at each time step by its name: states that are handed on, and gates."""

    states: dict[int, dict[str, Tensor]]
    gates: dict[int, dict[str, Tensor]]


def measured(tape: Tape) -> Measured:
    """Return whose gradients and whose saturation the flow tells, in the order of time.

    States are what one step hands to the next, and what the last step names like them, but not a loss that is added up.
    Gates are the layers of cells that have two ends, and other such activations that have a name. What has no name of
    its own is called as ``called`` calls it: by its variable, or as σ(z[0:4]). What has the same name in several
    modules, such as the layers of a network, is told apart by the modules.
    """
    timeline = tape.timeline
    losses = head(timeline)
    states = [node for node in timeline.of if timeline.fold[node] in timeline.states and node not in losses]
    layers = {x for cell in Cells(timeline).cells for layer in cell.layers for x in layer.at.values()}
    bounded = [x for node in timeline.of if two_ended(node.primitive) for x in gates_in(node, timeline)]
    gates = [x for x in bounded if x.name or x in layers]
    found = Measured({t: {} for t in timeline.steps}, {t: {} for t in timeline.steps})
    for rows, nodes in zip(found, (states, gates), strict=True):
        for node, name in _named(nodes, timeline).items():
            rows[timeline.of[node]][name] = node
    return found


def flow(tape: Tape) -> Flow:
    """Return a row for each time step, in the order of time. A state that the loss does not depend on has norm 0."""
    cut = {t: line for line, steps in cuts_of(tape).items() for t in steps}
    states, gates = measured(tape)
    return Flow(_row(tape, t, states[t], gates[t], cut.get(t)) for t in tape.timeline.steps)


def _row(tape: Tape, t: int, states: dict[str, Tensor], gates: dict[str, Tensor], cut: Line | None) -> FlowRow:
    norms = {name: magnitude(tape.gradients[x]) if x in tape.gradients else 0.0 for name, x in states.items()}
    saturation = {name: _saturated(gate) for name, gate in gates.items()}
    complete = {name: uses[-1] for name, x in states.items() if (uses := tape.uses(x))}
    through = {name: gate for name, x in states.items() if (gate := _gate_after(tape, x)) is not None}
    return FlowRow(t, norms, saturation, complete, tape.timeline.phases.get(t), cut, states, gates, through)


def _gate_after(tape: Tape, state: Tensor) -> Tensor | None:
    """Return the gate that a later step multiplies a state by; None where there is none."""
    masks = [node for node in tape.timeline.users[state] if tape.timeline.state(node) is state]
    later = [index for x in (state, *masks) for index in tape.uses(x) if tape.nodes[index].time != state.time]
    gates = (factor_of(tape.nodes[index], tape.slots[index]) for index in later)
    return next(filter(is_gate, gates), None)


def _named(nodes: list[Tensor], timeline: Timeline) -> dict[Tensor, str]:
    """Return what each is called: the same in every step, and in no step the same as another."""
    first = {timeline.fold[node]: node for node in reversed(nodes)}
    short = {node: node.name or _called(first[timeline.fold[node]]) for node in nodes}
    places = Counter(name for name, _ in {(name, timeline.fold[node]) for node, name in short.items()})
    full = {node: ".".join((*node.scope, name)) if places[name] > 1 else name for node, name in short.items()}
    taken: Counter[tuple[int, str]] = Counter()
    for node, name in full.items():
        taken[timeline.of[node], name] += 1
        count = taken[timeline.of[node], name]
        full[node] = name if count == 1 else f"{name}_{count}"
    return full


def _called(node: Tensor) -> str:
    return called(node) or (node.primitive.name if node.primitive else "leaf")


def _saturated(node: Tensor) -> float:
    """Return the share of an activation's values that lie within SATURATED of the ends of its range."""
    low, high = at_ends(node.value, ends_of(node))
    return float(np.mean(low | high)) if low.size else 0.0
