"""Trying a program before it is given out: on what the second recording computed, for one step, and for many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from ..engine.backprop import grad, gradients
from ..engine.graph import Graph
from ..engine.scope import call_in, current
from ..engine.tensor import Tensor, tensor
from ..structure.what_if import what_if
from ..structure.words import is_number, largest_finite
from .recording import (
    NotExpressible,
    OneRun,
    RecordedRun,
    Unfit,
    array_of,
    nested,
    outputs_of,
    returned_like,
    what_and_where,
)
from .sizes import Size
from .source_code import SourceCode

SLACK = 1e4
"""Units of rounding, of the largest number of an array, by which a program may differ from the graph.

They add up in another order. What is wrong differs by far more: a gradient that lacks one of its terms, or a step.
"""

OTHERS = ({"T": 1, "N": 1, "S": 1}, {"T": 37, "N": 2, "S": 5})
"""Sizes unlike those of recordings: one step, and more than a few, since something may begin, or end, at a step."""

WOBBLE = 1e-15
"""By how much numbers are moved to see whether rounding grows by itself, as in a network that is chaotic."""

MOST_STEPS, FEW = 1000, 4
"""A program is tried on as many steps, at most, of a few sequences; and on a few steps of all sequences."""

MOST_BACK = 16
"""Steps, at most, of which its gradients are compared, too; of more, it is only seen whether it goes back."""


@dataclass
class TrialRun:
    """A program, what it is given besides arguments, and what its gradients are of: arguments by name, and tensors."""

    source: SourceCode
    besides: dict[str, Any]
    split: bool
    wrt: list[str | Tensor]
    structure: Any  # how outputs are nested
    goes_back: bool = True  # or its values alone are compared, where somebody would see gradients pass

    def require_same(self, run: OneRun | RecordedRun, back: bool = True) -> None:
        """Run the program on what the function was given, and compare with what that computed; if asked, gradients."""
        tensors = all(isinstance(x, Tensor) for x in run.computed)
        if not tensors or returned_like(run.returned, repeat(None)) != self.structure:
            raise NotExpressible("it returns other numbers of tensors, or names them otherwise, at other sizes")
        back = back and self.goes_back
        outputs, gradients = self._ran(run, _seeds(run.computed))
        coarsest = self._coarsest(run)
        for x, y in zip(run.computed, outputs, strict=True):
            if not _close(np.asarray(y), x.value, coarsest):
                raise NotExpressible(
                    f"the program computes another value than the graph of {what_and_where(x)}, at other sizes"
                )
        if not back:
            return
        same = _same_gradients(gradients, self._expected(run), coarsest)
        for leaf, is_same in zip(self._leaves(run), same, strict=True):
            if not is_same:
                raise NotExpressible(
                    f"the program has another gradient of {what_and_where(leaf)} than the graph, at other sizes"
                )

    def require(self, run: OneRun, again: Callable[[], OneRun], back: bool = True) -> None:
        """Compare as ``require_same`` does, but let pass what differs since rounding grows by itself.

        ``again`` runs the function on nearly the same numbers.
        """
        try:
            self.require_same(run, back)
        except NotExpressible:
            tensors = all(isinstance(x, Tensor) for x in run.computed)
            if not back or not self.goes_back or not tensors or self._is_steady(run, again()):
                raise

    def _is_steady(self, run: OneRun, other: OneRun) -> bool:
        """Tell whether two runs on nearly the same numbers give the same: rounding does not grow by itself."""
        pairs = zip(run.computed, other.computed, strict=True)
        if not all(_close(y.value, x.value, float(np.finfo(x.dtype).eps)) for x, y in pairs):
            return False
        return all(_same_gradients(self._expected(other), self._expected(run), self._coarsest(run)))

    def _coarsest(self, run: OneRun | RecordedRun) -> float:
        """Return the unit of rounding of the shortest numbers that take part."""
        return max(float(np.finfo(x.dtype).eps) for x in [*run.computed, *self._leaves(run)])

    def _leaves(self, run: OneRun | RecordedRun) -> list[Tensor]:
        return [run.arguments[x] if isinstance(x, str) else x for x in self.wrt]

    def _expected(self, run: OneRun | RecordedRun) -> list[Any]:
        """Return the gradients by the graph, of all outputs at once: what is done in the middle may not be linear."""
        leaves, seeds = self._leaves(run), _seeds(run.computed)
        if not self.split and len(seeds) == 1 and not seeds[0].ndim:
            seeds = [np.ones_like(seeds[0])]
        asked = [leaf for leaf in leaves if leaf.requires_grad]
        learned = [(x * seed).sum() for x, seed in zip(run.computed, seeds, strict=True) if x.requires_grad]
        if not learned or not asked:
            return [None] * len(leaves)
        found = dict(zip(asked, grad(sum(learned[1:], learned[0]), asked, allow_unused=True), strict=True))
        return [None if (each := found.get(leaf)) is None else each.value for leaf in leaves]

    def _ran(self, run: OneRun | RecordedRun, seeds: Sequence[Any]) -> tuple[Any, Any]:
        """Return the outputs and the gradients that the program computes."""
        source = self.source
        given = {name: array_of(x) for name, x in (run.arguments | self.besides).items()}
        more = {"operations": source.operations} if source.operations else {}
        try:
            with np.errstate(all="ignore"):
                if self.split:
                    forward, backward = source.functions
                    outputs, saved = forward(**given, **more)
                    return outputs, backward(saved, *seeds) if self.goes_back else ()
                (whole,) = source.functions
                given = {name: array for name, array in given.items() if name in source.arguments}
                outputs, gradients = whole(**given, **dict(zip(source.seeds, seeds, strict=False)), **more)
                return (outputs if isinstance(outputs, tuple) else (outputs,)), gradients
        except Exception as error:  # whatever it is, it is no program for these sizes
            raise NotExpressible(f"the program does not run at other sizes: {error}") from error


def has_room(needed: Sequence[Size], sizes: Mapping[str, int]) -> bool:
    """Tell whether no array would have fewer numbers than none, as ``xs[3:]`` of two steps, which is empty."""
    return all(size.where(sizes) >= 0 for size in needed)


def require_right(trial: TrialRun, recorded: RecordedRun, needed: Sequence[Size]) -> None:
    """Try a program on a recording, and at sizes unlike those that were recorded, where the function runs at those.

    Raises:
        NotExpressible: where it computes something else than the function.
    """
    trial.require_same(recorded)
    for sizes in (each for each in OTHERS if has_room(needed, each)):
        try:
            run = recorded.again(sizes, 0.0)
        except (Unfit, NotExpressible):
            continue  # one step may be too few for a function, or many too many
        trial.require(run, partial(recorded.again, sizes, WOBBLE))


def require_recorded(source: SourceCode, loss: Tensor, wrt: Sequence[Tensor]) -> None:
    """Run the program of a loss, and compare with the graph: the loss and its gradients.

    Raises:
        NotExpressible: where they differ by more than rounding, unless that grows by itself.
    """
    try:
        with np.errstate(all="ignore"):
            value, ours = source()
    except Exception as error:  # whatever it is, it is no program
        raise NotExpressible(f"the program does not run: {error}") from error
    expected, largest = _gradients_of(loss, wrt)
    coarsest = max(float(np.finfo(x.dtype).eps) for x in (loss, *wrt))
    same = [_close(value, loss.value, coarsest), *_same_gradients(ours, expected, coarsest, largest)]
    if all(same) or not _is_steady_loss(loss, wrt, expected, coarsest, largest):
        return
    what = "value" if not same[0] else f"gradient of {what_and_where(wrt[same.index(False) - 1])}"
    raise NotExpressible(
        f"the program has another {what} than the graph: a fault of ours, which optimize=0 may not have"
    )


def _gradients_of(loss: Tensor, wrt: Sequence[Tensor]) -> tuple[list[Any], float]:
    """Return what is asked for, and the largest number on the way: what cancels there leaves its rounding."""
    with np.errstate(all="ignore"):
        found = gradients(loss, np.ones(loss.shape))
    on_the_way = (largest_finite(each) for x, each in found.items() if x is not loss)
    return [found.get(x) for x in wrt], max(on_the_way, default=0.0)


def _is_steady_loss(
    loss: Tensor, wrt: Sequence[Tensor], expected: Sequence[Any], coarsest: float, largest: float
) -> bool:
    """Tell whether a loss of nearly the same numbers is nearly the same, with its gradients."""
    noise = np.random.default_rng(0)
    leaves = [x for x in Graph(loss).leaves if x.dtype.kind == "f" and not is_number(x)]  # x ** 2 stays a square
    with np.errstate(all="ignore"):
        other = what_if(loss, {x: x.value * (1 + WOBBLE * noise.normal(size=x.shape)) for x in leaves})
    same = zip(wrt, _same_gradients(_gradients_of(other, wrt)[0], expected, coarsest, largest), strict=True)
    return _close(other.value, loss.value, coarsest) and all(is_same for x, is_same in same if x.is_leaf)


def sizes_of(shapes: Mapping[str, tuple[int | str, ...]], parts: Mapping[str, Any]) -> dict[str, int] | None:
    """Return the size that each letter stands for in arguments; None where they do not have these shapes."""
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        for size, n in zip(np.shape(array_of(parts[name])), shape, strict=True):
            if size != (sizes.setdefault(n, size) if isinstance(n, str) else n):
                return None
    return sizes


class Tried:
    """The sizes between which a program was found to compute what its function does.

    Two recordings do not tell what a function does at other sizes: ``x[-20:]`` is all steps of short sequences. Nor do
    they tell all that it decides by its data: it is tried again on those of the second call, the fourth, and so on.
    """

    def __init__(
        self,
        trial: TrialRun,
        shapes: Mapping[str, tuple[int | str, ...]],
        counts: Mapping[str, str],
        f: Callable[..., Any],
    ) -> None:
        self.trial, self.shapes, self.counts, self.function = trial, shapes, counts, f
        self.learning = {x for x in trial.wrt if isinstance(x, str)}
        self.lowest: dict[str, int] = {}
        self.highest: dict[str, int] = {}
        self.calls = 0

    def require(self, given: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
        """Try the program on arguments, and the parts of them, of sizes that are beyond those it was tried at; and on
        a few steps of a few sequences, where there were twice as many calls since.

        Raises:
            NotExpressible: where it computes something else, or cannot.
        """
        sizes = sizes_of(self.shapes, parts) or {}
        tried = {letter: n if letter == "N" else min(n, MOST_STEPS) for letter, n in sizes.items()}
        new = {letter for letter, n in tried.items() if not self.lowest.get(letter, n + 1) <= n <= self.highest[letter]}
        self.calls += 1
        if not new and self.calls & (self.calls - 1) == 0:
            few = {letter: min(n, FEW if letter == "N" else MOST_BACK) for letter, n in sizes.items()}
            self._try(given, parts, few, sizes)
        if not new:
            return
        if new - {"N"} or tried["N"] <= FEW:
            self._try(given, parts, {letter: min(n, FEW) if letter == "N" else n for letter, n in tried.items()}, sizes)
        if "N" in new and tried["N"] > FEW:
            self._try(given, parts, {letter: n if letter == "N" else min(n, FEW) for letter, n in tried.items()}, sizes)
        for letter in new:
            self.lowest[letter] = min(tried[letter], self.lowest.get(letter, tried[letter]))
            self.highest[letter] = max(tried[letter], self.highest.get(letter, tried[letter]))

    def _try(
        self, given: Mapping[str, Any], parts: Mapping[str, Any], few: Mapping[str, int], sizes: Mapping[str, int]
    ) -> None:
        """Compare on the first steps and sequences; where the function needs more, there is nothing to compare."""
        back = max(few.values(), default=0) <= MOST_BACK
        try:
            run = self._run(given, parts, few, back)
        except Exception:  # whatever somebody's function raises
            if few == sizes:
                raise
        else:
            everything = current()._replace(recording=True, detecting_nan=None)
            again = partial(self._run, given, parts, few, back, WOBBLE)
            call_in(everything, self.trial.require, (run, again, back), {})

    def _run(
        self,
        given: Mapping[str, Any],
        whole: Mapping[str, Any],
        few: Mapping[str, int],
        back: bool,
        wobble: float = 0.0,
    ) -> OneRun:
        """Run the function on the first steps and sequences of what it is given."""
        parts, noise = dict(whole), np.random.default_rng(0)
        arguments: dict[str, Any] = {}
        for name, shape in self.shapes.items():
            array = array_of(parts[name])
            some = array[tuple(slice(few[n] if isinstance(n, str) else n) for n in shape)]
            if name in self.counts:
                some = np.minimum(some, few[self.counts[name]])
            if isinstance(parts[name], Tensor) or array.dtype.kind == "f":
                some = (some * (1 + wobble * noise.normal(size=some.shape))).astype(some.dtype) if wobble else some
                some = tensor(some, requires_grad=name in self.learning, name=name)
            parts[name] = arguments[name] = some
        named = {name: nested(value, name, parts) for name, value in given.items()}
        with np.errstate(all="ignore"):
            returned = call_in(current()._replace(recording=back, detecting_nan=None), self.function, (), named)
        return OneRun(arguments, returned, outputs_of(returned))


def _seeds(outputs: Sequence[Tensor]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [np.asarray(rng.normal(size=x.shape), x.dtype) for x in outputs]


def _same_gradients(ours: Sequence[Any], theirs: Sequence[Any], coarsest: float, largest: float = 0.0) -> list[bool]:
    """Tell of each gradient whether it is the same, to rounding of the largest number of all; None is a 0."""
    largest = max([largest, *(largest_finite(each) for each in theirs if each is not None)])
    return [
        (a is None or not np.any(a)) if b is None else not b.any() if a is None else _close(a, b, coarsest, largest)
        for a, b in zip(ours, theirs, strict=True)
    ]


def _close(ours: Any, theirs: Any, coarsest: float, largest: float = 0.0) -> bool:
    if np.shape(ours) != np.shape(theirs):
        return False
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    slack = SLACK * coarsest * max(largest_finite(theirs), largest)
    return bool(np.allclose(ours, theirs, rtol=0, atol=slack, equal_nan=True))
