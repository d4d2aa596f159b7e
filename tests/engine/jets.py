"""A twin of the engine that has no graph: numbers that carry their first and second derivatives along, forwards.

On Python floats, with no walk, no order and nothing to add up: a gradient is known as soon as its tensor is computed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count, product
from typing import NamedTuple

import tinygrad_lstm as tl


class Leaf(NamedTuple):
    """How the twin knows a leaf: its number, and how many entries it has."""

    number: int
    size: int


Entry = tuple[Leaf, int]


@dataclass(frozen=True)
class Jet:
    """A number and its derivatives, by every entry of every leaf and by every two of them; what is not there is 0."""

    v: float
    first: Mapping[Entry, float] = field(default_factory=dict)
    second: Mapping[tuple[Entry, Entry], float] = field(default_factory=dict)


def plus(a, b):
    first = {e: a.first.get(e, 0) + b.first.get(e, 0) for e in {**a.first, **b.first}}
    second = {ef: a.second.get(ef, 0) + b.second.get(ef, 0) for ef in {**a.second, **b.second}}
    return Jet(a.v + b.v, first, second)


def times(a, b):
    """(ab)′ = a′b + ab′ and (ab)″ = a″b + a′b′ + b′a′ + ab″."""
    a1, b1 = ({e: x.first.get(e, 0.0) for e in {**a.first, **b.first}} for x in (a, b))
    second = {
        (e, f): a.second.get((e, f), 0) * b.v + a1[e] * b1[f] + b1[e] * a1[f] + a.v * b.second.get((e, f), 0)
        for e, f in product(a1, repeat=2)
    }
    return Jet(a.v * b.v, {e: a1[e] * b.v + a.v * b1[e] for e in a1}, second)


def through(a, y, slope, bend):
    """y = f(a), with f′ and f″: y′ = f′ a′ and y″ = f′ a″ + f″ a′a′."""
    second = {
        (e, f): slope * a.second.get((e, f), 0) + bend * a.first[e] * a.first[f] for e, f in product(a.first, repeat=2)
    }
    return Jet(y, {e: slope * d for e, d in a.first.items()}, second)


def scaled(a, k):
    return through(a, k * a.v, k, 0.0)


def tanh(a):
    slope = 1 / math.cosh(a.v) ** 2
    return through(a, math.tanh(a.v), slope, -2 * math.tanh(a.v) * slope)


def sin(a):
    return through(a, math.sin(a.v), math.cos(a.v), -math.sin(a.v))


def total(jets):
    return jets[0] if len(jets) == 1 else plus(*jets)


def each(function):
    """Entry by entry, on tuples of one jet (a number) or two (a vector); a number meets both entries of a vector."""

    def on_tuples(*operands):
        size = max(map(len, operands))
        return tuple(function(*(x[i % len(x)] for x in operands)) for i in range(size))

    return on_tuples


class Operation(NamedTuple):
    """The engine's way to compute it, on tensors, and the twin's, on tuples of jets."""

    engine: Callable
    twin: Callable


UNARY = {
    "tanh": Operation(tl.tanh, each(tanh)),
    "sin": Operation(tl.sin, each(sin)),
    "negative": Operation(lambda x: -x, each(lambda a: scaled(a, -1.0))),
    "half": Operation(lambda x: 0.5 * x, each(lambda a: scaled(a, 0.5))),
    "rest": Operation(lambda x: 1 - x, each(lambda a: plus(Jet(1.0), scaled(a, -1.0)))),
    "sum": Operation(lambda x: x.sum(), lambda jets: (total(jets),)),
    "last": Operation(lambda x: x[-1] if x.shape else x.reshape(()), lambda jets: jets[-1:]),
}
BINARY = {
    "tamed product": Operation(lambda a, b: tl.tanh(a * b), each(lambda a, b: tanh(times(a, b)))),
    "add": Operation(lambda a, b: a + b, each(plus)),
    "subtract": Operation(lambda a, b: a - b, each(lambda a, b: plus(a, scaled(b, -1.0)))),
    "pair": Operation(lambda a, b: tl.stack([a.sum(), b.sum()]), lambda a, b: (total(a), total(b))),
}
OPERATIONS = {**UNARY, **BINARY, "eighth": Operation(lambda x: x / 8, each(lambda a: scaled(a, 0.125)))}

numbering = count()


class Twin:
    """What the twin knows of a tensor: its jets, the leaves that gradients would reach, and what it was made from.

    A twin never changes: a leaf with a new value has a new twin, and what was computed before keeps the old one.
    """

    def __init__(self, jets, reaches=frozenset(), operation=None, operands=(), leaf=None):
        self.jets = jets
        self.reaches = frozenset(reaches)
        self.operation = operation
        self.operands = operands
        self.leaf = leaf
        self.known_as = next(numbering) if leaf is None else leaf.number
        self.made_from = {self.known_as}.union(*(x.made_from for x in operands))
        self.lines = 1 + sum(x.lines for x in operands)  # written out, with nothing shared

    @property
    def numbers(self):
        return [jet.v for jet in self.jets]

    @property
    def is_too_large(self):
        """So large or so steep that rounding, further on, could be taken for a mistake."""
        return any(
            abs(jet.v) > 4
            or any(abs(d) > 64 for d in jet.first.values())
            or any(abs(d) > 1e3 for d in jet.second.values())
            for jet in self.jets
        )

    def gradient(self, seed, x):
        weighted = list(zip(seed, self.jets, strict=True))
        return [sum(s * jet.first.get((x, i), 0.0) for s, jet in weighted) for i in range(x.size)]

    def curvature(self, seed, x, weights, z):
        """The gradient by z of the weighted sum of the gradient by x."""
        by_x = [(s * w, jet, (x, i)) for s, jet in zip(seed, self.jets, strict=True) for i, w in enumerate(weights)]
        return [sum(w * jet.second.get((e, (z, i)), 0.0) for w, jet, e in by_x) for i in range(z.size)]

    def rerun(self, numbers):
        """The same computation where some leaves hold other numbers."""
        if self.leaf is not None:
            return constant(numbers.get(self.leaf, self.numbers))
        return computed(self.operation, *(x.rerun(numbers) for x in self.operands))


def leaf_twin(leaf, numbers, requires_grad):
    jets = tuple(Jet(v, {(leaf, i): 1.0} if requires_grad else {}) for i, v in enumerate(numbers))
    return Twin(jets, {leaf} if requires_grad else (), leaf=leaf)


def constant(numbers):
    return leaf_twin(Leaf(next(numbering), len(numbers)), numbers, False)


def computed(operation, *operands):
    jets = OPERATIONS[operation].twin(*(x.jets for x in operands))
    return Twin(jets, frozenset().union(*(x.reaches for x in operands)), operation, operands)
