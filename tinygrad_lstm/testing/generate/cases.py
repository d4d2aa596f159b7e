"""What to call an operation with, drawn by its entry alone: inputs in its domain, and attributes that fit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray

from ...engine.ops import BUILTIN
from ...engine.primitive import Kind, Primitive
from .fitting import bounded_below, conditions, fitting, value_of
from .strategies import broadcastable, indices, matmul_shapes, shapes, values

Inputs = list[NDArray[Any]]


@dataclass
class Case:
    """A call of an operation: ``f`` takes the inputs as Tensors; what it holds by slot it puts in between."""

    primitive: Primitive
    inputs: Inputs
    attrs: dict[str, Any] = field(default_factory=dict)
    held: dict[int, Any] = field(default_factory=dict)

    def f(self, *xs: Any) -> Any:
        return self.primitive(*self.operands(xs), **self.attrs)

    def operands(self, xs: Sequence[Any]) -> list[Any]:
        """Return all that it is called with, in order: those inputs, and what is held."""
        rest = iter(xs)
        return [self.held[slot] if slot in self.held else next(rest) for slot in range(len(xs) + len(self.held))]


@st.composite
def cases(draw: st.DrawFn, primitive: Primitive) -> Case:
    """Draw a call of an operation, by its kind, its domain and the names of its attributes.

    Draws nothing for one that takes none of what its kind suggests.
    """
    if "subscripts" in primitive.attr_names:
        return _sum_of_products(draw, primitive)
    if primitive.kind is Kind.product:
        inputs: Inputs = [draw(values(shape, 0.1, 10)) for shape in draw(matmul_shapes())]
        assume(value_of(primitive, inputs, {}) is not None)
        return Case(primitive, inputs)
    if primitive.variadic:
        return _fitted(draw, primitive, _parts(draw, primitive))
    if primitive.attr_names:
        return _fitted(draw, primitive, [_one(draw, primitive)])
    return _of_numbers(draw, primitive)


CASES: dict[str, st.SearchStrategy[Case]] = {name: cases(primitive) for name, primitive in BUILTIN.items()}


SUMS = ("ij,jk->ik", "ij,j->i", "i,i->", "i,j->ij", "ij->ji", "ij->j", "ii->i", "iij,j->i", "ijk,kj,i->k")
"""Subscripts that are told apart: what is summed, what stays, transposes, diagonals, and three operands."""


def _sum_of_products(draw: st.DrawFn, primitive: Primitive) -> Case:
    subscripts, side = draw(st.sampled_from(SUMS)), {letter: draw(st.integers(0, 3)) for letter in "ijk"}
    terms = subscripts.partition("->")[0].split(",")
    inputs = [draw(values(tuple(side[letter] for letter in term), 0.1, 10)) for term in terms]
    return Case(primitive, inputs, {"subscripts": subscripts})


def _fitted(draw: st.DrawFn, primitive: Primitive, inputs: Inputs) -> Case:
    """Choose among attributes that fit; an index as hypothesis draws them, and for its transpose what fits into it."""
    names = primitive.attr_names
    if "index" in names and draw(st.booleans()):
        x = inputs[0]
        index = draw(indices(x.shape))
        if "shape" in names:
            return Case(primitive, [draw(values(np.shape(x[index])))], {"index": index, "shape": x.shape})
        return Case(primitive, inputs, {"index": index})
    found = list(fitting(primitive, inputs))
    assume(found)
    return Case(primitive, inputs, draw(st.sampled_from(found)))


def _one(draw: st.DrawFn, primitive: Primitive) -> NDArray[Any]:
    moves = primitive.kind is Kind.movement
    drawn = shapes(min_side=draw(st.integers(0, 1)), min_dims=int(primitive.kind is Kind.activation))
    return draw(values(draw(drawn), high=1e3 if moves else _largest(primitive)))


def _parts(draw: st.DrawFn, primitive: Primitive) -> Inputs:
    """Draw up to three arrays of one shape; or some that differ along an axis, if that is taken."""
    shape, axis = draw(shapes(min_dims=1, min_side=0)), draw(st.integers(0, 2))
    drawn = [draw(values(shape, dtype=np.float64)) for _ in range(draw(st.integers(1, 3)))]
    differing = [np.repeat(part, i + 1, axis % len(shape)) for i, part in enumerate(drawn)]
    return differing if next(fitting(primitive, differing), None) and draw(st.booleans()) else drawn


def _of_numbers(draw: st.DrawFn, primitive: Primitive) -> Case:
    """Draw numbers that broadcast, without ties except among zeros.

    Inputs that get no gradient are conditions, 0 or 1, and held. What a positive number is taken to is held at times,
    a whole number. Numbers leave the domain where the function is finite there too.
    """
    positive, high = primitive.positive_inputs, _largest(primitive)
    special = () if any(positive) or (primitive.kink and primitive.kind is not Kind.comparison) else (0.0, -0.0)
    unlike = len(set(positive)) > 1
    low = 0.1 if unlike else 1e-3
    sides = draw(broadcastable(primitive.arity, min_side=0)) if primitive.arity > 1 else [draw(shapes(min_side=0))]
    drawn = [draw(values(shape, low, high, special=special)) for shape in sides]
    inputs = [x * x.dtype.type(1 + i / 16) for i, x in enumerate(drawn)]  # equal seeds would make equal arrays
    held: dict[int, Any] = {slot: (inputs[slot] > 0).astype(np.float64) for slot in conditions(primitive)}
    if positive == (True, False) and draw(st.booleans()):
        held[1] = draw(st.integers(-2, 4).filter(bool))
    operands = [held.get(slot, x) for slot, x in enumerate(inputs)]
    below = bounded_below(primitive)
    if any(below) and value_of(primitive, operands, {}) is None:
        inputs = [np.abs(x) if p else x for x, p in zip(inputs, below, strict=True)]
    return Case(primitive, [x for slot, x in enumerate(inputs) if slot not in held], {}, held)


def _largest(primitive: Primitive) -> float:
    """Return up to where its numbers are drawn: before it saturates, or grows beyond reason."""
    low, high = primitive.range
    if np.isfinite([low, high]).all():
        return 5.0 if primitive.kind is not Kind.comparison else 1e3
    if len(set(primitive.positive_inputs)) > 1:
        return 10.0
    grows = primitive.arity == 1 and not primitive.exact and not any(primitive.positive_inputs)
    return 10.0 if grows else 1e3
