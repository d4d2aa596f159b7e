"""The stages of one step of a gated cell, by what its gates do: what is forgotten, written, and read."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from ...engine.tensor import Tensor
from ...structure.cells import CANDIDATE, Bounded, CellRun
from ...structure.words import clean, magnitude, short
from ...symbolic.symbols import Symbols
from ...symbolic.written import text
from .carrying import Belt, acts, belts, called
from .difference import share
from .reading import Recorded


@dataclass(eq=False)
class Stage:
    """One thing that a step does, and a sentence about it, with a number."""

    title: str
    layers: list[Bounded] = field(default_factory=list)  # which decide it
    lit: list[Tensor] = field(default_factory=list)  # what computes it
    said: list[Tensor] = field(default_factory=list)  # whose equations stand beside it
    made: list[Tensor] = field(default_factory=list)  # what it gives out
    sentences: list[str] = field(default_factory=list)
    whole: bool = False  # whether it is all of the step


def stages(reading: Recorded, cell: CellRun, t: int, symbols: Symbols) -> list[Stage]:
    """Return the stages of a step, in the order in which one tells them: those for which the cell has a gate or a belt.

    >>> from tinygrad_lstm import Graph
    >>> from tinygrad_lstm.nn.samples import small_loss
    >>> reading = Recorded(Graph(small_loss("mgu", 4)))
    >>> [stage.title for stage in stages(reading, reading.cells[0], 2, Symbols(reading.graph.nodes))]
    ['What the candidate sees', 'What is forgotten', 'What is written', 'The new state', 'All of it']
    """
    return _Teller(reading, cell, t, symbols).stages()


TITLES = {
    "see": "What the candidate sees",
    "forget": "What is forgotten",
    "write": "What is written",
    "read": "What is read",
}
"""By what a gate does."""


class _Teller:
    """Tells what the gates of one step do."""

    def __init__(self, reading: Recorded, cell: CellRun, t: int, symbols: Symbols) -> None:
        self._reading, self._cell, self._t, self._symbols = reading, cell, t, symbols
        self._belts = [belt for belt in belts(reading) if belt.cell is cell and t in belt.at]
        self._on_belt = {node for belt in self._belts for node in belt.at[t].way}
        self._stages = {kind: Stage(title) for kind, title in TITLES.items()}
        self._forgets, self._writes, self._reads = (self._stages[kind] for kind in ("forget", "write", "read"))

    def stages(self) -> list[Stage]:
        """Return those that there are, each with what it says."""
        for gate in self._cell.gates:
            if self._t in gate.at:
                self._sort(gate)
        self._without_gates()
        found = [self._stages["see"], self._forgets, self._writes, *map(self._update, self._belts), self._reads]
        found_before: set[Tensor] = set()
        for stage in found:
            layers = [layer.at[self._t] for layer in stage.layers]
            stage.said = [node for node in dict.fromkeys((*layers, *stage.said)) if node not in found_before]
            found_before.update(stage.said)
        return [*(stage for stage in found if stage.lit), self._all()]

    def _sort(self, gate: Bounded) -> None:
        """Put a gate into the stages in which it has a part, with what it is multiplied with there."""
        for kind, product, passed, factor in acts(self._reading, gate.at[self._t], self._on_belt):
            name, part, stage = self._by(factor, gate), self._part(product, passed), self._stages[kind]
            stage.layers += [gate] if gate not in stage.layers else []
            stage.lit += [*self._behind([gate.at[self._t]]), factor, product]
            if kind in ("write", "read"):
                stage.lit.append(passed)
                stage.said += [passed] if passed.name and passed.primitive else []
            stage.said.append(product)
            stage.made += [product] if kind == "read" else []
            says = {
                "forget": f"{name} keeps {part}.",
                "see": f"{name} lets the candidate see {part}.",
                "write": f"{name} lets {part} in: a norm of {short(magnitude(product.value))} is added.",
                "read": f"{name} shows {part}{self._norm(product)}.",
            }
            stage.sentences.append(says[kind])

    def _by(self, factor: Tensor, gate: Bounded) -> str:
        """Return what multiplies: a gate, or 1 minus it."""
        name = self._name(gate.at[self._t], "") or f"the {gate.words or 'other'} gate"
        return name if factor is gate.at[self._t] else f"1 − {name}"

    def _without_gates(self) -> None:
        """Add what no gate decides: what else is kept or added on the belt, and what a state is shown through."""
        t = self._t
        for layer in self._cell.layers:
            if layer.roles == (CANDIDATE,) and t in layer.at and self._belts:
                self._writes.layers.append(layer)
                self._writes.lit.append(layer.at[t])
        for belt in self._belts:
            self._besides_gates(belt)
        shown = [other.at[t] for other in self._cell.others if t in other.at]
        self._reads.lit += shown
        if shown and not self._reads.said:
            self._reads.said += shown
            self._reads.made += shown
            self._reads.sentences.append(
                f"The state is shown as {self._name(shown[-1], 'it is')}{self._norm(shown[-1])}."
            )

    def _besides_gates(self, belt: Belt) -> None:
        """Add what is kept by something that no gate is multiplied with itself, and what is added without a gate."""
        passage = belt.at[self._t]
        for before, node in pairwise((passage.before, *passage.way)):
            made = node.primitive
            if made is not None and made.combines == "product" and node not in {*self._forgets.said}:
                others = [x for x in node.inputs if self._reading.timeline.moved(x) is not before]
                self._forgets.lit += [node, *self._behind(others)]
                self._forgets.said.append(node)
                self._forgets.sentences.append(f"{share(passage.kept)} of {self._before(belt)} is kept.")
                self._forgets.layers += [gate for gate in self._cell.gates if not gate.roles]
            elif made is not None and made.combines == "sum" and not self._writes.said:
                added = [x for x in node.inputs if self._reading.timeline.moved(x) is not before and x.primitive]
                self._writes.lit += self._behind(added)
                self._writes.said += added
                self._writes.sentences += [f"A norm of {short(magnitude(x.value))} is added." for x in added]

    def _behind(self, nodes: list[Tensor]) -> list[Tensor]:
        """Return nodes and what the cell computes them of in this step, but for what is on a belt."""
        mine, found = {*self._cell.members} - self._on_belt, dict.fromkeys(nodes)
        queue = list(nodes)
        for node in queue:
            for x in node.inputs:
                if x in mine and x not in found and self._reading.timeline.of[x] == self._t:
                    found[x] = None
                    queue.append(x)
        return queue

    def _update(self, belt: Belt) -> Stage:
        passage, name, before = belt.at[self._t], belt.name(self._t), self._before(belt)
        if len(self._reading.all_steps) == 1:
            name = self._name(passage.after, name)
        norms = [short(norm) for norm in passage.norms]
        stage = Stage("The new state", lit=passage.way, said=[passage.after], made=[passage.after])
        if passage.norms[0]:
            kept = short(passage.kept * passage.norms[0])
            stage.sentences = [
                f"Of ‖{before}‖ = {norms[0]}, {kept} is kept; with what is written, ‖{name}‖ = {norms[-1]}."
            ]
        else:
            stage.sentences = [f"{before} is zero: all of ‖{name}‖ = {norms[-1]} has just been written."]
        return stage

    def _before(self, belt: Belt) -> str:
        """Return what comes in: by its step, or of a single step, which may have no number, as formulas call it."""
        before = belt.before(self._t)
        return self._name(belt.at[self._t].before, before) if len(self._reading.all_steps) == 1 else before

    def _all(self) -> Stage:
        t, single = self._t, len(self._reading.all_steps) == 1
        mine = set(self._cell.members)
        states = [(state, state.at[t]) for state in self._reading.states if state.at.get(t) in mine]
        stage = Stage("All of it", said=[layer.at[t] for layer in self._cell.layers if t in layer.at], whole=True)
        stage.said = list(dict.fromkeys((*stage.said, *(node for _, node in states))))
        names = [self._name(node, called(state, t)) if single else called(state, t) for state, node in states]
        norms = [
            f"{name} of norm {short(magnitude(node.value))}" for name, (_, node) in zip(names, states, strict=True)
        ]
        given = "The next step is given" if t != self._reading.all_steps[-1] else "A next step would be given"
        stage.sentences = [f"{given} {' and '.join(norms)}."] if norms else []
        return stage

    def _part(self, product: Tensor, passed: Tensor) -> str:
        """Write which share of what a gate is multiplied with it lets through: 70% of c₁."""
        norm, name = magnitude(passed.value), self._name(passed, "what comes in")
        if not norm:
            return f"nothing yet of {name}, which is zero"
        return f"{share(magnitude(product.value) / norm)} of {name}"

    def _norm(self, node: Tensor) -> str:
        name = self._name(node, "")
        return f": ‖{name}‖ = {short(magnitude(node.value))}" if name else ""

    def _name(self, node: Tensor, otherwise: str) -> str:
        """Return what formulas call a node, how it was computed if that is short, or something else."""
        node = self._reading.timeline.moved(node)
        if node.name:
            own = self._symbols.own(node)
            return clean(text(own)) if own is not None else clean(node.name)
        if node.primitive is not None and len(node.inputs) == 1 and (inner := self._name(node.inputs[0], "")):
            return f"{node.primitive.symbol}({inner})"
        return otherwise
