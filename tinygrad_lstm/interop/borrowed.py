"""A module of a PyTorch class of the user's, as one of ours: its parts are ours, its methods borrowed as they are."""

from __future__ import annotations

import dis
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import wraps
from itertools import pairwise
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from ..engine.overwritten import OVERWRITTEN, Overwritten, require_unread
from ..engine.pytorch import SPOKEN
from ..engine.scope import current
from ..engine.source import Line, skip_file
from ..engine.tensor import Tensor, tensor
from ..nn.module import Module
from ..structure.words import clean
from .torch_functions import speak

skip_file(__file__)

_KEPT = {"__len__", "__getitem__", "__iter__", "__contains__"}
"""What of the methods with two underscores is the user's own; the others make, name and call a module."""


def borrowed(theirs: Any, parts: dict[str, Module], torch: Any) -> Module:
    """Return a module with these parts and with theirs' methods, settings, buffers and own parameters.

    Its class is called as theirs, so that the picture says what the user knows. Raises ValueError for methods that
    would mean something else here.
    """
    _require_that_it_means_the_same(theirs, torch)
    speak()
    own = vars(torch.nn.Module())
    module: Module = _class_of(type(theirs), torch)()
    for name, value in vars(theirs).items():
        if name not in own:
            setattr(module, name, ours(name, value, torch))
    for name, buffer in theirs._buffers.items():
        setattr(module, name, ours(name, buffer, torch))
    module._buffers = frozenset(theirs._buffers)
    module.buffer_names = tuple(name for name in theirs._buffers if name not in theirs._non_persistent_buffers_set)
    for name, parameter in theirs._parameters.items():
        setattr(module, name, None if parameter is None else learning(parameter))
    for name, part in theirs._modules.items():
        setattr(module, name, parts.get(name) if part is not None else None)
    return module


_SWITCHES = {"no_grad", "enable_grad", "set_grad_enabled", "inference_mode"}


def _require_that_it_means_the_same(theirs: Any, torch: Any) -> None:
    """Refuse methods that switch PyTorch's gradients, call a Function of its autograd, or read a matrix turned here."""
    turned = {path.rpartition(".")[2] for path, part in theirs.named_modules() if type(part) is torch.nn.Linear}
    own_weight = "weight" in {*theirs._parameters, *theirs._buffers}
    for name, function in _methods_of(type(theirs), torch).items():
        if not inspect.isfunction(function):
            continue
        plain = inspect.unwrap(function)
        read = list(_instructions(plain.__code__))
        names = {each.argval for each in read if isinstance(each.argval, str)}
        decorated = function is not plain and "torch" in Path(function.__code__.co_filename).parts
        if decorated or names & _SWITCHES:
            raise ValueError(
                f"its {name} switches PyTorch's gradients, which ours do not see; detach() is seen by both"
            )
        of_autograd = [each for each in names if _is_function_of_autograd(plain.__globals__.get(each), torch)]
        if of_autograd:
            raise ValueError(f"its {name} calls {min(of_autograd)}, whose backward would not run: see tl.primitive")
        owners = [before for before, each in pairwise(read) if each.opname == "LOAD_ATTR" and each.argval == "weight"]
        whose = next((found for each in owners if (found := _turned_owner(each, turned, own_weight))), None)
        if whose:
            raise ValueError(f"its {name} reads {whose}.weight, whose rows and columns change places here: call it")


def _turned_owner(owner: dis.Instruction, turned: set[str], own_weight: bool) -> str | None:
    """Return which layer a weight is read of, by the instruction before; None of one that stands as it does there."""
    if owner.opname in ("LOAD_ATTR", "LOAD_METHOD"):
        return owner.argval if owner.argval in turned else None
    is_self = own_weight and owner.opname.startswith("LOAD_FAST")
    return "a layer" if turned and not is_self else None


def _is_function_of_autograd(x: Any, torch: Any) -> bool:
    return isinstance(x, type) and issubclass(x, torch.autograd.Function)


def _instructions(code: CodeType) -> Iterator[dis.Instruction]:
    """Yield the instructions of a function, and of those within it."""
    yield from dis.get_instructions(code)
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _instructions(each)


class _OfForward(list[Tensor]):
    """Parameters; the next one is the first, as where a ``forward`` asks PyTorch for the type of any."""

    def __next__(self) -> Tensor:
        return self[0]


_WALKED = (
    "a forward that walks its parameters meets others here, merged and turned; add what it makes of them to the loss, "
    "of m.parameters()"
)


class _OfTheirs(_OfForward):
    """What stands for parameters of PyTorch's: the first tells their type, and none their numbers."""

    def __iter__(self) -> Iterator[Tensor]:
        raise TypeError(_WALKED)

    __len__ = __getitem__ = __iter__  # type: ignore[assignment]

    def __next__(self) -> Tensor:
        return list.__getitem__(self, 0)


