"""What leaves the package and comes back: models as files, each format in one, written whole; others' weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .keras import from_keras, to_keras
    from .onnx_export import export_onnx
    from .onnx_import import OnnxLayers, import_onnx
    from .saved import load, save
    from .torch import from_torch, to_torch

__all__ = [
    "OnnxLayers",
    "export_onnx",
    "from_keras",
    "from_torch",
    "import_onnx",
    "load",
    "save",
    "to_keras",
    "to_torch",
]


def __getattr__(name: str) -> object:
    """Import what is used: who writes a picture into a file needs no networks."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import keras, onnx_export, onnx_import, saved, torch

    return next(getattr(home, name) for home in (saved, torch, keras, onnx_export, onnx_import) if hasattr(home, name))
