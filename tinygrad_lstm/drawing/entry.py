"""The function that draws: it checks what it is asked for, and has a view make the scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, overload

import numpy as np

from ..engine.backprop import gradients as backward_gradients
from ..engine.errors import kind_of, short
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from ..structure import collector
from ..structure.path import Path
from ..structure.window import Window
from ..structure.words import clean
from . import legend as legends
from .figures.figure import Figure
from .figures.registry import FIGURES, FigureKind
from .fits import FITS, Fit
from .fitting import fitted
from .picture import FittedPicture, Picture
from .scene import Scene, Text
from .views.options import COLORS, DIRECTIONS, Gradients, Notes, Options
from .views.registry import VIEWS, View

FigureName = Literal["openings", "rainbow", "jacobian", "saturation", "influence", "story", "belt"]
"""What editors are told of the figures; a test compares it with the registry."""


@overload
def draw(  # type: ignore[overload-overlap]
    x: Tensor, view: FigureName, *, steps: Window = None, highlight: Path | None = None, fit: str | None = None
) -> Figure: ...
@overload
def draw(
    x: Tensor,
    view: str = "ops",
    *,
    values: bool = False,
    gradients: bool | Gradients = False,
    shapes: bool | None = None,
    color: str | None = None,
    steps: Window = None,
    highlight: Path | None = None,
    depth: int | None = None,
    expand: str | Sequence[str] = (),
    direction: str = "left-to-right",
    legend: bool = False,
    loss: bool = False,
    notes: Notes | None = None,
    fit: str | None = None,
) -> Picture: ...
def draw(
    x: Tensor,
    view: str = "ops",
    *,
    values: bool = False,
    gradients: bool | Gradients = False,
    shapes: bool | None = None,
    color: str | None = None,
    steps: Window = None,
    highlight: Path | None = None,
    depth: int | None = None,
    expand: str | Sequence[str] = (),
    direction: str = "left-to-right",
    legend: bool = False,
    loss: bool = False,
    notes: Notes | None = None,
    fit: str | None = None,
) -> Picture | Figure:
    """Return a picture of the computation behind a tensor, from the graph that ran. Same graph, same DOT text, always.

    The views:
      <views>

    The figures, which know of the options ``steps`` and ``fit``, and ``rainbow`` also ``highlight``, for one weight:
      <figures>

    The options, for any view:
      ``values``      the numbers of each node, or the norm of a larger one
      ``gradients``   ∂x/∂node for a number x, from a walk that leaves every ``.grad`` alone; or a mapping from nodes to
                      gradients, such as ``stepper.gradients``, which marks the rest as not computed yet
      ``shapes``      the shape of each node; shown by default, but not in an opened cell
      ``color``       ``"gradient"`` shades every box by the magnitude of its gradient, on a logarithmic scale of
                      those that are drawn
      ``steps``       ``(a, b)`` shows the time steps of ``range(a, b)``, ``"all"`` every one; without it a long
                      sequence is shown by its first and last steps
      ``highlight``   a ``tl.path(output, x)``: everything else fades
      ``depth``       how many levels of modules to open; 0 keeps all cells closed in ``"gates"``
      ``expand``      opens single ones by name: ``"t1"``, ``"t1.cell"`` or, in every step, ``"cell"``
      ``direction``   of time: <directions>
      ``legend``      what the shapes, lines and colours mean
      ``loss``        in the views of a network, also what comes after its last step and needs no weight: the loss
      ``fit``         makes the picture legible in one of the places below: larger words, time in rows, fewer steps
      ``notes``       words to write at a node, ``{y: "look here"}``, or at one node's use by another, ``{(x, y): ...}``

    The places, with CSS pixels or inches:
      <fits>

    Raises ValueError for a view, a step, a name, a path or a direction that there is not, TypeError for an option of
    another kind than these.

    >>> import tinygrad_lstm as tl
    >>> picture = tl.draw(tl.tanh(tl.tensor(0.5, name="x")))
    >>> print(picture.source.splitlines()[0])
    digraph "How tanh of shape scalar was computed" {
    """
    if not isinstance(x, Tensor):
        one = "; draw one of it, as in output, (h_n, c_n) = lstm(xs) and draw(output)" if isinstance(x, tuple) else ""
        raise TypeError(f"draw shows how a tensor was computed; got {kind_of(x)}{one}")
    _choose("view", view, (*VIEWS, *FIGURES))
    _choose("color", color, (None, *COLORS))
    _choose("fit", fit, (None, *FITS))
    _choose("direction", direction, DIRECTIONS)
    for name, flag in (("values", values), ("legend", legend), ("loss", loss), ("shapes", shapes)):
        if flag is not None and not isinstance(flag, bool):
            raise TypeError(f"{name} must be True or False, not {flag!r}")
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 0):
        raise ValueError(f"depth must be a whole number of levels to open, not {depth!r}")
    if highlight is not None and not isinstance(highlight, Path):
        raise TypeError(f"highlight takes a path, as from tl.path(loss, h0), not {type(highlight).__name__}")
    if not isinstance(gradients, bool | Mapping):
        raise TypeError(f"gradients must be True, or a mapping from tensors to gradients, not {gradients!r}")
    names = (expand,) if isinstance(expand, str) else expand
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"expand takes the name of a module, such as 't1.cell', or several, not {expand!r}")
    graph, taken = Graph(x).opened()
    if view in FIGURES:
        others: dict[str, object] = {
            "values": values,
            "gradients": gradients,
            "shapes": shapes is not None,
            "color": color,
        }
        others |= {"depth": depth is not None, "expand": expand, "direction": direction != DIRECTIONS[0]}
        others |= {"legend": legend, "loss": loss, "notes": notes}
        figure = _figure(graph, view, steps, highlight, [name for name, given in others.items() if given])
        return figure.fitted(fit)
    if taken:
        x, notes = graph.output, _moved_notes(notes, taken)
        if isinstance(gradients, Mapping):
            moved = ((taken.get(node, node), gradient) for node, gradient in gradients.items())
            gradients = {node: gradient for node, gradient in moved if node.shape == gradient.shape}
    if highlight is not None and not {highlight.start, highlight.end} <= set(graph.nodes):
        raise ValueError(f"nothing to highlight: {highlight!r} is not in the graph of {short(x)}")
    if not isinstance(notes, Mapping | None):
        raise TypeError(f"notes are a mapping from tensors to words, not {short(notes)}")
    known: set[Any] = {*graph.nodes, *((x, node) for node in graph.nodes for x in node.inputs)} if notes else set()
    for about, note in (notes or {}).items():
        if about not in known or not isinstance(note, str):
            raise ValueError(
                f"a note is about a node of the graph, or a pair (x, y) where y uses x; got {short(about)}"
            )
    if gradients is True or (color and gradients is False and not VIEWS[view].walks_back):
        with np.errstate(all="ignore"):
            gradients = backward_gradients(x)
    options = Options(
        values=values,
        gradients=gradients if isinstance(gradients, Mapping) else None,
        shapes=VIEWS[view].shapes if shapes is None else shapes,
        colored=color is not None,
        steps=steps,
        highlight=highlight,
        depth=depth,
        expand=tuple(names),
        downwards=direction == DIRECTIONS[1],
        legend=legend,
        loss=loss or highlight is not None or bool(notes),
    )

    def scene_of(view: str, options: Options, longest: int | None = None) -> Scene:
        with collector.paused():
            scene = VIEWS[view].scene(graph, replace(options, longest=longest))
        if highlight is not None:
            _fade(scene, highlight)
        _write_notes(scene, notes or {})
        scene.shade(colored=options.colored)
        scene.drop_empty_columns()
        scene.key = legends.key(scene, options, graph)
        return scene

    if fit is None:
        return Picture(scene_of(view, options))
    ways = {said: partial(scene_of, *how) for said, how in _ways(view, options, shapes).items()}
    return FittedPicture(fitted(partial(scene_of, view, options), fit, ways))


def _ways(view: str, options: Options, shapes: bool | None) -> dict[str, tuple[str, Options]]:
    """Return what may draw less than was asked for, by the words for it: a view and its options."""
    views = {"ops": ["gates", "cells"], "backward": ["gates", "cells"], "gates": ["cells"]}.get(view, [])
    ways = {
        f"view={each!r}": (each, replace(options, shapes=VIEWS[each].shapes if shapes is None else shapes))
        for each in views
    }
    if isinstance(options.steps, tuple) or (options.steps == "all" and view != "rolled"):
        first = options.steps[0] if isinstance(options.steps, tuple) else 0
        if options.steps != (first, first + 1):
            ways["steps=(a, b) of fewer steps"] = view, replace(options, steps=(first, first + 1))
    less = {
        "values": replace(options, values=False),
        "gradients": replace(options, gradients=None),
        "shapes": replace(options, shapes=False),
    }
    ways |= {f"no {name}": (view, without) for name, without in less.items() if getattr(options, name)}
    turned = replace(options, downwards=not options.downwards)
    return ways | {f"direction={DIRECTIONS[turned.downwards]!r}": (view, turned)}


def _figure(graph: Graph, name: str, steps: Window, highlight: Path | None, others: list[str]) -> Figure:
    """Return a figure; refuse options that mean nothing for it."""
    kind = FIGURES[name]
    known = {"steps": steps, "highlight": highlight}
    strange = [*others, *(each for each, given in known.items() if given is not None and each not in kind.takes)]
    if strange:
        raise ValueError(
            f"{' and '.join(strange)} mean{'s' if len(strange) == 1 else ''} nothing for the figure {name!r}, which "
            f"takes {' and '.join((*kind.takes, 'fit'))}; the views take all options: {', '.join(VIEWS)}"
        )
    with collector.paused():
        return kind.figure(graph, **{each: known[each] for each in kind.takes})


def _moved_notes(notes: Any, taken: Mapping[Tensor, Tensor]) -> Any:
    """Return notes about what has taken the place of their nodes; about the node, where it does not use the other."""
    if not isinstance(notes, Mapping):
        return notes
    found: dict[Any, Any] = {}
    for about, note in notes.items():
        if isinstance(about, tuple) and len(about) == 2:
            x, y = (taken.get(each, each) for each in about)
            found[(x, y) if isinstance(y, Tensor) and any(x is i for i in y.inputs) else y] = note
        else:
            found[taken.get(about, about)] = note
    return found


def _quoted(name: str) -> str:
    return f'``"{name}"``'


def _listed(entries: Mapping[str, View | FigureKind | Fit]) -> str:
    return "\n      ".join(f"{_quoted(name):<15} {entry.meaning}" for name, entry in entries.items())


if draw.__doc__:  # which python -OO leaves out
    for blank, words in {
        "<views>": _listed(VIEWS),
        "<figures>": _listed(FIGURES),
        "<fits>": _listed(FITS),
        "<directions>": " or ".join(map(_quoted, DIRECTIONS)),
    }.items():
        draw.__doc__ = draw.__doc__.replace(blank, words)


def _fade(scene: Scene, path: Path) -> None:
    """Fade all that is not on the path; arrows on it are thick."""
    for box in scene.boxes:
        box.faded = not any(node in path for node in box.shows)
    for arrow in scene.arrows:
        if arrow.uses:
            arrow.thick = any(x in path and node in path for x, node in arrow.uses)
            arrow.faded = not arrow.thick


def _write_notes(scene: Scene, notes: Notes) -> None:
    for about, note in notes.items():  # looked up in sets, since == compares the numbers of tensors
        for box in scene.boxes:
            if about in set(box.shows) and box.role != "echo":
                box.texts = (*box.texts, Text(clean(note), "note"))
        for arrow in scene.arrows:
            if about in set(arrow.uses):
                arrow.label = ", ".join(filter(None, (arrow.label, clean(note))))
                arrow.role = "noted" if arrow.role != "gradient" else arrow.role


def _choose(what: str, given: Any, there_are: Any) -> None:
    if given not in tuple(there_are):
        choices = " or ".join(repr(choice) for choice in there_are)
        raise ValueError(f"unknown {what} {given!r}; choose {choices}")
