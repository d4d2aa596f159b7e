"""Opening a graph: an operation that stands for a graph of others gives way to them, for whoever looks inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from .primitive import Array
from .tensor import Tensor

_opened: WeakValueDictionary[float, Tensor] = WeakValueDictionary()
"""What was made again, by the serial number of what it was made of: as long as somebody has it, it is the same."""


def stand_ins(nodes: Iterable[Tensor]) -> dict[Tensor, Tensor]:
    """Return what takes the place of whom when operations that stand for others are opened; inputs come before uses.

    What is computed of them is made again, in its context, of what stands there now. Where there is nothing to open,
    nothing is made.
    """
    taken: dict[Tensor, Any] = {}
    for node in nodes:
        if node.primitive is None or (node.primitive.opens is None and taken.keys().isdisjoint(node.inputs)):
            continue
        inputs = tuple(taken.get(x, x) for x in node.inputs)
        if node.primitive.opens is not None:
            taken[node] = node.primitive.opens(node, *inputs)
        else:
            known = _opened.get(node.serial)
            taken[node] = _opened[node.serial] = again(node, inputs) if known is None else known
    return {node: x if isinstance(x, Tensor) else x.outputs[0] for node, x in taken.items()}


def again(node: Tensor, inputs: Sequence[Tensor], values: Mapping[Tensor, Array] | None = None) -> Tensor:
    """Return an operation made again of other inputs, in its place in the program: named, placed and timed as it was.

    An input that is still the same gives the value that it had when the graph ran, or one of these ``values``.
    """
    made = anew(node, inputs, values)
    made.requires_grad, made.serial = node.requires_grad, node.serial
    return made


def anew(node: Tensor, inputs: Sequence[Tensor], values: Mapping[Tensor, Array] | None = None) -> Tensor:
    """Return an operation made again as the newest of all, so that its inputs may be newer than it was.

    It requires a gradient if an input does: one that took its place, or one of those it required a gradient for.
    """
    primitive: Any = node.primitive
    given = values or {}
    pairs = tuple(zip(inputs, node.inputs, node.input_values, strict=True))
    operands = tuple(given.get(x, recorded if x is old else x._value) for x, old, recorded in pairs)
    if all(operand is recorded for operand, recorded in zip(operands, node.input_values, strict=True)):
        value = node._value
    else:
        value = np.asarray(primitive.forward(*operands, **node._attrs))
    if value.base is not None and value.flags.writeable:
        value = value.copy()
    value.setflags(write=False)
    needs = primitive.rule is not None and any(
        x.requires_grad and (x is not old or node.requires_grad) for x, old, _ in pairs
    )
    context, name, code = node.context, node.name, node.code
    made = Tensor(value, primitive, tuple(inputs), operands, node._attrs, needs, context, name, code)
    made.instruction = node.instruction
    return made
