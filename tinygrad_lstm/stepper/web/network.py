"""The network that a page holds: the graph, its leaves' numbers, and forwards and rules as lists of instructions.

They are read from Python's own by the tracer, down to numpy's functions, and carried out in the browser by a small
array library, which knows no operation and no cell. ``templates/network`` is that library; the format is described
here, where it is written.

An *operation's code* is shared by all nodes that do the same to the same shapes. Its registers hold, for the forward,
the inputs and then the constants; for the rule, the upstream gradient, the output, the inputs and the constants; each
instruction ``[function, operands, details]`` puts its result into the next one.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.backprop import gradients
from ...engine.graph import Graph
from ...engine.opening import again
from ...engine.primitive import Primitive
from ...engine.tensor import Tensor
from ...pages.folding import Plain
from ...symbolic.expressions import Apply, Constant, Expression, Name
from ...symbolic.rewriting import applications
from ...symbolic.tracer import TracedArray, UnknownToReader, cast, read_forward, read_rule


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


def instructions(
    made: Sequence[TracedArray | None],
    names: Mapping[Expression, tuple[int, ...]],
    attrs: Mapping[str, Any],
    own: dict[str, Plain],
) -> dict[str, Plain]:
    """Return what was read as instructions: constants ``with``, what to ``do``, and which registers to ``give``.

    An index that is an attribute of the node itself is left open, and put into ``own``: steps differ in little else.
    ``names`` are what is given, with shapes. Raises UnknownToReader for what the page's library does not have.
    """
    expressions = [each.expression for each in made if each is not None]
    order = applications(*expressions)
    operands = [x for each in order for x in each.operands] + expressions
    constants = list({id(x): x for x in operands if isinstance(x, Constant)}.values())
    register: dict[Any, int] = {name: i for i, name in enumerate(names)}
    register |= {id(constant): len(names) + i for i, constant in enumerate(constants)}

    def at(x: Expression) -> int:
        return register[id(x) if isinstance(x, Constant) else x]

    def shape(x: Expression) -> tuple[int, ...]:
        return np.shape(x.value) if isinstance(x, Apply | Constant) else names[x]

    steps: list[Plain] = []
    for each in order:
        name = function_name(each)
        details = {**_defaults(each.function), **{key: value for key, value in each.attrs.items() if key != "dtype"}}
        if "index" in details:
            whole = details.get("shape", shape(each.operands[0]))
            details["index"] = _index(details["index"], whole, attrs, own)
        unknown = details.keys() - DETAILS
        if unknown:
            raise UnknownToReader(f"the page's {name} has no {min(unknown)}")
        row: list[Plain] = [name, [at(x) for x in each.operands]]
        steps.append([*row, {key: _plain(value) for key, value in details.items()}] if details else row)
        register[each] = len(names) + len(constants) + len(steps) - 1
    return {
        "with": [packed(np.asarray(constant.value, np.float64)) for constant in constants],
        "do": steps,
        "give": [None if each is None else at(each.expression) for each in made],
    }


UFUNCS = frozenset(
    """
    add subtract multiply divide power float_power floor_divide remainder fmod negative positive absolute fabs sign
    reciprocal square sqrt cbrt exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2 hypot copysign heaviside
    sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh degrees radians deg2rad rad2deg
    floor ceil rint trunc maximum minimum fmax fmin conjugate matmul
    greater greater_equal less less_equal equal not_equal logical_and logical_or logical_xor logical_not
    isnan isinf isfinite signbit
    """.split()  # noqa: SIM905
)
"""numpy's functions that the page has, reductions and running results of those of two operands among them."""

MOVEMENTS = frozenset("where reshape transpose broadcast_to concat stack getitem index_add einsum".split())  # noqa: SIM905
"""And the tracer's own."""

DETAILS = {"axis", "keepdims", "initial", "shape", "axes", "index", "subscripts"}

