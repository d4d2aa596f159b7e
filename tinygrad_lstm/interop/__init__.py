"""What leaves the package and comes back: models as files, one format each, written whole; and other libraries' weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .saved import load, save
    from .torch import from_torch, to_torch

_HOMES = {"load": "saved", "save": "saved", "from_torch": "torch", "to_torch": "torch"}

__all__ = ["from_torch", "load", "save", "to_torch"]


def __getattr__(name: str) -> object:
    """Import what is used: who writes a picture into a file needs no networks."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
