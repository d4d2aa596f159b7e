"""What if a gate had been open: a graph run again with some of its numbers replaced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ..engine.backprop import as_it_was, cast
from ..engine.errors import ShapeError, short
from ..engine.graph import Graph
from ..engine.opening import anew
from ..engine.ops import broadcast_to
from ..engine.primitive import Array
from ..engine.scope import Frame, call_in
from ..engine.tensor import Tensor, as_value
from .path import ambiguous, called, names_of, unknown
from .timeline import Timeline

Function = Callable[[Tensor], Any]


def what_if(output: Tensor, changes: Mapping[Any, Any]) -> Tensor:
    """Return what the output would have been with some tensors of its graph replaced, as the output of a new graph.

    ``tl.grad``, ``backward``, ``tl.step``, ``tl.draw`` and ``tl.difference(loss, tl.what_if(loss, ...))`` take it like
    any other. What depends on a change is computed again, where and when it was, of the numbers of the run; leaves, and
    what ran before the first change, are shared with the old graph, which stays as it is.

    A leaf that is replaced by numbers is still the same leaf, which the new graph has used with other numbers, so
    ``tl.grad(new, [h0])`` is the gradient there. What was computed becomes a constant: no gradient flows on. By a
    function, it is replaced by what the function makes of it, through which the gradient flows.

    Arguments:
        output: a tensor that was computed, such as a loss.
        changes: what is replaced, and by what. The keys are tensors; modules, such as a gate, for what they returned,
            in every call; or names: ``"h0"``, ``"t3.c"`` with a step, ``"t3.forget_gate"`` for what a module returned
            there, ``"f"`` in every step that has one. A name may end like that of the scopes it is in, as
            ``"t3.layer1.c"``. The values are numbers or arrays, which broadcast to the shape of what they replace and
            take its dtype; or functions of the tensor, computed again, which return a tensor, a number or an array.

    Raises:
        TypeError: for what is no tensor, no mapping, no such key or no numbers; and for a tensor with a gradient as a
            value, which would be cut off: a function returns it.
        ValueError: for names that are not there or not alone in their step, tensors and modules that the output was
            not computed with, modules that return several tensors, and what is replaced twice.
        ShapeError: for a value of another shape.

    Source: this project; an intervention as J. Pearl's do(f = 1), "Causality" (2000), section 3.2.

    >>> import tinygrad_lstm as tl
    >>> cell, x = tl.LSTMCell(1, 1, rng=0), tl.tensor([1.0])
    >>> h, c = cell(x, cell(x))
    >>> kept = tl.what_if(c, {cell.forget_gate: 1.0})
    >>> c.item() < kept.item()
    True
    >>> tl.grad(kept, [cell.forget_gate.weight], allow_unused=True)
    (None,)
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"what_if takes a tensor that was computed, such as a loss, not {short(output)}")
    if not isinstance(changes, Mapping):
        raise TypeError(f"what_if takes a mapping of what is replaced, as in {{'t3.f': 1.0}}, not {short(changes)}")
    if not changes:
        raise ValueError("what_if was told nothing to replace; say what, and by what, as in {'t3.f': 1.0}")
    graph, opened = Graph(output).opened()
    asked = _Asked(graph, opened)
    by: dict[Tensor, Any] = {}
    keys: dict[Tensor, Any] = {}
    for key, value in changes.items():
        for node in asked.nodes(key):
            if node in by:
                both = " and ".join(short(each) for each in (keys[node], key))
                raise ValueError(f"{graph.ids[node]} is replaced twice, by {both}")
            by[node], keys[node] = value if _is_function(value) else _numbers(value, node, graph.ids[node]), key
    return _run_again(graph, by)


def _run_again(graph: Graph, by: Mapping[Tensor, Array | Function]) -> Tensor:
    """Return the output of the graph with nodes replaced.

    Operations after the first change are all made anew, be they the same or not: a graph is read in the order in which
    its nodes were made, and a function may have brought in newer ones.
    """
    taken: dict[Tensor, Tensor] = {}
    given: dict[Tensor, Array] = {}
    begun = False
    needed = _needed(graph.output, by)
    for node in graph.nodes:
        if node not in needed:
            continue
        change: Any = by.get(node)
        if node.is_leaf:
            if _is_function(change):
                change = _applied(change, node, graph.values[node], graph.ids[node])
            if isinstance(change, Tensor):
                taken[node] = change
            elif change is not None:
                given[node] = change
            continue
        begun = begun or change is not None or any(x in taken or x in given for x in node.inputs)
        if not begun:
            continue
        if change is None or _is_function(change):
            made = taken[node] = anew(node, [taken.get(x, x) for x in node.inputs], given)
            if change is None:
                continue
            change = _applied(change, made, made.value, graph.ids[node])
            if isinstance(change, Tensor):
                if change.name is None and change.serial > made.serial:
                    change.name, made.name = made.name, None  # the name is that of what goes on
                taken[node] = change
                continue
        taken[node] = Tensor(change, context=node.context, name=node.name)
    output = graph.output
    if output in given:
        return as_it_was(output, given[output])
    return taken[output]


def _needed(output: Tensor, by: Mapping[Tensor, Array | Function]) -> set[Tensor]:
    """Return what the new output is computed of: not what led to numbers that others take the place of."""
    seen, unvisited = {output}, [output]
    while unvisited:
        node = unvisited.pop()
        if node not in by or _is_function(by[node]):
            unvisited += (new := {x for x in node.inputs if x not in seen})
            seen |= new
    return seen


