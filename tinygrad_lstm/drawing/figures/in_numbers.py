"""An equation of a run, and the same with its numbers, as they stand beside a picture."""

from __future__ import annotations

import re
from dataclasses import replace

from ...engine.primitive import Array, Kind
from ...engine.tensor import Tensor
from ...structure.words import short
from ...symbolic.expressions import Apply, Expression, Name
from ...symbolic.formulas import Formula, forward
from ...symbolic.rewriting import replaced
from ...symbolic.symbols import Symbols
from .paper import width_of

FEW = 3
"""Numbers of a vector that are all written; of more the first and the last."""


_IN_PARENTHESES = re.compile(r"(?<!\w)\((\[[^][]*\])\)")
"""A vector that is no argument: its brackets are enough."""


def equations(node: Tensor, symbols: Symbols, size: float, room: float) -> list[str]:
    """Return the lines of an equation: in letters, in numbers, and what it comes to, which fit if that can be.

    >>> import tinygrad_lstm as tl
    >>> f, c = tl.tensor([0.5, 0.25], name="f"), tl.tensor([2.0, 4.0], name="c")
    >>> y = f * c
    >>> equations(y, Symbols([f, c, y]), 13, 300)
    ['f ⊙ c', '= [0.5, 0.25] ⊙ [2, 4]', '= [1, 1]']
    """
    line = forward(node, symbols=symbols)
    result = f"= {some(node.value)}"
    filled = _with_numbers(node, symbols)
    found = [*_lines(line, size, room), *_lines(replace(line, left=Name(""), right=filled), size, room)]
    if node.name is None:
        found[0] = found[0].partition(" = ")[2]
    joined = f"{found[-1]} {result}"
    return [*found[:-1], joined] if _is_layer(node) and width_of(joined, size) <= room else [*found, result]


def _is_layer(node: Tensor) -> bool:
    return node.primitive is not None and node.primitive.kind is Kind.activation


def _with_numbers(node: Tensor, symbols: Symbols) -> Expression:
    """Return how a node was computed, with numbers for all names but those of weights; of a layer, what enters it."""
    assert node.primitive is not None
    if _is_layer(node):
        return Apply(node.primitive, tuple(Name(some(x.value)) for x in node.inputs), node.attrs, node.value)
    letters = symbols.letters(node)
    expression = Apply(node.primitive, letters.inputs, node.attrs, node.value)
    known = {name: x for name, x in letters.owners.items() if x.size and not _is_weight(x)}
    return replaced(expression, {name: Name(some(x.value)) for name, x in known.items()})


def _is_weight(x: Tensor) -> bool:
    return x.is_leaf and x.requires_grad and x.ndim > 1


def some(values: Array) -> str:
    """Write the first and the last of the numbers of a vector, or all if they are few; of several that of the first.

    >>> import numpy as np
    >>> some(np.array([[1.0, -0.25], [3.0, 4.0]])), some(np.arange(8.0)), some(np.array(2.0))
    ('[1, −0.25]', '[0, 1, … 7]', '2')
    """
    if not values.ndim:
        return short(values.item())
    row = values.reshape(-1, values.shape[-1])[0]
    kept = [short(number) for number in row.tolist()]
    return f"[{', '.join(kept if len(kept) <= FEW else kept[:2])}{'' if len(kept) <= FEW else f', … {kept[-1]}'}]"


def _lines(line: Formula, size: float, room: float) -> list[str]:
    """Return an equation in as few lines as fit."""
    for width in range(100, 15, -3):
        lines = [_IN_PARENTHESES.sub(r"\1", each.strip()) for each in line.broken(width=width).split("\n")]
        if all(width_of(each, size) <= room for each in lines):
            break
    return lines
