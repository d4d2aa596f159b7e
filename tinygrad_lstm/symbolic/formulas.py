"""Formulas of nodes: the equation that computed one, and the rule that takes its gradient back to its inputs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..engine.backprop import unbroadcast
from ..engine.errors import short
from ..engine.graph import Graph
from ..engine.ops import getitem
from ..engine.tensor import Tensor
from ..structure.words import is_number
from .expressions import Apply, Expression, Hole, Name, Number, shape_of
from .notation import LATEX, MATHML, PLAIN, STEADY, TO_FILL, Linked, Notation
from .notation.plain import Plain
from .rewriting import applications, replaced, simplified
from .symbols import Letters, Symbols
from .tracer import UnknownToReader, read_rule
from .written import factors, placed, terms, text

SMALL = 4
"""Tensors of so many numbers are written out where a formula is to show numbers."""

MOST_PARTS = 200
"""Names, numbers and operations that a formula holds, at most. Chosen: what fills ten lines is not read."""

WIDTH = 76
"""Characters of a line of a formula that is broken where it is longer; chosen: it fits into a terminal and a README."""


@dataclass(frozen=True, repr=False)
class Formula:
    """One equation: what is computed or grows, and how; ``str(formula)`` is plain text, in one line."""

    left: Expression
    sign: str
    right: Expression
    result: Expression | None = None

    def __str__(self) -> str:
        return self._line(PLAIN)

    __repr__ = __str__

    @property
    def mathml(self) -> str:
        """The equation in MathML, in as many lines as it takes."""
        return self.broken(MATHML, measured=STEADY)

    def linked(self, letters: Letters, numbers: Mapping[Tensor, int]) -> str:
        """The same with each name linked to its tensor, by the number that this has."""
        gradients = _numbered(letters.gradients, numbers)  # first, since it may give letters to what has none
        return self.broken(Linked(_numbered(letters.owners, numbers), gradients), measured=STEADY)

    @property
    def to_fill(self) -> str:
        """The same with places for numbers, ``<mrow data-of="y">``; nothing else differs from step to step."""
        return self.broken(TO_FILL, measured=STEADY)

    @property
    def latex(self) -> str:
        """The equation in LaTeX, as it stands between dollars."""
        return self.broken(LATEX)

    def _repr_html_(self) -> str:
        return f"<math display='block'>{self.mathml}</math>"

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"

    def _line(self, n: Notation) -> str:
        end = () if self.result is None else (n.sign("="), placed(self.result, n))
        return n.row(placed(self.left, n), n.sign(self.sign), placed(self.right, n), *end)

    def broken(self, n: Notation = PLAIN, width: int = WIDTH, measured: Plain = PLAIN) -> str:
        """Return the equation in lines of a width, as plain text would have it: broken before + and ⊙."""
        if len(self._line(measured)) <= width:
            return self._line(n)
        rows: list[list[tuple[str, Expression, int]]] = [[]]
        room = filled = width - min(len(placed(self.left, measured)) + 1, 14)
        for sign, term, place in self._pieces(room, measured):
            size = len(placed(term, measured, place)) + len(sign) + 2
            if rows[-1] and filled + size > room:
                rows.append([])
            filled = size if not rows[-1] else filled + size
            rows[-1].append((sign, term, place))
        return n.lines(placed(self.left, n), [n.row(*(_piece(each, n) for each in row)) for row in rows])

    def _pieces(self, room: int, measured: Plain) -> list[tuple[str, Expression, int]]:
        """Return what is added up, each with its sign; what is too long for a line as its factors."""
        pieces = []
        for sign, term, place in terms(self.right):
            parts = factors(term) if len(placed(term, measured, place)) > room else [("", term, place)]
            pieces += [(each or sign or self.sign, x, at) for each, x, at in parts]
        return pieces if self.result is None else [*pieces, ("=", self.result, 0)]


def _numbered(called: Mapping[Name, Tensor], numbers: Mapping[Tensor, int]) -> dict[tuple[str, ...], int]:
    return {(x.text, x.below, x.time, x.above): numbers[node] for x, node in called.items() if node in numbers}


def _piece(piece: tuple[str, Expression, int], n: Notation) -> str:
    sign, x, place = piece
    return n.row(n.sign(sign, leading=True), placed(x, n, place))


class Equations(str):
    """Formulas, as the plain text that they are, one a line; ``latex`` and ``mathml`` have them in those languages."""

    latex: str
    mathml: str

    @classmethod
    def of(cls, formulas: list[Formula], width: int = WIDTH) -> Equations:
        """Return the text of formulas, none of whose lines is longer than a width if it can be broken."""
        written = cls("\n".join(each.broken(PLAIN, width) for each in formulas))
        written.latex = _aligned([each.broken(LATEX, width) for each in formulas])
        rows = "".join(
            f"<mtr><mtd style='text-align: left'>{each.broken(MATHML, width)}</mtd></mtr>" for each in formulas
        )
        written.mathml = f"<math display='block'><mtable displaystyle='true'>{rows}</mtable></math>"
        return written

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.mathml

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"


def _aligned(lines: list[str]) -> str:
    return lines[0] if len(lines) == 1 else r"\begin{gathered} " + r" \\ ".join(lines) + r" \end{gathered}"


def formula(node: Tensor, loss: Tensor | None = None, *, width: int = WIDTH) -> Equations:
    """Write the node's rule at work, one line per input: what its gradient adds to theirs.

    A row vector or a matrix of rows stands before a weight that it is multiplied with, ⊙ is number by number.

    Arguments:
        node: what was computed.
        loss: what was computed of it in turn. A parameter is then called by what it is for, as W_f by the f that is
            computed with it, and what enters the activation of f has the gradient δ_f.
        width: where lines are broken, before + and ⊙.

    Returns:
        Plain text, with the same in LaTeX and MathML in its attributes ``latex`` and ``mathml``. Notebooks typeset it.

    Raises:
        TypeError: for what is no tensor.
        ValueError: for a width that is no whole number above zero.

    >>> import tinygrad_lstm as tl
    >>> print(tl.formula(tl.tanh(tl.tensor(0.5, name="x"))))
    ∂L/∂x += ∂L/∂y ⊙ (1 − y²)
    >>> x, W = tl.tensor([[1, 2]], name="x"), tl.tensor([[3], [4]], name="W")
    >>> print(tl.formula(x @ W))
    ∂L/∂x += ∂L/∂y Wᵀ
    ∂L/∂W += xᵀ ∂L/∂y
    >>> print(tl.formula(tl.exp(x)).latex)
    \\frac{\\partial L}{\\partial x} \\mathrel{+}= \\frac{\\partial L}{\\partial y} \\odot y
    """
    if not isinstance(node, Tensor):
        raise TypeError(f"formula writes the rule of a tensor, as in tl.formula(tl.tanh(x)); got {short(node)}")
    if not isinstance(width, int) or width < 1:
        raise ValueError(f"width is a whole number of characters, not {width!r:.60}")
    if not isinstance(loss, Tensor | None):
        raise TypeError(f"loss is what was computed of the tensor, or None, not {short(loss)}")
    if node.primitive is not None and node.primitive.opens:
        node = Graph(node).opened()[0].output
    lines = input_formulas(node, symbols=None if loss is None else Symbols(Graph(loss).nodes))
    return Equations.of([line for line in lines if line], width)


def input_formulas(node: Tensor, upstream: Any = None, symbols: Symbols | None = None) -> tuple[Formula | None, ...]:
    """Return one formula per input slot; None for a bare number, whose gradient nobody asks for.

    Given the upstream gradient, small tensors are written as their numbers. ``symbols`` are those of the graph that the
    node is in.

    >>> import tinygrad_lstm as tl
    >>> tl.symbolic.input_formulas(tl.tanh(tl.tensor(0.5, name="x")), upstream=2.0)
    (∂L/∂x += 2 ⊙ (1 − 0.4621²),)
    """
    if node.primitive is None:
        return (Formula(Name(node.name or "a leaf"), "was", Name("given, not computed")),)
    letters = (symbols or Symbols.near(node)).letters(node)
    made = (
        [_constant(node)] * len(node.inputs) if node.primitive.rule is None else _contributions(node, letters, upstream)
    )
    return tuple(
        None if is_number(x) else _grown(letters.gradient(slot), contribution)
        for slot, (x, contribution) in enumerate(zip(node.inputs, made, strict=True))
    )


def _constant(node: Tensor) -> Expression:
    assert node.primitive is not None
    return Name(f"0: {node.primitive.name} is constant almost everywhere")


def _grown(gradient: Expression, contribution: Expression) -> Formula:
    """Return the equation of a gradient that grows: of a part of it, if zeros are all that the others get."""
    if isinstance(contribution, Apply) and contribution.style == "at":
        (part,) = contribution.operands
        value = np.empty(shape_of(part))
        return Formula(Apply(getitem, (gradient,), {"index": contribution.attrs["index"]}, value), "+=", part)
    return Formula(gradient, "+=", contribution)


def _contributions(node: Tensor, letters: Letters, upstream: Any) -> list[Expression]:
    """Return what the rule of a node makes for each input, in its letters; or in numbers, where tensors are small.

    Words, and a warning, where the rule cannot be read.
    """
    assert node.primitive is not None
    try:
        made = contributions(node)
    except UnknownToReader as error:
        warnings.warn(error, stacklevel=2)
        return [Name(f"what the rule of {node.primitive.name} makes of it")] * len(node.inputs)
    by: dict[Expression, Expression] = dict(
        zip(slots(node), (letters.upstream, letters.value, *letters.inputs), strict=True)
    )
    if upstream is None:
        return [simplified(replaced(each, by)) for each in made]
    arrays = [upstream, node.value, *node.input_values]
    whose = ["g", "y", *map(str, range(len(node.inputs)))]
    by |= {slot: Hole(x, of) for slot, x, of in zip(slots(node), arrays, whose, strict=True) if _is_small(x)}
    return [replaced(each, by) for each in made]


def slots(node: Tensor) -> list[Name]:
    """Return what stands, in what is read of a rule, for the upstream gradient, the output and the inputs."""
    shapes = [node.shape, node.shape, *(x.shape for x in node.inputs)]
    return [Name(f"{i}", above="slot", shape=shape) for i, shape in enumerate(shapes)]


def contributions(node: Tensor, numbers: bool = True) -> list[Expression]:
    """Return what the rule of a node makes for each input. Raises UnknownToReader for a rule that cannot be read.

    Bare numbers among the inputs are written as numbers, unless that is not wanted.
    """
    assert node.primitive is not None
    values = [np.ones(node.shape, node.dtype), node.value, *node.input_values]
    operands = [
        Number(x.item()) if numbers and is_number(x) else slot
        for x, slot in zip(node.inputs, slots(node)[2:], strict=True)
    ]
    products = read_rule(node.primitive, [*slots(node)[:2], *operands], values, node.attrs)
    try:
        return [
            Number(0) if made is None else _simple(unbroadcast(made, x.shape).expression)
            for made, x in zip(products, node.input_values, strict=True)
        ]
    except ValueError as error:
        unread = f"what the rule of {node.primitive.name} returns does not fit its inputs: {error}"
        raise UnknownToReader(unread) from error


def _simple(expression: Expression) -> Expression:
    """Return an expression as one writes it. Raises UnknownToReader for more than ``MOST_PARTS``."""
    parts: dict[Expression, int] = {}
    for each in applications(expression):
        parts[each] = 1 + sum(parts.get(x, 1) for x in each.operands)
        if parts[each] > MOST_PARTS:
            raise UnknownToReader(f"a formula of more than {MOST_PARTS} parts")
    return simplified(expression)


def equation(node: Tensor, symbols: Symbols | None = None) -> str:
    """Write the equation that computed the node.

    >>> import tinygrad_lstm as tl
    >>> tl.symbolic.equation(2 * tl.tensor(3.0, name="x"))
    'y = 2 · x'
    """
    return f"{node.name or 'a constant'} is given" if node.primitive is None else str(forward(node, symbols=symbols))


def forward(node: Tensor, *, numbers: bool = False, symbols: Symbols | None = None) -> Formula:
    """Return the equation of an operation; with the numbers of small tensors, and what they make, if asked for.

    >>> import tinygrad_lstm as tl
    >>> print(tl.symbolic.forward(tl.tanh(tl.tensor(0.5, name="x")), numbers=True))
    y = tanh(0.5) = 0.4621
    """
    assert node.primitive is not None
    letters = (symbols or Symbols.near(node)).letters(node)
    operands = letters.inputs
    if numbers:
        pairs = enumerate(zip(operands, node.input_values, strict=True))
        operands = tuple(Hole(x, str(i)) if _is_small(x) and not isinstance(e, Number) else e for i, (e, x) in pairs)
    line = Formula(letters.output, "=", Apply(node.primitive, operands, node.attrs, node.value))
    return replace(line, result=Hole(node.value, "y")) if numbers and _is_small(node.value) else line


def _is_small(array: Any) -> bool:
    return 0 < np.size(array) <= SMALL


def input_names(node: Tensor, symbols: Symbols | None = None) -> tuple[str, ...]:
    """Return what its formulas call the inputs of an operation: their names, how they are computed, or letters."""
    return tuple(map(text, (symbols or Symbols.near(node)).letters(node).inputs))
