"""A model of ours as JSON, and back: which classes it is made of, by name, and what each was called with.

``describe`` and ``build`` know no class by itself. Whatever ``tinygrad_lstm.nn`` and its atlas offer can be told, as
long as it was called with numbers, texts, operations of ours, and modules like that. Nothing is imported and nothing
evaluated.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from .. import nn
from ..engine import functions, ops
from ..engine.primitive import Primitive
from ..engine.tensor import Tensor
from ..nn import atlas
from ..nn.creation import DRAWING
from ..nn.module import Module
from ..structure.words import clean

ORDINARY = 2**16
"""Sizes up to this are believed, larger ones only in a file of so many numbers. Chosen: no layer is so wide."""

MOST = 10**6
"""Modules that a description may come to, those that stand in several places counted in each."""


class Untold(ValueError):
    """What cannot be told of a model, in words."""


@cache
def _ours() -> dict[str, type[Module]]:
    """Return the classes that are told by name."""
    public = {name: getattr(home, name) for home in (nn, atlas) for name in home.__all__}
    return {name: thing for name, thing in public.items() if isinstance(thing, type) and issubclass(thing, Module)}


def _operation(name: Any) -> Any:
    """Return an operation of ours, or a function composed of them, such as an activation; None if there is none."""
    for page in (ops, functions):
        found = vars(page).get(name) if isinstance(name, str) and not name.startswith("_") else None
        if isinstance(found, Primitive) or (inspect.isfunction(found) and found.__module__ == page.__name__):
            return found
    return None


def describe(module: Module) -> Any:
    """Return what ``build`` makes the same model of.

    Raises Untold for a class of the user's, and for what is no longer as it was made.
    """
    description = _Telling().module(module, "")
    try:
        rebuilt = build(description, sum(parameter.size for parameter in module.parameters()))
    except ValueError as error:
        raise Untold(f"{type(module).__name__} does not come back from what it was made with: {error}") from error
    names = [[name for name, _ in each.named_parameters()] for each in (module, rebuilt)]
    difference = _difference(module, rebuilt, "") or ("what shares its parameters" if names[0] != names[1] else "")
    if difference:
        raise Untold(f"{difference} is not as {type(module).__name__} made it")
    return description


class _Telling:
    """One description: a module that stands in several places is told in the first, and pointed to in the others."""

    def __init__(self) -> None:
        self.written: dict[Module, int] = {}

    def module(self, module: Module, path: str) -> Any:
        if module in self.written:
            return {"again": self.written[module]}
        name, call = type(module).__name__, module._anew()
        if _ours().get(name) is not type(module) or call is None:
            raise Untold(f"{f'{path} is a ' if path else ''}{name}{',' if path else ' is'} a class of yours")
        args = [self.value(value, f"{path or name}[{i}]") for i, value in enumerate(call.args)]
        kwargs = {key: self.value(value, f"{path or name}.{key}") for key, value in call.keywords.items()}
        self.written[module] = len(self.written)
        return {"module": name, "args": args, "kwargs": kwargs}

    def value(self, value: Any, path: str) -> Any:
        value = _number(value)
        if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
            return value
        if isinstance(value, Module):
            return self.module(value, path)
        if isinstance(value, list | tuple):
            parts = [self.value(part, f"{path}[{i}]") for i, part in enumerate(value)]
            return parts if isinstance(value, list) else {"tuple": parts}
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return {"dict": {key: self.value(part, f"{path}.{key}") for key, part in value.items()}}
        name = getattr(value, "__name__", None)
        if value is not None and _operation(name) is value:
            return {"operation": name}
        if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, float | np.floating)):
            return np.dtype(value).name
        raise Untold(f"{path}, {clean(repr(value), 60)}, is nothing that can be written down")


def build(description: Any, numbers: int) -> Module:
    """Return the model of a description, all zeros where numbers would be drawn, and at most so many of them.

    Raises ValueError for a description that no model has.
    """
    zeros = _Zeros(2 * numbers)  # a tied one is drawn twice
    token = DRAWING.set(zeros)
    try:
        module = _Rebuilding(numbers).value(description)
    except Exception as error:  # whatever a class says of arguments that nobody gave it
        raise ValueError(f"no model can be built of its description: {clean(error, 200)}") from error
    finally:
        DRAWING.reset(token)
    if not isinstance(module, Module):
        raise ValueError("its description is none of a model")
    zeros.left = None
    return module


class _Rebuilding:
    def __init__(self, numbers: int) -> None:
        self.largest = max(ORDINARY, numbers)
        self.built: list[tuple[Module, int]] = []  # and to how many modules it comes
        self.count = 0

    def value(self, form: Any) -> Any:
        if isinstance(form, int | list):
            self.require_room(form)
        if isinstance(form, list):
            return [self.value(part) for part in form]
        if not isinstance(form, dict):
            return form
        match form:
            case {"tuple": list(parts), **rest} if not rest:
                self.require_room(parts)
                return tuple(map(self.value, parts))
            case {"dict": dict(parts), **rest} if not rest:
                return {key: self.value(part) for key, part in parts.items()}
            case {"operation": name, **rest} if not rest and (found := _operation(name)):
                return found
            case {"again": int(i), **rest} if not rest and 0 <= i < len(self.built):
                return self.counted(*self.built[i])
            case {"module": str(name), "args": list(args), "kwargs": dict(kwargs), **rest} if not rest:
                return self.module(name, args, kwargs)
        raise ValueError(f"it tells {clean(form, 60)}")

    def module(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Module:
        cls = _ours().get(name)
        if cls is None:
            raise ValueError(f"there is no class {clean(name)} here")
        before = self.count
        module = cls(*map(self.value, args), **{key: self.value(value) for key, value in kwargs.items()})
        self.built.append((self.counted(module, 1), self.count - before))
        return module

    def counted(self, module: Module, modules: int) -> Module:
        """Return the module; refuse what is small to tell and too large to walk through."""
        self.count += modules
        if self.count > MOST:
            raise ValueError(f"it comes to more than {MOST:,} modules")
        return module

    def require_room(self, form: int | list[Any]) -> None:
        """Refuse a size, or the sides of a shape, that the file has not the numbers for."""
        sizes = form if isinstance(form, list) else [form]
        if math.prod(size for size in sizes if isinstance(size, int)) > self.largest:
            raise ValueError(f"it tells the size {clean(form, 60)}, more than the file holds")


class _Zeros(np.random.Generator):
    """Draws zeros, since what is drawn will be overwritten, and at most so many; once a model is built, numbers."""

    def __init__(self, left: int) -> None:
        super().__init__(np.random.PCG64())
        self.left: int | None = left

    def _draw(self, method: Callable[..., Any], *parameters: Any, size: Any = None) -> Any:
        if self.left is None:
            return method(*parameters, size=size)
        self.left -= math.prod(np.atleast_1d(1 if size is None else size).tolist())
        if self.left < 0:
            raise ValueError("it needs more numbers than the file holds")
        return np.zeros(() if size is None else size)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return self._draw(super().uniform, low, high, size=size)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return self._draw(super().normal, loc, scale, size=size)


def _difference(one: Any, other: Any, path: str) -> str:
    """Return where two modules, or what they keep, differ in anything but the numbers of parameters; "" if nowhere."""
    if isinstance(one, Module):
        return _difference_of(_kept(one), _kept(other), path) if type(one) is type(other) else path
    if isinstance(one, Tensor):
        same = isinstance(other, Tensor) and (one.shape, one.dtype, one.is_leaf) == (other.shape, other.dtype, True)
        return "" if same and (other.requires_grad or np.array_equal(one.value, other.value, equal_nan=True)) else path
    if isinstance(one, Mapping):
        return _difference_of(one, other if isinstance(other, Mapping) else {}, path)
    if isinstance(one, list | tuple):
        others = other if isinstance(other, list | tuple) else ()
        return _difference_of(dict(enumerate(one)), dict(enumerate(others)), path)
    if isinstance(one, np.random.Generator) or isinstance(other, np.random.Generator):
        return ""  # seeds are not told
    one, other = _number(one), _number(other)
    try:
        return "" if one is other or (type(one) is type(other) and bool(np.all(one == other))) else path
    except Exception:  # what cannot be compared
        return path


def _difference_of(one: Mapping[Any, Any], other: Mapping[Any, Any], path: str) -> str:
    before = f"{path}." if path else ""
    lost = [name for name in [*one, *other] if (name in one) != (name in other)]
    inside = (_difference(one[name], other[name], f"{before}{name}") for name in one if name in other)
    return next((where for where in inside if where), "") or (f"{before}{lost[0]}" if lost else "")


def _number(value: Any) -> Any:
    """Return one of numpy's numbers as Python's."""
    return value.item() if isinstance(value, np.bool_ | np.integer | np.floating) else value


def _kept(module: Module) -> dict[str, Any]:
    """Return the attributes, but for those that modules and Python keep for themselves, and the mode they are in."""
    own = {name: value for name, value in vars(module).items() if not name.startswith(("_Module__", "__"))}
    return {name: value for name, value in own.items() if name != "training"}
