"""Modules: named parts of a network. Calling one enters its scope; its name becomes the box in the picture."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from ..engine.scope import CONTEXT
from ..engine.source import pass_over, place
from ..engine.tensor import Tensor, tensor

pass_over(__file__)

_numbers = itertools.count(1)

Seed = int | np.random.Generator | None


class Module:
    """A part of a network: parameters, smaller modules, and ``forward``.

    Assign tensors that require gradients, and other modules (or lists of them, which become tuples), to attributes; the
    attribute's name is the part's name. ``module(...)`` runs ``forward(...)`` in the module's scope.

    >>> import tinygrad_lstm as tl
    >>> class Doubled(tl.nn.Module):
    ...     def __init__(self):
    ...         self.head = tl.Linear(3, 2, rng=0)
    ...     def forward(self, x):
    ...         return 2 * self.head(x)
    >>> model = Doubled()
    >>> [name for name, _ in model.named_parameters()]
    ['head.weight', 'head.bias']
    >>> model(tl.tensor([[1, 2, 3]])).shape
    (1, 2)
    """

    _name: str | None = None
    _number: int

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        module = super().__new__(cls)
        object.__setattr__(module, "_number", next(_numbers))
        return module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no forward(...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        context = CONTEXT.get().inside(self._name, type(self).__name__, self._number, *place(1))
        token = CONTEXT.set(context)
        try:
            return self.forward(*args, **kwargs)
        finally:
            CONTEXT.reset(token)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, deep or from a pickle, is a module of its own."""
        self.__dict__.update(state, _number=self._number)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            value._belong_to(name)
        elif isinstance(value, list | tuple) and any(isinstance(part, Module | Tensor) for part in value):
            value = tuple(value)  # what were appended later would have no name
            for i, part in enumerate(value):
                if isinstance(part, Module):
                    part._belong_to(f"{name}{i}")
                elif _is_parameter(part) and part.name is None:
                    part.name = f"{name}{i}"
        elif _is_parameter(value) and value.name is None:
            value.name = name
        object.__setattr__(self, name, value)

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Each parameter once, with its path, in the order of assignment."""
        seen: set[Tensor] = set()
        for path, parameter in self._walk(""):
            if parameter not in seen:
                seen.add(parameter)
                yield path, parameter

    def parameters(self) -> list[Tensor]:
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def _walk(self, prefix: str) -> Iterator[tuple[str, Tensor]]:
        for name, value in vars(self).items():
            parts = enumerate(value) if isinstance(value, list | tuple) else [("", value)]
            for i, part in parts:
                path = f"{prefix}{name}{i}"
                if isinstance(part, Module):
                    yield from part._walk(f"{path}.")
                elif _is_parameter(part):
                    yield path, part

    def _belong_to(self, name: str) -> None:
        """Take the name of the first attribute one is assigned to, and pass it on to the parameters."""
        if self._name is not None:
            return
        object.__setattr__(self, "_name", name)
        for parameter in self.parameters():
            parameter.name = f"{name}.{parameter.name}"


def _is_parameter(part: Any) -> bool:
    return isinstance(part, Tensor) and part.requires_grad and part.is_leaf


def uniform(rng: np.random.Generator, bound: float, shape: tuple[int, ...], dtype: DTypeLike) -> Tensor:
    """A parameter drawn uniformly from ±bound."""
    return tensor(rng.uniform(-bound, bound, size=shape), requires_grad=True, dtype=dtype)


def positive(**sizes: int) -> None:
    """Refuse sizes that are not whole numbers above zero, by name."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name} must be a positive whole number, not {size!r}")
