"""Where a network ends: the states that its last step leaves, and the loss that is computed of what it gave out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container

from ..engine.tensor import Tensor
from .timeline import AFTER, Timeline


def final_states(timeline: Timeline, losses: Container[Tensor]) -> dict[Tensor, int]:
    """Find the states that no step takes any more: +1 if they leave to the right, −1 if time leads to the left.

    A loss that is added up from step to step, of the head, is none. Of a single step only the names tell, as with
    initial states: h is what h0 becomes.
    """
    if len(timeline.steps) == 1:
        given = {node.inputs[slot].name for node, slot in timeline.initial_states}
        named = {node.name: node for node in timeline.of if node.name and f"{node.name}0" in given}
        return dict.fromkeys(named.values(), 1)
    carried = {
        timeline.fold[x]: (x, user)
        for x, user in timeline.carried_states.values()
        if x in timeline.of and x not in losses
    }
    members: dict[tuple[object, ...], list[Tensor]] = defaultdict(list)
    for node in timeline.of:
        if timeline.fold[node] in carried:
            members[timeline.fold[node]].append(node)
    taken = {timeline.moved(x) for node in timeline.operations for x in node.inputs if timeline.crosses(x, node)}
    found: dict[Tensor, int] = {}
    for fold, nodes in members.items():
        state, user = carried[fold]
        side = 1 if timeline.of[state] < timeline.of[user] else -1
        last = max(nodes, key=lambda node: side * timeline.of[node])
        if last not in taken and timeline.of[last] == timeline.steps[-1 if side > 0 else 0]:
            found[last] = side
    return found


def head(timeline: Timeline) -> set[Tensor]:
    """Find what no weight needs any more: the loss and what leads to it after all steps, and its sum over steps."""
    weights, needed = timeline.weights, set[Tensor]()
    for node in reversed(timeline.operations):
        if any(user in needed for user in timeline.users[node]) or any(x in weights for x in node.inputs):
            needed.add(node)
    kept = {timeline.fold[node] for node in needed}  # what one step's weights need belongs to the others as well
    sums = {timeline.fold[x] for x, _ in timeline.carried_states.values() if x in timeline.of and timeline.cells} - kept
    after = (node for node in timeline.operations if timeline.steps and timeline.column(node) == AFTER)
    added = (node for node in timeline.of if timeline.fold[node] in sums and not timeline.levels(node))
    return {*(node for node in after if node not in needed), *added}
