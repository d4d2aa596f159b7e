"""Modules: named parts of a network. Calling one enters its scope; its name becomes the box in the picture."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from inspect import get_annotations
from typing import Any, Self
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import DTypeLike

from ..engine.backprop import cast
from ..engine.scope import call_in, current
from ..engine.source import place, skip_file
from ..engine.tensor import Tensor, tensor
from ..structure.tables import html_table, text_table
from ..structure.words import clean
from .containers import fixed, inner

skip_file(__file__)

_numbers = itertools.count(1)

MODULES: WeakValueDictionary[int, Module] = WeakValueDictionary()
"""All that are alive, by the number that a graph knows them by."""

Seed = int | np.random.Generator | None


class Module:
    """A part of a network: parameters, smaller modules, and ``forward``.

    Assign tensors that require gradients, and other modules, to attributes, alone or in lists and dicts at any depth,
    which then stay as they are; the attribute's name is the part's name. ``module(...)`` runs ``forward(...)`` in the
    module's scope and returns what it returns. ``repr`` counts the attributes that hold parts, and the numbers in all
    parameters; ``print`` lists them.

    Raises:
        TypeError: for a part called like a method of every module, such as ``forward`` or ``parameters``, and for parts
            in a set or another container that keeps no order.

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
    >>> print(model)
    Doubled(1 part, 8 parameters)
    parameter    shape   count
    ──────────────────────────
    head.weight  (3, 2)      6
    head.bias    (2,)        2
    ──────────────────────────
    all                      8
    """

    # Two underscores: Python keeps these apart from whatever a module of the user's calls its own.
    __name: str | None = None
    __number = 0
    __recurrent = False  # what a cell is; see there

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        module = super().__new__(cls)
        module.__number = next(_numbers)
        MODULES[module.__number] = module
        return module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the module computes; yours to write."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward(...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        context = current().inside(self.__name, type(self).__name__, self.__number, *place(1), self.__recurrent)
        return call_in(context, self.forward, args, kwargs)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make a copy, deep or from a pickle, a module of its own."""
        self.__dict__.update(state, _Module__number=self.__number)

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep a part, and name it. It is not copied: a weight that two modules are given is one weight, and tied."""
        value = fixed(value, _is_part, f"{type(self).__name__}.{name}")
        parts = [(own_name, part) for own_name, part in inner(name, value) if _is_part(part)]
        if parts:
            _require_free(type(self), name)
        for own_name, part in parts:
            if isinstance(part, Module):
                part.__belong_to(own_name)
            elif _is_parameter(part) and part.name is None:
                part.name = own_name
        object.__setattr__(self, name, value)

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield each parameter once, with its path, in the order of assignment."""
        seen: set[Tensor] = set()
        for path, parameter in self.__walk(""):
            if parameter not in seen:
                seen.add(parameter)
                yield path, parameter

    def parameters(self) -> list[Tensor]:
        """Return each parameter once, in the order of assignment: what an optimiser wants."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def __repr__(self) -> str:
        held = (part for value in vars(self).values() for _, part in inner("", value))
        parts = {part for part in held if isinstance(part, Module) or _is_parameter(part)}
        count = sum(parameter.size for parameter in self.parameters())
        return described(self, counted(len(parts), "part"), counted(count, "parameter"))

    def __str__(self) -> str:
        """Return the line of ``repr`` and a table of the parameters: path, shape, and how many numbers."""
        return f"{self!r}\n{text_table(**_table(self))}"

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        return html_table(**_table(self), caption=repr(self))

    def __walk(self, prefix: str) -> Iterator[tuple[str, Tensor]]:
        for name, value in vars(self).items():
            for own_name, part in inner(name, value):
                if isinstance(part, Module):
                    yield from part.__walk(f"{prefix}{own_name}.")
                elif _is_parameter(part):
                    yield f"{prefix}{own_name}", part

    def __belong_to(self, name: str) -> None:
        """Take the name of the first attribute one is assigned to, and pass it on to the parameters.

        A parameter that another module owns too keeps the name it has there.
        """
        if self.__name is not None:
            return
        self.__name = name
        for path, parameter in self.named_parameters():
            if not str(parameter.name).endswith(f".{path}"):
                parameter.name = f"{name}.{parameter.name}"


def _require_free(kind: type[Module], name: str) -> None:
    """Refuse a part by whose name a module would lose what ours, or Python, need of it."""
    if name.startswith("__") and name.endswith("__"):
        raise TypeError(f"{kind.__name__}.{name}: such names are Python's own; give the part another one")
    for base in kind.__mro__:
        ours = base.__module__.rpartition(".")[0] == __package__
        if ours and (name in vars(base) or name in get_annotations(base)):
            what = "a method" if callable(vars(base).get(name)) else "a setting"
            raise TypeError(
                f"{kind.__name__}.{name}: this is {what} of every {base.__name__}, which a part of the same name would "
                f"hide; give the part another one, such as {name}_part"
            )


def _table(module: Module) -> dict[str, Any]:
    """Return the table of the parameters, as text or HTML takes it."""
    rows = [(path, parameter.shape, f"{parameter.size:,}") for path, parameter in module.named_parameters()]
    foot = ("all", "", f"{sum(parameter.size for parameter in module.parameters()):,}")
    return {"rows": rows, "head": ("parameter", "shape", "count"), "foot": foot, "align": "llr"}


def described(thing: object, *facts: str) -> str:
    """Return the ``repr`` of a module or an optimiser: its class, and facts in brackets."""
    return clean(f"{type(thing).__name__}({', '.join(facts)})", 200)


def arrow(module: Module, from_: str, to: str) -> str:
    """Return "3 → 4": two sizes that a module keeps, or ? for what it lacks because it was not set up."""
    return f"{vars(module).get(from_, '?')} → {vars(module).get(to, '?')}"


def counted(number: int, what: str) -> str:
    """Return "1 part", "2 parts"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _is_part(part: Any) -> bool:
    return isinstance(part, Module | Tensor)


