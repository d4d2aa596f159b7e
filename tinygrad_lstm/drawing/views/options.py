"""What a person may ask of any view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.tensor import Tensor
from ...structure.path import Path
from ...structure.window import Window

Gradients = Mapping[Tensor, Any]

Notes = Mapping[Tensor | tuple[Tensor, Tensor], str]

DIRECTIONS = ("left-to-right", "top-to-bottom")
"""In which time may lead; the first unless one says otherwise."""

COLORS = ("gradient",)
"""By what boxes may be shaded."""


@dataclass(frozen=True)
class Options:
    """What to show and how, once ``draw`` has checked it; the options of ``draw`` are documented there."""

    values: bool = False
    gradients: Gradients | None = None
    shapes: bool = True
    colored: bool = False  # by the magnitude of the gradient
    steps: Window = None
    highlight: Path | None = None
    depth: int | None = None
    expand: tuple[str, ...] = ()
    downwards: bool = False
    legend: bool = False
    loss: bool = False
    longest: int | None = None  # steps of a sequence that are shown, where none are asked for
