"""What leaves the package and comes back: models as files, one format each, written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .saved import load, save

__all__ = ["load", "save"]


def __getattr__(name: str) -> object:
    """Import saving and loading when they are used: who writes a picture into a file needs no networks."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import saved

    return getattr(saved, name)