class _Borrowed(Module):
    """What the modules have in common whose methods are the user's."""

    _buffers: frozenset[str] = frozenset()  # by their names, those that do not persist too

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep whole numbers as PyTorch has them, as the methods expect; forget how a buffer was computed."""
        if name in self.buffer_names and isinstance(value, np.ndarray):
            value = sys.modules["torch"].as_tensor(value)
        if name in self._buffers and isinstance(value, Tensor) and not value.requires_grad:
            value = value.detach()
        super().__setattr__(name, value)

    def parameters(self) -> list[Tensor]:
        """Return the parameters; in a forward, where it has parts that hold others, what tells their type alone."""
        found = [parameter for _, parameter in super().named_parameters()]
        if SPOKEN.get() is None or not any(self.children()):
            return _OfForward(found)
        return _OfTheirs([tensor(np.zeros((), each.dtype)) for each in found[:1]])

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        if SPOKEN.get() is not None and any(self.children()):
            raise TypeError(_WALKED)
        return super().named_parameters()


def _class_of(cls: type, torch: Any) -> type[Module]:
    """Return a class with the methods of a class of the user's, and of those it derives from."""
    methods = _methods_of(cls, torch)
    if inspect.isfunction(methods.get("forward")):
        methods["forward"] = _reading(methods["forward"], torch)
    return type(cls.__name__, (_Borrowed,), {**methods, "__module__": cls.__module__, "__doc__": cls.__doc__})


def _methods_of(cls: type, torch: Any) -> dict[str, Any]:
    its_own = [base for base in reversed(cls.__mro__) if base not in (object, *torch.nn.Module.__mro__)]
    return {
        name: thing
        for base in its_own
        for name, thing in vars(base).items()
        if not name.startswith("__") or name in _KEPT
    }


def _reading(forward: Callable[..., Any], torch: Any) -> Callable[..., Any]:
    """Return a forward that finds what it expects: tensors of ours, and whole numbers as PyTorch has them."""

    def read(given: Any) -> Any:
        if type(given) is np.ndarray and given.dtype.kind in "iub":
            return torch.from_numpy(given.copy())
        real = type(given) is np.ndarray or (isinstance(given, torch.Tensor) and given.is_floating_point())
        return tensor(given) if real else given

    @wraps(forward)
    def reading(self: Any, *args: Any, **kwargs: Any) -> Any:
        before, outer = SPOKEN.set(torch.as_tensor), OVERWRITTEN.get()
        noted: list[Overwritten] = [] if outer is None else outer
        within = OVERWRITTEN.set(noted)
        try:
            made = forward(self, *map(read, args), **{name: read(value) for name, value in kwargs.items()})
            if outer is None and noted:
                require_unread(_tensors_in(made), noted)
            return made
        except (TypeError, AttributeError) as error:
            hint = next((hint for words, hint in _HINTS.items() if words in str(error)), None)
            if hint is None or _PLACE in str(error):
                raise
            first = clean(str(error).partition("\n")[0], 160)
            raise type(error)(
                f"{first}{hint}{_PLACE}{type(self).__name__}{current().place}, {_line_of(error)}"
            ) from error
        finally:
            SPOKEN.reset(before)
            OVERWRITTEN.reset(within)

    return reading


def _tensors_in(made: Any) -> Iterator[Tensor]:
    """Yield the tensors of what a forward returns, at any depth."""
    if isinstance(made, Tensor):
        yield made
    elif isinstance(made, dict | list | tuple):
        for part in made.values() if isinstance(made, dict) else made:
            yield from _tensors_in(part)


_HINTS = {
    "numpy.dtypes.": "; x.dtype is numpy's here; x.new_zeros(2, 3) makes one of the type of x",
    "is no operation of it": "",
    "is no operation of tinygrad_lstm": "",
    "a tensor has no ": "",
    "tensor lives in the memory of the processor": "",
    "unexpected keyword": "",
    "walks its parameters": "",
    "positional argument": "",
}
"""What is said where a forward meets what there is not here, and more words on it."""

_PLACE = ": in forward of "


def _line_of(error: BaseException) -> str:
    """Return the file and line of the user's program at which an error arose."""
    lines = [Line(frame.f_code.co_filename, number) for frame, number in traceback.walk_tb(error.__traceback__)]
    theirs = [line for line in lines if not line.ours and "torch" not in Path(line.file).parts]
    return str((theirs or lines)[-1])


def learning(parameter: Any) -> Tensor:
    """Return a parameter of PyTorch's as one of ours."""
    return tensor(parameter.detach().cpu().numpy(), requires_grad=True)


def ours(name: str, value: Any, torch: Any) -> Any:
    """Return tensors of real numbers as ours, which do not learn, others as copies, at any depth; all else as it is.

    Raises ValueError for what learns and is no parameter: PyTorch itself does not find it.
    """
    if type(value) in (list, tuple):
        return type(value)(ours(name, part, torch) for part in value)
    if isinstance(value, torch.nn.Module) or (isinstance(value, torch.Tensor) and value.requires_grad):
        raise ValueError(f"what its {name} holds learns, and is no part that PyTorch finds either")
    if not isinstance(value, torch.Tensor):
        return value
    array = value.cpu().numpy()
    return tensor(array) if array.dtype in (np.float64, np.float32) else value.clone()
