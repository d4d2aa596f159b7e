"""Sizes: whole numbers that know how they are called, so that a program says ``T * N`` where a recording has 15."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..symbolic.expressions import Constant
from ..symbolic.tracer import TracedArray

Terms = Mapping[tuple[str, ...], int]
"""A sum of products of names: how often each product is in it; the empty product is 1."""


class Size(int):
    """A size of an array: the number that was recorded, and what it is in terms of names.

    >>> N = Size.of(5, "N")
    >>> (2 * N + 1).text, N * N == 25, (N + 1 - 1).text, N - N
    ('2 * N + 1', True, 'N', 0)
    """

    terms: Terms

    @classmethod
    def of(cls, number: int, name: str) -> Any:
        return cls._made(number, {(name,): 1})

    @classmethod
    def _made(cls, number: int, terms: Terms) -> Any:
        left = {product: times for product, times in terms.items() if times}
        if not any(left):
            return number
        made = cls(number)
        made.terms = left
        return made

    @property
    def text(self) -> str:
        """What it is called."""
        words = ""
        for product, times in sorted(self.terms.items(), key=lambda term: -len(term[0])):
            factors = [str(abs(times))] if abs(times) > 1 or not product else []
            sign = (" - " if times < 0 else " + ") if words else "-" if times < 0 else ""
            words += sign + " * ".join([*factors, *product])
        return words

    def __str__(self) -> str:
        return self.text

    @property
    def binds(self) -> int:
        """How tightly the text binds: 0 a sum, 1 a product, 2 a name."""
        if len(self.terms) > 1:
            return 0
        ((product, times),) = self.terms.items()
        return 2 if len(product) == times == 1 else 1 if times > 0 else 0

    @property
    def letters(self) -> set[str]:
        """The names in it."""
        return {letter for product in self.terms for letter in product}

    def where(self, sizes: Mapping[str, int]) -> int:
        """Return the number that it is where the names stand for other sizes.

        >>> (2 * Size.of(5, "N") + 1).where({"N": 7})
        15
        """
        return sum(times * math.prod(sizes[letter] for letter in product) for product, times in self.terms.items())

    def _combined(self, other: Any, by: int) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        terms = dict(self.terms)
        for product, times in _terms(other).items():
            terms[product] = terms.get(product, 0) + by * times
        return self._made(int(self) + by * int(other), terms)

    def __add__(self, other: Any) -> Any:
        return self._combined(other, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._combined(other, -1)

    def __rsub__(self, other: Any) -> Any:
        return (self * -1)._combined(other, 1)

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        terms: dict[tuple[str, ...], int] = {}
        for a, m in self.terms.items():
            for b, n in _terms(other).items():
                product = (*a, *b)
                terms[product] = terms.get(product, 0) + m * n
        return self._made(int(self) * int(other), terms)

    __rmul__ = __mul__


def _terms(number: int) -> Terms:
    return number.terms if isinstance(number, Size) else {(): int(number)}


def written(number: int) -> str:
    """Return a size as the program says it."""
    return number.text if isinstance(number, Size) else str(int(number))


def lifted(named: Callable[[int], int], traced: type[TracedArray] = TracedArray) -> Any:
    """Return a class of traced arrays whose shapes are made of sizes: ``named`` returns what a number is called."""

    class Lifted(traced):  # type: ignore[valid-type, misc]
        __slots__ = ()

        @classmethod
        def of(cls, x: Any) -> Any:
            plain = super().of(int(x) if isinstance(x, Size) else x)  # numpy takes the type of an array for int alone
            if isinstance(x, Size):
                plain.expression = Constant(x)
            return plain

        @property
        def shape(self) -> tuple[int, ...]:
            return tuple(map(named, super().shape))

        @property
        def size(self) -> int:
            total: int = 1
            for n in self.shape:
                total = n * total
            return total

        def __len__(self) -> int:
            return self.shape[0]

    return Lifted
