"""Sizes: whole numbers that know how they are called, so that a program says ``T * N`` where a recording has 15."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Self

from ..symbolic.tracer import TracedArray


class Size(int):
    """A size of an array: the number that was recorded, and what the program calls it.

    >>> n = Size.of(5, "N")
    >>> (2 * n + 1).text, (2 * n + 1) == 11
    ('2 * N + 1', True)
    """

    text: str
    binds: int  # how tightly the text binds: 0 a sum, 1 a product, 2 a name
    letters: tuple[str, ...]  # the names in it

    @classmethod
    def of(cls, number: int, text: str, binds: int = 2) -> Self:
        made = cls(number)
        made.text, made.binds, made.letters = text, binds, tuple(re.findall(r"[A-Za-z_]\w*", text))
        return made

    def __add__(self, other: Any) -> Any:
        return _sized(int(self) + int(other), 0, self, " + ", other) if isinstance(other, int) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        if other == 0:
            return self
        return _sized(int(other) + int(self), 0, other, " + ", self) if isinstance(other, int) else NotImplemented

    def __sub__(self, other: Any) -> Any:
        return _sized(int(self) - int(other), 0, self, " - ", other) if isinstance(other, int) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return _sized(int(other) - int(self), 0, other, " - ", self) if isinstance(other, int) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        return _sized(int(self) * int(other), 1, self, " * ", other) if isinstance(other, int) else NotImplemented

    def __rmul__(self, other: Any) -> Any:
        if other == 1:
            return self
        return _sized(int(other) * int(self), 1, other, " * ", self) if isinstance(other, int) else NotImplemented


def _sized(number: int, binds: int, a: int, sign: str, b: int) -> int:
    if sign != " * " and b == 0 or sign == " * " and b == 1:
        return a
    left = written(a) if getattr(a, "binds", 2) >= binds else f"({written(a)})"
    right = written(b) if getattr(b, "binds", 2) >= binds + (sign == " - ") else f"({written(b)})"
    if sign == " + " and isinstance(b, int) and not isinstance(b, Size) and b < 0:
        sign, right = " - ", str(-b)
    return Size.of(number, f"{left}{sign}{right}", binds)


def written(number: int) -> str:
    """Return a size as the program says it."""
    return number.text if isinstance(number, Size) else str(int(number))


def lifted(named: Callable[[int], int], traced: type[TracedArray] = TracedArray) -> Any:
    """Return a class of traced arrays whose shapes are made of sizes: ``named`` returns what a number is called."""

    class Lifted(traced):  # type: ignore[valid-type, misc]
        __slots__ = ()

        @property
        def shape(self) -> tuple[int, ...]:
            return tuple(map(named, super().shape))

        @property
        def size(self) -> int:
            total: int = 1
            for n in self.shape:
                total = n * total if total != 1 else n
            return total

        def __len__(self) -> int:
            return self.shape[0]

    return Lifted