def _is_parameter(part: Any) -> bool:
    return isinstance(part, Tensor) and part.requires_grad and part.is_leaf


def uniform(rng: np.random.Generator, bound: float, shape: tuple[int, ...], dtype: DTypeLike) -> Tensor:
    """Return a parameter drawn uniformly from ±bound."""
    return tensor(rng.uniform(-bound, bound, size=shape), requires_grad=True, dtype=dtype)


LARGEST = 2**31
"""No size is this large: as a float64 each, the numbers of one such axis are 16 GiB."""


def as_input(x: Any, dtype: DTypeLike) -> Tensor:
    """Return data, or a tensor, in the type a layer computes in: of more digits than it has, the rest is cast off."""
    if not isinstance(x, Tensor):
        return tensor(x, dtype=dtype)
    return x if x.dtype == dtype or np.can_cast(x.dtype, dtype) else cast(x, dtype=np.dtype(dtype))


def generator(rng: Any) -> np.random.Generator:
    """Return the generator that a seed stands for; refuse what stands for none."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"rng must be a seed, a whole number from 0 on, or a generator as of np.random.default_rng, not {rng!r}"
        ) from error


def real(**numbers: Any) -> None:
    """Refuse what is no real number, by name."""
    for name, number in numbers.items():
        if not isinstance(number, int | float | np.integer | np.floating) or isinstance(number, bool):
            raise TypeError(f"{name} must be a number, not {number!r:.60}")


def positive(**sizes: int) -> None:
    """Refuse sizes that are not whole numbers above zero, or more than any machine holds, by name."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name} must be a positive whole number, not {size!r}")
        if size >= LARGEST:
            raise ValueError(f"{name} must be below {LARGEST:,}, not {size:,}")