_OF_TRUTHS: dict[Any, str] = {
    **dict.fromkeys((np.add, np.maximum, np.bitwise_or), "logical_or"),
    **dict.fromkeys((np.multiply, np.minimum, np.bitwise_and), "logical_and"),
    np.bitwise_xor: "logical_xor",
    np.invert: "logical_not",
}
"""What functions do that are given only truths; the page's numbers have one type."""


def function_name(each: Apply) -> str:
    """Return what the page's library calls a function. Raises UnknownToReader for one that it does not have."""
    function: Any = each.function
    if function is cast:
        kind = np.dtype(each.attrs["dtype"]).kind
        return "copy" if kind == "f" or _kind(each.operands[0]) in "bi" else {"b": "truth", "i": "trunc"}.get(kind, "?")
    if isinstance(function, Primitive):
        name, known = function.name, MOVEMENTS
    else:
        owner = getattr(function, "__self__", None)
        ufunc = owner if isinstance(owner, np.ufunc) else function
        name, known = ufunc.__name__, UFUNCS
        if each.value.dtype.kind == "b" and all(_kind(x) == "b" for x in each.operands):
            name = _OF_TRUTHS.get(ufunc, name)
        if owner is ufunc:
            return _required(name, known) + f".{function.__name__}"
    return _required(name, known)


def _defaults(function: Any) -> dict[str, Any]:
    """Return what the attributes of an operation are where nobody gives them, as only Python knows."""
    if not isinstance(function, Primitive):
        return {}
    return {name: function.signature.parameters[name].default for name in function.attr_names}


def _required(name: str, known: frozenset[str]) -> str:
    if name not in known:
        raise UnknownToReader(f"numpy's {name} is not among what a page can compute")
    return name


def _kind(x: Expression) -> str:
    return np.asarray(x.value).dtype.kind if isinstance(x, Apply | Constant) else "f"


def _index(index: Any, shape: tuple[int, ...], attrs: Mapping[str, Any], own: dict[str, Plain]) -> Plain:
    """Return an index as the page has it, or the name of the attribute of the node that it is."""
    made = written_index(index, shape)
    for name, value in attrs.items():
        if value is index and own.setdefault(name, made) == made:
            return {"own": name}
    return made


def written_index(index: Any, shape: tuple[int, ...]) -> Plain:
    """Return an index into an array of a shape: its parts, or, if there are arrays in it, which places it names.

    >>> written_index((slice(None), 0, ...), (2, 3, 4)), written_index([2, 2], (3,))
    ([[None, None, None], 0, '...'], {'at': [2, 2], 'shape': [2]})
    """
    parts = index if isinstance(index, tuple) else (index,)
    made: list[Plain] = []
    for part in parts:
        if isinstance(part, slice):
            made.append([None if x is None else int(x) for x in (part.start, part.stop, part.step)])
        elif part is None or isinstance(part, EllipsisType):
            made.append("..." if part is not None else None)
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            made.append(int(part))
        else:
            places = np.arange(math.prod(shape)).reshape(shape)[index]
            return {"at": places.ravel().tolist(), "shape": list(places.shape)}
    return made


def _plain(value: Any) -> Plain:
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return packed(np.asarray(value, np.float64))
    return value


def packed(array: NDArray[Any]) -> Plain:
    """Return numbers as JSON holds them: one as itself, what is not finite as a word, several in base64.

    Several of which each is one of 32 bits take these alone: as the weights of a float32 network.

    >>> packed(np.float64(0.1)), packed(np.array([1.0, 2.1])), packed(np.array([1.0, 2.0]))["data"]
    (0.1, {'shape': [2], 'data': 'AAAAAAAA8D/NzMzMzMwAQA=='}, 'AACAPwAAAEA=')
    """
    numbers = np.asarray(array, "<f8")
    if numbers.ndim:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            single = numbers.astype("<f4")
        short = np.array_equal(single, numbers, equal_nan=True)
        data = base64.b64encode((single if short else numbers).tobytes()).decode("ascii")
        return {"shape": list(numbers.shape), "data": data}
    number = float(numbers)
    return number if math.isfinite(number) else "NaN" if number != number else f"{'-' if number < 0 else ''}Infinity"


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
