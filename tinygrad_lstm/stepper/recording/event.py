"""An event: one position on the tape, and all that there is to say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...engine.backprop import Contribution
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure.tables import html_table
from ...structure.words import LINE, clean, display_name, in_full, magnitude, shown
from ...symbolic.formulas import Formula, equation, forward
from ...symbolic.notation.mathml import PLACE
from ...symbolic.symbols import Symbols
from .reasons import conditions, places
from .why import why

LONGEST = 1000
"""Characters of a line, at most; chosen: the formula of any cell of ours fits, a name of a megabyte does not."""

FEW = 8
"""Arrays of at most so many numbers are written in full beside an event; chosen: they fit on one line."""


class Recording(Sequence["Event"]):
    """What an event is a position of, and read off: the tape, which makes the events."""

    graph: Graph
    start: int
    nodes: list[Tensor]
    gradients: Mapping[Tensor, Any]

    @property
    def symbols(self) -> Symbols:
        raise NotImplementedError

    def uses(self, tensor: Tensor) -> list[int]:
        raise NotImplementedError

    def contribution(self, index: int) -> Contribution:
        raise NotImplementedError

    def gradient_at(self, tensor: Tensor, index: int) -> Any:
        raise NotImplementedError

    def rules(self, node: Tensor, *, numbers: bool = False) -> tuple[Formula | None, ...]:
        raise NotImplementedError


@dataclass(frozen=True)
class Event:
    """One position on the tape: a node computed, the seed, or a contribution. ``print(event)`` writes it all out."""

    index: int
    tape: Recording
    phase: str = field(compare=False)
    """``"forward"``, ``"seed"`` or ``"backward"``."""

    node: Tensor = field(compare=False)
    """The node that is computed, or whose rule is applied; for the seed, the output itself."""

    slot: int = field(compare=False)
    """Which of the node's inputs the contribution is for."""

    @property
    def graph(self) -> Graph:
        """Return the graph that the walk goes back through."""
        return self.tape.graph

    @cached_property
    def step(self) -> Contribution | None:
        """Return what the engine's walk yielded here; None outside the backward phase."""
        return self.tape.contribution(self.index) if self.phase == "backward" else None

    @property
    def target(self) -> Tensor | None:
        """Return the tensor whose gradient grows here; None while the program runs forward."""
        if self.phase == "forward":
            return None
        return self.node if self.phase == "seed" else self.node.inputs[self.slot]

    @property
    def scope(self) -> tuple[str, ...]:
        """Return the modules the node was made in, outermost first."""
        return self.node.scope

    @property
    def time(self) -> int | None:
        """Return the time step of the node; None for what belongs to none."""
        return self.node.time

    @property
    def operation(self) -> str:
        """Return the name of the primitive, or ``"leaf"``."""
        return self.node.primitive.name if self.node.primitive else "leaf"

    @property
    def equation(self) -> str:
        """Return how the node was computed."""
        return equation(self.node, self.tape.symbols)

    @cached_property
    def rule(self) -> Formula | None:
        """Return the formula at work here, in symbols; None for what is given, such as a leaf or the seed."""
        return self._formula()

    @cached_property
    def in_numbers(self) -> Formula | None:
        """Return the same with the numbers of small tensors in it; None where there are none."""
        written = self._formula(numbers=True)
        return None if str(written) == str(self.rule) else written

    @property
    def to_fill(self) -> str | None:
        """Return the same in MathML with a place for each tensor's numbers; None where there are none."""
        written = self._formula(numbers=True)
        text = written.to_fill if written else ""
        return text if PLACE in text else None

    def _formula(self, *, numbers: bool = False) -> Formula | None:
        if self.phase == "seed" or self.node.is_leaf:
            return None
        if self.phase == "forward":
            return forward(self.node, numbers=numbers, symbols=self.tape.symbols)
        return self.tape.rules(self.node, numbers=numbers)[self.slot]

    @property
    def formula(self) -> str:
        """Return the formula at work here as text; of a leaf or the seed, where its numbers come from."""
        if self.rule is not None:
            return str(self.rule)
        if self.phase == "forward":
            return self.equation
        return f"∂L/∂{display_name(self.node) or 'L'} = seed"

    @property
    def numbers(self) -> str:
        """Return the formula with numbers in it, where tensors are small; empty if none is."""
        return str(self.in_numbers or "")

    @property
    def value(self) -> Any:
        """Return the array that the node computed."""
        return self.graph.values[self.node]

    @property
    def upstream(self) -> Any:
        """Return ∂L/∂node, complete; None while the program runs forward."""
        return None if self.phase == "forward" else self.tape.gradients[self.node]

    @property
    def before(self) -> Any:
        """Return the running total before; None while nothing has arrived."""
        return self.step.before if self.step else None

    @property
    def contribution(self) -> Any:
        """Return what is added here; None while the program runs forward."""
        return self.step.contribution if self.step else self.upstream

    @property
    def after(self) -> Any:
        """Return the running total after; None while the program runs forward."""
        return self.step.after if self.step else self.upstream

    @property
    def why(self) -> str:
        """Return in a sentence why this happens here, for somebody who sees it for the first time.

        >>> import tinygrad_lstm as tl
        >>> x = tl.tensor(3.0, requires_grad=True, name="x")
        >>> tl.step(x * x).step().why
        'x is used 2 times here, so ∂L/∂x has 2 parts, which are added (+=); this is number 1, and 1 to come. \
In a product the slope to one factor is the other: here x.'
        """
        return why(conditions(self), places(self))

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield what there is to know here, as pairs of label and text."""
        yield "node", self.graph.ids[self.node]
        yield "scope", ".".join(self.scope) or "—"
        yield "time", "—" if self.time is None else f"t = {self.time}"
        yield "computed", self.equation
        if self.phase != "forward":
            yield "rule", self.formula
        if self.phase == "seed":
            yield "seed", numbers(self.upstream)
        if self.numbers:
            yield "in numbers", self.numbers
        if self.phase == "forward":
            yield "value", numbers(self.value)
        if self.step is None:
            return
        yield "upstream", numbers(self.upstream)
        yield "to", f"{self.graph.ids[self.step.input]}, input {self.slot} of {self.operation}"
        if np.shape(self.step.product) != np.shape(self.contribution):
            shapes = f"from {np.shape(self.step.product)} to {np.shape(self.contribution)}"
            yield "summed", f"{shapes}, undoing the broadcast"
        yield "before", numbers(self.before)
        yield "+ contribution", numbers(self.contribution)
        yield "= after", numbers(self.after)
        arrived, expected = self.step.arrived, self.step.expected
        yield "arrived", f"{arrived} of {expected}" + ("" if arrived < expected else ": complete")

    def __repr__(self) -> str:
        return f"<event {self.index}, {self.phase}: {clean(self.formula, LINE)}>"

    def __str__(self) -> str:
        facts = [(label, clean(text, LONGEST)) for label, text in self.facts()]
        width = max(len(label) for label, _ in facts)
        lines = [f"{label:>{width}}  {text}" for label, text in facts]
        return "\n".join([f"[{self.index}] {self.phase}", *lines])

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        return html_table(self.facts(), align="rl", caption=f"[{self.index}] {self.phase}")


def numbers(array: Any) -> str:
    """Return FEW numbers in full; of a larger array its shape, norm and range."""
    if array is None:
        return "nothing yet"
    values = np.asarray(array)
    if values.size <= FEW:
        return in_full(values)
    with np.errstate(all="ignore"):
        norm, low, high = (shown(number) for number in (magnitude(values), values.min(), values.max()))
    return f"shape {values.shape}, norm {norm}, from {low} to {high}"
