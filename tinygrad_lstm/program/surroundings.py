"""What a function reads besides its arguments: whether it is still what it was when the function was recorded."""

from __future__ import annotations

import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import is_
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any
from zlib import crc32

import numpy as np

from ..engine.primitive import Primitive
from ..engine.tensor import Tensor

PLAIN = (bool, int, float, complex, str, bytes, type(None), slice, type(...), np.generic, np.dtype)
"""What cannot change, and is the same whenever it is equal."""

_ENDS = (*PLAIN, Tensor, ModuleType)

MOST_PLACES = 10_000
"""Places that are watched, at most: they are looked at in each call."""

MOST_KEPT = 100_000
"""Bytes of an array, at most, of which a copy is kept; of more, it is their checksum."""

_NOT_THEIRS = {__name__.partition(".")[0], "numpy", *sys.stdlib_module_names} - {"__main__"}


class Surroundings:
    """What functions and objects reach: what they close over, globals, defaults, attributes, and what those hold.

    The numbers of tensors are not looked at, since weights may learn, unless ``watch_numbers`` is told to.

    >>> scale = [2.0]
    >>> around = Surroundings({"scale": scale})
    >>> around.hold()
    True
    >>> scale[0] = 3.0
    >>> around.hold()
    False
    """

    def __init__(self, *roots: Any) -> None:
        self._held = list(roots)  # or another object may come to have the same id
        self._places: list[tuple[Callable[[], tuple[Any, ...]], tuple[Any, ...]]] = []
        self.tensors: list[Tensor] = []
        self._attributes: list[tuple[dict[str, Any], dict[str, Any]]] = []  # of objects, and as they were
        self.too_many = False
        seen: set[int] = set()
        waiting = list(roots)
        while waiting:
            x = waiting.pop()
            if id(x) in seen or isinstance(x, _ENDS):
                if isinstance(x, Tensor) and id(x) not in seen:
                    seen.add(id(x))
                    self.tensors.append(x)
                continue
            if len(self._places) == MOST_PLACES:
                self.too_many = True
                return
            seen.add(id(x))
            for read in _places(x):
                values = read()
                if type(x) not in (tuple, frozenset):  # which hold the same for ever
                    self._places.append((read, values))
                self._held.append(x)
                waiting += values
            if not isinstance(x, FunctionType | type) and isinstance(getattr(x, "__dict__", None), dict):
                self._attributes.append((x.__dict__, dict(x.__dict__)))

    def watch_numbers(self, *, but: Iterable[Tensor]) -> None:
        """Watch the numbers of tensors that do not learn, and that a program is not given: they may have been read."""
        given = set(map(id, but))
        for x in self.tensors:
            if id(x) not in given and not x.requires_grad:
                read = partial(_numbers_of, x)
                self._places.append((read, read()))

    def restore(self) -> None:
        """Give objects the attributes that they had: a buffer that moves on in each call is where it was."""
        for attributes, before in self._attributes:
            if list(attributes) != list(before) or not all(map(is_, attributes.values(), before.values())):
                attributes.clear()
                attributes.update(before)

    def hold(self) -> bool:
        """Tell whether everything is what it was."""
        for read, before in self._places:
            now = read()
            if len(now) != len(before):
                return False
            if all(map(is_, now, before)):  # as a rule
                continue
            for a, b in zip(now, before):  # noqa: B905
                if a is not b and not (type(a) is type(b) and isinstance(a, PLAIN) and a == b):
                    return False
        return True


def _places(x: Any) -> Iterator[Callable[[], tuple[Any, ...]]]:
    """Yield functions that return what an object holds: each time, what it holds then."""
    if isinstance(x, np.ndarray):
        if x.flags.writeable or x.base is not None:  # the numbers of others cannot change
            yield lambda: (_numbers(x),)
    elif isinstance(x, Primitive):
        yield lambda: (x.forward, x.rule)
    elif isinstance(x, FunctionType):
        if not _is_ours(x):
            yield from _around(x)
    elif isinstance(x, MethodType):
        yield lambda: (x.__self__, x.__func__)
    elif isinstance(x, partial):
        yield lambda: (x.func, *x.args, *x.keywords.values())
    elif isinstance(x, staticmethod | classmethod):
        yield lambda: (x.__func__,)
    elif isinstance(x, property):
        yield lambda: (x.fget,)
    elif isinstance(x, dict):
        yield lambda: (*x, *x.values())
    elif isinstance(x, list | tuple | set | frozenset | deque):
        yield lambda: tuple(x)
    elif isinstance(x, bytearray | array):
        yield lambda: (bytes(x),)
    elif isinstance(x, type):
        if not _is_ours(x):
            yield lambda: (
                *x.__bases__,
                *(v for name, v in vars(x).items() if not name.startswith("__") or callable(v)),
            )
    else:
        yield from _attributes(x)


def _numbers(x: np.ndarray[Any, Any]) -> bytes | int:
    if x.nbytes <= MOST_KEPT or x.dtype.hasobject:
        return x.tobytes()
    return crc32(np.ascontiguousarray(x).view(np.uint8).data)


def _numbers_of(x: Tensor) -> tuple[bytes | int]:
    return (_numbers(x.value),)


def _attributes(x: Any) -> Iterator[Callable[[], tuple[Any, ...]]]:
    if hasattr(type(x), "__watched__"):
        yield x.__watched__
        return
    attributes = getattr(x, "__dict__", None)
    slots = [name for kind in type(x).__mro__ for name in getattr(kind, "__slots__", ()) if hasattr(x, name)]
    if attributes is not None:
        yield lambda: tuple(attributes.values())
    if slots and not _is_ours(type(x)):
        yield lambda: tuple(getattr(x, name, None) for name in slots)
    yield lambda: (type(x),)


def _around(f: FunctionType) -> Iterator[Callable[[], tuple[Any, ...]]]:
    names = sorted(set(_names(f.__code__)))
    yield lambda: tuple(f.__globals__.get(name) for name in names)
    for module in _modules(f, names):
        yield lambda module=module: tuple(vars(module).get(name) for name in names)  # type: ignore[misc]
    yield lambda: (f.__defaults__, f.__kwdefaults__)
    cells = f.__closure__
    if cells:
        yield lambda: tuple(map(_content, cells))


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that a function looks up outside of itself, also in what is defined in it."""
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def _modules(f: FunctionType, names: Sequence[str]) -> list[ModuleType]:
    """Return somebody's modules that a function reads attributes of, by names: global ones, and what it imports."""
    waiting = [f.__globals__.get(name, sys.modules.get(name)) for name in names]
    found: list[ModuleType] = []
    while waiting:
        module = waiting.pop()
        if isinstance(module, ModuleType) and module not in found and not _is_installed(module):
            found.append(module)
            waiting += [vars(module).get(name) for name in names]
    return found


def _is_installed(module: ModuleType) -> bool:
    """Tell whether a module is of a package that somebody installed, or of Python, and nobody changes."""
    parts = Path(getattr(module, "__file__", None) or "").parts
    return _is_known(module.__name__) or not {"site-packages", "dist-packages"}.isdisjoint(parts)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing yet
        return None


def _is_ours(x: Any) -> bool:
    return _is_known(x.__module__ or "")


def _is_known(module: str) -> bool:
    return module.partition(".")[0] in _NOT_THEIRS
