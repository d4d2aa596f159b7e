"""The one door to all views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..engine.backprop import gradients as backward_gradients
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .gates import gates
from .options import DIRECTIONS, Gradients, Options
from .path import Path
from .picture import Picture
from .scene import Scene
from .timeline import Window
from .unrolled import cells, ops

VIEWS: dict[str, Callable[[Graph, Options], Scene]] = {"ops": ops, "gates": gates, "cells": cells}


def draw(
    x: Tensor,
    view: str = "ops",
    *,
    values: bool = False,
    gradients: bool | Gradients = False,
    shapes: bool = True,
    color: str | None = None,
    steps: Window = None,
    highlight: Path | None = None,
    depth: int | None = None,
    expand: str | Sequence[str] = (),
    direction: str = "left-to-right",
    legend: bool = False,
) -> Picture:
    """A picture of the computation behind a tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"draw shows how a tensor was computed; got {type(x).__name__}")
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r}; choose {' or '.join(map(repr, VIEWS))}")
    if gradients is True or (color and gradients is False):
        gradients = backward_gradients(x)
    options = Options(
        values=values,
        gradients=gradients if isinstance(gradients, Mapping) else None,
        shapes=shapes,
        colored=color == "gradient",
        steps=steps,
        highlight=highlight,
        depth=depth,
        expand=(expand,) if isinstance(expand, str) else tuple(expand),
        downwards=direction == DIRECTIONS[1],
        legend=legend,
    )
    return Picture(VIEWS[view](Graph(x), options))
