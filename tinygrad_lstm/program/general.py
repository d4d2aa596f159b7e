"""Programs for any number of steps and sequences: recorded twice, and tried on what the second recording computed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.graph import Graph
from ..engine.scope import call_in, current
from ..engine.tensor import Tensor
from ..structure.loops import Loop, Reference
from ..symbolic.expressions import Constant, Number
from .letters import Sizes
from .recording import NotExpressible, RecordedRun, record_twice
from .sizes import Size
from .source_code import SourceCode
from .trying import TrialRun, require_right
from .unifying import Parameters, unify
from .writing import Job, write

MOST_TRIES = 8
"""Choices of sizes, until none of them is met by another size of the network."""

LEVELS = range(4)
"""How much is done to save work."""

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
    counts: dict[str, str]  # arguments that are lengths, of how many steps, at most, by the letter of these
    trial: TrialRun | None  # None where something is done to gradients, which whoever logs them would see
    needed: list[Size]  # which must not be less than 0


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
    sizes.known = found.sizes
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
        uniform=found.uniform,
        numbers=found.numbers,
        data=found.part,
        masks=found.masks,
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
    letters = {(n, b.sizes[letter]): letter for letter, n in a.sizes.items()}
    shapes = {name: _free(np.shape(x), np.shape(b.arguments[name]), letters) for name, x in a.arguments.items()}
    counts_of = (loop.high - loop.low for loop in rolled.items if isinstance(loop, Loop))
    sized = [size for size in (*found.sizes.values(), *counts_of) if isinstance(size, Size)]
    needed = [size for size in sized if size.where(dict.fromkeys(size.letters, 1)) < 0]
    seen = any(each.primitive.surrogate for each in rolled.made())
    trial = None
    if split or not seen:
        besides = {**closure, **constants}
        trial = TrialRun(made, besides, split, [*asked, *learned.values()], a.structure, goes_back=not seen)
        everything = current()._replace(recording=True, detecting_nan=None)
        call_in(everything, require_right, (trial, b, needed), {})
    counts = {mask.lengths: mask.steps for mask in found.masks.values()}
    return General(made, list(a.arguments), shapes, closure, constants, wanted, a.structure, counts, trial, needed)


def _recorded(
    f: Callable[..., Any], example: Mapping[str, Any], optimize: int
) -> tuple[RecordedRun, RecordedRun, Parameters, list[Reference]]:
    """Record a function twice, at sizes that no other size of the network is; return what unifying them finds, too."""
    module: Any = f if hasattr(f, "parameters") else getattr(getattr(f, "forward", f), "__self__", None)
    fixed = {n for x in (module.parameters() if hasattr(module, "parameters") else ()) for n in x.shape}
    axis = 1 if getattr(module, "batch_first", False) else 0
    for apart in range(1, MOST_TRIES + 1):
        a, b = record_twice(called_by_names(f), example, fixed, axis, optimize, apart)
        closed = {n for leaf in _leaves(a) & _leaves(b) for n in leaf.shape}
        if closed & {*a.sizes.values(), *b.sizes.values()}:
            fixed |= closed
            continue
        found, ends = unify(a, b)
        if not found.met_by_chance:
            break
        fixed |= found.met_by_chance
    else:
        raise NotExpressible("no sizes were found at which its steps and sequences are unlike all other sizes")
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


def plain_names(signature: inspect.Signature) -> dict[int, tuple[str, ...]]:
    """Return what so many arguments are called, told by their places alone: what ``bound`` finds out in each call."""
    parameters = list(signature.parameters.values())
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    counts = range(len(places) + 1)
    return {n: tuple(p.name for p in places[:n]) for n in counts if all(p in places[:n] for p in needed)}


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
            if p.kind is p.VAR_POSITIONAL:
                args += given.pop(p.name, ())
            elif p.name in given or p.default is not p.empty:  # what follows is told by its place
                args.append(given.pop(p.name, p.default))
        return f(*args, **given)

    return call


def signature_of(f: Callable[..., Any]) -> inspect.Signature:
    """Return how a function or a module is called."""
    return inspect.signature(getattr(f, "forward", f))


def _free(a: tuple[int, ...], b: tuple[int, ...], letters: Mapping[tuple[int, int], str]) -> tuple[int | str, ...]:
    """Return a shape in which a size that differs between the recordings is its letter."""
    return tuple(m if m == n else letters[m, n] for m, n in zip(a, b, strict=True))
