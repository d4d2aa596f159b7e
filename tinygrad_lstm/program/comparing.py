"""Programs beside the function they stand for: tried at sizes of either end before they are relied on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.backprop import grad
from ..engine.scope import call_in, current
from ..engine.tensor import Tensor, tensor
from .recording import NotExpressible, flattened, nested, parts_of
from .source_code import SourceCode

SLACK = 1e4
"""Units of rounding, of the largest number of an array, by which a program may differ from the graph.

They add up in another order. What is wrong differs by far more: a gradient that lacks one of its terms, or a step.
"""

MOST_TRIED, MOST_SEQUENCES = 128, 4
"""Steps and sequences, at most, of which a program is tried; of more, it is tried on the first of them."""

MOST_BACK = 16
"""Steps, at most, of which its gradients are compared, too; of more, it is only seen whether it goes back."""


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


class Tried:
    """The sizes between which a program was found to compute what its function does.

    Two recordings do not tell what a function does at other sizes: ``x[-20:]`` is all steps of short sequences.
    """

    def __init__(self, general: General, function: Callable[..., Any], split: bool = True) -> None:
        self.general, self.function, self.split = general, function, split
        self.lowest: dict[str, int] = {}
        self.highest: dict[str, int] = {}

    def require(self, given: Mapping[str, Any], most: int = MOST_TRIED) -> None:
        """Try the program on arguments of sizes that are beyond those it was tried at.

        Raises:
            NotExpressible: where it computes something else, or cannot.
        """
        parts = dict(parts_of(given))
        sizes = {
            letter: n
            for name, shape in self.general.shapes.items()
            for letter, n in zip(shape, np.shape(array_of(parts[name])), strict=True)
            if isinstance(letter, str)
        }
        few = {letter: min(n, most, MOST_SEQUENCES if letter == "N" else MOST_TRIED) for letter, n in sizes.items()}
        if all(self.lowest.get(letter, n + 1) <= n <= self.highest[letter] for letter, n in few.items()):
            return
        for name, shape in self.general.shapes.items():
            array = array_of(parts[name])
            some = array[tuple(slice(few[n] if isinstance(n, str) else n) for n in shape)]
            is_float = isinstance(parts[name], Tensor) or array.dtype.kind == "f"
            parts[name] = tensor(some, requires_grad=name in self.general.wrt, name=name) if is_float else some
        back = max(few.values(), default=0) <= MOST_BACK
        try:
            computed = self._computed(back, {name: nested(value, name, parts) for name, value in given.items()})
        except Exception:  # whatever somebody's function raises
            if few == sizes:
                raise
        else:
            arguments = {name: parts[name] for name in self.general.shapes}
            require_same(self.general, arguments, computed, self.split, back)
        for letter, n in few.items():
            self.lowest[letter] = min(n, self.lowest.get(letter, n))
            self.highest[letter] = max(n, self.highest.get(letter, n))

    def _computed(self, recording: bool, given: dict[str, Any]) -> list[Tensor]:
        with np.errstate(all="ignore"):
            returned = call_in(current()._replace(recording=recording, detecting_nan=None), self.function, (), given)
        return [x for _, x in flattened(returned, "")]


def array_of(x: Any) -> Any:
    """Return the array that an argument is, or holds."""
    return x.value if isinstance(x, Tensor) else x


def require_same(
    general: General, arguments: Mapping[str, Any], computed: Sequence[Tensor], split: bool, back: bool = True
) -> None:
    """Run the program on arguments, and compare with what the function computed; if asked for, gradients too.

    Not where something is done to gradients on the way: whoever logs them is to see those of a person, and not ours.
    """
    if not general.linear:
        return
    everything = current()._replace(recording=True, detecting_nan=None)
    call_in(everything, _require_same, (general, arguments, computed, split, back), {})


def _require_same(
    general: General, arguments: Mapping[str, Any], computed: Sequence[Tensor], split: bool, back: bool
) -> None:
    leaves = [{**arguments, **general.closure}[name] for name in general.wrt]
    given = {name: x.value if isinstance(x, Tensor) else x for name, x in arguments.items()}
    given |= {name: leaf.value for name, leaf in general.closure.items()} | general.constants
    coarsest = max(np.finfo(x.dtype).eps for x in [*computed, *leaves])
    rng = np.random.default_rng(0)
    seeds = [np.asarray(rng.normal(size=x.shape), x.dtype) for x in computed]
    outputs, gradients = _ran(general.source, given, seeds, split)
    for x, y in zip(computed, outputs, strict=True):
        if not _close(np.asarray(y), x.value, coarsest):
            raise NotExpressible(f"the program computes another value than the graph of {_what(x)}, at other sizes")
    if not back:
        return
    expected: list[Any] = [None] * len(leaves)
    if not split and len(seeds) == 1 and not seeds[0].ndim:
        seeds = [np.ones_like(seeds[0])]
    asked = [leaf for leaf in leaves if leaf.requires_grad]
    learned = [(x * seed).sum() for x, seed in zip(computed, seeds, strict=True) if x.requires_grad]
    if learned and asked:  # of all outputs at once: what is done to a gradient in the middle may not be linear
        found = dict(zip(asked, grad(sum(learned[1:], learned[0]), asked, allow_unused=True), strict=True))
        expected = [None if (each := found.get(leaf)) is None else each.value for leaf in leaves]
    largest = max((float(np.abs(each).max(initial=0.0)) for each in expected if each is not None), default=0.0)
    for leaf, ours, theirs in zip(leaves, gradients, expected, strict=True):
        if (theirs is None and ours is not None and np.any(ours)) or (
            theirs is not None and not _close(ours, theirs, coarsest, largest)
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


def _close(ours: Any, theirs: Any, coarsest: float, largest: float = 0.0) -> bool:
    if np.shape(ours) != np.shape(theirs):
        return False
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    finite = theirs[np.isfinite(theirs)]
    slack = SLACK * coarsest * max(float(np.abs(finite).max(initial=0.0)), largest)
    return bool(np.allclose(ours, theirs, rtol=0, atol=slack, equal_nan=True))


def _what(x: Tensor) -> str:
    made = x.name or (x.primitive.name if x.primitive else "a tensor")
    return f"{made}{x.context.place}{f' ({x.line})' if x.line else ''}"
