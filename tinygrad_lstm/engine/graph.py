"""The graph behind a tensor: its nodes in order, a name for each, and the means to copy it or run it again."""

from __future__ import annotations

import copyreg
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from html import escape
from operator import attrgetter
from types import MappingProxyType
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .errors import ShapeError, short
from .opening import stand_ins
from .primitive import Array, Primitive, unmasked
from .tensor import Tensor

MOST_ROWS, MOST_INPUTS = 40, 4
"""Nodes that a printed graph shows, and inputs of one: chosen, what fits on a screen."""

_HEAD, _LEFT = ("node", "shape", "made of"), 'style="text-align:left"'

Step = tuple[Tensor, Primitive, tuple[tuple[Tensor, Array | None], ...], Mapping[str, Any]]


def topological_order(*outputs: Tensor) -> list[Tensor]:
    """Return everything the outputs depend on, inputs before what uses them.

    A node is made after its inputs, so the order in which nodes were made is a topological one; it is also the order
    in which the program ran, time step by time step.
    """
    seen = set(outputs)
    unvisited = list(outputs)
    while unvisited:
        for x in unvisited.pop().inputs:
            if x not in seen:
                seen.add(x)
                unvisited.append(x)
    return sorted(seen, key=attrgetter("serial"))


class Graph:
    """A snapshot of how a tensor was computed, with the values it was computed from.

    ``nodes`` holds every node once, inputs before what uses them. ``ids`` names them by their structure, such as
    ``t3.forget_gate.matmul``: the same names in every run of the same program. ``values`` are those the graph ran with,
    also after an optimiser has replaced a leaf's.

    >>> import tinygrad_lstm as tl
    >>> print(tl.Graph(tl.tanh(tl.tensor(0.5, name="x"))))
    <graph of 2 nodes, 1 of them leaves>
    node  shape  made of
    x     ()     given
    tanh  ()     tanh(x)
    """

    def __init__(self, *outputs: Tensor) -> None:
        if not outputs or not all(isinstance(output, Tensor) for output in outputs):
            raise TypeError("Graph(...) takes the tensor, or tensors, whose computation it shows")
        self.outputs = outputs
        self.output = outputs[0]
        self.nodes = tuple(topological_order(*outputs))
        self._programs: dict[Any, tuple[dict[Tensor, Array], list[Step]]] = {}

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"<graph of {len(self.nodes)} nodes, {len(self.leaves)} of them leaves>"

    def __str__(self) -> str:
        graph, _ = self.opened()
        rows = [_HEAD, *graph._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join([repr(graph), *lines])

    def _repr_html_(self) -> str:
        def line(cells: tuple[str, ...], tag: str) -> str:
            return f"<tr>{''.join(f'<{tag} {_LEFT}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

        graph, _ = self.opened()
        body = "".join(line(row, "td") for row in graph._rows())
        caption = f"<caption {_LEFT}>{escape(repr(graph))}</caption>"
        return f"<table>{caption}<thead>{line(_HEAD, 'th')}</thead><tbody>{body}</tbody></table>"

    def _rows(self) -> list[tuple[str, str, str]]:
        """Return id, shape and origin of each node; of many, the first and the last."""
        left_out = len(self.nodes) - MOST_ROWS
        shown = self.nodes if left_out <= 0 else (*self.nodes[: MOST_ROWS // 2], *self.nodes[-(MOST_ROWS // 2) :])
        rows = []
        for node in shown:
            inputs = [self.ids[x] for x in node.inputs[:MOST_INPUTS]] + ["…"] * (len(node.inputs) > MOST_INPUTS)
            made = f"{node.primitive.name}({', '.join(inputs)})" if node.primitive else "given"
            rows.append((self.ids[node], str(node.shape), made))
        if left_out > 0:
            rows.insert(MOST_ROWS // 2, ("…", "", f"{left_out} more"))
        return rows

    def opened(self) -> tuple[Graph, Mapping[Tensor, Tensor]]:
        """Return the graph that this one stands for, and what there takes the place of whom.

        Where an operation stands for a graph of others, as one that ``tl.compile`` made, that graph takes its place:
        the same leaves, names, scopes and times, and the same values to rounding. Any other graph is returned itself.

        >>> import tinygrad_lstm as tl
        >>> f = tl.compile(lambda x: tl.tanh(x * x))
        >>> graph, taken = tl.Graph(f(tl.tensor([0.5, 1.0], requires_grad=True))).opened()
        >>> [node.primitive.name for node in graph.nodes if node.primitive]
        ['mul', 'tanh']
        """
        taken = stand_ins(self.nodes)
        return (Graph(*(taken.get(x, x) for x in self.outputs)) if taken else self), taken

    @property
    def leaves(self) -> tuple[Tensor, ...]:
        return tuple(node for node in self.nodes if node.is_leaf)

    @cached_property
    def values(self) -> Mapping[Tensor, Array]:
        """What each node held when the graph ran; of a leaf replaced meanwhile, what its first use saw."""
        values = {node: node.value for node in self.nodes}
        for node in reversed(self.nodes):
            for x, value in zip(node.inputs, node.input_values, strict=True):
                if x.is_leaf:
                    values[x] = value
        return MappingProxyType(values)

    @cached_property
    def ids(self) -> Mapping[Tensor, str]:
        """A name for each node, from time step, scope and primitive; from its own name for a leaf."""
        ids: dict[Tensor, str] = {}
        taken: set[str] = set()
        repeats: Counter[str] = Counter()
        for node in self.nodes:
            base = name = _structural_name(node)
            while name in taken:
                repeats[base] += 1
                name = f"{base}_{repeats[base] + 1}"
            taken.add(name)
            ids[node] = name
        return MappingProxyType(ids)

    def replay(
        self, values: Mapping[Tensor, Any] | None = None, *, dtype: DTypeLike | None = None
    ) -> dict[Tensor, NDArray[Any]]:
        """Run the same computation with other values for some leaves, shapes permitting; nothing is recorded.

        Returns the value of every node. Any number type that numpy computes with will do: complex values for a complex
        step, float32 for a comparison; ``dtype`` converts the leaves that are not given, and is what is cast to on the
        way. Raises KeyError for a tensor that is not a leaf of this graph, ShapeError where a new shape does not fit
        and TypeError for what are no numbers.
        """
        if not isinstance(values, Mapping | None):
            raise TypeError(f"replay takes a mapping from leaves to values, as in {{x: 2.0}}, not {short(values)}")
        given = {leaf: _as_numbers(value) for leaf, value in (values or {}).items()}
        leaves, steps = self._program(None if dtype is None else _number_type(dtype))
        for leaf in given:
            if leaf not in leaves:
                raise KeyError(f"{short(leaf)} is not a leaf of this graph")
        result: dict[Tensor, NDArray[Any]] = {**leaves, **given}
        for node, primitive, inputs, attrs in steps:
            operands = [result[x] if recorded is None or x in given else recorded for x, recorded in inputs]
            try:
                value = primitive.forward(*operands, **attrs)
            except (ValueError, IndexError) as error:
                shapes = " and ".join(str(operand.shape) for operand in operands)
                raise ShapeError(f"replay stopped at {self.ids[node]}: shape {shapes} does not fit; {error}") from error
            except TypeError as error:
                types = " and ".join(str(operand.dtype) for operand in operands)
                raise TypeError(f"replay stopped at {self.ids[node]}: it does not compute with {types}") from error
            result[node] = value if type(value) is np.ndarray else np.asarray(value)
        return result

    def _program(self, dtype: np.dtype[Any] | None) -> tuple[dict[Tensor, Array], list[Step]]:
        """Return what a replay starts from, and does: leaves; nodes with operands, those from leaves as recorded.

        Made once for each dtype, since a check replays a graph dozens of times.
        """
        if dtype not in self._programs:
            cast: Callable[[Array], Array] = lambda x: x if dtype is None or x.dtype == dtype else x.astype(dtype)
            leaves = {node: cast(self.values[node]) for node in self.nodes if node.primitive is None}
            steps = [
                (
                    node,
                    node.primitive,
                    tuple(
                        (x, cast(recorded) if x.is_leaf else None)
                        for x, recorded in zip(node.inputs, node.input_values, strict=True)
                    ),
                    _in_type(node._attrs, dtype),
                )
                for node in self.nodes
                if node.primitive is not None
            ]
            self._programs[dtype] = leaves, steps
        return self._programs[dtype]


def _in_type(attrs: Mapping[str, Any], dtype: np.dtype[Any] | None) -> Mapping[str, Any]:
    return attrs if dtype is None or "dtype" not in attrs else {**attrs, "dtype": dtype}


_NUMBERS = "buifcO"
"""Kinds of numpy's types; the last are objects, which may be numbers too."""


def _number_type(dtype: Any) -> np.dtype[Any]:
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        found = np.dtype("U")
    if found.kind not in _NUMBERS:
        raise TypeError(f"replay takes a dtype of numbers, such as numpy.complex128, not {short(dtype)}")
    return found


def _as_numbers(value: Any) -> NDArray[Any]:
    """Return a value as an array of any number type, integers as float64."""
    try:
        array = np.asarray(unmasked(value))
    except ValueError:  # rows that differ in shape
        array = np.empty(0, "U")
    if array.dtype.kind not in _NUMBERS:
        raise TypeError(f"replay takes numbers for a leaf, or arrays of them, not {short(value)}")
    return array.astype(np.float64) if array.dtype.kind in "bui" else array


def _structural_name(node: Tensor) -> str:
    own = node.primitive.name if node.primitive else node.name or "constant"
    parts = [*node.scope, own] if node.primitive else [own]
    if node.time is not None:
        parts.insert(0, f"t{node.time}")
    return ".".join(map(_in_a_name, parts))


@lru_cache(2000)
def _in_a_name(part: str) -> str:
    return re.sub(r"[^\w.]+", "_", part)[:60]


def _parts(tensor: Tensor) -> tuple[Callable[..., Tensor], tuple[_Copied, ...]]:
    """Return how copy and pickle make a tensor again: from a list of all it was computed of, inputs before their uses.

    So a graph may be deeper than Python recurses.
    """
    nodes = topological_order(tensor)
    taken = stand_ins(nodes)  # a program is not copied; the graph that it stands for is
    return _last, tuple(map(_copied, topological_order(taken[tensor]) if tensor in taken else nodes))


class _Copied:
    """Stands for a tensor in that list, and is copied into one; its inputs stand before it, so they are there by then.

    A tensor has one for as long as a copy is being made: what is shared stays shared.
    """

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __reduce__(self) -> tuple[Any, ...]:
        slots, state = self.tensor.__getstate__()
        return object.__new__, (Tensor,), (slots, {**state, "inputs": tuple(map(_copied, self.tensor.inputs))})


_being_copied: WeakValueDictionary[float, _Copied] = WeakValueDictionary()


def _copied(tensor: Tensor) -> _Copied:
    return _being_copied.setdefault(tensor.serial, _Copied(tensor))


def _last(*copies: Tensor) -> Tensor:
    return copies[-1]


copyreg.pickle(Tensor, _parts)
