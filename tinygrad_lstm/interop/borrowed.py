"""A module of a PyTorch class of the user's, as one of ours: its parts are ours, its methods borrowed as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import tensor
from ..nn.module import Module

_KEPT = {"__len__", "__getitem__", "__iter__", "__contains__"}
"""What of the methods with two underscores is the user's own; the others make, name and call a module."""


def borrowed(theirs: Any, parts: dict[str, Module], torch: Any) -> Module:
    """Return a module with these parts and with theirs' methods, settings, buffers and own parameters.

    Its class is called as theirs, so that the picture says what the user knows.
    """
    own = vars(torch.nn.Module())
    module: Module = _class_of(type(theirs), torch)()
    for name, value in vars(theirs).items():
        if name not in own:
            setattr(module, name, _ours(name, value, torch))
    for name, buffer in theirs._buffers.items():
        setattr(module, name, _ours(name, buffer, torch))
    for name, parameter in theirs._parameters.items():
        array = None if parameter is None else parameter.detach().cpu().numpy()
        setattr(module, name, None if array is None else tensor(array, requires_grad=True))
    for name, part in theirs._modules.items():
        setattr(module, name, parts.get(name) if part is not None else None)
    return module


def _class_of(cls: type, torch: Any) -> type[Module]:
    """Return a class with the methods of a class of the user's, and of those it derives from."""
    its_own = [base for base in reversed(cls.__mro__) if base not in (object, *torch.nn.Module.__mro__)]
    methods = {
        name: thing
        for base in its_own
        for name, thing in vars(base).items()
        if not name.startswith("__") or name in _KEPT
    }
    return type(cls.__name__, (Module,), {**methods, "__module__": cls.__module__, "__doc__": cls.__doc__})


def _ours(name: str, value: Any, torch: Any) -> Any:
    """Return tensors of real numbers as ours, which do not learn, others as arrays, at any depth; all else as it is.

    Raises ValueError for what learns and is no parameter: PyTorch itself does not find it.
    """
    if type(value) in (list, tuple):
        return type(value)(_ours(name, part, torch) for part in value)
    if isinstance(value, torch.nn.Module) or (isinstance(value, torch.Tensor) and value.requires_grad):
        raise ValueError(f"what its {name} holds learns, and is no part that PyTorch finds either")
    if not isinstance(value, torch.Tensor):
        return value
    array = value.cpu().numpy()
    return tensor(array) if array.dtype in (np.float64, np.float32) else array
