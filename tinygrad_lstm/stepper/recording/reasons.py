"""What holds at an event, by the words for conditions, and what stands in the places of the sentences."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ...engine.backprop import Contribution
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure.saturation import at_ends
from ...structure.words import clean, display_name, magnitude, shown
from ...symbolic.written import text

LONGEST = 80
"""Characters of what a tensor is called in a sentence; chosen: a line."""


class Occurrence(Protocol):
    """What an event tells of itself, of which its reasons are found."""

    @property
    def phase(self) -> str: ...
    @property
    def node(self) -> Tensor: ...
    @property
    def slot(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def tape(self) -> Any: ...
    @property
    def step(self) -> Contribution | None: ...
    @property
    def target(self) -> Tensor | None: ...
    @property
    def graph(self) -> Graph: ...
    @property
    def operation(self) -> str: ...
    @property
    def formula(self) -> str: ...
    @property
    def value(self) -> Any: ...
    @property
    def upstream(self) -> Any: ...


def conditions(event: Occurrence) -> set[str]:
    """Return the words of ``WHEN`` for what holds at an event."""
    holds = _backward(event) if event.step else _forward(event) if event.phase == "forward" else {}
    return {event.phase, *(name for name, is_so in holds.items() if is_so)}


def places(event: Occurrence) -> dict[str, object]:
    """Return what stands in the places of a sentence about an event."""
    if event.step:
        return {"operation": event.operation, **_of_use(event)}
    return {"operation": event.operation, "name": clean(display_name(event.node) or event.graph.ids[event.node])}


def _forward(event: Occurrence) -> dict[str, Any]:
    node = event.node
    finite = [np.isfinite(x).all() for x in (event.value, *node.input_values)]
    return {
        "leaf": node.is_leaf,
        "cut": node.detached,
        "unasked": node.is_leaf and not node.requires_grad,
        "broken": not node.is_leaf and not finite[0] and all(finite[1:]),
    }


def _backward(event: Occurrence) -> dict[str, Any]:
    step, target, node = event.step, event.target, event.node
    assert step is not None
    assert target is not None
    used = [event.tape.nodes[index] for index in event.tape.uses(target)]
    times = {each.time for each in used} - {None}
    product, made = step.product, step.contribution
    factor = factor_of(event.node, event.slot)
    return {
        "blocked": np.any(event.upstream) and not np.any(made),
        "silent": not np.any(event.upstream),
        "nil": factor is not None and not factor.value.any(),
        "summed": product is not None and np.size(product) > np.size(made),
        "again": target.is_leaf and len(times) == step.expected,
        "within": len(set(used)) == 1,
        "many": step.expected > 1,
        "complete": step.arrived == step.expected,
        "leaf": target.is_leaf,
        "gate": is_gate(factor),
        "product": factor is not None,
        "same": np.array_equal(np.asarray(made), np.asarray(event.upstream)),
        "saturated": _is_saturated(node),
        "last": _is_last(event),
        "finite": _is_last(event) and 0 < _norm(event) < np.inf,
        "detached": any(leaf.detached for leaf in event.graph.leaves),
    }


def _of_use(event: Occurrence) -> dict[str, object]:
    step, factor = event.step, factor_of(event.node, event.slot)
    assert step is not None
    name, (gradient, added, _) = _letter(event, event.slot), event.formula.partition(" += ")
    product, made = step.product, step.contribution
    found: dict[str, object] = {
        "name": name,
        "gradient": f"∂L/∂{name}" if not added or gradient.endswith("]") else clean(gradient, LONGEST),
        "rows": np.size(product) // max(np.size(made), 1),
        "arrived": step.arrived,
        "expected": step.expected,
        "left": step.expected - step.arrived,
    }
    if factor is not None:
        found |= {"other": _letter(event, 1 - event.slot), "open": percent(np.mean(factor.value))}
    if _is_saturated(event.node):
        found["left_over"] = percent(magnitude(made) / (magnitude(event.upstream) or 1))
    if _is_last(event):
        found |= _at_the_end(event)
    return found


def _at_the_end(event: Occurrence) -> dict[str, str]:
    norm = _norm(event)
    times = [node.time for node in event.tape.nodes[event.tape.start + 1 :] if node.time is not None]
    return {
        "norm": shown(norm),
        "half": shown(norm / 2),
        "first": f"t = {min(times)}" if times else "the beginning",
    }


def _is_last(event: Occurrence) -> bool:
    return event.index == len(event.tape) - 1


def _norm(event: Occurrence) -> float:
    """Return the norm of the gradients of all leaves together."""
    gradients = event.tape.gradients
    return magnitude([magnitude(gradients[leaf]) for leaf in event.graph.leaves if leaf in gradients])


def factor_of(node: Tensor, slot: int) -> Tensor | None:
    """Return what an input was multiplied by, where it was one of two factors."""
    primitive, inputs = node.primitive, node.inputs
    return inputs[1 - slot] if primitive and primitive.combines == "product" and len(inputs) == 2 else None


def is_gate(x: Tensor | None) -> bool:
    """Tell whether what computed a tensor leaves its numbers between 0 and 1."""
    return x is not None and x.primitive is not None and x.primitive.range == (0, 1)


def explaining(share: float, factor: float) -> dict[str, bool]:
    """Tell whether a gate that is open so far explains by which factor a gradient shrinks over it."""
    return {"shut": share <= 1.1 * factor, "around": 2 * share < factor}


def percent(share: Any) -> str:
    """Write a share in hundredths, with three digits."""
    return shown(100 * float(share), 3)


def _is_saturated(node: Tensor) -> bool:
    low, high = at_ends(node.value, node.primitive.range if node.primitive else (-np.inf, np.inf))
    return bool(low.size and (low | high).all())


def _letter(event: Occurrence, slot: int) -> str:
    """Return what the formula of an event calls one of the inputs."""
    return clean(text(event.tape.symbols.letters(event.node).inputs[slot]), LONGEST)
