"""Programs for any number of steps and sequences: recorded twice, and tried on what the second recording computed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.backprop import grad
from ..engine.graph import Graph
from ..engine.scope import call_in, current
from ..engine.tensor import Tensor
from ..structure.rolling import Reference
from ..symbolic.expressions import Constant, Number
from .letters import Sizes
from .recording import NotExpressible, RecordedRun, products, record_twice
from .source_code import SourceCode
from .unifying import Parameters, unify
from .writing import Job, write

SLACK = 1e4
"""Units of rounding, of the largest number of an array, by which a program may differ from the graph.

They add up in another order. What is wrong differs by far more: a gradient that lacks one of its terms, or a step.
"""


MOST_TRIES = 8
"""Choices of sizes, until none of them is met by another size of the network."""

GATHERS, IN_PLACE = 2, 3
"""The levels from which sums over steps are one product, and loops write into arrays that are there before them."""


@dataclass
class General:
    """A program for any number of steps and sequences.

    ``arguments`` are names of what it is called with, ``shapes`` their shapes, in which a letter stands for a size
    that is free; ``closure`` are the tensors that it is given besides, by name, and ``constants`` the arrays; ``wrt``
    are the names of what it returns gradients of, in their order; ``structure`` is how its outputs are nested.
    """

    source: SourceCode
    arguments: list[str]
    shapes: dict[str, tuple[int | str, ...]]
    closure: dict[str, Tensor]
    constants: dict[str, Any]
    wrt: list[str]
    structure: Any
    linear: bool  # whether the way back is: nothing else than derivatives is done to a gradient


def of_function(
    f: Callable[..., Any],
    example: Mapping[str, Any],
    *,
    split: bool = False,
    optimize: int = 0,
    learns: Callable[[str, Tensor | None], bool] = lambda name, leaf: True,
) -> General:
    """Record a function twice, and return the program that both recordings are runs of.

    Arguments:
        f: takes the arguments by name, and returns tensors.
        example: arguments such as it is called with, by name.
        split: whether it is two functions, forwards and backwards, or one.
        optimize: the level of ``tl.source``.
        learns: tells of an argument, by its name, and of what the function closes over, by its tensor, whether its
            gradient is wanted.

    Raises:
        NotExpressible: where no program is right for all sizes and data.
    """
    a, b, found, ends = _recorded(f, example, optimize)
    rolled = a.rolled
    arrays = {name: x for name, x in a.arguments.items() if not isinstance(x, Tensor)}
    sizes = Sizes(rolled, {n: letter for letter, n in a.sizes.items()}, arrays, a.arguments)
    sizes.known = {int(size): size for size in products(a.sizes)}
    named = {
        **found.argument,
        **{given: str(found.part[id(given)]) for given in rolled.given.values() if id(given) in found.part},
    }
    order = {name: i for i, name in enumerate(a.arguments)}
    named = dict(sorted(named.items(), key=lambda pair: order.get(pair[1].partition(".")[0], len(order))))
    asked = [name for name, x in a.arguments.items() if isinstance(x, Tensor) and learns(name, None)]
    learned = {given: leaf for given, leaf in found.closure.items() if leaf.requires_grad and learns("", leaf)}
    wrt = [rolled.reference(a.arguments[name]) for name in asked] + [rolled.reference(x) for x in learned.values()]
    scalar = not split and len(a.outputs) == 1 and a.outputs[0].ndim == 0
    job = Job(
        rolled,
        ends,
        wrt,
        sizes,
        seeds=[seed_of(a.outputs[0])] if scalar else [],
        named=named,
        zeros=found.zeros,
        numbers=found.numbers,
        data=found.part,
        gather=optimize >= GATHERS,
        in_place=optimize >= IN_PLACE,
        known=a.names,
        comments=a.comments,
        general=True,
    )
    made, names = write(job, split)
    closure = {names[given]: leaf for given, leaf in found.closure.items() if given in names}
    known = {*names.values(), *a.arguments}
    constants = {name: value for name, value in made.arguments.items() if name not in known}
    wanted = [*asked, *(names[given] for given in learned)]
    shapes = {name: _free(np.shape(x), np.shape(b.arguments[name])) for name, x in a.arguments.items()}
    linear = not any(each.primitive.surrogate for each in rolled.made())
    general = General(made, list(a.arguments), shapes, closure, constants, wanted, a.structure, linear)
    everything = current()._replace(recording=True, detecting_nan=None)
    call_in(everything, _require_same, (general, b, [*asked, *learned.values()], split), {})
    return general


def _recorded(
    f: Callable[..., Any], example: Mapping[str, Any], optimize: int
) -> tuple[RecordedRun, RecordedRun, Parameters, list[Reference]]:
    """Record a function twice, at sizes that no other size of the network is; return what unifying them finds, too."""
    module: Any = f if hasattr(f, "parameters") else getattr(getattr(f, "forward", f), "__self__", None)
    fixed = {n for x in (module.parameters() if hasattr(module, "parameters") else ()) for n in x.shape}
    axis = 1 if getattr(module, "batch_first", False) else 0
    for _ in range(MOST_TRIES):
        a, b = record_twice(called_by_names(f), example, fixed, axis, optimize)
        closed = {n for leaf in _leaves(a) & _leaves(b) for n in leaf.shape}
        if closed & {*a.sizes.values(), *b.sizes.values()}:
            fixed |= closed
            continue
        found, ends = unify(a, b)
        if not found.met_by_chance:
            break
        fixed |= found.met_by_chance
    return a, b, found, ends


def _leaves(run: RecordedRun) -> set[Tensor]:
    return set(Graph(*run.computed).leaves)


def seed_of(loss: Tensor) -> Any:
    """Return what the gradient of a loss begins with, as an expression."""
    return Number(1.0) if loss.dtype == np.float64 and not loss.ndim else Constant(np.ones(loss.shape, loss.dtype))


def bound(signature: inspect.Signature, args: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments by the names that a function gives them."""
    found = dict(signature.bind(*args, **named).arguments)
    more = next((p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD), None)
    others = found.pop(more, {}) if more else {}
    return {**found, **others}


