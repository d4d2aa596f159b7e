"""Numbers that are none, gradients that fade or grow on their way through time, and steps that go too far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ...engine.primitive import Array
from ...engine.tensor import Tensor
from ..cells import RESET, Bounded, State
from ..faults import maker, rule_at_fault
from ..words import magnitude, short, shown
from .reading import Examined, Symptom

FADED, GROWN = 1e-7, 1e3
"""What is left of ∂L/∂state at the other end: so little beside the largest, as float32 resolves no more; or so much."""

RISE, RISE_SINCE = 1.1, 3.0
"""By which factor a step along −gradient raises the loss to be too long; and an update, which need not be along it."""

HALVINGS = 40
"""How often a step that is too long is halved in search of one that is not."""


def faults(seen: Examined) -> Iterator[Symptom]:
    """Find who made the first NaN or Inf, forwards or else backwards."""
    if not np.isfinite(seen.output.value).all():
        node, said = maker(seen.output)
        yield Symptom("not finite", seen.place([node]), f"the loss is no number: {said}", (node,))
    elif seen.output.requires_grad and not all(np.isfinite(gradient).all() for gradient in seen.gradients.values()):
        said = rule_at_fault(seen.output) or "a sum of gradients overflowed"
        yield Symptom("not finite", "the backward pass", f"the loss is finite, its gradients are not: {said}")


def over_time(seen: Examined) -> Iterator[Symptom]:
    """Find gradients that vanish or explode on their way back through the steps.

    Measured is the largest of the ‖∂L/∂state‖ of a step, at the step that is last in a direction of time and at the
    first: where one state hands the gradient on, as along the belt of an LSTM, nothing has vanished.
    """
    for forwards in (True, False):
        states = [state for state in seen.cells.states if state.forwards is forwards]
        norms = _norms(seen, states)
        if len(norms) < 3 or not all(map(np.isfinite, norms.values())) or seen.timeline.cuts:
            continue
        times = sorted(norms, reverse=forwards)  # as the gradient flows
        end, begin = norms[times[0]], norms[times[-1]]
        largest = max(norms.values())
        names = ", ".join(dict.fromkeys(f"∂L/∂{state.name}" for state in states))
        way = f"{short(end)} at t = {times[0]}, {short(begin)} at t = {times[-1]}".replace("-", "−")
        nodes = tuple(node for state in states for node in state.at.values())
        if begin <= FADED * largest and largest > 0:
            rate = (begin / largest) ** (1 / (len(times) - 1))
            why = _shrinking(seen, times)
            yield Symptom(
                "vanishing", names, f"{way}: × {short(rate)} a step, so the first steps teach nothing. {why}", nodes
            )
        elif begin >= GROWN * end > 0:
            rate, norm = (begin / end) ** (1 / (len(times) - 1)), _whole(seen)
            clipped = f"clip_grad_norm(…, 1.0) would scale ‖∂L/∂w‖ = {short(norm)} by {short(1 / norm)}, direction kept"
            yield Symptom(
                "exploding", names, f"{way}: × {short(rate)} a step. Recurrent weights are too large; {clipped}", nodes
            )


def _norms(seen: Examined, states: list[State]) -> dict[int, float]:
    """Return for each step the largest ‖∂L/∂state‖, up to the last step that the loss depends on."""
    found: dict[int, float] = {}
    for state in states:
        for t, node in state.at.items():
            found[t] = max(found.get(t, 0.0), magnitude(seen.gradients[node]) if node in seen.gradients else 0.0)
    reached = [t for t, norm in found.items() if norm]
    return {t: norm for t, norm in found.items() if reached and min(reached) <= t <= max(reached)}


def _shrinking(seen: Examined, times: list[int]) -> str:
    """Say what the gradient is multiplied by on the way: what gates let through, what slopes leave."""
    layers = [layer for cell in seen.cells.cells for layer in cell.layers]
    kept = [layer for layer in layers if layer.is_gate and RESET in layer.roles]
    if kept:
        parts = [f"{_called(layer)} lets {short(float(np.nanmean(layer.values(times))))} of it pass" for layer in kept]
        return f"On average {', '.join(parts)}; a larger bias opens it"
    slopes = [f"{layer.symbol} has a slope of {short(_slope(layer, times))}" for layer in layers if not layer.is_gate]
    return f"On average {', '.join(slopes)}; the weights do the rest" if slopes else "The recurrent weights shrink it"


def _called(layer: Bounded) -> str:
    return f"{layer.symbol}, the {layer.name} gate," if layer.is_gate and layer.name else layer.symbol


def _slope(layer: Bounded, times: list[int]) -> float:
    """Return the average slope of an activation, as a part of its largest: 1 − y² for tanh."""
    values = layer.values(times)
    return float(np.nanmean(4 * (values - layer.low) * (layer.high - values) / (layer.high - layer.low) ** 2))


def _learning(seen: Examined) -> dict[Tensor, Array]:
    return {leaf: seen.gradients[leaf] for leaf in seen.graph.leaves if leaf.requires_grad and leaf in seen.gradients}


def _whole(seen: Examined) -> float:
    return magnitude([magnitude(gradient) for gradient in _learning(seen).values()])


def too_far(seen: Examined, lr: float | None) -> Iterator[Symptom]:
    """Find that a step goes too far, by running the graph again with other weights.

    That of a learning rate, if one is given: all that learns moves by −lr · gradient. Else the update that was made
    since the graph ran, if one was.
    """
    if seen.output.size != 1 or not np.isfinite(seen.output.value).all() or not seen.output.requires_grad:
        return
    before, learning = seen.output.item(), _learning(seen)
    if not all(np.isfinite(gradient).all() for gradient in learning.values()):
        return
    if lr is None:
        moved = {leaf: leaf.value for leaf in learning if leaf.value is not seen.graph.values[leaf]}
        after = _loss(seen, moved) if moved else before
        if not after - before <= (RISE_SINCE - 1) * abs(before):
            yield Symptom(
                "step too large",
                _all(list(moved)),
                f"the update made since took this loss from {shown(before)} to {shown(after)}: lower the learning rate",
                tuple(moved),
            )
        return
    after = _along(seen, learning, lr)
    if after - before <= (RISE - 1) * abs(before):
        return
    better = (lr / 2**k for k in range(1, HALVINGS) if _along(seen, learning, lr / 2**k) < before)
    found = next(better, None)
    instead = f"; lr = {found:g} lowers it to {shown(_along(seen, learning, found))}" if found else ""
    yield Symptom(
        "step too large",
        _all(list(learning)),
        f"one step of lr = {lr:g} along −gradient takes this loss from {shown(before)} to {shown(after)}{instead}",
        tuple(learning),
    )


def _along(seen: Examined, learning: Mapping[Tensor, Array], lr: float) -> float:
    """Return the loss after one step along the negative gradient."""
    return _loss(seen, {leaf: seen.graph.values[leaf] - lr * gradient for leaf, gradient in learning.items()})


def _loss(seen: Examined, values: Mapping[Tensor, Array]) -> float:
    with np.errstate(all="ignore"):
        return float(seen.graph.replay(values)[seen.output].item())


def _all(moved: list[Tensor]) -> str:
    if len(moved) == 1 and moved[0].name:
        return moved[0].name
    return f"all {len(moved)} tensors that learn"
