"""Formulas of nodes: the equation that computed one, and the rule that takes its gradient back to its inputs."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..engine.backprop import unbroadcast
from ..engine.errors import short
from ..engine.graph import Graph
from ..engine.ops import where
from ..engine.tensor import Tensor
from ..structure.words import display_name, is_number, subscript
from .expressions import Apply, Constant, Expression, Name, Number, applications, mathml, replaced, text
from .notation import MATHML
from .tracer import UnknownToReader, read_rule

SMALL = 4
"""Tensors of so many numbers are written out where a formula is to show numbers."""

MOST_PARTS = 200
"""Names, numbers and operations that a formula holds, at most. Chosen: what fills ten lines is not read."""


@dataclass(frozen=True, repr=False)
class Formula:
    """One line: what is computed or grows, and how. ``str(formula)`` is plain text, ``formula.mathml`` for a page."""

    left: Expression
    sign: str
    right: Expression
    result: Expression | None = None

    def __str__(self) -> str:
        end = "" if self.result is None else f" = {text(self.result)}"
        return f"{text(self.left)} {self.sign} {text(self.right)}{end}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<math display='block'>{self.mathml}</math>"

    @property
    def mathml(self) -> str:
        end = "" if self.result is None else MATHML.sign("=") + mathml(self.result)
        return MATHML.row(mathml(self.left), MATHML.sign(self.sign), mathml(self.right), end)

    def with_numbers(self, numbers: Mapping[str, Any]) -> Formula:
        """Return it with the numbers of small tensors on the right side."""
        return Formula(self.left, self.sign, replaced(self.right, _small(numbers)))


def formula(node: Tensor) -> str:
    """Write the node's rule at work, one line per input: what its gradient adds to theirs.

    >>> import tinygrad_lstm as tl
    >>> print(tl.formula(tl.tanh(tl.tensor(0.5, name="x"))))
    ∂L/∂x += ∂L/∂y ⊙ (1 − y²)
    >>> x, W = tl.tensor([[1, 2]], name="x"), tl.tensor([[3], [4]], name="W")
    >>> print(tl.formula(x @ W))
    ∂L/∂x += ∂L/∂y @ Wᵀ
    ∂L/∂W += xᵀ @ ∂L/∂y
    """
    if not isinstance(node, Tensor):
        raise TypeError(f"formula writes the rule of a tensor, as in tl.formula(tl.tanh(x)); got {short(node)}")
    if node.primitive is not None and node.primitive.opens:
        node = Graph(node).opened()[0].output
    return "\n".join(line for line in input_formulas(node) if line)


def input_formulas(node: Tensor, upstream: Any = None) -> tuple[str, ...]:
    """Write one formula per input slot; empty for a bare number, whose gradient nobody asks for.

    Given the upstream gradient, small tensors are written as their numbers.

    >>> import tinygrad_lstm as tl
    >>> tl.symbolic.input_formulas(tl.tanh(tl.tensor(0.5, name="x")), upstream=2.0)
    ('∂L/∂x += 2 ⊙ (1 − 0.4621²)',)
    """
    if node.primitive is None:
        return (f"{node.name or 'a leaf'} was given, not computed",)
    if node.primitive.rule is None:
        constant = f"0: {node.primitive.name} is constant almost everywhere"
        return tuple(f"∂L/∂{name} += {constant}" for name in input_names(node))
    return tuple("" if rule is None else str(rule) for rule in rules(node, upstream))


def rules(node: Tensor, upstream: Any = None, taken: Collection[str] = ()) -> tuple[Formula | None, ...]:
    """Return the formulas of an operation that has a rule; None for a bare number.

    Names that are taken, by tensors elsewhere, get a prime where they stand for what has none.
    """
    assert node.primitive is not None
    assert node.primitive.rule is not None
    names = input_names(node, taken)
    output = _output_name(node, names, taken)
    asked = Name(f"∂L/∂{output}")
    values = [np.ones(node.shape, node.dtype), node.value, *node.input_values]
    try:
        products = read_rule(node.primitive, [asked, Name(output), *_operands(node, names)], values, node.attrs)
        pairs = zip(products, node.input_values, strict=True)
        written = [Number(0) if made is None else folded(unbroadcast(made, x.shape).expression) for made, x in pairs]
    except (UnknownToReader, ValueError) as error:
        unread = f"what the rule of {node.primitive.name} returns does not fit its inputs: {error}"
        warnings.warn(error if isinstance(error, UnknownToReader) else UnknownToReader(unread), stacklevel=2)
        written = [Name(f"what the rule of {node.primitive.name} makes of it")] * len(names)
    numbers: dict[str, Any] = {}
    if upstream is not None:
        inputs = dict(zip(names, node.input_values, strict=True))
        numbers = _small({f"∂L/∂{output}": upstream, output: node.value, **inputs})
    lines: list[Formula | None] = []
    for x, name, contribution in zip(node.inputs, names, written, strict=True):
        line = Formula(Name(f"∂L/∂{name}"), "+=", replaced(contribution, numbers))
        lines.append(None if is_number(x) else line)
    return tuple(lines)


def equation(node: Tensor, taken: Collection[str] = ()) -> str:
    """Write the equation that computed the node.

    >>> import tinygrad_lstm as tl
    >>> tl.symbolic.equation(2 * tl.tensor(3.0, name="x"))
    'y = 2 · x'
    """
    return f"{node.name or 'a constant'} is given" if node.primitive is None else str(forward(node, taken=taken))


def forward(node: Tensor, *, numbers: bool = False, taken: Collection[str] = ()) -> Formula:
    """Return the equation of an operation; with the numbers of small tensors, and what they make, if asked for.

    >>> import tinygrad_lstm as tl
    >>> print(tl.symbolic.forward(tl.tanh(tl.tensor(0.5, name="x")), numbers=True))
    y = tanh(0.5) = 0.4621
    """
    assert node.primitive is not None
    names = input_names(node, taken)
    made = Apply(node.primitive, tuple(_operands(node, names)), node.attrs, node.value)
    line = Formula(Name(_output_name(node, names, taken)), "=", made)
    if not numbers:
        return line
    result = Constant(node.value) if 0 < node.value.size <= SMALL else None
    return replace(line.with_numbers(dict(zip(names, node.input_values, strict=True))), result=result)


def _small(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Keep those that are to be written out."""
    return {name: array for name, value in numbers.items() if 0 < (array := np.asarray(value)).size <= SMALL}


