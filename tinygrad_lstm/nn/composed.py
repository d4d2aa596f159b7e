"""Modules made of modules: one after another, in a list, by name. Each part is an attribute, and its path says so."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from functools import partial
from typing import Any, Self, overload

from ..engine.source import skip_file
from .applied import Activation
from .module import Module

skip_file(__file__)


class _Composed(Module):
    """What they share: parts by name."""

    def _named(self) -> dict[str, Module]:
        return {name: part for name, part in vars(self).items() if isinstance(part, Module)}

    def _hold(self, name: str, part: Module) -> None:
        if not isinstance(part, Module):
            known = [kind.__name__ for kind in Activation.__subclasses__() if kind.function is part]
            hint = f"; tl.nn.{known[0]}() is one" if known else ""
            raise TypeError(f"{type(self).__name__} holds modules, such as tl.Linear(2, 3), not {part!r:.60}{hint}")
        setattr(self, name, part)

    def _anew(self) -> partial[Any]:
        return partial(type(self), self._named())

    def __len__(self) -> int:
        return len(self._named())


class _Row(_Composed):
    """What modules in a row share: part number k is called k."""

    def append(self, module: Module) -> Self:
        """Add a module at the end, and return the whole."""
        self._hold(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end, and return the whole."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"{type(self).__name__} takes a list of modules, not {modules!r:.60}")
        for k, module in enumerate(modules, start=len(self)):
            self._hold(str(k), module)
        return self

    def insert(self, place: int, module: Module) -> Self:
        """Add a module before the one at a place, rename those from there on, and return the whole."""
        parts = list(self)
        later = parts[place:]
        first = len(parts) - len(later)
        if list(self._named()) != [str(k) for k in range(len(parts))]:
            raise TypeError(f"the parts of this {type(self).__name__} have names and no places; assign them anew")
        for k in reversed(range(first, len(parts))):
            self._moved(parts[k], str(k), str(k + 1))
        for k, part in enumerate((module, *later), start=first):
            self._hold(str(k), part)
        return self

    def __iter__(self) -> Iterator[Module]:
        return iter(self._named().values())

    @overload
    def __getitem__(self, place: int) -> Module: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> Module | Self:
        if isinstance(place, slice):
            return type(self).__new__(type(self)).extend(list(self)[place])
        return self._named()[self._name_at(place)]

    def __setitem__(self, place: int, module: Module) -> None:
        self._hold(self._name_at(place), module)

    def _name_at(self, place: Any) -> str:
        names = list(self._named())
        if not isinstance(place, int) or not -len(names) <= place < len(names):
            raise IndexError(f"{type(self).__name__} has {len(names)} parts, and none at {place!r:.60}")
        return names[place]


class Sequential(_Row):
    """Modules in a row: each is given what the one before it returned.

    ``Sequential(a, b)(x)`` is b(a(x)). Part number k is called k, as in PyTorch, so that its weight is ``0.weight``;
    a dict gives the parts names instead. An index, a slice, ``len``, a loop, ``append`` and ``insert`` are a list's.

    Arguments:
        modules: any number of them, or one dict of them.

    Raises:
        TypeError: for what is no module, such as an operation: ``tl.nn.Tanh()`` is one, ``tl.tanh`` is not.

    Source: torch.nn.Sequential (A. Paszke et al., 2019), whose paths these are.

    >>> import tinygrad_lstm as tl
    >>> model = tl.nn.Sequential(tl.Linear(3, 4, rng=0), tl.nn.Tanh(), tl.Linear(4, 2, rng=1))
    >>> model(tl.tensor([[1, 2, 3]])).shape
    (1, 2)
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self._hold(_key(self, name), module)
        else:
            self.extend(modules)  # type: ignore[arg-type]  # what is none is refused there

    def forward(self, x: Any) -> Any:
        """Return what the last module makes of what the others made of x."""
        for name, module in self._named().items():
            try:
                x = module(x)
            except TypeError as error:
                if not isinstance(x, tuple):
                    raise
                raise TypeError(
                    f"{type(self).__name__}: what stands before {name!r} returns a tuple of {len(x)}, such as a layer "
                    f"and its state, which {module!r} does not take; write a module that calls both"
                ) from error
        return x


class ModuleList(_Row, only_holds=True):
    """Modules in a list, which their owner calls: the weight of the first of ``layers`` is ``layers.0.weight``.

    An index, a slice, ``len``, a loop, ``append``, ``extend``, ``insert`` and ``layers[k] = module`` work as in a list.
    A plain list of modules does for what stays as it is; the paths of its parts begin with ``layers0``.

    Arguments:
        modules: any number of them.

    Raises:
        TypeError: for what is no module.
        IndexError: for a place that there is not.

    Source: torch.nn.ModuleList (A. Paszke et al., 2019), whose paths these are.

    >>> import tinygrad_lstm as tl
    >>> model = tl.nn.Module()
    >>> model.layers = tl.nn.ModuleList(tl.Linear(2, 2, rng=k) for k in range(3))
    >>> [name for name, _ in model.named_parameters()][:3]
    ['layers.0.weight', 'layers.0.bias', 'layers.1.weight']
    >>> len(model.layers), model.layers[-1]
    (3, Linear(2 → 2))
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def _anew(self) -> partial[Any]:
        return partial(type(self), list(self))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: only its owner knows what to call."""
        raise TypeError(
            f"{type(self).__name__} computes nothing; call its parts in a loop, or make it a tl.nn.Sequential"
        )


class ModuleDict(_Composed, only_holds=True):
    """Modules by name, which their owner calls: the weight of ``heads["tag"]`` is ``heads.tag.weight``.

    ``len``, ``in``, a loop over the names, ``keys``, ``values``, ``items``, ``update`` and ``heads["tag"] = module``
    work as in a dict.

    Arguments:
        modules: a dict of them.

    Raises:
        TypeError: for what is no module or no name, and for names of methods of a module.

    Source: torch.nn.ModuleDict (A. Paszke et al., 2019), whose paths these are.

    >>> import tinygrad_lstm as tl
    >>> heads = tl.nn.ModuleDict({"tag": tl.Linear(4, 2, rng=0)})
    >>> heads["word"] = tl.Linear(4, 9, rng=1)
    >>> list(heads), [name for name, _ in heads.named_parameters()][-1]
    (['tag', 'word'], 'word.bias')
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update({} if modules is None else modules)

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add those of a dict."""
        if not isinstance(modules, Mapping):
            raise TypeError(f"{type(self).__name__} takes a dict of modules by name, not {modules!r:.60}")
        for name, module in modules.items():
            self[name] = module

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._named().keys()

    def values(self) -> ValuesView[Module]:
        """Return the modules."""
        return self._named().values()

    def items(self) -> ItemsView[str, Module]:
        """Return the names, each with its module."""
        return self._named().items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._named())

    def __contains__(self, name: object) -> bool:
        return name in self._named()

    def __getitem__(self, name: str) -> Module:
        named = self._named()
        if name not in named:
            raise KeyError(f"{type(self).__name__} has no {name!r:.60}; there are {list(named)}")
        return named[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self._hold(_key(self, name), module)

    forward = ModuleList.forward


def _key(owner: Module, name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"{type(owner).__name__}: a module's name must be a string, not {name!r:.60}")
    if "." in name:
        raise ValueError(
            f"{type(owner).__name__}: paths are split at dots, so that {name!r:.60} cannot be a module's name"
        )
    return name
