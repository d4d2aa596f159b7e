"""An event: one position on the tape, and all that there is to say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ...engine.backprop import Contribution
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure.words import clean, display_name, magnitude
from ...symbolic.formulas import Formula, equation, forward

LONGEST = 1000
"""Letters of a line; what is longer is cut."""


class Recording(Protocol):
    """What an event asks of the tape that it is on; see ``Tape`` for what each means."""

    graph: Graph
    start: int

    @property
    def gradients(self) -> Mapping[Tensor, Any]: ...
    @property
    def names(self) -> frozenset[str]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Event: ...
    def edge(self, index: int) -> tuple[Tensor, int]: ...
    def uses(self, tensor: Tensor) -> list[int]: ...
    def contribution(self, index: int) -> Contribution: ...
    def gradient_at(self, tensor: Tensor, index: int) -> Any: ...
    def rules(self, node: Tensor, *, numbers: bool = False) -> tuple[Formula | None, ...]: ...


@dataclass(frozen=True)
class Event:
    """One position on the tape: a node computed, the seed, or a contribution. ``print(event)`` tells it."""

    index: int
    tape: Recording

    @property
    def graph(self) -> Graph:
        return self.tape.graph

    @property
    def phase(self) -> str:
        """ "forward", "seed" or "backward"."""
        return "forward" if self.index < self.tape.start else "backward" if self.index > self.tape.start else "seed"

    @cached_property
    def step(self) -> Contribution | None:
        """What the engine's walk said here; None outside the backward phase."""
        return self.tape.contribution(self.index) if self.phase == "backward" else None

    @property
    def node(self) -> Tensor:
        """The node that is computed, or whose rule is applied; for the seed, the output itself."""
        return self.tape.edge(self.index)[0]

    @property
    def slot(self) -> int:
        """Which of the node's inputs the contribution is for."""
        return self.tape.edge(self.index)[1]

    @property
    def target(self) -> Tensor | None:
        """The tensor whose gradient grows here; None while the program runs forward."""
        if self.phase == "forward":
            return None
        return self.node if self.phase == "seed" else self.node.inputs[self.slot]

    @property
    def scope(self) -> tuple[str, ...]:
        return self.node.scope

    @property
    def time(self) -> int | None:
        return self.node.time

    @property
    def equation(self) -> str:
        """How the node was computed."""
        return equation(self.node, self.tape.names)

    @cached_property
    def rule(self) -> Formula | None:
        """The formula at work here, in symbols; None for what is given, such as a leaf or the seed."""
        if self.phase == "seed" or self.node.is_leaf:
            return None
        if self.phase == "forward":
            return forward(self.node, taken=self.tape.names)
        return self.tape.rules(self.node)[self.slot]

    @cached_property
    def in_numbers(self) -> Formula | None:
        """The same with the numbers of small tensors in it; None where there are none."""
        if self.rule is None:
            return None
        if self.step is None:
            written = forward(self.node, numbers=True, taken=self.tape.names)
        else:
            found = self.tape.rules(self.node, numbers=True)[self.slot]
            assert found is not None
            written = found
        return None if str(written) == str(self.rule) else written

    @property
    def formula(self) -> str:
        if self.rule is not None:
            return str(self.rule)
        if self.phase == "forward":
            return self.equation
        return f"∂L/∂{display_name(self.node) or 'L'} = seed"

    @property
    def numbers(self) -> str:
        """The formula with numbers in it, where tensors are small; empty if none is."""
        return "" if self.in_numbers is None else str(self.in_numbers)

    @property
    def value(self) -> Any:
        """What the node computed."""
        return self.graph.values[self.node]

    @property
    def upstream(self) -> Any:
        """∂L/∂node, complete; None while the program runs forward."""
        return None if self.phase == "forward" else self.tape.gradients[self.node]

    @property
    def before(self) -> Any:
        """The running total before, None while nothing has arrived."""
        return self.step.before if self.step else None

    @property
    def contribution(self) -> Any:
        """What is added here; None while the program runs forward."""
        return self.step.contribution if self.step else self.upstream

    @property
    def after(self) -> Any:
        return self.step.after if self.step else self.upstream

    def facts(self) -> Iterator[tuple[str, str]]:
        """What there is to say here, as pairs of label and text."""
        yield "node", self.graph.ids[self.node]
        yield "scope", ".".join(self.scope) or "—"
        yield "time", "—" if self.time is None else f"t = {self.time}"
        yield "computed", self.equation
        if self.phase != "forward":
            yield "rule", self.formula
        if self.phase == "seed":
            yield "seed", numbers(self.upstream)
        if in_numbers := self.numbers:
            yield "in numbers", in_numbers
        if self.phase == "forward":
            yield "value", numbers(self.value)
        if self.step is None:
            return
        yield "upstream", numbers(self.step.upstream)
        yield "to", f"{self.graph.ids[self.step.input]}, input {self.step.slot} of {self.operation}"
        if np.shape(self.step.product) != np.shape(self.contribution):
            shapes = f"from {np.shape(self.step.product)} to {np.shape(self.contribution)}"
            yield "summed", f"{shapes}, undoing the broadcast"
        yield "before", "nothing yet" if self.before is None else numbers(self.before)
        yield "+ contribution", numbers(self.contribution)
        yield "= after", numbers(self.after)
        arrived, expected = self.step.arrived, self.step.expected
        yield "arrived", f"{arrived} of {expected}" + ("" if arrived < expected else ": complete")

    @property
    def operation(self) -> str:
        """The name of the primitive."""
        return self.node.primitive.name if self.node.primitive else "leaf"

    def __repr__(self) -> str:
        return f"<event {self.index}, {self.phase}: {self.formula}>"

    def __str__(self) -> str:
        facts = [(label, clean(text, LONGEST)) for label, text in self.facts()]
        width = max(len(label) for label, _ in facts)
        lines = [f"{label:>{width}}  {text}" for label, text in facts]
        return "\n".join([f"[{self.index}] {self.phase}", *lines])


def numbers(array: Any) -> str:
    """Up to 8 numbers in full; of a larger array its shape, norm and range."""
    values = np.asarray(array)
    if values.size <= 8:
        return " ".join(np.array2string(values, separator=", ", formatter={"float_kind": "{:.4g}".format}).split())
    with np.errstate(all="ignore"):
        low, high = values.min(), values.max()
    return f"shape {values.shape}, norm {magnitude(values):.4g}, from {low:.4g} to {high:.4g}"
