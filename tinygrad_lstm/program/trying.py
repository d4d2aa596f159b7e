"""Trying a program before it is given out: on what the second recording computed, for one step, and for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engine.backprop import grad
from ..engine.tensor import Tensor
from .recording import NotExpressible, OneRun, RecordedRun, Unfit
from .source_code import SourceCode

SLACK = 1e4
"""Units of rounding, of the largest number of an array, by which a program may differ from the graph.

They add up in another order. What is wrong differs by far more: a gradient that lacks one of its terms, or a step.
"""

OTHERS = ({"T": 1, "N": 1, "S": 1}, {"T": 37, "N": 2, "S": 5})
"""Sizes unlike those of recordings: one step, and more than a few, since something may begin, or end, at a step."""

WOBBLE = 1e-15
"""By how much numbers are moved to see whether rounding grows by itself, as in a network that is chaotic."""


@dataclass
class TrialRun:
    """A program, what it is given besides arguments, and what its gradients are of: arguments by name, and tensors."""

    source: SourceCode
    besides: dict[str, Any]
    split: bool
    wrt: list[str | Tensor] = field(default_factory=list)

    def require_same(self, run: OneRun | RecordedRun) -> None:
        """Run the program on what the function was given, and compare with what that computed."""
        leaves = self._leaves(run)
        seeds = _seeds(run.computed)
        outputs, gradients = self._ran(run, seeds)
        for x, y in zip(run.computed, outputs, strict=True):
            if not _close(np.asarray(y), x.value):
                raise NotExpressible(f"the program computes another value than the graph of {_what(x)}, at other sizes")
        expected = self._expected(run)
        largest = max((float(np.abs(each).max(initial=0.0)) for each in expected if each is not None), default=0.0)
        for leaf, ours, theirs in zip(leaves, gradients, expected, strict=True):
            if not _same_gradient(ours, theirs, largest):
                raise NotExpressible(
                    f"the program has another gradient of {_what(leaf)} than the graph, at other sizes"
                )

    def is_steady(self, run: OneRun, other: OneRun) -> bool:
        """Tell whether two runs on nearly the same numbers give the same: rounding does not grow by itself."""
        pairs = zip(run.computed, other.computed, strict=True)
        if not all(_close(y.value, x.value) for x, y in pairs):
            return False
        ours, theirs = self._expected(run), self._expected(other)
        largest = max((float(np.abs(each).max(initial=0.0)) for each in ours if each is not None), default=0.0)
        return all(_same_gradient(a, b, largest) for a, b in zip(theirs, ours, strict=True))

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
        given = {name: x.value if isinstance(x, Tensor) else x for name, x in run.arguments.items()} | self.besides
        more = {"operations": source.operations} if source.operations else {}
        try:
            with np.errstate(all="ignore"):
                if self.split:
                    forward, backward = source.functions
                    outputs, saved = forward(**given, **more)
                    return outputs, backward(saved, *seeds)
                (whole,) = source.functions
                given = {name: array for name, array in given.items() if name in source.arguments}
                outputs, gradients = whole(**given, **dict(zip(source.seeds, seeds, strict=False)), **more)
                return (outputs if isinstance(outputs, tuple) else (outputs,)), gradients
        except Exception as error:  # whatever it is, it is no program for these sizes
            raise NotExpressible(f"the program does not run at other sizes: {error}") from error


def require_right(trial: TrialRun, recorded: RecordedRun) -> None:
    """Try a program on a recording, and at sizes unlike those that were recorded, where the function runs at those.

    Raises:
        NotExpressible: where it computes something else than the function.
    """
    trial.require_same(recorded)
    for sizes in OTHERS:
        try:
            run = recorded.again(sizes, 0.0)
        except (Unfit, NotExpressible):
            continue  # one step may be too few for a function, or many too many
        try:
            trial.require_same(run)
        except NotExpressible:
            if trial.is_steady(run, recorded.again(sizes, WOBBLE)):
                raise


def _seeds(outputs: Sequence[Tensor]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [np.asarray(rng.normal(size=x.shape), x.dtype) for x in outputs]


def _same_gradient(ours: Any, theirs: Any, largest: float) -> bool:
    if theirs is None:
        return ours is None or not np.any(ours)
    return not theirs.any() if ours is None else _close(ours, theirs, largest)


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
