"""The rainbow: the gradient of a weight as ribbons, one for each time step, as the backward walk brings them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...engine.backprop import backprop
from ...engine.graph import Graph
from ...engine.primitive import Array
from ...engine.tensor import Tensor
from ...pages.plot import Axis, linear_axis
from ...pages.theme import INK, MUTED, PAPER, TIME_SHADES
from ...structure.path import Path
from ...structure.timeline import Timeline
from ...structure.window import Window
from ...structure.words import clean, magnitude, short, shown
from . import fault
from .axes import grid
from .figure import Figure, NoFigure
from .maps import Frame, below
from .paper import BODY, BOLDER, MARGIN, SMALL, WIDTH, Paper, told_apart
from .reading import Recorded
from .walk import BackwardWalk

WIDE, HIGH, LEFT, RIGHT = 378.0, 150.0, 78.0, 40.0
"""Pixels of a panel, and what is beside its ribbons: on the left what each is called, on the right numbers."""

NORM = 98.0
"""Pixels for the norm beside the name of a weight."""

FINE = 40
"""Steps: of more, the ribbons have no hairline between them, which would be all that one sees."""

LEAST = 13.0
"""Pixels: a ribbon at least so thick has its step and its share written beside it."""


def rainbow(graph: Graph, steps: Window = None, highlight: Path | None = None) -> Figure:
    """Draw ‖g_t‖ of each weight of the cells, where g_t is what the uses at step t add to its gradient, as a stack.

    Time leads to the right, the walk to the left: a ribbon begins at its step, and the stack is whole at the first one.
    The line is the norm of what has been added up so far. ``highlight``, a path from a weight, shows that one alone.

    Source: the sum over time, P. J. Werbos, "Backpropagation Through Time: What It Does and How to Do It" (1990).
    """
    reading = Recorded(graph, steps)
    weights = _chosen(reading, highlight)
    parts = {weight: found for weight, found in by_step(graph, reading.timeline, weights).items() if found}
    if not parts:
        raise NoFigure("the loss does not depend on any weight of a recurrent cell: there is no gradient to draw")
    _require_numbers(reading, parts)
    paper = Paper("Where in time the gradient comes from", _sentence(parts, reading))
    y, wide = paper.bottom + 4, len(parts) == 1
    across = WIDTH - 2 * MARGIN if wide else WIDE
    names = told_apart([_called(weight) for weight in parts], BODY, (across - RIGHT - NORM) / BOLDER)
    for number, (name, found) in enumerate(zip(names, parts.values(), strict=True)):
        column = number % 2
        if number and not column:
            y = paper.bottom + 16
        frame = (MARGIN + LEFT + column * (WIDE + 22), y + 24, across - LEFT - RIGHT, HIGH * (1.6 if wide else 1.0))
        _panel(paper, frame, name, found, reading)
    y = paper.bottom + 16
    x = MARGIN + LEFT + paper.scale(MARGIN + LEFT, y, ("first step", "last step"), shades=TIME_SHADES) + 30
    paper.line([(x, y + 5), (x + 24, y + 5)], INK, width=2)
    paper.text(x + 32, y + 9, "norm of what the walk has added up so far", size=SMALL, ink=MUTED)
    return Figure(paper)


def by_step(graph: Graph, timeline: Timeline, weights: Iterable[Tensor]) -> dict[Tensor, dict[int, Array]]:
    """Return what the uses at each step contribute to the gradient of each weight, in the order of the walk."""
    found: dict[Tensor, dict[int, Array]] = {weight: {} for weight in weights}
    with np.errstate(all="ignore"):
        for edge in backprop(graph.output):
            t = timeline.of.get(edge.node)
            if edge.input in found and t is not None:
                parts = found[edge.input]
                parts[t] = parts[t] + edge.contribution if t in parts else edge.contribution
    return found


def _chosen(reading: Recorded, highlight: Path | None) -> list[Tensor]:
    if highlight is not None:
        return [highlight.start]
    found = [weight for cell in reading.cells for weight in reading.weights_of(cell)]
    return [weight for weight in found if weight.ndim > 1] or found


def _require_numbers(reading: Recorded, parts: dict[Tensor, dict[int, Array]]) -> None:
    """Refuse ribbons of NaN or Inf: of those there is neither a width nor a sum."""
    for weight, found in parts.items():
        wrong = [t for t, part in found.items() if not np.isfinite(part).all()]
        if wrong:
            graph = reading.graph
            seeds = {graph.output: np.ones(graph.output.shape)}
            cause = fault.of_walk(reading.timeline, BackwardWalk(graph, parts), seeds) or "it overflowed"
            raise NoFigure(
                f"the gradient of {_called(weight)} is not a number: what step {wrong[0]} adds to it, which the walk "
                f"comes to first, holds NaN or Inf; {cause}"
            )


def _sentence(parts: dict[Tensor, dict[int, Array]], reading: Recorded) -> str:
    norms = {weight: {t: magnitude(part) for t, part in found.items()} for weight, found in parts.items()}
    weight = max(norms, key=lambda each: sum(norms[each].values()))
    whole = sum(norms[weight].values()) or 1.0
    largest = sorted(norms[weight], key=lambda t: -norms[weight][t])[:3]
    share = sum(norms[weight][t] for t in largest) / whole
    total = magnitude(np.sum(list(parts[weight].values()), axis=0))
    at = ", ".join(str(t) for t in sorted(largest))
    return (
        "Each ribbon is what one time step adds to a weight’s gradient, each on its own scale. "
        f"Of {_called(weight)}, {share:.0%} comes from step{'s' if len(largest) > 1 else ''} {at}; all steps add "
        f"{shown(whole, 3)}, of which {1 - total / whole:.0%} cancels, and {shown(total, 3)} is left.{reading.note}"
    )


def _called(weight: Tensor) -> str:
    return clean(weight.name or "the weight")


def _panel(paper: Paper, frame: Frame, name: str, parts: dict[int, Array], reading: Recorded) -> None:
    """Draw the ribbons of one weight on a scale of their own, the first to arrive lowest.

    Of a cell that reads from the end, the walk goes to the right: then all of it is mirrored.
    """
    x, y, wide, high = frame
    steps, mirrored = reading.steps, next(iter(parts)) < next(reversed(parts))
    whole = sum(map(magnitude, parts.values())) or 1.0
    axis = linear_axis([0.0, whole], y + high, y)._replace(low=0.0, high=whole)
    ticks = tuple(tick for tick in axis.ticks[2::2] if axis.at(tick[0]) > y + 14)
    x += RIGHT - LEFT if mirrored else 0.0
    grid(paper, (x, y, wide, high), axis._replace(ticks=ticks), right=not mirrored)
    paper.text(frame[0] - LEFT, y - 9, name, bold=True)
    left = shown(magnitude(np.sum(list(parts.values()), axis=0)), 3)
    paper.text(frame[0] + wide, y - 9, f"norm {left}", size=SMALL, ink=MUTED, anchor="end", room=NORM - 8)
    running = _ribbons(paper, (x, y, wide, high), parts, steps, axis, mirrored)
    paper.line(running, PAPER, width=4.5)
    paper.line(running, INK, width=2)
    paper.bottom = y + high
    below(paper, x, wide / len(steps), [str(t) for t in steps], "time step")


def _ribbons(
    paper: Paper, frame: Frame, parts: dict[int, Array], steps: list[int], axis: Axis, mirrored: bool
) -> list[tuple[float, float]]:
    """Draw a ribbon for each step, from where it adds to where the stack is whole; return the line of the sums."""
    x, _, wide, _ = frame
    end, back = (x + wide, 1) if mirrored else (x, -1)  # where the stack is whole, and where the walk leads
    column, line = wide / len(steps), 0.6 if len(steps) <= FINE else 0.0
    height, total, running = 0.0, np.zeros(()), []
    for t, part in parts.items():
        norm, total = magnitude(part), total + part
        if t in steps:
            k = steps.index(t)
            begin, top = x + (k + (not mirrored)) * column, height + norm
            rise = [(begin + back * column * u, height + norm * _smooth(u)) for u in (0, 0.2, 0.4, 0.6, 0.8, 1.0)]
            points = [(across, axis(up)) for across, up in (*rise, (end, top), (end, height))]
            shade = TIME_SHADES[k * len(TIME_SHADES) // len(steps)]
            paper.area(points, shade, tip=f"step {t} adds {short(norm)}", line=line)
            running.append((begin + back * column, axis(magnitude(total))))
            if axis(height) - axis(top) >= LEAST:
                words, anchor = f"t = {t}: {norm / axis.high:.0%}", "start" if mirrored else "end"
                paper.text(end + 6 * back, axis((height + top) / 2) + 4, words, size=SMALL, ink=MUTED, anchor=anchor)
        height += norm
    return running


def _smooth(share: float) -> float:
    return share * share * (3 - 2 * share)
