"""The backward walk from any node to any other, also where a graph records no gradient, as for its inputs."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ...engine.backprop import apply_vjp
from ...engine.graph import Graph
from ...engine.primitive import Array, Kind
from ...engine.tensor import Tensor

Apply = Callable[[Tensor, Any, Container[Tensor]], list[tuple[int, Any, Any]]]
"""What applies the rule of a node to its gradient, for each slot whose input takes part; see ``apply_vjp``."""


class BackwardWalk:
    """The backward walk from any nodes to some others, by the engine's rules, also where no gradient is recorded.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0)
    >>> y = x * x
    >>> BackwardWalk(Graph(y), [x])({y: np.ones(())})[x].item()
    6.0
    """

    def __init__(self, graph: Graph, wanted: Iterable[Tensor]) -> None:
        self._wanted = set(wanted)
        self._between = set(self._wanted)
        for node in graph.nodes:
            if node.primitive is not None and node.primitive.rule and any(x in self._between for x in node.inputs):
                self._between.add(node)
        self._order = [node for node in reversed(graph.nodes) if node in self._between]

    def __call__(self, seeds: Mapping[Tensor, Any]) -> dict[Tensor, Array]:
        """Return the gradients of those that were wanted, zeros where nothing arrives."""
        gradients = dict(seeds)
        for _ in self.contributions(gradients):
            pass
        return {x: gradients[x] if x in gradients else np.zeros(x.shape) for x in self._wanted}

    def many(self, node: Tensor, seeds: Array) -> dict[Tensor, Array]:
        """Return the gradients from as many seeds of a node as the first axis of an array is long, together.

        >>> import tinygrad_lstm as tl
        >>> x = tl.tensor([3.0, 4.0])
        >>> y = x * x
        >>> BackwardWalk(Graph(y), [x]).many(y, np.eye(2))[x].tolist()
        [[6.0, 0.0], [0.0, 8.0]]
        """
        gradients = {node: seeds}
        for _ in self.contributions(gradients, each_of_many):
            pass
        return {x: gradients[x] if x in gradients else np.zeros((len(seeds), *x.shape)) for x in self._wanted}

    def contributions(
        self, gradients: dict[Tensor, Any], apply: Apply = apply_vjp
    ) -> Iterator[tuple[Tensor, int, Array, Array]]:
        """Yield a node, an input's slot, what arrives at the node, and what it hands on; gradients keep what is wanted.

        ``gradients`` are the seeds at first.
        """
        for node in self._order:
            if node not in gradients:
                continue
            upstream = gradients[node] if node in self._wanted else gradients.pop(node)
            if node.primitive is None:
                continue
            with np.errstate(all="ignore"):
                contributions = apply(node, upstream, self._between)
                for slot, _, contribution in contributions:
                    x = node.inputs[slot]
                    gradients[x] = gradients[x] + contribution if x in gradients else contribution
            yield from ((node, slot, upstream, contribution) for slot, _, contribution in contributions)


def each_of_many(node: Tensor, upstream: Array, taking_part: Container[Tensor]) -> list[tuple[int, Any, Any]]:
    """Apply a rule to many gradients, which the first axis counts: in one call if that gives the same, else in turn."""
    together = _together(node, upstream, [slot for slot, x in enumerate(node.inputs) if x in taking_part])
    if together is not None and _is_the_same(node, upstream, taking_part, together):
        return together
    in_turn = [apply_vjp(node, each, taking_part) for each in upstream]
    slots = [slot for slot, _, _ in in_turn[0]]
    found = (np.array([each[place][2] for each in in_turn]) for place in range(len(slots)))
    return [(slot, None, contribution) for slot, contribution in zip(slots, found, strict=True)]


def _together(node: Tensor, upstream: Array, slots: list[int]) -> list[tuple[int, Any, Any]] | None:
    """Return what one call of a rule makes of many gradients, where it may take them: they broadcast, or are rows."""
    assert node.primitive is not None
    assert node.primitive.rule is not None
    kind, count, values = node.primitive.kind, len(upstream), node.input_values
    if kind in (Kind.pointwise, Kind.activation):
        y, given = node.value, [np.reshape(x, (1,) * (node.ndim - x.ndim) + x.shape) for x in values]
    elif kind is Kind.product and slots == [0] and [x.ndim for x in values] in ([1, 2], [2, 2]):
        rows, y = (np.tile(x.reshape(-1, x.shape[-1]), (count, 1)) for x in (values[0], node.value))
        given, upstream = [rows, values[1]], upstream.reshape(-1, node.shape[-1])
    else:
        return None
    products = node.primitive.rule(upstream, y, *given, **node.attrs)
    made = [(slot, products[slot]() if callable(products[slot]) else products[slot]) for slot in slots]
    return [(slot, None, _as_many(product, count, values[slot].shape)) for slot, product in made]


def _as_many(product: Array, count: int, shape: tuple[int, ...]) -> Array:
    """Return many gradients of a shape: axes along which an input was stretched are summed over."""
    if product.size == count * int(np.prod(shape)):
        return product.reshape(count, *shape)
    ones = (1,) * (product.ndim - 1 - len(shape)) + shape
    stretched = tuple(axis for axis, n in enumerate(ones, 1) if product.shape[axis] != n)
    summed: Array = product.sum(axis=stretched, keepdims=True).reshape(count, *shape)
    return summed


def _is_the_same(
    node: Tensor, upstream: Array, taking_part: Container[Tensor], together: list[tuple[int, Any, Any]]
) -> bool:
    """Tell whether the sum of what was made together, with weights of chance, is what the rule makes of such a sum."""
    weights = np.random.default_rng(0).normal(size=len(upstream))
    one_by_one = apply_vjp(node, np.tensordot(weights, upstream, 1).astype(upstream.dtype), taking_part)
    pairs = zip(one_by_one, together, strict=True)
    return all(
        np.allclose(np.tensordot(weights, many, 1), one, rtol=1e-6, atol=1e-9 * float(np.abs(many).max(initial=0.0)))
        for (_, _, one), (_, _, many) in pairs
    )
