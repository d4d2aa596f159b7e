"""Modules: named parts of a network. Calling one enters its scope; its name becomes the box in the picture."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, Self

from ..engine.primitive import Array
from ..engine.pytorch import advice, is_torchs
from ..engine.scope import MODULES, call_in, current
from ..engine.source import place, skip_file
from ..engine.tensor import Tensor
from ..structure.tables import html_table, text_table
from ..structure.words import clean
from .arguments import true_or_false
from .containers import fixed, inner
from .state import Unmatched, array_of, fitted, replace_buffer, shape_and_type

skip_file(__file__)

_numbers = itertools.count(1)


class Module:
    """A part of a network: parameters, smaller modules, and ``forward``.

    Assign tensors that require gradients, and other modules, to attributes, alone or in lists and dicts at any depth,
    which then stay as they are; the attribute's name is the part's name. ``module(...)`` runs ``forward(...)`` in the
    module's scope and returns what it returns. ``repr`` counts the attributes that hold parts, and the numbers in all
    parameters; ``print`` lists them.

    ``module.training`` is True until ``module.eval()``, and again after ``module.train()``: layers such as
    ``tl.nn.Dropout`` look at it. A parameter stays one when it is frozen, by ``requires_grad_(False)``.

    Raises:
        TypeError: for a part called like a method of every module, such as ``forward`` or ``parameters``, for parts
            in a set or another container that keeps no order, and for a module that would be part of itself.
        ValueError: for two parts of one path, such as those of ``{0: a, "0": b}``.

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

    training: bool = True
    buffer_names: tuple[str, ...] = ()  # attributes that state dicts have beside parameters: tensors or arrays

    # Two underscores: Python keeps these apart from whatever a module of the user's calls its own.
    __name: str | None = None
    __number = 0
    __made: partial[Any] | None = None
    __learned: frozenset[str] = frozenset()  # the names of parameters, frozen ones too
    __only_holds = False  # is never called itself, so that its parts are boxes with its name before their own
    __recurrent = False  # is a cell, whatever it is made of

    def __init_subclass__(cls, *, only_holds: bool = False, recurrent: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__only_holds = only_holds or cls.__only_holds
        cls.__recurrent = recurrent or cls.__recurrent

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        module = super().__new__(cls)
        module.__number = next(_numbers)
        if cls.__module__.startswith(f"{__package__}.") and cls._anew is Module._anew:
            module.__made = partial(cls, *args, **{name: value for name, value in kwargs.items() if name != "rng"})
        MODULES[module.__number] = module
        return module

    @property
    def __frame_number__(self) -> int:
        """The number that the frames of a graph know it by."""
        return self.__number

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
            self.__require_apart(name, parts)
        before = dict(inner(name, vars(self).get(name))) if parts else {}
        for own_name, part in parts:
            if isinstance(part, Module):
                part.__belong_to(f"{self.__name}.{own_name}" if self.__only_holds and self.__name else own_name)
            elif _is_parameter(part) and part.name is None:
                old = before.get(own_name)  # which knows its whole path
                part.name = (old.name if isinstance(old, Tensor) else None) or own_name
        if parts or name in vars(self):
            replaced = {own_name for own_name, _ in inner(name, vars(self).get(name))}
            learned = {own_name for own_name, part in parts if _is_parameter(part)}
            object.__setattr__(self, "_Module__learned", (self.__learned - replaced) | learned)
        object.__setattr__(self, name, value)

    if not TYPE_CHECKING:  # or no checker would complain of any attribute

        def __getattr__(self, name: str) -> Any:
            found = "" if name.startswith("_") else advice(name, _REFUSED, dir(self), "module")
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}{found}")

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield each parameter once, with its path, in the order of assignment."""
        seen: set[Tensor] = set()
        for path, parameter in self.__walk(""):
            if parameter not in seen:
                seen.add(parameter)
                yield path, parameter

    def named_buffers(self) -> Iterator[tuple[str, Any]]:
        """Yield what belongs to the state and does not learn, as ``buffer_names`` say of each module, with its path."""
        for path, part in self.named_modules():
            for name in part.buffer_names:
                if (buffer := vars(part).get(name)) is not None:
                    yield f"{path}.{name}" if path else name, buffer

    def parameters(self) -> list[Tensor]:
        """Return each parameter once, in the order of assignment: what an optimiser wants."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield each module that is a part of this one itself, once, with its name."""
        seen: set[int] = set()
        for name, part in self.__parts():
            if isinstance(part, Module) and part.__number not in seen:
                seen.add(part.__number)
                yield name, part

    def children(self) -> list[Module]:
        """Return each module that is a part of this one itself, once."""
        return [module for _, module in self.named_children()]

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield this module, under the path "", and each within it, at any depth, once, with its path."""
        seen: set[int] = set()
        waiting: list[tuple[str, Module]] = [("", self)]
        while waiting:
            path, module = waiting.pop()
            if module.__number not in seen:
                seen.add(module.__number)
                yield path, module
                inside = [(f"{path}.{name}" if path else name, child) for name, child in module.named_children()]
                waiting += reversed(inside)

    def modules(self) -> list[Module]:
        """Return this module and each within it, at any depth, once."""
        return [module for _, module in self.named_modules()]

    def get_submodule(self, path: str) -> Module:
        """Return the module at a path such as "encoder.layers.0"; raises KeyError where there is none."""
        module = self
        for name in path.split(".") if path else ():
            inside = {name: part for name, part in module.__parts() if isinstance(part, Module)}
            if name not in inside:
                raise KeyError(f"{described(self)} has no module {path!r}: {described(module)} has {list(inside)}")
            module = inside[name]
        return module

    def apply(self, function: Callable[[Module], object]) -> Self:
        """Call the function with each module, parts before what they are parts of, and return this one."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set ``training`` here and in all modules within, and return this one: Dropout then drops."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Set ``training`` to False here and in all modules within, and return this one: Dropout lets all pass."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze all parameters, by False, or let them learn again, and return this module."""
        for parameter in self.parameters():
            parameter.requires_grad = bool(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters: they are None, as ``set_to_none=True`` says in PyTorch."""
        forget_gradients(self.parameters(), set_to_none)

    def state_dict(self) -> dict[str, Array]:
        """Return a copy of each parameter's value, by the paths of ``named_parameters``: a tied one once; then buffers.

        ``tl.save(module, path)`` writes them into a file.

        >>> import tinygrad_lstm as tl
        >>> {path: value.shape for path, value in tl.Linear(3, 2, rng=0).state_dict().items()}
        {'weight': (3, 2), 'bias': (2,)}
        """
        return {path: array_of(each) for path, each in (*self.named_parameters(), *self.named_buffers())}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> Unmatched:
        """Give each parameter, and buffer, the value that stands under its path, in its own type; on any error, none.

        With ``strict=False``, those that are missing keep their values and surplus names are left alone; both are
        returned.

        Raises:
            ValueError: for names that are missing or surplus, and in any case for shapes that differ.
            TypeError: for what are no arrays by name.

        >>> import tinygrad_lstm as tl
        >>> layer, other = tl.Linear(3, 2, rng=0), tl.Linear(3, 2, rng=1)
        >>> layer.load_state_dict(other.state_dict())
        Unmatched(missing_keys=[], unexpected_keys=[])
        >>> layer.load_state_dict({"wieght": other.weight, "bias": other.bias})
        Traceback (most recent call last):
        ValueError: Linear: the state does not fit, ...; missing: weight; surplus: wieght (is it weight?)
        """
        if isinstance(state, Mapping) and any(map(is_torchs, state.values())):
            raise TypeError("PyTorch lays its weights out otherwise: tl.from_torch(state, into=module) knows how")
        parameters = dict(self.named_parameters())
        wanted = {path: shape_and_type(each) for path, each in (*parameters.items(), *self.named_buffers())}
        values, unmatched = fitted(state, wanted, type(self).__name__, strict=strict)
        for path, value in values.items():
            if path in parameters:
                parameters[path].value = value
            else:
                owner, _, name = path.rpartition(".")
                replace_buffer(self.get_submodule(owner), name, value)
        return unmatched

    def _anew(self) -> partial[Any] | None:
        """Return the call that makes one of ours anew, but for its seed: what a file tells. None for a class of yours.

        It is the one that made it. What changes its parts later, as a list does, returns one with those of now.
        """
        return self.__made

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

    def __parts(self) -> Iterator[tuple[str, Any]]:
        """Yield what the attributes hold, each with its own name."""
        for name, value in vars(self).items():
            yield from inner(name, value)

    def __walk(self, prefix: str) -> Iterator[tuple[str, Tensor]]:
        for name, part in self.__parts():
            if isinstance(part, Module):
                yield from part.__walk(f"{prefix}{name}.")
            elif _is_parameter(part) or (name in self.__learned and isinstance(part, Tensor)):
                yield f"{prefix}{name}", part

    def __require_apart(self, attribute: str, parts: list[tuple[str, Any]]) -> None:
        """Refuse what has no path of its own: a module within itself, and two parts by one name."""
        names = {name for name, _ in parts}
        others = (  # a part alone is called as its attribute, and need not be looked at to know it
            pair
            for name, value in vars(self).items()
            if name != attribute and (name in names or not _is_part(value))
            for pair in inner(name, value)
        )
        held = {name: part for name, part in others if _is_part(part)}
        for name, part in parts:
            if isinstance(part, Module) and any(module is self for module in part.modules()):
                raise TypeError(
                    f"{type(self).__name__}.{attribute}: a module cannot be part of itself, and "
                    f"{'this is it' if part is self else f'{type(part).__name__} contains it'}; hand it over in a call"
                )
            if held.setdefault(name, part) is not part:
                raise ValueError(
                    f"{type(self).__name__}.{attribute}: two parts would share the path {name!r}; give one another name"
                )

    def __belong_to(self, name: str, instead: str | None = None) -> None:
        """Take the name of the first attribute one is assigned to, and pass it on to the parameters.

        A parameter that another module owns too keeps the name it has there. A module that has a name keeps it, unless
        that is the one to be replaced: what a list holds is called by the list's name, which it may learn late.
        """
        if self.__name != instead:
            return
        self.__name = name
        for own_name, part in self.named_children() if self.__only_holds else ():
            part.__belong_to(f"{name}.{own_name}", own_name if instead is None else f"{instead}.{own_name}")
        for path, parameter in self.named_parameters():
            full = f".{parameter.name}"
            if instead is None and not str(parameter.name).endswith(f".{path}"):
                parameter.name = f"{name}{full}"
            elif full.endswith(f".{instead}.{path}") and not full.endswith(f".{name}.{path}"):
                parameter.name = f"{full.removesuffix(f'{instead}.{path}')}{name}.{path}"[1:]

    def _moved(self, part: Module, old: str, new: str) -> None:
        """Give a part that one only holds the name of its new place."""
        before = f"{self.__name}." if self.__only_holds and self.__name else ""
        part.__belong_to(before + new, before + old)


_REFUSED = """
add_module register_module register_parameter: assign the part: module.name = part
register_buffer: a tensor that does not learn is an attribute like any other, and buffer_names has it in state dicts
register_forward_hook: tl.step(loss) stops at what is computed in it, forwards and backwards
to cuda cpu half float double: all is computed on the CPU; a layer is made in its type, with dtype=
"""
"""What to write for methods of PyTorch's that modules do not have."""


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


def forget_gradients(parameters: Iterable[Tensor], set_to_none: bool) -> None:
    """Set the gradients to None; refuse to make zeros of them."""
    true_or_false(set_to_none=set_to_none)
    if not set_to_none:
        raise ValueError("set_to_none must be True: gradients here are None, and no zeros, until they come")
    for parameter in parameters:
        parameter.grad = None


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
