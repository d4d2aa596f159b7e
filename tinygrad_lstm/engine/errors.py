"""What goes wrong, said to the person it happened to: what, where in their network, and what would be right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from .primitive import Array, Kind, Primitive
from .pytorch import is_torchs
from .scope import Context


class Node(Protocol):
    """What is told of a tensor: its name, its numbers, and how it was made."""

    name: str | None
    primitive: Primitive | None
    context: Context
    inputs: tuple[Any, ...]
    input_values: tuple[Array, ...]

    @property
    def value(self) -> Array: ...
    @property
    def shape(self) -> tuple[int, ...]: ...


class ShapeError(ValueError):
    """Shapes that do not fit together; says which primitive, where in the network, and both shapes.

    >>> import tinygrad_lstm as tl
    >>> tl.tensor([1, 2]) + [1, 2, 3]
    Traceback (most recent call last):
    tinygrad_lstm.engine.errors.ShapeError: add: shapes (2,) and (3,) do not fit together; ...
    """


class LeavesTheGraph(UserWarning):
    """A number that carries a gradient was taken out of the graph, where none reaches it; shown once for each line."""


def require_finite_value(primitive: Primitive, value: Array, inputs: tuple[Node, ...], context: Context) -> None:
    fault = context.detecting_nan
    if fault is None or not fault(value).any():
        return
    kind = "NaN" if np.isnan(value).any() else "Inf"
    for slot, x in enumerate(inputs):
        if fault(x.value).any():
            called = repr(x.name) if x.name else f"number {slot}"
            raise FloatingPointError(
                f"the input {called} of {primitive.name}{context.place} already holds a NaN or Inf"
            )
    shapes = " and ".join(f"{x.shape} in [{x.value.min():.4g}, {x.value.max():.4g}]" for x in inputs if x.value.size)
    raise FloatingPointError(f"{primitive.name}{context.place} made the first {kind}, from finite input {shapes}")


def forward_failed(
    error: Exception, primitive: Primitive, values: list[Array], attrs: Mapping[str, Any], context: Context
) -> Exception:
    """Return the same complaint, with the primitive, the place in the user's network and the shapes."""
    shapes = " and ".join(str(value.shape) for value in values)
    where = f"{primitive.name}{context.place}"
    details = "".join(
        f", {key}={short(value)}" for key, value in attrs.items() if value is not None and value is not False
    )
    if isinstance(error, IndexError) and not isinstance(error, ValueError):
        return IndexError(f"{where}: {error}; the tensor has shape {shapes}{details}")
    unknown = attrs.keys() - set(primitive.attr_names)
    if unknown:
        return TypeError(f"{where} takes no {min(unknown)!r}; it is {primitive.name}{primitive.signature}")
    if isinstance(error, TypeError):
        return TypeError(f"{where}: {error}; given shape {shapes}{details}")
    advice = str(error)
    if primitive.kind is Kind.product and not primitive.variadic and all(value.ndim for value in values):
        rows, columns = values[0].shape[-1], values[1].shape[-2 if values[1].ndim > 1 else 0]
        if rows != columns:
            advice = f"the last axis of the first ({rows}) must equal the first matrix axis of the second ({columns})"
    elif "broadcast" in advice and len(values) > 1:
        advice = "aligned at the right, axes must be equal or 1"
    fault = (
        f"shapes {shapes}{details} do not fit together" if len(values) > 1 else f"shape {shapes}{details} does not fit"
    )
    return ShapeError(f"{where}: {fault}; {advice}")


def real(**numbers: Any) -> None:
    """Refuse what is no real number, by name."""
    for name, number in numbers.items():
        if not isinstance(number, int | float | np.integer | np.floating) or isinstance(number, bool):
            raise TypeError(f"{name} must be a number, not {number!r:.60}")


def kind_of(x: Any) -> str:
    """Return what something is called that is no tensor of ours."""
    return "a tensor of PyTorch's: bring its module in by tl.from_torch" if is_torchs(x) else type(x).__name__


def short(data: Any) -> str:
    text = " ".join(repr(data).split())
    return text if len(text) <= 60 else text[:57] + "…"


def miscounted(products: Any, node: Node) -> TypeError:
    returned = f"a tuple of {len(products)}" if isinstance(products, tuple) else type(products).__name__
    return TypeError(
        f"{_rule_of(node)} must return a tuple of {len(node.inputs)}, one contribution per input; "
        f"it returned {returned}"
    )


def rule_failed(node: Node, upstream: Any) -> str:
    shapes = " and ".join(str(value.shape) for value in node.input_values)
    given = f"an upstream gradient of shape {np.shape(upstream)} and inputs of shape {shapes}"
    return f"raised by {_rule_of(node)}, given {given}"


def misshapen(product: Any, node: Node, slot: int) -> ShapeError:
    x = node.inputs[slot]
    return ShapeError(
        f"{_rule_of(node)} returned shape {product.shape} for input "
        f"{slot}{called(x)} of shape {x.shape}; a contribution has its input's shape, or one that broadcasting made "
        "of it"
    )


def not_numbers(product: Any, node: Node, slot: int) -> TypeError:
    whose = f"input {slot}{called(node.inputs[slot])}"
    return TypeError(
        f"{_rule_of(node)} returned {short(product)} for {whose}; a contribution is an array of real numbers"
    )


def require_finite_contribution(
    contribution: Any, upstream: Any, node: Node, slot: int, fault: Callable[[Any], Any]
) -> None:
    if not fault(contribution).any():
        return
    kind = "NaN" if np.isnan(contribution).any() else "Inf"
    what = f"{_rule_of(node)} made the first {kind} of the backward pass"
    if fault(upstream).any():
        reached = _rule_of(node).removeprefix("the rule of ")
        what = f"the seed, or the gradient that reached {reached}, already held a NaN or Inf"
    raise FloatingPointError(f"{what}, for input {slot}{called(node.inputs[slot])} of shape {node.inputs[slot].shape}")


def _rule_of(node: Node) -> str:
    assert node.primitive is not None
    return f"the rule of {node.primitive.name}{node.context.place}"


def called(x: Any) -> str:
    """Return the name of a tensor in parentheses, if it is one and has one; escaped, what a terminal would act on."""
    name = getattr(x, "name", None)
    return f" ({repr(name)[1:-1]})" if name else ""
