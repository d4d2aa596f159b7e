"""Two runs of one network: which node of one takes the place of which node of the other."""

from __future__ import annotations

from typing import NamedTuple

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .words import clean
from .words import shape as shape_of


class Partners(NamedTuple):
    """For each node of the first run the one in its place in the second; and those in whose place another thing is."""

    of: dict[Tensor, Tensor]
    replaced: list[Tensor]


def partners(first: Graph, second: Graph) -> Partners:
    """Pair the nodes of two runs, of which one may be what ``what_if`` made of the other.

    What led to a node that was replaced has no partner if nothing in the second run is computed of it.

    Raises ValueError for graphs that are not two runs of one network, with the first node that tells.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(1.0, name="x")
    >>> y = tl.tanh(x) * x
    >>> first, second = tl.Graph(y), tl.Graph(tl.what_if(y, {"tanh": 0.5}))
    >>> [first.ids[node] for node in partners(first, second).replaced]
    ['tanh']
    """
    complaint = _differs(first, second)
    if complaint is None:
        return Partners(dict(zip(first.nodes, second.nodes, strict=True)), [])
    found = _changed(first, second)
    if found is None:
        raise ValueError(f"these are not two runs of one network: {complaint}")
    return found


def _differs(first: Graph, second: Graph) -> str | None:
    """Return what tells the lists of nodes apart."""
    for mine, theirs in zip(first.nodes, second.nodes, strict=False):
        if mine.shape != theirs.shape or mine.primitive is not theirs.primitive:
            what = " and ".join(
                f"{'a leaf' if node.primitive is None else node.primitive.name} of shape {shape_of(node.value)}"
                for node in (mine, theirs)
            )
            return (
                f"at {clean(first.ids[mine])}, there are {what}; run the same network twice, on inputs of the same "
                "shapes"
            )
    if len(first.nodes) != len(second.nodes):
        return (
            f"the graphs have {len(first.nodes)} and {len(second.nodes)} nodes; run it twice on sequences of one length"
        )
    return None


def _changed(first: Graph, second: Graph) -> Partners | None:
    """Pair from the outputs on, as far as operations are those of the same calls; None where that cannot be."""
    of: dict[Tensor, Tensor] = {}
    replaced = []
    unvisited = [(first.output, second.output)]
    while unvisited:
        mine, theirs = unvisited.pop()
        if mine in of:
            if of[mine] is not theirs:
                return None
            continue
        of[mine] = theirs
        if mine is theirs or _same(mine, theirs):
            unvisited += zip(mine.inputs, theirs.inputs, strict=True)
            continue
        pair = _replacing(mine, theirs)
        if pair is None:
            return None
        replaced.append(mine)
        unvisited += zip(pair[0].inputs, pair[1].inputs, strict=False)
    order = {node: place for place, node in enumerate(first.nodes)}
    return Partners(of, sorted(replaced, key=order.__getitem__))


def _same(mine: Tensor, theirs: Tensor) -> bool:
    """Tell whether an operation was made again of another: of the same call, by the same line."""
    return (
        mine.primitive is theirs.primitive is not None
        and mine.shape == theirs.shape
        and len(mine.inputs) == len(theirs.inputs)
        and _is_near(mine, theirs)
        and (mine.code, mine.instruction) == (theirs.code, theirs.instruction)
    )


def _replacing(mine: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return from where on two nodes lead to the same, one of which was replaced by the other; None if none was."""
    if mine.shape != theirs.shape:
        return None
    if (source := _behind(mine, theirs)) is not None:
        return mine, source
    if (source := _behind(theirs, mine)) is not None:
        return source, theirs
    placed = mine.time is not None or mine.context.frames  # as a constant is that took the place of an operation
    was_constant = mine.is_leaf and placed and mine.name == theirs.name and _is_near(mine, theirs)
    return (mine, theirs) if theirs.is_leaf or was_constant else None


def _behind(node: Tensor, replacement: Tensor) -> Tensor | None:
    """Return what stands for a node among what took its place, which a function may have computed of it."""
    seen, unvisited = {replacement}, [replacement]
    while unvisited:
        x = unvisited.pop()
        if x is node or _same(node, x):
            return x
        new = [y for y in x.inputs if y not in seen] if _is_near(x, replacement) else []
        seen.update(new)
        unvisited += new
    return None


def _is_near(x: Tensor, y: Tensor) -> bool:
    """Tell whether both were made in the same calls, at the same step."""
    return x.time == y.time and x.context.frames == y.context.frames
