"""The network that a page holds: the graph, its leaves' numbers, and forwards and rules as lists of instructions.

They are read from Python's own by the tracer, down to numpy's functions, and carried out in the browser by a small
array library, which knows no operation and no cell. ``templates/network`` is that library; the format is described
here, where it is written.

An *operation's code* is shared by all nodes that do the same to the same shapes. Its registers hold, for the forward,
the inputs and then the constants; for the rule, the upstream gradient, the output, the inputs and the constants; each
instruction ``[function, operands, details]`` puts its result into the next one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.backprop import gradients
from ...engine.graph import Graph
from ...engine.opening import again
from ...engine.primitive import Primitive
from ...engine.tensor import Tensor
from ...pages.folding import Plain
from ...symbolic.expressions import Expression, Name
from ...symbolic.tracer import UnknownToReader, read_forward, read_rule
from .instructions import instructions
from .packing import packed


class PageNetwork:
    """A graph as data for a page. ``data()`` is what travels; ``unread`` says which operations could not be read.

    A browser computes in float64. A network of float32 is made again in float64 first, and it is those numbers that
    the page is compared with.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor([0.5, 1.0], requires_grad=True, name="x")
    >>> network = PageNetwork(tl.Graph(tl.tanh(x * x).sum()))
    >>> [code["forward"]["do"] for code in network.data()["codes"]]
    [[['multiply', [0, 1]]], [['tanh', [0]]], [['add.reduce', [0], {'axis': None, 'keepdims': False}]]]
    """

    def __init__(self, graph: Graph, seed: NDArray[Any] | None = None) -> None:
        self.narrow = any(node.dtype != np.float64 for node in graph.nodes)
        self.graph = Graph(in_float64(graph)[graph.output]) if self.narrow else graph
        self._seed = None if seed is None else np.asarray(seed, np.float64)
        self.unread: dict[str, str] = {}
        self._codes: dict[str, int] = {}
        self._written: list[Plain] = []
        self._known: dict[Any, tuple[int, dict[str, Any]]] = {}

    @cached_property
    def gradients(self) -> Mapping[Tensor, NDArray[Any]]:
        """Return ∂L/∂node in float64, by the nodes of ``graph``."""
        return gradients(self.graph.output, self._seed)

    def data(self) -> dict[str, Plain]:
        """Return all that a page needs to compute every number of the walk, but the numbers of leaves."""
        rows = [self._node(node) for node in self.graph.nodes]
        return {
            "nodes": rows,
            "codes": self._written,
            "output": self._number[self.graph.output],
            "seed": packed(self.gradients[self.graph.output]),
            "narrow": self.narrow,
            "unread": self.unread,
        }

    def whole(self) -> dict[str, Plain]:
        """Return the same with the numbers of leaves and Python's answers: all that a page of one network needs."""
        return {**self.data(), "leaves": self.leaves(), "answers": self.answers()}

    def leaves(self) -> dict[int, Plain]:
        """Return the numbers of the leaves, each by its number among the nodes."""
        return {self._number[x]: packed(self.graph.values[x]) for x in self.graph.leaves}

    def answers(self) -> dict[str, Plain]:
        """Return what a page compares itself with: the loss, and the gradients of leaves by their numbers."""
        checked = [self.graph.output, *(x for x in self.graph.leaves if x in self.gradients)]
        return {
            "loss": packed(self.graph.values[self.graph.output]),
            "gradients": [[self._number[x], packed(self.gradients[x])] for x in checked],
        }

    @cached_property
    def _number(self) -> dict[Tensor, int]:
        return {node: i for i, node in enumerate(self.graph.nodes)}

    def _node(self, node: Tensor) -> Plain:
        """Return ``[shape, learns]`` of a leaf, else ``[shape, learns, code, inputs, own, operands]``.

        ``own`` are the attributes that its code leaves open, ``operands`` the numbers of inputs that were others when
        it ran: of leaves that have been replaced meanwhile.
        """
        row: list[Plain] = [list(node.shape), int(node.requires_grad)]
        values = self.graph.values
        if node.primitive is None:
            return row
        code, own = self._code(node)
        replaced = {
            slot: packed(value)
            for slot, (x, value) in enumerate(zip(node.inputs, node.input_values, strict=True))
            if x.is_leaf and value is not values[x]
        }
        extra: list[Plain] = [own, replaced] if replaced else [own] if own else []
        return [*row, code, [self._number[x] for x in node.inputs], *extra]

    def _code(self, node: Tensor) -> tuple[int, dict[str, Any]]:
        """Return the number of the code of a node, and the attributes of its own that it leaves open."""
        assert node.primitive is not None
        shapes = tuple(value.shape for value in node.input_values)
        key = (node.primitive, shapes, node.requires_grad, _hashable(node.attrs))
        if key not in self._known:
            code, own = self._read(node)
            recorded = "recorded" in code["forward"] or "recorded" in code.get("rule", ())
            text = repr((node.serial if recorded else None, code))  # recorded numbers are this node's
            if text not in self._codes:
                self._codes[text] = len(self._written)
                self._written.append(code)
            if recorded:
                return self._codes[text], own
            self._known[key] = self._codes[text], own
        return self._known[key]

    def _read(self, node: Tensor) -> tuple[dict[str, Plain], dict[str, Any]]:
        primitive, values, attrs = node.primitive, list(node.input_values), node.attrs
        assert primitive is not None
        inputs: dict[Expression, tuple[int, ...]] = {Name(f"x{i}"): x.shape for i, x in enumerate(values)}
        own: dict[str, Plain] = {}
        code: dict[str, Plain] = {}
        try:
            made = [read_forward(primitive, values, attrs)]
            code["forward"] = instructions(made, inputs, attrs, own)
        except UnknownToReader as reason:
            self._left(primitive, reason)
            code["forward"] = {"recorded": packed(node.value)}
        if node.requires_grad and primitive.rule is not None:
            upstream = self.gradients.get(node)
            names = {Name("g"): node.shape, Name("y"): node.shape, **inputs}
            try:
                g = np.ones_like(node.value) if upstream is None else upstream
                parts = read_rule(primitive, list(names), [g, node.value, *values], attrs, opened=True)
                code["rule"] = instructions(parts, names, attrs, own)
            except UnknownToReader as reason:
                self._left(primitive, reason)
                code["rule"] = {"recorded": self._recorded(node, upstream)}
        if all(map(math.isfinite, primitive.range)):
            code["range"] = list(primitive.range)
        if primitive.combines == "product" and len(values) == 2:
            code["factors"] = 1
        return code, own

    def _recorded(self, node: Tensor, upstream: NDArray[Any] | None) -> list[Plain]:
        assert node.primitive is not None
        assert node.primitive.rule is not None
        if upstream is None:
            return [None for _ in node.inputs]
        with np.errstate(all="ignore"):
            products = node.primitive.rule(upstream, node.value, *node.input_values, **node.attrs)
            made = [product() if callable(product) else product for product in products]
        return [None if each is None else packed(np.asarray(each)) for each in made]

    def _left(self, primitive: Primitive, reason: UnknownToReader) -> None:
        self.unread.setdefault(primitive.name, str(reason))


def in_float64(graph: Graph) -> dict[Tensor, Tensor]:
    """Return for each node the same in float64, made again of leaves in float64."""
    wide: dict[Tensor, Tensor] = {}
    for node in graph.nodes:
        if node.primitive is None:
            value = graph.values[node].astype(np.float64)
            value.setflags(write=False)
            wide[node] = Tensor(value, requires_grad=node.requires_grad, context=node.context, name=node.name)
            wide[node].serial = node.serial
        else:
            wide[node] = again(node, [wide[x] for x in node.inputs])
    return wide


def _hashable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple((key, _hashable(part)) for key, part in value.items())
    if isinstance(value, tuple | list):
        return (type(value), *map(_hashable, value))
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    return (type(value), value)
