"""The program of a network: what it computes, and its backward pass, as plain numpy that a person can read and run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from ..structure.rolling import Given, Loop, roll
from ..symbolic.expressions import Constant, Number
from .recording import NotExpressible, Recording, record_twice, unify
from .sizes import Size
from .writing import Job, Sizes, Source, write


def source(what: Any, *example: Any, wrt: Sequence[Tensor] | None = None, **named: Any) -> Source:
    """Return the program that computes a loss and its gradient with respect to tensors."""
    if isinstance(what, Tensor):
        return _of_recording(what, *example) if example else _of_recording(what, wrt)
    return of_function(what, bound(what, example, named)).source


def _of_recording(loss: Tensor, wrt: Sequence[Tensor] | None = None) -> Source:
    graph = Graph(loss)
    asked = [x for x in graph.leaves if x.requires_grad] if wrt is None else list(wrt)
    rolled = roll(graph)
    seed = Number(1.0) if loss.dtype == np.float64 else Constant(np.ones((), loss.dtype))
    output, references = rolled.reference(loss), [rolled.reference(x) for x in asked]
    return write(Job(rolled, [output], references, Sizes(rolled), [seed]))


class General:
    """A program for any number of steps and sequences, and what it is given besides its arguments."""

    def __init__(self, source: Source, recording: Recording, closure: dict[str, Tensor], wrt: list[str]) -> None:
        self.source, self.recording, self.closure, self.wrt = source, recording, closure, wrt


def of_function(f: Callable[..., Any], example: dict[str, Any], split: bool = False) -> General:
    """Record a function twice, and return the program that both recordings are runs of.

    Raises:
        NotExpressible: where no program is right for all sizes and data.
    """
    owner = getattr(f, "forward", f)
    module = f if hasattr(f, "parameters") else getattr(owner, "__self__", None)
    fixed = {n for x in (module.parameters() if hasattr(module, "parameters") else ()) for n in x.shape}
    a, b = record_twice(f, example, fixed, 1 if getattr(module, "batch_first", False) else 0)
    found = unify(a, b)
    rolled = a.rolled
    sizes = Sizes(
        rolled,
        {a.sizes["T"]: "T", a.sizes["N"]: "N"},
        {name: x for name, x in a.arguments.items() if not isinstance(x, Tensor)},
    )
    T, N = (Size.of(a.sizes[letter], letter) for letter in "TN")
    sizes.known = {int(T) * int(N): T * N}
    named: dict[Given, str] = dict(found.argument)
    data = {}
    for given in set(rolled.given.values()):
        if id(given) in found.part:
            named[given] = found.part[id(given)][0]
    data = {key: name for key, (name, _) in found.part.items()}
    outputs = [rolled.reference(x) for x in a.outputs]
    ends = [_end(reference, theirs, a, b) for reference, theirs in zip(outputs, (b.rolled.reference(x) for x in b.outputs))]
    arguments = [x for x in a.arguments.values() if isinstance(x, Tensor)]
    learned = {given: leaf for given, leaf in found.closure.items() if leaf.requires_grad}
    wrt = [rolled.reference(x) for x in arguments] + [rolled.reference(leaf) for leaf in learned.values()]
    scalar = not split and len(a.outputs) == 1 and a.outputs[0].ndim == 0
    seeds = [Number(1.0) if a.outputs[0].dtype == np.float64 else Constant(np.ones((), a.outputs[0].dtype))] if scalar else []
    job = Job(rolled, ends, wrt, sizes, seeds, named, found.zeros, data, general=True)
    made = write(job, split)
    made.arguments = {name: value for name, value in made.arguments.items()}
    return General(made, a, {}, [])


def _end(x: Any, y: Any, a: Recording, b: Recording) -> Any:
    from .recording import _Unifying

    unifying = _Unifying(a, b)
    unifying.other = {}
    return type(x)(x.of, None if x.index is None else type(x.index)(unifying.number(x.index.at, y.index.at, None)))


def bound(f: Callable[..., Any], args: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by the names that the function gives them."""
    signature = inspect.signature(getattr(f, "forward", f))
    found = signature.bind(*args, **named).arguments
    return dict(found)
