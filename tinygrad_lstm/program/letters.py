"""Which letters sizes are called by: T steps, N sequences, D numbers of each step, H numbers of a state."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..structure.loops import Loop, Rolled
from .sizes import Size


class Sizes:
    """What sizes are called: T steps, N sequences, D numbers of each; H numbers of a state; and others.

    Arguments:
        rolled: a graph, of whose arrays they are.
        names: those that are known already.
        arguments: arrays, by name, that are no tensors.
        taken: names that mean something else.
    """

    def __init__(
        self,
        rolled: Rolled,
        names: dict[int, str] | None = None,
        arguments: dict[str, Any] | None = None,
        taken: Collection[str] = (),
    ) -> None:
        self.names: dict[int, str] = dict(names or {})
        self.taken = taken
        self.arguments = arguments or {}
        self.used: dict[str, int] = {}
        self.known: dict[int, Size] = {}  # sizes that are made of others
        loops = [item for item in rolled.items if isinstance(item, Loop)]
        arrays = [given.members[0].value.shape for given in dict.fromkeys(rolled.given.values())]
        for loop in loops:
            for shape in arrays:
                if len(shape) >= 2 and shape[0] == loop.high:
                    for size, letter in zip(shape, "TD" if len(shape) == 2 else "TND", strict=False):
                        self._call(size, letter)
            if loop.low == 0 and names is None:
                self._call(int(loop.high), "T")
        others = (letter for letter in "HKMPQRSUVXYZ" if letter not in taken)
        before = [reference.of for loop in loops for made in loop.body for reference in made.before.values()]
        states = [of.members[0].value.shape[-1:] for of in before]
        for shape in (*states, *sorted(arrays, key=len)):
            for size in shape:
                if size > 1 and size not in self.names:
                    self._call(size, next(others, f"n{size}"))

    def _call(self, size: int, letter: str) -> None:
        if size > 1 and letter not in self.taken and size not in self.names and letter not in self.names.values():
            self.names[size] = letter

    def named(self, size: int) -> int:
        """Return the size with its name, if it has one."""
        found = size if isinstance(size, Size) else self.known.get(size)
        if found is None:
            if size not in self.names:
                return size
            found = Size.of(size, self.names[size])
        for letter in found.letters:
            if letter in self.values:
                self.used[letter] = self.values[letter]
        return found

    @property
    def values(self) -> dict[str, int]:
        return {letter: size for size, letter in self.names.items()}