def _operands(node: Tensor, names: tuple[str, ...]) -> list[Expression]:
    return [Number(x.item()) if is_number(x) else Name(name) for x, name in zip(node.inputs, names, strict=True)]


def folded(expression: Expression) -> Expression:
    """Return an expression as one writes it: what is computed of numbers alone as a number, products with zero as 0.

    Of what is chosen by a number nothing but the choice is left. Arrays that stand in a rule are named by their shape.
    Raises UnknownToReader for more than ``MOST_PARTS``.
    """
    known: dict[Expression, Expression] = {}
    parts: dict[Expression, int] = {}

    def operand(x: Expression) -> Expression:
        return known[x] if isinstance(x, Apply) else _constant_folded(x)

    for each in applications(expression):
        parts[each] = 1 + sum(parts.get(x, 1) for x in each.operands)
        if parts[each] > MOST_PARTS:
            raise UnknownToReader(f"a formula of more than {MOST_PARTS} parts")
        operands = tuple(map(operand, each.operands))
        numbers = all(isinstance(x, Number) for x in operands)
        vanishes = Number(0.0) in operands and getattr(each.function, "combines", None) == "product"
        if each.function is where and isinstance(operands[0], Number):
            known[each] = operands[1] if operands[0].value else operands[2]
        elif each.value.size and (numbers or vanishes):
            known[each] = Number(float(each.value.flat[0]))
        else:
            known[each] = Apply(each.function, operands, each.attrs, each.value)
    return operand(expression)


def _constant_folded(expression: Expression) -> Expression:
    if not isinstance(expression, Constant):
        return expression
    array = np.asarray(expression.value)
    return Name(f"({'×'.join(map(str, array.shape))} array)") if array.ndim else Number(float(array))


def input_names(node: Tensor, taken: Collection[str] = ()) -> tuple[str, ...]:
    """Return what its formulas call the inputs of an operation: their own names, or letters that are not taken."""
    assert node.primitive is not None
    if node.primitive.variadic:
        generic = [f"x{subscript(i + 1)}" for i in range(len(node.inputs))]
    else:
        generic = list(node.primitive.input_names)
    owners: dict[str, Tensor] = {}
    for x in node.inputs:
        _take_name(x, display_name(x), owners)
    for x, fallback in zip(node.inputs, generic, strict=True):
        if x.name is None:
            _take_name(x, fallback, owners, taken)
    names = {x: name for name, x in owners.items()}
    return tuple(names[x] for x in node.inputs)


def _take_name(x: Tensor, name: str | None, owners: dict[str, Tensor], taken: Collection[str] = ()) -> None:
    """Give x the name, with a prime for each other tensor that has it already."""
    if name is None or any(owner is x for owner in owners.values()):
        return
    while name in owners or name in taken:
        name += "′"
    owners[name] = x


def _output_name(node: Tensor, names: tuple[str, ...], taken: Collection[str] = ()) -> str:
    own = display_name(node)
    name, others = ("y", (*names, *taken)) if own is None else (own, names)
    while name in others:
        name += "′"
    return name
