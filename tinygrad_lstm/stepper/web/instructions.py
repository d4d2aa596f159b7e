"""What Python reads of its own rules as instructions for a page: numpy's functions, by their names there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...engine.primitive import Primitive
from ...pages.folding import Plain
from ...symbolic.expressions import Apply, Constant, Expression
from ...symbolic.rewriting import applications
from ...symbolic.tracer import TracedArray, UnknownToReader, cast
from .packing import packed, plain, written_index


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
        steps.append([*row, {key: plain(value) for key, value in details.items()}] if details else row)
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
