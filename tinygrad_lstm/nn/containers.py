"""What a module's attribute holds: parts alone, or in lists, tuples and dicts, each with a name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from types import GeneratorType, SimpleNamespace
from typing import Any, NoReturn

import numpy as np

from ..engine.tensor import Tensor


class PartsByName(dict[Any, Any]):
    """Hold parts by name; read-only, since what were added later would have no name."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("the parts of a module stay as they were assigned; assign the whole dict to it again")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return PartsByName, (dict(self),)


def inner(name: str, value: Any, around: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield what an attribute holds, each with a name: the attribute's own, and in which place where there are more.

    What stands in the place of a module, as one that is compiled, holds that module.
    """
    if any(value is each for each in around):
        return  # a list of the user's may hold itself
    if isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from inner(f"{name}_{i}" if around else f"{name}{i}", part, (*around, value))
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from inner(f"{name}_{key}", part, (*around, value))
    else:
        yield name, getattr(value, "__wrapped__", value)


def fixed(value: Any, is_part: Any, owner: str) -> Any:
    """Return a container with its parts as it stays: lists become tuples, dicts read-only.

    Raises TypeError for parts in containers that have no order or no names, in which nobody would find them.
    """
    if isinstance(value, GeneratorType | map | zip | filter):
        raise TypeError(f"{owner}: what is read once, as a {type(value).__name__}, keeps no parts; make it a list")
    if not _holds(value, is_part, ()):
        return value
    if isinstance(value, list):
        return tuple(fixed(part, is_part, owner) for part in value)
    if isinstance(value, tuple):
        parts = [fixed(part, is_part, owner) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, Mapping):
        return PartsByName({key: fixed(part, is_part, owner) for key, part in value.items()})
    if is_part(value):
        return value
    raise TypeError(
        f"{owner}: parts in a {type(value).__name__} would be found by nobody; keep them in attributes of their own, "
        "or in lists, tuples and dicts"
    )


def _holds(value: Any, is_part: Any, around: tuple[Any, ...]) -> bool:
    """Tell whether there is a part in a container, at any depth."""
    if is_part(value):
        return True
    if any(value is each for each in around) or hasattr(type(value), "__torch_function__"):
        return False
    held: Iterable[Any] = ()
    if isinstance(value, Mapping):
        held = value.values()
    elif isinstance(value, np.ndarray):
        held = value.ravel() if value.dtype == object else ()
    elif isinstance(value, Collection) and not isinstance(value, str | bytes | range | Tensor):
        held = value
    elif isinstance(value, SimpleNamespace) or (is_dataclass(value) and not isinstance(value, type)):
        held = vars(value).values() if hasattr(value, "__dict__") else ()
    return any(_holds(part, is_part, (*around, value)) for part in held)
