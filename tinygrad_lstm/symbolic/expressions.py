"""Expressions: what the tracer builds. How each of them is written stands in ``written``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.primitive import Primitive


class Written:
    """What shows itself as one writes it, in a line or typeset in a notebook; ``written`` gives it the methods."""


@dataclass(frozen=True, repr=False)
class Name(Written):
    """What something is called: a letter or a word, with what stands below it, its time step, and above it."""

    text: str
    below: str = ""
    time: str = ""
    above: str = ""
    shape: tuple[int, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, repr=False)
class Gradient(Written):
    """∂L/∂ of something."""

    of: Expression
    shape: tuple[int, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, repr=False)
class Number(Written):
    """A number, or an array in which every number is this one."""

    value: float
    shape: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Written):
    """An array or number that is the same whatever the inputs are; in a formula the numbers of a small tensor."""

    value: NDArray[Any] | float


@dataclass(frozen=True, eq=False, repr=False)
class Hole(Constant):
    """The numbers of a small tensor, and whose they are: a notation may leave them for others to fill in."""

    of: str
    """``"g"``, ``"y"``, or the number of an input: as in a rule."""


Function = Primitive | np.ufunc | Callable[..., Any]
"""A primitive; or, where those are opened, a ufunc, the ``reduce`` of one, or the tracer's ``cast``."""


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Written):
    """A function of operands; ``value`` is what it made of the arrays it was read with, and tells shape and type."""

    function: Function
    operands: tuple[Expression, ...]
    attrs: Mapping[str, Any]
    value: NDArray[Any]

    @property
    def primitive(self) -> Primitive:
        """The function, where it is a primitive."""
        assert isinstance(self.function, Primitive)
        return self.function

    @property
    def style(self) -> str:
        """How its function is written; as a call, if that is no primitive."""
        return getattr(self.function, "style", "call")


Expression = Name | Gradient | Number | Constant | Apply


def outer(a: Any, b: Any, columns: bool = False) -> Any:
    """Return the products of all pairs of two vectors: of columns a bᵀ, of rows aᵀ b."""
    return np.multiply.outer(a, b)


def over_steps(x: Any, steps: tuple[int, ...] = ()) -> Any:
    """Return the sum over time steps of what is the same at each."""
    return x * len(steps)


def shape_of(expression: Expression) -> tuple[int, ...]:
    """Return the shape of what an expression stands for; that of a number, where a name says nothing."""
    if isinstance(expression, Apply | Constant):
        return np.shape(expression.value)
    return expression.shape or ()
