"""What is checked: a function at its inputs, and first whether it is one that can be checked at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..engine.graph import Graph
from ..engine.tensor import Tensor, tensor
from ..nn.module import Module
from .errors import GradientError, ResultError

INTEGERS = "integers and booleans choose, and have no gradient; pass floats to have one checked"

FURTHER, ROUNDED = 2.0**10, 64
"""Moved so many times as far, what agrees to so many last places is only rounded otherwise.

Chosen: at the nearer place a part of 1e-8 would be seen in the last place, and at the further one in 64 of them.
"""

CHANGED = (
    "the function changed the value of {} while it ran; a function that is checked leaves its arguments and weights "
    "alone, as its gradient is taken at one place"
)

Same = Callable[[NDArray[Any], NDArray[Any]], bool]


@dataclass(frozen=True, eq=False)
class Subject:
    """The graph of one call, the tensors whose gradients are checked by name, and what of the inputs has none."""

    graph: Graph
    checked: dict[str, Tensor]
    without: dict[str, str]  # names of the inputs without a gradient, and why
    parameters: tuple[Tensor, ...] = ()  # of those checked, the ones that f is not called with

    @classmethod
    def called(
        cls,
        f: Callable[..., Any],
        inputs: Sequence[Tensor | ArrayLike],
        parameters: Sequence[Tensor],
        rng: np.random.Generator,
        ignoring: str = "",
        whose: str = "the function",
    ) -> Subject:
        """Call the function, and refuse one that is random, ignores an input, or computes outside its graph.

        Leaves that require a gradient and take part are checked too, whoever owns them. If there may be a reason for
        ``ignoring`` an input, it is only noted. ``whose`` is who computes, where it is not the function itself.
        """
        if not callable(f):
            raise TypeError(f"what is checked must be a function of tensors, a module or a tensor, not {f!r}")
        arguments = [argument(x, position) for position, x in enumerate(inputs)]
        leaves = [x for x in arguments if isinstance(x, Tensor)]
        parameters = _parameters_of(f, parameters)
        before = [(x, np.array(x)) for x in (*arguments, *parameters)]
        try:
            result = f(*arguments)
        except Exception as error:
            shapes = ", ".join(str(np.shape(x)) for x in arguments) or "nothing"
            error.add_note(f"raised by the function whose gradient was to be checked, given {shapes}")
            raise
        outputs = outputs_of(result)
        for position, (x, value) in enumerate(before):
            if not _is_same(np.asarray(x), value):
                name = (isinstance(x, Tensor) and x.name) or f"input {position}"
                raise GradientError(CHANGED.format(name))
        if not all(np.isfinite(output.value).all() for output in outputs):
            raise GradientError(
                "the function returns NaN or Inf at these inputs; its gradients there cannot be checked"
            )
        graph = Graph(*outputs)
        known = {*leaves, *parameters}
        parameters += [leaf for leaf in graph.leaves if leaf.requires_grad and leaf not in known]  # of f's own
        checked = _by_name(leaves, parameters)
        used = set(graph.leaves)
        ignored = [name for name, leaf in checked.items() if leaf not in used]
        if ignored and not ignoring:
            raise GradientError(
                f"the result does not depend on {ignored[0]}: leave it out, or look for a detach on its way"
            )
        for name in ignored:
            del checked[name]
        _require_faithful(f, graph, arguments, parameters, rng, whose)
        without = {f"input {i}": INTEGERS for i, x in enumerate(arguments) if not isinstance(x, Tensor)}
        return cls(graph, checked, without | dict.fromkeys(ignored, ignoring), tuple(parameters))

    @classmethod
    def of(cls, output: Tensor) -> Subject:
        """Take what a tensor was computed from: every leaf that requires a gradient."""
        graph = Graph(output)
        leaves = [leaf for leaf in graph.leaves if leaf.requires_grad]
        checked = _by_name([], leaves, "input")
        if not np.isfinite(output.value).all():
            raise GradientError("the tensor holds NaN or Inf; its gradients cannot be checked")
        return cls(graph, checked, {})


def _parameters_of(f: Callable[..., Any], parameters: Sequence[Tensor]) -> list[Tensor]:
    """Return those given, or else a module's own; without the frozen ones, if others are not."""
    one = isinstance(parameters, Tensor) or not isinstance(parameters, Iterable)
    found: list[Any] = [parameters] if one else [*parameters]
    if not all(isinstance(x, Tensor) for x in found):
        raise TypeError(f"parameters are tensors, as module.parameters() gives, not {parameters!r:.60}")
    found += f.parameters() if isinstance(f, Module) and not found else []
    return [x for x in found if x.requires_grad] or found