def called_by_names(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes its arguments by the names of ``bound``, also those that are told by their place."""
    parameters = signature_of(f).parameters.values()
    by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)]
    if not by_place:
        return f
    last = list(parameters).index(by_place[-1])
    before = [p for i, p in enumerate(parameters) if i <= last]

    def call(**given: Any) -> Any:
        args: list[Any] = []
        for p in before:
            args += (
                given.pop(p.name, ()) if p.kind is p.VAR_POSITIONAL else [given.pop(p.name)] if p.name in given else []
            )
        return f(*args, **given)

    return call


def signature_of(f: Callable[..., Any]) -> inspect.Signature:
    """Return how a function or a module is called."""
    return inspect.signature(getattr(f, "forward", f))


def _free(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int | str, ...]:
    """Return a shape in which a pair of sizes that differs between the recordings is a letter."""
    letters: dict[tuple[int, int], str] = {}
    return tuple(m if m == n else letters.setdefault((m, n), f"{m} {n}") for m, n in zip(a, b, strict=True))


def _require_same(general: General, run: RecordedRun, wrt: Sequence[str | Tensor], split: bool) -> None:
    """Run the program on what the second recording was given, and compare with what that computed.

    Not where something is done to gradients on the way: whoever logs them is to see those of a person, and not ours.
    """
    if not general.linear:
        return
    leaves = [run.arguments[x] if isinstance(x, str) else x for x in wrt]
    given = {name: x.value if isinstance(x, Tensor) else x for name, x in run.arguments.items()}
    given |= {name: leaf.value for name, leaf in general.closure.items()} | general.constants
    rng = np.random.default_rng(0)
    seeds = [np.asarray(rng.normal(size=x.shape), x.dtype) for x in run.computed]
    outputs, gradients = _ran(general.source, given, seeds, split)
    for x, y in zip(run.computed, outputs, strict=True):
        if not _close(np.asarray(y), x.value):
            raise NotExpressible(f"the program computes another value than the graph of {_what(x)}, at other sizes")
    expected: list[Any] = [None] * len(leaves)
    if not split and len(seeds) == 1 and not seeds[0].ndim:
        seeds = [np.ones_like(seeds[0])]
    asked = [leaf for leaf in leaves if leaf.requires_grad]
    learned = [(x * seed).sum() for x, seed in zip(run.computed, seeds, strict=True) if x.requires_grad]
    if learned and asked:  # of all outputs at once: what is done to a gradient in the middle may not be linear
        found = dict(zip(asked, grad(sum(learned[1:], learned[0]), asked, allow_unused=True), strict=True))
        expected = [None if (each := found.get(leaf)) is None else each.value for leaf in leaves]
    largest = max((float(np.abs(each).max(initial=0.0)) for each in expected if each is not None), default=0.0)
    for leaf, ours, theirs in zip(leaves, gradients, expected, strict=True):
        if (theirs is None and ours is not None and np.any(ours)) or (
            theirs is not None and not _close(ours, theirs, largest)
        ):
            raise NotExpressible(f"the program has another gradient of {_what(leaf)} than the graph, at other sizes")


def _ran(source: SourceCode, given: dict[str, Any], seeds: Sequence[Any], split: bool) -> tuple[Any, Any]:
    """Return the outputs and the gradients that a program computes."""
    more = {"operations": source.operations} if source.operations else {}
    try:
        with np.errstate(all="ignore"):
            if split:
                forward, backward = source.functions
                outputs, saved = forward(**given, **more)
                return outputs, backward(saved, *seeds)
            (whole,) = source.functions
            given = {name: array for name, array in given.items() if name in source.arguments}
            outputs, gradients = whole(**given, **dict(zip(source.seeds, seeds, strict=False)), **more)
            return (outputs if isinstance(outputs, tuple) else (outputs,)), gradients
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise NotExpressible(f"the program does not run at other sizes: {error}") from error


def _close(ours: Any, theirs: Any, largest: float = 0.0) -> bool:
    if np.shape(ours) != np.shape(theirs):
        return False
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    finite = theirs[np.isfinite(theirs)]
    slack = SLACK * np.finfo(theirs.dtype).eps * max(float(np.abs(finite).max(initial=0.0)), largest)
    return bool(np.allclose(ours, theirs, rtol=0, atol=slack, equal_nan=True))


def _what(x: Tensor) -> str:
    made = x.name or (x.primitive.name if x.primitive else "a tensor")
    return f"{made}{x.context.place}{f' ({x.line})' if x.line else ''}"
