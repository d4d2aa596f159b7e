"""Activations that let no gradient pass: at the ends of their range, or on the flat side of a kink."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...engine.primitive import Array, Kind
from ...engine.tensor import Tensor
from ..cells import two_ended
from ..saturation import at_ends
from ..words import short, shown
from .reading import Examined, Symptom

STUCK = 0.0025
"""So near to an end, in parts of the range, a value counts: σ beyond ±6, tanh beyond ±3, slopes below 1 % of most."""

OPEN = 1e-4
"""So near to 1 a gate counts, which lets the gradient pass: only its own weights suffer. Nobody initialises so far."""

MOST_GATES, MOST_OTHERS = 0.9, 0.5
"""The share of its values from which an activation is named; trained gates stand at an end now and then."""

FAR, FEW, FAR_OF_FEW = 5.0, 8, 5.0
"""A unit is dead if its input is 1, and 5 standard deviations, from the kink; of fewer than 8 rows, if it is 5."""


def saturated(seen: Examined) -> Iterator[Symptom]:
    """Find what stands at an end of its range, over all steps and sequences: gates, candidates, hidden layers."""
    for nodes in seen.folded([node for node in seen.timeline.operations if _bounded(node) and node in seen.hidden]):
        assert nodes[0].primitive is not None
        low, high = nodes[0].primitive.range
        values = _rows(nodes)
        if not values.size:
            continue
        closed, opened = at_ends(values, (low, high), STUCK)
        if low >= 0:
            opened = at_ends(values, (low, high), OPEN)[1]
        share = float(np.mean(closed | opened))
        if share >= (MOST_GATES if low >= 0 else MOST_OTHERS):
            both = closed.any() and opened.any()
            end = f"{low:g} or {high:g}" if both else f"{low if closed.any() else high:g}"
            yield Symptom(
                "saturated",
                seen.place(nodes),
                f"{share:.0%} of its values are at {end.replace('-', '−')}, where the slope is nearly 0, so hardly any "
                f"gradient gets past it: {_cause(nodes)}",
                tuple(nodes),
            )


def _cause(nodes: list[Tensor]) -> str:
    """Say what brought an activation to its end: its bias, if that is most of what comes in, or its weights."""
    incoming = _rows(nodes, 0)
    size = float(np.sqrt(np.mean(np.square(incoming))))
    before = nodes[0].inputs[0]
    summed = before.primitive is not None and before.primitive.combines == "sum"
    biases = [x for x in before.inputs if summed and x.is_leaf and x.requires_grad]
    bias = float(np.mean(biases[0].value)) if biases else 0.0
    if abs(bias) > size / 2:
        return f"its bias is {shown(bias, 3)} on average; nearer to 0 it moves again"
    return f"what comes in is about ±{shown(size, 3)}; smaller weights, or inputs, bring it back to ±1"


def dead(seen: Examined) -> Iterator[Symptom]:
    """Find units that give the same for whatever comes in, since all of it lies far on the flat side of a kink."""
    for nodes in seen.folded([node for node in seen.timeline.operations if _kinked(node) is not None]):
        slot = _kinked(nodes[0])
        assert slot is not None
        incoming = _rows(nodes, slot)
        with np.errstate(all="ignore"):
            gone = np.logical_and.reduce([_flat(node, slot) for node in nodes]) & _far(incoming)
        if not gone.any():
            continue
        nearest = short(float(min(incoming[:, gone].ravel(), key=abs)))
        yield Symptom(
            "dead",
            seen.place(nodes),
            f"{_units(gone)}: what comes in is {nearest} or farther from 0 in every row, where the slope is 0: nothing "
            "passes back, so no step can move the weights before it. A bias nearer to 0 revives it",
            tuple(nodes),
        )


def _units(gone: NDArray[np.bool_]) -> str:
    """Say which units are meant."""
    if gone.size == 1:
        return "its one unit"
    if gone.all():
        return f"all {gone.size} units"
    some = np.flatnonzero(gone)
    return f"{len(some)} of {gone.size} units ({', '.join(map(str, some[:5]))}{', …' if len(some) > 5 else ''})"


def _bounded(node: Tensor) -> bool:
    """Tell whether a node is an activation of each number alone, with two ends: no softmax over an axis."""
    made = node.primitive
    return made is not None and two_ended(made) and made.arity == 1 and not made.attr_names


def _kinked(node: Tensor) -> int | None:
    """Return the input of which a node with a kink is a function, others being numbers: relu, or a maximum with 0."""
    made = node.primitive
    if made is None or made.kink is None or made.rule is None or made.attr_names or two_ended(made):
        return None
    if made.kind not in (Kind.activation, Kind.pointwise) or not node.requires_grad:
        return None
    slots = [slot for slot, x in enumerate(node.inputs) if not (x.is_leaf and x.ndim == 0 and not x.requires_grad)]
    same = len(slots) == 1 and node.inputs[slots[0]].shape == node.shape
    return slots[0] if same else None


def _flat(node: Tensor, slot: int) -> NDArray[np.bool_]:
    """Tell for each unit, the last axis, whether the rule of a node lets nothing pass of any row."""
    assert node.primitive is not None
    assert node.primitive.rule is not None
    slope = node.primitive.rule(np.ones(node.shape, node.dtype), node.value, *node.input_values, **node.attrs)[slot]
    passes: NDArray[np.bool_] = np.any(_as_rows(np.broadcast_to(slope, node.shape)), axis=0)
    return ~passes


def _far(rows: Array) -> NDArray[np.bool_]:
    """Tell for each unit whether its inputs lie farther on one side of 0 than they differ, so that none will cross."""
    mean, apart = np.abs(rows.mean(axis=0)), rows.std(axis=0)
    far: NDArray[np.bool_] = (mean > 1 + FAR * apart) & ((len(rows) >= FEW) | (mean > FAR_OF_FEW))
    return far


def _rows(nodes: list[Tensor], slot: int | None = None) -> Array:
    """Return the values of a node at all its steps, or what came in, (rows, units), as float64."""
    arrays = [node.value if slot is None else node.input_values[slot] for node in nodes]
    return np.concatenate([_as_rows(array).astype(np.float64) for array in arrays])


def _as_rows(array: Array) -> Array:
    return array.reshape(-1, array.shape[-1] if array.ndim else 1)