def _applied(function: Function, x: Tensor, value: Array, id: str) -> Tensor | Array:
    """Return what a function makes of a tensor, where that was made: in its shape and dtype, recorded if a tensor."""

    def fitted() -> Tensor | Array:
        result = function(as_it_was(x, value))
        if not isinstance(result, Tensor):
            return _numbers(result, x, id)
        if result.shape != x.shape:
            _require_shape(result.shape, x.shape, id)
            result = broadcast_to(result, shape=x.shape)
        return result if result.dtype == x.dtype else cast(result, dtype=x.dtype)

    made: Tensor | Array = call_in(x.context._replace(recording=True, detecting_nan=None), fitted, (), {})
    return made


def _numbers(value: Any, node: Tensor, id: str) -> Array:
    """Return what takes the place of a node's numbers."""
    if isinstance(value, Tensor) and value.requires_grad:
        raise TypeError(
            f"{id} would be replaced by the numbers of a tensor, whose gradient would be cut; give them as "
            "tensor.detach(), or the tensor as a function, lambda x: tensor"
        )
    try:
        numbers = as_value(value, node.dtype)
    except TypeError as error:
        raise TypeError(f"{id} is replaced by numbers, an array, or a function of a tensor: {error}") from error
    _require_shape(numbers.shape, node.shape, id)
    return numbers if numbers.shape == node.shape else as_value(np.broadcast_to(numbers, node.shape), node.dtype)


def _require_shape(shape: tuple[int, ...], wanted: tuple[int, ...], id: str) -> None:
    try:
        fits = np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{id} has shape {wanted}, and shape {shape} does not broadcast to it")


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, Tensor)


class _Asked:
    """Finds what a key means: tensors of a graph."""

    def __init__(self, graph: Graph, opened: Mapping[Tensor, Tensor]) -> None:
        self.graph = graph
        self._opened = opened
        self._there = set(graph.nodes)
        self._times = {**{node: node.time for node in graph.nodes}, **Timeline(graph).of}

    def nodes(self, key: Any) -> list[Tensor]:
        """Return the tensors that a key means.

        Raises TypeError for what is no key, and ValueError for one that means nothing here, or several things at once.
        """
        if isinstance(key, str):
            return self._named(key)
        if isinstance(key, Tensor):
            node = self._opened.get(key, key)
            if node not in self._there:
                raise ValueError(
                    f"no path leads from {short(key)} to {short(self.graph.output)}: it was computed from other "
                    "tensors, or cut by detach()"
                )
            return [node]
        number = getattr(key, "__frame_number__", None)
        if not isinstance(number, int):
            raise TypeError(f"what is replaced is a tensor, a module or a name, not {short(key)}")
        return self._returned_by(key, number)

    def _named(self, name: str) -> list[Tensor]:
        found = called(name, names_of(self.graph, self._times)) or called(name, self._by_module())
        if not found:
            raise unknown(name, self.graph)
        by_step: dict[int | None, list[Tensor]] = defaultdict(list)
        for node in found:
            by_step[self._times[node]].append(node)
        if len(by_step) > 1:
            by_step.pop(None, None)  # asked for is what each step has
        for t, nodes in by_step.items():
            if len(nodes) > 1:
                raise ambiguous(name, self.graph, nodes, "" if t is None else f" at t={t}")
        return [node for nodes in by_step.values() for node in nodes]

    def _returned_by(self, module: Any, number: int) -> list[Tensor]:
        """Return what each call of a module returned, a tensor each."""
        calls: dict[int, list[Tensor]] = defaultdict(list)
        for node, frame, _ in self._returned:
            if frame.module == number:
                calls[frame.call].append(node)
        if not calls:
            raise ValueError(f"{short(module)} returned nothing that {short(self.graph.output)} was computed of")
        for nodes in calls.values():
            if len(nodes) > 1:
                ids = ", ".join(self.graph.ids[node] for node in nodes)
                raise ValueError(f"{short(module)} returned {len(nodes)} tensors in one call; say which: {ids}")
        return [node for nodes in calls.values() for node in nodes]

    def _by_module(self) -> dict[str, list[Tensor]]:
        """Return what modules returned, and scopes made for others, by their paths, with a step and without."""
        by_path: dict[str, list[Tensor]] = defaultdict(list)
        for node, frame, path in self._returned:
            if frame.name is not None:
                t = self._times[node]
                for known in {path, path if t is None else f"t{t}.{path}"}:
                    by_path[known].append(node)
        return by_path

    @cached_property
    def _returned(self) -> list[tuple[Tensor, Frame, str]]:
        """Each tensor that left a call, of a module or a scope, with that call and its path."""
        users: dict[Tensor, list[Tensor]] = defaultdict(list)
        for node in self.graph.nodes:
            for x in node.inputs:
                users[x].append(node)
        found = []
        for node in self.graph.nodes:
            path: tuple[str, ...] = ()
            for depth, frame in enumerate(node.context.frames):
                path = path if frame.name is None else (*path, frame.name)
                if node is self.graph.output or any(_left(user, depth, frame) for user in users[node]):
                    found.append((node, frame, ".".join(path)))
        return found


def _left(user: Tensor, depth: int, frame: Frame) -> bool:
    """Tell whether an operation is outside of a call that other calls may be around."""
    frames = user.context.frames
    return len(frames) <= depth or frames[depth].call != frame.call
