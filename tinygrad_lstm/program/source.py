"""The program of a network: what it computes, and its backward pass, as plain numpy that a person can read and run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from ..structure.rolling import roll
from ..symbolic.expressions import Constant, Number
from .names import of_leaves
from .passes import optimized
from .recording import Recording, record_twice, unify
from .sizes import Size
from .writing import Job, Sizes, Source, write


def source(what: Any, *example: Any, wrt: Sequence[Tensor] | None = None, optimize: int = 0, **named: Any) -> Source:
    """Return the program that computes a loss and its gradient with respect to tensors."""
    if isinstance(what, Tensor):
        return _of_recording(what, example[0] if example else wrt, optimize)
    return of_function(what, bound(what, example, named), optimize=optimize).source


def _of_recording(loss: Tensor, wrt: Sequence[Tensor] | None, optimize: int) -> Source:
    opened, taken = Graph(loss).opened()
    loss, wrt = opened.output, None if wrt is None else [taken.get(x, x) for x in wrt]
    names = of_leaves(roll(opened))
    (loss,) = optimized([loss], optimize)
    graph = Graph(loss)
    asked = [x for x in graph.leaves if x.requires_grad] if wrt is None else list(wrt)
    rolled = roll(graph)
    output, references = rolled.reference(loss), [rolled.reference(x) for x in asked]
    return write(Job(rolled, [output], references, Sizes(rolled), [seed_of(loss)], gather=optimize >= 2, known=names))[
        0
    ]


@dataclass
class General:
    """A program for any number of steps and sequences.

    ``arguments`` are names of what it is called with, ``closure`` what else it is given, by name; ``wrt`` are the
    names of what it returns gradients of, in their order.
    """

    source: Source
    recordings: tuple[Recording, Recording]
    arguments: list[str]
    closure: dict[str, Tensor]
    wrt: list[str]


def of_function(f: Callable[..., Any], example: dict[str, Any], split: bool = False, optimize: int = 0) -> General:
    """Record a function twice, and return the program that both recordings are runs of.

    Raises:
        NotExpressible: where no program is right for all sizes and data.
    """
    module: Any = f if hasattr(f, "parameters") else getattr(getattr(f, "forward", f), "__self__", None)
    fixed = {n for x in (module.parameters() if hasattr(module, "parameters") else ()) for n in x.shape}
    a, b = record_twice(f, example, fixed, 1 if getattr(module, "batch_first", False) else 0, optimize)
    found, ends = unify(a, b)
    rolled = a.rolled
    T, N = (Size.of(a.sizes[letter], letter) for letter in "TN")
    arrays = {name: x for name, x in a.arguments.items() if not isinstance(x, Tensor)}
    sizes = Sizes(rolled, {int(T): "T", int(N): "N"}, arrays)
    sizes.known = {int(T) * int(N): T * N}
    named = {
        **found.argument,
        **{given: found.part[id(given)] for given in rolled.given.values() if id(given) in found.part},
    }
    asked = [name for name, x in a.arguments.items() if isinstance(x, Tensor)]
    learned = {given: leaf for given, leaf in found.closure.items() if leaf.requires_grad}
    wrt = [rolled.reference(a.arguments[name]) for name in asked] + [rolled.reference(x) for x in learned.values()]
    scalar = not split and len(a.outputs) == 1 and a.outputs[0].ndim == 0
    seeds = [seed_of(a.outputs[0])] if scalar else []
    job = Job(rolled, ends, wrt, sizes, seeds, named, found.zeros, found.part, optimize >= 2, a.names, general=True)
    made, names = write(job, split)
    closure = {names[given]: leaf for given, leaf in found.closure.items() if given in names}
    return General(made, (a, b), list(a.arguments), closure, [*asked, *(names[given] for given in learned)])


def seed_of(loss: Tensor) -> Any:
    """Return what the gradient of a loss begins with, as an expression."""
    return Number(1.0) if loss.dtype == np.float64 else Constant(np.ones((), loss.dtype))


def bound(f: Callable[..., Any], args: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by the names that the function gives them."""
    signature = inspect.signature(getattr(f, "forward", f))
    found = signature.bind(*args, **named).arguments
    return dict(found)