def _by_name(leaves: Sequence[Tensor], parameters: Sequence[Tensor], unnamed: str = "parameter") -> dict[str, Tensor]:
    """Name them for the report: by their own names, numbered where two have the same, as two unnamed layers do."""
    named: dict[str, Tensor] = {}
    called = [(leaf.name or "", leaf) for leaf in leaves]
    called += [(parameter.name or f"{unnamed} {i}", parameter) for i, parameter in enumerate(parameters)]
    for name, leaf in called:
        numbered = (f"{name} ({number})" for number in count(2))
        named[next(numbered) if name in named else name] = leaf
    return named


def _require_unchanged(parameters: Sequence[Tensor], before: Mapping[Tensor, NDArray[Any]]) -> None:
    """Refuse a function that trains, such as one with an optimiser's step; name the leaves that it leaves out too."""
    names = {x: name for name, x in _by_name([], parameters).items()}
    changed = {x: None for x in parameters if not _is_same(x.value, before[x])}
    if changed:
        left = ", ".join(names[x] for x in parameters if x not in changed)
        kept = f". It did not change {left}, which takes part and requires a gradient: does an optimiser own it?"
        raise GradientError(CHANGED.format(", ".join(names[x] for x in changed)) + (kept if left else ""))


def argument(x: Tensor | ArrayLike, position: int, dtype: DTypeLike | None = None) -> Any:
    """Make a leaf of an input, of another type where one is given; leave integers and booleans: an index, a mask."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "iub":
        return x
    name = x.name if isinstance(x, Tensor) and x.name else f"input {position}"
    return tensor(x, requires_grad=True, name=name, dtype=dtype)


def outputs_of(result: Any) -> list[Tensor]:
    """Return the Tensors among what f returned, however nested."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, tuple | list) and result:
        return [output for part in result for output in outputs_of(part)]
    raise ResultError(f"the function must return a Tensor, or a tuple of them, not {type(result).__name__}")


def _require_faithful(
    f: Callable[..., Any],
    graph: Graph,
    arguments: Sequence[Any],
    parameters: Sequence[Tensor],
    rng: np.random.Generator,
    whose: str,
) -> None:
    """Require that the recorded graph computes what f computes, at its inputs and parameters and beside them."""
    leaves = [x for x in arguments if isinstance(x, Tensor)]

    def agrees(beside: Callable[[NDArray[Any]], NDArray[Any]], same: Same = _is_same) -> bool:
        moved = {x: beside(graph.values.get(x, x.value)) for x in [*leaves, *parameters]}
        again = [tensor(moved[x], requires_grad=True, name=x.name) if isinstance(x, Tensor) else x for x in arguments]
        kept = {x: x.value for x in parameters}
        try:
            for x in parameters:
                x.value = moved[x]
            with np.errstate(all="ignore"):
                outputs = outputs_of(f(*again))
                _require_unchanged(parameters, moved)
                there = {*leaves, *Graph(*outputs).leaves}  # a leaf that f makes anew in each call was not moved
                replayed = graph.replay({x: v for x, v in moved.items() if x in graph.values and x in there})
        finally:
            for x, value in kept.items():
                x.value = value
        return len(outputs) == len(graph.outputs) and all(
            same(replayed[old], new.value) for old, new in zip(graph.outputs, outputs, strict=True)
        )

    if agrees(lambda value: _beside(value, rng.normal(size=value.shape))):
        return
    if agrees(lambda value: _beside(value, -1.0)) or agrees(lambda value: _beside(value, 1.0)):
        return  # on a comparison such as x > 0, one of whose sides was recorded
    if agrees(lambda value: _beside(value, FURTHER * rng.normal(size=value.shape)), _is_nearly_same):
        return  # what is detached does not count, as the largest number that a softmax is shifted by
    if not agrees(lambda value: value):
        raise GradientError(
            f"{whose} is not the same in two runs on the same inputs: it is random, or keeps something from one call "
            "to the next; give it a seed of its own at each call, or its state as an input"
        )
    raise GradientError(
        f"{whose} computes something outside the graph, as with x.value, x.numpy() or x.detach(): moved a little, "
        "it no longer agrees with what was recorded, and no gradient can be right"
    )


def _is_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.shape == other.shape and (bool((one == other).all()) or np.array_equal(one, other, equal_nan=True))


def _is_nearly_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    slack = ROUNDED * np.finfo(other.dtype).eps * np.abs(other).max(initial=0.0)
    return one.shape == other.shape and bool((np.abs(one - other) <= slack).all())


def _beside(value: NDArray[Any], direction: NDArray[Any] | float) -> NDArray[Any]:
    """Return the value, moved by the square root of a last place; zeros move too."""
    distance = 2.0**-26 if value.dtype == np.float64 else 2.0**-11
    return np.asarray(value + distance * np.maximum(np.abs(value), 1) * direction, value.dtype)
