"""Leaves that learn though they belong to nobody: no optimiser would find them, and no check would try them."""

from __future__ import annotations

from collections.abc import Iterable

from ..engine.graph import Graph
from ..engine.scope import MODULES
from ..engine.tensor import Tensor
from .module import Module


def unowned(output: Tensor, *modules: Module, among: Iterable[Tensor] = ()) -> list[Tensor]:
    """Return the leaves that learn from an output though they belong to none of the modules.

    Each requires a gradient, takes part in the output, and is in nobody's ``parameters()``. What is used in calls of a
    module that is no more was its own, for all one knows.

    Arguments:
        output: what was computed, such as a loss.
        modules: whose parameters are known; if none are given, the modules that ran.
        among: leaves that are known otherwise, such as inputs.

    Source: this project; what torch.optim is not given, it does not train, and does not say so either.

    >>> import tinygrad_lstm as tl
    >>> layer, w = tl.Linear(1, 1, rng=0), tl.tensor(2.0, requires_grad=True, name="w")
    >>> [leaf.name for leaf in unowned(layer(tl.tensor([1.0])) * w)]
    ['w']
    """
    (graph, _), given = Graph(output).opened(), list(among) if isinstance(among, Iterable) else [among]
    if not all(isinstance(module, Module) for module in modules) or not all(isinstance(x, Tensor) for x in given):
        raise TypeError("unowned takes a tensor, then modules, and tensors as among=[x]")
    known = set(given)
    for module in modules:
        known.update(module.parameters())
    ran: dict[int, list[Tensor]] = {}
    for node in graph.nodes if not modules else ():
        for number in {frame.module for frame in node.context.frames}:
            ran.setdefault(number, []).extend(node.inputs)
    for number, used in ran.items():
        alive = MODULES.get(number)
        known.update(alive.parameters() if alive else used if number else ())
    taking_part = [leaf for leaf in graph.leaves if leaf.requires_grad and output.requires_grad]
    return [leaf for leaf in taking_part if leaf not in known]
