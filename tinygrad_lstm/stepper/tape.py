"""The tape: the engine's walk, recorded as immutable events, so that going back is free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..engine.backprop import Contribution, as_seed, backprop
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from ..symbolic.formulas import display_name, equation, formulas


@dataclass(frozen=True, eq=False)
class Event:
    """One position of the walk: the seed (index 0), then one event per contribution. ``print(event)`` tells it."""

    index: int
    graph: Graph
    seed: Any
    step: Contribution | None = None  # None for the seed

    @property
    def phase(self) -> str:
        return "backward" if self.step else "seed"

    @property
    def node(self) -> Tensor:
        """The node whose rule is applied; for the seed, the output itself."""
        return self.step.node if self.step else self.graph.output

    @property
    def target(self) -> Tensor:
        """The tensor whose gradient grows here."""
        return self.step.input if self.step else self.graph.output

    @property
    def scope(self) -> tuple[str, ...]:
        return self.node.scope

    @property
    def time(self) -> int | None:
        return self.node.time

    @property
    def formula(self) -> str:
        if self.step is None:
            return f"∂L/∂{display_name(self.node) or 'L'} = seed"
        return formulas(self.node)[self.step.slot] or f"∂L/∂{self.step.input.item():.4g} is not needed"

    @property
    def numbers(self) -> str:
        """The formula with numbers in it, where tensors are small; empty if none is."""
        if self.step is None:
            return ""
        written = formulas(self.node, self.step.upstream)[self.step.slot]
        return "" if written == formulas(self.node)[self.step.slot] else written

    @property
    def before(self) -> Any:
        """The running total before, None while nothing has arrived."""
        return self.step.before if self.step else None

    @property
    def contribution(self) -> Any:
        return self.step.contribution if self.step else self.seed

    @property
    def after(self) -> Any:
        return self.step.after if self.step else self.seed

    def facts(self) -> Iterator[tuple[str, str]]:
        """What there is to say here, as pairs of label and text: the same in the terminal and on the page."""
        yield "node", self.graph.ids[self.node]
        yield "scope", ".".join(self.scope) or "—"
        yield "time", "—" if self.time is None else f"t = {self.time}"
        yield "computed", equation(self.node)
        yield "rule", self.formula
        if self.step is None:
            yield "seed", numbers(self.seed)
            return
        if in_numbers := self.numbers:
            yield "in numbers", in_numbers
        yield "upstream", numbers(self.step.upstream)
        yield "to", f"{self.graph.ids[self.target]}, input {self.step.slot} of {self.node_name()}"
        if np.shape(self.step.product) != np.shape(self.contribution):
            shapes = f"from {np.shape(self.step.product)} to {np.shape(self.contribution)}"
            yield "summed", f"{shapes}, undoing the broadcast"
        yield "before", "nothing yet" if self.before is None else numbers(self.before)
        yield "+ contribution", numbers(self.contribution)
        yield "= after", numbers(self.after)
        arrived, expected = self.step.arrived, self.step.expected
        yield "arrived", f"{arrived} of {expected}" + ("" if arrived < expected else ": complete")

    def node_name(self) -> str:
        return self.node.primitive.name if self.node.primitive else "the output"

    def __str__(self) -> str:
        facts = list(self.facts())
        width = max(len(label) for label, _ in facts)
        lines = [f"{label:>{width}}  {text}" for label, text in facts]
        return "\n".join([f"[{self.index}] {self.phase}", *lines])


def record(output: Tensor, seed: ArrayLike | Tensor | None = None) -> tuple[Event, ...]:
    """The whole walk from an output, as events."""
    graph = Graph(output)
    first = as_seed(output, seed)
    walk = [Event(0, graph, first)]
    walk += [Event(index, graph, first, step) for index, step in enumerate(backprop(output, first), start=1)]
    return tuple(walk)


def numbers(array: Any) -> str:
    """Up to 8 numbers in full; of a larger array its shape, norm and range."""
    values = np.asarray(array)
    if values.size <= 8:
        return " ".join(np.array2string(values, separator=", ", formatter={"float_kind": "{:.4g}".format}).split())
    low, high, norm = values.min(), values.max(), np.linalg.norm(values)
    return f"shape {values.shape}, norm {norm:.4g}, from {low:.4g} to {high:.4g}"
