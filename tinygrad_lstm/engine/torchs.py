"""What PyTorch's functions do with our tensors, as in a ``forward`` written for it: what ours of that name do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import functions, ops
from .methods import methods
from .overwritten import written_over
from .pytorch import NAMES, is_torchs

_LEFT_OUT = ("_stacklevel", "inplace")
"""Settings of PyTorch's that say nothing here: no tensor is changed in place, which ``written_over`` takes note of."""

_COMPARED: dict[str, Callable[..., Any]] = {"allclose": np.allclose, "isclose": np.isclose, "equal": np.array_equal}
"""Functions of PyTorch's that compare numbers, and pass no gradient."""

KNOWN: dict[str, Callable[..., Any]] = {**methods(), ".where": methods()["where"], "where": ops.where}
"""PyTorch's functions by name, beside those of the engine that are called alike; rooms above add theirs.

A name with a dot is that of a method of PyTorch's tensors alone.
"""

METHODS: dict[str, Callable[..., Any]] = {}
"""Methods of PyTorch's that tensors have where PyTorch is spoken, and nowhere else; a room above adds them."""


def call(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call what is known by the name of a function of PyTorch's, with PyTorch's tensors as arrays.

    Raises TypeError for a name that is not known, and for a tensor of PyTorch's that learns and would get no gradient.
    """
    own, name = name, name.lstrip(".")
    ours = NAMES.get(name, name)
    known = KNOWN.get(own) or KNOWN.get(name) or getattr(functions, ours, None) or ops.BUILTIN.get(ours)
    if name in _COMPARED:
        return _COMPARED[name](*map(_numbers, args), **kwargs)
    if known is None:
        raise TypeError(f"torch's {name:.60} is given a tensor of tinygrad_lstm, and is no operation of it")
    said = {key: as_array(value) for key, value in kwargs.items() if value is not None and key not in _LEFT_OUT}
    first = [said.pop("input")] if "input" in said and not args else []  # as PyTorch calls it
    made = known(*first, *map(as_array, args), **said)
    return written_over((*first, *args)[0], made) if kwargs.get("inplace") else made


def _numbers(thing: Any) -> Any:
    """Return the numbers of a tensor, ours or PyTorch's, without a gradient."""
    return thing.detach().cpu().numpy() if hasattr(type(thing), "__torch_function__") else thing


def as_array(thing: Any) -> Any:
    """Return PyTorch's tensors as arrays, at any depth, and all else as it is."""
    if type(thing) in (list, tuple):
        return type(thing)(map(as_array, thing))
    if not is_torchs(thing):
        return thing
    if thing.requires_grad:
        raise TypeError(
            "a tensor of PyTorch's that requires a gradient meets one of tinygrad_lstm, and would get none; what "
            "learns is a parameter of a module that tl.from_torch was given, an input tl.tensor(x.detach(), "
            "requires_grad=True)"
        )
    return thing.cpu().numpy()
