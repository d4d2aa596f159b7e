"""Wiring that is not what was meant: shapes that spread into a square, states cut off, parameters that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.primitive import Kind
from ...engine.tensor import Tensor
from ..origin import users_line
from ..unused import explain_unused
from ..words import clean, span
from .reading import Examined, Symptom

LONGEST = 200
"""Letters of a list of names; chosen: it fits on two lines."""


def broadcast(seen: Examined) -> Iterator[Symptom]:
    """Find (N, 1) against (N), which makes (N, N), after the last weights: a loss of each with each."""
    for nodes in seen.folded([node for node in seen.timeline.operations if _squared(node) and node not in seen.hidden]):
        node = nodes[0]
        column, row = sorted((x.shape for x in node.inputs[:2]), key=len, reverse=True)
        yield Symptom(
            "broadcast",
            seen.place(nodes),
            f"{column} against {row} gives {node.shape}: each number meets every other instead of its own. "
            f"Reshape one of them: x.reshape{row if len(row) > 1 else f'({row[0]})'}",
            tuple(nodes),
        )


def detached(seen: Examined) -> Iterator[Symptom]:
    """Find states that were detached once steps had made them: of these steps, the loss teaches nothing."""
    lines: dict[object, list[Tensor]] = {}
    for leaf in seen.graph.leaves:
        if leaf.detached and leaf.context.offset is not None:
            lines.setdefault(users_line(leaf), []).append(leaf)
    for line, leaves in lines.items():
        times = sorted({leaf.context.offset for leaf in leaves if leaf.context.offset is not None})
        name = clean(leaves[0].name or "a state")
        yield Symptom(
            "detached",
            f"{name}, before {span(times)}{f' ({line})' if line else ''}",
            "detach() cuts it off there, so no gradient reaches the steps before. In truncated backpropagation that is "
            "meant; else leave it out",
            tuple(leaves),
        )


def unused(seen: Examined) -> Iterator[Symptom]:
    """Find parameters that never get a gradient, with the reason."""
    if not seen.output.requires_grad:
        yield Symptom("constant", seen.place([seen.output]), _nothing(seen), (seen.output,))
        return
    names = {parameter: name for name, parameter in seen.parameters.items()}
    learning = {leaf: None for leaf in (*names, *seen.graph.leaves) if leaf.requires_grad}
    asked = [leaf for leaf in learning if leaf not in seen.gradients]
    reasons: dict[str, list[Tensor]] = {}
    for each, leaf in zip(explain_unused(seen.output, asked), asked, strict=True):
        names.setdefault(leaf, each.name)
        reasons.setdefault(each.why, []).append(leaf)
    for why, leaves in reasons.items():
        where = clean(", ".join(names[leaf] for leaf in leaves), LONGEST)
        yield Symptom("unused", where, f"{why}, so no step will ever change it", tuple(leaves))


def _nothing(seen: Examined) -> str:
    cut = [leaf for leaf in seen.graph.leaves if leaf.detached]
    if cut:
        return f"no gradient will flow: what it is computed of was detached ({users_line(cut[0])})"
    return "no gradient will flow: nothing it is computed of requires one; make weights with requires_grad=True"


def _squared(node: Tensor) -> bool:
    """Tell whether an operation met a column (…, N, 1) with a row (…, N), where N is more than 1."""
    made = node.primitive
    if made is None or len(node.inputs) != 2 or made.kind in (Kind.product, Kind.movement) or node.ndim < 2:
        return False
    column, row = sorted((x.shape for x in node.inputs), key=len, reverse=True)
    if any(x.is_leaf and x.requires_grad for x in node.inputs):
        return False
    return bool(row) and row[-1] > 1 and column == (*row, 1) and node.shape[-2:] == (row[-1], row[-1])
